# account.awk: what became of each message. Files, in this order, told apart by the variable "from":
# faults, source, sink, log (Postfix's), queue. Prints the report; exit status 1 on a finding.

function fault_at(ms, i) {
	for (i = faults; i > 0; i--)
		if (ms >= fault_start[i])
			return ms < fault_end[i] + 6000 ? fault_kind[i] : "between"
	return "between"
}
function finding(kind, text) {
	found[kind]++
	if (found[kind] <= 20)
		details = details "  " kind ": " text "\n"
}
function outside(address) { return address !~ /@inside\.example$/ }

from == "faults" {
	faults++
	fault_kind[faults] = $2; fault_start[faults] = $3; fault_end[faults] = $4
	times[$2]++
	if (/did not|not whole/) finding("not healthy after a fault", $0)
	next
}
from == "source" && $1 == "M" { class[$2] = $3; hash[$2] = $5; to[$2] = $6; bytes += $4; messages++; next }
from == "source" {
	kind = fault_at($3)
	results[$4]++
	by[kind, $4]++
	if ($4 == "accepted") accepted[$2] = 1
	if ($4 == "refused") { refused[$2] = 1; refused_at[$2] = kind }
	if ($4 == "left") left[$2] = 1
	if ($4 == "unknown") unknown[$2]++
	next
}
from == "sink" && $1 == "D" {
	key = $4 " " $6
	deliveries++
	copies[key]++
	if (!(key in first_ms)) first_ms[key] = $2
	last_ms[key] = $2
	if ($11 == "cut") unsaid[key]++
	forms[$5 " " $8 " " $7]++
	if ($5 == "v") finding("virus passed", $0)
	if ($5 == "f" || $5 == "h") {
		# plan tls is open to all of a domain whose peer is proven, so also to those whose
		# certificate is not valid while the clock is wrong
		readable = $8 == "clear" || $9 == 1
		if (outside($6) && readable && !($7 == "tls" && $6 ~ /@dane\.example$/))
			finding("flagged in clear", $0 " during " fault_at($2))
	} else if ($5 == "p" && $10 != hash[$4])
		finding("changed", $0 " during " fault_at($2))
	next
}
from == "sink" && $1 == "B" {
	bounced[$4 " " $6]++
	bounces++
	bounces_at[fault_at($2)]++
	if ($7 == 1) finding("flagged in clear", "bounce: " $0)
	next
}
from == "sink" { other++; if ($5 == 1) finding("flagged in clear", "other mail: " $0); next }
# a message that Postfix itself says may come twice, and what Postfix bounced
from == "log" {
	if (match($0, /: [0-9A-Fa-f]+: message-id=<t\.[0-9]+\./)) {
		split(substr($0, RSTART + 2, RLENGTH - 2), part, /: message-id=<t\.|\./)
		number[part[1]] = part[2]
	} else if (/postfix\/pickup/ && match($0, / orig_id=[0-9A-Fa-f]+/)) {
		requeued[number[substr($0, RSTART + 9, RLENGTH - 9)]]++
	} else if (/may be sent more than once/ || /timed out while sending end of data/) {
		split($0, word, ": ")
		id = word[2]
		match($0, /to=<[^>]*>/)
		address = substr($0, RSTART + 4, RLENGTH - 5)
		maybe[number[id] " " address]++
		maybes++
	}
	next
}
from == "queue" { queued[$1 " " $2] = $0; left_in_queue++; next }

function window_of(key, n) {
	if (unsaid[key] > 0) return "the peer's answer was lost"
	if (maybe[key] > 0) return "an answer between Postfix and its peer or the second stage was lost"
	if (unknown[n] > 0) return "the answer to the client was lost"
	if (requeued[n] > 0) return "postsuper -r of a message that was being delivered"
	if (fault_at(first_ms[key]) ~ /^postfix_/) return "Postfix was ended before it noted the answer"
	return ""
}

END {
	for (n in to) {
		count = split(to[n], list, ",")
		if (n in accepted) took++
		else if (n in refused) said_no++
		else gave_up++
		if (class[n] == "v" && (n in accepted)) finding("virus passed", "accepted: message " n)
		if ((n in refused) && class[n] != "v") {
			wrong++
			wrong_at[refused_at[n]]++
		}
		for (i = 1; i <= count; i++) {
			key = n " " list[i]
			if (n in accepted) {
				expected++
				if (copies[key] > 0) delivered++
				else if (bounced[key] > 0) came_back++
				else if (key in queued) waits++
				else finding("lost", "message " key " class " class[n])
			}
			extra = copies[key] - 1
			if (extra > 0) {
				window = window_of(key, n)
				allowed = unsaid[key] + maybe[key] + unknown[n] + requeued[n]
				if (window ~ /^Postfix was/) allowed = extra
				if (window == "" || extra > allowed)
					finding("twice", "message " key " came " copies[key] " times, during " fault_at(last_ms[key]))
				else { doubles += extra; windows[window] += extra }
			}
			expected_key[key] = 1
		}
	}
	for (key in copies) if (!(key in expected_key)) finding("to somebody else", key)

	printf "torture: seed %s, %d messages (%.0f MB), %d faults, %d s\n\n", seed, messages, bytes / 1e6, faults, seconds
	printf "messages   accepted %d, refused %d, given up by the client %d\n", took, said_no, gave_up
	printf "tries      "
	split("accepted refused deferred failed cut unknown", word, " ")
	for (i = 1; i <= 6; i++) printf "%s %d%s", word[i], results[word[i]], i < 6 ? ", " : "\n"
	printf "recipients of accepted mail %d: delivered %d, came back %d, still in the queue %d\n", expected, delivered, came_back, waits
	printf "deliveries %d, bounces %d, other mail %d\n", deliveries, bounces, other
	for (f in forms) printf "  class and form %-22s %d\n", f, forms[f] | "sort"
	close("sort")
	printf "\nrefused though nothing was wrong with them: %d", wrong
	for (f in wrong_at) printf "; %s %d", f, wrong_at[f]
	printf "\nbounces by fault:"
	for (f in bounces_at) printf " %s %d", f, bounces_at[f]
	printf "\n\n%-24s %6s %9s %9s %8s %8s %8s\n", "fault", "times", "accepted", "deferred", "failed", "unknown", "refused"
	for (f in times)
		printf "%-24s %6d %9d %9d %8d %8d %8d\n", f, times[f], by[f, "accepted"], by[f, "deferred"], by[f, "failed"], by[f, "unknown"], by[f, "refused"] | "sort"
	close("sort")
	printf "\ndelivered twice within a window: %d\n", doubles
	for (f in windows) printf "  %6d  %s\n", windows[f], f
	if (details != "") printf "\nfindings\n%s", details
	printf "\nlost %d; flagged in clear %d; virus passed %d; delivered twice outside a window %d", found["lost"], found["flagged in clear"], found["virus passed"], found["twice"]
	printf "; changed %d; to somebody else %d; not healthy %d\n", found["changed"], found["to somebody else"], found["not healthy after a fault"]
	bad = 0
	for (f in found) bad += found[f]
	if (expected == 0) { print "nothing was accepted"; bad = 1 }
	exit bad > 0
}
