#!/bin/bash
# Who may flag: login, network and local submission prove a sender; MAIL FROM and From never do.
set -uo pipefail

# shellcheck source=tests/postfix/flow.bash
. "$(dirname "$0")/flow.bash"

roamer='ADDR=198.51.100.7'	# an address in no tenant's network
other=uma@other.example		# of the other tenant

# sealed NAME ADDRESS: it came as one envelope, and nothing else did.
sealed() {
	check "$1: delivered" all_gone
	copies "$1: one copy" "$2" 1
	enveloped "$1: envelope" "$(the_copy "$2")" "$2"
	check_equal "$1: nothing else" "$(sink_count)" 1
	no_leaks "$1: nothing clear"
	sink_clear
}

# untouched NAME ADDRESS FILE: it came as it was.
untouched() {
	check "$1: delivered" all_gone
	copies "$1: one copy" "$2" 1
	check_equal "$1: as it was" "$(sink_message "$(the_copy "$2")" | without_received)" "$(cat "$3")"
	sink_clear
}

# refused NAME PATTERN: of the last message, and nobody got anything.
refused() {
	check_match "$1: 5.7.1" "$reply" "^550 5\.7\.1 .*$2"
	check "$1: nothing waits" all_gone
	check_equal "$1: nobody gets anything" "$(sink_count)" 0
}

# ---- login and network ----

case_login() {
	check "login: accepted" mail_via "$roamer LOGIN=alice@inside.example" "$stack/tagged.eml" \
		"<$alice>" "<$bob>"
	sealed login "$bob"
	check_not "login of nobody: refused" mail_via "$roamer LOGIN=guest@else.example" \
		"$stack/tagged.eml" "<$alice>" "<$bob>"
	refused "login of nobody" 'not proven'
	check_not "login, foreign MAIL FROM: refused" mail_via "$roamer LOGIN=alice@inside.example" \
		"$stack/tagged.eml" '<alice@foreign.example>' "<$bob>"
	refused "login, foreign MAIL FROM" 'alice@foreign.example'
	check "login, foreign MAIL FROM, no tag: accepted" mail_via "$roamer LOGIN=alice@inside.example" \
		"$stack/plain.eml" '<alice@foreign.example>' "<$bob>"
	untouched "login, foreign MAIL FROM, no tag" "$bob" "$stack/plain.eml"
}

case_network() {
	check "network: accepted" mail_via ADDR=192.0.2.9 "$stack/tagged.eml" "<$alice>" "<$bob>"
	sealed network "$bob"
	check_not "network, foreign MAIL FROM: refused" mail_via ADDR=192.0.2.9 "$stack/tagged.eml" \
		'<alice@foreign.example>' "<$bob>"
	refused "network, foreign MAIL FROM" 'foreign\.example'
	check "network, null sender: accepted" mail_via ADDR=192.0.2.9 "$stack/tagged.eml" '<>' "<$bob>"
	sealed "network, null sender" "$bob"
	check_not "loopback is not listed: refused" mail_out "$stack/tagged.eml" "<$alice>" "<$bob>"
	refused "loopback is not listed" 'not proven'
	check_not "the neighbour's address: refused" mail_via ADDR=192.0.3.9 "$stack/tagged.eml" \
		"<$alice>" "<$bob>"
	refused "the neighbour's address" 'not proven'
}

# A relay that two tenants share: MAIL FROM chooses among them, and each has its own certificates.
case_shared() {
	check "shared network: accepted for the other tenant" mail_via ADDR=192.0.2.9 "$stack/other.eml" \
		"<$other>" "<$dave>"
	check "shared network: delivered" all_gone
	check_match "shared network: the other tenant's protection" \
		"$(header "$(the_copy "$dave")" Content-Type)" multipart/mixed
	no_leaks "shared network: nothing clear"
	sink_clear
	check_not "shared network: what only the first tenant has is not possible" \
		mail_via ADDR=192.0.2.9 "$stack/other.eml" "<$other>" "<$bob>"
	refused "shared network" bob
	check_not "a login of one tenant, MAIL FROM of the other: refused" \
		mail_via "$roamer LOGIN=alice@inside.example" "$stack/other.eml" "<$other>" "<$dave>"
	refused "a login of one tenant, MAIL FROM of the other" 'other\.example'
}

# ---- not proven ----

case_unproven() {
	check_not "own MAIL FROM, not proven: refused" mail_via "$roamer" "$stack/outsider.eml" \
		"<$alice>" "<$frank>"
	refused "own MAIL FROM, not proven" 'not proven'
	check_not "own From, not proven: refused" mail_via "$roamer" "$stack/tagged.eml" \
		'<alice@foreign.example>' "<$frank>"
	refused "own From, not proven" 'not proven'
	check_not "own From, null sender, not proven: refused" mail_via "$roamer" "$stack/tagged.eml" \
		'<>' "<$frank>"
	refused "own From, null sender, not proven" 'not proven'
	check "own From, not proven, no tag: accepted" mail_via "$roamer" "$stack/plain.eml" \
		'<alice@foreign.example>' "<$frank>"
	untouched "own From, not proven, no tag" "$frank" "$stack/plain.eml"
}

case_outsider() {
	check "outsider's tag: accepted" mail_via "$roamer" "$stack/outsider.eml" \
		'<olga@foreign.example>' "<$frank>"
	untouched "outsider's tag" "$frank" "$stack/outsider.eml"
	check "outsider's header tag: accepted" mail_via "$roamer" "$stack/outsider_header.eml" \
		'<olga@foreign.example>' "<$frank>"
	untouched "outsider's header tag" "$frank" "$stack/outsider_header.eml"
}

