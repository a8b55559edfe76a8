#!/bin/bash
# lint.sh [CHECK...]: what no compiler says about the tree. One line a check, then its findings.
#
# Checks are the functions check_NAME below and the scripts beside this file. A check prints
# findings as FILE:LINE: TEXT and nothing else; one finding fails the run.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

jobs=${JOBS:-$(nproc)}

out=build/lint
keys=${SG_KEYS:-$out/keys}
mkdir -p "$out"
read -ra cflags <<< "${CFLAGS_ALL:-}"
# quotes do not survive the way through make and the shell
for i in "${!cflags[@]}"; do
	[[ ${cflags[i]} != -DSG_VERSION* ]] || cflags[i]='-DSG_VERSION="0"'
done
cflags+=(-std=c17 -iquote .)

# The tree as git knows it, with what is new and not ignored.
files() { git ls-files --cached --others --exclude-standard -- "$@" | sort -u | while read -r f; do [[ -e $f ]] && echo "$f"; done; }
product() { files 'config/*.[ch]' 'gateway/*.[ch]' 'milter/*.[ch]' 'pdfenc/*.[ch]'; }
all_c() { files '*.[ch]'; }

check_format() { all_c | xargs -r -P "$jobs" -n 40 bash tests/lint/format.sh | sort; }

check_words() { all_c | xargs -r awk -f tests/lint/strip.awk -f tests/lint/words.awk; }

check_layers() { product | xargs -r awk -f tests/lint/layers.awk tests/lint/layers; }

check_prototypes() { product | grep '\.h$' | xargs -r awk -f tests/lint/prototypes.awk; }

check_shape() { product | xargs -r bash tests/lint/shape.sh "$out/shape.txt"; }

# each header compiles alone, with gcc's warnings
check_headers() {
	files 'config/*.h' 'gateway/*.h' 'milter/*.h' 'pdfenc/*.h' |
		xargs -r -P "$jobs" -n 4 bash tests/lint/headers.sh "${cflags[*]}"
}

check_tidy() {
	product | grep '\.c$' | xargs -r -P "$jobs" -n 2 bash tests/lint/tidy.sh "${cflags[*]}" | sort -u
}

check_cppcheck() {
	local defines=(-D_GNU_SOURCE '-DSG_VERSION="0"' -D__x86_64__=1 -D__linux__=1)
	product | grep '\.c$' > "$out/cppcheck.list"
	[[ -s $out/cppcheck.list ]] || return 0
	cppcheck --quiet -j "$jobs" --std=c11 --enable=warning,performance,portability --inline-suppr \
		--suppressions-list=tests/lint/cppcheck.supp --template='{file}:{line}: {id}: {message}' \
		"${defines[@]}" -I . --file-list="$out/cppcheck.list" 2>&1
}

# Pages that are not installed here, other packages' or ours, are no finding; a page of ours that is
# named but not written is.
check_mandoc() {
	files 'docs/man/*.[158]' | xargs -r mandoc -Tlint -Wstyle 2> "$out/mandoc.err" |
		sed -E 's/^mandoc: //' | grep -v 'referenced manual not found'
	grep -v 'outdated mandoc.db' "$out/mandoc.err"
	files 'docs/man/*.[158]' | xargs -r sed -nE 's/^\.Xr (sealgate[a-z.-]*) ([158]).*/\1.\2/p' |
		sort -u | while IFS= read -r page; do
		[[ -e docs/man/$page ]] || echo "docs/man: no page $page, which others name"
	done
}

check_shellcheck() {
	# without -x, which reads the shared files anew for each script and takes a minute: names that
	# no file sets are found when it runs, by set -u
	{
		files '*.sh' '*.bash'
		echo .ci/run
	} | xargs -r -P "$jobs" -n 10 shellcheck -s bash -e SC1090,SC1091,SC2034,SC2154 -f gcc
}

# the table of keys against the shipped configuration and the manual page
check_keys() {
	[[ -e config/keys.c ]] || return 0
	"$keys" file | cmp -s - config/sealgate.conf ||
		echo "config/sealgate.conf:1: is not what $keys file prints"
	"$keys" manual > "$out/keys.mdoc"
	awk 'NR == FNR { want[NR] = $0; count = NR; next } { page[++lines] = $0 }
		END {
			for (i = 1; i <= lines; i++) {
				for (j = 1; j <= count && page[i + j - 1] == want[j]; j++) ;
				if (count > 0 && j > count) exit
			}
			print "docs/man/sealgate.conf.5:1: does not hold what the table of keys makes (lint/keys manual)"
		}' "$out/keys.mdoc" docs/man/sealgate.conf.5
}

checks=(format words layers prototypes shape headers keys mandoc shellcheck cppcheck tidy)
[[ $# -eq 0 ]] || checks=("$@")
failed=0
for check in "${checks[@]}"; do
	start=${EPOCHREALTIME/./}
	"check_$check" > "$out/$check.log" 2>&1
	count=$(grep -c . "$out/$check.log")
	printf '  %-4s %-12s %4d findings %5d.%d s\n' "$([[ $count -eq 0 ]] && echo ok || echo FAIL)" \
		"$check" "$count" $(((${EPOCHREALTIME/./} - start) / 1000000)) \
		$(((${EPOCHREALTIME/./} - start) % 1000000 / 100000))
	head -n "${LINT_LINES:-25}" "$out/$check.log" | sed 's/^/         /'
	[[ $count -le ${LINT_LINES:-25} ]] || printf '         ... all in %s/%s.log\n' "$out" "$check"
	failed=$((failed + count))
done
[[ ! -s $out/shape.txt ]] || cat "$out/shape.txt"
printf 'lint: %d findings\n' "$failed"
[[ $failed -eq 0 ]]
