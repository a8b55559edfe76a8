#!/bin/bash
# sbom.sh VERSION PROGRAM...: the third-party software that these programs use, SPDX 2.3 as JSON.
#
# Libraries that the programs name themselves (DYNAMIC_LINK), those that come along (DEPENDS_ON) and
# the packages of group "run" in config/packages, each with the version that dpkg has here.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$1
shift

# The packages of the files on standard input. /lib is a link to /usr/lib and dpkg knows a file by one of
# the two: what it does not find is no failure.
owners() {
	local path
	while read -r path; do
		printf '%s\n' "$path" "${path#/usr}" "$(realpath "$path")"
	done | sort -u | { xargs -r dpkg -S 2> /dev/null || true; } | sed -E 's/^([a-z0-9.+-]+).*/\1/' | sort -u
}

# $1: what the packages on standard input are to us. dpkg expands the ${...}
# shellcheck disable=SC2016
versions() {
	xargs -r dpkg-query -W -f "$1"'\t${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\t${Homepage}\n'
}

linked=$(ldd "$@" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u)
named=$(readelf -d "$@" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u)
# shellcheck disable=SC2001
direct=$(grep -F "$(sed 's|^|/|' <<< "$named")" <<< "$linked" | owners)
all=$(owners <<< "$linked")
run=$(awk '$1 == "run" { print $2 }' config/packages | sort -u)

{
	versions DYNAMIC_LINK <<< "$direct"
	comm -13 <(echo "$direct") <(echo "$all") | versions DEPENDS_ON
	comm -23 <(echo "$run") <(echo "$all") | versions RUNTIME_DEPENDENCY_OF
} | jq -R -s --arg version "$version" --arg date "$(date -u +%Y-%m-%dT%H:%M:%SZ)" '
	def id: "SPDXRef-" + gsub("[^A-Za-z0-9.-]"; "-");
	[split("\n")[] | select(. != "") | split("\t")] as $rows |
	"SPDXRef-sealgate" as $self |
	{
		spdxVersion: "SPDX-2.3",
		dataLicense: "CC0-1.0",
		SPDXID: "SPDXRef-DOCUMENT",
		name: "sealgate-\($version)",
		documentNamespace: "https://sealgate.example/spdx/sealgate-\($version)-\($date)",
		creationInfo: { created: $date, creators: ["Tool: sealgate-sbom"] },
		packages: ([{
			SPDXID: $self, name: "sealgate", versionInfo: $version,
			downloadLocation: "NOASSERTION", filesAnalyzed: false,
			licenseConcluded: "ISC", licenseDeclared: "ISC",
			copyrightText: "2026 The Sealgate authors"
		}] + [$rows[] | {
			SPDXID: (.[1] | id), name: .[1], versionInfo: .[2],
			supplier: "Organization: Debian", downloadLocation: "NOASSERTION", filesAnalyzed: false,
			sourceInfo: "built from Debian source package \(.[4]) \(.[5])",
			licenseConcluded: "NOASSERTION", licenseDeclared: "NOASSERTION",
			copyrightText: "NOASSERTION",
			externalRefs: [{
				referenceCategory: "PACKAGE-MANAGER", referenceType: "purl",
				referenceLocator: "pkg:deb/debian/\(.[1] | @uri)@\(.[2] | @uri)?arch=\(.[3])"
			}]
		} + (if .[6] != "" then { homepage: .[6] } else {} end)]),
		relationships: ([{
			spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: $self
		}] + [$rows[] | if .[0] == "RUNTIME_DEPENDENCY_OF" then {
			spdxElementId: (.[1] | id), relationshipType: .[0], relatedSpdxElement: $self
		} else {
			spdxElementId: $self, relationshipType: .[0], relatedSpdxElement: (.[1] | id)
		} end])
	}'
