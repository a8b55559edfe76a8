#!/bin/bash
# long: make check-long and make ci run it, make check does not
# shellcheck disable=SC2154
# routes_choice.sh: sealed mail goes where Postfix would have sent it, by every way to choose that.
set -uo pipefail
# shellcheck source=tests/postfix/routes.bash
. "$(dirname "$0")/routes.bash"

routes_start routes-choice
routes_mail
for address in a@plain.example b@mapped.example c@bulk.example d@relayed.example; do
	recipient "$address"
done
postconf -c "$stack/config" -Me 'bulk/unix=bulk unix - - n - - smtp -o smtp_helo_name=bulk.example'

check attached set_main "relayhost=[127.0.0.1]:$one"
check_equal what_may_be_routed "$(postconf -c "$stack/config" -h milter_macro_defaults)" \
	'{sealgate_routes=front bulk relay smtp}'
same_way relayhost a@plain.example one
check relayhost_is_in_the_route was_routed "sealed smtp [127.0.0.1]:$one" "sealed:[127.0.0.1]:$one"

set_main "relayhost=[127.0.0.1]:$two"
same_way a_new_relayhost a@plain.example two

set_main "transport_maps=inline:{ mapped.example=smtp:[127.0.0.1]:$three, bulk.example=bulk:[127.0.0.1]:$four }"
same_way transport_maps b@mapped.example three
same_way another_transport c@bulk.example four
check another_transport_is_in_the_route was_routed "sealed bulk [127.0.0.1]:$four" \
	"sealed-bulk:[127.0.0.1]:$four"
check another_transport_keeps_its_options grep -q 'Received: from bulk.example' \
	"$(sink_for c@bulk.example | head -n 1)"
same_way who_is_not_mapped a@plain.example two

printf 'mapped.example :[127.0.0.1]:%s\n' "$four" > "$stack/config/transport"
set_main "transport_maps=texthash:$stack/config/transport"
same_way a_next_hop_without_transport b@mapped.example four
set_main transport_maps=

set_main "sender_dependent_relayhost_maps=inline:{ $sender=[127.0.0.1]:$three }"
same_way sender_dependent_relayhost a@plain.example three
same_way another_sender a@plain.example two bob@inside.example
set_main sender_dependent_relayhost_maps=

set_main "sender_dependent_default_transport_maps=inline:{ $sender=bulk:[127.0.0.1]:$four }" relayhost=
same_way sender_dependent_transport a@plain.example four
set_main sender_dependent_default_transport_maps= "relayhost=[127.0.0.1]:$one"

set_main relay_domains=relayed.example
same_way relay_domains d@relayed.example one
check relay_domains_go_by_relay was_routed "sealed relay [127.0.0.1]:$one" \
	"sealed-relay:[127.0.0.1]:$one"
set_main "relay_transport=relay:[127.0.0.1]:$three" relayhost=
same_way a_relay_transport_with_next_hop d@relayed.example three

set_main "default_transport=smtp:[127.0.0.1]:$four" relayhost= relay_transport=relay
same_way a_default_transport_with_next_hop a@plain.example four

set_main "relayhost=[127.0.0.1]:$dead" "smtp_fallback_relay=[127.0.0.1]:$two" default_transport=smtp
same_way the_fallback_relay_of_the_administrator a@plain.example two

# ---- nothing but the recipient's own domain ----

recipient e@localhost
set_main relayhost= smtp_fallback_relay= "smtp_tcp_port=$three"
same_way the_own_domain e@localhost three
check no_next_hop_in_the_route was_routed 'sealed smtp' 'sealed:'
