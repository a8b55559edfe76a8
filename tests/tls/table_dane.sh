#!/bin/bash
# Peers with DNSSEC, each plan: what really arrived. See internet_table.bash for the words.
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
# shellcheck source=tests/lib/internet.bash
. "$(dirname "$0")/../lib/internet.bash"
# shellcheck source=tests/lib/internet_table.bash
. "$(dirname "$0")/../lib/internet_table.bash"
stack_tenant='protections = { "tls", "pdf" }'
internet_and_gateway table-dane

v=TLSv1.3/Verified
t=TLSv1.3/Trusted
u=TLSv1.3/Untrusted
table 25 "
# domain              plain     envelope    pdf    order  tls
dane.example          clear/$v  envelope/$v pdf/$v clear/$v clear/$v
daneta.example        clear/$v  envelope/$v pdf/$v clear/$v clear/$v
cname.example         clear/$v  envelope/$v pdf/$v clear/$v clear/$v
xn--bcher-kva.example clear/$v  envelope/$v pdf/$v clear/$v clear/$v
grey.example          clear/$v  envelope/$v pdf/$v clear/$v clear/$v
wrong.example         waits     told        told   pdf/$t   told
stripped.example      waits     told        told   pdf/tcp  told
pkix.example          clear/$u  envelope/$u pdf/$u pdf/$u   refused
notlsa.example        clear/$u  envelope/$u pdf/$u pdf/$u   refused
expired.example       waits     waits       waits  later    later
bogus.example         waits     waits       waits  later    later
null.example          told      told        told   told     refused
gone.example          told      told        told   told     refused
"
end_of_table
