# What is run, not what is built: set-up, demo, tests, lint, fuzzing, benchmark, installation.

JOBS ?= $(shell nproc)
AGAIN = $(MAKE) --no-print-directory -j$(JOBS)

# ---- the main job ----

.PHONY: demo run
demo run:
	@bash tests/lib/setup.sh build run demo
	@$(AGAIN) all
	@SG_BUILD=$(abspath $(B)) bash tests/lib/demo.sh $@

# ---- tests: each executable script is a file of cases, see tests/lib/run.sh ----

SCRIPTS = $(shell find tests/{play,milter,postfix,interop,faults,torture,tls,ship,docs} -name "*.sh" -perm -u+x 2>/dev/null | sort)
# "# long" in the second line: "make check" has ten minutes
SCRIPTS_LONG_ALL = $(shell grep -l '^\# long' $(SCRIPTS) /dev/null)
# whole machines boot there: "make ship", not "make ci"
SCRIPTS_SHIP = $(filter tests/ship/%,$(SCRIPTS_LONG_ALL))
SCRIPTS_LONG = $(filter-out $(SCRIPTS_SHIP),$(SCRIPTS_LONG_ALL))
SCRIPTS_SHORT = $(filter-out $(SCRIPTS_LONG_ALL),$(SCRIPTS))
# those that are worth their time under the sanitizers, where all is several times slower
SCRIPTS_SANITIZE = $(filter-out %/pdf_readers.sh %/pdf_outer.sh %_corpus.sh,$(filter tests/play/% tests/interop/%,$(SCRIPTS_SHORT)))

.PHONY: check
check:
	@bash tests/lib/setup.sh build run test
	@$(AGAIN) WERROR=1 all unit replay drivers torture-programs
	@$(AGAIN) WERROR=1 run-tests

.PHONY: run-tests
run-tests:
	@bash tests/lib/run.sh -b $(B) $(UNIT_BIN) $(REPLAY_BIN) $(SCRIPTS_SHORT)

.PHONY: check-long
check-long:
	@bash tests/lib/setup.sh build run test
	@$(AGAIN) WERROR=1 all drivers
	@bash tests/lib/run.sh -b $(B) $(SCRIPTS_LONG)

# one test alone: make test T=tests/postfix/test_alias.sh, or T=unit/gateway/base/buf
.PHONY: test
test:
	@$(AGAIN) all $(if $(filter unit/%,$(T)),$(B)/$(T)) $(if $(filter tests/interop/pdf_%,$(T)),drivers)
	@bash tests/lib/run.sh -b $(B) $(if $(filter unit/%,$(T)),$(B)/$(T),$(T))

.PHONY: sanitize
sanitize:
	@bash tests/lib/setup.sh build run test
	@$(AGAIN) VARIANT=asan WERROR= all unit replay drivers
	@$(AGAIN) VARIANT=asan run-sanitized

.PHONY: run-sanitized
run-sanitized:
	@ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:allocator_may_return_null=1 \
	UBSAN_OPTIONS=print_stacktrace=1 LSAN_OPTIONS=suppressions=$(abspath tests/lib/run_lsan.supp) \
	bash tests/lib/run.sh -b $(B) -t 400 $(UNIT_BIN) $(REPLAY_BIN) $(SCRIPTS_SANITIZE)

# ---- drivers: programs that tests of the PDF worker use, with its objects or none ----

DRIVER_BIN = $(addprefix $(B)/drivers/,pdf_seal pdf_display pdf_generate pdf_check mime_parts)
PDF_OBJ = $(call obj,$(filter-out pdfenc/main.c,$(SRC.sealgate-pdf)) pdfenc/pdfenc.c)
LIB.driver_mime_parts = $(call libs,gmime-3.0)

$(B)/drivers/pdf_seal $(B)/drivers/pdf_display: $(PDF_OBJ)
$(B)/drivers/%: tests/lib/%.c
	@mkdir -p $(@D)
	@echo "  TEST  $@"
	@$(CC) -std=c17 $(OPT) $(DEFS) $(WARN) -iquote . $(CFLAGS.pdfenc) -MMD -MP -MT $@ -MF $@.d $(LINKOPT) \
		-o $@ $< $(filter %.o,$^) $(if $(filter %.o,$^),$(LIB.sealgate-pdf)) $(LIB.driver_$*)
