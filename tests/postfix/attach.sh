#!/bin/bash
# long: make check-long and make ci run it, make check does not
# shellcheck disable=SC2016
# attach.sh: attach and detach on a real Postfix. The files before equal the files after.
set -uo pipefail
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"

stack_gateway=no
stack_database=/tmp
stack_main=(
	'smtpd_milters=inet:127.0.0.1:8891, { inet:127.0.0.1:8892, connect_timeout=10s }'
	'non_smtpd_milters=$smtpd_milters'
	'milter_default_action=accept'
	'header_checks=regexp:{ { /^X-Never: one two/ REJECT no } }'
	'transport_maps=inline:{ { here.example = local: } }'
)
stack_start attach
gateway_conf
config=$stack/config
kept=$stack/kept

# Postfix's programs wait for a main.cf that is not yet two seconds old: these are whole.
aged() { touch -d '1 minute ago' "$config"/m*.cf; }
attach() { sg postfix attach -y --config-directory "$config" && aged; }
detach() { sg postfix detach -y --config-directory "$config" && aged; }
leave_services() { sg postfix detach -y --leave-services --config-directory "$config" && aged; }
status() { sg postfix status --config-directory "$config"; }
keep() {
	rm -rf "$kept"
	mkdir "$kept"
	cp -p "$config"/m*.cf "$kept"
}
as_kept() { diff -u "$kept/main.cf" "$config/main.cf" && diff -u "$kept/master.cf" "$config/master.cf"; }
setting() { postconf -c "$config" -h "$1" 2> /dev/null; }
option() { postconf -c "$config" -P "$1" 2> /dev/null | sed 's/^[^=]*= *//'; }
quiet_check() { [[ -z $(postfix -c "$config" check 2>&1) && -z $(postconf -c "$config" -n 2>&1 > /dev/null) ]]; }
milter="{ unix:$stack/socket/milter.sock, default_action=tempfail }"
compact="{unix:$stack/socket/milter.sock,default_action=tempfail}"

# ---- looking, attaching, attaching again ----

postconf -c "$config" -Me \
	'submission/inet=127.0.0.1:'"$((smtp_port + 5))"' inet n - n - - smtpd -o { smtpd_milters = inet:127.0.0.1:8893, { inet:127.0.0.1:8894, protocol=6 } }' \
	'bulk/unix=bulk unix - - n - - smtp -o smtp_header_checks=regexp:/nowhere' 2> /dev/null
printf '# the last line has no end' >> "$config/main.cf"
keep
postfix_reload "$stack"
queue_of() { realpath --relative-to="$stack/queue" "$1"; }
[[ $milter == *"$stack/queue/"* ]] && milter="{ unix:$(queue_of "$stack/socket/milter.sock"), default_action=tempfail }"

plan=$(sg postfix attach --dry-run --config-directory "$config")
check_match dry_run_shows_the_milters "$plan" 'smtpd_milters = '
check dry_run_changes_nothing as_kept
check_equal dry_run_json_is_json "$(sg postfix attach --dry-run --json --config-directory "$config" |
	jq -r '.changed, .applied')" $'true\nfalse'
check_not without_a_yes_nothing_happens sg postfix attach --config-directory "$config"
check without_a_yes_the_files_stay as_kept
check_not status_says_not_attached status

check attach_works attach
check postfix_finds_nothing_wrong quiet_check
check_equal sealgate_stands_first "$(setting smtpd_milters)" \
	"$milter, inet:127.0.0.1:8891, { inet:127.0.0.1:8892, connect_timeout=10s }"
check_equal what_refers_to_that_list_stays "$(setting non_smtpd_milters)" "\$smtpd_milters"
check_equal the_second_stage_has_those_behind "$(option "127.0.0.1:$stage_port/inet/smtpd_milters")" \
	"$compact,\$sealgate_milters"
check_match milters_of_services_stand_behind_too "$(setting sealgate_milters)" \
	'8891.*8892.*8893.*8894'
