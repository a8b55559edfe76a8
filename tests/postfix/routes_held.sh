#!/bin/bash
# long: make check-long and make ci run it, make check does not
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

# ---- sealed because TLS could not be had (any peer): requeued, it keeps transport and next hop ----

# past_tables FILE: into the queue past the filter, by what its route says, as the fallback does it
past_tables() {
	local smtp_port=$past
	send "$sender" c@plain.example "$1"
}

# what is left of a sealed message for any peer
sealed_for_any() {
	{
		printf 'From: %s\nX-Sealgate-Route: any smtp [127.0.0.1]:%s\n' "$sender" "$1"
		printf 'Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nTUlN\n'
	} > "$stack/any.eml"
}

pick_port && past=$port_out
pick_port && dead=$port_out
sink_clear
check attached_to_another_dead_peer set_main "relayhost=[127.0.0.1]:$dead"
cat >> "$stack/config/master.cf" <<-END
	127.0.0.1:$past inet n - n - - smtpd
	 -o smtpd_milters= -o receive_override_options=no_milters -o cleanup_service_name=past
	past unix n - n - 0 cleanup -o header_checks=regexp:$stack/config/sealgate/routes
END
touch -d '1 minute ago' "$stack"/config/m*.cf
postfix_reload "$stack"
wait_for 10 listens "$past"
sealed_for_any "$dead"
check for_any_is_taken past_tables "$stack/any.eml"
check for_any_waits wait_for 20 deferred c@plain.example
check_equal for_any_in_its_transport "$(filter_of "$(queue_id c@plain.example)")" "sealed-any:[127.0.0.1]:$dead"
for round in once twice; do
	postsuper -c "$stack/config" -r "$(queue_id c@plain.example)" 2> /dev/null
	check "for_any_requeued_${round}_waits" wait_for 20 deferred c@plain.example
	check_equal "for_any_requeued_${round}_in_its_transport" \
		"$(filter_of "$(queue_id c@plain.example)")" "sealed-any:[127.0.0.1]:$dead"
done
peer_port six "$dead"
postfix_reload "$peer"
wait_for 10 listens "$dead"
postfix_flush "$stack"
check for_any_leaves sink_wait_for c@plain.example 1 30
check_not for_any_without_its_route grep -qi '^X-Sealgate' "$(sink_for c@plain.example)"
