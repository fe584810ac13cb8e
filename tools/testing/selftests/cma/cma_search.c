// SPDX-License-Identifier: GPL-2.0
/*
 * The search for a window: the place it chooses, the pages it goes around, how
 * long it tries, and the failure that it reports.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_test_lib.h"

#define BLOCK_SIZE	(4 * MIB)
#define BUF_SIZE	(4 * MIB)
#define NR_PINS_MAX	256
#define DRAIN_MS	100
#define NR_LEFT_MAX	4
#define SMALL_SIZE	(256 * KIB)
#define NR_SMALL	8

FIXTURE(cma_search) {
	struct ct_area area;
	struct ct_mem mem;		/* fills the area */
	char **by_pfn;			/* address of each page of the area */
	unsigned long pins[NR_PINS_MAX];
	char *pinned[NR_PINS_MAX];
	unsigned int nr_pins;
	int fds[2];			/* a pipe with all that is pinned */
	int fd;
	long patience_ms, cache_kib;
	char fit[16];
};

FIXTURE_SETUP(cma_search)
{
	ct_init(&self->area);
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
	if (ct_dma_generic(self->fd))
		SKIP(return, "what the area cannot give comes from elsewhere");
	memset(&self->mem, 0, sizeof(self->mem));
	self->by_pfn = NULL;
	self->nr_pins = 0;
	self->patience_ms = ct_area_sysfs(&self->area, "patience_ms");
	self->cache_kib = ct_area_sysfs(&self->area, "cache_kib");
	ASSERT_EQ(0, ct_area_get(&self->area, "fit", self->fit,
				 sizeof(self->fit)));
	ASSERT_EQ(0, pipe(self->fds));
	ASSERT_LE((int)(NR_PINS_MAX * ct_page_size),
		  fcntl(self->fds[1], F_SETPIPE_SZ,
			NR_PINS_MAX * ct_page_size));
	/* Buffers that earlier tests cached must not be reused. */
	ASSERT_EQ(0, ct_area_set(&self->area, "cache_kib", "0"));
}

FIXTURE_TEARDOWN(cma_search)
{
	char text[32];

	if (self->mem.addr) {
		EXPECT_EQ(0, ct_mem_verify(&self->mem));
		ct_mem_exit(&self->mem);
	}
	snprintf(text, sizeof(text), "%ld", self->patience_ms);
	EXPECT_EQ(0, ct_area_set(&self->area, "patience_ms", text));
	snprintf(text, sizeof(text), "%ld", self->cache_kib);
	EXPECT_EQ(0, ct_area_set(&self->area, "cache_kib", text));
	EXPECT_EQ(0, ct_area_set(&self->area, "fit", self->fit));
	free(self->by_pfn);
	close(self->fds[0]);
	close(self->fds[1]);
	close(self->fd);
}

static void fill(struct __test_metadata *_metadata,
		 FIXTURE_DATA(cma_search) *self)
{
	ASSERT_GT(ct_mem_fill_area(&self->mem, CT_ANON, &self->area),
		  self->area.nr_pages * 8 / 10);
	self->by_pfn = ct_mem_by_pfn(&self->mem, &self->area);
	ASSERT_TRUE(!!self->by_pfn);
}

/* Pins the page of the program that is nearest to page @at of the area. */
static void pin_near(struct __test_metadata *_metadata,
		     FIXTURE_DATA(cma_search) *self, unsigned long at)
{
	unsigned long i, page = at;
	struct iovec iov = { .iov_len = ct_page_size };

	for (i = 0; i < 256 && !iov.iov_base; i++) {
		page = i % 2 ? at - i / 2 : at + i / 2;
		iov.iov_base = self->by_pfn[page];
	}
	/* Without a page of the program, a buffer is in the way instead. */
	if (!iov.iov_base)
		return;
	ASSERT_LT(self->nr_pins, NR_PINS_MAX);
	ASSERT_EQ((ssize_t)ct_page_size, vmsplice(self->fds[1], &iov, 1, 0));
	ASSERT_EQ(self->area.base_pfn + page, ct_held_pfn(iov.iov_base));
	self->pinned[self->nr_pins] = iov.iov_base;
	self->pins[self->nr_pins++] = self->area.base_pfn + page;
}

/* Pins two pages of a block, so that every window of that size has one. */
static void pin_block(struct __test_metadata *_metadata,
		      FIXTURE_DATA(cma_search) *self, unsigned long block)
{
	unsigned long nr_pages = BLOCK_SIZE / ct_page_size;

	pin_near(_metadata, self, block * nr_pages + nr_pages / 4);
	pin_near(_metadata, self, block * nr_pages + nr_pages * 3 / 4);
}

