# shellcheck shell=bash disable=SC2154
# account.sh: the CPU time of all processes of one line of the benchmark. Sourced.
#
# A control group for each (version 1's cpuacct or version 2), which also counts what has ended.
# Where none can be made, the sum over the process trees that were started, less exact: source and
# sink are then not counted, in any line.

account_root=
account_kind=tree

if mkdir "/sys/fs/cgroup/cpuacct/sealgate-bench.$$" 2> /dev/null; then
	account_root=/sys/fs/cgroup/cpuacct/sealgate-bench.$$
	account_kind=v1
elif [[ -e /sys/fs/cgroup/cgroup.controllers ]] && mkdir "/sys/fs/cgroup/sealgate-bench.$$" 2> /dev/null; then
	account_root=/sys/fs/cgroup/sealgate-bench.$$
	account_kind=v2
fi

account_make() { [[ $account_kind == tree ]] || mkdir -p "$account_root/$1"; }

# account_enter NAME: this shell, and all that it starts, from now on counts there.
account_enter() {
	if [[ $account_kind == tree ]]; then
		echo "$BASHPID" >> "$base/account.$1"
	else
		echo "$BASHPID" > "$account_root/$1/cgroup.procs"
	fi
}

# account_in NAME COMMAND...: runs the command in the account.
account_in() (
	account_enter "$1"
	shift
	"$@"
)

# account_start NAME COMMAND...: the same in the background; its process id is $!.
account_start() {
	(
		account_enter "$1"
		exec "${@:2}"
	) &
}

# account_cpu NAME: nanoseconds so far.
account_cpu() {
	case $account_kind in
	v1) cat "$account_root/$1/cpuacct.usage" ;;
	v2) awk '$1 == "usage_usec" { printf "%d\n", $2 * 1000 }' "$account_root/$1/cpu.stat" ;;
	tree) account_tree "$(cat "$base/account.$1" "$base/$1/queue/pid/master.pid" 2> /dev/null)" ;;
	esac
}

# The time of these processes, their descendants, and the children they have waited for.
account_tree() {
	cat /proc/[0-9]*/stat 2> /dev/null | awk -v roots="$1" -v hertz="$(getconf CLK_TCK)" '
		BEGIN { n = split(roots, list, /[ \n]+/); for (i = 1; i <= n; i++) in_tree[list[i]] = 1 }
		{
			pid = $1; sub(/^.*\) /, "")
			parent[pid] = $2; time[pid] = $12 + $13 + $14 + $15
		}
		END {
			for (again = 1; again; ) {
				again = 0
				for (pid in parent)
					if (!(pid in in_tree) && (parent[pid] in in_tree)) { in_tree[pid] = 1; again = 1 }
			}
			for (pid in time) if (pid in in_tree) sum += time[pid]
			printf "%.0f\n", sum / hertz * 1e9
		}'
}

account_end() {
	[[ $account_kind != tree ]] || return 0
	local try
	for try in {1..40}; do
		rmdir "$account_root"/*/ "$account_root" 2> /dev/null
		[[ -d $account_root ]] || return 0
		sleep 0.05
	done
	echo "$account_root is not empty after $try tries" >&2
}
