// SPDX-License-Identifier: GPL-2.0
/*
 * Counts the instructions of page allocations and their release, for
 * scripts/cma/measure/hot.py, on a board that executes one in a nanosecond.
 * Prints thousandths of an instruction.
 */
#include <linux/gfp.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/module.h>

#define NR_TURNS	8	/* interrupts are in some of them */
#define NR_PAIRS	2000
/* Per-CPU lists hold an eighth of a zone at most, 16384 pages of 512 MiB. */
#define NR_PAGES	24576

static struct page *pages[NR_PAGES];

static void use_in_pairs(gfp_t gfp, unsigned int order, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		pages[0] = alloc_pages(gfp, order);
		if (pages[0])
			__free_pages(pages[0], order);
	}
}

static void use_in_row(gfp_t gfp, unsigned int order, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		pages[i] = alloc_pages(gfp, order);
	for (i = 0; i < nr; i++)
		if (pages[i])
			__free_pages(pages[i], order);
}

static void measure(const char *name, gfp_t gfp, unsigned int order,
		    unsigned int nr,
		    void (*use)(gfp_t gfp, unsigned int order, unsigned int nr))
{
	u64 start, least = U64_MAX;
	int turn;

	for (turn = 0; turn < NR_TURNS; turn++) {
		start = ktime_get_ns();
		use(gfp, order, nr);
		least = min(least, ktime_get_ns() - start);
	}
	pr_info("bench: place hot %s-%u %llu\n", name, order,
		div_u64(least * 1000, nr));
}

static int __init hot_path_init(void)
{
	unsigned int order;

	for (order = 0; order <= PAGE_ALLOC_COSTLY_ORDER;
	     order += PAGE_ALLOC_COSTLY_ORDER) {
		measure("kernel-pair", GFP_KERNEL, order, NR_PAIRS,
			use_in_pairs);
		measure("movable-pair", GFP_HIGHUSER_MOVABLE, order, NR_PAIRS,
			use_in_pairs);
		measure("kernel-row", GFP_KERNEL, order, NR_PAGES >> order,
			use_in_row);
		measure("movable-row", GFP_HIGHUSER_MOVABLE, order,
			NR_PAGES >> order, use_in_row);
	}
	return 0;
}
module_init(hot_path_init);

MODULE_DESCRIPTION("Instructions of page allocations");
MODULE_LICENSE("GPL");
