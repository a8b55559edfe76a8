#!/bin/bash
# Who may flag: by the client's network or login, never by MAIL FROM alone.
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
stack_tenant='logins = { "alice*" }'
stack_start flag
people
mail_file secure '[secure] Offer'
sed 's/alice@inside.example/eve@foreign.example/' "$stack/secure" > "$stack/outsider"

send_from 192.0.2.7 alice@inside.example cert@outside.example "$stack/secure"
check_match "our domain, but no proof: refused, never clear" "$reply" '^550 5\.7\.1 '
send_from 192.0.2.7 eve@foreign.example cert@outside.example "$stack/secure"
check_match "our domain in From alone, but no proof: refused" "$reply" '^550 5\.7\.1 '
check "nobody got anything" test "$(sink_count)" -eq 0

send_as alice 192.0.2.7 alice@inside.example cert@outside.example "$stack/secure"
sink_wait_for cert@outside.example
check "by login: sealed" is_envelope cert@outside.example
sink_clear

send_as mallory 192.0.2.7 alice@inside.example cert@outside.example "$stack/secure"
check_match "another login: refused" "$reply" '^550 5\.7\.1 '

send alice@foreign.example cert@outside.example "$stack/secure"
check_match "proven, with a foreign MAIL FROM: refused" "$reply" '^550 5\.7\.1 '

send_from 192.0.2.7 eve@foreign.example cert@outside.example "$stack/outsider"
check "an outsider's tag is ignored" test "${reply%% *}" = 250
sink_wait_for cert@outside.example
check_match "and the message is untouched" "$(sink_message "$(sink_for cert@outside.example)" | grep '^Subject')" \
	'^Subject: \[secure\] Offer$'
sink_clear

# the null sender is a bounce, never flagged by what it quotes
mail_file bounce 'Undelivered: [secure] Offer' 'Auto-Submitted: auto-replied'
send_from 192.0.2.7 '<>' cert@outside.example "$stack/bounce"
check "the null sender is no sender of ours" test -n "$reply"

for subject in 'Offer [SECURE]' 'Re: [secure] Offer' '=?utf-8?q?=5Bsecure=5D_Offer?=' '[secure, envelope] Offer'; do
	sink_clear
	mail_file tag "$subject"
	send alice@inside.example cert@outside.example "$stack/tag"
	sink_wait_for cert@outside.example
	check "flags: $subject" is_envelope cert@outside.example
done
sink_clear
mail_file tag 'Offer' 'X-Sealgate: secure'
send alice@inside.example cert@outside.example "$stack/tag"
sink_wait_for cert@outside.example
check "flags: X-Sealgate: secure" is_envelope cert@outside.example
check_not "the header does not leave" grep -rqi '^X-Sealgate' "$stack/sink"
