// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the ranges of an area.
 *
 * Beside the plain cases, a long run of random operations is compared with a
 * naive model, an array with a byte for each page. The invariants of the tree
 * are checked after every step.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "../range.h"

#define BASE	0x60000UL	/* not 0, so that an offset is no valid pfn */

static bool range_test_place(const struct cma_range *range,
			     unsigned long nr_pages,
			     unsigned long align, enum cma_fit fit,
			     unsigned long *start)
{
	struct cma_range_req want = {
		.nr_pages	= nr_pages,
		.align_mask	= align - 1,
		.fit		= fit,
	};

	return cma_range_place(range, &want, start);
}

static void range_is_one_hole(struct kunit *test)
{
	struct cma_range range;
	unsigned long start = 0;

	cma_range_init(&range, BASE, 1024);
	KUNIT_EXPECT_TRUE(test, cma_range_valid(&range));
	KUNIT_EXPECT_EQ(test, cma_range_widest_hole(&range), 1024UL);
	KUNIT_EXPECT_TRUE(test,
			  range_test_place(&range, 1024, 1, CMA_FIT_BEST,
					   &start));
	KUNIT_EXPECT_EQ(test, start, BASE);
	KUNIT_EXPECT_FALSE(test,
			   range_test_place(&range, 1025, 1, CMA_FIT_BEST,
					    &start));
	KUNIT_EXPECT_FALSE(test,
			   range_test_place(&range, 0, 1, CMA_FIT_BEST,
					    &start));
	KUNIT_EXPECT_FALSE(test,
			   range_test_place(&range, ULONG_MAX, 1, CMA_FIT_FIRST,
					    &start));
	KUNIT_EXPECT_NULL(test, cma_range_next(&range, NULL));
}

