// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the areas of a device: its list, and the calls that board code
 * may make. They run at boot, when board code does.
 *
 * Only the default area has memory. The others are areas by name, and no test
 * takes pages from them.
 */
#include <kunit/test.h>
#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "../../../drivers/base/dma-areas.h"
#include "../internal.h"
#include "kunit_area.h"

#define NR_CHOICES	8	/* areas that a device may have */
#define NR_TYPES	8	/* types that a board may define */
#define TYPE		"cma-kunit"

/* Static, as areas that are declared stay declared. */
static struct cma others[NR_CHOICES];

struct areas_case {
	struct device *dev;
	struct cma *cma;
};

static int __init areas_test_init(struct kunit *test)
{
	struct areas_case *this = kunit_kzalloc(test, sizeof(*this),
						GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, this);
	this->cma = cma_test_area(test);
	this->dev = cma_test_device(test, "cma-areas");
	for (unsigned int i = 0; i < NR_CHOICES; i++)
		others[i].nr_banks = 1;
	test->priv = this;
	return 0;
}

/* Assigns the default area, and @nr_others areas behind it. */
static void __init areas_test_assign(struct kunit *test, unsigned int nr_others)
{
	struct areas_case *this = test->priv;

	KUNIT_ASSERT_EQ(test, dma_contiguous_assign(this->dev, this->cma,
						    "first"), 0);
	for (unsigned int i = 0; i < nr_others; i++)
		KUNIT_ASSERT_EQ(test, dma_contiguous_assign(this->dev,
							    &others[i], NULL),
				0);
}

/* Returns the area that a request for @type tries as number @at, or NULL. */
static struct cma * __init areas_test_choice_of_type(struct device *dev,
						     const char *type,
						     unsigned int at)
{
	struct dma_area_snapshot areas;

	dma_area_snapshot(dev, type, &areas);
	return at < areas.nr ? areas.area[at] : NULL;
}

static struct cma * __init areas_test_choice(struct device *dev,
					     unsigned int at)
{
	return areas_test_choice_of_type(dev, NULL, at);
}

/* Expects the default area, then @nr_others areas as assigned, and no more. */
static void __init areas_test_expect_list(struct kunit *test,
					  unsigned int nr_others)
{
	struct areas_case *this = test->priv;

	KUNIT_EXPECT_PTR_EQ(test, areas_test_choice(this->dev, 0), this->cma);
	for (unsigned int i = 0; i < nr_others; i++)
		KUNIT_EXPECT_PTR_EQ(test, areas_test_choice(this->dev, i + 1),
				    &others[i]);
	KUNIT_EXPECT_NULL(test, areas_test_choice(this->dev, nr_others + 1));
}

static void __init lists_have_a_limit(struct kunit *test)
{
	struct areas_case *this = test->priv;
	struct cma *one_more = &others[NR_CHOICES - 1];

	areas_test_assign(test, NR_CHOICES - 1);
	KUNIT_EXPECT_EQ(test, dma_contiguous_assign(this->dev, one_more, NULL),
			-ENOSPC);
	/* The device has this area already, so it takes no second place. */
	KUNIT_EXPECT_EQ(test, dma_contiguous_assign(this->dev, &others[3],
						    NULL), 0);
	areas_test_expect_list(test, NR_CHOICES - 1);

	dma_contiguous_unassign(this->dev, &others[NR_CHOICES - 2]);
	KUNIT_EXPECT_EQ(test, dma_contiguous_assign(this->dev, one_more, NULL),
			0);
}

static void __init areas_can_be_unassigned(struct kunit *test)
{
	struct areas_case *this = test->priv;

	areas_test_assign(test, 3);
	/* Unassign an area it does not have, then the middle one, the last. */
	dma_contiguous_unassign(this->dev, &others[5]);
	areas_test_expect_list(test, 3);
	dma_contiguous_unassign(this->dev, &others[1]);
	KUNIT_EXPECT_PTR_EQ(test, areas_test_choice(this->dev, 1), &others[0]);
	KUNIT_EXPECT_PTR_EQ(test, areas_test_choice(this->dev, 2), &others[2]);
	dma_contiguous_unassign(this->dev, &others[2]);
	areas_test_expect_list(test, 1);

	/* When the preferred area goes, the next one takes its place. */
	dma_contiguous_unassign(this->dev, this->cma);
	KUNIT_EXPECT_PTR_EQ(test, this->dev->cma_area, &others[0]);
	dma_contiguous_unassign(this->dev, &others[0]);
	KUNIT_EXPECT_NULL(test, this->dev->cma_area);
	KUNIT_EXPECT_NULL(test, rcu_access_pointer(this->dev->cma_areas));
	KUNIT_EXPECT_TRUE(test, dma_contiguous_falls_back(this->dev));
	dma_contiguous_unassign(this->dev, this->cma);
}

