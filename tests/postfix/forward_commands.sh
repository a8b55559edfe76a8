#!/bin/bash
# long: make check-long and make ci run it, make check does not
# Programs that get an inside copy and send it on: what they send is flagged again by its mark.
set -uo pipefail

# shellcheck source=tests/postfix/forward.bash
. "$(dirname "$0")/forward.bash"

case_commands() {
	forward_file news "\"|$stack/resend $smtp_port $bob\""
	flagged 'command in .forward' news@inside.example
	copies 'command in .forward: one copy' "$bob" 1
	enveloped 'command in .forward' "$(the_copy "$bob")" "$bob"
	outside_is_sealed 'command in .forward'
	boxes_clear
	flagged 'command and file in an alias' robot@inside.example
	copies 'command and file in an alias: one copy' "$carol" 1
	boxed 'command and file in an alias: the file' robot 1
	outside_is_sealed 'command and file in an alias'
	boxes_clear
	flagged 'command that may not' stray@inside.example
	copies 'command that may not: nothing' "$eve" 0
	told 'command that may not' 'stray@inside.example'
	outside_is_sealed 'command that may not'
	boxes_clear
	main_set "mailbox_command=$stack/resend $smtp_port $dave"
	flagged 'mailbox_command' games@inside.example
	copies 'mailbox_command: one copy' "$dave" 1
	enveloped 'mailbox_command' "$(the_copy "$dave")" "$dave"
	outside_is_sealed 'mailbox_command'
	main_set mailbox_command=
	boxes_clear
}


# By an SMTP client that local(8) itself calls it would leave in clear: the backstop holds it.
case_mailbox_transport() {
	forward_file games '\games'
	main_set "mailbox_transport=smtp:[127.0.0.1]:$sink_port"
	message past '[secure] Past'
	check 'mailbox_transport: accepted' mail_out "$stack/past.eml" "<$alice>" '<games@inside.example>'
	check 'mailbox_transport: waits' waits_for 1
	check_equal 'mailbox_transport: nothing has left' "$(sink_count)" 0
	check_match 'mailbox_transport: the doctor says so' "$(sg doctor --config-directory "$stack/config")" \
		'mailbox_transport = smtp'
	main_set mailbox_transport=
	postfix_flush "$stack"
	check 'mailbox_transport: delivered when it is gone' all_gone
	boxed 'mailbox_transport: the mailbox' games 1
	boxes_clear
}

boxes_main
stack_main+=(queue_run_delay=1s)
flow_start forward-commands
resend_make
aliases "robot: \"|$stack/resend $smtp_port $carol\", $stack/mailboxes/robot/" \
	"stray: \"|$stack/resend $smtp_port $eve\""
case_commands
case_mailbox_transport
