#!/bin/bash
# Prints scenarios for every cell of the table: who routes x transport x next hop x proof of TLS x
# floor of sealed mail x order x one or many recipients, at the front and at the second stage. What
# is expected follows from rules that are written down here again, independently of the filter.
set -u

# --- the rules ---

# plan ORDER ROUTED PROOF: tls, a way of sealing, later (451) or never (550)
plan() {
	local order=$1 routed=$2 proof=$3
	case $order in
	envelope) echo envelope && return ;;
	tls,pdf) local next=pdf ;;
	*) local next=never ;;	# the tag [tls]
	esac
	if [ "$routed" = no ] || [ "$proof" = no ]; then
		echo "$next"
	elif [ "$proof" = unknown ]; then
		echo later
	else
		echo tls
	fi
}

# place PLAN MACRO ROUTED FLOOR MANY: here or marked (at the front)
place() {
	local plan=$1 macro=$2 floor=$3 many=$4
	if [ "$many" = 2 ]; then
		echo marked
	elif [ "$plan" = tls ]; then
		if [ "$macro" = stage ]; then echo marked; else echo here; fi
	elif [ "$floor" = may ] || [ "$macro" != stage ]; then
		echo here
	else
		echo marked
	fi
}

# route PLAN ROUTED FLOOR MAILER HOP: the value, or nothing
route() {
	local plan=$1 routed=$2 floor=$3 mailer=$4 hop=$5 kind=sealed
	[ "$plan" = tls ] && kind=tls
	[ "$routed" = yes ] || return
	[ "$kind" = tls ] || [ "$floor" = encrypt ] || return
	if [ "$hop" = partner.test ]; then echo "$kind $mailer"; else echo "$kind $mailer $hop"; fi
}

# --- the scenarios ---

expect_kept() {
	local plan=$1 value=$2
	printf '\texpect accept\n'
	if [ "$plan" = tls ]; then
		printf '\texpect record routed bob@partner.test tls\n\texpect no-body\n'
		printf '\texpect edit add X-Sealgate-Kept\n\texpect sender RET=HDRS\n'
	else
		printf '\texpect record sealed bob@partner.test %s\n' "$plan"
		printf '\texpect no-body secret\n\texpect no-edit add X-Sealgate-Kept\n'
	fi
	if [ -n "$value" ]; then
		printf '\texpect edit add X-Sealgate-Route %s\n' "$value"
	else
		printf '\texpect no-edit add X-Sealgate-Route\n'
	fi
	printf '\texpect no-edit add X-Sealgate-Mark\n'
}

expect_marked() {
	printf '\texpect accept\n\texpect edit add X-Sealgate-Mark\n\texpect no-body\n'
	printf '\texpect no-edit add X-Sealgate-Route\n\texpect sender RET=HDRS\n'
}

expect_not() {
	if [ "$1" = later ]; then
		printf '\texpect tempfail 451 4.3.0\n'
	else
		printf '\texpect reject 550 5.7.1\n'
	fi
	printf '\texpect no-edit\n\texpect no-body\n'
}

# One message: where it is (front, stage), and how the cell is.
message() {
	local where=$1 many=$2 mailer=$3 hop=$4 tag=$5
	printf '\tmail <alice@example.com>\n\trcpt <bob@partner.test> %s %s\n' "$mailer" "$hop"
	[ "$many" = 2 ] && printf '\trcpt <carol@partner.test> %s %s\n' "$mailer" "$hop"
	printf '\theader From: alice@example.com\n\theader Subject: [%s] x\n' "$tag"
	[ "$where" = stage ] && printf '\theader X-Sealgate-Mark: v=1; t=example; i=00; h=00\n'
	printf '\tbody secret\n\tend\n'
}

cell() {
	local where=$1 macro=$2 order=$3 mailer=$4 hop=$5 told=$6 floor=$7 many=$8
	local routed=no proof=$told tag=secure plan
	case $mailer in smtp | relay) [ "$macro" = none ] || routed=yes ;; esac
	# at a relay, the proof must be allowed to end there
	[ "$hop" != partner.test ] && [ "$told" = yes ] && proof=no
	[ "$told" = through ] && proof=yes
	[ "$order" = tag ] && tag=tls
	plan=$(plan "$order" $routed "$proof")
	printf '# %s recipients, next hop %s, proof %s, tls.sealed %s: %s\n' "$many" "$hop" "$told" \
		"$floor" "$plan"
	printf '\tforget\n\tproof %s %s\n\tconf tls.sealed %s\n' "$hop" "$told" "$floor"
	message "$where" "$many" "$mailer" "$hop" "$tag"
	if [ "$plan" = later ] || [ "$plan" = never ]; then
		expect_not "$plan"
	elif [ "$where" = front ] && [ "$(place "$plan" "$macro" "$floor" "$many")" = marked ]; then
		expect_marked
	else
		expect_kept "$plan" "$(route "$plan" $routed "$floor" "$mailer" "$hop")"
	fi
}

cells_of() {
	local where=$1 macro=$2 order=$3 mailer=$4 hop told floor many
	for hop in partner.test '[relay.example]:587'; do
		for told in yes no unknown $([ "$hop" = partner.test ] || echo through); do
			for floor in may encrypt; do
				for many in 1 $([ "$where" = stage ] || echo 2); do
					cell "$where" "$macro" "$order" "$mailer" "$hop" "$told" "$floor" "$many"
				done
			done
		done
	done
}

for where in front stage; do
	for macro in none front stage; do
		for order in tls,pdf envelope tag; do
			for mailer in smtp relay lmtp local; do
				printf 'case cells at the %s: routes by %s, order %s, transport %s\n' \
					$where $macro $order $mailer
				[ $macro = none ] || printf '\tmacro %s smtp relay\n' $macro
				[ $order = tag ] || printf '\torder %s\n' $order
				[ $where$order = stagetag ] && printf '\tmark-ways tls\n'
				printf '\tknow bob@partner.test envelope,pdf\n'
				printf '\tknow carol@partner.test envelope,pdf\n'
				printf '\tconnect %s\n' "$([ $where = front ] && echo 192.0.2.5 ||
					echo 127.0.0.1 SEALGATE)"
				cells_of $where $macro $order $mailer
			done
		done
	done
done