/* An area of all devices takes no place in the list of one device. */
static void __init types_can_be_requested(struct kunit *test)
{
	static const char * const standard[] __initconst = { "dma", "common" };
	struct areas_case *this = test->priv;
	struct cma *common = &others[NR_CHOICES - 1];
	struct dma_contiguous_request request;

	KUNIT_ASSERT_EQ(test, dma_area_register(common, TYPE, NULL, false), 0);
	areas_test_assign(test, NR_CHOICES - 1);
	KUNIT_EXPECT_EQ(test, dma_contiguous_request_begin(&request, this->dev,
							   "no-such-type"),
			-ENOENT);
	KUNIT_EXPECT_PTR_EQ(test, areas_test_choice_of_type(this->dev, TYPE, 0),
			    common);
	for (unsigned int i = 0; i < NR_CHOICES; i++)
		KUNIT_EXPECT_PTR_EQ(test,
				    areas_test_choice_of_type(this->dev, TYPE,
							      i + 1),
				    areas_test_choice(this->dev, i));
	areas_test_expect_list(test, NR_CHOICES - 1);
	/* Drivers may rely on these types, whatever the board declares. */
	for (unsigned int i = 0; i < ARRAY_SIZE(standard); i++) {
		KUNIT_EXPECT_TRUE(test, dma_area_knows_type(this->dev,
							    standard[i]));
		KUNIT_EXPECT_PTR_EQ(test, areas_test_choice_of_type(this->dev,
								    standard[i],
								    0),
				    this->cma);
	}
}

/* A request sets the type for its own task; other tasks do not see it. */
static void __init types_belong_to_one_task(struct kunit *test)
{
	struct areas_case *this = test->priv;
	struct dma_contiguous_request outer, inner;
	struct device *dev = this->dev;

	KUNIT_ASSERT_EQ(test, dma_contiguous_assign(dev, &others[0], "code"),
			0);
	KUNIT_ASSERT_EQ(test, dma_contiguous_assign(dev, &others[1], "frame"),
			0);
	KUNIT_EXPECT_NULL(test, dma_area_requested_type(dev));
	KUNIT_ASSERT_EQ(test, dma_contiguous_request_begin(&outer, dev, "code"),
			0);
	KUNIT_ASSERT_EQ(test, dma_contiguous_request_begin(&inner, dev,
							   "frame"), 0);
	KUNIT_EXPECT_STREQ(test, dma_area_requested_type(dev), "frame");
	dma_contiguous_request_end(&inner);
	KUNIT_EXPECT_STREQ(test, dma_area_requested_type(dev), "code");
	KUNIT_EXPECT_NULL(test, dma_area_requested_type(NULL));
	outer.task = NULL;
	KUNIT_EXPECT_NULL(test, dma_area_requested_type(dev));
	outer.task = current;
	dma_contiguous_request_end(&outer);
	KUNIT_EXPECT_NULL(test, dma_area_requested_type(dev));
}

/* The list copies the name of a type, since a module may be unloaded. */
static void __init types_are_copied(struct kunit *test)
{
	struct areas_case *this = test->priv;
	struct dma_area_snapshot areas;
	char type[] = "short-lived";

	KUNIT_ASSERT_EQ(test, dma_contiguous_assign(this->dev, &others[0],
						    type), 0);
	memset(type, 'x', sizeof(type) - 1);
	KUNIT_EXPECT_TRUE(test, dma_area_knows_type(this->dev, "short-lived"));
	dma_area_snapshot(this->dev, "short-lived", &areas);
	KUNIT_EXPECT_PTR_EQ(test, areas.area[0], &others[0]);
	/* The area did not come up, so nobody can take pages from it. */
	KUNIT_EXPECT_NULL(test, dma_area_of_type(this->dev, "short-lived"));
	KUNIT_EXPECT_FALSE(test, dma_area_knows_type(this->dev, type));
}

