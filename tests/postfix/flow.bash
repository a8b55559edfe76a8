# shellcheck shell=bash disable=SC2034,SC2154
# flow.bash: what the flow_* scripts share. Sourced, after that stack.sh.
#
# People: alice@inside.example sends. bob@partner.example has a certificate, carol@partner.example
# a password, dave@partner.example both, eve@partner.example nothing; frank@inside.example is an own
# user. Every message carries the
# words of $secret in its body, so that a clear copy is found wherever it lies.

# shellcheck source=tests/lib/stack.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/stack.sh"

alice=alice@inside.example
bob=bob@partner.example
carol=carol@partner.example
dave=dave@partner.example
eve=eve@partner.example
frank=frank@inside.example
secret='quokka-harvest-4711'
password='Tr4in-Hors3-Lamp'
reply=
transcript=

# flow_start NAME: the stack, with what each of them has.
flow_start() {
	stack_start "$1" || exit 1
	flow_certificate "$bob"
	flow_certificate "$dave"
	flow_password "$carol"
	flow_password "$dave"
}

flow_certificate() {
	make_certificate "$1"
	sg cert add --tenant inside "$stack/certs/$1.pem" >> "$stack/log/vault.out" 2>&1 || exit 1
}

flow_password() {
	printf '%s\n' "$password" > "$stack/password"
	sg password set --tenant inside --password-file "$stack/password" "$1" >> "$stack/log/vault.out" 2>&1 || exit 1
}

# message NAME SUBJECT [FIELD...]: writes $stack/NAME.eml, to alice's and bob's names in the header.
message() {
	local field
	{
		printf 'From: Alice <%s>\nTo: all@partner.example\nSubject: %s\n' "$alice" "$2"
		printf 'Message-ID: <%s@inside.example>\n' "$1"
		printf 'Date: Tue, 03 Nov 2026 10:20:30 +0100\nMIME-Version: 1.0\n'
		for field in "${@:3}"; do
			printf '%s\n' "$field"
		done
		printf 'Content-Type: text/plain; charset=utf-8\n\nThe words: %s.\n' "$secret"
	} > "$stack/$1.eml"
}

# ---- a client of our own: bytes go out as they are in the file, and it takes ESMTP parameters ----

# talk_read: the last line of one reply, in $reply.
talk_read() {
	local line
	while IFS= read -r -t 60 line <&7; do
		line=${line%$'\r'}
		transcript+=$line$'\n'
		[[ $line == ???-* ]] || break
	done
	reply=$line
	[[ $reply == [23]* ]]
}

talk() {
	printf '%s\r\n' "$1" >&7
	talk_read
}

# talk_mail FILE MAIL-ARGUMENT RCPT-ARGUMENT...: one message; arguments such as "<a@b> RET=FULL".
talk_mail() {
	local file=$1 mail=$2 recipient
	shift 2
	talk "MAIL FROM:$mail" || return 1
	for recipient in "$@"; do
		talk "RCPT TO:$recipient" || return 1
	done
	talk DATA || return 1
	sed 's/^\./../; s/$/\r/' "$file" >&7
	talk .
}

