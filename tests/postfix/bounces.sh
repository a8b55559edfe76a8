#!/bin/bash
# What comes back for flagged mail, and what Postfix writes itself: header fields only, for whomever.
# shellcheck disable=SC2046
set -uo pipefail

# shellcheck source=tests/postfix/forward.bash
. "$(dirname "$0")/forward.bash"

post=post@far.example		# the postmaster, outside
nobody=unknown@bad.example	# has a certificate; its server does not know it
slow=slow@late.example		# has a certificate; its server is down

# header_only NAME FILE...: each is a report without a word of the body, whole or sealed.
header_only() {
	local name=$1 file
	shift
	check "$name: there is one" test -f "${1:-/nowhere}"
	for file in "$@"; do
		check_equal "$name: no word of the body" "$(grep -cF "$secret" "$file")" 0
		check_equal "$name: no message inside" "$(grep -ciE '^Content-Type: message/rfc822' "$file")" 0
		check_match "$name: the header fields" "$(cat "$file")" 'Content-Type: text/rfc822-headers'
	done
}

reports() {
	local files
	mapfile -t files < <(box alice)
	check_equal "$1: so many for the sender" "${#files[@]}" "$2"
	header_only "$1" "${files[@]}"
}

nothing_outside() { outside_is_sealed "$1"; boxes_clear; }

# sent NAME RECIPIENT-ARGUMENT...: with all that a sender can ask for.
sent() {
	local name=$1
	shift
	message "${name// /_}" '[secure] Plan'
	check "$name: accepted" mail_out "$stack/${name// /_}.eml" "<$alice> RET=FULL ENVID=e1" \
		"${@/%/ NOTIFY=SUCCESS,FAILURE,DELAY}"
}

# ---- failures ----

case_failures() {
	sent "$1unknown outside" "<$nobody>"
	check "$1unknown outside: decided" all_gone
	reports "$1unknown outside" 1
	nothing_outside "$1unknown outside"
	sent "$1unknown among others" "<$nobody>" "<$bob>"
	check "$1unknown among others: decided" all_gone
	copies "$1unknown among others: the other" "$bob" 1
	check_match "$1unknown among others: told" "$(cat $(box alice))" "$nobody"
	header_only "$1unknown among others" $(box alice)
	nothing_outside "$1unknown among others"
	sent "$1inside copy" '<frank@inside.example>'
	check "$1inside copy: decided" all_gone
	reports "$1inside copy" 1
	nothing_outside "$1inside copy"
	sent "$1forwarded" '<walter@inside.example>'
	check "$1forwarded: decided" all_gone
	check_match "$1forwarded: told" "$(cat $(box alice))" "$nobody"
	header_only "$1forwarded" $(box alice)
	nothing_outside "$1forwarded"
}

# ---- successes ----

# The sink's server would promise to report itself; a peer without DSN does not.
case_successes() {
	main_set smtp_discard_ehlo_keywords=dsn
	sent 'relayed' "<$bob>" "<$carol>"
	check 'relayed: decided' all_gone
	copies 'relayed: envelope' "$bob" 1
	header_only 'relayed' $(box alice)
	check_match 'relayed: says so' "$(cat $(box alice))" 'Action: relayed'
	nothing_outside 'relayed'
	sent 'delivered inside' '<games@inside.example>'
	check 'delivered inside: decided' all_gone
	check_match 'delivered inside: says so' "$(cat $(box alice))" 'Action: (delivered|relayed)'
	header_only 'delivered inside' $(box alice)
	nothing_outside 'delivered inside'
	message report '[secure] Plan'
	check 'sendmail -v: submitted' sendmail -C "$stack/config" -i -v -f "$alice" "$bob" games@inside.example \
		< "$stack/report.eml"
	check 'sendmail -v: arrives' sink_wait_for "$bob"
	check 'sendmail -v: decided' all_gone
	header_only 'sendmail -v' $(box alice)
	nothing_outside 'sendmail -v'
	main_set smtp_discard_ehlo_keywords=
}

# ---- delays ----

told_of_delay() { grep -lq 'Action: delayed' $(box alice); }

case_delays() {
	main_set delay_warning_time=1s
	sent 'delayed, sealed' "<$slow>"
	check 'delayed, sealed: the sender is told' wait_for 30 told_of_delay
	header_only 'delayed, sealed' $(box alice)
	postsuper -c "$stack/config" -d ALL 2> /dev/null
	nothing_outside 'delayed, sealed'
	seal_close
	sent 'delayed, marked' "<$bob>" "<$carol>"
	check 'delayed, marked: the sender is told' wait_for 30 told_of_delay
	header_only 'delayed, marked' $(box alice)
	main_set delay_warning_time=0h
	seal_open
	check 'delayed, marked: delivered' all_gone
	copies 'delayed, marked: in the end sealed' "$bob" 1
	nothing_outside 'delayed, marked'
}

# ---- copies for the postmaster ----

# to_postmaster NAME: reports have header fields at most, transcripts of sessions not even those.
to_postmaster() {
	check "$1: there is something for the postmaster" sink_for_has 1 "$post"
	check_equal "$1: no message inside" \
		"$(grep -liE '^Content-Type: message/rfc822' $(sink_for "$post"))" ''
	no_leaks "$1: nothing clear outside"
	boxes_clear
}

case_postmaster() {
	main_set 'notify_classes=bounce,2bounce,data,delay,policy,protocol,resource,software' \
		"bounce_notice_recipient=$post" "2bounce_notice_recipient=$post" \
		"delay_notice_recipient=$post" "error_notice_recipient=$post"
	sent 'postmaster' "<$nobody>" "<$bob>" '<frank@inside.example>'
	check 'postmaster: decided' all_gone
	to_postmaster 'postmaster'
	message ghost '[secure] Plan'
	check 'nobody to tell: accepted' mail_out "$stack/ghost.eml" '<ghost@inside.example> RET=FULL' \
		"<$nobody>" '<frank@inside.example>'
	check 'nobody to tell: decided' all_gone
	to_postmaster 'nobody to tell'
	main_set notify_classes=resource,software
}

boxes_main
stack_main+=(queue_run_delay=1s)
flow_start bounces
pick_port && bad_port=$port_out
pick_port && dead_port=$port_out
sink_start "$stack/bad" "$bad_port" -f RCPT
aliases "walter: $nobody"
cat > "$stack/config/transport" <<-END
	bad.example smtp:[127.0.0.1]:$bad_port
	late.example smtp:[127.0.0.1]:$dead_port
	frank@inside.example smtp:[127.0.0.1]:$bad_port
	ghost@inside.example smtp:[127.0.0.1]:$bad_port
END
attach_again "transport_maps=texthash:$stack/config/transport"
flow_certificate "$nobody"
flow_certificate "$slow"
case_failures ''
case_successes
case_delays
case_postmaster
# Postfix's own mail through filters and header checks, where an administrator wants that
main_set internal_mail_filter_classes=bounce,notify
case_failures 'filtered: '
