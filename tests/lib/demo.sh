#!/bin/bash
# demo.sh demo: seven messages through a private Postfix and the gateway to a peer with TLS, one
# table, 0 if all is so.
# demo.sh run: the same set-up in the foreground; shows what arrives.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root" || exit 1
out=build/demo
# shellcheck source=tests/lib/stack.sh
. tests/lib/stack.sh

cert=anna@partner.example		# has a certificate
word=otto@partner.example		# has a password
none=nora@partner.example		# has nothing
from=alice@inside.example
wrong=0

step() { printf '%5.1f s  %s\n' "$(awk -v us="$((${EPOCHREALTIME/./} - started))" 'BEGIN { print us / 1e6 }')" "$*"; }
started=${EPOCHREALTIME/./}

# ---- what is sent ----

head_of() { printf 'From: Alice <%s>\nTo: <%s>\nSubject: %s\nMIME-Version: 1.0\n' "$from" "$1" "$2"; }

make_messages() {
	mkdir -p "$out/sent"
	{
		head_of "$word" 'Lunch'
		printf 'Content-Type: text/plain; charset=utf-8\n\nNothing secret: lunch at noon?\n'
	} > "$out/sent/1-plain.eml"
	{
		head_of "$cert" '[secure] Offer 4711'
		printf 'Content-Type: text/plain; charset=utf-8\n\nOur price is 98,500 euros.\nWaterfall.\n'
	} > "$out/sent/2-envelope.eml"
	printf 'article;amount\npump;12\nvalve;40\n' > "$out/sent/list.csv"
	{
		head_of "$word" '[secure] Contract'
		printf 'Message-ID: <contract@inside.example>\n'
		printf 'Content-Type: multipart/mixed; boundary="b1"\n\n--b1\n'
		printf 'Content-Type: text/html; charset=utf-8\n\n'
		printf '<html><body><h1>Contract</h1><p>The parties agree on <b>Waterfall</b>.</p>'
		printf '<table><tr><td>Pumps</td><td>12</td></tr></table></body></html>\n--b1\n'
		printf 'Content-Type: text/csv; name="list.csv"\nContent-Disposition: attachment; '
		printf 'filename="list.csv"\nContent-Transfer-Encoding: base64\n\n'
		base64 < "$out/sent/list.csv"
		printf -- '--b1--\n'
	} > "$out/sent/3-pdf.eml"
	{
		head_of "$cert>, <$word" '[secure] Minutes'
		printf 'Message-ID: <minutes@inside.example>\n'
		printf 'Content-Type: text/plain; charset=utf-8\n\nWaterfall: the board has decided.\n'
	} > "$out/sent/4-both.eml"
	rm -f "$out/sent/eicar.zip"
	bash tests/lib/sigdb.sh --eicar > "$out/sent/eicar.com"
	(cd "$out/sent" && zip -q -X eicar.zip eicar.com && rm eicar.com)
	{
		head_of "$word" 'Invoice'
		printf 'Content-Type: multipart/mixed; boundary="b1"\n\n--b1\nContent-Type: text/plain\n\n'
		printf 'See the invoice.\n--b1\nContent-Type: application/zip; name="invoice.zip"\n'
		printf 'Content-Disposition: attachment; filename="invoice.zip"\n'
		printf 'Content-Transfer-Encoding: base64\n\n'
		base64 < "$out/sent/eicar.zip"
		printf -- '--b1--\n'
	} > "$out/sent/5-virus.eml"
	rm -f "$out/sent/eicar.zip"
	{
		head_of "$none" '[secure] Salaries'
		printf 'Content-Type: text/plain; charset=utf-8\n\nWaterfall: the salaries of all.\n'
	} > "$out/sent/6-impossible.eml"
	{
		head_of "$none" '[tls] Price list'
		printf 'Message-ID: <prices@inside.example>\n'
		printf 'Content-Type: text/plain; charset=utf-8\n\nPumps 12, valves 40.\n'
	} > "$out/sent/7-tls.eml"
}

# The content fields and body of a sent message: what an envelope holds inside, with CRLF.
entity_of() {
	awk 'body { print; next }
		/^$/ { body = 1; print; next }
		/^[ \t]/ { if (keep) print; next }
		{ keep = tolower($0) ~ /^(content-|mime-version)/; if (tolower($0) ~ /^content-/) print; else keep = 0 }' "$1"
}

