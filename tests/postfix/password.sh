#!/bin/bash
# Passwords that senders choose or are told: the letter, the PDF, the tag, crashes in between.
# Deaths of sealgate-notify are made here on purpose:
# expect-error: worker-ended worker=sealgate-notify
# expect-error: password-not-told-yet
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
stack_main=("virtual_mailbox_domains = inside.example" "virtual_mailbox_maps = static:all/"
	"virtual_minimum_uid = 1" "virtual_uid_maps = static:$stack_uid"
	"virtual_gid_maps = static:$stack_uid")
stack_tenant='logins = { "*@inside.example" }'

box_make() {
	mkdir -p "$stack/boxes/all"
	chown -R "$stack_uid:$stack_uid" "$stack/boxes"
	postconf -c "$stack/config" -e "virtual_mailbox_base = $stack/boxes"
	postfix_reload "$stack"
}
letters() { find "$stack/boxes" -type f -path '*/new/*' 2> /dev/null; }
letter_count() { letters | wc -l; }
has_letters() { [[ $(letter_count) -ge $1 ]]; }
box_clear() { find "$stack/boxes" -type f -delete; }
# told: the password in the only letter.
told() { letters | head -n 1 | xargs -r cat | grep -oE '[a-zA-Z2-9]{4}(-[a-zA-Z2-9]{4}){3}' | head -n 1; }
nowhere() { ! grep -rqaF -- "$1" "$stack/log" "$stack/sink" "$stack/state" "$stack/queue"; }
as_alice() { send_as alice@inside.example 192.0.2.7 alice@inside.example "$@"; }
# opens ADDRESS PASSWORD
opens() {
	local file
	file=$(sink_for "$1")
	[[ -f $file ]] || { echo "not exactly one message for $1: $file"; return 1; }
	rm -rf "$stack/opened"
	open_pdf "$file" "$2" "$stack/opened" && grep -qF "$stack_word" "$stack/opened/text"
}

stack_start password
people
box_make
mail_file secure '[secure] Offer' 'Accept-Language: de-DE, en;q=0.5'
mail_file chosen '[secure pass:green-Otter-77-lamp] Offer'
mail_file weak '[secure pass:Sommer2026] Offer'
mail_file reply 'Re: [secure pass:green-Otter-77-lamp] Offer'

# ---- generated, and told ----

as_alice new@outside.example "$stack/secure"
check_match "a message to somebody without a password is accepted" "$reply" '^250'
sink_wait_for new@outside.example
check "the sender gets a letter" wait_for 20 has_letters 1
word=$(told)
check "with the password that opens the PDF" opens new@outside.example "$word"
check "its pages speak the language of the message" grep -q 'Verschlüsseltes PDF' "$stack/opened/text"
letter=$(letters | head -n 1)
check "in the language of the message" grep -q '^Content-Language: de' "$letter"
check "that no program answers" grep -q '^Auto-Submitted: auto-generated' "$letter"
check "from the null sender" grep -q '^Return-Path: <>' "$letter"
check_not "without a mark" grep -q '^X-Sealgate-Mark' "$letter"
check "the letter names the recipient" grep -qF new@outside.example "$letter"
check "the password stands nowhere else" nowhere "$word"
sleep 2
check_equal "and it comes once" "$(letter_count)" 1
sink_clear
box_clear

as_alice one@outside.example,two@outside.example,word@outside.example "$stack/secure"
sink_wait_for one@outside.example
sink_wait_for two@outside.example
sink_wait_for word@outside.example
check "to several: a letter" wait_for 20 has_letters 1
sleep 2
check_equal "one alone" "$(letter_count)" 1
word=$(told)
check "the same password for the first" opens one@outside.example "$word"
check "and the second" opens two@outside.example "$word"
check "who has an own one keeps it" opens word@outside.example "$password"
check_not "and is not named" grep -qF word@outside.example "$(letters | head -n 1)"
sink_clear
box_clear

send alice@inside.example new@outside.example "$stack/secure"
check_match "a sender who has not logged in is not told: refused" "$reply" '^550 5\.7\.'
send_as bob@inside.example 192.0.2.7 alice@inside.example new@outside.example "$stack/secure"
check_match "nor another's login" "$reply" '^550 5\.7\.'
check_equal "nothing went out" "$(sink_count)" 0

# ---- chosen ----

