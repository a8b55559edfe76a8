#!/bin/bash
# A flagged message to a list, and hostile mail, through a real Postfix.
# shellcheck source=tests/postfix/flow.bash
. "$(dirname "$0")/flow.bash"
stack_main=("virtual_mailbox_domains = inside.example" "virtual_mailbox_maps = static:all/"
	"virtual_minimum_uid = 1" "virtual_uid_maps = static:$stack_uid"
	"virtual_gid_maps = static:$stack_uid" "message_size_limit = 30000000"
	"smtpd_forbid_bare_newline = yes" "smtpd_forbid_bare_newline_exclusions =")
stack_tenant='logins = { "*@inside.example" }'
count=40

letters() { find "$stack/boxes" -type f -path '*/new/*' 2> /dev/null; }
has_letter() { [[ $(letters | wc -l) -ge 1 ]]; }
as_alice() { mail_via 'ADDR=192.0.2.7 LOGIN=alice@inside.example' "$@"; }

# opens ADDRESS PASSWORD WORD: the message for it is a PDF that opens and says the word.
opens() {
	rm -rf "$stack/opened"
	open_pdf "$(the_copy "$1")" "$2" "$stack/opened" && grep -qF "$3" "$stack/opened/text"
}

# ---- a list ----

case_list() {
	local i to=() word
	for ((i = 1; i <= count; i++)); do
		to+=("<r$i@list.example>")
	done
	message list '[secure] To all'
	check 'a list: accepted once' as_alice "$stack/list.eml" "<$alice>" "${to[@]}" "<$bob>" "<$carol>"
	check 'a list: all get it' sink_wait $((count + 2)) 60
	check 'a list: none has several recipients' \
		bash -c "! grep -rc '^X-Rcpt-Args:' '$stack/sink' | grep -v ':1\$'"
	check_equal 'a list: each once' "$(grep -rh '^X-Rcpt-Args: <r[0-9]*@list' "$stack/sink" | sort -u | wc -l)" "$count"
	check_equal 'a list: each a PDF' "$(grep -rlF '@list.example>' "$stack/sink" |
		xargs grep -lF 'application/pdf' | wc -l)" "$count"
	check 'a list: the sender gets a letter' wait_for 20 has_letter
	word=$(letters | head -n 1 | xargs cat | grep -oE '[a-zA-Z2-9]{4}(-[a-zA-Z2-9]{4}){3}' | head -n 1)
	for i in 1 $((count / 2)) "$count"; do
		check "a list: one password for all of them, r$i" opens "r$i@list.example" "$word" "$secret"
	done
	check_equal 'a list: the letter names each of them' \
		"$(letters | xargs cat | grep -cE '^ *r[0-9]+@list.example')" "$count"
	pdfed 'a list: who has a password keeps it' "$(the_copy "$carol")"
	enveloped 'a list: who has a certificate gets an envelope' "$(the_copy "$bob")" "$bob"
	no_leaks 'a list: nothing clear'
	check_equal 'a list: one letter alone' "$(letters | wc -l)" 1
	check_equal 'a list: a few at work at once' \
		"$(postconf -c "$stack/config" -h seal_destination_concurrency_limit)" 8
	sink_clear
	find "$stack/boxes" -type f -delete
}

# ---- bytes ----

# talk_raw MAIL RCPT BYTES...: one message, each of BYTES as printf's %b.
talk_raw() {
	local status bytes
	talk_to "$smtp_port" && talk "MAIL FROM:$1" && talk "RCPT TO:$2" && talk DATA || return 1
	for bytes in "${@:3}"; do
		printf '%b' "$bytes" >&7
	done
	talk .
	status=$?
	talk_end
	return "$status"
}

# What others take for the end of the data is content for us, where it is for Postfix. (With
# smtpd_forbid_bare_newline = no, its default before 3.9, Postfix itself makes two messages of it.)
case_smuggling() {
	local head='From: <alice@inside.example>\r\nMIME-Version: 1.0\r\n' hidden
	hidden='MAIL FROM:<alice@inside.example>\r\nRCPT TO:<dave@partner.example>\r\nDATA\r\n'
	talk_raw "<$alice>" "<$bob>" "${head}Subject: [secure] smuggled\r\n\r\n$secret\r\n" \
		"\n.\n$hidden" 'From: <boss@inside.example>\r\nSubject: clear\r\n\r\nevil\r\n'
	check_match 'smuggling: accepted' "$reply" '^250'
	check 'smuggling: delivered' all_gone
	check_equal 'smuggling: one message, to whom it was for' \
		"$(sink_for "$bob" | wc -l) $(sink_for "$dave" | wc -l) $(sink_count)" '1 0 1'
	check_match 'smuggling: all of it is in the envelope' \
		"$(open_envelope "$(the_copy "$bob")" "$bob" | tr -d '\r' | tr '\n' '|')" \
		"$secret.*MAIL FROM.*evil"
	no_leaks 'smuggling: nothing clear'
	sink_clear
	talk_raw "<$alice>" "<$bob>" "${head}Subject: [secure] odd\r\n\r\n$secret\r\n" \
		'zero \0000 here\r\nlone \rcr\r\n.. dots\r\n'
	check_match 'odd bytes: accepted' "$reply" '^250'
	check 'odd bytes: delivered' all_gone
	open_envelope "$(the_copy "$bob")" "$bob" > "$stack/odd"
	check 'odd bytes: NUL is content' grep -qaP 'zero \x00 here\r' "$stack/odd"
	check 'odd bytes: so is the dot' grep -qa '^\. dots' "$stack/odd"
	no_leaks 'odd bytes: nothing clear'
	sink_clear
}

