# Sealgate. The one Makefile: what links what stands here.
#
#   make demo      set up, start a private Postfix and the gateway, show the main job
#   make run       the same set-up, kept in the foreground
#   make check     set up, build, the tests but the long ones
#   make ci        check, the long tests, sanitizers, lint, fuzzing
#   make bench     measure side by side
#   make install   PREFIX, DESTDIR

SHELL = /bin/bash
.DEFAULT_GOAL = all

VERSION = 0.1.0
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
VARIANT ?= release
B = build/$(VARIANT)

# make install takes gcc's own defaults; the tests demand silence
WERROR ?=
CC = gcc
CXX = g++

WARN = -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wvla -Wformat=2 \
	-Wundef -Wnull-dereference -Wimplicit-fallthrough -Wwrite-strings $(if $(WERROR),-Werror)
WARN_C = -Wstrict-prototypes -Wmissing-prototypes
HARDEN = -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fPIE
HARDEN_GCC = -ftrivial-auto-var-init=zero
HARDEN_X86 = $(if $(filter x86_64,$(shell uname -m)),-fcf-protection)
OPT.release = -O2 -g $(HARDEN) $(HARDEN_GCC) $(HARDEN_X86)
LINK.release = -pie -Wl,-z,relro,-z,now
# ASan replaces the allocator and cannot live under an address-space limit or a strict sandbox
OPT.asan = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined -DSG_SANITIZE
LINK.asan = -fsanitize=address,undefined
# with named steps at which a test ends a program (gateway/base/step.h); the rest is the release
OPT.torture = $(OPT.release) -DSG_STEPS
LINK.torture = $(LINK.release)
OPT = $(OPT.$(VARIANT))
LINKOPT = $(LINK.$(VARIANT))

DEFS = -D_GNU_SOURCE -DSG_VERSION='"$(VERSION)"'
# Libraries' headers are none of ours: -isystem keeps them silent
cflags = $(patsubst -I%,-isystem%,$(shell pkg-config --cflags $(1) 2>/dev/null))
libs = $(shell pkg-config --libs $(1) 2>/dev/null)

PKG.pdf = gmime-3.0 pangoft2 fontconfig harfbuzz harfbuzz-subset libdeflate libpng libwebp libqpdf libcrypto
# shows HEIC where it is there
HEIF = $(shell pkg-config --exists libheif && echo -lheif)
PKG.scan = libclamav
PKG.vault = sqlite3 libcrypto
PKG.milter = libcrypto
PKG.cmd = libconfuse libcrypto libsystemd
PKG.tls = libunbound libcurl libmicrohttpd jansson libssl libcrypto zlib
PKG.trace = libsystemd zlib
PKG.notify = libcurl libcrypto jansson
PKG.health = libmicrohttpd

comma = ,

# ---- what is made of what: folders, then libraries ----

