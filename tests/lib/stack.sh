# shellcheck shell=bash disable=SC2034,SC2154,SC2119,SC2120
# stack.sh: Postfix, the gateway and a receiving sink for one test. Sourced by the scripts.
#
#   stack_start NAME   makes a folder, $stack, and starts all three in it
#   stack_stop         ends all by process id; runs by itself when the script ends
#
# Before stack_start a script may set:
#   stack_main=(NAME=VALUE ...)  settings for Postfix's main.cf, written before attaching
#   stack_conf='...'             lines for the end of sealgate.conf
#   stack_tenant='...'           lines for the tenant's section
#   stack_scan='...'     lines for the section of the scanner
#   stack_tls='...'      lines for the section of TLS; without them sealed mail may leave in clear TCP
#   stack_notices=       what the tenant tells its senders; without it nothing, so that tests can count mail
#   stack_notify='...'   lines for the section of letters and hooks
#   stack_health='...'   lines for the section of metrics and health
#   stack_log=           Postfix's log is not followed
#   stack_gateway=no             Postfix and sink only
#   stack_attach=no              the gateway runs, but Postfix does not know it
#
# Cases are reported by ok, not_ok, check, check_equal. Logs lie in SG_TEST_LOGS, or stay in $stack.

stack_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
stack_build=${SG_BUILD:-$stack_root/build/release}
sealgate=$stack_build/sealgate
stack_main=()
stack_conf=
stack_tenant=
stack_scan=
stack_tls='sealed = may'
stack_health=
stack_notices=
stack_notify=
stack_log=mail.log
stack_gateway=yes
stack_attach=yes
stack=
stack_failed=0
gateway_pid=
sink_pids=()

# The users of the test's workers: numbers, so that no system user has to be made.
stack_uid=64101

# shellcheck source=tests/lib/postfix.sh
. "$stack_root/tests/lib/postfix.sh"

if [[ $(id -u) -ne 0 ]]; then
	# Postfix starts as root only
	command -v sudo > /dev/null && exec sudo -E bash "$0" "$@"
	echo "skip all needs root, and there is no sudo"
	exit 0
fi

# ---- cases ----

ok() { printf 'ok %s\n' "$*"; }

