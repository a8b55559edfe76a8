#!/bin/bash
# Recipients of every kind in one message: each gets exactly one copy, in the form that it may have.
set -uo pipefail

# shellcheck source=tests/postfix/flow.bash
. "$(dirname "$0")/flow.bash"

far=zoe@far.example
archive=archive@inside.example

# conf_set LINE [TENANT-LINE]: the configuration with another end, loaded while it runs.
conf_set() {
	local before
	before=$(grep -c ' notice reload' "$stack/log/gateway.log")
	stack_conf=$1
	stack_tenant=${2:-}
	gateway_conf
	kill -HUP "$gateway_pid"
	wait_for 20 conf_is_set "$before"
}

conf_is_set() { [[ $(grep -c ' notice reload' "$stack/log/gateway.log") -gt $1 ]]; }

# An inside copy: readable, without tag and signatures, and kept in mind.
inside_copy() {
	check_equal "$1: Subject without the tag" "$(header "$2" Subject)" "$3"
	check_equal "$1: body as it was" "$(sink_message "$2" | sed '1,/^$/d')" "The words: $secret."
	check_equal "$1: one mark kept" "$(header "$2" X-Sealgate-Kept | grep -c .)" 1
	check_equal "$1: no other field of ours, no signature" "$(sink_message "$2" |
		grep -iE '^(X-Sealgate(-Mark|-Route)?|DKIM-Signature|ARC-[A-Za-z-]*):')" ""
}

# ---- five kinds ----

check_five() {
	local person
	for person in "$bob" "$carol" "$dave" "$frank" "$far"; do
		copies "$1: one copy for $person" "$person" 1
	done
	enveloped "$1: envelope" "$(the_copy "$bob")" "$bob"
	pdfed "$1: pdf" "$(the_copy "$carol")"
	enveloped "$1: both possible, the first of the order" "$(the_copy "$dave")" "$dave"
	inside_copy "$1: own user" "$(the_copy "$frank")" 'Plan'
	enveloped "$1: inside alias that leads outside" "$(the_copy "$far")" "$far"
	for person in "$bob" "$carol" "$dave" "$far"; do
		clean_of_marks "$1: no mark for $person" "$(the_copy "$person")"
	done
}

# Every copy but that of own users is searched for the words.
outside_leaks() {
	local file
	for file in $(sink_leaks "$secret"); do
		grep -qE '^X-Rcpt-Args: <[^>]*@inside\.example>' "$file" || printf '%s\n' "$file"
	done
}

case_five() {
	message five '[secure] Plan' 'X-Sealgate: secure' 'DKIM-Signature: v=1; b=front'
	check "five: accepted" mail_out "$stack/five.eml" "<$alice>" "<$bob>" "<$carol>" "<$dave>" \
		"<$frank>" "<team@inside.example>"
	all_gone
	check_five five
	check_equal "five: five messages in all" "$(sink_count)" 5
	check_equal "five: nothing clear outside" "$(outside_leaks)" ""
	mv "$stack/sink" "$stack/five"
	mkdir "$stack/sink"
	chown postfix "$stack/sink"
}

# An inside alias looks possible at the front; where it leads, nothing is.
case_alias_to_nothing() {
	local file
	message dead '[secure] Plan'
	check "dead alias: accepted" mail_out "$stack/dead.eml" "<$alice>" "<$bob>" "<dead@inside.example>"
	all_gone
	copies "dead alias: nothing for where it leads" "$eve" 0
	copies "dead alias: the other gets its own" "$bob" 1
	copies "dead alias: the sender is told" "$alice" 1
	file=$(the_copy "$alice")
	check_match "dead alias: why" "$(tr -d '\n' < "$file")" "$eve.*5\.7\.1 .*protection is possible"
	no_leaks "dead alias: nothing clear, not in the bounce either"
	sink_clear
}

# ---- who sees whom ----

