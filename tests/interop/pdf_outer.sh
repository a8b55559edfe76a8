#!/bin/bash
# The mail around an encrypted PDF, read by GMime and shown by Chromium: valid parts, both forms say who
# sent it, which file and how, in the sender's language, without links; the tenant's name, colour and
# logo in it and on the PDF's first page; texts of an administrator, and what is refused of them.
#
#   [B=build/release] [KEEP=FOLDER] tests/interop/pdf_outer.sh     exit 0 or 1
#
# KEEP: mails, their HTML as pictures and first pages are left there, for the eye.
# names in texts are ours to fill, not the shell's
# shellcheck disable=SC2016
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(realpath "${B:-${SG_BUILD:-build/release}}")
failures=0

work=$(mktemp -d /tmp/pdf_outer.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/texts/fr" "$work/texts/es" "$work/shown" "$work/found"
printf 'green-Otter-77-lamp' > "$work/password"

ok() {	# name status [why]
	if [[ $2 -eq 0 ]]; then
		echo "ok $1"
	else
		echo "not ok $1"
		[[ -z ${3:-} ]] || head -8 <<< "$3" | sed 's/^/# /'
		failures=$((failures + 1))
	fi
}
check() {	# name command...
	local name=$1 said
	shift
	said=$("$@" 2>&1)
	ok "$name" $? "$said"
}
check_not() { local name=$1; shift; ! "$@" > /dev/null 2>&1; ok "$name" $?; }

# ---- logos, configuration, mails ----

printf '%%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 60]/Contents 4 0 R>>endobj\n4 0 obj<</Length 61>>stream\n0.6 0.1 0.3 rg 0 0 200 60 re f 1 1 1 rg 20 20 160 20 re f    \nendstream endobj\ntrailer<</Root 1 0 R>>\n' > "$work/logo.pdf"
pdftoppm -r 180 -png -singlefile "$work/logo.pdf" "$work/logo" 2> /dev/null
pdftoppm -r 90 -jpeg -singlefile "$work/logo.pdf" "$work/logo" 2> /dev/null
head -c 60 "$work/logo.png" > "$work/broken.png"
cat > "$work/conf" << END
templates_directory = "$work/texts"
tenant nord {
	domains = { nord.example }
	organisation = "Nord & Söhne GmbH"
	colour = "#8a1f4d"
	logo = "$work/logo.png"
	language = de
}
tenant sued {
	domains = { sued.example }
	organisation = "Süd AG"
	help_url = "https://www.sued.example/hilfe?a=1&b=2"
	logo = "$work/logo.jpg"
}
tenant bad {
	domains = { bad.example }
	organisation = "Bad Logo Inc"
	logo = "$work/broken.png"
}
END
printf '%s hat geschrieben: ${file}. ${how}\n' '${name}' > "$work/texts/fr/outer.txt"
printf '[file]\nlettre.pdf\n' > "$work/texts/fr/words.txt"

mail() {	# from [field]...
	printf 'From: %s\nTo: kim@outside.example\nSubject: =?utf-8?q?Angebot_f=C3=BCr_Sie?=\n' "$1"
	shift
	[[ $# -eq 0 ]] || printf '%s\n' "$@"
	printf 'Date: Tue, 24 Nov 2026 16:15:00 +0100\nMIME-Version: 1.0\n'
}
note() { printf 'Content-Type: text/plain\n\nGuten Tag.\n'; }
invitation() {
	printf 'Content-Type: multipart/mixed; boundary=x\n\n--x\n'
	note
	printf -- '--x\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\n'
	printf 'Content-Disposition: attachment; filename=termin.ics\n\n'
	printf 'BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1\nDTSTART:20261201T090000Z\nSUMMARY:Termin\nEND:VEVENT\nEND:VCALENDAR\n--x--\n'
}

# seal NAME < MAIL: then $work/NAME/ has the mail, its parts and their list
seal() {
	mkdir -p "$work/$1"
	"$build/sealgate" -c "$work/conf" seal --pdf --password-file "$work/password" \
		> "$work/$1/$1.eml" 2> "$work/$1/errors" || { cat "$work/$1/errors"; return 1; }
	"$build/drivers/mime_parts" "$work/$1" < "$work/$1/$1.eml" > "$work/$1/list"
}
list() { sed 's/ logo\.[0-9a-f]*@sealgate$/ ID/; s/ *$//' "$work/$1/list"; }
# text without its line ends: what one line says may be broken
plain() { tr '\r\n' '  ' < "$work/$1/1" | tr -s ' '; }
html() { tr '\r\n' '  ' < "$work/$1/2" | sed 's/<[^>]*>//g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g' | tr -s ' '; }
both_say() { grep -qF -- "$2" <<< "$(plain "$1")" && grep -qF -- "$2" <<< "$(html "$1")"; }
no_links() { [[ -s $work/$1/1 && -s $work/$1/2 ]] && ! grep -qiE 'href|https?:|<script|url\(' "$work/$1/1" "$work/$1/2"; }
check_no_claim() { ! both_say "$1" "has no links" && both_say "$1" "has no other link"; }
short_lines() { awk '{ sub(/\r$/, "") } length($0) > 78 || /[^\t -~]/ { print; bad = 1 } END { exit bad }' "$work/$1/$1.eml"; }
equal() { [[ $1 == "$2" ]] || { printf '%s\n---- expected ----\n%s\n' "$1" "$2"; return 1; }; }

# pdf NAME LEAF: no finding of pdf_check in the PDF; its text to $work/NAME/text
pdf() {
	cp "$work/$1/$2" "$work/$1/$1.pdf"
	pdftotext -upw green-Otter-77-lamp "$work/$1/$1.pdf" "$work/$1/text"
	"$build/drivers/pdf_check" green-Otter-77-lamp "$work/found" "$work/$1/$1.pdf"
}

# ---- nobody's looks ----

mail 'Anna Berg <anna@other.example>' 'Accept-Language: en' | { cat; note; } | check "a mail is sealed" seal plain
check "it has text, HTML and the PDF" equal "$(list plain)" "multipart/mixed - - - -
 multipart/alternative - - - -
  text/plain utf-8 - - -
  text/html utf-8 - - -
 application/pdf - attachment secure-message.pdf -"
check "both say who" both_say plain 'Anna Berg <anna@other.example> has sent you'
check "and which file" both_say plain secure-message.pdf
check "and how" both_say plain 'Enter your password for protected messages'
check "without links" no_links plain
check_not "the subject is hidden" grep -qE 'Angebot|=?utf' <(plain plain; html plain)
check_not "no invitation" both_say plain invitation
check_not "no attached files" both_say plain 'paper clip'
check "lines are short and ASCII" short_lines plain
check "the PDF is as all are" pdf plain 3

# ---- a tenant's, in German ----

mail '=?utf-8?q?J=C3=BCrgen_M=C3=BCller?= <j@nord.example>' | { cat; invitation; } | check "a tenant's is sealed" seal nord
check "it has the logo beside the HTML" equal "$(list nord)" "multipart/mixed - - - -
 multipart/alternative - - - -
  text/plain utf-8 - - -
  multipart/related - - - -
   text/html utf-8 - - -
   image/png - inline logo.png ID
 application/pdf - attachment geschuetzte-nachricht.pdf -"
check "both say who, in the tenant's language" both_say nord 'Jürgen Müller <j@nord.example> hat Ihnen'
check "and for whom they speak" both_say nord 'Nord & Söhne GmbH'
check "and that there is an invitation" both_say nord 'Einladung'
check "and where the files are" both_say nord 'Büroklammer'
check "the logo is the file" cmp "$work/logo.png" "$work/nord/3"
check "and is named by the HTML" grep -q "cid:$(sed -n 's/.* \(logo\.[0-9a-f]*@sealgate\)$/\1/p' "$work/nord/list")\"" "$work/nord/2"
check "in the tenant's colour" grep -q 'solid #8a1f4d' "$work/nord/2"
check "without links either" no_links nord
check "in short lines" short_lines nord
check "Chromium shows it" node tests/lib/pdf_chromium.js print "$work/shown" "$work/nord/nord.eml"
check "with its logo" equal "$(cat "$work/shown/nord.shown")" 1
check "its PDF is as all are, the logo a Figure with its text" pdf nord 4
check "with the name on the first page" grep -qF 'Nord & Söhne GmbH' "$work/nord/text"
check "and the logo" equal "$(cat "$work/found/nord.pdf/pictures")" 1

mail 's@sued.example' | { cat; note; } | check "a JPEG is a logo, too" seal sued
check "as it is" cmp "$work/logo.jpg" "$work/sued/3"
link="https://www.sued.example/hilfe?a=1&b=2"
check "both name its help page" both_say sued "$link"
check "the HTML as the only link" equal "$(grep -oE '(href|src)="?[^" >]*' <(tr -d '\r\n' < "$work/sued/2") | grep -v cid:)" \
	"href=\"${link/&/&amp;}"
check "and neither says that there is none" check_no_claim sued
check "its PDF is as all are" pdf sued 4

# ---- languages, own texts ----

mail 'a@nord.example' 'Accept-Language: es-MX, en;q=0.5' | { cat; note; } | check "Spanish is sealed" seal spanish
check "by the sender's program" both_say spanish 'le ha enviado un mensaje protegido'
check "the file, too" grep -qF 'attachment mensaje-protegido.pdf' "$work/spanish/list"
mail 'Anna <a@nord.example>' 'Content-Language: fr' | { cat; note; } | check "French is sealed" seal french
check "in the administrator's words" equal "$(plain french)" 'Anna hat geschrieben: lettre.pdf. Saisissez votre mot de passe pour les messages protégés : celui qui a été convenu avec vous ou que vous avez déjà reçu. Si vous ne le connaissez pas, demandez-le à Anna par téléphone. '
check "and file name" grep -qF 'attachment lettre.pdf' "$work/french/list"

# ---- hostile ----

mail '"<script>x</script> ${file} https://evil.example" <a@nord.example>' | { cat; note; } | check "a hostile name is sealed" seal hostile
check_not "and is no HTML" grep -qi '<script' "$work/hostile/2"
check "but text" both_say hostile '<script>x</script> ${file}'
mail 'Bad <b@bad.example>' | { cat; note; } | check "a logo that cannot be decoded stops nothing" seal bad
check "and is complained about" grep -q 'logo of tenant .*bad.* cannot be decoded' "$work/bad/errors"
check "its PDF has the name" pdf bad 4
check "alone" equal "$(cat "$work/found/bad.pdf/pictures")" 0

# ---- what config check refuses ----

refuses() {	# words
	"$build/sealgate" -c "$work/conf" config check > "$work/checked" 2>&1
	grep -qF -- "$1" "$work/checked" || { cat "$work/checked"; return 1; }
}
printf '<p>${name} ${file} ${how} <img src="https://x.example/1.png"></p>\n' > "$work/texts/es/outer.html"
check "a text that fetches" refuses 'src= with something that is not in the mail'
printf '<p>${name} ${file} ${haw}</p>\n' > "$work/texts/es/outer.html"
check "an unknown name" refuses '${haw} is not known'
check_not "such a text is not used" seal spanish < <(mail 'a@nord.example' 'Accept-Language: es'; note)
rm "$work/texts/es/outer.html"
printf 'GIF89a' > "$work/logo.jpg"
check "a logo that is none" refuses 'no PNG and no JPEG'

if [[ -n ${KEEP:-} ]]; then
	mkdir -p "$KEEP"
	for name in plain nord sued bad; do
		cp "$work/$name/$name.eml" "$KEEP"
		pdftoppm -r 70 -png -singlefile -upw green-Otter-77-lamp "$work/$name/$name.pdf" "$KEEP/$name-page"
		node tests/lib/pdf_chromium.js print "$work/shown" "$work/$name/$name.eml"
		pdftoppm -r 70 -png -singlefile "$work/shown/$name.pdf" "$KEEP/$name-mail"
	done
fi
echo "# $failures failures"
[[ $failures -eq 0 ]]
