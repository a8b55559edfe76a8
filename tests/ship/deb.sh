#!/bin/bash
# long
# deb.sh: the package in a machine of its own, under its systemd: installed, attached, mail sealed,
# upgraded under load and back, removed, purged. tests/ship/deb_inside.bash is what happens there.
#
# The machine is build/ship/root.tar where "make ship-root" has made it: Debian 12 with nothing but what
# the package depends on. Else it is this system under an overlay, which proves all but the list of
# dependencies, and takes no download.
#
# expect-error: signatures_old
set -uo pipefail
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"

for tool in systemd-nspawn dpkg-buildpackage dh lintian hardening-check; do
	command -v "$tool" > /dev/null || {
		echo "skip all no $tool here: bash tests/lib/setup.sh deb ship"
		exit 0
	}
done
[[ ${stack_build##*/} == release ]] || {
	echo "skip all the package is made of the release"
	exit 0
}

cd "$stack_root" || exit 1
stack=$(mktemp -d /tmp/sealgate-deb.XXXXXX)
mkdir -p "$stack/log"
trap 'status=$?; umount -l "$stack/root" 2> /dev/null; (exit "$status"); stack_exit' EXIT
debs=$stack/debs
root=$stack/root

# ---- the package ----

version=$(sed -n 's/^VERSION = //p' Makefile)
make_deb() { DEB_BUILD_OPTIONS=noautodbgsym bash config/debian/build.sh "$version" "$debs"; }
check the_package_is_built make_deb
package=$(echo "$debs"/sealgate_"$version"_*.deb)
[[ -f $package ]] || exit 1
check lintian_finds_nothing lintian --allow-root -I --fail-on error,warning,info "$package"
dpkg-deb -R "$package" "$stack/next"
# control flow protection needs start files that have it, and Debian 12's have not
check the_programs_are_hardened hardening-check --nocfprotection "$stack"/next/usr/{sbin,libexec/sealgate}/*

# the next version: another number, and a configuration file that has changed as well
next_version=$version+next
sed -i "s/^Version: .*/Version: $next_version/" "$stack/next/DEBIAN/control"
echo '# what the next version has to say' >> "$stack/next/usr/share/sealgate/sealgate.conf"
check the_next_version_is_built dpkg-deb -b "$stack/next" "$debs/next.deb"
cp "$package" "$debs/this.deb"

# ---- the machine ----

make_root() {
	mkdir -p "$root" "$stack/upper" "$stack/work"
	if [[ -s build/ship/root.tar ]]; then
		tar -xf build/ship/root.tar -C "$root"
	else
		mount -t overlay overlay -o "lowerdir=/,upperdir=$stack/upper,workdir=$stack/work" "$root"
	fi
}
if ! make_root 2> "$stack/log/root.out"; then
	echo "skip machine no overlay here: $(tail -n 1 "$stack/log/root.out")"
	exit 0
fi
mkdir -p "$root/ship" "$root/var/lib/clamav"
rm -f "$root/usr/sbin/policy-rc.d" "$root"/var/lib/clamav/*
cp "$debs"/{this,next}.deb tests/ship/{deb_inside,mirror}.bash "$root/ship/"
bash tests/lib/sigdb.sh "$root/var/lib/clamav"
cat > "$root/etc/systemd/system/ship.service" <<-END
	[Unit]
	After=basic.target dbus.service
	Wants=basic.target dbus.service
	SuccessAction=poweroff-force
	FailureAction=poweroff-force
	[Service]
	Type=oneshot
	ExecStart=/bin/bash /ship/deb_inside.bash $next_version
	StandardOutput=file:/ship/output
	StandardError=file:/ship/errors
END

# The workers' sandboxes need calls that nspawn's own list does not have.
calls='landlock_create_ruleset landlock_add_rule landlock_restrict_self @memlock'
boot() {
	timeout -k 10 "${SG_SHIP_SECONDS:-330}" systemd-nspawn -q -D "$root" --boot --register=no --keep-unit \
		--link-journal=no --private-network --system-call-filter="$calls" systemd.unit=ship.service \
		> "$stack/log/boot.out" 2>&1 < /dev/null
}
boot
if [[ ! -s $root/ship/output ]]; then
	echo "skip machine it does not boot here: $(grep -v '^$' "$stack/log/boot.out" | tail -n 1)"
	exit 0
fi
cat "$root/ship/output"
cp "$root/ship/errors" "$stack/log/inside.out"
cp "$root"/ship/*.log "$stack/log/" 2> /dev/null
! grep -q '^not ok' "$root/ship/output" || stack_failed=1
check it_came_to_its_end grep -qx 'ok the_end' "$root/ship/output"
# AppArmor asks its kernel, and few have one: so what the programs did is held against the profile
if [[ -s $root/ship/calls ]] && command -v apparmor_parser > /dev/null; then
	check the_profile_allows_what_the_programs_do bash tests/ship/confined.bash \
		"$root/ship/profile" "$root/ship/calls" "$root/ship/folders"
else
	ok 'the_profile: no strace in the machine, or no apparmor_parser here'
fi
