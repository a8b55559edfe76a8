#!/bin/bash
# long: make check-long and make ci run it, make check does not
# Marks that are not good: expired, of a tenant that is gone, folded, in another case, cut, doubled.
# expect-error: which is not configured
set -uo pipefail

# shellcheck source=tests/postfix/flow.bash
. "$(dirname "$0")/flow.bash"

# stage_mail FILE RCPT: to the port of the second stage.
stage_mail() {
	local status
	talk_to "$stage_port" && talk_mail "$1" "<$alice>" "${@:2}"
	status=$?
	talk_end
	return "$status"
}

# with NAME FIELD...: the message of that name with fields in front.
with() {
	{
		printf '%b\n' "${@:2}"
		cat "$stack/$1.eml"
	} > "$stack/with.eml"
}

# new_mark: flagged mail to an own user; $mark is what his copy keeps, for the body of "mark".
new_mark() {
	message mark '[secure] Mark'
	check "$1: a mark is made" mail_out "$stack/mark.eml" "<$alice>" "<$frank>"
	check "$1: the copy comes" sink_wait_for "$frank"
	mark=$(header "$(the_copy "$frank")" X-Sealgate-Kept)
	sed -i 's/^Subject: .*/Subject: Mark/' "$stack/mark.eml"
	sink_clear
}

# no_way NAME PATTERN: refused by the second stage; at the front it flags nothing and is taken off.
no_way() {
	check_not "$1: refused by the second stage" stage_mail "$stack/with.eml" "<$bob>"
	check_match "$1: why" "$reply" "$2"
	check "$1: at the front accepted" mail_via ADDR=192.0.2.66 "$stack/with.eml" '<olga@far.example>' "<$bob>"
	check "$1: decided" all_gone
	copies "$1: one copy" "$bob" 1
	check_equal "$1: the mark is taken off" "$(sink_message "$(the_copy "$bob")" | without_received)" \
		"$(cat "$stack/mark.eml")"
	sink_clear
}

# good NAME: flags at the front, and the second stage seals.
good() {
	check "$1: taken by the second stage" stage_mail "$stack/with.eml" "<$bob>"
	check "$1: taken by the front" mail_via ADDR=192.0.2.66 "$stack/with.eml" '<olga@far.example>' "<$carol>"
	check "$1: decided" all_gone
	copies "$1: envelope" "$bob" 1
	copies "$1: pdf" "$carol" 1
	enveloped "$1" "$(the_copy "$bob")" "$bob"
	pdfed "$1" "$(the_copy "$carol")"
	clean_of_marks "$1: no mark" "$(the_copy "$bob")"
	no_leaks "$1: nothing clear"
	sink_clear
}

case_spelling() {
	new_mark spelling
	with mark "X-Sealgate-Mark: $mark"
	good 'as made'
	with mark "x-SEALGATE-mark:$mark"
	good 'another case'
	with mark "X-Sealgate-Mark: ${mark/; /;\\r\\n\\t}"
	good 'folded'
	with mark "X-Sealgate-Mark: ${mark%?}"
	no_way 'cut' '^550 5\.7\.1 '
	with mark "X-Sealgate-Mark: ${mark}0"
	no_way 'longer' '^550 5\.7\.1 '
	with mark "X-Sealgate-Mark: ${mark/t=inside/t=second}"
	no_way 'of another tenant' '^550 5\.7\.1 '
	with mark 'X-Sealgate-Mark: '
	no_way 'empty' '^550 5\.7\.1 '
	with mark "X-Sealgate-Mark: $mark" "X-Sealgate-Mark: $mark"
	check_not 'doubled: refused by the second stage' stage_mail "$stack/with.eml" "<$bob>"
	check 'doubled: the front makes one' mail_via ADDR=192.0.2.66 "$stack/with.eml" '<olga@far.example>' "<$bob>"
	check 'doubled: decided' all_gone
	enveloped 'doubled' "$(the_copy "$bob")" "$bob"
	clean_of_marks 'doubled: no mark' "$(the_copy "$bob")"
	sink_clear
	with mark "X-Sealgate-Mark: $mark"
	printf 'One line more.\n' | tee -a "$stack/mark.eml" >> "$stack/with.eml"
	no_way 'on another body' '^550 5\.7\.1 '
}