static void range_refuses_what_is_held(struct kunit *test)
{
	struct cma_holder a, b;
	struct cma_range range;

	cma_range_init(&range, BASE, 64);
	KUNIT_ASSERT_EQ(test, cma_range_hold(&range, &a, BASE + 16, 16), 0);
	KUNIT_EXPECT_EQ(test, cma_range_hold(&range, &b, BASE + 16, 16),
			-EBUSY);
	KUNIT_EXPECT_EQ(test, cma_range_hold(&range, &b, BASE, 17), -EBUSY);
	KUNIT_EXPECT_EQ(test, cma_range_hold(&range, &b, BASE + 31, 1), -EBUSY);
	KUNIT_EXPECT_EQ(test, cma_range_hold(&range, &b, BASE, 64), -EBUSY);
	KUNIT_EXPECT_EQ(test, cma_range_hold(&range, &b, BASE - 1, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, cma_range_hold(&range, &b, BASE + 64, 1),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, cma_range_hold(&range, &b, BASE + 32, 33),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, cma_range_hold(&range, &b, BASE + 32, ULONG_MAX),
			-EINVAL);
	KUNIT_EXPECT_TRUE(test, cma_range_valid(&range));
	KUNIT_EXPECT_EQ(test, range.nr_held, 16UL);
	KUNIT_EXPECT_EQ(test, cma_range_hold(&range, &b, BASE + 32, 32), 0);
	KUNIT_EXPECT_EQ(test, range.nr_held, 48UL);
	KUNIT_EXPECT_TRUE(test, cma_range_valid(&range));
}

/* A border separates two adjacent pieces of memory; no window may cross it. */
static void range_has_borders(struct kunit *test)
{
	struct cma_holder border, a, b;
	struct cma_range range;
	unsigned long start;

	cma_range_init(&range, BASE, 64);
	KUNIT_ASSERT_EQ(test, cma_range_hold(&range, &border, BASE + 24, 0), 0);
	KUNIT_EXPECT_TRUE(test, cma_range_valid(&range));
	KUNIT_EXPECT_EQ(test, range.nr_held, 0UL);
	KUNIT_EXPECT_EQ(test, cma_range_widest_hole(&range), 40UL);
	KUNIT_EXPECT_FALSE(test,
			   range_test_place(&range, 41, 1, CMA_FIT_BEST,
					    &start));
	KUNIT_EXPECT_EQ(test, cma_range_hold(&range, &a, BASE + 20, 8), -EBUSY);

	KUNIT_ASSERT_EQ(test, cma_range_hold(&range, &a, BASE + 24, 8), 0);
	KUNIT_ASSERT_EQ(test, cma_range_hold(&range, &b, BASE + 16, 8), 0);
	KUNIT_EXPECT_TRUE(test, cma_range_valid(&range));
	KUNIT_EXPECT_PTR_EQ(test, cma_range_find(&range, BASE + 24), &a);
	KUNIT_EXPECT_PTR_EQ(test, cma_range_find(&range, BASE + 23), &b);
	cma_range_trim(&range, &a, 4);
	KUNIT_EXPECT_TRUE(test, cma_range_valid(&range));
	KUNIT_EXPECT_NULL(test, cma_range_find(&range, BASE + 24));
	cma_range_release(&range, &b);
	cma_range_release(&range, &a);
	KUNIT_EXPECT_TRUE(test, cma_range_valid(&range));
	KUNIT_EXPECT_EQ(test, cma_range_widest_hole(&range), 40UL);
}

static void range_finds_holders(struct kunit *test)
{
	struct cma_holder a, b;
	struct cma_range range;

	cma_range_init(&range, BASE, 64);
	KUNIT_ASSERT_EQ(test, cma_range_hold(&range, &a, BASE, 8), 0);
	KUNIT_ASSERT_EQ(test, cma_range_hold(&range, &b, BASE + 63, 1), 0);
	KUNIT_EXPECT_PTR_EQ(test, cma_range_find(&range, BASE), &a);
	KUNIT_EXPECT_PTR_EQ(test, cma_range_find(&range, BASE + 7), &a);
	KUNIT_EXPECT_NULL(test, cma_range_find(&range, BASE + 8));
	KUNIT_EXPECT_NULL(test, cma_range_find(&range, BASE - 1));
	KUNIT_EXPECT_PTR_EQ(test, cma_range_find(&range, BASE + 63), &b);
	KUNIT_EXPECT_NULL(test, cma_range_find(&range, BASE + 64));
	KUNIT_EXPECT_PTR_EQ(test, cma_range_next(&range, NULL), &a);
	KUNIT_EXPECT_PTR_EQ(test, cma_range_next(&range, &a), &b);
	KUNIT_EXPECT_NULL(test, cma_range_next(&range, &b));
	KUNIT_EXPECT_PTR_EQ(test, cma_range_from(&range, 0), &a);
	KUNIT_EXPECT_PTR_EQ(test, cma_range_from(&range, BASE), &a);
	KUNIT_EXPECT_PTR_EQ(test, cma_range_from(&range, BASE + 1), &b);
	KUNIT_EXPECT_PTR_EQ(test, cma_range_from(&range, BASE + 63), &b);
	KUNIT_EXPECT_NULL(test, cma_range_from(&range, BASE + 64));
}

static void range_fit_policies_differ(struct kunit *test)
{
	struct cma_holder holders[3];
	struct cma_range range;
	unsigned long start = 0;

	/* Holes: 20 pages at 0, 8 at 24, 30 at 34. */
	cma_range_init(&range, BASE, 64);
	KUNIT_ASSERT_EQ(test, cma_range_hold(&range, &holders[0], BASE + 20, 4),
			0);
	KUNIT_ASSERT_EQ(test, cma_range_hold(&range, &holders[1], BASE + 32, 2),
			0);

	KUNIT_EXPECT_TRUE(test,
			  range_test_place(&range, 6, 1, CMA_FIT_BEST, &start));
	KUNIT_EXPECT_EQ(test, start, BASE + 24);
	KUNIT_EXPECT_TRUE(test,
			  range_test_place(&range, 6, 1, CMA_FIT_FIRST,
					   &start));
	KUNIT_EXPECT_EQ(test, start, BASE);
	KUNIT_EXPECT_TRUE(test,
			  range_test_place(&range, 21, 1, CMA_FIT_FIRST,
					   &start));
	KUNIT_EXPECT_EQ(test, start, BASE + 34);
	KUNIT_EXPECT_FALSE(test,
			   range_test_place(&range, 31, 1, CMA_FIT_FIRST,
					    &start));

	/* The lower one of two equal holes is used. */
	KUNIT_ASSERT_EQ(test,
			cma_range_hold(&range, &holders[2], BASE + 42, 22), 0);
	KUNIT_EXPECT_TRUE(test,
			  range_test_place(&range, 8, 1, CMA_FIT_BEST, &start));
	KUNIT_EXPECT_EQ(test, start, BASE + 24);
}

static void range_aligns(struct kunit *test)
{
	struct cma_holder a;
	struct cma_range range;
	struct cma_range_req want = {
		.nr_pages = 16, .align_mask = 15, .align_offset = 3,
	};
	unsigned long start = 0;

	cma_range_init(&range, BASE + 1, 63);
	KUNIT_EXPECT_TRUE(test,
			  range_test_place(&range, 16, 16, CMA_FIT_BEST,
					   &start));
	KUNIT_EXPECT_EQ(test, start, BASE + 16);
	KUNIT_EXPECT_TRUE(test, cma_range_place(&range, &want, &start));
	KUNIT_EXPECT_EQ(test, start, BASE + 3);
	want.min_start = BASE + 4;
	KUNIT_EXPECT_TRUE(test, cma_range_place(&range, &want, &start));
	KUNIT_EXPECT_EQ(test, start, BASE + 19);
	want.min_start = BASE + 36;
	KUNIT_EXPECT_FALSE(test, cma_range_place(&range, &want, &start));

	/* The hole is wide enough, but has no aligned window. */
	KUNIT_ASSERT_EQ(test, cma_range_hold(&range, &a, BASE + 31, 33), 0);
	KUNIT_EXPECT_FALSE(test,
			   range_test_place(&range, 16, 16, CMA_FIT_FIRST,
					    &start));
	KUNIT_EXPECT_FALSE(test,
			   range_test_place(&range, 16, 16, CMA_FIT_BEST,
					    &start));
	KUNIT_EXPECT_TRUE(test,
			  range_test_place(&range, 15, 16, CMA_FIT_FIRST,
					   &start));
	KUNIT_EXPECT_EQ(test, start, BASE + 16);
	KUNIT_EXPECT_FALSE(test,
			   range_test_place(&range, 1,
					    1UL << 40 % BITS_PER_LONG,
					    CMA_FIT_BEST, &start) &&
			   start & ((1UL << 40 % BITS_PER_LONG) - 1));
}

static void range_wastes_no_window(struct kunit *test)
{
	struct cma_range_req want = { .nr_pages = 24, .align_mask = 3 };
	struct cma_holder a, b;
	struct cma_range range;

	/* The hole has 64 pages and room for two windows. */
	cma_range_init(&range, BASE, 128);
	KUNIT_ASSERT_EQ(test, cma_range_hold(&range, &a, BASE, 32), 0);
	KUNIT_ASSERT_EQ(test, cma_range_hold(&range, &b, BASE + 96, 32), 0);

	/* 24 free pages on one side leave room for a window, 20 do not. */
	KUNIT_EXPECT_EQ(test, cma_range_place_packed(&range, &want, BASE + 32),
			BASE + 32);
	KUNIT_EXPECT_EQ(test, cma_range_place_packed(&range, &want, BASE + 48),
			BASE + 48);
	KUNIT_EXPECT_EQ(test, cma_range_place_packed(&range, &want, BASE + 52),
			BASE + 72);
	KUNIT_EXPECT_EQ(test, cma_range_place_packed(&range, &want, BASE + 56),
			BASE + 56);
	KUNIT_EXPECT_EQ(test, cma_range_place_packed(&range, &want, BASE + 72),
			BASE + 72);

	/* With room for one window only, it stays where it was asked for. */
	want.nr_pages = 36;
	KUNIT_EXPECT_EQ(test, cma_range_place_packed(&range, &want, BASE + 40),
			BASE + 40);
	/* Alignment wastes a page behind the window. */
	want.nr_pages = 15;
	want.align_mask = 7;
	KUNIT_EXPECT_EQ(test, cma_range_place_packed(&range, &want, BASE + 40),
			BASE + 48);
}

static void range_trims_from_the_front(struct kunit *test)
{
	struct cma_holder a, b;
	struct cma_range range;
	unsigned long start = 0;

	cma_range_init(&range, BASE, 32);
	KUNIT_ASSERT_EQ(test, cma_range_hold(&range, &a, BASE, 8), 0);
	KUNIT_ASSERT_EQ(test, cma_range_hold(&range, &b, BASE + 8, 24), 0);
	cma_range_trim(&range, &b, 10);
	KUNIT_EXPECT_TRUE(test, cma_range_valid(&range));
	KUNIT_EXPECT_EQ(test, range.nr_held, 22UL);
	KUNIT_EXPECT_TRUE(test,
			  range_test_place(&range, 10, 1, CMA_FIT_BEST,
					   &start));
	KUNIT_EXPECT_EQ(test, start, BASE + 8);
	cma_range_release(&range, &b);
	cma_range_release(&range, &a);
	KUNIT_EXPECT_TRUE(test, cma_range_valid(&range));
	KUNIT_EXPECT_EQ(test, cma_range_widest_hole(&range), 32UL);
}

#define MODEL_PAGES	600
#define MODEL_HOLDERS	80
#define MODEL_STEPS	20000
#define MODEL_SEED	0x636d61

struct model {
	u8 held[MODEL_PAGES];
	struct cma_holder holders[MODEL_HOLDERS];
	bool used[MODEL_HOLDERS];
	struct cma_range range;
};

static bool range_model_fits(const struct model *model, unsigned long page,
			     const struct cma_range_req *want)
{
	if (page > MODEL_PAGES || want->nr_pages > MODEL_PAGES - page ||
	    BASE + page < want->min_start ||
	    (BASE + page - want->align_offset) & want->align_mask)
		return false;
	return !memchr_inv(model->held + page, 0, want->nr_pages);
}

static unsigned long range_model_hole(const struct model *model,
				      unsigned long page)
{
	unsigned long first = page, end = page;

	while (first && !model->held[first - 1])
		first--;
	while (end < MODEL_PAGES && !model->held[end])
		end++;
	return end - first;
}

/* Returns the page that the model chooses; MODEL_PAGES if there is none. */
static unsigned long range_model_place(const struct model *model,
				       const struct cma_range_req *want)
{
	unsigned long best = MODEL_PAGES, best_hole = ULONG_MAX;

	for (unsigned long page = 0; page < MODEL_PAGES; page++) {
		unsigned long hole;

		if (!range_model_fits(model, page, want))
			continue;
		if (want->fit == CMA_FIT_FIRST)
			return page;
		hole = range_model_hole(model, page);
		if (hole < best_hole) {
			best_hole = hole;
			best = page;
		}
	}
	return best;
}

/* Returns the order of the largest free aligned block. */
static unsigned int range_model_block_order(const struct model *model)
{
	struct cma_range_req want = { };
	unsigned int order = 0;

	for (;; order++) {
		want.nr_pages = 1UL << order;
		want.align_mask = want.nr_pages - 1;
		want.fit = CMA_FIT_FIRST;
		if (range_model_place(model, &want) == MODEL_PAGES)
			return order ? order - 1 : 0;
	}
}

/* Returns the first window in the hole around @page, or MODEL_PAGES. */
static unsigned long range_model_in_hole(const struct model *model,
					 unsigned long page,
					 const struct cma_range_req *want)
{
	while (page && !model->held[page - 1])
		page--;
	for (; page < MODEL_PAGES && !model->held[page]; page++)
		if (range_model_fits(model, page, want))
			return page;
	return MODEL_PAGES;
}

/*
 * Returns the place that a range chooses if it gives up on the smallest hole:
 * the lowest hole with an aligned block, or else the lowest one.
 */
static unsigned long range_model_place_in_block(const struct model *model,
						struct cma_range_req want)
{
	unsigned long offset = want.align_offset & want.align_mask;
	unsigned long nr_block = max(roundup_pow_of_two(want.nr_pages + offset),
				     want.align_mask + 1);
	const struct cma_range_req block = {
		.nr_pages	= nr_block,
		.align_mask	= nr_block - 1,
		.fit		= CMA_FIT_FIRST,
	};
	unsigned long window = range_model_place(model, &block);

	if (window != MODEL_PAGES)
		window = range_model_in_hole(model, window, &want);
	if (window != MODEL_PAGES)
		return window;
	want.fit = CMA_FIT_FIRST;
	return range_model_place(model, &want);
}

/* Counts the holes that are large enough but have no aligned window. */
static unsigned int range_model_misfits(const struct model *model,
					const struct cma_range_req *want)
{
	unsigned int nr_misfits = 0;
	unsigned long page, hole;

	for (page = 0; page < MODEL_PAGES; page += max(hole, 1UL)) {
		bool fits = false;

		hole = model->held[page] ? 0 : range_model_hole(model, page);
		for (unsigned long i = 0; i < hole; i++)
			fits |= range_model_fits(model, page + i, want);
		nr_misfits += hole >= want->nr_pages && !fits;
	}
	return nr_misfits;
}

/* Counts the windows that fit from @page on, up to the next held page. */
static unsigned int range_model_windows(const struct model *model,
					unsigned long page,
					const struct cma_range_req *want)
{
	unsigned int nr = 0;

	while (page < MODEL_PAGES && !model->held[page]) {
		if (range_model_fits(model, page, want)) {
			nr++;
			page += want->nr_pages;
		} else {
			page++;
		}
	}
	return nr;
}

/* Counts the windows from @first on if one of them is at @page. */
static unsigned int range_model_windows_with(struct model *model,
					     unsigned long first,
					     unsigned long page,
					     const struct cma_range_req *want)
{
	unsigned int nr;

	memset(model->held + page, 1, want->nr_pages);
	nr = range_model_windows(model, first, want) + 1 +
	     range_model_windows(model, page + want->nr_pages, want);
	memset(model->held + page, 0, want->nr_pages);
	return nr;
}

/*
 * If a window fits at @page, checks cma_range_place_packed() from there: the
 * hole must still have room for as many windows, and the window moves only if
 * needed.
 */
static void range_model_check_packed(struct kunit *test, struct model *model,
				     unsigned long page,
				     struct cma_range_req want)
{
	unsigned long first = page, packed;
	unsigned int nr_windows;

	want.min_start = 0;
	if (!range_model_fits(model, page, &want))
		return;
	while (first && !model->held[first - 1])
		first--;
	nr_windows = range_model_windows(model, first, &want);

	packed = cma_range_place_packed(&model->range, &want,
					BASE + page) - BASE;
	KUNIT_ASSERT_GE(test, packed, page);
	KUNIT_ASSERT_TRUE(test, range_model_fits(model, packed, &want));
	KUNIT_ASSERT_EQ(test, nr_windows,
			range_model_windows_with(model, first, packed, &want));
	KUNIT_ASSERT_EQ(test, packed == page, nr_windows ==
			range_model_windows_with(model, first, page, &want));
}

static void range_model_step(struct kunit *test, struct model *model,
			     struct rnd_state *random)
{
	unsigned int i = prandom_u32_state(random) % MODEL_HOLDERS;
	struct cma_holder *holder = &model->holders[i];
	struct cma_range_req want = {
		.nr_pages	= 1 + prandom_u32_state(random) % 40,
		.align_mask	= (1UL << prandom_u32_state(random) % 6) - 1,
		.align_offset	= prandom_u32_state(random) % 8,
		.fit		= prandom_u32_state(random) % 2 ?
				  CMA_FIT_FIRST : CMA_FIT_BEST,
	};
	unsigned long start = 0, expected;
	unsigned int block_order;

	if (prandom_u32_state(random) % 4 == 0)
		want.min_start = BASE + prandom_u32_state(random) % MODEL_PAGES;
	range_model_check_packed(test, model,
				 prandom_u32_state(random) % MODEL_PAGES, want);

	if (model->used[i] && prandom_u32_state(random) % 4 == 0 &&
	    holder->nr_pages > 1) {
		unsigned long nr = 1 + prandom_u32_state(random) %
					(holder->nr_pages - 1);

		memset(model->held + holder->start - BASE, 0, nr);
		cma_range_trim(&model->range, holder, nr);
	} else if (model->used[i]) {
		memset(model->held + holder->start - BASE, 0, holder->nr_pages);
		cma_range_release(&model->range, holder);
		model->used[i] = false;
	} else {
		expected = range_model_place(model, &want);
		KUNIT_ASSERT_EQ(test, expected != MODEL_PAGES,
				cma_range_place(&model->range, &want, &start));
		if (expected == MODEL_PAGES)
			return;
		if (start != BASE + expected) {
			KUNIT_ASSERT_EQ(test, want.fit, CMA_FIT_BEST);
			KUNIT_ASSERT_GE(test, range_model_misfits(model, &want),
					CMA_MAX_MISFITS);
			expected = range_model_place_in_block(model, want);
			KUNIT_ASSERT_EQ(test, start, BASE + expected);
		}
		KUNIT_ASSERT_EQ(test, cma_range_hold(&model->range, holder,
						     start, want.nr_pages), 0);
		memset(model->held + expected, 1, want.nr_pages);
		model->used[i] = true;
	}
	KUNIT_ASSERT_TRUE(test, cma_range_valid(&model->range));
	block_order = rb_entry(model->range.holders.rb_node, struct cma_holder,
			       by_start)->subtree_max.block_order;
	KUNIT_ASSERT_EQ(test, range_model_block_order(model), block_order);
}

static void range_agrees_with_a_naive_model(struct kunit *test)
{
	struct model *model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);
	struct rnd_state random;

	KUNIT_ASSERT_NOT_NULL(test, model);
	prandom_seed_state(&random, MODEL_SEED);
	cma_range_init(&model->range, BASE, MODEL_PAGES);
	for (int step = 0; step < MODEL_STEPS; step++) {
		range_model_step(test, model, &random);
		cond_resched();
	}
}

