// SPDX-License-Identifier: GPL-2.0
/*
 * The knobs of an area, and its cached buffers: a request that gets one finds
 * zeroes, and no request fails because buffers are cached.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_test_lib.h"

#define NR_SMALL	256
#define SMALL_SIZE	(64 * KIB)
#define NR_CACHED		64		/* buffers of SMALL_SIZE */
#define LARGE_SIZE	(1 * MIB)
#define NR_ROUNDS	40

FIXTURE(cma_cache) {
	struct ct_area area;
	int fd;
	char fit[32], patience_ms[32], cache_kib[32], cache_age_ms[32];
	bool caches;			/* this board caches buffers */
};

FIXTURE_SETUP(cma_cache)
{
	struct dma_test_check check;
	struct dma_test_alloc buf;
	cpu_set_t cpus;

	/* Each CPU has its own cache. */
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(cpus), &cpus));
	ct_init(&self->area);
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, ct_area_get(&self->area, "fit", self->fit, 32));
	ASSERT_EQ(0, ct_area_get(&self->area, "patience_ms",
				 self->patience_ms, 32));
	ASSERT_EQ(0, ct_area_get(&self->area, "cache_kib", self->cache_kib,
				 32));
	ASSERT_EQ(0, ct_area_get(&self->area, "cache_age_ms",
				 self->cache_age_ms, 32));
	/* Buffers are cached for their mapping, if it is an uncached one. */
	ASSERT_EQ(0, ct_dma_alloc(self->fd, ct_page_size, DMA_TEST_KERNEL, 0,
				  &buf));
	ASSERT_EQ(0, ct_dma_check(self->fd, buf.id, &check));
	ASSERT_EQ(0, ct_dma_free(self->fd, buf.id));
	self->caches = check.tested & DMA_TEST_UNCACHED;
	ct_drop_caches();
	/* Writing the limit frees all cached buffers. */
	ASSERT_EQ(0, ct_area_set(&self->area, "cache_kib", self->cache_kib));
	EXPECT_EQ(0, ct_area_debugfs(&self->area, "cached"));
	/* No buffer may become too old during a test that is about others. */
	ASSERT_EQ(0, ct_area_set(&self->area, "cache_age_ms", "3600000"));
}

FIXTURE_TEARDOWN(cma_cache)
{
	EXPECT_EQ(0, ct_area_set(&self->area, "fit", self->fit));
	EXPECT_EQ(0, ct_area_set(&self->area, "patience_ms",
				 self->patience_ms));
	EXPECT_EQ(0, ct_area_set(&self->area, "cache_kib", self->cache_kib));
	EXPECT_EQ(0, ct_area_set(&self->area, "cache_age_ms",
				 self->cache_age_ms));
	close(self->fd);
}

static void expect_text(struct __test_metadata *_metadata,
			const struct ct_area *area, const char *file,
			const char *want)
{
	char text[32];

	ASSERT_EQ(0, ct_area_get(area, file, text, sizeof(text)));
	EXPECT_STREQ(want, text);
}

TEST_F(cma_cache, knobs)
{
	const struct ct_area *area = &self->area;
	char text[32];

	EXPECT_EQ(0, ct_area_set(area, "patience_ms", "60000"));
	EXPECT_EQ(-ERANGE, ct_area_set(area, "patience_ms", "60001"));
	EXPECT_EQ(-EINVAL, ct_area_set(area, "patience_ms", "soon"));
	EXPECT_EQ(-EINVAL, ct_area_set(area, "patience_ms", "-1"));
	expect_text(_metadata, area, "patience_ms", "60000");

	EXPECT_EQ(0, ct_area_set(area, "fit", "first"));
	expect_text(_metadata, area, "fit", "first");
	EXPECT_EQ(0, ct_area_set(area, "fit", "best\n"));
	EXPECT_EQ(-EINVAL, ct_area_set(area, "fit", "worst"));
	EXPECT_EQ(-EINVAL, ct_area_set(area, "fit", "bestest"));
	expect_text(_metadata, area, "fit", "best");

	EXPECT_EQ(0, ct_area_set(area, "cache_kib", "128"));
	snprintf(text, sizeof(text), "%lu",
		 (area->nr_pages + 1) * ct_page_size / KIB);
	EXPECT_EQ(-ERANGE, ct_area_set(area, "cache_kib", text));
	EXPECT_EQ(-EINVAL, ct_area_set(area, "cache_kib", "many"));
	expect_text(_metadata, area, "cache_kib", "128");

	EXPECT_EQ(0, ct_area_set(area, "cache_age_ms", "3599999"));
	EXPECT_EQ(-ERANGE, ct_area_set(area, "cache_age_ms", "3600001"));
	EXPECT_EQ(-EINVAL, ct_area_set(area, "cache_age_ms", "old"));
	expect_text(_metadata, area, "cache_age_ms", "3599999");
}

