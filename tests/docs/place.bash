# shellcheck shell=bash disable=SC2154
# place.bash: what the lists of commands find when they begin: an editor that knows what to write, a
# Postfix as Debian makes it, a sink for all its mail. Sourced by play.bash, in a copy of the system.

# The editor puts in what lies in "edits": a section takes the place of the one of that name. Of a
# drop-in systemd keeps what stands above a comment.
make_editor() {
	cat > /usr/local/bin/editor <<-'SH'
		#!/bin/bash
		if grep -q '^### Anything between' "$1"; then
			sed -i '/^### Anything between/r /srv/shown/edits' "$1"
		else
			while read -r section; do
				sed -i "/^$section {/,/^}/d" "$1"
			done < <(sed -n "s/^\\([a-z]*\\) {.*/\\1/p" /srv/shown/edits)
			cat /srv/shown/edits >> "$1"
		fi
		: > /srv/shown/edits
	SH
	chmod 755 /usr/local/bin/editor
	: > edits
}

make_postfix() {
	cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
	cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf
	postconf -e 'relayhost = [127.0.0.1]:2525' 'inet_interfaces = 127.0.0.1' 'inet_protocols = ipv4' \
		'smtp_host_lookup = native' 'maillog_file = /var/log/mail.log' 'mydestination =' 'alias_maps =' \
		'myhostname = gate.example.com' 'myorigin = example.com' 'compatibility_level = 3.6' \
		'smtpd_peername_lookup = no' 'queue_run_delay = 2s' 'minimal_backoff_time = 2s' 'maximal_backoff_time = 3s'
	rm -rf /var/spool/postfix/{incoming,active,deferred,hold,maildrop}/*
	: > /var/log/mail.log
	chgrp adm /var/log/mail.log
	chmod 640 /var/log/mail.log
	cp /etc/postfix/main.cf main.before
	cp /etc/postfix/master.cf master.before
	postfix start > log/postfix.out 2>&1
	sink_start "$place/sink" 2525
}

as_before() { cmp main.before /etc/postfix/main.cf && cmp master.before /etc/postfix/master.cf; }

# What the editor writes: the tenant of the manual page, and a rule for the sink, which has no TLS.
tenant_edits() {
	block docs/man/sealgate.conf.5 'tenant "example" {' | sed 's|192\.0\.2\.0|127.0.0.0/8, &|'
	printf 'hop "[127.0.0.1]:2525" {\n\ttls = none\n\treason = "a sink on loopback"\n}\n'
}

certificate() {
	openssl req -x509 -newkey rsa:2048 -nodes -days 20 -subj "/CN=$1" -addext "subjectAltName=email:$1" \
		-addext keyUsage=keyEncipherment -addext extendedKeyUsage=emailProtection -keyout bob.key -out bob.pem 2> /dev/null
}

# mail TO SUBJECT MESSAGE-ID; hand gives it to sendmail
mail() { printf 'From: alice@example.com\nTo: %s\nSubject: %s\nMessage-ID: <%s>\n\nThe word is %s.\n' "$@" "$stack_word"; }
hand() {
	local to
	IFS=, read -ra to <<< "$1"
	mail "$@" | sendmail -f alice@example.com "${to[@]}"
}

# has_all FILE LINES: the lines stand in the file; spaces at their ends do not count.
has_all() { [[ $(sed 's/ *$//' "$1") == *"$(sed 's/ *$//' "$2")"* ]]; }
