#!/bin/bash
# shown.sh: each command that README, docs/*.md and the manual pages' EXAMPLES show is in a list of commands
# that a test runs (stack.commands by run.sh, machine.commands by ship/docs.sh), or in not_run.
set -uo pipefail
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"

stack=$(mktemp -d /tmp/sealgate-shown.XXXXXX)
mkdir -p "$stack/log"
trap stack_exit EXIT
cd "$stack_root" || exit 1

# Blocks of sealgate.conf are for commands.sh.
"$sealgate" config manual > "$stack/keys"
LC_ALL=C awk -v OUT="$stack" -f tests/docs/commands.awk KIND=keys "$stack/keys" KIND=doc README.md docs/*.md > /dev/null

# look LIST... NOT-RUN, then -- and documents
look() {
	local lists=()
	while [[ $2 != -- ]]; do
		lists+=("$1")
		shift
	done
	LC_ALL=C awk -f tests/docs/shown.awk KIND=run "${lists[@]}" KIND=not "$1" KIND=conf "$stack/list" KIND=doc "${@:3}"
}

got=$(look tests/docs/{stack,machine,source}.commands tests/docs/not_run -- README.md docs/*.md docs/man/*.[158])
check_equal all_that_is_shown_is_run "$got" ''

# ---- errors that are planted: each is found ----

printf '$ sealgate doctor\n= ^ok\n$ sealgate lost\n@ x %s a script\n@ x %s no block\n' "$stack/doc.md" "$stack/doc.md" \
	> "$stack/run"
printf '# not here\nmake torture\nmake lost\n' > "$stack/not"
cat > "$stack/doc.md" <<'MD'
Shown: `sealgate password list`, `make torture`, `sealgate doctor`.

    sealgate doctor     # ok
    ok  all

    sealgate cert \
        list | jq .
    wrong output

    #!/bin/sh
    # a script
    ls
MD
check_equal what_is_not_run_is_found "$(look "$stack/run" "$stack/not" -- "$stack/doc.md" | sed "s|$stack/||")" \
	'doc.md:1: neither run nor listed: sealgate password list
doc.md:7: neither run nor listed: sealgate cert list | jq .
doc.md:8: neither run nor listed: wrong output
run:3: no document shows: sealgate lost
not:3: no document shows: make lost
run:5: '"$stack"'/doc.md has no block with: no block'
