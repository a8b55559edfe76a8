#!/bin/bash
# What senders are told by mail: refused behind the front, sealed how; in their language, once.
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
stack_main=("virtual_mailbox_domains = inside.example" "virtual_mailbox_maps = static:all/"
	"virtual_minimum_uid = 1" "virtual_uid_maps = static:$stack_uid"
	"virtual_gid_maps = static:$stack_uid")
stack_notices='"refused", "sealed"'

boxes() { find "$stack/boxes" -type f -path '*/new/*' 2> /dev/null; }
# box_with TEXT: the mails in which a line begins so.
box_with() { boxes | xargs -r grep -l -- "^$1" 2> /dev/null; }
box_has() { [[ $(box_with "$1" | wc -l) -ge $2 ]]; }
defer() {
	postconf -c "$stack/config" -e "defer_transports = $1"
	postfix_reload "$stack"
}

stack_start notices
people
for name in bob carol dave; do sg password generate "$name@outside.example" > "$stack/log/$name.out" 2>&1; done
mkdir -p "$stack/boxes/all"
chown -R "$stack_uid:$stack_uid" "$stack/boxes"
postconf -c "$stack/config" -e "virtual_mailbox_base = $stack/boxes"
mail_file german '[secure] Angebot' 'Accept-Language: de-DE, en;q=0.5' 'Message-ID: <g1@inside.example>'
mail_file english '[secure] Offer' 'Message-ID: <e1@inside.example>'
mail_file list '[secure] News' 'List-Id: <news.inside.example>' 'Message-ID: <l1@inside.example>'

defer seal
send alice@inside.example bob@outside.example,cert@outside.example "$stack/german"
check_match "accepted" "$reply" '^250'
send alice@inside.example carol@outside.example,word@outside.example "$stack/english"
send alice@inside.example dave@outside.example,word@outside.example "$stack/list"
check "how it goes is told once a message, and not to a list" wait_for 20 box_has 'Message-ID: <[0-9a-f]*\.notice@' 2
for name in bob carol dave; do sg password remove "$name@outside.example" > "$stack/log/$name.out" 2>&1; done
defer ""
postfix_flush "$stack"
check "a refusal is told" wait_for 30 box_has 'Message-ID: <[0-9a-f]*\.notice@' 4
check "and by Postfix, as ever" wait_for 20 box_has 'Subject: Undelivered Mail' 3
check "the queue is empty" wait_for 20 queue_empty
sleep 1.2
check_equal "four in all" "$(box_with 'Message-ID: <[0-9a-f]*\.notice@' | wc -l)" 4

german=$(box_with 'Sie wurde nicht gesendet an:')
check "as an answer of a program" grep -q '^Auto-Submitted: auto-replied' "$german"
check "in German" test -f "$german"
check "its header says so" grep -q '^Content-Language: de' "$german"
check "it is an answer to the message" grep -q '^In-Reply-To: <g1@inside.example>' "$german"
check "from nobody" grep -q '^Return-Path: <>' "$german"
check "for whom" grep -q '^  bob@outside.example$' "$german"
check_not "and for nobody else" grep -q cert@outside.example "$german"
check "why" grep -q 'weder ein brauchbares Zertifikat' "$german"
check_not "without a mark" grep -q '^X-Sealgate' "$german"
check_not "without the subject, which is hidden outside" grep -q Angebot "$german"
english=$(box_with 'It was not sent to:')
check "in English where nobody says otherwise" grep -q '^In-Reply-To: <e1@inside.example>' "$english"
check "for whom, in English" grep -q '^  carol@outside.example$' "$english"
sealed=$(box_with 'This is how it goes to each recipient:')
check "how it goes" grep -A1 '^  word@outside.example:$' "$sealed"
check_match "by which way" "$(grep -A1 '^  word@outside.example:$' "$sealed" | tail -n 1)" \
	'^    encrypted PDF with the recipient.s own password'
check_match "to the other, in German" "$(grep -h -A1 '^  cert@outside.example:$' "$(box_with 'So geht sie an')" | tail -n 1)" \
	'^    verschl.*S/MIME'
check_not "no word of a body is told" grep -rq "$stack_word" "$stack/boxes"
sink_wait 3
check "the others get theirs" is_envelope cert@outside.example

# ---- a sender that nobody has ----

postconf -c "$stack/config" -e "virtual_mailbox_maps = inline:{alice@inside.example=all/}"
postfix_reload "$stack"
send gone@inside.example word@outside.example "$stack/english"
check_match "accepted from an address without a mailbox" "$reply" '^250'
check "its notice is given up at once" wait_for 20 grep -q 'notice-given-up.*to=gone@inside.example' "$stack/log/gateway.log"
