// SPDX-License-Identifier: GPL-2.0
/*
 * Lifts ranges of free pages off the buddy lists and gives ranges back.
 *
 * A range is taken whole buddies at a time, split only at its two edges, and
 * given back in the largest aligned blocks that fit. No page is isolated for
 * that and no type of a pageblock changes.
 *
 * Takes zone->lock for one slice of MAX_ORDER_NR_PAGES pages at a time, so that
 * its hold time does not grow with the range. Nor does it grow with
 * MAX_ORDER_NR_PAGES, which is 8192 with pages of 64 KiB: free neighbours are
 * merged, so a free slice is a few buddies, and the walk ends at the first page
 * in use. No buddy reaches from one slice into the next.
 *
 * A page that was taken has no references, is on no list, and still has to be
 * prepared for its owner. Units are pages; ranges are [start, end).
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/page_owner.h>
#include <linux/pgalloc_tag.h>
#include <linux/vmstat.h>

#include "kernel.h"
#include "contig.h"
#include "hooks.h"

/*
 * The largest order that @pfn is aligned to, of a block that does not reach past
 * @end_pfn, which is above @pfn.
 */
static unsigned int buddy_largest_order(unsigned long pfn,
					unsigned long end_pfn)
{
	unsigned int order = min_t(unsigned int, ilog2(end_pfn - pfn),
				   MAX_PAGE_ORDER);

	return pfn ? min_t(unsigned int, order, __ffs(pfn)) : order;
}

#ifdef CONFIG_CMA
/* Whole blocks that are compared; bounds the time with zone->lock held. */
#define WHOLE_BLOCKS_MAX	64

/* A free part of the pageblocks that programs fill, of this order. */
static struct page *find_area_part(struct zone *zone, unsigned int order)
{
	struct list_head *list = &zone->free_area[order].free_list[MIGRATE_CMA];
	struct page *page;

	/* Boot has taken buffers before a program got the first page. */
	if (list_empty(list) || !zone->fill_broken_pfn)
		return NULL;
	page = list_first_entry(list, struct page, buddy_list);
	if (page_to_pfn(page) >= zone->fill_broken_pfn)
		return page;
	page = list_last_entry(list, struct page, buddy_list);
	return page_to_pfn(page) >= zone->fill_broken_pfn ? page : NULL;
}

/* The last free pageblock or larger block, by address. */
static struct page *find_last_area_block(struct zone *zone, unsigned int order)
{
	struct list_head *list = &zone->free_area[order].free_list[MIGRATE_CMA];
	unsigned int nr_left = WHOLE_BLOCKS_MAX;
	struct page *page, *last = NULL;

	list_for_each_entry(page, list, buddy_list) {
		if (!last || page > last)
			last = page;
		if (!--nr_left)
			break;
	}
	if (last)
		zone->fill_broken_pfn = page_to_pfn(last);
	return last;
}

/*
 * Unlinks a free part of an area that has 2^@order pages or more, or its first
 * 2^@max_order pages, and stores the order. Adds to *@nr_unlinked how many pages
 * contig_buddy_count() has yet to be told of.
 */
static struct page *take_area_part(struct zone *zone, unsigned int order,
				   unsigned int max_order,
				   unsigned int *taken_order,
				   unsigned int *nr_unlinked)
{
	struct page *page = NULL;
	unsigned int found;

	for (found = order; found < NR_PAGE_ORDERS; found++) {
		page = found < pageblock_order ?
		       find_area_part(zone, found) :
		       find_last_area_block(zone, found);
		if (page)
			break;
	}
	if (!page) {
		*taken_order = order;
		return contig_buddy_lift_any(zone, order, MIGRATE_CMA);
	}
	*taken_order = min(found, max_order);
	*nr_unlinked += contig_buddy_unlink_part(zone, page, *taken_order,
						 found, MIGRATE_CMA);
	return page;
}

/**
 * contig_buddy_take_bulk() - take free pages of areas for programs
 * @zone:	the zone; the caller holds zone->lock
 * @order:	order of each page
 * @count:	how many at most
 * @list:	they are added to its tail
 *
 * Drivers get windows from the low end of an area, small ones side by side in
 * few pageblocks. So pages for programs come from the end, one pageblock after
 * the other, and not from between buffers as long as a pageblock is free.
 *
 * A free part is unlinked as a whole and cut into pages here, which costs less
 * than to unlink each page.
 *
 * Context: Any.
 * Return: the number of pages; fewer than @count if the areas have no more.
 */
