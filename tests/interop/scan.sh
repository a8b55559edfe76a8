#!/bin/bash
# scan.sh: "sealgate scan" by hand, without a gateway, on files that other programs made.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

build=${SG_BUILD:-build/release}
work=$(mktemp -d /tmp/sealgate-scan-test.XXXXXX)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

# a mail with the file as an attachment
mail_with() {
	printf 'From: a@example.com\r\nTo: b@example.org\r\nSubject: test\r\nMIME-Version: 1.0\r\n'
	printf 'Content-Type: multipart/mixed; boundary="limit"\r\n\r\n--limit\r\n'
	printf 'Content-Type: text/plain\r\n\r\nHello.\r\n--limit\r\n'
	printf 'Content-Type: application/octet-stream; name="%s"\r\n' "${1##*/}"
	printf 'Content-Transfer-Encoding: base64\r\n\r\n'
	base64 "$1" | sed 's/$/\r/'
	printf -- '--limit--\r\n'
}

# expect NAME STATUS PATTERN FILE [OPTION...]: what scanning FILE says
expect() {
	local name=$1 status=$2 pattern=$3 file=$4 got out
	shift 4
	out=$("$build/sealgate" scan --database "$work/db" "$@" < "$file" 2> "$work/err")
	got=$?
	if [[ $got -eq $status && $out =~ $pattern ]]; then
		echo "ok $name"
	else
		echo "not ok $name"
		echo "# status $got, expected $status: $out $(cat "$work/err")"
	fi
}

tests/lib/sigdb.sh "$work/db" 1000 200 || exit 1
tests/lib/sigdb.sh --eicar > "$work/eicar.com"
printf 'hello\n' > "$work/hello.txt"
(
	cd "$work" || exit 1
	zip -q eicar.zip eicar.com && zip -q nested.zip eicar.zip
	zip -q -P password locked.zip hello.txt
	tar czf eicar.tar.gz eicar.com
) || exit 1
for name in eicar.zip nested.zip locked.zip eicar.tar.gz hello.txt; do
	mail_with "$work/$name" > "$work/$name.eml"
done

expect eicar_in_a_zip_is_found 1 '^infected Sealgate\.Test\.EICAR' "$work/eicar.zip.eml"
expect eicar_in_a_zip_in_a_zip_is_found 1 '^infected Sealgate\.Test\.EICAR' "$work/nested.zip.eml"
expect eicar_in_a_tar_is_found 1 '^infected Sealgate\.Test\.EICAR' "$work/eicar.tar.gz.eml"
expect clean_mail_is_clean 0 '^clean$' "$work/hello.txt.eml"
expect an_encrypted_archive_alone_is_clean 0 '^clean$' "$work/locked.zip.eml"
expect json_is_one_object 1 '^\{"verdict":"infected","name":"Sealgate\.Test\.EICAR[^"]*"\}$' \
	"$work/eicar.zip.eml" --json
expect an_unknown_option_is_a_usage_error 64 '^$' "$work/hello.txt.eml" --nonsense

mkdir "$work/empty"
out=$("$build/sealgate" scan --database "$work/empty" < "$work/hello.txt.eml" 2>&1)
got=$?
if [[ $got -eq 75 && $out == "no verdict "*freshclam* ]]; then
	echo "ok without_signatures_there_is_no_verdict"
else
	echo "not ok without_signatures_there_is_no_verdict"
	echo "# status $got: $out"
fi

if compgen -G "/tmp/sealgate.??????/worker.sock" > /dev/null; then
	echo "skip nothing_is_left_behind another one-shot worker runs at this moment"
else
	echo "ok nothing_is_left_behind"
fi