send alice@inside.example new@outside.example "$stack/chosen"
check_match "a chosen password needs no login" "$reply" '^250'
sink_wait_for new@outside.example
check "and opens the PDF" opens new@outside.example green-Otter-77-lamp
check_not "the original inside has no tag" grep -rqaF Otter "$stack/opened" --include=*.eml
check "it stands nowhere" nowhere green-Otter-77-lamp
sink_clear

send alice@inside.example new@outside.example,frank@inside.example "$stack/chosen"
sink_wait_for new@outside.example
check "with an own user beside: it opens" opens new@outside.example green-Otter-77-lamp
check "the own user gets it readable" wait_for 20 has_letters 1
check_match "without the tag" "$(grep -h '^Subject' "$(letters | head -n 1)")" '^Subject: Offer$'
check "it stands nowhere, again" nowhere green-Otter-77-lamp
sink_clear
box_clear

send alice@inside.example new@outside.example "$stack/weak"
check_match "a weak one is refused" "$reply" '^550 5\.7\.1 .*cannot be used'
check_not "without repeating it" grep -q Sommer2026 <<< "$reply"
check "nor in the log" nowhere Sommer2026
send alice@inside.example new@outside.example "$stack/reply"
check_match "behind Re: it is refused" "$reply" '^550 5\.7\.1 .*before any Re:'
send_from 198.51.100.7 x@other.example alice@inside.example "$stack/reply"
check_match "an outsider who claims to be Alice is refused" "$reply" '^550'
sed -i 's/^From:.*/From: x@other.example/' "$stack/reply"
send_from 198.51.100.7 x@other.example alice@inside.example "$stack/reply"
check_match "an outsider's is ignored" "$reply" '^250'
check "and arrives as it was" wait_for 20 has_letters 1
check "with its subject" grep -qF 'Subject: Re: [secure pass:' "$(letters | head -n 1)"
check_equal "nothing went out" "$(sink_count)" 0
box_clear

# ---- the notifier dies ----

# Postfix takes the letter slowly: the scanner waits at the end of it.
notify_stop() { kill -STOP "$(gateway_pids notify)"; }
notify_kill() { kill -KILL "$(gateway_pids notify)"; }
notify_runs() { [[ -n $(gateway_pids notify) ]]; }
notify_stop
as_alice new@outside.example "$stack/secure"
check_match "accepted while nobody tells" "$reply" '^250'
notify_kill
check "after a kill before the letter it comes" wait_for 30 has_letters 1
sleep 2
check_equal "once" "$(letter_count)" 1
box_clear

# killed when Postfix has it and the outbox still has it, too: the vault does not answer then
notify_stop
as_alice other@outside.example "$stack/secure"
taken() { [[ $(grep -c 'letter with a password' "$stack/log/gateway.log") -gt $1 ]]; }
before=$(grep -c 'letter with a password' "$stack/log/gateway.log")
kill -CONT "$(gateway_pids notify)"
for ((i = 0; i < 400; i++)); do
	if taken "$before"; then
		notify_kill 2> /dev/null
		break
	fi
	sleep 0.01
done
check "after a kill behind it, it has come" wait_for 30 has_letters 1
wait_for 10 notify_runs
sleep 4
check_equal "once, all the same" "$(letter_count)" 1
box_clear

# ---- Postfix does not take it ----

# own mail leaves by SMTP without TLS now: no letter goes that way
postconf -c "$stack/config" -e "virtual_mailbox_domains ="
postfix_reload "$stack"
as_alice third@outside.example "$stack/secure"
check_match "accepted" "$reply" '^250'
check "a letter that could leave without proven TLS is refused, and the log says so" \
	wait_for 20 grep -q password-not-told-yet "$stack/log/gateway.log"
check_equal "it is in no mailbox" "$(letter_count)" 0
check_equal "nor on its way out" "$(sink_for alice@inside.example)" ""
postconf -c "$stack/config" -e "virtual_mailbox_domains = inside.example"
postfix_reload "$stack"
postfix_flush "$stack"
check "but told when it can be" wait_for 40 has_letters 1
sleep 2
check_equal "once" "$(letter_count)" 1

# ---- history ----

sg password generate word@outside.example > "$stack/log/generate.out" 2>&1
list=$(sg password list --json)
check_equal "the list has the one in use and the one before" \
	"$(jq '[.[] | select(.address == "word@outside.example")] | length' <<< "$list")" 2
check_equal "with the time of its end" \
	"$(jq '[.[] | select(.address == "word@outside.example" and .replaced != null)] | length' <<< "$list")" 1
check_not "and no password" grep -qF "$password" <<< "$list"
check "the queue is empty" wait_for 20 queue_empty
