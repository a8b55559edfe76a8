#!/bin/bash
# Kinds of mail through a real Postfix: plain, tagged in every way, infected, SMTPUTF8.
set -uo pipefail

# shellcheck source=tests/postfix/flow.bash
. "$(dirname "$0")/flow.bash"

# smtp-sink has no SMTPUTF8: that mail is delivered to a folder instead.
set_utf8_delivery() {
	mkdir -p "$1/mail"
	chown nobody "$1/mail"
	postconf -c "$1/config" -e virtual_mailbox_domains=utf8.example \
		"virtual_mailbox_base=$1/mail" virtual_mailbox_maps=static:utf8/ \
		virtual_uid_maps=static:65534 virtual_gid_maps=static:65534
	postfix_reload "$1"
}

# ---- plain mail ----

make_odd() {
	{
		printf 'DKIM-Signature: v=1; a=rsa-sha256; d=inside.example; s=k;\n\th=from:to;  bh=abc=;\n  b=dGVzdA==\n'
		printf 'From:   "Alice  A." <%s>\nTo:\t%s\nX-Tight:no space\nX-Empty:\n' "$alice" "$bob"
		printf 'Subject:  two  spaces \tand a tab  \n\tfolded \nX-Latin: Gr\xfc\xdfe\n'
		printf 'Sensitivity: none\nMessage-ID:<odd@inside.example>\n'
		printf 'Date: Tue, 03 Nov 2026 10:20:30 +0100\nMIME-Version: 1.0\n'
		printf 'Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\n'
		printf '.\n..\n.dot first\nGr\xfc\xdfe  \n\t\nFrom here\n%s\n' "$secret"
		printf '%4000s\n' x | tr ' ' y
		printf '\n\n\n'
	} > "$stack/odd.eml"
}

case_plain() {
	make_odd
	check "plain: accepted" mail_out "$stack/odd.eml" "<$alice> BODY=8BITMIME" "<$bob>"
	check "plain: arrives" sink_wait_for "$bob"
	all_gone
	copies "plain: one copy" "$bob" 1
	sink_message "$(the_copy "$bob")" | without_received > "$stack/odd.got"
	check "plain: byte for byte" cmp "$stack/odd.eml" "$stack/odd.got"
	sink_clear
}

# ---- sealed mail ----

make_rich() {
	{
		printf 'DKIM-Signature: v=1; a=rsa-sha256; b=one\nARC-Seal: i=1; b=two\n'
		printf 'DKIM-Signature: v=1; a=rsa-sha256; b=three\n'
		printf 'From: Alice <%s>\nTo: %s\nCc: Carol <%s>\n' "$alice" "$bob" "$carol"
		printf 'Reply-To: desk@inside.example\nReferences: <a@x>\n\t<b@x>\nIn-Reply-To: <b@x>\n'
		printf 'List-Id: <team.inside.example>\nX-Mailer: Odd %s\nSubject: Re: [secure] The plan\n' "$secret"
		printf 'Message-ID: <rich@inside.example>\nDate: Tue, 03 Nov 2026 10:20:30 +0100\n'
		printf 'MIME-Version: 1.0\nContent-Type: multipart/mixed;\n  boundary="b1"\n\n'
		printf -- '--b1\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n'
		printf '.The words: %s. Gr\xc3\xbc\xc3\x9fe\n' "$secret"
		printf -- '--b1\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n'
		printf 'Content-Disposition: attachment; filename="secret-figures.bin"\n\n'
		head -c 3000 /dev/urandom | tee "$stack/figures.bin" | base64
		printf -- '--b1--\n'
	} > "$stack/rich.eml"
	awk '/^MIME-Version/ { on = 1; next } on' "$stack/rich.eml" | sed 's/$/\r/' > "$stack/rich.entity"
}

check_outer() {
	local file=$2
	check_equal "$1: From kept" "$(header "$file" From)" "Alice <$alice>"
	check_equal "$1: Cc kept" "$(header "$file" Cc)" "Carol <$carol>"
	check_equal "$1: Reply-To kept" "$(header "$file" Reply-To)" "desk@inside.example"
	check_equal "$1: Message-ID kept" "$(header "$file" Message-ID)" '<rich@inside.example>'
	check_equal "$1: In-Reply-To kept" "$(header "$file" In-Reply-To)" '<b@x>'
	check_equal "$1: List-Id kept" "$(header "$file" List-Id)" '<team.inside.example>'
	check_equal "$1: signatures and others dropped" \
		"$(sink_message "$file" | grep -iE '^(DKIM-Signature|ARC-|X-)')" ""
	check_equal "$1: no file name" "$(grep -c secret-figures "$file")" 0
}

