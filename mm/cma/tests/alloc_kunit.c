// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of cma_alloc(), cma_release() and alloc_contig_*() on the default
 * area. They cover the cases that user space cannot reach through a driver.
 */
#include <kunit/test.h>
#include <linux/cma.h>
#include <linux/cma-stock.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/vmstat.h>
#include <linux/workqueue.h>

#include "../internal.h"
#include "kunit_area.h"
#include "kunit_huge.h"

int cma_test_use_area(struct kunit *test)
{
	test->priv = cma_test_area(test);
	return 0;
}

static void buffers_are_what_was_asked_for(struct kunit *test)
{
	static const struct {
		unsigned long nr_pages;
		unsigned int align_order;
	} wanted[] = { { 1, 0 }, { 3, 4 }, { 75, 6 }, { 1024, 10 }, { 2500, 0 } };
	struct cma *cma = test->priv;
	unsigned long before = cma_test_nr_held(cma);

	for (unsigned int i = 0; i < ARRAY_SIZE(wanted); i++) {
		unsigned long nr_pages = wanted[i].nr_pages;
		struct page *page = cma_alloc(cma, nr_pages,
					      wanted[i].align_order, false);

		KUNIT_ASSERT_NOT_NULL(test, page);
		KUNIT_EXPECT_TRUE(test, cma_pages_valid(cma, page, nr_pages));
		KUNIT_EXPECT_PTR_EQ(test, cma_area_of(page), cma);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED(page_to_pfn(page),
						   1UL << wanted[i].align_order));
		for (unsigned long n = 0; n < nr_pages; n++)
			KUNIT_ASSERT_EQ(test, page_count(page + n), 1);
		KUNIT_EXPECT_EQ(test, cma_test_nr_held(cma), before + nr_pages);
		KUNIT_EXPECT_TRUE(test, cma_release(cma, page, nr_pages));
		KUNIT_EXPECT_EQ(test, cma_test_nr_held(cma), before);
	}
}

static void senseless_requests_fail(struct kunit *test)
{
	struct cma *cma = test->priv;
	unsigned long before = cma_test_nr_held(cma);

	KUNIT_EXPECT_NULL(test, cma_alloc(NULL, 1, 0, true));
	KUNIT_EXPECT_NULL(test, cma_alloc(cma, 0, 0, true));
	KUNIT_EXPECT_NULL(test, cma_alloc(cma, cma->nr_pages + 1, 0, true));
	KUNIT_EXPECT_NULL(test, cma_alloc(cma, 1, BITS_PER_LONG, true));
	KUNIT_EXPECT_EQ(test, cma_test_nr_held(cma), before);
}

static void release_works_in_atomic_context(struct kunit *test)
{
	static DEFINE_SPINLOCK(lock);
	struct cma *cma = test->priv;
	struct page *page = cma_alloc(cma, 700, 0, false);
	unsigned long before = cma_test_nr_held(cma), flags;

	KUNIT_ASSERT_NOT_NULL(test, page);
	spin_lock_irqsave(&lock, flags);
	KUNIT_EXPECT_TRUE(test, cma_release(cma, page, 700));
	spin_unlock_irqrestore(&lock, flags);
	KUNIT_EXPECT_EQ(test, cma_test_nr_held(cma), before - 700);
}

