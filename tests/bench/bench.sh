#!/bin/bash
# bench.sh: Sealgate side by side with what it competes with, in one run, rounds in turn.
#
#   postfix        Postfix alone
#   milter         a milter that does nothing
#   clamav_milter  clamav-milter and clamd, on unix sockets, with the same signatures
#   scan           Sealgate, unflagged mail: scanned and recorded
#   envelope       Sealgate, flagged mail to a recipient with a certificate
#   pdf            Sealgate, flagged mail to a recipient with a password
#
# Rate: messages a second until the last one is in the sink. CPU: user + system of every process of
# that line, Postfix, the queue, source and sink included. Medians of the rounds. Environment:
# BENCH_ROUNDS (3), BENCH_SIZES ("10KB 100KB 1MB"), BENCH_SCALE (100, percent of the messages),
# BENCH_LINES (all of the above). Result: build/bench.json.
#
# Beside that, key "tls": what sealgate-tls answers from its cache of 100,000 domains.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${SG_BUILD:-$root/build/release}
cd "$root" || exit 1
# shellcheck source=tests/lib/stack.sh
. tests/lib/stack.sh
# shellcheck source=tests/bench/account.sh
. tests/bench/account.sh

# "make bench BENCH=list": that alone
[[ ${1:-} != list ]] || exec bash tests/bench/list.sh

rounds=${BENCH_ROUNDS:-3}
read -ra sizes <<< "${BENCH_SIZES:-10KB 100KB 1MB}"
read -ra lines <<< "${BENCH_LINES:-postfix milter clamav_milter scan envelope pdf}"
scale=${BENCH_SCALE:-100}
declare -A bytes=([10KB]=10240 [100KB]=102400 [1MB]=1048576)
declare -A count=([10KB]=400 [100KB]=120 [1MB]=30)
# the Postfix instance behind each line
declare -A place=([postfix]=postfix [milter]=milter [clamav_milter]=clamav
	[scan]=gate [envelope]=gate [pdf]=gate)
declare -A port=() sink=() rates=() cpus=()
daemons=()
seed=0
base=

say() { printf '%s\n' "$*" >&2; }

# ---- what is measured ----

make_place() {
	local name=$1 dir=$base/$1
	pick_port && port[$name]=$port_out
	pick_port && sink[$name]=$port_out
	postfix_make "$dir" "${port[$name]}" "${sink[$name]}"
	# no pauses: what counts is work, the same for all
	postconf -c "$dir/config" -e in_flow_delay=0s "${@:2}"
	chmod 755 "$base"
	account_make "$name"
	start "$name" "$build/bench/sink" "${sink[$name]}" "$base/$name.count"
	wait_for 10 listens "${sink[$name]}" || exit 1
	account_in "$name" postfix_start "$dir" || exit 1
}

# start NAME COMMAND...: a daemon in the account of NAME
start() {
	account_start "$@" > "$base/$1.${2##*/}.log" 2>&1
	daemons+=($!)
}

make_milter() {
	start milter "$build/bench/nothing_milter" "local:$base/nothing.sock"
	wait_for 10 test -S "$base/nothing.sock"
	chmod 666 "$base/nothing.sock"
}

make_clamav() {
	mkdir -p "$base/clamd"
	cat > "$base/clamd.conf" <<-END
		DatabaseDirectory $base/database
		LocalSocket $base/clamd/clamd.sock
		LocalSocketMode 666
		Foreground yes
		LogFile $base/clamd/clamd.log
		TemporaryDirectory /tmp
	END
	cat > "$base/clamav-milter.conf" <<-END
		MilterSocket unix:$base/clamd/milter.sock
		MilterSocketMode 666
		ClamdSocket unix:$base/clamd/clamd.sock
		Foreground yes
		LogFile $base/clamd/milter.log
		TemporaryDirectory /tmp
		OnInfected Reject
		OnFail Defer
	END
	start clamav clamd --config-file="$base/clamd.conf"
	wait_for 120 test -S "$base/clamd/clamd.sock" || return 1
	start clamav clamav-milter --config-file="$base/clamav-milter.conf"
	wait_for 20 test -S "$base/clamd/milter.sock"
}

