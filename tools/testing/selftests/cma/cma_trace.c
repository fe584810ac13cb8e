// SPDX-License-Identifier: GPL-2.0
/*
 * The events that explain a slow request: each start has its finish, whatever
 * happens in between, and the pages of the steps add up.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_test_lib.h"

#define TRACEFS		"/sys/kernel/tracing/"
#define BUF_SIZE	(4 * MIB)
#define WARM_SIZE	(8 * MIB)
#define NR_READS	6	/* make page cache warm, with MGLRU as well */
#define HOLE_SIZE	MIB	/* less than a pageblock */
#define NR_PEERS	2
#define PEER_TRIES	20
#define PEER_SIZE	(HOLE_SIZE / 4)
#define KILL_MS		500	/* the child waits by then */
#define PAUSE_US	20000	/* keeps the trace short */
#define NR_PINS_MAX	1024
#define NR_HOLES_MAX	4	/* less than a pageblock each, all pinned */
/* A large folio at either end of a window moves as a whole. */
#define NR_BEYOND	1024

struct event {
	char name[32];
	char args[256];
	int pid;
};

static struct event *events;
static int nr_events;

static const char *const pairs[][2] = {
	{ "cma_alloc_start", "cma_alloc_finish" },
	{ "cma_wait_start", "cma_wait_finish" },
	{ "cma_mode_start", "cma_mode_finish" },
	{ "cma_mode_wait_start", "cma_mode_wait_finish" },
	{ "contig_evacuate_start", "contig_evacuate_finish" },
	{ "contig_claim_wait_start", "contig_claim_wait_finish" },
};

/* Each step, and its sum in contig_evacuate_finish. */
static const char *const steps[][2] = {
	{ "contig_drop", "nr_dropped" },
	{ "contig_copy", "nr_copied" },
	{ "contig_remap", "nr_remapped" },
	{ "contig_migrate", "nr_migrated" },
	{ "contig_reclaim", "nr_reclaimed" },
};

#define NR_PAIRS	(sizeof(pairs) / sizeof(*pairs))
#define NR_STEPS	(sizeof(steps) / sizeof(*steps))

/* "comm-pid   [cpu] flags time: name: args" */
static bool parse_event(const char *line, struct event *event)
{
	const char *at = strstr(line, ": cma_"), *pid = strstr(line, " [");

	if (!at)
		at = strstr(line, ": contig_");
	if (line[0] == '#' || !at || !pid ||
	    sscanf(at, ": %31[^:]: %255[^\n]", event->name, event->args) != 2)
		return false;
	while (pid > line && isspace(pid[-1]))
		pid--;
	while (pid > line && isdigit(pid[-1]))
		pid--;
	event->pid = atoi(pid);
	return true;
}

static void read_events(struct __test_metadata *_metadata)
{
	FILE *file = fopen(TRACEFS "trace", "re");
	struct event event;
	char line[512];

	ASSERT_TRUE(!!file);
	nr_events = 0;
	while (fgets(line, sizeof(line), file)) {
		if (!parse_event(line, &event))
			continue;
		events = realloc(events, (nr_events + 1) * sizeof(*events));
		ASSERT_TRUE(!!events);
		events[nr_events++] = event;
	}
	fclose(file);
}

/* Returns the number behind "name=", or -1. */
static long field(const struct event *event, const char *name)
{
	const char *at = event->args;
	size_t len = strlen(name);

	for (; (at = strstr(at, name)); at += len)
		if ((at == event->args || at[-1] == ' ') && at[len] == '=')
			return strtol(at + len + 1, NULL, 0);
	return -1;
}

static bool is_event(int i, const char *name)
{
	return !strcmp(events[i].name, name);
}

/* Returns the first event of that name from event @i on, or -1. */
static int next_event(int i, const char *name)
{
	for (; i >= 0 && i < nr_events; i++)
		if (is_event(i, name))
			return i;
	return -1;
}

static int count_events(const char *name, const char *text)
{
	int i = -1, nr = 0;

	while ((i = next_event(i + 1, name)) >= 0)
		nr += !!strstr(events[i].args, text);
	return nr;
}

