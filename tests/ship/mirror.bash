# shellcheck shell=bash
# mirror.bash FOLDER: answers one request for a file of FOLDER by HTTP, on its standard input and
# output: where freshclam fetches from in deb_inside.bash.
read -r _ path _
while IFS= read -r line && [[ -n ${line%$'\r'} ]]; do :; done
file=$1/${path##*/}
if [[ -f $file ]]; then
	printf 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %s\r\nLast-Modified: %s\r\n\r\n' \
		"$(stat -c %s "$file")" "$(LC_ALL=C date -u -r "$file" '+%a, %d %b %Y %T GMT')"
	cat "$file"
else
	printf 'HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'
fi
