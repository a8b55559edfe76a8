#!/bin/bash
# What local(8) forwards of flagged mail is sealed: aliases, :include:, .forward, luser_relay.
# It passes no milter on its way; attach brings it back to the second stage.
set -uo pipefail

# shellcheck source=tests/postfix/forward.bash
. "$(dirname "$0")/forward.bash"

# ---- aliases ----

case_alias() {
	flagged 'alias' walter@inside.example
	copies 'alias: one copy' "$bob" 1
	enveloped 'alias' "$(the_copy "$bob")" "$bob"
	outside_is_sealed 'alias'
	check_equal 'alias: nobody is told anything' "$(box alice)" ''
	boxes_clear
	flagged 'alias among others' walter+holiday@inside.example "$carol" games@inside.example
	copies 'alias among others: its copy' "$bob" 1
	copies 'alias among others: the pdf' "$carol" 1
	boxed 'alias among others: own user' games 1
	outside_is_sealed 'alias among others'
	boxes_clear
}

case_list() {
	flagged 'list' crew@inside.example
	copies 'list: envelope' "$bob" 1
	copies 'list: pdf' "$carol" 1
	enveloped 'list' "$(the_copy "$bob")" "$bob"
	pdfed 'list' "$(the_copy "$carol")"
	check_match 'list: its owner is the sender' "$(grep '^X-Mail-Args' "$(the_copy "$bob")")" 'owner-crew@inside'
	boxed 'list: own user, once' games 1
	outside_is_sealed 'list'
	boxes_clear
	flagged 'list with a dead end' some@inside.example
	copies 'list with a dead end: the others get theirs' "$bob" 1
	copies 'list with a dead end: nothing' "$eve" 0
	told 'list with a dead end' "$eve"
	outside_is_sealed 'list with a dead end'
	boxes_clear
	# an alias that leads to a virtual alias that leads outside
	flagged 'alias of an alias' chain@inside.example
	copies 'alias of an alias: one' "$bob" 1
	copies 'alias of an alias: the other' "$dave" 1
	copies 'alias of an alias: the one for a whole domain' zoe@far.example 1
	outside_is_sealed 'alias of an alias'
	boxes_clear
}

# ---- .forward ----

# A user who keeps a copy is found in his own .forward, and not taken for a loop.
case_forward() {
	forward_file games '\games, dave@partner.example'
	forward_file games+away 'carol@partner.example'
	flagged 'forward' games@inside.example
	copies 'forward: one copy' "$dave" 1
	enveloped 'forward' "$(the_copy "$dave")" "$dave"
	boxed 'forward: and the mailbox' games 1
	outside_is_sealed 'forward'
	check_equal 'forward: nobody is told anything' "$(box alice)" ''
	boxes_clear
	flagged 'forward of an extension' games+away@inside.example
	copies 'forward of an extension: its copy' "$carol" 1
	pdfed 'forward of an extension' "$(the_copy "$carol")"
	boxed 'forward of an extension: no mailbox' games 0
	outside_is_sealed 'forward of an extension'
	boxes_clear
	rm "$stack"/forward/games*
}

# Where transport_maps says "local", a user is found in his own .forward as well.
case_transport_maps() {
	attach_again mydestination= "transport_maps=inline:{ { inside.example = local: } }"
	forward_file games "\\games, $dave"
	flagged "by transport_maps" games@inside.example
	copies "by transport_maps: one copy" "$dave" 1
	boxed "by transport_maps: and the mailbox" games 1
	outside_is_sealed "by transport_maps"
	check_equal "by transport_maps: nobody is told anything" "$(box alice)" ""
	boxes_clear
}

# ---- defaults ----

case_luser() {
	main_set 'luser_relay=carol@partner.example'
	flagged 'luser_relay' nowhere@inside.example
	copies 'luser_relay: one copy' "$carol" 1
	pdfed 'luser_relay' "$(the_copy "$carol")"
	outside_is_sealed 'luser_relay'
	main_set luser_relay=
	boxes_clear
}

# ---- what is not flagged keeps its way; what waits keeps its protection ----

case_plain() {
	message plain 'Lunch'
	check 'plain: accepted' mail_out "$stack/plain.eml" "<$alice>" '<walter@inside.example>'
	check 'plain: delivered' all_gone
	check_equal "plain: forwarded as it was" "$(sink_message "$(the_copy "$bob")" |
		sed "/^From:/,\$!d")" "$(cat "$stack/plain.eml")"
	check_match "plain: by local(8) itself" "$(grep " to=<walter@inside.example>" "$stack/log/mail.log" |
		tail -n 1)" "relay=local,"
	boxes_clear
}

case_waiting() {
	forward_file games '\games, dave@partner.example'
	message waiting '[secure] Waiting'
	check 'waiting: accepted' mail_out "$stack/waiting.eml" "<$alice>" '<games@inside.example>'
	seal_close
	wait_for 20 boxed_one games
	main_set defer_transports=seal,sealed-local
	check 'waiting: accepted, to wait for local(8)' mail_out "$stack/waiting.eml" "<$alice>" \
		'<walter@inside.example>'
	check 'waiting: in the queue' waits_for 1
	check_not 'waiting: no detach leaves it alone' sg postfix detach -y --config-directory "$stack/config"
	requeue
	requeue
	seal_open
	check 'waiting: delivered' all_gone
	copies 'waiting: the forwarded one' "$dave" 1
	enveloped 'waiting: the forwarded one' "$(the_copy "$dave")" "$dave"
	copies 'waiting: the other' "$bob" 1
	enveloped 'waiting: the other' "$(the_copy "$bob")" "$bob"
	outside_is_sealed waiting
	boxes_clear
}

boxed_one() { [[ $(box "$1" | wc -l) -eq 1 ]]; }

boxes_main
stack_main+=(queue_run_delay=1s virtual_alias_domains=virtual.example)
flow_start forward-local
flow_certificate zoe@far.example
printf '%s\n' 'shop@virtual.example bob@partner.example, dave@partner.example' \
	'@shops.example zoe@far.example' > "$stack/config/virtual"
printf '%s\n' '# the crew' "$bob" "$carol, games" > "$stack/crew"
aliases "walter: $bob" "crew: :include:$stack/crew" 'owner-crew: alice' "some: $bob, $eve" \
	'chain: shop@virtual.example, any@shops.example'
case_alias
case_list
case_forward
case_luser
case_plain
case_waiting
case_transport_maps
