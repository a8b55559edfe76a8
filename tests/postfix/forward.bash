# shellcheck shell=bash disable=SC2034,SC2154,SC2120
# forward.bash: what the forward_* scripts share. Sourced.

# shellcheck source=tests/postfix/flow.bash
. "$(dirname "${BASH_SOURCE[0]}")/flow.bash"

# boxes_main, boxes_make: mailboxes of own users below $stack/mailboxes, their .forward files in
# $stack/forward; the second as soon as there is a main.cf.
boxes_main() {
	stack_main+=(mydestination=inside.example local_recipient_maps= recipient_delimiter=+)
}

boxes_make() {
	mkdir "$stack/forward"
	mkdir -m 1777 "$stack/mailboxes"
	postconf -c "$stack/config" -e "mail_spool_directory=$stack/mailboxes/" \
		"forward_path=$stack/forward/\$user\${recipient_delimiter}\${extension}, $stack/forward/\$user"
	printf 'alice: %s/mailboxes/alice/\n' "$stack" >> "$stack/config/aliases"
}

# The first thing that the stack does with its folder: the boxes are there before Postfix.
eval "stock_$(declare -f sink_start)"
sink_start() {
	[[ -d $stack/forward ]] || boxes_make
	stock_sink_start "$@"
}

# attach_again SETTING...: main.cf has these, and Sealgate with them.
attach_again() {
	postconf -c "$stack/config" -e "$@"
	sg postfix attach -y --config-directory "$stack/config" > "$stack/log/attach.out" 2>&1 || {
		cat "$stack/log/attach.out" >&2
		return 1
	}
	touch -d "1 minute ago" "$stack"/config/m*.cf
	postfix_reload "$stack"
}

# aliases LINE...: more lines for the alias file.
aliases() {
	printf '%s\n' "$@" >> "$stack/config/aliases"
	postalias -c "$stack/config" "hash:$stack/config/aliases"
}

# forward_file USER LINE...: the user's .forward.
forward_file() {
	printf '%s\n' "${@:2}" > "$stack/forward/$1"
	chown "${1%%+*}" "$stack/forward/$1"
}

# box USER: the messages in a mailbox, a line each.
box() { find "$stack/mailboxes/$1/new" -type f 2> /dev/null | sort; }

# boxed NAME USER COUNT: so many messages for an own user, all readable.
boxed() {
	local file readable=0
	for file in $(box "$2"); do
		if grep -qF "$secret" "$file"; then readable=$((readable + 1)); fi
	done
	check_equal "$1" "$(box "$2" | wc -l) $readable" "$3 $3"
}

# told NAME ADDRESS: alice has one bounce, about this recipient, without a word of the body.
told() {
	local files
	mapfile -t files < <(box alice)
	check_equal "$1: the sender is told once" "${#files[@]}" 1
	check_match "$1: of the recipient" "$(cat "${files[@]-/dev/null}")" "$2"
	check_equal "$1: without the body" "$(grep -lF "$secret" "${files[@]-/dev/null}")" ""
}

# outside_is_sealed NAME: nothing that left is clear, and nothing of ours is left on it. (Reports quote
# the header fields of what they are about.)
outside_is_sealed() {
	local mail
	no_leaks "$1: nothing clear outside"
	mapfile -t mail < <(grep -rLi '^Content-Type: multipart/report' "$stack/sink")
	check_equal "$1: no field and no suffix of ours" \
		"$(grep -hiE '^X-Sealgate|sealgate\.invalid' "${mail[@]-/dev/null}")" ''
}

boxes_clear() {
	sink_clear
	find "$stack/mailboxes" -type f -delete
}

# resend_make: $stack/resend PORT ADDRESS sends standard input on by SMTP, as a forwarder does.
resend_make() {
	cat > "$stack/resend" <<-'END'
		#!/bin/bash
		exec 7<> "/dev/tcp/127.0.0.1/$1" || exit 75
		talk() {
			local line
			[[ $# -eq 0 ]] || printf '%s\r\n' "$1" >&7
			while IFS= read -r -t 60 line <&7; do
				[[ $line == ???-* ]] || break
			done
			[[ $line == [23]* ]] || { echo "$line"; exit 77; }
		}
		talk
		talk 'EHLO forwarder.inside.example'
		talk "MAIL FROM:<${SENDER-}>"
		talk "RCPT TO:<$2>"
		talk DATA
		sed '1{/^From /d}; s/\r$//; s/^\./../; s/$/\r/' >&7
		talk .
		talk QUIT
	END
	chmod 755 "$stack/resend"
}

# flagged NAME RECIPIENT...: sent, and everything decided.
flagged() {
	local name=$1
	shift
	message "${name// /_}" '[secure] Plan'
	check "$name: accepted" mail_out "$stack/${name// /_}.eml" "<$alice> RET=FULL" "${@/*/<&>}"
	check "$name: decided" all_gone
}