static void pin_all_but(struct __test_metadata *_metadata,
			FIXTURE_DATA(cma_search) *self, unsigned long spare)
{
	unsigned long nr_blocks = self->area.nr_pages /
				  (BLOCK_SIZE / ct_page_size);
	unsigned long block;

	fill(_metadata, self);
	for (block = 0; block < nr_blocks; block++)
		if (block != spare)
			pin_block(_metadata, self, block);
	ASSERT_GT(self->nr_pins, nr_blocks);
}

/*
 * Leaves no free window. A window may have no page of the program to pin, so
 * the test then takes all buffers that it can get.
 */
static void pin_all(struct __test_metadata *_metadata,
		    FIXTURE_DATA(cma_search) *self)
{
	struct dma_test_alloc buf;
	char patience_ms[32];
	int i, err = 0;

	snprintf(patience_ms, sizeof(patience_ms), "%ld", self->patience_ms);
	pin_all_but(_metadata, self, self->area.nr_pages);
	ASSERT_EQ(0, ct_area_set(&self->area, "patience_ms", "0"));
	for (i = 0; i <= NR_LEFT_MAX && !err; i++) {
		err = ct_dma_alloc(self->fd, BUF_SIZE, DMA_TEST_KERNEL,
				   DMA_TEST_NO_WARN, &buf);
		if (!err)
			TH_LOG("window left at %#llx", buf.dma_addr);
	}
	ASSERT_EQ(-ENOMEM, err);
	ASSERT_EQ(0, ct_area_set(&self->area, "patience_ms", patience_ms));
}

/* Empties the pipe, and checks the data and the place of the pinned pages. */
static void drain(struct __test_metadata *_metadata,
		  FIXTURE_DATA(cma_search) *self)
{
	char *data = ct_map(ct_page_size);
	unsigned int i;

	for (i = 0; i < self->nr_pins; i++) {
		EXPECT_EQ(self->pins[i], ct_held_pfn(self->pinned[i]));
		ASSERT_EQ((ssize_t)ct_page_size,
			  read(self->fds[0], data, ct_page_size));
		EXPECT_EQ(0, memcmp(data, self->pinned[i], ct_page_size));
	}
	self->nr_pins = 0;
}

static bool is_pinned(FIXTURE_DATA(cma_search) *self, unsigned long pfn)
{
	unsigned int i;

	for (i = 0; i < self->nr_pins; i++)
		if (self->pins[i] == pfn)
			return true;
	return false;
}

/* Expects a request to fail; returns its duration in ms. */
static unsigned long fail(struct __test_metadata *_metadata,
			  FIXTURE_DATA(cma_search) *self)
{
	struct dma_test_alloc buf;

	EXPECT_EQ(-ENOMEM, ct_dma_alloc(self->fd, BUF_SIZE, DMA_TEST_KERNEL,
					DMA_TEST_NO_WARN, &buf)) {
		TH_LOG("buffer at %#llx", (unsigned long long)buf.dma_addr);
		ct_dma_free(self->fd, buf.id);
	}
	return buf.time_ns / 1000000;
}

static void succeed(struct __test_metadata *_metadata,
		    FIXTURE_DATA(cma_search) *self)
{
	struct dma_test_check check;
	struct dma_test_alloc buf;

	ASSERT_EQ(0, ct_dma_alloc(self->fd, BUF_SIZE, DMA_TEST_KERNEL, 0,
				  &buf));
	EXPECT_EQ(0, ct_dma_check(self->fd, buf.id, &check));
	EXPECT_EQ(check.tested, check.found);
	EXPECT_EQ(0, ct_dma_free(self->fd, buf.id));
}

TEST_F(cma_search, goes_around)
{
	unsigned long nr_pages = BUF_SIZE / ct_page_size, pfn;
	unsigned long spare = self->area.nr_pages / nr_pages / 2;
	long used, good, bad, failures;
	struct dma_test_alloc buf;

	pin_all_but(_metadata, self, spare);
	used = ct_area_debugfs(&self->area, "used");
	good = ct_area_sysfs(&self->area, "alloc_pages_success");
	bad = ct_area_sysfs(&self->area, "alloc_pages_fail");
	failures = ct_vmstat("cma_alloc_fail");
	ASSERT_EQ(0, ct_dma_alloc(self->fd, BUF_SIZE, DMA_TEST_KERNEL, 0,
				  &buf));
	pfn = buf.dma_addr / ct_page_size - self->area.base_pfn;
	EXPECT_GT(pfn + nr_pages, spare * nr_pages);
	EXPECT_LT(pfn, (spare + 1) * nr_pages);
	EXPECT_EQ(used + (long)nr_pages, ct_area_debugfs(&self->area, "used"));
	EXPECT_EQ(good + (long)nr_pages,
		  ct_area_sysfs(&self->area, "alloc_pages_success"));
	EXPECT_EQ(bad, ct_area_sysfs(&self->area, "alloc_pages_fail"));
	EXPECT_EQ(failures, ct_vmstat("cma_alloc_fail"));
	EXPECT_EQ(0, ct_dma_free(self->fd, buf.id));
	EXPECT_EQ(used, ct_area_debugfs(&self->area, "used"));
	drain(_metadata, self);
}

