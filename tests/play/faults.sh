#!/bin/bash
# Plays the first message of every case with each allocation, write and the like failing in turn.
# (Those of hostile.play are large and go the same ways.)
set -u
shopt -s extglob
here=$(cd "$(dirname "$0")" && pwd)
exec "${SG_BUILD:-$here/../../build/release}/play/play" -f "$here"/scenarios/!(hostile).play \
	2> >(grep -vE '^play: QID: error ' >&2)
