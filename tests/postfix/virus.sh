#!/bin/bash
# Viruses, in both directions, flagged or not.
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
stack_start virus
people
with_attachment() {
	{
		printf 'From: <alice@inside.example>\nTo: <x@outside.example>\nSubject: %s\n' "$2"
		printf 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nHello.\n--b\n'
		printf 'Content-Type: application/octet-stream; name=f\nContent-Transfer-Encoding: base64\n\n'
		base64 "$3"
		printf -- '--b--\n'
	} > "$stack/$1"
}
"$stack_root/tests/lib/sigdb.sh" --eicar > "$stack/eicar.com"
(cd "$stack" && zip -q eicar.zip eicar.com && zip -q twice.zip eicar.zip)
for file in eicar.com eicar.zip twice.zip; do
	with_attachment virus 'Invoice' "$stack/$file"
	send alice@inside.example plain@outside.example "$stack/virus"
	check_match "out, $file: refused with the name" "$reply" '^550 5\.7\.1 .*EICAR'
	send_from 192.0.2.7 eve@foreign.example alice@inside.example "$stack/virus"
	check_match "in, $file: refused" "$reply" '^550 5\.7\.1 .*EICAR'
done
with_attachment flagged '[secure] Invoice' "$stack/eicar.zip"
send alice@inside.example cert@outside.example "$stack/flagged"
check_match "flagged: refused" "$reply" '^550 5\.7\.1 .*EICAR'
check "nobody got anything" test "$(sink_count)" -eq 0
for file in /usr/share/clamav-testfiles/clam.*; do
	[[ -f $file ]] || continue
	case $file in
	*.zip | *.exe | *.tar.gz | *.7z | *.cab | *.mail | *.pdf) ;;
	*) continue ;;
	esac
	with_attachment virus "$(basename "$file")" "$file"
	send alice@inside.example plain@outside.example "$stack/virus"
	check_match "refused: ${file##*/}" "$reply" '^5[0-9][0-9] 5\.7\.'
done
check "still nobody got anything" test "$(sink_count)" -eq 0
