#!/bin/bash
# shellcheck disable=SC2154
# routes_tls.sh: mail for proven TLS keeps its transport and next hop, also when it is requeued.
set -uo pipefail
# shellcheck source=tests/postfix/routes.bash
. "$(dirname "$0")/routes.bash"

routes_start routes-tls
routes_mail
fingerprint=$(peer_fingerprint)
for port in "$one" "$dead"; do
	cat >> "$stack/sealgate.conf" <<-END
		hop "[127.0.0.1]:$port" {
			tls = fingerprint
			fingerprints = { "$fingerprint" }
			through = yes
			reason = "a test"
		}
	END
done
gateway_stop
rm -f "$stack/log/gateway.log"
check the_gateway_knows_the_rules gateway_start
clear_at() { grep -qF "$stack_word" "$(sink_for "$1" | head -n 1)"; }

check attached set_main "relayhost=[127.0.0.1]:$one"
check mail_for_tls_is_taken send "$sender" a@plain.example "$stack/tls.eml"
check it_leaves sink_wait_for a@plain.example 1 30
check_equal over_tls "$(took "$(sink_for a@plain.example | head -n 1)")" 'one ESMTPS'
check readable clear_at a@plain.example
check by_its_route was_routed "tls smtp [127.0.0.1]:$one" "sealed-tls:[127.0.0.1]:$one"
check_not no_route_leaves grep -qi '^X-Sealgate-\(Route\|Mark\)' "$(sink_for a@plain.example | head -n 1)"

# ---- requeued: the second stage makes the plan again ----

sink_clear
check attached_to_a_dead_peer set_main "relayhost=[127.0.0.1]:$dead"
check mail_for_a_dead_peer_is_taken send "$sender" b@plain.example "$stack/tls.eml"
check it_waits wait_for 20 deferred b@plain.example
id=$(queue_id b@plain.example)
check_equal in_its_transport "$(filter_of "$id")" "sealed-tls:[127.0.0.1]:$dead"
postsuper -c "$stack/config" -r "$id" 2> /dev/null
in_transport() { [[ $(filter_of "$(queue_id b@plain.example)") == "$1" ]]; }
check the_second_stage_takes_it wait_for 20 grep -qE "to=<b@plain.example>, relay=127.0.0.1\[127.0.0.1\]:$stage_port, .*status=sent" \
	"$stack/log/mail.log"
check it_waits_again wait_for 20 deferred b@plain.example
check in_the_same_transport wait_for 20 in_transport "sealed-tls:[127.0.0.1]:$dead"
peer_port five "$dead"
postfix_reload "$peer"
check the_peer_is_back wait_for 10 listens "$dead"
postfix_flush "$stack"
check then_it_leaves sink_wait_for b@plain.example 1 30
check_equal then_over_tls "$(took "$(sink_for b@plain.example | head -n 1)")" 'five ESMTPS'
check then_readable clear_at b@plain.example
