#!/bin/bash
# run.sh [-b BUILD] [-j JOBS] [-t SECONDS] FILE...: runs test files side by side.
#
# FILE is a built unit test (cmocka) or a script. Cases are counted from lines "ok NAME",
# "not ok NAME" and "skip NAME REASON" (cmocka's TAP has the same). A file fails when a case fails,
# when it ends with another status than 0, has no case, takes too long, or when an error line of
# ours is in its logs that no line "expect-error: REGEX" of its source announces. Each file finds
# its own folder for logs in SG_TEST_LOGS; the output of failures is printed at the end.
set -uo pipefail

build=build/release
jobs=$(($(nproc) + 2))
limit=${SG_TEST_TIMEOUT:-400}
while getopts b:j:t: option; do
	case $option in
	b) build=$OPTARG ;;
	j) jobs=$OPTARG ;;
	t) limit=$OPTARG ;;
	*) exit 64 ;;
	esac
done
shift $((OPTIND - 1))
[[ $jobs -le 4 ]] || jobs=4

logs=$build/logs
passed=0
failed=0
skipped=0
bad=()

# The source of a test file, where it says which errors it expects.
source_of() {
	case $1 in
	*/unit/*) printf 'tests/unit/%s.c' "${1#*/unit/}" ;;
	*/fuzz/*) printf 'tests/fuzz/%s.c' "${1##*/}" ;;
	*) printf '%s' "$1" ;;
	esac
}

# The name of a test file in the list: unit/gateway/base/buf, postfix/alias
name_of() {
	local name=${1#"$build"/}
	name=${name#tests/}
	printf '%s' "${name%.sh}"
}

# Error lines of our programs in a test's logs that its source does not announce.
unexpected_errors() {
	local expected
	expected=$(sed -n 's/.*expect-error: *//p' "$(source_of "$1")" 2> /dev/null)
	{
		grep -rhE --include='*.log' '^(\S+ )*sealgate(-[a-z]+)?(\[[0-9]+\])?:? +error( |:)' "$2"
	} 2> /dev/null | { if [[ -n $expected ]]; then grep -vEf <(printf '%s\n' "$expected"); else cat; fi; }
}

# What allocated something is looked up by frame pointers; libraries that leak have none, and for
# those that are suppressed by name (run_lsan.supp) it is done the slow way, which doubles the time.
asan_options() {
	case $1 in
	*/unit/pdfenc/* | */fuzz/* | */interop/*) printf '%s:fast_unwind_on_malloc=0' "$ASAN_OPTIONS" ;;
	*) printf '%s' "$ASAN_OPTIONS" ;;
	esac
}

# Runs one test file; the result goes to FOLDER/result as "STATUS MILLISECONDS".
run_one() {
	local file=$1 folder=$2 start status=0
	rm -rf "$folder"
	mkdir -p "$folder"
	[[ -z ${ASAN_OPTIONS:-} ]] || ASAN_OPTIONS=$(asan_options "$file")
	start=${EPOCHREALTIME/./}
	SG_TEST_LOGS=$(cd "$folder" && pwd) SG_BUILD=$(cd "$build" && pwd) CMOCKA_MESSAGE_OUTPUT=TAP \
		timeout -k 15 "$limit" "$file" > "$folder/output.log" 2>&1 < /dev/null || status=$?
	printf '%d %d\n' "$status" $(((${EPOCHREALTIME/./} - start) / 1000)) > "$folder/result"
}

# Counts and prints one finished file.
report() {
	local file=$1 folder=$2 status=1 ms=0 ok nok skip why='' word=PASS errors
	read -r status ms < "$folder/result"
	skip=$(grep -cE '^skip |^(not )?ok .*# SKIP' "$folder/output.log")
	ok=$(grep -E '^ok ' "$folder/output.log" | grep -cv '# SKIP')
	nok=$(grep -E '^not ok ' "$folder/output.log" | grep -cv '# SKIP')
	errors=$(unexpected_errors "$file" "$folder")
	if [[ $status -eq 124 || $status -eq 137 ]]; then
		why="took longer than $limit s"
	elif [[ $status -ne 0 && $nok -eq 0 ]]; then
		why="exit status $status"
	elif [[ $((ok + nok + skip)) -eq 0 ]]; then
		why="no case ran"
	elif [[ -n $errors ]]; then
		why="unexpected error in a log: $(head -n 1 <<< "$errors" | cut -c 1-300)"
	fi
	[[ -z $why ]] || nok=$((nok + 1))
	if [[ $nok -gt 0 ]]; then
		word=FAIL
		bad+=("$file")
	elif [[ $ok -eq 0 ]]; then
		word=SKIP
		why=$(sed -nE 's/^skip +//p; s/^(not )?ok .*# SKIP *//p' "$folder/output.log" | head -n 1)
	fi
	passed=$((passed + ok))
	failed=$((failed + nok))
	skipped=$((skipped + skip))
	printf '  %-4s %-44s %4d ok %6d.%01d s%s\n' "$word" "$(name_of "$file")" "$ok" \
		$((ms / 1000)) $((ms % 1000 / 100)) "${why:+  $why}"
}

declare -A file_of
running=0

take_one() {
	local pid
	wait -n -p pid || true
	running=$((running - 1))
	report "${file_of[$pid]}" "$logs/$(name_of "${file_of[$pid]}")"
}

stop_all() {
	local pid
	for pid in "${!file_of[@]}"; do
		# the test itself, which cleans up, and who waits for it
		pkill -P "$pid" 2> /dev/null
		kill "$pid" 2> /dev/null
	done
	wait
	exit 130
}
trap stop_all INT TERM

for file in "$@"; do
	[[ $running -lt $jobs ]] || take_one
	run_one "$file" "$logs/$(name_of "$file")" &
	file_of[$!]=$file
	running=$((running + 1))
done
while [[ $running -gt 0 ]]; do
	take_one
done

for file in ${bad[@]+"${bad[@]}"}; do
	folder=$logs/$(name_of "$file")
	printf '\n---- %s, from %s/output.log ----\n' "$(name_of "$file")" "$folder"
	grep -vE '^ok ' "$folder/output.log" | tail -n 60
	unexpected_errors "$file" "$folder" | head -n 5 | sed 's/^/unexpected: /'
done
[[ ${#bad[@]} -eq 0 ]] || printf '\n'
[[ $skipped -eq 0 ]] || printf '%d skipped\n' "$skipped"
printf '%d passed, %d failed\n' "$passed" "$failed"
[[ $failed -eq 0 ]]
