# shellcheck shell=bash disable=SC2034,SC2154,SC2317
# world.bash: the small world of the torture test. Sourced, after stack.sh and internet.bash.
#
# Of the internet of internet.bash only DNS is used: dane.example (peers by DANE), self.plain (a
# certificate that nobody knows), inside.example (the tenant's own mailboxes). Behind all three stands
# tests/torture/sink. Small disks hold the spool, the vault's files and the scanner's temporary files,
# so that they can be full. The programs are copies in $bin, beside the page of steps; a proxy stands
# before the second stage.
#
#   world_start NAME   all of it; world_stop: by itself at the end

world=
bin=
tool=$stack_build/tool
world_pids=()

# ---- in the place of functions of internet.bash ----

net_domains() {
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
	mail_at example inside.example mx.inside.example 127.0.2.20
	mail_at plain self.plain mx.self.plain 127.0.2.5
	record plain 'mx.liar.plain. A 127.0.2.5'
}

net_certificates() {
	net_ca
	net_certificate mx.dane.example
	net_self self
}

net_peers() {
	mkdir -p "$net/kept"
	echo pass > "$net/peer.mode"
	echo pass > "$net/inside.mode"
	world_sink dane 127.0.2.1 "$net/ca/mx.dane.example.pem" "$net/peer.mode" "$net/kept" "$world_keep"
	world_sink self 127.0.2.5 "$net/ca/self.pem" "$net/peer.mode" "$net/kept" "$world_keep"
	world_sink inside 127.0.2.20 "$net/ca/self.pem" "$net/inside.mode"
}

world_make() { :; }

# world_sink NAME ADDRESS CERTIFICATE MODE [KEEP EVERY]
world_sink() {
	"$stack_build/sink" "$1" "$2" 25 "${@:3}" >> "$net/sink.log" 2>> "$net/log/sink.out" &
	net_pids+=($!)
}

# ---- in the place of functions of stack.sh ----

eval "world_$(declare -f gateway_conf)"

gateway_conf() {
	world_gateway_conf
	sed -i -e "s|= \"$stack/spool\"|= \"$world/spool\"|" -e "s|= \"$stack/state\"|= \"$world/state\"|" \
		-e "s|\"$stack/state/|\"$world/state/|" "$stack/sealgate.conf"
}

# A signature database of our own, which may be broken.
world_database() {
	stack_database_make
	cp -a "$stack_database" "$world/database"
	stack_database=$world/database
	stack_database_make() { :; }
}

# ---- what is made ----

# disk NAME SIZE OWNER
disk() {
	mkdir "$world/$1"
	mount -t tmpfs -o "size=$2,mode=0700,uid=$3,gid=$3" tmpfs "$world/$1"
}

world_programs() {
	local program
	bin=$world/bin
	mkdir "$bin"
	for program in "$stack_build"/sealgate "$stack_build"/sealgate-*; do
		[[ -f $program && -x $program ]] && cp "$program" "$bin/"
	done
	sealgate=$bin/sealgate
	steps=$bin/steps
	"$tool" arm "$steps" '' 0 kill
}

world_people() {
	local who
	for who in e1@dane.example e2@dane.example e3@self.plain e6@dane.example e7@self.plain; do
		make_certificate "$who"
		sg cert add --tenant inside "$stack/certs/$who.pem" >> "$stack/log/people.out" 2>&1 || exit 1
	done
	for who in p1@self.plain p2@self.plain p3@self.plain p6@self.plain t1@dane.example t2@dane.example; do
		printf '%s\n' "$world_password" > "$world/password"
		sg password set --tenant inside --password-file "$world/password" "$who" \
			>> "$stack/log/people.out" 2>&1 || exit 1
	done
}

