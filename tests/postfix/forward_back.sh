#!/bin/bash
# A mail server behind this one forwards, or a mailbox does: what comes back has its mark and is sealed.
# And what goes round in circles ends, once, without a word of the body.
set -uo pipefail

# shellcheck source=tests/postfix/forward.bash
. "$(dirname "$0")/forward.bash"

# The server behind: it takes all mail for inside.example and sends what it forwards to this one.
inner_make() {
	inner=$stack/inner
	postfix_make "$inner" "$inner_port" "$smtp_port"
	postconf -c "$inner/config" -e myhostname=inner.inside.example hopcount_limit=16 \
		"transport_maps=inline:{ { $alice=smtp:[127.0.0.1]:$sink_port } { keeper@inside.example=smtp:[127.0.0.1]:$sink_port } }"
	printf 'frank@inside.example %s\nsales@inside.example keeper@inside.example, %s\ndead@inside.example %s\n' \
		"$bob" "$carol" "$eve" > "$inner/config/virtual"
	postfix_start "$inner" || exit 1
	trap 'postfix_stop "$inner"; stack_exit' EXIT
}

both_gone() { wait_for 30 both_empty && sleep 0.3 && both_empty; }
both_empty() { queue_empty && [[ -z $(postqueue -c "$inner/config" -j 2>&1) ]]; }

case_relay() {
	flagged 'behind' frank@inside.example
	check 'behind: nothing waits' both_gone
	copies 'behind: it came back and was sealed' "$bob" 1
	enveloped 'behind' "$(the_copy "$bob")" "$bob"
	outside_is_sealed 'behind'
	sink_clear
	flagged 'behind, with a copy' sales@inside.example
	check 'behind, with a copy: nothing waits' both_gone
	copies 'behind, with a copy: sealed' "$carol" 1
	pdfed 'behind, with a copy' "$(the_copy "$carol")"
	copies 'behind, with a copy: the mailbox' keeper@inside.example 1
	check_equal 'behind, with a copy: readable there' \
		"$(grep -cF "$secret" "$(the_copy keeper@inside.example)")" 1
	check_equal 'behind, with a copy: nothing clear outside' \
		"$(sink_leaks "$secret" | grep -vxF "$(the_copy keeper@inside.example)")" ''
	sink_clear
	flagged 'behind, to a dead end' dead@inside.example
	check 'behind, to a dead end: nothing waits' both_gone
	copies 'behind, to a dead end: nothing' "$eve" 0
	copies 'behind, to a dead end: the sender is told' "$alice" 1
	outside_is_sealed 'behind, to a dead end'
	sink_clear
}

case_loop() {
	flagged 'loop' loop@inside.example
	check 'loop: it ends' both_gone
	copies 'loop: the sender is told once' "$alice" 1
	check_match 'loop: why' "$(cat "$(the_copy "$alice")")" '5\.4\.[06]|[Tt]oo many hops'
	check_equal 'loop: nothing else' "$(sink_count)" 1
	outside_is_sealed 'loop'
	sink_clear
	{
		for i in {1..60}; do
			printf 'Received: from a%d.example by b%d.example; Tue, 03 Nov 2026 10:20:30 +0100\n' "$i" "$i"
		done
		cat "$stack/loop.eml"
	} > "$stack/hops.eml"
	check_not 'too many hops: refused' mail_out "$stack/hops.eml" "<$alice>" "<$bob>"
	check_match 'too many hops: 5.4.0' "$reply" '^554 5\.4\.0 '
	check_equal 'too many hops: nothing' "$(sink_count)" 0
}

# What LMTP and pipe deliver may be sent on by whoever stands behind them.
case_lmtp() {
	flagged 'lmtp' box@inside.example
	check 'lmtp: delivered' sink_wait 1 20 "$stack/lmtp"
	check_equal 'lmtp: readable' "$(grep -rlF "$secret" "$stack/lmtp" | wc -l)" 1
	sink_message "$(find "$stack/lmtp" -type f)" > "$stack/lmtp.eml"
	check 'lmtp: sent on' env SENDER="$alice" "$stack/resend" "$smtp_port" "$bob" < "$stack/lmtp.eml"
	all_gone
	copies 'lmtp, sent on: sealed' "$bob" 1
	enveloped 'lmtp, sent on' "$(the_copy "$bob")" "$bob"
	outside_is_sealed 'lmtp, sent on'
	sink_clear
}

case_pipe() {
	flagged 'pipe' robot@inside.example
	copies 'pipe: sealed' "$carol" 1
	pdfed 'pipe' "$(the_copy "$carol")"
	outside_is_sealed 'pipe'
	sink_clear
	flagged 'pipe, to a dead end' stray@inside.example
	copies 'pipe, to a dead end: nothing' "$eve" 0
	copies 'pipe, to a dead end: the sender is told' "$alice" 1
	outside_is_sealed 'pipe, to a dead end'
	sink_clear
}

boxes_make() { mkdir "$stack/forward" "$stack/mailboxes"; }
stack_main=(queue_run_delay=1s hopcount_limit=50)
flow_start forward-back
pick_port && inner_port=$port_out
pick_port && lmtp_port=$port_out
sink_start "$stack/lmtp" "$lmtp_port" -L
resend_make
inner_make
cat >> "$stack/config/master.cf" <<-END
	robot unix - n n - - pipe flags=R user=nobody argv=$stack/resend $smtp_port $carol
	stray unix - n n - - pipe flags=R user=nobody argv=$stack/resend $smtp_port $eve
END
cat > "$stack/config/transport" <<-END
	$alice smtp:[127.0.0.1]:$sink_port
	box@inside.example lmtp:inet:127.0.0.1:$lmtp_port
	robot@inside.example robot:
	stray@inside.example stray:
	inside.example smtp:[127.0.0.1]:$inner_port
END
attach_again "transport_maps=texthash:$stack/config/transport" relay_domains=inside.example hopcount_limit=16
case_relay
case_lmtp
case_pipe
case_loop
