#!/bin/bash
# Plays the scenarios of the TLS policy engine; each case is one test.
set -u
here=$(cd "$(dirname "$0")" && pwd)
exec "${SG_BUILD:-$here/../../build/release}/play/tls" "$here"/scenarios/tls/*.play