static void wrong_releases_change_nothing(struct kunit *test)
{
	struct cma *cma = test->priv;
	struct page *page = cma_alloc(cma, 64, 0, false), *other;
	unsigned long held = cma_test_nr_held(cma);

	KUNIT_ASSERT_NOT_NULL(test, page);
	other = alloc_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_FALSE(test, cma_release(cma, other, 1));
	KUNIT_EXPECT_FALSE(test, cma_release(cma, NULL, 1));
	KUNIT_EXPECT_FALSE(test, cma_release(NULL, page, 64));
	KUNIT_EXPECT_FALSE(test, cma_release(cma, page, cma->nr_pages + 1));
	__free_page(other);

	/* Another warning follows below, when nobody holds the pages. */
	kunit_info(test, "expect-splat: WARNING: .* warn_of_mismatch");
	KUNIT_EXPECT_TRUE(test, cma_release(cma, page, 63));
	KUNIT_EXPECT_TRUE(test, cma_release(cma, page + 1, 63));
	KUNIT_EXPECT_EQ(test, cma_test_nr_held(cma), held);
	for (int i = 0; i < 64; i++)
		KUNIT_ASSERT_EQ(test, page_count(page + i), 1);

	KUNIT_EXPECT_TRUE(test, cma_release(cma, page, 64));
	KUNIT_EXPECT_EQ(test, cma_test_nr_held(cma), held - 64);
	KUNIT_EXPECT_TRUE(test, cma_release(cma, page, 64));
	KUNIT_EXPECT_EQ(test, cma_test_nr_held(cma), held - 64);
}

static void folios_are_compound(struct kunit *test)
{
	struct cma *cma = test->priv;
	unsigned long before = cma_test_nr_held(cma);
	unsigned int order = CMA_TEST_LARGE_ORDER;
	struct folio *folio = cma_test_alloc_folio(cma, order);

	KUNIT_ASSERT_NOT_NULL(test, folio);
	KUNIT_EXPECT_EQ(test, folio_order(folio), order);
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), 1);
	KUNIT_EXPECT_TRUE(test, cma_test_free_folio(cma, folio));
	KUNIT_EXPECT_EQ(test, cma_test_nr_held(cma), before);

	/* One that the kernel cannot have is refused. */
	if (CONTIG_MAX_COMPOUND_ORDER + 1 < BITS_PER_LONG)
		folio = cma_test_alloc_folio(cma,
					     CONTIG_MAX_COMPOUND_ORDER + 1);
	else
		folio = NULL;
	KUNIT_EXPECT_NULL(test, folio);
	KUNIT_EXPECT_EQ(test, cma_test_nr_held(cma), before);
}

