#!/bin/bash
# Mail that is requeued, held back, or carries a mark that is not ours, never leaves in clear.
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
stack_start requeue
people
mail_file secure '[secure] Offer'

# the second stage cannot be reached for a moment: the gateway stands still
gateway_break() { postconf -c "$stack/config" -e "defer_transports = seal" && postfix_reload "$stack"; }
gateway_mend() { postconf -c "$stack/config" -X defer_transports && postfix_reload "$stack"; }
id_of() { postfix_queue "$stack" | awk 'NR == 1 { print $1 }'; }
queued() { [[ -n $(id_of) ]]; }

gateway_break
send alice@inside.example cert@outside.example,word@outside.example "$stack/secure"
check "accepted for the second stage" test "${reply%% *}" = 250
check "it waits in the queue" wait_for 5 queued
postsuper -c "$stack/config" -r "$(id_of)" 2> "$stack/log/postsuper.out"
sleep 1
gateway_mend
postfix_flush "$stack"
sink_wait_for cert@outside.example
sink_wait_for word@outside.example
check "requeued: one gets an envelope" is_envelope cert@outside.example
check "requeued: the other a PDF" is_pdf word@outside.example
check "nothing clear is in the sink" no_clear
sink_clear

# the gateway dies between the stages: Postfix keeps the mail and brings it later, once
gateway_break
send alice@inside.example cert@outside.example,word@outside.example "$stack/secure"
gateway_stop
gateway_mend
postfix_flush "$stack"
sleep 2
check "without the gateway nothing arrives" test "$(sink_count)" -eq 0
check "the message waits" queued
gateway_start
postfix_flush "$stack"
sink_wait_for cert@outside.example 1 40
sink_wait_for word@outside.example 1 40
check "with the gateway back: an envelope, once" is_envelope cert@outside.example
check "and a PDF, once" is_pdf word@outside.example
check "nothing clear is in the sink" no_clear
sink_clear

# somebody else's mark
mail_file forged 'Hello' 'X-Sealgate-Mark: 1 inside 00112233445566778899aabbccddeeff 00'
send_from 192.0.2.7 eve@foreign.example plain@outside.example "$stack/forged"
sink_wait_for plain@outside.example 1 5
check_not "a forged mark does not pass" grep -rqi '^X-Sealgate-Mark' "$stack/sink"
check "and does not stay in the queue" wait_for 10 queue_empty

# straight into the second stage
smtp_port_front=$smtp_port
smtp_port=$stage_port
send alice@inside.example plain@outside.example "$stack/secure"
check_match "the second stage takes nothing without a mark" "$reply" '^5[0-9][0-9] 5\.7\.1'
smtp_port=$smtp_port_front
