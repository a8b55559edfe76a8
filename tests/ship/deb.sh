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
# shellcheck source=tests/ship/machine.bash
. "$(dirname "$0")/machine.bash"

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
machine_boot "$root" /ship 330 "/bin/bash /ship/deb_inside.bash $next_version"
check the_fonts_are_loaded grep -qF '"fonts loaded"' "$root/ship/gateway.log"
check_not they_are_in_their_caches grep -q Fontconfig "$root/ship/gateway.log"
# AppArmor asks its kernel, and few have one: so what the programs did is held against the profile
if [[ -s $root/ship/calls ]] && command -v apparmor_parser > /dev/null; then
	check the_profile_allows_what_the_programs_do bash tests/ship/confined.bash \
		"$root/ship/profile" "$root/ship/calls" "$root/ship/folders"
else
	ok 'the_profile: no strace in the machine, or no apparmor_parser here'
fi
