#!/bin/bash
# long: make check-long and make ci run it, make check does not
# Beside what a Postfix often has already: OpenDKIM that signs, rspamd as a milter, amavis as content
# filter. Each real, with the settings of docs/beside.md; mail is scanned, flagged, sealed and signed.
set -uo pipefail

# shellcheck source=tests/postfix/flow.bash
. "$(dirname "$0")/flow.bash"

# started PORT: something listens.
listens() { (exec 9<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }

children=()
end_children() {
	[[ ${#children[@]} -eq 0 ]] || kill "${children[@]}" 2> /dev/null
	wait "${children[@]}" 2> /dev/null
	children=()
}

# ---- OpenDKIM ----

opendkim_start() {
	mkdir "$stack/opendkim"
	openssl genrsa -out "$stack/opendkim/key.pem" 2048 2> /dev/null
	dkim_public=$(openssl rsa -in "$stack/opendkim/key.pem" -pubout -outform DER 2> /dev/null | base64 -w0)
	cat > "$stack/opendkim/sign.conf" <<- END
		Syslog no
		Mode s
		Domain inside.example
		Selector gate
		KeyFile $stack/opendkim/key.pem
		Canonicalization relaxed/simple
		InternalHosts 127.0.0.1
		RequireSafeKeys no
		Background no
		Socket inet:$dkim_port@127.0.0.1
	END
	opendkim -f -x "$stack/opendkim/sign.conf" > "$stack/log/opendkim.out" 2>&1 &
	children+=($!)
}

# What Mail::DKIM says; the key that DNS would have is its argument.
# shellcheck disable=SC2016  # perl's own
dkim_verifier='use Mail::DKIM::Verifier; use Mail::DKIM::PublicKey; no warnings "redefine"; my $key = shift;
*Mail::DKIM::Signature::fetch_public_key = sub { 1 };
*Mail::DKIM::Signature::get_public_key = sub { Mail::DKIM::PublicKey->parse("v=DKIM1; k=rsa; p=$key") };
my $dkim = Mail::DKIM::Verifier->new;
while (<STDIN>) { s/\r?\n$/\r\n/; $dkim->PRINT($_) }
$dkim->CLOSE; print $dkim->result_detail, "\n"; exit($dkim->result ne "pass");'

# signed FILE: the signature of our domain holds.
signed() { sink_message "$1" | perl -e "$dkim_verifier" "$dkim_public"; }

case_opendkim() {
	message dkim_plain 'For all to read'
	check 'opendkim: plain mail accepted' mail_out "$stack/dkim_plain.eml" "<$alice>" "<$eve>"
	check 'opendkim: delivered' all_gone
	check 'opendkim: plain mail is signed' signed "$(the_copy "$eve")"
	sed -i 's/^Subject: For all/Subject: For none/' "$(the_copy "$eve")"
	check_not 'opendkim: the check can fail' signed "$(the_copy "$eve")"
	sink_clear
	message dkim_one '[secure] One'
	check 'opendkim: flagged, one recipient' mail_out "$stack/dkim_one.eml" "<$alice>" "<$bob>"
	check 'opendkim: delivered sealed' all_gone
	enveloped 'opendkim, one' "$(the_copy "$bob")" "$bob"
	check 'opendkim: what left is signed' signed "$(the_copy "$bob")"
	sink_clear
	message dkim_two '[secure] Two'
	check 'opendkim: flagged, two recipients' mail_out "$stack/dkim_two.eml" "<$alice>" "<$bob>" "<$carol>"
	check 'opendkim: both delivered' all_gone
	enveloped 'opendkim, two' "$(the_copy "$bob")" "$bob"
	pdfed 'opendkim, two' "$(the_copy "$carol")"
	check 'opendkim: the envelope is signed' signed "$(the_copy "$bob")"
	check 'opendkim: the PDF mail is signed' signed "$(the_copy "$carol")"
	no_leaks 'opendkim: nothing clear'
	sink_clear
}

# ---- rspamd ----

rspamd_start() {
	mkdir "$stack/rspamd"
	chmod 777 "$stack/rspamd"
	cat > "$stack/rspamd/rspamd.conf" <<- END
		options {
			filters = "";
			dns { nameserver = "127.0.0.1:1"; timeout = 0.1s; retransmits = 1; }
			tempdir = "$stack/rspamd";
		}
		logging { type = "file"; filename = "$stack/rspamd/rspamd.log"; level = "info"; }
		actions { reject = 15; add_header = 6; }
		worker "rspamd_proxy" {
			bind_socket = "127.0.0.1:$rspamd_port";
			milter = yes;
			count = 1;
			upstream "local" { default = yes; self_scan = yes; }
		}
	END
	rspamd -f -u _rspamd -g _rspamd -c "$stack/rspamd/rspamd.conf" > "$stack/log/rspamd.out" 2>&1 &
	children+=($!)
}

case_rspamd() {
	message junk 'Cheap'
	printf 'XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\n' >> "$stack/junk.eml"
	check_not 'rspamd: what it calls junk is refused' mail_out "$stack/junk.eml" "<$alice>" "<$eve>"
	check_match 'rspamd: in its own words' "$reply" '^5[0-9][0-9] .*[Gg]tube'
	message ham 'Not cheap'
	check 'rspamd: other mail accepted' mail_out "$stack/ham.eml" "<$alice>" "<$eve>"
	check 'rspamd: delivered' all_gone
	copies 'rspamd: once' "$eve" 1
	sink_clear
	message sealed_beside '[secure] Beside'
	check 'rspamd: flagged' mail_out "$stack/sealed_beside.eml" "<$alice>" "<$bob>" "<$carol>"
	check 'rspamd: delivered sealed' all_gone
	enveloped 'rspamd' "$(the_copy "$bob")" "$bob"
	pdfed 'rspamd' "$(the_copy "$carol")"
	no_leaks 'rspamd: nothing clear'
	sink_clear
}

# ---- amavis ----

amavis_start() {
	mkdir -p "$stack/amavis/tmp" "$stack/amavis/db"
	chown -R amavis:amavis "$stack/amavis"
	# not below what its user may write: amavis refuses that
	cat > "$stack/config/amavisd.conf" <<- END
		use strict;
		\$max_servers = 2;
		\$daemon_user = 'amavis';
		\$daemon_group = 'amavis';
		\$MYHOME = '$stack/amavis';
		\$TEMPBASE = "\$MYHOME/tmp";
		\$db_home = "\$MYHOME/db";
		\$lock_file = "\$MYHOME/amavisd.lock";
		\$pid_file = "\$MYHOME/amavisd.pid";
		\$enable_db = 0;
		\$mydomain = 'inside.example';
		\$myhostname = 'gate.inside.example';
		\$do_syslog = 0;
		\$LOGFILE = "\$MYHOME/amavis.log";
		\$inet_socket_port = $amavis_port;
		\$inet_socket_bind = '127.0.0.1';
		\$forward_method = 'smtp:[127.0.0.1]:$back_port';
		\$notify_method = \$forward_method;
		@bypass_virus_checks_maps = (1);
		@bypass_spam_checks_maps = (1);
		@local_domains_maps = (['.inside.example']);
		1;
	END
	amavisd -c "$stack/config/amavisd.conf" foreground > "$stack/log/amavis.out" 2>&1 &
	children+=($!)
}

# How the documentation of Debian's package sets it up, but for receive_override_options (the doctor
# refuses no_address_mappings at the front).
amavis_attach() {
	postconf -c "$stack/config" -Me "amavis/unix=amavis unix - - n - 2 smtp -o smtp_data_done_timeout=1200 -o disable_dns_lookups=yes" \
		"127.0.0.1:$back_port/inet=127.0.0.1:$back_port inet n - n - - smtpd -o content_filter= -o receive_override_options=no_milters"
	main_set "content_filter=amavis:[127.0.0.1]:$amavis_port"
	sg postfix attach -y --config-directory "$stack/config" >> "$stack/log/attach.out" 2>&1 || return 1
	postfix_reload "$stack"
}

case_amavis() {
	message virus 'Attached'
	printf '%s\n' "$(bash "$stack_root/tests/lib/sigdb.sh" --eicar)" >> "$stack/virus.eml"
	check_not 'amavis: infected mail is refused before it' mail_out "$stack/virus.eml" "<$alice>" "<$eve>"
	check_match 'amavis: by Sealgate' "$reply" '^550 5\.7\..* virus'
	message through 'Through amavis'
	check 'amavis: plain mail accepted' mail_out "$stack/through.eml" "<$alice>" "<$eve>"
	check 'amavis: delivered' all_gone
	check 'amavis: it went through it' grep -q '^Received: from gate.inside.example\|amavis' "$(the_copy "$eve")"
	check 'amavis: amavis has seen it' grep -q 'through@inside.example' "$stack/amavis/amavis.log"
	sink_clear
	message around '[secure] Around'
	check 'amavis: flagged' mail_out "$stack/around.eml" "<$alice>" "<$bob>" "<$carol>"
	check 'amavis: delivered sealed' all_gone
	enveloped 'amavis' "$(the_copy "$bob")" "$bob"
	pdfed 'amavis' "$(the_copy "$carol")"
	no_leaks 'amavis: nothing clear'
	sink_clear
}

for program in opendkim rspamd amavisd; do
	command -v "$program" > /dev/null || {
		echo "skip beside $program is not installed"
		exit 0
	}
done
stack_attach=no
flow_start beside
trap 'status=$?; end_children; (exit "$status"); stack_exit' EXIT
pick_port && dkim_port=$port_out
pick_port && rspamd_port=$port_out
pick_port && amavis_port=$port_out
pick_port && back_port=$port_out
opendkim_start
check 'opendkim starts' wait_for 60 listens "$dkim_port"
rspamd_start
check 'rspamd starts' wait_for 60 listens "$rspamd_port"
amavis_start
check 'amavis starts' wait_for 60 listens "$amavis_port"
postconf -c "$stack/config" -e "smtpd_milters=inet:127.0.0.1:$dkim_port" "non_smtpd_milters=inet:127.0.0.1:$dkim_port"
check 'attach beside opendkim' sg postfix attach -y --config-directory "$stack/config"
postfix_reload "$stack"
case_opendkim
sg postfix detach --config-directory "$stack/config" >> "$stack/log/attach.out" 2>&1
main_set "smtpd_milters=inet:127.0.0.1:$rspamd_port" 'non_smtpd_milters='
check 'attach beside rspamd' sg postfix attach -y --config-directory "$stack/config"
postfix_reload "$stack"
case_rspamd
sg postfix detach --config-directory "$stack/config" >> "$stack/log/attach.out" 2>&1
main_set 'smtpd_milters='
check 'attach beside amavis' amavis_attach
case_amavis
