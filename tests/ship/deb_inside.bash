# shellcheck shell=bash
# deb_inside.bash NEXT-VERSION: what deb.sh does inside its machine. Prints cases as the tests do.
set -uo pipefail

export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
next_version=$1
word=Waterfall4711
cd /ship || exit 1

check() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		printf 'ok %s\n' "$name"
	else
		printf 'not ok %s\n# failed: %s\n' "$name" "$*"
		tail -n 15 <<< "$output" | sed 's/^/# /'
	fi
}
check_not() {
	local name=$1
	shift
	if "$@" > /dev/null 2>&1; then
		printf 'not ok %s\n# should have failed: %s\n' "$name" "$*"
	else
		printf 'ok %s\n' "$name"
	fi
}
check_equal() {
	if [[ $2 == "$3" ]]; then
		printf 'ok %s\n' "$1"
	else
		printf 'not ok %s\n# got:      %s\n# expected: %s\n' "$1" "$2" "$3"
	fi
}
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" > /dev/null 2>&1; do
		[[ $SECONDS -le $end ]] || return 1
		sleep 0.2
	done
}
mark() { printf '# %s s: %s\n' "$SECONDS" "$*"; }
trap 'journalctl --no-pager -o cat -u sealgate > /ship/gateway.log; cp /var/log/mail.log /ship/ 2> /dev/null' EXIT

# ---- a Postfix as Debian makes it: chrooted smtpd, on loopback, all mail to a sink ----

cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf
postconf -e 'relayhost = [127.0.0.1]:2525' 'inet_interfaces = 127.0.0.1' 'inet_protocols = ipv4' \
	'smtp_host_lookup = native' 'maillog_file = /var/log/mail.log' 'alias_maps =' 'mydestination =' \
	'myhostname = gate.inside.example' 'myorigin = inside.example' 'compatibility_level = 3.6' \
	'smtpd_peername_lookup = no' 'queue_run_delay = 3s' 'minimal_backoff_time = 3s' 'maximal_backoff_time = 4s'
: > /var/log/mail.log
chgrp adm /var/log/mail.log
chmod 640 /var/log/mail.log
cp /etc/postfix/{main,master}.cf .
mkdir -p sink
chown postfix sink
systemd-run -q --unit=sink --working-directory=/ship smtp-sink -u postfix -d sink/%H%M%S. 127.0.0.1:2525 100
check postfix_starts postfix start
as_before() { cmp main.cf /etc/postfix/main.cf && cmp master.cf /etc/postfix/master.cf; }

sent=0
# Waits in Postfix's maildrop while no filter answers.
send() {
	sent=$((sent + 1))
	sendmail -f alice@inside.example bob@outside.example <<-END
		From: alice@inside.example
		To: bob@outside.example
		Subject: [secure] number $sent
		Message-ID: <$sent@inside.example>

		$word
	END
}
arrived() { grep -lirF 'X-Rcpt-Args: <bob@outside.example>' sink 2> /dev/null | wc -l; }
all_arrived() {
	postqueue -f
	[[ $(arrived) -ge $sent ]]
}
clear_text() { grep -rlF "$word" sink; }
serves() { systemctl is-active sealgate && [[ -S /var/spool/postfix/sealgate/milter.sock ]]; }
installed() { [[ $(dpkg-query -W -f '${db:Status-Status} ${Version}' sealgate) == "installed $1" ]]; }
property() { systemctl show sealgate -p "$1" --value; }

# ---- first day ----

mark "first day"

