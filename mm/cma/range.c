// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages of a range are held, and where a request may go.
 *
 * Two red-black trees, the shape of drm_mm and of the vmalloc area tree. The
 * holders stand in the first by address; each knows the hole behind it, and of
 * its subtree the widest hole and the largest aligned block in a hole, so that
 * the lowest hole which takes a request is found on one way down. Those with a
 * hole stand in the second by the size of that hole, so that the smallest one
 * which fits is found on one way down too. place, hold, release and find are
 * O(log n) in the number of holders.
 *
 * Units are pages throughout. There is no lock here: the caller serialises
 * (an area does so with cma->lock). Nothing is allocated: the caller brings
 * the holder along, so that a release can neither fail nor sleep.
 */
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/rbtree_augmented.h>

#include "range.h"

#define holder_of(node)		rb_entry((node), struct cma_holder, by_start)
#define hole_of(node)		rb_entry((node), struct cma_holder, by_hole)

/*
 * The order of the largest naturally aligned block in the hole behind @holder:
 * one of those that meet at its most aligned page boundary.
 */
static unsigned int hole_block_order(const struct cma_holder *holder)
{
	unsigned long begin = cma_holder_end(holder);
	unsigned long end = begin + holder->hole;
	unsigned long middle;

	if (!holder->hole)
		return 0;
	middle = end & ~((1UL << __fls((begin - 1) ^ end)) - 1);
	return __fls(max(middle - begin, end - middle));
}

/* Of the holes below @holder, its own among them. */
static struct cma_room subtree_max_below(const struct cma_holder *holder)
{
	const struct rb_node *children[] = {
		holder->by_start.rb_left, holder->by_start.rb_right,
	};
	unsigned int block_order = hole_block_order(holder);
	unsigned long nr_pages = holder->hole;

	for (int i = 0; i < ARRAY_SIZE(children); i++) {
		struct cma_room room;

		if (!children[i])
			continue;
		room = holder_of(children[i])->subtree_max;
		nr_pages = max_t(unsigned long, nr_pages, room.nr_pages);
		block_order = max_t(unsigned int, block_order,
				    room.block_order);
	}
	return (struct cma_room) { nr_pages, block_order };
}

static bool subtree_max_is(struct cma_room a, struct cma_room b)
{
	return a.nr_pages == b.nr_pages && a.block_order == b.block_order;
}

/* Return: true if nothing has changed, so that those above need no change. */
static bool update_subtree_max(struct cma_holder *holder, bool may_stop)
{
	struct cma_room room = subtree_max_below(holder);

	if (may_stop && subtree_max_is(room, holder->subtree_max))
		return true;
	holder->subtree_max = room;
	return false;
}

RB_DECLARE_CALLBACKS(static, most_room_callbacks, struct cma_holder, by_start,
		     subtree_max, update_subtree_max)

static bool hole_less(struct rb_node *a, const struct rb_node *b)
{
	const struct cma_holder *x = hole_of(a), *y = hole_of(b);

	if (x->hole != y->hole)
		return x->hole < y->hole;
	return x->start < y->start;
}

/* Keeps both trees in step with the new size of the hole behind @holder. */
static void set_hole(struct cma_range *range, struct cma_holder *holder,
		     unsigned long hole)
{
	if (holder->hole)
		rb_erase(&holder->by_hole, &range->holes);
	holder->hole = hole;
	if (hole)
		rb_add(&holder->by_hole, &range->holes, hole_less);
	most_room_callbacks_propagate(&holder->by_start, NULL);
}

static void insert_holder(struct cma_range *range, struct cma_holder *holder)
{
	struct rb_node **link = &range->holders.rb_node;
	struct rb_node *parent = NULL;

	holder->hole = 0;
	holder->subtree_max = (struct cma_room) { };
	while (*link) {
		parent = *link;
		if (holder->start < holder_of(parent)->start)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&holder->by_start, parent, link);
	rb_insert_augmented(&holder->by_start, &range->holders,
			    &most_room_callbacks);
}

/* The last holder that starts at or before @page: @front if no other does. */
static struct cma_holder *holder_before(const struct cma_range *range,
					unsigned long page)
{
	struct rb_node *node = range->holders.rb_node;
	struct cma_holder *before = NULL;

	while (node) {
		struct cma_holder *holder = holder_of(node);

		if (holder->start <= page) {
			before = holder;
			node = node->rb_right;
		} else {
			node = node->rb_left;
		}
	}
	return before;
}

