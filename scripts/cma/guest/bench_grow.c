// SPDX-License-Identifier: GPL-2.0
/*
 * Measurements while unmovable kernel memory grows beside programs and page
 * cache. Half of memory is an area, which such memory cannot use. The same
 * loads run without any area.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench_place.h"

#define USE_EVERY	10		/* MiB between two uses of all data */
#define NOISE_WORDS	256		/* words of a page that do not compress */
#define MAX_FILES	4096		/* two for each MiB of pipes */
#define IDLE_S		30
#define LAST_MIB	4		/* taken when programs are there */

static const char *const counters[] = {
	"pswpout", "pgsteal_kswapd", "pgsteal_direct", "pgscan_kswapd",
	"pgscan_direct", "oom_kill", "allocstall_normal", "allocstall_high",
};

#define NR_COUNTERS	(sizeof(counters) / sizeof(*counters))

/*
 * struct progress - shared with the process that the OOM killer may kill
 * @start_ns:	start of the measurement
 * @end_ns:	its end; 0 until then
 * @kswapd_ns:	CPU time of kswapd, or 0
 * @nr_mib:	unmovable memory so far
 * @nr_before:	counters at the start
 */
struct progress {
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t kswapd_ns;
	unsigned long nr_mib;
	long nr_before[NR_COUNTERS];
};

static struct progress *progress;

void report(const char *name, unsigned long long value)
{
	printf("bench: place %s %s %llu\n", label, name, value);
}

void place_start(void)
{
	unsigned int i;

	if (!progress)
		progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (progress == MAP_FAILED)
		die("no memory");
	for (i = 0; i < NR_COUNTERS; i++)
		progress->nr_before[i] = ct_vmstat(counters[i]);
	progress->start_ns = now_ns();
}

void place_end(void)
{
	progress->end_ns = now_ns();
}

void place_report(void)
{
	unsigned int i;

	if (!progress->end_ns)
		place_end();
	report("ns", progress->end_ns - progress->start_ns);
	for (i = 0; i < NR_COUNTERS; i++)
		report(counters[i], ct_vmstat(counters[i]) -
				    progress->nr_before[i]);
}

void place_prepare(size_t swap_size)
{
	const struct rlimit files = { MAX_FILES, MAX_FILES };

	if (setrlimit(RLIMIT_NOFILE, &files))
		die("no files");
	ct_drop_caches();
	swap_on_size(swap_size);
}

bool take_unmovable_data(int *fds, const char *data)
{
	size_t done = 0;

	if (pipe2(fds, O_NONBLOCK))
		return false;
	if (fcntl(fds[1], F_SETPIPE_SZ, MIB) >= (int)MIB)
		for (done = 0; done < MIB; done += UNMOVABLE_DATA)
			if (write(fds[1], data, UNMOVABLE_DATA) !=
			    (ssize_t)UNMOVABLE_DATA)
				break;
	if (done == MIB)
		return true;
	put_unmovable(fds);
	return false;
}

bool take_unmovable(int *fds)
{
	static const char zeroes[UNMOVABLE_DATA];

	return take_unmovable_data(fds, zeroes);
}

void put_unmovable(const int *fds)
{
	close(fds[0]);
	close(fds[1]);
}

static uint32_t next_word(uint32_t word)
{
	return word * 1664525 + 1013904223;
}

void program_write(char *data, size_t size)
{
	uint32_t *page, word = 12345;
	size_t at;
	int i;

	for (at = 0; at < size; at += ct_page_size) {
		page = (uint32_t *)(data + at);
		for (i = 0; i < NOISE_WORDS; i++) {
			word = next_word(word);
			page[i] = word;
		}
	}
}

char *program_map(size_t size)
{
	char *data = map_memory(size);

	program_write(data, size);
	return data;
}

void program_use(char *data, size_t size)
{
	size_t at;

	/* The first byte of a page changes with each use. */
	for (at = 0; at < size; at += ct_page_size)
		__atomic_fetch_add(data + at, 1, __ATOMIC_RELAXED);
}

void program_verify(const char *data, size_t size)
{
	const uint32_t *page;
	uint32_t word = 12345;
	size_t at;
	int i;

	for (at = 0; at < size; at += ct_page_size) {
		page = (const uint32_t *)(data + at);
		for (i = 0; i < NOISE_WORDS; i++) {
			word = next_word(word);
			if (i && page[i] != word)
				die("data of programs are lost");
		}
	}
}

