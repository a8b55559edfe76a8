#!/bin/bash
# expect-error: 2 recipients at once
# Between the two stages: recipients that become impossible, mail that expires, marks that are not
# ours, the backstop; what bounces carry.
set -uo pipefail

# shellcheck source=tests/postfix/flow.bash
. "$(dirname "$0")/flow.bash"

# What a bounce must be: for alice, with header fields only.
check_bounce() {
	check_equal "$1: header fields only" "$(grep -c '^Content-Type: message/rfc822$' "$2")" 0
	check_equal "$1: no word of the body" "$(grep -cF "$secret" "$2")" 0
	check_match "$1: a delivery status" "$(cat "$2")" 'Content-Type: message/delivery-status'
}

# ---- became impossible ----

case_impossible_later() {
	local file
	seal_close
	message later '[secure] Later'
	check "later: accepted" mail_out "$stack/later.eml" "<$alice> RET=FULL" "<$bob>" "<$carol>" "<$dave>" "<$frank>"
	check "later: waits" waits_for 4
	sg cert remove --address "$bob" > "$stack/log/remove.out" 2>&1 || not_ok "later: certificate removed"
	sg password remove "$carol" >> "$stack/log/remove.out" 2>&1 || not_ok "later: password removed"
	check_equal "later: nothing has left" "$(sink_count)" 0
	seal_open
	check "later: all decided" all_gone
	copies "later: nothing without certificate" "$bob" 0
	copies "later: nothing without password" "$carol" 0
	copies "later: the others get theirs" "$dave" 1
	copies "later: own user gets his" "$frank" 1
	enveloped "later: envelope" "$(the_copy "$dave")" "$dave"
	copies "later: the sender is told once" "$alice" 1
	file=$(the_copy "$alice")
	check_bounce "later, bounce" "$file"
	check_equal "later, bounce: for whom" "$(sed -n 's/^Final-Recipient: rfc822; *//p' "$file" | sort | paste -sd' ')" \
		"$bob $carol"
	check_equal "later, bounce: status" "$(grep -c '^Status: 5\.7\.1' "$file")" 2
	check_equal "later: nothing clear outside" \
		"$(sink_leaks "$secret" | grep -vxF "$(the_copy "$frank")")" ""
	sink_clear
	flow_certificate "$bob"
	flow_password "$carol"
}

# ---- expired before it was sealed ----

case_expired() {
	local file
	seal_close
	message expired '[secure] Expired'
	check "expired: accepted" mail_out "$stack/expired.eml" "<$alice> RET=FULL" "<$bob>" "<$carol>"
	check "expired: waits" waits_for 2
	sleep 1
	# not flushed: that would try it once more
	main_set maximal_queue_lifetime=0 bounce_queue_lifetime=0
	check "expired: returned" all_gone
	copies "expired: nothing for the certificate" "$bob" 0
	copies "expired: nothing for the password" "$carol" 0
	copies "expired: the sender is told" "$alice" 1
	file=$(the_copy "$alice")
	check_bounce "expired, bounce" "$file"
	main_set maximal_queue_lifetime=5d bounce_queue_lifetime=5d defer_transports=
	no_leaks "expired: nothing clear"
	sink_clear
}

# ---- marks that are not ours ----

# with_fields NAME FIELD...: the message of that name with fields in front, in NAME_marked.eml.
with_fields() {
	{
		printf '%s\n' "${@:2}"
		cat "$stack/$1.eml"
	} > "$stack/$1_marked.eml"
}

forged="1.$(printf '%032d' 0).$(printf '%064d' 0)"

case_forged() {
	message forged 'Plain'
	with_fields forged "X-Sealgate-Mark: $forged" 'X-Other: stays' 'x-sealgate-route: local' \
		"X-SEALGATE-MARK: $forged"
	check "forged: outsider's mail accepted" mail_via ADDR=192.0.2.66 "$stack/forged_marked.eml" \
		'<mallory@far.example>' "<$bob>"
	all_gone
	copies "forged: one copy" "$bob" 1
	check_equal "forged: stripped, and nothing else" \
		"$(sink_message "$(the_copy "$bob")" | without_received)" \
		"$(printf 'X-Other: stays\n'; cat "$stack/forged.eml")"
	sink_clear
	message forged_tag '[secure] Plan'
	with_fields forged_tag "X-Sealgate-Mark: $forged" 'X-Sealgate-Route: local'
	check "forged, in tagged mail: accepted" mail_out "$stack/forged_tag_marked.eml" "<$alice>" "<$bob>" "<$carol>"
	check "forged, in tagged mail: delivered" all_gone
	check_sealed_once "forged, in tagged mail"
}

