#!/bin/bash
# shape.sh REPORT FILE...: length of functions and files; the table goes to REPORT, findings to
# standard output. Lengths count comments and empty lines.
set -uo pipefail

report=$1
shift
[[ $# -gt 0 ]] || exit 0

wc -l "$@" | awk '$2 != "total" && $1 >= 600 { printf "%s:%d: %d lines, a file has less than 600\n", $2, $1, $1 }'

# FILE NAME LENGTH LINE of each function
ctags --languages=C --kinds-C=f --fields=+ne -f - "$@" | awk -F '\t' '{
	line = 0; end = 0
	for (i = 4; i <= NF; i++) {
		if ($i ~ /^line:/) line = substr($i, 6)
		if ($i ~ /^end:/) end = substr($i, 5)
	}
	if (end > 0) print $2, $1, end - line + 1, line
}' > "$report.functions"

awk '$3 > 100 { printf "%s:%d: %s has %d lines, a function has at most 100\n", $1, $4, $2, $3 }' "$report.functions"

{
	printf '\nlength of functions  %10s %8s %5s %8s\n' functions median p90 longest
	sort -k3,3n "$report.functions" | awk '
		{ folder = $1; sub(/\/[^\/]*$/, "", folder); add(folder, $3); add("all", $3) }
		function add(f, n) { count[f]++; length_of[f, count[f]] = n }
		END {
			for (f in count) printf "  %-18s %10d %8d %5d %8d\n", f, count[f], at(f, 0.5),
				at(f, 0.9), at(f, 1)
		}
		function at(f, share,  i) { i = int(count[f] * share + 0.999); return length_of[f, i < 1 ? 1 : i] }
	' | sort
} > "$report"
