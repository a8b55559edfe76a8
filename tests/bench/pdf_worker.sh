#!/bin/bash
# pdf_worker.sh: what one warm sealgate-pdf costs, alone, in its sandbox: the key pdf_worker of
# build/bench.json. CPU is that of the worker; medians of BENCH_ROUNDS (3) rounds.
#
#   text_10KB_cpu_ms, text_10KB_pdf_bytes   plain text, the first 10 KB of the GPL, as Debian has it
#   html_page_cpu_ms                        an invoice of one page: table, styles, a picture
#   newsletter_100KB_cpu_ms                 nested tables, a hundred kilobytes
#   attachment_10MB_mb_per_s                random bytes in base64, by CPU
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${SG_BUILD:-$root/build/release}
cd "$root" || exit 1
rounds=${BENCH_ROUNDS:-3}
scale=${BENCH_SCALE:-100}
work=$(mktemp -d /tmp/sealgate-bench-pdf.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT

head_of() {	# subject, content type
	printf '%s\n' 'From: Anna Example <anna@example.org>' 'To: Bob <bob@example.net>' "Subject: $1" \
		'Date: Tue, 24 Nov 2026 16:15:00 +0100' 'MIME-Version: 1.0' "Content-Type: $2" ''
}

message_text() {
	head_of 'Terms and conditions' 'text/plain; charset=utf-8'
	head -c 10240 /usr/share/common-licenses/GPL-2
}

message_html() {
	local i
	head_of 'Invoice 4711' 'text/html; charset=utf-8'
	cat <<-'END'
		<html><head><style>body { font-family: Arial } h1 { color: #0a4d68 } td, th { padding: 4px;
		border-bottom: 1px solid #ccc } .sum { font-weight: bold; background: #eef }</style></head><body>
		<h1>Invoice 4711</h1><p>Dear Bob, thank you for your <b>order</b> of <a
		href="https://example.org/4711">24 November</a>.</p><table width="100%"><tr><th>Item</th><th>
		Amount</th><th>Price</th></tr>
	END
	for ((i = 1; i <= 18; i++)); do
		printf '<tr><td>Article number %d with a name</td><td>%d</td><td>%d.50</td></tr>\n' $i $((i % 5 + 1)) $((i * 7))
	done
	printf '<tr class="sum"><td>Total</td><td></td><td>1205.00</td></tr></table><p>Kind regards</p></body></html>\n'
}

message_newsletter() {
	local i
	head_of 'News of the month' 'text/html; charset=utf-8'
	printf '<html><body bgcolor="#f0f0f0"><table width="600" align="center" bgcolor="#ffffff"><tr><td>\n'
	for ((i = 1; i <= 170; i++)); do
		printf '<table width="100%%" cellpadding="8" style="border-bottom:1px solid #dddddd"><tr><td width="30%%" style="background:#%02x%02xd0;color:#ffffff;font-size:18px">Part %d</td><td style="font-family:Georgia,serif;font-size:14px"><h3 style="margin:0;color:#333366">Headline number %d of this letter</h3><p>Some words about what happened in week %d, with a <a href="https://example.org/n/%d">link to more</a>, and <i>a second sentence</i> that fills the line until it breaks once or twice on the page of the reader.</p></td></tr></table>\n' \
			$((i % 200)) $((i * 3 % 200)) $i $i $i $i
	done
	printf '</td></tr></table></body></html>\n'
}

message_attachment() {
	head_of 'Ten megabytes' 'multipart/mixed; boundary=b'
	printf '%s\n' '--b' 'Content-Type: text/plain' '' 'See the file.' '--b' \
		'Content-Type: application/octet-stream; name=a.bin' \
		'Content-Disposition: attachment; filename=a.bin' 'Content-Transfer-Encoding: base64' ''
	head -c 10000000 /dev/urandom | base64
	printf '%s\n' '--b--'
}

median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# measure KIND COUNT: sets cpu_ms and bytes
measure() {
	local round line
	"message_$1" > "$work/$1.eml"
	: > "$work/$1.cpu"
	for ((round = 0; round < rounds; round++)); do
		line=$("$build/drivers/pdf_seal" -n $(($2 * scale / 100 + 1)) "$build/sealgate-pdf" Geheim-4711-abcd "$work/$1.eml") || {
			printf 'bench: pdf_worker %s: %s\n' "$1" "$line" >&2
			return 1
		}
		sed -nE 's/.*: ([0-9.]+) ms CPU,.*/\1/p' <<< "$line" >> "$work/$1.cpu"
	done
	cpu_ms=$(median < "$work/$1.cpu")
	bytes=${line% bytes}
	bytes=${bytes##* }
	printf '  pdf_worker %-12s %8.2f ms CPU %10d bytes\n' "$1" "$cpu_ms" "$bytes" >&2
}

result='{}'
put() { result=$(jq --arg k "$1" --argjson v "$2" '.[$k] = $v' <<< "$result"); }

measure text 300 && put text_10KB_cpu_ms "$cpu_ms" && put text_10KB_pdf_bytes "$bytes"
measure html 200 && put html_page_cpu_ms "$cpu_ms"
measure newsletter 30 && put newsletter_100KB_cpu_ms "$cpu_ms"
measure attachment 10 && put attachment_10MB_mb_per_s "$(awk -v ms="$cpu_ms" 'BEGIN { printf "%.1f", 10 * 1000 / ms }')"

mkdir -p build
[[ -s build/bench.json ]] || echo '{}' > build/bench.json
jq --argjson p "$result" '.pdf_worker = $p' build/bench.json > "$work/bench.json" && cp "$work/bench.json" build/bench.json