# conf_load TEXT: the end of sealgate.conf, loaded while it runs.
conf_load() {
	local before
	before=$(grep -c ' notice reload' "$stack/log/gateway.log")
	stack_conf=$1
	gateway_conf
	kill -HUP "$gateway_pid"
	wait_for 20 conf_is_loaded "$before"
}

conf_is_loaded() { [[ $(grep -c ' notice reload' "$stack/log/gateway.log") -gt $1 ]]; }

# The tenant's mail waits until its administrator puts it back.
case_tenant_gone() {
	sed -i 's/alice@inside/uma@second/' "$stack/mark.eml"
	message gone '[secure] Gone'
	sed -i 's/alice@inside/uma@second/' "$stack/gone.eml"
	seal_close
	check 'tenant gone: accepted' mail_via ADDR=192.0.2.9 "$stack/gone.eml" '<uma@second.example>' "<$bob>" "<$dave>"
	check 'tenant gone: waits' waits_for 2
	check 'tenant gone: loaded' conf_load ''
	seal_open
	check 'tenant gone: tried' wait_for 20 grep -q 'status=deferred (host .*4\.' "$stack/log/mail.log"
	check_equal 'tenant gone: nothing has left' "$(sink_count)" 0
	check 'tenant back: loaded' conf_load "$second"
	postfix_flush "$stack"
	check 'tenant back: delivered' all_gone
	copies 'tenant back: envelope' "$bob" 1
	no_leaks 'tenant back: nothing clear'
	sink_clear
}

# expire: every mark that the vault has is over. (mark.life is days: too long for a test.)
expire() {
	local before
	before=$(grep -c ' notice ready' "$stack/log/gateway.log")
	gateway_stop
	# the vault has the database for itself until it has ended
	wait_for 60 expire_marks && gateway_start && wait_for 60 is_ready_again "$before"
}

is_ready_again() { [[ $(grep -c ' notice ready' "$stack/log/gateway.log") -gt $1 ]]; }

expire_marks() {
	setpriv --reuid $((stack_uid + 3)) --regid $((stack_uid + 3)) --clear-groups \
		sqlite3 "$stack/state/vault.db" 'UPDATE mark SET expires_ms = created_ms + 1'
}

# What is queued when the key changes is sealed as it would have been.
case_old_key() {
	new_mark 'old key'
	seal_close
	message rotated '[secure] Rotated'
	check 'old key: accepted' mail_out "$stack/rotated.eml" "<$alice>" "<$bob>" "<$carol>"
	check 'old key: waits' waits_for 2
	check_match 'old key: changed' "$(sg marks rotate)" '1 kept'
	seal_open
	postfix_flush "$stack"
	check 'old key: decided' all_gone
	copies 'old key: envelope' "$bob" 1
	copies 'old key: pdf' "$carol" 1
	no_leaks 'old key: nothing clear'
	sink_clear
	with mark "X-Sealgate-Mark: $mark"
	good 'old key'
}

# Marks live for a while only: then the message comes back to its sender.
case_expired() {
	command -v sqlite3 > /dev/null || {
		echo 'skip expired needs sqlite3'
		return
	}
	new_mark expired
	seal_close
	message late '[secure] Late'
	check 'expired in the queue: accepted' mail_out "$stack/late.eml" "<$alice> RET=FULL" "<$bob>" "<$carol>"
	check 'expired in the queue: waits' waits_for 2
	# not by check: the gateway must be this shell's own
	if expire; then ok 'expired: made so'; else not_ok 'expired: made so'; fi
	seal_open
	check 'expired in the queue: decided' all_gone
	copies 'expired in the queue: nothing' "$bob" 0
	copies 'expired in the queue: the sender is told' "$alice" 1
	no_leaks 'expired in the queue: nothing clear'
	sink_clear
	with mark "X-Sealgate-Mark: $mark"
	no_way 'expired' '^550 5\.7\.1 '
}

second='tenant second { domains = { "second.example" } networks = { "192.0.2.9" } }'
stack_conf=$second
stack_main=(queue_run_delay=1s)
flow_start marks
case_spelling
printf '%s\n' "$password" > "$stack/password"
sg password set --tenant second --password-file "$stack/password" "$dave" > /dev/null
sg cert add --tenant second "$stack/certs/$bob.pem" > /dev/null
case_old_key
case_tenant_gone
case_expired
