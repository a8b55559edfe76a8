# shellcheck shell=bash
# podman.bash: podman for the tests. Sourced.

# pod ARGUMENT...: crun refuses a machine with both versions of control groups; then without the second.
pod() {
	if mountpoint -q /sys/fs/cgroup/unified; then
		# shellcheck disable=SC2016
		unshare -m sh -c 'umount /sys/fs/cgroup/unified; exec podman "$@"' podman "$@"
	else
		podman "$@"
	fi
}
