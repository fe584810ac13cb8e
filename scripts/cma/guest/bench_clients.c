// SPDX-License-Identifier: GPL-2.0
/*
 * Drivers that take and free buffers of all sizes while a board is busy; see
 * bench_busy.h.
 *
 * All buffers together never take more than BUDGET_PERCENT of the area, so
 * there is room for each of them unless free space is fragmented. Only the
 * trace event has the error of a request: dma_alloc_coherent() does not return
 * it.
 *
 * Only the kernel knows whether there was room for a request that failed: a
 * moment later another client has freed a buffer.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench_busy.h"

#define NR_CLIENTS	4
#define MAX_HELD	8		/* buffers of a client */
#define BUDGET_PERCENT	60
#define PAUSE_US	20000		/* longest pause of a client */
#define MAX_ERRNO	64

/* Events that are counted; a word in a line tells which event it is. */
#define FINISH_EVENT	"cma/cma_alloc_finish"
#define THROTTLE_EVENT	"vmscan/mm_vmscan_throttled"
#define PAGE_EVENT	"kmem/mm_page_alloc"

/*
 * An atomic request for a single page failed. Its flags are __GFP_HIGH and
 * __GFP_KSWAPD_RECLAIM without __GFP_DIRECT_RECLAIM. Larger blocks do not
 * count, as their users fall back to single pages.
 */
#define ATOMIC_FAILED	"order == 0 && pfn == 0xffffffff && " \
			"gfp_flags & 0x20 && gfp_flags & 0x800 && " \
			"!(gfp_flags & 0x400)"

/*
 * struct client - a driver
 * @lock:	held while it takes or frees a buffer; covers what follows
 */
struct client {
	pthread_t thread;
	pthread_mutex_t lock;
	unsigned int seed;
	unsigned long nr_requests;
	unsigned long nr_failed;
	unsigned long nr_corrupt;
	unsigned long nr_held;		/* pages */
	unsigned long nr_compared;	/* pages */
	uint64_t worst_ns;
};

static struct client clients[NR_CLIENTS];
static bool stop;
static const size_t *client_sizes;
static unsigned int nr_client_sizes;
static long budget;
static unsigned long nr_errors[MAX_ERRNO];
static unsigned long nr_throttled, nr_atomic;
static uint64_t throttled_us;

/* Returns the number behind @word in the line, or -1. */
static long number_behind(const char *line, const char *word)
{
	const char *at = strstr(line, word);

	return at ? atol(at + strlen(word)) : -1;
}

/* Counts without a lock, so a report may miss the latest event. */
static void *count_events(void *arg)
{
	FILE *events = arg;
	char line[512];
	long value;

	while (fgets(line, sizeof(line), events)) {
		value = number_behind(line, "errorno=-");
		if (value > 0 && value < MAX_ERRNO)
			nr_errors[value]++;
		value = number_behind(line, "usect_delayed=");
		if (value >= 0) {
			nr_throttled++;
			throttled_us += value;
		}
		nr_atomic += !!strstr(line, "mm_page_alloc: ");
	}
	return NULL;
}

static void watch(const char *event, const char *filter)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/tracing/events/%s/filter",
		 event);
	if (filter && ct_write(path, filter))
		die("no filter for the event %s", event);
	snprintf(path, sizeof(path), "/sys/kernel/tracing/events/%s/enable",
		 event);
	if (ct_write(path, "1"))
		die("no event %s to watch", event);
}

void watch_events(void)
{
	pthread_t thread;
	/* Opening it needs a free block of 32 KiB, so do it early. */
	FILE *events = fopen("/sys/kernel/tracing/trace_pipe", "re");

	if (!events)
		die("no events to watch");
	watch(FINISH_EVENT, "errorno != 0");
	watch(THROTTLE_EVENT, NULL);
	watch(PAGE_EVENT, ATOMIC_FAILED);
	if (pthread_create(&thread, NULL, count_events, events))
		die("no thread");
}

bool is_broken(const char *what)
{
	const char *broken = getenv("SOAK_BREAK");

	return broken && !strcmp(broken, what);
}

static void give_budget(size_t size)
{
	__atomic_fetch_add(&budget, size, __ATOMIC_RELAXED);
}

