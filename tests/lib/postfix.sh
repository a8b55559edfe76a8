# shellcheck shell=bash disable=SC2034,SC2154,SC2119,SC2120
# postfix.sh: a Postfix instance of a test's own. Sourced.
#
# Own configuration, queue, data and log under one folder, on loopback and high ports, no DNS, no
# chroot. The system's Postfix is neither read nor touched. Root only: Postfix starts as root.

# pick_port: prints a loopback port at which nobody listens. Blocks of 20 by process id keep tests
# that run side by side apart.
pick_port_next=0
pick_port() {
	local port
	while [[ $pick_port_next -lt 20 ]]; do
		port=$((20000 + $$ % 600 * 20 + pick_port_next))
		pick_port_next=$((pick_port_next + 1))
		if ! (exec 9<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then
			port_out=$port
			return 0
		fi
	done
	echo "no free port" >&2
	return 1
}

# postfix_make DIR PORT SINK_PORT: writes an instance into DIR that takes mail at PORT and relays
# all of it to SINK_PORT.
postfix_make() {
	local dir=$1 port=$2 sink=$3
	mkdir -p "$dir"/{config,queue,data,log}
	chmod 755 "$dir" "$dir"/*
	chown postfix "$dir/data"
	printf 'root: postmaster@inside.example\n' > "$dir/config/aliases"
	cat > "$dir/config/main.cf" <<-END
		compatibility_level = 3.6
		queue_directory = $dir/queue
		data_directory = $dir/data
		command_directory = /usr/sbin
		daemon_directory = /usr/lib/postfix/sbin
		mail_owner = postfix
		setgid_group = postdrop
		maillog_file = $dir/log/mail.log
		maillog_file_prefixes = $dir
		inet_interfaces = 127.0.0.1
		inet_protocols = ipv4
		smtp_dns_support_level = disabled
		smtp_host_lookup = native
		myhostname = gate.inside.example
		mydomain = inside.example
		myorigin = inside.example
		mydestination =
		mynetworks = 127.0.0.0/8, 192.0.2.0/24
		relayhost = [127.0.0.1]:$sink
		smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
		smtpd_authorized_xclient_hosts = 127.0.0.0/8
		smtpd_client_connection_count_limit = 0
		smtpd_peername_lookup = no
		alias_maps = hash:$dir/config/aliases
		alias_database = hash:$dir/config/aliases
		virtual_alias_maps = texthash:$dir/config/virtual
		biff = no
		append_dot_mydomain = no
		minimal_backoff_time = 5s
		maximal_backoff_time = 10s
		queue_run_delay = 5s
	END
	: > "$dir/config/virtual"
	cat > "$dir/config/master.cf" <<-END
		127.0.0.1:$port inet n - n - - smtpd
		pickup    unix  n - n 5 1 pickup
		cleanup   unix  n - n - 0 cleanup
		qmgr      unix  n - n 300 1 qmgr
		tlsmgr    unix  - - n 1000? 1 tlsmgr
		rewrite   unix  - - n - - trivial-rewrite
		bounce    unix  - - n - 0 bounce
		defer     unix  - - n - 0 bounce
		trace     unix  - - n - 0 bounce
		verify    unix  - - n - 1 verify
		flush     unix  n - n 1000? 0 flush
		proxymap  unix  - - n - - proxymap
		proxywrite unix - - n - 1 proxymap
		smtp      unix  - - n - - smtp
		relay     unix  - - n - - smtp
		showq     unix  n - n - - showq
		error     unix  - - n - - error
		retry     unix  - - n - - error
		discard   unix  - - n - - discard
		local     unix  - n n - - local
		virtual   unix  - n n - - virtual
		lmtp      unix  - - n - - lmtp
		anvil     unix  - - n - 1 anvil
		scache    unix  - - n - 1 scache
		postlog   unix-dgram n - n - 1 postlogd
	END
	postalias -c "$dir/config" "hash:$dir/config/aliases"
}

# postfix_folders QUEUE: those of a queue, with their modes (postfix-files(5)).
postfix_folders() {
	local queue=$1 own=(active bounce corrupt defer deferred flush hold incoming private saved trace)
	own=("${own[@]/#/$queue/}")
	mkdir -p "${own[@]}" "$queue"/{maildrop,pid,public}
	chown postfix "${own[@]}"
	chmod 700 "${own[@]}"
	chown postfix:postdrop "$queue"/{maildrop,public}
	chmod 730 "$queue/maildrop"
	chmod 2710 "$queue/public"
}

# postfix_start DIR: starts the instance as "postfix start" does in the end; what that looks at before
# is forty processes. Returns when it takes connections.
postfix_start() {
	local dir=$1 port try
	postfix_folders "$dir/queue"
	: >> "$dir/log/mail.log"
	/usr/lib/postfix/sbin/master -c "$dir/config" -w > "$dir/log/start.log" 2>&1 || {
		cat "$dir/log/start.log" "$dir/log/mail.log" >&2
		return 1
	}
	port=$(sed -n 's/^127.0.0.1:\([0-9]*\) .*smtpd.*/\1/p' "$dir/config/master.cf" | head -n 1)
	for try in {1..100}; do
		(exec 9<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null && return 0
		sleep 0.05
	done
	echo "Postfix does not listen on $port after $try tries" >&2
	return 1
}

# postfix_pid DIR: the process id of the instance's master, nothing if it does not run.
postfix_pid() {
	local pid
	[[ -r $1/queue/pid/master.pid ]] || return 0
	read -r pid < "$1/queue/pid/master.pid"
	if [[ $(readlink "/proc/$pid/exe") == */postfix/sbin/master ]]; then
		printf '%d' "$pid"
	fi
}

# postfix_stop DIR: ends the instance's master and waits for it.
postfix_stop() {
	local pid try
	pid=$(postfix_pid "$1")
	[[ -n $pid ]] || return 0
	kill "$pid" 2> /dev/null
	for try in {1..100}; do
		[[ -d /proc/$pid ]] || return 0
		sleep 0.05
	done
	echo "Postfix's master $pid is slow to end after $try tries, killing it" >&2
	kill -KILL -- "-$pid" 2> /dev/null || kill -KILL "$pid"
}

# postfix_reload DIR: as "postfix reload" does in the end; what that looks at before is twenty
# processes. Idle ones with the old settings take a moment to go.
postfix_reload() {
	postsuper -c "$1/config" active
	kill -HUP "$(postfix_pid "$1")"
	sleep 0.8
}

# postfix_queue DIR: a line "ID SENDER RECIPIENT QUEUE REASON" for each recipient in the queue.
postfix_queue() {
	postqueue -c "$1/config" -j 2> /dev/null | jq -r '. as $m | .recipients[] |
		[$m.queue_id, $m.sender, .address, $m.queue_name, (.delay_reason // "")] | join(" ")'
}

# postfix_flush DIR: tries all deferred mail now.
postfix_flush() {
	postqueue -c "$1/config" -f
}
