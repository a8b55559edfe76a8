# shellcheck shell=bash disable=SC2034,SC2154
# routes.bash: what the routes_* scripts share. Sourced.
#
# One Postfix plays all peers, a port each; it offers TLS with a certificate of its own and passes
# all mail to the sink. A message in the sink tells by its Received field which peer took it, and
# over what.

# shellcheck source=tests/lib/stack.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/stack.sh"

sender=alice@inside.example
stack_tls=
stack_attach=no

# routes_start NAME: the stack with a peer; Postfix is not attached yet. Peers are one ... four, at
# $one ... $four; nobody listens at $dead.
routes_start() {
	local name
	stack_gateway=no
	stack_main=(virtual_alias_maps= "${stack_main[@]}")
	stack_start "$1"
	stack_gateway=yes
	for name in one two three four dead; do
		pick_port
		declare -g "$name=$port_out"
	done
	peer_make
	stack_database_make
	gateway_conf
	gateway_start || exit 1
}

# The peer's own instance. Without DNS a next hop must be an address in brackets.
peer_make() {
	peer=$stack/peer
	postfix_make "$peer" "$one" "$sink_port"
	openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=peer.example \
		-addext subjectAltName=DNS:peer.example -keyout "$peer/key.pem" \
		-out "$peer/cert.pem" 2> "$stack/log/openssl.out" || exit 1
	postconf -c "$peer/config" -e smtpd_tls_security_level=may "smtpd_tls_cert_file=$peer/cert.pem" \
		"smtpd_tls_key_file=$peer/key.pem" smtpd_tls_received_header=yes virtual_alias_maps= \
		"mynetworks=127.0.0.0/8"
	peer_port one "$one"
	peer_port two "$two"
	peer_port three "$three"
	peer_port four "$four"
	postfix_start "$peer" || exit 1
	trap 'postfix_stop "$peer"; stack_exit' EXIT
}

# peer_port NAME PORT
peer_port() {
	postconf -c "$peer/config" -MX "127.0.0.1:$2/inet" 2> /dev/null
	postconf -c "$peer/config" -Me \
		"127.0.0.1:$2/inet=127.0.0.1:$2 inet n - n - - smtpd -o myhostname=$1.peer.example"
}

peer_fingerprint() {
	openssl x509 -in "$peer/cert.pem" -noout -fingerprint -sha256 | sed 's/.*=//' | tr -d :
}

# set_main NAME=VALUE...: then attached again.
set_main() {
	postconf -c "$stack/config" -e "$@" 2> /dev/null
	attach_again
}

# Postfix's programs wait for a main.cf that is not yet two seconds old.
attach_again() {
	sg postfix attach -y --config-directory "$stack/config" > "$stack/log/attach.out" 2>&1 || {
		cat "$stack/log/attach.out" >&2
		return 1
	}
	touch -d '1 minute ago' "$stack"/config/m*.cf
	postfix_reload "$stack"
}

# recipient ADDRESS: gets a certificate.
recipient() {
	make_certificate "$1"
	sg cert add --tenant inside "$stack/certs/$1.pem" >> "$stack/log/cert.out" 2>&1
}

# took FILE: which peer took it, and over what: "one ESMTPS".
took() {
	awk '/^Received:/ { take = 1 } take && /^[^ \tR]/ { take = 0 } take { print }' "$1" | tr '\n' ' ' |
		grep -oE 'by [a-z]+\.peer\.example \([^)]*\) with E?SMTPS?' | head -n 1 |
		sed -E 's/by ([a-z]+)\.peer.* with (.*)/\1 \2/'
}

# same_way NAME ADDRESS EXPECTED [FROM]: plain mail and sealed mail for this recipient go to the
# same peer; the sealed one by the transport of ours that the route names, and over TLS.
same_way() {
	local plain sealed
	sink_clear
	check "$1_plain_is_taken" send "${4:-$sender}" "$2" "$stack/plain.eml"
	sink_wait_for "$2" 1 30
	plain=$(took "$(sink_for "$2" | head -n 1)")
	sink_clear
	check "$1_sealed_is_taken" send "${4:-$sender}" "$2" "$stack/sealed.eml"
	sink_wait_for "$2" 1 30
	sealed=$(sink_for "$2" | head -n 1)
	check_equal "$1_plain_goes_to" "${plain% *}" "$3"
	check_equal "$1_sealed_goes_to" "$(took "${sealed:-/dev/null}")" "$3 ESMTPS"
	check "$1_is_sealed" is_envelope "$2"
	check_not "$1_no_route_leaves" grep -qi '^X-Sealgate-\(Route\|Mark\)' "${sealed:-/dev/null}"
}

# was_routed ROUTE FILTER: the log says that a message with this route got this filter.
was_routed() {
	grep -F "milter-header-filter: header X-Sealgate-Route: $1 from" "$stack/log/mail.log" |
		grep -qF ": $2"
}
nothing_routed() { ! grep -qF 'header X-Sealgate-Route' "$stack/log/mail.log"; }

# filter_of ID: the filter in a queue file.
filter_of() {
	postcat -c "$stack/config" -qe "$1" | sed -n 's/^content_filter: *//p'
}
# queue_id ADDRESS: of the message in the queue for it.
queue_id() { postfix_queue "$stack" | awk -v to="$1" '$3 == to { print $1; exit }'; }
in_queue() { [[ -n $(queue_id "$1") ]]; }
deferred() { postfix_queue "$stack" | grep -F " $1 deferred " | grep -qE "${2:-.}"; }

routes_mail() {
	mail_file plain.eml 'hello'
	mail_file sealed.eml '[secure] hello'
	mail_file tls.eml '[tls] hello'
}
