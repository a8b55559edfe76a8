#!/bin/bash
# list.sh: one flagged message to LIST_RECIPIENTS (1,000) recipients who all get a PDF with the same
# generated password, while other mail flows. Adds "list" to build/bench.json. LIST_CONCURRENCY (8):
# seal_destination_concurrency_limit of Postfix.
#
# Told: time and rate of the list; the most memory of all Sealgate processes meanwhile (counted as by
# memory.sh), beside that before; the median latency of single messages, plain and to a certificate,
# alone and while the list is under way.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root" || exit 1
# shellcheck source=tests/postfix/flow.bash
. tests/postfix/flow.bash
# shellcheck source=tests/bench/pss.bash
. tests/bench/pss.bash

recipients=${LIST_RECIPIENTS:-1000}
bytes=${LIST_BYTES:-10240}
stack_main=("smtpd_recipient_limit = 10000" "in_flow_delay = 0s"
	"virtual_mailbox_domains = inside.example" "virtual_mailbox_maps = static:all/"
	"virtual_minimum_uid = 1" "virtual_uid_maps = static:$stack_uid" "virtual_gid_maps = static:$stack_uid")
stack_tenant='logins = { "*@inside.example" }'
stack_conf='recipients { max = 10000 }'

# sample: the peak in kB in $stack/peak, until $stack/stop is there.
sample() {
	local pids all peak=0
	while [[ ! -e $stack/stop ]]; do
		mapfile -t pids < <(gateway_tree)
		all=$(($(pss "${pids[@]}") + $(memory_files "${pids[@]}")))
		[[ $all -le $peak ]] || { peak=$all && printf '%d\n' "$peak" > "$stack/peak"; }
		sleep 0.2
	done
}

# latency TO SUBJECT SEED COUNT: median in ms of messages one after the other.
latency() {
	"$stack_build/bench/source" -s 1 -n "$4" -b "$bytes" -r "$3" -S "$2" -t "$1" "$smtp_port" | jq -r .latency_ms
}

list_message() {
	printf 'From: Alice <alice@inside.example>\nTo: list@outside.example\nSubject: [secure] To all\n\n'
	yes 'What is for all of them, and nobody else is to read.' | head -c "$bytes"
	printf '\n'
}

send_list() {
	local i to=()
	for ((i = 1; i <= recipients; i++)); do
		to+=("<r$i@list.example>")
	done
	list_message > "$stack/list.eml"
	mail_via 'ADDR=192.0.2.7 LOGIN=alice@inside.example' "$stack/list.eml" '<alice@inside.example>' "${to[@]}"
}

listed() { grep -rlF '@list.example>' "$stack/sink" 2> /dev/null | wc -l; }

main() {
	local before start seconds accepted=1 plain cert plain_busy=() cert_busy=() arrived=0 end sampler pids
	stack_start list
	people
	mkdir -p "$stack/boxes/all"
	chown -R "$stack_uid:$stack_uid" "$stack/boxes"
	main_set "virtual_mailbox_base=$stack/boxes" \
		"seal_destination_concurrency_limit=${LIST_CONCURRENCY:-8}"
	latency cert@outside.example '[secure] warm' 1 20 > /dev/null
	plain=$(latency plain@outside.example bench 2 40)
	cert=$(latency cert@outside.example '[secure] bench' 3 40)
	mapfile -t pids < <(gateway_tree)
	before=$(($(pss "${pids[@]}") + $(memory_files "${pids[@]}")))
	sample &
	sampler=$!
	start=${EPOCHREALTIME/./}
	send_list || { echo "list: not accepted: $reply" >&2; accepted=0; }
	end=$((SECONDS + 300))
	while [[ $accepted -eq 1 && $arrived -lt $recipients && $SECONDS -lt $end ]]; do
		plain_busy+=("$(latency plain@outside.example bench $((SECONDS + 100)) 5)")
		cert_busy+=("$(latency cert@outside.example '[secure] bench' $((SECONDS + 100000)) 5)")
		arrived=$(listed)
	done
	seconds=$((${EPOCHREALTIME/./} - start))
	: > "$stack/stop"
	wait "$sampler"
	if [[ $arrived -lt $recipients ]]; then
		echo "list: $arrived of $recipients arrived" >&2
		postfix_queue "$stack" | head -n 5 >&2
		return 1
	fi
	mkdir -p build
	[[ -s build/bench.json ]] || echo '{}' > build/bench.json
	jq --argjson n "$recipients" --argjson b "$bytes" --argjson us "$seconds" --argjson m0 "$before" \
		--argjson m1 "$(< "$stack/peak")" --argjson p "$plain" --argjson c "$cert" \
		--argjson pb "$(printf '%s\n' "${plain_busy[@]}" | jq -s 'sort | .[length / 2 | floor]')" \
		--argjson cb "$(printf '%s\n' "${cert_busy[@]}" | jq -s 'sort | .[length / 2 | floor]')" '
		def mb: . / 1024 * 10 | round / 10;
		.list = {recipients: $n, bytes: $b, seconds: ($us / 1e5 | round / 10), per_s: ($n / $us * 1e7 | round / 10),
			memory_mb: ($m1 | mb), memory_before_mb: ($m0 | mb), plain_ms: $p, plain_busy_ms: $pb,
			envelope_ms: $c, envelope_busy_ms: $cb}' build/bench.json > "$stack/bench.json" &&
		cp "$stack/bench.json" build/bench.json
	jq -c .list build/bench.json >&2
}

main