# ---- the table ----

row() { printf '%-2s %-27s %-23s %-24s %s\n' "$@"; }

# result NUMBER WHAT TO GOT OPENED PROBLEM: a row; PROBLEM is empty when all is so.
result() {
	local mark=yes
	if [[ -n $6 ]]; then
		mark="NO: $6"
		wrong=$((wrong + 1))
	fi
	rows+=("$(row "$1" "$2" "$3" "$4" "$5")  $mark")
}
rows=()

one_file() { sink_for "$1" | while read -r f; do grep -lF "$2" "$f"; done | head -n 1; }

# Opens what the recipient with the certificate got; prints what is wrong.
look_at_envelope() {
	local file=$1 sent=$2 name=$3
	[[ -n $file ]] || { echo "nothing arrived"; return; }
	sink_message "$file" > "$out/$name.eml"
	if ! open_envelope "$file" "$cert" > "$out/$name.opened" 2> "$stack/log/openssl.out"; then
		echo "openssl cannot open it"
	elif ! cmp -s <(tr -d '\r' < "$out/$name.opened" | sed '/^Subject:/d' | drop_last_empty) <(entity_of "$sent" | drop_last_empty); then
		echo "the content is not what was sent"
	elif grep -qF Waterfall "$out/$name.eml"; then
		echo "clear text is in the mail"
	fi
}

