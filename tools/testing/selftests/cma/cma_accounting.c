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
#include "cma_counters.h"

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

static void expect_exact(struct __test_metadata *_metadata,
			 FIXTURE_DATA(cma_accounting) *self)
{
	bool one_area = ct_zone_sum("cma") == (long)self->area.nr_pages;
	const struct ct_counter *counter;
	long value, counted;

	for (counter = ct_counters; counter < ct_counters + CT_NR_COUNTERS;
	     counter++) {
		if (counter->of_areas && !one_area)
			continue;
		EXPECT_TRUE(ct_counter_is_exact(counter, &self->area, NR_TRIES,
						&value, &counted)) {
			TH_LOG("%s is %ld, %s has %ld", counter->name, value,
			       counter->lists, counted);
		}
	}
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
		__atomic_add_fetch(&me->nr_samples, 1, __ATOMIC_RELAXED);
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
	while (!__atomic_load_n(&sampler.nr_samples, __ATOMIC_RELAXED))
		usleep(1000);
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
