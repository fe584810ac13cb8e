// SPDX-License-Identifier: GPL-2.0
/*
 * Simulates hours of a busy device. Programs run as in a build, files are read,
 * and data are swapped to zram. Pipes and direct I/O hold pages for a moment.
 * Drivers take and free buffers of all sizes. The program reports failures and
 * the longest request.
 *
 * All buffers together never take more than BUDGET_PERCENT of the area, so
 * there is room for each of them unless free space is fragmented. Only the
 * trace event has the error of a request: dma_alloc_coherent() does not return
 * it.
 *
 *   bench: stress LABEL MINUTES REQUESTS FAILED CORRUPT WORST_NS
 *   bench: stress-errno LABEL ERRNO COUNT
 *   bench: stress-throttled LABEL TIMES US
 *	direct reclaimers that had to wait
 *   bench: stress-atomic LABEL COUNT
 *	atomic requests for a single page that failed
 *
 * All numbers are cumulative. Only the kernel knows whether there was room for
 * a request that failed: a moment later another client has freed a buffer.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"

#define NR_JOBS		4
#define NR_CLIENTS	4
#define MAX_HELD	8		/* buffers of a client */
#define BUDGET_PERCENT	60
#define PAUSE_US	20000		/* longest pause of a client */
#define ANON_SIZE	(112 * MIB)
#define ANON_STEP	128		/* pages from pause to pause */
#define ANON_PAUSE_US	2000
#define PIPE_SIZE	(8 * MIB)	/* memory whose pages go into a pipe */
#define PIPE_PAGES	16		/* pages in the pipe at a time */
#define PIPE_US		50000		/* longest stay in the pipe */
#define DIRECT_SIZE	(4 * MIB)
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

struct client {
	pthread_t thread;
	unsigned int seed;
	unsigned long nr_requests;
	unsigned long nr_failed;
	unsigned long nr_corrupt;
	uint64_t worst_ns;
};

static const size_t *client_sizes;
static unsigned int nr_client_sizes;
static size_t budget;
static pthread_mutex_t budget_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long nr_errors[MAX_ERRNO];
static unsigned long nr_throttled, nr_atomic;
static uint64_t throttled_us;

/* Starts a process that ends with this one. */
static void start(void (*function)(void))
{
	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	function();
	_exit(1);
}

static void read_files(void)
{
	off_t offset = 0;

	while (!ct_read_on(ct_big_file(), &offset, 16 * MIB, 0))
		;
}

/* An eighth of the page does not compress; word 1 depends on word 0. */
static bool page_is_right(const uint32_t *words, uint32_t page)
{
	size_t nr = ct_page_size / sizeof(*words);

	return words[nr / 8] == page && words[nr / 2] == page &&
	       words[nr - 1] == page && words[1] == (words[0] ^ page);
}

static void swap_data(void)
{
	size_t nr_words = ct_page_size / sizeof(uint32_t), i;
	uint32_t *data = ct_map(ANON_SIZE), *words;
	uint32_t page;

	for (page = 0; page < ANON_SIZE / ct_page_size; page++) {
		words = data + page * nr_words;
		for (i = 0; i < nr_words; i++)
			words[i] = i < nr_words / 8 ?
				   random_below(UINT32_MAX) : page;
		words[1] = words[0] ^ page;
	}
	for (;;) {
		for (page = 0; page < ANON_SIZE / ct_page_size; page++) {
			words = data + page * nr_words;
			if (!page_is_right(words, page))
				printf("bench: bad %s data of a program\n",
				       label);
			words[0] = random_below(UINT32_MAX);
			words[1] = words[0] ^ page;
			if (!(page % ANON_STEP))
				usleep(ANON_PAUSE_US);
		}
	}
}

static void fill_pipes(void)
{
	static char data[PIPE_PAGES * 65536];
	char *memory = ct_map(PIPE_SIZE);
	struct iovec iov[PIPE_PAGES];
	int fds[2], i;

	if (pipe(fds))
		die("pipe: %s", strerror(errno));
	memset(memory, 1, PIPE_SIZE);
	for (;;) {
		for (i = 0; i < PIPE_PAGES; i++)
			iov[i] = (struct iovec){
				memory + random_below(PIPE_SIZE / ct_page_size)
					 * ct_page_size,
				ct_page_size,
			};
		if (vmsplice(fds[1], iov, PIPE_PAGES, 0) < 0)
			die("vmsplice: %s", strerror(errno));
		usleep(random_below(PIPE_US));
		if (read(fds[0], data, sizeof(data)) < 0)
			die("pipe: %s", strerror(errno));
	}
}

