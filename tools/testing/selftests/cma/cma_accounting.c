// SPDX-License-Identifier: GPL-2.0
/*
 * The counters of free pages and of LRU pages in areas are exact and agree with
 * the pages themselves, idle and under load.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_test_lib.h"

#define LRU_COUNTERS \
	"nr_zone_cma_anon nr_zone_cma_file nr_zone_cma_unevictable"
#define NR_TRIES	200	/* until a moment without other changes */

FIXTURE(cma_accounting) {
	struct ct_area area;
	int fd;
};

FIXTURE_SETUP(cma_accounting)
{
	ct_init(&self->area);
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
}

FIXTURE_TEARDOWN(cma_accounting)
{
	close(self->fd);
}

/* Returns the pages on the free lists of all zones. */
static long buddy_sum(const struct ct_area *unused)
{
	FILE *file = fopen("/proc/buddyinfo", "r");
	char line[512], *at;
	long sum = 0;
	int order, len;
	unsigned long nr;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Node %*d, zone %*s%n", &len) < 0)
			continue;
		at = line + len;
		for (order = 0; sscanf(at, "%lu%n", &nr, &len) == 1; order++) {
			sum += (long)nr << order;
			at += len;
		}
	}
	fclose(file);
	return sum;
}

static long free_cma_sum(const struct ct_area *area)
{
	return ct_area_count(area, CT_KPF_BUDDY, 0);
}

static long lru_cma_sum(const struct ct_area *area)
{
	return ct_area_count(area, CT_KPF_LRU, 0);
}

/* Returns the sum of the counters whose names are given, with blanks between. */
static long counters(const char *names)
{
	char copy[128], *name, *rest = copy;
	long sum = 0;

	snprintf(copy, sizeof(copy), "%s", names);
	while ((name = strsep(&rest, " ")))
		sum += ct_zone_sum(name);
	return sum;
}

/*
 * Compares a counter with a count that takes time. In one of many tries, the
 * count must equal two readings of the counter, before and after.
 */
static void expect_equal(struct __test_metadata *_metadata, const char *names,
			 long (*sum)(const struct ct_area *area),
			 const struct ct_area *area)
{
	long before, counted, after;
	int nr_tries = 0;

	do {
		if (nr_tries)
			usleep(10000);
		/* Add the differences that CPUs have not reported yet. */
		ct_write("/proc/sys/vm/stat_refresh", "1");
		before = counters(names);
		counted = sum(area);
		ct_write("/proc/sys/vm/stat_refresh", "1");
		after = counters(names);
	} while ((before != after || counted != before) &&
		 ++nr_tries < NR_TRIES);
	EXPECT_LT(nr_tries, NR_TRIES) {
		TH_LOG("%s: %ld, then %ld; counted %ld", names, before, after,
		       counted);
	}
}

static void expect_exact(struct __test_metadata *_metadata,
			 FIXTURE_DATA(cma_accounting) *self)
{
	expect_equal(_metadata, "nr_free_pages", buddy_sum, &self->area);
	/* These counters are for all areas, so they need a single area. */
	if (ct_zone_sum("cma") != (long)self->area.nr_pages)
		return;
	expect_equal(_metadata, "nr_free_cma", free_cma_sum, &self->area);
	expect_equal(_metadata, LRU_COUNTERS, lru_cma_sum, &self->area);
}

TEST_F(cma_accounting, exact_when_idle)
{
	expect_exact(_metadata, self);
}

/* The pages of a driver are not free until they are released. */
TEST_F(cma_accounting, exact_after_use)
{
	static const size_t sizes[] = {
		4 * KIB, 300 * KIB, 5 * MIB, 16 * MIB, 12345678, 52 * KIB,
	};
	struct dma_test_alloc bufs[6];
	long limit;
	int i;

	ct_drop_caches();
	for (i = 0; i < 6; i++)
		ASSERT_EQ(0, ct_dma_alloc(self->fd, sizes[i], DMA_TEST_KERNEL,
					  0, &bufs[i]));
	expect_exact(_metadata, self);
	limit = ct_meminfo_kib("CmaTotal") -
		ct_area_debugfs(&self->area, "used") * ct_page_size / KIB;
	EXPECT_LE(ct_meminfo_kib("CmaFree"), limit);
	for (i = 0; i < 6; i += 2)
		ASSERT_EQ(0, ct_dma_free(self->fd, bufs[i].id));
	expect_exact(_metadata, self);
	for (i = 1; i < 6; i += 2)
		ASSERT_EQ(0, ct_dma_free(self->fd, bufs[i].id));
	expect_exact(_metadata, self);
}

