// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of pages that are handed out without references. The page after
 * a buffer that is given back wrongly must not change either.
 */
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/instruction_pointer.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/page-flags.h>

#include "../internal.h"
#include "kunit_area.h"

#define FROZEN_NR	75

/* In the profile of allocations, the pages belong to the test that calls it. */
#define frozen_test_alloc(cma, nr_pages)				\
	alloc_hooks(cma_alloc_buffer(cma, nr_pages, 0, CMA_ALLOC_FROZEN, \
				     NULL, _THIS_IP_))

static void frozen_test_expect_counts(struct kunit *test, struct page *page,
				      unsigned long nr_pages, int count)
{
	for (unsigned long i = 0; i < nr_pages; i++)
		KUNIT_ASSERT_EQ(test, page_count(page + i), count);
}

static void frozen_pages_have_no_references(struct kunit *test)
{
	struct cma *cma = test->priv;
	unsigned long before = cma_test_nr_held(cma);
	struct page *page = frozen_test_alloc(cma, FROZEN_NR);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, cma_test_nr_held(cma), before + FROZEN_NR);
	frozen_test_expect_counts(test, page, FROZEN_NR, 0);
	KUNIT_EXPECT_TRUE(test, cma_release_buffer(cma, page, FROZEN_NR, true));
	KUNIT_EXPECT_EQ(test, cma_test_nr_held(cma), before);
}

/* The owner of frozen pages may count them, and freeze those it has counted. */
static void frozen_pages_may_be_counted(struct kunit *test)
{
	struct cma *cma = test->priv;
	unsigned long before = cma_test_nr_held(cma);
	struct page *page = frozen_test_alloc(cma, FROZEN_NR);

	KUNIT_ASSERT_NOT_NULL(test, page);
	for (int i = 0; i < FROZEN_NR; i++)
		set_page_refcounted(page + i);
	KUNIT_EXPECT_TRUE(test, cma_release(cma, page, FROZEN_NR));

	page = cma_alloc(cma, FROZEN_NR, 0, false);
	KUNIT_ASSERT_NOT_NULL(test, page);
	for (int i = 0; i < FROZEN_NR; i++)
		KUNIT_ASSERT_TRUE(test, page_ref_freeze(page + i, 1));
	KUNIT_EXPECT_TRUE(test, cma_release_buffer(cma, page, FROZEN_NR, true));
	KUNIT_EXPECT_EQ(test, cma_test_nr_held(cma), before);
}

static void frozen_releases_must_match(struct kunit *test)
{
	struct cma *cma = test->priv;
	struct page *page = frozen_test_alloc(cma, FROZEN_NR);
	unsigned long held = cma_test_nr_held(cma);
	unsigned long pfn;

	KUNIT_ASSERT_NOT_NULL(test, page);
	/* The first of these in a boot warns. */
	kunit_info(test, "expect-splat: WARNING: .* warn_of_mismatch");
	KUNIT_EXPECT_TRUE(test, cma_release_buffer(cma, page, FROZEN_NR - 1,
						   true));
	KUNIT_EXPECT_TRUE(test, cma_release_buffer(cma, page, FROZEN_NR + 1,
						   true));
	KUNIT_EXPECT_EQ(test, cma_test_nr_held(cma), held);
	frozen_test_expect_counts(test, page, FROZEN_NR, 0);

	KUNIT_EXPECT_TRUE(test, cma_release_buffer(cma, page, FROZEN_NR, true));
	/* A reference of a free page would be reported when it is taken. */
	KUNIT_EXPECT_TRUE(test, cma_release_buffer(cma, page, FROZEN_NR, true));
	KUNIT_EXPECT_EQ(test, cma_test_nr_held(cma), held - FROZEN_NR);
	pfn = page_to_pfn(page);
	if (!alloc_hooks(contig_alloc_range(pfn, pfn + FROZEN_NR, true,
					    GFP_KERNEL, true)))
		contig_free_frozen(pfn, FROZEN_NR);
}

