# shellcheck shell=bash disable=SC2034,SC2154
# faults.bash: what the scripts of this folder share. Sourced.
#
# People and messages are those of flow.bash. Flagged messages carry $secret, plain ones do not, so
# whatever of $secret lies in the sink is a leak. A message is named by its file and its Message-ID.

# shellcheck source=tests/postfix/flow.bash
. "$(dirname "${BASH_SOURCE[0]}")/../postfix/flow.bash"

offers=()

# faults_start NAME: the stack, and the three messages that every fault is tried with.
faults_start() {
	flow_start "$1"
	faults_messages ''
}

# faults_messages SUFFIX: plainSUFFIX, envelopeSUFFIX, pdfSUFFIX.
faults_messages() {
	message "plain$1" 'Lunch'
	sed -i "s/$secret/noodles/" "$stack/plain$1.eml"
	message "envelope$1" '[secure] the plan'
	message "pdf$1" '[secure] the plan'
}

# offer NAME TO: sends $stack/NAME.eml in the background; the reply comes to $stack/NAME.reply.
offer() {
	(
		send "$alice" "$2" "$stack/$1.eml"
		printf '%s\n' "$reply" > "$stack/$1.reply"
	) &
	offers+=($!)
}

# offer_three SUFFIX: all three, and waits for the answers.
offer_three() {
	offer "plain$1" "$bob"
	offer "envelope$1" "$bob"
	offer "pdf$1" "$carol"
	offers_wait
}

offers_wait() {
	wait ${offers[@]+"${offers[@]}"}
	offers=()
}

reply_to() { cat "$stack/$1.reply"; }

# deferred FAULT NAME...: each client was told to try again later.
deferred() {
	local name
	for name in "${@:2}"; do
		check_match "$1: $name is answered 4xx" "$(reply_to "$name")" '^4[0-9][0-9] '
	done
}

# taken FAULT NAME...: each was accepted.
taken() {
	local name
	for name in "${@:2}"; do
		check_match "$1: $name is taken" "$(reply_to "$name")" '^250 '
	done
}

# deliveries NAME: how many copies of a message reached the sink.
deliveries() { grep -rlF "Message-ID: <$1@inside.example>" "$stack/sink" 2> /dev/null | wc -l; }

delivered() { [[ $(deliveries "$1") -ge ${2:-1} ]]; }

# once FAULT NAME...: each arrived, exactly once.
once() {
	local name
	for name in "${@:2}"; do
		wait_for 20 delivered "$name"
	done
	sleep 0.5
	for name in "${@:2}"; do
		check_equal "$1: $name arrives exactly once" "$(deliveries "$name")" 1
	done
}

# no_leak FAULT: no clear word of a flagged message in the sink.
no_leak() { check_equal "$1: no clear copy in the sink" "$(sink_leaks "$secret")" ''; }

# nothing_came FAULT NAME...
nothing_came() {
	local name
	for name in "${@:2}"; do
		check_equal "$1: $name does not reach the sink" "$(deliveries "$name")" 0
	done
	no_leak "$1"
}

# log_lines REGEX: how often the gateway logged it.
log_lines() { grep -cE -- "$1" "$stack/log/gateway.log"; }

log_has() { [[ $(log_lines "$2") -ge $1 ]]; }

# hang_supervisor: it starts nothing again until release_supervisor.
hang_supervisor() { kill -STOP "$gateway_pid"; }

release_supervisor() { kill -CONT "$gateway_pid"; }

# kill_role ROLE: kill -9 of all its workers.
kill_role() {
	local pid pids
	pids=$(gateway_pids "$1")
	for pid in $pids; do
		kill -KILL "$pid"
	done
}

# role_started ROLE COUNT: the log tells of so many starts.
role_started() { log_has "$2" "notice started worker=sealgate-$1 "; }

starts() { log_lines "notice started worker=sealgate-$1 "; }