# The proxy takes the port that attach gave to the second stage, which moves.
world_proxy() {
	local behind
	pick_port && behind=$port_out
	echo pass > "$world/proxy.mode"
	sed -i "s/^127\.0\.0\.1:$stage_port /127.0.0.1:$behind /" "$stack/config/master.cf"
	grep -q "^127.0.0.1:$behind " "$stack/config/master.cf" || {
		echo "the second stage is not where it was thought to be" >&2
		exit 1
	}
	postfix_reload "$stack"
	wait_for 10 listens "$behind" || exit 1
	for _ in {1..50}; do
		listens "$stage_port" || break
		sleep 0.1
	done
	"$stack_build/proxy" "$stage_port" "$behind" "$world/proxy.mode" > "$stack/log/proxy.out" 2>&1 &
	world_pids+=($!)
	wait_for 10 listens "$stage_port" || exit 1
}

world_password=Tr4in-Hors3-Lamp
world_keep=${world_keep:-40}

# world_start NAME
world_start() {
	world=$(mktemp -d "/tmp/sealgate-world.XXXXXX")
	trap world_exit EXIT
	chmod 755 "$world"
	disk spool 256m "$stack_uid"
	disk state 192m $((stack_uid + 3))
	disk scan 96m $((stack_uid + 1))
	world_programs
	world_database
	internet_start
	stack_scan="temporary_directory = \"$world/scan\"
		timeout = 15s"
	stack_conf='pdf { timeout = 40s }'
	stack_tenant='protections = { "envelope", "tls", "pdf" }
		passwords = { "recipient" }'
	stack_tls="resolvers = { \"127.0.0.9\" }
		trust_anchor = \"$net/root.key\"
		ca_file = \"$net/ca.pem\"
		wait = 4s
		tell = 30m
		timeout = 5s"
	stack_main+=(maximal_queue_lifetime=2h bounce_queue_lifetime=2h "smtp_destination_recipient_limit=10")
	stack_start "$1"
	printf '%s\n' 'team@inside.example e6@dane.example, p6@self.plain' \
		'fwd@inside.example e7@self.plain' > "$stack/config/virtual"
	world_people
	world_proxy
}

world_exit() {
	local status=$? pid place
	trap - EXIT
	trap '' INT TERM
	gateway_end
	[[ -z $stack ]] || postfix_stop "$stack"
	for pid in ${world_pids[@]+"${world_pids[@]}"}; do
		kill "$pid" 2> /dev/null
	done
	internet_stop
	stack_stop
	for place in spool state scan; do
		umount -l "$world/$place" 2> /dev/null
	done
	[[ -n ${SG_KEEP:-} ]] || rm -rf "$world"
	[[ $status -ne 0 ]] || status=$stack_failed
	exit "$status"
}

# ---- the gateway ----

# gateway_end: all of its processes are gone, also after its supervisor was killed.
gateway_end() {
	[[ -n $gateway_pid ]] || return 0
	kill -CONT "$gateway_pid" 2> /dev/null
	kill "$gateway_pid" 2> /dev/null
	wait "$gateway_pid" 2> /dev/null
	gateway_pid=
}

ready_lines() { grep -c 'sealgate: notice ready\|sealgate.* notice ready ' "$stack/log/gateway.log"; }
more_ready_lines() { [[ $(ready_lines) -gt $1 ]] || ! kill -0 "$gateway_pid" 2> /dev/null; }

# gateway_again: starts it; it may find workers of a killed supervisor that have not ended yet.
gateway_again() {
	local before try
	for try in 1 2 3 4 5 6 7 8; do
		before=$(ready_lines)
		"$sealgate" -c "$stack/sealgate.conf" run >> "$stack/log/gateway.log" 2>&1 &
		gateway_pid=$!
		exactly=yes wait_for 30 more_ready_lines "$before"
		! kill -0 "$gateway_pid" 2> /dev/null || return 0
		wait "$gateway_pid" 2> /dev/null
		sleep 1
	done
	return 1
}

# gateway_whole: each program runs.
gateway_whole() {
	local role
	kill -0 "$gateway_pid" 2> /dev/null || return 1
	for role in vault scan pdf tls trace notify milter; do
		[[ -n $(pgrep -P "$gateway_pid" "sealgate-$role") ]] || return 1
	done
	[[ -S $stack/socket/milter.sock ]] && "$sealgate" -c "$stack/sealgate.conf" cert list
}
