#!/bin/bash
# build.sh VERSION FOLDER: the Debian package, in FOLDER. "make deb" calls it.
#
# dpkg wants a folder debian/ in the top level, which this tree does not have: so the package is built
# in a copy of the tree, with config/debian as its debian/. What "make all" has compiled is copied
# too, with its times, and only linked again.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=$1
out=$2
work=$out/sealgate-$version

rm -rf "$work"
rm -f "$out"/sealgate*_"$version"_*
mkdir -p "$work/build/release" "$work/tests"
cp -a Makefile LICENSE README.md config docs gateway milter pdfenc "$work/"
cp -a tests/tests.mk "$work/tests/"
cp -a build/release/obj build/release/gen "$work/build/release/"
mv "$work/config/debian" "$work/debian"
rm "$work/debian/build.sh"

packages=$(awk '$1 == "build" && !seen[$2]++ { printf "%s%s", sep, $2; sep = ", " }' config/packages)
sed -i "s/@BUILD@/$packages/" "$work/debian/control"
if [[ $(sed -n '1s/.*(\(.*\)).*/\1/p' "$work/debian/changelog") != "$version" ]]; then
	# another version than the last entry: named on the command line of make
	{
		printf 'sealgate (%s) unstable; urgency=medium\n\n  * Version %s.\n\n' "$version" "$version"
		grep -m 1 '^ -- ' config/debian/changelog
		echo
		cat config/debian/changelog
	} > "$work/debian/changelog"
fi

cd "$work"
DEB_BUILD_OPTIONS="parallel=$(nproc) nocheck ${DEB_BUILD_OPTIONS:-}" MAKEFLAGS='' \
	dpkg-buildpackage -b -nc -us -uc "-J$(nproc)" > ../build.log 2>&1 || {
	tail -n 30 ../build.log >&2
	exit 1
}
printf '%s\n' "$out"/sealgate_"$version"_*.deb