/* Returns the sum of a field over all events of that name. */
static long sum_events(const char *name, const char *of)
{
	long sum = 0;
	int i = -1;

	while ((i = next_event(i + 1, name)) >= 0)
		sum += field(&events[i], of);
	return sum;
}

/* Returns the start that the finish @i of the same task belongs to, or -1. */
static int start_of(int i, const char *const pair[2])
{
	int pid = events[i].pid;

	while (--i >= 0)
		if (events[i].pid == pid &&
		    (is_event(i, pair[0]) || is_event(i, pair[1])))
			return is_event(i, pair[0]) ? i : -1;
	return -1;
}

static void expect_pairs(struct __test_metadata *_metadata)
{
	unsigned int k;
	int i;

	for (k = 0; k < NR_PAIRS; k++) {
		EXPECT_EQ(count_events(pairs[k][0], ""),
			  count_events(pairs[k][1], "")) {
			TH_LOG("%s", pairs[k][0]);
		}
		for (i = -1; (i = next_event(i + 1, pairs[k][1])) >= 0; )
			EXPECT_LE(0, start_of(i, pairs[k])) {
				TH_LOG("%s: %s", events[i].name,
				       events[i].args);
			}
	}
}

/* Compares the steps of the evacuation that ends with event @finish. */
static void expect_sums(struct __test_metadata *_metadata, int finish)
{
	static const char *const pair[2] = {
		"contig_evacuate_start", "contig_evacuate_finish",
	};
	int i, start = start_of(finish, pair);
	const struct event *event = &events[finish];
	long pfn = field(event, "start_pfn"), nr = field(event, "nr_pages");
	long all = 0;

	ASSERT_LE(0, start);
	EXPECT_EQ(pfn, field(&events[start], "start_pfn"));
	EXPECT_EQ(nr, field(&events[start], "nr_pages"));
	for (unsigned int k = 0; k < NR_STEPS; k++) {
		long sum = 0;

		for (i = start + 1; i < finish; i++) {
			if (events[i].pid != event->pid ||
			    !is_event(i, steps[k][0]))
				continue;
			sum += field(&events[i], "nr_evacuated");
			EXPECT_LE(pfn, field(&events[i], "start_pfn"));
			EXPECT_GE(nr + NR_BEYOND,
				  field(&events[i], "nr_pages"));
		}
		EXPECT_EQ(sum, field(event, steps[k][1])) {
			TH_LOG("%s: %s", steps[k][1], event->args);
		}
		all += sum;
	}
	/* Attempts that fail leave pages that come back meanwhile. */
	if (!field(event, "errorno"))
		EXPECT_LE(all, nr + NR_BEYOND);
}

FIXTURE(cma_trace) {
	struct ct_area area;
	struct ct_mem mem;		/* fills the area */
	unsigned long pins[NR_PINS_MAX];
	unsigned int nr_pins;
	int fds[2];			/* a pipe with all that is pinned */
	char patience_ms[32], cache_kib[32], name[80];
	int fd;
};

FIXTURE_SETUP(cma_trace)
{
	ct_init(&self->area);
	/* The trace buffer needs memory, so it comes before memory is full. */
	if (!ct_trace_start())
		SKIP(return, "no events in tracefs");
	ct_trace_stop();
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
	memset(&self->mem, 0, sizeof(self->mem));
	self->nr_pins = 0;
	snprintf(self->name, sizeof(self->name), "name=%s", self->area.name);
	ASSERT_EQ(0, pipe(self->fds));
	ASSERT_LE((int)(NR_PINS_MAX * ct_page_size),
		  fcntl(self->fds[1], F_SETPIPE_SZ,
			NR_PINS_MAX * ct_page_size));
	ASSERT_EQ(0, ct_area_get(&self->area, "patience_ms", self->patience_ms,
				 sizeof(self->patience_ms)));
	ASSERT_EQ(0, ct_area_get(&self->area, "cache_kib", self->cache_kib,
				 sizeof(self->cache_kib)));
	/* A cached buffer needs no window. */
	ASSERT_EQ(0, ct_area_set(&self->area, "cache_kib", "0"));
}

