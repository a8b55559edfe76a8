#!/bin/bash
# Metrics and health: what is counted, and that a worker that dies or hangs shows within seconds.
# Deaths and halts of workers are made here on purpose:
# expect-error: worker-ended
# expect-error: deferred
# expect-error: trace-log
# shellcheck source=tests/lib/stack.sh
. "$(dirname "$0")/../lib/stack.sh"
pick_port && health_port=$port_out
pick_port && canary_port=$port_out
stack_main=("transport_maps = inline:{canary.example=smtp:[127.0.0.1]:$canary_port}")
stack_conf="canary {
	from = \"alice@inside.example\"
	to = \"tweety@canary.example\"
	port = $canary_port
	wait = 8s
}"
stack_tls="sealed = encrypt"
stack_conf+="
hop \"[127.0.0.1]:$canary_port\" {
	tls = none
	reason = \"the canary's own port\"
}"
stack_health="listen = \"inet:$health_port@127.0.0.1\""

ask() { curl -s --max-time 5 "http://127.0.0.1:$health_port$1"; }
status() { curl -s --max-time 5 -o /dev/null -w '%{http_code}' "$@"; }
# value NAME{LABELS}: of a metric, as it is now.
value() { ask /metrics | awk -v name="$1" '$1 == name { print $2 }'; }
has_value() { [[ $(value "$1") == "$2" ]]; }
is_ready() { [[ $(ask /readyz) == ready ]]; }
says() { ask /readyz | grep -qx "$1"; }

stack_start health
people
mail_file plain Hello
mail_file secure '[secure] Offer'
check "ready when it has started" wait_for 10 is_ready
check_equal "200" "$(status "http://127.0.0.1:$health_port/readyz")" 200
check_equal "alive" "$(ask /healthz)" alive
check_equal "nothing else is there" "$(status "http://127.0.0.1:$health_port/x")" 404
check_equal "nor is anything taken" "$(status -d x=1 "http://127.0.0.1:$health_port/metrics")" 405
ask /metrics > "$stack/log/metrics.txt"
# shellcheck disable=SC2016
check "each metric has help and type" awk '/^# TYPE / { type[$3] = 1; next } /^# HELP / { help[$3] = 1; next }
	{ name = $1; sub(/[{].*/, "", name); sub(/_(bucket|sum|count)$/, "", name)
	  if (!(name in type) && !(name in help)) bad = 1 } END { exit bad }' "$stack/log/metrics.txt"
if command -v promtool > /dev/null; then
	check "and Prometheus reads them" promtool check metrics < "$stack/log/metrics.txt"
else
	ok "and Prometheus reads them: no promtool here (bash tests/lib/setup.sh ship)"
fi

send alice@inside.example bob@outside.example "$stack/plain"
send alice@inside.example word@outside.example,cert@outside.example "$stack/secure"
send alice@inside.example nobody@outside.example "$stack/secure"
check_match "refused" "$reply" '^550'
sink_wait 3
check_equal "what passed" "$(value 'sealgate_recipients_total{stage="front",decision="passed"}')" 1
check_equal "what was marked" "$(value 'sealgate_recipients_total{stage="front",decision="marked"}')" 2
check_equal "what was sealed" "$(value 'sealgate_recipients_total{stage="seal",decision="sealed"}')" 2
check_equal "what was refused" "$(value 'sealgate_refused_total{reason="plan",kind="permanent"}')" 1
check_equal "how long a PDF takes" "$(value 'sealgate_step_seconds_count{step="pdf"}')" 1
check_equal "nothing is under way" "$(value 'sealgate_step_running{step="scan"}')" 0
check_match "commits" "$(value sealgate_record_commits_total)" '^[1-9]'
check_match "of when the signatures are" "$(value sealgate_signatures_time_seconds)" '^[1-9][0-9]{9}$'

# ---- the canary ----

said=$(sg canary --postfix "$stack/config" 2>&1)
check_equal "the canary: exit status" $? 0
check_match "it comes back sealed" "$said" '^protection is active'
check_equal "and is counted" "$(value 'sealgate_canaries_total{result="sealed"}')" 1
check_match "with the time" "$(value sealgate_canary_time_seconds)" '^[1-9][0-9]{9}$'
check_match "and the doctor knows" "$(sg doctor --config-directory "$stack/config" | grep -E "^[a-z]+ +canary")" "^ok .*sealed 0 minutes ago"
# an attach that somebody undid for local mail: nothing looks at it
postconf -c "$stack/config" -e "non_smtpd_milters ="
postfix_reload "$stack"
said=$(sg canary --json --postfix "$stack/config" 2> /dev/null)
check_equal "without the filter: exit status" $? 1
check_match "it comes back clear" "$said" '"result": "clear"'
check_match "the doctor fails" "$(sg doctor --config-directory "$stack/config" | grep -E "^[a-z]+ +canary")" "^fail .*WITHOUT PROTECTION"
postconf -c "$stack/config" -e "transport_maps ="
postfix_reload "$stack"
sg canary --postfix "$stack/config" > /dev/null 2>&1
check_equal "what goes elsewhere is missing" $? 75
check_equal "as the metrics say" "$(value 'sealgate_canaries_total{result="missing"}')" 1

# ---- a worker that hangs, one that dies ----

vault=$(gateway_pids vault)
kill -STOP "$vault"
# the doctor waits ten seconds for the vault, and asks /readyz then
sg doctor --gateway > "$stack/log/doctor.txt" &
doctor=$!
began=$SECONDS
check "a vault that hangs shows" wait_for 15 says 'vault does not go on'
check "within seconds" test $((SECONDS - began)) -le 12
check_equal "with 503" "$(status "http://127.0.0.1:$health_port/readyz")" 503
check_equal "and in the metrics" "$(value 'sealgate_workers_well{worker="vault"}')" 0
wait "$doctor"
check_match "and the doctor asks" "$(cat "$stack/log/doctor.txt")" 'fail +workers +vault does not go on'
kill -CONT "$vault"
check "and is well again" wait_for 10 is_ready
check_match "as the doctor says, too" "$(sg doctor --gateway)" 'ok +workers +every worker'
kill -KILL "$(gateway_pids milter)"
check "a death is counted" wait_for 10 has_value 'sealgate_worker_deaths_total{worker="milter"}' 1
check "it starts again" wait_for 20 is_ready
send alice@inside.example bob@outside.example "$stack/plain"
check_equal "counters go on" "$(value 'sealgate_recipients_total{stage="front",decision="passed"}')" 2
kill -KILL "$(gateway_pids health)"
check "health itself comes back" wait_for 10 has_value 'sealgate_worker_deaths_total{worker="health"}' 1
