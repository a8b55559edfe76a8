#!/bin/bash
# Each program killed, each folder taken away: the client hears 4xx, no clear copy leaves, and it
# works again by itself.
# expect-error: worker
# expect-error: .*
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
stack_start killed
people
mail_file secure '[secure] Offer'
mail_file plain 'Lunch'

# stop ROLE: its processes stand still, so that what is asked of them gets no answer.
signal_role() { gateway_pids "$2" | xargs -r kill "-$1"; }

send_again() {
	send alice@inside.example cert@outside.example "$stack/secure"
}

for role in vault scan pdf milter; do
	sink_clear
	signal_role KILL "$role"
	send alice@inside.example cert@outside.example "$stack/secure"
	check_match "$role killed: 4xx or sealed, never another answer" "$reply" '^(4[0-9][0-9] |250 )'
	check "$role killed: nothing clear is in the sink" no_clear
	check "$role killed: works again by itself" wait_for 30 send_again
	sink_wait_for cert@outside.example
	check "$role killed: sealed again" no_clear
done

for role in vault scan; do
	sink_clear
	signal_role KILL "$role"
	send alice@inside.example word@outside.example,cert@outside.example "$stack/secure"
	check_match "$role killed, two recipients: 4xx or accepted" "$reply" '^(4[0-9][0-9] |250 )'
	wait_for 30 send_again
	wait_for 30 queue_empty
	check "$role killed, two recipients: nothing clear" no_clear
done

sink_clear
signal_role KILL scan
send alice@inside.example plain@outside.example "$stack/plain"
check_match "scan killed, unflagged mail: 4xx, or scanned after a restart" "$reply" '^(4[0-9][0-9] |250 )'
wait_for 30 send_again

# the database is gone under the vault's feet: what was accepted before is still decided
sink_clear
mv "$stack/state" "$stack/state.away"
signal_role KILL vault
sleep 1
send alice@inside.example cert@outside.example "$stack/secure"
check_match "no database: 4xx" "$reply" '^4[0-9][0-9] '
check "no database: nothing arrives" test "$(sink_count)" -eq 0
rm -rf "$stack/state"
mv "$stack/state.away" "$stack/state"
check "the database is back: works again by itself" wait_for 60 send_again
sink_wait_for cert@outside.example
check "and seals" is_envelope cert@outside.example