# ---- local submission ----

# local_mail FILE OPTION...: by sendmail(1).
local_mail() { sendmail -C "$stack/config" -i "${@:2}" < "$stack/$1.eml"; }

# told NAME ADDRESS PATTERN: local mail that is refused comes back, without its body.
told() {
	wait_for 20 sink_has 1
	check "$1: decided" all_gone
	copies "$1: the sender is told" "$2" 1
	check_equal "$1: nobody else gets anything" "$(sink_count)" 1
	check_match "$1: why" "$(tr -d '\n' < "$(the_copy "$2")")" "$3"
	no_leaks "$1: nothing clear"
	sink_clear
}

case_local() {
	check "local: submitted" local_mail tagged -f "$alice" "$bob"
	check "local: arrives" sink_wait_for "$bob"
	sealed local "$bob"
	sed "s/^To: .*/To: $bob\nBcc: $dave/" "$stack/tagged.eml" > "$stack/local_bcc.eml"
	check "local, -t with Bcc: submitted" local_mail local_bcc -f "$alice" -t
	check "local, -t with Bcc: one arrives" sink_wait_for "$bob"
	check "local, -t with Bcc: the other arrives" sink_wait_for "$dave"
	check_equal "local, -t with Bcc: nobody sees it" "$(grep -lF "$dave" "$(the_copy "$bob")")" ""
	sink_message "$(the_copy "$dave")" > "$stack/local_bcc.got"
	check_equal "local, -t with Bcc: nor in a field" "$(grep -ciE '^Bcc' "$stack/local_bcc.got")" 0
	check_equal "local, -t with Bcc: two messages" "$(sink_count)" 2
	no_leaks "local, -t with Bcc: nothing clear"
	sink_clear
	check "local, nothing possible: submitted" local_mail tagged -f "$alice" "$eve"
	told "local, nothing possible" "$alice" "5\.7\.1.*$eve"
	# its From is of the tenant, its MAIL FROM is not
	check "local, foreign MAIL FROM: submitted" local_mail tagged -f olga@foreign.example "$bob"
	told "local, foreign MAIL FROM" olga@foreign.example '5\.7\.1.*not proven'
	check "local, no tag: submitted" local_mail plain -f "$alice" "$bob"
	check "local, no tag: arrives" sink_wait_for "$bob"
	untouched "local, no tag" "$bob" "$stack/plain.eml"
}

# An inside copy that a forwarder of a mailbox sends on by sendmail(1).
case_local_forwarder() {
	mail_via ADDR=192.0.2.9 "$stack/tagged.eml" "<$alice>" "<$frank>" && all_gone
	sink_message "$(the_copy "$frank")" > "$stack/kept.eml"
	check_equal "local forwarder: has a kept mark" "$(grep -c '^X-Sealgate-Kept:' "$stack/kept.eml")" 1
	sink_clear
	check "local forwarder: submitted" local_mail kept -f "$frank" "$bob"
	check "local forwarder: arrives" sink_wait_for "$bob"
	sealed "local forwarder" "$bob"
	sed -i '1i X-Sealgate-Route: local' "$stack/kept.eml"
	check "local forwarder behind local(8): submitted" local_mail kept -f "$frank" "$bob"
	check "local forwarder behind local(8): arrives" sink_wait_for "$bob"
	sealed "local forwarder behind local(8)" "$bob"
	check "local forwarder, several: submitted" local_mail kept -f "$frank" "$bob" "$dave"
	check "local forwarder, several: one arrives" sink_wait_for "$bob"
	check "local forwarder, several: the other arrives" sink_wait_for "$dave"
	no_leaks "local forwarder, several: nothing clear"
	sink_clear
	message forged Forged 'X-Sealgate-Mark: 1.0.0'
	check "local, forged mark: submitted" local_mail forged -f "$alice" "$bob"
	told "local, forged mark" "$alice" '5\.7\.1'
}

make_messages() {
	message tagged '[secure] Plan'
	message plain 'Plan'
	message outsider '[secure] Plan'
	sed -i 's/^From: .*/From: Olga <olga@foreign.example>/' "$stack/outsider.eml"
	message outsider_header 'Plan' 'X-Sealgate: secure' 'Sensitivity: Private'
	sed -i 's/^From: .*/From: Olga <olga@foreign.example>/' "$stack/outsider_header.eml"
	message other '[secure] Plan'
	sed -i "s/^From: .*/From: Uma <$other>/" "$stack/other.eml"
}

# The stack's tenant with logins and another network, and a second tenant on that network.
stack_tenant='logins = { "*@inside.example" }'
stack_conf='tenant second {
		domains = { "other.example" }
		networks = { "192.0.2.0/24" }
	}'
eval "stock_$(declare -f gateway_conf)"
gateway_conf() {
	stock_gateway_conf
	sed -i 's|{ "127.0.0.1" }|{ "192.0.2.0/24" }|' "$stack/sealgate.conf"
}

# who may relay is not the question here
stack_main=(mynetworks=0.0.0.0/0)
flow_start senders
make_messages
printf '%s\n' "$password" > "$stack/password"
sg password set --tenant second --password-file "$stack/password" "$dave" > /dev/null ||
	not_ok "a password for the second tenant"
case_login
case_network
case_shared
case_unproven
case_outsider
case_local
case_local_forwarder