# freshclam has not brought anything yet: it waits, says so, and needs no help when they come
mkdir later
mv /var/lib/clamav/* later/
check it_installs dpkg -i this.deb
waits() { [[ $(property StatusText) == "cannot start: "*signatures* ]]; }
check it_says_that_it_waits_for_signatures wait_for 20 waits
mv later/* /var/lib/clamav/
check it_runs wait_for 30 serves
check_equal it_runs_as_its_user "$(property User) $(stat -c %U "/proc/$(property MainPID)")" 'sealgate sealgate'
worker_status() { pgrep sealgate- | sed "s|.*|/proc/&/status|"; }
capabilities() { worker_status | xargs grep -h ^CapEff: | sort -u | cut -f 2; }
check_equal no_worker_has_a_capability "$(capabilities)" 0000000000000000
cat >> /etc/sealgate/sealgate.conf <<-END
	tenant "inside" {
	    domains = { "inside.example" }
	    networks = { "127.0.0.1" }
	}
END
# the sink has no TLS
sed -i 's/^\tsealed = encrypt/\tsealed = may/' /etc/sealgate/sealgate.conf
check the_configuration_is_good sealgate config check
check it_reloads systemctl reload sealgate
check it_attaches sealgate postfix attach -y
password=$(sealgate password generate bob@outside.example 2> /dev/null)
send
check the_first_message_arrives wait_for 30 all_arrived
mark "from bare to sealed"
check it_is_a_pdf grep -rqi '^Content-Type: application/pdf' sink
check_equal nothing_is_clear "$(clear_text)" ''
check_equal a_password_was_made "${#password}" 19
# no network here: what asks a resolver cannot be content
check_equal the_doctor_finds_nothing "$(sealgate doctor | grep ^fail | grep -v '^fail  \(resolver\|dns\)')" ''

# ---- the master key as a credential; what the programs open, for deb.sh ----

mark "the key, and what is opened"

# as docs/install.md has it
settings=/etc/systemd/system/sealgate.service.d
mkdir -p "$settings"
check the_key_is_encrypted systemd-creds encrypt --name=master.key /var/lib/sealgate/master.key \
	/etc/sealgate/master.cred
mv /var/lib/sealgate/master.key /etc/sealgate/
chown root: /etc/sealgate/master.key
printf '[Service]\nLoadCredentialEncrypted=master.key:/etc/sealgate/master.cred\n' > "$settings/key.conf"
sed -i 's|^master_key_file = .*|master_key_file = "/run/credentials/sealgate.service/master.key"|' \
	/etc/sealgate/sealgate.conf
sed -i 's|^\tlisten = ""|\tlisten = "inet:9324@127.0.0.1"|' /etc/sealgate/sealgate.conf
systemctl daemon-reload

# systemd and all that it starts; tests/ship/confined.awk reads it
calls=open,openat,openat2,creat,execve,mkdir,mkdirat,rmdir,unlink,unlinkat,rename,renameat,renameat2,link,linkat
calls+=,symlink,symlinkat,chmod,fchmodat,chown,fchownat,lchown,truncate,readlink,readlinkat,connect,bind
calls+=,socket,mount,umount2,flock,fcntl,mmap
tracer=
if command -v strace > /dev/null; then
	strace -f -qq -y -Y -s 300 -e signal=none -e trace="$calls" -p 1 -o all 2> /dev/null &
	tracer=$!
	sleep 1
fi
check it_takes_its_key_as_a_credential systemctl restart sealgate
check the_key_opens_what_it_closed bash -c 'sealgate password list | grep -q bob@outside.example'
send
{
	printf 'Subject: larger than what is kept in memory\n\n'
	yes 'a line of a large message' 2> /dev/null | head -n 60000
} | sendmail -f alice@inside.example carol@outside.example
arrived_for() { [[ $(grep -lrF "X-Rcpt-Args: <$1>" sink | wc -l) -ge $2 ]]; }
check flagged_mail_arrives wait_for 30 all_arrived
check large_mail_arrives wait_for 30 arrived_for carol@outside.example 1
metrics() {
	exec 3<> /dev/tcp/127.0.0.1/9324
	printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
	cat <&3
	exec 3>&-
}
check it_shows_metrics bash -c "$(declare -f metrics); metrics | grep -q '^sealgate_ready 1'"

# ---- freshclam: new signatures are taken without help, old ones are told of ----

mark "freshclam"

journal_has() { journalctl --no-pager -o cat -u sealgate | grep -qE "$1"; }
signatures() { sealgate doctor --gateway | sed -n 's/.* \([0-9]*\) signatures$/\1/p'; }
send_new() {
	sendmail -f alice@inside.example carol@outside.example <<< $'Subject: something new\n\nBrandnew4711'
}
# The gateway's processes but the scanner, which is replaced.
others() { pgrep sealgate | while read -r pid; do echo "$pid $(< "/proc/$pid/comm")"; done | grep -v scan; }
more_signatures() { [[ $(signatures) -gt $1 ]]; }
metric() { metrics | sed -n "s/^$1 //p"; }
fetch() {
	local before pids
	mkdir -p mirror
	printf 'Ship.New:0:*:%s\n' "$(printf Brandnew4711 | od -An -tx1 | tr -d ' \n')" > mirror/new.ndb
	printf '[Socket]\nListenStream=127.0.0.1:8000\nAccept=yes\n' > /run/systemd/system/mirror.socket
	printf '[Service]\nStandardInput=socket\nExecStart=/bin/bash /ship/mirror.bash /ship/mirror\n' \
		> /run/systemd/system/mirror@.service
	printf '%s\n' 'DatabaseOwner clamav' 'DatabaseDirectory /var/lib/clamav' 'DNSDatabaseInfo no' \
		'DatabaseMirror 127.0.0.1' 'ExcludeDatabase main' 'ExcludeDatabase daily' \
		'ExcludeDatabase bytecode' 'DatabaseCustomURL http://127.0.0.1:8000/new.ndb' \
		> /etc/clamav/freshclam.conf
	systemctl daemon-reload
	systemctl start mirror.socket
	chown clamav: /var/lib/clamav
	before=$(signatures)
	pids=$(others)
	send_new
	check what_nobody_knows_arrives wait_for 15 arrived_for carol@outside.example 2
	systemctl start clamav-freshclam
	check the_scanner_takes_new_signatures wait_for 30 more_signatures "$before"
	send_new
	check what_they_name_is_refused wait_for 15 journal_has 'refused .*virus: Ship.New'
	check_equal nothing_else_was_restarted "$(others)" "$pids"
	systemctl stop clamav-freshclam mirror.socket
}
if command -v freshclam > /dev/null; then
	fetch
else
	echo 'ok freshclam: not in this machine'
fi
if [[ -n $tracer ]]; then
	kill "$tracer"
	wait "$tracer" 2> /dev/null
	grep '^[0-9]*<sealgate' all > calls
	find /etc /run /tmp /usr/share /usr/local /var -xdev -type d > folders
	cp /etc/apparmor.d/sealgate profile
fi
touch -d '8 days ago' /var/lib/clamav/*
check old_signatures_are_told_of wait_for 20 journal_has 'error signatures_old days=8'
check the_doctor_warns bash -c "sealgate doctor --gateway | grep -q '^warn  signatures .* 8 days old'"
check the_metrics_have_it test "$(metric sealgate_signatures_time_seconds)" -lt "$(date -d '7 days ago' +%s)"
touch /var/lib/clamav/*

# ---- systemd: the watchdog ----

mark "systemd"

printf '[Service]\nWatchdogSec=2\nRestartSec=0\n' > "$settings/watchdog.conf"
systemctl daemon-reload
check it_starts_with_a_short_watchdog systemctl restart sealgate
main=$(property MainPID)
kill -STOP "$main"
restarted() { [[ $(property MainPID) != "$main" ]] && serves; }
check the_watchdog_ends_a_supervisor_that_hangs wait_for 20 restarted
check it_was_the_watchdog journal_has 'Watchdog timeout'

# ---- upgrade under load, and back ----

mark "upgrade"

load() {
	local _
	for _ in {1..30}; do
		send
		sleep 0.1
	done
	touch "$1"
}
upgrade() {
	local before=$sent
	load "$2" &
	sleep 0.7
	check "$1_installs" dpkg -i "$3"
	check "$1_is_the_version" installed "$4"
	check "$1_serves" wait_for 30 serves
	wait $!
	sent=$((before + 30))
	check "$1_nothing_is_lost" wait_for 40 all_arrived
}
cp /etc/sealgate/sealgate.conf kept.conf
upgrade upgrade loaded.1 next.deb "$next_version"
check it_says_something_new grep -q 'next version' /usr/share/sealgate/sealgate.conf
upgrade downgrade loaded.2 this.deb "${next_version%+next}"
check the_configuration_is_kept cmp kept.conf /etc/sealgate/sealgate.conf

# ---- nobody is refused: systemd keeps the sockets, and a second gateway stands by ----

mark "standby"

talk() { printf '%s\r\n' "$*" >&9 && IFS= read -rt 60 said <&9; }
# A client as other servers are: a connection a message; its last reply.
client() {
	local n=0 said
	while [[ ! -e stop ]]; do
		said='no connection'
		exec 9<> /dev/tcp/127.0.0.1/25 && IFS= read -rt 60 said <&9 && talk HELO client.example &&
			talk 'MAIL FROM:<alice@inside.example>' && talk 'RCPT TO:<bob@outside.example>' && talk DATA &&
			talk "From: alice@inside.example"$'\r\n'"To: bob@outside.example"$'\r\n'"Subject: [secure] $1 $((n++))"$'\r\n\r\n'"$word"$'\r\n.'
		exec 9>&-
		printf '%s\n' "$said" >> "replies.$1"
	done
}
# refused_during COMMAND...: how many clients were told something else than 250.
refused_during() {
	local clients=() number
	rm -f stop replies.*
	for number in 1 2 3; do
		client "$number" &
		clients+=($!)
	done
	sleep 1
	"$@" > during.out 2>&1
	sleep 2
	touch stop
	wait "${clients[@]}"
	refused=$(cat replies.* | grep -vc '^250')
	accepted=$(cat replies.* | grep -c '^250')
	sent=$((sent + accepted))
	mark "$*: $accepted accepted, $refused refused"
}
refused_during systemctl restart sealgate
check_equal a_restart_refuses_nobody "$refused" 0
status_of() { systemctl show "$1" -p StatusText --value; }
stands_by() { [[ $(status_of "$1") == 'stands by'* ]]; }
takes_mail() { [[ $(status_of "$1") == 'takes mail'* ]]; }
check_not without_the_master_key_it_does_not_stand_by systemctl start sealgate-standby
cp -r /etc/systemd/system/sealgate.service.d /etc/systemd/system/sealgate-standby.service.d
systemctl daemon-reload
check a_second_gateway_starts systemctl enable --now sealgate-standby
check it_stands_by stands_by sealgate-standby
kill_first() {
	systemctl kill --signal=KILL sealgate
	wait_for 20 takes_mail sealgate-standby
}
refused_during kill_first
check the_second_takes_over takes_mail sealgate-standby
check only_what_it_had_is_refused test "$refused" -le 3
check the_first_comes_back_and_stands_by wait_for 30 stands_by sealgate
refused_during dpkg -i next.deb
check_equal an_upgrade_of_two_refuses_nobody "$refused" 0
check_equal both_are_new "$(for unit in sealgate sealgate-standby; do
	readlink "/proc/$(systemctl show "$unit" -p MainPID --value)/exe"
done)" $'/usr/sbin/sealgate\n/usr/sbin/sealgate'
check one_takes_mail bash -c 'systemctl show -p StatusText --value sealgate sealgate-standby | grep -q "^takes mail"'
refused_during dpkg -i this.deb
check_equal a_downgrade_of_two_refuses_nobody "$refused" 0
check all_of_it_arrives wait_for 60 all_arrived
check the_second_is_stopped systemctl disable --now sealgate-standby
check one_serves wait_for 20 takes_mail sealgate
refused_during dpkg -i next.deb
check_equal an_upgrade_of_one_refuses_nobody "$refused" 0
check it_goes_back dpkg -i this.deb
check that_arrives_too wait_for 60 all_arrived

check_equal nothing_left_in_clear "$(clear_text)" ''
check_equal nothing_twice "$(arrived)" "$sent"
check_equal no_password_is_in_the_journal "$(journalctl --no-pager | grep -cF "$password")" 0

# ---- the last day ----

mark "the last"

check_not it_stays_while_postfix_is_attached dpkg -r sealgate
check it_still_serves serves
check it_detaches sealgate postfix detach -y
check postfix_is_as_before as_before
check it_goes dpkg -r sealgate
check_not it_has_ended pgrep sealgate
check its_configuration_stays test -s /etc/sealgate/sealgate.conf
check its_passwords_stay test -s /var/lib/sealgate/vault.db
check it_is_purged dpkg -P sealgate
check_not the_cache_is_purged test -e /var/cache/sealgate
check_not the_configuration_is_purged test -e /etc/sealgate/sealgate.conf
check passwords_survive_a_purge test -s /var/lib/sealgate/vault.db
check the_key_survives_a_purge test -s /etc/sealgate/master.key
check it_comes_back dpkg -i this.deb
check_equal with_a_new_configuration "$(stat -c '%a %U %G' /etc/sealgate/sealgate.conf)" '640 root sealgate'
touch /etc/sealgate/purge-keys
check it_is_purged_with_its_keys dpkg -P sealgate
check_not passwords_are_gone_when_told test -e /var/lib/sealgate
check_not the_key_is_gone_when_told test -e /etc/sealgate
check postfix_goes_on bash -c 'postfix check && postfix status'
echo 'ok the_end'
