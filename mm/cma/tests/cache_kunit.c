// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the buffers that are kept for the next request: how many go
 * when memory is asked for, and which. Units are pages.
 */
#include <kunit/test.h>
#include <linux/cma.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

#include "../internal.h"
#include "kunit_area.h"

#define NR_BUFFERS	5
#define LARGE		(2UL * CMA_CACHE_PAGES_MAX)
#define WAIT_MS		10000
#define LOOK_MS		20	/* more than a jiffy */
#define KIND		0x5eed

/**
 * struct kept - buffers of a test that are kept, or were
 * @cma:	their area
 * @pages:	first page of each
 * @gone:	those that were given back, in that order
 * @nr_gone:	how many
 * @limit:	what may be kept otherwise
 * @age_ms:	and how long
 */
static struct kept {
	struct cma *cma;
	struct page *pages[NR_BUFFERS];
	struct page *gone[NR_BUFFERS];
	unsigned int nr_gone;
	unsigned long limit;
	unsigned int age_ms;
} kept;

static int begin(struct kunit *test)
{
	struct cma *cma = area_or_skip(test);

	if (!cma->cache || !cma->cache_large)
		kunit_skip(test, "nothing is kept");
	kept = (struct kept) {
		.cma	= cma,
		.limit	= cma->cache_limit,
		.age_ms	= cma->cache_age_ms,
	};
	cma_cache_set_age(cma, CMA_CACHE_AGE_MAX_MS);
	cma_cache_set_limit(cma, cma->nr_pages);
	for (unsigned int i = 0; i < cma_area_count; i++)
		cma_cache_flush(&cma_areas[i]);
	return 0;
}

static void end(struct kunit *test)
{
	if (!kept.cma)
		return;
	cma_cache_set_limit(kept.cma, kept.limit);
	cma_cache_set_age(kept.cma, kept.age_ms);
	kept.cma = NULL;
}

static void note_gone(struct page *page, unsigned long nr_pages, void *mapped)
{
	vunmap(mapped);
	if (kept.nr_gone < NR_BUFFERS)
		kept.gone[kept.nr_gone++] = page;
}

/* Buffer number @i is released, and kept later than those before it. */
static void keep(struct kunit *test, unsigned int i, unsigned long nr_pages)
{
	struct page *page = cma_alloc(kept.cma, nr_pages, 0, false);
	struct page **pages;
	void *mapped;

	KUNIT_ASSERT_NOT_NULL(test, page);
	pages = kunit_kcalloc(test, nr_pages, sizeof(*pages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pages);
	for (unsigned long n = 0; n < nr_pages; n++)
		pages[n] = nth_page(page, n);
	mapped = vmap(pages, nr_pages, VM_MAP, PAGE_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mapped);
	kept.pages[i] = page;
	KUNIT_ASSERT_TRUE(test, cma_cache_put(kept.cma, page, nr_pages, KIND,
					      mapped, note_gone));
	msleep(LOOK_MS);
}

/* Nothing is given back of an area while some of it is being zeroed. */
static void wait_for_clearing(struct kunit *test)
{
	unsigned long end = jiffies + msecs_to_jiffies(WAIT_MS);

	while (cma_cache_zeroed_pages(kept.cma) != cma_cache_pages(kept.cma) &&
	       time_before(jiffies, end))
		msleep(LOOK_MS);
	KUNIT_ASSERT_EQ(test, cma_cache_zeroed_pages(kept.cma),
			cma_cache_pages(kept.cma));
}

static void reclaim_gets_what_it_asks_for(struct kunit *test)
{
	static const unsigned long sizes[NR_BUFFERS] = {
		LARGE, 3, LARGE, LARGE, 1,
	};
	bool zeroed;
	void *mapped;

	for (unsigned int i = 0; i < NR_BUFFERS; i++)
		keep(test, i, sizes[i]);
	KUNIT_EXPECT_EQ(test, cma_cache_pages(kept.cma), 3 * LARGE + 4);
	wait_for_clearing(test);

	/* Nothing, a part of a buffer, and more than one has; oldest first. */
	KUNIT_EXPECT_EQ(test, cma_cache_shrink(0), 0);
	KUNIT_EXPECT_EQ(test, cma_cache_shrink(1), LARGE);
	KUNIT_EXPECT_EQ(test, cma_cache_pages(kept.cma), 2 * LARGE + 4);
	KUNIT_EXPECT_EQ(test, cma_cache_shrink(4), LARGE + 3);
	KUNIT_EXPECT_EQ(test, cma_cache_pages(kept.cma), LARGE + 1);
	KUNIT_ASSERT_EQ(test, kept.nr_gone, 3);
	for (unsigned int i = 0; i < 3; i++)
		KUNIT_EXPECT_PTR_EQ(test, kept.gone[i], kept.pages[i]);

	/* The others are there for whoever asks, and then no longer. */
	KUNIT_EXPECT_PTR_EQ(test, cma_cache_get(kept.cma, LARGE, KIND,
						NULL, &mapped,
						&zeroed),
			    kept.pages[3]);
	vunmap(mapped);
	KUNIT_EXPECT_TRUE(test, cma_release(kept.cma, kept.pages[3], LARGE));
	KUNIT_EXPECT_EQ(test, cma_cache_shrink(ULONG_MAX), 1);
	KUNIT_EXPECT_EQ(test, cma_cache_shrink(1), 0);
	KUNIT_EXPECT_EQ(test, cma_cache_pages(kept.cma), 0);
}

static struct kunit_case cache_cases[] = {
	KUNIT_CASE(reclaim_gets_what_it_asks_for),
	{}
};

static struct kunit_suite cache_suite = {
	.name = "cma_cache",
	.init = begin,
	.exit = end,
	.test_cases = cache_cases,
};

kunit_test_suites(&cache_suite);

MODULE_DESCRIPTION("KUnit tests of buffers kept for the next request");
MODULE_LICENSE("GPL");
