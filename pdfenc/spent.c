#include "pdfenc/spent.h"

#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "gateway/base/wire.h"

static const struct fail no_time = { SG_ELIMIT, FAIL_TEMPORARY,
	"it takes more processor time than a message may have (pdf.timeout)", "" };
static const struct fail no_memory = { SG_ELIMIT, FAIL_TEMPORARY,
	"it takes more memory than a message may have (pdf.memory_max)", "" };

/* Called where anything may be broken: the stack, send(2) and close(2) alone. */
static void tell(const struct fail *f)
{
	unsigned char packet[FAIL_WHAT_MAX + FAIL_HINT_MAX + 64];
	size_t size = wire_fail_packet(f, packet, sizeof(packet));

	(void)!send(SPENT_SOCKET, packet, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)close(SPENT_SOCKET);
}

/* AddressSanitizer has a handler of its own, and no bound of memory is set. */
#ifdef SG_SANITIZE
#define CRASHES_WATCHED false
#else
#define CRASHES_WATCHED true
#endif

#define STACK_SIZE ((size_t)64 * 1024)		/* bytes; of handlers */
#define PROBE_SIZE ((size_t)32 * 1024 * 1024)	/* bytes; libraries fail with less to be had */

/* By the most that it ever had: an earlier message may have been the large one, in doubt. */
static bool is_small(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_SELF, &usage) != 0 ||
	    (size_t)usage.ru_maxrss * 1024 < SPENT_ORDINARY;
}

/* SA_RESETHAND: the second one ends the process, as it would have without us. */
static void on_time(int number)
{
	tell(&no_time);
	(void)raise(number);
}

enum fail_code spent_memory(struct fail *f)
{
	if (is_small())
		return SG_ENOMEM;
	(void)fail_set(f, no_memory.code, NULL, "%s", no_memory.what);
	return fail_set_kind(f, no_memory.kind);
}

_Noreturn void spent_no_memory(void)
{
	static const char text[] = "sealgate-pdf: no memory for a message (pdf.memory_max)\n";

	if (!is_small())
		tell(&no_memory);
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(1);
}

static bool is_full(void)
{
	void *probe = mmap(NULL, PROBE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (probe == MAP_FAILED)
		return true;
	(void)munmap(probe, PROBE_SIZE);
	return false;
}

/* Libraries that do not look whether they got memory crash, of all places at the bound. */
static void on_crash(int number)
{
	if (!is_small() && is_full())
		tell(&no_memory);
	(void)raise(number);
}

/* g_malloc says so and then ends the process. */
static void on_glib(const gchar *domain, GLogLevelFlags level, const gchar *message,
    gpointer context)
{
	if ((level & G_LOG_LEVEL_ERROR) != 0 && message != NULL &&
	    strstr(message, "failed to allocate") != NULL)
		spent_no_memory();
	g_log_default_handler(domain, level, message, context);
}

static enum fail_code watch(int number, void (*handler)(int), struct fail *f)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	action.sa_flags = (int)(SA_RESETHAND | SA_ONSTACK);
	(void)sigemptyset(&action.sa_mask);
	if (sigaction(number, &action, NULL) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot set a signal handler");
	return SG_OK;
}

/* The stack cannot grow either where memory is at its bound. The process ends with this one. */
static enum fail_code make_stack(struct fail *f)
{
	stack_t stack = { .ss_sp = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), .ss_size = STACK_SIZE };

	if (stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "no stack for signal handlers");
	return SG_OK;
}

enum fail_code spent_watch(struct fail *f)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGABRT, SIGTRAP };
	enum fail_code code = make_stack(f);

	if (code == SG_OK)
		code = watch(SIGPROF, on_time, f);
	for (size_t i = 0; CRASHES_WATCHED && i < G_N_ELEMENTS(crashes) && code == SG_OK; i++)
		code = watch(crashes[i], on_crash, f);
	if (code != SG_OK)
		return code;
	(void)g_log_set_default_handler(on_glib, NULL);
	spent_watch_new();
	return SG_OK;
}

/* CPU time, not wall time: a busy machine must not end honest work. 0 disarms. */
static void arm(int64_t cpu_ms)
{
	struct itimerval timer = { .it_interval = { 0, 0 } };

	timer.it_value.tv_sec = (time_t)(cpu_ms / 1000);
	timer.it_value.tv_usec = (suseconds_t)(cpu_ms % 1000 * 1000);
	(void)setitimer(ITIMER_PROF, &timer, NULL);
}

void spent_begin(int socket, int64_t cpu_ms)
{
	int copy = socket >= 0 ? fcntl(socket, F_DUPFD_CLOEXEC, SPENT_SOCKET) : -1;

	/* no other number is known to the last act */
	if (copy > SPENT_SOCKET)
		(void)close(copy);
	arm(cpu_ms);
}

void spent_end(void)
{
	arm(0);
	(void)close(SPENT_SOCKET);
}
