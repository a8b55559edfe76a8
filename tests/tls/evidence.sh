#!/bin/bash
# What the gateway says about TLS is true: sealgate tls check, trace, status, report.
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
# shellcheck source=tests/lib/internet.bash
. "$(dirname "$0")/../lib/internet.bash"
# shellcheck source=tests/lib/internet_table.bash
. "$(dirname "$0")/../lib/internet_table.bash"
stack_tenant='protections = { "tls", "pdf" }'
stack_conf='hop "self.plain" { tls = secure
			reason = "they promised a certificate" }
		hop "clear.plain" { tls = encrypt
			until = 2020-01-01
			reason = "over" }'
internet_start
stack_tls+='
			metrics = "inet:9325@127.0.0.1"
			report = no
			report_from = "tls@inside.example"
			report_organization = "Inside"
			report_server = "127.0.0.1:25"'
stack_start tls-evidence
people_at dane.example

# ---- tls check ----

# said DOMAIN FILTER: is what the JSON says true?
said() { sg tls check --json "$1" | jq -e "$2" > /dev/null; }
check "dane.example: DANE" said dane.example \
	'.policies.all.source == "dane" and .policies.proven.policy == "dane-only" and .mx[0].tlsa_usable == 1'
check "cname.example: DANE through a signed alias" said cname.example '.policies.proven.source == "dane"'
check "bücher.example: by its A-label" said bücher.example '.policies.all.source == "dane"'
check "pkix.example: TLS, not proven" said pkix.example \
	'.policies.all.policy == "encrypt" and .policies.all.proven == false'
check "enforce.plain: MTA-STS" said enforce.plain \
	'.policies.sealed.source == "sts" and (.policies.all.policy | startswith("secure match=mx.enforce.plain"))'
check "testing.plain: nothing is demanded" said testing.plain '.policies.all.proven == false and .policies.all.kind != "found"'
check "wrongweb.plain: its certificate is named" said wrongweb.plain '[.steps[] | tostring] | join(" ") | test("certificate|trust")'
check "redirect.plain: the redirect is named" said redirect.plain '[.steps[] | tostring] | join(" ") | test("302|redirect")'
check "expired.example: waits, the signature is named" said expired.example \
	'.policies.all.kind == "temporary" and (.policies.all.reason | test("signature expired"))'
check "null.example: null MX" said null.example '.policies.all.reason | test("null MX")'
check "self.plain: the rule" said self.plain '.policies.all.source == "rule" and (.policies.all.policy | startswith("secure"))'
check "clear.plain: a rule whose end is over is none" said clear.plain '.policies.all.source != "rule"'

tried() { sg tls check --connect "$1" 2>&1; }
check_match "--connect dane.example: passed" "$(tried dane.example)" 'PASSED +DANE'
check_match "--connect daneta.example: passed" "$(tried daneta.example)" 'PASSED +DANE'
check_match "--connect wrong.example: failed" "$(tried wrong.example)" 'FAILED'
check_match "--connect enforce.plain: passed" "$(tried enforce.plain)" 'PASSED'
check_match "--connect badmx.plain: failed" "$(tried badmx.plain)" 'FAILED'
check_match "--connect cut.plain: no STARTTLS" "$(tried cut.plain)" 'STARTTLS'
check_match "--connect old.plain: TLS too old" "$(tried old.plain)" 'FAILED|failed|protocol'

# ---- trace ----

mail_to plain dane.example enforce.plain testing.plain notlsa.example clear.plain badmx.plain wrong.example
mail_to order dane.example wrong.example
for to in plain@dane.example order@dane.example plain@enforce.plain plain@testing.plain plain@clear.plain; do
	check "$to has arrived" arrives "$to"
done
traced() { sg trace "<$1.$2@client.example>" 2>&1 | grep -qE "$3"; }
check "trace: version and cipher" wait_for 10 traced order dane.example 'TLSv1.3.*TLS_AES_256_GCM_SHA384|TLSv1.3'
check "trace: who verified it" wait_for 5 traced order dane.example '[Vv]erified|DANE'
check "trace: where it was delivered" traced order dane.example 'mx.dane.example'
check "trace: what the peer said" traced order dane.example '250 2.0.0'
check "trace: what was decided" traced order dane.example 'tls'
check "trace: what waits says why" wait_for 10 traced order wrong.example 'Server certificate not'

# ---- status, metrics ----

metric() { sg tls status | grep -qE "$1"; }
check "status counts answers" metric '^sealgate_tls_[a-z_]*answers[a-z_]*\{.*dane.*\} [1-9]'
check "Prometheus finds the same names" grep -q '^sealgate_tls_' \
	<<< "$(curl -s --max-time 5 http://127.0.0.1:9325/metrics)"
fell_back() {
	postfix_flush "$stack"
	sleep 1
	metric '^sealgate_tls_.*(fell|fallback)[^ ]* [1-9]'
}
check "a fallback is counted" wait_for 15 fell_back

# ---- TLSRPT ----

today=$(date -u +%F)
reported() { sg tls report --day "$today" 2> /dev/null | jq -es "$1" > /dev/null; }
check "TLSRPT: dane.example had successes" wait_for 15 reported \
	'any(.[] | tostring; test("dane.example") and test("\"total-successful-session-count\":[1-9]"))'
check "TLSRPT: wrong.example had failures, with their type" wait_for 10 reported \
	'any(.[] | tostring; test("wrong.example") and test("validation-failure|certificate-not-trusted|tlsa-invalid"))'
check "TLSRPT: who does not ask gets none" reported 'all(.[] | tostring; test("clear.plain") | not)'
check "TLSRPT: no addresses of people" reported 'all(.[] | tostring; test("(order|plain|alice)@") | not)'
# ---- and sent ----

sed -i "s/report = no/report = yes/; s/report_server = .*/report_server = \"127.0.0.1:$smtp_port\"/" "$stack/sealgate.conf"
kill -HUP "$gateway_pid"
sent_report() { sg tls report --day "$today" --send > "$stack/log/report.out" 2>&1; }
check "TLSRPT: reports are sent" wait_for 10 sent_report
check "by mail" arrives tlsrpt@reports.example 10
report=$(arrived tlsrpt@reports.example | head -n 1)
check_match "as a report (RFC 8460, 5.3)" "$(grep -aiE '^(TLS-Report-Domain|Content-Type)' "${report:-/dev/null}" | paste -sd ' ')" \
	'report-type="?tlsrpt'
posted() { find "$net/reports" -type f -size +0 | grep -q .; }
check "and by HTTPS" wait_for 10 posted
check_match "to the host that asked" "$(grep -a POST "$net/log/web.out")" 'POST /report HTTP/[0-9.]+" 20[0-9]'
end_of_table
