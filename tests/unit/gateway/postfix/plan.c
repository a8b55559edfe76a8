/* links: sealgate */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/fd.h"
#include "gateway/base/str.h"
#include "gateway/postfix/plan.h"
#include "gateway/postfix/queue.h"
#include "gateway/postfix/show.h"
#include "gateway/postfix/state.h"
#include "gateway/postfix/tables.h"

/* A service as postconf -F prints it. */
#define FIELDS(key, name, type, chroot, command) \
	key "/service = " name "\n" key "/type = " type "\n" key "/private = n\n" key \
	    "/unprivileged = -\n" key "/chroot = " chroot "\n" key "/wakeup = -\n" key \
	    "/process_limit = -\n" key "/command = " command "\n"

static const char plain_main[] = "myhostname = a.example\ncompatibility_level = 3.6\n";
static const char plain_services[] = FIELDS("smtp/inet", "smtp", "inet", "n", "smtpd")
    FIELDS("pickup/unix", "pickup", "unix", "n", "pickup")
        FIELDS("cleanup/unix", "cleanup", "unix", "n", "cleanup")
            FIELDS("bounce/unix", "bounce", "unix", "n", "bounce")
                FIELDS("defer/unix", "defer", "unix", "n", "bounce")
                    FIELDS("trace/unix", "trace", "unix", "n", "bounce")
                        FIELDS("smtp/unix", "smtp", "unix", "n", "smtp")
                            FIELDS("rewrite/unix", "rewrite", "unix", "n", "trivial-rewrite")
                                FIELDS("local/unix", "local", "unix", "n", "local");

static char smtp_name[] = "smtp", relay_pair[] = "smtp [relay.example]:587";
static char *transports[] = { smtp_name }, *next_hops[] = { relay_pair };
static const struct routing routing = { .transports = { transports, 1 },
	.pairs = { next_hops, 1 },
	.local = true };

static const struct plan_wish wish = { .milter = "unix:/run/s.sock",
	.port = 10225,
	.folder = "/etc/postfix/sealgate",
	.front = true,
	.fallback_port = 10226,
	.policy = "socketmap:unix:/run/p.sock",
	.ca_file = "/ca.pem",
	.routing = &routing };
static const struct tables_wish tables = { .port = 10225, .routing = &routing };

static struct postconf picture(const char *main, const char *services, const char *options)
{
	struct postconf conf;
	struct fail f;

	memset(&conf, 0, sizeof(conf));
	assert_int_equal(postconf_parse_pairs(main, &conf.set, &f), SG_OK);
	assert_int_equal(postconf_parse_pairs("cleanup_service_name = cleanup\n"
	                                      "rewrite_service_name = rewrite\n",
	                     &conf.all, &f),
	    SG_OK);
	assert_int_equal(postconf_parse_services(services, options, &conf, &f), SG_OK);
	return conf;
}

static struct plan plan_of(const struct postconf *base)
{
	struct plan plan;
	struct fail f;

	assert_int_equal(plan_make(base, &wish, &plan, &f), SG_OK);
	return plan;
}

static const struct plan_change *find(
    const struct plan *plan, const char *service, const char *name)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_change *change = &plan->changes[i];

		if ((service == NULL) == (change->service == NULL) &&
		    (service == NULL || strcmp(service, change->service) == 0) &&
		    (name == NULL) == (change->name == NULL) &&
		    (name == NULL || strcmp(name, change->name) == 0))
			return change;
	}
	return NULL;
}

static const char *new_of(const struct plan *plan, const char *service, const char *name)
{
	const struct plan_change *change = find(plan, service, name);

	assert_non_null(change);
	return change->new;
}