FIXTURE_TEARDOWN(cma_trace)
{
	if (self->mem.addr) {
		EXPECT_EQ(0, ct_mem_verify(&self->mem));
		ct_mem_exit(&self->mem);
	}
	EXPECT_EQ(0, ct_area_set(&self->area, "mode", "shared"));
	EXPECT_EQ(0, ct_area_set(&self->area, "patience_ms",
				 self->patience_ms));
	EXPECT_EQ(0, ct_area_set(&self->area, "cache_kib", self->cache_kib));
	free(events);
	close(self->fds[0]);
	close(self->fds[1]);
	close(self->fd);
}

static void trace_on(struct __test_metadata *_metadata)
{
	ASSERT_EQ(0, ct_write(TRACEFS "events/cma/enable", "1"));
	ASSERT_EQ(0, ct_write(TRACEFS "events/contig/enable", "1"));
	ASSERT_TRUE(ct_trace_start());
}

/* Ends the trace, reads it, and looks at what holds for every trace. */
static void trace_off(struct __test_metadata *_metadata)
{
	int i = -1;

	ct_trace_stop();
	ASSERT_EQ(0, ct_write(TRACEFS "events/contig/enable", "0"));
	read_events(_metadata);
	EXPECT_GT(nr_events, 0);
	expect_pairs(_metadata);
	while ((i = next_event(i + 1, "contig_evacuate_finish")) >= 0)
		expect_sums(_metadata, i);
}

/* Pins a page of the program, which then lies in the way of a request. */
static void pin(struct __test_metadata *_metadata,
		FIXTURE_DATA(cma_trace) *self, void *addr)
{
	struct iovec iov = { addr, ct_page_size };

	ASSERT_LT(self->nr_pins, NR_PINS_MAX);
	ASSERT_EQ((ssize_t)ct_page_size, vmsplice(self->fds[1], &iov, 1, 0));
	self->pins[self->nr_pins++] = ct_held_pfn(addr);
}

static bool is_pinned(FIXTURE_DATA(cma_trace) *self, unsigned long pfn)
{
	for (unsigned int i = 0; i < self->nr_pins; i++)
		if (self->pins[i] == pfn)
			return true;
	return false;
}

/* Fills the area, and pins up to @nr_max pages of [@first, @end) of it. */
static void fill_and_pin(struct __test_metadata *_metadata,
			 FIXTURE_DATA(cma_trace) *self, unsigned long first,
			 unsigned long end, unsigned int nr_max)
{
	unsigned long page;
	char **by_pfn;

	ASSERT_GT(ct_mem_fill_area(&self->mem, CT_SHMEM, &self->area), 0);
	by_pfn = ct_mem_by_pfn(&self->mem, &self->area);
	ASSERT_TRUE(!!by_pfn);
	for (page = first; page < end && self->nr_pins < nr_max; page++)
		if (by_pfn[page])
			pin(_metadata, self, by_pfn[page]);
	free(by_pfn);
	ASSERT_GT(self->nr_pins, 0);
}

/* Every window of three quarters of the area has the page in its middle. */
static void block_middle(struct __test_metadata *_metadata,
			 FIXTURE_DATA(cma_trace) *self)
{
	unsigned long middle = self->area.nr_pages / 2;
	unsigned long near = self->area.nr_pages / 16;

	fill_and_pin(_metadata, self, middle - near, middle + near, 1);
}

static size_t blocked_size(FIXTURE_DATA(cma_trace) *self)
{
	return self->area.nr_pages * 3 / 4 * ct_page_size;
}

