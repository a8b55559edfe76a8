#!/bin/bash
# standby.sh: two gateways at one socket; the one that runs is ended under load, in each way, and the
# other one takes over. No client is refused but those whose message the killed one had in its hands.
# long
# expect-error: worker-ended|no-record|vault|error reload-failed|error configuration

# shellcheck source=tests/faults/faults.bash
. "$(dirname "$0")/faults.bash"

pick_port && health_port=$port_out
stack_health="listen = \"inet:$health_port@127.0.0.1\""
clients=4

# start_one NAME: a gateway that stands by where another one runs; its pid is in pid_NAME.
start_one() {
	: > "$stack/log/$1.log"
	"$sealgate" -c "$stack/sealgate.conf" run --standby >> "$stack/log/$1.log" 2>&1 &
	printf -v "pid_$1" '%s' "$!"
}

says() { grep -q -- " notice $2" "$stack/log/$1.log"; }

# talk WORD...: one command, and its reply in $said.
talk() {
	printf '%s\r\n' "$*" >&9 && IFS= read -rt 60 said <&9
}

# deliver_one NAME TO SUBJECT: a client of its own for each message, as others' servers are. $said is the
# last reply. Without processes, so that the load is Postfix's and ours.
deliver_one() {
	said=
	{ exec 9<> "/dev/tcp/127.0.0.1/$smtp_port"; } 2> /dev/null || return
	IFS= read -rt 60 said <&9
	talk HELO client.example && talk "MAIL FROM:<$alice>" && [[ $said == 2* ]] &&
		talk "RCPT TO:<$2>" && [[ $said == 2* ]] && talk DATA && [[ $said == 3* ]] &&
		talk "From: $alice"$'\r\n'"To: $2"$'\r\n'"Subject: $3"$'\r\n'"Message-ID: <$1@inside.example>"$'\r\n\r\n'"$secret"$'\r\n.'
	exec 9>&-
}

# stream ROUND NUMBER: messages until the file "stop" is there; a line each: time, name, reply.
stream() {
	local n=0 to
	while [[ ! -e $stack/stop ]]; do
		to=$bob
		[[ $((n++ % 2)) -eq 0 ]] || to=$carol
		deliver_one "$1-$2-$n" "$to" '[secure] the plan'
		printf '%s %s %s\n' "${EPOCHREALTIME/./}" "$1-$2-$n" "${said%$'\r'}" >> "$stack/$1.$2"
	done
}

# under_load ROUND COMMAND...: the clients talk while the command is run, and for some seconds after.
under_load() {
	local round=$1 number pids=()
	rm -f "$stack/stop"
	for ((number = 1; number <= clients; number++)); do
		stream "$round" "$number" &
		pids+=($!)
	done
	sleep 2
	"${@:2}"
	sleep 4
	: > "$stack/stop"
	wait "${pids[@]}"
	cat "$stack/$round".[0-9]* | sort -n > "$stack/$round"
}

replies() { grep -cE -- "^[0-9]+ [^ ]+ $2" "$stack/$1"; }

# The longest time in which no client got a 250, in milliseconds.
pause_ms() {
	awk '$3 == 250 { if (last && $1 - last > most) most = $1 - last; last = $1 }
		END { printf "%d\n", most / 1000 }' "$stack/$1"
}

# Names of accepted messages that are not in the sink.
missing() {
	grep -rhoE '^Message-ID: <[^@>]*' "$stack/sink" | sed 's/.*<//' | sort -u > "$stack/arrived"
	awk '$3 == 250 { print $2 }' "$stack/$1" | sort | comm -23 - "$stack/arrived"
}

none_missing() { [[ -z $(missing "$1") ]]; }

# judge ROUND NAME MOST: what came of it; MOST clients may have been told 4xx.
judge() {
	local refused
	refused=$(grep -cvE '^[0-9]+ [^ ]+ 250' "$stack/$1")
	printf '# %s: %s accepted, %s not, longest pause %s ms\n' "$1" "$(replies "$1" 250)" "$refused" "$(pause_ms "$1")"
	check "$1: mail is accepted" test "$(replies "$1" 250)" -gt 20
	check "$1: at most $3 are told to try again" test "$refused" -le "$3"
	check_equal "$1: nobody is told 5xx" "$(replies "$1" 5)" 0
	wait_for 30 none_missing "$1"
	check_equal "$1: what was accepted arrives" "$(missing "$1")" ''
	no_leak "$1"
	check "$1: the other one takes mail" wait_for 20 says "$2" ready
}

standbys() { curl -s "http://127.0.0.1:$health_port/metrics" | sed -n 's/^sealgate_standbys //p'; }

stands_by_beside() { [[ $(standbys) == 1 ]]; }

kill_all_of() {
	local all
	all=$(pgrep -P "$1")
	# shellcheck disable=SC2086
	kill -KILL "$1" $all
	wait "$1" 2> /dev/null
}

faults_start standby
pid_one=$gateway_pid
ln -s gateway.log "$stack/log/one.log"
check_match 'a second gateway without --standby is refused' "$(sg run 2>&1)" 'a gateway is running already.*--standby'
start_one two
check 'the second one stands by' wait_for 30 says two stands-by
check 'metrics tell of it' wait_for 10 stands_by_beside
check_equal 'it serves nothing meanwhile' "$(pgrep -P "$pid_two" sealgate-milter; pgrep -P "$pid_two" sealgate-vault)" ''

kill_supervisor() { kill -KILL "$pid_one" && wait "$pid_one" 2> /dev/null; }
under_load supervisor kill_supervisor
judge supervisor two 0

start_one one
check 'the first one comes back and stands by' wait_for 30 says one stands-by
kill_second() { kill_all_of "$pid_two"; }
under_load all kill_second
judge all one "$clients"

start_one two
check 'the second one stands by again' wait_for 30 says two stands-by
under_load planned kill -TERM "$pid_one"
judge planned two 0
has_ended() { ! kill -0 "$1" 2> /dev/null; }
check 'the first one ends' wait_for 30 has_ended "$pid_one"

# what the administrator changes meanwhile holds for the one that stands by, too
start_one one
wait_for 30 says one stands-by
sed -i 's/domains = { "inside.example" }/domains = { "inside.example", "more.example" }/' "$stack/sealgate.conf"
kill -HUP "$pid_two"
reloaded() { says two reloaded && [[ $(grep -c ' notice stands-by' "$stack/log/one.log") -eq 2 ]]; }
check 'a reload reaches the one that stands by' wait_for 30 reloaded
kill_all_of "$pid_two"
check 'it takes over' wait_for 30 says one ready

# one that cannot read what the other one has read does not stand by with the rules of before
start_one two
wait_for 30 says two stands-by
kill -STOP "$pid_two"
sed -i 's/"more.example" }/"more.example", "most.example" }/' "$stack/sealgate.conf"
kill -HUP "$pid_one"
check 'the one that runs reads a new file' wait_for 30 says one reloaded
cp "$stack/sealgate.conf" "$stack/good.conf"
printf 'no configuration\n' >> "$stack/sealgate.conf"
kill -CONT "$pid_two"
check 'one that cannot read it ends' wait_for 30 has_ended "$pid_two"
check_match 'and says why' "$(cat "$stack/log/two.log")" 'error reload-failed .*sealgate run: '
cp "$stack/good.conf" "$stack/sealgate.conf"
check_match 'records of all of them are in one database' \
	"$(sg trace '<supervisor-1-1@inside.example>'; sg trace '<planned-1-2@inside.example>')" 'sealed.*sealed'
gateway_pid=$pid_one
