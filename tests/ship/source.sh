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
# shellcheck source=tests/ship/machine.bash
. "$(dirname "$0")/machine.bash"

for tool in systemd-nspawn mmdebstrap; do
	command -v "$tool" > /dev/null || {
		echo "skip all no $tool here: bash tests/lib/setup.sh ship"
		exit 0
	}
done
cd "$stack_root" || exit 1
# shellcheck source=tests/ship/debian.bash
. tests/ship/debian.bash
stack=$(mktemp -d "${SG_SHIP_FOLDER:-/var/tmp}/sealgate-source.XXXXXX")
mkdir -p "$stack/log"
trap stack_exit EXIT
root=$stack/root
tree=/usr/src/sealgate

mark() { printf '# %d:%02d %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$*"; }

# ---- a bare Debian ----

bare() {
	debian_make "$root" --format=dir --aptopt='Apt::Install-Recommends "false"' --include=make,systemd-sysv,dbus
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

mark 'make demo'
check the_demo_runs machine_enter "$root" --chdir="$tree" make demo
mark "the demo is done, $(find "$root/var/lib/dpkg/info" -name '*.list' | wc -l) packages"
check it_shows_a_pdf test -s "$root$tree/build/demo/3-pdf.pdf"
# what serves the second machine; the commands of the list find it there, without a network
check freshclam_is_there machine_enter "$root" apt-get install -q -y --no-install-recommends clamav-freshclam

# ---- installed on a live system ----

mkdir -p "$root/var/lib/clamav"
bash tests/lib/sigdb.sh "$root/var/lib/clamav"
rm -f "$root/etc/resolv.conf"
mark 'it boots'
machine_boot "$root" /srv/shown 300 "/bin/bash $tree/tests/docs/play.bash $tree/tests/docs/source.commands"
mark 'the first message is open'
mkdir -p build/ship
cp "$root/srv/shown/opened/page-1.png" build/ship/source-page.png
