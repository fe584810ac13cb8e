// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit test of the cost of place, hold and release with few and very many
 * holders.
 *
 * Under -icount the printed numbers are instructions. The test only fails if
 * the cost grows with the number of holders. The limit is generous and the best
 * of many short batches counts, because a shared machine may pause in between.
 */
#include <kunit/test.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "../range.h"

#define BASE		0x1000UL
#define STRIDE		4	/* one page held, then three free */
#define NR_OPS		100
#define NR_BATCHES	40
#define MOST_HOLDERS	1000000

/*
 * The tree is 10 deep with a thousand holders and 20 deep with a million. Cache
 * misses add to that, most of all in an emulator: a million holders are tens of
 * MiB, and nearly each step misses the TLB. A linear search would grow by 1000.
 */
#define GROWTH_MAX	100

struct cost {
	u64 place_ns;
	u64 hold_ns;
	u64 release_ns;
};

static void range_cost_batch(struct kunit *test, struct cma_range *range,
			     struct cma_holder *holders,
			     unsigned long nr_holders,
			     struct rnd_state *rnd, struct cost *best)
{
	/* Three aligned pages do not fit between two pages that are held. */
	const struct cma_range_req want = { .nr_pages = 3, .align_mask = 1 };
	struct cost cost = { };

	for (unsigned int i = 0; i < NR_OPS; i++) {
		unsigned long nr = prandom_u32_state(rnd) % nr_holders;
		u64 t0 = ktime_get_ns(), t1, t2;
		unsigned long start;

		cma_range_release(range, &holders[nr]);
		t1 = ktime_get_ns();
		KUNIT_ASSERT_TRUE(test, cma_range_place(range, &want, &start));
		t2 = ktime_get_ns();
		cma_range_hold(range, &holders[nr], BASE + nr * STRIDE, 1);
		cost.hold_ns += ktime_get_ns() - t2;
		cost.place_ns += t2 - t1;
		cost.release_ns += t1 - t0;
	}
	best->place_ns = min(best->place_ns, div_u64(cost.place_ns, NR_OPS));
	best->hold_ns = min(best->hold_ns, div_u64(cost.hold_ns, NR_OPS));
	best->release_ns = min(best->release_ns,
			       div_u64(cost.release_ns, NR_OPS));
}

static void range_cost_measure(struct kunit *test, struct cma_holder *holders,
			       unsigned long nr_holders, struct cost *cost)
{
	struct cma_range range;
	struct rnd_state rnd;

	memset(cost, 0xff, sizeof(*cost));
	prandom_seed_state(&rnd, 1);
	cma_range_init(&range, BASE, (nr_holders + 2) * STRIDE);
	for (unsigned long i = 0; i < nr_holders; i++) {
		KUNIT_ASSERT_EQ(test, 0,
				cma_range_hold(&range, &holders[i],
					       BASE + i * STRIDE, 1));
		if (i % NR_OPS == 0)
			cond_resched();
	}

	for (unsigned int i = 0; i < NR_BATCHES; i++)
		range_cost_batch(test, &range, holders, nr_holders, &rnd, cost);
	kunit_info(test,
		   "%lu holders: place %llu ns, hold %llu ns, release %llu ns\n",
		   nr_holders, cost->place_ns, cost->hold_ns, cost->release_ns);
}

static void range_cost_is_flat(struct kunit *test)
{
	struct cma_holder *holders;
	struct cost few, many;

	holders = vmalloc_array(MOST_HOLDERS, sizeof(*holders));
	if (!holders)
		kunit_skip(test, "no memory for a million holders");
	range_cost_measure(test, holders, 1000, &few);
	range_cost_measure(test, holders, 30000, &many);
	range_cost_measure(test, holders, MOST_HOLDERS, &many);
	vfree(holders);

	KUNIT_EXPECT_LT(test, many.place_ns, (few.place_ns + 100) * GROWTH_MAX);
	KUNIT_EXPECT_LT(test, many.hold_ns, (few.hold_ns + 100) * GROWTH_MAX);
	KUNIT_EXPECT_LT(test, many.release_ns,
			(few.release_ns + 100) * GROWTH_MAX);
}

static struct kunit_case cma_range_cost_cases[] = {
	KUNIT_CASE_SLOW(range_cost_is_flat),
	{ }
};

static struct kunit_suite cma_range_cost_suite = {
	.name = "cma_range_cost",
	.test_cases = cma_range_cost_cases,
};

kunit_test_suite(cma_range_cost_suite);

MODULE_DESCRIPTION("KUnit test of the cost of ranges");
MODULE_LICENSE("GPL");