static void __init areas_test_expect_no_memory(struct kunit *test, gfp_t gfp)
{
	struct areas_case *this = test->priv;
	static const size_t sizes[] __initconst = { SZ_4K, SZ_64K, SZ_4M };
	static const unsigned long attrs[] __initconst = {
		0, DMA_ATTR_FORCE_CONTIGUOUS, DMA_ATTR_ALLOC_SINGLE_PAGES,
		DMA_ATTR_NO_KERNEL_MAPPING, DMA_ATTR_WRITE_COMBINE,
	};
	dma_addr_t dma;

	gfp |= __GFP_NOWARN;
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (unsigned int k = 0; k < ARRAY_SIZE(attrs); k++)
			KUNIT_EXPECT_NULL(test, dma_alloc_attrs(this->dev,
								sizes[i], &dma,
								gfp, attrs[k]));
		KUNIT_EXPECT_NULL(test, dma_alloc_pages(this->dev, sizes[i],
							&dma, DMA_TO_DEVICE,
							gfp));
		KUNIT_EXPECT_NULL(test,
				  dma_alloc_noncontiguous(this->dev, sizes[i],
							  DMA_TO_DEVICE, gfp,
							  0));
	}
}

/* A device gets no memory if an area that it needs does not exist. */
static void __init refused_devices_get_nothing(struct kunit *test)
{
	struct areas_case *this = test->priv;
	dma_addr_t dma;
	void *cpu;

	/* Other memory may replace the area, so the device is not refused. */
	dma_area_refuse(this->dev, true);
	KUNIT_EXPECT_PTR_EQ(test, areas_test_choice(this->dev, 0), this->cma);

	dma_area_bind(this->dev, this->cma, NULL);
	dma_area_refuse(this->dev, false);
	areas_test_expect_no_memory(test, GFP_KERNEL);
	areas_test_expect_no_memory(test, GFP_ATOMIC);
	areas_test_expect_no_memory(test, GFP_NOWAIT);
	KUNIT_EXPECT_NULL(test, dev_get_cma_area(this->dev));
	KUNIT_EXPECT_NULL(test, dma_contiguous_first_area(this->dev));
	KUNIT_EXPECT_NULL(test, dma_contiguous_area(this->dev, "dma"));
	KUNIT_EXPECT_FALSE(test, dma_contiguous_falls_back(this->dev));

	/* The next driver starts anew. */
	dma_contiguous_unbind(this->dev);
	cpu = dma_alloc_coherent(this->dev, SZ_64K, &dma, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, cpu);
	if (cpu)
		dma_free_coherent(this->dev, SZ_64K, cpu, dma);
}

/* An area that does not fit into the list counts as one that does not exist. */
static void __init too_many_areas_are_refused(struct kunit *test)
{
	struct areas_case *this = test->priv;

	dma_area_bind(this->dev, this->cma, NULL);
	for (unsigned int i = 0; i < NR_CHOICES - 1; i++)
		dma_area_bind(this->dev, &others[i], NULL);
	areas_test_expect_list(test, NR_CHOICES - 1);
	dma_area_bind(this->dev, &others[NR_CHOICES - 1], NULL);
	areas_test_expect_no_memory(test, GFP_KERNEL);
	areas_test_expect_no_memory(test, GFP_ATOMIC);
	dma_contiguous_unbind(this->dev);
}

/* A device whose own areas did not come up does not use the default area. */
static void __init own_areas_replace_the_default(struct kunit *test)
{
	struct areas_case *this = test->priv;

	KUNIT_ASSERT_EQ(test, dma_contiguous_assign(this->dev, &others[0],
						    NULL), 0);
	areas_test_expect_no_memory(test, GFP_KERNEL);
	areas_test_expect_no_memory(test, GFP_ATOMIC);
	dma_contiguous_unassign(this->dev, &others[0]);
	/* A second area is missing, and other memory may replace it. */
	KUNIT_ASSERT_EQ(test, dma_contiguous_assign(this->dev, &others[0],
						    NULL), 0);
	dma_area_refuse(this->dev, true);
	KUNIT_EXPECT_TRUE(test, dma_contiguous_falls_back(this->dev));
	KUNIT_EXPECT_PTR_EQ(test, areas_test_choice(this->dev, 1), this->cma);
}

