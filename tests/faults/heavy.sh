#!/bin/bash
# long: two PDF workers take as much memory as a message may have.
# heavy.sh: a message that takes too much is refused for good. (Of processor time: unit tests alone,
# since a busy machine is over with the time of day before.)
# expect-error: worker-ended|deferred

# shellcheck source=tests/faults/faults.bash
. "$(dirname "$0")/faults.bash"

stack_main=("message_size_limit = 30000000")
stack_conf='pdf { memory_max = 300M }'

# 8 MB of words that all differ: some 2,000 pages, 4 s of processor time, 400 MB.
make_heavy() {
	printf 'From: Alice <%s>\nSubject: [pdf] heavy\nMIME-Version: 1.0\n' "$alice"
	printf 'Content-Type: text/plain; charset=utf-8\n\n%s\n' "$secret"
	awk 'BEGIN {
		srand(3)
		for (i = 0; i < 120000; i++) {
			line = ""
			for (j = 0; j < 8; j++)
				line = line sprintf("%c%c%c%d ", 97 + int(rand() * 26), 65 + int(rand() * 26),
					97 + int(rand() * 26), int(rand() * 10000))
			print line
		}
	}'
}

# refused WHAT: within a few tries, as a client makes them: a busy machine may need more than one.
refused() {
	local try
	for try in 1 2 3 4; do
		mail_out "$stack/heavy.eml" "<$alice>" "<$carol>" && break
		[[ $reply != 5* ]] || break
	done
	check_match "$1: refused for good, with what can be done" "$reply" \
		"^552 5\\.3\\.4 The message cannot be made a PDF for $carol: it takes more $1.*certificate.*parts"
	check_equal "$1: nothing went out" "$(sink_count)" 0
	check "$1: the workers run again" wait_for 20 workers_run
	check "$1: other mail is sealed" mail_out "$stack/pdf.eml" "<$alice>" "<$carol>"
	check "$1: and delivered" all_gone
	sink_clear
}

workers_run() { [[ $(gateway_pids pdf | wc -l) -eq 2 ]]; }

faults_start heavy
make_heavy > "$stack/heavy.eml"
refused memory