submission=127.0.0.1:$((smtp_port + 5))/inet
check_equal a_service_with_its_own_list_has_us "$(option "$submission/smtpd_milters")" \
	"$compact,inet:127.0.0.1:8893,{ inet:127.0.0.1:8894, protocol=6 }"
check_match a_client_with_its_own_checks_has_the_backstop "$(option bulk/unix/smtp_header_checks)" \
	'^pipemap:\{regexp:.*/unsealed,fail:sealgate\},regexp:/nowhere$'
check_match header_checks_come_after_ours "$(option seal-pickup/unix/header_checks)" \
	'^regexp:.*/requeue,\$sealgate_header_checks$'
check_match the_suffix_is_resolved_first "$(setting transport_maps)" \
	'^regexp:.*/forwards, inline:\{ \{ here.example = local: \} \}$'
check_match local_has_another_name_for_our_own "$(setting sealgate_transport_maps)" \
	'^pipemap:\{inline:\{ \{ here.example = local: \} \},inline:\{local=sealed-local'
check status_says_attached status
check_equal the_record_is_for_root "$(stat -c %a "$config/sealgate/state")" 600
check the_stage_listens_after_a_reload wait_for 10 listens "$stage_port"

cp -p "$config/main.cf" "$stack/main.attached"
cp -p "$config/master.cf" "$stack/master.attached"
check_match a_second_attach_says_so "$(attach)" 'nothing to change'
check a_second_attach_leaves_main_cf cmp "$config/main.cf" "$stack/main.attached"
check a_second_attach_leaves_master_cf cmp "$config/master.cf" "$stack/master.attached"

# ---- another socket and port ----

old_port=$stage_port
pick_port && stage_port=$port_out
sed -i "s/^stage_port.*/stage_port = $stage_port/; s/milter\.sock/other.sock/" "$stack/sealgate.conf"
check another_port_is_taken attach
check_match another_socket_is_there "$(setting smtpd_milters)" 'other\.sock.*8891'
check_equal the_old_port_is_gone "$(postconf -c "$config" -M "127.0.0.1:$old_port/inet" 2> /dev/null)" ''
check_equal the_milters_are_not_there_twice "$(setting smtpd_milters | grep -o 'unix:' | wc -l)" 1
check the_tables_name_the_new_port grep -q ":$stage_port$" "$config/sealgate/routes"

# ---- out again ----

check detach_works detach
check detach_puts_back_every_byte as_kept
check_not nothing_of_ours_is_left test -e "$config/sealgate"
check_match a_second_detach_says_so "$(detach)" 'Not attached'
check postfix_is_content quiet_check

# ---- others change the files meanwhile ----

check attach_for_the_merge attach
postconf -c "$config" -e 'mynetworks=127.0.0.0/8' "smtpd_milters=$(setting smtpd_milters), inet:127.0.0.1:8899"
check_match changes_of_others_are_seen "$(status)" 'changed since'
check attach_again_takes_them_in attach
check_match a_new_milter_gets_to_the_stage "$(setting sealgate_milters)" 8899
check detach_after_changes_of_others detach
check_equal their_changes_stay "$(setting mynetworks)" 127.0.0.0/8
check_equal their_milter_stays_ours_goes "$(setting smtpd_milters)" \
	'inet:127.0.0.1:8891, { inet:127.0.0.1:8892, connect_timeout=10s }, inet:127.0.0.1:8899'
check_equal no_setting_of_ours_stays "$(grep -c "^seal" "$config/main.cf")" 0
check_equal no_service_of_ours_stays "$(postconf -c "$config" -M | grep -c seal)" 0
check master_cf_is_as_it_was diff "$kept/master.cf" "$config/master.cf"
cp -p "$kept"/m*.cf "$config"

# ---- interrupted ----