static void ranges_are_taken_outside_areas(struct kunit *test)
{
	unsigned long nr_pages = 2 * pageblock_nr_pages + 5;
	struct page *page = alloc_contig_pages(nr_pages,
					       GFP_KERNEL | __GFP_NOWARN,
					       numa_node_id(), NULL);
	unsigned long pfn;

	if (!page)
		kunit_skip(test, "no range of %lu pages to be had", nr_pages);
	pfn = page_to_pfn(page);
	KUNIT_EXPECT_NULL(test, cma_area_intersecting(pfn, pfn + nr_pages));
	for (unsigned long n = 0; n < nr_pages; n++)
		KUNIT_ASSERT_EQ(test, page_count(page + n), 1);
	KUNIT_EXPECT_EQ(test, alloc_contig_range(pfn, pfn + 1, ACR_FLAGS_NONE,
						 GFP_KERNEL), -EBUSY);
	KUNIT_EXPECT_EQ(test, alloc_contig_range(pfn, pfn + 1, ACR_FLAGS_CMA,
						 GFP_KERNEL), -EBUSY);
	KUNIT_EXPECT_FALSE(test, is_migrate_cma_page(page));
	free_contig_range(pfn, nr_pages);

	KUNIT_EXPECT_EQ(test, alloc_contig_range(pfn, pfn, ACR_FLAGS_NONE,
						 GFP_KERNEL), -EINVAL);
	KUNIT_EXPECT_EQ(test, alloc_contig_range(pfn, pfn + 1, ACR_FLAGS_NONE,
						 GFP_KERNEL | __GFP_NOFAIL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, alloc_contig_range(pfn, pfn + 3, ACR_FLAGS_NONE,
						 GFP_KERNEL | __GFP_COMP),
			-EINVAL);
	KUNIT_EXPECT_NULL(test, alloc_contig_pages(0, GFP_KERNEL,
						   numa_node_id(), NULL));
}

static void only_the_owner_takes_area_pages(struct kunit *test)
{
	struct cma *cma = test->priv;
	struct page *page = cma_alloc(cma, 16, 0, false);
	unsigned long pfn;

	KUNIT_ASSERT_NOT_NULL(test, page);
	pfn = page_to_pfn(page);
	KUNIT_EXPECT_TRUE(test, cma_release(cma, page, 16));
	KUNIT_EXPECT_EQ(test, alloc_contig_range(pfn, pfn + 16,
						 ACR_FLAGS_NONE, GFP_KERNEL),
			-EBUSY);
	KUNIT_EXPECT_TRUE(test, is_migrate_cma_page(page));
	KUNIT_EXPECT_EQ(test, alloc_contig_range(pfn, pfn + 16, ACR_FLAGS_CMA,
						 GFP_KERNEL), 0);
	free_contig_range(pfn, 16);
	KUNIT_EXPECT_TRUE(test, is_migrate_cma_page(page));
}

static void free_pages_cost_nothing(struct kunit *test)
{
	struct cma *cma = test->priv;
	struct page *page = cma_alloc(cma, 300, 0, false);
	struct contig_survey survey;
	unsigned long pfn;

	KUNIT_ASSERT_NOT_NULL(test, page);
	pfn = page_to_pfn(page);
	contig_survey_window(pfn, pfn + 300, &survey);
	KUNIT_EXPECT_GT(test, survey.price, 0);
	KUNIT_EXPECT_TRUE(test, cma_release(cma, page, 300));
	contig_survey_window(pfn, pfn + 300, &survey);
	KUNIT_EXPECT_EQ(test, survey.price, 0);
	KUNIT_EXPECT_EQ(test, survey.nr_looked, 300);
	KUNIT_EXPECT_EQ(test, survey.blocker.reason, CONTIG_BLOCK_NONE);
}

/* Returns a movable page in the area, or NULL; frees the others it took. */
static struct page *alloc_test_movable_page(struct cma *cma)
{
	struct page *page, *next, *found = NULL;
	LIST_HEAD(others);

	while (!found) {
		page = alloc_page(GFP_HIGHUSER_MOVABLE | __GFP_NORETRY |
				  __GFP_NOWARN);
		if (!page)
			break;
		if (cma_pages_valid(cma, page, 1))
			found = page;
		else
			list_add(&page->lru, &others);
	}
	list_for_each_entry_safe(page, next, &others, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
	return found;
}

static void pages_in_use_are_reported(struct kunit *test)
{
	struct cma *cma = test->priv;
	struct page *page = alloc_test_movable_page(cma);
	struct contig_survey survey;
	unsigned long pfn;

	KUNIT_ASSERT_NOT_NULL(test, page);
	pfn = page_to_pfn(page);
	get_page(page);
	contig_survey_window(pfn, pfn + 1, &survey);
	KUNIT_EXPECT_EQ(test, survey.blocker.reason, CONTIG_BLOCK_OFF_LRU);
	KUNIT_EXPECT_EQ(test, survey.blocker.pfn, pfn);
	KUNIT_EXPECT_EQ(test, survey.blocker.refs, 2);
	put_page(page);
	__free_page(page);
}

/* A request goes around a page even if the survey cannot tell its use. */
static void pages_off_lru_are_avoided(struct kunit *test)
{
	struct cma *cma = test->priv;
	unsigned long nr_pages = rounddown_pow_of_two(cma->nr_pages) / 4;
	unsigned long before = cma_test_nr_held(cma), start;
	struct page *page = alloc_test_movable_page(cma), *buffer;
	enum cma_fit fit = cma->fit;

	KUNIT_ASSERT_NOT_NULL(test, page);
	/* With either fit, the first window that is tried has the page. */
	for (int i = 0; i < 2; i++) {
		WRITE_ONCE(cma->fit, i ? CMA_FIT_FIRST : CMA_FIT_BEST);
		buffer = cma_alloc(cma, nr_pages, 0, true);
		KUNIT_EXPECT_NOT_NULL(test, buffer);
		if (!buffer)
			continue;
		start = page_to_pfn(buffer);
		KUNIT_EXPECT_FALSE(test, page_to_pfn(page) >= start &&
				   page_to_pfn(page) < start + nr_pages);
		KUNIT_EXPECT_TRUE(test, cma_release(cma, buffer, nr_pages));
	}
	WRITE_ONCE(cma->fit, fit);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	__free_page(page);
	KUNIT_EXPECT_EQ(test, cma_test_nr_held(cma), before);
}

static void alloc_test_set_killed(bool killed)
{
	if (killed) {
		sigaddset(&current->pending.signal, SIGKILL);
		set_thread_flag(TIF_SIGPENDING);
	} else {
		sigdelset(&current->pending.signal, SIGKILL);
		clear_thread_flag(TIF_SIGPENDING);
	}
}

#define MAX_HOLES	16

/*
 * The log says nothing of a request that fails because its task is killed. The
 * task still gets free windows, so the test takes these first. The next request
 * then meets the movable page and fails.
 */
static void killed_tasks_fail_silently(struct kunit *test)
{
	struct cma *cma = test->priv;
	struct page *page = alloc_test_movable_page(cma), *buffers[MAX_HOLES];
	unsigned long before = cma_test_nr_held(cma), nr_pages[MAX_HOLES];
	int nr;

	KUNIT_ASSERT_NOT_NULL(test, page);
	alloc_test_set_killed(true);
	for (nr = 0; nr < MAX_HOLES; nr++) {
		spin_lock_irq(&cma->lock);
		nr_pages[nr] = cma_range_widest_hole(&cma->range);
		spin_unlock_irq(&cma->lock);
		buffers[nr] = cma_alloc(cma, nr_pages[nr], 0, false);
		if (!buffers[nr])
			break;
	}
	alloc_test_set_killed(false);
	KUNIT_EXPECT_LT(test, nr, MAX_HOLES);
	while (nr--)
		KUNIT_EXPECT_TRUE(test, cma_release(cma, buffers[nr],
						    nr_pages[nr]));
	KUNIT_EXPECT_EQ(test, cma_test_nr_held(cma), before);
	__free_page(page);
}

static unsigned long alloc_test_nr_soiled(struct kunit *test, struct cma *cma,
					  unsigned long nr_pages)
{
	struct page *page = cma_alloc(cma, nr_pages, 0, false);
	unsigned long nr = 0;

	KUNIT_ASSERT_NOT_NULL(test, page);
	for (unsigned long i = 0; i < nr_pages; i++) {
		void *addr = kmap_local_page(pfn_to_page(page_to_pfn(page) + i));

		nr += !!memchr_inv(addr, 0, PAGE_SIZE);
		kunmap_local(addr);
	}
	KUNIT_ASSERT_TRUE(test, cma_release(cma, page, nr_pages));
	return nr;
}

/* Uses the widest hole, which is nearly all of a small area. */
static void alloc_test_expect_zeroed(struct kunit *test, struct cma *cma)
{
	unsigned long nr_pages;

	if (cma->order_per_bit)
		return;
	cma_cache_flush(cma);
	spin_lock_irq(&cma->lock);
	nr_pages = min(cma_range_widest_hole(&cma->range), 2000);
	spin_unlock_irq(&cma->lock);
	if (!nr_pages)
		return;
	cma_test_soil(test, cma, nr_pages);
	KUNIT_EXPECT_EQ_MSG(test, alloc_test_nr_soiled(test, cma, nr_pages), 0,
			    "%s, of %lu pages", cma->name, nr_pages);
}

/*
 * With init_on_alloc=1 a driver gets zeroed pages. The page allocator zeroes
 * the pages it had; an exclusive area has to zero its pages itself.
 */
static void memory_is_zeroed_with_init_on_alloc(struct kunit *test)
{
	struct cma *cma = test->priv;
	bool was_on = static_key_enabled(&init_on_alloc);

	static_branch_enable(&init_on_alloc);
	for (unsigned int i = 0; i < cma_area_count; i++)
		alloc_test_expect_zeroed(test, &cma_areas[i]);
	if (cma->mode == CMA_SHARED) {
		KUNIT_EXPECT_EQ(test, cma_set_mode(cma, CMA_EXCLUSIVE), 0);
		alloc_test_expect_zeroed(test, cma);
		KUNIT_EXPECT_EQ(test, cma_set_mode(cma, CMA_SHARED), 0);
	}
	if (!was_on)
		static_branch_disable(&init_on_alloc);
}

struct alloc_test_record {
	unsigned long words[8];
};

static struct cma_stock alloc_test_stock =
	CMA_STOCK_INIT(alloc_test_stock, struct alloc_test_record);

static unsigned int alloc_test_nr_kept(void)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < CMA_STOCK_RECORDS; i++)
		nr += !!alloc_test_stock.records[i];
	return nr;
}

