#!/bin/bash
# long: make check-long and make ci run it, make check does not
# Passwords handed to hooks: by a command and by HTTPS, now, later, never; numbers in the subject.
# Failures of hooks and a death of sealgate-notify are made here on purpose:
# expect-error: worker-ended worker=sealgate-notify
# expect-error: password-not-handed
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
stack_main=("virtual_mailbox_domains = inside.example web.example wrong.example"
	"virtual_mailbox_maps = static:all/" "virtual_minimum_uid = 1"
	"virtual_uid_maps = static:$stack_uid" "virtual_gid_maps = static:$stack_uid")
stack_gateway=no

# ---- a command ----

# It keeps what it is handed, and does what the file "does" says.
command_make() {
	mkdir -p "$stack/hook"
	cat > "$stack/hook/sms" <<-END
		#!/bin/sh
		cd "$stack/hook" || exit 1
		echo >> tries
		tr '\\\\0' ' ' < /proc/\$\$/cmdline >> seen
		env >> seen
		case \$(cat does) in
		again) exit 75 ;;
		slow) cat > /dev/null; sleep 300; exit 0 ;;
		never) exit 3 ;;
		esac
		cat > in.\$\$ && mv in.\$\$ "got.\$\$"
	END
	chmod 755 "$stack/hook/sms"
	command_does hand
	chown -R "$((stack_uid + 7)):$((stack_uid + 7))" "$stack/hook"
}
command_does() { echo "$1" > "$stack/hook/does"; }
command_clear() {
	rm -f "$stack"/hook/got.* "$stack/hook/tries"
	command_does hand
}
got() { cat "$stack"/hook/got.* 2> /dev/null; }
got_count() { find "$stack/hook" -name 'got.*' | wc -l; }
has_got() { [[ $(got_count) -ge $1 ]]; }
tries() { wc -l < "$stack/hook/tries"; }
has_tried() { [[ -e $stack/hook/tries && $(tries) -ge $1 ]]; }
got_field() { got | jq -r "$1"; }

# ---- a server ----

# $stack/web: bodies are kept in it; a file "down" or "bad" changes its answers.
web_make() {
	pick_port && web_port=$port_out
	pick_port && plain_port=$port_out
	mkdir -p "$stack/web/bodies" "$stack/web/tmp"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
		-subj /CN=hook -addext "subjectAltName=IP:127.0.0.1" -keyout "$stack/web/key" \
		-out "$stack/web/ca.pem" 2> "$stack/log/openssl-web.out"
	cat > "$stack/web/nginx.conf" <<-END
		daemon off;
		user root;
		pid $stack/web/pid;
		error_log $stack/log/nginx.out warn;
		worker_processes 1;
		events { worker_connections 64; }
		http {
			log_format seen '\$request_method \$status \$content_type \$http_authorization';
			access_log $stack/web/seen seen;
			client_body_temp_path $stack/web/bodies;
			proxy_temp_path $stack/web/tmp; fastcgi_temp_path $stack/web/tmp;
			uwsgi_temp_path $stack/web/tmp; scgi_temp_path $stack/web/tmp;
			server { listen 127.0.0.1:$plain_port; location / { return 204; } }
			server {
				listen 127.0.0.1:$web_port ssl;
				ssl_certificate $stack/web/ca.pem; ssl_certificate_key $stack/web/key;
				location /send {
					if (-f $stack/web/down) { return 503; }
					if (-f $stack/web/bad) { return 400; }
					client_body_in_file_only on;
					proxy_pass http://127.0.0.1:$plain_port;
				}
			}
		}
	END
	nginx -p "$stack/web" -e "$stack/log/nginx.out" -c "$stack/web/nginx.conf" &
	web_pid=$!
	wait_for 10 listens "$web_port"
	printf 'token-4711\n' > "$stack/web/token"
	chmod 600 "$stack/web/token"
}
web_stop() {
	kill "$web_pid" 2> /dev/null
	wait "$web_pid" 2> /dev/null
}
bodies() { find "$stack/web/bodies" -type f; }
has_bodies() { [[ $(bodies | wc -l) -ge $1 ]]; }
body_field() { bodies | head -n 1 | xargs -r jq -r "$1"; }
web_saw() { grep -q -- "$1" "$stack/web/seen"; }

# ---- mail ----

letters() { find "$stack/boxes" -type f -path '*/new/*' 2> /dev/null; }
has_letters() { [[ $(letters | wc -l) -ge $1 ]]; }
box_clear() { find "$stack/boxes" -type f -delete; }
nowhere() { ! grep -rqaF -- "$1" "$stack/log" "$stack/sink" "$stack/state" "$stack/queue" "$stack/boxes"; }
logged() { grep -q -- "$1" "$stack/log/gateway.log"; }
# opens ADDRESS PASSWORD
opens() {
	local file
	file=$(sink_for "$1")
	[[ -f $file ]] || { echo "not exactly one message for $1: $file"; return 1; }
	rm -rf "$stack/opened"
	open_pdf "$file" "$2" "$stack/opened" && grep -qF "$stack_word" "$stack/opened/text"
}
mail() { send "$1@$2.example" "$3" "$stack/$4"; }

