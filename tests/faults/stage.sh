#!/bin/bash
# long: make check-long and make ci run it, make check does not
# stage.sh: what fails in the second stage. Postfix keeps the mail and delivers it later, once.
# expect-error: worker-ended|deferred|no-record|vault

# shellcheck source=tests/faults/faults.bash
. "$(dirname "$0")/faults.bash"
stack_conf='pdf { timeout = 3s }'
# a filter that is away is waited for so long: its socket is open, the supervisor has it
stack_main=(milter_command_timeout=5s)

# park NAME: the message for bob and carol is marked and waits in the queue.
park() {
	postconf -c "$stack/config" -e 'defer_transports = seal'
	postfix_reload "$stack"
	message "$1" '[secure] the plan'
	offer "$1" "$bob,$carol"
	offers_wait
	taken 'second stage' "$1"
}

# A reload alone lets Postfix try what is deferred.
unpark() {
	postconf -c "$stack/config" -X defer_transports
	postfix_reload "$stack"
	postfix_flush "$stack"
}

queued() { postfix_queue "$stack" | grep -cE "$1"; }
queue_has() { [[ $(queued "$2") -ge $1 ]]; }
queue_is_empty() { [[ -z $(postfix_queue "$stack") ]]; }

# missing ROLE: while ROLE is away the second stage says 451 for COUNT recipients.
missing() {
	local role=$1 count=$2 name=parked-$1 before arrived
	before=$(starts "$role")
	park "$name"
	hang_supervisor
	kill_role "$role"
	unpark
	check "$role away: $count recipients stay in the queue, with a 4xx" \
		wait_for 30 queue_has "$count" ' deferred .*4[0-9][0-9] '
	arrived=$((2 - count))
	wait_for 10 delivered "$name" "$arrived"
	check_equal "$role away: the sink has what was possible" "$(deliveries "$name")" "$arrived"
	no_leak "$role away"
	release_supervisor
	check "$role away: the supervisor starts it again" wait_for 20 role_started "$role" $((before + 1))
	postfix_flush "$stack"
	check "$role back: the queue drains" wait_for 20 queue_is_empty
	sleep 0.5
	check_equal "$role back: one delivery for each recipient" "$(deliveries "$name")" 2
	no_leak "$role back"
}

faults_start stage
missing milter 2
missing pdf 1
missing vault 2
