#!/bin/bash
# long
# compose.sh: docker/compose.yaml by Debian's docker-compose and docker.io, all of it: the gateway
# waits for freshclam, what is sent meanwhile waits, too; then the first message arrives as a PDF that
# its password opens, by way of unbound's MX records; another gateway container goes on with the state, and
# a second one takes over when the first is killed.
#
# "make ship-compose" makes the images. Nothing outside is reached: freshclam copies signatures from a
# folder, and unbound has records of a domain whose mail server is another container.
set -uo pipefail
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
cd "$stack_root" || exit 1
# shellcheck source=tests/ship/docker.bash
. tests/ship/docker.bash

for program in /usr/sbin/dockerd /usr/bin/docker docker-compose; do
	command -v "$program" > /dev/null && continue
	echo "skip all there is no $program here: make ship-compose"
	exit 0
done
stack=$(mktemp -d /tmp/sealgate-compose.XXXXXX)
mkdir -p "$stack"/{log,sink,signatures,source}

clean_up() {
	{
		for service in sealgate standby postfix freshclam unbound sink; do
			compose logs --no-color "$service" > "$stack/log/$service.out"
		done
		compose down -v -t 5
		docker_stop
		cp "$stack/docker/dockerd.out" "$stack/log/"
		[[ -z ${SG_TEST_LOGS:-} ]] || cp "$stack"/log/* "$SG_TEST_LOGS/"
		[[ $stack_failed -ne 0 ]] || rm -rf "$stack"
	} > /dev/null 2>&1
	exit "$stack_failed"
}
trap clean_up EXIT
if ! docker_start "$stack/docker"; then
	echo "skip all dockerd does not start here: $(tail -n 1 "$stack/docker/dockerd.out")"
	exit 0
fi
for image in sealgate{,-postfix,-freshclam,-unbound}; do
	docker image inspect "localhost/$image" > /dev/null 2>&1 && continue
	echo "skip all there is no image localhost/$image: make ship-compose"
	exit 0
done

# ---- what the outside is, here ----

bash tests/lib/sigdb.sh "$stack/signatures"
cat > "$stack/freshclam.conf" <<-END
	DatabaseDirectory /var/lib/clamav
	DatabaseOwner clamav
	DatabaseMirror database.clamav.net
	ExcludeDatabase main
	ExcludeDatabase daily
	ExcludeDatabase bytecode
	$(cd "$stack/signatures" && printf 'DatabaseCustomURL file:///source/%s\n' *)
END
sed 's/^server:/&\n\tlocal-zone: "partner.example." static/' docker/unbound.conf > "$stack/unbound.conf"
sed -i '/^remote-control/i \	local-data: "partner.example. MX 10 mx.partner.example."' "$stack/unbound.conf"
sed -i '/^remote-control/i \	local-data: "mx.partner.example. A 172.30.25.99"' "$stack/unbound.conf"
# the partner's mail server has no TLS, and nobody here has the keys of the DNS root
printf 'elsewhere.example. IN DS 1 13 2 %064d\n' 0 > "$stack/anchor.key"
sed 's|^\tresolvers|\tsealed = may\n\ttrust_anchor = "/etc/sealgate/anchor.key"\n&|' docker/sealgate.conf > "$stack/sealgate.conf"
cat > "$stack/compose.yaml" <<-END
	services:
	  sealgate:
	    volumes:
	      - "$stack/sealgate.conf:/etc/sealgate/sealgate.conf:ro"
	      - "$stack/anchor.key:/etc/sealgate/anchor.key:ro"
	  postfix:
	    volumes: ["$stack/sealgate.conf:/etc/sealgate/sealgate.conf:ro"]
	  freshclam:
	    environment: { FRESHCLAM_RETRY: "3" }
	    volumes:
	      - "$stack/freshclam.conf:/etc/clamav/freshclam.conf:ro"
	      - "$stack/source:/source:ro"
	  unbound:
	    volumes: ["$stack/unbound.conf:/etc/unbound/unbound.conf:ro"]
	  sink:
	    image: localhost/sealgate-postfix
	    command: [smtp-sink, -u, postfix, -d, /tmp/m., "0.0.0.0:25", "100"]
	    healthcheck: { disable: true }
	    networks: { mail: { ipv4_address: 172.30.25.99 } }
END
cat > "$stack/standby.yaml" <<-END
	services:
	  standby:
	    volumes:
	      - "$stack/sealgate.conf:/etc/sealgate/sealgate.conf:ro"
	      - "$stack/anchor.key:/etc/sealgate/anchor.key:ro"
END
chmod 755 "$stack" "$stack/source"
chmod 644 "$stack"/*.{conf,key} "$stack"/signatures/*
compose_files=(-f "$stack/compose.yaml")

container() { compose ps -q "$1"; }
health_of() { docker inspect -f '{{.State.Health.Status}}' "$(container "$1")"; }
is_healthy() { [[ $(health_of "$1") == healthy ]]; }
in_gateway() { compose exec -T sealgate /usr/sbin/sealgate "$@"; }
in_postfix() { compose exec -T postfix "$@"; }
# not grep -q: whoever writes to it would fail then
log_has() { compose logs --no-color "$1" 2>&1 | grep -F "$2" > /dev/null; }
logged() { in_postfix grep -qF "$1" /var/log/mail/mail.log; }
fetch_sink() { compose exec -T sink sh -c 'cd /tmp && tar -c m.*' | tar -C "$stack/sink" -x; }
arrived() { fetch_sink && [[ $(grep -rli '^content-type: application/pdf' "$stack/sink" | wc -l) -ge $1 ]]; }
newest() { find "$stack/sink" -type f -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2; }

# ---- without signatures: everybody waits ----

check "up" compose up -d --no-build
check "the gateway says what it waits for" wait_for 60 log_has sealgate 'no signatures in /var/lib/clamav'
check "so does freshclam" wait_for 60 log_has freshclam 'the gateway waits for them'
check "Postfix starts without it" wait_for 90 logged 'starting the Postfix mail system'
early=$(in_postfix first-message early@partner.example)
check_equal "a message is taken" "${#early}" 19
check "it waits" wait_for 60 logged 'connect to Milter service'
check "the gateway is started again and again" test "$(docker inspect -f '{{.RestartCount}}' "$(container sealgate)")" -gt 1

# ---- signatures come ----

cp "$stack"/signatures/* "$stack/source/"
began=$SECONDS
check "the gateway is healthy" wait_for 180 is_healthy sealgate
echo "# healthy $((SECONDS - began)) s after there were signatures"
check "Postfix is attached" wait_for 60 is_healthy postfix
doctor=$(in_gateway doctor --gateway)
check_match "Landlock is there" "$doctor" 'ok +sandbox +Landlock'
check_match "every worker goes on" "$doctor" 'ok +workers'
check_match "the scanner has them" "$doctor" 'ok +scanner .* [0-9]{5} signatures'
check "the early message arrives as a PDF" wait_for 120 arrived 1
check "its password opens it" open_pdf "$(newest)" "$early" "$stack/early"
check_match "to what was sent" "$(cat "$stack/early/text")" 'you had the key'

# ---- who they are ----

gateway=$(container sealgate)
check_equal "nobody is root" "$(docker top "$gateway" -eo pid,uid | awk 'NR > 1 { print $2 }' | sort -u)" 10001
check_equal "no capability" "$(compose exec -T sealgate grep -h ^CapEff: /proc/1/status | tr -d '\r' | cut -f 2)" \
	0000000000000000
check_not "the root file system is read-only" compose exec -T sealgate touch /etc/x
# by way of the published port a client has the address of the bridge: that must open nothing
relay=$(nsenter -n -t "$docker_pid" swaks --server 127.0.0.1:25 --helo client.example --from alice@inside.example \
	--to bob@partner.example --quit-after RCPT 2>&1)
check_match "the published port is no open relay" "$relay" '454 4.7.1|554 5.7.1'

# ---- another container, the same volumes ----

password=$(in_gateway password generate bob@partner.example 2> /dev/null | tr -d '\r')
check_equal "a password was made" "${#password}" 19
check "another gateway" compose up -d --no-build --force-recreate --no-deps sealgate
check_not "it is another one" test "$gateway" = "$(container sealgate)"
check "it is healthy" wait_for 120 is_healthy sealgate
check "a second message is sent" in_postfix first-message bob@partner.example
check "it arrives" wait_for 60 arrived 2
check "its password was kept" open_pdf "$(newest)" "$password" "$stack/bob"
check_equal "nothing is clear" "$(grep -rlF 'had the key' "$stack/sink")" ''

# ---- two gateways, one killed ----

rejected() { in_postfix grep -c milter-reject /var/log/mail/mail.log; }
compose_files+=(-f docker/standby.yaml -f "$stack/standby.yaml")
check "a second gateway" compose up -d --no-build
check "it stands by" wait_for 120 log_has standby 'stands-by'
before=$(rejected)
check "the first is killed" docker kill "$(container sealgate)"
check "a third message is sent" in_postfix first-message bob@partner.example
check "it arrives" wait_for 60 arrived 3
check_equal "Postfix did not have to wait" "$(rejected)" "$before"
check "the first comes back" compose up -d --no-build --no-deps sealgate
check "and stands by now" wait_for 90 log_has sealgate 'stands-by'
