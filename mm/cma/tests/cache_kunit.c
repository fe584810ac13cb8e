// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of cached buffers: how many reclaim frees, and which ones. Units
 * are pages.
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
 * struct cache_test - buffers that a test has put into the cache
 * @cma:	area of the buffers
 * @pages:	first page of each buffer
 * @freed:	first pages of the buffers that the cache has freed, in order
 * @nr_freed:	number of freed buffers
 * @limit:	cache_limit of the area before the test
 * @age_ms:	cache_age_ms of the area before the test
 */
static struct cache_test {
	struct cma *cma;
	struct page *pages[NR_BUFFERS];
	struct page *freed[NR_BUFFERS];
	unsigned int nr_freed;
	unsigned long limit;
	unsigned int age_ms;
} cache_test;

static int cache_test_init(struct kunit *test)
{
	struct cma *cma = cma_test_area(test);

	if (!cma->cache || !cma->cache_large)
		kunit_skip(test, "the area caches no buffers");
	cache_test = (struct cache_test) {
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

static void cache_test_exit(struct kunit *test)
{
	if (!cache_test.cma)
		return;
	cma_cache_set_limit(cache_test.cma, cache_test.limit);
	cma_cache_set_age(cache_test.cma, cache_test.age_ms);
	cache_test.cma = NULL;
}

static void cache_test_note_freed(struct page *page, unsigned long nr_pages,
				  void *mapped)
{
	vunmap(mapped);
	if (cache_test.nr_freed < NR_BUFFERS)
		cache_test.freed[cache_test.nr_freed++] = page;
}

/* Caches buffer @i; sleeps so that it is younger than the ones before it. */
static void cache_test_put(struct kunit *test, unsigned int i,
			   unsigned long nr_pages)
{
	struct page *page = cma_alloc(cache_test.cma, nr_pages, 0, false);
	struct page **pages;
	void *mapped;

	KUNIT_ASSERT_NOT_NULL(test, page);
	pages = kunit_kcalloc(test, nr_pages, sizeof(*pages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pages);
	for (unsigned long n = 0; n < nr_pages; n++)
		pages[n] = pfn_to_page(page_to_pfn(page) + n);
	mapped = vmap(pages, nr_pages, VM_MAP, PAGE_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mapped);
	cache_test.pages[i] = page;
	KUNIT_ASSERT_TRUE(test,
			  cma_cache_put(cache_test.cma, page, nr_pages, KIND,
					mapped, cache_test_note_freed));
	msleep(LOOK_MS);
}

/* The shrinker skips an area while one of its buffers is being zeroed. */
static void cache_test_wait_zeroed(struct kunit *test)
{
	unsigned long end = jiffies + msecs_to_jiffies(WAIT_MS);
	struct cma *cma = cache_test.cma;

	while (cma_cache_zeroed_pages(cma) != cma_cache_pages(cma) &&
	       time_before(jiffies, end))
		msleep(LOOK_MS);
	KUNIT_ASSERT_EQ(test, cma_cache_zeroed_pages(cma),
			cma_cache_pages(cma));
}

static void reclaim_gets_what_it_asks_for(struct kunit *test)
{
	static const unsigned long sizes[NR_BUFFERS] = {
		LARGE, 3, LARGE, LARGE, 1,
	};
	bool zeroed;
	void *mapped;

	for (unsigned int i = 0; i < NR_BUFFERS; i++)
		cache_test_put(test, i, sizes[i]);
	KUNIT_EXPECT_EQ(test, cma_cache_pages(cache_test.cma), 3 * LARGE + 4);
	cache_test_wait_zeroed(test);

	/* Shrink by nothing, by a part of a buffer, by more than a buffer. */
	KUNIT_EXPECT_EQ(test, cma_cache_shrink(0), 0);
	KUNIT_EXPECT_EQ(test, cma_cache_shrink(1), LARGE);
	KUNIT_EXPECT_EQ(test, cma_cache_pages(cache_test.cma), 2 * LARGE + 4);
	KUNIT_EXPECT_EQ(test, cma_cache_shrink(4), LARGE + 3);
	KUNIT_EXPECT_EQ(test, cma_cache_pages(cache_test.cma), LARGE + 1);
	KUNIT_ASSERT_EQ(test, cache_test.nr_freed, 3);
	for (unsigned int i = 0; i < 3; i++)
		KUNIT_EXPECT_PTR_EQ(test, cache_test.freed[i],
				    cache_test.pages[i]);

	/* A request takes one of the others, and shrinking frees the last. */
	KUNIT_EXPECT_PTR_EQ(test, cma_cache_get(cache_test.cma, LARGE, KIND,
						NULL, &mapped,
						&zeroed),
			    cache_test.pages[3]);
	vunmap(mapped);
	KUNIT_EXPECT_TRUE(test,
			  cma_release(cache_test.cma, cache_test.pages[3],
				      LARGE));
	KUNIT_EXPECT_EQ(test, cma_cache_shrink(ULONG_MAX), 1);
	KUNIT_EXPECT_EQ(test, cma_cache_shrink(1), 0);
	KUNIT_EXPECT_EQ(test, cma_cache_pages(cache_test.cma), 0);
}

/* In a cached record, list entries take the place of the owner and its time. */
static void cached_records_name_no_owner(struct kunit *test)
{
	struct cma *cma = cache_test.cma;
	struct cma_buffer copy;
	unsigned long pfn;

	cache_test_put(test, 0, LARGE);
	pfn = page_to_pfn(cache_test.pages[0]);
	spin_lock_irq(&cma->lock);
	cma_buffer_snapshot(cma, cma_buffer_at(cma, pfn), &copy);
	spin_unlock_irq(&cma->lock);
	KUNIT_EXPECT_FALSE(test, copy.owned);
	KUNIT_EXPECT_EQ(test, copy.nr_pages, LARGE);
	KUNIT_EXPECT_EQ(test, copy.owner[0], '\0');
	KUNIT_EXPECT_EQ(test, copy.caller, 0);
	cma_cache_flush(cma);
}

static struct kunit_case cache_cases[] = {
	KUNIT_CASE(reclaim_gets_what_it_asks_for),
	KUNIT_CASE(cached_records_name_no_owner),
	{}
};

static struct kunit_suite cache_suite = {
	.name = "cma_cache",
	.init = cache_test_init,
	.exit = cache_test_exit,
	.test_cases = cache_cases,
};

kunit_test_suites(&cache_suite);

MODULE_DESCRIPTION("KUnit tests of cached buffers");
MODULE_LICENSE("GPL");
