# shellcheck shell=bash disable=SC2154
# copy.bash: a copy of this system that a test may change, by an overlay. Sourced after stack.sh.

# copy_system BASE: BASE/root shows this system and the tree; what is written there lies in BASE. The
# caller sees to it that the mounts go.
copy_system() {
	local base=$1
	mkdir -p "$base"/{root,upper,work}
	mount -t overlay overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" "$base/root" || return 1
	if [[ ! -e $base/root$stack_root/Makefile ]]; then
		# the tree has a file system of its own
		mkdir -p "$base"/tree/{upper,work} "$base/root$stack_root"
		mount -t overlay overlay "$base/root$stack_root" \
			-o "lowerdir=$stack_root,upperdir=$base/tree/upper,workdir=$base/tree/work" || return 1
	fi
	stack_database_make
	mkdir -p "$base/root/srv/shown" "$base/root/var/lib/clamav"
	rm -f "$base"/root/var/lib/clamav/* "$base/root/etc/resolv.conf" "$base/root/usr/sbin/policy-rc.d"
	cp "$stack_database"/* "$base/root/var/lib/clamav/"
	sed -i '/^sealgate/d' "$base"/root/etc/{passwd,shadow,group,gshadow}
}