# One line of 10 MB: as Postfix hands it on.
case_line() {
	{
		printf 'From: <%s>\nSubject: [secure] long\n\n%s ' "$alice" "$secret"
		head -c 10000000 /dev/zero | tr '\0' x
		printf '\n'
	} > "$stack/line.eml"
	check 'a line of 10 MB: accepted' mail_out "$stack/line.eml" "<$alice>" "<$bob>"
	check 'a line of 10 MB: delivered' all_gone
	check_equal 'a line of 10 MB: not a byte is missing' "$(open_envelope "$(the_copy "$bob")" "$bob" |
		tr -cd x | wc -c)" 10000000
	sink_clear
}

# ---- parts ----

# nested DEPTH, parts COUNT: bodies.
nested() {
	awk -v n="$1" 'BEGIN {
		printf "Content-Type: multipart/mixed; boundary=\"b0\"\n\n"
		for (i = 1; i < n; i++) printf "--b%d\nContent-Type: multipart/mixed; boundary=\"b%d\"\n\n", i - 1, i
		printf "--b%d\nContent-Type: text/plain\n\ninnermost\n", n - 1
		for (i = n - 1; i >= 0; i--) printf "--b%d--\n", i
	}'
}
parts() {
	awk -v n="$1" 'BEGIN {
		printf "Content-Type: multipart/mixed; boundary=\"b\"\n\n--b\nContent-Type: text/plain\n\nthe first\n"
		for (i = 1; i < n; i++) printf "--b\nContent-Type: application/x-odd; name=\"f%d.bin\"\n\npart %d\n", i, i
		printf "--b--\n"
	}'
}

# as_pdf NAME: $stack/NAME.body, flagged, to who has a password; opened into $stack/opened.
as_pdf() {
	{
		printf 'From: <%s>\nSubject: [pdf] %s\nMIME-Version: 1.0\n' "$alice" "$1"
		cat "$stack/$1.body"
	} > "$stack/$1.eml"
	check "$1: accepted" mail_out "$stack/$1.eml" "<$alice>" "<$carol>"
	check "$1: delivered" all_gone
	rm -rf "$stack/opened"
	check "$1: opens" open_pdf "$(the_copy "$carol")" "$password" "$stack/opened"
	check_equal "$1: the original is in it" "$(sed '1,/^\r\?$/d' "$stack/opened/original.eml" | tr -d '\r' | cksum)" \
		"$(sed '1,/^$/d' "$stack/$1.body" | cksum)"
	sink_clear
}

case_parts() {
	nested 10 > "$stack/nested.body"
	as_pdf nested
	nested 100 > "$stack/deep.body"
	{ printf 'From: <%s>\nSubject: hello\n' "$alice"; cat "$stack/deep.body"; } > "$stack/deep.eml"
	check_not 'nested 100 times: refused' mail_out "$stack/deep.eml" "<$alice>" "<$bob>"
	check_match 'nested 100 times: why' "$reply" \
		'^550 5\.7\.1 .*cannot be checked for viruses.*another form'
	parts 1000 > "$stack/parts.body"
	as_pdf parts
	check 'parts: the first is shown' grep -q 'the first' "$stack/opened/text"
}

# ---- addresses ----

case_quoted() {
	message quoted '[secure] Quoted'
	check 'a quoted local part: accepted' as_alice "$stack/quoted.eml" "<$alice>" '<"b o,b"@list.example>'
	check 'a quoted local part: delivered' sink_wait 1
	check_equal 'a quoted local part: to that address' \
		"$(grep -rhoE '^X-Rcpt-Args: <[^>]*>' "$stack/sink")" 'X-Rcpt-Args: <"b o,b"@list.example>'
	check 'a quoted local part: its password is told' wait_for 20 has_letter
	no_leaks 'a quoted local part: nothing clear'
	sink_clear
}

flow_start lists
mkdir -p "$stack/boxes/all"
chown -R "$stack_uid:$stack_uid" "$stack/boxes"
main_set "virtual_mailbox_base=$stack/boxes"
case_list
case_smuggling
case_line
case_parts
case_quoted