/*
 * Two buffers of two fifths of the area fit unless the first one lies in the
 * middle. A page that is pinned for a moment must not send it there.
 */
TEST_F(cma_search, leaves_room)
{
	unsigned long size = self->area.nr_pages * 2 / 5 * ct_page_size;
	struct dma_test_alloc first, second;

	fill(_metadata, self);
	pin_near(_metadata, self, self->area.nr_pages * 7 / 20);
	ASSERT_EQ(1, self->nr_pins);
	ASSERT_EQ(0, ct_dma_alloc(self->fd, size, DMA_TEST_KERNEL, 0, &first));
	drain(_metadata, self);
	EXPECT_EQ(0, ct_dma_alloc(self->fd, size, DMA_TEST_KERNEL, 0,
				  &second)) {
		TH_LOG("the first one is at %#llx", first.dma_addr);
	}
	EXPECT_EQ(0, ct_dma_free(self->fd, first.id));
	EXPECT_EQ(0, ct_dma_free(self->fd, second.id));
}

/* Frees some pages in the middle of each part of the area. */
static void free_here_and_there(FIXTURE_DATA(cma_search) *self)
{
	struct ct_area place = self->area;
	int i;

	place.nr_pages = SMALL_SIZE / ct_page_size / 2;
	for (i = 0; i < NR_SMALL; i++) {
		place.base_pfn = self->area.base_pfn +
				 self->area.nr_pages / NR_SMALL * (2 * i + 1) / 2;
		ct_mem_drop(&self->mem, &place, true, place.nr_pages);
	}
}

/*
 * Windows with free pages are the cheapest to evacuate. Small buffers must
 * still stay together and leave the rest in one piece.
 */
TEST_F(cma_search, keeps_small_ones_together)
{
	struct dma_test_alloc bufs[NR_SMALL];
	long widest;
	int i;

	fill(_metadata, self);
	free_here_and_there(self);
	widest = ct_area_debugfs(&self->area, "maxchunk");
	ASSERT_GT(widest, (long)(self->area.nr_pages / 2));
	for (i = 0; i < NR_SMALL; i++)
		ASSERT_EQ(0, ct_dma_alloc(self->fd, SMALL_SIZE,
					  DMA_TEST_KERNEL, 0, &bufs[i]));
	EXPECT_GE(ct_area_debugfs(&self->area, "maxchunk"), widest / 8 * 7);
	for (i = 0; i < NR_SMALL; i++)
		EXPECT_EQ(0, ct_dma_free(self->fd, bufs[i].id));
}

/* If no page was in the way, the failure reports the widest hole. */
TEST_F(cma_search, names_the_hole)
{
	unsigned long size = self->area.nr_pages / 2 * ct_page_size;
	unsigned long count = 0, widest = 0;
	struct dma_test_alloc buf, other;
	char line[256];
	int nr;

	ASSERT_EQ(0, ct_dma_alloc(self->fd, size, DMA_TEST_KERNEL, 0, &buf));
	EXPECT_EQ(-ENOMEM, ct_dma_alloc(self->fd, size + ct_page_size,
					DMA_TEST_KERNEL, DMA_TEST_NO_WARN,
					&other));
	ASSERT_TRUE(ct_last_failure(line, sizeof(line)));
	nr = sscanf(line, "%*d %*[^:]: %lu pages, %*[^:]: -12, widest hole %lu",
		    &count, &widest);
	ASSERT_EQ(2, nr) {
		TH_LOG("%s", line);
	}
	EXPECT_EQ(self->area.nr_pages / 2 + 1, count);
	EXPECT_EQ(ct_area_debugfs(&self->area, "maxchunk"), (long)widest);
	EXPECT_EQ(0, ct_dma_free(self->fd, buf.id));
}

