#!/bin/bash
# greylist.bash FOLDER: a policy service for Postfix's spawn(8): 451 for three seconds from the first
# time that a sender and recipient are seen.
folder=$1
now=$EPOCHSECONDS
while read -r line; do
	case $line in
	recipient=*) recipient=${line#*=} ;;
	sender=*) sender=${line#*=} ;;
	'')
		file=$folder/${sender//\//_}:${recipient//\//_}
		[[ -e $file ]] || printf '%s\n' "$EPOCHSECONDS" > "$file"
		read -r first < "$file"
		now=$EPOCHSECONDS
		if [[ $((now - first)) -lt 3 ]]; then
			printf 'action=451 4.7.1 Greylisted, try again\n\n'
		else
			printf 'action=DUNNO\n\n'
		fi
		;;
	esac
done
