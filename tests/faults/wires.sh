#!/bin/bash
# wires.sh: each wire's socket is removed under a running gateway; after a new start mail flows.
# expect-error: deferred|no-record|vault

# shellcheck source=tests/faults/faults.bash
. "$(dirname "$0")/faults.bash"

# cut SOCKET NAME...: without the socket these messages are deferred; a new start brings it back.
cut_wire() {
	local wire=$1 name
	shift
	name=$(basename "$wire" .sock)
	faults_messages "-$name"
	mv "$wire" "$wire.away"
	offer_three "-$name"
	deferred "$name cut" "${@/%/-$name}"
	nothing_came "$name cut" "${@/%/-$name}"
	mv "$wire.away" "$wire"
	for kind in "$@"; do
		if [[ $kind == pdf ]]; then offer "$kind-$name" "$carol"; else offer "$kind-$name" "$bob"; fi
	done
	offers_wait
	taken "$name joined" "${@/%/-$name}"
	once "$name joined" "plain-$name" "envelope-$name" "pdf-$name"
	no_leak "$name joined"
}

faults_start wires
cut_wire "$stack/run/scan.sock" plain envelope pdf
cut_wire "$stack/run/pdf.sock" pdf
cut_wire "$stack/run/vault.sock" plain envelope pdf
cut_wire "$stack/socket/milter.sock" plain envelope pdf

# gone for good: a new start makes all of them again
faults_messages -gone
rm -f "$stack"/run/*.sock "$stack/socket/milter.sock"
offer_three -gone
deferred 'all sockets gone' plain-gone envelope-gone pdf-gone
gateway_stop
check 'all sockets gone: the gateway starts again' gateway_start
offer_three -gone
taken 'started again' plain-gone envelope-gone pdf-gone
once 'started again' plain-gone envelope-gone pdf-gone
no_leak 'started again'
