# shellcheck shell=bash disable=SC2034,SC2154
# internet.bash: a small internet for one test: DNS with DNSSEC, web hosts, mail peers. Sourced, after
# stack.sh.
#
#   internet_start   starts it all in network, mount and process namespaces of the test's own, so that
#                    port 53 is free and nothing of the machine is touched; sets stack_main and
#                    stack_tls, so that a gateway which is started then lives in this internet
#   internet_stop    ends all by process id; runs by itself when the script ends
#
# What is where ($net is the folder):
#   127.0.0.1:53     unbound, which validates; /etc/resolv.conf names it. The gateway's Postfix asks it
#   127.0.0.9:53     the same through dns_middle ($net/near.mode); sealgate-tls asks this one
#   127.0.1.1:53     what unbound knows as the root's server: dns_middle ($net/far.mode)
#   127.0.1.2:53     knot, authoritative for ".", "example." (both signed), "expired.example." (its
#                    signatures are of 2020), "bogus.example." (another key than the parent names),
#                    "plain." (not signed)
#   127.0.2.N:25     a peer each: smtpd services of one Postfix, all mail goes to $net/mail/all/new
#   127.0.3.1:443    nginx, mta-sts.* with certificates of $net/ca/ca.pem; POST of reports is kept
#   127.0.3.9:443    nobody

net=
net_uid=64150

# A run of its own namespaces: what a test starts ends with it, whatever happens.
if [[ -z ${SG_INTERNET:-} ]]; then
	if ! unshare -n -m -p --fork --mount-proc true 2> /dev/null; then
		echo "skip all needs namespaces of its own"
		exit 0
	fi
	SG_INTERNET=1 exec unshare -n -m -p --fork --kill-child --mount-proc bash "$0" "$@"
fi

# ---- certificates ----

# net_ca: the authority that signs web hosts and good peers.
net_ca() {
	mkdir -p "$net/ca"
	openssl ecparam -name prime256v1 -genkey -noout -out "$net/ca/ca.key" 2> /dev/null
	openssl req -x509 -key "$net/ca/ca.key" -days 30 -subj "/CN=Test Authority" \
		-addext "keyUsage=critical,keyCertSign,cRLSign" -out "$net/ca/ca.pem" 2> /dev/null
}

# net_certificate NAME...: $net/ca/NAME.pem: key, certificate for all names, authority's certificate.
net_certificate() {
	local name=$1 names
	names=$(printf ',DNS:%s' "$@")
	openssl ecparam -name prime256v1 -genkey -noout -out "$net/ca/$name.key" 2> /dev/null
	openssl req -new -key "$net/ca/$name.key" -subj "/CN=$name" 2> /dev/null |
		openssl x509 -req -CA "$net/ca/ca.pem" -CAkey "$net/ca/ca.key" -days 20 \
			-set_serial "0x$(openssl rand -hex 8)" -out "$net/ca/$name.crt" -extfile <(
				printf 'subjectAltName=%s\n' "${names#,}"
			) 2> /dev/null
	cat "$net/ca/$name.key" "$net/ca/$name.crt" "$net/ca/ca.pem" > "$net/ca/$name.pem"
}

# net_self NAME: the same, signed by itself.
net_self() {
	openssl ecparam -name prime256v1 -genkey -noout -out "$net/ca/$1.key" 2> /dev/null
	openssl req -x509 -key "$net/ca/$1.key" -days 20 -subj "/CN=$1" -out "$net/ca/$1.crt" 2> /dev/null
	cat "$net/ca/$1.key" "$net/ca/$1.crt" > "$net/ca/$1.pem"
}

# tlsa_ee NAME: data of TLSA 3 1 1; tlsa_ta: of TLSA 2 0 1.
tlsa_ee() {
	openssl pkey -in "$net/ca/$1.key" -pubout -outform DER 2> /dev/null | sha256sum | cut -d ' ' -f 1
}
tlsa_ta() { openssl x509 -in "$net/ca/ca.pem" -outform DER | sha256sum | cut -d ' ' -f 1; }