static uint64_t take_buffer(struct __test_metadata *_metadata,
			    FIXTURE_DATA(cma_cache) *self, size_t size,
			    uint32_t *id)
{
	struct dma_test_alloc buf;

	ASSERT_EQ(0, ct_dma_alloc(self->fd, size, DMA_TEST_KERNEL, 0, &buf));
	*id = buf.id;
	return buf.dma_addr;
}

/* Returns the address that a small buffer gets. */
static uint64_t find_place(struct __test_metadata *_metadata,
			   FIXTURE_DATA(cma_cache) *self, const char *fit)
{
	uint64_t at;
	uint32_t id;

	EXPECT_EQ(0, ct_area_set(&self->area, "fit", fit));
	at = take_buffer(_metadata, self, SMALL_SIZE, &id);
	EXPECT_EQ(0, ct_dma_free(self->fd, id));
	return at;
}

/* The area has a wide hole, and behind it one that fits exactly. */
TEST_F(cma_cache, fit)
{
	uint64_t wide, at[NR_SMALL];
	uint32_t wide_id, ids[NR_SMALL];
	int i, tries;

	ASSERT_EQ(0, ct_area_set(&self->area, "cache_kib", "0"));
	ASSERT_EQ(0, ct_area_set(&self->area, "fit", "first"));
	wide = take_buffer(_metadata, self, MIB, &wide_id);
	for (i = 0; i < NR_SMALL; i++) {
		at[i] = take_buffer(_metadata, self, SMALL_SIZE, &ids[i]);
		if (i >= 2 && at[i - 2] > wide &&
		    at[i - 1] == at[i - 2] + SMALL_SIZE &&
		    at[i] == at[i - 1] + SMALL_SIZE)
			break;
	}
	ASSERT_LT(i, NR_SMALL);
	ASSERT_EQ(0, ct_dma_free(self->fd, wide_id));
	ASSERT_EQ(0, ct_dma_free(self->fd, ids[i - 1]));
	EXPECT_EQ(wide, find_place(_metadata, self, "first"));
	/* The best hole has no page of a program in it, so drop the caches. */
	for (tries = 0; tries < 20; tries++) {
		if (find_place(_metadata, self, "best") == at[i - 1])
			break;
		ct_drop_caches();
		usleep(100000);
	}
	EXPECT_LT(tries, 20);
}

TEST_F(cma_cache, comes_back_clean)
{
	const struct ct_area *area = &self->area;
	long used = ct_area_debugfs(area, "used");
	/* The generic DMA code takes single pages from elsewhere. */
	const long nr_pages = ct_dma_generic(self->fd) ? 2 : 1;
	const long nr_cached = self->caches ? nr_pages : 0;
	const size_t size = nr_pages * ct_page_size;
	struct dma_test_check check;
	struct dma_test_alloc buf;
	uint64_t first, second;
	uint32_t id;

	EXPECT_EQ(used, ct_area_held(area));
	first = take_buffer(_metadata, self, size, &id);
	EXPECT_EQ(used + nr_pages, ct_area_debugfs(area, "used"));
	ASSERT_EQ(0, ct_dma_fill(self->fd, id, 5));
	ASSERT_EQ(0, ct_dma_free(self->fd, id));
	EXPECT_EQ(nr_cached, ct_area_debugfs(area, "cached"));
	EXPECT_EQ(used, ct_area_debugfs(area, "used"));
	EXPECT_EQ(used + nr_cached, ct_area_held(area));

	/* A request without a mapping may get a buffer that has one. */
	ASSERT_EQ(0, ct_dma_alloc(self->fd, size, DMA_TEST_KERNEL,
				  DMA_TEST_NO_KERNEL_MAPPING, &buf));
	EXPECT_EQ(0, ct_area_debugfs(area, "cached"));
	if (self->caches)
		EXPECT_EQ(first, buf.dma_addr);
	ASSERT_EQ(0, ct_dma_free(self->fd, buf.id));
	EXPECT_EQ(nr_cached, ct_area_debugfs(area, "cached"));

	second = take_buffer(_metadata, self, size, &id);
	if (self->caches)
		EXPECT_EQ(first, second);
	EXPECT_EQ(0, ct_area_debugfs(area, "cached"));
	EXPECT_EQ(used + nr_pages, ct_area_debugfs(area, "used"));
	EXPECT_EQ(0, ct_dma_check(self->fd, id, &check));
	EXPECT_TRUE(check.tested & DMA_TEST_ZEROED);
	EXPECT_EQ(check.tested, check.found);
	ASSERT_EQ(0, ct_dma_free(self->fd, id));

	/* The buffer has the requested type, whatever the cache has. */
	ASSERT_EQ(0, ct_dma_alloc(self->fd, size, DMA_TEST_KERNEL,
				  DMA_TEST_WRITE_COMBINE, &buf));
	EXPECT_EQ(0, ct_dma_check(self->fd, buf.id, &check));
	EXPECT_TRUE(check.tested & DMA_TEST_ZEROED);
	EXPECT_EQ(check.tested, check.found);
	ASSERT_EQ(0, ct_dma_free(self->fd, buf.id));
	EXPECT_EQ(used, ct_area_debugfs(area, "used"));
}

