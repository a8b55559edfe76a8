/* What must wait runs in a thread of its own. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "gateway/tls/server.h"

#define STACK_SIZE ((size_t)1024 * 1024)	/* bytes: OpenSSL's and curl's need a tenth */

struct job {
	struct serve_jobs *jobs;
	job_fn *run;
	job_fn *done;
	void *context;
	struct job *next;
};

struct serve_jobs {
	struct server *server;
	struct loop_watch watch;	/* an eventfd: a job has ended */
	pthread_mutex_t lock;		/* over ended */
	struct job *ended;
	size_t running;
};

static void *job_thread(void *context)
{
	struct job *job = context;
	struct serve_jobs *jobs = job->jobs;
	uint64_t one = 1;

	job->run(job->context);
	(void)pthread_mutex_lock(&jobs->lock);
	job->next = jobs->ended;
	jobs->ended = job;
	(void)pthread_mutex_unlock(&jobs->lock);
	/* a counter that is full is readable too */
	while (write(jobs->watch.fd, &one, sizeof(one)) < 0)
		;
	return NULL;
}

static void jobs_event(void *context, uint32_t events)
{
	struct serve_jobs *jobs = context;
	struct job *ended;
	uint64_t count;

	(void)events;
	if (read(jobs->watch.fd, &count, sizeof(count)) < 0)
		return;
	(void)pthread_mutex_lock(&jobs->lock);
	ended = jobs->ended;
	jobs->ended = NULL;
	(void)pthread_mutex_unlock(&jobs->lock);
	while (ended != NULL) {
		struct job *job = ended;

		ended = job->next;
		jobs->running--;
		job->done(job->context);
		free(job);
	}
}

struct serve_jobs *serve_jobs_new(struct server *server)
{
	struct serve_jobs *jobs = calloc(1, sizeof(*jobs));

	if (jobs == NULL)
		return NULL;
	jobs->server = server;
	jobs->watch.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	jobs->watch.ready = jobs_event;
	jobs->watch.context = jobs;
	if (jobs->watch.fd < 0 || pthread_mutex_init(&jobs->lock, NULL) != 0 ||
	    loop_add(server->loop, &jobs->watch, EPOLLIN, NULL) != SG_OK) {
		if (jobs->watch.fd >= 0)
			(void)close(jobs->watch.fd);
		free(jobs);
		return NULL;
	}
	return jobs;
}

size_t serve_jobs_running(const struct serve_jobs *jobs)
{
	return jobs->running;
}

void serve_jobs_free(struct serve_jobs *jobs)
{
	/* threads that still run use it: the process ends soon */
	if (jobs == NULL || jobs->running > 0)
		return;
	(void)close(jobs->watch.fd);
	(void)pthread_mutex_destroy(&jobs->lock);
	free(jobs);
}

static int thread_start(struct job *job)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t before;
	sigset_t all;
	int failed;

	if (pthread_attr_init(&attributes) != 0)
		return -1;
	(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	failed = pthread_create(&thread, &attributes, job_thread, job);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attributes);
	return failed;
}

enum fail_code serve_job_start(struct serve_jobs *jobs, job_fn *run, job_fn *done, void *context,
    struct fail *f)
{
	struct job *job;

	if (jobs->running >= SERVER_JOBS_MAX) {
		(void)fail_set(f, SG_ELIMIT, "try again in a moment",
		    "%zu tasks run already", jobs->running);
		return fail_set_kind(f, FAIL_TEMPORARY);
	}
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for a task");
	*job = (struct job){jobs, run, done, context, NULL};
	if (thread_start(job) != 0) {
		free(job);
		return fail_set(f, SG_ESYSTEM, NULL, "cannot start a thread");
	}
	jobs->running++;
	return SG_OK;
}
