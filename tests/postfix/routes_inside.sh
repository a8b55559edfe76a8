#!/bin/bash
# shellcheck disable=SC2154
# routes_inside.sh: what Postfix does not deliver by SMTP is never routed; where recipients may
# change behind the front, the second stage routes.
set -uo pipefail
# shellcheck source=tests/postfix/routes.bash
. "$(dirname "$0")/routes.bash"

routes_start routes-inside
routes_mail
for address in box@here.example lmtp@lmtp.example a@plain.example b@plain.example copy@plain.example; do
	recipient "$address"
done
mkdir -m 777 "$stack/box"
printf 'box: %s/box/mail\n' "$stack" >> "$stack/config/aliases"
postalias -c "$stack/config" "hash:$stack/config/aliases"
pick_port
lmtp_port=$port_out
sink_start "$stack/lmtp" "$lmtp_port" -L
in_box() { openssl cms -decrypt -inform SMIME -inkey "$stack/certs/box@here.example.key" \
	-recip "$stack/certs/box@here.example.pem" < <(sed '1d' "$stack/box/mail") | grep -qF "$stack_word"; }

check attached set_main "relayhost=[127.0.0.1]:$one" mydestination=here.example \
	"transport_maps=inline:{ lmtp.example=lmtp:inet:127.0.0.1:$lmtp_port }"
check local_is_taken send "$sender" box@here.example "$stack/sealed.eml"
check local_is_delivered wait_for 20 test -s "$stack/box/mail"
check local_is_sealed in_box
check lmtp_is_taken send "$sender" lmtp@lmtp.example "$stack/sealed.eml"
check lmtp_is_delivered sink_wait 1 20 "$stack/lmtp"
check_equal lmtp_is_sealed "$(grep -rlF "$stack_word" "$stack/lmtp")" ''
check neither_is_routed nothing_routed
check_not proven_tls_inside_is_impossible send "$sender" box@here.example "$stack/tls.eml"
check_match and_told_so "$reply" '^550 5\.7'

# ---- always_bcc and virtual aliases: the macro says "stage" ----

check attached_with_always_bcc set_main always_bcc=copy@plain.example
check_match the_second_stage_routes "$(postconf -c "$stack/config" -h milter_macro_defaults)" 'sealgate_routes=stage'
sink_clear
check always_bcc_is_taken send "$sender" a@plain.example "$stack/sealed.eml"
check the_recipient_has_it sink_wait_for a@plain.example 1 30
check the_copy_has_it sink_wait_for copy@plain.example 1 30
check the_recipients_is_sealed is_envelope a@plain.example
check the_copy_is_sealed is_envelope copy@plain.example
check_equal the_recipients_went_over_tls "$(took "$(sink_for a@plain.example)")" 'one ESMTPS'
check_equal the_copy_went_over_tls "$(took "$(sink_for copy@plain.example)")" 'one ESMTPS'
check both_were_routed was_routed "sealed smtp [127.0.0.1]:$one" "sealed:[127.0.0.1]:$one"

check attached_with_aliases set_main always_bcc= virtual_alias_domains=list.example \
	'virtual_alias_maps=inline:{ { all@list.example = a@plain.example b@plain.example } }'
check_match aliases_make_the_second_stage_route \
	"$(postconf -c "$stack/config" -h milter_macro_defaults)" 'sealgate_routes=stage'
sink_clear
check an_alias_is_taken send "$sender" all@list.example "$stack/sealed.eml"
check one_has_it sink_wait_for a@plain.example 1 30
check the_other_has_it sink_wait_for b@plain.example 1 30
check ones_is_sealed is_envelope a@plain.example
check the_others_is_sealed is_envelope b@plain.example
check nothing_is_clear no_clear