/* At least one event names a pinned page. */
static void expect_blockers(struct __test_metadata *_metadata,
			    FIXTURE_DATA(cma_trace) *self)
{
	int i = -1, nr_pinned = 0;

	while ((i = next_event(i + 1, "cma_blocker")) >= 0) {
		EXPECT_TRUE(!!strstr(events[i].args, self->name));
		EXPECT_FALSE(!!strstr(events[i].args, "reason=nothing"));
		/* Names stand for all reasons, and no number. */
		EXPECT_FALSE(!!strstr(events[i].args, "reason=0x"));
		if (!is_pinned(self, field(&events[i], "pfn")))
			continue;
		EXPECT_GT(field(&events[i], "refs"), 0);
		nr_pinned++;
	}
	EXPECT_GT(nr_pinned, 0);
}

/* Data of a program move; the window is told of, and so is its release. */
TEST_F(cma_trace, moves)
{
	static const char *const kinds[] = {
		"nr_free", "nr_cold", "nr_warm", "nr_other", "nr_dirty",
		"nr_busy", "nr_stuck",
	};
	const long nr_pages = 3 * MIB / ct_page_size;
	struct dma_test_alloc buf;
	int i, window, finish;
	long sum = 0;

	ASSERT_GT(ct_mem_fill_area(&self->mem, CT_ANON, &self->area), 0);
	trace_on(_metadata);
	ASSERT_EQ(0, ct_dma_alloc(self->fd, 3 * MIB, DMA_TEST_KERNEL, 0, &buf));
	ASSERT_EQ(0, ct_dma_free(self->fd, buf.id));
	trace_off(_metadata);

	/* The buffer has the last window that was tried. */
	finish = next_event(0, "cma_alloc_finish");
	ASSERT_LE(0, finish);
	EXPECT_EQ(0, field(&events[finish], "errorno"));
	for (i = window = next_event(0, "cma_window"); i >= 0 && i < finish;
	     i = next_event(i + 1, "cma_window"))
		window = i;
	ASSERT_LE(0, window);
	EXPECT_TRUE(!!strstr(events[window].args, self->name));
	EXPECT_EQ(field(&events[finish], "pfn"), field(&events[window], "pfn"));
	EXPECT_EQ(nr_pages, field(&events[window], "count"));
	EXPECT_GT(field(&events[window], "price"), 0);
	EXPECT_GT(field(&events[window], "nr_other"), 0);
	for (i = 0; i < (int)(sizeof(kinds) / sizeof(*kinds)); i++)
		sum += field(&events[window], kinds[i]);
	/* Pages of partial pageblocks are never lent, and not counted. */
	EXPECT_LE(sum, nr_pages);

	EXPECT_GT(sum_events("contig_evacuate_finish", "nr_remapped") +
		  sum_events("contig_evacuate_finish", "nr_migrated"), 0);
	EXPECT_GT(count_events("contig_evacuate_finish", "errorno=0"), 0);
	EXPECT_EQ(1, count_events("cma_release", self->name));
}

/* Cold cache is dropped, and warm cache is copied. */
TEST_F(cma_trace, drops_and_copies)
{
	const char *file = ct_big_file();
	long full_kib = self->area.nr_pages * ct_page_size / 8 / KIB;
	unsigned int nr = self->area.nr_pages * ct_page_size / BUF_SIZE;
	struct dma_test_alloc buf;
	off_t offset = 0;

	if (!file)
		SKIP(return, "no file on a disk in $CMA_TEST_FILE");
	ct_drop_caches();
	for (int i = 0; i < NR_READS; i++) {
		offset = 0;
		ASSERT_EQ(0, ct_read_on(file, &offset, WARM_SIZE, 0));
	}
	ASSERT_EQ(0, ct_read_on(file, &offset, 0, full_kib));

	trace_on(_metadata);
	while (nr-- &&
	       !ct_dma_alloc(self->fd, BUF_SIZE, DMA_TEST_KERNEL,
			     DMA_TEST_NO_WARN, &buf))
		;
	trace_off(_metadata);
	EXPECT_GT(sum_events("cma_window", "nr_cold"), 0);
	EXPECT_GT(sum_events("contig_drop", "nr_evacuated"), 0);
	EXPECT_GT(sum_events("contig_copy", "nr_evacuated"), 0);
}

