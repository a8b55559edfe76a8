# shellcheck shell=bash
# confined.bash PROFILE LOG FOLDERS: prints each file, lock, program and socket in LOG, written by
# "strace -f -y -Y", that the AppArmor profile would not let Sealgate's programs have. FOLDERS lists
# those of that machine. Status 1: there are some; 2: profile or log are of no use.
#
# The patterns are those that apparmor_parser makes of the profile with all that it includes; no
# kernel is asked. Rules for the owner of a file count under /proc alone.
set -euo pipefail
here=$(dirname "$0")
profile=$1
log=$2
folders=$3

work=$(mktemp -d /tmp/sealgate-confined.XXXXXX)
trap 'rm -rf "$work"' EXIT
declare -A bit=([x]=1 [w]=2 [r]=4 [l]=16 [k]=32 [m]=64)
other=14	# the rights of who does not own the file stand that much higher

apparmor_parser -Q -K -D rule-exprs "$profile" 2>&1 |
	sed -nE 's/^rule: ([/(][^ ]*)  ->  .* \(0x([0-9a-f]+)\/.*/\2 \1/p' > "$work/rules"
awk -f "$here/confined.awk" "$folders" "$log" > "$work/wants"
[[ -s $work/rules && -s $work/wants ]] || exit 2

# "not a NUL" is what every character of a name is
sed -i -E 's/\[\^\\x00\]/./g; s/\\x00//g' "$work/rules"
patterns() {
	local rights pattern
	while read -r rights pattern; do
		if ((0x$rights & bit[$1] << other)) ||
			{ ((0x$rights & bit[$1])) && [[ $pattern == /proc/* ]]; }; then
			printf '%s\n' "$pattern"
		fi
	done < "$work/rules"
}

for right in "${!bit[@]}"; do
	patterns "$right" > "$work/patterns"
	awk -F '\t' -v right="$right" '$1 == right { print $2 }' "$work/wants" | sort -u |
		grep -vxE -f "$work/patterns" | sed "s/^/$right\t/" || :
done > "$work/bad"
apparmor_parser -p "$profile" 2> /dev/null |
	sed -nE 's/^ *network +([^,]*[^ ,]) *,.*/net\t\1/p' | sed -E 's/ +/ /g' > "$work/networks"
awk -F '\t' '
	FILENAME ~ /networks$/ { allowed[$2] = 1; next }
	FILENAME ~ /bad$/ { bad[$1, $2] = 1; next }
	$1 == "net" { split($2, kind, " "); bad[$1, $2] = !allowed[$2] && !allowed[kind[1]] }
	$1 == "mount" || bad[$1, $2]
	' "$work/networks" "$work/bad" "$work/wants" | sort > "$work/refused"
printf '# %s accesses to %s names, %s rules\n' "$(wc -l < "$work/wants")" \
	"$(cut -f 2 "$work/wants" | sort -u | wc -l)" "$(wc -l < "$work/rules")"
cat "$work/refused"
[[ ! -s $work/refused ]]
