# shellcheck shell=bash
# compose_images.bash: all images of docker/compose.yaml, built as a user builds them, the stage that
# compiles included, by Debian's docker.io and docker-compose. Ten minutes the first time.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/ship/docker.bash
. tests/ship/docker.bash

bash tests/ship/base.bash
folder=$(mktemp -d /tmp/sealgate-docker.XXXXXX)
trap 'docker_stop || :; rm -rf "$folder"' EXIT
docker_start "$folder" outside || {
	tail -n 5 "$folder/dockerd.out" >&2
	exit 1
}
docker image inspect debian:12 > /dev/null 2>&1 || docker import build/ship/base.tar debian:12
compose build
