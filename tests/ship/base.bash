# shellcheck shell=bash
# base.bash: build/ship/base.tar, what docker/Dockerfile begins FROM: a minimal Debian 12, made by
# mmdebstrap from this machine's apt sources, for machines that reach no registry. A minute.
set -euo pipefail
cd "$(dirname "$0")/../.."

[[ ! -e build/ship/base.tar ]] || exit 0
mkdir -p build/ship
sources=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \([^ ]*\) bookworm main.*/\1/p' \
	/etc/apt/sources.list /etc/apt/sources.list.d/debian.sources 2> /dev/null | head -n 1)
sources=${sources:-http://deb.debian.org/debian}
mmdebstrap --variant=minbase bookworm build/ship/base.tar.new "deb $sources bookworm main" \
	"deb $sources bookworm-updates main" "deb ${sources%/debian}/debian-security bookworm-security main"
mv build/ship/base.tar.new build/ship/base.tar