/* Makes sure that cma_range_valid() notices damage. */
static void range_validator_finds_damage(struct kunit *test)
{
	struct cma_holder a, b;
	struct cma_range range;

	cma_range_init(&range, BASE, 64);
	KUNIT_ASSERT_EQ(test, cma_range_hold(&range, &a, BASE + 8, 8), 0);
	KUNIT_ASSERT_EQ(test, cma_range_hold(&range, &b, BASE + 32, 8), 0);
	KUNIT_ASSERT_TRUE(test, cma_range_valid(&range));

	a.nr_pages++;
	KUNIT_EXPECT_FALSE(test, cma_range_valid(&range));
	a.nr_pages--;
	range.nr_held++;
	KUNIT_EXPECT_FALSE(test, cma_range_valid(&range));
	range.nr_held--;
	b.hole--;
	KUNIT_EXPECT_FALSE(test, cma_range_valid(&range));
	b.hole++;
	b.subtree_max.nr_pages--;
	KUNIT_EXPECT_FALSE(test, cma_range_valid(&range));
	b.subtree_max.nr_pages++;
	KUNIT_ASSERT_TRUE(test, cma_range_valid(&range));
	b.subtree_max.block_order++;
	KUNIT_EXPECT_FALSE(test, cma_range_valid(&range));
}

