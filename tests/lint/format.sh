#!/bin/bash
# format.sh FILE...: the format that clang-format 14 can check of our style, and the plain rules.
#
# clang-format moves line breaks and the comments behind a line by its own taste, so both sides are
# compared without them: first the text with every run of white space as one (spacing inside
# lines), then the depth of each line that both sides have and that starts a statement.
set -uo pipefail

# One token stream: comments behind code dropped, white space squeezed, brackets without padding.
squeeze() {
	sed -E 's|/\*.*\*/[[:space:]]*\\?$||; s|\\$||' "$1" |
		tr -s ' \t\n' ' ' |
		sed -E 's/ ?([][(){},;]) ?/\1/g; s/([;{}:,])/\1\n/g'
}

spacing() {
	diff <(squeeze "$1") <(squeeze "$2") | sed -nE 's/^< //p' | head -n 5 |
		while IFS= read -r text; do
			printf '%s:1: clang-format would space otherwise: %s\n' "$1" "${text:0:70}"
		done
}

indentation() {
	awk '
		{ text = $0; sub(/^[ \t]+/, "", text); sub(/[ \t]+\/\*.*/, "", text)
		  depth = match($0, /[^\t]/) - 1 }
		NR == FNR { seen[text] = 1; at[text, depth] = 1; next }
		/^\t*[a-z}].*[;{}]$/ && text != "" && (text in seen) && !((text, depth) in at) {
			printf "%s:%d: wrong depth\n", FILENAME, FNR
		}' "$2" "$1"
}

plain() {
	awk '
		/[ \t]+$/ { print FILENAME ":" FNR ": white space at the end of the line" }
		/\r/ { print FILENAME ":" FNR ": carriage return" }
		/^\t* {5,}[^ *]/ { print FILENAME ":" FNR ": more than four spaces of indentation" }
		/^ +\t/ { print FILENAME ":" FNR ": space before tab" }
		{
			width = 0
			n = length($0)
			for (i = 1; i <= n; i++)
				width += substr($0, i, 1) == "\t" ? 8 - width % 8 : 1
			if (width > 100) print FILENAME ":" FNR ": " width " columns"
			blank = $0 == "" ? blank + 1 : 0
			if (blank > 1) print FILENAME ":" FNR ": two empty lines"
		}
		END { if ($0 == "") print FILENAME ":" FNR ": empty line at the end" }' "$1"
}

formatted=$(mktemp)
trap 'rm -f "$formatted"' EXIT
for file in "$@"; do
	clang-format --style=file "$file" > "$formatted"
	spacing "$file" "$formatted"
	indentation "$file" "$formatted"
	plain "$file"
done