/* The first page at or above @page, or the last one at or below, to start at. */
static unsigned long start_above(const struct cma_range_req *want, unsigned long page)
{
	return page + ((want->align_offset - page) & want->align_mask);
}

static unsigned long start_below(const struct cma_range_req *want, unsigned long page)
{
	return page - ((page - want->align_offset) & want->align_mask);
}

/* Where @want starts in the hole behind @holder, if it fits there. */
static bool fits_behind(const struct cma_holder *holder,
			const struct cma_range_req *want, unsigned long *start)
{
	unsigned long begin = max(cma_holder_end(holder), want->min_start);
	unsigned long end = cma_holder_end(holder) + holder->hole;

	if (begin >= end || want->nr_pages > end - begin)
		return false;
	*start = start_above(want, begin);
	/* Behind the last page there is the first one. */
	return *start >= begin && *start <= end - want->nr_pages;
}

/* A window contains an aligned block of this order at least. */
static unsigned int block_needed(const struct cma_range_req *want)
{
	if (want->align_offset & want->align_mask)
		return 0;
	return min(__fls(want->nr_pages), __fls(want->align_mask + 1));
}

/* An aligned block of this order contains a window for certain. */
static unsigned int block_enough(const struct cma_range_req *want)
{
	const unsigned long order = order_base_2(want->nr_pages +
						 (want->align_offset &
						  want->align_mask));

	return max(order, __fls(want->align_mask + 1));
}

static bool has_room(const struct rb_node *node, unsigned long nr_pages,
		     unsigned int block_order)
{
	return node && holder_of(node)->subtree_max.nr_pages >= nr_pages &&
	       holder_of(node)->subtree_max.block_order >= block_order;
}

/*
 * The lowest hole that takes @want. A subtree is entered only when it has a hole
 * large enough, and one with an aligned block as every window has one; a hole
 * may be spoilt by alignment nevertheless, then the walk goes on with the next.
 */
static bool place_first(const struct cma_range *range,
			const struct cma_range_req *want, unsigned long *start)
{
	const unsigned int order = block_needed(want);
	const unsigned long nr_pages = want->nr_pages;
	struct rb_node *node;

	/* Holes in front of min_start are skipped by starting behind them. */
	node = &holder_before(range, max(want->min_start, range->start))->by_start;
	while (node) {
		if (fits_behind(holder_of(node), want, start))
			return true;

		if (has_room(node->rb_right, nr_pages, order)) {
			node = node->rb_right;
			while (has_room(node->rb_left, nr_pages, order))
				node = node->rb_left;
			continue;
		}
		/* Up to the first ancestor that lies to the right. */
		while (rb_parent(node) && node == rb_parent(node)->rb_right)
			node = rb_parent(node);
		node = rb_parent(node);
	}
	return false;
}

/* The lowest hole that takes @want for certain, by an aligned block in it. */
static bool place_in_block(const struct cma_range *range,
			   const struct cma_range_req *want, unsigned long *start)
{
	const unsigned int order = block_enough(want);
	struct rb_node *node = range->holders.rb_node;

	while (has_room(node, 1, order)) {
		if (has_room(node->rb_left, 1, order)) {
			node = node->rb_left;
			continue;
		}
		if (holder_of(node)->hole &&
		    hole_block_order(holder_of(node)) >= order)
			return fits_behind(holder_of(node), want, start);
		node = node->rb_right;
	}
	return false;
}

