#!/bin/bash
# Plays the first message of every case with each allocation, write and the like failing in turn.
set -u
here=$(cd "$(dirname "$0")" && pwd)
exec "${SG_BUILD:-$here/../../build/release}/play/play" -f "$here"/scenarios/*.play \
	2> >(grep -vE '^play: QID: error ' >&2)
