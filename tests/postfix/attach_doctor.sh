#!/bin/bash
# long: make check-long and make ci run it, make check does not
# attach_doctor.sh: the doctor with a running gateway and a real Postfix; well, then ill in many ways.
# shellcheck disable=SC2016
# expect-error: .*
set -uo pipefail
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"

# without DNS here: what needs it has a case of its own below
stack_tls=$'sealed = may\ndane = no'
stack_start doctor
config=$stack/config
smtpd=127.0.0.1:$smtp_port/inet
kept=$stack/kept
mkdir "$kept"
cp -p "$config"/m*.cf "$kept"

# Postfix's programs wait for a main.cf that is not yet two seconds old.
aged() { touch -d '1 minute ago' "$config"/m*.cf; }
doctor() {
	aged
	sg doctor --config-directory "$config" "$@"
}
set_main() { postconf -c "$config" -e "$@" 2> /dev/null; }
set_option() { postconf -c "$config" -Pe "$@" 2> /dev/null; }
well_again() { cp -p "$kept"/m*.cf "$config"; }

# finds NAME RESULT CHECK WORDS: the report has this finding, with a hint unless it is ok.
finds() {
	local report
	report=$(doctor --json)
	check_match "$1" "$(jq -r --arg r "$2" --arg c "$3" '.findings[] |
		select(.result == $r and .check == $c) | .what + " -> " + (.hint // "-")' <<< "$report")" "$4"
	[[ $2 != fail ]] || check_equal "$1_is_not_healthy" "$(jq .healthy <<< "$report")" false
}

check well doctor
check_equal well_has_no_findings "$(doctor --json | jq -r '.findings[] | select(.result != "ok") | .what')" ''
check_match the_report_is_readable "$(doctor)" 'ok +scanner .* signatures'
check_equal without_postfix_it_looks_at_the_gateway "$(sg doctor --gateway --json | jq -r '[.findings[].check] | contains(["vault"]), contains(["attached"])' | paste -sd " ")" "true false"

# ---- which milters a service really asks ----

set_option "$smtpd/smtpd_milters=inet:127.0.0.1:8891"
finds an_override_without_us fail smtpd-milters "$smtpd does not ask Sealgate.*->.*attach"
set_option "$smtpd/smtpd_milters="
finds an_empty_override fail smtpd-milters 'does not ask Sealgate'
set_option "$smtpd/smtpd_milters={unix:$stack/socket/milter.sock,default_action=accept}"
finds the_default_action_accept fail smtpd-milters 'in clear when the filter dies'
set_option "$smtpd/smtpd_milters=unix:$stack/socket/milter.sock" "$smtpd/milter_default_action=accept"
finds the_default_action_of_the_service fail smtpd-milters 'in clear when the filter dies'
set_option "$smtpd/smtpd_milters=inet:127.0.0.1:8891,{unix:$stack/socket/milter.sock,default_action=tempfail}"
finds another_milter_first warn smtpd-milters 'another milter before'
well_again
set_option "$smtpd/smtpd_milters=\$mine"
set_main "mine={ unix:$stack/socket/milter.sock, default_action=tempfail }"
check_equal a_list_in_a_parameter_is_followed "$(doctor --json | jq -r '.findings[] |
	select(.check == "smtpd-milters" and .result == "fail") | .what')" ''
well_again
set_main 'smtpd_milter_maps=cidr:/nowhere'
finds milters_by_client fail smtpd-milters 'other milters for some clients'
well_again
set_main 'receive_override_options=no_milters'
finds no_milters fail local-milters 'no_milters'
finds no_milters_on_loopback warn smtpd-milters 'no_milters'
well_again
set_option "$smtpd/receive_override_options=no_address_mappings"
finds no_address_mappings fail smtpd-milters 'does not expand aliases'
well_again
set_main 'non_smtpd_milters='
finds local_mail_without_us fail local-milters 'does not ask Sealgate'
well_again

# ---- what surrounds the second stage ----

postconf -c "$config" -MX "127.0.0.1:$stage_port/inet" 2> /dev/null
finds no_second_stage fail second-stage 'no second stage'
finds the_planner_sees_it_too fail attached 'differ from what is needed'
well_again
set_option 'relay/unix/smtp_header_checks='
finds a_client_without_backstop fail backstop 'relay/unix would send marked mail'
well_again
set_main 'default_filter_nexthop=gate.example'
finds a_filter_next_hop fail filter-nexthop 'must be empty'
set_main 'content_filter=scan:[127.0.0.1]:10024'
finds a_content_filter warn content-filter 'content_filter = scan'
set_main 'soft_bounce=yes'
finds soft_bounce warn soft-bounce 'soft_bounce is on'
set_main 'message_size_limit=0'
finds no_size_limit warn size 'above message.size_max'
set_main 'mailbox_command=/usr/bin/procmail'
finds a_mailbox_command warn deliveries 'mailbox_command = /usr/bin/procmail'
set_main 'virtual_transport=lmtp:unix:private/dovecot'
finds an_lmtp_delivery warn deliveries 'virtual_transport = lmtp'
well_again
set_option "127.0.0.1:$stage_port/inet/smtpd_milters={unix:$stack/socket/milter.sock,default_action=tempfail},unix:/run/spamass/spamass.sock"
finds a_milter_that_changes_bodies fail behind 'changes bodies'
set_option "127.0.0.1:$stage_port/inet/smtpd_milters={unix:$stack/socket/milter.sock,default_action=tempfail},unix:/run/who/knows.sock,inet:localhost:8891"
finds an_unknown_milter warn behind 'not known'
finds a_signer_is_fine ok behind '8891 .*leaves bodies alone'
well_again

# ---- what local(8) forwards ----

set_main "transport_maps=inline:{x=smtp:y}, regexp:$config/sealgate/forwards"
finds a_table_before_ours fail forwards "rewrite/unix does not bring forwarded mail"
well_again
set_option "rewrite/unix/transport_maps="
finds a_resolver_with_its_own_maps fail forwards "rewrite/unix does not bring forwarded mail"
well_again
set_option "seal-forward/unix/virtual_alias_maps="
finds no_suffix fail forwards "seal-forward/unix is missing or has no virtual_alias_maps"
well_again
postconf -c "$config" -Me "other/unix=other unix - n n - - local" 2> /dev/null
finds another_local fail forwards "other/unix runs local.* leaves in clear"
well_again
set_main "mailbox_transport=smtp:[192.0.2.1]"
finds a_mailbox_behind_an_smtp_client fail forwards "mailbox_transport = smtp:.*wait"
well_again

# ---- TLS on outbound hops ----

set_main "smtp_tls_policy_maps="
finds no_policy_map fail tls-maps 'does not ask for Sealgate'
set_main "smtp_tls_policy_maps=static:none, socketmap:unix:$stack/socket/policy.sock:all"
finds a_table_of_the_administrator ok tls-maps 'asks static:none first, then Sealgate'
set_main "smtp_tls_policy_maps=socketmap:unix:$stack/socket/policy.sock:all, static:none"
finds a_table_behind_ours warn tls-maps 'static:none behind Sealgate'
well_again
set_option 'relay/unix/smtp_tls_policy_maps=' 'relay/unix/smtp_tls_security_level=none'
finds a_client_with_its_own_maps warn tls-maps 'relay/unix has its own smtp_tls_policy_maps'
finds a_client_with_its_own_level warn tls-maps 'relay/unix has its own smtp_tls_security_level = none'
well_again
set_main 'transport_maps=randmap:{smtp:[192.0.2.1]}'
finds a_table_without_a_list warn routes 'transport_maps: randmap:.*has no list -> .*attach again'
well_again
set_main 'relayhost=[192.0.2.1]'
finds a_new_relayhost fail attached 'tables in .* next hops'
well_again
set_option "$smtpd/milter_macro_defaults={x=y}"
finds a_service_that_hides_the_routes fail routes 'does not tell Sealgate which transports'
well_again
postconf -c "$config" -MX "127.0.0.1:$fallback_port/inet" 2> /dev/null
finds no_fallback fail second-stage 'no fallback'
well_again
set_option 'relay/unix/smtp_tls_loglevel=0'
finds no_tls_in_the_log warn log 'relay/unix does not log TLS'
set_main "maillog_file=$stack/log/other.log"
finds another_log fail log 'other.log .*sealgate-trace reads'
well_again
chmod 600 "$stack/log/mail.log"
finds a_log_that_may_not_be_read fail log 'cannot read Postfix'
chmod 640 "$stack/log/mail.log"
chmod 600 "$stack/socket/policy.sock"
finds a_policy_socket_that_postfix_may_not_use fail reach 'may not connect to .*policy.sock'
chmod 666 "$stack/socket/policy.sock"
sed -i 's/^dane = no/dane = yes/' "$stack/sealgate.conf"
finds a_client_without_dns warn dns 'smtp/unix does not use DNS'
set_main 'smtp_dns_support_level=enabled'
finds a_client_without_dnssec fail dns 'smtp/unix has smtp_dns_support_level = enabled'
set_main 'smtp_dns_support_level=dnssec'
finds a_client_with_native_lookup fail dns 'smtp/unix has smtp_host_lookup = native'
check_match the_resolver_is_asked "$(doctor --json | jq -r '.findings[] | select(.check == "resolver") | .what')" 'resolver'
sed -i 's/^dane = yes/dane = no/' "$stack/sealgate.conf"
well_again

# ---- sockets, rights, workers ----

chmod 600 "$stack/socket/milter.sock"
finds a_socket_that_postfix_may_not_use fail reach 'may not connect'
chmod 666 "$stack/socket/milter.sock"
postconf -c "$config" -Fe "$smtpd/chroot=y" 2> /dev/null
finds a_chroot_that_hides_the_socket fail postfix 'chrooted.*local:'
well_again
chmod 755 "$stack/state"
finds a_state_directory_for_all fail state '0755'
chmod 700 "$stack/state"
chmod 644 "$stack/state/master.key"
finds a_master_key_for_all fail master-key '0644'
chmod 600 "$stack/state/master.key"
database=$stack_database
mkdir "$stack/empty"
sed -i "s|database_directory = .*|database_directory = \"$stack/empty\"|" "$stack/sealgate.conf"
finds no_signatures fail signatures 'no signature database'
printf 'x' > "$stack/empty/old.ndb"
touch -d '40 days ago' "$stack/empty/old.ndb"
finds old_signatures warn signatures '40 days old'
printf 'x' > "$stack/empty/others.ndb"
printf 'x' > "$stack/empty/daily.cld"
touch -d '30 days ago' "$stack/empty/daily.cld"
finds newer_sets_by_others_hide_nothing warn signatures '30 days old'
sed -i "s|database_directory = .*|database_directory = \"$database\"|" "$stack/sealgate.conf"
check well_once_more doctor
gateway_stop
finds no_filter fail filter 'cannot connect'
finds no_scanner fail scanner 'scanner'
finds no_vault fail vault 'vault'
finds no_policy_service fail tls-service ':proven does not answer'
postconf -c "$config" -e 'smtpd_milters=' 'non_smtpd_milters=' 2> /dev/null
well_again
aged
check detached_for_the_doctor sg postfix detach -y --config-directory "$config"
finds not_attached fail attached 'not attached'
sed -i 's/^stage_port.*/stage_prot = 1/' "$stack/sealgate.conf"
finds a_broken_configuration fail configuration 'stage_prot'
