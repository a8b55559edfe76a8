#!/bin/bash
# Every message of the corpus is sealed by "sealgate seal --envelope" to an RSA and an EC key at
# once, opened by OpenSSL with each, and a part of them by GnuPG: the content must be the original's
# entity, byte for byte.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${SG_BUILD:-$root/build/release}
corpus=${1:-$root/../shared/corpus}
if [[ ! -d $corpus ]]; then
	echo "skip envelope_corpus the corpus folder is not beside the checkout"
	exit 0
fi
work=$(mktemp -d /tmp/sealgate-envelope.XXXXXX)
trap 'gpgconf --homedir "$work/gnupg" --kill all > /dev/null 2>&1; rm -rf "$work"' EXIT
failed=0
not_ok() {
	failed=1
	echo "not ok $1"
}

${CC:-cc} -O1 -o "$work/entity" "$root/tests/lib/entity.c" || exit 1
make_key() {
	openssl req -x509 -newkey "$2" ${3:+-pkeyopt "$3"} -nodes -days 30 -subj "/CN=$1" \
		-addext "subjectAltName=email:$1@partner.example" -addext "keyUsage=$4" \
		-keyout "$work/$1.key" -out "$work/$1.pem" 2> /dev/null
}
make_key rsa rsa:2048 "" keyEncipherment
make_key ec ec ec_paramgen_curve:P-256 keyAgreement

# Mime-Version and Content-Type as openssl's mail parser wants them are on the outside; the base64
# text is all that is opened here, so that nothing but the envelope is trusted.
base64_part() { sed '1,/^\r*$/d' "$1" | tr -d '\r' | base64 -d > "$2"; }

opens_with() {
	openssl cms -decrypt -inform DER -in "$work/cms" -inkey "$work/$1.key" -recip "$work/$1.pem" \
		-binary -out "$work/inner" 2> "$work/error" && cmp -s "$work/inner" "$work/expected"
}

count=0
while IFS= read -r -d '' message; do
	name=${message#"$corpus"/}
	"$work/entity" < "$message" > "$work/expected"
	if ! "$build/sealgate" seal --envelope --to "$work/rsa.pem" --to "$work/ec.pem" \
		< "$message" > "$work/sealed.eml" 2> "$work/error"; then
		# what has no header field at all is no message: a clear refusal is right
		if grep -q 'no mail message' "$work/error"; then
			echo "ok refused, no mail message: $name"
		else
			not_ok "seal $name: $(head -c 200 "$work/error")"
		fi
		continue
	fi
	base64_part "$work/sealed.eml" "$work/cms"
	if opens_with rsa && opens_with ec; then
		count=$((count + 1))
	else
		not_ok "open $name"
	fi
done < <(find "$corpus" -type f \( -name '*.msg' -o -name '*.eml' \) -print0 | sort -z)
if [[ $count -gt 0 && $failed -eq 0 ]]; then
	echo "ok OpenSSL opens $count messages of the corpus with RSA and EC, byte for byte"
else
	not_ok "OpenSSL opened $count messages"
fi

# What the envelope says of itself.
openssl cms -cmsout -print -inform DER -in "$work/cms" > "$work/print" 2>&1
for word in 'aes-256-cbc' 'd.ktri' 'd.kari' 'dhSinglePass-stdDH-sha256kdf-scheme' 'rsaEncryption'; do
	if grep -q "$word" "$work/print"; then
		echo "ok the envelope uses $word"
	else
		not_ok "the envelope has no $word"
	fi
done

# GnuPG, with the RSA key.
mkdir -m 700 "$work/gnupg"
echo allow-loopback-pinentry > "$work/gnupg/gpg-agent.conf"
gpgsm_here() { gpgsm --homedir "$work/gnupg" --batch --quiet --pinentry-mode loopback --disable-crl-checks "$@"; }
# gpgsm 2.2 trips over some PKCS#12 files by their random bytes: another one of the same key does
import_key() {
	local try
	for try in 1 2 3 4 5; do
		openssl pkcs12 -export -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1 \
			-inkey "$work/rsa.key" -in "$work/rsa.pem" -passout pass:test \
			-out "$work/rsa.$try.p12" 2> /dev/null
		gpgsm_here --passphrase-fd 0 --import "$work/rsa.$try.p12" <<< test \
			> "$work/import" 2>&1 && return 0
	done
	return 1
}
if ! import_key; then
	not_ok "gpgsm imports the key: $(tail -n 1 "$work/import")"
else
	opened=0
	for name in german.msg multi-nested.msg russian.msg simple-attachment.msg; do
		message=$corpus/mime4j/$name
		"$work/entity" < "$message" > "$work/expected"
		"$build/sealgate" seal --envelope --to "$work/rsa.pem" < "$message" > "$work/sealed.eml"
		base64_part "$work/sealed.eml" "$work/cms"
		# the key's own passphrase in the agent is empty or the one of the import
		gpgsm_here --passphrase-fd 0 --decrypt -o "$work/inner" --yes "$work/cms" <<< test \
			> "$work/error" 2>&1
		if cmp -s "$work/inner" "$work/expected"; then
			opened=$((opened + 1))
		else
			not_ok "gpgsm opens $name: $(tail -n 2 "$work/error")"
		fi
	done
	[[ $opened -eq 4 ]] && echo "ok GnuPG opens four messages of the corpus, byte for byte"
fi

# Errors: one clear line, nothing on standard output, exit codes of sysexits.h.
refused() {
	local name=$1 code=$2 status
	shift 2
	"$build/sealgate" "$@" < "$corpus/mime4j/simple.msg" > "$work/out" 2> "$work/error"
	status=$?
	if [[ $status -eq $code && ! -s $work/out && $(wc -l < "$work/error") -le 3 ]]; then
		echo "ok $name"
	else
		not_ok "$name: exit $status, expected $code; $(cat "$work/error")"
	fi
}
echo "no certificate" > "$work/bad.pem"
: > "$work/empty"
refused "a file that is no certificate is bad data" 65 seal --envelope --to "$work/bad.pem"
refused "a certificate file that is missing" 66 seal --envelope --to "$work/missing.pem"
refused "no recipient is a usage error" 64 seal --envelope
refused "both ways at once is a usage error" 64 seal --envelope --pdf --to "$work/rsa.pem"
refused "an empty password never makes a PDF" 64 seal --pdf --password-file "$work/empty"
exit "$failed"
