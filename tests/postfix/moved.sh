#!/bin/bash
# long: make check-long and make ci run it, make check does not
# A queue that is moved to another Postfix, with the same vault: what was flagged stays protected.
set -uo pipefail

# shellcheck source=tests/postfix/flow.bash
. "$(dirname "$0")/flow.bash"

# other_make: a second instance beside the first, attached to the same gateway by other ports.
other_make() {
	other=$stack/other
	postfix_make "$other" "$other_port" "$sink_port"
	sed "s/^stage_port.*/stage_port = $other_stage/; s/fallback_port.*/fallback_port = $other_fallback/" \
		"$stack/sealgate.conf" > "$stack/other.conf"
	"$sealgate" -c "$stack/other.conf" postfix attach -y --config-directory "$other/config" \
		> "$stack/log/other.out" 2>&1 || cat "$stack/log/other.out"
	touch -d '1 minute ago' "$other"/config/m*.cf
	trap 'postfix_stop "$other"; stack_exit' EXIT
	# its first start makes the queue's folders
	postfix_start "$other"
}

other_empty() { [[ -z $(postqueue -c "$other/config" -j 2>&1) ]]; }

seal_of_old_stands() { grep -q "FILTER seal:\[127.0.0.1\]:$stage_port" "$stack/config/sealgate/routes"; }

# What an administrator does: stop, copy the queue's files, postsuper -r ALL (the next hops in the
# queue files are those of the old machine), start.
move() {
	local name
	postfix_stop "$stack"
	postfix_stop "$other"
	for name in deferred hold; do
		cp -a "$stack/queue/$name/." "$other/queue/$name/"
		find "$stack/queue/$name" -type f -delete
	done
	postsuper -c "$other/config" 2> /dev/null
	postsuper -c "$other/config" -r ALL 2> /dev/null
	postsuper -c "$other/config" -r ALL deferred hold 2> /dev/null
	postfix_start "$other"
}

pick_port && other_port=$port_out
pick_port && other_stage=$port_out
pick_port && other_fallback=$port_out
stack_main=(queue_run_delay=1s)
flow_start moved
check 'the table names the old port' seal_of_old_stands
seal_close
message moved '[secure] Moved'
check 'moved: accepted' mail_out "$stack/moved.eml" "<$alice>" "<$bob>" "<$carol>" "<$frank>"
check 'moved: waits' waits_for 3
message held '[secure] Held'
check 'held: accepted' mail_out "$stack/held.eml" "<$alice>" "<$dave>" "<$bob>"
check 'held: waits' waits_for 5
postsuper -c "$stack/config" -h "$(postfix_queue "$stack" | awk -v to="$dave" '$3 == to { print $1 }')" 2> /dev/null
other_make
check 'moved: the other one runs' move
wait_for 30 sink_has 5
check 'moved: all is delivered' wait_for 30 other_empty
copies 'moved: two envelopes' "$bob" 2
copies 'moved: one pdf' "$carol" 1
copies 'held: one copy' "$dave" 1
copies 'moved: own user' "$frank" 1
enveloped 'moved' "$(the_copy "$bob")" "$bob"
enveloped 'held' "$(the_copy "$dave")" "$dave"
pdfed 'moved' "$(the_copy "$carol")"
check_equal 'moved: nothing clear outside' "$(sink_leaks "$secret" | grep -vxF "$(the_copy "$frank")")" ''