unsigned int contig_buddy_take_bulk(struct zone *zone, unsigned int order,
				    unsigned int count, struct list_head *list)
{
	unsigned int nr_left, taken_order, nr_unlinked = 0;
	struct page *page, *end;

	lockdep_assert_held(&zone->lock);
	for (nr_left = count; nr_left;
	     nr_left -= 1U << (taken_order - order)) {
		page = take_area_part(zone, order, order + ilog2(nr_left),
				      &taken_order, &nr_unlinked);
		if (!page)
			break;
		for (end = page + (1UL << taken_order); page < end;
		     page += 1UL << order)
			list_add_tail(&page->pcp_list, list);
	}
	if (nr_unlinked)
		contig_buddy_count(zone, -(int)nr_unlinked, MIGRATE_CMA);
	return count - nr_left;
}

/**
 * contig_buddy_take_in_area() - take a free page of an area for a program
 * @zone:	the zone; the caller holds zone->lock
 * @order:	order of the page
 *
 * Context: Any.
 * Return: the page, see contig_buddy_take_bulk(); NULL if there is none.
 */
struct page *contig_buddy_take_in_area(struct zone *zone, unsigned int order)
{
	unsigned int taken_order, nr_unlinked = 0;
	struct page *page;

	lockdep_assert_held(&zone->lock);
	page = take_area_part(zone, order, order, &taken_order, &nr_unlinked);
	if (nr_unlinked)
		contig_buddy_count(zone, -(int)nr_unlinked, MIGRATE_CMA);
	return page;
}

/* Whether a pageblock of another type is free, and can become movable. */
static bool ordinary_block_is_free(const struct zone *zone)
{
	for (unsigned int i = pageblock_order; i < NR_PAGE_ORDERS; i++) {
		const struct list_head *lists = zone->free_area[i].free_list;

		if (!list_empty(&lists[MIGRATE_UNMOVABLE]) ||
		    !list_empty(&lists[MIGRATE_RECLAIMABLE]))
			return true;
	}
	return false;
}

/**
 * contig_buddy_take_headroom() - take a free page that is headroom
 * @zone:	the zone, without a free movable page; its lock is held
 * @order:	order of the page
 *
 * Headroom comes before pageblocks of other types become mixed, but after free
 * ones, which become movable as a whole.
 *
 * Context: Any.
 * Return: the page; NULL if there is none, or something comes first.
 */
struct page *contig_buddy_take_headroom(struct zone *zone, unsigned int order)
{
	if (ordinary_block_is_free(zone))
		return NULL;
	return contig_buddy_take_in_area(zone, order);
}
#endif

/**
 * contig_buddy_page_unlisted() - is a page free, but on no buddy list
 * @page:	the page
 *
 * Such a page sits on a per-CPU list or is on its way from or to a list.
 * Without a lock the answer is a guess.
 *
 * Return: true if it seems so.
 */
bool contig_buddy_page_unlisted(const struct page *page)
{
	return !page_ref_count(page) && !PageBuddy(page) && !PageTail(page) &&
	       !PageHuge(page) && !PageHWPoison(page);
}

static bool buddy_block_fits(const struct page *page,
			     enum contig_block_kind kind)
{
	int migratetype = get_pageblock_migratetype(page);

	switch (kind) {
	case CONTIG_BLOCKS_CMA:
		return is_migrate_cma(migratetype);
	case CONTIG_BLOCKS_ISOLATED:
		return is_migrate_isolate(migratetype);
	case CONTIG_BLOCKS_PLAIN:
		break;
	}
	/*
	 * MIGRATE_HIGHATOMIC, the reserve of atomic requests, is counted by
	 * blocks.
	 */
	return !is_migrate_cma(migratetype) &&
	       !is_migrate_isolate(migratetype) &&
	       migratetype != MIGRATE_HIGHATOMIC;
}

/* The free buddy that holds @pfn, or NULL; under zone->lock this is exact. */
static struct page *buddy_holding(unsigned long pfn)
{
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		struct page *head = pfn_to_page(ALIGN_DOWN(pfn, 1UL << order));

		if (PageBuddy(head))
			return buddy_order(head) >= order ? head : NULL;
	}
	return NULL;
}

