// SPDX-License-Identifier: GPL-2.0
/*
 * What is left for those who cannot use areas, and what must be.
 *
 * The kernel's own memory, pages that are pinned for long, and the pool that a
 * compressed swap device keeps its data in lie outside of areas, in low memory.
 * Whatever a request reclaims goes there, compressed or as the structures that
 * writing it out takes, and does not come back while the buffer is held. If a
 * driver goes on until nothing is left outside that is free or can be made so,
 * the next page table or network buffer kills a program, and then the next one,
 * until "System is deadlocked on memory". A request fails before the board does:
 * it takes and reclaims nothing outside when what is left would come below the
 * floor.
 *
 * The floor is the high watermark, where kswapd would stop, and a part of the
 * memory outside: what the kernel takes while everything that is left is
 * reclaimed once.
 *
 * What can be reclaimed outside is not counted anywhere. It is what can be
 * reclaimed at all, or what is on the LRU lists and neither in an area nor
 * pinned, whichever is less. Both are upper bounds, so a request is refused only
 * when memory is short for sure: a file in an area may count as one outside. A
 * page that is pinned twice counts twice, so pins may make it less; they matter
 * only as far as they do not fit into high memory.
 *
 * No locks: all of it are counters that change at any time. Units are pages.
 */
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/swap.h>
#include <linux/vmstat.h>

#include "../internal.h"
#include "internal.h"

/* This part of the memory outside of areas has to be left. */
#define FLOOR_PART	32

/**
 * struct outside - memory that is not in areas
 * @free:	free pages, in low memory
 * @anon:	pages of programs, in low memory, areas among it
 * @file:	the same, of files
 * @in_areas:	pages of areas that programs and files have, in low memory
 * @elsewhere:	pages of programs and files that are not in low memory
 * @floor:	what has to be left
 */
struct outside {
	long free;
	long anon;
	long file;
	long in_areas;
	long elsewhere;
	long floor;
};

/* Pages of the areas in this zone that drivers have. */
static long nr_held_in_zone(const struct zone *zone)
{
	long nr_pages = 0;

	for (unsigned int i = 0; i < cma_area_count; i++) {
		const struct cma *cma = &cma_areas[i];
		long gaps = cma->range.nr_pages - cma->nr_pages;

		if (cma->active && READ_ONCE(cma->mode) == CMA_SHARED &&
		    page_zone(pfn_to_page(cma->banks[0].start_pfn)) == zone)
			nr_pages += (long)READ_ONCE(cma->range.nr_held) - gaps;
	}
	return nr_pages;
}

/* Compressed data may be in areas as well. */
static long nr_compressed_in_zone(struct zone *zone)
{
#if IS_ENABLED(CONFIG_ZSMALLOC)
	return zone_page_state(zone, NR_ZSPAGES);
#else
	return 0;
#endif
}

static void floor_add_zone(struct outside *sum, struct zone *zone)
{
	long anon = zone_page_state(zone, NR_ZONE_INACTIVE_ANON) +
		    zone_page_state(zone, NR_ZONE_ACTIVE_ANON);
	long file = zone_page_state(zone, NR_ZONE_INACTIVE_FILE) +
		    zone_page_state(zone, NR_ZONE_ACTIVE_FILE);
	long in_areas = zone_page_state(zone, NR_FREE_CMA_PAGES);
	long outside = zone_managed_pages(zone) - zone->cma_pages;

	if (zone_idx(zone) > ZONE_NORMAL) {
		sum->elsewhere += anon + file;
		return;
	}
	sum->free += zone_page_state(zone, NR_FREE_PAGES) - in_areas;
	sum->anon += anon;
	sum->file += file;
	sum->in_areas += max(0L, (long)zone->cma_pages - in_areas -
			     nr_held_in_zone(zone) - nr_compressed_in_zone(zone));
	sum->floor += high_wmark_pages(zone) + outside / FLOOR_PART;
}

static long nr_pinned_pages(void)
{
	return global_node_page_state(NR_FOLL_PIN_ACQUIRED) -
	       global_node_page_state(NR_FOLL_PIN_RELEASED);
}

/**
 * cma_floor_spare() - what a request may take away from outside of areas
 *
 * Context: Any.
 * Return: number of pages; 0 if those who cannot use areas need what is left,
 * and nothing must be reclaimed for a request either.
 */
unsigned long cma_floor_spare(void)
{
	struct outside sum = { };
	long reclaimable, movable;
	struct zone *zone;

	for_each_populated_zone(zone)
		floor_add_zone(&sum, zone);

	reclaimable = sum.file + min(sum.anon, get_nr_swap_pages());
	movable = sum.file + sum.anon - sum.in_areas -
		  max(0L, nr_pinned_pages() - sum.elsewhere);
	return max(0L, sum.free + max(0L, min(reclaimable, movable)) -
		   sum.floor);
}
