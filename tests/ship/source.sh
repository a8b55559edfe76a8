#!/bin/bash
# long
# source.sh: from a bare Debian 12 to a sealed PDF on screen, by source. A root that has make and systemd
# and nothing else of what we need: "make demo" installs, compiles and shows; then it is booted, installed
# and attached as docs/install.md says (tests/docs/source.commands). Downloads some 300 MB.
#
# The times stand in the output; the first page of the PDF goes to build/ship/source-page.png.
set -uo pipefail
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"

for tool in systemd-nspawn mmdebstrap; do
	command -v "$tool" > /dev/null || {
		echo "skip all no $tool here: bash tests/lib/setup.sh ship"
		exit 0
	}
done
cd "$stack_root" || exit 1
stack=$(mktemp -d "${SG_SHIP_FOLDER:-/var/tmp}/sealgate-source.XXXXXX")
mkdir -p "$stack/log"
trap stack_exit EXIT
root=$stack/root
tree=/usr/src/sealgate

mark() { printf '# %d:%02d %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$*"; }

# ---- a bare Debian ----

sources=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \([^ ]*\) bookworm main.*/\1/p' \
	/etc/apt/sources.list /etc/apt/sources.list.d/debian.sources 2> /dev/null | head -n 1 || :)
sources=${sources:-http://deb.debian.org/debian}
bare() {
	mmdebstrap --format=dir --variant=minbase --aptopt='Apt::Install-Recommends "false"' \
		--include=make,systemd-sysv,dbus bookworm "$root" \
		"deb $sources bookworm main" "deb $sources bookworm-updates main" \
		"deb ${sources%/debian}/debian-security bookworm-security main"
}
if ! bare > "$stack/log/bare.out" 2>&1; then
	echo "skip all no Debian can be fetched: $(tail -n 1 "$stack/log/bare.out")"
	exit 0
fi
mark "a bare Debian 12, $(find "$root/var/lib/dpkg/info" -name '*.list' | wc -l) packages"

mkdir -p "$root$tree"
if [[ -e .git ]]; then git ls-files -z --cached --others --exclude-standard; else find . -path ./build -prune -o -type f -print0; fi |
	tar -c --null -T - | tar -x -C "$root$tree"

# ---- the demo, with its set-up; on this machine's network ----

calls='landlock_create_ruleset landlock_add_rule landlock_restrict_self @memlock'
inside() {
	systemd-nspawn -q -D "$root" -M "sealgate-source-$$" --register=no --keep-unit --link-journal=no \
		--system-call-filter="$calls" "$@" < /dev/null
}
mark 'make demo'
check the_demo_runs inside --chdir="$tree" make demo
mark "the demo is done, $(find "$root/var/lib/dpkg/info" -name '*.list' | wc -l) packages"
check it_shows_a_pdf test -s "$root$tree/build/demo/3-pdf.pdf"
# what serves the second machine; the commands of the list find it there, without a network
check freshclam_is_there inside apt-get install -q -y --no-install-recommends clamav-freshclam

# ---- installed on a live system ----

mkdir -p "$root/var/lib/clamav" "$root/srv/shown"
bash tests/lib/sigdb.sh "$root/var/lib/clamav"
cat > "$root/etc/systemd/system/ship.service" <<-END_OF_UNIT
	[Unit]
	After=basic.target dbus.service
	Wants=basic.target dbus.service
	SuccessAction=poweroff-force
	FailureAction=poweroff-force
	[Service]
	Type=oneshot
	ExecStart=/bin/bash $tree/tests/docs/play.bash $tree/tests/docs/source.commands
	Environment=HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	StandardOutput=file:/srv/shown/cases
	StandardError=file:/srv/shown/errors
END_OF_UNIT
rm -f "$root/etc/resolv.conf"
mark 'it boots'
timeout -k 10 "${SG_SHIP_SECONDS:-300}" systemd-nspawn -q -D "$root" -M "sealgate-source-$$" --boot \
	--register=no --keep-unit --link-journal=no --private-network --system-call-filter="$calls" \
	systemd.unit=ship.service > "$stack/log/boot.out" 2>&1 < /dev/null
if [[ ! -s $root/srv/shown/cases ]]; then
	echo "skip machine it does not boot here: $(grep -v '^$' "$stack/log/boot.out" | tail -n 1)"
	exit 0
fi
cat "$root/srv/shown/cases"
mark 'the first message is open'
cp "$root/srv/shown/errors" "$stack/log/inside.out"
cp "$root/var/log/mail.log" "$root"/srv/shown/gateway.log "$stack/log/" 2> /dev/null
mkdir -p build/ship
cp "$root/srv/shown/opened/page-1.png" build/ship/source-page.png
! grep -q '^not ok' "$root/srv/shown/cases" || stack_failed=1
check it_came_to_its_end grep -qx 'ok the_end' "$root/srv/shown/cases"