static void a_plain_postfix_gets_all_settings(void **state)
{
	struct postconf base = picture(plain_main, plain_services, "");
	struct plan plan = plan_of(&base);

	(void)state;
	assert_string_equal(
	    new_of(&plan, NULL, "smtpd_milters"), "{ unix:/run/s.sock, default_action=tempfail }");
	assert_string_equal(new_of(&plan, NULL, "non_smtpd_milters"),
	    "{ unix:/run/s.sock, default_action=tempfail }");
	assert_string_equal(
	    new_of(&plan, NULL, "milter_header_checks"), "regexp:/etc/postfix/sealgate/routes");
	assert_string_equal(new_of(&plan, NULL, "smtp_header_checks"),
	    "pipemap:{regexp:/etc/postfix/sealgate/unsealed,fail:sealgate}");
	assert_string_equal(new_of(&plan, "cleanup/unix", "message_size_limit"), "0");
	assert_string_equal(new_of(&plan, "bounce/unix", "bounce_size_limit"), "1");
	assert_string_equal(new_of(&plan, "defer/unix", "bounce_size_limit"), "1");
	assert_null(find(&plan, "trace/unix", "bounce_size_limit"));
	assert_string_equal(new_of(&plan, "pickup/unix", "cleanup_service_name"), "seal-pickup");
	assert_string_equal(new_of(&plan, "seal/unix", NULL), "seal unix - - n - 10 smtp");
	assert_string_equal(new_of(&plan, "127.0.0.1:10225/inet", "smtpd_milters"),
	    "{unix:/run/s.sock,default_action=tempfail}");
	assert_null(find(&plan, NULL, PLAN_BEHIND));
	plan_free(&plan);
	postconf_free(&base);
}

static void what_was_there_stands_behind(void **state)
{
	struct postconf base = picture(
	    "smtpd_milters = inet:a:1, { inet:b:2, protocol=6 }\n"
	    "non_smtpd_milters = ${smtpd_milters}\nheader_checks = regexp:/x\n"
	    "smtp_header_checks = pcre:/y\n",
	    plain_services, "");
	struct plan plan = plan_of(&base);

	(void)state;
	assert_string_equal(new_of(&plan, NULL, "smtpd_milters"),
	    "{ unix:/run/s.sock, default_action=tempfail }, inet:a:1, { inet:b:2, protocol=6 }");
	assert_null(find(&plan, NULL, "non_smtpd_milters"));
	assert_string_equal(new_of(&plan, NULL, PLAN_BEHIND), "inet:a:1, { inet:b:2, protocol=6 }");
	assert_string_equal(new_of(&plan, "127.0.0.1:10225/inet", "smtpd_milters"),
	    "{unix:/run/s.sock,default_action=tempfail},$" PLAN_BEHIND);
	assert_string_equal(new_of(&plan, "seal-pickup/unix", "header_checks"),
	    "regexp:/etc/postfix/sealgate/requeue,$" PLAN_CHECKS);
	assert_string_equal(
	    new_of(&plan, "seal-pickup/unix", "nested_header_checks"), "$" PLAN_CHECKS);
	assert_string_equal(new_of(&plan, NULL, PLAN_CHECKS), "regexp:/x");
	plan_free(&plan);
	postconf_free(&base);
}

static void overrides_of_services_are_covered(void **state)
{
	struct postconf base = picture(plain_main, plain_services,
	    "smtp/inet/smtpd_milters = inet:a:1\nsmtp/unix/smtp_header_checks =\n"
	    "cleanup/unix/milter_header_checks = pcre:/z\n"
	    "pickup/unix/receive_override_options = no_header_body_checks,no_milters,other\n");
	struct plan plan = plan_of(&base);

	(void)state;
	assert_string_equal(new_of(&plan, "smtp/inet", "smtpd_milters"),
	    "{unix:/run/s.sock,default_action=tempfail},inet:a:1");
	assert_string_equal(new_of(&plan, "smtp/unix", "smtp_header_checks"),
	    "pipemap:{regexp:/etc/postfix/sealgate/unsealed,fail:sealgate}");
	assert_string_equal(new_of(&plan, "cleanup/unix", "milter_header_checks"),
	    "regexp:/etc/postfix/sealgate/routes,pcre:/z");
	assert_string_equal(new_of(&plan, "seal-pickup/unix", "milter_header_checks"),
	    "regexp:/etc/postfix/sealgate/routes,pcre:/z");
	assert_string_equal(new_of(&plan, "pickup/unix", "receive_override_options"), "other");
	plan_free(&plan);
	postconf_free(&base);
}