/* Puts [@pfn, @end) back, in blocks as large as possible. */
static void buddy_put_blocks(struct zone *zone, unsigned long pfn,
			     unsigned long end)
{
	lockdep_assert_held(&zone->lock);

	while (pfn < end) {
		unsigned int order = buddy_largest_order(pfn, end);

		contig_buddy_put(zone, pfn_to_page(pfn), order);
		pfn += 1UL << order;
	}
}

/* The lock is dropped at the end of each slice. */
static unsigned long buddy_slice_end(unsigned long pfn, unsigned long end_pfn)
{
	return min(end_pfn, ALIGN(pfn + 1, MAX_ORDER_NR_PAGES));
}

/* Return: @end if the slice was free and is taken, else the page in the way. */
static unsigned long buddy_take_slice(struct zone *zone, unsigned long start,
				      unsigned long end,
				      enum contig_block_kind kind)
{
	struct page *head;
	unsigned long pfn;

	lockdep_assert_held(&zone->lock);

	for (pfn = start; pfn < end; ) {
		head = pfn == start ? buddy_holding(pfn) : pfn_to_page(pfn);
		if (!head || !PageBuddy(head) || !buddy_block_fits(head, kind))
			return pfn;
		pfn = page_to_pfn(head) + (1UL << buddy_order(head));
	}

	for (pfn = start; pfn < end; ) {
		unsigned long head_pfn, head_end;

		head = pfn == start ? buddy_holding(pfn) : pfn_to_page(pfn);
		head_pfn = page_to_pfn(head);
		head_end = head_pfn + (1UL << buddy_order(head));
		contig_buddy_lift(zone, head, buddy_order(head));
		buddy_put_blocks(zone, head_pfn, start);
		buddy_put_blocks(zone, end, head_end);
		pfn = head_end;
	}
	return end;
}

/*
 * Puts pages on the buddy lists, none if @end_pfn is not above @start_pfn. They
 * have no references and are prepared for being free (free_pages_prepare()).
 */
static void buddy_give_range(struct zone *zone, unsigned long start_pfn,
			     unsigned long end_pfn)
{
	unsigned long pfn = start_pfn, flags;

	while (pfn < end_pfn) {
		unsigned long slice_end = buddy_slice_end(pfn, end_pfn);

		spin_lock_irqsave(&zone->lock, flags);
		buddy_put_blocks(zone, pfn, slice_end);
		spin_unlock_irqrestore(&zone->lock, flags);
		pfn = slice_end;
	}
}

/**
 * contig_buddy_take_range() - lift a range of free pages off the buddy lists
 * @zone:	the zone of all the pages
 * @start_pfn:	first page
 * @end_pfn:	first page behind
 * @kind:	of the pageblocks
 *
 * All or nothing: if a page is not free, those taken before it go back.
 *
 * Context: Any that may take zone->lock; does not sleep.
 * Return: @end_pfn on success, otherwise the first page that is not on a buddy
 * list or not in a pageblock of @kind.
 */
unsigned long contig_buddy_take_range(struct zone *zone,
				      unsigned long start_pfn,
				      unsigned long end_pfn,
				      enum contig_block_kind kind)
{
	unsigned long pfn = start_pfn, flags;

	if (contig_should_fail(CONTIG_FAIL_TAKE))
		return start_pfn;

	while (pfn < end_pfn) {
		unsigned long slice_end = buddy_slice_end(pfn, end_pfn);
		unsigned long stop;

		spin_lock_irqsave(&zone->lock, flags);
		stop = buddy_take_slice(zone, pfn, slice_end, kind);
		spin_unlock_irqrestore(&zone->lock, flags);
		if (stop != slice_end) {
			buddy_give_range(zone, start_pfn, pfn);
			return stop;
		}
		pfn = slice_end;
	}
	return end_pfn;
}

/*
 * split_page() wants references. Pages of a range are not charged to a memory
 * cgroup: check_contig_request() refuses __GFP_ACCOUNT.
 */
static void buddy_split_frozen(struct page *page, unsigned int order)
{
	split_page_owner(page, order, 0);
	pgalloc_tag_split(page_folio(page), order, 0);
}

/**
 * contig_buddy_prepare_range() - prepare pages that were taken
 * @pfn:	first page
 * @end_pfn:	first page behind
 * @gfp:	how to prepare them
 * @frozen:	give them no references
 *
 * Afterwards each is a page of its own, with one reference or none.
 *
 * Context: As @gfp says.
 */
