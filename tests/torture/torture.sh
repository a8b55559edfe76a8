#!/bin/bash
# torture.sh: a stream of numbered messages through a real Postfix and the whole gateway, while one
# fault after the other happens; then every message is accounted for. docs/safety.md tells more.
#
# Environment: TORTURE_MESSAGES (10000), TORTURE_FAULTS (200), TORTURE_SEED (by time), TORTURE_KINDS (all
# of faults.bash), TORTURE_DRAIN (120 s without progress at the end), TORTURE_REPORT
# (build/torture/report.txt), SG_BUILD (programs with steps). Exit status
# 0: nothing was lost, in clear, infected or doubled outside a known window.
# shellcheck disable=SC2317
set -uo pipefail
torture=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib/stack.sh
. "$torture/../lib/stack.sh"
# shellcheck source=tests/lib/internet.bash
. "$torture/../lib/internet.bash"

messages=${TORTURE_MESSAGES:-10000}
faults=${TORTURE_FAULTS:-200}
seed=${TORTURE_SEED:-$(date +%s)}
report=${TORTURE_REPORT:-$stack_root/build/torture/report.txt}
RANDOM=$((seed % 32768))

# shellcheck source=tests/torture/world.bash
. "$torture/world.bash"
# shellcheck source=tests/torture/faults.bash
. "$torture/faults.bash"

now() { printf '%s' "$((${EPOCHREALTIME/./} / 1000))"; }
say() { [[ -n ${TORTURE_QUIET:-} ]] || printf '%s\n' "$*" >&2; }

# The kinds in an order by chance, each before any comes again; steps come more often: there are many.
kinds=()
kinds_shuffle() {
	local all i j keep
	if [[ -n ${TORTURE_KINDS:-} ]]; then
		read -ra all <<< "$TORTURE_KINDS"
	else
		mapfile -t all < <(declare -F | sed -n 's/^declare -f fault_//p' | grep -vx none)
		all+=(step step step step kill kill step_stop)
	fi
	for ((i = ${#all[@]} - 1; i > 0; i--)); do
		j=$((RANDOM % (i + 1)))
		keep=${all[i]}
		all[i]=${all[j]}
		all[j]=$keep
	done
	kinds+=("${all[@]}")
}

source_start() {
	mkfifo "$world/allow"
	bash "$stack_root/tests/lib/sigdb.sh" --eicar > "$world/eicar"
	"$stack_build/source" -p "$smtp_port" -e "$world/eicar" -r "$seed" -h < "$world/allow" \
		> "$world/source.log" 2> "$stack/log/source.out" &
	source_pid=$!
	exec 8> "$world/allow"
}

# tried: how many messages have been tried or are done.
tried() { grep -c '^M ' "$world/source.log"; }
# few_left PENDING TRIED: not more than so many wait for their answer, and so many were tried.
few_left() {
	local all
	all=$(tried)
	[[ $((all - $(grep -cE "^R .* (accepted|refused|left) " "$world/source.log"))) -le $1 && $all -ge $2 ]]
}

# one_fault NUMBER KIND
one_fault() {
	local start
	note=
	start=$(now)
	"fault_$2"
	printf '%d %s %s %s %s\n' "$1" "$2" "$start" "$(now)" "$note" >> "$world/faults.log"
	exactly=yes wait_for 45 gateway_whole || sed -i "\$s/\$/ not whole after it/" "$world/faults.log"
	say "$(tail -n 1 "$world/faults.log" | cut -d ' ' -f 1,2,5-) ($(tried) messages, $((SECONDS - begun)) s)"
}

stream() {
	local i allowed=0 due share=$((messages / faults + 1))
	: > "$world/faults.log"
	for ((i = 1; i <= faults; i++)); do
		[[ ${#kinds[@]} -ge i ]] || kinds_shuffle
		# one share ahead, so that a fault always has mail to hit
		due=$((i < faults ? messages * (i + 1) / faults : messages))
		echo "$((due - allowed))" >&8
		allowed=$due
		one_fault "$i" "${kinds[i - 1]}"
		# the stream keeps pace
		wait_for 60 few_left $((share + 15)) $((allowed - share))
	done
}

queued() { postqueue -c "$stack/config" -j 2> /dev/null | wc -l; }

# Everything that waits goes out, for as long as it gets less; what stays is told.
drain() {
	local left last=1000000 since=$SECONDS
	echo end >&8
	wait "$source_pid"
	while left=$(queued) && [[ $left -gt 0 && $((SECONDS - since)) -lt ${TORTURE_DRAIN:-120} ]]; do
		if [[ $left -lt $last ]]; then
			last=$left
			since=$SECONDS
		fi
		postqueue -c "$stack/config" -f
		sleep 1
	done
	sleep 1
	# from now on nothing moves: what is queued is in no sink, and the other way round
	postfix_stop "$stack"
	postqueue -c "$stack/config" -j 2> /dev/null > "$world/queue.json"
}

# "NUMBER ADDRESS QUEUE REASON" of what is still queued.
queue_list() {
	local id name address reason number
	jq -r '. as $m | .recipients[] | [$m.queue_id, $m.queue_name, .address, (.delay_reason // "")] | @tsv' \
		"$world/queue.json" | while IFS=$'\t' read -r id name address reason; do
		number=$(postcat -c "$stack/config" -hq "$id" 2> /dev/null |
			sed -nE 's/^Message-ID: <t\.([0-9]+)\..*/\1/p' | head -n 1)
		printf '%s %s %s %s\n' "${number:-0}" "$address" "$name" "$reason"
	done
}

# Kept samples open with the key or the password, and the words are inside.
opens() {
	local file=$1 to=$2
	case $file in
	*.envelope)
		openssl cms -decrypt -inform SMIME -in "$file" -inkey "$stack/certs/$to.key" \
			-recip "$stack/certs/$to.pem" > "$world/open" 2> /dev/null
		;;
	*.pdf)
		pdf_of_message < "$file" > "$world/sealed.pdf"
		qpdf --password-file="$world/password" --decrypt "$world/sealed.pdf" "$world/open" 2> /dev/null
		;;
	esac
}

samples() {
	local file name to good=0 bad=0
	for file in "$net"/kept/*; do
		[[ -f $file ]] || continue
		name=${file##*/}
		to=${name#*.}
		to=${to%.*}
		if opens "$file" "$to" && [[ -s $world/open ]]; then
			good=$((good + 1))
		else
			bad=$((bad + 1))
			echo "does not open: $name"
		fi
	done
	echo "sealed samples that open with the recipient's key or password: $good, that do not: $bad"
	[[ $bad -eq 0 ]]
}

account() {
	queue_list > "$world/queue.list"
	awk -v seed="$seed" -v seconds="$((SECONDS - begun))" -f "$torture/account.awk" \
		from=faults "$world/faults.log" from=source "$world/source.log" from=sink "$net/sink.log" \
		from=log "$stack/log/mail.log" from=queue "$world/queue.list"
}

keep_logs() {
	local folder=${SG_TEST_LOGS:-$(dirname "$report")/logs}
	mkdir -p "$folder"
	cp "$world"/{faults,source}.log "$net/sink.log" "$world/queue.list" "$folder/" 2> /dev/null
	cp "$stack/log/gateway.log" "$stack/log/mail.log" "$folder/" 2> /dev/null
}

begun=$SECONDS
world_start torture
say "the world is there after $((SECONDS - begun)) s"
source_start
stream
drain
mkdir -p "$(dirname "$report")"
status=0
{ samples || status=1; } > "$world/samples"
account > "$report" || status=1
cat "$world/samples" >> "$report"
keep_logs
cat "$report"
exit "$status"