static void each_transport_gets_three_of_ours(void **state)
{
	struct postconf base = picture(
	    "smtp_tls_policy_maps = hash:/x\nsmtp_destination_rate_delay = 1s\n"
	    "smtp_fallback_relay = [a], [b]:26\n",
	    plain_services,
	    "smtp/unix/syslog_name = out\nsmtp/unix/smtp_fallback_relay = [c] [d]\n");
	struct plan plan = plan_of(&base);

	(void)state;
	assert_string_equal(
	    new_of(&plan, NULL, "smtp_tls_policy_maps"), "hash:/x, socketmap:unix:/run/p.sock:all");
	assert_string_equal(
	    new_of(&plan, NULL, "milter_macro_defaults"), "{sealgate_routes=front smtp}");
	assert_string_equal(new_of(&plan, "sealed/unix", NULL), "sealed unix n - n - - smtp");
	assert_string_equal(new_of(&plan, "sealed/unix", "smtp_tls_policy_maps"),
	    "socketmap:unix:/run/p.sock:sealed");
	assert_string_equal(new_of(&plan, "sealed-tls/unix", "smtp_tls_policy_maps"),
	    "socketmap:unix:/run/p.sock:proven");
	assert_string_equal(new_of(&plan, "sealed-any/unix", "smtp_tls_policy_maps"), "");
	assert_string_equal(
	    new_of(&plan, "sealed-tls/unix", "smtp_fallback_relay"), "[c],[d],[127.0.0.1]:10226");
	assert_string_equal(new_of(&plan, "sealed-any/unix", "smtp_fallback_relay"), "[c] [d]");
	assert_string_equal(new_of(&plan, "sealed/unix", "syslog_name"), "out");
	assert_string_equal(new_of(&plan, NULL, "sealed-tls_destination_rate_delay"), "1s");
	assert_string_equal(new_of(&plan, "127.0.0.1:10226/inet", "milter_macro_daemon_name"),
	    PLAN_FALLBACK_DAEMON);
	assert_null(find(&plan, "sealed/unix", "tls_required_enable"));
	plan_free(&plan);
	postconf_free(&base);
}

static void what_local_forwards_comes_back(void **state)
{
	struct postconf base = picture(
	    "virtual_alias_maps = hash:/v, inline:{ a=b }\n"
	    "transport_maps = hash:/t, $more\n"
	    "local_destination_recipient_limit = 7\n",
	    plain_services,
	    "local/unix/forward_path = /x\n"
	    "rewrite/unix/local_transport = local:here\n"
	    "rewrite/unix/transport_maps = hash:/own\n");
	struct plan plan = plan_of(&base);

	(void)state;
	assert_string_equal(new_of(&plan, "sealed-local/unix", NULL),
	    "sealed-local unix n - n - - local");
	assert_string_equal(new_of(&plan, "sealed-local/unix", "cleanup_service_name"),
	    "seal-forward");
	assert_string_equal(new_of(&plan, "sealed-local/unix", "forward_path"), "/x");
	assert_string_equal(new_of(&plan, NULL, "sealed-local_destination_recipient_limit"), "7");
	assert_string_equal(new_of(&plan, NULL, "sealed-local_destination_concurrency_limit"), "2");
	assert_string_equal(new_of(&plan, NULL, PLAN_ALIASES), "hash:/v, inline:{ a=b }");
	assert_string_equal(new_of(&plan, "seal-forward/unix", "virtual_alias_maps"),
	    "$" PLAN_ALIASES ",unionmap:{inline:{@.=-},regexp:/etc/postfix/sealgate/encode}");
	assert_string_equal(new_of(&plan, "seal-rewrite/unix", "local_transport"),
	    "sealed-local:here");
	assert_string_equal(new_of(&plan, NULL, PLAN_TRANSPORTS),
	    "pipemap:{hash:/own,inline:{local=sealed-local,local:=sealed-local:}}, hash:/own");
	assert_string_equal(new_of(&plan, NULL, "transport_maps"),
	    "regexp:/etc/postfix/sealgate/forwards, hash:/t, $more");
	assert_string_equal(new_of(&plan, "rewrite/unix", "transport_maps"),
	    "regexp:/etc/postfix/sealgate/forwards,hash:/own");
	assert_string_equal(
	    new_of(&plan, "seal/unix", "smtp_generic_maps"), "regexp:/etc/postfix/sealgate/decode");
	plan_free(&plan);
	postconf_free(&base);
}