/* A page in the way is named, with the reason; the request pauses. */
TEST_F(cma_trace, blocked)
{
	struct dma_test_alloc buf;

	block_middle(_metadata, self);
	trace_on(_metadata);
	EXPECT_EQ(-ENOMEM, ct_dma_alloc(self->fd, blocked_size(self),
					DMA_TEST_KERNEL, DMA_TEST_NO_WARN,
					&buf));
	trace_off(_metadata);
	EXPECT_EQ(1, count_events("cma_alloc_finish", "errorno=-16"));
	expect_blockers(_metadata, self);
	EXPECT_GT(count_events("cma_wait_start", self->name), 0);
	EXPECT_GT(sum_events("cma_wait_start", "ms"), 0);
	EXPECT_EQ(0, count_events("cma_wait_finish", "errorno=0"));
	EXPECT_GT(sum_events("contig_evacuate_finish", "nr_stuck"), 0);
	EXPECT_GT(count_events("contig_evacuate_start", "patient=1"), 0);
}

static pid_t start_request(FIXTURE_DATA(cma_trace) *self)
{
	pid_t pid = fork();
	struct dma_test_alloc buf;

	if (pid)
		return pid;
	_exit(ct_dma_alloc(self->fd, blocked_size(self), DMA_TEST_KERNEL,
			   DMA_TEST_NO_WARN, &buf) ? 1 : 0);
}

/* A task that is killed leaves no start without a finish. */
TEST_F(cma_trace, killed)
{
	int i = -1, status, nr = 0;
	pid_t pid;

	block_middle(_metadata, self);
	ASSERT_EQ(0, ct_area_set(&self->area, "patience_ms", "60000"));
	trace_on(_metadata);
	pid = start_request(self);
	ASSERT_GT(pid, 0);
	usleep(KILL_MS * 1000);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	trace_off(_metadata);
	while ((i = next_event(i + 1, "cma_alloc_finish")) >= 0)
		if (events[i].pid == pid &&
		    field(&events[i], "errorno") == -EINTR)
			nr++;
	EXPECT_EQ(1, nr);
}

static atomic_bool stop_requests;

static void *request_on_and_on(void *fd)
{
	struct dma_test_alloc buf;

	while (!atomic_load(&stop_requests)) {
		if (!ct_dma_alloc(*(int *)fd, 16 * ct_page_size,
				  DMA_TEST_KERNEL, DMA_TEST_NO_WARN, &buf))
			ct_dma_free(*(int *)fd, buf.id);
		usleep(PAUSE_US);
	}
	return NULL;
}

/*
 * A switch of the mode evacuates the area, while requests wait for it, and
 * another one lends it again.
 */
TEST_F(cma_trace, mode)
{
	pthread_t thread;

	ASSERT_GT(ct_mem_fill_area(&self->mem, CT_ANON, &self->area), 0);
	atomic_store(&stop_requests, false);
	trace_on(_metadata);
	ASSERT_EQ(0, pthread_create(&thread, NULL, request_on_and_on,
				    &self->fd));
	EXPECT_EQ(0, ct_area_set(&self->area, "mode", "exclusive"));
	EXPECT_EQ(0, ct_area_set(&self->area, "mode", "exclusive"));
	EXPECT_EQ(0, ct_area_set(&self->area, "mode", "shared"));
	atomic_store(&stop_requests, true);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	trace_off(_metadata);
	EXPECT_EQ(2, count_events("cma_mode_start", self->name));
	EXPECT_EQ(1, count_events("cma_mode_finish",
				  "old_mode=shared new_mode=exclusive errorno=0"));
	EXPECT_EQ(1, count_events("cma_mode_finish",
				  "old_mode=exclusive new_mode=shared errorno=0"));
	EXPECT_GT(count_events("cma_mode_wait_start", self->name), 0);
	EXPECT_GT(count_events("cma_mode_wait_finish", "errorno=0"), 0);
	EXPECT_GT(sum_events("contig_evacuate_finish", "nr_remapped") +
		  sum_events("contig_evacuate_finish", "nr_migrated"), 0);
}