# The gateway beside its own Postfix; stack.sh's functions work on $stack.
make_gate() {
	stack=$base/gate
	pick_port && stage_port=$port_out
	stack_database=$base/database
	smtp_port=${port[gate]}
	mkdir -p "$stack"/{socket,run}
	gateway_conf
	account_start gate "$sealgate" -c "$stack/sealgate.conf" run > "$stack/log/gateway.log" 2>&1
	gateway_pid=$!
	daemons+=("$gateway_pid")
	if ! wait_for 120 gateway_ready || gone "$gateway_pid"; then
		cat "$stack/log/gateway.log" >&2
		return 1
	fi
	make_certificate envelope@outside.example
	if ! sg cert add "$stack/certs/envelope@outside.example.pem" > "$stack/log/cert.out" 2>&1 ||
		! sg password generate pdf@outside.example > "$stack/log/password.out" 2>&1; then
		cat "$stack"/log/{cert,password}.out >&2
		return 1
	fi
	sg postfix attach -y --config-directory "$stack/config" > "$stack/log/attach.out" 2>&1 || {
		cat "$stack/log/attach.out" >&2
		return 1
	}
	postfix_reload "$stack"
}

make_all() {
	local line
	base=$(mktemp -d /tmp/sealgate-bench.XXXXXX)
	trap end EXIT
	trap 'exit 130' INT TERM
	say "bench: making 360,000 signatures"
	bash tests/lib/sigdb.sh "$base/database" 300000 60000 || exit 1
	say "bench: starting Postfix, the milters, clamd, the gateway (loading signatures takes a while)"
	for line in "${lines[@]}"; do
		[[ -z ${port[${place[$line]}]:-} ]] || continue
		case ${place[$line]} in
		postfix) make_place postfix ;;
		milter)
			make_place milter "smtpd_milters = unix:$base/nothing.sock"
			make_milter || exit 1
			;;
		clamav)
			make_place clamav "smtpd_milters = unix:$base/clamd/milter.sock"
			make_clamav || exit 1
			;;
		gate)
			make_place gate
			make_gate || exit 1
			;;
		esac
	done
}

end() {
	local pid name
	trap - EXIT INT TERM
	for name in "${!port[@]}"; do
		postfix_stop "$base/$name"
	done
	for pid in ${daemons[@]+"${daemons[@]}"}; do
		kill "$pid" 2> /dev/null
		wait "$pid" 2> /dev/null
	done
	account_end
	if [[ -n ${SG_KEEP:-} ]]; then
		say "bench: kept $base"
	else
		rm -rf "$base"
	fi
}

# ---- one measurement ----

# What a line's mail looks like: options of source.
mail_of() {
	case $1 in
	envelope) printf '%s\n' -S '[secure] bench' -t envelope@outside.example ;;
	pdf) printf '%s\n' -S '[secure] bench' -t pdf@outside.example ;;
	*) printf '%s\n' -S bench -t plain@outside.example ;;
	esac
}

# sink_state NAME: sets taken and taken_us, the messages in the sink and when the last one came.
sink_state() { read -r taken taken_us < "$base/$1.count"; }

# measure LINE SIZE MESSAGES SESSIONS: sets rate, cpu_ms and latency.
measure() {
	local name=${place[$1]} before start result mail want end=$((SECONDS + 120))
	mapfile -t mail < <(mail_of "$1")
	seed=$((seed + 1))
	sink_state "$name"
	want=$((taken + $3))
	before=$(account_cpu "$name")
	start=${EPOCHREALTIME/./}
	result=$(account_in "$name" "$build/bench/source" -s "$4" -n "$3" -b "${bytes[$2]}" -r "$seed" \
		"${mail[@]}" "${port[$name]}") || {
		say "bench: $1 at $2: $result"
		return 1
	}
	while sink_state "$name" && [[ $taken -lt $want ]]; do
		if [[ $SECONDS -gt $end ]]; then
			say "bench: $1 at $2: $((want - taken)) messages did not reach the sink; the queue:"
			postfix_queue "$base/$name" | head -n 3 >&2
			return 1
		fi
		sleep 0.02
	done
	rate=$(awk -v n="$3" -v us="$((taken_us - start))" 'BEGIN { printf "%.1f", n / us * 1e6 }')
	cpu_ms=$(awk -v n="$3" -v ns="$(($(account_cpu "$name") - before))" 'BEGIN { printf "%.3f", ns / n / 1e6 }')
	latency=$(jq -r .latency_ms <<< "$result")
}