stack_start hook
command_make
web_make
stack_tenant="passwords = { \"recipient\", \"hook\" }
			hook_command = \"$stack/hook/sms\"
			hook_timeout = 2s"
stack_notify="ca_file = \"$stack/web/ca.pem\""
stack_conf="tenant web {
			domains = { \"web.example\" }
			networks = { \"127.0.0.1\" }
			passwords = { \"recipient\" }
			hook_url = \"https://127.0.0.1:$web_port/send\"
			hook_token_file = \"$stack/web/token\"
		}
		tenant wrong {
			domains = { \"wrong.example\" }
			networks = { \"127.0.0.1\" }
			hook_url = \"https://localhost:$web_port/send\"
		}
		tenant none {
			domains = { \"none.example\" }
			networks = { \"127.0.0.1\" }
		}"
stack_database_make
gateway_conf
gateway_start || exit 1
sg postfix attach -y --config-directory "$stack/config" > "$stack/log/attach.out" 2>&1 || exit 1
mkdir -p "$stack/boxes/all"
chown -R "$stack_uid:$stack_uid" "$stack/boxes"
postconf -c "$stack/config" -e "virtual_mailbox_base = $stack/boxes"
postfix_reload "$stack"
make_certificate cert@outside.example
sg cert add --tenant inside "$stack/certs/cert@outside.example.pem" > "$stack/log/cert.out" 2>&1 || exit 1
password=$(sg password generate --tenant inside word@outside.example 2> "$stack/log/password.out" |
	grep -oE '[A-Za-z0-9]{4}(-[A-Za-z0-9]{4}){3}' | head -n 1)
mail_file number '[secure sms:+49 (151) 123-456.78] Offer' 'Accept-Language: de-DE, en;q=0.5'
mail_file bad '[secure sms:0151 12345678] Offer'
mail_file plain '[secure] Offer'

# ---- a number ----

mail alice inside new@outside.example number
check_match "a message with a number is accepted, from a sender without a login" "$reply" '^250'
sink_wait_for new@outside.example
check "the command is handed a password" wait_for 20 has_got 1
word=$(got_field .password)
check "which opens the PDF" opens new@outside.example "$word"
check_equal "with the number" "$(got_field .phone)" +4915112345678
check_equal "the sender" "$(got_field .sender)" alice@inside.example
check_equal "the recipient" "$(got_field '.recipients | join(" ")')" new@outside.example
check_equal "the subject without the tag" "$(got_field .subject)" Offer
check_equal "the sender's language" "$(got_field .language)" de
check_equal "as an event that programs know" "$(got_field '[.version, .event, .kept, .tenant] | @csv')" \
	'1,"password",false,"inside"'
check "the record says so" logged 'password generated for a number'
sleep 2
check_equal "it is handed over once" "$(got_count)" 1
check_equal "the sender gets no letter" "$(letters)" ""
check "the password stands nowhere else" nowhere "$word"
check_not "nor in arguments or environment" grep -qF -- "$word" "$stack/hook/seen"
check "nor does the number" nowhere 15112345678
check_not "the original inside has no tag" grep -rqaF 123-456 "$stack/opened" --include=*.eml
sink_clear
command_clear

mail alice inside one@outside.example,two@outside.example,word@outside.example number
sink_wait_for one@outside.example
sink_wait_for two@outside.example
sink_wait_for word@outside.example
check "to several: it is handed over" wait_for 20 has_got 1
sleep 2
check_equal "once" "$(got_count)" 1
word=$(got_field .password)
check "one password for the first" opens one@outside.example "$word"
check "and the second" opens two@outside.example "$word"
check "who has an own one keeps it" opens word@outside.example "$password"
check_equal "and is not named" "$(got_field '.recipients | sort | join(" ")')" \
	"one@outside.example two@outside.example"
sink_clear
command_clear

mail alice inside cert@outside.example number
sink_wait_for cert@outside.example
check "even who has a certificate gets a PDF" wait_for 20 has_got 1
check "that it opens" opens cert@outside.example "$(got_field .password)"
sink_clear
command_clear

mail alice inside new@outside.example bad
check_match "a bad number is refused with the reason" "$reply" '^550 5\.7\.1 .*does not begin with \+'
mail alice none new@outside.example number
check_match "without a hook it is refused" "$reply" '^550 5\.7\.1 .*No hook is configured'
check_equal "nothing went out" "$(sink_count)" 0

mail alice inside new@outside.example plain
sink_wait_for new@outside.example
check "without a number the hook gets it, too" wait_for 20 has_got 1
check_equal "and no number" "$(got_field .phone)" null
check "the PDF opens" opens new@outside.example "$(got_field .password)"
sink_clear
command_clear

# ---- later ----

command_does again
mail alice inside new@outside.example number
check_match "accepted while the hook is away" "$reply" '^250'
check "the log says that it waits" wait_for 20 logged 'password-not-handed-yet.*exit status 75'
check "it is tried again" wait_for 20 has_tried 2
check_equal "nothing was handed over" "$(got_count)" 0
command_does hand
check "then it is" wait_for 30 has_got 1
sleep 2
check_equal "once" "$(got_count)" 1
sink_wait_for new@outside.example
check "the PDF opens" opens new@outside.example "$(got_field .password)"
sink_clear
command_clear

command_does slow
mail alice inside new@outside.example number
check "a command that does not end is killed" wait_for 20 logged 'not end within 2 seconds'
# between two tries: a command that runs when sealgate-notify dies goes with it
wait_for 20 has_tried 2
kill -KILL "$(gateway_pids notify)"
command_does hand
check "after a death of sealgate-notify it is handed over" wait_for 30 has_got 1
sleep 3
check_equal "once" "$(got_count)" 1
check_not "nothing is left running" pgrep -u "$((stack_uid + 7))" sleep
sink_clear
command_clear

# ---- never ----

command_does never
mail alice inside new@outside.example number
check "a hook that refuses: the log says so" wait_for 20 logged 'password-not-handed .*exit status 3'
check "the sender gets a letter" wait_for 20 has_letters 1
letter=$(letters | head -n 1)
check "that says why" grep -q 'exit status 3' "$letter"
check "and whose password it was" grep -qF new@outside.example "$letter"
check "in the language of the message" grep -q '^Content-Language: de' "$letter"
check_not "without a password" grep -qE '[a-zA-Z2-9]{4}(-[a-zA-Z2-9]{4}){3}' "$letter"
check_equal "it is tried once" "$(tries)" 1
sink_clear
command_clear
box_clear

# ---- the example of docs/passwords.md ----

# Its first script, with this test's server and certificate in place of the gateway's.
example_make() {
	printf 'header = "Content-Type: application/json"\ncacert = "%s"\n' "$stack/web/ca.pem" \
		> "$stack/web/sms.curl"
	awk '/^```sh$/ { inside = !done; next } /^```$/ { done = done || inside; inside = 0 } inside' \
		"$stack_root/docs/passwords.md" |
		sed -e "s|https://sms.example/v1/messages|https://127.0.0.1:$web_port/send|" \
			-e "s|/etc/sealgate/sms.curl|$stack/web/sms.curl|" > "$stack/web/example"
	chmod 755 "$stack/web/example"
}
# example JSON: its exit status
example() {
	env -i PATH="$PATH" LANG=C.UTF-8 "$stack/web/example" <<< "$1" > /dev/null 2>&1
	echo $?
}
sample='{"version":1,"id":"4711","phone":"+4915112345678","sender":"a@b.example","password":"wmea-5kfp"}'
example_make
check_equal "the example of the manual hands over" "$(example "$sample")" 0
check_equal "what the gateway needs" "$(body_field '[.to, .reference, .text] | join("|")')" \
	"+4915112345678|4711|Password for the message from a@b.example: wmea-5kfp"
bodies | xargs -r rm
touch "$stack/web/down"
check_equal "says later" "$(example "$sample")" 75
rm "$stack/web/down"
touch "$stack/web/bad"
check_equal "and never" "$(example "$sample")" 1
rm "$stack/web/bad"
check_equal "and refuses what has no number" "$(example '{"phone":null}')" 1

# ---- HTTPS ----

touch "$stack/web/down"
mail alice web new@outside.example number
check_match "by HTTPS: accepted while the server is away" "$reply" '^250'
check "the log says that it waits" wait_for 20 logged 'password-not-handed-yet.*HTTP status 503'
rm "$stack/web/down"
check "then it is handed over" wait_for 30 has_bodies 1
sink_wait_for new@outside.example
check "the PDF opens" opens new@outside.example "$(body_field .password)"
check_equal "with the number" "$(body_field .phone)" +4915112345678
check "as JSON, with the token" web_saw 'POST 204 application/json Bearer token-4711'
sleep 2
check_equal "once" "$(bodies | wc -l)" 1
check "the password stands nowhere else" nowhere "$(body_field .password)"
check "nor the token" nowhere token-4711
bodies | xargs -r rm
sink_clear

touch "$stack/web/bad"
mail alice web new@outside.example number
check "a server that refuses: the sender gets a letter" wait_for 20 has_letters 1
check "that says why" grep -q 'HTTP status 400' "$(letters | head -n 1)"
rm "$stack/web/bad"
box_clear

mail alice wrong new@outside.example number
check "a server by another name than its certificate's is told nothing" \
	wait_for 20 logged 'password-not-handed-yet.*tenant=wrong.*subject name'
check_equal "nothing came there" "$(bodies | wc -l)" 0
check "the queue is empty" wait_for 20 queue_empty
web_stop