TEST_F(cma_accounting, exact_after_migration)
{
	struct dma_test_alloc buf;
	struct ct_mem mem;

	ASSERT_GT(ct_mem_fill_area(&mem, CT_ANON, &self->area), 0);
	expect_exact(_metadata, self);
	ASSERT_EQ(0, ct_dma_alloc(self->fd, 13 * MIB + 5 * ct_page_size,
				  DMA_TEST_KERNEL, 0, &buf));
	expect_exact(_metadata, self);
	ASSERT_EQ(0, ct_dma_free(self->fd, buf.id));
	expect_exact(_metadata, self);
	ct_mem_exit(&mem);
	expect_exact(_metadata, self);
}

/* Each kind of memory has an LRU list and a counter of its own. */
TEST_F(cma_accounting, exact_with_every_kind)
{
	static const struct {
		enum ct_kind kind;
		const char *counter;
	} kinds[] = {
		{ CT_ANON, "nr_zone_cma_anon" },
		{ CT_SHMEM, "nr_zone_cma_anon" },
		{ CT_MLOCKED, "nr_zone_cma_unevictable" },
	};
	const char *path = ct_big_file();
	struct ct_mem mem;
	off_t offset = 0;
	unsigned int i;
	long nr_in;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		nr_in = ct_mem_fill_area(&mem, kinds[i].kind, &self->area);
		ASSERT_GT(nr_in, 0);
		expect_exact(_metadata, self);
		EXPECT_GT(ct_zone_sum(kinds[i].counter), nr_in * 9 / 10);
		ct_mem_exit(&mem);
		expect_exact(_metadata, self);
	}
	if (!path)
		return;
	/* Reclaim isolates and frees pages while these are read. */
	ASSERT_EQ(0, ct_read_on(path, &offset, 0, 0));
	expect_exact(_metadata, self);
	EXPECT_GT(ct_zone_sum("nr_zone_cma_file"), 0);
	ct_drop_caches();
	expect_exact(_metadata, self);
}

/* Samples the counters while others work. */
struct sampler {
	pthread_t thread;
	bool stop;
	unsigned long nr_samples;
	unsigned long nr_bad;
	long total_kib;
};

static void *sample(void *arg)
{
	struct sampler *me = arg;

	while (!__atomic_load_n(&me->stop, __ATOMIC_RELAXED)) {
		long free_kib = ct_meminfo_kib("CmaFree");

		me->nr_bad += free_kib < 0 || free_kib > me->total_kib ||
			      free_kib > ct_meminfo_kib("MemTotal");
		me->nr_samples++;
		usleep(1000);
	}
	return NULL;
}

TEST_F(cma_accounting, sane_under_load)
{
	struct sampler sampler = { .total_kib = ct_meminfo_kib("CmaTotal") };
	unsigned int i, nr = ct_scale(100);
	struct dma_test_alloc buf;
	off_t offset = 0;

	ASSERT_EQ(0, pthread_create(&sampler.thread, NULL, sample, &sampler));
	for (i = 0; i < nr; i++) {
		EXPECT_EQ(0, ct_dma_alloc(self->fd, (1 + i % 16) * MIB,
					  DMA_TEST_KERNEL, 0, &buf));
		if (ct_big_file())
			ct_read_on(ct_big_file(), &offset, 4 * MIB, 0);
		EXPECT_EQ(0, ct_dma_free(self->fd, buf.id));
	}
	__atomic_store_n(&sampler.stop, true, __ATOMIC_RELAXED);
	pthread_join(sampler.thread, NULL);
	EXPECT_GT(sampler.nr_samples, 0);
	EXPECT_EQ(0, sampler.nr_bad);
	expect_exact(_metadata, self);
}

TEST_HARNESS_MAIN
