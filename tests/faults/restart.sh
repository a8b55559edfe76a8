#!/bin/bash
# restart.sh: workers are killed in the middle of mail, then the supervisor; nobody has to do anything
# but start the supervisor. Its state is that of a backup then.
# expect-error: worker-ended|deferred|no-record|vault

# shellcheck source=tests/faults/faults.bash
. "$(dirname "$0")/faults.bash"

# insist NAME TO: a client that tries again until it is taken; never more than 20 times.
insist() {
	local try
	for try in {1..20}; do
		send "$alice" "$2" "$stack/$1.eml" && break
		[[ $reply == 4* ]] || break
		sleep 0.3
	done
	printf '%s\n' "$reply" > "$stack/$1.reply"
}

faults_start restart
names=()
for n in {1..12}; do
	names+=("flow$n")
	message "flow$n" '[secure] the plan'
	if [[ $((n % 2)) -eq 0 ]]; then to=$bob; else to=$carol; fi
	insist "flow$n" "$to" &
	offers+=($!)
	case $n in
	3) kill_role scan ;;
	5) kill_role pdf ;;
	7) kill_role vault ;;
	9) kill_role milter ;;
	esac
	sleep 0.1
done
offers_wait
taken 'workers killed under mail' "${names[@]}"
once 'workers killed under mail' "${names[@]}"
no_leak 'workers killed under mail'

# A backup under mail, as docs/operations.md tells: the vault stands still while its files are copied.
backup() {
	local pid
	pid=$(gateway_pids vault)
	kill -STOP "$pid" && cp -a "$stack/state" "$stack/backup"
	kill -CONT "$pid"
}
faults_messages -copied
offer plain-copied "$bob"
offer envelope-copied "$bob"
offer pdf-copied "$carol"
check 'backup: made under mail' backup
offers_wait
taken 'backup' plain-copied envelope-copied pdf-copied
once 'backup' plain-copied envelope-copied pdf-copied

old=$(pgrep -P "$gateway_pid")
kill -KILL "$gateway_pid"
wait "$gateway_pid" 2> /dev/null
faults_messages -orphan
offer_three -orphan
for name in plain-orphan envelope-orphan pdf-orphan; do
	check_match "supervisor killed: $name is taken whole or deferred" "$(reply_to "$name")" '^(250|4[0-9][0-9]) '
done
no_leak 'supervisor killed'
orphans_gone() {
	local pid
	for pid in $old; do
		[[ ! -d /proc/$pid ]] || return 1
	done
}
check 'supervisor killed: its workers end' wait_for 15 orphans_gone
# what the copy has is what was there: passwords, certificates, records
rm -rf "$stack/state"
cp -a "$stack/backup" "$stack/state"
: > "$stack/log/gateway.log"
check 'supervisor killed: it can be started again' gateway_start
check_match 'backup: records are in it' "$(sg trace '<flow1@inside.example>')" 'sealed'
faults_messages -new
offer_three -new
taken 'new supervisor' plain-new envelope-new pdf-new
once 'new supervisor' plain-new envelope-new pdf-new
no_leak 'new supervisor'
