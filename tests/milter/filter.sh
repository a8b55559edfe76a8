#!/bin/bash
# filter.sh: the running filter, spoken to by miltertest: what it asks for, edits and answers.
# expect-error: refused|deferred

# shellcheck source=tests/postfix/flow.bash
. "$(dirname "$0")/../postfix/flow.bash"
stack_attach=no
stack_scan='infected = hold'
stack_tls='sealed = encrypt'

command -v miltertest > /dev/null || {
	echo 'skip all miltertest is missing (package miltertest)'
	exit 0
}
flow_start milter
bash "$stack_root/tests/lib/sigdb.sh" --eicar > "$stack/eicar.com"
miltertest -D "socket=unix:$stack/socket/milter.sock" -D "eicar=$stack/eicar.com" \
	-s "$(dirname "$0")/filter.lua" > "$stack/log/miltertest.out" 2>&1
check_equal 'miltertest ran to its end' "$?" 0
cat "$stack/log/miltertest.out"
if grep -q '^not ok ' "$stack/log/miltertest.out"; then stack_failed=1; fi
check 'the filter lives' test -n "$(gateway_pids milter)"
check_equal 'the filter has not been started again' "$(grep -c 'notice started worker=sealgate-milter ' \
	"$stack/log/gateway.log")" 1
