# shellcheck shell=bash
# root.bash VERSION: build/ship/root.tar, a Debian 12 with systemd and the dependencies that the
# package of that version names, by this machine's apt sources. A few minutes, most of them downloads.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/ship/debian.bash
. tests/ship/debian.bash

package=$(echo build/deb/sealgate_"$1"_*.deb)
mkdir -p build/ship
# alternatives: the first one; what systemd is here, is there anyway
needed=$(dpkg-deb -f "$package" Depends | tr ',' '\n' | sed -E 's/\|.*//; s/\(.*//; s/ //g' | sort -u)
# A tar has whole seconds: so do the folders whose caches fontconfig is to find valid.
# shellcheck disable=SC2016
debian_make build/ship/root.tar.new --format=tar --aptopt='Apt::Install-Recommends "false"' \
	--include="$(tr '\n' ',' <<< "$needed")systemd-sysv,dbus,procps,clamav-freshclam,strace" \
	--customize-hook='find "$1"/usr/share/fonts "$1"/usr/local/share/fonts -type d -exec touch -d 2026-01-01 {} +' \
	--customize-hook='chroot "$1" fc-cache -f' \
	--customize-hook='rm -f "$1/etc/resolv.conf" "$1/etc/hostname"'
mv build/ship/root.tar.new build/ship/root.tar