# not_ok NAME [WHY]
not_ok() {
	stack_failed=1
	printf 'not ok %s\n' "$1"
	[[ $# -lt 2 ]] || printf '# %s\n' "${@:2}"
}

# check NAME COMMAND...: ok if the command succeeds.
check() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		ok "$name"
	else
		not_ok "$name" "failed: $*" "${output:0:2000}"
	fi
}

# check_not NAME COMMAND...: ok if the command fails.
check_not() {
	local name=$1
	shift
	if "$@" > /dev/null 2>&1; then
		not_ok "$name" "should have failed: $*"
	else
		ok "$name"
	fi
}

# check_equal NAME GOT EXPECTED
check_equal() {
	if [[ $2 == "$3" ]]; then
		ok "$1"
	else
		not_ok "$1" "got:      ${2:0:1000}" "expected: ${3:0:1000}"
	fi
}

# check_match NAME GOT REGEX
check_match() {
	if [[ $2 =~ $3 ]]; then
		ok "$1"
	else
		not_ok "$1" "got:     ${2:0:1000}" "pattern: $3"
	fi
}

# ---- waiting ----

# doze SECONDS: sleeps without a process of its own (nobody ever writes to what is read).
exec {doze_fd}<> <(:)
doze() { read -rt "$1" -u "$doze_fd" || :; }

# wait_for SECONDS COMMAND...: until the command succeeds. It fails when three times as long is over, since
# a machine may be busy. With exactly=yes before it, as where failing is an answer, too: SECONDS.
wait_for() {
	local seconds=$(($1 * 3)) end moment=0.1
	[[ -z ${exactly:-} ]] || seconds=$1
	end=$((SECONDS + seconds))
	shift
	until "$@" > /dev/null 2>&1; do
		[[ $SECONDS -le $end ]] || return 1
		doze "$moment"
		moment=0.25
	done
}

# ---- the sink: smtp-sink, a file for each message ----

# sink_start [FOLDER [PORT [OPTION...]]]: smtp-sink's options, such as -r RCPT (4xx), -f DATA (5xx).
sink_start() {
	local folder=${1:-$stack/sink} port=${2:-$sink_port}
	mkdir -p "$folder"
	chown postfix "$folder"
	smtp-sink -u postfix "${@:3}" -d "$folder/%H%M%S." "127.0.0.1:$port" 256 \
		> "$stack/log/smtp-sink.out" 2>&1 &
	sink_pids+=($!)
	wait_for 10 listens "$port"
}

sink_stop() {
	local pid
	for pid in ${sink_pids[@]+"${sink_pids[@]}"}; do
		kill "$pid" 2> /dev/null
		wait "$pid" 2> /dev/null
	done
	sink_pids=()
}

listens() { (exec 9<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }

# sink_count [FOLDER]: how many messages are whole. (smtp-sink writes one file each, and mail
# that is still on its way has no empty last line.)
sink_count() {
	find "${1:-$stack/sink}" -type f -size +0 2> /dev/null | wc -l
}

sink_has() { [[ $(sink_count "${2:-}") -ge $1 ]]; }

# sink_wait COUNT [SECONDS [FOLDER]]: until so many messages have come.
sink_wait() { wait_for "${2:-20}" sink_has "$1" "${3:-$stack/sink}" && sleep 0.1; }

# sink_for ADDRESS [FOLDER]: the files whose envelope names this recipient, a line each.
sink_for() { grep -lFi "X-Rcpt-Args: <$1>" -r "${2:-$stack/sink}" 2> /dev/null | sort; }

sink_for_has() { [[ $(sink_for "$2" "${3:-$stack/sink}" | wc -l) -ge $1 ]]; }

# sink_wait_for ADDRESS [COUNT [SECONDS]]
sink_wait_for() { wait_for "${3:-20}" sink_for_has "${2:-1}" "$1" && sleep 0.1; }

# sink_message FILE: the message alone, without what smtp-sink puts around it: envelope lines and
# its Received field in front, one empty line behind.
sink_message() {
	awk 'body == 0 && /^(X-(Client|Helo|Mail|Rcpt|Server)[A-Za-z-]*:|$)/ { next }
		body == 0 && /^Received: from/ { body = 1; mine = 1; next }
		mine && /^[ \t]/ { next }
		{ body = 1; mine = 0; if (held) print line; line = $0; held = 1 }
		END { if (held && line != "") print line }' "$1"
}

sink_clear() { find "${1:-$stack/sink}" -type f -delete; }

# sink_leaks WORD...: files of the sink in which a word of the clear body stands.
sink_leaks() {
	local word
	for word in "$@"; do
		grep -rlF -- "$word" "$stack/sink" 2> /dev/null
	done
}

# ---- sending ----

# send FROM TO[,TO...] FILE [SWAKS-OPTION...]: 0 if accepted. $reply is the last reply of the server
# to the message, $transcript all of the talk. XCLIENT plays others: send_as LOGIN, send_from IP.
send() {
	local from=$1 to=$2 file=$3
	shift 3
	transcript=$(swaks --server "127.0.0.1:$smtp_port" --helo client.example --from "$from" \
		--to "$to" --data "@$file" --timeout 120 "$@" 2>&1)
	local status=$?
	reply=$(sed -nE 's/^<(-|\*\*) +([245][0-9][0-9].*)/\2/p' <<< "$transcript" |
		grep -vE '^221 ' | tail -n 1)
	return "$status"
}

# send_as LOGIN ADDRESS-OF-CLIENT FROM TO FILE: as a client that has logged in.
send_as() { send "${@:3}" --xclient "ADDR=$2 LOGIN=$1"; }

# send_from ADDRESS-OF-CLIENT FROM TO FILE: as a client at this address, not logged in.
send_from() { send "${@:2}" --xclient "ADDR=$1"; }

# ---- the gateway ----

# What each test's recipients have: certificates and passwords.
gateway_conf() {
	cat > "$stack/sealgate.conf" <<-END
		socket = "local:$stack/socket/milter.sock"
		socket_mode = "0666"
		stage_port = $stage_port
		run_directory = "$stack/run"
		state_directory = "$stack/state"
		spool_directory = "$stack/spool"
		master_key_file = "$stack/state/master.key"
		sandbox = ${SG_SANDBOX:-$(stack_sandbox)}
		users {
			milter = "$stack_uid:$stack_uid"
			scan = "$((stack_uid + 1)):$((stack_uid + 1))"
			pdf = "$((stack_uid + 2)):$((stack_uid + 2))"
			vault = "$((stack_uid + 3)):$((stack_uid + 3))"
			tls = "$((stack_uid + 4)):$((stack_uid + 4))"
			trace = "$((stack_uid + 5)):$(stack_log_group)"
			notify = "$((stack_uid + 6)):$((stack_uid + 6))"
			hook = "$((stack_uid + 7)):$((stack_uid + 7))"
			health = "$((stack_uid + 8)):$((stack_uid + 8))"
		}
		scan {
			database_directory = "$stack_database"
			$stack_scan
		}
		tls {
			socket = "local:$stack/socket/policy.sock"
			fallback_port = $fallback_port
			cache_directory = "$stack/cache"
			$stack_tls
		}
		trace {
			log = "${stack_log:+$stack/log/$stack_log}"
		}
		notify {
			server = "127.0.0.1:$smtp_port"
			$stack_notify
		}
		health {
			$stack_health
		}
		tenant inside {
			domains = { "inside.example" }
			networks = { "127.0.0.1" }
			notices = { $stack_notices }
			$stack_tenant
		}
		$stack_conf
	END
}

# The group that may read Postfix's log.
stack_log_group() { stat -c %g "$stack/log/mail.log"; }

# "full" where the kernel knows Landlock, else "reduced".
stack_sandbox() {
	if "$sealgate" --version | grep -q "Landlock: ABI"; then echo full; else echo reduced; fi
}

# gateway_start: starts "sealgate run" and waits until the milter's socket is there.
gateway_start() {
	"$sealgate" -c "$stack/sealgate.conf" run >> "$stack/log/gateway.log" 2>&1 &
	gateway_pid=$!
	if ! wait_for 60 gateway_ready || ! kill -0 "$gateway_pid" 2> /dev/null; then
		echo "the gateway did not start:" >&2
		cat "$stack/log/gateway.log" >&2
		return 1
	fi
}

gateway_ready() {
	kill -0 "$gateway_pid" 2> /dev/null || return 0
	[[ -S $stack/socket/milter.sock ]] && grep -q ' notice ready' "$stack/log/gateway.log"
}

gateway_stop() {
	[[ -n $gateway_pid ]] || return 0
	kill "$gateway_pid" 2> /dev/null
	wait "$gateway_pid" 2> /dev/null
	gateway_pid=
}

# One that was started in a subshell (check NAME gateway_start): its pid is only in its file.
gateway_stop_left() {
	local pid
	pid=$(cat "$stack/run/sealgate.pid" 2> /dev/null)
	[[ -n $pid ]] && grep -qaF "$stack/sealgate.conf" "/proc/$pid/cmdline" 2> /dev/null || return 0
	kill "$pid"
	wait_for 30 test ! -d "/proc/$pid"
}

# gateway_pids ROLE: process ids of the running workers, such as "milter", of this gateway.
gateway_pids() { pgrep -P "$gateway_pid" "sealgate-$1"; }

# sg ARGUMENT...: the command line with this gateway's configuration.
sg() { "$sealgate" -c "$stack/sealgate.conf" "$@"; }

# make_certificate ADDRESS [OPENSSL-REQ-OPTION...]: key and certificate in $stack/certs/ADDRESS.*
make_certificate() {
	mkdir -p "$stack/certs"
	openssl req -x509 -newkey "${certificate_key:-rsa:2048}" -nodes -days 30 -subj "/CN=$1" \
		-addext "subjectAltName=email:$1" -addext "keyUsage=keyEncipherment,digitalSignature" \
		-addext "extendedKeyUsage=emailProtection" "${@:2}" \
		-keyout "$stack/certs/$1.key" -out "$stack/certs/$1.pem" 2> "$stack/log/openssl.out" ||
		cat "$stack/log/openssl.out" >&2
}

# open_envelope FILE ADDRESS: the inner entity of a message in the sink.
open_envelope() {
	sink_message "$1" | openssl cms -decrypt -inform SMIME -inkey "$stack/certs/$2.key" \
		-recip "$stack/certs/$2.pem"
}

# open_pdf FILE PASSWORD FOLDER: takes the PDF out of a message in the sink and opens it; FOLDER
# then has sealed.pdf, open.pdf, text, and the attachments.
open_pdf() {
	mkdir -p "$3"
	sink_message "$1" | pdf_of_message > "$3/sealed.pdf"
	printf '%s' "$2" > "$3/password"
	qpdf --password-file="$3/password" --decrypt "$3/sealed.pdf" "$3/open.pdf" &&
		pdftotext -layout "$3/open.pdf" "$3/text" &&
		(cd "$3" && pdfdetach -saveall open.pdf > /dev/null)
}

# pdf_of_message < MESSAGE > PDF: the base64 part of type application/pdf.
pdf_of_message() {
	awk 'BEGIN { IGNORECASE = 1 }
		{ sub(/\r$/, "") }
		tolower($0) ~ /^content-type: *application\/pdf/ { part = 1; next }
		part == 1 && $0 == "" { part = 2; next }
		part == 2 && ($0 == "" || /^--/) { exit }
		part == 2 { print }' | base64 -d
}

# people: cert@outside.example gets a certificate, word@outside.example a password ($password).
people() {
	make_certificate cert@outside.example
	sg cert add "$stack/certs/cert@outside.example.pem" > "$stack/log/cert.out" 2>&1 || exit 1
	password=$(sg password generate word@outside.example 2> "$stack/log/password.out" |
		grep -oE '[A-Za-z0-9]{4}(-[A-Za-z0-9]{4}){3}' | head -n 1)
	[[ -n $password ]] || exit 1
}

# The word that stands in every clear body; it must not be in what was sealed.
stack_word=Waterfall4711

# mail_file NAME SUBJECT [HEADER...]: a message in $stack/NAME, with $stack_word in its body.
mail_file() {
	{
		printf 'From: Alice <alice@inside.example>\nTo: list@outside.example\nSubject: %s\n' "$2"
		[[ $# -lt 3 ]] || printf '%s\n' "${@:3}"
		printf '\nThe word is %s.\nLast line.\n' "$stack_word"
	} > "$stack/$1"
}

# is_envelope ADDRESS, is_pdf ADDRESS: exactly one message came for this recipient, sealed, it opens,
# the word is inside and not outside.
is_envelope() {
	local file
	file=$(sink_for "$1")
	[[ -f $file ]] || { echo "not exactly one message for $1: $file"; return 1; }
	! grep -qF "$stack_word" "$file" || { echo "clear text for $1"; return 1; }
	open_envelope "$file" "${2:-$1}" | grep -qF "$stack_word"
}

is_pdf() {
	local file
	file=$(sink_for "$1")
	[[ -f $file ]] || { echo "not exactly one message for $1: $file"; return 1; }
	! grep -qF "$stack_word" "$file" || { echo "clear text for $1"; return 1; }
	open_pdf "$file" "$password" "$stack/opened" && grep -qF "$stack_word" "$stack/opened/text"
}

# no_clear: the word is in nothing that the sink has.
no_clear() { [[ -z $(sink_leaks "$stack_word") ]]; }

# queue_empty: nothing waits in Postfix.
queue_empty() { [[ -z $(postfix_queue "$stack") ]]; }

# ---- all of it ----

# The signature database that all tests share; made once, with the gateway's canary beside it.
stack_database_make() {
	stack_database=$stack_build/testdb
	[[ -x $stack_root/tests/lib/sigdb.sh ]] || return 0
	(
		flock 8
		[[ -s $stack_database/.made ]] || {
			mkdir -p "$stack_database"
			"$stack_root/tests/lib/sigdb.sh" "$stack_database" && date > "$stack_database/.made"
		}
	) 8> "$stack_build/testdb.lock"
}

# stack_start NAME
stack_start() {
	local setting
	stack=$(mktemp -d "/tmp/sealgate-$1.XXXXXX")
	trap stack_exit EXIT
	trap 'exit 130' INT TERM
	pick_port && smtp_port=$port_out
	pick_port && sink_port=$port_out
	pick_port && stage_port=$port_out
	pick_port && fallback_port=$port_out
	postfix_make "$stack" "$smtp_port" "$sink_port"
	if [[ ${#stack_main[@]} -gt 0 ]]; then
		postconf -c "$stack/config" -e "${stack_main[@]}"
	fi
	for setting in socket run; do
		mkdir -p "$stack/$setting"
	done
	chmod 755 "$stack"
	sink_start || exit 1
	postfix_start "$stack" || exit 1
	# sealgate-trace reads it by its group
	chgrp adm "$stack/log/mail.log" && chmod 640 "$stack/log/mail.log"
	[[ $stack_gateway == yes ]] || return 0
	stack_database_make
	gateway_conf
	gateway_start || exit 1
	[[ $stack_attach == yes ]] || return 0
	sg postfix attach -y --config-directory "$stack/config" > "$stack/log/attach.out" 2>&1 || {
		cat "$stack/log/attach.out" >&2
		exit 1
	}
	postfix_reload "$stack"
}

# stack_stop: ends everything. Logs go to SG_TEST_LOGS; the folder is removed.
stack_stop() {
	[[ -n $stack ]] || return 0
	gateway_stop
	gateway_stop_left
	postfix_stop "$stack"
	sink_stop
	if [[ -n ${SG_TEST_LOGS:-} ]]; then
		cp "$stack"/log/* "$SG_TEST_LOGS/" 2> /dev/null
		cp "$stack/sealgate.conf" "$SG_TEST_LOGS/" 2> /dev/null
	elif [[ $stack_failed -ne 0 ]]; then
		echo "# logs are kept in $stack/log" >&2
		stack=
		return 0
	fi
	[[ -n ${SG_KEEP:-} ]] || rm -rf "$stack"
	stack=
}

stack_exit() {
	local status=$?
	trap - EXIT INT TERM
	stack_stop
	[[ $status -ne 0 ]] || status=$stack_failed
	exit "$status"
}
