// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the areas of a device: its list, and what board code may ask
 * for. They run at boot, when board code does.
 *
 * All but the default area are areas by name only: nothing can be taken from
 * them, and nothing is.
 */
#include <kunit/test.h>
#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>

#include "../../../drivers/base/dma-areas.h"
#include "../internal.h"
#include "kunit_area.h"

#define NR_CHOICES	8	/* that a device may have */
#define NR_TYPES	8	/* that a board may define */
#define TYPE		"cma-kunit"

/* They are in the list of declared areas from then on. */
static struct cma others[NR_CHOICES];

struct areas_case {
	struct device *dev;
	struct cma *cma;
};

static int __init init_case(struct kunit *test)
{
	struct areas_case *this = kunit_kzalloc(test, sizeof(*this),
						GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, this);
	this->cma = area_or_skip(test);
	this->dev = area_device(test, "cma-areas");
	for (unsigned int i = 0; i < NR_CHOICES; i++)
		others[i].nr_banks = 1;
	test->priv = this;
	return 0;
}

/* The default area, and so many others behind it. */
static void __init assign(struct kunit *test, unsigned int nr_others)
{
	struct areas_case *this = test->priv;

	KUNIT_ASSERT_EQ(test, dma_contiguous_assign(this->dev, this->cma,
						    "first"), 0);
	for (unsigned int i = 0; i < nr_others; i++)
		KUNIT_ASSERT_EQ(test, dma_contiguous_assign(this->dev,
							    &others[i], NULL),
				0);
}

/* These and no others, in the order in which they were assigned. */
static void __init expect_list(struct kunit *test, unsigned int nr_others)
{
	struct areas_case *this = test->priv;

	KUNIT_EXPECT_PTR_EQ(test, dma_area_choice(this->dev, 0), this->cma);
	for (unsigned int i = 0; i < nr_others; i++)
		KUNIT_EXPECT_PTR_EQ(test, dma_area_choice(this->dev, i + 1),
				    &others[i]);
	KUNIT_EXPECT_NULL(test, dma_area_choice(this->dev, nr_others + 1));
}

static void __init lists_come_to_an_end(struct kunit *test)
{
	struct areas_case *this = test->priv;
	struct cma *one_more = &others[NR_CHOICES - 1];

	assign(test, NR_CHOICES - 1);
	KUNIT_EXPECT_EQ(test, dma_contiguous_assign(this->dev, one_more, NULL),
			-ENOSPC);
	/* What it has already takes no place. */
	KUNIT_EXPECT_EQ(test, dma_contiguous_assign(this->dev, &others[3],
						    NULL), 0);
	expect_list(test, NR_CHOICES - 1);

	dma_contiguous_unassign(this->dev, &others[NR_CHOICES - 2]);
	KUNIT_EXPECT_EQ(test, dma_contiguous_assign(this->dev, one_more, NULL),
			0);
}

static void __init areas_are_taken_away(struct kunit *test)
{
	struct areas_case *this = test->priv;

	assign(test, 3);
	/* One that it does not have, one from the middle, the last one. */
	dma_contiguous_unassign(this->dev, &others[5]);
	expect_list(test, 3);
	dma_contiguous_unassign(this->dev, &others[1]);
	KUNIT_EXPECT_PTR_EQ(test, dma_area_choice(this->dev, 1), &others[0]);
	KUNIT_EXPECT_PTR_EQ(test, dma_area_choice(this->dev, 2), &others[2]);
	dma_contiguous_unassign(this->dev, &others[2]);
	expect_list(test, 1);

	/* The one that it prefers: the next one is in its place. */
	dma_contiguous_unassign(this->dev, this->cma);
	KUNIT_EXPECT_PTR_EQ(test, this->dev->cma_area, &others[0]);
	dma_contiguous_unassign(this->dev, &others[0]);
	KUNIT_EXPECT_NULL(test, this->dev->cma_area);
	KUNIT_EXPECT_NULL(test, rcu_access_pointer(this->dev->cma_areas));
	KUNIT_EXPECT_TRUE(test, dma_contiguous_falls_back(this->dev));
	dma_contiguous_unassign(this->dev, this->cma);
}

