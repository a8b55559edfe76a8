#!/bin/bash
# database.sh: the vault's database is missing, damaged or not writable when the gateway starts, and
# the master key is lost. Nothing leaves in clear, what was stored is never replaced silently.
# expect-error: .

# shellcheck source=tests/faults/faults.bash
. "$(dirname "$0")/faults.bash"

# The vault's files while the gateway stands still.
database=

# try_start: 0 when the gateway came up.
try_start() {
	: > "$stack/log/gateway.log"
	"$sealgate" -c "$stack/sealgate.conf" run >> "$stack/log/gateway.log" 2>&1 &
	gateway_pid=$!
	wait_for 10 gateway_ready
	kill -0 "$gateway_pid" 2> /dev/null
}

# refuses WHY: it does not start, says why, and mail is deferred.
refuses() {
	check_not "$1: the gateway does not start" try_start
	wait "$gateway_pid" 2> /dev/null
	gateway_pid=
	check_match "$1: it says why and what to do" "$(< "$stack/log/gateway.log")" "$2"
	check_equal "$1: in one line" "$(grep -vc ': notice started ' "$stack/log/gateway.log")" 1
	faults_messages "-$3"
	offer_three "-$3"
	deferred "$1" "plain-$3" "envelope-$3" "pdf-$3"
	nothing_came "$1" "plain-$3" "envelope-$3" "pdf-$3"
}

keep() { rm -rf "$stack/kept" && cp -a "$stack/state" "$stack/kept"; }

restore() { rm -rf "$stack/state" && cp -a "$stack/kept" "$stack/state"; }

faults_start database
gateway_stop
keep
database=$(find "$stack/state" -name '*.db' -o -name '*.sqlite*' | head -n 1)
check 'the database has a file' test -s "$database"

# damaged: its middle is overwritten
size=$(stat -c %s "$database")
dd if=/dev/urandom of="$database" bs=1 seek=$((size / 3)) count=3000 conv=notrunc 2> /dev/null
rm -f "$database"-wal "$database"-shm
refuses 'database damaged' 'sealgate-vault: .*\(.*\)' damaged
check 'database damaged: it was not replaced' test -s "$database"
restore

# no database at all, only noise
head -c 20000 /dev/urandom > "$database"
rm -f "$database"-wal "$database"-shm
refuses 'database is noise' 'sealgate-vault: .*\(.*\)' noise
check_equal 'database is noise: it was not replaced' "$(stat -c %s "$database")" 20000
restore

# not ours to write
chown -R root:root "$stack/state"
refuses 'database not writable' 'sealgate-vault: .*\(.*\)' rights
restore

# the key under which passwords are encrypted is another one
head -c 32 /dev/urandom > "$stack/other.key"
cat "$stack/other.key" > "$stack/state/master.key"
if try_start; then
	faults_messages -key
	offer pdf-key "$carol"
	offers_wait
	check_match 'another master key: pdf is answered 4xx or 5xx' "$(reply_to pdf-key)" '^[45][0-9][0-9] '
	nothing_came 'another master key' pdf-key
	gateway_stop
else
	wait "$gateway_pid" 2> /dev/null
	gateway_pid=
	check_match 'another master key: it says why' "$(< "$stack/log/gateway.log")" 'sealgate-vault: .*\(.*\)'
fi
restore

# lost: a new one is made, and nobody has a certificate any more
rm -f "$database" "$database"-wal "$database"-shm
if try_start; then
	faults_messages -lost
	offer_three -lost
	check_match 'database lost: envelope is refused' "$(reply_to envelope-lost)" '^[45][0-9][0-9] '
	check_match 'database lost: pdf is refused' "$(reply_to pdf-lost)" '^[45][0-9][0-9] '
	nothing_came 'database lost' envelope-lost pdf-lost
	gateway_stop
else
	wait "$gateway_pid" 2> /dev/null
	gateway_pid=
	ok 'database lost: the gateway does not start'
fi
restore

check 'all put back: the gateway starts' try_start
faults_messages -back
offer_three -back
taken 'all put back' plain-back envelope-back pdf-back
once 'all put back' plain-back envelope-back pdf-back
no_leak 'all put back'
