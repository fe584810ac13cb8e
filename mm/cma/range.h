/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A range of page numbers, and who holds which of them.
 *
 * Pure: knows numbers but no struct page, takes no lock and allocates nothing.
 * All numbers are in pages. A page number is a pfn, or counts from whatever
 * origin the caller prefers.
 */
#ifndef _MM_CMA_RANGE_H
#define _MM_CMA_RANGE_H

#include <linux/bits.h>
#include <linux/rbtree.h>
#include <linux/types.h>

/*
 * Alignment can make a request misfit in a hole that is large enough. After
 * this many misfits, take a hole that is known to fit.
 */
#define CMA_MAX_MISFITS	4

/**
 * enum cma_fit - which hole a request goes to
 * @CMA_FIT_BEST: the smallest hole that fits, the lowest among equals; after
 *		CMA_MAX_MISFITS, the lowest hole with an aligned block that fits
 * @CMA_FIT_FIRST: the lowest hole that fits
 */
enum cma_fit {
	CMA_FIT_BEST,
	CMA_FIT_FIRST,
};

/* On 32 bit, this limits a range to 256 GiB with pages of 4 KiB. */
#define CMA_ORDER_BITS	6
#define CMA_ROOM_BITS	(BITS_PER_LONG - CMA_ORDER_BITS)

/**
 * struct cma_room - maxima over a set of holes
 * @nr_pages:	size of the largest hole
 * @block_order: order of the largest naturally aligned block in a hole, which
 *		need not be the largest hole
 */
struct cma_room {
	unsigned long nr_pages : CMA_ROOM_BITS;
	unsigned long block_order : CMA_ORDER_BITS;
};

/**
 * struct cma_holder - a held run of pages, and the hole that follows it
 * @by_start:	in cma_range.holders, by @start; augmented with @subtree_max
 * @by_hole:	in cma_range.holes, by @hole, then by @start; not in the tree
 *		while @hole is 0
 * @start:	first page held
 * @nr_pages:	number of pages held
 * @hole:	free pages between the end of this holder and the next one
 * @subtree_max: maxima over the holes in the subtree of @by_start
 *
 * The caller allocates the memory, and must not free it between
 * cma_range_hold() and cma_range_release().
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
 * struct cma_range - a range of pages and its holders
 * @holders:	all holders, by address
 * @holes:	holders that are followed by a hole, by its size
 * @front:	holder of no pages at @start, so that the first hole follows a
 *		holder like any other
 * @start:	first page
 * @nr_pages:	number of pages
 * @nr_held:	number of pages held
 * @nr_holders:	number of holders except @front
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
 * struct cma_range_req - request for a window of a range
 * @nr_pages:	number of pages, more than 0
 * @align_mask:	alignment in pages, minus 1: (start - @align_offset) &
 *		@align_mask must be 0
 * @align_offset: offset of aligned windows, in pages
 * @min_start:	lowest page at which the window may start
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
bool cma_range_place(const struct cma_range *range,
		     const struct cma_range_req *req, unsigned long *start);
unsigned long cma_range_place_packed(const struct cma_range *range,
				     const struct cma_range_req *req,
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