gone() { ! kill -0 "$1" 2> /dev/null; }

median() { tr ' ' '\n' | grep . | sort -n | awk '{ v[NR] = $1 } END { if (NR) print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

rounds_of_size() {
	local size=$1 round line n=$((count[$1] * scale / 100))
	for ((round = 0; round <= rounds; round++)); do
		for line in "${lines[@]}"; do
			# round 0 warms up: processes born, fonts loaded, files in the cache
			if [[ $round -eq 0 ]]; then
				measure "$line" "$size" $((n / 5 + 2)) 8 || exit 1
				continue
			fi
			measure "$line" "$size" "$n" 16 || exit 1
			rates[$size.$line]+="$rate "
			cpus[$size.$line]+="$cpu_ms "
			printf '  %-6s round %d/%d  %-14s %8.1f msg/s  %8.2f ms CPU\n' "$size" "$round" \
				"$rounds" "$line" "$rate" "$cpu_ms" >&2
		done
	done
}

# libclamav in one thread on files of the same kind
alone_of_size() {
	local size=$1 folder=$base/alone.$1 n=$((count[$1] * scale / 200 + 1))
	mkdir -p "$folder" "$base/temporary"
	"$build/bench/source" -w "$folder" -n "$n" -b "${bytes[$size]}" -r 9999
	alone[$size]=$("$build/bench/libclamav_alone" "$base/database" "$base/temporary" "$folder"/*.eml | jq -r .cpu_ms)
	rm -rf "$folder"
	printf '  %-6s             %-14s %14s  %8.2f ms CPU\n' "$size" "libclamav_alone" "" "${alone[$size]}" >&2
}

latencies() {
	local line round
	for ((round = 0; round < rounds; round++)); do
		for line in postfix scan envelope; do
			[[ " ${lines[*]} " == *" $line "* ]] || continue
			measure "$line" 10KB 60 1 || exit 1
			lats[$line]+="$latency "
		done
	done
}

# Postfix's questions to sealgate-tls: the median of the rounds by answers a second.
policies() {
	local round
	for ((round = 0; round < rounds; round++)); do
		"$build/bench/socketmap" "$build/sealgate-tls" || exit 1
	done | jq -s 'sort_by(.cached_per_s) | {tls: .[length / 2 | floor]}'
}

# ---- results ----

json() {
	local size line
	for size in "${sizes[@]}"; do
		for line in "${lines[@]}"; do
			jq -n --arg s "$size" --arg l "$line" --argjson r "$(median <<< "${rates[$size.$line]}")" \
				--argjson c "$(median <<< "${cpus[$size.$line]}")" '{($s): {($l): {rate: $r, cpu_ms: $c}}}'
		done
		jq -n --arg s "$size" --argjson c "${alone[$size]:-null}" '{($s): {libclamav_alone: {cpu_ms: $c}}}'
	done
	for line in "${!lats[@]}"; do
		jq -n --arg l "$line" --argjson v "$(median <<< "${lats[$line]}")" '{latency_ms: {($l): $v}}'
	done
}

declare -A alone=() lats=()
make_all
for size in "${sizes[@]}"; do
	rounds_of_size "$size"
	alone_of_size "$size"
done
latencies
tls=$(policies) || exit 1
mkdir -p build
{ json; printf '%s\n' "$tls"; } | jq -s 'reduce .[] as $x ({}; . * $x)' > build/bench.json
bash tests/bench/pdf_worker.sh
bash tests/bench/memory.sh
bash tests/bench/list.sh
bash tests/bench/report.sh build/bench.json
