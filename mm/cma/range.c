// SPDX-License-Identifier: GPL-2.0
/*
 * A range of pages: which are held, and where a request may go.
 *
 * There are two red-black trees, as in drm_mm and for vmalloc areas. The first
 * has all holders by address. Each holder knows the hole behind it. It also
 * knows maxima over the holes of its subtree: the widest one and the largest
 * aligned block. So one descent finds the lowest hole that fits. The second
 * tree has the holders that are followed by a hole, by its size, so one descent
 * finds the smallest hole. Place, hold, release and find are O(log n) in the
 * number of holders.
 *
 * No locks: the caller serialises, an area with cma->lock. Nothing is
 * allocated: the caller supplies the holder, so a release can neither fail nor
 * sleep. Units are pages.
 */
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/rbtree_augmented.h>

#include "range.h"

#define holder_of(node)		rb_entry((node), struct cma_holder, by_start)
#define hole_of(node)		rb_entry((node), struct cma_holder, by_hole)

/*
 * Return: order of the largest naturally aligned block in the hole behind
 * @holder. It ends or starts at the most aligned page boundary in the hole.
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

/* Return: maxima over the holes in the subtree of @holder, its own included. */
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

/* Return: true if nothing changed, so the walk up the tree may stop. */
static bool update_subtree_max(struct cma_holder *holder, bool may_stop)
{
	struct cma_room room = subtree_max_below(holder);

	if (may_stop && subtree_max_is(room, holder->subtree_max))
		return true;
	holder->subtree_max = room;
	return false;
}

RB_DECLARE_CALLBACKS(static, subtree_max_callbacks, struct cma_holder, by_start,
		     subtree_max, update_subtree_max)

static bool hole_less(struct rb_node *a, const struct rb_node *b)
{
	const struct cma_holder *x = hole_of(a), *y = hole_of(b);

	if (x->hole != y->hole)
		return x->hole < y->hole;
	return x->start < y->start;
}

/* Set the size of the hole behind @holder, and update both trees. */
static void set_hole(struct cma_range *range, struct cma_holder *holder,
		     unsigned long hole)
{
	if (holder->hole)
		rb_erase(&holder->by_hole, &range->holes);
	holder->hole = hole;
	if (hole)
		rb_add(&holder->by_hole, &range->holes, hole_less);
	subtree_max_callbacks_propagate(&holder->by_start, NULL);
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
			    &subtree_max_callbacks);
}

/* Return: last holder that starts at or before @page; may be range->front. */
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

/* Return: the first aligned page at or above @page; may wrap around. */
static unsigned long start_above(const struct cma_range_req *req,
				 unsigned long page)
{
	return page + ((req->align_offset - page) & req->align_mask);
}

/* Return: the last aligned page at or below @page. */
static unsigned long start_below(const struct cma_range_req *req,
				 unsigned long page)
{
	return page - ((page - req->align_offset) & req->align_mask);
}

/* Return: true if @req fits in the hole behind @holder; then set @start. */
static bool fits_behind(const struct cma_holder *holder,
			const struct cma_range_req *req, unsigned long *start)
{
	unsigned long begin = max(cma_holder_end(holder), req->min_start);
	unsigned long end = cma_holder_end(holder) + holder->hole;

	if (begin >= end || req->nr_pages > end - begin)
		return false;
	*start = start_above(req, begin);
	/* start_above() may wrap around. */
	return *start >= begin && *start <= end - req->nr_pages;
}

/* Return: order of an aligned block that every window for @req contains. */
static unsigned int block_needed(const struct cma_range_req *req)
{
	if (req->align_offset & req->align_mask)
		return 0;
	return min(__fls(req->nr_pages), __fls(req->align_mask + 1));
}

/* Return: order at which every aligned block contains a window for @req. */
static unsigned int block_enough(const struct cma_range_req *req)
{
	const unsigned long order = order_base_2(req->nr_pages +
						 (req->align_offset &
						  req->align_mask));

	return max(order, __fls(req->align_mask + 1));
}

static bool subtree_has_room(const struct rb_node *node, unsigned long nr_pages,
			     unsigned int block_order)
{
	return node && holder_of(node)->subtree_max.nr_pages >= nr_pages &&
	       holder_of(node)->subtree_max.block_order >= block_order;
}

