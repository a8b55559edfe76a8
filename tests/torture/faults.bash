# shellcheck shell=bash disable=SC2034,SC2154
# faults.bash: what goes wrong in the torture test, a function fault_KIND each. Sourced.
#
# A fault begins, lasts, and is mended before its function returns; the stream of messages does not
# stop for it. A function may set $note for the log. What it starts it ends.

note=

# pause [MIN MAX]: milliseconds, by chance
pause() {
	local ms=$((${1:-300} + RANDOM % (${2:-2500} - ${1:-300})))
	sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
}

one_of() { local all=("$@"); printf '%s' "${all[RANDOM % $#]}"; }

a_pid() { local pids; mapfile -t pids < <(gateway_pids "$1"); printf '%s' "${pids[0]:-}"; }

# ---- programs die ----

fault_kill() {
	local role pid
	role=$(one_of milter milter scan pdf vault vault tls trace notify)
	note=$role
	pause 0 800
	pid=$(a_pid "$role")
	[[ -z $pid ]] || kill -KILL "$pid"
}

fault_kill_all() {
	pause 0 800
	pkill -KILL -P "$gateway_pid"
}

fault_supervisor() {
	pause 0 800
	kill -KILL "$gateway_pid"
	wait "$gateway_pid" 2> /dev/null
	pause 0 1500
	gateway_again || note='did not start again'
}

# ---- at a named step: dies there, or stops there and dies or goes on ----

mapfile -t step_names < <(grep -rhoE --include='*.c' 'STEP\("[a-z-]+"\)' "$stack_root"/{gateway,milter,pdfenc} |
	sed 's/.*"\(.*\)".*/\1/' | sort -u)
step_next=0

step_hits() { "$tool" hits "$steps"; }
step_hit() { [[ $(step_hits) -gt $1 ]]; }

