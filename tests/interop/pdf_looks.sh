#!/bin/bash
# long: make check-long and make ci run it, make check does not
# HTML mails look as in a browser, by structure: what Chromium prints of tests/interop/mails and what
# we make of it have the same words in the same order, the same links and pictures, and nothing of
# ours stands outside of its page.
#
#   [B=build/release] [KEEP=FOLDER] tests/interop/pdf_looks.sh     a line a mail; exit 0 or 1
#
# KEEP: both are left there as pictures, NAME-ours-1.png beside NAME-chromium-1.png, for the eye.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${B:-${SG_BUILD:-build/release}}
mails=tests/interop/mails
password=Geheim-4711-abcd
failures=0

work=$(mktemp -d /tmp/pdf_looks.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir "$work/ours" "$work/theirs" "$work/found"
node tests/lib/pdf_chromium.js print "$work/theirs" "$mails"/*.eml ||
	{ echo "not ok Chromium does not print"; exit 1; }
"$build/drivers/pdf_seal" "$build/sealgate-pdf" "$password" "$work/ours" "$mails"/*.eml > "$work/log" 2>&1
"$build/drivers/pdf_check" "$password" "$work/found" "$work"/ours/*.pdf > /dev/null
# no sealed PDFs: only their links are wanted
"$build/drivers/pdf_check" '' "$work/found" "$work"/theirs/*.pdf > /dev/null

# One word a line, in the order in which they are drawn, Chinese, Japanese and Korean letters each
# their own; bullets, emoji, marks of direction and the hyphens that pdftotext drops left out.
words() {
	LC_ALL=C sed -E 's/\xc2\xa0/ /g; s/\xe2\x80[\x8b-\x8f\xa2\xaa-\xae]//g; s/\xc2\xad//g; s/\xef\xb8\x8f//g
		s/[-\f]//g; s/\xe2[\x8c-\xaf][\x80-\xbf]/ /g; s/\xf0\x9f[\x80-\xbf]{2}/ /g
		s/([\xe3-\xed]|\xef[\xbc-\xbf])[\x80-\xbf]{1,2}/ & /g' "$1" |
		tr -s '[:space:]' '\n' | sed '/^$/d'
}

# A word that lies elsewhere counts once here. Readers of Arabic, Hebrew and Thai text differ in more
# than the order: of those the words in Latin letters and digits are compared.
order() {	# name
	local filter=. all moved
	case $1 in
	rtl_* | thai_*) filter='^[A-Za-z0-9,:@%]+$' ;;
	# forms and plugins, which we leave out, have words of their own in a browser
	forms_*) filter='^(Wie|zufrieden|sind|Sie|sehr|wenig|Antwort|senden|Verweis)' ;;
	esac
	pdftotext -raw "$work/theirs/$1.pdf" "$work/theirs.txt"
	pdftotext -raw -upw "$password" "$work/ours/$1.eml.pdf" "$work/ours.txt"
	words "$work/theirs.txt" | grep -E "$filter" > "$work/theirs.words"
	words "$work/ours.txt" | grep -E "$filter" > "$work/ours.words"
	all=$(wc -l < "$work/theirs.words")
	moved=$(diff "$work/theirs.words" "$work/ours.words" | grep -c '^<')
	[[ $((moved * 100)) -le $((all * 6 + 100)) ]] ||
		echo "$moved of $all words stand elsewhere: $(diff "$work/theirs.words" "$work/ours.words" |
			sed -n 's/^< //p' | head -9 | tr '\n' ' ')"
}

# a browser writes addresses anew
links_of() { sed 's/%[0-9A-Fa-f][0-9A-Fa-f]/%/g; s/[^ -~]/%/g; s|/$||' "$1" | grep -E '^(https?|mailto|tel):' | sort -u; }

links() {	# name
	local lost
	lost=$(comm -23 <(links_of "$work/found/$1.pdf/links") <(links_of "$work/found/$1.eml.pdf/links") | head -3)
	[[ -z $lost ]] || echo "links are missing: $lost"
}

pictures() {	# name
	local theirs ours
	theirs=$(cat "$work/theirs/$1.shown")
	ours=$(cat "$work/found/$1.eml.pdf/pictures")
	[[ $ours -ge $theirs ]] || echo "$ours of $theirs pictures are shown"
}

outside() {	# name
	pdftotext -bbox -upw "$password" "$work/ours/$1.eml.pdf" - 2> /dev/null | awk '
		{ split($0, v, "\"") }
		/<page / { w = v[2]; h = v[4] }
		/<word / { if (v[2] < 20 || v[4] < 10 || v[6] > w - 10 || v[8] > h - 10) print "near the edge: " $0 }' |
		head -3
}

for mail in "$mails"/*.eml; do
	name=$(basename "$mail" .eml)
	{
		order "$name"
		links "$name"
		pictures "$name"
		outside "$name"
	} > "$work/said" 2>&1
	if [[ -s $work/said ]]; then
		sed "s/^/# $name: /" "$work/said"
		echo "not ok $name"
		failures=$((failures + 1))
	else
		echo "ok $name"
	fi
	if [[ -n ${KEEP:-} ]]; then
		mkdir -p "$KEEP"
		pdftoppm -r 70 -png -upw "$password" "$work/ours/$name.eml.pdf" "$KEEP/$name-ours"
		pdftoppm -r 70 -png "$work/theirs/$name.pdf" "$KEEP/$name-chromium"
	fi
done
echo "# $failures failures"
[[ $failures -eq 0 ]]
