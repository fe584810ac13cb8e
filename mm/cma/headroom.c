// SPDX-License-Identifier: GPL-2.0
/*
 * Headroom: free pages of an area that programs fill last.
 *
 * A driver that had buffers a moment ago most likely wants them back: a camera
 * takes its frames again with the next picture. If programs had filled the area
 * meanwhile, all of them would have to move. So movable allocations look at
 * other pages of a zone first, while the areas of this zone have no more free
 * pages than headroom. If other pages are used up, or so few that the kernel
 * would begin to reclaim, they take headroom as well: nothing is reclaimed to
 * keep it free. See cma_take_preferred().
 *
 * Drivers need what they had at most in the last minute. What they have of it
 * now is no headroom. They have cached buffers, too. The minute is a row of
 * periods, of which each has a peak. While a peak is above what drivers have,
 * work begins a new period every ten seconds. Otherwise no work runs.
 *
 * The page allocator knows a zone, and not which area a page is of. So the
 * headroom of all areas of a zone is added up, and it is free pages of any of
 * them that programs leave alone: those at the lowest addresses.
 *
 * cma->lock covers struct cma_headroom and nr_headroom of the banks. The page
 * allocator reads zone->cma_headroom without a lock. Units are pages.
 */
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/vmstat.h>
#include <linux/workqueue.h>

#include "../contig/kernel.h"
#include "internal.h"
#include "placement.h"

#define PERIOD_MS	(10 * MSEC_PER_SEC)

/**
 * cma_headroom_wanted() - how large the headroom of an area should be
 * @headroom:	of the area
 *
 * Context: Any; the caller serialises.
 * Return: number of pages.
 */
unsigned long cma_headroom_wanted(const struct cma_headroom *headroom)
{
	unsigned long nr_needed = min(max(headroom->peak, headroom->min_pages),
				      headroom->max_pages);

	return max(nr_needed, headroom->nr_used) - headroom->nr_used;
}

/**
 * cma_headroom_count() - note that drivers have more or fewer pages
 * @headroom:	of the area
 * @nr_pages:	so many more; negative for fewer
 *
 * Context: Any; the caller serialises.
 */
void cma_headroom_count(struct cma_headroom *headroom, long nr_pages)
{
	headroom->nr_used += nr_pages;
	headroom->peaks[0] = max(headroom->peaks[0], headroom->nr_used);
	headroom->peak = max(headroom->peak, headroom->nr_used);
}

/**
 * cma_headroom_begin_period() - forget the oldest period, and begin a new one
 * @headroom:	of the area
 *
 * Context: Any; the caller serialises.
 */
void cma_headroom_begin_period(struct cma_headroom *headroom)
{
	headroom->peak = headroom->nr_used;
	for (unsigned int i = CMA_HEADROOM_PERIODS - 1; i; i--) {
		headroom->peaks[i] = headroom->peaks[i - 1];
		headroom->peak = max(headroom->peak, headroom->peaks[i]);
	}
	headroom->peaks[0] = headroom->nr_used;
}

/* Pieces of an area may lie in several zones, on 32 bits for example. */
static void headroom_update_zones(struct cma *cma)
{
	struct cma_headroom *headroom = &cma->headroom;
	unsigned long nr_left = 0;

	lockdep_assert_held(&cma->lock);
	if (headroom->lent)
		nr_left = min(cma_headroom_wanted(headroom), cma->nr_lent);
	if (nr_left == headroom->nr_pages)
		return;
	WRITE_ONCE(headroom->nr_pages, nr_left);
	for (unsigned int i = 0; i < cma->nr_banks; i++) {
		struct cma_bank *bank = &cma->banks[i];
		struct zone *zone = page_zone(pfn_to_page(bank->start_pfn));
		unsigned long nr_pages = min(nr_left, bank->lent_end_pfn -
						      bank->lent_start_pfn);

		atomic_long_add(nr_pages - bank->nr_headroom,
				&zone->cma_headroom);
		bank->nr_headroom = nr_pages;
		nr_left -= nr_pages;
	}
}

static void headroom_update(struct cma *cma)
{
	struct cma_headroom *headroom = &cma->headroom;

	headroom_update_zones(cma);
	if (headroom->lent && headroom->peak > headroom->nr_used &&
	    !delayed_work_pending(&headroom->work))
		queue_delayed_work(system_power_efficient_wq, &headroom->work,
				   msecs_to_jiffies(PERIOD_MS));
}

