// SPDX-License-Identifier: GPL-2.0
/*
 * Measurements while programs run as in a build: they start others, read and
 * write files, and use memory for a short time. Or they only fork, and each child
 * writes all that it inherits. Memory is full, mostly of page cache.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define PAUSE_US	50000		/* between two requests */
#define WARM_UP_US	(40 * PAUSE_US)
#define READ_SIZE	(4 * MIB)	/* sources and headers of a job */
#define WRITE_SIZE	(1 * MIB)	/* output of a job */
#define WORK_SIZE	(6 * MIB)	/* memory of a job */
#define ROOM_SIZE	(40 * MIB)	/* outside, for jobs and page cache */
#define FULL_KIB	16384		/* at most free in a full area */
#define TURNOVER_SIZE	(64 * MIB)	/* read between two requests */
#define BUILD_JOBS	4		/* at a time */
#define CHUNK_SIZE	(64 * KIB)
#define FORK_SIZE	(1 * MIB)	/* memory of a process that forks */
#define FORK_CHILDREN	2		/* of each, at a time */

/* Works like a compiler: reads, uses memory, writes, and starts a program. */
static void do_job(const char *big_file, const char *path)
{
	static char data[CHUNK_SIZE];
	off_t at = random_below(128) * MIB;
	char *work = ct_map(WORK_SIZE);
	int in = open(big_file, O_RDONLY), out;
	size_t done;

	for (done = 0; done < READ_SIZE; done += sizeof(data))
		if (pread(in, data, sizeof(data), at + done) < 0)
			_exit(1);
	for (done = 0; work && done < WORK_SIZE; done += ct_page_size)
		memset(work + done, done / ct_page_size, ct_page_size);
	out = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	for (done = 0; done < WRITE_SIZE; done += sizeof(data))
		if (write(out, data, sizeof(data)) < 0)
			_exit(1);
	execl("/bin/busybox", "true", NULL);
	_exit(1);
}

/* Runs @nr jobs one after the other. */
static void run_jobs(unsigned long job, unsigned long nr)
{
	const char *big_file = ct_big_file();
	char path[256];
	unsigned long i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < job; i++)
		random_below(2);	/* each job reads another part */
	snprintf(path, sizeof(path), "%s.job%lu", big_file, job);
	for (i = 0; i < nr; i++) {
		random_below(2);
		if (!fork())
			do_job(big_file, path);
		wait(NULL);
	}
	_exit(0);
}

void start_jobs(unsigned long nr)
{
	unsigned long job;

	for (job = 0; job < nr; job++)
		if (!fork())
			run_jobs(job, ULONG_MAX);
}

static void prepare_full(void)
{
	keep_busy(true);
	leave_area(ROOM_SIZE);
	read_cache(0, FULL_KIB);
}

/* Runs @number jobs at a time. */
static void prepare_load(void)
{
	prepare_full();
	start_jobs(number);
	usleep(WARM_UP_US);
}

/* Forks until the parent ends. */
static void fork_on(void)
{
	char *work = map_memory(FORK_SIZE);
	unsigned long nr;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memset(work, 1, FORK_SIZE);
	for (nr = 0;; nr++) {
		if (nr >= FORK_CHILDREN)
			wait(NULL);
		if (!fork()) {
			memset(work, 2, FORK_SIZE);
			_exit(0);
		}
	}
}

/* Runs @number processes that fork. */
static void prepare_forks(void)
{
	unsigned long i;

	prepare_full();
	for (i = 0; i < number; i++)
		if (!fork())
			fork_on();
	usleep(WARM_UP_US);
}

static void refill_load(void)
{
	usleep(PAUSE_US);
	read_cache(TURNOVER_SIZE, FULL_KIB);
}

/* Runs a build of @number jobs, BUILD_JOBS at a time. The size stands for all. */
static void run_build(const size_t *sizes, int nr_sizes)
{
	uint64_t time_ns;
	int i;

	open_disk();
	keep_busy(true);
	time_ns = now_ns();
	for (i = 0; i < BUILD_JOBS; i++)
		if (!fork())
			run_jobs(i, number / BUILD_JOBS);
	for (i = 0; i < BUILD_JOBS; i++)
		wait(NULL);
	time_ns = now_ns() - time_ns;
	keep_busy(false);
	printf("bench: rate %s %zu %lu 0 %llu\n", label, sizes[0], number,
	       (unsigned long long)time_ns);
}

const struct kind load_kinds[] = {
	{ .name = "build", .run = run_build, .nr_sizes = 1, .no_area = true },
	{ .name = "load", .prepare = prepare_load, .refill = refill_load,
	  .in_turn = true },
	{ .name = "forks", .prepare = prepare_forks, .refill = refill_load,
	  .in_turn = true },
	{}
};