case_bcc() {
	local person other
	message bcc '[secure] Plan' "Bcc: $carol, $dave"
	sed -i "s/^To: .*/To: $bob/" "$stack/bcc.eml"
	check "Bcc: accepted" mail_out "$stack/bcc.eml" "<$alice>" "<$bob>" "<$carol>" "<$dave>" "<$far>"
	all_gone
	for person in "$bob" "$carol" "$dave" "$far"; do
		copies "Bcc: one copy for $person" "$person" 1
		for other in "$carol" "$dave" "$far"; do
			[[ $person == "$other" ]] || check_equal "Bcc: $person does not see $other" \
				"$(grep -ciF "$other" "$(the_copy "$person")")" 0
		done
	done
	check_equal "Bcc: an envelope has one recipient" "$(sink_message "$(the_copy "$dave")" |
		openssl cms -cmsout -print -inform SMIME | grep -cE 'd\.(ktri|kari)')" 1
	check_equal "Bcc: the content does not tell" "$(open_envelope "$(the_copy "$bob")" "$bob" |
		grep -cE 'carol|dave|zoe')" 0
	pdfed "Bcc: pdf" "$(the_copy "$carol")"
	check_equal "Bcc: the pdf does not tell" \
		"$(grep -cE 'dave@|zoe@' "$stack/pdf.$(basename "$(the_copy "$carol")")/text")" 0
	no_leaks "Bcc: nothing clear"
	sink_clear
}

# ---- copies that Postfix makes ----

case_always_bcc() {
	main_set "always_bcc=$archive"
	message one '[secure] One'
	check "always_bcc, one recipient: accepted" mail_out "$stack/one.eml" "<$alice>" "<$bob>"
	all_gone
	check_equal "always_bcc, one recipient: the same sealed message for both" "$(sink_count)" 1
	enveloped "always_bcc, one recipient: envelope" "$(the_copy "$archive")" "$bob"
	check_equal "always_bcc, one recipient: nothing clear" "$(sink_leaks "$secret")" ""
	sink_clear
	message two '[secure] Two'
	check "always_bcc, two: accepted" mail_out "$stack/two.eml" "<$alice>" "<$bob>" "<$carol>"
	all_gone
	copies "always_bcc, two: envelope" "$bob" 1
	copies "always_bcc, two: pdf" "$carol" 1
	copies "always_bcc, two: archive" "$archive" 1
	inside_copy "always_bcc, two: archive" "$(the_copy "$archive")" 'Two'
	check_equal "always_bcc, two: nothing clear outside" "$(outside_leaks)" ""
	sink_clear
}

case_archive_of_its_own() {
	check "seal_before_queue = no: loaded" conf_set 'seal_before_queue = no'
	message own '[secure] Own'
	check "seal_before_queue = no: accepted" mail_out "$stack/own.eml" "<$alice>" "<$bob>"
	all_gone
	copies "seal_before_queue = no: one copy" "$bob" 1
	copies "seal_before_queue = no: the archive's" "$archive" 1
	enveloped "seal_before_queue = no: envelope" "$(the_copy "$bob")" "$bob"
	inside_copy "seal_before_queue = no: archive" "$(the_copy "$archive")" 'Own'
	check_equal "seal_before_queue = no: nothing clear outside" "$(outside_leaks)" ""
	sink_clear
	main_set always_bcc= "recipient_bcc_maps=texthash:$stack/config/bcc"
	message map '[secure] Map'
	check "recipient_bcc_maps: accepted" mail_out "$stack/map.eml" "<$alice>" "<$bob>" "<$carol>"
	all_gone
	copies "recipient_bcc_maps: envelope" "$bob" 1
	copies "recipient_bcc_maps: pdf" "$carol" 1
	copies "recipient_bcc_maps: the outside archive" vault@far.example 1
	pdfed "recipient_bcc_maps: the outside archive" "$(the_copy vault@far.example)"
	no_leaks "recipient_bcc_maps: nothing clear"
	main_set recipient_bcc_maps=
	sink_clear
	check "seal_before_queue = yes: loaded" conf_set 'recipients { max = 6 }'
}

# ---- DSN parameters ----

mail_args() { sed -n 's/^X-Mail-Args: //p' "$1"; }
rcpt_args() { sed -n 's/^X-Rcpt-Args: //p' "$1"; }

