#!/bin/bash
# disk.sh: the spool, the vault's folder and the scanner's temporary directory full or read-only.
# Each is a small tmpfs of the test's own.
# expect-error: .

# shellcheck source=tests/faults/faults.bash
. "$(dirname "$0")/faults.bash"

disks=$(mktemp -d /tmp/sealgate-disks.XXXXXX)
chmod 755 "$disks"

unmount_all() {
	local place
	for place in spool state scan; do
		umount -l "$disks/$place" 2> /dev/null
	done
	rm -rf "$disks"
}

# disk NAME SIZE OWNER
disk() {
	mkdir "$disks/$1"
	mount -t tmpfs -o "size=$2,mode=0700,uid=$3,gid=$3" tmpfs "$disks/$1" || {
		echo "skip all this system lets nobody mount a tmpfs"
		unmount_all
		exit 0
	}
}

disk spool 12m "$stack_uid"
disk state 8m $((stack_uid + 3))
disk scan 16m $((stack_uid + 1))
stack_scan="temporary_directory = \"$disks/scan\""

eval "stack_$(declare -f gateway_conf)"

# The folders of the stack, moved to the small disks.
gateway_conf() {
	stack_gateway_conf
	sed -i -e "s|= \"$stack/spool\"|= \"$disks/spool\"|" -e "s|= \"$stack/state\"|= \"$disks/state\"|" \
		-e "s|\"$stack/state/|\"$disks/state/|" "$stack/sealgate.conf"
}

# fill NAME: not one more byte, not one more file.
fill() { dd if=/dev/zero of="$disks/$1/fill" bs=64k > /dev/null 2>&1; truncate -s +0 "$disks/$1/fill"; }

empty() { rm -f "$disks/$1/fill"; }

# large NAME SUBJECT: more than message.memory_max, so that it goes to the spool folder.
large() {
	message "$1" "$2"
	head -c 1500000 /dev/urandom | base64 >> "$stack/$1.eml"
	printf 'Again: %s.\n' "$secret" >> "$stack/$1.eml"
}

trap unmount_all EXIT
faults_start disk
trap 'unmount_all; stack_exit' EXIT

# ---- spool ----
large spool-plain 'Lunch'
sed -i "s/$secret/noodles/" "$stack/spool-plain.eml"
large spool-envelope '[secure] the plan'
fill spool
offer spool-plain "$bob"
offer spool-envelope "$bob"
offers_wait
deferred 'spool full' spool-plain spool-envelope
nothing_came 'spool full' spool-plain spool-envelope
faults_messages -spool
offer_three -spool
taken 'spool full: small mail needs none' plain-spool envelope-spool pdf-spool
empty spool
offer spool-plain "$bob"
offer spool-envelope "$bob"
offers_wait
taken 'spool has room' spool-plain spool-envelope
once 'spool has room' spool-plain spool-envelope
check_equal 'spool: nothing stays in the folder' "$(find "$disks/spool" -type f)" ''

mount -o remount,ro "$disks/spool"
large spool-later '[secure] the plan'
offer spool-later "$bob"
offers_wait
deferred 'spool read-only' spool-later
nothing_came 'spool read-only' spool-later
mount -o remount,rw "$disks/spool"

# ---- the vault's database ----
fill state
# a small commit may still fit into pages that the database has: several messages use them up
for i in 1 2 3 4 5 6 7 8; do
	faults_messages "-state$i"
	offer "envelope-state$i" "$bob"
	offers_wait
	[[ $(reply_to "envelope-state$i") == 250* ]] || break
done
deferred 'database full' "envelope-state$i"
nothing_came 'database full' "envelope-state$i"
empty state
offer "envelope-state$i" "$bob"
offers_wait
taken 'database has room' "envelope-state$i"
once 'database has room' "envelope-state$i"

# ---- the scanner's temporary directory ----
fill scan
faults_messages -full
offer_three -full
deferred 'temporary directory full' plain-full envelope-full pdf-full
nothing_came 'temporary directory full' plain-full envelope-full pdf-full
empty scan
mount -o remount,ro "$disks/scan"
faults_messages -tmp
offer_three -tmp
deferred 'temporary directory read-only' plain-tmp envelope-tmp pdf-tmp
nothing_came 'temporary directory read-only' plain-tmp envelope-tmp pdf-tmp
mount -o remount,rw "$disks/scan"
no_leak 'all disks'