TEST_F(cma_search, names_the_blocker)
{
	long nr_pages = BUF_SIZE / ct_page_size, used, bad;
	char line[256], name[64], reason[64];
	unsigned long pfn = 0, count = 0;
	int nr;

	pin_all(_metadata, self);
	used = ct_area_debugfs(&self->area, "used");
	bad = ct_area_sysfs(&self->area, "alloc_pages_fail");
	fail(_metadata, self);
	EXPECT_EQ(used, ct_area_debugfs(&self->area, "used"));
	EXPECT_EQ(bad + nr_pages, ct_area_sysfs(&self->area,
						"alloc_pages_fail"));

	ASSERT_TRUE(ct_last_failure(line, sizeof(line)));
	nr = sscanf(line,
		    "%*d %63s %*[^:]: %lu pages, %*[^:]: -16, pfn %lx %63[^,]",
		    name, &count, &pfn, reason);
	ASSERT_EQ(4, nr) {
		TH_LOG("%s", line);
	}
	EXPECT_STREQ(self->area.name, name);
	EXPECT_EQ(nr_pages, (long)count);
	EXPECT_TRUE(is_pinned(self, pfn));
	EXPECT_STREQ("referenced", reason);

	drain(_metadata, self);
	succeed(_metadata, self);
}

static void *drain_later(void *arg)
{
	static char data[65536];

	usleep(DRAIN_MS * 1000);
	while (read(*(int *)arg, data, sizeof(data)) > 0)
		;
	return NULL;
}

/* The page is unpinned while the request waits. */
TEST_F(cma_search, waits)
{
	pthread_t thread;

	pin_all(_metadata, self);
	ASSERT_EQ(0, ct_area_set(&self->area, "patience_ms", "20000"));
	ASSERT_EQ(0, fcntl(self->fds[0], F_SETFL, O_NONBLOCK));
	ASSERT_EQ(0, pthread_create(&thread, NULL, drain_later, self->fds));
	succeed(_metadata, self);
	ASSERT_EQ(0, pthread_join(thread, NULL));
}

/* The default patience is enough for that. */
TEST_F(cma_search, waits_by_default)
{
	pthread_t thread;

	EXPECT_EQ(500, self->patience_ms);
	pin_all(_metadata, self);
	ASSERT_EQ(0, fcntl(self->fds[0], F_SETFL, O_NONBLOCK));
	ASSERT_EQ(0, pthread_create(&thread, NULL, drain_later, self->fds));
	succeed(_metadata, self);
	ASSERT_EQ(0, pthread_join(thread, NULL));
}

/* The last column of the last table of pagetypeinfo counts isolated ones. */
static bool is_pageblock_isolated(void)
{
	FILE *file = fopen("/proc/pagetypeinfo", "r");
	bool is_last_table = false, is_isolated = false;
	char line[256];
	long nr;

	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n") - 1] = '\0';
		if (!strncmp(line, "Number of blocks", 16))
			is_last_table = true;
		else if (is_last_table && !strncmp(line, "Node", 4) &&
			 sscanf(strrchr(line, ' '), "%ld", &nr) == 1)
			is_isolated |= nr > 0;
	}
	if (file)
		fclose(file);
	return is_isolated;
}

struct watch {
	bool stop;
	unsigned int nr_looks, nr_isolated;
};

static void *watch_pageblocks(void *arg)
{
	struct watch *watch = arg;

	while (!__atomic_load_n(&watch->stop, __ATOMIC_RELAXED)) {
		watch->nr_looks++;
		watch->nr_isolated += is_pageblock_isolated();
		usleep(1000);
	}
	return NULL;
}

/*
 * The request waits in a window, so that nothing new comes into it when the
 * pages in its way go.
 */
TEST_F(cma_search, waits_in_a_window)
{
	struct watch watch = {};
	pthread_t thread;

	pin_all(_metadata, self);
	ASSERT_EQ(0, ct_area_set(&self->area, "patience_ms", "2000"));
	ASSERT_EQ(0, pthread_create(&thread, NULL, watch_pageblocks, &watch));
	fail(_metadata, self);
	__atomic_store_n(&watch.stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	TH_LOG("isolated at %u of %u looks", watch.nr_isolated, watch.nr_looks);
	EXPECT_GT(2 * watch.nr_isolated, watch.nr_looks);
	EXPECT_FALSE(is_pageblock_isolated());
	drain(_metadata, self);
}

TEST_F(cma_search, patience)
{
	unsigned long short_ms, long_ms;

	pin_all(_metadata, self);
	/* The first request moves pages; only the next ones are timed. */
	fail(_metadata, self);
	ASSERT_EQ(0, ct_area_set(&self->area, "patience_ms", "0"));
	short_ms = fail(_metadata, self);
	ASSERT_EQ(0, ct_area_set(&self->area, "patience_ms", "2000"));
	long_ms = fail(_metadata, self);
	TH_LOG("%lu ms without patience, %lu ms with", short_ms, long_ms);
	EXPECT_GE(long_ms, 1900);
	EXPECT_LT(short_ms, long_ms / 3);
	drain(_metadata, self);
}

TEST_HARNESS_MAIN
