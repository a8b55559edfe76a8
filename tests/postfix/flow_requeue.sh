#!/bin/bash
# Mail that an administrator holds, releases or requeues passes no milter again: whatever it is, it
# leaves sealed or stays inside, once.
set -uo pipefail

# shellcheck source=tests/postfix/flow.bash
. "$(dirname "$0")/flow.bash"

case_requeued() {
	seal_close
	message requeue '[secure] Requeue'
	check "requeued: accepted" mail_out "$stack/requeue.eml" "<$alice>" "<$bob>" "<$carol>"
	check "requeued: waits" waits_for 2
	requeue
	check "requeued: waits again" waits_for 2
	check_equal "requeued: nothing has left" "$(sink_count)" 0
	requeue
	seal_open
	check "requeued: delivered" all_gone
	check_sealed_once requeued
}

case_held() {
	seal_close
	message held '[secure] Held'
	check "held: accepted" mail_out "$stack/held.eml" "<$alice>" "<$bob>" "<$carol>"
	check "held: waits" waits_for 2
	postsuper -c "$stack/config" -h ALL 2> /dev/null
	check_equal "held: on hold" "$(postfix_queue "$stack" | grep -c ' hold')" 2
	postfix_flush "$stack"
	sleep 0.5
	check_equal "held: nothing has left" "$(sink_count)" 0
	requeue
	check "held: waits again" waits_for 2
	postsuper -c "$stack/config" -h ALL 2> /dev/null
	check_equal "held: requeued, nothing has left" "$(sink_count)" 0
	postsuper -c "$stack/config" -H ALL 2> /dev/null
	seal_open
	check "held: delivered" all_gone
	check_sealed_once held
}

# Sealed mail and an inside copy that wait for the next hop. Requeued mail gets Postfix's bcc maps
# once more: the new address must not get the clear copy.
case_behind() {
	sink_stop
	message behind '[secure] Behind'
	check "behind: accepted" mail_out "$stack/behind.eml" "<$alice>" "<$bob>" "<$frank>"
	check "behind: waits" waits_for 2
	printf '%s %s\n' "$frank" "$carol" > "$stack/config/bcc"
	main_set "recipient_bcc_maps=texthash:$stack/config/bcc"
	requeue
	main_set recipient_bcc_maps=
	sink_start
	postfix_flush "$stack"
	check "behind: delivered" all_gone
	copies "behind: one envelope" "$bob" 1
	enveloped "behind: envelope" "$(the_copy "$bob")" "$bob"
	copies "behind: own user" "$frank" 1
	check_equal "behind: own user can read it" "$(grep -cF "$secret" "$(the_copy "$frank")")" 1
	copies "behind: new outside address" "$carol" 1
	pdfed "behind: new outside address" "$(the_copy "$carol")"
	check_equal "behind: nothing clear outside" "$(sink_leaks "$secret" | grep -vxF "$(the_copy "$frank")")" ""
	sink_clear
}

case_forwarded() {
	main_set mydestination=inside.example local_recipient_maps= defer_transports=sealed-local
	message forwarded '[secure] Forwarded'
	check "forwarded: accepted" mail_out "$stack/forwarded.eml" "<$alice>" "<walter@inside.example>" "<$bob>"
	check "forwarded: waits for local(8)" waits_for 1
	seal_close
	postfix_flush "$stack"
	check "forwarded: what local(8) forwards waits" wait_for 20 waits_forwarded
	no_leaks "forwarded: nothing clear"
	requeue
	requeue
	seal_open
	check "forwarded, requeued: decided" all_gone
	copies "forwarded, requeued: sealed once" "$dave" 1
	enveloped "forwarded, requeued: envelope" "$(the_copy "$dave")" "$dave"
	no_leaks "forwarded, requeued: nothing clear"
	sink_clear
}

waits_forwarded() { postfix_queue "$stack" | grep -qF "$dave.sealgate.invalid"; }

stack_main=(queue_run_delay=1s)
flow_start requeue
printf 'walter: %s\n' "$dave" >> "$stack/config/aliases"
postalias -c "$stack/config" "hash:$stack/config/aliases"
case_requeued
case_held
case_behind
case_forwarded
