// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of headroom for drivers: which peak counts, for how long, and
 * within which bounds; and of the pages that programs get. Units are pages.
 */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmstat.h>

#include "../../contig/kernel.h"
#include "../internal.h"
#include "../placement.h"
#include "kunit_area.h"

static const struct cma_headroom no_bounds = { .max_pages = ULONG_MAX };

static void peaks_count_for_a_minute(struct kunit *test)
{
	struct cma_headroom headroom = no_bounds;

	cma_headroom_count(&headroom, 100);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 0);
	cma_headroom_count(&headroom, -100);
	for (unsigned int i = 1; i < CMA_HEADROOM_PERIODS; i++) {
		KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 100);
		cma_headroom_begin_period(&headroom);
	}
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 100);
	cma_headroom_begin_period(&headroom);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 0);
}

static void lower_peaks_follow(struct kunit *test)
{
	struct cma_headroom headroom = no_bounds;

	cma_headroom_count(&headroom, 100);
	cma_headroom_count(&headroom, -100);
	cma_headroom_begin_period(&headroom);
	cma_headroom_count(&headroom, 30);
	cma_headroom_count(&headroom, -30);
	for (unsigned int i = 2; i < CMA_HEADROOM_PERIODS; i++)
		cma_headroom_begin_period(&headroom);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 100);
	cma_headroom_begin_period(&headroom);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 30);
}

static void used_pages_are_no_headroom(struct kunit *test)
{
	struct cma_headroom headroom = no_bounds;

	cma_headroom_count(&headroom, 100);
	cma_headroom_count(&headroom, -40);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 40);
	cma_headroom_count(&headroom, 30);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 10);
	/* Pages in use are a peak of each later minute. */
	for (unsigned int i = 0; i < 2 * CMA_HEADROOM_PERIODS; i++)
		cma_headroom_begin_period(&headroom);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 0);
	cma_headroom_count(&headroom, -90);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 90);
}

static void needs_have_bounds(struct kunit *test)
{
	struct cma_headroom headroom = no_bounds;

	headroom.min_pages = 50;
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 50);
	cma_headroom_count(&headroom, 20);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 30);
	cma_headroom_count(&headroom, 80);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 0);
	cma_headroom_count(&headroom, -100);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 100);
	/* A peak between the bounds, should they be the wrong way round. */
	headroom.max_pages = 60;
	headroom.min_pages = 100;
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 60);
	headroom.max_pages = 0;
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 0);
}

static unsigned long headroom_test_nr_free(struct zone *zone)
{
	drain_all_pages(zone);
	return zone_page_state(zone, NR_FREE_CMA_PAGES);
}

struct bulk {
	unsigned int nr;	/* pages that were given */
	unsigned int nr_wrong;	/* not of an area, or not as a free page is */
	unsigned long nr_less;	/* order-0 pages that are no longer free */
};

/*
 * Takes pages of an area as programs get them, and puts them back. @nr_free is
 * how many order-0 pages are no headroom.
 */
static struct bulk headroom_test_take(struct zone *zone, unsigned int order,
				      unsigned int count,
				      unsigned long nr_free)
{
	struct bulk bulk = { };
	struct page *page, *next;
	unsigned long flags;
	LIST_HEAD(list);
	long headroom;

	spin_lock_irqsave(&zone->lock, flags);
	bulk.nr_less = zone_page_state(zone, NR_FREE_CMA_PAGES);
	headroom = bulk.nr_less - nr_free - atomic_long_read(&zone->cma_headroom);
	atomic_long_add(headroom, &zone->cma_headroom);
	bulk.nr = cma_rmqueue_bulk(zone, order, MIGRATE_MOVABLE, count, &list);
	atomic_long_sub(headroom, &zone->cma_headroom);
	bulk.nr_less -= zone_page_state(zone, NR_FREE_CMA_PAGES);
	list_for_each_entry_safe(page, next, &list, pcp_list) {
		if (!contig_page_in_area(page) || PageBuddy(page) ||
		    page_ref_count(page) || page_private(page) ||
		    !IS_ALIGNED(page_to_pfn(page), 1UL << order))
			bulk.nr_wrong++;
		list_del(&page->pcp_list);
		contig_buddy_put(zone, page, order);
	}
	spin_unlock_irqrestore(&zone->lock, flags);
	return bulk;
}

static void programs_get_pages_of_areas_in_bulk(struct kunit *test)
{
	static const struct {
		unsigned int order, count;
	} requests[] = {
		{ 0, 1 }, { 0, 63 }, { 0, 1000 }, { 1, 5 }, { 3, 7 }, { 3, 64 },
	};
	const struct cma *cma = test->priv;
	struct zone *zone = page_zone(pfn_to_page(cma->range.start));
	unsigned long nr_free = headroom_test_nr_free(zone);
	struct bulk bulk;

	KUNIT_ASSERT_GE(test, nr_free, 64);
	for (unsigned int i = 0; i < ARRAY_SIZE(requests); i++) {
		unsigned int order = requests[i].order;
		unsigned int count = min_t(unsigned long, requests[i].count,
					   nr_free / 4 >> order);

		bulk = headroom_test_take(zone, order, count, count << order);
		KUNIT_EXPECT_EQ(test, bulk.nr, count);
		KUNIT_EXPECT_EQ(test, bulk.nr_less, count << order);
		KUNIT_EXPECT_EQ(test, bulk.nr_wrong, 0);
	}

	/* Headroom is for drivers. */
	bulk = headroom_test_take(zone, 3, 7, (5 << 3) + 7);
	KUNIT_EXPECT_EQ(test, bulk.nr, 5);
	KUNIT_EXPECT_EQ(test, bulk.nr_less, 5 << 3);
	bulk = headroom_test_take(zone, 0, 7, 0);
	KUNIT_EXPECT_EQ(test, bulk.nr, 0);
	KUNIT_EXPECT_EQ(test, headroom_test_nr_free(zone), nr_free);
}

static struct kunit_case headroom_test_cases[] = {
	KUNIT_CASE(peaks_count_for_a_minute),
	KUNIT_CASE(lower_peaks_follow),
	KUNIT_CASE(used_pages_are_no_headroom),
	KUNIT_CASE(needs_have_bounds),
	{}
};

static struct kunit_suite headroom_test_suite = {
	.name = "cma_headroom",
	.test_cases = headroom_test_cases,
};

static struct kunit_case preferred_test_cases[] = {
	KUNIT_CASE(programs_get_pages_of_areas_in_bulk),
	{}
};

static struct kunit_suite preferred_test_suite = {
	.name = "cma_preferred",
	.init = cma_test_use_area,
	.test_cases = preferred_test_cases,
};

kunit_test_suites(&headroom_test_suite, &preferred_test_suite);

MODULE_DESCRIPTION("KUnit tests of headroom for drivers");
MODULE_LICENSE("GPL");