void contig_buddy_prepare_range(unsigned long pfn, unsigned long end_pfn,
				gfp_t gfp, bool frozen)
{
	while (pfn < end_pfn) {
		unsigned int order = buddy_largest_order(pfn, end_pfn);
		struct page *page = pfn_to_page(pfn);

		post_alloc_hook(page, order, gfp, ALLOC_DEFAULT);
		if (frozen) {
			buddy_split_frozen(page, order);
		} else {
			set_page_refcounted(page);
			if (order)
				split_page(page, order);
		}
		pfn += 1UL << order;
		/* Zeroing more than a block takes long. */
		if (order >= pageblock_order && pfn < end_pfn &&
		    gfpflags_allow_blocking(gfp))
			cond_resched();
	}
}

/* Free pages above @mark that a movable allocation could use. */
static unsigned int buddy_nr_spare(struct zone *zone, bool in_areas,
				   unsigned long mark)
{
	long free = zone_page_state(zone, NR_FREE_PAGES) -
		    READ_ONCE(zone->nr_free_highatomic);

	if (!in_areas)
		free -= zone_page_state(zone, NR_FREE_CMA_PAGES);
	mark += zone->lowmem_reserve[zone_idx(zone)];
	return clamp(free - (long)mark, 0L, (long)INT_MAX);
}

/**
 * contig_buddy_pull() - take free pages, wherever they are
 * @zone:	from this zone
 * @kind:	CONTIG_BLOCKS_CMA for pages of areas; CONTIG_BLOCKS_PLAIN for
 *		pages of MIGRATE_MOVABLE blocks
 * @mark:	leave this many pages that the allocation could use
 * @nr_pages:	how many
 * @pages:	where to add them; not yet prepared
 *
 * Takes blocks as large as possible, straight off the free lists.
 *
 * Context: Any that may take zone->lock; does not sleep.
 * Return: how many were taken; 0 if there are no spare ones.
 */
unsigned int contig_buddy_pull(struct zone *zone, enum contig_block_kind kind,
			       unsigned long mark, unsigned int nr_pages,
			       struct list_head *pages)
{
	bool in_areas = kind == CONTIG_BLOCKS_CMA;
	unsigned int order, nr = 0;
	struct page *page;
	unsigned long flags;

	if (in_areas && !IS_ENABLED(CONFIG_CMA))
		return 0;
	nr_pages = min(nr_pages, buddy_nr_spare(zone, in_areas, mark));
	if (!nr_pages)
		return 0;

	order = min(ilog2(nr_pages), MAX_PAGE_ORDER);
	spin_lock_irqsave(&zone->lock, flags);
	while (nr < nr_pages) {
		order = min_t(unsigned int, order, ilog2(nr_pages - nr));
		page = contig_buddy_lift_any(zone, order,
					     contig_migratetype(in_areas));
		if (page) {
			set_page_private(page, order);
			list_add_tail(&page->lru, pages);
			nr += 1U << order;
		} else if (!order--) {
			break;
		}
	}
	spin_unlock_irqrestore(&zone->lock, flags);
	return nr;
}

/* page_owner and allocation profiling have a record of each page. */
static bool pages_have_records(void)
{
#ifdef CONFIG_PAGE_OWNER
	if (static_branch_unlikely(&page_owner_inited))
		return true;
#endif
	return mem_alloc_profiling_enabled();
}

/**
 * contig_buddy_free_range() - free pages that have no reference any more
 * @zone:	the zone of all the pages
 * @start_pfn:	first page
 * @end_pfn:	first page behind; nothing happens if it is not above @start_pfn
 *
 * Context: Any that may take zone->lock; does not sleep.
 */
void contig_buddy_free_range(struct zone *zone, unsigned long start_pfn,
			     unsigned long end_pfn)
{
	unsigned long run = start_pfn, pfn = start_pfn;

	if (start_pfn < end_pfn)
		count_vm_events(PGFREE, end_pfn - start_pfn);
	while (pfn < end_pfn) {
		unsigned int order = 0;
		unsigned long next;

		if (!pages_have_records())
			order = buddy_largest_order(pfn, end_pfn);
		next = pfn + (1UL << order);

		/* Bad pages stay off the lists. */
		if (unlikely(!free_pages_prepare(pfn_to_page(pfn), order))) {
			buddy_give_range(zone, run, pfn);
			run = next;
		}
		pfn = next;
	}
	buddy_give_range(zone, run, end_pfn);
}
