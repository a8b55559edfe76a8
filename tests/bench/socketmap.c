/*
 * socketmap: how fast sealgate-tls answers Postfix from its cache, and what the cache costs.
 *
 *   socketmap [-d DOMAINS] [-c CONNECTIONS] [-s SECONDS] [-C CORE] PROGRAM
 *
 * links: sealgate-tls
 *
 * The engine itself, fed by DNS and HTTPS answers made here, fills a cache of 100,000 domains (half
 * publish nothing, three in ten have DANE, two in ten MTA-STS) and saves it. Then the real program
 * is started with that file, in its sandbox, and asked for random domains over its unix socket, one
 * question at a time on each connection. Prints one line of JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "config/conf.h"
#include "gateway/base/clock.h"
#include "gateway/base/fd.h"
#include "gateway/base/proc.h"
#include "gateway/tls/policy.h"

#define CONNECTIONS_MAX 2048
#define LATENCIES 200000	/* of 1 microsecond each; longer ones count as the last */
#define CACHE_MAX ((size_t)1024 * 1024 * 1024)
#define WARM_S 1.0

struct asking {
	int fd;
	double start;
	size_t got;
	char in[4096];
};

struct bench {
	const char *program;
	size_t domains;
	size_t connections;
	double seconds;
	int core;		/* the server's; -1: any */
	char folder[64];
	struct conf *conf;
	struct proc_child child;
	int listeners[2];
	unsigned long seed;
	size_t answers;
	size_t *latency;
};

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	(void)fprintf(stderr, "socketmap: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void die_of(const struct fail *f)
{
	(void)fprintf(stderr, "socketmap: %s (%s)\n", f->what, f->hint);
	exit(1);
}

/* --- what is published --- */

static size_t number_of(const char *name)
{
	const char *digits = strstr(name, "domain");
	size_t number = 0;

	for (digits = digits == NULL ? "" : digits + 6; *digits >= '0' && *digits <= '9'; digits++)
		number = number * 10 + (size_t)(*digits - '0');
	return number;
}

static size_t wire_name(const char *name, unsigned char *out)
{
	size_t at = 0;
	size_t size;

	for (; *name != '\0'; name += size + (name[size] == '.')) {
		size = strcspn(name, ".");
		out[at++] = (unsigned char)size;
		memcpy(out + at, name, size);
		at += size;
	}
	out[at++] = 0;
	return at;
}

static size_t make_record(const char *name, int type, unsigned char *out)
{
	static const char sts[] = "v=STSv1; id=20261124;";
	char mx[300];

	switch (type) {
	case SOURCE_MX:
		(void)snprintf(mx, sizeof(mx), "mx1.%.255s", name);
		out[0] = 0;
		out[1] = 10;
		return 2 + wire_name(mx, out + 2);
	case SOURCE_TLSA:
		memcpy(out, "\3\1\1", 3);
		memset(out + 3, 0xab, 32);
		return 35;
	case SOURCE_A:
		memcpy(out, "\300\0\2\1", 4);
		return 4;
	case SOURCE_TXT:
		out[0] = sizeof(sts) - 1;
		memcpy(out + 1, sts, sizeof(sts) - 1);
		return sizeof(sts);
	default:
		return 0;
	}
}

static void play_dns(void *context, const char *name, int type, source_dns_fn *done,
    void *done_context)
{
	size_t kind = number_of(name) % 10;
	unsigned char data[600];
	struct source_record record = {data, 0};
	struct source_dns answer = {.status = SOURCE_DNS_NODATA, .ttl_s = 86400};

	(void)context;
	answer.secure = kind >= 5 && kind < 8;
	if (type == SOURCE_MX || type == SOURCE_A || (type == SOURCE_TLSA && answer.secure) ||
	    (type == SOURCE_TXT && kind >= 8 && strncmp(name, "_mta-sts.", 9) == 0))
		record.size = make_record(name, type, data);
	if (record.size > 0) {
		answer.status = SOURCE_DNS_ANSWER;
		answer.records = &record;
		answer.count = 1;
	}
	done(done_context, &answer);
}

static void play_https(void *context, const char *host, const char *path, source_https_fn *done,
    void *done_context)
{
	char body[600];
	struct source_https answer = {.status = 200, .type = "text/plain", .body = body};
	int size = snprintf(body, sizeof(body), "version: STSv1\r\nmode: enforce\r\n"
	    "mx: *.%.200s\r\nmax_age: 604800\r\n",
	    strncmp(host, "mta-sts.", 8) == 0 ? host + 8 : host);

	(void)context;
	(void)path;
	answer.size = size < 0 ? 0 : (size_t)size;
	done(done_context, &answer);
}

static void count_answer(void *context, const struct policy_answer *answer)
{
	size_t *found = context;

	if (answer->kind == POLICY_TEMPORARY)
		(void)fprintf(stderr, "socketmap: %s\n", answer->reason);
	else
		(*found)++;
}

/* Fills a cache by the engine and saves it where the program looks. */
static void make_cache(struct bench *b)
{
	const struct source source = {.dns = play_dns, .https = play_https};
	struct policy *policy = policy_new(b->conf, &source, clock_system());
	char name[64];
	char path[128];
	struct buf bytes;
	size_t found = 0;
	struct fail f;
	size_t i;

	buf_init(&bytes, CACHE_MAX);
	if (policy == NULL)
		die("policy_new");
	for (i = 0; i < b->domains; i++) {
		(void)snprintf(name, sizeof(name), "domain%zu.example", i);
		policy_ask(policy, POLICY_ALL, name, count_answer, &found);
	}
	if (found != b->domains) {
		(void)fprintf(stderr, "socketmap: %zu of %zu answers\n", found, b->domains);
		exit(1);
	}
	(void)snprintf(path, sizeof(path), "%s/policies.cache", b->folder);
	if (policy_save(policy, &bytes, &f) != SG_OK ||
	    fd_replace_file(path, bytes.data, bytes.size, 0644, &f) != SG_OK)
		die_of(&f);
	policy_free(policy);
	buf_free(&bytes);
}

/* --- the program --- */

static int listen_unix(const char *path, int type)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)) != 0 || listen(fd, 1024) != 0)
		die(path);
	return fd;
}