/*
 * Find the lowest hole that fits @req. Enter a subtree only if it has a hole
 * that is large enough, and one with an aligned block as large as every window
 * has. Alignment may still make @req misfit in a hole; then go on with the next
 * one.
 */
static bool place_first(const struct cma_range *range,
			const struct cma_range_req *req, unsigned long *start)
{
	const unsigned int order = block_needed(req);
	const unsigned long nr_pages = req->nr_pages;
	struct rb_node *node;

	/* Start at the hole that has min_start: those before it are too low. */
	node = &holder_before(range,
			      max(req->min_start, range->start))->by_start;
	while (node) {
		if (fits_behind(holder_of(node), req, start))
			return true;

		if (subtree_has_room(node->rb_right, nr_pages, order)) {
			node = node->rb_right;
			while (subtree_has_room(node->rb_left, nr_pages, order))
				node = node->rb_left;
			continue;
		}
		/* Go up to the first ancestor with a higher address. */
		while (rb_parent(node) && node == rb_parent(node)->rb_right)
			node = rb_parent(node);
		node = rb_parent(node);
	}
	return false;
}

/* Find the lowest hole with an aligned block that must contain a window. */
static bool place_in_block(const struct cma_range *range,
			   const struct cma_range_req *req,
			   unsigned long *start)
{
	const unsigned int order = block_enough(req);
	struct rb_node *node = range->holders.rb_node;

	while (subtree_has_room(node, 1, order)) {
		if (subtree_has_room(node->rb_left, 1, order)) {
			node = node->rb_left;
			continue;
		}
		if (holder_of(node)->hole &&
		    hole_block_order(holder_of(node)) >= order)
			return fits_behind(holder_of(node), req, start);
		node = node->rb_right;
	}
	return false;
}

/* Return: smallest hole of at least @nr_pages, the lowest among equals. */
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
 * Find the smallest hole that fits @req. Alignment may make it misfit in many
 * holes of about the right size. After a few of these, take a hole that is
 * known to fit, so that the cost does not grow with the number of holders.
 */
static bool place_best(const struct cma_range *range,
		       const struct cma_range_req *req, unsigned long *start)
{
	struct rb_node *node = smallest_hole(range, req->nr_pages);

	for (int i = 0; node && i < CMA_MAX_MISFITS; i++, node = rb_next(node))
		if (fits_behind(hole_of(node), req, start))
			return true;
	return node && (place_in_block(range, req, start) ||
			place_first(range, req, start));
}

/**
 * cma_range_init() - make a range of which nothing is held
 * @range:	the range
 * @start:	first page
 * @nr_pages:	number of pages
 *
 * Context: Any; the caller serialises.
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
 * cma_range_place() - find a window for a request, without holding it
 * @range:	the range
 * @req:	the request
 * @start:	set to the first page of the window
 *
 * Context: Any; the caller serialises.
 * Return: true if there is a window; false if not, or if the request is empty.
 */
bool cma_range_place(const struct cma_range *range,
		     const struct cma_range_req *req, unsigned long *start)
{
	if (!req->nr_pages || req->nr_pages > range->nr_pages)
		return false;

	switch (req->fit) {
	case CMA_FIT_FIRST:
		return place_first(range, req, start);
	case CMA_FIT_BEST:
	default:
		return place_best(range, req, start);
	}
}

/* Return: number of windows that fit side by side in [@begin, @end). */
static unsigned long nr_windows(const struct cma_range_req *req,
				unsigned long begin, unsigned long end)
{
	unsigned long pitch = ALIGN(req->nr_pages, req->align_mask + 1);
	unsigned long start = start_above(req, begin);

	if (start < begin || start >= end || end - start < req->nr_pages)
		return 0;
	return (end - start - req->nr_pages) / pitch + 1;
}

/**
 * cma_range_place_packed() - find a window near by that costs no other window
 * @range:	the range
 * @req:	the request
 * @start:	first page of a free window for it
 *
 * A window in the middle of a hole may leave too little for another one of its
 * size on either side, where both would have fitted. This cannot happen if a
 * whole number of such windows fits between the window and the end of the hole.
 *
 * Context: Any; the caller serialises.
 * Return: @start if this window costs no other one; otherwise the next start
 * above it at which it does not.
 */