attach > /dev/null 2>&1
cp -p "$config/main.cf" "$stack/main.attached"
cp -p "$kept/main.cf" "$config/main.cf" # as if it had ended between master.cf and main.cf
check_not half_attached_is_not_attached status
check attach_mends_an_interrupted_attach attach
check mended_is_attached status
cp -p "$kept/main.cf" "$config/main.cf"
check detach_mends_an_interrupted_attach detach
check mended_has_every_byte as_kept
attach > /dev/null 2>&1
cp -p "$kept"/m*.cf "$config"
check a_restored_backup_can_be_attached attach
check and_detached detach
check restored_has_every_byte as_kept

# ---- two at once: a container's health check asks for the status while attach works ----

(exec 7< "$config" && flock 7 && sleep 2) &
holder=$!
sleep 0.5
check attach_waits_for_who_is_soon_done attach
wait "$holder"
check and_detach_after_it detach
exec 7< "$config"
flock 7
check_match who_takes_long_is_told "$(status 2>&1)" 'another attach or detach works'
exec 7<&-
attach > /dev/null 2>&1
rm "$config/sealgate/state"
check_not without_the_record_detach_refuses detach
check_not without_the_record_attach_refuses attach
cp -p "$kept"/m*.cf "$config"
rm -rf "$config/sealgate"

# ---- in the way ----

postconf -c "$config" -Me 'seal/unix=seal unix - - n - - smtp'
check_match a_foreign_service_named_seal_is_left_alone "$(attach 2>&1)" 'already has a service seal/unix'
cp -p "$kept/master.cf" "$config"
postconf -c "$config" -Me "10.0.0.1:$stage_port/inet=10.0.0.1:$stage_port inet n - n - - smtpd"
check_match a_taken_port_is_named "$(attach 2>&1)" 'stage_port'
cp -p "$kept/master.cf" "$config"

# ---- chroot: Debian's default master.cf ----

postconf -c "$config" -Fe "127.0.0.1:$smtp_port/inet/chroot=y" cleanup/unix/chroot=y
output=$(attach 2>&1)
check_match a_chroot_is_seen "$output" "chrooted.*local:$stack/queue/sealgate/milter.sock"
sed -i "s|^socket = .*other.sock.*|socket = \"local:$stack/queue/sealgate/milter.sock\"|" "$stack/sealgate.conf"
check a_socket_in_the_queue_directory_will_do attach
check_match it_is_named_from_there "$(setting smtpd_milters)" 'unix:sealgate/milter\.sock'
check_match the_new_cleanup_is_chrooted_as_well "$(postconf -c "$config" -M seal-pickup/unix)" 'n +- +y'
check a_chrooted_postfix_is_content quiet_check
check detach_from_a_chroot detach
cp -p "$kept/master.cf" "$config"

# ---- marked mail in the queue ----

echo >> "$config/main.cf" # or the next setting ends up in the comment
postconf -c "$config" -e 'defer_transports=smtp' 'smtpd_milters=' 'header_checks='
keep
postfix_reload "$stack"
printf 'From: a@inside.example\nX-Sealgate-Mark: 1\nSubject: x\n\nbody\n' > "$stack/marked.eml"
check marked_mail_is_queued send a@inside.example b@outside.example "$stack/marked.eml"
check attach_with_marked_mail attach
wait_for 10 grep -q 'status=deferred' "$stack/log/mail.log"
output=$(detach 2>&1)
check_match detach_refuses_with_marked_mail "$output" 'wait to be sealed or for TLS: 1: [0-9A-Za-z]+ '
check status_counts_it grep -q '1 flagged' <(status)
check detach_can_leave_the_services leave_services
check_equal then_the_front_is_free "$(setting smtpd_milters)" ''
check_match and_the_backstop_stays "$(setting smtp_header_checks)" unsealed
check_match and_the_stage_stays "$(postconf -c "$config" -M "127.0.0.1:$stage_port/inet")" smtpd
check_match status_says_draining "$(status)" draining
check_not detach_still_refuses detach
postsuper -c "$config" -d ALL 2> /dev/null
check detach_when_the_mail_is_gone detach
check then_every_byte_is_back as_kept