static void start(struct bench *b)
{
	char path[128];
	struct buf config;
	struct fail f;

	(void)snprintf(path, sizeof(path), "%s/tls.sock", b->folder);
	b->listeners[1] = listen_unix(path, SOCK_SEQPACKET);
	(void)snprintf(path, sizeof(path), "%s/policy.sock", b->folder);
	b->listeners[0] = listen_unix(path, SOCK_STREAM);
	buf_init(&config, PROC_CONFIG_MAX);
	fail_clear(&f);
	if (conf_encode(b->conf, CONF_TLS, &config, &f) != SG_OK ||
	    proc_spawn(&(struct proc_birth){ b->program, b->listeners, 2,
		    &config, false }, &b->child, &f) != SG_OK ||
	    proc_wait_ready(&b->child, 60000, NULL, &f) != SG_OK)
		die_of(&f);
	buf_free(&config);
	if (b->core >= 0) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET((size_t)b->core, &set);
		(void)sched_setaffinity(b->child.pid, sizeof(set), &set);
	}
}

static double memory_mb(const struct bench *b)
{
	char path[64];
	char line[256];
	double kb = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)b->child.pid);
	file = fopen(path, "r");
	if (file == NULL)
		die(path);
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "VmRSS:", 6) == 0)
			kb = strtod(line + 6, NULL);
	(void)fclose(file);
	return kb / 1024;
}

/* --- the questions --- */

static void ask(struct bench *b, struct asking *asking)
{
	char request[80];
	char key[64];
	int size;

	b->seed = b->seed * 6364136223846793005u + 1442695040888963407u;
	size = snprintf(key, sizeof(key), "all domain%zu.example",
	    (size_t)(b->seed >> 33) % b->domains);
	size = snprintf(request, sizeof(request), "%d:%s,", size, key);
	asking->got = 0;
	asking->start = now_s();
	if (send(asking->fd, request, (size_t)size, MSG_NOSIGNAL) != size)
		die("send");
}

static void open_all(struct bench *b, struct asking *all, int epoll)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t i;

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s/policy.sock", b->folder);
	for (i = 0; i < b->connections; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};

		all[i].fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (all[i].fd < 0 || connect(all[i].fd, (struct sockaddr *)&to, sizeof(to)) != 0 ||
		    epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event) != 0)
			die("connect");
		ask(b, &all[i]);
	}
}