#define PACKED_PAGES	16384
#define PACKED_HOLDERS	2048
#define PACKED_MAX	16

static bool range_test_hold(struct cma_range *range, struct cma_holder *holder,
			    struct cma_range_req *want, unsigned long nr_pages)
{
	unsigned long start;

	want->nr_pages = nr_pages;
	want->align_mask = roundup_pow_of_two(nr_pages) - 1;
	return cma_range_place(range, want, &start) &&
	       !cma_range_hold(range, holder, start, nr_pages);
}

/*
 * Small holders take most of the range, and half of them release it again.
 * Returns how many larger holders then find room.
 */
static unsigned int range_test_room(struct cma_holder *holders,
				    enum cma_fit fit, unsigned int seed)
{
	struct cma_range_req want = { .fit = fit };
	unsigned int nr = 0, nr_first;
	struct cma_range range;
	struct rnd_state random;

	prandom_seed_state(&random, seed);
	cma_range_init(&range, BASE, PACKED_PAGES);
	for (; range.nr_held < PACKED_PAGES * 7 / 10; nr++)
		if (!range_test_hold(&range, &holders[nr], &want, 1 +
				  prandom_u32_state(&random) % PACKED_MAX))
			return 0;
	for (unsigned int i = 0; i < nr; i++)
		if (prandom_u32_state(&random) % 2)
			cma_range_release(&range, &holders[i]);
	for (nr_first = nr; nr < PACKED_HOLDERS; nr++)
		if (!range_test_hold(&range, &holders[nr], &want,
				     4 * PACKED_MAX))
			break;
	return nr - nr_first;
}

