# shellcheck shell=bash
# root.bash VERSION: build/ship/root.tar, a Debian 12 with systemd and the dependencies that the
# package of that version names, by this machine's apt sources. A few minutes, most of them downloads.
set -euo pipefail
cd "$(dirname "$0")/../.."

package=$(echo build/deb/sealgate_"$1"_*.deb)
mkdir -p build/ship
# alternatives: the first one; what systemd is here, is there anyway
needed=$(dpkg-deb -f "$package" Depends | tr ',' '\n' | sed -E 's/\|.*//; s/\(.*//; s/ //g' | sort -u)
sources=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \([^ ]*\) bookworm main.*/\1/p' \
	/etc/apt/sources.list /etc/apt/sources.list.d/debian.sources 2> /dev/null | head -n 1 || :)
sources=${sources:-http://deb.debian.org/debian}
# A tar has whole seconds: so do the folders whose caches fontconfig is to find valid.
# shellcheck disable=SC2016
mmdebstrap --format=tar --variant=minbase --aptopt='Apt::Install-Recommends "false"' \
	--include="$(tr '\n' ',' <<< "$needed")systemd-sysv,dbus,procps,clamav-freshclam,strace" \
	--customize-hook='find "$1"/usr/share/fonts "$1"/usr/local/share/fonts -type d -exec touch -d 2026-01-01 {} +' \
	--customize-hook='chroot "$1" fc-cache -f' \
	--customize-hook='rm -f "$1/etc/resolv.conf" "$1/etc/hostname"' \
	bookworm build/ship/root.tar.new \
	"deb $sources bookworm main" "deb $sources bookworm-updates main" \
	"deb ${sources%/debian}/debian-security bookworm-security main"
mv build/ship/root.tar.new build/ship/root.tar
