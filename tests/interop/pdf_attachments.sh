#!/bin/bash
# Attached files in the sealed PDF: all embedded as they came, with name, type and date; PDFs,
# pictures, texts and tables shown as pages besides; nothing active outside of embedded files; hostile
# files embedded only, with a sentence on the first page.
#
#   [B=build/release] tests/interop/pdf_attachments.sh [FOLDER]   keeps mails and PDFs in FOLDER
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${B:-${SG_BUILD:-build/release}}
password=Geheim-4711-abcd
failures=0

work=$(mktemp -d /tmp/pdf_attachments.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir "$work/files" "$work/pdf" "$work/out"

ok() {	# name status why
	if [ "$2" = 0 ]; then
		echo "ok $1"
	else
		echo "not ok $1"
		[ -z "${3:-}" ] || echo "$3" | head -5 | sed 's/^/# /'
		failures=$((failures + 1))
	fi
}

# ---- files ----

content='BT /F1 24 Tf 72 700 Td (Written on the attached page) Tj ET'
font='<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>'

# pdf_of CATALOG-ENTRIES PAGE-ENTRIES [OBJECT...]: one page; further objects are numbered from 6
pdf_of() {
	local catalog=$1 page=$2 number=6
	shift 2
	printf '%%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R%s>>endobj\n' "$catalog"
	printf '2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n'
	printf '3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R%s>>endobj\n' "$page"
	printf '4 0 obj<</Length %u>>stream\n%s\nendstream endobj\n5 0 obj%s endobj\n' "${#content}" "$content" "$font"
	for object in "$@"; do
		printf '%u 0 obj%s endobj\n' "$number" "$object"
		number=$((number + 1))
	done
	printf 'trailer<</Root 1 0 R>>\n'
}
resources='/Resources<</Font<</F1 5 0 R>>>>'

cd "$work/files" || exit 1
pdf_of '' "$resources" > plain.pdf
qpdf --pages plain.pdf plain.pdf plain.pdf -- --empty three.pdf 2> /dev/null
pdf_of '' "$resources/Rotate 90/Annots[<</Type/Annot/Subtype/Link/Rect[70 690 300 720]/A<</S/URI/URI(https://northwind.example/a)>>>><</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(javascript:alert)>>>>]" > links.pdf
pdf_of '' "$resources/Annots[<</Type/Annot/Subtype/Widget/FT/Tx/F 4/Rect[70 500 300 530]/AP<</N 6 0 R>>>>]" \
	"<</Subtype/Form/BBox[0 0 230 30]/Resources<</Font<</F1 5 0 R>>>>/Length 37>>stream
BT /F1 12 Tf 2 9 Td (Filled in) Tj ET
endstream" > field.pdf
pdf_of '/OpenAction<</S/JavaScript/JS(app.alert\(1\))>>/AA<</WC<</S/JavaScript/JS(x)>>>>/Names<</JavaScript<</Names[(a)<</S/JavaScript/JS(y)>>]>>>>/AcroForm<</XFA(z)/Fields[]>>' \
	"/Resources<</Font<</F1 5 0 R/AA 5 0 R>>/XObject<</X 6 0 R/Y 7 0 R>>/Properties<</M<</JS(q)>>>>>>/AA<</O<</S/Launch/F(calc.exe)>>>>/PieceInfo<</JS(w)>>/Annots[<</Subtype/Link/Rect[0 0 99 99]/A<</S/Launch/F(calc.exe)>>>><</Subtype/RichMedia/Rect[0 0 9 9]/RichMediaContent<<>>>><</Subtype/Widget/Rect[0 0 9 9]/AA<</E<</S/JavaScript/JS(e)>>>>/A<</S/SubmitForm>>>>]" \
	'<</Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 6 0 R/Z 7 0 R>>>>/AA<</O<</S/JavaScript/JS(d)>>>>/Length 5>>stream
/X Do
endstream' '<</Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8/OPI<</JS(p)>>/Metadata 6 0 R/Alternates[<</JS(v)>>]/Length 1>>stream
x
endstream' > active.pdf
qpdf --encrypt user owner 256 -- plain.pdf locked.pdf 2> /dev/null

hostile=(locked.pdf garbage.pdf cut.pdf treeloop.pdf deep.pdf xrefbomb.pdf nobox.pdf script.pdf)
printf '%%PDF-1.7\nnothing of a PDF' > garbage.pdf
head -c 120 plain.pdf > cut.pdf
printf '%%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R 2 0 R]/Parent 2 0 R/Count 9>>endobj\ntrailer<</Root 1 0 R>>\n' > treeloop.pdf
{ printf '%%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R/X '; printf '[%.0s' {1..100000}; printf '>>endobj\ntrailer<</Root 1 0 R>>\n'; } > deep.pdf
head -c 900000000 /dev/zero | gzip -1 | tail -c +11 | head -c -8 > bomb
{
	printf '%%PDF-1.7\n1 0 obj<</Type/XRef/Size 9/W[1 2 1]/Root 2 0 R/Filter/FlateDecode/Length %u>>stream\n' "$(( $(stat -c %s bomb) + 2 ))"
	printf '\x78\x01'; cat bomb
	printf '\nendstream endobj\nstartxref\n9\n%%%%EOF\n'
} > xrefbomb.pdf
rm bomb
pdf_of '' "$resources/CropBox[5 5 5 5]" > nobox.pdf
pdf_of '' '/Resources<</XObject<</X 6 0 R>>>>' '<</Subtype/PS/Length 2>>stream
xx
endstream' > script.pdf
# a page's content that unpacks to much is copied as it is, in one piece
head -c 200000000 /dev/zero | gzip -9 | tail -c +11 | head -c -8 > bomb
{
	printf '%%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>endobj\ntrailer<</Root 1 0 R>>\n4 0 obj<</Filter/FlateDecode/Length %u>>stream\n\x78\x01' "$(( $(stat -c %s bomb) + 2 ))"
	cat bomb
	printf '\nendstream endobj\n'
} > contentbomb.pdf
rm bomb

pdftoppm -r 100 -jpeg -singlefile plain.pdf photo 2> /dev/null
pdftoppm -r 60 -png -singlefile plain.pdf shot 2> /dev/null
head -c 3000 shot.png > truncated.png
printf 'no picture at all' > wrong.png
# 30,000 by 30,000 pixels, of which nothing is there
{ printf '\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x75\x30\x00\x00\x75\x30\x08\x02\x00\x00\x00\x00\x00\x00\x00'; head -c 200 /dev/zero; } > huge.png
{ printf 'GIF89a\x30\x75\x30\x75\x80\x00\x00\xff\xff\xff\x00\x00\x00'; head -c 200 /dev/zero; } > huge.gif
printf 'id;name;amount\r\n1;"M\xfcller; Sons";1.200,50\r\n2;Smith;7,00\r\n' > numbers.csv
printf 'These are notes.\n\nOf two paragraphs.\n' > notes.txt
head -c 4000 /dev/urandom > contract.docx
cd - > /dev/null || exit 1

# ---- mails ----

type_of() {
	case $1 in
	*.pdf) echo application/pdf ;;
	*.jpg) echo image/jpeg ;;
	*.png) echo image/png ;;
	*.gif) echo image/gif ;;
	*.csv) echo 'text/csv; charset=iso-8859-1' ;;
	*.txt) echo text/plain ;;
	*) echo application/vnd.openxmlformats-officedocument.wordprocessingml.document ;;
	esac
}

