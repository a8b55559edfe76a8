#!/bin/bash
# report.sh BENCH.JSON: the table, and what was to be reached.
set -euo pipefail

file=$1
value() { jq -r "$1 // \"nan\"" "$file"; }

printf '\n%-7s %-16s %10s %9s %10s %12s\n' size line "msg/s" "of plain" "ms CPU" "ms CPU added"
jq -r 'to_entries[] | select(.key | test("^[0-9]")) | .key as $s | .value as $v | $v | to_entries[] |
	[$s, .key, (.value.rate // "-"), (if .value.rate and $v.postfix then .value.rate / $v.postfix.rate else "-" end),
	.value.cpu_ms, (if .key != "libclamav_alone" and $v.postfix then .value.cpu_ms - $v.postfix.cpu_ms else "-" end)] | @tsv' "$file" |
	awk -F '\t' '{ printf "%-7s %-16s %10s %9s %10.2f %12s\n", $1, $2, $3 == "-" ? "" : sprintf("%.1f", $3),
		$4 == "-" ? "" : sprintf("%.2f", $4), $5, $6 == "-" ? "" : sprintf("%.2f", $6) }'
jq -r '.latency_ms // {} | to_entries[] | "latency, one message of 10KB alone: \(.key) \(.value) ms"' "$file"
jq -r '.tls // empty | "policies from the cache: \(.cached_per_s) a second, p50 \(.p50_ms) ms, p99 \(.p99_ms) ms, \(.memory_mb_100k) MB for \(.domains) domains"' "$file"

# goal TEXT VALUE LIMIT [min]
goal() {
	awk -v text="$1" -v value="$2" -v limit="$3" -v min="${4:-}" 'BEGIN {
		if (value == "nan" || limit == "nan") exit
		good = min != "" ? value >= limit : value <= limit
		printf "  %-8s %-66s %8.2f %s %.2f\n", good ? "reached" : "MISSED", text, value, min != "" ? ">=" : "<=", limit
	}'
}
calc() { jq -r "try ($1) catch \"nan\"" "$file"; }

printf '\nto reach\n'
goal "10KB scan: CPU; milter + libclamav alone + 0.6" "$(value '.["10KB"].scan.cpu_ms')" \
	"$(calc '.["10KB"] | .milter.cpu_ms + .libclamav_alone.cpu_ms + 0.6')"
goal "10KB envelope: CPU above scan" "$(calc '.["10KB"] | .envelope.cpu_ms - .scan.cpu_ms')" 0.3
goal "10KB scan: CPU added, of what clamav-milter adds" \
	"$(calc '.["10KB"] | (.scan.cpu_ms - .postfix.cpu_ms) / (.clamav_milter.cpu_ms - .postfix.cpu_ms)')" 0.5
goal "10KB scan: rate, times clamav-milter's" "$(calc '.["10KB"] | .scan.rate / .clamav_milter.rate')" 1.5 min
goal "10KB envelope: rate, times clamav-milter's" "$(calc '.["10KB"] | .envelope.rate / .clamav_milter.rate')" 1.3 min
goal "10KB pdf: CPU above scan" "$(calc '.["10KB"] | .pdf.cpu_ms - .scan.cpu_ms')" 20
for size in 100KB 1MB; do
	mb=$([[ $size == 1MB ]] && echo 1 || echo 0.1)
	goal "$size scan: CPU; milter + libclamav alone + 10%" "$(value ".[\"$size\"].scan.cpu_ms")" \
		"$(calc ".[\"$size\"] | (.milter.cpu_ms + .libclamav_alone.cpu_ms) * 1.1")"
	goal "$size scan: rate, times clamav-milter's" "$(calc ".[\"$size\"] | .scan.rate / .clamav_milter.rate")" 1 min
	goal "$size envelope: CPU above scan, for each MB" \
		"$(calc ".[\"$size\"] | (.envelope.cpu_ms - .scan.cpu_ms) / $mb")" 5
done
goal "pdf worker: 10KB text, ms of CPU" "$(value .pdf_worker.text_10KB_cpu_ms)" 8
goal "pdf worker: 10KB text, KB of PDF" "$(calc '.pdf_worker.text_10KB_pdf_bytes / 1024')" 16
goal "pdf worker: one page of HTML, ms of CPU" "$(value .pdf_worker.html_page_cpu_ms)" 9
goal "pdf worker: newsletter of 100KB, ms of CPU" "$(value .pdf_worker.newsletter_100KB_cpu_ms)" 80
goal "pdf worker: attachment of 10MB, MB/s" "$(value .pdf_worker.attachment_10MB_mb_per_s)" 150 min
goal "latency added by scan and envelope, ms" "$(calc '.latency_ms.envelope - .latency_ms.postfix')" 5
goal "TLS policies from the cache, a second on one core" "$(value .tls.cached_per_s)" 50000 min
goal "TLS policies from the cache: p99, ms" "$(value .tls.p99_ms)" 1
goal "memory beside the engine, 50 messages of 10 MB at once, MB" "$(value .memory_mb)" 400
