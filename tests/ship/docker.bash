# shellcheck shell=bash
# docker.bash: Debian's dockerd and docker-compose for the tests. Sourced; works in the top folder.
#
#   docker_start FOLDER [outside]  starts dockerd; FOLDER gets its socket and log. "outside": what runs
#                                  in it reaches the network, by slirp4netns, to build images
#   docker_stop                    ends it, and the containers that are left
#   docker ..., compose ...        the commands, asking that one
#
# It has namespaces of its own for network and mounts: the machine gets no bridge, rule or mount, and
# a dockerd that runs here is not asked. Images stay in build/ship/docker.

docker_pid=
docker_slirp_pid=

docker() { DOCKER_CONFIG=$docker_folder/config /usr/bin/docker -H "unix://$docker_folder/docker.sock" "$@"; }

# compose_files: more files for compose, -f FILE
compose_files=()
compose() {
	DOCKER_CONFIG=$docker_folder/config DOCKER_HOST=unix://$docker_folder/docker.sock \
		docker-compose -f docker/compose.yaml ${compose_files[@]+"${compose_files[@]}"} "$@"
}

docker_answers() { docker version > /dev/null 2>&1; }

docker_start() {
	local tries=0
	docker_folder=$1
	mkdir -p "$docker_folder/config" build/ship/docker
	# shellcheck disable=SC2016
	unshare -n -m sh -c '
		ip link set lo up
		# with both versions of control groups: the first
		! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified
		exec dockerd --data-root="$1/build/ship/docker" --exec-root="$2/exec" --pidfile="$2/pid" \
			-H "unix://$2/docker.sock"' sh "$PWD" "$docker_folder" > "$docker_folder/dockerd.out" 2>&1 &
	docker_pid=$!
	until docker_answers; do
		kill -0 "$docker_pid" 2> /dev/null || return 1
		tries=$((tries + 1))
		[[ $tries -lt 120 ]] || return 1
		sleep 0.5
	done
	[[ ${2:-} == outside ]] || return 0
	slirp4netns --configure --mtu=1400 --disable-host-loopback "$docker_pid" tap0 \
		> "$docker_folder/slirp.out" 2>&1 &
	docker_slirp_pid=$!
}

docker_stop() {
	local pid
	for pid in $docker_slirp_pid $docker_pid; do
		kill "$pid" 2> /dev/null
		wait "$pid" 2> /dev/null
	done
	docker_pid=
	docker_slirp_pid=
}
