#!/bin/bash
# Postfix expands and copies; every final recipient outside gets a sealed message of its own.
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
stack_main=("virtual_alias_domains = inside.example" "always_bcc = archive@outside.example")
stack_conf='seal_before_queue = no'
stack_start alias
cat > "$stack/config/virtual" <<-END
	sales@inside.example cert@outside.example, word@outside.example
	lost@inside.example none@outside.example, cert@outside.example
	list@inside.example cert@outside.example, word@outside.example, third@outside.example
END
people
cp "$stack/certs/cert@outside.example.pem" "$stack/archive.pem"
make_certificate archive@outside.example
sg cert add "$stack/certs/archive@outside.example.pem" > /dev/null
mail_file secure '[secure] Offer'

send alice@inside.example sales@inside.example "$stack/secure"
check "a flagged message to an alias is accepted" test "${reply%% *}" = 250
sink_wait_for cert@outside.example
sink_wait_for word@outside.example
sink_wait_for archive@outside.example
check "the alias's first member gets an envelope" is_envelope cert@outside.example
check "the second a PDF" is_pdf word@outside.example
check "the archive its own envelope" is_envelope archive@outside.example
check "nothing else came" test "$(sink_count)" -eq 3
check "nothing clear is in the sink" no_clear
check "the queue is empty" wait_for 10 queue_empty
sink_clear

# a member for whom nothing is possible: the others get theirs, the sender is told
send alice@inside.example lost@inside.example "$stack/secure"
check "an alias with an impossible member is accepted" test "${reply%% *}" = 250
sink_wait_for cert@outside.example
check "the possible member gets an envelope" is_envelope cert@outside.example
check_not "the impossible one nothing" sink_wait_for none@outside.example 1 1
check "the sender is told" wait_for 15 grep -qE 'to=<none@outside.example>.*dsn=5\.7\.' "$stack/log/mail.log"
check "nothing clear is in the sink, nor in the bounce" no_clear
