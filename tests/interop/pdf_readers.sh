#!/bin/bash
# long: make check-long and make ci run it, make check does not
# Sealed mails are opened by the libraries that readers of PDF are made of: with the password, never
# without or with another, with the same text and the same files. What is found is the table of
# docs/readers.md; where the two differ the test fails.
#
#   [B=build/release] tests/interop/pdf_readers.sh            a line a check; exit 0 or 1
#   [B=build/release] tests/interop/pdf_readers.sh --write    writes the table
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${B:-${SG_BUILD:-build/release}}
page=docs/readers.md
password=Geheim-4711-abcd
wrong=Geheim-4711-abce
failures=0

work=$(mktemp -d /tmp/pdf_readers.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT
# shellcheck source=tests/lib/pdf_mails.bash
. tests/lib/pdf_mails.bash
pdf_mails "$work/made"
mkdir "$work/pdf"
mails=("$work/made/scripts.eml" "$work/made/attachments.eml" tests/interop/mails/newsletter_nested.eml
	tests/interop/mails/emoji_card.eml tests/interop/mails/rtl_letter.eml)
"$build/drivers/pdf_seal" "$build/sealgate-pdf" "$password" "$work/pdf" "${mails[@]}" > "$work/log" 2>&1 ||
	{ echo "not ok sealing: $(tail -1 "$work/log")"; exit 1; }
pdfs=("$work"/pdf/*.pdf)
names=()
for pdf in "${pdfs[@]}"; do
	names+=("$(basename "$pdf" .pdf)")
	mkdir -p "$work/expected/${names[-1]}"
done
for mail in "${mails[@]}"; do
	"$build/drivers/pdf_seal" -x "$work/expected/$(basename "$mail")" "$mail" || exit 1
	cp "$mail" "$work/expected/$(basename "$mail")/original.eml"
done
cp "$work"/made/attached/* "$work/expected/attachments.eml/"

# Each reader: NAME_open PASSWORD FOLDER puts the text of every PDF into FOLDER/NAME.txt and its
# files into FOLDER/NAME.d, and nothing where the password is refused.

# the names of the files in PDF number $1, in their order
ordered() {
	[[ ${names[$1]} != attachments.eml ]] || cut -f 1 "$work/made/attached.list"
	echo original.eml
}

qpdf_open() {
	local i name n
	for i in "${!pdfs[@]}"; do
		qpdf --check --password="$1" "${pdfs[i]}" > /dev/null 2>&1 || continue
		mkdir "$2/${names[i]}.d"
		n=0
		while IFS= read -r name; do
			n=$((n + 1))
			qpdf --password="$1" --show-attachment="$(qpdf --password="$1" --list-attachments "${pdfs[i]}" |
				sed -n "${n}s/ .*//p")" "${pdfs[i]}" > "$2/${names[i]}.d/$name"
		done < <(ordered "$i")
	done
}

poppler_open() {
	local i
	for i in "${!pdfs[@]}"; do
		pdftotext -upw "$1" "${pdfs[i]}" "$2/${names[i]}.txt" 2> /dev/null || continue
		mkdir "$2/${names[i]}.d"
		pdfdetach -upw "$1" -saveall -o "$2/${names[i]}.d" "${pdfs[i]}" > /dev/null 2>&1
	done
}

# its tool has no word for attachments, but shows any object
mupdf_open() {
	local i n name
	for i in "${!pdfs[@]}"; do
		if ! mutool draw -q -F txt -p "$1" -o "$2/${names[i]}.txt" "${pdfs[i]}" > "$2/said" 2>&1 ||
			grep -q cannot "$2/said"; then
			rm -f "$2/${names[i]}.txt"
			continue
		fi
		mkdir "$2/${names[i]}.d"
		n=0
		while IFS= read -r name; do
			n=$((n + 2))
			mutool show -b -p "$1" -o "$2/${names[i]}.d/$name" "${pdfs[i]}" \
				"trailer/Root/Names/EmbeddedFiles/Names/$n/EF/F" > /dev/null 2>&1
		done < <(ordered "$i")
	done
}

ghostscript_text() {	# password, PDF, text
	gs -q -dBATCH -dNOPAUSE -dSAFER -sPDFPassword="$1" -sDEVICE=txtwrite -o "$3" "$2"
}

# It has failed once, for a reason unknown; a second try of the same file tells one that is wrong, for
# which it fails again, from that.
ghostscript_open() {
	local i
	for i in "${!pdfs[@]}"; do
		{ ghostscript_text "$1" "${pdfs[i]}" "$2/${names[i]}.txt" ||
			ghostscript_text "$1" "${pdfs[i]}" "$2/${names[i]}.txt"; } > "$2/said" 2>&1 ||
			rm -f "$2/${names[i]}.txt"
		[[ -s $2/${names[i]}.txt ]] || rm -f "$2/${names[i]}.txt"
	done
}

pdfjs_open() { node tests/lib/pdf_js.js "$1" "$2" "${pdfs[@]}"; }

pdfium_open() { node tests/lib/pdf_chromium.js open "$1" "$2" "${pdfs[@]}"; }

pikepdf_open() {
	/usr/bin/python3 -c '
import os, pikepdf, sys
for file in sys.argv[3:]:
    out = os.path.join(sys.argv[2], os.path.basename(file)[:-4] + ".d")
    try:
        pdf = pikepdf.open(file, password=sys.argv[1])
    except pikepdf.PasswordError:
        continue
    os.mkdir(out)
    for spec in pdf.attachments.values():
        open(os.path.join(out, spec.filename), "wb").write(spec.get_file().read_bytes())
' "$1" "$2" "${pdfs[@]}"
}

word_text() { node tests/lib/pdf_words.js "$work/expected" "$work/$1" "${names[@]}"; }	# reader

word_files() {	# reader
	local name file count=0 right=0
	for name in "${names[@]}"; do
		for file in "$work/expected/$name"/*.*; do
			count=$((count + 1))
			if [[ $(sha256sum < "$file") == "$(sha256sum 2> /dev/null < "$work/$1/$name.d/$(basename "$file")")" ]]; then
				right=$((right + 1))
			else
				echo "# $1: $name: $(basename "$file") differs" >&2
			fi
		done
	done
	[[ $right -eq $count ]] && echo yes || echo "no ($right of $count)"
}

opened() { find "$1" -mindepth 1 -maxdepth 1 \( -name '*.txt' -o -name '*.d' \) | sed 's/\.[a-z]*$//' | sort -u | wc -l; }

# reader, its name, has text, has files
row() {
	local open=no refuse=no text=- files=-
	mkdir "$work/$1" "$work/$1.wrong"
	"$1_open" "$password" "$work/$1" 2> "$work/said.$1"
	[[ $(opened "$work/$1") -eq ${#pdfs[@]} ]] && open=yes
	"$1_open" "$wrong" "$work/$1.wrong" 2>> "$work/said.$1"
	[[ $(opened "$work/$1.wrong") -eq 0 ]] && refuse=yes
	[[ $3 == no ]] || text=$(word_text "$1")
	[[ $4 == no ]] || files=$(word_files "$1")
	printf '| %s | %s | %s | %s | %s |\n' "$2" "$open" "$refuse" "$text" "$files"
	sed "s/^/# $1 said: /" "$work/said.$1" | head -3 >&2
}

table() {
	echo '| reader | opens with the password | refuses another | every word of the message | attachments identical |'
	echo '|---|---|---|---|---|'
	row qpdf qpdf no yes > "$work/row.1" &
	row poppler poppler yes yes > "$work/row.2" &
	row mupdf MuPDF yes yes > "$work/row.3" &
	wait
	row ghostscript Ghostscript yes no > "$work/row.4" &
	row pdfjs 'pdf.js' yes yes > "$work/row.5" &
	row pikepdf pikepdf no yes > "$work/row.7" &
	wait
	row pdfium 'PDFium (Chromium)' yes no > "$work/row.6"
	cat "$work"/row.?
}

table > "$work/table"
if [[ ${1:-} == --write ]]; then
	awk -v table="$work/table" '/^\| reader/ { while ((getline line < table) > 0) print line; skip = 1 }
		skip && /^\|/ { next } { skip = 0; print }' "$page" > "$work/page" && cat "$work/page" > "$page"
	cat "$work/table"
	exit 0
fi
while IFS= read -r line; do
	if grep -qxF "$line" "$page"; then
		echo "ok ${line:2:40}"
	else
		echo "# $page does not say: $line"
		echo "not ok ${line:2:40}"
		failures=$((failures + 1))
	fi
done < "$work/table"
[[ $failures -eq 0 ]]
