#!/bin/bash
# long: make check-long and make ci run it, make check does not
# Peers without DNSSEC, with MTA-STS and without, each plan: what really arrived. See internet_table.bash for the words.
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
# shellcheck source=tests/lib/internet.bash
. "$(dirname "$0")/../lib/internet.bash"
# shellcheck source=tests/lib/internet_table.bash
. "$(dirname "$0")/../lib/internet_table.bash"
stack_tenant='protections = { "tls", "pdf" }'
# no aliases here: Sealgate may seal and route in front of the queue
internet_start
stack_main+=(virtual_alias_maps=)
stack_start table-sts


v=TLSv1.3/Verified
t=TLSv1.3/Trusted
u=TLSv1.3/Untrusted
table 25 "
# domain       plain        envelope    pdf    order   tls
enforce.plain  clear/$v     envelope/$v pdf/$v clear/$v clear/$v
testing.plain  clear/$t     envelope/$t pdf/$t pdf/$t  refused
none.plain     clear/$t     envelope/$t pdf/$t pdf/$t  refused
wrongweb.plain clear/$t     envelope/$t pdf/$t pdf/$t  refused
redirect.plain clear/$t     envelope/$t pdf/$t pdf/$t  refused
outside.plain  waits        told        told   pdf/$t  told
badmx.plain    waits        told        told   pdf/$t  told
cutsts.plain   waits        told        told   pdf/tcp told
clear.plain    clear/tcp    told        told   told    refused
cut.plain      clear/tcp    told        told   told    refused
old.plain      clear/TLSv1/Untrusted told told told    refused
self.plain     clear/$u     envelope/$u pdf/$u pdf/$u  refused
aonly.plain    clear/$u     envelope/$u pdf/$u pdf/$u  refused
gone.plain     told         told        told   told    refused
"
# a policy counts until its max_age (12 s) is over, also when it cannot be fetched again; then no longer
plans=(plain tls order)
people_at short.plain
mail_to plain short.plain
arrives plain@short.plain
rm "$net/web/mta-sts.short.plain/.well-known/mta-sts.txt"
mail_to tls short.plain
arrives tls@short.plain
look short.plain
check_equal "MTA-STS with max_age 12: enforced" "${now[plain@short.plain]} ${now[tls@short.plain]}" \
	"clear/$v clear/$v"
not_any_more() {
	mail_to tls short.plain
	[[ ${replied[tls@short.plain]} == 550* ]]
}
check "and not provable any more when it is over" wait_for 20 not_any_more
mail_to order short.plain
arrives order@short.plain
look short.plain
check_equal "then flagged mail goes as a PDF" "${now[order@short.plain]}" "pdf/$t"

end_of_table