static void without_local_nothing_comes_back(void **state)
{
	struct postconf base = picture(plain_main,
	    FIELDS("smtp/inet", "smtp", "inet", "n", "smtpd")
	        FIELDS("pickup/unix", "pickup", "unix", "n", "pickup")
	            FIELDS("cleanup/unix", "cleanup", "unix", "n", "cleanup"),
	    "");
	struct plan plan = plan_of(&base);

	(void)state;
	assert_null(find(&plan, "sealed-local/unix", NULL));
	assert_null(find(&plan, NULL, "transport_maps"));
	plan_free(&plan);
	postconf_free(&base);
}

static void what_is_stricter_stays(void **state)
{
	struct postconf base = picture(
	    "smtp_tls_security_level = encrypt\nsmtp_tls_loglevel = 2\n"
	    "smtp_tls_CApath = /certs\nsmtp_dns_support_level = disabled\n",
	    plain_services, "");
	struct plan plan = plan_of(&base);

	(void)state;
	assert_null(find(&plan, NULL, "smtp_tls_security_level"));
	assert_null(find(&plan, NULL, "smtp_tls_loglevel"));
	assert_null(find(&plan, NULL, "smtp_tls_CAfile"));
	assert_null(find(&plan, NULL, "smtp_dns_support_level"));
	assert_null(find(&plan, "sealed/unix", "smtp_dns_support_level"));
	plan_free(&plan);
	postconf_free(&base);
	base = picture("smtp_enforce_tls = yes\n", plain_services, "");
	plan = plan_of(&base);
	assert_null(find(&plan, NULL, "smtp_tls_security_level"));
	assert_string_equal(new_of(&plan, NULL, "smtp_dns_support_level"), "dnssec");
	plan_free(&plan);
	postconf_free(&base);
}

static void a_jailed_client_asks_through_proxymap(void **state)
{
	struct postconf base = picture(plain_main,
	    FIELDS("pickup/unix", "pickup", "unix", "n", "pickup") FIELDS("cleanup/unix", "cleanup",
	        "unix", "n", "cleanup") FIELDS("smtp/unix", "smtp", "unix", "y", "smtp"),
	    "");
	struct plan plan = plan_of(&base);

	(void)state;
	assert_string_equal(
	    new_of(&plan, NULL, "smtp_tls_policy_maps"), "proxy:socketmap:unix:/run/p.sock:all");
	assert_string_equal(new_of(&plan, "sealed/unix", "smtp_tls_policy_maps"),
	    "socketmap:unix:/run/p.sock:sealed");
	assert_string_equal(new_of(&plan, "sealed/unix", NULL), "sealed unix n - n - - smtp");
	plan_free(&plan);
	postconf_free(&base);
}

static void without_a_policy_service_there_is_no_tls_part(void **state)
{
	struct postconf base = picture(plain_main, plain_services, "");
	struct plan_wish old = wish;
	struct plan plan;
	struct fail f;

	(void)state;
	old.policy = "";
	assert_int_equal(plan_make(&base, &old, &plan, &f), SG_OK);
	assert_null(find(&plan, NULL, "smtp_tls_policy_maps"));
	assert_null(find(&plan, "sealed/unix", NULL));
	plan_free(&plan);
	postconf_free(&base);
}

static void draining_leaves_the_front_alone(void **state)
{
	struct postconf base = picture(
	    plain_main, plain_services, "smtp/inet/smtpd_milters = inet:a:1\n");
	struct plan_wish drain = wish;
	struct plan plan;
	struct fail f;

	(void)state;
	drain.front = false;
	assert_int_equal(plan_make(&base, &drain, &plan, &f), SG_OK);
	assert_null(find(&plan, NULL, "smtpd_milters"));
	assert_null(find(&plan, NULL, "non_smtpd_milters"));
	assert_null(find(&plan, "smtp/inet", "smtpd_milters"));
	assert_non_null(find(&plan, NULL, "smtp_header_checks"));
	assert_null(find(&plan, NULL, "smtp_tls_policy_maps"));
	assert_non_null(find(&plan, NULL, "milter_macro_defaults"));
	assert_non_null(find(&plan, "sealed-tls/unix", NULL));
	assert_non_null(find(&plan, "127.0.0.1:10225/inet", "smtpd_milters"));
	plan_free(&plan);
	postconf_free(&base);
}