static bool take_budget(size_t size)
{
	long left = __atomic_load_n(&budget, __ATOMIC_RELAXED);

	while (left >= (long)size)
		if (__atomic_compare_exchange_n(&budget, &left, left - size,
						false, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return true;
	return false;
}

/* Prints the flags of the page that blocked the latest failed request. */
static void tell_blocker(void)
{
	FILE *file = fopen("/sys/kernel/debug/cma/failures", "r");
	int flags_fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	unsigned long when_s, latest_s = 0, pfn = 0;
	uint64_t flags = 0;
	char line[256], *at;

	while (file && fgets(line, sizeof(line), file)) {
		at = strstr(line, "pfn 0x");
		when_s = strtoul(line, NULL, 10);
		if (at && when_s >= latest_s) {
			latest_s = when_s;
			pfn = strtoul(at + strlen("pfn "), NULL, 16);
		}
	}
	if (pfn && pread(flags_fd, &flags, sizeof(flags),
			 pfn * sizeof(flags)) == sizeof(flags))
		printf("bench: blocker %#lx has the flags %#llx now\n", pfn,
		       (unsigned long long)flags);
	if (file)
		fclose(file);
	close(flags_fd);
}

static unsigned long nr_pages_of(size_t size)
{
	return (size + ct_page_size - 1) / ct_page_size;
}

static void ask(struct client *me, int fd, size_t size,
		struct dma_test_alloc *buf)
{
	uint64_t start_ns = now_ns(), time_ns;

	me->nr_requests++;
	if (!ct_dma_alloc(fd, size, DMA_TEST_KERNEL, 0, buf)) {
		ct_dma_fill(fd, buf->id, buf->id);
		me->nr_held += nr_pages_of(size);
		time_ns = buf->time_ns;
	} else {
		time_ns = now_ns() - start_ns;
		me->nr_failed++;
		buf->id = 0;
		give_budget(size);
		tell_blocker();
	}
	if (time_ns > me->worst_ns)
		me->worst_ns = time_ns;
}

static void give_back(struct client *me, int fd, struct dma_test_alloc *buf)
{
	if (is_broken("buffer"))
		ct_dma_fill(fd, buf->id, ~buf->id);
	if (ct_dma_verify(fd, buf->id, buf->id))
		me->nr_corrupt++;
	put_buffer(fd, buf->id, NULL);
	me->nr_held -= nr_pages_of(buf->size);
	me->nr_compared += nr_pages_of(buf->size);
	give_budget(buf->size);
	buf->id = 0;
}

static void *be_client(void *arg)
{
	struct dma_test_alloc bufs[MAX_HELD] = {};
	struct client *me = arg;
	int fd = ct_dma_open();
	size_t size;
	int i;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		i = rand_r(&me->seed) % MAX_HELD;
		size = client_sizes[rand_r(&me->seed) % nr_client_sizes];
		pthread_mutex_lock(&me->lock);
		if (bufs[i].id)
			give_back(me, fd, &bufs[i]);
		else if (take_budget(size))
			ask(me, fd, size, &bufs[i]);
		pthread_mutex_unlock(&me->lock);
		usleep(rand_r(&me->seed) % PAUSE_US);
	}
	pthread_mutex_lock(&me->lock);
	for (i = 0; i < MAX_HELD; i++)
		if (bufs[i].id)
			give_back(me, fd, &bufs[i]);
	pthread_mutex_unlock(&me->lock);
	close(fd);
	return NULL;
}

void start_clients(const size_t *sizes, int nr_sizes)
{
	int i;

	client_sizes = sizes;
	nr_client_sizes = nr_sizes;
	budget = area.nr_pages * ct_page_size / 100 * BUDGET_PERCENT;
	for (i = 0; i < NR_CLIENTS; i++) {
		clients[i].seed = i + 1;
		pthread_mutex_init(&clients[i].lock, NULL);
		if (pthread_create(&clients[i].thread, NULL, be_client,
				   clients + i))
			die("no thread");
	}
}

void pause_clients(bool on)
{
	int i;

	for (i = 0; i < NR_CLIENTS; i++)
		if (on)
			pthread_mutex_lock(&clients[i].lock);
		else
			pthread_mutex_unlock(&clients[i].lock);
}

void end_clients(void)
{
	int i;

	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < NR_CLIENTS; i++)
		pthread_join(clients[i].thread, NULL);
}

/* Returns what all of them did. */
static struct client sum_of_clients(void)
{
	struct client *one, sum = {};

	for (one = clients; one < clients + NR_CLIENTS; one++) {
		sum.nr_requests += one->nr_requests;
		sum.nr_failed += one->nr_failed;
		sum.nr_corrupt += one->nr_corrupt;
		sum.nr_held += one->nr_held;
		sum.nr_compared += one->nr_compared;
		if (one->worst_ns > sum.worst_ns)
			sum.worst_ns = one->worst_ns;
	}
	return sum;
}

unsigned long clients_held(void)
{
	return sum_of_clients().nr_held;
}

unsigned long clients_compared(void)
{
	return sum_of_clients().nr_compared;
}

void report_clients(unsigned long minutes)
{
	const struct client sum = sum_of_clients();
	int i;

	for (i = 0; i < MAX_ERRNO; i++)
		if (nr_errors[i])
			printf("bench: stress-errno %s %d %lu\n", label, i,
			       nr_errors[i]);
	printf("bench: stress-throttled %s %lu %llu\n", label, nr_throttled,
	       (unsigned long long)throttled_us);
	printf("bench: stress-atomic %s %lu\n", label, nr_atomic);
	printf("bench: stress %s %lu %lu %lu %lu %llu\n", label, minutes,
	       sum.nr_requests, sum.nr_failed, sum.nr_corrupt,
	       (unsigned long long)sum.worst_ns);
}
