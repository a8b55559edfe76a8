#!/bin/bash
# shellcheck disable=SC2154
# routes_held.sh: a choice that no table could list is held, not weakened; requeued mail comes back
# to its way.
set -uo pipefail
# shellcheck source=tests/postfix/routes.bash
. "$(dirname "$0")/routes.bash"

routes_start routes-held
routes_mail
recipient a@held.example
recipient b@plain.example
doctor_says() {
	sg doctor --json --config-directory "$stack/config" |
		jq -r '.findings[] | select(.check == "routes") | .result + " " + .what + " -> " + (.hint // "-")'
}

# ---- a table that has no list ----

check attached set_main "relayhost=[127.0.0.1]:$one" "transport_maps=randmap:{smtp:[127.0.0.1]:$two}"
check_match attach_says_what_it_could_not_list "$(cat "$stack/log/attach.out")" \
	'transport_maps: randmap:.*: type randmap has no list'
check_match the_doctor_says_it_too "$(doctor_says)" 'warn .*randmap.* -> .*list'
check unlisted_is_taken send "$sender" a@held.example "$stack/sealed.eml"
check unlisted_waits wait_for 20 deferred a@held.example 'local data error'
check_equal nothing_left "$(sink_count)" 0
id=$(queue_id a@held.example)

# ---- listed by now: attach again, and it goes ----

check attached_with_a_list set_main \
	"transport_maps=inline:{ held.example=smtp:[127.0.0.1]:$two }"
check_match the_doctor_is_content "$(doctor_says)" '^ok '
postsuper -c "$stack/config" -r "$id" 2> /dev/null
check requeued_it_leaves sink_wait_for a@held.example 1 30
check_equal over_tls "$(took "$(sink_for a@held.example)")" 'two ESMTPS'
check sealed is_envelope a@held.example

# ---- out of date: the doctor sees what attach would write ----

postconf -c "$stack/config" -e "relayhost=[127.0.0.1]:$three" 2> /dev/null
check_match old_routes_are_seen "$(sg doctor --config-directory "$stack/config")" 'fail +attached .*tables'
check attached_with_the_new_relayhost attach_again
check_not no_old_routes "$(sg doctor --config-directory "$stack/config")" 'fail +attached'

# ---- requeued while it waits for a peer ----

sink_clear
check attached_to_a_dead_peer set_main transport_maps= "relayhost=[127.0.0.1]:$dead"
check mail_for_a_dead_peer_is_taken send "$sender" b@plain.example "$stack/sealed.eml"
check it_waits wait_for 20 deferred b@plain.example
id=$(queue_id b@plain.example)
check_equal in_its_transport "$(filter_of "$id")" "sealed:[127.0.0.1]:$dead"
postsuper -c "$stack/config" -r "$id" 2> /dev/null
check requeued_it_waits_again wait_for 20 deferred b@plain.example
id=$(queue_id b@plain.example)
check_equal in_the_same_transport "$(filter_of "$id")" "sealed:[127.0.0.1]:$dead"
check_match detach_waits_for_it "$(sg postfix detach -y --config-directory "$stack/config" 2>&1)" \
	"or for TLS: 1: $id"
peer_port five "$dead"
postfix_reload "$peer"
check the_peer_is_back wait_for 10 listens "$dead"
postfix_flush "$stack"
check then_it_leaves sink_wait_for b@plain.example 1 30
check_equal then_over_tls "$(took "$(sink_for b@plain.example)")" 'five ESMTPS'
check then_sealed is_envelope b@plain.example
