# shellcheck shell=bash disable=SC2034,SC2154
# internet_table.bash: the table of peers and plans. Sourced, after internet.bash.
#
# A message for each plan goes to PLAN@DOMAIN for each domain of a table:
#
#   plain      not flagged            order  [secure]; the tenant's order is "tls, pdf"
#   envelope   [envelope]             tls    [tls]
#   pdf        [pdf]
#
# What becomes of it is one word: WHAT/TLS/PEER as the peer got it, such as "pdf/TLSv1.3/Verified"
# (WHAT: clear, envelope, pdf. TLS: as the peer's own Received field says, tcp = none. PEER: how
# Postfix on this side judged the peer's certificate: Verified, Trusted, Untrusted); "waits" in the
# queue; "told": the sender got it back; "refused" or "later": 5xx or 4xx to the sender's program;
# "lost", "twice".

plans=(plain envelope pdf order tls)
plain_word=Sunshine0815
declare -A replied=()

subject_of() {
	case $1 in
	plain) echo "Lunch" ;;
	order) echo "[secure] Offer" ;;
	*) echo "[$1] Offer" ;;
	esac
}

# smtp_say LINE: says it at fd 7, reads the whole reply into smtp_reply.
smtp_say() {
	local line
	[[ -z $1 ]] || printf '%s\r\n' "$1" >&7
	smtp_reply=
	while IFS= read -r -t 60 line <&7; do
		smtp_reply=${line%$'\r'}
		[[ ${line:3:1} == - ]] || return 0
	done
	return 1
}

# mail_to PLAN DOMAIN...: a message to each over one connection; replies go to replied[ADDRESS].
# mail_header may hold header lines more.
mail_header=
mail_to() {
	local plan=$1 domain word=$stack_word smtp_reply
	shift
	[[ $plan != plain ]] || word=$plain_word
	exec 7<> "/dev/tcp/127.0.0.1/$smtp_port"
	smtp_say ''
	smtp_say 'EHLO client.example'
	for domain in "$@"; do
		smtp_say 'MAIL FROM:<alice@inside.example>'
		smtp_say "RCPT TO:<$plan@$domain>"
		[[ $smtp_reply == 2* ]] && smtp_say DATA
		if [[ $smtp_reply == 354* ]]; then
			printf '%s\r\n' 'From: Alice <alice@inside.example>' "To: <$plan@$domain>" \
				"Subject: $(subject_of "$plan")" "Message-ID: <$plan.$domain@client.example>" >&7
			[[ -z $mail_header ]] || printf '%s\r\n' "$mail_header" >&7
			printf '%s\r\n' '' "The word is $word." "Last line." >&7
			smtp_say .
		else
			replied["$plan@$domain"]=$smtp_reply
			smtp_say RSET
			continue
		fi
		replied["$plan@$domain"]=$smtp_reply
	done
	printf 'QUIT\r\n' >&7
	exec 7>&-
}

# people_at DOMAIN...: one certificate for envelope@ all of them, a password for pdf@ and order@.
people_at() {
	local domain names=
	for domain in "$@"; do
		names+=",email:envelope@$domain"
	done
	mkdir -p "$stack/certs"
	openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=envelope \
		-addext "subjectAltName=${names#,}" -addext keyUsage=keyEncipherment,digitalSignature \
		-addext extendedKeyUsage=emailProtection -keyout "$stack/certs/all.key" \
		-out "$stack/certs/all.pem" 2> "$stack/log/openssl.out"
	sg cert add "$stack/certs/all.pem" > "$stack/log/cert.out" 2>&1 || cat "$stack/log/cert.out"
	printf 'a password for all\n' > "$stack/password"
	for domain in "$@"; do
		sg password set --password-file "$stack/password" "pdf@$domain"
		sg password set --password-file "$stack/password" "order@$domain"
	done > "$stack/log/password.out" 2>&1
}

# Everything that peers have: "ADDRESS WHAT/TLS" a line.
arrivals() {
	find "$net/mail/all/new" -type f -exec awk '
		function out() { if (to != "") print to, what "/" tls }
		FNR == 1 { out(); to = ""; what = "clear"; tls = "tcp"; head = 1; received = 0 }
		/^$/ { head = 0 }
		head && tolower($0) ~ /^delivered-to:/ && to == "" { to = tolower($2) }
		head && /^Received:/ { received++ }
		head && received == 1 && match($0, /using TLSv[0-9.]+/) { tls = substr($0, RSTART + 6, RLENGTH - 6) }
		head && tolower($0) ~ /^content-type: *application\/pkcs7-mime/ { what = "envelope" }
		tolower($0) ~ /^content-type: *application\/pdf/ { what = "pdf" }
		END { out() }' {} +
}