/* A common area takes a place while it is asked for. */
static void __init types_need_a_place(struct kunit *test)
{
	struct areas_case *this = test->priv;
	struct cma *common = &others[NR_CHOICES - 1];

	KUNIT_ASSERT_EQ(test, dma_area_register(common, TYPE, NULL, false), 0);
	assign(test, NR_CHOICES - 1);
	KUNIT_EXPECT_EQ(test, dma_contiguous_use(this->dev, TYPE), -ENOSPC);
	KUNIT_EXPECT_EQ(test, dma_contiguous_use(this->dev, "no-such-type"),
			-ENOENT);
	expect_list(test, NR_CHOICES - 1);

	dma_contiguous_unassign(this->dev, &others[NR_CHOICES - 2]);
	KUNIT_EXPECT_EQ(test, dma_contiguous_use(this->dev, TYPE), 0);
	KUNIT_EXPECT_PTR_EQ(test, dma_area_choice(this->dev, 0), common);
	KUNIT_EXPECT_PTR_EQ(test, dma_area_choice(this->dev, 1), this->cma);
	KUNIT_EXPECT_EQ(test, dma_contiguous_use(this->dev, NULL), 0);
	expect_list(test, NR_CHOICES - 2);
}

/* As a driver takes pages for its firmware. */
static void __init take_and_release(struct kunit *test, struct cma *area)
{
	struct areas_case *this = test->priv;
	unsigned long nr_pages = SZ_1M >> PAGE_SHIFT, before;
	struct page *page;

	before = area_nr_held(this->cma);
	page = cma_alloc(area, nr_pages, 0, false);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_PTR_EQ(test, cma_area_of(page), this->cma);
	KUNIT_EXPECT_EQ(test, area_nr_held(this->cma), before + nr_pages);
	KUNIT_EXPECT_TRUE(test, cma_release(area, page, nr_pages));
	KUNIT_EXPECT_EQ(test, area_nr_held(this->cma), before);
}

static void __init areas_are_for_direct_use(struct kunit *test)
{
	struct areas_case *this = test->priv;

	/* It has none of its own. */
	take_and_release(test, dma_contiguous_area(this->dev, NULL));
	KUNIT_EXPECT_NULL(test, dma_contiguous_area(this->dev, "first"));

	assign(test, 2);
	take_and_release(test, dma_contiguous_area(this->dev, NULL));
	take_and_release(test, dma_contiguous_area(this->dev, "first"));
	KUNIT_EXPECT_NULL(test, dma_contiguous_area(this->dev, "second"));
}

/* How many the board has defined itself is its business. */
static void __init boards_have_so_many_types(struct kunit *test)
{
	static const struct dma_contiguous_area type __initconst = {
		.type = TYPE,
	};
	unsigned int nr = 0;

	while (nr <= NR_TYPES && !dma_contiguous_define_type(&type))
		nr++;
	KUNIT_EXPECT_LE(test, nr, NR_TYPES);
	KUNIT_EXPECT_EQ(test, dma_contiguous_define_type(&type), -ENOSPC);
}

static struct kunit_case __refdata cases[] = {
	KUNIT_CASE(lists_come_to_an_end),
	KUNIT_CASE(areas_are_taken_away),
	KUNIT_CASE(types_need_a_place),
	KUNIT_CASE(areas_are_for_direct_use),
	KUNIT_CASE(boards_have_so_many_types),
	{ }
};

static struct kunit_suite __refdata suite = {
	.name = "cma_areas",
	.init = init_case,
	.test_cases = cases,
};

kunit_test_init_section_suites(&suite);

MODULE_DESCRIPTION("KUnit tests of the areas of devices");
MODULE_LICENSE("GPL");
