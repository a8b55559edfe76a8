#!/bin/bash
# reload.sh: SIGHUP. A broken configuration changes nothing and is named; a good one takes effect
# while mail flows, without one refusal.
# expect-error: configuration|reload-failed|worker-ended|worker-failed|scan

# shellcheck source=tests/faults/faults.bash
. "$(dirname "$0")/faults.bash"
stack_conf='tags { secure = { "secure", "geheim" } }
recipients { max = 7 }'

stream_pid=

# stream NAME: a message after the other, until stop_stream; answers in $stack/NAME.replies.
stream() {
	message stream "Lunch"
	sed -i "s/$secret/noodles/" "$stack/stream.eml"
	: > "$stack/$1.replies"
	touch "$stack/streaming"
	(
		while [[ -e $stack/streaming ]]; do
			send "$alice" "$bob" "$stack/stream.eml"
			printf '%s\n' "$reply" >> "$stack/$1.replies"
		done
	) &
	stream_pid=$!
}

stop_stream() {
	sleep 0.5
	rm -f "$stack/streaming"
	wait "$stream_pid"
	check_not "$1: no message was refused or deferred" grep -qvE '^250 ' "$stack/$1.replies"
	check "$1: messages went through" grep -qE '^250 ' "$stack/$1.replies"
}

# hangup EVENT-REGEX: SIGHUP, and waits for one more line of that kind.
hangup() {
	local before
	before=$(log_lines "$1")
	kill -HUP "$gateway_pid"
	wait_for 20 log_has $((before + 1)) "$1"
}

change() { sed -i "$1" "$stack/sealgate.conf"; }

seals() {
	message "$2" "[$3] the plan"
	offer "$2" "$bob"
	offers_wait
	taken "$1" "$2"
	once "$1" "$2"
	no_leak "$1"
}

faults_start reload
cp "$stack/sealgate.conf" "$stack/good.conf"
seals 'at the start' start geheim

# ---- broken ----
change 's/geheim/vertraulich/'
printf 'no_such_key = 1\n' >> "$stack/sealgate.conf"
stream broken
check 'broken file: it says that the old one is kept' hangup 'reload-failed-old-configuration-kept'
check 'broken file: it names the file, line and key' grep -qE \
	'error configuration file=.*sealgate.conf line=[0-9]+ found="unknown key no_such_key' "$stack/log/gateway.log"
stop_stream broken
seals 'broken file: the old one counts' old geheim
: > "$stack/sealgate.conf"
check 'empty file: the old one is kept' hangup 'reload-failed-old-configuration-kept'
seals 'empty file: the old one counts' empty geheim
rm "$stack/sealgate.conf"
check 'no file: the old one is kept' hangup 'reload-failed-old-configuration-kept'
seals 'no file: the old one counts' none geheim

# ---- sound, but the scanner cannot start with it ----
mkdir "$stack/nothing"
sed "s|\"$stack_database\"|\"$stack/nothing\"|; s/geheim/vertraulich/; s/max = 7/max = 8/" \
	"$stack/good.conf" > "$stack/sealgate.conf"
printf 'mark { life = 30d }\n' >> "$stack/sealgate.conf"
stream unable
check 'no signatures: the old one is kept' hangup 'reload-failed-old-configuration-kept'
stop_stream unable
before=$(starts scan)
kill_role scan
check 'no signatures: a scanner that dies now starts with the old one' \
	wait_for 20 role_started scan $((before + 1))
seals 'no signatures: the old one counts' unable-old geheim

# ---- good ----
sed 's/geheim/vertraulich/' "$stack/good.conf" > "$stack/sealgate.conf"
stream words
check 'new words: taken' hangup 'notice reloaded'
stop_stream words
seals 'new words: they count' new vertraulich
sed 's/geheim/vertraulich/' "$stack/good.conf" > "$stack/sealgate.conf"
printf 'mark { life = 30d }\npdf { timeout = 100s }\n' >> "$stack/sealgate.conf"
change 's|^\t*scan {|&\n threads = 3|'
old=$(gateway_pids scan)
stream workers
check 'new workers: taken' hangup 'notice reloaded'
stop_stream workers
check 'new workers: another scanner runs' test "$(gateway_pids scan)" != "$old"
# a program a role, a second PDF worker, and no health without a place to listen at
workers=("$stack_build"/sealgate-[a-z]*)
check_equal 'new workers: each runs once' "$(pgrep -cP "$gateway_pid")" "${#workers[@]}"
seals 'new workers: mail is sealed' last vertraulich
