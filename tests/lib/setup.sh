#!/bin/bash
# setup.sh GROUP...: installs what is missing of config/packages in these groups.
#
# Milliseconds when all is there. Never starts or enables a service: a policy-rc.d refuses that for
# the time of the install, and what stood there before is put back. Needs root, or sudo.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
list=$root/config/packages
groups=" $* "
log=$root/build/setup.log
policy=/usr/sbin/policy-rc.d
policy_kept=

say() { printf 'setup: %s\n' "$*"; }
die() {
	printf 'setup: %s\n' "$*" >&2
	exit 1
}

# The packages of the wanted groups that are not installed, a line each.
missing() {
	local group name names=()
	while read -r group name _; do
		[[ $group == \#* || -z $name ]] && continue
		[[ $groups == *" $group "* ]] && names+=("$name")
	done < "$list"
	[[ ${#names[@]} -gt 0 ]] || die "no packages for groups$groups in $list"
	# dpkg-query complains about names that it never heard of, and those are missing too
	comm -23 <(printf '%s\n' "${names[@]}" | sort -u) \
		<(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${names[@]}" 2>/dev/null |
			sed -n 's/^installed //p' | sort -u)
}

allow_services_again() {
	if [[ -n $policy_kept ]]; then
		mv -f "$policy_kept" "$policy"
	else
		rm -f "$policy"
	fi
}

forbid_services() {
	if [[ -e $policy ]]; then
		policy_kept=$policy.sealgate-kept
		mv -f "$policy" "$policy_kept"
	fi
	trap allow_services_again EXIT
	printf '#!/bin/sh\nexit 101\n' > "$policy"
	chmod 755 "$policy"
}

# apt's status lines as one moving line on a terminal, as a line every ten percent elsewhere.
progress() {
	local kind _ percent what last=-1 step
	while IFS=: read -r kind _ percent what; do
		step=${percent%%.*}
		case $kind in
		dlstatus) what="fetching  $what" ;;
		pmstatus) ;;
		*) continue ;;
		esac
		if [[ -t 1 ]]; then
			printf '\r\033[Ksetup: %3s%%  %.80s' "$step" "$what"
		elif [[ $((step / 10)) -ne $last ]]; then
			last=$((step / 10))
			printf 'setup: %3s%%  %.80s\n' "$step" "$what"
		fi
	done
	[[ ! -t 1 ]] || printf '\r\033[K'
}

apt() {
	local status=0
	{
		apt-get -q -y -o DPkg::Lock::Timeout=300 -o APT::Status-Fd=3 \
			-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
			"$@" 3>&1 >> "$log" 2>&1 < /dev/null || status=$?
		return "$status"
	} | progress
}

# The units that a package enables by itself; those that were off before are put off again.
disable_new_units() {
	local unit
	command -v systemctl > /dev/null && [[ -d /run/systemd/system ]] || return 0
	for unit in postfix prometheus clamav-daemon clamav-freshclam clamav-milter knot unbound nginx docker.io; do
		[[ " $* " == *" $unit "* ]] || continue
		[[ $unit != docker.io ]] || unit=docker.socket
		systemctl --quiet is-active "$unit" 2> /dev/null && continue
		systemctl --quiet disable "$unit" 2>> "$log" || true
	done
}

main() {
	local names
	command -v dpkg-query > /dev/null || die "this needs Debian 12 (no dpkg-query here)"
	mapfile -t names < <(missing)
	[[ ${#names[@]} -gt 0 ]] || return 0
	mkdir -p "${log%/*}"
	if [[ $(id -u) -ne 0 ]]; then
		command -v sudo > /dev/null ||
			die "run as root, or install: apt-get install ${names[*]}"
		exec sudo bash "$0" "$@"
	fi


	say "${#names[@]} packages are missing: ${names[*]}" | fold -s -w 96
	export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
	forbid_services
	say "reading the package lists"
	apt update || die "apt-get update failed, see $log"
	say "installing (a few minutes, log in build/setup.log)"
	if ! dpkg-query -W postfix > /dev/null 2>&1; then
		# should anybody start the system's Postfix one day, it then listens on loopback only
		echo "postfix postfix/main_mailer_type select Local only" | debconf-set-selections
	fi
	apt --no-install-recommends install "${names[@]}" ||
		die "apt-get install failed, see $log: $(tail -n 3 "$log")"
	disable_new_units "${names[@]}"
	mapfile -t names < <(missing)
	[[ ${#names[@]} -eq 0 ]] || die "still missing: ${names[*]}; see $log"
	say "done"
}

main "$@"