static void raise_limit(struct __test_metadata *_metadata,
			FIXTURE_DATA(cma_cache) *self)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu",
		 self->area.nr_pages * ct_page_size / KIB);
	ASSERT_EQ(0, ct_area_set(&self->area, "cache_kib", text));
}

/* Caches NR_CACHED buffers. */
static void fill_cache(struct __test_metadata *_metadata,
		       FIXTURE_DATA(cma_cache) *self)
{
	const long nr_pages = NR_CACHED * SMALL_SIZE / ct_page_size;
	uint32_t ids[NR_CACHED];
	int i;

	raise_limit(_metadata, self);
	for (i = 0; i < NR_CACHED; i++)
		take_buffer(_metadata, self, SMALL_SIZE, &ids[i]);
	for (i = 0; i < NR_CACHED; i++)
		ASSERT_EQ(0, ct_dma_free(self->fd, ids[i]));
	EXPECT_EQ(self->caches ? nr_pages : 0,
		  ct_area_debugfs(&self->area, "cached"));
}

TEST_F(cma_cache, gives_back_on_request)
{
	long used = ct_area_debugfs(&self->area, "used"), held, free_kib;
	uint32_t id;

	fill_cache(_metadata, self);
	held = ct_area_debugfs(&self->area, "cached");
	EXPECT_EQ(used + held, ct_area_held(&self->area));
	free_kib = ct_meminfo_kib("CmaFree");
	ASSERT_EQ(0, ct_area_set(&self->area, "cache_kib", "0"));
	EXPECT_EQ(0, ct_area_debugfs(&self->area, "cached"));
	EXPECT_EQ(used, ct_area_held(&self->area));
	/* Programs may have taken a few pages meanwhile. */
	EXPECT_GE(ct_meminfo_kib("CmaFree") + 256,
		  free_kib + held * (long)(ct_page_size / KIB));

	take_buffer(_metadata, self, ct_page_size, &id);
	ASSERT_EQ(0, ct_dma_free(self->fd, id));
	EXPECT_EQ(0, ct_area_debugfs(&self->area, "cached"));
	EXPECT_EQ(used, ct_area_held(&self->area));
}

TEST_F(cma_cache, gives_back_to_large_requests)
{
	long nr_pages = ct_area_debugfs(&self->area, "maxchunk") - 256;
	struct dma_test_alloc buf;

	ASSERT_GT(nr_pages, (long)self->area.nr_pages / 2);
	fill_cache(_metadata, self);
	ASSERT_EQ(0, ct_dma_alloc(self->fd, nr_pages * ct_page_size,
				  DMA_TEST_KERNEL, 0, &buf));
	EXPECT_EQ(0, ct_area_debugfs(&self->area, "cached"));
	ASSERT_EQ(0, ct_dma_free(self->fd, buf.id));
}

