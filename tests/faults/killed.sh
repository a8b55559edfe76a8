#!/bin/bash
# killed.sh: each program is killed and stays away, mail comes meanwhile; then it starts again.
# expect-error: worker-ended|deferred|no-record|vault

# shellcheck source=tests/faults/faults.bash
. "$(dirname "$0")/faults.bash"

stack_scan="timeout = 3s"
stack_conf="pdf { timeout = 3s }"
# a filter that is away is waited for so long: its socket is open, the supervisor has it
stack_main=(milter_command_timeout=5s)

# away ROLE NAME...: ROLE is killed and not started; these messages are deferred, the others taken.
away() {
	local role=$1 before
	shift
	before=$(starts "$role")
	faults_messages "-$role"
	hang_supervisor
	kill_role "$role"
	offer_three "-$role"
	deferred "$role killed" "${@/%/-$role}"
	nothing_came "$role killed" "${@/%/-$role}"
	release_supervisor
	check "$role killed: the supervisor starts it again" wait_for 20 role_started "$role" $((before + 1))
	# the client's second try; who was taken at the first has nothing to try again
	for name in "$@"; do
		if [[ $name == pdf ]]; then offer "$name-$role" "$carol"; else offer "$name-$role" "$bob"; fi
	done
	offers_wait
	taken "$role back" "${@/%/-$role}"
	once "$role back" "plain-$role" "envelope-$role" "pdf-$role"
	no_leak "$role back"
}

faults_start killed
away milter plain envelope pdf
away pdf pdf
away scan plain envelope pdf
away vault plain envelope pdf