/* Reserved pages have a reference each but while they are handed out frozen. */
static void reserved_pages_can_be_frozen(struct kunit *test)
{
	struct cma *cma = test->priv;
	struct page *page, *lent;

	if (cma_set_mode(cma, CMA_EXCLUSIVE))
		kunit_skip(test, "the area has pages that do not move");

	page = frozen_test_alloc(cma, FROZEN_NR);
	lent = frozen_test_alloc(cma, FROZEN_NR);
	if (page && lent) {
		frozen_test_expect_counts(test, page, FROZEN_NR, 0);
		KUNIT_EXPECT_TRUE(test, cma_release_buffer(cma, page, FROZEN_NR,
							   true));
		frozen_test_expect_counts(test, page, FROZEN_NR, 1);
		KUNIT_EXPECT_TRUE(test, PageReserved(page));
	}
	KUNIT_EXPECT_EQ(test, cma_set_mode(cma, CMA_SHARED), 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_NOT_NULL(test, lent);

	/* It was reserved when it was handed out, and is lent now. */
	KUNIT_EXPECT_TRUE(test, cma_release_buffer(cma, lent, FROZEN_NR, true));
	KUNIT_EXPECT_FALSE(test, PageReserved(lent));

	/* It was lent when it was handed out, and is reserved now. */
	page = frozen_test_alloc(cma, FROZEN_NR);
	KUNIT_ASSERT_NOT_NULL(test, page);
	if (!cma_set_mode(cma, CMA_EXCLUSIVE)) {
		KUNIT_EXPECT_TRUE(test, cma_release_buffer(cma, page, FROZEN_NR,
							   true));
		frozen_test_expect_counts(test, page, FROZEN_NR, 1);
		KUNIT_EXPECT_TRUE(test, PageReserved(page));
		KUNIT_EXPECT_EQ(test, cma_set_mode(cma, CMA_SHARED), 0);
	}
}

static void frozen_ranges_lie_anywhere(struct kunit *test)
{
	unsigned long nr_pages = pageblock_nr_pages + 5;
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN;
	struct page *page = alloc_hooks(contig_alloc_pages(nr_pages, gfp,
							   numa_node_id(), NULL,
							   true));
	unsigned long pfn;

	if (!page)
		kunit_skip(test, "no range of %lu pages to be had", nr_pages);
	pfn = page_to_pfn(page);
	frozen_test_expect_counts(test, page, nr_pages, 0);
	contig_free_frozen(pfn, nr_pages);

	/* The pages are free now, unless somebody else took one meanwhile. */
	if (!alloc_hooks(contig_alloc_range(pfn, pfn + 16, false, GFP_KERNEL,
					    true))) {
		frozen_test_expect_counts(test, page, 16, 0);
		contig_free_frozen(pfn, 16);
	}
}

static void frozen_compound_pages_are_freed_whole(struct kunit *test)
{
	struct cma *cma = test->priv;
	unsigned long before = cma_test_nr_held(cma);
	unsigned int order = CMA_TEST_LARGE_ORDER;
	unsigned long nr_pages = 1UL << order;
	unsigned int flags = CMA_ALLOC_FROZEN | CMA_ALLOC_COMPOUND;
	struct page *page = alloc_hooks(cma_alloc_buffer(cma, nr_pages, order,
							 flags, NULL,
							 _THIS_IP_));
	unsigned long pfn;

	KUNIT_ASSERT_NOT_NULL(test, page);
	pfn = page_to_pfn(page);
	KUNIT_EXPECT_EQ(test, compound_nr(page), nr_pages);
	KUNIT_EXPECT_EQ(test, page_count(page), 0);

	kunit_info(test, "expect-splat: WARNING: .* contig_free_frozen");
	contig_free_frozen(pfn, nr_pages - 1);
	KUNIT_EXPECT_EQ(test, compound_nr(page), nr_pages);

	KUNIT_EXPECT_TRUE(test, cma_release_buffer(cma, page, nr_pages, true));
	KUNIT_EXPECT_FALSE(test, PageCompound(page));
	KUNIT_EXPECT_EQ(test, cma_test_nr_held(cma), before);
}

static struct kunit_case cma_frozen_cases[] = {
	KUNIT_CASE(frozen_pages_have_no_references),
	KUNIT_CASE(frozen_pages_may_be_counted),
	KUNIT_CASE(frozen_releases_must_match),
	KUNIT_CASE(reserved_pages_can_be_frozen),
	KUNIT_CASE(frozen_ranges_lie_anywhere),
	KUNIT_CASE(frozen_compound_pages_are_freed_whole),
	{ }
};

static struct kunit_suite cma_frozen_suite = {
	.name = "cma_frozen",
	.init = cma_test_use_area,
	.test_cases = cma_frozen_cases,
};

kunit_test_suite(cma_frozen_suite);

MODULE_DESCRIPTION("KUnit tests of pages without references");
MODULE_LICENSE("GPL");
