#!/bin/bash
# Plays all scenarios, and the table of cells.sh; each case is one test.
set -u
here=$(cd "$(dirname "$0")" && pwd)
exec "${SG_BUILD:-$here/../../build/release}/play/play" "$here"/scenarios/*.play <(bash "$here/cells.sh")
