# shellcheck shell=bash
# base.bash: build/ship/base.tar, what docker/Dockerfile begins FROM: a minimal Debian 12,
# for machines that reach no registry. A minute.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/ship/debian.bash
. tests/ship/debian.bash

[[ ! -e build/ship/base.tar ]] || exit 0
mkdir -p build/ship
debian_make build/ship/base.tar.new --format=tar
mv build/ship/base.tar.new build/ship/base.tar
