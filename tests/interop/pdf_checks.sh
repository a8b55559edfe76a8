#!/bin/bash
# What every sealed PDF must be: AES-256 of revision 6, fonts whole, tagged, titled, without anything
# that acts (tests/lib/pdf_check.cc, by libqpdf), each line inside its page, every word in the text,
# every file as it was, with name, type and date (words and files of the corpus: pdf_corpus.sh).
#
#   [B=build/release] tests/interop/pdf_checks.sh     a line a PDF; exit 0 or 1
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${B:-${SG_BUILD:-build/release}}
corpus=${CORPUS:-../shared/corpus}
password=Geheim-4711-abcd
failures=0

work=$(mktemp -d /tmp/pdf_checks.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT
# shellcheck source=tests/lib/pdf_mails.bash
. tests/lib/pdf_mails.bash
pdf_mails "$work/made"
mkdir "$work/pdf" "$work/found" "$work/expected"
mapfile -t mails < <(ls "$work"/made/*.eml tests/interop/mails/*.eml
	find "$corpus" -type f \( -name '*.msg' -o -name '*.eml' \) 2> /dev/null | sort)
"$build/drivers/pdf_seal" "$build/sealgate-pdf" "$password" "$work/pdf" "${mails[@]}" > "$work/log" 2>&1
"$build/drivers/pdf_check" "$password" "$work/found" "$work"/pdf/*.pdf > "$work/findings"

outside() {	# pdf
	pdftotext -bbox -upw "$password" "$1" - 2> /dev/null | awk '
		{ split($0, v, "\"") }
		/<page / { w = v[2] + 1; h = v[4] + 1 }
		/<word / { if (v[2] < -1 || v[4] < -1 || v[6] > w || v[8] > h) print "outside: " $0 }' | head -3
}

# the sender's files come first, original.eml last
files_differ() {	# name mail
	local n=1
	while [[ -e $work/expected/$1/$n ]]; do
		[[ $(sha256sum < "$work/expected/$1/$n") == "$(sha256sum 2> /dev/null < "$work/found/$1.pdf/$n")" ]] ||
			echo "file $n differs"
		n=$((n + 1))
	done
	cmp -s "$2" "$work/found/$1.pdf/$n" || echo "original.eml differs"
}

names_differ() {	# only where names, types and dates are known
	head -n -1 "$work/found/attachments.eml.pdf/files" | cut -f 2- |
		sed "s/D:\([0-9]*\)+00'00'$/\1/" | diff - "$work/made/attached.list" > /dev/null ||
		echo "names, types or dates differ: $(paste -sd' ' "$work/found/attachments.eml.pdf/files")"
}

check_one() {	# name mail
	local pdf=$work/pdf/$1.pdf
	[[ -s $pdf ]] || { echo "no PDF: $(grep -F "$1" "$work/log" | head -1)"; return; }
	grep -F "$1.pdf: " "$work/findings" | head -5
	outside "$pdf"
	[[ $2 != "$corpus"/* ]] || return
	mkdir "$work/expected/$1"
	"$build/drivers/pdf_seal" -x "$work/expected/$1" "$2" 2>&1
	pdftotext -upw "$password" "$pdf" "$work/expected/$1.txt" 2>&1
	files_differ "$1" "$2"
	[[ $1 != attachments.eml ]] || names_differ
}

check_all() {	# the part of the list that leaves $1 when divided by 2
	local i name
	for i in "${!mails[@]}"; do
		[[ $((i % 2)) -eq $1 ]] || continue
		name=$(basename "${mails[i]}")
		check_one "$name" "${mails[i]}" > "$work/$name.said"
	done
}

check_all 0 &
check_all 1
wait
names=()
for mail in "${mails[@]}"; do names+=("$(basename "$mail")"); done
mapfile -t read < <(find "$work/expected" -mindepth 1 -maxdepth 1 -type d -printf '%f\n')
node tests/lib/pdf_words.js "$work/expected" "$work/expected" "${read[@]}" > /dev/null 2> "$work/lost"
for name in "${names[@]}"; do
	# what was hidden in its mail is none of the body
	grep -F ": $name lacks" "$work/lost" | grep -vE 'lacks: ([[:alpha:]]*(UNSICHTBAR|BOESE)[[:alnum:]]* ?)+$' >> "$work/$name.said"
	if [[ -s $work/$name.said ]]; then
		sed "s/^/# $name: /" "$work/$name.said"
		echo "not ok $name"
		failures=$((failures + 1))
	else
		echo "ok $name"
	fi
done
echo "# ${#mails[@]} PDFs, $failures failures"
[[ $failures -eq 0 ]]
