#!/bin/bash
# long: make check-long and make ci run it, make check does not
# clamd.sh: scan.engine = clamd with a real clamd: it finds, it is never believed more than it says,
# and what it cannot do is a temporary failure.
# expect-error: out_of_service
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"

command -v clamd > /dev/null || {
	echo "skip all there is no clamd"
	exit 0
}

clamd_pid=
clamd_folder=$(mktemp -d /tmp/sealgate-clamd.XXXXXX)
chmod 755 "$clamd_folder"

# clamd_start [LINE...]: with these lines in its configuration.
clamd_start() {
	{
		cat <<-END
			DatabaseDirectory $stack_database
			LocalSocket $clamd_folder/clamd.ctl
			LocalSocketMode 666
			TCPSocket $clamd_port
			TCPAddr 127.0.0.1
			Foreground yes
			LogFile $clamd_folder/clamd.log
			TemporaryDirectory $clamd_folder
		END
		[[ $# -eq 0 ]] || printf '%s\n' "$@"
	} > "$clamd_folder/clamd.conf"
	clamd --config-file="$clamd_folder/clamd.conf" > "$clamd_folder/clamd.out" 2>&1 &
	clamd_pid=$!
	wait_for 60 test -S "$clamd_folder/clamd.ctl" || {
		cat "$clamd_folder/clamd.out" >&2
		exit 1
	}
}

clamd_stop() {
	[[ -n $clamd_pid ]] || return 0
	kill "$clamd_pid" 2> /dev/null
	wait "$clamd_pid" 2> /dev/null
	clamd_pid=
	rm -f "$clamd_folder/clamd.ctl"
}

# attached NAME FILE: a message in $stack/NAME with the file in it.
attached() {
	{
		printf 'From: <alice@inside.example>\nTo: <x@outside.example>\nSubject: Lunch\n'
		printf 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nHello.\n--b\n'
		printf 'Content-Type: application/octet-stream; name=f\nContent-Transfer-Encoding: base64\n\n'
		base64 "$2"
		printf -- '--b--\n'
	} > "$stack/$1"
}

offer() { send alice@inside.example plain@outside.example "$stack/$1"; }
taken() { offer "$1" && [[ $reply == 250* ]]; }
refused() { ! offer "$1" && [[ $reply == 5[0-9][0-9]* ]]; }
deferred() { ! offer "$1" && [[ $reply == 451* ]]; }

trap 'clamd_stop; rm -rf "$clamd_folder"' EXIT
pick_port && clamd_port=$port_out
stack_database_make
clamd_start 'AlertExceedsMax yes' 'StreamMaxLength 3M' 'MaxRecursion 10'
stack_scan="engine = clamd
	clamd = \"$clamd_folder/clamd.ctl\"
	clamd_conf = \"$clamd_folder/clamd.conf\"
	timeout = 20s"
stack_start clamd
trap 'clamd_stop; rm -rf "$clamd_folder"; stack_exit' EXIT

# ---- it finds ----
mail_file plain 'Lunch'
"$stack_root/tests/lib/sigdb.sh" --eicar > "$stack/eicar.com"
(cd "$stack" && zip -q eicar.zip eicar.com && zip -q -P secret locked.zip plain)
attached eicar "$stack/eicar.com"
attached zipped "$stack/eicar.zip"
attached locked "$stack/locked.zip"
check "clean mail passes" taken plain
check "EICAR is refused" refused eicar
offer eicar
check_match "with its name" "$reply" 'EICAR'
check "in a zip, too" refused zipped
check "an encrypted archive passes, as with libclamav" taken locked
check_match "the gateway knows who scans" "$(cat "$stack/log/gateway.log")" 'clamd: ClamAV [0-9.]+.* at /'
check_equal "the scanner may make no file" \
	"$(grep -c /mnt "/proc/$(gateway_pids scan)/mountinfo" | head -n 1)" "$(grep -c /mnt /proc/self/mountinfo)"

# ---- limits ----
(cd "$stack" && zip -q deep0.zip plain)
deep=$stack/deep0.zip
for level in {1..14}; do
	(cd "$stack" && zip -q -0 "deep$level.zip" "$(basename "$deep")")
	deep=$stack/deep$level.zip
done
attached deep "$deep"
check "deeper than MaxRecursion: refused as unscannable" refused deep
offer deep
check_match "and says why" "$reply" 'MaxRecursion'
head -c 3500000 /dev/urandom > "$stack/large.bin"
attached large "$stack/large.bin"
check "above StreamMaxLength: no verdict" deferred large
check "the next message passes" taken plain
report=$(sg doctor --config-directory "$stack/config" 2>&1)
check_match "doctor: the scanner works" "$report" 'the scanner works: clamd: ClamAV'
check_match "doctor: StreamMaxLength is below message.size_max" "$report" "StreamMaxLength is 3 MB"

# ---- it is away ----
clamd_stop
check "without clamd mail is deferred" deferred plain
check "it is told" grep -q 'error out_of_service why="cannot reach clamd' "$stack/log/gateway.log"
clamd_start 'AlertExceedsMax yes'
check "it is back: mail passes at once" taken plain
kill -STOP "$clamd_pid"
check "a clamd that hangs: deferred" deferred plain
kill -CONT "$clamd_pid"
check "it goes on: mail passes" wait_for 30 taken plain

# ---- one that skips content in silence ----
clamd_stop
clamd_start 'AlertExceedsMax no'
check "without AlertExceedsMax no mail passes" deferred plain
check "it is told what to set" grep -q 'out_of_service.*AlertExceedsMax yes' "$stack/log/gateway.log"
clamd_stop
clamd_start 'AlertExceedsMax yes' 'ScanArchive no'
check "without ScanArchive no mail passes" deferred plain
report=$(sg doctor --config-directory "$stack/config" 2>&1)
check_match "doctor: ScanArchive" "$report" "ScanArchive is not set"

# ---- of two alerts clamd tells one: encrypted files hide a limit ----
clamd_stop
(cd "$stack" && mkdir many && for file in {1..40}; do echo "$file" > "many/$file"; done && zip -q many.zip many/*)
{
	sed '$d' "$stack/locked"
	printf -- '--b\nContent-Type: application/octet-stream; name=m\nContent-Transfer-Encoding: base64\n\n'
	base64 "$stack/many.zip"
	printf -- '--b--\n'
} > "$stack/hidden"
clamd_start 'AlertExceedsMax yes' 'AlertEncrypted yes' 'MaxFiles 20'
offer locked
check_match "AlertEncrypted and scan.encrypted = pass: no verdict" "$reply" '^451 '
check "it is told what to set" grep -q 'AlertEncrypted no' "$stack/log/gateway.log"
report=$(sg doctor --config-directory "$stack/config" 2>&1)
check_match "doctor: AlertEncrypted" "$report" "AlertEncrypted is set"
# which of the two it tells is by chance
for try in {1..6}; do
	offer hidden
	check_match "beyond a limit beside an encrypted file: try $try" "$reply" '^(451|550) '
done
check "other mail passes" taken plain
clamd_stop
clamd_start 'AlertExceedsMax yes' 'MaxFiles 20'
check "without it the encrypted one passes" taken locked
check "and the limit is told" refused hidden
offer hidden
check_match "and says why" "$reply" 'MaxFiles'

# ---- over TCP ----
clamd_stop
clamd_start 'AlertExceedsMax yes'
sed -i "s|clamd = \"$clamd_folder/clamd.ctl\"|clamd = \"127.0.0.1:$clamd_port\"|" "$stack/sealgate.conf"
kill -HUP "$gateway_pid"
check "over TCP: taken over" wait_for 30 grep -q "at 127.0.0.1:$clamd_port" "$stack/log/gateway.log"
wait_for 20 grep -q 'notice reloaded' "$stack/log/gateway.log"
check "over TCP: clean mail passes" taken plain
check "over TCP: EICAR is refused" refused zipped
