#!/bin/bash
# short.sh: the torture test's short form; "make torture" is the long one. Also: what is shipped has
# no step in it.
# expect-error: .
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${SG_BUILD:-$root/build/release}

for program in "$build"/sealgate "$build"/sealgate-*; do
	[[ -f $program && -x $program ]] || continue
	if grep -q 'step:[a-z]' "$program"; then
		echo "not ok no step in ${program##*/}"
	else
		echo "ok no step in ${program##*/}"
	fi
done
if [[ ! -x $root/build/torture/sealgate || ! -x $root/build/torture/source ]]; then
	echo "not ok the programs with steps are there (make torture-programs)"
	exit 1
fi
export SG_BUILD=$root/build/torture TORTURE_QUIET=1 TORTURE_MESSAGES=${TORTURE_MESSAGES:-80}
export TORTURE_DRAIN=30 TORTURE_FAULTS=${TORTURE_FAULTS:-5} TORTURE_SEED=${TORTURE_SEED:-7}
export TORTURE_KINDS=${TORTURE_KINDS:-'kill step supervisor stage_cut_after postfix_killed'}
export TORTURE_REPORT=$root/build/torture/short.txt
output=$(bash "$root/tests/torture/torture.sh" 2>&1)
status=$?
case $output in
'skip '*) printf '%s\n' "$output" && exit 0 ;;
esac
printf '%s\n' "$output" | sed 's/^/# /'
if [[ $status -eq 0 ]]; then
	echo "ok nothing lost, in clear, infected, or doubled outside a window"
else
	echo "not ok nothing lost, in clear, infected, or doubled outside a window"
fi
exit "$status"
