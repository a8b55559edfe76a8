#!/bin/bash
# long: make check-long and make ci run it, make check does not
# Recipients that Postfix's maps add or change: each that is left outside gets sealed mail of its own.
set -uo pipefail

# shellcheck source=tests/postfix/forward.bash
. "$(dirname "$0")/forward.bash"

vault=vault@far.example		# has a password
desk=desk@far.example

case_virtual() {
	flagged 'virtual' sales@inside.example
	copies 'virtual: envelope' "$bob" 1
	copies 'virtual: pdf' "$carol" 1
	copies 'virtual: through two more' "$dave" 1
	enveloped 'virtual' "$(the_copy "$bob")" "$bob"
	pdfed 'virtual' "$(the_copy "$carol")"
	outside_is_sealed 'virtual'
	boxes_clear
	flagged 'virtual, one, with an extension' info+x@inside.example
	copies 'virtual, one, with an extension: one copy' "$dave" 1
	enveloped 'virtual, one, with an extension' "$(the_copy "$dave")" "$dave"
	outside_is_sealed 'virtual, one, with an extension'
	boxes_clear
	flagged 'virtual, whole domain' any.body@inside.example
	copies 'virtual, whole domain: pdf' "$carol" 1
	outside_is_sealed 'virtual, whole domain'
	boxes_clear
	flagged 'virtual, with a dead end' lost@inside.example
	copies 'virtual, with a dead end: the other' "$bob" 1
	copies 'virtual, with a dead end: nothing' "$eve" 0
	copies 'virtual, with a dead end: the sender is told' "$desk" 1
	outside_is_sealed 'virtual, with a dead end'
	boxes_clear
}

# Recipients that were fine at the front are others behind it.
case_canonical() {
	attach_again "recipient_canonical_maps=inline:{ { $bob=$eve } { $carol=$dave } }" \
		"sender_canonical_maps=inline:{ { $alice=a.smith@inside.example } }"
	flagged 'recipient_canonical_maps' "$carol"
	copies 'recipient_canonical_maps: the new recipient' "$dave" 1
	copies 'recipient_canonical_maps: not the old one' "$carol" 0
	enveloped 'recipient_canonical_maps' "$(the_copy "$dave")" "$dave"
	check_match 'sender_canonical_maps: the new sender' "$(grep '^X-Mail-Args' "$(the_copy "$dave")")" \
		'<a.smith@inside.example>'
	outside_is_sealed 'recipient_canonical_maps'
	boxes_clear
	flagged 'recipient_canonical_maps to a dead end' "$bob" "$dave"
	copies 'recipient_canonical_maps to a dead end: the other' "$dave" 1
	copies 'recipient_canonical_maps to a dead end: nothing' "$eve" 0
	copies 'recipient_canonical_maps to a dead end: the sender is told' "$desk" 1
	outside_is_sealed 'recipient_canonical_maps to a dead end'
	attach_again recipient_canonical_maps= sender_canonical_maps=
	boxes_clear
}

case_bcc() {
	attach_again "sender_bcc_maps=inline:{ { $alice=$vault } }" "recipient_bcc_maps=inline:{ { $dave=$eve } }"
	flagged 'sender_bcc_maps' "$bob" "$carol"
	copies 'sender_bcc_maps: envelope' "$bob" 1
	copies 'sender_bcc_maps: pdf' "$carol" 1
	copies 'sender_bcc_maps: the copy' "$vault" 1
	pdfed 'sender_bcc_maps: the copy' "$(the_copy "$vault")"
	outside_is_sealed 'sender_bcc_maps'
	boxes_clear
	# a copy that nobody may have: NOTIFY=NEVER, so nobody is told, and nothing leaves
	flagged 'recipient_bcc_maps to a dead end' "$dave" "$bob"
	copies 'recipient_bcc_maps to a dead end: envelope' "$dave" 1
	copies 'recipient_bcc_maps to a dead end: nothing' "$eve" 0
	outside_is_sealed 'recipient_bcc_maps to a dead end'
	attach_again sender_bcc_maps= recipient_bcc_maps= "always_bcc=$vault"
	boxes_clear
	flagged 'always_bcc' sales@inside.example
	copies 'always_bcc: the copy' "$vault" 1
	pdfed 'always_bcc: the copy' "$(the_copy "$vault")"
	copies 'always_bcc: envelope' "$bob" 1
	outside_is_sealed 'always_bcc'
	attach_again always_bcc=
	boxes_clear
}

# No boxes here: what comes back to alice leads to the desk.
boxes_make() { mkdir "$stack/forward" "$stack/mailboxes"; }
stack_main=(queue_run_delay=1s recipient_delimiter=+ propagate_unmatched_extensions=
	virtual_alias_domains=inside.example)
stack_conf='seal_before_queue = no'
flow_start forward-maps
flow_password "$vault"
cat > "$stack/config/virtual" <<-END
	sales@inside.example $bob, $carol, second@inside.example
	second@inside.example third@inside.example
	third@inside.example $dave
	info@inside.example $dave
	lost@inside.example $eve, $bob
	@inside.example $carol
	$alice $desk
	a.smith@inside.example $desk
END
postfix_reload "$stack"
case_virtual
case_canonical
case_bcc
