#!/bin/bash
# run_fuzz.sh SECONDS TARGET...: searches with each libFuzzer target, two at a time.
#
# What it finds worth keeping goes to build/fuzz/found/NAME, what breaks the target to
# build/fuzz/broken/NAME-*; the checked-in corpus is only read. A dictionary may stand beside the
# target's source as NAME.dict.
set -uo pipefail

seconds=$1
shift
# what libraries lose by themselves is no finding here either
export LSAN_OPTIONS=suppressions=$PWD/tests/lib/run_lsan.supp:print_suppressions=0

fuzz_one() {
	local target=$1 name=${1##*/} options=()
	mkdir -p "build/fuzz/found/$name" build/fuzz/broken
	[[ ! -s tests/fuzz/$name.dict ]] || options+=("-dict=tests/fuzz/$name.dict")
	[[ ! -d tests/fuzz/corpus/$name ]] || options+=("tests/fuzz/corpus/$name")
	[[ $name != mail || ! -d ../shared/corpus ]] || options+=("../shared/corpus/mime4j")
	"$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="build/fuzz/broken/$name-" "build/fuzz/found/$name" "${options[@]}" \
		> "build/fuzz/$name.log" 2>&1 < /dev/null
}

report() {
	local name=$1 status=$2 runs edges all
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log")
	# of all branches in what the target links, its libraries aside
	edges=$(sed -nE 's/^#.* cov: ([0-9]+) .*/\1/p' "build/fuzz/$name.log" | tail -n 1)
	all=$(sed -nE 's/^INFO: Loaded .*\(([0-9]+) inline.*/\1/p' "build/fuzz/$name.log")
	if [[ $status -eq 0 ]]; then
		printf '  ok    %-24s %10s inputs, %6s of %6s edges\n' "$name" "${runs:-0}" "${edges:-0}" "${all:-?}"
	else
		printf '  FAIL  %-24s see build/fuzz/%s.log\n' "$name" "$name"
		grep -m 3 -E 'ERROR|SUMMARY|runtime error|Test unit written' "build/fuzz/$name.log"
		failed=$((failed + 1))
	fi
}

failed=0
count=0
declare -A name_of
take_one() {
	local pid status=0
	wait -n -p pid || status=$?
	report "${name_of[$pid]}" "$status"
	count=$((count - 1))
}

printf 'fuzz: %d targets, %s s each, two at a time\n' "$#" "$seconds"
for target in "$@"; do
	[[ $count -lt 2 ]] || take_one
	fuzz_one "$target" &
	name_of[$!]=${target##*/}
	count=$((count + 1))
done
while [[ $count -gt 0 ]]; do
	take_one
done
printf 'fuzz: %d of %d targets failed\n' "$failed" "$#"
[[ $failed -eq 0 ]]