/* A large request may find buffers that are being zeroed right now. */
TEST_F(cma_cache, gives_back_what_is_zeroed)
{
	size_t size = self->area.nr_pages * 4 / 5 * ct_page_size;
	unsigned int round, i, nr = self->area.nr_pages * ct_page_size /
				    (4 * LARGE_SIZE);
	struct dma_test_alloc buf;
	uint32_t ids[64];

	ASSERT_LE(nr, 64);
	raise_limit(_metadata, self);
	srandom(1);
	for (round = 0; round < ct_scale(NR_ROUNDS); round++) {
		for (i = 0; i < nr; i++)
			take_buffer(_metadata, self, LARGE_SIZE, &ids[i]);
		for (i = 0; i < nr; i++)
			ASSERT_EQ(0, ct_dma_free(self->fd, ids[i]));
		usleep(random() % 60000);
		ASSERT_EQ(0, ct_dma_alloc(self->fd, size, DMA_TEST_KERNEL, 0,
					  &buf)) {
			TH_LOG("round %u", round);
		}
		ASSERT_EQ(0, ct_dma_free(self->fd, buf.id));
	}
}

/* Writing to drop_caches calls all shrinkers, as memory pressure does. */
TEST_F(cma_cache, gives_back_under_pressure)
{
	long used = ct_area_debugfs(&self->area, "used");
	int tries;

	fill_cache(_metadata, self);
	/* Each write asks for a part of the cached pages only. */
	for (tries = 0; tries < NR_ROUNDS; tries++) {
		ASSERT_EQ(0, ct_write("/proc/sys/vm/drop_caches", "2"));
		if (!ct_area_debugfs(&self->area, "cached"))
			break;
	}
	EXPECT_EQ(0, ct_area_debugfs(&self->area, "cached"));
	EXPECT_EQ(used, ct_area_held(&self->area));
}

/* A request that can evacuate a window does not free cached buffers. */
TEST_F(cma_cache, stays_while_windows_are_evacuated)
{
	const long nr_cached = self->caches ? SMALL_SIZE / ct_page_size : 0;
	struct ct_mem mem;
	uint32_t id;

	ASSERT_GT(ct_mem_fill_area(&mem, CT_ANON, &self->area),
		  self->area.nr_pages / 2);
	take_buffer(_metadata, self, SMALL_SIZE, &id);
	ASSERT_EQ(0, ct_dma_free(self->fd, id));
	ASSERT_EQ(nr_cached, ct_area_debugfs(&self->area, "cached"));

	take_buffer(_metadata, self, LARGE_SIZE, &id);
	EXPECT_EQ(nr_cached, ct_area_debugfs(&self->area, "cached"));
	ASSERT_EQ(0, ct_dma_free(self->fd, id));
	EXPECT_EQ(0, ct_mem_verify(&mem));
	ct_mem_exit(&mem);
}

/* Waits at most 30 seconds until a file in debugfs has the value @nr. */
static bool wait_for(const struct ct_area *area, const char *file, long nr)
{
	int tries;

	for (tries = 0; tries < 300 && ct_area_debugfs(area, file) != nr;
	     tries++)
		usleep(100000);
	return tries < 300;
}

/* Frees a buffer, which is cached and zeroed, and takes it again. */
static void zero_one(struct __test_metadata *_metadata,
		     FIXTURE_DATA(cma_cache) *self, size_t size)
{
	long nr_pages = self->caches ? (long)(size / ct_page_size) : 0;
	struct dma_test_check check;
	uint64_t first, second;
	uint32_t id;

	first = take_buffer(_metadata, self, size, &id);
	ASSERT_EQ(0, ct_dma_fill(self->fd, id, size));
	ASSERT_EQ(0, ct_dma_free(self->fd, id));
	EXPECT_EQ(nr_pages, ct_area_debugfs(&self->area, "cached"));
	EXPECT_TRUE(wait_for(&self->area, "zeroed", nr_pages));
	EXPECT_EQ(nr_pages, ct_area_debugfs(&self->area, "cached"));

	second = take_buffer(_metadata, self, size, &id);
	if (self->caches)
		EXPECT_EQ(first, second);
	EXPECT_EQ(0, ct_area_debugfs(&self->area, "cached"));
	ASSERT_EQ(0, ct_dma_check(self->fd, id, &check));
	EXPECT_TRUE(check.tested & DMA_TEST_ZEROED);
	EXPECT_EQ(check.tested, check.found);
	/* Later tests must not find a buffer that is zero by accident. */
	ASSERT_EQ(0, ct_dma_fill(self->fd, id, size));
	ASSERT_EQ(0, ct_dma_free(self->fd, id));
	ASSERT_EQ(0, ct_area_set(&self->area, "cache_kib", self->cache_kib));
}

