#!/bin/bash
# long
# docs.sh: what documents show of apt-get, dpkg and systemd is run: tests/docs/machine.commands, in a copy
# of this system that is booted under its systemd. The rest: tests/docs/run.sh.
set -uo pipefail
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
# shellcheck source=tests/ship/machine.bash
. "$(dirname "$0")/machine.bash"
# shellcheck source=tests/docs/copy.bash
. "$(dirname "$0")/../docs/copy.bash"

for tool in systemd-nspawn dpkg-buildpackage dh; do
	command -v "$tool" > /dev/null || {
		echo "skip all no $tool here: bash tests/lib/setup.sh deb ship"
		exit 0
	}
done
stack=$(mktemp -d /tmp/sealgate-machine.XXXXXX)
mkdir -p "$stack/log"
root=$stack/root
unmount() { umount -l "$root$stack_root" "$root" 2> /dev/null; }
trap 'status=$?; unmount; (exit "$status"); stack_exit' EXIT
if ! why=$(copy_system "$stack" 2>&1); then
	echo "skip machine no overlay here: ${why##*$'\n'}"
	exit 0
fi
# what runs at a boot of this system is none of this test's business
rm -f "$root"/etc/systemd/system/multi-user.target.wants/*
# the tree may lie in /tmp, which is emptied at a boot
: > "$root/etc/tmpfiles.d/tmp.conf"
export SYSTEMD_NSPAWN_TMPFS_TMP=0
machine_boot "$root" /srv/shown 580 \
	"/bin/bash '$stack_root/tests/docs/play.bash' '$stack_root/tests/docs/machine.commands'" \
	"Environment=SG_BUILD=$stack_build SG_SHOWN_SECONDS=400"