mail_of() {	# subject file...
	printf 'From: a@northwind.example\nTo: b@example.org\nSubject: %s\nMIME-Version: 1.0\n' "$1"
	printf 'Content-Type: multipart/mixed; boundary=xyz\n\n--xyz\nContent-Type: text/plain\n\nText of the message.\n'
	shift
	for file in "$@"; do
		printf '\n--xyz\nContent-Type: %s\nContent-Transfer-Encoding: base64\n' "$(type_of "$file")"
		printf 'Content-Disposition: attachment; filename="%s";\n modification-date="Tue, 24 Nov 2026 16:15:00 +0100"\n\n' "$file"
		base64 < "$work/files/$file"
	done
	printf '\n--xyz--\n'
}

good=(three.pdf links.pdf field.pdf active.pdf contentbomb.pdf photo.jpg shot.png numbers.csv notes.txt contract.docx)
pictures=(huge.png huge.gif truncated.png wrong.png)
mail_of good "${good[@]}" > "$work/good.eml"
mail_of hostile "${hostile[@]}" > "$work/hostile.eml"
mail_of pictures "${pictures[@]}" > "$work/pictures.eml"
"$build/drivers/pdf_seal" "$build/sealgate-pdf" "$password" "$work/pdf" "$work"/{good,hostile,pictures}.eml > "$work/log" 2>&1
ok "all mails become PDFs" "$?" "$(cat "$work/log")"
[ $# -eq 0 ] || { mkdir -p "$1" && cp "$work"/*.eml "$work"/pdf/*.pdf "$1"; }

# ---- what is in them ----

embedded() {	# mail file...: identical, in this order
	local pdf=$work/pdf/$1.eml.pdf number=0 file
	shift
	for file in "$@"; do
		number=$((number + 1))
		pdfdetach -upw "$password" -save "$number" -o "$work/out/file" "$pdf" 2> /dev/null
		cmp -s "$work/out/file" "$work/files/$file" || { echo "$file is not as it came"; return 1; }
	done
}
facts() {	# mail file...: name, type and date
	qpdf --password="$password" --json=2 --json-stream-data=none "$work/pdf/$1.eml.pdf" 2> /dev/null |
		jq -r '.qpdf[1][] | .stream?.dict? | select(."/Type"? == "/EmbeddedFile") | ."/Subtype" + " " + (."/Params"."/ModDate" // "")'
}
says() {	# mail sentence
	pdftotext -upw "$password" "$work/pdf/$1.eml.pdf" - 2> /dev/null | tr '\n' ' ' | grep -qF "$2"
}
active() {	# mail: what is active outside of embedded files
	qpdf --password="$password" --json=2 --json-stream-data=none "$work/pdf/$1.eml.pdf" 2> /dev/null | jq -r '
		[.qpdf[1] | .. | objects | to_entries[] |
			(select(.key | IN("/JS", "/JavaScript", "/AA", "/OpenAction", "/XFA", "/RichMediaContent", "/AcroForm", "/PieceInfo", "/OPI", "/Launch")) | .key),
			(select(.value == "/JavaScript" or .value == "/Launch" or .value == "/SubmitForm" or .value == "/RichMedia") | .value)] | .[]'
}

for mail in good hostile pictures; do
	pdf=$work/pdf/$mail.eml.pdf
	why=$(qpdf --check --password="$password" "$pdf" 2>&1)
	ok "$mail: qpdf finds no fault" "$?" "$why"
	why=$(active "$mail")
	ok "$mail: nothing active outside of embedded files" "$([ -z "$why" ]; echo $?)" "$why"
	why=$(pdftotext -upw "$password" "$pdf" - 2>&1 > /dev/null)
	ok "$mail: poppler reads it without a word" "$([ -z "$why" ]; echo $?)" "$why"
done
why=$(embedded good "${good[@]}")
ok "files are embedded byte for byte" "$?" "$why"
why=$(embedded hostile "${hostile[@]}")
ok "hostile files as well" "$?" "$why"
why=$(facts good)
ok "with their types and dates" "$([ "$(grep -c "D:20261124161500+01'00'" <<< "$why")" = 10 ] && grep -q '^/image/jpeg' <<< "$why"; echo $?)" "$why"

text=$(pdftotext -upw "$password" "$work/pdf/good.eml.pdf" - 2> /dev/null)
ok "pages of attached PDFs are there as text" "$([ "$(grep -c 'Written on the attached page' <<< "$text")" = 6 ]; echo $?)" "$text"
ok "with what was filled in" "$(grep -q 'Filled in' <<< "$text"; echo $?)"
ok "a table in a charset that is declared" "$(grep -q 'Müller; Sons' <<< "$text"; echo $?)" "$text"
ok "a text" "$(grep -q 'Of two paragraphs' <<< "$text"; echo $?)"
ok "page numbers on the first page" "$(grep -qE '^pages 2 to 4$' <<< "$text"; echo $?)" "$text"
ok "files without pages are in the pane" "$([ "$(grep -c '^attachments pane$' <<< "$text")" = 1 ]; echo $?)" "$text"

mkdir "$work/images"
pdfimages -j -upw "$password" "$work/pdf/good.eml.pdf" "$work/images/i" 2> /dev/null
same=1
for image in "$work"/images/*.jpg; do
	cmp -s "$image" "$work/files/photo.jpg" && same=0
done
ok "the JPEG is kept byte for byte" "$same"

urls=$(qpdf --password="$password" --json=2 --json-stream-data=none "$work/pdf/good.eml.pdf" 2> /dev/null | jq -r '.qpdf[1] | .. | objects | ."/URI"? // empty' | sort -u)
ok "only the web link is made anew" "$([ "$urls" = 'u:https://northwind.example/a' ]; echo $?)" "$urls"
titles=$(qpdf --password="$password" --json=2 --json-key=outlines "$work/pdf/good.eml.pdf" 2> /dev/null | jq -r '.outlines[].title')
ok "the outline names what is shown" "$([ "$titles" = "$(printf 'good\nthree.pdf\nlinks.pdf\nfield.pdf\nactive.pdf\ncontentbomb.pdf\nphoto.jpg\nshot.png\nnumbers.csv\nnotes.txt')" ]; echo $?)" "$titles"

for sentence in 'This PDF is encrypted' 'This PDF is damaged' 'This PDF is too complex'; do
	says hostile "$sentence"
	ok "hostile: $sentence" "$?"
done
says pictures 'a picture of 30000 by 30000 pixels'
ok "pictures: too many pixels are told" "$?"
says pictures 'This picture cannot be shown here'
ok "pictures: a broken one is told" "$?"

echo "# $failures failures"
[ "$failures" -eq 0 ]
