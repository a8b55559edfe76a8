#!/bin/bash
# tidy.sh "FLAGS" FILE...: what clang-tidy says of each file, with the analyser's hints.
read -ra flags <<< "$1"
shift
for file in "$@"; do
	hints=(-include tests/lint/analyzer.h)
	[[ $file != gateway/base/fail.c ]] || hints=()
	timeout 240 clang-tidy --quiet "$file" -- "${flags[@]}" "${hints[@]}" 2> /dev/null |
		grep -E '^[^ ]+:[0-9]+:[0-9]+: (warning|error)' | sed "s|^$PWD/||"
	if [[ ${PIPESTATUS[0]} -eq 124 ]]; then
		echo "$file:1: clang-tidy took longer than 240 s"
	fi
done
exit 0
