// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's half of the measurements: brings memory into a state, requests
 * buffers, and reports how long the calls took.
 *
 *   bench LABEL KIND[:NUMBER] SAMPLES KIB...
 *
 * It prints these lines for scripts/cma/measure/:
 *   bench: sample LABEL SIZE ALLOC_NS FREE_NS AGAIN_NS
 *	a buffer
 *   bench: failed LABEL SIZE ALLOC_NS AVOIDABLE
 *	a request that failed; AVOIDABLE is 0 if there was no room
 *   bench: refused LABEL SIZE NS
 *	a request that failed at the end of a row that goes on until then
 *   bench: count LABEL SIZE NR
 *	the number of buffers that there was room for
 *   bench: rate LABEL SIZE PAIRS FAILED TIME_NS
 *	requests with a free each, failed requests, and the time for all
 *   bench: bad LABEL WHY
 *	an error: there are no figures
 * bench_place.h describes the lines for scripts/cma/measure/placement.py,
 * bench_busy.h describes the lines for scripts/cma/stress.py, bench_soak.c those
 * for scripts/cma/soak.py.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "../../../../mm/gup_test.h"
#include "bench.h"

#define MAX_SIZES	16
#define ROW_SIZE	(16 * MIB)	/* size of all buffers in a row */
#define ROW_MAX		8		/* maximal number of buffers in a row */
#define END_MAX		256		/* the same with to_the_end */
#define DISK_POLL_US	1000

struct sample {
	size_t size;
	uint64_t alloc_ns;
	uint64_t free_ns;
	uint64_t again_ns;
	uint64_t own_ns;
	bool failed;
	bool avoidable;
	bool refused;
};

struct ct_area area;
const char *label;
unsigned long number;
int driver;

static const struct kind *kind;

/* Held while the CPU may idle. */
static pthread_mutex_t idle_lock = PTHREAD_MUTEX_INITIALIZER;

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("bench: bad %s ", label);
	vprintf(format, args);
	printf("\n");
	va_end(args);
	exit(1);
}

unsigned long random_below(unsigned long limit)
{
	static uint32_t state = 2463534242u;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % limit;
}

int get_buffer(int fd, size_t size, uint32_t *id, uint64_t *time_ns)
{
	struct dma_test_alloc buf;
	int err = ct_dma_alloc(fd, size, kind->context,
			       kind->attrs | DMA_TEST_NO_WARN, &buf);

	if (err && err != -ENOMEM)
		die("%zu bytes: %s", size, strerror(-err));
	*id = buf.id;
	if (time_ns)
		*time_ns = buf.time_ns;
	return err;
}

void put_buffer(int fd, uint32_t id, uint64_t *time_ns)
{
	struct dma_test_free buf = { .id = id };

	if (ioctl(fd, DMA_TEST_IOC_FREE, &buf))
		die("free: %s", strerror(errno));
	if (time_ns)
		*time_ns = buf.time_ns;
}

static void *spin(void *unused)
{
	const struct sched_param param = {};

	sched_setscheduler(0, SCHED_IDLE, &param);
	for (;;) {
		pthread_mutex_lock(&idle_lock);
		pthread_mutex_unlock(&idle_lock);
	}
	return unused;
}

void keep_busy(bool on)
{
	static bool busy, started;
	pthread_t thread;

	if (on == busy)
		return;
	busy = on;
	if (on && started)
		pthread_mutex_unlock(&idle_lock);
	else if (on)
		started = !pthread_create(&thread, NULL, spin, NULL);
	else
		pthread_mutex_lock(&idle_lock);
	if (!started)
		die("no thread");
}

const char *open_disk(void)
{
	const char *path = ct_big_file();

	if (!path)
		die("no disk");
	return path;
}

int open_file(const char *name, int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s.%s.%d", open_disk(), name, getpid());
	fd = open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC | flags, 0600);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	unlink(path);
	return fd;
}

void *map_memory(size_t size)
{
	void *addr = ct_map(size);

	if (!addr)
		die("cannot map %zu bytes", size);
	return addr;
}

void wait_for_disk(void)
{
	int nr_reads = 1, nr_writes = 1;
	FILE *file;

	while (nr_reads || nr_writes) {
		usleep(DISK_POLL_US);
		file = fopen("/sys/block/vda/inflight", "r");
		if (!file || fscanf(file, "%d %d", &nr_reads, &nr_writes) != 2)
			die("no disk to wait for");
		fclose(file);
	}
}

uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now))
		die("no clock");
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

int open_gup(void)
{
	int gup = open("/sys/kernel/debug/gup_test", O_RDWR);

	if (gup < 0)
		die("gup_test: %s", strerror(errno));
	return gup;
}

void pin_longterm(int gup, const void *addr, size_t size)
{
	struct pin_longterm_test pin = {
		.addr = (uintptr_t)addr,
		.size = size,
		.flags = PIN_LONGTERM_TEST_FLAG_USE_WRITE,
	};

	if (ioctl(gup, PIN_LONGTERM_TEST_START, &pin))
		die("pin: %s", strerror(errno));
}

void unpin_longterm(int gup)
{
	if (ioctl(gup, PIN_LONGTERM_TEST_STOP))
		die("unpin: %s", strerror(errno));
}