case_envelope() {
	local file
	make_rich
	check "envelope: accepted" mail_out "$stack/rich.eml" "<$alice> BODY=8BITMIME" "<$bob>"
	check "envelope: arrives" sink_wait_for "$bob"
	all_gone
	copies "envelope: one copy" "$bob" 1
	file=$(the_copy "$bob")
	enveloped envelope "$file" "$bob"
	open_envelope "$file" "$bob" > "$stack/rich.open"
	check "envelope: content byte for byte" cmp "$stack/rich.entity" "$stack/rich.open"
	check_equal "envelope: Subject without the tag" "$(header "$file" Subject)" 'Re: The plan'
	check_outer envelope "$file"
	no_leaks "envelope: nothing clear"
	sink_clear
}

case_pdf() {
	local file
	check "pdf: accepted" mail_out "$stack/rich.eml" "<$alice> BODY=8BITMIME" "<$carol>"
	check "pdf: arrives" sink_wait_for "$carol"
	all_gone
	copies "pdf: one copy" "$carol" 1
	file=$(the_copy "$carol")
	pdfed pdf "$file"
	check "pdf: attachment inside" cmp "$stack/figures.bin" "$stack/pdf.${file##*/}/secret-figures.bin"
	check_equal "pdf: Subject replaced" "$(header "$file" Subject)" 'Protected message'
	check_outer pdf "$file"
	no_leaks "pdf: nothing clear"
	sink_clear
}

case_both() {
	message both '[secure] both'
	check "both: accepted" mail_out "$stack/both.eml" "<$alice>" "<$bob>" "<$carol>"
	all_gone
	copies "both: one for the certificate" "$bob" 1
	copies "both: one for the password" "$carol" 1
	enveloped "both: envelope" "$(the_copy "$bob")" "$bob"
	pdfed "both: pdf" "$(the_copy "$carol")"
	clean_of_marks "both: envelope has no mark" "$(the_copy "$bob")"
	clean_of_marks "both: pdf has no mark" "$(the_copy "$carol")"
	no_leaks "both: nothing clear"
	sink_clear
}

case_impossible() {
	message none '[secure] nothing possible'
	check_not "impossible: refused" mail_out "$stack/none.eml" "<$alice>" "<$eve>"
	check_match "impossible: 5.7.1" "$reply" '^550 5\.7\.1 .*eve@partner.example'
	check_not "impossible: refused for all" mail_out "$stack/none.eml" "<$alice>" "<$bob>" "<$eve>" "<$carol>"
	check_match "impossible: 5.7.1 for all" "$reply" '^550 5\.7\.1 .*eve@partner.example'
	check_equal "impossible: others' state is not told" "$(grep -cE 'bob|carol' <<< "$reply")" 0
	message none_pdf '[pdf] not this way'
	check_not "impossible: way asked for" mail_out "$stack/none_pdf.eml" "<$alice>" "<$bob>"
	check_match "impossible: 5.7.1 for the way" "$reply" '^550 5\.7\.1 '
	message none_tls '[secure tls] not yet'
	check_not "impossible: tls" mail_out "$stack/none_tls.eml" "<$alice>" "<$eve>"
	all_gone
	check_equal "impossible: nobody gets anything" "$(sink_count)" 0
}

# ---- infected ----

make_infected() {
	(
		cd "$stack" && "$stack_root/tests/lib/sigdb.sh" --eicar > note.com && zip -q virus.zip note.com
		rm note.com
		printf 'From: Alice <%s>\nTo: %s\nSubject: %s\nMessage-ID: <%s@x>\nMIME-Version: 1.0\n' \
			"$alice" "$bob" "$2" "$1"
		printf 'Content-Type: application/zip; name=virus.zip\nContent-Transfer-Encoding: base64\n\n'
		base64 virus.zip
	) > "$stack/$1.eml"
}

case_infected() {
	make_infected virus 'hello'
	check_not "infected: refused" mail_out "$stack/virus.eml" "<$alice>" "<$bob>"
	check_match "infected: 5.7.1 with the name" "$reply" '^550 5\.7\.1 .*virus: .*[A-Za-z]'
	make_infected virus_secure '[secure] hello'
	check_not "infected: refused when flagged" mail_out "$stack/virus_secure.eml" "<$alice>" "<$bob>" "<$carol>"
	check_match "infected: 5.7.1 when flagged" "$reply" '^550 5\.7\.1 .*virus'
	check_not "infected: refused from outside" mail_via ADDR=192.0.2.77 "$stack/virus.eml" \
		'<mallory@far.example>' "<$alice>"
	all_gone
	check_equal "infected: nobody gets anything" "$(sink_count)" 0
}

# ---- tags ----

