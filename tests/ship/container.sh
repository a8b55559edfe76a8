#!/bin/bash
# long
# container.sh: the images of docker/Dockerfile under podman, as compose.yaml starts them: no root, no
# capability, a read-only root file system; attached, the first message sealed, healthy, restarted.
#
# "make ship-images" makes the images; the base image comes from debootstrap, and no registry is asked.
set -uo pipefail
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
cd "$stack_root" || exit 1

stack=$(mktemp -d /tmp/sealgate-container.XXXXXX)
mkdir -p "$stack/log"
machine=sealgate-test-$$
# shellcheck source=tests/ship/podman.bash
. tests/ship/podman.bash

clean_up() {
	{
		pod logs "$machine-gateway" > "$stack/log/container.log"
		pod logs "$machine-postfix" > "$stack/log/postfix.log" 2>&1
		pod rm -f -v -t 5 "$machine-postfix" "$machine-gateway"
		pod volume rm "$machine"-{state,cache,sockets,maillog}
	} > /dev/null 2>&1
	stack_exit
}
if ! command -v podman > /dev/null || ! pod image exists localhost/sealgate ||
	! pod image exists localhost/sealgate-postfix; then
	echo "skip all no podman or no images here: make ship-images"
	exit 0
fi
trap clean_up EXIT

bash tests/lib/sigdb.sh "$stack/signatures"
chmod 755 "$stack" "$stack/signatures"
sed 's/^\tresolvers/\tsealed = may\n&/' docker/sealgate.conf > "$stack/sealgate.conf"
chmod 644 "$stack/sealgate.conf"
common=(--network=none --ulimit=nofile=4096:4096 --ulimit=nproc=4096:4096 --security-opt=no-new-privileges
	-v "$machine-sockets:/var/spool/postfix/sealgate" -v "$stack/sealgate.conf:/etc/sealgate/sealgate.conf:ro")

gateway() {
	pod run -d --name "$machine-gateway" "${common[@]}" --user=10001:10001 --read-only --cap-drop=ALL \
		--tmpfs=/run/sealgate:mode=1777 --tmpfs=/var/spool/sealgate:mode=1777 --tmpfs=/tmp:mode=1777 \
		-v "$machine-state:/var/lib/sealgate" -v "$machine-cache:/var/cache/sealgate" \
		-v "$stack/signatures:/var/lib/clamav:ro" -v "$machine-maillog:/var/log/mail:ro" localhost/sealgate
}
postfix() {
	local capability capabilities=()
	for capability in CHOWN DAC_OVERRIDE FOWNER KILL NET_BIND_SERVICE SETGID SETUID SYS_CHROOT; do
		capabilities+=("--cap-add=$capability")
	done
	pod run -d --name "$machine-postfix" "${common[@]}" --cap-drop=ALL "${capabilities[@]}" \
		-e 'POSTFIX_RELAYHOST=[127.0.0.1]:2525' -v "$machine-maillog:/var/log/mail" localhost/sealgate-postfix
}
in_gateway() { pod exec "$machine-gateway" /usr/sbin/sealgate "$@"; }
in_postfix() { pod exec "$machine-postfix" "$@"; }
healthy() { in_gateway doctor --gateway; }
in_gateway_has() { in_gateway password list | grep -qF "$1"; }

check the_gateway_starts gateway
check postfix_starts postfix
check the_gateway_is_healthy wait_for 90 healthy
check postfix_is_attached wait_for 30 in_postfix sealgate postfix status
check_match landlock_is_there "$(in_gateway doctor --gateway)" 'ok +sandbox +Landlock'
check_equal nobody_is_root "$(pod top "$machine-gateway" user | sort -u | tr '\n' ' ')" 'USER sealgate '
capabilities() { pod exec "$machine-gateway" grep -h ^CapEff: /proc/1/status | cut -f 2; }
check_equal no_capability "$(capabilities)" 0000000000000000
check_not the_root_file_system_is_read_only pod exec "$machine-gateway" touch /etc/x

password=$(in_gateway password generate bob@partner.example 2> /dev/null | tr -d '\r')
check_equal a_password_was_made "${#password}" 19
in_postfix sh -c 'mkdir /sink && chown postfix /sink'
pod exec -d "$machine-postfix" smtp-sink -u postfix -d /sink/m. 127.0.0.1:2525 100 > /dev/null
check the_first_message_is_sent in_postfix first-message bob@partner.example
arrived() { [[ $(in_postfix sh -c 'cat /sink/* | grep -ci "^content-type: application/pdf"') -ge $1 ]]; }
check it_arrives_as_a_pdf wait_for 60 arrived 1
fonts_are_cached() {
	local log
	log=$(pod logs "$machine-gateway" 2>&1) && [[ $log == *'"fonts loaded"'* && $log != *Fontconfig* ]]
}
check the_fonts_are_in_their_caches fonts_are_cached
check_not nothing_is_clear in_postfix grep -rqF 'had the key' /sink

# another container, the same volumes: what it stored is there
pod rm -f -t 20 "$machine-gateway" > /dev/null 2>&1
check another_gateway_starts gateway
check it_is_healthy wait_for 90 healthy
check it_has_the_password in_gateway_has bob@partner.example
check a_second_message_is_sent in_postfix first-message bob@partner.example
check it_arrives wait_for 60 arrived 2