/* Failures are avoidable as long as there was room: for @nr_windows buffers. */
static void judge_failed(struct sample *row, int nr, unsigned long nr_windows)
{
	unsigned long nr_got = 0;
	int i;

	for (i = 0; i < nr; i++)
		nr_got += !row[i].failed;
	for (i = 0; i < nr; i++) {
		row[i].avoidable = row[i].failed && nr_got < nr_windows;
		nr_got += row[i].avoidable;
	}
}

/* Takes at most @nr_max samples of one size; returns how many. */
static int take_row(struct sample *samples, size_t size, int nr_max)
{
	int nr = kind->in_row ? ROW_SIZE / size : 1;
	unsigned long nr_windows = END_MAX;
	uint32_t ids[END_MAX];
	int i;

	nr = nr > ROW_MAX ? ROW_MAX : nr ? nr : 1;
	nr = kind->to_the_end ? END_MAX : nr;
	nr = nr > nr_max ? nr_max : nr;
	if (kind->refill)
		kind->refill();
	if (kind->nr_windows)
		nr_windows = kind->nr_windows(size);
	for (i = 0; i < nr; i++) {
		samples[i].size = size;
		samples[i].refused = false;
		samples[i].own_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		samples[i].failed = get_buffer(driver, size, &ids[i],
					       &samples[i].alloc_ns);
		samples[i].own_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) -
				    samples[i].own_ns;
		samples[i].again_ns = kind->again ? kind->again() : 0;
		if (kind->to_the_end && samples[i].failed)
			nr = i + 1;
	}
	for (i = 0; i < nr; i++)
		if (!samples[i].failed)
			put_buffer(driver, ids[i], &samples[i].free_ns);
	judge_failed(samples, nr, nr_windows);
	samples[nr - 1].refused = kind->to_the_end && samples[nr - 1].failed &&
				  !samples[nr - 1].avoidable;
	return nr;
}

/* Called at the end, so that the console does not change the figures. */
static void print_samples(const struct sample *samples, int nr)
{
	const struct sample *s;

	for (s = samples; s < samples + nr; s++) {
		if (s->refused)
			printf("bench: refused %s %zu %llu\n", label, s->size,
			       (unsigned long long)s->alloc_ns);
		else if (s->failed)
			printf("bench: failed %s %zu %llu %d\n", label,
			       s->size, (unsigned long long)s->alloc_ns,
			       s->avoidable);
		else
			printf("bench: sample %s %zu %llu %llu %llu %llu\n", label,
			       s->size, (unsigned long long)s->alloc_ns,
			       (unsigned long long)s->free_ns,
			       (unsigned long long)s->again_ns,
			       (unsigned long long)s->own_ns);
	}
}

static void run_samples(const size_t *sizes, int nr_sizes, int nr_each)
{
	int i, nr = nr_sizes * nr_each;
	struct sample *samples = calloc(nr, sizeof(*samples));

	if (!samples)
		die("no memory");
	/* Populate the pages now, not during a measurement. */
	memset(samples, 0xff, nr * sizeof(*samples));
	/* The areas are to be full. */
	ct_end_headroom();
	if (kind->prepare)
		kind->prepare();
	for (i = 0; kind->in_turn && i < nr; i++)
		take_row(samples + i, sizes[i % nr_sizes], 1);
	while (i < nr)
		i += take_row(samples + i, sizes[i / nr_each],
			      nr_each - i % nr_each);
	print_samples(samples, nr);
}

static void find_kind(const char *name)
{
	static const struct kind *const tables[] = {
		beside_kinds, fault_kinds, fill_kinds, grow_kinds, held_kinds,
		large_kinds, load_kinds, pin_kinds, soak_kinds, stress_kinds,
	};
	unsigned int i;

	for (i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (kind = tables[i]; kind->name; kind++)
			if (!strcmp(kind->name, name))
				return;
	die("no such kind: %s", name);
}

int main(int argc, char **argv)
{
	size_t sizes[MAX_SIZES];
	int i, nr_sizes = argc - 4;
	char *colon;

	if (nr_sizes < 1 || nr_sizes > MAX_SIZES) {
		fprintf(stderr,
			"usage: bench LABEL KIND[:NUMBER] SAMPLES KIB...\n");
		return 2;
	}
	label = argv[1];
	colon = strchr(argv[2], ':');
	if (colon) {
		*colon = '\0';
		number = strtoul(colon + 1, NULL, 10);
	}
	find_kind(argv[2]);
	if (kind->nr_sizes && kind->nr_sizes != nr_sizes)
		die("%s takes %d sizes", kind->name, kind->nr_sizes);
	for (i = 0; i < nr_sizes; i++)
		sizes[i] = strtoul(argv[4 + i], NULL, 10) * KIB;

	if (kind->no_area) {
		ct_page_size = sysconf(_SC_PAGESIZE);
	} else {
		ct_init(&area);
		driver = ct_dma_open();
		if (driver < 0)
			die("%s: %s", DMA_TEST_DEVICE, strerror(errno));
	}
	if (kind->run)
		kind->run(sizes, nr_sizes);
	else
		run_samples(sizes, nr_sizes, atoi(argv[3]));
	return 0;
}