static void take(struct bench *b, struct asking *asking, int counts)
{
	ssize_t n = recv(asking->fd, asking->in + asking->got, sizeof(asking->in) - asking->got, 0);
	double micros;

	if (n <= 0)
		die("the program closed a connection");
	asking->got += (size_t)n;
	if (asking->in[asking->got - 1] != ',')
		return;
	if (strstr(asking->in, ":TEMP") != NULL || strstr(asking->in, ":PERM") != NULL) {
		(void)fprintf(stderr, "socketmap: %.*s\n", (int)asking->got, asking->in);
		exit(1);
	}
	if (counts) {
		micros = (now_s() - asking->start) * 1e6;
		b->latency[micros >= LATENCIES ? LATENCIES - 1 : (size_t)micros]++;
		b->answers++;
	}
	ask(b, asking);
}

static double run(struct bench *b, struct asking *all)
{
	struct epoll_event events[256];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	double begin;
	double end;
	int n;
	int i;

	if (epoll < 0)
		die("epoll");
	open_all(b, all, epoll);
	begin = now_s() + WARM_S;
	end = begin + b->seconds;
	while (now_s() < end) {
		n = epoll_wait(epoll, events, 256, 1000);
		for (i = 0; i < n; i++)
			take(b, events[i].data.ptr, now_s() >= begin);
	}
	return now_s() - begin;
}

static double percentile(const struct bench *b, double share)
{
	size_t seen = 0;
	size_t i;

	for (i = 0; i < LATENCIES; i++) {
		seen += b->latency[i];
		if ((double)seen >= (double)b->answers * share)
			break;
	}
	return (double)i / 1000;
}

static void configure(struct bench *b)
{
	struct fail f;

	(void)snprintf(b->folder, sizeof(b->folder), "/tmp/sealgate-socketmap.XXXXXX");
	if (mkdtemp(b->folder) == NULL || chmod(b->folder, 0777) != 0)
		die("mkdtemp");
	if (conf_default(&b->conf, &f) != SG_OK ||
	    str_set(&b->conf->tls.cache_directory, b->folder) != SG_OK ||
	    str_set(&b->conf->run_directory, b->folder) != SG_OK ||
	    str_set(&b->conf->users.tls, "65534:65534") != SG_OK ||
	    str_list_add(&b->conf->tls.resolvers, "127.0.0.1@1") != SG_OK)
		die("configuration");
	b->conf->sandbox = CONF_SANDBOX_REDUCED;
	if (b->conf->tls.cache_max < b->domains)
		b->conf->tls.cache_max = (unsigned int)b->domains;
}

static void clean(const struct bench *b)
{
	static const char *const names[] = {"policies.cache", "policy.sock", "tls.sock",
		"rules.told", "report.day"};
	char path[128];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", b->folder, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(b->folder);
}

static void options(struct bench *b, int argc, char *argv[])
{
	int option;

	while ((option = getopt(argc, argv, "d:c:s:C:")) != -1) {
		if (option == 'd')
			b->domains = (size_t)strtoul(optarg, NULL, 10);
		else if (option == 'c')
			b->connections = (size_t)strtoul(optarg, NULL, 10);
		else if (option == 's')
			b->seconds = strtod(optarg, NULL);
		else if (option == 'C')
			b->core = (int)strtol(optarg, NULL, 10);
		else
			exit(64);
	}
	if (optind + 1 != argc || b->domains == 0 || b->connections == 0 ||
	    b->connections > CONNECTIONS_MAX) {
		(void)fprintf(stderr, "usage: socketmap [-d DOMAINS] [-c CONNECTIONS] [-s SECONDS] "
		    "[-C CORE] PROGRAM\n");
		exit(64);
	}
	b->program = argv[optind];
}

int main(int argc, char *argv[])
{
	static struct asking all[CONNECTIONS_MAX];
	struct bench b = {.domains = 100000, .connections = 32, .seconds = 5, .core = -1,
		.seed = 1};
	double seconds;
	double memory;

	options(&b, argc, argv);
	b.latency = calloc(LATENCIES, sizeof(*b.latency));
	if (b.latency == NULL)
		die("memory");
	configure(&b);
	make_cache(&b);
	start(&b);
	seconds = run(&b, all);
	memory = memory_mb(&b);
	(void)printf("{\"cached_per_s\": %.0f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, "
	    "\"memory_mb_100k\": %.1f, \"connections\": %zu, \"domains\": %zu}\n",
	    (double)b.answers / seconds, percentile(&b, 0.5), percentile(&b, 0.99), memory,
	    b.connections, b.domains);
	proc_stop(&b.child, 5000);
	clean(&b);
	conf_free(b.conf);
	free(b.latency);
	return 0;
}
