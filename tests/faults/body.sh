#!/bin/bash
# body.sh: the filter is killed in the middle of replacing a body. Postfix must not keep a mixture.
# expect-error: worker-ended|deferred|no-record

# shellcheck source=tests/faults/faults.bash
. "$(dirname "$0")/faults.bash"

# A copy of the programs whose filter dies at packet $1 of a new body; 0 lets it live.
doctored=$(mktemp -d /tmp/sealgate-body-bin.XXXXXX)
chmod 755 "$doctored"
gcc -shared -fPIC -O1 -D_GNU_SOURCE -o "$doctored/kill_at_body.so" \
	"$stack_root/tests/lib/kill_at_body.c" || exit 1
for program in "$stack_build"/sealgate{,-[a-z]*}; do
	program=${program##*/}
	[[ $program != sealgate-milter ]] || continue
	ln "$stack_build/$program" "$doctored/$program" 2> /dev/null ||
		cp "$stack_build/$program" "$doctored/$program"
done
cp "$stack_build/sealgate-milter" "$doctored/real-milter"
sealgate=$doctored/sealgate

arm() {
	cat > "$doctored/sealgate-milter.new" <<-END
		#!/bin/bash
		export LD_PRELOAD=$doctored/kill_at_body.so KILL_AT_BODY=$1
		exec -a sealgate-milter $doctored/real-milter "\$@"
	END
	chmod 755 "$doctored/sealgate-milter.new"
	mv "$doctored/sealgate-milter.new" "$doctored/sealgate-milter"
}

# big NAME: a flagged message of about 1 MB with clear words at its start, middle and end.
big() {
	message "$1" '[secure] the plan'
	for _ in {1..15}; do
		head -c 45000 /dev/urandom | base64
		printf 'Again: %s.\n' "$secret"
	done >> "$stack/$1.eml"
}

both_wait() { [[ $(postfix_queue "$stack" | grep -c " deferred ") -ge 2 ]]; }

filter_runs() { pgrep -P "$gateway_pid" real-milter; }

milter_restart() {
	local before
	before=$(starts milter)
	kill -KILL "$(pgrep -P "$gateway_pid" real-milter)"
	wait_for 20 role_started milter $((before + 1))
}

# dies NAME TO PACKET: first stage; the body would be replaced before the queue.
dies() {
	big "$1"
	before=$(starts milter)
	offer "$1" "$2"
	offers_wait
	deferred "killed at body packet $3" "$1"
	check "killed at body packet $3: the filter did die" wait_for 20 role_started milter $((before + 1))
	sleep 0.3
	check_equal "killed at body packet $3: nothing is queued" "$(postfix_queue "$stack")" ''
	nothing_came "killed at body packet $3" "$1"
}

arm 0
faults_start body
arm 1
milter_restart
dies envelope-1 "$bob" 1
arm 9
milter_restart
dies envelope-9 "$bob" 9
dies pdf-9 "$carol" 9

# second stage: the filter lives while the front marks (no body is replaced), dies at each sealing
big later
offer later "$bob,$carol"
offers_wait
taken 'killed in the second stage' later
check 'killed in the second stage: both recipients wait' \
	wait_for 20 both_wait
nothing_came 'killed in the second stage' later
arm 0
wait_for 20 filter_runs
milter_restart
postfix_flush "$stack"
wait_for 20 delivered later 2
sleep 0.5
check_equal 'filter back: one delivery for each recipient' "$(deliveries later)" 2
no_leak 'filter back'

big after
offer after "$bob"
offers_wait
taken 'filter back' after
once 'filter back' after
no_leak 'filter back, before the queue'
rm -rf "$doctored"