# talk_to PORT [XCLIENT-ARGUMENTS]: opens; talk_end closes.
talk_to() {
	transcript=
	exec 7<> "/dev/tcp/127.0.0.1/$1"
	talk_read && talk 'EHLO client.example' || return 1
	[[ $# -eq 1 ]] || { talk "XCLIENT $2" && talk 'EHLO client.example'; }
}

talk_end() {
	local last=$reply
	talk QUIT
	exec 7>&-
	reply=$last
}

# mail_out FILE MAIL-ARGUMENT RCPT-ARGUMENT...: 0 if accepted; $reply is the reply to the message.
mail_out() {
	local status
	talk_to "$smtp_port" && talk_mail "$@"
	status=$?
	talk_end
	return "$status"
}

# mail_via XCLIENT-ARGUMENTS FILE MAIL-ARGUMENT RCPT-ARGUMENT...
mail_via() {
	local status
	talk_to "$smtp_port" "$1" && talk_mail "${@:2}"
	status=$?
	talk_end
	return "$status"
}

# ---- Postfix ----

# main_set NAME=VALUE...: settings of Postfix, in force at once.
main_set() {
	postconf -c "$stack/config" -e "$@"
	postfix_reload "$stack"
}

# Mail stays in the queue before the second stage, until seal_open (or any flush).
seal_close() { main_set defer_transports=seal; }

seal_open() {
	main_set defer_transports=
	postfix_flush "$stack"
}

# requeue: all of the queue through pickup again, as an administrator does it.
requeue() {
	postsuper -c "$stack/config" -r ALL 2> /dev/null
	postkick -c "$stack/config" public pickup W
	wait_for 10 picked_up
}

picked_up() { [[ -z $(find "$stack/queue/maildrop" "$stack/queue/incoming" -type f) ]]; }

# waits_for COUNT: until so many recipients wait in the deferred queue.
waits_for() { wait_for 20 queue_deferred "$1"; }

# ---- what came ----

queue_empty() { [[ -z $(postqueue -c "$stack/config" -j 2>&1) ]]; }
queue_deferred() { [[ $(postfix_queue "$stack" | awk '$4 == "deferred"' | wc -l) -ge $1 ]]; }

# all_gone: until nothing is on its way, so that no second copy can come.
# Postfix remembers a hop that was down: asked again, it tries at once.
all_gone() {
	exactly=yes wait_for 15 queue_empty || { postfix_flush "$stack"; wait_for 30 queue_empty; } && sleep 0.1
}

# copies NAME ADDRESS COUNT: so many messages for this recipient, and none of them with others.
copies() {
	local file sum=0
	for file in $(sink_for "$2"); do
		[[ $(grep -c '^X-Rcpt-Args:' "$file") -eq 1 ]] || sum=100
		sum=$((sum + 1))
	done
	check_equal "$1" "$sum" "$3"
}

# the_copy ADDRESS [PATTERN]: the newest file for this recipient, in which PATTERN stands.
the_copy() {
	local file
	for file in $(sink_for "$1"); do
		grep -q -- "${2:-}" "$file" && printf '%s\n' "$file"
	done | tail -n 1
}

# no_leaks NAME: no word of the body is anywhere in the sink.
no_leaks() { check_equal "$1" "$(sink_leaks "$secret" "$(printf %s "$secret" | base64)")" ""; }

# header FILE NAME: values of that field of a message in the sink, a line each, unfolded.
header() {
	sink_message "$1" | awk -v name="${2,,}:" '
		$0 == "" { exit }
		/^[ \t]/ { if (on) value = value " " substr($0, 2); next }
		on { print value }
		{ on = tolower(substr($0, 1, length(name))) == name; value = substr($0, length(name) + 1) }
		END { if (on) print value }' | sed 's/^ *//'
}

# without_received: a message without the Received fields at its top.
without_received() {
	awk '!body && /^Received:/ { skip = 1; next }
		!body && skip && /^[ \t]/ { next }
		{ body = 1; print }'
}

# enveloped NAME FILE ADDRESS [FIELD...]: the file is an envelope for ADDRESS that opens to the secret.
enveloped() {
	local open
	check_match "$1: type" "$(header "$2" Content-Type)" \
		'^application/pkcs7-mime; smime-type=enveloped-data'
	open=$(open_envelope "$2" "$3" 2>&1 | tr -d '\r')
	check_match "$1: opens" "$open" "The words: $secret"
}

# pdfed NAME FILE: the file is a mail with an encrypted PDF that opens with the password alone.
pdfed() {
	local folder
	folder=$stack/pdf.${2##*/}
	check "$1: opens" open_pdf "$2" "$password" "$folder"
	check "$1: says the words" grep -q "$secret" "$folder/text"
	check_match "$1: AES-256" "$(qpdf --show-encryption --password-file="$folder/password" \
		"$folder/sealed.pdf" 2>&1)" 'R = 6.*file encryption method: AESv3'
	check_not "$1: needs the password" qpdf --decrypt "$folder/sealed.pdf" "$folder/never.pdf"
}

# clean_of_marks NAME FILE: no field of ours is left in it.
clean_of_marks() {
	check_equal "$1" "$(sink_message "$2" | grep -iE '^X-Sealgate')" ""
}

# check_sealed_once NAME: bob and carol have one sealed copy each, and nothing is clear.
check_sealed_once() {
	copies "$1: one envelope" "$bob" 1
	copies "$1: one pdf" "$carol" 1
	enveloped "$1: envelope" "$(the_copy "$bob")" "$bob"
	pdfed "$1: pdf" "$(the_copy "$carol")"
	clean_of_marks "$1: no mark" "$(the_copy "$bob")"
	no_leaks "$1: nothing clear"
	sink_clear
}
