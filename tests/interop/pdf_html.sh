#!/bin/bash
# Mails as programs make them (tests/interop/mails) become pages as they look: every word of the body
# is in the text, what was hidden is not, links and pictures are there, no line stands outside.
#
#   [B=build/release] tests/interop/pdf_html.sh     a line a mail; exit 0 or 1
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${B:-${SG_BUILD:-build/release}}
mails=tests/interop/mails
password=Geheim-4711-abcd
failures=0
bad=0

fail() {
	echo "# $1: $2"
	bad=1
}

work=$(mktemp -d /tmp/pdf_html.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT

# without hyphens, which poppler drops at the end of a line, and without the rules of tables
plain() {
	sed 's/\xc2\xa0/ /g; s/\xc2\xad//g; s/\xe2\x80\x8c//g; s/│//g; s/[-\f]//g' "$1" | tr -s '[:space:]' '\n'
}

missing_words() {
	awk '
		NR == FNR { all = all $0; next }
		$0 != "" && index(all, $0) == 0 { print }
	' <(plain "$2") <(plain "$1")
}

# letters that run from right to left stand in the text in another order: only their presence counts
check_words() {	# name expected text
	local missing
	case $1 in
	rtl_* | thai_*) missing=$(missing_words "$2" "$3" | grep -acE '^[A-Za-z]+$') ;;
	*) missing=$(missing_words "$2" "$3" | grep -avE 'UNSICHTBAR|BOESE' | head -5 | tr '\n' ' ') ;;
	esac
	[ -z "$missing" ] || [ "$missing" = 0 ] || fail "$1" "words are missing: $missing"
}

check_outside() {	# name pdf
	pdftotext -bbox -upw "$password" "$2" - 2> /dev/null | awk '
		{ split($0, v, "\"") }
		/<page / { w = v[2] + 1; h = v[4] + 1 }
		/<word / { if (v[2] < -1 || v[4] < -1 || v[6] > w || v[8] > h) bad++ }
		END { exit bad > 0 }' || fail "$1" "words stand outside of the page"
}

check_one() {	# name
	local pdf=$work/pdf/$1.eml.pdf text=$work/text
	qpdf --check --password="$password" "$pdf" > "$work/check" 2>&1 ||
		fail "$1" "qpdf: $(tail -1 "$work/check")"
	pdftotext -upw "$password" "$pdf" "$text" 2> /dev/null || fail "$1" "pdftotext"
	mkdir -p "$work/x"
	"$build/drivers/pdf_seal" -x "$work/x" "$mails/$1.eml" || fail "$1" "cannot be read again"
	check_words "$1" "$work/x/words" "$text"
	grep -aqE 'UNSICHTBAR|BOESE|geheim 4711|could not be shown' "$text" &&
		fail "$1" "shows what is hidden: $(grep -aE 'UNSICHTBAR|BOESE|geheim|could not' "$text" | head -1)"
	check_outside "$1" "$pdf"
}

links_of() {
	qpdf --password="$password" --decrypt --qdf --object-streams=disable "$1" - 2> /dev/null |
		grep -acF "$2"
}

mkdir "$work/pdf"
"$build/drivers/pdf_seal" "$build/sealgate-pdf" "$password" "$work/pdf" "$mails"/*.eml > "$work/log" 2>&1
for mail in "$mails"/*.eml; do
	name=$(basename "$mail" .eml)
	bad=0
	if [ -s "$work/pdf/$name.eml.pdf" ]; then
		check_one "$name"
	else
		fail "$name" "$(grep -F "$name" "$work/log" | head -1)"
	fi
	case $name in
	newsletter_nested)
		[ "$(links_of "$work/pdf/$name.eml.pdf" 'https://northwind.example/huetten')" -gt 0 ] ||
			fail "$name" "no link" ;;
	forms_scripts)
		[ "$(links_of "$work/pdf/$name.eml.pdf" '/URI (javascript')" -eq 0 ] || fail "$name" "a script" ;;
	cid_images)
		[ "$(pdfimages -list -upw "$password" "$work/pdf/$name.eml.pdf" | grep -c ' jpeg ')" -ge 1 ] ||
			fail "$name" "the JPEG is not kept" ;;
	esac
	if [ "$bad" -eq 0 ]; then
		echo "ok $name"
	else
		echo "not ok $name"
		failures=$((failures + 1))
	fi
done
echo "# $(find "$mails" -name '*.eml' | wc -l) mails, $failures failures"
[ "$failures" -eq 0 ]
