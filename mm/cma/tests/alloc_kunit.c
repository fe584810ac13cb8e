// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of cma_alloc(), cma_release() and alloc_contig_*(), on the
 * default area of the machine: what user space cannot reach through a driver.
 */
#include <kunit/test.h>
#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmstat.h>

#include "../internal.h"

static unsigned long nr_held(struct cma *cma)
{
	unsigned long nr_pages;

	spin_lock_irq(&cma->lock);
	nr_pages = cma->range.nr_held;
	spin_unlock_irq(&cma->lock);
	return nr_pages;
}

static int use_default_area(struct kunit *test)
{
	struct cma *cma = dev_get_cma_area(NULL);

	if (!cma)
		kunit_skip(test, "there is no default area");
	test->priv = cma;
	return 0;
}

static void buffers_are_what_was_asked_for(struct kunit *test)
{
	static const struct {
		unsigned long nr_pages;
		unsigned int align_order;
	} wanted[] = { { 1, 0 }, { 3, 4 }, { 75, 6 }, { 1024, 10 }, { 2500, 0 } };
	struct cma *cma = test->priv;
	unsigned long before = nr_held(cma);

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
		KUNIT_EXPECT_EQ(test, nr_held(cma), before + nr_pages);
		KUNIT_EXPECT_TRUE(test, cma_release(cma, page, nr_pages));
		KUNIT_EXPECT_EQ(test, nr_held(cma), before);
	}
}

static void senseless_requests_fail(struct kunit *test)
{
	struct cma *cma = test->priv;
	unsigned long before = nr_held(cma);

	KUNIT_EXPECT_NULL(test, cma_alloc(NULL, 1, 0, true));
	KUNIT_EXPECT_NULL(test, cma_alloc(cma, 0, 0, true));
	KUNIT_EXPECT_NULL(test, cma_alloc(cma, cma->nr_pages + 1, 0, true));
	KUNIT_EXPECT_NULL(test, cma_alloc(cma, 1, BITS_PER_LONG, true));
	KUNIT_EXPECT_EQ(test, nr_held(cma), before);
}

static void release_works_in_atomic_context(struct kunit *test)
{
	struct cma *cma = test->priv;
	struct page *page = cma_alloc(cma, 700, 0, false);
	unsigned long before = nr_held(cma), flags;

	KUNIT_ASSERT_NOT_NULL(test, page);
	local_irq_save(flags);
	KUNIT_EXPECT_TRUE(test, cma_release(cma, page, 700));
	local_irq_restore(flags);
	KUNIT_EXPECT_EQ(test, nr_held(cma), before - 700);
}

static void wrong_releases_change_nothing(struct kunit *test)
{
	struct cma *cma = test->priv;
	struct page *page = cma_alloc(cma, 64, 0, false), *other;
	unsigned long held = nr_held(cma);

	KUNIT_ASSERT_NOT_NULL(test, page);
	other = alloc_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_FALSE(test, cma_release(cma, other, 1));
	KUNIT_EXPECT_FALSE(test, cma_release(cma, NULL, 1));
	KUNIT_EXPECT_FALSE(test, cma_release(NULL, page, 64));
	KUNIT_EXPECT_FALSE(test, cma_release(cma, page, cma->nr_pages + 1));
	__free_page(other);

	/* Twice: it is another warning when nobody holds the pages. */
	kunit_info(test, "expect-splat: WARNING: .* cma_release");
	KUNIT_EXPECT_TRUE(test, cma_release(cma, page, 63));
	KUNIT_EXPECT_TRUE(test, cma_release(cma, page + 1, 63));
	KUNIT_EXPECT_EQ(test, nr_held(cma), held);
	for (int i = 0; i < 64; i++)
		KUNIT_ASSERT_EQ(test, page_count(page + i), 1);

	KUNIT_EXPECT_TRUE(test, cma_release(cma, page, 64));
	KUNIT_EXPECT_EQ(test, nr_held(cma), held - 64);
	KUNIT_EXPECT_TRUE(test, cma_release(cma, page, 64));
	KUNIT_EXPECT_EQ(test, nr_held(cma), held - 64);
}

