# shellcheck shell=bash disable=SC2154
# pss.bash: memory of all Sealgate processes of a stack, as memory.sh and list.sh count it. Sourced.

gateway_tree() { printf '%s\n' "$gateway_pid" && pgrep -P "$gateway_pid"; }

# pss PID...: kB, without memory files.
pss() {
	local pid
	for pid in "$@"; do
		cat "/proc/$pid/smaps_rollup" 2> /dev/null
	done | awk '/^Pss_(Anon|File):/ { sum += $2 } END { print sum + 0 }'
}

# memory_files PID...: kB of all memory files that are open or mapped, each once.
memory_files() {
	local pid
	for pid in "$@"; do
		find "/proc/$pid/fd" "/proc/$pid/map_files" -lname '/memfd:*' -exec stat -L -c '%i %b' {} + 2> /dev/null
	done | sort -u | awk '{ sum += $2 / 2 } END { printf "%d\n", sum }'
}
