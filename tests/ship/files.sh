#!/bin/bash
# files.sh: what is shipped beside the programs: the unit, its users, the AppArmor profile, the list of
# third-party software.
set -uo pipefail
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"

stack=$(mktemp -d /tmp/sealgate-files.XXXXXX)
mkdir -p "$stack/log"
trap stack_exit EXIT
cd "$stack_root" || exit 1
there=$stack/there

# what is built already is not built again
fake_install() {
	make --no-print-directory VARIANT=release -o all install DESTDIR="$there" PREFIX=/usr \
		UNITDIR=/lib/systemd/system
}
check install_works fake_install
unit=$there/lib/systemd/system/sealgate.service

check_match the_unit_starts_what_is_installed "$(grep ^ExecStart= "$unit")" '^ExecStart=/usr/sbin/sealgate run --standby$'
check_not no_place_holder_is_left grep -rn '@[A-Z]*@' "$there/lib" "$there/etc"

score() { systemd-analyze security --offline=yes --no-pager "$unit" | sed -n 's/.*exposure level.*: \([0-9.]*\) .*/\1/p'; }
if command -v systemd-analyze > /dev/null; then
	got=$(score)
	check "the_exposure_is_at_most_2.0: ${got:-none}" awk -v got="${got:-10}" 'BEGIN { exit !(got <= 2.0) }'
else
	ok 'the_exposure: no systemd-analyze here'
fi

# every user that the configuration names is made, and so is the one of the unit
wanted() {
	sed -n 's/.*= "\(sealgate-[a-z]*\)"$/\1/p' config/sealgate.conf
	sed -n 's/^User=//p' "$unit"
}
made=$(awk '$1 == "u" { print $2 }' "$there/usr/lib/sysusers.d/sealgate.conf" | sort)
check_equal all_users_are_made "$made" "$(wanted | sort -u)"
owners() { awk '$1 == "d" { print $4; print $5 }' "$there/usr/lib/tmpfiles.d/sealgate.conf" | sort -u; }
check_equal folders_belong_to_users_that_are_made "$(comm -23 <(owners) <(echo "$made"))" ''

if command -v apparmor_parser > /dev/null; then
	check the_profile_is_understood apparmor_parser -Q -K "$there/etc/apparmor.d/sealgate"
else
	ok 'the_profile: no apparmor_parser here'
fi

sbom=$stack/sbom.json
make_sbom() { bash config/sbom.sh 1.2 "$stack_build/sealgate-scan" "$stack_build/sealgate-milter" > "$sbom"; }
check the_inventory_is_made make_sbom
check_equal it_is_spdx "$(jq -r .spdxVersion "$sbom")" SPDX-2.3
version=$(dpkg-query -W -f '${Version}' libmilter1.0.1)
check_equal it_has_versions "$(jq -r '.packages[] | select(.name == "libmilter1.0.1").versionInfo' "$sbom")" "$version"
how() { jq -r --arg id "SPDXRef-$1" '.relationships[] | select([.relatedSpdxElement, .spdxElementId] | index($id)).relationshipType' "$sbom"; }
check_equal what_is_linked_is_told "$(how libmilter1.0.1)" DYNAMIC_LINK
check_equal what_comes_along_is_told "$(how libpcre2-8-0)" DEPENDS_ON
check_equal what_is_called_is_told "$(how postfix)" RUNTIME_DEPENDENCY_OF
dangling() {
	jq -r '([.packages[].SPDXID] + ["SPDXRef-DOCUMENT"]) as $known | .relationships[] |
		.spdxElementId, .relatedSpdxElement | select(. as $id | $known | index($id) | not)' "$sbom"
}
check_equal every_relation_has_both_ends "$(dangling)" ''
