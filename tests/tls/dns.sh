#!/bin/bash
# long: make check-long and make ci run it, make check does not
# DNS stopped, slow and lying: mail waits or goes with proof, never weaker.
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
# shellcheck source=tests/lib/internet.bash
. "$(dirname "$0")/../lib/internet.bash"
# shellcheck source=tests/lib/internet_table.bash
. "$(dirname "$0")/../lib/internet_table.bash"
stack_tenant='protections = { "tls", "pdf" }'
internet_start
# what fails waits in this test; nothing falls back or is told
stack_tls=${stack_tls/wait = 1s/wait = 10m}
stack_tls=${stack_tls/tell = 1s/tell = 10m}
stack_start tls-dns
people_at d{1..6}.example e1.plain e2.plain

# all NAME DOMAIN EXPECTED: one message a plan to a domain that nobody has asked for yet; EXPECTED for
# plain, envelope, order.
plans=(plain envelope order)
send_all() {
	local plan
	for plan in "${plans[@]}"; do
		mail_to "$plan" "$1"
	done
}
cells() {
	look "$1"
	printf '%s %s %s' "${now[plain@$1]}" "${now[envelope@$1]}" "${now[order@$1]}"
}
is_so() { [[ $(cells "$1") == "$2" ]]; }
all() {
	send_all "$2"
	wait_for "${4:-6}" is_so "$2" "$3"
	postfix_flush "$stack"
	sleep 1.2
	check_equal "$1" "$(cells "$2")" "$3"
}
v=TLSv1.3/Verified

now_so() {
	postfix_flush "$stack"
	sleep 1
	is_so "$1" "$2"
}

# the policy service's own server, while Postfix's answers
dns_near slow 150
all "DNS slow for the policy service: as always" d1.example "clear/$v envelope/$v clear/$v" 25
dns_near servfail
all "SERVFAIL for the policy service: waits, plan tls is not accepted" d2.example "waits waits later"
dns_near pass
all "MTA-STS is known" e1.plain "clear/$v envelope/$v clear/$v" 20

# the resolver itself stopped
resolver_stop
all "resolver stopped" d3.example "waits waits later" 3
all "resolver stopped, MTA-STS" e2.plain "waits waits later" 3
resolver_start
for domain in d2.example d3.example e2.plain; do
	check "DNS is back: $domain" wait_for 60 now_so "$domain" "clear/$v envelope/$v later"
done

# the servers lie: what is signed does not come through, and what is not signed must still prove itself
# by the policy that is known
resolves gone.plain A
dns_far lie
mail_to tls e1.plain
mail_to pdf e1.plain
all "lies about a signed domain" d4.example "waits waits later" 3
plans=(tls pdf)
look e1.plain
check_equal "lies about a domain whose MTA-STS is known: waits" "${now[tls@e1.plain]} ${now[pdf@e1.plain]}" \
	"waits waits"
check_match "since the liar's server cannot prove to be it" "$(grep -F 'to=<tls@e1.plain>' "$stack/log/mail.log")" \
	'mx.liar.plain|127.0.2.66|not verified|not trusted'
dns_far pass

# lies to the policy service alone: it validates by itself
plans=(plain envelope order)
dns_near lie
all "lies for the policy service: the same" d5.example "waits waits later"

check_not "nothing went where the lie points" grep -rq 'by mx.liar.plain' "$net/mail/all/new"
end_of_table
