# shellcheck shell=bash disable=SC2034,SC2154
# machine.bash: a system in a folder, which systemd-nspawn enters or boots. Sourced, after stack.sh.

# machine_enter ROOT OPTION...: the workers' sandboxes need calls that nspawn's own list does not have.
machine_enter() {
	systemd-nspawn -q -D "$1" -M "sealgate-machine-$$" --register=no --keep-unit --link-journal=no \
		--system-call-filter='landlock_create_ruleset landlock_add_rule landlock_restrict_self @memlock' \
		"${@:2}" < /dev/null
}

# machine_unit FOLDER COMMAND [LINE...]: the one service that a machine boots for.
machine_unit() {
	cat <<-END
		[Unit]
		After=basic.target dbus.service
		Wants=basic.target dbus.service
		SuccessAction=poweroff-force
		FailureAction=poweroff-force
		[Service]
		Type=oneshot
		ExecStart=$2
		Environment=HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
		StandardOutput=file:$1/cases
		StandardError=file:$1/errors
	END
	[[ $# -lt 3 ]] || printf '%s\n' "${@:3}"
}

# machine_boot ROOT FOLDER SECONDS COMMAND [LINE...]: boots it without a network under its systemd, for
# COMMAND, which prints cases and "ok the_end" last; then it is off. FOLDER is where they go to, a path
# in the machine; logs that lie there are kept. LINE: for the service.
machine_boot() {
	local root=$1 folder=$2 seconds=$3 kept=$1$2
	mkdir -p "$kept"
	machine_unit "$folder" "${@:4}" > "$root/etc/systemd/system/ship.service"
	export -f machine_enter
	timeout -k 10 "${SG_SHIP_SECONDS:-$seconds}" bash -c 'machine_enter "$@"' "$0" "$root" --boot \
		--private-network systemd.unit=ship.service > "$stack/log/boot.out" 2>&1
	if [[ ! -s $kept/cases ]]; then
		echo "skip machine it does not boot here: $(grep -v '^$' "$stack/log/boot.out" | tail -n 1)"
		exit 0
	fi
	cat "$kept/cases"
	cp "$kept/errors" "$stack/log/inside.out"
	cp "$root/var/log/mail.log" "$kept"/*.log "$stack/log/" 2> /dev/null
	! grep -q '^not ok' "$kept/cases" || stack_failed=1
	check it_came_to_its_end grep -qx 'ok the_end' "$kept/cases"
}
