#!/bin/bash
# The small internet of these tests is what it claims to be; without that the table proves nothing.
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
# shellcheck source=tests/lib/internet.bash
. "$(dirname "$0")/../lib/internet.bash"
stack_gateway=no
internet_start
stack_main+=(smtp_tls_security_level=dane "smtp_tls_CAfile=$net/ca.pem")
stack_start internet

# ---- DNS ----

check_match "the root is signed and validated" "$(dns . NS)" '^NOERROR.* ad'
check_match "a good domain is secure" "$(dns dane.example MX)" '^NOERROR.* ad'
check_match "and its TLSA records" "$(dns _25._tcp.mx.dane.example TLSA)" '^NOERROR.* ad'
check_match "that there is no TLSA is secure too" "$(dns _25._tcp.mx.notlsa.example TLSA)" '^NXDOMAIN.* ad'
check_match "expired signatures: SERVFAIL" "$(dns expired.example MX)" '^SERVFAIL'
check_match "without validation the records are there" \
	"$(dig +short +cd expired.example MX @127.0.0.1)" 'mx.expired.example'
check_match "a key that the parent does not know: SERVFAIL" "$(dns bogus.example MX)" '^SERVFAIL'
check "an unsigned domain is answered" resolves enforce.plain MX
check_not "and not secure" grep -q ' ad' <<< "$(dns enforce.plain MX)"
check_match "a domain that does not exist" "$(dns gone.example MX)" '^NXDOMAIN.* ad'

# ---- web hosts ----

web() {
	curl -s --max-time 5 --cacert "$net/ca.pem" --resolve "mta-sts.$1:443:127.0.3.1" \
		"https://mta-sts.$1/.well-known/mta-sts.txt" "${@:2}"
}
check_match "a policy is served" "$(web enforce.plain)" 'mode: enforce'
check_match "as plain text" "$(web enforce.plain -o /dev/null -w '%{content_type}')" '^text/plain'
check_not "the wrong certificate is wrong" web wrongweb.plain
check_match "a redirect redirects" "$(web redirect.plain -o /dev/null -w '%{http_code}')" '^302'

# ---- peers, as Postfix's own prober sees them ----

# with a configuration that logs to standard error
mkdir "$net/client"
printf '%s\n' 'compatibility_level = 3.6' 'smtp_dns_support_level = dnssec' 'smtp_host_lookup = dns' \
	'inet_protocols = ipv4' 'inet_interfaces = 127.0.0.1' 'myhostname = gate.inside.example' \
	'mydestination =' > "$net/client/main.cf"
finger() {
	MAIL_CONFIG=$net/client timeout 20 posttls-finger -l "${@:2}" "$1" ${match:+"$match"} 2>&1
}
check_match "DANE: verified" "$(finger dane.example dane-only)" 'Verified TLS connection'
check_match "DANE by an authority: verified" "$(finger daneta.example dane-only)" 'Verified TLS connection'
check_match "DANE through a CNAME" "$(finger cname.example dane-only)" 'Verified TLS connection'
check_match "wrong TLSA: not verified" "$(finger wrong.example dane-only)" 'Untrusted TLS connection'
check_match "MTA-STS: certificate of the authority" \
	"$(match=mx.enforce.plain finger enforce.plain secure -F "$net/ca.pem")" 'Verified TLS connection'
check_not "MTA-STS with a wrong certificate" grep -q "Verified TLS connection" \
	<<< "$(match=mx.badmx.plain finger badmx.plain secure -F "$net/ca.pem")"
check_not "no STARTTLS" grep -q STARTTLS <<< "$(finger clear.plain may)"
check_match "STARTTLS stripped" "$(finger cut.plain may)" '250.XXXXXXXX'
check_match "behind the proxy it is offered" "$(finger '[127.0.2.7]' encrypt)" 'TLS connection established'
check_match "TLS 1.0 is spoken" "$(finger old.plain encrypt)" ': TLSv1 with'
check_not "and nothing newer" grep -q 'TLS connection established' \
	<<< "$(finger old.plain encrypt -p '>=TLSv1.2')"

# ---- peers keep what a Postfix without a gateway sends them ----

mail_file plain Hello
domains=(dane.example wrong.example clear.plain cut.plain self.plain aonly.plain old.plain grey.example)
for domain in "${domains[@]}" null.example gone.plain expired.example; do
	send alice@inside.example "x@$domain" "$stack/plain" || not_ok "accepted for $domain" "$reply"
done
arrived_over() { if arrives "x@$1" 6; then over_what "$(arrived "x@$1")"; else echo nothing; fi; }
for domain in dane.example self.plain aonly.plain; do
	check_equal "$domain gets it over TLS" "$(arrived_over "$domain")" TLSv1.3
done
for domain in clear.plain cut.plain; do
	check_equal "$domain gets it in clear" "$(arrived_over "$domain")" tcp
done
check_equal "old.plain over TLS 1.0" "$(arrived_over old.plain)" TLSv1
check_match "greylisting deferred first" "$(grep -F x@grey.example "$stack/log/mail.log")" "451 4.7.1 .*Greylisted"
check_equal "and accepts later" "$(arrived_over grey.example)" TLSv1.3
waits() { postfix_queue "$stack" | grep -qE " x@$1 deferred $2"; }
check "wrong TLSA waits" wait_for 20 waits wrong.example 'Server certificate not'
check "bogus DNS waits" wait_for 20 waits expired.example '.*(type=MX|Host not found)'
check "null MX and unknown domains come back to the sender" wait_for 10 arrived_has alice@inside.example 2