static void taken_names_and_ports_are_refused(void **state)
{
	static const char *const taken[] = {
		FIELDS("sealed-tls/unix", "sealed-tls", "unix", "n", "smtp"),
		FIELDS("10226/inet", "10226", "inet", "n", "smtpd"),
		FIELDS("seal/unix", "seal", "unix", "n", "smtp"),
		FIELDS("10.0.0.1:10225/inet", "10.0.0.1:10225", "inet", "n", "smtpd"),
		FIELDS("10225/inet", "10225", "inet", "n", "smtpd"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		struct postconf base = picture(plain_main, plain_services, "");
		struct plan plan;
		struct fail f;

		assert_int_equal(postconf_parse_services(taken[i], "", &base, &f), SG_OK);
		assert_int_equal(plan_make(&base, &wish, &plan, &f), SG_EEXIST);
		assert_int_equal(plan.count, 0);
		postconf_free(&base);
	}
}

static void no_pickup_is_refused(void **state)
{
	struct postconf base = picture(
	    plain_main, FIELDS("smtp/inet", "smtp", "inet", "n", "smtpd"), "");
	struct plan plan;
	struct fail f;

	(void)state;
	assert_int_equal(plan_make(&base, &wish, &plan, &f), SG_EUSAGE);
	postconf_free(&base);
}

static void the_socket_is_spelled_as_postfix_needs_it(void **state)
{
	struct postconf free_ = picture("queue_directory = /q\n", plain_services, "");
	struct postconf jail = picture(
	    "queue_directory = /q\n", FIELDS("smtp/inet", "smtp", "inet", "y", "smtpd"), "");
	char *milter;
	struct fail f;

	(void)state;
	assert_int_equal(plan_milter(&free_, "local:/run/s", &milter, &f), SG_OK);
	assert_string_equal(milter, "unix:/run/s");
	free(milter);
	assert_int_equal(plan_milter(&free_, "inet:8895@127.0.0.1", &milter, &f), SG_OK);
	assert_string_equal(milter, "inet:127.0.0.1:8895");
	free(milter);
	assert_int_equal(plan_milter(&jail, "local:/q/s/m", &milter, &f), SG_OK);
	assert_string_equal(milter, "unix:s/m");
	free(milter);
	assert_int_equal(plan_milter(&jail, "local:/run/s", &milter, &f), SG_EUSAGE);
	assert_null(milter);
	assert_non_null(strstr(f.hint, "local:/q/sealgate/milter.sock"));
	assert_int_equal(plan_milter(&jail, "nonsense", &milter, &f), SG_EUSAGE);
	postconf_free(&free_);
	postconf_free(&jail);
}

static void reverting_gives_back_what_was_there(void **state)
{
	struct postconf base = picture("smtpd_milters = inet:a:1\n", plain_services, "");
	struct postconf now = picture(
	    "smtpd_milters = { unix:/run/s.sock, default_action=tempfail }, "
	    "inet:a:1\nmilter_header_checks = regexp:/etc/postfix/sealgate/routes\n",
	    plain_services, "cleanup/unix/message_size_limit = 0\n");
	struct plan plan = plan_of(&base);
	struct plan back = { NULL, 0 };
	struct fail f;

	(void)state;
	assert_int_equal(plan_revert(&now, &plan, true, true, &back, &f), SG_OK);
	assert_int_equal(back.count, 3);
	assert_string_equal(new_of(&back, NULL, "smtpd_milters"), "inet:a:1");
	assert_null(new_of(&back, NULL, "milter_header_checks"));
	assert_null(new_of(&back, "cleanup/unix", "message_size_limit"));
	plan_free(&back);
	plan_free(&plan);
	postconf_free(&base);
	postconf_free(&now);
}

static void reverting_keeps_what_others_changed(void **state)
{
	struct postconf base = picture(plain_main, plain_services, "");
	struct postconf now = picture("smtpd_milters = inet:new:9, { unix:/run/s.sock, "
	                              "default_action=tempfail }\n",
	    plain_services, "cleanup/unix/message_size_limit = 5000\n");
	struct plan plan = plan_of(&base);
	struct plan back = { NULL, 0 };
	struct fail f;

	(void)state;
	assert_int_equal(plan_revert(&now, &plan, true, true, &back, &f), SG_OK);
	assert_int_equal(back.count, 1);
	assert_string_equal(new_of(&back, NULL, "smtpd_milters"), "inet:new:9");
	plan_free(&back);
	plan_free(&plan);
	postconf_free(&base);
	postconf_free(&now);
}

static void a_difference_is_found_on_both_sides(void **state)
{
	struct postconf from = picture("a = 1\nb = 2\n", plain_services, "smtp/inet/x = 1\n");
	struct postconf to = picture("b = 3\nc = 4\n", plain_services, "smtp/inet/y = 2\n");
	struct plan diff = { NULL, 0 };
	struct fail f;

	(void)state;
	assert_int_equal(plan_diff(&from, &to, &diff, &f), SG_OK);
	assert_int_equal(diff.count, 5);
	assert_null(new_of(&diff, NULL, "a"));
	assert_string_equal(new_of(&diff, NULL, "b"), "3");
	assert_string_equal(new_of(&diff, NULL, "c"), "4");
	assert_null(new_of(&diff, "smtp/inet", "x"));
	assert_string_equal(new_of(&diff, "smtp/inet", "y"), "2");
	plan_free(&diff);
	postconf_free(&from);
	postconf_free(&to);
}

static void a_line_has_no_options(void **state)
{
	struct postconf conf = picture("",
	    FIELDS("p/unix", "p", "unix", "n",
	        "pipe -o a=b -o {c=d e} flags=R user=x argv=/bin/y ${recipient}"),
	    "");
	char *line = plan_line(&conf.services[0]);

	(void)state;
	assert_string_equal(line, "p unix n - n - - pipe flags=R user=x argv=/bin/y ${recipient}");
	free(line);
	postconf_free(&conf);
}

static void strange_output_of_postconf_is_refused(void **state)
{
	struct postconf_pairs pairs = { NULL, 0 };
	struct postconf conf;
	struct fail f;

	(void)state;
	memset(&conf, 0, sizeof(conf));
	assert_int_equal(postconf_parse_pairs("no equal sign\n", &pairs, &f), SG_EFORMAT);
	assert_int_equal(postconf_parse_services("noslash = x\n", "", &conf, &f), SG_EFORMAT);
	assert_int_equal(postconf_parse_services("", "smtp/inet/x = y\n", &conf, &f), SG_EFORMAT);
	postconf_pairs_free(&pairs);
	postconf_free(&conf);
}

static void the_record_survives_its_bytes(void **state)
{
	static char a[] = "a\n", b[] = "b\n", c[] = "c\n", m[] = "unix:/x", s[] = "socketmap:x";
	struct postconf base = picture(plain_main, plain_services, "");
	struct state out = { .draining = true,
		.port = 7,
		.milter = m,
		.fallback_port = 9,
		.policy = s,
		.ca_file = c,
		.main = { a, b, c },
		.master = { c, a, b },
		.plan = plan_of(&base) };
	struct state in;
	struct buf bytes;
	struct fail f;

	(void)state;
	buf_init(&bytes, STATE_SIZE_MAX);
	assert_int_equal(state_encode(&out, &bytes, &f), SG_OK);
	assert_int_equal(state_decode(bytes.data, bytes.size, &in, &f), SG_OK);
	assert_true(in.draining);
	assert_int_equal(in.fallback_port, 9);
	assert_string_equal(in.policy, "socketmap:x");
	assert_string_equal(in.ca_file, "c\n");
	assert_string_equal(in.main.after, "c\n");
	assert_string_equal(in.master.original, "c\n");
	assert_int_equal(in.plan.count, out.plan.count);
	assert_string_equal(
	    new_of(&in.plan, NULL, "smtpd_milters"), new_of(&out.plan, NULL, "smtpd_milters"));
	state_free(&in);
	for (size_t size = 0; size < bytes.size; size++)
		assert_int_equal(state_decode(bytes.data, size, &in, &f), SG_EFORMAT);
	buf_free(&bytes);
	plan_free(&out.plan);
	postconf_free(&base);
}

static void a_record_of_the_first_version_is_read(void **state)
{
	struct state in;
	struct buf bytes;
	struct fail f;

	(void)state;
	buf_init(&bytes, STATE_SIZE_MAX);
	assert_int_equal(buf_put_str(&bytes, "sealgate-attach"), SG_OK);
	assert_int_equal(buf_put_u16(&bytes, 1), SG_OK);
	assert_int_equal(buf_put_u8(&bytes, 0), SG_OK);
	assert_int_equal(buf_put_u32(&bytes, 10225), SG_OK);
	assert_int_equal(buf_put_str(&bytes, "unix:/x"), SG_OK);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(buf_put_str(&bytes, "text\n"), SG_OK);
	assert_int_equal(buf_put_u32(&bytes, 0), SG_OK);
	assert_int_equal(state_decode(bytes.data, bytes.size, &in, &f), SG_OK);
	assert_string_equal(in.milter, "unix:/x");
	assert_string_equal(in.policy, "");
	assert_string_equal(in.master.after, "text\n");
	state_free(&in);
	buf_free(&bytes);
}

static void marked_mail_is_told_from_other_mail(void **state)
{
	(void)state;
	assert_true(queue_line_is_marked("X-Sealgate-Mark: 1 a b"));
	assert_true(queue_line_is_marked("x-sealgate-route: local"));
	assert_true(queue_line_is_marked("content_filter: seal:[127.0.0.1]:10225"));
	assert_true(queue_line_is_marked("content_filter: sealed-tls:"));
	assert_true(queue_line_is_marked("content_filter: sealed:[a.example]:25"));
	assert_false(queue_line_is_marked("content_filter: scan:[127.0.0.1]:10024"));
	assert_false(queue_line_is_marked("X-Sealgate-Kept: 1"));
	assert_false(queue_line_is_marked("Subject: X-Sealgate-Mark: 1"));
}

/* What stands in config/postfix is what attaching writes. */
static void file_is(const char *path, const char *text)
{
	struct buf file;
	struct fail f;

	buf_init(&file, 65536);
	assert_int_equal(fd_read_file(path, &file, &f), SG_OK);
	assert_string_equal(buf_str(&file), text);
	buf_free(&file);
}

static void the_shipped_tables_are_those_that_are_written(void **state)
{
	static const char *const names[] = { "routes", "requeue", "unsealed", "strip-sealed-tls",
		"forwards", "encode", "decode" };

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		char *text = tables_text(names[i], &tables);
		char *path = str_printf("config/postfix/%s", names[i]);

		file_is(path, text);
		free(text);
		free(path);
	}
	assert_null(tables_text("other", &tables));
}

