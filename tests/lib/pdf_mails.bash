# Mails for the tests of PDFs that need more than a file in tests/interop/mails: pdf_mails FOLDER
# writes scripts.eml (plain text in many scripts) and attachments.eml, whose files stand in
# FOLDER/attached and, as "name, type, date" with tabs between, in FOLDER/attached.list.

pdf_mails_scripts() {
	cat <<'END'
From: =?utf-8?q?J=C3=BCrgen_Gro=C3=9F?= <juergen@example.org>
To: Anna Keller <anna.keller@example.net>
Subject: =?utf-8?q?Viele_Schriften_=E2=80=93_many_scripts?=
Date: Tue, 24 Nov 2026 09:15:00 +0100
Message-ID: <scripts@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Latin: office affluent fjord difficult flow, naïve Ångström 100 % „Zitat“
Greek: Ελληνικά γράμματα καὶ ἀρχαῖα
Cyrillic: Русский текст, Українська їжа
Hebrew: שלום עולם ירושלים
Arabic: مرحبا بكم في مدينتنا
Devanagari: हिन्दी में लिखा हुआ
Thai: ภาษาไทย ที่นี่
Chinese: 中文文本，繁體字與简体字。
Japanese: 日本語のテキスト、カタカナ
Korean: 한국어 텍스트 서울
Emoji: 😀 👍🏽 👩‍👩‍👧‍👦 🇩🇪 1️⃣ ❤️ end

> A quoted line, with a link: https://example.org/path?a=b
>> and one that is quoted twice
-- 
Jürgen Groß
END
}

# A PDF of one picture that would run a script when it is opened.
pdf_mails_active_pdf() {
	cat <<'END'
%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert\(1\))>>/AA<</WC<</S/Launch/F(x)>>>>>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/AA<</O<</S/JavaScript/JS(1)>>>>/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/Launch/F(calc.exe)>>>>]>>endobj
4 0 obj<</Length 64>>stream
1 0 0 rg 20 20 120 160 re f 0 0 1 rg 160 60 100 100 re f        
endstream endobj
trailer<</Root 1 0 R>>
END
}

pdf_mails_files() {	# folder
	pdf_mails_active_pdf > "$1/Angebot Größe M.pdf"
	pdftoppm -jpeg -r 150 -singlefile "$1/Angebot Größe M.pdf" "$1/foto" 2> /dev/null
	pdftoppm -png -r 72 -singlefile "$1/Angebot Größe M.pdf" "$1/bild" 2> /dev/null
	printf 'Artikel;Menge;Preis\r\nRegenjacke;2;89,90\r\nMütze;1;34,50\r\n' > "$1/liste.csv"
	printf 'Nur eine Notiz.\nZweite Zeile mit Umlaut: Überfluß\n' > "$1/notiz.txt"
	head -c 70000 /dev/zero | openssl enc -aes-128-ctr -K 00 -iv 00 2> /dev/null > "$1/daten.bin"
	{
		printf 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n'
		printf 'UID:1@example.org\r\nDTSTAMP:20261124T081500Z\r\nDTSTART:20261201T090000Z\r\n'
		printf 'DTEND:20261201T100000Z\r\nSUMMARY:Jahresgespräch\r\nLOCATION:Raum Elbe\r\n'
		printf 'END:VEVENT\r\nEND:VCALENDAR\r\n'
	} > "$1/termin.ics"
}

pdf_mails_part() {	# folder name type
	printf -- '--=_mixed\nContent-Type: %s\nContent-Transfer-Encoding: base64\n' "$3"
	printf 'Content-Disposition: attachment; modification-date="Mon, 23 Nov 2026 10:20:30 +0000";\n'
	printf " filename*=utf-8''%s\n\n" "$(sed 's/ /%20/g; s/ö/%C3%B6/g; s/ß/%C3%9F/g' <<< "$2")"
	base64 "$1/$2"
	printf '%s\t%s\t%s\n' "$2" "$3" 20261123102030 >> "$1.list"
}

pdf_mails_attachments() {	# folder of the files
	cat <<'END'
From: Jonas Sommer <jonas@example.org>
To: Anna Keller <anna.keller@example.net>
Subject: Unterlagen zum Angebot
Date: Tue, 24 Nov 2026 09:15:00 +0100
Message-ID: <attachments@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=_mixed"

--=_mixed
Content-Type: text/html; charset=utf-8

<html lang="de"><body><p>Liebe Anna,</p><p>anbei <b>alle</b> Unterlagen &ndash; bitte pr&uuml;fen.</p>
<ul><li>Angebot</li><li>Fotos</li></ul><p>Gruß, Jonas</p></body></html>

END
	pdf_mails_part "$1" 'Angebot Größe M.pdf' application/pdf
	pdf_mails_part "$1" foto.jpg image/jpeg
	pdf_mails_part "$1" bild.png image/png
	pdf_mails_part "$1" liste.csv text/csv
	pdf_mails_part "$1" notiz.txt text/plain
	pdf_mails_part "$1" daten.bin application/octet-stream
	pdf_mails_part "$1" termin.ics text/calendar
	printf -- '--=_mixed--\n'
}

pdf_mails() {
	mkdir -p "$1/attached"
	: > "$1/attached.list"
	pdf_mails_files "$1/attached"
	pdf_mails_scripts > "$1/scripts.eml"
	pdf_mails_attachments "$1/attached" > "$1/attachments.eml"
}
