#!/bin/bash
# attach_chroot.sh: attached as Debian's master.cf has it: smtpd, cleanup, pickup and smtp in a chroot.
set -uo pipefail
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"

stack_attach=no
stack_start chroot
config=$stack/config
smtpd=127.0.0.1:$smtp_port/inet
socket=$stack/queue/sealgate/milter.sock
gateway_stop
postconf -c "$config" -Fe "$smtpd/chroot=y" {cleanup,pickup,smtp,bounce}/unix/chroot=y
sed -i "s|^socket = .*milter.sock.*|socket = \"local:$socket\"|" "$stack/sealgate.conf"
gateway_start_there() {
	"$sealgate" -c "$stack/sealgate.conf" run >> "$stack/log/gateway.log" 2>&1 &
	gateway_pid=$!
	wait_for 60 test -S "$socket"
}
local_mail() { sendmail -C "$config" -f u@inside.example a@outside.example; }
queue_empty() { [[ -z $(postfix_queue "$stack") ]]; }

# not by check: the gateway must be a child of this shell
if gateway_start_there; then
	ok the_gateway_listens_in_the_queue_directory
else
	not_ok the_gateway_listens_in_the_queue_directory
fi
check attach_works sg postfix attach -y --config-directory "$config"
check the_doctor_is_content sg doctor --config-directory "$config"
for name in a b; do
	make_certificate "$name@outside.example"
	sg cert add "$stack/certs/$name@outside.example.pem" > "$stack/log/cert.out"
done

printf 'From: u@inside.example\nSubject: [secure] hi\n\nSECRETBODY\n' > "$stack/flagged.eml"
check mail_to_two_is_taken send u@inside.example a@outside.example,b@outside.example "$stack/flagged.eml"
check both_get_it sink_wait 2
check_equal nothing_is_clear "$(sink_leaks SECRETBODY)" ''

sink_clear
check local_mail_is_taken local_mail < "$stack/flagged.eml"
check local_mail_arrives sink_wait 1
check_equal local_mail_is_sealed "$(sink_leaks SECRETBODY)" ''

# a mark in an attached message is nobody's business
sink_clear
printf '%s\n' 'From: u@inside.example' 'Subject: fwd' 'MIME-Version: 1.0' 'Content-Type: message/rfc822' \
	'' 'X-Sealgate-Mark: 1 x' 'Subject: inner' '' 'PLAINBODY' > "$stack/nested.eml"
check a_nested_mark_is_taken local_mail < "$stack/nested.eml"
check a_nested_mark_goes_its_way sink_wait 1
check_match a_nested_mark_stays_untouched "$(sink_leaks PLAINBODY)" sink

# a front without header checks still routes what the milter marks
sink_clear
postconf -c "$config" -Pe "$smtpd/receive_override_options=no_header_body_checks"
postfix_reload "$stack"
check without_header_checks_mail_is_taken send u@inside.example a@outside.example,b@outside.example \
	"$stack/flagged.eml"
check without_header_checks_both_get_it sink_wait 2
check_equal without_header_checks_nothing_is_clear "$(sink_leaks SECRETBODY)" ''
check the_queue_is_empty wait_for 10 queue_empty
# the clock of a virtual machine may jump, which Postfix tells
check_equal postfix_warns_of_nothing "$(grep -E 'warning|fatal|panic' "$stack/log/mail.log" |
	grep -vE 'file system clock|resetting file time stamps')" ''