# step_arm ACTION: the next step of the list.
step_arm() {
	local before name=${step_names[step_next++ % ${#step_names[@]}]}
	note=$name
	before=$(step_hits)
	"$tool" arm "$steps" "$name" $((1 + RANDOM % 4)) "$1"
	exactly=yes wait_for 8 step_hit "$before" || note+=' not reached'
	"$tool" arm "$steps" '' 0 kill
}

fault_step() { step_arm kill; }

fault_step_stop() {
	local signal pid
	step_arm stop
	pause 500 4000
	signal=$(one_of KILL CONT)
	note+=" $signal"
	for pid in $(pgrep -P "$gateway_pid" -r T); do
		kill "-$signal" "$pid"
	done
}

# ---- the database ----

database() { find "$world/state" -maxdepth 1 -name '*.db' | head -n 1; }

# The vault keeps its own lock for as long as it lives: another one gets in when it starts again.
fault_database_locked() {
	local pid locker
	pid=$(a_pid vault)
	[[ -n $pid ]] || return 0
	kill -STOP "$gateway_pid"
	kill -KILL "$pid"
	"$tool" lock "$(database)" $((1 + RANDOM % 4)) 2> /dev/null &
	locker=$!
	sleep 0.3
	kill -CONT "$gateway_pid"
	wait "$locker" || note="not locked"
}

fault_database_readonly() {
	mount -o remount,ro "$world/state" 2> /dev/null || {
		# files are open for writing: the rights alone
		note=rights
		chmod 500 "$world/state"
	}
	[[ $((RANDOM % 2)) -eq 0 ]] || kill -KILL "$(a_pid vault)" 2> /dev/null
	pause 1000 3000
	mount -o remount,rw "$world/state"
	chmod 700 "$world/state"
}

# Its files are away for a while; the vault that has them open may live or die.
fault_database_gone() {
	mkdir -p "$world/state/away"
	mv "$world"/state/*.db* "$world/state/away/"
	pause 500 2000
	mv "$world"/state/away/*.db* "$world/state/"
}

# ---- no room ----

fill() {
	dd if=/dev/zero of="$world/$1/fill" bs=64k > /dev/null 2>&1
	pause 1000 3500
	rm -f "$world/$1/fill"
}

fault_disk_spool() { fill spool; }
fault_disk_database() { fill state; }
fault_disk_scanner() { fill scan; }

# ---- no descriptors, no memory, no time ----

# as_its_user PID COMMAND...: root alone may not be allowed to bound a program of somebody else.
as_its_user() {
	local ids
	ids=$(awk "/^[UG]id:/ { print \$2 }" "/proc/$1/status" | paste -sd " ")
	setpriv --reuid="${ids% *}" --regid="${ids#* }" --clear-groups "${@:2}"
}

# limited ROLE RESOURCE NOW BACK: the soft limit, and back.
limited() {
	local pid
	pid=$(a_pid "$1")
	note="$1 $2 $3"
	[[ -n $pid ]] || return 0
	as_its_user "$pid" prlimit --pid "$pid" "--$2=$3:" 2> /dev/null || note+=" not set"
	pause 1000 3500
	as_its_user "$pid" prlimit --pid "$pid" "--$2=$4:" 2> /dev/null
}

hard_limit() { as_its_user "$1" prlimit --pid "$1" "--$2" --noheadings --output HARD | tr -d " "; }

fault_descriptors() {
	local role pid
	role=$(one_of milter scan pdf vault tls)
	pid=$(a_pid "$role")
	[[ -n $pid ]] || return 0
	limited "$role" nofile "$(find "/proc/$pid/fd" -mindepth 1 | wc -l)" \
		"$(hard_limit "$pid" nofile)"
}

fault_pdf_memory() {
	local pid
	pid=$(a_pid pdf)
	[[ -n $pid ]] || return 0
	limited pdf as "$(($(awk '/^VmSize/ { print $2 }' "/proc/$pid/status") * 1024))" \
		"$(hard_limit "$pid" as)"
}

fault_pdf_cpu() { limited pdf cpu 1 unlimited; }
fault_pdf_output() { limited pdf fsize 3000 unlimited; }

# ---- the scanner ----

fault_scanner_hangs() {
	local pid
	pid=$(a_pid scan)
	[[ -n $pid ]] || return 0
	kill -STOP "$pid"
	pause 2000 6000
	kill -CONT "$pid" 2> /dev/null
}

fault_scanner_crashes() { kill -SEGV "$(a_pid scan)" 2> /dev/null; }

fault_signatures_broken() {
	local file
	file=$(find "$world/database" -maxdepth 1 -name '*.?db' | sort | head -n 1)
	cp -p "$file" "$world/good"
	head -c 5000 /dev/urandom | base64 > "$file"
	kill -HUP "$gateway_pid"
	[[ $((RANDOM % 3)) -gt 0 ]] || kill -KILL "$(a_pid scan)" 2> /dev/null
	pause 1500 4000
	cat "$world/good" > "$file"
	kill -HUP "$gateway_pid"
}

# ---- Postfix ----

postfix_again() {
	local try
	for try in {1..40}; do
		postfix -c "$stack/config" start >> "$stack/log/start.log" 2>&1
		exactly=yes wait_for 2 listens "$smtp_port" && return 0
		sleep 0.3
	done
	note+=' Postfix did not start'
}

fault_postfix_restart() {
	postfix_stop "$stack"
	pause 0 800
	postfix_again
}

fault_postfix_killed() {
	local pid
	pid=$(postfix_pid "$stack")
	[[ -n $pid ]] || return 0
	if [[ $((RANDOM % 2)) -eq 0 ]]; then
		note='all of it'
		kill -KILL -- "-$pid"
	else
		note=master
		kill -KILL "$pid"
	fi
	pause 0 800
	postfix_again
}

fault_postfix_reload() { postfix -c "$stack/config" reload > /dev/null 2>&1; }

fault_postfix_requeue() { postsuper -c "$stack/config" -r ALL > /dev/null 2>&1; }

# ---- the second stage, the peers, DNS, the clock ----

# spoil FILE MODE...
spoil() {
	local mode file=$1
	mode=$(one_of "${@:2}")
	note=$mode
	echo "$mode" > "$file"
	pause 1000 4000
	echo pass > "$file"
}

fault_stage_down() { spoil "$world/proxy.mode" down; }
fault_stage_4xx() { spoil "$world/proxy.mode" defer; }
fault_stage_cut() { spoil "$world/proxy.mode" cut-data cut-before; }
fault_stage_cut_after() { spoil "$world/proxy.mode" cut-after; }
fault_peer_loses_tls() {
	echo plain > "$net/peer.mode"
	pause 1000 9000
	echo pass > "$net/peer.mode"
}
fault_peer_4xx() { spoil "$net/peer.mode" defer defer-data; }
fault_peer_cut() { spoil "$net/peer.mode" cut-before; }
fault_peer_cut_after() { spoil "$net/peer.mode" cut-after; }

fault_dns() {
	local mode
	mode=$(one_of drop drop 'slow 900' servfail lie)
	note=$mode
	dns_near "$mode"
	pause 2000 7000
	dns_near pass
}

fault_clock() {
	local by
	by=$(one_of 7200 -7200 86400 -86400 1 -1)
	note="$by s"
	"$tool" clock "$steps" "$by"
	pause 1500 4000
	"$tool" clock "$steps" 0
}

fault_idle_connections() {
	note=$("$tool" idle "$stack/socket/milter.sock" 1000 4)
}

fault_none() { pause 1000 2000; }