/* Best fit must not split large holes more than first fit does. */
static void range_packs_best_fit_dense(struct kunit *test)
{
	struct cma_holder *holders = vmalloc_array(PACKED_HOLDERS,
						   sizeof(*holders));
	unsigned int nr_best = 0, nr_first = 0;

	KUNIT_ASSERT_NOT_NULL(test, holders);
	for (unsigned int seed = 1; seed <= 8; seed++) {
		nr_best += range_test_room(holders, CMA_FIT_BEST, seed);
		nr_first += range_test_room(holders, CMA_FIT_FIRST, seed);
	}
	vfree(holders);
	kunit_info(test, "room for %u with the best hole, %u with the first\n",
		   nr_best, nr_first);
	KUNIT_EXPECT_GT(test, nr_first, 0U);
	KUNIT_EXPECT_GE(test, nr_best * 20, nr_first * 19);
}

static struct kunit_case cma_range_cases[] = {
	KUNIT_CASE(range_is_one_hole),
	KUNIT_CASE(range_refuses_what_is_held),
	KUNIT_CASE(range_has_borders),
	KUNIT_CASE(range_finds_holders),
	KUNIT_CASE(range_fit_policies_differ),
	KUNIT_CASE(range_aligns),
	KUNIT_CASE(range_wastes_no_window),
	KUNIT_CASE(range_trims_from_the_front),
	KUNIT_CASE(range_validator_finds_damage),
	KUNIT_CASE(range_packs_best_fit_dense),
	KUNIT_CASE_SLOW(range_agrees_with_a_naive_model),
	{ }
};

static struct kunit_suite cma_range_suite = {
	.name = "cma_range",
	.test_cases = cma_range_cases,
};

kunit_test_suite(cma_range_suite);

MODULE_DESCRIPTION("KUnit tests of the ranges of contiguous memory areas");
MODULE_LICENSE("GPL");
