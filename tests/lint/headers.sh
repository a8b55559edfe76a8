#!/bin/bash
# headers.sh "FLAGS" HEADER...: what gcc says of each header alone.
read -ra flags <<< "$1"
shift
for header in "$@"; do
	gcc "${flags[@]}" -Wall -Wextra -Wstrict-prototypes -fsyntax-only -x c -include "$header" \
		/dev/null 2>&1 | grep -E ': (error|warning|fatal)'
done
exit 0
