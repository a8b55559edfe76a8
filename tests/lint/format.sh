#!/bin/bash
# format.sh FILE...: the format that clang-format 14 can check of our style, and the plain rules.
#
# clang-format moves line breaks and the comments behind a line by its own taste, so both sides are
# compared without them: the text with every run of white space as one (spacing inside lines), and
# the depth of each line that both sides have and that starts a statement (format.awk).
set -uo pipefail

here=${BASH_SOURCE[0]%/*}
made=$(mktemp -d build/format.XXXXXX) || exit 1
trap 'rm -rf "$made"' EXIT
cp --parents "$@" "$made"
# in place, so that one process does them all
(cd "$made" && clang-format --style="file:$OLDPWD/.clang-format" -i "$@")
awk -v made="$made" -f "$here/format.awk" "$@"