/* Takes @nr records; returns how many of them were in the stock. */
static unsigned int alloc_test_take_records(struct kunit *test, void **taken,
					    unsigned int nr)
{
	unsigned int nr_kept = 0;

	for (unsigned int i = 0; i < nr; i++) {
		void *kept[CMA_STOCK_RECORDS];

		memcpy(kept, alloc_test_stock.records, sizeof(kept));
		taken[i] = cma_stock_take(&alloc_test_stock, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, taken[i]);
		memset(taken[i], i, sizeof(struct alloc_test_record));
		for (unsigned int k = 0; k < CMA_STOCK_RECORDS; k++)
			nr_kept += kept[k] == taken[i];
	}
	return nr_kept;
}

/* Until many were taken in a row, a request need not wait for its record. */
static void records_are_there_before_they_are_needed(struct kunit *test)
{
	void *taken[CMA_STOCK_RECORDS + 2];
	unsigned int nr = 1;

	/* The first one of all has more made. */
	alloc_test_take_records(test, taken, 1);
	flush_work(&alloc_test_stock.refill);
	KUNIT_EXPECT_EQ(test, alloc_test_nr_kept(), CMA_STOCK_RECORDS);

	while (nr < ARRAY_SIZE(taken)) {
		unsigned int step = min(CMA_STOCK_RECORDS / 2 + 1,
					ARRAY_SIZE(taken) - nr);

		KUNIT_EXPECT_EQ(test, step,
				alloc_test_take_records(test, taken + nr, step));
		flush_work(&alloc_test_stock.refill);
		nr += step;
	}
	/* There are more now than are kept. */
	while (nr--)
		cma_stock_put(&alloc_test_stock, taken[nr]);
	KUNIT_EXPECT_EQ(test, alloc_test_nr_kept(), CMA_STOCK_RECORDS);
}

static struct kunit_case cma_alloc_cases[] = {
	KUNIT_CASE(buffers_are_what_was_asked_for),
	KUNIT_CASE(senseless_requests_fail),
	KUNIT_CASE(release_works_in_atomic_context),
	KUNIT_CASE(wrong_releases_change_nothing),
	KUNIT_CASE(folios_are_compound),
	KUNIT_CASE(ranges_are_taken_outside_areas),
	KUNIT_CASE(only_the_owner_takes_area_pages),
	KUNIT_CASE(free_pages_cost_nothing),
	KUNIT_CASE(pages_in_use_are_reported),
	KUNIT_CASE(pages_off_lru_are_avoided),
	KUNIT_CASE(killed_tasks_fail_silently),
	KUNIT_CASE(memory_is_zeroed_with_init_on_alloc),
	KUNIT_CASE(records_are_there_before_they_are_needed),
	{ }
};

static struct kunit_suite cma_alloc_suite = {
	.name = "cma_alloc",
	.init = cma_test_use_area,
	.test_cases = cma_alloc_cases,
};

kunit_test_suite(cma_alloc_suite);

MODULE_DESCRIPTION("KUnit tests of contiguous memory allocation");
MODULE_LICENSE("GPL");
