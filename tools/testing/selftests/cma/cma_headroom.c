// SPDX-License-Identifier: GPL-2.0
/*
 * Headroom: programs fill last what drivers had lately.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_test_lib.h"

#define NR_BUFS		16

FIXTURE(cma_headroom) {
	struct ct_area area;
	int fd;
	long taken_kib;
	char cache_kib[32];
};

/* Takes a quarter of the area, and gives it back. */
static void take_and_release(struct __test_metadata *_metadata,
			     FIXTURE_DATA(cma_headroom) *self)
{
	size_t size = self->area.nr_pages / 4 / NR_BUFS * ct_page_size;
	struct dma_test_alloc bufs[NR_BUFS];
	int i;

	for (i = 0; i < NR_BUFS; i++)
		ASSERT_EQ(0, ct_dma_alloc(self->fd, size, DMA_TEST_KERNEL, 0,
					  &bufs[i]));
	for (i = 0; i < NR_BUFS; i++)
		ASSERT_EQ(0, ct_dma_free(self->fd, bufs[i].id));
	self->taken_kib = NR_BUFS * size / KIB;
}

static int set_max(const struct ct_area *area, unsigned long nr_pages)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", nr_pages * ct_page_size / KIB);
	return ct_area_set(area, "headroom_max_kib", text);
}

/* Earlier tests may have had more in the last minute. */
static int forget_others(long taken_kib, const struct ct_area *area)
{
	return set_max(area, taken_kib * KIB / ct_page_size +
			     ct_area_held(area));
}

FIXTURE_SETUP(cma_headroom)
{
	ct_init(&self->area);
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
	/* Cached buffers are not free. */
	ASSERT_EQ(0, ct_area_get(&self->area, "cache_kib", self->cache_kib,
				 sizeof(self->cache_kib)));
	ASSERT_EQ(0, ct_area_set(&self->area, "cache_kib", "0"));
	ASSERT_EQ(0, set_max(&self->area, self->area.nr_pages));
	ct_drop_caches();
}

FIXTURE_TEARDOWN(cma_headroom)
{
	EXPECT_EQ(0, set_max(&self->area, 0));
	EXPECT_EQ(0, ct_area_set(&self->area, "headroom_min_kib", "0"));
	EXPECT_EQ(0, ct_area_set(&self->area, "cache_kib", self->cache_kib));
	close(self->fd);
}

TEST_F(cma_headroom, follows_what_drivers_had)
{
	const struct ct_area *area = &self->area;
	struct dma_test_alloc buf;
	long kib;

	take_and_release(_metadata, self);
	ASSERT_EQ(0, forget_others(self->taken_kib, area));
	kib = ct_area_sysfs(area, "headroom_kib");
	EXPECT_EQ(kib, self->taken_kib);
	ASSERT_EQ(0, ct_dma_alloc(self->fd, MIB, DMA_TEST_KERNEL, 0, &buf));
	EXPECT_EQ(kib - (long)(MIB / KIB),
		  ct_area_sysfs(area, "headroom_kib"));
	EXPECT_EQ(0, ct_dma_free(self->fd, buf.id));
	EXPECT_EQ(kib, ct_area_sysfs(area, "headroom_kib"));
}

TEST_F(cma_headroom, has_bounds)
{
	const struct ct_area *area = &self->area;
	char text[32];

	take_and_release(_metadata, self);
	EXPECT_EQ(0, set_max(area, 0));
	EXPECT_EQ(0, ct_area_sysfs(area, "headroom_kib"));
	EXPECT_EQ(0, ct_area_set(area, "headroom_max_kib", "1024"));
	EXPECT_LE(ct_area_sysfs(area, "headroom_kib"), 1024);
	EXPECT_EQ(1024, ct_area_sysfs(area, "headroom_max_kib"));

	snprintf(text, sizeof(text), "%lu",
		 (area->nr_pages + 1) * ct_page_size / KIB);
	EXPECT_EQ(-ERANGE, ct_area_set(area, "headroom_max_kib", text));
	EXPECT_EQ(-ERANGE, ct_area_set(area, "headroom_min_kib", text));
	EXPECT_EQ(-EINVAL, ct_area_set(area, "headroom_min_kib", "some"));
	EXPECT_EQ(0, ct_area_sysfs(area, "headroom_min_kib"));
}

/* While ordinary memory is free, programs leave headroom alone. */
TEST_F(cma_headroom, is_filled_last)
{
	long headroom_kib, outside_kib, high_kib, size_kib;
	struct ct_mem mem;

	take_and_release(_metadata, self);
	ASSERT_EQ(0, forget_others(self->taken_kib, &self->area));
	headroom_kib = ct_area_sysfs(&self->area, "headroom_kib");
	outside_kib = ct_meminfo_kib("MemFree") - ct_meminfo_kib("CmaFree");
	high_kib = ct_zone_sum("high") * ct_page_size / KIB;
	/* All of the area but headroom, and a bit from outside. */
	size_kib = ct_meminfo_kib("CmaFree") - headroom_kib + 2 * (long)(MIB / KIB);
	if (outside_kib < high_kib + 8 * (long)(MIB / KIB))
		SKIP(return, "no memory outside of the area");
	ASSERT_GT(size_kib, 0);
	ASSERT_EQ(0, ct_mem_init(&mem, CT_ANON,
				 size_kib * KIB / ct_page_size));
	ct_mem_write(&mem, 0, mem.nr_pages);
	EXPECT_GE(ct_meminfo_kib("CmaFree"), headroom_kib / 8 * 7);
	EXPECT_GT(ct_mem_in_area(&mem, &self->area), mem.nr_pages / 2);
	EXPECT_EQ(0, ct_mem_verify(&mem));
	ct_mem_exit(&mem);
}

/* It is no reserve: nothing is reclaimed while it is free. */
TEST_F(cma_headroom, is_filled_before_reclaim)
{
	struct ct_mem mem;
	long headroom_kib;

	take_and_release(_metadata, self);
	headroom_kib = ct_area_sysfs(&self->area, "headroom_kib");
	ASSERT_EQ(0, ct_mem_fill(&mem, CT_ANON));
	EXPECT_LT(ct_meminfo_kib("CmaFree"), headroom_kib / 2);
	EXPECT_EQ(0, ct_mem_verify(&mem));
	ct_mem_exit(&mem);
}

TEST_HARNESS_MAIN
