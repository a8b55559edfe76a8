#!/bin/bash
# memory.sh: the most memory that all Sealgate processes together take while MEMORY_SESSIONS (50)
# messages of MEMORY_BYTES (10 MB) are under way at once: a third each plain, to a certificate, to a
# password. Adds "memory_mb" and "memory" to build/bench.json.
#
# Counted: the proportional set (Pss of smaps_rollup) of the supervisor and its programs, memory files
# also where nobody maps them. Beside the engine: what the scanner takes before the first message, its
# signatures, is taken off. The test's small database makes no difference to the rest.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root" || exit 1
# shellcheck source=tests/lib/stack.sh
. tests/lib/stack.sh
# shellcheck source=tests/bench/pss.bash
. tests/bench/pss.bash

sessions=${MEMORY_SESSIONS:-50}
bytes=${MEMORY_BYTES:-10485760}
stack_main=("message_size_limit=40000000" "smtpd_timeout=600s" "in_flow_delay=0s")
stack_scan="timeout = 10m"
stack_conf="pdf { timeout = 10m }"

# sample: peaks in kB, until $stack/stop is there; the result in $stack/peak.
sample() {
	local pids all files peak=0 peak_files=0 role part
	declare -A most=()
	while [[ ! -e $stack/stop ]]; do
		mapfile -t pids < <(gateway_tree)
		files=$(memory_files "${pids[@]}")
		all=$(($(pss "${pids[@]}") + files))
		if [[ $all -gt $peak ]]; then
			peak=$all
			peak_files=$files
			for role in milter scan pdf vault tls trace notify; do
				mapfile -t pids < <(gateway_pids "$role")
				part=$(pss ${pids[@]+"${pids[@]}"})
				most[$role]=$part
			done
			{
				printf '%d %d' "$peak" "$peak_files"
				for role in milter scan pdf vault tls trace notify; do
					printf ' %d' "${most[$role]}"
				done
				printf '\n'
			} > "$stack/peak"
		fi
		sleep 0.1
	done
}

# stream COUNT TO SUBJECT SEED
stream() {
	"$stack_build/bench/source" -s "$1" -n "$1" -b "$bytes" -r "$4" -S "$3" -t "$2" "$smtp_port" \
		> "$stack/log/source.$4.out" 2>&1
}

main() {
	local engine third=$((sessions / 3)) sampler pids=() failed=0 pid
	stack_start memory
	people
	mapfile -t pids < <(gateway_pids scan)
	engine=$(pss "${pids[@]}")
	sample &
	sampler=$!
	pids=()
	stream $((sessions - 2 * third)) plain@outside.example bench 1 & pids+=($!)
	stream "$third" cert@outside.example '[secure] bench' 2 & pids+=($!)
	stream "$third" word@outside.example '[secure] bench' 3 & pids+=($!)
	for pid in "${pids[@]}"; do
		wait "$pid" || failed=1
	done
	: > "$stack/stop"
	wait "$sampler"
	if [[ $failed -ne 0 ]] || ! sink_wait "$sessions" 120; then
		echo "memory: not all of the messages got through" >&2
		cat "$stack"/log/source.*.out >&2
		return 1
	fi
	mkdir -p build
	[[ -s build/bench.json ]] || echo '{}' > build/bench.json
	read -r -a pids < "$stack/peak"
	jq --argjson e "$engine" --argjson n "$sessions" --argjson b "$bytes" \
		--argjson v "$(printf '%s\n' "${pids[@]}" | jq -s .)" '
		def mb: . / 1024 * 10 | round / 10;
		.memory_mb = ($v[0] - $e | mb) | .memory = {sessions: $n, bytes: $b, engine_mb: ($e | mb),
			memory_files_mb: ($v[1] | mb), milter_mb: ($v[2] | mb),
			scan_beside_engine_mb: ($v[3] - $e | mb), pdf_mb: ($v[4] | mb), vault_mb: ($v[5] | mb),
			tls_mb: ($v[6] | mb), trace_mb: ($v[7] | mb), notify_mb: ($v[8] | mb)}' \
		build/bench.json > "$stack/bench.json" && cp "$stack/bench.json" build/bench.json
	jq -c '{memory_mb, memory}' build/bench.json >&2
}

main
