#!/bin/bash
# sandbox.sh: what the kernel says about the running workers, and to calls made inside them.

# shellcheck source=tests/faults/faults.bash
. "$(dirname "$0")/faults.bash"

# field PID NAME: of /proc/PID/status.
field() { sed -nE "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }

# worker ROLE UID
worker() {
	local role=$1 uid=$2 pid task
	for pid in $(gateway_pids "$role"); do
		check_equal "$role: no new privileges" "$(field "$pid" NoNewPrivs)" 1
		check_equal "$role: a system call filter" "$(field "$pid" Seccomp)" 2
		check_equal "$role: a user of its own" "$(field "$pid" Uid)" "$uid	$uid	$uid	$uid"
		check_equal "$role: a group of its own" "$(field "$pid" Gid)" "$uid	$uid	$uid	$uid"
		check_equal "$role: no further groups" "$(field "$pid" Groups)" ''
		for set in CapInh CapPrm CapEff CapAmb; do
			check_match "$role: no capability in $set" "$(field "$pid" "$set")" '^0+$'
		done
		check_match "$role: no core dump" "$(grep '^Max core file size' "/proc/$pid/limits")" \
			'size +0 +0 '
		check_equal "$role: nothing of the environment" \
			"$(tr '\0' '\n' < "/proc/$pid/environ" | grep -vcE '^(PATH|LANG|LC_ALL)=')" 0
		for task in "/proc/$pid/task"/*; do
			check_equal "$role: each thread is filtered" \
				"$(sed -n 's/^Seccomp:\t//p' "$task/status")" 2
		done
		check_equal "$role: holds no file of the vault" \
			"$(find "/proc/$pid/fd" -lname "$stack/state/*" 2> /dev/null | wc -l)" "$3"
		check "$role: another worker's user may not look into it" \
			bash -c "! setpriv --reuid $((uid == stack_uid ? uid + 1 : stack_uid)) --clear-groups \
			cat /proc/$pid/environ 2> /dev/null"
	done
	check "$role: runs" test -n "$(gateway_pids "$role")"
}

# inside ROLE ALLOWED: calls made in the running worker (tests/lib/inside.c) fail, but for those
# named in ALLOWED, a pattern: nothing that follows from a hole in it gets further than this table.
inside() {
	local pid got name result
	for pid in $(gateway_pids "$1"); do
		got=$("$stack/inside" "$pid" 2>&1) || {
			not_ok "$1: calls can be made inside" "$got"
			continue
		}
		while read -r name result; do
			if [[ $name =~ ^($2)$ ]]; then
				check_equal "$1: $name is its work" "$result" ok
			else
				check_match "$1: no $name" "$result" '^(EPERM|EACCES|ENOSYS)$'
			fi
		done <<< "$got"
		check_equal "$1: all were tried" "$(wc -l <<< "$got")" 15
		check "$1: goes on" kill -0 "$pid"
	done
}

faults_start sandbox
# all of them have worked before they are looked at
offer_three ''
taken 'before' plain envelope pdf
held=$(find "/proc/$(gateway_pids vault)/fd" -lname "$stack/state/*" | wc -l)
worker milter "$stack_uid" 0
worker scan $((stack_uid + 1)) 0
worker pdf $((stack_uid + 2)) 0
worker vault $((stack_uid + 3)) "$held"
worker tls $((stack_uid + 4)) 0
worker notify $((stack_uid + 6)) 0

gcc -O1 -o "$stack/inside" "$stack_root/tests/lib/inside.c" || exit 1
if "$stack/inside" 2> /dev/null; [[ $? -eq 77 ]]; then
	echo "skip calls inside the workers: x86-64 alone"
else
	# without Landlock files are what the worker's user may open
	files=nothing
	[[ $(stack_sandbox) == full ]] || files='open|create'
	inside milter "socket-unix|$files"
	inside scan "$files"
	inside pdf "${files/|create/}"
	inside vault "$files"
	inside tls "socket-unix|socket-inet|$files"
	inside trace "socket-unix|${files/|create/}"
	inside notify "socket-unix|socket-inet|${files/|create/}"
	rm -f /tmp/inside.was.here
fi

for user in "$stack_uid" $((stack_uid + 1)) $((stack_uid + 2)); do
	for file in "$stack/state/master.key" "$stack/state/vault.db"; do
		check_not "user $user cannot read ${file##*/}" setpriv --reuid "$user" --regid "$user" \
			--clear-groups cat "$file"
	done
done
for wire in scan pdf vault admin; do
	check_match "the wire $wire is for one user" "$(stat -c %a "$stack/run/$wire.sock")" '^600$'
done
once 'after' plain envelope pdf
