#!/bin/bash
# What waits for TLS stays what it is: postsuper -r, flush, a second arrival, TLS-Required: No, a peer
# that mends its TLS.
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
# shellcheck source=tests/lib/internet.bash
. "$(dirname "$0")/../lib/internet.bash"
# shellcheck source=tests/lib/internet_table.bash
. "$(dirname "$0")/../lib/internet_table.bash"
stack_tenant='protections = { "tls", "pdf" }'
internet_start
# nothing falls back or is told in the time of this test
stack_tls=${stack_tls/wait = 1s/wait = 10m}
stack_tls=${stack_tls/tell = 1s/tell = 10m}
stack_start tls-requeue
domains=(wrong.example stripped.example clear.plain)
people_at dane.example "${domains[@]}"

queue_ids() { postfix_queue "$stack" | awk '{ print $1 }' | sort -u; }
waits_with() { postfix_queue "$stack" | grep -F " $1 " | grep -qE "$2"; }
state() { look "$@"; for domain; do printf '%s ' "${now[order@$domain]}" "${now[envelope@$domain]}"; done; }

mail_to order wrong.example stripped.example
mail_to envelope wrong.example stripped.example clear.plain
check "plan tls, wrong TLSA: waits, and the queue says why" \
	wait_for 10 waits_with order@wrong.example 'no proven TLS at mx.wrong.example.*Server certificate not'
check "plan tls, STARTTLS stripped: the same" \
	wait_for 10 waits_with order@stripped.example 'TLS is required, but was not offered'
check "sealed, wrong TLSA" wait_for 10 waits_with envelope@wrong.example 'Server certificate not'
check "sealed, no STARTTLS" wait_for 10 waits_with envelope@clear.plain 'TLS is required, but was not offered'

# postsuper -r throws FILTER away and asks no milter
for n in 1 2; do
	queue_ids | postsuper -c "$stack/config" -r - 2>> "$stack/log/postsuper.out"
	sleep 2
	postfix_flush "$stack"
	sleep 2
done
check_equal "requeued twice: all of it waits" "$(state "${domains[@]}")" "waits waits waits waits unsent waits "
check "requeued: plan tls is still that" \
	wait_for 15 waits_with order@stripped.example 'TLS is required, but was not offered'
check "requeued: sealed mail is still that" \
	wait_for 15 waits_with envelope@clear.plain 'TLS is required, but was not offered'
check_equal "and nothing has gone out" "$(arrivals | wc -l)" 0

# ---- a message that waits says why ----

id=$(sed -n "s/.* \([0-9A-F]*\): to=<order@stripped.example>.*/\1/p" "$stack/log/mail.log" | head -n 1)
traced() { sg trace "$1" | grep -qE "$2"; }
check "sealgate trace of a message that waits shows why" \
	wait_for 10 traced "<order.stripped.example@client.example>" 'TLS is required, but was not offered'
check "by its queue id, too" wait_for 5 traced "$id" 'TLS is required'

# ---- RFC 8689: TLS-Required: No is a wish of the sender's for other mail ----

mail_header='TLS-Required: No'
mail_to tls dane.example wrong.example
mail_to pdf clear.plain
mail_header=
check "TLS-Required: No, plan tls: delivered over proven TLS" arrives tls@dane.example
look dane.example
check_equal "as if it were not there" "${now[tls@dane.example]}" clear/TLSv1.3/Verified
check_not "and the field is gone" grep -qi '^TLS-Required' "$(arrived tls@dane.example)"
check "TLS-Required: No, wrong TLSA: waits" \
	wait_for 10 waits_with tls@wrong.example 'Server certificate not'
check "TLS-Required: No, sealed, no STARTTLS: waits" \
	wait_for 10 waits_with pdf@clear.plain 'TLS is required, but was not offered'

# ---- the same mark a second time at the fallback ----

# what waits, as it lies in the queue
id=$(postfix_queue "$stack" | awk '$3 == "order@stripped.example" { print $1 }')
postcat -c "$stack/config" -qbh "$id" > "$stack/again"
# wait is over: what falls back is taken once
sed -i 's/wait = 10m/wait = 1s/' "$stack/sealgate.conf"
kill -HUP "$gateway_pid"
postfix_flush "$stack"
seen() { [[ -n $(arrived order@stripped.example) ]] || { postfix_flush "$stack"; sleep 1; false; }; }
check "tls.wait over: it fell back" wait_for 20 seen
look stripped.example
check_equal "to a PDF" "${now[order@stripped.example]}" pdf/tcp
smtp_port_front=$smtp_port
smtp_port=$fallback_port
send alice@inside.example order@stripped.example "$stack/again"
check_match "a second arrival of the same mark is not taken" "$reply" '^(451|550) '
smtp_port=$smtp_port_front
# what was delivered, from the world to the loopback port
kept=$(grep -m 1 -h '^X-Sealgate-Kept:' "$(arrived tls@dane.example)")
check_match "the mark that left says nothing" "$kept" '^X-Sealgate-Kept: v=1; t=inside; i=[0-9a-f]*; h=[0-9a-f]*$'
sed '1,/^Received:/ { /^[A-Z].*-To:\|^Return-Path/d }' "$(arrived tls@dane.example)" > "$stack/again"
smtp_port_front=$smtp_port
smtp_port=$fallback_port
send alice@inside.example tls@dane.example "$stack/again"
check_match "what was delivered is not taken at the fallback" "$reply" '^(451|550) '
smtp_port=$smtp_port_front
check_equal "nobody got anything twice" "$(arrivals | grep -v '^alice@' | cut -d ' ' -f 1 | sort | uniq -d)" ''
end_of_table