TEST_F(cma_cache, zeroes_in_the_background)
{
	zero_one(_metadata, self, ct_page_size);
	zero_one(_metadata, self, SMALL_SIZE);
	zero_one(_metadata, self, LARGE_SIZE);
}

/* A buffer is zeroed whether it was cached long, briefly or is being zeroed. */
TEST_F(cma_cache, always_zeroed)
{
	static const size_t sizes[] = {
		4 * KIB, SMALL_SIZE, 20 * KIB, LARGE_SIZE, 640 * KIB,
	};
	struct dma_test_check check;
	uint32_t id;
	int i;

	raise_limit(_metadata, self);
	srandom(1);
	for (i = 0; i < NR_ROUNDS; i++) {
		take_buffer(_metadata, self, sizes[random() % 5], &id);
		ASSERT_EQ(0, ct_dma_check(self->fd, id, &check));
		ASSERT_TRUE(check.tested & DMA_TEST_ZEROED);
		ASSERT_EQ(check.tested, check.found);
		ASSERT_EQ(0, ct_dma_fill(self->fd, id, i));
		ASSERT_EQ(0, ct_dma_free(self->fd, id));
		usleep(random() % 40000);
	}
}

/* Large buffers may take half of the limit, and no buffer more than that. */
TEST_F(cma_cache, caches_large_ones)
{
	const struct ct_area *area = &self->area;
	long nr_pages = self->caches ? (long)(LARGE_SIZE / ct_page_size) : 0;
	uint64_t at[3];
	uint32_t ids[3];
	int i;

	ASSERT_EQ(0, ct_area_set(area, "cache_kib", "4096"));
	for (i = 0; i < 3; i++)
		at[i] = take_buffer(_metadata, self, LARGE_SIZE, &ids[i]);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, ct_dma_free(self->fd, ids[i]));
	EXPECT_EQ(2 * nr_pages, ct_area_debugfs(area, "cached"));
	/* A request of another size does not get a cached buffer. */
	at[2] = take_buffer(_metadata, self, LARGE_SIZE / 2, &ids[2]);
	EXPECT_EQ(2 * nr_pages, ct_area_debugfs(area, "cached"));
	if (self->caches) {
		EXPECT_NE(at[0], at[2]);
		EXPECT_NE(at[1], at[2]);
	}
	ASSERT_EQ(0, ct_dma_free(self->fd, ids[2]));
	EXPECT_EQ(2 * nr_pages, ct_area_debugfs(area, "cached"));

	ASSERT_EQ(0, ct_area_set(area, "cache_kib", "2047"));
	EXPECT_EQ(0, ct_area_debugfs(area, "cached"));
	take_buffer(_metadata, self, LARGE_SIZE, &ids[0]);
	ASSERT_EQ(0, ct_dma_free(self->fd, ids[0]));
	EXPECT_EQ(0, ct_area_debugfs(area, "cached"));
}

/* A lower age takes effect at once, even after an age of an hour. */
TEST_F(cma_cache, ages)
{
	const long nr_pages = NR_CACHED * SMALL_SIZE / ct_page_size;

	fill_cache(_metadata, self);
	/* With the default age they would be freed by now. */
	sleep(3);
	EXPECT_EQ(self->caches ? nr_pages : 0,
		  ct_area_debugfs(&self->area, "cached"));
	ASSERT_EQ(0, ct_area_set(&self->area, "cache_age_ms", "100"));
	EXPECT_TRUE(wait_for(&self->area, "cached", 0));
}

/* Buffers that no request takes are freed after a while. */
TEST_F(cma_cache, gives_back_in_the_end)
{
	long used = ct_area_debugfs(&self->area, "used");
	int tries;

	fill_cache(_metadata, self);
	ASSERT_EQ(0, ct_area_set(&self->area, "cache_age_ms",
				 self->cache_age_ms));
	for (tries = 0; tries < 300; tries++) {
		/* Buffers leave the cache first and become free later. */
		if (!ct_area_debugfs(&self->area, "cached") &&
		    ct_area_held(&self->area) == used)
			break;
		usleep(100000);
	}
	EXPECT_LT(tries, 300);
}

TEST_HARNESS_MAIN
