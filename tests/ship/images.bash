# shellcheck shell=bash
# images.bash [FOLDER]: the images of docker/Dockerfile by podman, localhost/sealgate and
# localhost/sealgate-postfix. With FOLDER (made by "make install DESTDIR=FOLDER/out PREFIX=/usr" and
# docker/needs.sh) the first stage, which compiles, is left out: minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/ship/podman.bash
. tests/ship/podman.bash

base=localhost/debian-bookworm
if ! pod image exists "$base"; then
	bash tests/ship/base.bash
	pod import build/ship/base.tar "$base"
fi
options=(--network=host --isolation=chroot --format=docker --ulimit=nofile=4096:4096
	--ulimit=nproc=4096:4096 --build-arg "BASE=$base")
[[ $# -eq 0 ]] || options+=(--build-context "build=$1")
pod build "${options[@]}" --target sealgate -t localhost/sealgate -f docker/Dockerfile .
pod build "${options[@]}" --target postfix -t localhost/sealgate-postfix -f docker/Dockerfile .