static void headroom_work(struct work_struct *work)
{
	struct cma *cma = container_of(to_delayed_work(work), struct cma,
				       headroom.work);

	spin_lock_irq(&cma->lock);
	cma_headroom_begin_period(&cma->headroom);
	headroom_update(cma);
	spin_unlock_irq(&cma->lock);
}

/**
 * cma_headroom_init() - set up the headroom of a new area
 * @cma:	the area
 *
 * Context: Boot.
 */
void cma_headroom_init(struct cma *cma)
{
	cma->headroom.max_pages = ULONG_MAX;
	INIT_DELAYED_WORK(&cma->headroom.work, headroom_work);
}

/**
 * cma_headroom_note() - drivers have more or fewer pages of an area
 * @cma:	the area
 * @nr_pages:	so many more; negative for fewer
 *
 * Context: Any but NMI; the caller holds cma->lock.
 */
void cma_headroom_note(struct cma *cma, long nr_pages)
{
	lockdep_assert_held(&cma->lock);
	cma_headroom_count(&cma->headroom, nr_pages);
	headroom_update(cma);
}

/**
 * cma_headroom_set_lent() - programs may use the area, or not
 * @cma:	the area
 * @lent:	true if they may
 *
 * Context: Any but NMI; takes cma->lock.
 */
void cma_headroom_set_lent(struct cma *cma, bool lent)
{
	unsigned long flags;

	spin_lock_irqsave(&cma->lock, flags);
	cma->headroom.lent = lent;
	headroom_update(cma);
	spin_unlock_irqrestore(&cma->lock, flags);
}

/*
 * How many pages of areas programs may take before ordinary pages: what only
 * movable pages can use must not be left over while other requests run dry.
 * Headroom comes first only when there are so few ordinary pages that the kernel
 * would begin to reclaim.
 */
static unsigned long cma_nr_preferred(struct zone *zone)
{
	long nr_free = atomic_long_read(&zone->vm_stat[NR_FREE_CMA_PAGES]);
	long headroom = atomic_long_read(&zone->cma_headroom);
	long nr_outside;

	if (nr_free > headroom)
		return nr_free - headroom;
	nr_outside = (long)zone_page_state(zone, NR_FREE_PAGES) - nr_free -
		     (long)zone->nr_free_highatomic;
	return nr_outside < (long)high_wmark_pages(zone) +
			    zone->lowmem_reserve[ZONE_MOVABLE] ? nr_free : 0;
}

/**
 * cma_take_preferred() - take pages that come before ordinary ones
 * @zone:	the zone; the caller holds zone->lock
 * @order:	order of each page
 * @count:	how many at most
 * @list:	they are added to its tail
 *
 * Context: Any.
 * Return: the number of pages.
 */
unsigned int cma_take_preferred(struct zone *zone, unsigned int order,
				unsigned int count, struct list_head *list)
{
	count = min_t(unsigned long, count, cma_nr_preferred(zone) >> order);
	return contig_buddy_take_bulk(zone, order, count, list);
}

/**
 * cma_take_preferred_page() - take a page that comes before ordinary ones
 * @zone:	the zone; the caller holds zone->lock
 * @order:	order of the page
 *
 * Context: Any.
 * Return: the page; NULL if there is none.
 */
struct page *cma_take_preferred_page(struct zone *zone, unsigned int order)
{
	return cma_nr_preferred(zone) >> order ?
	       contig_buddy_take_in_area(zone, order) : NULL;
}

/**
 * cma_headroom_set_min() - set what drivers need at least
 * @cma:	the area
 * @nr_pages:	number of pages
 *
 * Context: May sleep; takes cma->lock.
 */
void cma_headroom_set_min(struct cma *cma, unsigned long nr_pages)
{
	spin_lock_irq(&cma->lock);
	WRITE_ONCE(cma->headroom.min_pages, nr_pages);
	headroom_update(cma);
	spin_unlock_irq(&cma->lock);
}

/**
 * cma_headroom_set_max() - set what drivers are taken to need at most
 * @cma:	the area
 * @nr_pages:	number of pages; 0 turns headroom off
 *
 * Context: May sleep; takes cma->lock.
 */
void cma_headroom_set_max(struct cma *cma, unsigned long nr_pages)
{
	spin_lock_irq(&cma->lock);
	WRITE_ONCE(cma->headroom.max_pages, nr_pages);
	headroom_update(cma);
	spin_unlock_irq(&cma->lock);
}
