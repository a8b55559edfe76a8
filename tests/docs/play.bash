# shellcheck shell=bash disable=SC2154
# play.bash LIST: runs the commands of a list as documents show them, as root in /srv/shown.
#
# It changes the system that it runs in: only for the copies that run.sh and ship/docs.sh make. A list:
#   $ COMMAND        as a document shows it, without its comment (shown.awk compares both)
#   = REGEX          its output has this
#   ? STATUS         its exit status, if not 0; "any"
#   < WORD           its standard input
#   % FROM TO        what the document leaves open is filled in; TO may have variables
#   & CONDITION      it goes on in the background; the condition is waited for
#   ~                it wants a terminal
#   : BASH           what has to be there, or is to be looked at; in this shell
#   @ PATH FILE WORDS   the block of FILE that has WORDS goes to PATH, or to the end of +PATH
set -uo pipefail
# shellcheck source=tests/lib/stack.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/stack.sh"

[[ -r ${1:-} ]] || { not_ok "a list of commands" "${1:-none}"; exit 1; }
list=$1
place=/srv/shown
stack=$place
tree=$stack_root
mkdir -p "$place/log"
chmod 755 "$place" "$place/log"
cd "$place" || exit 1
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 EDITOR=editor

forget() {
	command='' status=0 input='' condition='' terminal='' patterns=() from=() to=()
}

# block FILE WORDS: one block of a document
block() { awk -v WORDS="$2" -f "$tree/tests/docs/shown.awk" KIND=take "$tree/$1"; }

take() {
	local path=$1 text
	text=$(block "$2" "${*:3}")
	[[ -n $text ]] || not_ok "a block of $2 with ${*:3}"
	if [[ $path == +* ]]; then
		printf '%s\n' "$text" >> "${path#+}"
	else
		printf '%s\n' "$text" > "$path"
	fi
}

start_shown() {
	local text=$1
	bash -c "exec $text" >> "$place/background.log" 2>&1 &
	if wait_for 60 eval "$condition"; then ok "$command"; else not_ok "$command" "$(tail -n 20 "$place/background.log")"; fi
}

run_shown() {
	local text=$command code=0 i wrong=()
	for i in "${!from[@]}"; do
		text=${text//"${from[i]}"/"${to[i]}"}
	done
	[[ -z $condition ]] || { start_shown "$text"; return; }
	[[ -z $terminal ]] || text="script -qec $(printf %q "$text") /dev/null"
	timeout -k 5 "${SG_SHOWN_SECONDS:-120}" bash -c "$text" <<< "$input" > "$place/output" 2>&1 || code=$?
	[[ -z $terminal ]] || sed -i 's/\r$//' "$place/output"
	[[ $status == any || $code -eq $status ]] || wrong+=("exit status $code")
	for i in ${patterns[@]+"${patterns[@]}"}; do
		grep -qE -- "$i" "$place/output" || wrong+=("nothing like: $i")
	done
	if [[ ${#wrong[@]} -eq 0 ]]; then
		ok "$command"
	else
		not_ok "$command" "${wrong[@]}" "$(head -c 1500 "$place/output")"
	fi
}

finish() {
	[[ -z ${SG_TIMES:-} ]] || printf "# %s %s\n" "${EPOCHREALTIME%????}" "${command:-$code}" >&2
	[[ -z $command ]] || run_shown
	forget
	[[ -z $code ]] || eval "$code"
	code=''
}

# shellcheck source=tests/docs/place.bash
. "$tree/tests/docs/place.bash"
make_editor
forget
code=''
while IFS= read -r line <&7; do
	rest=${line:2}
	case $line in
	'= '*) patterns+=("$rest") ;;
	'? '*) status=$rest ;;
	'< '*) input=$rest ;;
	'% '*) from+=("${rest%% *}"); eval "to+=(\"${rest#* }\")" ;;
	'& '*) condition=$rest ;;
	'~') terminal=yes ;;
	':'*) [[ -z $command ]] || finish; code+=$rest$'\n' ;;
	'@ '*) finish; read -ra words <<< "$rest"; take "${words[@]}" ;;
	'$ '*) finish; command=$rest ;;
	'#'* | '') ;;
	*) not_ok "a line of $list" "$line" ;;
	esac
done 7< "$list"
finish
exit "$stack_failed"