/* The smallest hole of at least @nr_pages, the lowest among equals. */
static struct rb_node *smallest_hole(const struct cma_range *range,
				     unsigned long nr_pages)
{
	struct rb_node *node = range->holes.rb_node, *smallest = NULL;

	while (node) {
		if (hole_of(node)->hole >= nr_pages) {
			smallest = node;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return smallest;
}

/*
 * The smallest hole that takes @want. Alignment may spoil many holes of about
 * the right size; after a few of them one will do that fits for certain, so that
 * the cost does not grow with the number of holders.
 */
static bool place_best(const struct cma_range *range,
		       const struct cma_range_req *want, unsigned long *start)
{
	struct rb_node *node = smallest_hole(range, want->nr_pages);

	for (int i = 0; node && i < CMA_MAX_MISFITS; i++, node = rb_next(node))
		if (fits_behind(hole_of(node), want, start))
			return true;
	return node && (place_in_block(range, want, start) ||
			place_first(range, want, start));
}

/**
 * cma_range_init() - make a range of which nothing is held
 * @range:	the range
 * @start:	first page
 * @nr_pages:	its size in pages
 */
void cma_range_init(struct cma_range *range, unsigned long start,
		    unsigned long nr_pages)
{
	*range = (struct cma_range) {
		.holders	= RB_ROOT,
		.holes		= RB_ROOT,
		.start		= start,
		.nr_pages	= nr_pages,
		.front.start	= start,
	};
	insert_holder(range, &range->front);
	set_hole(range, &range->front, nr_pages);
}

/**
 * cma_range_place() - where would a request go
 * @range:	the range
 * @want:	the request
 * @start:	set to the first page of the window found
 *
 * Nothing is held by this.
 *
 * Return: true if there is a window.
 */
bool cma_range_place(const struct cma_range *range, const struct cma_range_req *want,
		     unsigned long *start)
{
	if (!want->nr_pages || want->nr_pages > range->nr_pages)
		return false;

	switch (want->fit) {
	case CMA_FIT_FIRST:
		return place_first(range, want, start);
	case CMA_FIT_BEST:
	default:
		return place_best(range, want, start);
	}
}

/* How many windows like @want there are in [@begin, @end) side by side. */
static unsigned long nr_windows(const struct cma_range_req *want,
				unsigned long begin, unsigned long end)
{
	unsigned long pitch = ALIGN(want->nr_pages, want->align_mask + 1);
	unsigned long start = start_above(want, begin);

	if (start < begin || start >= end || end - start < want->nr_pages)
		return 0;
	return (end - start - want->nr_pages) / pitch + 1;
}

/**
 * cma_range_place_packed() - a window near by that leaves room for as many as can be
 * @range:	the range
 * @want:	the request
 * @start:	a window for it that is free
 *
 * A window in the midst of a hole may leave less than another such window needs
 * on either side, where both would have fitted. One that keeps a whole number
 * of windows between itself and the end of the hole never costs more than the
 * place it takes, wherever the others of its size go.
 *
 * Return: @start if it costs no other window; else the next start above it that
 * does not.
 */
unsigned long cma_range_place_packed(const struct cma_range *range,
				     const struct cma_range_req *want,
				     unsigned long start)
{
	const struct cma_holder *before = holder_before(range, start);
	unsigned long begin = cma_holder_end(before);
	unsigned long end = begin + before->hole;
	unsigned long pitch = ALIGN(want->nr_pages, want->align_mask + 1);
	unsigned long last = start_below(want, end - want->nr_pages);

	if (nr_windows(want, begin, start) + 1 +
	    nr_windows(want, start + want->nr_pages, end) >=
	    nr_windows(want, begin, end))
		return start;
	return last - (last - start) / pitch * pitch;
}

/**
 * cma_range_hold() - hold pages
 * @range:	the range
 * @holder:	memory for the record, the range's until it is released
 * @start:	first page
 * @nr_pages:	number of pages
 *
 * A holder of no pages is a border: no window contains the pages on both sides
 * of it.
 *
 * Return: 0, -EINVAL if [@start, @start + @nr_pages) is not within the range,
 * -EBUSY if a part of it is held.
 */
int cma_range_hold(struct cma_range *range, struct cma_holder *holder,
		   unsigned long start, unsigned long nr_pages)
{
	struct cma_holder *before;
	unsigned long hole_end;

	if (start < range->start ||
	    start - range->start >= range->nr_pages ||
	    nr_pages > cma_range_end(range) - start)
		return -EINVAL;

	before = holder_before(range, start);
	hole_end = cma_holder_end(before) + before->hole;
	if (start < cma_holder_end(before) || nr_pages > hole_end - start)
		return -EBUSY;

	holder->start = start;
	holder->nr_pages = nr_pages;
	insert_holder(range, holder);
	set_hole(range, before, start - cma_holder_end(before));
	set_hole(range, holder, hole_end - start - nr_pages);
	WRITE_ONCE(range->nr_held, range->nr_held + nr_pages);
	range->nr_holders++;
	return 0;
}

/**
 * cma_range_release() - let go of what a holder holds
 * @range:	the range
 * @holder:	the holder; its memory is the caller's again
 */
void cma_range_release(struct cma_range *range, struct cma_holder *holder)
{
	struct cma_holder *before = holder_of(rb_prev(&holder->by_start));
	unsigned long freed = holder->nr_pages + holder->hole;

	if (holder->hole)
		rb_erase(&holder->by_hole, &range->holes);
	rb_erase_augmented(&holder->by_start, &range->holders,
			   &most_room_callbacks);
	set_hole(range, before, before->hole + freed);
	WRITE_ONCE(range->nr_held, range->nr_held - holder->nr_pages);
	range->nr_holders--;
}

/**
 * cma_range_trim() - let go of the first pages of a holder
 * @range:	the range
 * @holder:	the holder, which goes on with the rest
 * @nr_pages:	how many pages; fewer than it holds
 */
void cma_range_trim(struct cma_range *range, struct cma_holder *holder,
		    unsigned long nr_pages)
{
	struct cma_holder *before = holder_of(rb_prev(&holder->by_start));
	unsigned long hole = holder->hole;

	if (WARN_ON_ONCE(nr_pages >= holder->nr_pages))
		return;

	/* The order of the holders stays, so the address tree does too. */
	set_hole(range, holder, 0);
	holder->start += nr_pages;
	holder->nr_pages -= nr_pages;
	set_hole(range, holder, hole);
	set_hole(range, before, before->hole + nr_pages);
	WRITE_ONCE(range->nr_held, range->nr_held - nr_pages);
}

/**
 * cma_range_find() - who holds a page
 * @range:	the range
 * @page:	page number
 *
 * Return: the holder, or NULL if the page is free or not of this range.
 */
struct cma_holder *cma_range_find(const struct cma_range *range,
				  unsigned long page)
{
	struct cma_holder *holder;

	if (page < range->start || page - range->start >= range->nr_pages)
		return NULL;
	holder = holder_before(range, page);
	return page < cma_holder_end(holder) ? holder : NULL;
}

/**
 * cma_range_from() - the first holder that starts at a page or above
 * @range:	the range
 * @page:	page number
 *
 * Return: the holder; NULL if there is none.
 */
struct cma_holder *cma_range_from(const struct cma_range *range,
				  unsigned long page)
{
	struct cma_holder *holder = holder_before(range, page);

	if (!holder)
		holder = holder_of(rb_first(&range->holders));
	if (holder != &range->front && holder->start >= page)
		return holder;
	return cma_range_next(range, holder);
}

/**
 * cma_range_next() - walk the holders by address
 * @range:	the range
 * @holder:	the holder before, NULL for the first
 *
 * Return: the next holder, NULL behind the last one.
 */
struct cma_holder *cma_range_next(const struct cma_range *range,
				  const struct cma_holder *holder)
{
	struct rb_node *node;

	node = rb_next(holder ? &holder->by_start : &range->front.by_start);
	return node ? holder_of(node) : NULL;
}

/**
 * cma_range_widest_hole() - the largest run of pages that nobody holds
 * @range:	the range
 *
 * Return: pages.
 */
unsigned long cma_range_widest_hole(const struct cma_range *range)
{
	return holder_of(range->holders.rb_node)->subtree_max.nr_pages;
}

/**
 * cma_range_valid() - check every invariant of a range
 * @range:	the range
 *
 * For tests and debugging; linear in the number of holders.
 *
 * Return: true if all of them hold.
 */
bool cma_range_valid(const struct cma_range *range)
{
	unsigned long page = range->start, held = 0, holders = 0, holes = 0;
	struct rb_node *node;

	for (node = rb_first(&range->holders); node; node = rb_next(node)) {
		struct cma_holder *holder = holder_of(node);
		struct cma_room room = subtree_max_below(holder);
		bool is_front = holder == &range->front;

		if (holder->start != page || (holder->nr_pages && is_front) ||
		    !subtree_max_is(room, holder->subtree_max))
			return false;
		page = cma_holder_end(holder) + holder->hole;
		held += holder->nr_pages;
		holders += !is_front;
		holes += !!holder->hole;
	}
	for (node = rb_first(&range->holes); node; node = rb_next(node), holes--) {
		struct rb_node *next = rb_next(node);

		if (!hole_of(node)->hole || (next && !hole_less(node, next)))
			return false;
	}
	return page == cma_range_end(range) && held == range->nr_held &&
	       holders == range->nr_holders && !holes;
}
