# shellcheck shell=bash
# debian.bash: a minimal Debian 12 from this machine's apt sources, no registry is asked. Sourced.

# debian_make TARGET OPTION...: by mmdebstrap, whose options these are; TARGET is a folder or a tar.
debian_make() {
	local uri
	uri=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources 2> /dev/null |
		sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \([^ ]*\) bookworm main.*/\1/p' | head -n 1) || :
	uri=${uri:-http://deb.debian.org/debian}
	mmdebstrap --variant=minbase "${@:2}" bookworm "$1" "deb $uri bookworm main" \
		"deb $uri bookworm-updates main" "deb ${uri%/debian}/debian-security bookworm-security main"
}
