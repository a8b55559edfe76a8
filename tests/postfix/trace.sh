#!/bin/bash
# long: make check-long and make ci run it, make check does not
# The way of a message as sealgate trace tells it, from the real log of a real Postfix: TLS of each
# delivery, what waits and why, over a crash of the reader and rotations of the log.
# Workers are killed here on purpose:
# expect-error: worker-ended
set -uo pipefail
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"

# A second Postfix: a peer with TLS at one port, without at another, that throws all mail away.
peer_make() {
	peer=$stack/peer
	pick_port && plain_port=$port_out
	pick_port && tls_port=$port_out
	postfix_make "$peer" "$plain_port" 1
	openssl req -x509 -newkey rsa:2048 -nodes -days 3 -subj "/CN=localhost" \
		-addext "subjectAltName=DNS:localhost" -keyout "$peer/key.pem" -out "$peer/cert.pem" \
		2> /dev/null
	cat "$peer/key.pem" "$peer/cert.pem" > "$peer/chain.pem"
	postconf -c "$peer/config" -e "transport_maps=static:discard:" "relayhost=" \
		"relay_domains=static:all" "multi_instance_name=postfix-peer"
	postconf -c "$peer/config" -M "$tls_port/inet=127.0.0.1:$tls_port inet n - n - - smtpd \
		-o smtpd_tls_security_level=may -o smtpd_tls_chain_files=$peer/chain.pem"
	postfix_start "$peer"
}

peer_use() {
	cat > "$stack/config/transport" <<-END
		good.example smtp:[localhost]:$tls_port
		self.example smtp:[127.0.0.1]:$tls_port
		plain.example smtp:[localhost]:$plain_port
		strict.example strict:[localhost]:$plain_port
		down.example smtp:[localhost]:9
	END
	postconf -c "$stack/config" -e "transport_maps=texthash:$stack/config/transport" \
		"smtp_tls_security_level=may" "smtp_tls_loglevel=1" \
		"smtp_tls_CAfile=$peer/cert.pem" "smtp_tls_policy_maps=texthash:$stack/config/policy"
	printf '[localhost]:%s secure match=localhost\n' "$tls_port" > "$stack/config/policy"
	postconf -c "$stack/config" -M "strict/unix=strict unix - - n - - smtp \
		-o smtp_tls_policy_maps= -o smtp_tls_security_level=encrypt \
		-o syslog_name=postfix-out/strict"
	postfix_reload "$stack"
}

# queued: the queue id in the last reply.
queued() { sed -nE 's/.*queued as ([0-9A-Za-z]+).*/\1/p' <<< "$reply"; }

# send_to ADDRESS[,ADDRESS]: plain mail; its queue id in $id.
send_to() {
	send alice@inside.example "$1" "$stack/plain.eml" || return 1
	id=$(queued)
	[[ -n $id ]]
}

# shellcheck disable=SC2317 # wait_for calls it
json_has() { sg trace --json "$1" | jq -e "$2" > /dev/null; }

# told ID FILTER: until the records of ID fit.
told() { wait_for 20 json_has "$1" "$2"; }

delivered='any(.[]; .decision == "delivered")'

stack_start trace
people
peer_make || exit 1
peer_use
mail_file plain.eml 'Hello'
mail_file secure.eml '[secure] Hello'

# ---- TLS ----

send_to bob@good.example
check "a delivery over TLS is told" told "$id" "$delivered"
shown=$(sg trace "$id")
check_match "with next hop, address and port" "$shown" "localhost\[127.0.0.1\]:$tls_port"
check_match "with version, cipher and proof" "$shown" 'TLSv1\.3 TLS_[A-Z0-9_]+ verified'
check_match "with the peer's answer" "$shown" '250 2\.0\.0 Ok: queued as'
check "joined to tenant and Message-ID" json_has "$id" \
	'all(.[]; .tenant == "inside" and .message_id != "")'

send_to bob@self.example
told "$id" "$delivered"
check_match "a peer that proves nothing is shown as such" "$(sg trace "$id")" \
	'(un|)trusted|anonymous'

send_to bob@plain.example
told "$id" "$delivered"
check "a delivery without TLS shows none" json_has "$id" \
	'any(.[]; .decision == "delivered" and .tls == "")'

# ---- waiting ----

send_to bob@strict.example
check "a peer without TLS is told" told "$id" 'any(.[]; .decision == "waiting")'
shown=$(sg trace "$id")
check_match "in Postfix's words" "$shown" 'TLS is required, but was not offered by host localhost'
check_match "and for whom it waits" "$shown" 'waits for bob@strict.example since 20'
sleep 6
postfix_flush "$stack"
sleep 2
check_equal "the same reason is recorded once" \
	"$(sg trace --json "$id" | jq '[.[] | select(.decision == "waiting")] | length')" 1

send_to bob@down.example
told "$id" 'any(.[]; .decision == "waiting")'
check_match "a peer that is down is named" "$(sg trace "$id")" 'Connection refused'

# ---- through the second stage ----

send alice@inside.example cert@outside.example,word@outside.example "$stack/secure.eml"
id=$(queued)
check "sealed mail's deliveries are told" told "$id" \
	'[.[] | select(.decision == "delivered" and (.reason == ""))] | length == 2'
shown=$(sg trace "$id")
check_match "with the way through the second stage" "$shown" 'handed on +to our own second stage'
printf '%s\n' "$shown" > "$stack/log/trace.out"

# ---- crashes and rotations: each delivery once ----

ids=()
some() {
	local i
	for ((i = 0; i < $1; i++)); do
		send_to bob@good.example && ids+=("$id")
	done
}
reader_kill() {
	local pid
	for pid in $(gateway_pids trace); do kill -KILL "$pid"; done
}
rotate_rename() {
	mv "$stack/log/mail.log" "$stack/log/mail.log.$1"
	# as logrotate with "create 640 root adm": what Postfix makes itself only root can read
	install -m 640 -g adm /dev/null "$stack/log/mail.log"
	some 3
	postfix_reload "$stack"
}
rotate_gzip() {
	rotate_rename "$1"
	gzip "$stack/log/mail.log.$1"
}
vault_kill() {
	local pid
	for pid in $(gateway_pids vault); do kill -KILL "$pid"; done
}

some 5
reader_kill
some 5
rotate_rename 20261101
some 3
reader_kill
rotate_gzip 20261102
some 5
cp -p "$stack/log/mail.log" "$stack/log/mail.log.20261103" && : > "$stack/log/mail.log"
some 5
vault_kill
wait_for 20 sg trace "${ids[0]}"
some 3
# shellcheck disable=SC2317 # wait_for calls it
all_have() {
	local id
	for id in "${ids[@]}"; do json_has "$id" "$delivered" || return; done
}
wait_for 20 all_have
lost=0
for id in "${ids[@]}"; do
	[[ $(sg trace --json "$id" | jq '[.[] | select(.decision == "delivered")] | length') == 1 ]] ||
		{ lost=$((lost + 1)); sg trace "$id" >&2; }
done
check_equal "of ${#ids[@]} deliveries none is lost or told twice" "$lost" 0

postfix_stop "$peer"
exit "$stack_failed"