drop_last_empty() { sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'; }

# Opens what the recipient with the password got; prints what is wrong.
look_at_pdf() {
	local file=$1 name=$2
	[[ -n $file ]] || { echo "nothing arrived"; return; }
	sink_message "$file" > "$out/$name.eml"
	rm -rf "${out:?}/$name"
	if ! open_pdf "$file" "$password" "$out/$name" > "$stack/log/pdf.out" 2>&1; then
		echo "the PDF does not open: $(tail -n 1 "$stack/log/pdf.out")"
	elif ! qpdf --password="$password" --check "$out/$name/sealed.pdf" > "$stack/log/qpdf.out" 2>&1; then
		echo "qpdf complains: $(tail -n 1 "$stack/log/qpdf.out")"
	elif qpdf --password=wrong --check "$out/$name/sealed.pdf" > /dev/null 2>&1; then
		echo "it opens with a wrong password"
	elif ! grep -qF Waterfall "$out/$name/text"; then
		echo "the text is not in it"
	elif [[ ${3:-} == attachment ]] && ! cmp -s "$out/$name/list.csv" "$out/sent/list.csv"; then
		echo "the attachment is not what was sent"
	elif grep -qF Waterfall "$out/$name.eml"; then
		echo "clear text is in the mail"
	fi
	mv -f "$out/$name/sealed.pdf" "$out/$name.pdf" 2> /dev/null
	rm -f "$out/$name/open.pdf" "$out/$name/password"
}

look_at_plain() {
	local file=$1
	[[ -n $file ]] || { echo "nothing arrived"; return; }
	sink_message "$file" > "$out/1-plain.eml"
	cmp -s <(sed '1,/^$/d' "$out/1-plain.eml" | drop_last_empty) <(sed '1,/^$/d' "$out/sent/1-plain.eml" | drop_last_empty) ||
		echo "the body is not what was sent"
}

# What left as it was, over TLS that was proven; prints what is wrong.
look_at_tls() {
	local file=$1
	[[ -n $file ]] || { echo "nothing arrived"; return; }
	sink_message "$file" > "$out/7-tls.eml"
	if ! grep -qF 'Pumps 12' "$out/7-tls.eml"; then
		echo "the body is not what was sent"
	elif ! grep -q 'using TLSv1\.[23]' "$out/7-tls.eml"; then
		echo "it came without TLS"
	elif ! wait_for 10 traced; then
		echo "sealgate trace does not show the delivery"
	fi
}

traced() {
	sg trace '<prices@inside.example>' > "$out/7-tls.trace" && grep -q 'TLSv1\.' "$out/7-tls.trace"
}

# Sends a message that must be refused; prints what is wrong.
refused() {
	local pattern=$1
	shift
	if send "$@"; then
		echo "it was accepted"
	elif [[ ! $reply =~ $pattern ]]; then
		echo "refused with: ${reply:0:60}"
	fi
}

accepted() { send "$@" || printf 'refused: %s' "${reply:0:60}"; }

# ---- both commands ----

# The peer to which all mail goes: a second Postfix, which offers TLS and hands on to the sink.
peer_prepare() {
	local print
	openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=mx.partner.example \
		-keyout "$out/peer.key" -out "$out/peer.pem" 2> /dev/null
	print=$(openssl x509 -in "$out/peer.pem" -noout -fingerprint -sha256 | sed 's/.*=//')
	pick_port && peer_port=$port_out
	stack_main=("relayhost=[127.0.0.1]:$peer_port")
	stack_tls='sealed = encrypt'
	stack_conf="hop \"[127.0.0.1]:$peer_port\" { tls = fingerprint fingerprints = { \"$print\" }
		through = yes reason = \"the demo's own peer\" }"
}

peer_start() {
	postfix_make "$stack/peer" "$peer_port" "$sink_port"
	postconf -c "$stack/peer/config" -e smtpd_tls_security_level=may smtpd_tls_received_header=yes \
		"smtpd_tls_cert_file=$root/$out/peer.pem" "smtpd_tls_key_file=$root/$out/peer.key"
	postfix_start "$stack/peer" || exit 1
	trap 'postfix_stop "$stack/peer"; stack_exit' EXIT
}

set_up() {
	mkdir -p "$out"
	make_messages
	peer_prepare
	step "starting a private Postfix, the gateway and a peer for its mail"
	stack_start demo
	peer_start
	if grep -q 'sandbox = reduced' "$stack/sealgate.conf"; then
		step "this kernel has no Landlock: sandbox = reduced"
	fi
	step "making a key and a certificate for $cert, a password for $word"
	make_certificate "$cert"
	sg cert add "$stack/certs/$cert.pem" > "$stack/log/cert.out" 2>&1 || {
		cat "$stack/log/cert.out"
		exit 1
	}
	password=$(sg password generate "$word" 2> "$stack/log/password.out" |
		grep -oE '[A-Za-z0-9]{4}(-[A-Za-z0-9]{4}){3}' | head -n 1)
	[[ -n $password ]] || {
		echo "no password was generated: $(cat "$stack/log/password.out")"
		exit 1
	}
	printf '%s\n' "$password" > "$out/password"
	cp "$stack/certs/$cert.key" "$out/anna.key"
	cp "$stack/certs/$cert.pem" "$out/anna.pem"
}

demo() {
	local w1 w2 w3 w4 w5 w6 w7
	rm -rf "$out"
	set_up
	step "sending seven messages"
	w1=$(accepted "$from" "$word" "$out/sent/1-plain.eml")
	w2=$(accepted "$from" "$cert" "$out/sent/2-envelope.eml")
	w3=$(accepted "$from" "$word" "$out/sent/3-pdf.eml")
	w4=$(accepted "$from" "$cert,$word" "$out/sent/4-both.eml")
	w5=$(refused '^550 5\.7\.1 .*EICAR' "$from" "$word" "$out/sent/5-virus.eml")
	w6=$(refused '^550 5\.7\.' "$from" "$none" "$out/sent/6-impossible.eml")
	w7=$(accepted "$from" "$none" "$out/sent/7-tls.eml")
	step "waiting for what arrives, opening it again"
	sink_wait 6 20
	check_results
	for file in "$stack"/sink/*; do
		[[ $(sink_message "$file" | grep -cE 'Waterfall|98,500') -eq 0 ]] || wrong=$((wrong + 1))
	done
	[[ $(sink_count) -eq 6 ]] || wrong=$((wrong + 1))
	printf '\n'
	row '' sent to 'what the recipient got' 'opened with'
	printf '%s\n' "${rows[@]}"
	epilogue
	stack_failed=$((wrong > 0))
}

check_results() {
	result 1 'plain mail' "$word" 'as it was sent' '-                      ' "${w1:-$(look_at_plain "$(one_file "$word" 'Subject: Lunch')")}"
	result 2 '[secure] text' "$cert" 'envelope, AES-256' 'openssl, her key       ' \
		"${w2:-$(look_at_envelope "$(one_file "$cert" 'Offer 4711')" "$out/sent/2-envelope.eml" 2-envelope)}"
	result 3 '[secure] HTML, attachment' "$word" 'PDF, AES-256' 'qpdf, poppler, password' \
		"${w3:-$(look_at_pdf "$(pdf_file contract)" 3-pdf attachment)}"
	result 4 '[secure] text, to both' "$cert" 'envelope, AES-256' 'openssl, her key       ' \
		"${w4:-$(look_at_envelope "$(one_file "$cert" 'Minutes')" "$out/sent/4-both.eml" 4-both-envelope)}"
	result '' '' "$word" 'PDF, AES-256' 'qpdf, poppler, password' "${w4:-$(look_at_pdf "$(pdf_file minutes)" 4-both-pdf)}"
	result 5 'EICAR virus in a zip' "$word" 'nothing: refused, 550' '-                      ' "$w5"
	result 6 '[secure], no way to seal' "$none" 'nothing: refused, 550' '-                      ' "$w6"
	result 7 '[tls] text' "$none" 'as it was, proven TLS' '-                      ' \
		"${w7:-$(look_at_tls "$(one_file "$none" 'Price list')")}"
}

# pdf_file ID: the message with a PDF that was sent with this Message-ID.
pdf_file() {
	sink_for "$word" | while read -r f; do
		grep -qi '^Content-Type: application/pdf' "$f" && grep -qi "^Message-ID: <$1@" "$f" && echo "$f"
	done | head -n 1
}

epilogue() {
	cat <<-END

		files        $out: N-NAME.eml as received, N-NAME.opened, N-NAME.pdf; what was sent in sent/
		open a PDF   with any reader, password  $password
		             pdftotext -upw '$password' $out/3-pdf.pdf -
		an envelope  openssl cms -decrypt -in $out/2-envelope.eml -inkey $out/anna.key -recip $out/anna.pem

		The way of message 7, by "sealgate trace":
	END
	sed 's/^/  /' "$out/7-tls.trace" 2> /dev/null
	if [[ $wrong -eq 0 ]]; then
		printf '\nAll is so. (%s s)\n' $(((${EPOCHREALTIME/./} - started) / 1000000))
	else
		printf '\n%d things are not so. Logs: %s\n' "$wrong" "$out/log"
		rm -rf "$out/log"
		cp -r "$stack/log" "$out/log"
	fi
}

# ---- make run ----

show() {
	local file=$1 kind=clear name
	if grep -qi '^Content-Type: application/pkcs7-mime' "$file"; then
		kind=envelope
	elif grep -qi '^Content-Type: application/pdf' "$file"; then
		kind=pdf
	fi
	name=$out/$(date +%H%M%S)-${file##*.}-$kind.eml
	sink_message "$file" > "$name"
	printf '%s  %-8s  %s -> %s  %s\n            %s\n' "$(date +%H:%M:%S)" "$kind" \
		"$(sed -n 's/^X-Mail-Args: <\([^>]*\)>.*/\1/p' "$file")" \
		"$(sed -n 's/^X-Rcpt-Args: <\([^>]*\)>.*/\1/p' "$file" | paste -sd ' ')" \
		"$(sed -n 's/^Subject: //p' "$file" | head -n 1)" "$name"
}

run() {
	local file shown=' '
	trap 'exit 0' INT TERM
	set_up
	cat <<-END

		The gateway runs. Send to it:

		  swaks --server 127.0.0.1:$smtp_port --from $from --to $cert \\
		        --header 'Subject: [secure] Hello' --body 'Only for you.'

		$cert  has a certificate (key: $out/anna.key)
		$word  has a password: $password
		$none  has nothing; any other address neither
		Sealgate's command line:  $sealgate -c $stack/sealgate.conf trace ID
		Logs: $stack/log.  Ctrl-C ends it.

		What arrives:
	END
	while gateway_alive; do
		for file in "$stack"/sink/*; do
			[[ -s $file && $shown != *" $file "* ]] || continue
			sleep 0.1
			show "$file"
			shown+="$file "
		done
		sleep 0.3
	done
	echo "the gateway ended:"
	tail -n 5 "$stack/log/gateway.log"
	stack_failed=1
}

gateway_alive() { kill -0 "$gateway_pid" 2> /dev/null; }

case ${1:-demo} in
demo) demo ;;
run) run ;;
*) exit 64 ;;
esac