/* A page in the way stops a switch. */
TEST_F(cma_trace, mode_is_blocked)
{
	block_middle(_metadata, self);
	trace_on(_metadata);
	ksft_print_msg("expect-splat: cma: %s: alloc failed\n",
		       self->area.name);
	EXPECT_EQ(-EBUSY, ct_area_set(&self->area, "mode", "exclusive"));
	trace_off(_metadata);
	EXPECT_EQ(1, count_events("cma_mode_finish", "errorno=-16"));
	expect_blockers(_metadata, self);
}

static void *request_once(void *fd)
{
	struct dma_test_alloc buf;

	if (!ct_dma_alloc(*(int *)fd, PEER_SIZE, DMA_TEST_KERNEL,
			  DMA_TEST_NO_WARN, &buf))
		ct_dma_free(*(int *)fd, buf.id);
	return NULL;
}

/* Leaves holes that are smaller than a pageblock. Returns the number of buffers. */
static int leave_holes(FIXTURE_DATA(cma_trace) *self,
		       struct dma_test_alloc *bufs)
{
	const long nr_hole = HOLE_SIZE / ct_page_size;
	long nr_pages;
	int nr;

	for (nr = 0; nr < NR_HOLES_MAX; nr++) {
		nr_pages = ct_area_debugfs(&self->area, "maxchunk") - nr_hole;
		if (nr_pages <= 0)
			break;
		if (ct_dma_alloc(self->fd, nr_pages * ct_page_size,
				 DMA_TEST_KERNEL, 0, &bufs[nr]))
			return -1;
	}
	return nr;
}

/*
 * Pinned pages lie in all holes that are left. Requests for parts of a hole wait
 * for each other, since each evacuates its part for as long as it is patient.
 */
TEST_F(cma_trace, peers)
{
	struct dma_test_alloc bufs[NR_HOLES_MAX];
	pthread_t threads[NR_PEERS];
	int nr_bufs, tries, i;

	nr_bufs = leave_holes(self, bufs);
	ASSERT_GT(nr_bufs, 0);
	fill_and_pin(_metadata, self, 0, self->area.nr_pages, NR_PINS_MAX);

	/* On a busy machine one may be over before the next begins. */
	for (tries = 0; tries < PEER_TRIES; tries++) {
		trace_on(_metadata);
		for (i = 0; i < NR_PEERS; i++)
			ASSERT_EQ(0, pthread_create(&threads[i], NULL,
						    request_once, &self->fd));
		for (i = 0; i < NR_PEERS; i++)
			ASSERT_EQ(0, pthread_join(threads[i], NULL));
		trace_off(_metadata);
		if (count_events("contig_claim_wait_start", ""))
			break;
	}
	EXPECT_GT(count_events("contig_claim_wait_start", ""), 0);
	EXPECT_GT(sum_events("contig_claim_wait_start", "ms"), 0);
	for (i = 0; i < nr_bufs; i++)
		EXPECT_EQ(0, ct_dma_free(self->fd, bufs[i].id));
}

/* Each step of a request fails; what began ends all the same. */
TEST_F(cma_trace, failures)
{
	struct dma_test_alloc buf;

	if (!ct_can_fail())
		SKIP(return, "no CONFIG_FAIL_CMA");
	for (int step = CT_STEP_BUFFER; step <= CT_STEP_COPY; step++) {
		int err;

		ASSERT_GT(ct_mem_fill_area(&self->mem, CT_ANON, &self->area),
			  0);
		trace_on(_metadata);
		ct_fail_at(step, 2);
		err = ct_dma_alloc(self->fd, 2 * BUF_SIZE, DMA_TEST_KERNEL,
				   DMA_TEST_NO_WARN, &buf);
		ct_fail_end();
		trace_off(_metadata);
		if (!err)
			EXPECT_EQ(0, ct_dma_free(self->fd, buf.id));
		/* Without a place to move to, pages are reclaimed. */
		if (step == CT_STEP_TARGET)
			EXPECT_GT(count_events("contig_reclaim", ""), 0);
		EXPECT_EQ(0, ct_mem_verify(&self->mem));
		ct_mem_exit(&self->mem);
	}
}

TEST_HARNESS_MAIN