# How each was delivered by the gateway's Postfix: "ADDRESS PEER", PEER as its log judges.
judgements() {
	awk '
		match($0, /smtp\[[0-9]+\]/) { pid = substr($0, RSTART, RLENGTH) }
		match($0, /(Verified|Trusted|Untrusted|Anonymous) TLS connection established to [^:]*/) {
			split(substr($0, RSTART, RLENGTH), word, " "); judged[pid, word[6]] = word[1]; next
		}
		/ status=sent / && match($0, /to=<[^>]*>/) {
			to = tolower(substr($0, RSTART + 4, RLENGTH - 5))
			match($0, /relay=[^,:]*/); relay = substr($0, RSTART + 6, RLENGTH - 6)
			if (relay !~ /^127\.0\.0\.1\[/)
				print to, ((pid, relay) in judged ? judged[pid, relay] : "-")
		}' "$stack/log/mail.log"
}

# The recipients that the sender was told about.
told() {
	arrived alice@inside.example | xargs -r sed -n "s/^Final-Recipient: rfc822; *//p" | tr "[:upper:]" "[:lower:]"
}

declare -A now=()

# look DOMAIN...: what is with each cell now, into now[PLAN@DOMAIN].
look() {
	local domain plan address what peer
	declare -A got=() judged=() waiting=() returned=()
	while read -r address what; do
		if [[ -n ${got[$address]:-} ]]; then got[$address]=twice; else got[$address]=$what; fi
	done < <(arrivals)
	while read -r address peer; do judged[$address]=$peer; done < <(judgements)
	while read -r _ _ address _; do waiting[$address]=1; done < <(postfix_queue "$stack")
	while read -r address; do returned[$address]=1; done < <(told)
	for domain in "$@"; do
		for plan in "${plans[@]}"; do
			address=$plan@$domain
			what=${got[$address]:-}
			case ${replied[$address]:-} in
			2*)
				if [[ $what == */TLS* ]]; then
					what+=/${judged[$address]:-?}
				elif [[ -z $what && -n ${waiting[$address]:-} ]]; then
					what=waits
				elif [[ -z $what && -n ${returned[$address]:-} ]]; then
					what=told
				fi
				;;
			4*) what+=later ;;
			5*) what+=refused ;;
			*) what+=unsent ;;
			esac
			now[$address]=${what:-lost}
		done
	done
}

# wrong_cells TABLE: the cells that are not what the table says, "ADDRESS: EXPECTED, is IS".
wrong_cells() {
	local domain words plan n
	while read -r domain words; do
		[[ -n $domain ]] || continue
		n=0
		for plan in "${plans[@]}"; do
			n=$((n + 1))
			expected=$(cut -d ' ' -f "$n" <<< "$words")
			[[ ${now[$plan@$domain]} == "$expected" ]] ||
				printf '%s: %s, is %s\n' "$plan@$domain" "$expected" "${now[$plan@$domain]}"
		done
	done <<< "$1"
}

# table SECONDS TABLE: sends everything, waits until all cells are right or the time is over, and
# then once more, whether they stay so. A case for each cell.
table() {
	local end domains words plan n domain expected
	local table
	table=$(sed -E 's/#.*//; s/[ \t]+/ /g; s/^ //; /^ *$/d' <<< "$2")
	mapfile -t domains < <(cut -d ' ' -f 1 <<< "$table")
	people_at "${domains[@]}"
	for plan in "${plans[@]}"; do
		mail_to "$plan" "${domains[@]}"
	done
	end=$((SECONDS + $1))
	while sleep 1 && look "${domains[@]}" && [[ -n $(wrong_cells "$table") && $SECONDS -lt $end ]]; do
		postfix_flush "$stack"
	done
	# what is to wait must go on waiting
	for n in 1 2; do
		postfix_flush "$stack"
		sleep 1.2
	done
	look "${domains[@]}"
	while read -r domain words; do
		n=0
		for plan in "${plans[@]}"; do
			n=$((n + 1))
			expected=$(cut -d ' ' -f "$n" <<< "$words")
			if [[ ${now[$plan@$domain]} == "$expected" ]]; then
				ok "$domain, $plan: $expected"
			else
				not_ok "$domain, $plan" "expected $expected, is ${now[$plan@$domain]}" \
					"${replied[$plan@$domain]}" \
					"$(postfix_queue "$stack" | grep -F " $plan@$domain ")" \
					"$(grep -F "to=<$plan@$domain>" "$stack/log/mail.log" | tail -n 2)"
			fi
		done
	done <<< "$table"
}

# clear_deliveries: flagged mail that a peer could read though nothing had proven who the peer is: files.
clear_deliveries() {
	local file to
	declare -A judged=()
	while read -r to peer; do judged[$to]=$peer; done < <(judgements)
	grep -rlF -- "$stack_word" "$net/mail" | while read -r file; do
		to=$(sed -n 's/^Delivered-To: //p; /^$/q' "$file" | head -n 1)
		if [[ $to != order@* && $to != tls@* || $(over_what "$file") != TLSv1.[23] ||
			${judged[$to]:-} != Verified ]]; then
			printf '%s %s %s\n' "$to" "$(over_what "$file")" "$file"
		fi
	done
}

# left_marked: messages whose own header still has a route or mark (a report to the sender quotes one).
left_marked() {
	find "$net/mail/all/new" -type f -exec awk 'FNR == 1 { head = 1 } /^$/ { head = 0 }
		head && /^X-Sealgate-(Mark|Route)/ { print FILENAME }' {} +
}

# end_of_table: what must hold for all that peers got, and for the whole log.
end_of_table() {
	check_equal "clear deliveries of flagged mail: 0" "$(clear_deliveries | wc -l)" 0
	check_equal "no route or mark of ours has left" "$(left_marked)" ''
	check_not "nothing waits in a queue of the peers" grep -q . <<< "$(postfix_queue "$net/world")"
}
