#!/bin/bash
# recycle.sh: PDF workers end after some messages and are renewed: no message waits for it, and nothing
# is logged as an error.

# shellcheck source=tests/faults/faults.bash
. "$(dirname "$0")/faults.bash"

stack_conf='pdf { messages_max = 2 }'
faults_start recycle
names=()
for n in {1..7}; do
	names+=("again$n")
	message "again$n" '[secure] the plan'
	send "$alice" "$carol" "$stack/again$n.eml"
	printf '%s\n' "$reply" > "$stack/again$n.reply"
done
taken 'workers renewed' "${names[@]}"
once 'workers renewed' "${names[@]}"
no_leak 'workers renewed'
renewed() { [[ $(grep -c 'renewed worker=sealgate-pdf' "$stack/log/gateway.log") -ge 2 ]]; }
check 'workers are renewed' wait_for 10 renewed