unsigned long cma_range_place_packed(const struct cma_range *range,
				     const struct cma_range_req *req,
				     unsigned long start)
{
	const struct cma_holder *before = holder_before(range, start);
	unsigned long begin = cma_holder_end(before);
	unsigned long end = begin + before->hole;
	unsigned long pitch = ALIGN(req->nr_pages, req->align_mask + 1);
	unsigned long last = start_below(req, end - req->nr_pages);

	if (nr_windows(req, begin, start) + 1 +
	    nr_windows(req, start + req->nr_pages, end) >=
	    nr_windows(req, begin, end))
		return start;
	return last - (last - start) / pitch * pitch;
}

/**
 * cma_range_hold() - hold pages
 * @range:	the range
 * @holder:	memory for the record; must stay valid until cma_range_release()
 * @start:	first page
 * @nr_pages:	number of pages
 *
 * A holder of no pages is a border: no window crosses it.
 *
 * Context: Any; the caller serialises.
 * Return: 0; -EINVAL if [@start, @start + @nr_pages) is not within the range;
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
 * cma_range_release() - release all pages of a holder
 * @range:	the range
 * @holder:	the holder; the caller may free its memory afterwards
 *
 * Context: Any; the caller serialises.
 */
void cma_range_release(struct cma_range *range, struct cma_holder *holder)
{
	struct cma_holder *before = holder_of(rb_prev(&holder->by_start));
	unsigned long freed = holder->nr_pages + holder->hole;

	if (holder->hole)
		rb_erase(&holder->by_hole, &range->holes);
	rb_erase_augmented(&holder->by_start, &range->holders,
			   &subtree_max_callbacks);
	set_hole(range, before, before->hole + freed);
	WRITE_ONCE(range->nr_held, range->nr_held - holder->nr_pages);
	range->nr_holders--;
}

/**
 * cma_range_trim() - release the first pages of a holder
 * @range:	the range
 * @holder:	the holder; keeps the rest
 * @nr_pages:	number of pages to release, fewer than it holds
 *
 * Context: Any; the caller serialises.
 */
void cma_range_trim(struct cma_range *range, struct cma_holder *holder,
		    unsigned long nr_pages)
{
	struct cma_holder *before = holder_of(rb_prev(&holder->by_start));
	unsigned long hole = holder->hole;

	if (WARN_ON_ONCE(nr_pages >= holder->nr_pages))
		return;

	/* The holders stay in order, so the address tree needs no change. */
	set_hole(range, holder, 0);
	holder->start += nr_pages;
	holder->nr_pages -= nr_pages;
	set_hole(range, holder, hole);
	set_hole(range, before, before->hole + nr_pages);
	WRITE_ONCE(range->nr_held, range->nr_held - nr_pages);
}

/**
 * cma_range_find() - find the holder of a page
 * @range:	the range
 * @page:	page number
 *
 * Context: Any; the caller serialises.
 * Return: the holder, or NULL if the page is free or not in this range.
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
 * cma_range_from() - find the first holder that starts at or above a page
 * @range:	the range
 * @page:	page number
 *
 * Context: Any; the caller serialises.
 * Return: the holder, or NULL if there is none.
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
 * @holder:	the holder before; NULL to start
 *
 * Context: Any; the caller serialises.
 * Return: the next holder, or NULL after the last one.
 */
struct cma_holder *cma_range_next(const struct cma_range *range,
				  const struct cma_holder *holder)
{
	struct rb_node *node;

	node = rb_next(holder ? &holder->by_start : &range->front.by_start);
	return node ? holder_of(node) : NULL;
}

/**
 * cma_range_widest_hole() - size of the largest hole
 * @range:	the range
 *
 * Context: Any; the caller serialises.
 * Return: number of pages.
 */
unsigned long cma_range_widest_hole(const struct cma_range *range)
{
	return holder_of(range->holders.rb_node)->subtree_max.nr_pages;
}

/**
 * cma_range_valid() - check every invariant of a range
 * @range:	the range
 *
 * This is for tests, and is linear in the number of holders.
 *
 * Context: Any; the caller serialises.
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
	for (node = rb_first(&range->holes); node;
	     node = rb_next(node), holes--) {
		struct rb_node *next = rb_next(node);

		if (!hole_of(node)->hole || (next && !hole_less(node, next)))
			return false;
	}
	return page == cma_range_end(range) && held == range->nr_held &&
	       holders == range->nr_holders && !holes;
}