case_dsn() {
	local notify="NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;list+3Dx@partner.example" file
	message dsn '[secure] Dsn'
	check "DSN: accepted" mail_out "$stack/dsn.eml" "<$alice> RET=FULL ENVID=id+3D7" \
		"<$bob> $notify" "<$carol> NOTIFY=NEVER"
	all_gone
	copies "DSN: envelope" "$bob" 1
	copies "DSN: pdf" "$carol" 1
	file=$(the_copy "$bob")
	check_equal "DSN: RET is HDRS, ENVID stays" "$(mail_args "$file")" "<$alice> ENVID=id+3D7 RET=HDRS"
	check_match "DSN: NOTIFY stays" "$(rcpt_args "$file")" 'NOTIFY=SUCCESS,FAILURE'
	check_match "DSN: ORCPT stays" "$(rcpt_args "$file")" 'ORCPT=rfc822;list\+3Dx@partner\.example'
	check_match "DSN: NOTIFY=NEVER stays" "$(rcpt_args "$(the_copy "$carol")")" 'NOTIFY=NEVER'
	no_leaks "DSN: nothing clear"
	sink_clear
	check "DSN, sealed in place: accepted" mail_out "$stack/dsn.eml" "<$alice> RET=HDRS ENVID=id8" \
		"<$bob> $notify"
	all_gone
	file=$(the_copy "$bob")
	check_equal "DSN, sealed in place: sender's" "$(mail_args "$file")" "<$alice> ENVID=id8 RET=HDRS"
	check_match "DSN, sealed in place: recipient's" "$(rcpt_args "$file")" "ORCPT=.*NOTIFY="
	sink_clear
}

# ---- what was kept comes back ----

case_kept() {
	local file
	file=$(grep -lF "<$frank>" -r "$stack/five")
	sink_message "$file" > "$stack/kept.eml"
	check "kept, from an own user: accepted" mail_out "$stack/kept.eml" "<$frank>" "<$bob>"
	check "kept, from elsewhere: accepted" mail_via ADDR=192.0.2.99 "$stack/kept.eml" \
		'<forwarder@elsewhere.example>' "<$carol>"
	all_gone
	copies "kept, from an own user: one copy" "$bob" 1
	copies "kept, from elsewhere: one copy" "$carol" 1
	enveloped "kept, from an own user: envelope" "$(the_copy "$bob")" "$bob"
	pdfed "kept, from elsewhere: pdf" "$(the_copy "$carol")"
	clean_of_marks "kept, from an own user: no mark" "$(the_copy "$bob")"
	check_not "kept, to nothing possible: refused" mail_out "$stack/kept.eml" "<$frank>" "<$eve>"
	check_match "kept, to nothing possible: 5.7.1" "$reply" '^550 5\.7\.1 '
	no_leaks "kept: nothing clear"
	sink_clear
}

# ---- other settings ----

case_count() {
	local to=() i
	for i in {1..7}; do
		to+=("<user$i@inside.example>")
	done
	message many '[secure] Many'
	check_not "more than recipients.max: refused" mail_out "$stack/many.eml" "<$alice>" "${to[@]}"
	check_match "more than recipients.max: 5.5.3" "$reply" '^550 5\.5\.3 '
	all_gone
	check_equal "more than recipients.max: nobody gets anything" "$(sink_count)" 0
}

case_inside_seal() {
	check "inside = seal: loaded" conf_set '' 'inside = seal'
	message in '[secure] In'
	check_not "inside = seal: nothing possible is refused" mail_out "$stack/in.eml" "<$alice>" "<$frank>"
	check_match "inside = seal: 5.7.1" "$reply" '^550 5\.7\.1 '
	flow_password "$frank"
	check "inside = seal: accepted" mail_out "$stack/in.eml" "<$alice>" "<$frank>" "<$bob>"
	all_gone
	copies "inside = seal: one copy" "$frank" 1
	pdfed "inside = seal: pdf" "$(the_copy "$frank")"
	copies "inside = seal: the other" "$bob" 1
	no_leaks "inside = seal: nothing clear"
}

stack_conf='recipients { max = 6 }'
flow_start recipients
printf 'team@inside.example %s\ndead@inside.example %s\n' "$far" "$eve" > "$stack/config/virtual"
printf '%s vault@far.example\n' "$bob" > "$stack/config/bcc"
postfix_reload "$stack"
flow_certificate "$far"
flow_password vault@far.example
case_five
case_alias_to_nothing
case_bcc
case_always_bcc
case_archive_of_its_own
case_dsn
case_kept
case_count
case_inside_seal
