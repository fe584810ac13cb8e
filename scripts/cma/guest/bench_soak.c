// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps a board busy in all ways at once for @number minutes, and compares every
 * byte. Each minute all of it pauses while counters of the kernel are compared
 * with the pages that they count. bench_busy.h describes the lines of drivers;
 * these come before, each minute:
 *   bench: counter LABEL MINUTE NAME LISTS VALUE COUNTED
 *	a counter, where its pages were counted, and how many there are
 *   bench: data LABEL NAME PAGES
 *	pages that a load has compared so far
 *
 * The environment variable SOAK_BREAK has the name of a load, or "buffer", whose
 * data are changed, or "held": one page is said to be held that is not. The run
 * must fail then.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_soak.h"
#include "cma_counters.h"

#define INTERVAL_S	60
#define SWAP_SIZE	(384 * MIB)
#define NR_TRIES	20		/* kswapd and writeback do not pause */
#define STOP_US		10000		/* between two looks at programs */
#define STOP_TRIES	12000		/* until they count as stuck */
#define CACHE_MAX_KIB	32768		/* of freed buffers */

/*
 * struct shared - what the processes of all loads share
 * @nr_pages:	compared by each load
 * @stop:	they have to come to their end
 */
static struct shared {
	unsigned long nr_pages[MAX_LOADS];
	bool stop;
} *shared;

static unsigned int me;			/* index of this process's load */
static pid_t group;			/* process group of all loads */
static long nr_held_before;

bool soak_stops(void)
{
	return __atomic_load_n(&shared->stop, __ATOMIC_RELAXED);
}

void spoil(void *data)
{
	if (is_broken(loads[me].name))
		*(char *)data ^= 1;
}

void compared(size_t size, bool is_right)
{
	if (!is_right)
		die("load %s: data are lost", loads[me].name);
	__atomic_fetch_add(&shared->nr_pages[me], size / ct_page_size,
			   __ATOMIC_RELAXED);
}

static void start_process(unsigned int load, unsigned int seed)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	/* Both set it, as either may be first. */
	setpgid(pid, group);
	if (pid) {
		if (!group)
			group = pid;
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	me = load;
	while (seed--)
		random_below(2);
	loads[me].run();
	exit(0);
}

static void start_loads(void)
{
	unsigned int load, nr, seed = 0;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		die("no memory");
	for (load = 0; loads[load].name; load++)
		for (nr = 0; nr < loads[load].nr_processes; nr++)
			start_process(load, seed += 1000);
}

/* Waits for the end of a process, if there is one; dies unless all is well. */
static pid_t wait_for_load(int flags)
{
	int status;
	pid_t pid = waitpid(-1, &status, flags);

	if (pid > 0 && WIFSIGNALED(status))
		die("a program was killed by signal %d", WTERMSIG(status));
	if (pid > 0 && (status || !soak_stops()))
		die("a program ended with status %#x", status);
	return pid;
}

/* Returns whether a process of the loads has not stopped yet. */
static bool runs(const char *pid)
{
	char path[64], line[256], state, *at = NULL;
	FILE *file;
	int pgrp;

	snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fgets(line, sizeof(line), file))
		at = strrchr(line, ')');
	fclose(file);
	return at && sscanf(at, ") %c %*d %d", &state, &pgrp) == 2 &&
	       pgrp == group && !strchr("TZX", state);
}

static bool any_runs(void)
{
	struct dirent *entry;
	bool found = false;
	DIR *dir = opendir("/proc");

	if (!dir)
		die("no /proc");
	while (!found && (entry = readdir(dir)))
		found = isdigit(entry->d_name[0]) && runs(entry->d_name);
	closedir(dir);
	return found;
}

/* A program stops when it comes back from the kernel. */
static void pause_loads(void)
{
	int nr_tries = 0;

	kill(-group, SIGSTOP);
	while (any_runs()) {
		usleep(STOP_US);
		if (++nr_tries == STOP_TRIES)
			die("a program does not stop");
	}
}

static void print_counter(unsigned long minute, const char *name,
			  const char *lists, long value, long counted)
{
	printf("bench: counter %s %lu %s %s %ld %ld\n", label, minute, name,
	       lists, value, counted);
}

static void check(unsigned long minute)
{
	long value, counted, held = nr_held_before + clients_held();
	const struct ct_counter *counter;

	if (is_broken("held"))
		held++;
	for (counter = ct_counters; counter < ct_counters + CT_NR_COUNTERS;
	     counter++) {
		if (!ct_counter_is_exact(counter, &area, NR_TRIES, &value,
					 &counted) && value == counted)
			die("%s does not hold still", counter->name);
		print_counter(minute, counter->name, counter->lists, value,
			      counted);
	}
	print_counter(minute, "total_pages", "count",
		      ct_area_sysfs(&area, "total_pages"), area.nr_pages);
	print_counter(minute, "available_pages", "drivers",
		      ct_area_sysfs(&area, "available_pages"),
		      area.nr_pages - held);
	print_counter(minute, "used", "drivers", ct_area_debugfs(&area, "used"),
		      held);
	print_counter(minute, "used", "bitmap", ct_area_debugfs(&area, "used"),
		      look_at_held());
}

static void report(unsigned long minute)
{
	unsigned int load;

	for (load = 0; loads[load].name; load++)
		printf("bench: data %s %s %lu\n", label, loads[load].name,
		       shared->nr_pages[load]);
	printf("bench: data %s buffer %lu\n", label, clients_compared());
	report_clients(minute);
}

/* The size of the cache changes each time, which frees all cached buffers. */
static void change_cache(void)
{
	char kib[32];

	snprintf(kib, sizeof(kib), "%lu", random_below(CACHE_MAX_KIB));
	if (ct_area_set(&area, "cache_kib", kib))
		die("cache_kib: %s", kib);
}

static void run_soak(const size_t *sizes, int nr_sizes)
{
	unsigned long minute, second;

	/* Print each line at once, not all of them at the end. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	nr_held_before = ct_area_debugfs(&area, "used");
	watch_events();
	open_disk();
	swap_on_size(SWAP_SIZE);
	start_loads();
	start_clients(sizes, nr_sizes);
	for (minute = 1; minute <= number; minute++) {
		for (second = 0; second < INTERVAL_S; second++) {
			sleep(1);
			wait_for_load(WNOHANG);
		}
		pause_clients(true);
		pause_loads();
		check(minute);
		change_cache();
		kill(-group, SIGCONT);
		pause_clients(false);
		if (minute < number)
			report(minute);
	}
	shared->stop = true;
	end_clients();
	while (wait_for_load(0) > 0)
		;
	check(minute);
	report(number);
}

const struct kind soak_kinds[] = {
	{ .name = "soak", .run = run_soak },
	{}
};
