#!/bin/bash
# Plays all scenarios; each case is one test.
set -u
here=$(cd "$(dirname "$0")" && pwd)
exec "${SG_BUILD:-$here/../../build/release}/play/play" "$here"/scenarios/*.play
