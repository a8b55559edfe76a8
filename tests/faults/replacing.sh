#!/bin/bash
# The milter dies while Postfix takes the sealed body from it: no clear copy is ever queued.
# expect-error: .*
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
stack_start replacing
people
mail_file secure '[secure] Offer'
yes "A line of $stack_word that makes the body long enough to be caught half way through." |
	head -n 100000 >> "$stack/secure"

send_it() { send alice@inside.example cert@outside.example "$stack/secure"; }
works() { listens_milter && send alice@inside.example cert@outside.example "$stack/small"; }
listens_milter() { [[ -n $(gateway_pids milter) && -S $stack/socket/milter.sock ]]; }
mail_file small '[secure] Small'

start=${EPOCHREALTIME/./}
send_it
whole=$((${EPOCHREALTIME/./} - start))
check_match "undisturbed it is sealed" "$reply" '^250 '
# most of the time goes to sending; the answer of the milter falls into the last part
for percent in 50 60 70 75 80 85 88 91 94 97; do
	wait_for 30 works
	send_it &
	sender=$!
	sleep "$(awk -v w="$whole" -v p="$percent" 'BEGIN { print w * p / 1e8 }')"
	gateway_pids milter | xargs -r kill -KILL
	wait "$sender"
done
wait_for 30 works
wait_for 30 queue_empty
check "killed at ten moments: nothing clear left" no_clear
hits=$(grep -c "can't read SMFIC_BODYEOB reply" "$stack/log/mail.log")
check "it was hit at the end of a message at least once ($hits times)" test "$hits" -ge 1
send_it
check_match "and it works again" "$reply" '^250 '
check "nothing clear left" no_clear
