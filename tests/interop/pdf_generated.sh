#!/bin/bash
# long: make check-long and make ci run it, make check does not
# Messages that nobody wrote (tests/lib/pdf_generate.c): no crash, no empty page, no word lost,
# nothing hidden shown, every file the same, and all that pdf_check.cc asks for.
#
#   [B=build/release] [COUNT=2000] [SEED=1] [JOBS=1] tests/interop/pdf_generated.sh    exit 0 or 1
#
# COUNT is small in "make check" for the time it takes; 2000 take some minutes. KEEP=FOLDER keeps all.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${B:-${SG_BUILD:-build/release}}
count=${COUNT:-80}
seed=${SEED:-1}
jobs=${JOBS:-1}
password=Geheim-4711-abcd
failures=0

if [[ -n ${KEEP:-} ]]; then
	work=$KEEP
	mkdir -p "$work"
else
	work=$(mktemp -d /tmp/pdf_generated.XXXXXX) || exit 1
	trap 'rm -rf "$work"' EXIT
fi
mkdir -p "$work/mail" "$work/pdf" "$work/found" "$work/text"
"$build/drivers/pdf_generate" "$seed" "$count" "$work/mail" || { echo "not ok generator"; exit 1; }

# share JOB: every jobs-th message through a worker of its own
share() {
	local i mails=() name
	for ((i = 1 + $1; i <= count; i += jobs)); do mails+=("$work/mail/$i.eml"); done
	"$build/drivers/pdf_seal" "$build/sealgate-pdf" "$password" "$work/pdf" "${mails[@]}" > "$work/log.$1" 2>&1
	for i in "${mails[@]}"; do
		name=$(basename "$i")
		pdftotext -upw "$password" "$work/pdf/$name.pdf" "$work/text/${name%.eml}.txt" \
			>> "$work/errors.$1" 2>&1
	done
}
for ((job = 0; job < jobs; job++)); do share "$job" & done
wait

check() {	# name, file with findings
	if [[ -s $2 ]]; then
		sed 's/^/# /' "$2" | cut -c 1-300 | head -20
		echo "not ok $1 ($(wc -l < "$2"))"
		failures=$((failures + 1))
	else
		echo "ok $1"
	fi
}

grep -hv ' pages [0-9]* attachments ' "$work"/log.* > "$work/unsealed"
check "each of $count messages is sealed" "$work/unsealed"
cat "$work"/errors.* > "$work/errors"
check "poppler reads each without a word" "$work/errors"
"$build/drivers/pdf_check" "$password" "$work/found" "$work"/pdf/*.pdf > "$work/findings"
check "each is what a sealed PDF must be" "$work/findings"

mapfile -t numbers < <(seq 1 "$count")
node tests/lib/pdf_words.js "$work/mail" "$work/text" "${numbers[@]}" 2> "$work/lost" > /dev/null
check "no word is lost" "$work/lost"

for n in "${numbers[@]}"; do
	[[ ! -s $work/mail/$n/hidden ]] || ! grep -oFf "$work/mail/$n/hidden" "$work/text/$n.txt" |
		sed "s/^/$n: /"
done > "$work/shown"
check "nothing hidden is shown" "$work/shown"

# what stands between head and foot; pages without our foot were PDFs of the sender
awk 'BEGIN { RS = "\f" }
	FNR == 1 { title = $0; sub(/\n.*/, "", title) }
	/Page [0-9]+ of [0-9]+/ {
		page = $0
		gsub(/Page [0-9]+ of [0-9]+/, "", page)
		at = index(page, title)
		if (at > 0) page = substr(page, 1, at - 1) substr(page, at + length(title))
		if (page !~ /[^[:space:]]/) print FILENAME ": page " FNR " is empty"
	}' "$work"/text/*.txt > "$work/empty"
check "no page is empty" "$work/empty"

# nested messages are attached besides, and stand between
for n in "${numbers[@]}"; do
	k=1
	[[ -e $work/mail/$n/$k ]] || continue
	while read -r at _; do
		cmp -s "$work/mail/$n/$k" "$work/found/$n.eml.pdf/$at" && k=$((k + 1))
	done < <(grep -v message/rfc822 "$work/found/$n.eml.pdf/files")
	[[ ! -e $work/mail/$n/$k ]] || echo "$n: file $k differs"
done > "$work/differ"
check "each attached file is the same" "$work/differ"
echo "# seed $seed, $failures failures"
[[ $failures -eq 0 ]]
