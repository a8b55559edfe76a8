#!/bin/bash
# needs.sh FOLDER: the packages with the libraries that the programs in FOLDER need, into
# FOLDER/needs/programs; those of the command line alone into FOLDER/needs/command.
set -euo pipefail

out=$1

packages() {
	ldd "$@" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u | while read -r path; do
		printf '%s\n' "$path" "${path#/usr}" "$(realpath "$path")"
	done | sort -u | { xargs dpkg -S 2> /dev/null || true; } | sed -E 's/^([a-z0-9.+-]+).*/\1/' | sort -u
}

mkdir -p "$out/needs"
packages "$out"/usr/sbin/sealgate "$out"/usr/libexec/sealgate/* > "$out/needs/programs"
packages "$out"/usr/sbin/sealgate > "$out/needs/command"