static void the_shipped_changes_are_those_that_are_made(void **state)
{
	struct plan_wish shipped = wish;
	struct postconf base = picture(plain_main, plain_services, "");
	struct plan plan;
	struct buf text;
	struct fail f;

	(void)state;
	shipped.milter = "unix:/run/sealgate/milter/milter.sock";
	shipped.policy = "socketmap:unix:/run/sealgate/tls/policy.sock";
	shipped.ca_file = "/etc/ssl/certs/ca-certificates.crt";
	buf_init(&text, 65536);
	assert_int_equal(plan_make(&base, &shipped, &plan, &f), SG_OK);
	assert_int_equal(show_text(&plan, &text), SG_OK);
	file_is("config/postfix/changes", buf_str(&text));
	buf_free(&text);
	plan_free(&plan);
	postconf_free(&base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_postfix_gets_all_settings),
		cmocka_unit_test(what_was_there_stands_behind),
		cmocka_unit_test(overrides_of_services_are_covered),
		cmocka_unit_test(each_transport_gets_three_of_ours),
		cmocka_unit_test(what_local_forwards_comes_back),
		cmocka_unit_test(without_local_nothing_comes_back),
		cmocka_unit_test(what_is_stricter_stays),
		cmocka_unit_test(a_jailed_client_asks_through_proxymap),
		cmocka_unit_test(without_a_policy_service_there_is_no_tls_part),
		cmocka_unit_test(draining_leaves_the_front_alone),
		cmocka_unit_test(taken_names_and_ports_are_refused),
		cmocka_unit_test(no_pickup_is_refused),
		cmocka_unit_test(the_socket_is_spelled_as_postfix_needs_it),
		cmocka_unit_test(reverting_gives_back_what_was_there),
		cmocka_unit_test(reverting_keeps_what_others_changed),
		cmocka_unit_test(a_difference_is_found_on_both_sides),
		cmocka_unit_test(a_line_has_no_options),
		cmocka_unit_test(strange_output_of_postconf_is_refused),
		cmocka_unit_test(the_record_survives_its_bytes),
		cmocka_unit_test(a_record_of_the_first_version_is_read),
		cmocka_unit_test(marked_mail_is_told_from_other_mail),
		cmocka_unit_test(the_shipped_tables_are_those_that_are_written),
		cmocka_unit_test(the_shipped_changes_are_those_that_are_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
