#!/bin/bash
# What each kind of recipient gets, from one message and from many.
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
stack_start ways
people
mail_file plain 'Lunch'
mail_file secure '[secure] Offer'

send alice@inside.example plain@outside.example "$stack/plain"
check "unflagged mail is accepted" test "${reply%% *}" = 250
sink_wait_for plain@outside.example
check "unflagged mail arrives as it was" grep -qF "$stack_word" "$(sink_for plain@outside.example)"
check_equal "its own fields are untouched" \
	"$(sink_message "$(sink_for plain@outside.example)" | grep -E '^(From|To|Subject):')" \
	"$(grep -E '^(From|To|Subject):' "$stack/plain")"
sink_clear

send alice@inside.example cert@outside.example "$stack/secure"
check "a flagged message to a certificate's owner is accepted" test "${reply%% *}" = 250
sink_wait_for cert@outside.example
check "it arrives as an envelope that opens" is_envelope cert@outside.example
check "nothing clear is in the sink" no_clear
sink_clear

send alice@inside.example word@outside.example "$stack/secure"
sink_wait_for word@outside.example
check "to a password's owner it arrives as a PDF that opens" is_pdf word@outside.example
check_match "the subject outside is the placeholder" \
	"$(sink_message "$(sink_for word@outside.example)" | grep '^Subject:')" 'Subject: Protected message'
sink_clear

send alice@inside.example cert@outside.example,word@outside.example "$stack/secure"
sink_wait_for cert@outside.example
sink_wait_for word@outside.example
check "to both: one gets an envelope" is_envelope cert@outside.example
check "to both: the other gets a PDF" is_pdf word@outside.example
check_not "no mark is left on what leaves" grep -rqi '^X-Sealgate-' "$stack/sink"
sink_clear

send alice@inside.example cert@outside.example,none@outside.example "$stack/secure"
check_match "one recipient without a way: refused for all" "$reply" '^550 5\.7\.'
check "and nobody got anything" test "$(sink_count)" -eq 0
check_match "the reason is in words" "$reply" 'No protection is possible for none@outside.example'

check "the queue is empty" queue_empty
id=$(sed -n 's/^sealgate-milter: \([0-9A-Za-z]*\): notice sealed stage=1.*/\1/p' "$stack/log/gateway.log" | head -n 1)
check "sealgate trace shows what was decided" sg trace "$id"
check_match "with the way" "$(sg trace "$id")" 'envelope'
