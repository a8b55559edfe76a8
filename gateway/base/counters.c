#include "gateway/base/counters.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/fd.h"

static struct counters *map(int fd)
{
	void *page = mmap(NULL, sizeof(struct counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return page == MAP_FAILED ? NULL : page;
}

enum fail_code counters_make(struct counters **counters_out, int *fd_out, struct fail *f)
{
	enum fail_code code = fd_memory("sealgate-counters", fd_out, f);

	*counters_out = NULL;
	if (code != SG_OK)
		return code;
	/* nobody can make it smaller under the others */
	if (ftruncate(*fd_out, (off_t)sizeof(struct counters)) != 0 ||
	    fcntl(*fd_out, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0 ||
	    (*counters_out = map(*fd_out)) == NULL) {
		code = fail_errno(f, SG_ESYSTEM, NULL, "cannot make the page of counters");
		fd_close(fd_out);
	}
	return code;
}

struct counters *counters_map(int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    (size_t)st.st_size != sizeof(struct counters))
		return NULL;
	return map(fd);
}

void counters_beat(struct counters *counters, int64_t within_ms)
{
	int32_t pid = (int32_t)getpid();
	uint32_t count;

	if (counters == NULL)
		return;
	count = counters->worker_count;
	for (uint32_t i = 0; i < count && i < COUNTERS_WORKERS; i++) {
		if (counters->workers[i].pid == pid)
			counters->workers[i].deadline_ms = clock_mono_ms(clock_system()) +
			    within_ms;
	}
}

/* ---- time ---- */

static int64_t now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t counters_begin(struct counters *counters, enum counters_step step)
{
	if (counters == NULL)
		return 0;
	counters->steps[step].running++;
	return now_us();
}

uint64_t counters_bound(unsigned int bucket)
{
	static const uint64_t bounds[COUNTERS_BUCKETS] = { 1000, 2500, 5000, 10000, 25000, 50000,
		100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000, 120000000,
		0 };

	return bucket < COUNTERS_BUCKETS ? bounds[bucket] : 0;
}

void counters_end(struct counters *counters, enum counters_step step, int64_t began_us)
{
	unsigned int bucket = 0;
	uint64_t took;

	if (counters == NULL)
		return;
	took = (uint64_t)(now_us() - began_us);
	while (bucket < COUNTERS_BUCKETS - 1 && took > counters_bound(bucket))
		bucket++;
	counters->steps[step].buckets[bucket]++;
	counters->steps[step].sum_us += took;
	counters->steps[step].running--;
}

/* ---- numbers ---- */

void counters_decided(struct counters *counters, unsigned int stage, unsigned int decision)
{
	if (counters != NULL && stage < COUNTERS_STAGES && decision < COUNTERS_DECISIONS)
		counters->decisions[stage][decision]++;
}

void counters_refused(struct counters *counters, unsigned int reason, bool permanent)
{
	if (counters != NULL && reason < COUNTERS_REASONS)
		counters->refused[reason][permanent]++;
}

void counters_committed(struct counters *counters, bool failed)
{
	if (counters != NULL)
		(*(failed ? &counters->commits_failed : &counters->commits))++;
}

void counters_repeated(struct counters *counters)
{
	if (counters != NULL)
		counters->repeated++;
}

void counters_signatures(struct counters *counters, int64_t time_s)
{
	if (counters != NULL)
		counters->signatures_s = time_s;
}

void counters_canary(struct counters *counters, unsigned int result, int64_t time_s)
{
	if (counters == NULL || result >= COUNTERS_CANARIES)
		return;
	counters->canaries[result]++;
	counters->canary_last = result + 1;
	if (result == 0)
		counters->canary_s = time_s;
}
