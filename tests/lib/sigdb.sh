#!/bin/bash
# sigdb.sh FOLDER [HASHES BODIES [SEED]]: writes a signature database for tests (20,000 and 4,000
# signatures: loads in no time) or, with 300000 60000, for the benchmark. sigdb.sh --eicar prints the
# EICAR test file. Builds the generator beside the other programs first.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
build=${SG_BUILD:-$root/build/release}
program=$build/sigdb

make_program() {
	local mine
	mkdir -p "$build"
	mine=$(mktemp "$program.XXXXXX")
	(cd "$root" && gcc -std=c17 -O2 -D_GNU_SOURCE -iquote . -o "$mine" tests/lib/sigdb.c \
		tests/lib/sigdb_main.c)
	mv -f "$mine" "$program"
}

[[ $# -ge 1 ]] || {
	echo "usage: sigdb.sh FOLDER [HASHES BODIES [SEED]] | sigdb.sh --eicar" >&2
	exit 64
}
if [[ ! $program -nt $root/tests/lib/sigdb.c || ! $program -nt $root/tests/lib/sigdb_main.c ]]; then
	make_program
fi
if [[ $1 == --eicar ]]; then
	exec "$program" --eicar
fi
mkdir -p "$1"
exec "$program" "$1" "${2:-20000}" "${3:-4000}" "${4:-1}"
