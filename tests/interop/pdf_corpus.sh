#!/bin/bash
# long: make check-long and make ci run it, make check does not
# Every message of a folder becomes an encrypted PDF by the real worker in its sandbox, and is opened
# again with qpdf, poppler and MuPDF: no errors, every word in the pages, every file as it was.
#
#   [B=build/release] tests/interop/pdf_corpus.sh [CORPUS]     a line a message; exit 0 or 1
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${B:-${SG_BUILD:-build/release}}
corpus=${1:-../shared/corpus}
password=Geheim-4711-abcd
failures=0
bad=0

fail() {
	echo "# $1: $2"
	bad=1
}

if [ ! -d "$corpus" ]; then
	echo "skip corpus no folder $corpus"
	exit 0
fi
work=$(mktemp -d /tmp/pdf_corpus.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT

# every word of $1 must stand in the text $2; where lines were broken does not matter
# (poppler takes hyphens at the end of a line for ours and drops them: none are compared)
missing_words() {
	awk '
		NR == FNR { gsub(/[[:space:]]/, ""); all = all $0; next }
		{ for (i = 1; i <= NF; i++) if (index(all, $i) == 0) print $i }
	' <(tr -d '\f\302\255-' < "$2") <(tr -d '\302\255-' < "$1")
}

check_files() {	# name pdf expected-folder message
	local count=0 n
	while [ -e "$3/$((count + 1))" ]; do count=$((count + 1)); done
	for ((n = 1; n <= count; n++)); do
		pdfdetach -save $n -o "$work/file" -upw "$password" "$2" > /dev/null 2>&1
		cmp -s "$work/file" "$3/$n" || fail "$1" "attachment $n differs"
	done
	pdfdetach -save $((count + 1)) -o "$work/file" -upw "$password" "$2" > /dev/null 2>&1
	cmp -s "$work/file" "$4" || fail "$1" "original.eml differs"
}

check_pdf() {	# name pdf message
	local expected missing
	expected=$(mktemp -d "$work/expected.XXXXXX")
	qpdf --check --password="$password" "$2" > "$work/check" 2>&1 ||
		fail "$1" "qpdf: $(tail -1 "$work/check")"
	grep -q '^R = 6' "$work/check" || fail "$1" "not revision 6"
	qpdf --check --password= "$2" > /dev/null 2>&1 && fail "$1" "opens without a password"
	pdftotext -upw "$password" "$2" "$work/text" 2> "$work/errors" ||
		fail "$1" "pdftotext: $(head -1 "$work/errors")"
	"$build/drivers/pdf_seal" -x "$expected" "$3" || fail "$1" "cannot be read again"
	missing=$(missing_words "$expected/words" "$work/text" | head -5 | tr '\n' ' ')
	[ -z "$missing" ] || fail "$1" "words are missing: $missing"
	check_files "$1" "$2" "$expected" "$3"
	rm -rf "$expected"
}

mapfile -t messages < <(find "$corpus" -type f \( -name '*.msg' -o -name '*.eml' \) | sort)
mkdir "$work/pdf"
"$build/drivers/pdf_seal" "$build/sealgate-pdf" "$password" "$work/pdf" "${messages[@]}" > "$work/log" 2>&1
for message in "${messages[@]}"; do
	bad=0
	name=$(basename "$message")
	if [ -s "$work/pdf/$name.pdf" ]; then
		check_pdf "$name" "$work/pdf/$name.pdf" "$message"
	else
		fail "$name" "$(grep -F "$name" "$work/log" | head -1)"
	fi
	if [ "$bad" -eq 0 ]; then
		echo "ok $name"
	else
		echo "not ok $name"
		failures=$((failures + 1))
	fi
done
mkdir "$work/found"
"$build/drivers/pdf_check" "$password" "$work/found" "$work"/pdf/*.pdf > "$work/findings"
if [ -s "$work/findings" ]; then
	sed 's/^/# /' "$work/findings" | cut -c 1-300 | head -20
	echo "not ok each is what a sealed PDF must be"
	failures=$((failures + 1))
else
	echo "ok each is what a sealed PDF must be"
fi
echo "# ${#messages[@]} messages, $failures failures"
[ "$failures" -eq 0 ]
