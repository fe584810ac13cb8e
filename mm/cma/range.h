/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page ranges of one contiguous stretch of memory: who holds which.
 *
 * Pure: knows page numbers only, no struct page, takes no lock and allocates
 * nothing. All numbers are in pages; "start" is counted from the start of
 * physical memory (a pfn) or from anything else the caller prefers.
 */
#ifndef _MM_CMA_RANGE_H
#define _MM_CMA_RANGE_H

#include <linux/bits.h>
#include <linux/rbtree.h>
#include <linux/types.h>

/*
 * Holes that are large enough, but spoilt by alignment: so many are looked at
 * before one is taken that is known to fit.
 */
#define CMA_MAX_MISFITS	4

/**
 * enum cma_fit - which hole a request goes to
 * @CMA_FIT_BEST:	the smallest hole that takes it, the lowest of equals; or,
 *		after CMA_MAX_MISFITS, the lowest with an aligned block that does
 * @CMA_FIT_FIRST:	the lowest hole that takes it
 */
enum cma_fit {
	CMA_FIT_BEST,
	CMA_FIT_FIRST,
};

/* On 32 bit, 256 GiB in pages of 4 KiB have to do. */
#define CMA_ORDER_BITS	6
#define CMA_ROOM_BITS	(BITS_PER_LONG - CMA_ORDER_BITS)

/**
 * struct cma_room - what one of several holes has, not all of it the same one
 * @nr_pages:	size of the largest hole
 * @block_order: of the largest block in a hole that is aligned to its size,
 *		in whole pages
 */
struct cma_room {
	unsigned long nr_pages : CMA_ROOM_BITS;
	unsigned long block_order : CMA_ORDER_BITS;
};

/**
 * struct cma_holder - a held run of pages, and the hole that follows it
 * @by_start:	in cma_range.holders, by @start; augmented with @subtree_max
 * @by_hole:	in cma_range.holes, by @hole then @start; off the tree while
 *		@hole is 0
 * @start:	first page held
 * @nr_pages:	pages held
 * @hole:	free pages between the end of this holder and the next one
 * @subtree_max:	in the holes of the subtree below @by_start
 *
 * The memory is the caller's, from cma_range_hold() to cma_range_release().
 */
struct cma_holder {
	struct rb_node by_start;
	struct rb_node by_hole;
	unsigned long start;
	unsigned long nr_pages;
	unsigned long hole;
	struct cma_room subtree_max;
};

/**
 * struct cma_range - a stretch of pages and its holders
 * @holders:	all holders, by address
 * @holes:	the holders that are followed by a hole, by its size
 * @front:	holder of no pages in front of @start, so that the first hole
 *		follows a holder like every other
 * @start:	first page
 * @nr_pages:	pages in all
 * @nr_held:	pages held
 * @nr_holders:	holders, @front not counted
 */
struct cma_range {
	struct rb_root holders;
	struct rb_root holes;
	struct cma_holder front;
	unsigned long start;
	unsigned long nr_pages;
	unsigned long nr_held;
	unsigned long nr_holders;
};

/**
 * struct cma_range_req - what a request asks of a range
 * @nr_pages:	pages, more than 0
 * @align_mask:	(alignment in pages) - 1; a window starts where
 *		(start - @align_offset) & @align_mask is 0
 * @align_offset: pages
 * @min_start:	lowest page a window may start at
 * @fit:	which hole to take
 */
struct cma_range_req {
	unsigned long nr_pages;
	unsigned long align_mask;
	unsigned long align_offset;
	unsigned long min_start;
	enum cma_fit fit;
};

void cma_range_init(struct cma_range *range, unsigned long start,
		    unsigned long nr_pages);
bool cma_range_place(const struct cma_range *range, const struct cma_range_req *want,
		     unsigned long *start);
unsigned long cma_range_place_packed(const struct cma_range *range,
				     const struct cma_range_req *want,
				     unsigned long start);
int cma_range_hold(struct cma_range *range, struct cma_holder *holder,
		   unsigned long start, unsigned long nr_pages);
void cma_range_release(struct cma_range *range, struct cma_holder *holder);
void cma_range_trim(struct cma_range *range, struct cma_holder *holder,
		    unsigned long nr_pages);
struct cma_holder *cma_range_find(const struct cma_range *range,
				  unsigned long page);
struct cma_holder *cma_range_from(const struct cma_range *range,
				  unsigned long page);
struct cma_holder *cma_range_next(const struct cma_range *range,
				  const struct cma_holder *holder);
unsigned long cma_range_widest_hole(const struct cma_range *range);
bool cma_range_valid(const struct cma_range *range);

static inline unsigned long cma_holder_end(const struct cma_holder *holder)
{
	return holder->start + holder->nr_pages;
}

static inline unsigned long cma_range_end(const struct cma_range *range)
{
	return range->start + range->nr_pages;
}

#endif /* _MM_CMA_RANGE_H */