# A mark of ours on another body is as good as forged; on its own body it flags.
case_replayed() {
	local mark
	message replay '[secure] Replay'
	mail_out "$stack/replay.eml" "<$alice>" "<$frank>" && all_gone
	mark=$(header "$(the_copy "$frank")" X-Sealgate-Kept)
	check_match "replayed: there is a mark" "$mark" '.{60}'
	sink_clear
	message other 'Other'
	printf 'More words.\n' >> "$stack/other.eml"
	with_fields other "X-Sealgate-Mark: $mark"
	check "replayed, another body: accepted as unflagged" mail_via ADDR=192.0.2.66 \
		"$stack/other_marked.eml" '<mallory@far.example>' "<$bob>"
	all_gone
	check_equal "replayed, another body: mark stripped" \
		"$(sink_message "$(the_copy "$bob")" | without_received)" "$(cat "$stack/other.eml")"
	sink_clear
	message same 'Same'
	with_fields same "X-Sealgate-Mark: $mark"
	check "replayed, same body: accepted" mail_out "$stack/same_marked.eml" "<$alice>" "<$bob>"
	all_gone
	enveloped "replayed, same body: sealed" "$(the_copy "$bob")" "$bob"
	no_leaks "replayed, same body: nothing clear"
	sink_clear
	at_the_stage "$mark"
}

# stage_mail FILE RCPT...: to the port of the second stage.
stage_mail() {
	local status
	talk_to "$stage_port" && talk_mail "$1" "<$alice>" "${@:2}"
	status=$?
	talk_end
	return "$status"
}

at_the_stage() {
	check_not "stage: unmarked is refused" stage_mail "$stack/same.eml" "<$bob>"
	check_match "stage: unmarked, 5.7.1" "$reply" '^550 5\.7\.1 '
	with_fields forged "X-Sealgate-Mark: $forged"
	check_not "stage: forged is refused" stage_mail "$stack/forged_marked.eml" "<$bob>"
	check_match "stage: forged, 5.7.1" "$reply" '^550 5\.7\.1 '
	check_not "stage: a mark on another body is refused" stage_mail "$stack/other_marked.eml" "<$bob>"
	check_match "stage: another body, 5.7.1" "$reply" '^550 5\.7\.1 '
	with_fields same "X-Sealgate-Mark: $1" "X-Sealgate-Mark: $1"
	check_not "stage: two marks are refused" stage_mail "$stack/same_marked.eml" "<$bob>"
	with_fields same "X-Sealgate-Mark: $1"
	check_not "stage: two recipients at once are not taken" stage_mail "$stack/same_marked.eml" "<$bob>" "<$carol>"
	check_match "stage: two recipients, try again" "$reply" '^4'
	all_gone
	check_equal "stage: nobody gets anything" "$(sink_count)" 0
}

# ---- past the filters ----

case_backstop() {
	pick_port
	cat >> "$stack/config/master.cf" <<-END2
		127.0.0.1:$port_out inet n - n - - smtpd
		 -o smtpd_milters= -o receive_override_options=no_milters
	END2
	postfix_reload "$stack"
	wait_for 10 listens "$port_out"
	message past 'Past the filters'
	with_fields past "X-Sealgate-Mark: $forged"
	check "backstop: queued" past_mail "$stack/past_marked.eml"
	with_fields past 'X-Sealgate-Route: local'
	check "backstop: queued with a route" past_mail "$stack/past_marked.eml"
	check "backstop: both wait" waits_for 2
	check_equal "backstop: status" "$(grep 'dsn=4\.3\.0, status=deferred' "$stack/log/mail.log" |
		sed 's/.*: \([0-9A-F]*\): to=.*/\1/' | sort -u | wc -l)" 2
	check_equal "backstop: nothing has left" "$(sink_count)" 0
	requeue
	check "backstop, requeued: decided" all_gone
	copies "backstop, requeued: refused by the second stage" "$bob" 0
	copies "backstop, requeued: the sender is told" "$alice" 2
	check_bounce "backstop, requeued" "$(the_copy "$alice")"
	no_leaks "backstop: nothing clear"
	sink_clear
}

past_mail() {
	local status
	talk_to "$port_out" && talk_mail "$1" "<$alice>" "<$bob>"
	status=$?
	talk_end
	return "$status"
}

stack_main=(queue_run_delay=1s)
flow_start later
case_impossible_later
case_expired
case_forged
case_replayed
case_backstop