/* Takes pages without the DMA API, as drivers do for firmware. */
static void __init areas_test_take(struct kunit *test, struct cma *area)
{
	struct areas_case *this = test->priv;
	unsigned long nr_pages = SZ_1M >> PAGE_SHIFT, before;
	struct page *page;

	before = cma_test_nr_held(this->cma);
	page = cma_alloc(area, nr_pages, 0, false);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_PTR_EQ(test, cma_area_of(page), this->cma);
	KUNIT_EXPECT_EQ(test, cma_test_nr_held(this->cma), before + nr_pages);
	KUNIT_EXPECT_TRUE(test, cma_release(area, page, nr_pages));
	KUNIT_EXPECT_EQ(test, cma_test_nr_held(this->cma), before);
}

static void __init areas_are_for_direct_use(struct kunit *test)
{
	struct areas_case *this = test->priv;

	/* The device has no area of its own yet. */
	areas_test_take(test, dma_contiguous_area(this->dev, NULL));
	KUNIT_EXPECT_NULL(test, dma_contiguous_area(this->dev, "first"));

	areas_test_assign(test, 2);
	areas_test_take(test, dma_contiguous_area(this->dev, NULL));
	areas_test_take(test, dma_contiguous_area(this->dev, "first"));
	KUNIT_EXPECT_NULL(test, dma_contiguous_area(this->dev, "second"));
}

/* The board may have defined some types already. */
static void __init types_of_boards_have_a_limit(struct kunit *test)
{
	static const struct dma_contiguous_area_desc type __initconst = {
		.type = TYPE,
	};
	unsigned int nr = 0;

	while (nr <= NR_TYPES && !dma_contiguous_define_type(&type))
		nr++;
	KUNIT_EXPECT_LE(test, nr, NR_TYPES);
	KUNIT_EXPECT_EQ(test, dma_contiguous_define_type(&type), -ENOSPC);
}

/* A glob that is too long must not match as a shorter one would. */
static void lists_of_globs_name_devices(struct kunit *test)
{
	char *long_glob = kunit_kzalloc(test, SZ_1K, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, long_glob);
	KUNIT_EXPECT_TRUE(test, dma_area_globs_match("a,b*", "a"));
	KUNIT_EXPECT_TRUE(test, dma_area_globs_match("a,b*", "bus"));
	KUNIT_EXPECT_TRUE(test, dma_area_globs_match(",,b[0-3]?,", "b2x"));
	KUNIT_EXPECT_FALSE(test, dma_area_globs_match("a,b*", "ab"));
	KUNIT_EXPECT_FALSE(test, dma_area_globs_match("a,b", "a,b"));
	KUNIT_EXPECT_FALSE(test, dma_area_globs_match("", "a"));
	KUNIT_EXPECT_FALSE(test, dma_area_globs_match(",", "a"));

	memset(long_glob, '*', 300);
	strscpy(long_glob + 300, "b", SZ_1K - 300);
	KUNIT_EXPECT_FALSE(test, dma_area_globs_match(long_glob, "a"));
	KUNIT_EXPECT_FALSE(test, dma_area_globs_match(long_glob, "b"));
	strscpy(long_glob + 300, "b,a", SZ_1K - 300);
	KUNIT_EXPECT_TRUE(test, dma_area_globs_match(long_glob, "a"));
}

static struct kunit_case __refdata cases[] = {
	KUNIT_CASE(lists_have_a_limit),
	KUNIT_CASE(areas_can_be_unassigned),
	KUNIT_CASE(types_can_be_requested),
	KUNIT_CASE(types_belong_to_one_task),
	KUNIT_CASE(types_are_copied),
	KUNIT_CASE(refused_devices_get_nothing),
	KUNIT_CASE(too_many_areas_are_refused),
	KUNIT_CASE(own_areas_replace_the_default),
	KUNIT_CASE(areas_are_for_direct_use),
	KUNIT_CASE(types_of_boards_have_a_limit),
	KUNIT_CASE(lists_of_globs_name_devices),
	{ }
};

static struct kunit_suite __refdata suite = {
	.name = "cma_areas",
	.init = areas_test_init,
	.test_cases = cases,
};

kunit_test_init_section_suites(&suite);

MODULE_DESCRIPTION("KUnit tests of the areas of devices");
MODULE_LICENSE("GPL");
