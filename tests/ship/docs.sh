#!/bin/bash
# long
# docs.sh: what documents show of apt-get, dpkg and systemd is run: tests/docs/machine.commands, in a copy
# of this system that is booted under its systemd. The rest: tests/docs/run.sh.
set -uo pipefail
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
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
cat > "$root/etc/systemd/system/ship.service" <<-END_OF_UNIT
	[Unit]
	After=basic.target dbus.service
	Wants=basic.target dbus.service
	SuccessAction=poweroff-force
	FailureAction=poweroff-force
	[Service]
	Type=oneshot
	ExecStart=/bin/bash "$stack_root/tests/docs/play.bash" "$stack_root/tests/docs/machine.commands"
	Environment=SG_BUILD=$stack_build SG_SHOWN_SECONDS=400 HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	StandardOutput=file:/srv/shown/cases
	StandardError=file:/srv/shown/errors
END_OF_UNIT

# the tree may lie in /tmp, which is emptied at a boot
: > "$root/etc/tmpfiles.d/tmp.conf"
export SYSTEMD_NSPAWN_TMPFS_TMP=0
calls='landlock_create_ruleset landlock_add_rule landlock_restrict_self @memlock'
timeout -k 10 "${SG_SHIP_SECONDS:-580}" systemd-nspawn -q -D "$root" -M "sealgate-docs-$$" --boot --register=no --keep-unit \
	--link-journal=no --private-network --system-call-filter="$calls" systemd.unit=ship.service \
	> "$stack/log/boot.out" 2>&1 < /dev/null
if [[ ! -s $root/srv/shown/cases ]]; then
	echo "skip machine it does not boot here: $(grep -v '^$' "$stack/log/boot.out" | tail -n 1)"
	exit 0
fi
cat "$root/srv/shown/cases"
cp "$root/srv/shown/errors" "$stack/log/inside.out"
cp "$root/var/log/mail.log" "$root"/srv/shown/gateway.log "$stack/log/" 2> /dev/null
! grep -q '^not ok' "$root/srv/shown/cases" || stack_failed=1
check it_came_to_its_end grep -qx 'ok the_end' "$root/srv/shown/cases"
