#!/bin/bash
# long: make check-long and make ci run it, make check does not
# signatures.sh: new signatures while mail flows: a second scanner takes over without a pause, or in
# turn where memory is short; broken ones never replace good ones; the supervisor stays awake.
# expect-error: old_signatures_stay|worker-ended|worker-failed|reload-failed|scan

# shellcheck source=tests/faults/faults.bash
. "$(dirname "$0")/faults.bash"

eval "stack_$(declare -f stack_database_make)"

# A database of this test's own, large enough that loading takes a moment.
stack_database_make() {
	stack_database=$stack/database
	mkdir -p "$stack_database"
	"$stack_root/tests/lib/sigdb.sh" "$stack_database" 40000 8000
}

# signature FILE WORD: as freshclam does, whole at once.
signature() {
	printf 'Sealgate.Test.%s:0:*:%s\n' "$2" "$(printf '%s' "$2" | od -An -tx1 | tr -d ' \n')" \
		> "$stack/new.ndb"
	chmod 644 "$stack/new.ndb"
	mv "$stack/new.ndb" "$stack_database/$1"
}

# refuses WORD: a message with it is infected now.
refuses() {
	message word 'Lunch'
	sed -i "s/$secret/$1/" "$stack/word.eml"
	send "$alice" "$bob" "$stack/word.eml"
	[[ $reply == 550* ]]
}

# stream_start, stream_stop LABEL: scans one after the other by the running scanner, each timed.
stream_start() {
	message stream 'Lunch'
	sed -i "s/$secret/noodles/" "$stack/stream.eml"
	: > "$stack/stream.times"
	touch "$stack/streaming"
	(
		while [[ -e $stack/streaming ]]; do
			start=${EPOCHREALTIME/./}
			verdict=$(sg scan < "$stack/stream.eml")
			printf '%d %s\n' $(((${EPOCHREALTIME/./} - start) / 1000)) "$verdict"
		done
	) >> "$stack/stream.times" &
	stream_pid=$!
}

stream_stop() {
	rm -f "$stack/streaming"
	wait "$stream_pid"
	check_not "$1: every message was scanned" grep -qvE '^[0-9]+ clean$' "$stack/stream.times"
	check "$1: messages were scanned meanwhile" grep -qE ' clean$' "$stack/stream.times"
	sort -n "$stack/stream.times" | awk -v what="$1" '{ ms[NR] = $1 }
		END { printf "# %s: %d scans, median %d ms, longest %d ms\n", what, NR, ms[int((NR + 1) / 2)], ms[NR] }'
}

scanner() { gateway_pids scan; }
scanner_is_not() { [[ $(scanner) != "$1" && $(scanner | wc -l) -eq 1 ]]; }
stays_told() { log_has $(($1 + 1)) old_signatures_stay; }

faults_start signatures
stream_start
sleep 2
stream_stop 'undisturbed'

# ---- beside ----
old=$(scanner)
stream_start
signature word.ndb swordfish
check 'beside: another scanner takes over, the old one ends' wait_for 60 scanner_is_not "$old"
stream_stop 'beside'
check 'beside: the new signatures count' refuses swordfish
check 'beside: told how' log_has 1 'notice renewal worker=sealgate-scan how=beside need_mb=[0-9]+'
check_equal 'beside: no error' "$(log_lines ' error ')" 0

# ---- broken ----
old=$(scanner)
told=$(log_lines old_signatures_stay)
stream_start
printf 'this is no signature\n' > "$stack_database/broken.ndb"
check 'broken: told' wait_for 60 stays_told "$told"
stream_stop 'broken'
check_equal 'broken: the old scanner stays' "$(scanner)" "$old"
check 'broken: the old signatures count' refuses swordfish
check_match 'broken: doctor knows' "$(sg doctor --config-directory "$stack/config" 2>&1)" \
	'newer signatures'
sleep 2
check_equal 'broken: not tried again and again' "$(log_lines old_signatures_stay)" $((told + 1))
rm "$stack_database/broken.ndb"
signature word2.ndb tunafish
check 'mended: taken' wait_for 60 scanner_is_not "$old"
check 'mended: they count' refuses tunafish

# ---- in turn ----
sed -i 's|^\t*scan {|&\n renewal = in-turn|' "$stack/sealgate.conf"
kill -HUP "$gateway_pid"
check 'in turn: configured' wait_for 60 log_has 1 'notice reloaded'
old=$(scanner)
signature word3.ndb codfish
stream_start
check 'in turn: another scanner' wait_for 60 scanner_is_not "$old"
check 'in turn: it is ready' wait_for 60 log_has 1 'notice renewed worker=sealgate-scan'
sleep 1
stream_stop 'in turn'
check 'in turn: the new signatures count' refuses codfish
old=$(scanner)
told=$(log_lines old_signatures_stay)
printf 'this is no signature\n' > "$stack_database/broken.ndb"
check 'in turn, broken: told' wait_for 60 stays_told "$told"
check_equal 'in turn, broken: the old scanner stays' "$(scanner)" "$old"
check 'in turn, broken: it works' refuses codfish

# ---- a scanner that never gets ready ----
rm "$stack_database/broken.ndb"
sed -i '/renewal = in-turn/d' "$stack/sealgate.conf"
kill -HUP "$gateway_pid"
check 'beside again' wait_for 60 log_has 2 'notice reloaded'
# whoever opens it waits for a writer
mkfifo "$stack_database/stuck.ndb"
signature word4.ndb monkfish
two_scanners() { [[ $(scanner | wc -l) -eq 2 ]]; }
check 'stuck: the second scanner loads' wait_for 60 two_scanners
sleep 1
before=$(starts pdf)
kill_role pdf
check 'stuck: other workers are started again meanwhile' wait_for 10 role_started pdf $((before + 1))
check 'stuck: the old scanner works' refuses codfish
start=${EPOCHREALTIME/./}
gateway_stop
took=$(((${EPOCHREALTIME/./} - start) / 1000))
printf '# stopped in %d ms\n' "$took"
check 'stuck: the supervisor ends when told' test "$took" -lt 10000