static void do_direct(void)
{
	char *memory = ct_map(DIRECT_SIZE), *page;
	char path[256];
	int in, out;
	off_t at = 0;

	snprintf(path, sizeof(path), "%s.direct", ct_big_file());
	in = open(ct_big_file(), O_RDONLY | O_DIRECT);
	out = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_DIRECT, 0600);
	unlink(path);
	if (in < 0 || out < 0)
		die("direct: %s", strerror(errno));
	for (;;) {
		page = memory + random_below(DIRECT_SIZE / ct_page_size) *
				ct_page_size;
		if (pread(in, page, ct_page_size, at) < 0 ||
		    pwrite(out, page, ct_page_size, at) < 0)
			die("direct: %s", strerror(errno));
		at = (at + ct_page_size) % (8 * MIB);
	}
}

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

static bool take_budget(size_t size)
{
	bool taken;

	pthread_mutex_lock(&budget_lock);
	taken = size <= budget;
	if (taken)
		budget -= size;
	pthread_mutex_unlock(&budget_lock);
	return taken;
}

static void give_budget(size_t size)
{
	pthread_mutex_lock(&budget_lock);
	budget += size;
	pthread_mutex_unlock(&budget_lock);
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

static void ask(struct client *me, int fd, size_t size,
		struct dma_test_alloc *buf)
{
	uint64_t start_ns = now_ns(), time_ns;

	me->nr_requests++;
	if (!ct_dma_alloc(fd, size, DMA_TEST_KERNEL, 0, buf)) {
		ct_dma_fill(fd, buf->id, buf->id);
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
	if (ct_dma_verify(fd, buf->id, buf->id))
		me->nr_corrupt++;
	put_buffer(fd, buf->id, NULL);
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

	for (;;) {
		i = rand_r(&me->seed) % MAX_HELD;
		size = client_sizes[rand_r(&me->seed) % nr_client_sizes];
		if (bufs[i].id)
			give_back(me, fd, &bufs[i]);
		else if (take_budget(size))
			ask(me, fd, size, &bufs[i]);
		usleep(rand_r(&me->seed) % PAUSE_US);
	}
	return NULL;
}

static void report(const struct client *clients, unsigned long minutes)
{
	struct client sum = {};
	int i;

	for (i = 0; i < NR_CLIENTS; i++) {
		sum.nr_requests += clients[i].nr_requests;
		sum.nr_failed += clients[i].nr_failed;
		sum.nr_corrupt += clients[i].nr_corrupt;
		if (clients[i].worst_ns > sum.worst_ns)
			sum.worst_ns = clients[i].worst_ns;
	}
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

/* Runs for @number minutes. */
static void run_stress(const size_t *sizes, int nr_sizes)
{
	static struct client clients[NR_CLIENTS];
	pthread_t thread;
	unsigned long minute;
	FILE *events;
	int i;

	/* Print each line at once, not all of them at the end. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	client_sizes = sizes;
	nr_client_sizes = nr_sizes;
	budget = area.nr_pages * ct_page_size / 100 * BUDGET_PERCENT;
	/* Opening it needs a free block of 32 KiB, so do it early. */
	events = fopen("/sys/kernel/tracing/trace_pipe", "re");
	if (!events)
		die("no events to watch");
	watch(FINISH_EVENT, "errorno != 0");
	watch(THROTTLE_EVENT, NULL);
	watch(PAGE_EVENT, ATOMIC_FAILED);
	open_disk();
	swap_on();
	start_jobs(NR_JOBS);
	start(read_files);
	start(swap_data);
	start(fill_pipes);
	start(do_direct);
	if (pthread_create(&thread, NULL, count_events, events))
		die("no thread");
	for (i = 0; i < NR_CLIENTS; i++) {
		clients[i].seed = i + 1;
		if (pthread_create(&clients[i].thread, NULL, be_client,
				   clients + i))
			die("no thread");
	}
	for (minute = 1; minute <= number; minute++) {
		sleep(60);
		report(clients, minute);
	}
	/* Memory is full: the processes must end before others start. */
	exit(0);
}

const struct kind stress_kinds[] = {
	{ .name = "stress", .run = run_stress },
	{}
};
