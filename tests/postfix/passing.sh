#!/bin/bash
# Mail that is not flagged passes byte for byte, also what gateways are known to break; and flagged
# mail of these kinds comes out whole.
set -uo pipefail

# shellcheck source=tests/postfix/flow.bash
. "$(dirname "$0")/flow.bash"

# head_of NAME [FIELD...]: the fields of an unflagged message.
head_of() {
	printf 'From: Alice <%s>\nTo: %s\nSubject: %s\nMessage-ID: <%s@inside.example>\n' \
		"$alice" "$bob" "${subject-About $1}" "$1"
	printf 'Date: Tue, 03 Nov 2026 10:20:30 +0100\nMIME-Version: 1.0\n'
	[[ $# -eq 1 ]] || printf '%b\n' "${@:2}"
}

# passes NAME [MAIL-PARAMETERS]: $stack/NAME.eml comes out as it went in.
passes() {
	check "$1: accepted" mail_out "$stack/$1.eml" "<$alice>${2:+ $2}" "<$bob>"
	check "$1: delivered" all_gone
	copies "$1: one copy" "$bob" 1
	sink_message "$(the_copy "$bob")" | without_received > "$stack/$1.got"
	check "$1: byte for byte" cmp "$stack/$1.eml" "$stack/$1.got"
	sink_clear
}

# ---- signatures ----

# A signature of RFC 6376 over all of the body and these fields, both canonicalised "simple".
dkim_hash() { sed 's/$/\r/' | openssl dgst -sha256 -binary | base64; }

dkim_input() { # of a message on standard input: the named fields and the signature's own, without b=
	awk 'BEGIN { want["from:"]; want["to:"]; want["subject:"]; want["date:"] }
		/^$/ { exit }
		/^[ \t]/ { if (keep) print; next }
		{ split(tolower($0), name, " "); keep = name[1] in want; if (keep) print }'
}

case_dkim() {
	local body
	openssl genrsa -out "$stack/dkim.pem" 2048 2> /dev/null
	subject='  Two  spaces,   a tab	and a  ' head_of plain_dkim 'X-Odd:no space' > "$stack/unsigned.head"
	printf '\nSigned:  two  spaces \n\t\n.a dot\n\nlast line\n' > "$stack/unsigned.body"
	body=$(sed 1d "$stack/unsigned.body" | dkim_hash)
	{
		dkim_input < "$stack/unsigned.head" | sed 's/$/\r/'
		printf 'DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=inside.example;\r\n'
		printf '\ts=k; h=from:to:subject:date;\r\n\tbh=%s;\r\n\tb=' "$body"
	} > "$stack/dkim.input"
	{
		printf 'DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=inside.example;\n'
		printf '\ts=k; h=from:to:subject:date;\n\tbh=%s;\n\tb=%s\n' "$body" \
			"$(openssl dgst -sha256 -sign "$stack/dkim.pem" "$stack/dkim.input" | base64 -w0)"
		cat "$stack/unsigned.head" "$stack/unsigned.body"
	} > "$stack/dkim.eml"
	passes dkim
	check 'dkim: still good' dkim_verify "$stack/dkim.got"
	sed 's/Two  spaces/Two spaces/' "$stack/dkim.got" > "$stack/dkim.bad"
	check_not 'dkim: the check can fail' dkim_verify "$stack/dkim.bad"
}

# dkim_verify FILE: as a receiver does it, from what came.
dkim_verify() {
	local signature
	[[ $(sed '1,/^$/d' "$1" | dkim_hash) == "$(sed -n 's/^\tbh=\(.*\);$/\1/p' "$1")" ]] || return 1
	signature=$(sed -n 's/^\tb=//p' "$1")
	{
		sed '1,/^\tb=/d' "$1" | dkim_input | sed 's/$/\r/'
		sed -n '/^DKIM-Signature/,/^\tb=/p' "$1" | sed 's/^\tb=.*/\tb=/; s/$/\r/' | head -c -2
	} > "$stack/dkim.check"
	openssl rsa -in "$stack/dkim.pem" -pubout -out "$stack/dkim.pub" 2> /dev/null
	openssl dgst -sha256 -verify "$stack/dkim.pub" -signature <(base64 -d <<< "$signature") "$stack/dkim.check"
}

case_smime() {
	make_certificate "$alice"
	printf 'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nSigned =C3=BC.\r\n' \
		> "$stack/entity"
	{
		head_of smime | sed '/^MIME-Version/d'
		openssl cms -sign -in "$stack/entity" -signer "$stack/certs/$alice.pem" \
			-inkey "$stack/certs/$alice.key" | tr -d '\r'
	} > "$stack/smime.eml"
	passes smime
	check 'smime: still good' openssl cms -verify -noverify -in "$stack/smime.got" -out "$stack/smime.out"
	{
		head_of opaque | sed '/^MIME-Version/d'
		openssl cms -sign -nodetach -in "$stack/entity" -signer "$stack/certs/$alice.pem" \
			-inkey "$stack/certs/$alice.key" | tr -d '\r'
	} > "$stack/opaque.eml"
	passes opaque
	check 'opaque: still good' openssl cms -verify -noverify -in "$stack/opaque.got" -out "$stack/smime.out"
}

# RFC 3156: trailing white space and the exact header of the signed part count.
case_pgp() {
	{
		head_of pgp 'Content-Type: multipart/signed; micalg=pgp-sha256;\n\tprotocol="application/pgp-signature";\n boundary="s"' ''
		printf -- '--s\nContent-Type:  text/plain;charset=utf-8\n\nSigned, with white space  \n\t\n-- \nAlice\n\n'
		printf -- '--s\nContent-Type: application/pgp-signature; name="signature.asc"\n\n'
		printf -- '-----BEGIN PGP SIGNATURE-----\n\niQEzBAEBCAAdFiEE\n=AbCd\n-----END PGP SIGNATURE-----\n\n--s--\n'
	} > "$stack/pgp.eml"
	passes pgp
}

# ---- kinds ----

calendar() {
	printf 'BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1@x\n'
	printf 'DTSTAMP:20261103T090000Z\nDTSTART:20261104T090000Z\nSUMMARY:%s\nATTENDEE;RSVP=TRUE:mailto:%s\n' "$1" "$bob"
	printf 'END:VEVENT\nEND:VCALENDAR\n'
}

make_kinds() {
	{
		head_of calendar 'Content-Type: multipart/alternative; boundary="c"' ''
		printf -- '--c\nContent-Type: text/plain\n\nMeeting\n--c\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\n\n'
		calendar 'A  meeting'
		printf -- '--c--\n'
	} > "$stack/calendar.eml"
	{
		head_of winmail 'Content-Type: multipart/mixed; boundary="w"' ''
		printf -- '--w\nContent-Type: text/plain\n\nSee below\n--w\nContent-Type: application/ms-tnef; name="winmail.dat"\n'
		printf 'Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename="winmail.dat"\n\n'
		printf '\x78\x9f\x3e\x22\x01\x00' | base64
		printf -- '--w--\n'
	} > "$stack/winmail.eml"
	{
		head_of partial 'Content-Type: message/partial; id="ABC@inside.example";\n number=1; total=3' ''
		printf 'Subject: [secure] inner\nContent-Type: text/plain\n\nThe first third\n'
	} > "$stack/partial.eml"
	{
		printf 'Received: from lists.example by gate; Tue, 03 Nov 2026 10:20:30 +0100\n'
		head_of list 'List-Id: The list <list.lists.example>' 'List-Unsubscribe: <mailto:x@lists.example>,\n\t<https://lists.example/u>' \
			'Precedence: list' 'List-Post: <mailto:list@lists.example>' \
			'ARC-Seal: i=1; a=rsa-sha256; cv=none; d=lists.example; s=k; b=AAAA' 'Sender: list-bounces@lists.example' ''
		printf 'Text\n_______________________________________________\nlist footer  \n'
	} > "$stack/list.eml"
	{
		head_of nested 'Content-Type: message/rfc822' ''
		head_of inner 'X-Sealgate: secure' 'X-Sealgate-Mark: 1.2.3' 'Content-Type: text/plain' ''
		printf 'An attached message keeps what it has.\n'
	} > "$stack/nested.eml"
	{
		head_of eight 'Content-Type: text/plain; charset=iso-8859-1' 'Content-Transfer-Encoding: 8bit' ''
		printf 'Gr\xfc\xdfe  \n\n%s\n' "$(printf '%0999d' 0)"
	} > "$stack/eight.eml"
	{
		head_of sealed_like 'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"' \
			'Content-Transfer-Encoding: base64' ''
		head -c 300 /dev/zero | base64
	} > "$stack/sealed_like.eml"
}

# A third of a message cannot be scanned: refused, or held for somebody to look at.
case_partial() {
	check_not 'partial: refused' mail_out "$stack/partial.eml" "<$alice>" "<$bob>"
	check_match 'partial: why' "$reply" '^550 5\.7\.1 .*cannot be checked for viruses'
	stack_scan='unscannable = hold'
	gateway_conf
	kill -HUP "$gateway_pid"
	check 'partial: hold is loaded' wait_for 20 grep -q ' notice reload' "$stack/log/gateway.log"
	check 'partial, hold: accepted' mail_out "$stack/partial.eml" "<$alice>" "<$bob>"
	check 'partial, hold: held' wait_for 10 is_held
	check_equal 'partial, hold: nothing has left' "$(sink_count)" 0
	postsuper -c "$stack/config" -H ALL 2> /dev/null
	check 'partial, hold: released' all_gone
	sink_message "$(the_copy "$bob")" | without_received > "$stack/partial.got"
	check 'partial, hold: byte for byte' cmp "$stack/partial.eml" "$stack/partial.got"
	sink_clear
}

is_held() { postfix_queue "$stack" | grep -q ' hold'; }

case_kinds() {
	make_kinds
	passes calendar
	passes winmail
	case_partial
	sed -i '/^Received:/d' "$stack/list.eml"
	passes list
	passes nested
	passes eight BODY=8BITMIME
	passes sealed_like
}

# ---- flagged, of these kinds ----

# sealed_whole NAME: the content of the envelope is what was sent.
sealed_whole() {
	local file
	sed '0,/^Subject: /s/^Subject: .*/Subject: [envelope] About/' "$stack/$1.eml" > "$stack/flagged.eml"
	check "flagged $1: accepted" mail_out "$stack/flagged.eml" "<$alice>${2:+ $2}" "<$bob>"
	check "flagged $1: delivered" all_gone
	copies "flagged $1: one copy" "$bob" 1
	file=$(the_copy "$bob")
	open_envelope "$file" "$bob" > "$stack/flagged.open"
	check "flagged $1: whole" cmp <(awk '/^$/ { on = 1 } on' "$stack/$1.eml" | sed 's/$/\r/') \
		<(awk '/^\r?$/ { on = 1 } on' "$stack/flagged.open")
	check_equal "flagged $1: seven bits" "$(LC_ALL=C grep -c $'[\x80-\xff]' "$file")" 0
	sink_clear
}

case_flagged() {
	local name
	for name in calendar winmail smime pgp nested list; do
		sealed_whole "$name"
	done
	sealed_whole eight BODY=8BITMIME
}

# ---- a peer that takes seven bits only ----

# Postfix converts what is 8bit for it; what we have sealed needs no conversion.
case_seven() {
	local file
	sink_stop
	sink_start "$stack/sink" "$sink_port" -8
	subject='[envelope] Seven' head_of seven 'Content-Type: text/plain; charset=utf-8' \
		'Content-Transfer-Encoding: 8bit' '' > "$stack/seven.eml"
	printf 'Gr\xc3\xbc\xc3\x9fe, %s\n' "$secret" >> "$stack/seven.eml"
	check 'seven bits: accepted' mail_out "$stack/seven.eml" "<$alice> BODY=8BITMIME" "<$bob>"
	check 'seven bits: delivered' all_gone
	file=$(the_copy "$bob")
	open_envelope "$file" "$bob" > "$stack/seven.open"
	check_match 'seven bits: it opens' "$(cat "$stack/seven.open")" $'Gr\xc3\xbc\xc3\x9fe'
	no_leaks 'seven bits: nothing clear'
	sink_clear
	sed -i 's/\[envelope\] //' "$stack/seven.eml"
	check 'seven bits, not flagged: accepted' mail_out "$stack/seven.eml" "<$alice> BODY=8BITMIME" "<$bob>"
	check 'seven bits, not flagged: delivered' all_gone
	check_match 'seven bits, not flagged: Postfix converts' \
		"$(header "$(the_copy "$bob")" Content-Transfer-Encoding)" 'quoted-printable'
}

# Postfix would fold long lines when it sends
stack_main=(smtp_line_length_limit=0)
flow_start passing
case_dkim
case_smime
case_pgp
case_kinds
case_flagged
case_seven
