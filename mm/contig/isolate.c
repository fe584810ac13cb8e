// SPDX-License-Identifier: GPL-2.0
/*
 * Isolates the pageblocks of an area, and undoes it.
 *
 * When a pageblock changes its type, its free pages change lists. The kernel
 * finds them by a look at each page of the block. For a window of a few pages
 * that takes longer than the evacuation. In a full area few pages are free, so
 * this walks the free lists instead, as long as they are short.
 *
 * zone->lock covers the type of a block and the lists of its free pages. Units
 * are pages.
 */
#include <linux/mm.h>

#include "kernel.h"
#include "contig.h"
#include "hooks.h"

/*
 * Most entries to look at, of all lists together. One takes about as long as
 * two pages of the block.
 */
#define FEW_ENTRIES	(pageblock_nr_pages / 8)

/*
 * Takes the free pages of a pageblock off their lists. A free block may be
 * larger than a pageblock, and begin before it. Return: false if the lists are
 * too long; pages that were lifted by then are on @lifted.
 */
static bool lift_free_of_block(struct zone *zone, unsigned long start_pfn,
			       int migratetype, struct list_head *lifted)
{
	unsigned long end_pfn = start_pfn + pageblock_nr_pages;
	unsigned int nr_looked = 0;

	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		struct list_head *entries =
			&zone->free_area[order].free_list[migratetype];
		struct page *page, *next;

		list_for_each_entry_safe(page, next, entries, buddy_list) {
			unsigned long pfn = page_to_pfn(page);

			if (++nr_looked > FEW_ENTRIES)
				return false;
			if (pfn >= end_pfn || pfn + (1UL << order) <= start_pfn)
				continue;
			contig_buddy_lift(zone, page, order);
			set_page_private(page, order);
			list_add_tail(&page->lru, lifted);
		}
	}
	return true;
}

static void put_lifted_blocks(struct zone *zone, struct list_head *lifted)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, lifted, lru) {
		unsigned int order = page_private(page);

		list_del(&page->lru);
		set_page_private(page, 0);
		contig_buddy_put(zone, page, order);
	}
}

/* Return: false if the lists are too long; then nothing has changed. */
static bool change_block_type(struct zone *zone, unsigned long start_pfn,
			      int from, int to)
{
	LIST_HEAD(lifted);
	bool done;

	lockdep_assert_held(&zone->lock);
	done = lift_free_of_block(zone, start_pfn, from, &lifted);
	if (done)
		contig_mark_isolated(pfn_to_page(start_pfn),
				     to == MIGRATE_ISOLATE);
	put_lifted_blocks(zone, &lifted);
	return done;
}

static bool isolate_area_block(struct zone *zone, unsigned long start_pfn)
{
	struct page *page = pfn_to_page(start_pfn);
	unsigned long flags;
	bool done = false;

	spin_lock_irqsave(&zone->lock, flags);
	if (is_migrate_cma_page(page))
		done = change_block_type(zone, start_pfn, MIGRATE_CMA,
					 MIGRATE_ISOLATE) ||
		       contig_isolate_block(zone, page);
	zone->nr_isolate_pageblock += done;
	spin_unlock_irqrestore(&zone->lock, flags);
	return done;
}

static void undo_area_block(struct zone *zone, unsigned long start_pfn)
{
	unsigned long flags;
	bool done;

	spin_lock_irqsave(&zone->lock, flags);
	done = change_block_type(zone, start_pfn, MIGRATE_ISOLATE, MIGRATE_CMA);
	zone->nr_isolate_pageblock -= done;
	spin_unlock_irqrestore(&zone->lock, flags);
	if (!done)
		contig_isolate_end(start_pfn, start_pfn + pageblock_nr_pages,
				   MIGRATE_CMA);
}

/**
 * contig_isolate_undo() - give pageblocks of an area their type back
 * @zone:	the zone of all the pages
 * @start_pfn:	of the range that was isolated
 * @end_pfn:	first page behind it
 *
 * Context: Any that may take zone->lock; does not sleep.
 */
void contig_isolate_undo(struct zone *zone, unsigned long start_pfn,
			 unsigned long end_pfn)
{
	unsigned long pfn = pageblock_start_pfn(start_pfn);

	for (; pfn < end_pfn; pfn += pageblock_nr_pages)
		undo_area_block(zone, pfn);
}

/**
 * contig_isolate_range() - isolate the pageblocks of a range of an area
 * @zone:	the zone of all the pages
 * @start_pfn:	first page
 * @end_pfn:	first page behind
 *
 * Needs no check for unmovable pages: an area has none. A folio that reaches
 * over the edge of a pageblock is moved as a whole.
 *
 * Context: Any that may take zone->lock; does not sleep. The caller has a claim
 * on the pageblocks.
 * Return: 0, or -EBUSY if somebody else has isolated one of them.
 */
int contig_isolate_range(struct zone *zone, unsigned long start_pfn,
			 unsigned long end_pfn)
{
	unsigned long pfn = pageblock_start_pfn(start_pfn);

	for (; pfn < end_pfn; pfn += pageblock_nr_pages) {
		if (!isolate_area_block(zone, pfn)) {
			contig_isolate_undo(zone, start_pfn, pfn);
			return -EBUSY;
		}
	}
	return 0;
}