$(B)/drivers/%: tests/lib/%.cc
	@mkdir -p $(@D)
	@echo "  TEST  $@"
	@$(CXX) -std=c++17 $(OPT) $(DEFS) $(WARN) $(call cflags,libqpdf) -MMD -MP -MT $@ -MF $@.d $(LINKOPT) \
		-o $@ $< $(call libs,libqpdf)

.PHONY: drivers
drivers: $(DRIVER_BIN)

# ---- fuzzing: tests/fuzz/NAME.c, its corpus in tests/fuzz/corpus/NAME ----
# A target names the program whose objects it links ("links: PROGRAM"), as unit tests do. Built with
# gcc and tests/lib/run_fuzz_main.c it replays its corpus (make check); with clang it searches.

# seconds a target; make ci takes 30
FUZZ_SECONDS ?= 600
FUZZ = $(notdir $(basename $(wildcard tests/fuzz/*.c)))
REPLAY_BIN = $(addprefix $(B)/fuzz/,$(FUZZ))
FUZZ_BIN = $(addprefix build/fuzz/search/,$(FUZZ))
OPT.fuzz = -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=vptr,function \
	-fno-sanitize-recover=undefined -DSG_SANITIZE
LINK.fuzz = -fsanitize=fuzzer-no-link,address,undefined

# no server is there: tests/fuzz/replies.c answers
LINK.fuzz_replies = -Wl,--wrap=wire_call

define fuzz_build
	@mkdir -p $(@D)
	@echo "  FUZZ  $@"
	@$(CC) -std=c17 $(OPT) $(DEFS) $(WARN) -iquote . $(CFLAGS.pdfenc) $(CFLAGS.config) $(CFLAGS.milter) $(CFLAGS.gateway) \
		-MMD -MP -MT $@ -MF $@.d $(LINKOPT) $(LINK.fuzz_$*) $(1) -o $@ $< $(filter %.a,$^) $(LIB.$(call links_of,$<))
endef

$(B)/fuzz/%: tests/fuzz/%.c tests/lib/run_fuzz_main.c $$(call archive_of,tests/fuzz/$$*.c)
	$(call fuzz_build,tests/lib/run_fuzz_main.c)

build/fuzz/search/%: tests/fuzz/%.c $$(call archive_of,tests/fuzz/$$*.c)
	$(call fuzz_build,-fsanitize=fuzzer)

.PHONY: replay
replay: $(REPLAY_BIN)

.PHONY: fuzz
fuzz:
	@bash tests/lib/setup.sh build run test lint
	@$(AGAIN) VARIANT=fuzz CC=clang CXX=clang++ HARDEN_GCC= WERROR= $(FUZZ_BIN)
	@bash tests/lib/run_fuzz.sh $(FUZZ_SECONDS) $(FUZZ_BIN)

# ---- lint ----

$(B)/lint/keys: tests/lint/keys.c $(call obj,$(BASE) $(CONF_DATA) $(CONF_FILE))
	@mkdir -p $(@D)
	@$(CC) -std=c17 $(OPT) $(DEFS) -iquote . $(LINKOPT) -o $@ $^ $(LIB.sealgate)

.PHONY: lint
lint:
	@bash tests/lib/setup.sh build run test lint
	@$(AGAIN) $(B)/lint/keys || true
	@SG_KEYS=$(B)/lint/keys JOBS=$(JOBS) CFLAGS_ALL="$(DEFS) $(CFLAGS.pdfenc) $(CFLAGS.config) $(CFLAGS.milter) $(CFLAGS.gateway) $(call cflags,cmocka)" \
		bash tests/lint/lint.sh $(CHECKS)

# ---- all of it ----

.PHONY: ci ci-rest
ci: check
	@$(AGAIN) ci-rest
ci-rest:
	@$(MAKE) --no-print-directory check-long
	@$(MAKE) --no-print-directory sanitize
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=30

# ---- benchmark ----

BENCH_BIN = $(addprefix $(B)/bench/,source sink nothing_milter libclamav_alone socketmap) $(B)/drivers/pdf_seal

$(B)/bench/source: tests/bench/message.c
$(B)/bench/libclamav_alone: gateway/base/buf.c gateway/base/fail.c gateway/base/str.c milter/scan/options.c
# the engine fills the cache: its objects without main
$(B)/bench/socketmap: $(call obj,$(filter-out gateway/tls/main.c,$(SRC.sealgate-tls)))
$(B)/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	@echo "  BENCH $@"
	@$(CC) -std=c17 $(OPT) $(DEFS) $(WARN) $(WARN_C) -iquote . $(CFLAGS.milter) -MMD -MP -MT $@ -MF $@.d $(LINKOPT) \
		-o $@ $(filter %.c %.o,$^) $(LIB.bench_$*) -lpthread
LIB.bench_nothing_milter = -lmilter
LIB.bench_libclamav_alone = $(call libs,libclamav)
LIB.bench_socketmap = $(LIB.sealgate-tls)

.PHONY: bench
bench:
	@bash tests/lib/setup.sh build run test bench
	@$(AGAIN) all $(BENCH_BIN)
	@SG_BUILD=$(abspath $(B)) bash tests/bench/bench.sh $(BENCH)

# ---- installation ----

SBIN = $(PREFIX)/sbin
LIBEXEC = $(PREFIX)/libexec/sealgate
ETC = $(SYSCONFDIR)/sealgate
MAN = $(PREFIX)/share/man
DOC = $(PREFIX)/share/doc/sealgate
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d
APPARMORDIR ?= $(SYSCONFDIR)/apparmor.d
PAGES = $(wildcard docs/man/*.[158])
with_paths = sed 's|@SBIN@|$(SBIN)|; s|@LIBEXEC@|$(LIBEXEC)|'
CANARY = $(addprefix $(UNITDIR)/sealgate-canary.,service timer)
STANDBY = $(UNITDIR)/sealgate-standby.service
as_standby = sed '/^\# Postfix answers/d; s/^Description=.*/Description=Sealgate, the gateway that stands by/; s/^Before=postfix.service/After=sealgate.service/'
UNITS = $(UNITDIR)/sealgate.service $(STANDBY) $(CANARY) $(APPARMORDIR)/sealgate

.PHONY: install
install: all
	install -d $(addprefix $(DESTDIR),$(SBIN) $(LIBEXEC) $(ETC) $(DOC)/health $(sort $(dir $(UNITS))))
	install -m 755 $(B)/sealgate $(DESTDIR)$(SBIN)/sealgate
	install -m 755 $(addprefix $(B)/,$(filter-out sealgate,$(PROGRAMS))) $(DESTDIR)$(LIBEXEC)
	test -e $(DESTDIR)$(ETC)/sealgate.conf || \
		install -m 640 config/sealgate.conf $(DESTDIR)$(ETC)/sealgate.conf
	$(with_paths) config/systemd/sealgate.service > $(DESTDIR)$(UNITDIR)/sealgate.service
	$(with_paths) config/systemd/sealgate.service | $(as_standby) > $(DESTDIR)$(STANDBY)
	$(foreach u,$(CANARY),$(with_paths) config/systemd/$(notdir $(u)) > $(DESTDIR)$(u) &&) true
	$(with_paths) config/apparmor/sealgate > $(DESTDIR)$(APPARMORDIR)/sealgate
	chmod 644 $(addprefix $(DESTDIR),$(UNITS))
	install -D -m 644 config/systemd/sealgate.sysusers $(DESTDIR)$(SYSUSERSDIR)/sealgate.conf
	install -D -m 644 config/systemd/sealgate.tmpfiles $(DESTDIR)$(TMPFILESDIR)/sealgate.conf
	$(foreach p,$(PAGES),install -D -m 644 $(p) $(DESTDIR)$(MAN)/man$(patsubst .%,%,$(suffix $(p)))/$(notdir $(p)) &&) true
	install -m 644 LICENSE $(wildcard README.md docs/*.md docs/*.json) config/sealgate.conf $(DESTDIR)$(DOC)
	install -m 644 $(wildcard docs/health/*) $(DESTDIR)$(DOC)/health

# the configuration and what the gateway stored stay
.PHONY: uninstall
uninstall:
	rm -f $(addprefix $(DESTDIR),$(SBIN)/sealgate $(addprefix $(LIBEXEC)/,$(filter-out sealgate,$(PROGRAMS))))
	rm -f $(addprefix $(DESTDIR),$(UNITS) $(SYSUSERSDIR)/sealgate.conf $(TMPFILESDIR)/sealgate.conf)
	rm -f $(foreach p,$(PAGES),$(DESTDIR)$(MAN)/man$(patsubst .%,%,$(suffix $(p)))/$(notdir $(p)))
	rm -rf $(DESTDIR)$(DOC)
	rmdir --ignore-fail-on-non-empty $(DESTDIR)$(LIBEXEC) 2>/dev/null || true

# ---- the Debian package, and the list of what it is made of ----

.PHONY: deb
deb:
	@bash tests/lib/setup.sh build deb
	@$(AGAIN) VARIANT=release all
	@bash config/debian/build.sh $(VERSION) $(CURDIR)/build/deb

.PHONY: sbom
sbom: all
	@bash config/sbom.sh $(VERSION) $(addprefix $(B)/,$(PROGRAMS)) > build/sealgate.spdx.json.new
	@mv build/sealgate.spdx.json.new build/sealgate.spdx.json
	@echo build/sealgate.spdx.json

# the long tests of what is shipped: a machine is booted, installed, upgraded; containers. Up to an hour,
# with what they need. What cannot be made fails in the end, when the rest was tested. Not $(MAKE) in
# the loop: make -n would run it.
.PHONY: ship ship-root
ship:
	@bash tests/lib/setup.sh build run test deb ship
	@$(AGAIN) VARIANT=release all
	@status=0; \
	for what in root images compose; do \
		make --no-print-directory ship-$$what || { echo "ship: ship-$$what failed" >&2; status=1; }; \
	done; \
	bash tests/lib/run.sh -b build/release -j 1 -t 1800 $(SCRIPTS_SHIP) || status=1; \
	exit $$status

# the images of docker/Dockerfile for tests/ship/container.sh, from what is built here
.PHONY: ship-images
ship-images:
	@bash tests/lib/setup.sh build run ship container
	@$(AGAIN) VARIANT=release all
	@rm -rf build/ship/image
	@$(MAKE) --no-print-directory -s install DESTDIR=$(CURDIR)/build/ship/image/out PREFIX=/usr
	@docker/needs.sh build/ship/image/out
	@bash tests/ship/images.bash $(CURDIR)/build/ship/image

# all images of docker/compose.yaml for tests/ship/compose.sh, by docker, as a user builds them
.PHONY: ship-compose
ship-compose:
	@bash tests/lib/setup.sh compose
	@bash tests/ship/compose_images.bash

# Debian 12 with what the package depends on, and no more, for tests/ship/deb.sh
ship-root: deb
	@bash tests/ship/root.bash $(VERSION)

# ---- torture: tests/torture/torture.sh; its short form is tests/torture/short.sh ----
# TORTURE_MESSAGES, TORTURE_FAULTS, TORTURE_SEED. The report goes to build/torture/report.txt.

TORTURE_BIN = $(addprefix build/torture/,source sink proxy tool)
LIB.torture_sink = $(call libs,libssl libcrypto)
LIB.torture_tool = $(call libs,sqlite3)

# programs with steps, and what drives them; after all of the release is made
.PHONY: torture-programs
torture-programs: all
	@$(MAKE) --no-print-directory VARIANT=torture all $(TORTURE_BIN)

$(TORTURE_BIN): build/torture/%: tests/torture/%.c
	@mkdir -p $(@D)
	@echo "  TEST  $@"
	@$(CC) -std=c17 $(OPT) $(DEFS) $(WARN) $(WARN_C) -iquote . -MMD -MP -MT $@ -MF $@.d $(LINKOPT) -o $@ $< \
		$(LIB.torture_$*) -lpthread

.PHONY: torture
torture:
	@bash tests/lib/setup.sh build run test
	@$(AGAIN) torture-programs
	@SG_BUILD=$(abspath build/torture) bash tests/torture/torture.sh