BASE = $(wildcard gateway/base/*.c) $(if $(filter torture,$(VARIANT)),tests/torture/step.c)
# reading the file takes libconfuse and belongs to the command line and supervisor alone
CONF_FILE = $(wildcard config/conf.c config/conf_check.c config/conf_scan.c config/keys_doc.c)
CONF_DATA = $(filter-out $(CONF_FILE),$(wildcard config/*.c))
# the texts of our own mails, as C
CONF_DATA += gen/templates.c
CONF_LIB = $(call libs,libidn2)
CLIENTS = milter/scan/scan.c pdfenc/pdfenc.c gateway/vault/vault.c gateway/vault/vault_admin.c gateway/vault/vault_facts.c gateway/vault/vault_notice.c gateway/vault/record.c gateway/tls/tls.c
# sealing without libmilter: the filter and "sealgate seal" share it
SEALING = milter/message.c milter/edits.c milter/envelope.c milter/outer.c milter/cover.c milter/part.c milter/language.c milter/spool.c

SRC.sealgate-milter = $(BASE) $(CONF_DATA) $(CLIENTS) $(wildcard milter/*.c)
LIB.sealgate-milter = -lmilter $(call libs,$(PKG.milter)) $(CONF_LIB) -lpthread

SRC.sealgate-scan = $(BASE) $(CONF_DATA) $(filter-out milter/scan/scan.c,$(wildcard milter/scan/*.c))
LIB.sealgate-scan = $(call libs,$(PKG.scan)) $(CONF_LIB) -lpthread

SRC.sealgate-pdf = $(BASE) $(CONF_DATA) $(filter-out pdfenc/pdfenc.c $(if $(HEIF),pdfenc/picture_no_heif.c,pdfenc/picture_heif.c),$(wildcard pdfenc/*.c pdfenc/html/*.c pdfenc/*.cc pdfenc/html/*.cc))
LIB.sealgate-pdf = $(call libs,$(PKG.pdf)) -llitehtml -lgif -ljpeg -lytnef $(HEIF) -lstdc++ -lm $(CONF_LIB) -lpthread

SRC.sealgate-vault = $(BASE) $(CONF_DATA) $(filter-out gateway/vault/vault.c gateway/vault/vault_admin.c gateway/vault/vault_facts.c gateway/vault/vault_notice.c,$(wildcard gateway/vault/*.c)) $(wildcard gateway/store/*.c)
LIB.sealgate-vault = $(call libs,$(PKG.vault)) -lzxcvbn -lm $(CONF_LIB) -lpthread

# asks the vault; its own client is for others
SRC.sealgate-tls = $(BASE) $(CONF_DATA) gateway/vault/vault.c gateway/vault/vault_facts.c gateway/vault/record.c $(filter-out gateway/tls/tls.c,$(wildcard gateway/tls/*.c))
LIB.sealgate-tls = $(call libs,$(PKG.tls)) $(CONF_LIB) -lpthread

SRC.sealgate = $(BASE) $(CONF_DATA) $(CONF_FILE) $(CLIENTS) $(SEALING) $(wildcard gateway/cmd/*.c) $(wildcard gateway/postfix/*.c)
LIB.sealgate = $(call libs,$(PKG.cmd)) $(CONF_LIB) -lpthread

SRC.sealgate-trace = $(BASE) $(CONF_DATA) gateway/vault/vault.c gateway/vault/vault_facts.c gateway/vault/record.c $(wildcard gateway/trace/*.c)
LIB.sealgate-trace = $(call libs,$(PKG.trace)) $(CONF_LIB) -lpthread

SRC.sealgate-notify = $(BASE) $(CONF_DATA) gateway/vault/vault.c gateway/vault/vault_notice.c gateway/vault/record.c $(wildcard gateway/notify/*.c)
LIB.sealgate-notify = $(call libs,$(PKG.notify)) $(CONF_LIB) -lpthread

SRC.sealgate-health = $(BASE) $(CONF_DATA) gateway/vault/record.c $(wildcard gateway/health/*.c)
LIB.sealgate-health = $(call libs,$(PKG.health)) $(CONF_LIB) -lpthread

PROGRAMS = sealgate sealgate-milter sealgate-scan sealgate-pdf sealgate-vault sealgate-tls sealgate-trace sealgate-notify sealgate-health

# ---- how ----

CFLAGS.pdfenc = $(call cflags,$(PKG.pdf)) -isystem /usr/include/litehtml
CFLAGS.config = $(call cflags,libconfuse)
CFLAGS.milter = $(call cflags,$(PKG.scan) $(PKG.milter))
CFLAGS.gateway = $(call cflags,$(PKG.vault) $(PKG.tls))
dir_flags = $(CFLAGS.$(firstword $(subst /, ,$(1))))

# the variant with steps compiles what has one, and takes everything else from the release
STEPS := $(if $(filter torture,$(VARIANT)),tests/torture/step.c $(shell grep -rl "base/step\.h" --include="*.c" gateway milter pdfenc))
obj_dir = $(if $(STEPS),$(if $(filter $(1),$(STEPS)),$(B),build/release),$(B))
obj = $(foreach s,$(1),$(call obj_dir,$(s))/obj/$(basename $(s)).o)

.PHONY: all
all: $(addprefix $(B)/,$(PROGRAMS))

define program
$(B)/$(1): $(call obj,$(SRC.$(1)))
	@mkdir -p $$(@D)
	@echo "  LINK  $$@"
	@$(CC) $$(OPT) $$(LINKOPT) -o $$@ $$^ $$(LIB.$(1))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

$(B)/gen/templates.c: config/templates/built_in.awk $(sort $(wildcard config/templates/*/*.txt config/templates/*/*.html))
	@mkdir -p $(@D)
	@LC_ALL=C.UTF-8 awk -f $^ > $@

$(B)/obj/gen/%.o: $(B)/gen/%.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) -std=c17 $(OPT) $(DEFS) $(WARN) $(WARN_C) -iquote . -MMD -MP -c -o $@ $<

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) -std=c17 $(OPT) $(DEFS) $(WARN) $(WARN_C) -iquote . $(call dir_flags,$<) -MMD -MP -c -o $@ $<

$(B)/obj/%.o: %.cc
	@mkdir -p $(@D)
	@echo "  CXX   $<"
	@$(CXX) -std=c++17 $(OPT) $(DEFS) $(WARN) -iquote . $(call dir_flags,$<) -MMD -MP -c -o $@ $<

# ---- unit tests: tests/unit/<tree path>/NAME.c tests the file of that name ----
# A test names a program in a line "links: PROGRAM" and links what it needs of all its objects but
# main: from an archive, for whole programs in each of a hundred tests take the linker a minute.

UNIT = $(shell find tests/unit -name '*.c' 2>/dev/null | sort)
UNIT_BIN = $(patsubst tests/unit/%.c,$(B)/unit/%,$(UNIT))
.SECONDEXPANSION:
main_of = $(if $(filter sealgate-health,$(1)),gateway/health/main.c,$(if $(filter sealgate-notify,$(1)),gateway/notify/main.c,$(if $(filter sealgate-trace,$(1)),gateway/trace/main.c,$(if $(filter sealgate-tls,$(1)),gateway/tls/main.c,$(if $(filter sealgate,$(1)),gateway/cmd/sealgate.c,$(if $(filter sealgate-milter,$(1)),milter/main.c,$(if $(filter sealgate-scan,$(1)),milter/scan/main.c,$(if $(filter sealgate-pdf,$(1)),pdfenc/main.c,gateway/vault/main.c))))))))
links_of = $(shell sed -n 's/.*links: *\([a-z-]*\).*/\1/p' $(1) | head -1)
unit_src = $(filter-out $(call main_of,$(call links_of,$(1))),$(SRC.$(call links_of,$(1))))

archive_of = $(B)/lib/$(call links_of,$(1)).a

define archive
$(B)/lib/$(1).a: $(call obj,$(filter-out $(call main_of,$(1)),$(SRC.$(1))))
	@mkdir -p $$(@D)
	@rm -f $$@
	@ar rcsT $$@ $$^
endef
$(foreach p,$(PROGRAMS),$(eval $(call archive,$(p))))

$(B)/unit/%: tests/unit/%.c $$(call archive_of,tests/unit/$$*.c)
	@mkdir -p $(@D)
	@echo "  TEST  $@"
	@$(CC) -std=c17 $(OPT) $(DEFS) $(WARN) -iquote . $(call dir_flags,$*.c) $(call cflags,cmocka) \
		-MMD -MP -MT $@ -MF $@.d $(LINKOPT) -o $@ $< $(filter %.a,$^) $(LIB.$(call links_of,$<)) $(call libs,cmocka)

.PHONY: unit
unit: $(UNIT_BIN)

# ---- scenarios: tests/play/play.c plays the session (tests/play/README), tls.c the policy engine ----

# the calls that tests/lib/faulty.c can let fail
WRAPPED = malloc calloc realloc reallocarray free strdup vasprintf __vasprintf_chk memfd_create write mmap lseek getrandom
WITH.play_play = tests/lib/faulty.c
LINK.play_play = $(addprefix -Wl$(comma)--wrap=,$(WRAPPED))

$(B)/play/%: tests/play/%.c $$(WITH.play_$$*) $$(call archive_of,tests/play/$$*.c)
	@mkdir -p $(@D)
	@echo "  TEST  $@"
	@$(CC) -std=c17 $(OPT) $(DEFS) $(WARN) -iquote . -MMD -MP -MT $@ -MF $@.d $(LINKOPT) $(LINK.play_$*) -o $@ \
		$< $(WITH.play_$*) $(filter %.a,$^) $(LIB.$(call links_of,$<))

unit: $(B)/play/play $(B)/play/tls

# ---- the rest lives in small files of its own ----
-include tests/tests.mk

.PHONY: clean
clean:
	rm -rf build

-include $(shell find $(B) -name '*.d' 2>/dev/null)