const char *make_file(size_t size)
{
	static char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s.holes", open_disk());
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	if (fd < 0 || ftruncate(fd, size) || fsync(fd))
		die("cannot make %s", path);
	close(fd);
	return path;
}

static void fill_cache(size_t size)
{
	off_t offset = 0;
	int err = ct_read_on(make_file(size), &offset, size, 0);

	if (err)
		die("cannot read: %s", strerror(-err));
}

/*
 * sizes: swap, data of programs, unmovable memory at most, page cache. Programs
 * use all of their data again and again meanwhile.
 */
static void grow(const size_t *sizes)
{
	unsigned long nr, nr_max = sizes[2] / MIB;
	char *data = sizes[1] ? program_map(sizes[1]) : NULL;
	int fds[2];

	if (sizes[3])
		fill_cache(sizes[3]);
	place_start();
	for (nr = 1; nr <= nr_max && take_unmovable(fds); nr++) {
		progress->nr_mib = nr;
		if (!(nr % USE_EVERY))
			program_use(data, sizes[1]);
		place_end();
	}
	place_end();
	program_verify(data, sizes[1]);
}

static void run_grow(const size_t *sizes, int nr_sizes)
{
	int status;
	pid_t pid;

	place_prepare(sizes[0]);
	place_start();
	pid = fork();
	if (!pid) {
		ct_write_long("/proc/self/oom_score_adj", 1000);
		grow(sizes);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid ||
	    (WIFEXITED(status) && WEXITSTATUS(status)))
		die("status %d", status);
	/* To say what was going on and to end a large program takes long. */
	if (WIFSIGNALED(status) && progress->end_ns)
		report("kill_ns", now_ns() - progress->end_ns);
	place_report();
	report("mib", progress->nr_mib);
	report("killed", WIFSIGNALED(status));
}

/* Returns the CPU time of kswapd in ns. */
static uint64_t kswapd_ns(void)
{
	char path[64], name[16];
	clockid_t clock;
	FILE *file;
	pid_t pid;

	for (pid = 2; pid < 1000; pid++) {
		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (!fgets(name, sizeof(name), file))
			*name = '\0';
		fclose(file);
		if (strcmp(name, "kswapd0\n"))
			continue;
		if (clock_getcpuclockid(pid, &clock))
			die("no clock of kswapd");
		return clock_ns(clock);
	}
	die("no kswapd");
}

/* Free pages outside of the area. */
static long nr_free_outside(void)
{
	return ct_vmstat("nr_free_pages") - ct_vmstat("nr_free_cma");
}

/* Takes unmovable memory until less than @limit pages are free outside. */
static void fill_outside(unsigned long *nr, unsigned long nr_max, long limit)
{
	int fds[2];

	for (; *nr < nr_max && nr_free_outside() >= limit; (*nr)++)
		if (!take_unmovable(fds))
			die("only %lu MiB", *nr);
}

/*
 * sizes: swap, data of programs, unmovable memory at most. Unmovable memory
 * fills what lies outside of the area, so that the programs live in the area.
 * Then it grows to below the low watermark, which wakes kswapd.
 */
static void run_idle(const size_t *sizes, int nr_sizes)
{
	unsigned long nr = 0, nr_max = sizes[2] / MIB;
	uint64_t time_ns;
	char *data;

	place_prepare(sizes[0]);
	/* Pages on per-CPU lists lie outside, and programs use them first. */
	ct_mem_limit_cpu_lists(true);
	munmap(program_map(MIB), MIB);
	ct_mem_limit_cpu_lists(false);
	fill_outside(&nr, nr_max - LAST_MIB,
		     ct_zone_sum("high") + LAST_MIB * MIB / ct_page_size);
	data = program_map(sizes[1]);
	time_ns = kswapd_ns();
	place_start();
	fill_outside(&nr, nr_max, ct_zone_sum("low"));
	sleep(IDLE_S);
	place_end();
	time_ns = kswapd_ns() - time_ns;
	place_report();
	report("mib", nr);
	report("kswapd_ns", time_ns);
	program_verify(data, sizes[1]);
}

const struct kind grow_kinds[] = {
	{ .name = "grow", .run = run_grow, .nr_sizes = 4, .no_area = true },
	{ .name = "idle", .run = run_idle, .nr_sizes = 3, .no_area = true },
	{}
};
