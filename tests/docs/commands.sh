#!/bin/bash
# commands.sh: what the documentation shows is there: each "sealgate ..." fits what its --help says,
# each make target, manual page, file, link, heading, test and key exists, each event and reply of a
# table is one that our programs write, and blocks of configuration are taken by "config check".
set -uo pipefail
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"

stack=$(mktemp -d /tmp/sealgate-docs.XXXXXX)
mkdir -p "$stack/log" "$stack/blocks" "$stack/planted"
trap stack_exit EXIT
cd "$stack_root" || exit 1

for name in $("$sealgate" --help | awk '/^  [a-z]/ { print $1 }'); do
	"$sealgate" "$name" --help
done > "$stack/usage"
"$sealgate" config manual > "$stack/keys"
{
	if [[ -e .git ]]; then git ls-files --cached --others --exclude-standard; else find . -type f -printf '%P\n'; fi
} > "$stack/files"

# look OUT FILE...: findings of these documents; blocks of configuration go to OUT
look() {
	local out=$1
	shift
	LC_ALL=C awk -v OUT="$out" -f tests/docs/commands.awk KIND=usage "$stack/usage" KIND=keys "$stack/keys" \
		KIND=files "$stack/files" KIND=make Makefile tests/tests.mk \
		KIND=source config/*.c milter/*.c milter/scan/*.c gateway/*/*.c pdfenc/*.c KIND=doc "$@"
}

# blocks OUT: what "config check" says of each; one without a tenant is a part of a file that has one
blocks() {
	local number at text
	while read -r number at; do
		[[ $(< "$1/$number.conf") =~ (^|$'\n')[[:space:]]*tenant ]] || echo "tenant x { domains = example.com }" >> "$1/$number.conf"
		text=$("$sealgate" -c "$1/$number.conf" config check -n 2>&1) || printf '%s: %s\n' "$at" "$text"
	done < "$1/list"
}

none() { if [[ -z $2 ]]; then ok "$1"; else not_ok "$1" "$2"; fi; }

none all_that_is_shown_is_there "$(look "$stack/blocks" README.md docs/*.md docs/man/*.[158])"
check_match there_are_blocks_of_configuration "$(wc -l < "$stack/blocks/list")" '^[1-9]'
none configuration_that_is_shown_is_good "$(blocks "$stack/blocks")"

# ---- errors that are planted: each is found ----

cat > "$stack/planted/bad.md" <<'END'
# Some errors

Read [this](nowhere.md) and [that](#no-heading), not [here](#some-errors).
Use `sealgate dcotor`, `sealgate cert list --adress x`, `make dmeo`, `man sealgate-lost`.
The key `scan.treads`, the test `postfix/lost`, the file `tests/lost.sh`, `sealgate-lost(8)` and
`sealgate password
forget` are not there.

| event | what |
|---|---|
| `never-logged` | x |

| reply | what |
|---|---|
| `Nobody has ever said this` | x |

```
sealgate trace                        # whose?
sealgate cert add                     # which file?
sealgate tls status now
sealgate postfix attach -nz
sealgate marks rotate && sealgate seal --box < a
sealgate cert add bob.pem
```

    tenant x { domains = x.example }
    scan {
        treads = 2
    }
END
cat > "$stack/planted/good.md" <<'END'
# No errors

`sealgate cert`, `sealgate cert list bob@partner.example`, `sealgate -c FILE config check -n`,
`sealgate postfix attach --json -ny --config-directory /x`, `make test T=postfix/lists`,
`sealgate trace '<a@b>'`, `scan.threads = 2`, `postfix/lists`, `interop/pdf_*`, `sealgate-hook`.

```
SG_X=1 sudo sealgate seal --pdf --password-file pw < in.eml > out.eml
sealgate doctor --json | jq '.findings[]'    # all of them
```

    tenant "x" {
        domains = x.example
    }
END
mkdir -p "$stack/planted/good" "$stack/planted/bad"
got=$(look "$stack/planted/bad" "$stack/planted/bad.md")
for word in 'nowhere.md' 'no-heading' 'sealgate dcotor' 'no option --adress' 'make dmeo' 'manual page sealgate-lost' \
	'key scan.treads' 'test postfix/lost' 'no tests/lost.sh' 'manual page sealgate-lost(8)' 'no forget' \
	'event never-logged' 'Nobody has ever' '"sealgate trace": words are missing' \
	'"sealgate cert add": words are missing' 'too many words' 'no option -nz' 'no option --box'; do
	check "found: $word" grep -qF -- "$word" <<< "$got"
done
check_equal and_nothing_else "$(wc -l <<< "$got")" 18
check_match wrong_configuration_is_found "$(blocks "$stack/planted/bad")" 'treads'
none what_is_right_is_not_found "$(look "$stack/planted/good" "$stack/planted/good.md")"
none good_configuration_is_taken "$(blocks "$stack/planted/good")"
