#!/bin/bash
# A recipient becomes impossible after acceptance: the sender is told, the others get theirs.
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
stack_main=("defer_transports = seal")
stack_start later
people
mail_file secure '[secure] Offer'
send alice@inside.example cert@outside.example,word@outside.example "$stack/secure" \
	--header 'X-Unused: 1'
check "accepted" test "${reply%% *}" = 250
sg password remove word@outside.example > "$stack/log/remove.out" 2>&1
postconf -c "$stack/config" -X defer_transports
postfix_reload "$stack"
postfix_flush "$stack"
sink_wait_for cert@outside.example
check "the other gets the envelope" is_envelope cert@outside.example
sink_wait_for alice@inside.example
check "the sender is told" test -n "$(sink_for alice@inside.example)"
check "of the recipient" grep -qF word@outside.example "$(sink_for alice@inside.example)"
check "without the body" no_clear
check_not "the impossible one got nothing" test -n "$(sink_for word@outside.example)"
check "the queue is empty" wait_for 10 queue_empty
