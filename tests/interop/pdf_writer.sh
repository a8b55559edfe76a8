#!/bin/bash
# What the PDF writer makes of a display, read by qpdf, poppler, MuPDF and Ghostscript: no errors, all
# text of many scripts, fonts embedded, subset and with Unicode, JPEGs byte for byte, structure.
#
#   [B=build/release] tests/interop/pdf_writer.sh [FOLDER]   keeps PDF and PNGs in FOLDER, if given
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${B:-${SG_BUILD:-build/release}}
failures=0

work=$(mktemp -d /tmp/pdf_writer.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT

# check NAME COMMAND...: one case; what the command prints is why it fails
check() {
	local name=$1
	shift
	if "$@" > "$work/why" 2>&1; then
		echo "ok $name"
	else
		echo "not ok $name"
		sed 's/^/# /' "$work/why" | head -5
		failures=$((failures + 1))
	fi
}

silent() {
	"$@" > "$work/said" 2>&1 || return 1
	! grep -vE 'ICC support is not available' "$work/said"
}

cat > "$work/text" <<'END'
Latin: office affluent fjord difficult flow, naïve Ångström 100 % „Zitat“
Greek: Ελληνικά γράμματα καὶ ἀρχαῖα
Cyrillic: Русский текст, Українська їжа
Hebrew: שלום עולם ירושלים
Arabic: مرحبا بكم في مدينتنا
Devanagari: हिन्दी में लिखा हुआ क्षत्रिय र्कि श्रीमान् विद्यार्थी
Tamil: தமிழ் மொழி கொண்டு
Bengali: বাংলা ভাষা ক্ষুদ্র
Thai: ภาษาไทย น้ำ ที่นี่ กำลัง ผู้ใหญ่
Chinese: 中文文本，繁體字與简体字。
Japanese: 日本語のテキスト、カタカナ
Korean: 한국어 텍스트 서울
Emoji: 😀 👍🏽 👩‍👩‍👧‍👦 🇩🇪 🇫🇷 1️⃣ ❤️ 🏳️‍🌈 end
Punctuation: a b (c) \d\ <e> [f] {g} /h %i
END
# a picture: a small page, drawn by poppler
printf '%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj 3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 60 40]/Contents 4 0 R>>endobj 4 0 obj<</Length 42>>stream\n1 0 0 rg 0 0 30 40 re f 0 0 1 rg 30 9 9 9 re f\nendstream endobj trailer<</Root 1 0 R>>\n' > "$work/small.pdf"
pdftoppm -jpeg -singlefile "$work/small.pdf" "$work/picture" 2> /dev/null
[ -s "$work/picture.jpg" ] || { echo "not ok no picture to draw"; exit 1; }

pdf=$work/display.pdf
"$build/drivers/pdf_display" "$pdf" "$work/text" "$work/picture.jpg" || { echo "not ok no PDF"; exit 1; }

check "qpdf --check" qpdf --check "$pdf"
check "MuPDF draws without a word" silent mutool draw -q -o "$work/mupdf%d.png" "$pdf"
check "Ghostscript draws without a word" silent gs -q -dBATCH -dNOPAUSE -sDEVICE=nullpage "$pdf"
check "poppler draws without a word" silent pdftoppm -r 60 -png "$pdf" "$work/page"

pdftotext "$pdf" "$work/all" 2> /dev/null
words_there() {
	awk '
		NR == FNR { gsub(/[[:space:]]/, ""); all = all $0; next }
		{ for (i = 1; i <= NF; i++) if (index(all, $i) == 0) { print FNR ": " $i; bad = 1 } }
		END { exit bad }' "${2:-$work/all}" "$1"
}
while IFS= read -r line; do
	printf '%s\n' "$line" > "$work/line"
	check "every word: ${line%%:*}" words_there "$work/line"
done < "$work/text"

# MuPDF does not look at /ActualText: each code says its part
mutool draw -q -F txt "$pdf" 2> /dev/null | sed 's/\xe2\x81\xa0//g' > "$work/mupdf.txt"
for script in Latin Greek Cyrillic Devanagari Thai Chinese Korean; do
	grep "^$script:" "$work/text" > "$work/line"
	check "every word by MuPDF: $script" words_there "$work/line" "$work/mupdf.txt"
done

fonts_whole() {
	pdffonts "$pdf" | awk 'NR > 2 { count++; if ($(NF - 4) != "yes" || $(NF - 3) != "yes" || $(NF - 2) != "yes") { print; bad = 1 } }
		END { exit bad || count < 8 }'
}
check "fonts are embedded, subset, with Unicode" fonts_whole

jpeg_same() {
	pdfimages -j "$pdf" "$work/image" || return 1
	find "$work" -name 'image-*.jpg' -exec sha256sum {} + | grep -F "$(sha256sum < "$work/picture.jpg" | cut -d' ' -f1)"
}
check "the JPEG is the same, byte for byte" jpeg_same

qpdf --qdf --object-streams=disable "$pdf" "$work/plain.pdf"
says() { grep -aq -- "$1" "$work/plain.pdf"; }
check "it has a language" says '/Lang (en)'
check "its title is displayed" says '/DisplayDocTitle true'
check "it is tagged" says '/Marked true'
check "it has an outline" says '/Type /Outlines'
check "its link leads out" says '/URI (https://example.org/a?\\(b\\))'
# those of the two pictures, and of the link that stands on nothing
figures() { [ "$(grep -ac "/S /Figure" "$work/plain.pdf")" -eq 2 ] && [ "$(grep -ac "/Alt " "$work/plain.pdf")" -eq 3 ]; }
check "each figure has its text" figures
structure() { pdfinfo -struct-text "$pdf" | grep -q Figure; }
check "poppler reads the structure" structure
no_dates() { ! grep -aE '/(CreationDate|ModDate|Author|Creator)' "$work/plain.pdf"; }
check "it says nothing of when and who" no_dates

again() { "$build/drivers/pdf_display" "$work/again.pdf" "$work/text" "$work/picture.jpg" && cmp "$pdf" "$work/again.pdf"; }
check "the same again is the same bytes" again

if [ $# -gt 0 ]; then
	cp "$pdf" "$1/"
	pdftoppm -r 110 -png "$pdf" "$1/page"
fi
echo "# $failures failures"
[ "$failures" -eq 0 ]