# tag WAY NAME SUBJECT EXPECTED-SUBJECT [FIELD...]: sent to dave, who has both.
tag() {
	local way=$1 name=$2 expected=$4 file
	message "tag" "$3" "${@:5}"
	sink_clear
	mail_out "$stack/tag.eml" "<$alice>" "<$dave>" || {
		not_ok "tag, $name" "$reply"
		return
	}
	sink_wait_for "$dave"
	file=$(the_copy "$dave")
	case $way in
	envelope) check_match "tag, $name: envelope" "$(header "$file" Content-Type)" pkcs7-mime ;;
	pdf) check_match "tag, $name: pdf" "$(header "$file" Content-Type)" multipart/mixed ;;
	clear)
		check_equal "tag, $name: untouched" "$(sink_message "$file" | without_received)" \
			"$(cat "$stack/tag.eml")"
		;;
	esac
	[[ $way == clear ]] || no_leaks "tag, $name: nothing clear"
	[[ $way != envelope ]] || check_equal "tag, $name: Subject" "$(header "$file" Subject)" "$expected"
	[[ $way == clear ]] || check_equal "tag, $name: no field of ours" \
		"$(sink_message "$file" | grep -iE '^(X-Sealgate|Sensitivity)')" ""
}

case_tags() {
	tag envelope 'any case' '[SeCuRe] Plan' 'Plan'
	tag envelope 'at the end' 'Plan [confidential]' 'Plan'
	tag envelope 'after Re:' 'Re: AW: [secure] Plan' 'Re: AW: Plan'
	tag envelope 'encoded word' '=?UTF-8?Q?=5Bsecure=5D_Gr=C3=BC=C3=9Fe?=' '=?UTF-8?Q?Gr=C3=BC=C3=9Fe?='
	tag envelope 'folded' $'The\n\t[secure]' 'The'
	tag pdf 'two in one bracket' '[secure pdf] Plan' ''
	tag pdf 'pdf alone' '[pdf] Plan' ''
	tag envelope 'envelope alone' 'Plan [envelope]' 'Plan'
	tag envelope 'header' 'Plan' 'Plan' 'X-Sealgate: secure'
	tag pdf 'header with a way' 'Plan' '' 'X-Sealgate: pdf'
	tag envelope 'Sensitivity' 'Plan' 'Plan' 'Sensitivity: Company-Confidential'
	tag clear 'other words in brackets' '[secure boot] Plan' ''
	tag clear 'in the middle' 'About [secure] things' ''
	tag clear 'normal Sensitivity' 'Plan' '' 'Sensitivity: Personal'
	message unknown 'Plan' 'X-Sealgate: sekure'
	check_not "tag, unknown word in the header: refused" mail_out "$stack/unknown.eml" "<$alice>" "<$dave>"
	check_match "tag, unknown word in the header: 5.7.1" "$reply" '^550 5\.7\.1 .*sekure'
	sink_clear
}

# ---- SMTPUTF8 ----

case_utf8() {
	local to='jürgen@utf8.example' other=max@utf8.example file got=
	set_utf8_delivery "$stack"
	flow_password "$to"
	flow_certificate "$other"
	message utf8 '[secure] Grüße'
	check "SMTPUTF8: sealed in place" mail_out "$stack/utf8.eml" "<$alice> SMTPUTF8 BODY=8BITMIME" "<$to>"
	check "SMTPUTF8: through the second stage" mail_out "$stack/utf8.eml" \
		"<$alice> SMTPUTF8 BODY=8BITMIME" "<$to>" "<$other>"
	check "SMTPUTF8: delivered" all_gone
	for file in "$stack"/mail/utf8/new/*; do
		check_equal "SMTPUTF8: nothing clear" "$(grep -cF "$secret" "$file")" 0
		got+=$(sed -nE '/^$/q; s/^(Delivered-To|Content-Type): ([^;]*).*/\2/p' "$file" | paste -sd' ')$'\n'
		pdf_of_message < "$file" > "$stack/utf8.pdf"
		[[ ! -s $stack/utf8.pdf ]] || check "SMTPUTF8: opens" qpdf --decrypt \
			--password-file="$stack/password" "$stack/utf8.pdf" "$stack/utf8.open.pdf"
	done
	check_equal "SMTPUTF8: each has its own" "$(sort <<< "${got%$'\n'}")" \
		"$(printf "%s\n" "$to multipart/mixed" "$to multipart/mixed" "$other application/pkcs7-mime" | sort)"
}
# Postfix would fold long lines when it sends
stack_main=(smtp_line_length_limit=0)
flow_start kinds
case_plain
case_envelope
case_pdf
case_both
case_impossible
case_infected
case_tags
case_utf8
