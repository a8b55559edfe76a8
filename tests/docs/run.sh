#!/bin/bash
# long
# run.sh: what README, docs/*.md and the manual pages show is run, with the names and in the places that
# they show: tests/docs/stack.commands, in a copy of this system (an overlay in memory, namespaces of
# its own) that ends with the test. What needs systemd or dpkg: tests/ship/docs.sh.
# a log that was rotated is made readable a moment later
# expect-error: trace-log
set -uo pipefail
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
# shellcheck source=tests/docs/copy.bash
. "$(dirname "$0")/copy.bash"

if [[ ${SG_COPY:-} != 1 ]]; then
	if ! unshare -n -m -p --fork --mount-proc true 2> /dev/null; then
		echo "skip all no namespaces here"
		exit 0
	fi
	SG_COPY=1 exec unshare -n -m -p --fork --kill-child --mount-proc bash "$0" "$@"
fi

# nobody else sees this mount, and it goes with the namespace
make_copy() {
	mount -t tmpfs -o mode=755 tmpfs /mnt && copy_system /mnt && mount -t proc proc "$root/proc" &&
		mount --rbind /dev "$root/dev" && mount -t tmpfs tmpfs "$root/run"
}
root=/mnt/root
if ! why=$(make_copy 2>&1); then
	echo "skip all no overlay here: ${why##*$'\n'}"
	exit 0
fi
ip link set lo up

chroot "$root" env -u SG_TEST_LOGS bash "$stack_root/tests/docs/play.bash" "$stack_root/tests/docs/stack.commands" \
	< /dev/null || stack_failed=1
if [[ -n ${SG_TEST_LOGS:-} ]]; then
	cp "$root/var/log/mail.log" "$root/srv/shown"/*.log "$SG_TEST_LOGS/" 2> /dev/null
fi
exit "$stack_failed"