static void folios_are_compound(struct kunit *test)
{
	struct cma *cma = test->priv;
	unsigned long before = nr_held(cma);
	/* larger than anything the buddy allocator has */
	int order = MAX_PAGE_ORDER + 1;
	struct folio *folio = cma_alloc_folio(cma, order,
					      GFP_KERNEL | __GFP_COMP);

	KUNIT_ASSERT_NOT_NULL(test, folio);
	KUNIT_EXPECT_EQ(test, folio_order(folio), (unsigned int)order);
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), 1);
	KUNIT_EXPECT_TRUE(test, cma_free_folio(cma, folio));
	KUNIT_EXPECT_EQ(test, nr_held(cma), before);
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
	KUNIT_EXPECT_EQ(test, alloc_contig_range(pfn, pfn + 1, MIGRATE_MOVABLE,
						 GFP_KERNEL), -EBUSY);
	KUNIT_EXPECT_EQ(test, alloc_contig_range(pfn, pfn + 1, MIGRATE_CMA,
						 GFP_KERNEL), -EINVAL);
	KUNIT_EXPECT_FALSE(test, is_migrate_cma_page(page));
	free_contig_range(pfn, nr_pages);

	KUNIT_EXPECT_EQ(test, alloc_contig_range(pfn, pfn, MIGRATE_MOVABLE,
						 GFP_KERNEL), -EINVAL);
	KUNIT_EXPECT_EQ(test, alloc_contig_range(pfn, pfn + 1, MIGRATE_MOVABLE,
						 GFP_KERNEL | __GFP_NOFAIL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, alloc_contig_range(pfn, pfn + 3, MIGRATE_MOVABLE,
						 GFP_KERNEL | __GFP_COMP),
			-EINVAL);
	KUNIT_EXPECT_NULL(test, alloc_contig_pages(0, GFP_KERNEL,
						   numa_node_id(), NULL));
}

/* Nobody but the owner of an area may take pages of it. */
static void areas_are_left_alone(struct kunit *test)
{
	struct cma *cma = test->priv;
	struct page *page = cma_alloc(cma, 16, 0, false);
	unsigned long pfn;

	KUNIT_ASSERT_NOT_NULL(test, page);
	pfn = page_to_pfn(page);
	KUNIT_EXPECT_TRUE(test, cma_release(cma, page, 16));
	KUNIT_EXPECT_EQ(test, alloc_contig_range(pfn, pfn + 16,
						 MIGRATE_MOVABLE, GFP_KERNEL),
			-EINVAL);
	KUNIT_EXPECT_TRUE(test, is_migrate_cma_page(page));
	KUNIT_EXPECT_EQ(test, alloc_contig_range(pfn, pfn + 16, MIGRATE_CMA,
						 GFP_KERNEL), 0);
	free_contig_range(pfn, 16);
	KUNIT_EXPECT_TRUE(test, is_migrate_cma_page(page));
}

static struct kunit_case cma_alloc_cases[] = {
	KUNIT_CASE(buffers_are_what_was_asked_for),
	KUNIT_CASE(senseless_requests_fail),
	KUNIT_CASE(release_works_in_atomic_context),
	KUNIT_CASE(wrong_releases_change_nothing),
	KUNIT_CASE(folios_are_compound),
	KUNIT_CASE(ranges_are_taken_outside_areas),
	KUNIT_CASE(areas_are_left_alone),
	{ }
};

static struct kunit_suite cma_alloc_suite = {
	.name = "cma_alloc",
	.init = use_default_area,
	.test_cases = cma_alloc_cases,
};

kunit_test_suite(cma_alloc_suite);

MODULE_DESCRIPTION("KUnit tests of contiguous memory allocation");
MODULE_LICENSE("GPL");