# ---- DNS ----

# record ZONE LINE: a record more. Zones are files "root", "example", "plain", ...
record() { printf '%s\n' "$2" >> "$net/zones/$1.in"; }

zone_begin() {
	cat > "$net/zones/${1}.in" <<-ZONE
		\$TTL 60
		$2 SOA a.root. hostmaster.example. 1 3600 600 86400 2
		$2 NS a.root.
	ZONE
}

# mail_at ZONE DOMAIN HOST [ADDRESS]: MX of DOMAIN at HOST, whose address may be given.
mail_at() {
	record "$1" "$2. MX 10 $3."
	[[ $# -lt 4 ]] || record "$1" "$3. A $4"
}

# sts_at DOMAIN MODE MX [MAX_AGE [WEB-ADDRESS]]: publishes MTA-STS; the web host's certificate is not
# made here.
sts_at() {
	local folder=$net/web/mta-sts.$1/.well-known
	record plain "_mta-sts.$1. TXT \"v=STSv1; id=1;\""
	record plain "mta-sts.$1. A ${5:-127.0.3.1}"
	mkdir -p "$folder"
	printf 'version: STSv1\r\nmode: %s\r\nmx: %s\r\nmax_age: %s\r\n' "$2" "$3" "${4:-86400}" \
		> "$folder/mta-sts.txt"
	web_hosts+=("mta-sts.$1")
}

knot_conf() {
	cat > "$net/knot.conf" <<-CONF
		server:
		    listen: 127.0.1.2@53
		    rundir: $net/run
		    user: root
		log:
		  - target: stderr
		    any: warning
		database:
		    storage: $net/keys
		policy:
		  - id: one
		    algorithm: ECDSAP256SHA256
		    single-type-signing: on
		    manual: on
		    rrsig-lifetime: 14d
		template:
		  - id: default
		    storage: $net/zones
		    dnssec-policy: one
		zone:
	CONF
	printf '  - domain: %s\n    file: %s\n' . root example. example expired.example. expired \
		bogus.example. bogus plain. plain >> "$net/knot.conf"
}

# sign ZONE FILE [TIME]: DS of the zone is then in $net/zones/FILE.ds
sign() {
	cp "$net/zones/$2.in" "$net/zones/$2"
	keymgr -c "$net/knot.conf" "$1" generate algorithm=ECDSAP256SHA256 ksk=yes zsk=yes \
		created=20190101000000 publish=20190101000000 ready=20190101000000 active=20190101000000 \
		>> "$net/log/keymgr.out" 2>&1
	keymgr -c "$net/knot.conf" "$1" ds 2>> "$net/log/keymgr.out" | awk '/ 13 2 /' > "$net/zones/$2.ds"
	kzonesign -c "$net/knot.conf" -o "$net/zones" ${3:+-t "$3"} "$1" >> "$net/log/keymgr.out" 2>&1
	# it is named after the zone
	[[ ! -s "$net/zones/${1%.}.zone" ]] || mv "$net/zones/${1%.}.zone" "$net/zones/$2"
}

zones_make() {
	local zone
	sign expired.example. expired 1577836800
	sign bogus.example. bogus
	cat "$net/zones/expired.ds" >> "$net/zones/example.in"
	# the parent names a key that the zone does not have
	printf 'bogus.example. DS 12345 13 2 %s\n' "$(printf 'another key' | sha256sum | cut -d ' ' -f 1)" \
		>> "$net/zones/example.in"
	sign example. example
	cat "$net/zones/example.ds" >> "$net/zones/root.in"
	sign . root
	cp "$net/zones/plain.in" "$net/zones/plain"
	cp "$net/zones/root.ds" "$net/root.key"
	chmod 644 "$net/root.key"
}

unbound_conf() {
	printf '. 3600 NS a.root.\na.root. 3600 A 127.0.1.1\n' > "$net/root.hints"
	cat > "$net/unbound.conf" <<-CONF
		server:
		    interface: 127.0.0.1
		    access-control: 127.0.0.0/8 allow
		    username: ""
		    chroot: ""
		    pidfile: ""
		    directory: "$net"
		    do-daemonize: no
		    do-ip6: no
		    do-not-query-localhost: no
		    root-hints: "$net/root.hints"
		    trust-anchor-file: "$net/root.key"
		    module-config: "validator iterator"
		    cache-max-negative-ttl: 2
		    infra-host-ttl: 1
		    use-syslog: no
		    logfile: "$net/log/unbound.out"
		    val-log-level: 2
		    log-servfail: yes
		remote-control:
		    control-enable: no
	CONF
}

# ---- the peers ----

peers=()

# peer N HOST CERTIFICATE [SMTPD-OPTION...]: 127.0.2.N:25. CERTIFICATE "-" offers no STARTTLS.
peer() {
	local tls="-o smtpd_tls_security_level=none"
	if [[ $3 != - ]]; then
		tls="-o smtpd_tls_security_level=may -o smtpd_tls_chain_files=$net/ca/$3.pem"
	fi
	peers+=("127.0.2.$1:25 inet n - n - - smtpd -o myhostname=$2 $tls ${*:4}")
}

world_make() {
	postfix_make "$net/world" 25 25
	mkdir -p "$net"/mail/all/{new,cur,tmp}
	chown -R "$net_uid:$net_uid" "$net/mail"
	postconf -c "$net/world/config" -e 'inet_interfaces = 127.0.0.2' 'mydestination =' 'relayhost =' \
		'myhostname = world.plain' 'mynetworks =' 'smtpd_relay_restrictions = reject_unauth_destination' \
		'virtual_alias_maps =' \
		'virtual_mailbox_domains = static:all' 'virtual_transport = virtual' \
		"virtual_mailbox_base = $net/mail" "virtual_mailbox_maps = static:all/" \
		"virtual_uid_maps = static:$net_uid" "virtual_gid_maps = static:$net_uid" \
		'virtual_minimum_uid = 1000' 'virtual_mailbox_limit = 0' 'smtpd_tls_received_header = yes' \
		'smtpd_tls_loglevel = 1' 'smtpd_tls_session_cache_database =' 'disable_vrfy_command = yes' \
		'smtpd_discard_ehlo_keywords = chunking' 'message_size_limit = 0' \
		'smtpd_client_connection_rate_limit = 0' 'smtpd_policy_service_default_action = 451 4.3.5 later'
	sed -i '/^127\.0\.0\.1:25 /d' "$net/world/config/master.cf"
	printf '%s\n' "${peers[@]}" \
		"grey unix - n n - 0 spawn user=nobody argv=/bin/bash $stack_root/tests/lib/greylist.bash $net/grey" \
		>> "$net/world/config/master.cf"
	mkdir -p "$net/grey"
	chmod 777 "$net/grey"
}

# ---- web hosts ----

web_hosts=()

nginx_conf() {
	local host
	cat <<-CONF
		daemon off;
		user root;
		pid $net/run/nginx.pid;
		error_log $net/log/nginx.out warn;
		worker_processes 1;
		events { worker_connections 256; }
		http {
			access_log $net/log/web.out;
			client_body_temp_path $net/reports;
			proxy_temp_path $net/run/p; fastcgi_temp_path $net/run/f;
			uwsgi_temp_path $net/run/u; scgi_temp_path $net/run/s;
			types { text/plain txt; }
			server_names_hash_bucket_size 128;
			server { listen 127.0.3.2:8080; location / { return 201; } }
			server {
				listen 127.0.3.1:443 ssl default_server;
				ssl_certificate $net/ca/web.pem; ssl_certificate_key $net/ca/web.key;
				location / { return 404; }
				location /report { client_body_in_file_only on; proxy_pass http://127.0.3.2:8080; }
			}
			server {
				listen 127.0.3.1:443 ssl;
				server_name mta-sts.redirect.plain;
				ssl_certificate $net/ca/web.pem; ssl_certificate_key $net/ca/web.key;
				location / { return 302 https://mta-sts.enforce.plain\$request_uri; }
			}
	CONF
	for host in "${web_hosts[@]}"; do
		[[ $host != mta-sts.redirect.plain ]] || continue
		cat <<-CONF
			server {
				listen 127.0.3.1:443 ssl;
				server_name $host;
				ssl_certificate $net/ca/$(web_certificate "$host").pem;
				ssl_certificate_key $net/ca/$(web_certificate "$host").key;
				root $net/web/$host;
			}
		CONF
	done
	echo "}"
}

web_certificate() { if [[ $1 == mta-sts.wrongweb.plain ]]; then echo self; else echo web; fi; }

# ---- who is there ----

# The domains, what they publish and how their peers behave. One table for all tests:
#
#   dane.example       DANE, TLSA 3 1 1            enforce.plain    MTA-STS enforce
#   daneta.example     DANE, TLSA 2 0 1            testing.plain    testing, wrong certificate at the MX
#   wrong.example      TLSA of another key         none.plain       mode none
#   pkix.example       TLSA 1 1 1: not usable      short.plain      enforce, max_age 12
#   expired.example    signatures of 2020          wrongweb.plain   enforce, web host's certificate wrong
#   bogus.example      DS of another key           redirect.plain   enforce, behind a redirect
#   notlsa.example     signed, no TLSA             outside.plain    enforce, MX outside the policy
#   stripped.example   DANE, STARTTLS stripped     badmx.plain      enforce, MX with a wrong certificate
#   cname.example      CNAME to dane.example       cutsts.plain     enforce, STARTTLS stripped
#   xn--bcher-kva.example  DANE                    clear.plain      no STARTTLS
#   grey.example       DANE, 451 for 3 s first     cut.plain        STARTTLS stripped
#   inside.example     DANE, the gateway's own     old.plain        TLS 1.0 only
#   null.example       null MX                     self.plain       certificate signed by itself
#   gone.example, gone.plain  do not exist         aonly.plain      no MX
#   d1 ... d9.example  DANE, for one test each     e1 ... e9.plain  MTA-STS enforce, for one test each
net_domains() {
	local n
	zone_begin root .
	record root 'a.root. A 127.0.1.1'
	zone_begin example example.
	zone_begin plain plain.
	zone_begin expired expired.example.
	zone_begin bogus bogus.example.
	printf 'example. NS a.root.\nplain. NS a.root.\n' >> "$net/zones/root.in"
	printf '%s.example. NS a.root.\n' expired bogus >> "$net/zones/example.in"

	mail_at example dane.example mx.dane.example 127.0.2.1
	record example "_25._tcp.mx.dane.example. TLSA 3 1 1 $(tlsa_ee mx.dane.example)"
	mail_at example daneta.example mx.daneta.example 127.0.2.2
	record example "_25._tcp.mx.daneta.example. TLSA 2 0 1 $(tlsa_ta)"
	mail_at example wrong.example mx.wrong.example 127.0.2.3
	record example "_25._tcp.mx.wrong.example. TLSA 3 1 1 $(tlsa_ee mx.dane.example)"
	mail_at example pkix.example mx.pkix.example 127.0.2.4
	record example "_25._tcp.mx.pkix.example. TLSA 1 1 1 $(tlsa_ee mx.dane.example)"
	mail_at expired expired.example mx.expired.example 127.0.2.1
	mail_at bogus bogus.example mx.bogus.example 127.0.2.1
	mail_at example notlsa.example mx.notlsa.example 127.0.2.5
	mail_at example stripped.example mx.stripped.example 127.0.2.6
	record example "_25._tcp.mx.stripped.example. TLSA 3 1 1 $(tlsa_ee mx.dane.example)"
	record example 'cname.example. CNAME dane.example.'
	mail_at example xn--bcher-kva.example mx.dane.example
	mail_at example grey.example mx.grey.example 127.0.2.8
	record example "_25._tcp.mx.grey.example. TLSA 3 1 1 $(tlsa_ee mx.dane.example)"
	mail_at example inside.example mx.dane.example
	record example 'null.example. MX 0 .'
	record example '_smtp._tls.dane.example. TXT "v=TLSRPTv1; rua=mailto:tlsrpt@reports.example"'
	record example '_smtp._tls.wrong.example. TXT "v=TLSRPTv1; rua=https://reports.plain/report"'
	mail_at example reports.example mx.dane.example
	for n in {1..9}; do
		mail_at example "d$n.example" mx.dane.example
		mail_at plain "e$n.plain" mx.enforce.plain
		sts_at "e$n.plain" enforce mx.enforce.plain
	done

	mail_at plain enforce.plain mx.enforce.plain 127.0.2.11
	sts_at enforce.plain enforce mx.enforce.plain
	record plain '_smtp._tls.enforce.plain. TXT "v=TLSRPTv1; rua=mailto:tlsrpt@reports.example"'
	mail_at plain testing.plain mx.testing.plain 127.0.2.12
	sts_at testing.plain testing mx.testing.plain
	mail_at plain none.plain mx.none.plain 127.0.2.12
	sts_at none.plain none mx.none.plain
	mail_at plain short.plain mx.short.plain 127.0.2.13
	sts_at short.plain enforce mx.short.plain 12
	mail_at plain wrongweb.plain mx.wrongweb.plain 127.0.2.12
	sts_at wrongweb.plain enforce mx.wrongweb.plain
	mail_at plain redirect.plain mx.redirect.plain 127.0.2.12
	sts_at redirect.plain enforce mx.redirect.plain
	mail_at plain outside.plain mx.outside.plain 127.0.2.11
	sts_at outside.plain enforce mx.elsewhere.plain
	mail_at plain badmx.plain mx.badmx.plain 127.0.2.12
	sts_at badmx.plain enforce mx.badmx.plain
	mail_at plain cutsts.plain mx.cutsts.plain 127.0.2.6
	sts_at cutsts.plain enforce mx.cutsts.plain
	mail_at plain clear.plain mx.clear.plain 127.0.2.14
	mail_at plain cut.plain mx.cut.plain 127.0.2.6
	mail_at plain old.plain mx.old.plain 127.0.2.15
	mail_at plain self.plain mx.self.plain 127.0.2.5
	record plain 'aonly.plain. A 127.0.2.5'
	record plain 'mx.liar.plain. A 127.0.2.66'
	record plain "reports.plain. A 127.0.3.1"
}

net_certificates() {
	net_ca
	net_certificate mx.dane.example mx.cname.example
	net_certificate mx.daneta.example
	net_certificate mx.enforce.plain
	net_certificate mx.short.plain
	net_certificate mx.stranger.plain
	net_self self
}

net_peers() {
	peer 1 mx.dane.example mx.dane.example
	peer 2 mx.daneta.example mx.daneta.example
	peer 3 mx.wrong.example mx.stranger.plain
	peer 4 mx.pkix.example self
	peer 5 mx.self.plain self
	# behind the proxy at 127.0.2.6
	peer 7 mx.behind.plain mx.dane.example
	peer 8 mx.grey.example mx.dane.example -o smtpd_recipient_restrictions=check_policy_service,unix:private/grey
	peer 11 mx.enforce.plain mx.enforce.plain
	peer 12 mx.testing.plain mx.stranger.plain
	peer 13 mx.short.plain mx.short.plain
	peer 14 mx.clear.plain -
	peer 15 mx.old.plain self -o 'smtpd_tls_protocols=>=TLSv1,<=TLSv1' \
		-o smtpd_tls_ciphers=medium -o tls_medium_cipherlist=ALL:!aNULL:@SECLEVEL=0
	peer 66 mx.liar.plain mx.stranger.plain
}

# ---- all of it ----

net_pids=()

# net_run NAME COMMAND...: in the background, output to $net/log/NAME.out
net_run() {
	local name=$1
	shift
	"$@" >> "$net/log/$name.out" 2>&1 &
	net_pids+=($!)
	declare -g "net_pid_$name=$!"
}

# The C helpers, built once beside the programs.
net_helpers() {
	local name
	(
		flock 8
		for name in dns_middle starttls_strip; do
			[[ "$stack_build/$name" -nt "$stack_root/tests/lib/$name.c" ]] ||
				gcc -std=c17 -O2 -D_GNU_SOURCE -o "$stack_build/$name" "$stack_root/tests/lib/$name.c"
		done
	) 8> "$stack_build/internet.lock"
}

# dns_near MODE, dns_far MODE: "pass", "drop", "slow MS", "servfail", "lie"
dns_near() { printf '%s\n' "$*" > "$net/near.mode"; }
dns_far() { printf '%s\n' "$*" > "$net/far.mode"; }

resolver_start() {
	net_run unbound unbound -c "$net/unbound.conf"
	wait_for 10 resolves dane.example MX
}

resolver_stop() {
	kill "$net_pid_unbound"
	wait "$net_pid_unbound" 2> /dev/null
}

# resolves NAME TYPE [OPTION...]: is there an answer?
resolves() {
	dig +short +time=2 +tries=1 "${@:3}" "$1" "$2" @127.0.0.1 2> /dev/null | grep -qv "^;;"
}

# dns NAME TYPE: "STATUS FLAGS"
dns() {
	dig +time=5 +tries=1 "$1" "$2" @"${3:-127.0.0.1}" 2> /dev/null |
		sed -n 's/.*status: \([A-Z]*\),.*/\1/p; s/^;; flags:\([^;]*\);.*/\1/p' | paste -sd ''
}

internet_start() {
	net=$(mktemp -d /tmp/sealgate-internet.XXXXXX)
	trap stack_exit EXIT
	# nothing of this has to survive: no fsync of keys and mail on a disk
	mount -t tmpfs -o mode=755,size=256m tmpfs "$net"
	mkdir -p "$net"/{log,run,keys,zones,web,reports}
	ip link set lo up
	# Postfix demands that an address of its own is one of an interface
	ip addr add 127.0.0.2/8 dev lo
	net_helpers
	net_certificates
	mkdir -p "$net/web" && cp "$net/ca/ca.pem" "$net/ca.pem"
	net_domains
	net_certificate web "${web_hosts[@]}" mta-sts.redirect.plain reports.plain
	knot_conf
	zones_make
	unbound_conf
	printf 'nameserver 127.0.0.1\noptions trust-ad edns0 timeout:2 attempts:2\n' > "$net/resolv.conf"
	mount --bind "$net/resolv.conf" /etc/resolv.conf
	nginx_conf > "$net/nginx.conf"
	net_peers
	world_make
	dns_near pass
	dns_far pass
	net_run knot knotd -c "$net/knot.conf"
	net_run far "$stack_build/dns_middle" 127.0.1.1 127.0.1.2 "$net/far.mode" 127.0.2.66
	net_run near "$stack_build/dns_middle" 127.0.0.9 127.0.0.1 "$net/near.mode" 127.0.2.66
	net_run strip "$stack_build/starttls_strip" 127.0.2.6 127.0.2.7
	net_run nginx nginx -p "$net" -e "$net/log/nginx.out" -c "$net/nginx.conf"
	postfix -c "$net/world/config" start > "$net/log/world-start.out" 2>&1
	if ! resolver_start || ! wait_for 10 world_listens; then
		echo "the internet did not start" >&2
		tail -n 20 "$net"/log/* "$net/world/log/mail.log" >&2
		exit 1
	fi
	internet_gateway
}

world_listens() {
	(exec 9<> /dev/tcp/127.0.2.1/25) 2> /dev/null && (exec 9<> /dev/tcp/127.0.3.1/443) 2> /dev/null
}

# What a gateway needs in order to live here.
internet_gateway() {
	# 2 s: with 1 s the queue manager may come before the delivery agent has let go of the file, which it
	# puts off by minutes then ("skipped, still being delivered")
	stack_main=(smtp_dns_support_level=dnssec smtp_host_lookup=dns relayhost=
		minimal_backoff_time=2s maximal_backoff_time=3s queue_run_delay=1s
		smtp_connect_timeout=5s smtp_tls_loglevel=1)
	stack_tls="resolvers = { \"127.0.0.9\" }
			trust_anchor = \"$net/root.key\"
			ca_file = \"$net/ca.pem\"
			wait = 1s
			tell = 1s
			timeout = 5s"
}

# internet_and_gateway NAME: both, and people who have certificates and passwords.
internet_and_gateway() {
	internet_start
	stack_start "$1"
}

internet_stop() {
	local pid
	[[ -n $net ]] || return 0
	pid=$(postfix_pid "$net/world")
	[[ -z $pid ]] || kill "$pid"
	for pid in ${net_pids[@]+"${net_pids[@]}"}; do
		kill "$pid" 2> /dev/null
	done
	wait ${net_pids[@]+"${net_pids[@]}"} 2> /dev/null
	if [[ -n ${SG_TEST_LOGS:-} ]]; then
		cp "$net"/log/* "$SG_TEST_LOGS/" 2> /dev/null
		cp "$net/world/log/mail.log" "$SG_TEST_LOGS/world.out" 2> /dev/null
	fi
	umount /etc/resolv.conf 2> /dev/null
	umount -l "$net" 2> /dev/null
	rmdir "$net" 2> /dev/null
	net=
}

# In the place of the one of stack.sh: what the gateway talks to ends after it.
stack_exit() {
	local status=$?
	trap - EXIT INT TERM
	gateway_stop
	[[ -z $stack ]] || postfix_stop "$stack"
	internet_stop
	stack_stop
	[[ $status -ne 0 ]] || status=$stack_failed
	exit "$status"
}

# ---- what arrived ----

# arrived ADDRESS: the files that the peer has for this recipient, a line each.
arrived() { grep -rlixF -- "Delivered-To: $1" "$net/mail/all/new" 2> /dev/null | sort; }

arrived_has() { [[ $(arrived "$1" | wc -l) -ge ${2:-1} ]]; }
# arrives ADDRESS [SECONDS]
arrives() { wait_for "${2:-15}" arrived_has "$1"; }

# The Received field that the peer itself wrote, on one line.
received_of() {
	awk '/^Received:/ && !seen { seen = 1; on = 1; line = $0; next }
		on && /^[ \t]/ { sub(/^[ \t]+/, " "); line = line $0; next }
		on { exit }
		END { print line }' "$1"
}

# what_is FILE: "envelope", "pdf", or "clear"
what_is() {
	if grep -qi '^Content-Type: application/pkcs7-mime' "$1"; then
		echo envelope
	elif grep -qi '^Content-Type: application/pdf' "$1"; then
		echo pdf
	else
		echo clear
	fi
}

# over_what FILE: "TLSv1.3" or "tcp", as the peer saw it.
over_what() {
	local field
	field=$(received_of "$1")
	if [[ $field =~ using\ (TLSv[0-9.]+) ]]; then echo "${BASH_REMATCH[1]}"; else echo tcp; fi
}
