// SPDX-License-Identifier: GPL-2.0
/*
 * The floor: memory that is left to allocations that cannot use areas.
 *
 * Kernel memory, pages that are pinned long-term, and the pool of a compressed
 * swap device lie in low memory outside of areas. If a request reclaims pages,
 * their compressed data, or the structures needed to write them out, go there
 * and stay while the buffer is held. A driver could go on until nothing outside
 * is free or reclaimable. Then the next page table or network buffer would kill
 * a program, and so on until "System is deadlocked on memory". So a request
 * fails before the board does: it takes and reclaims nothing outside of areas
 * that would bring the rest below the floor.
 *
 * The floor is the high watermark, where kswapd would stop, plus a part of the
 * memory outside. This part covers allocations of the kernel while all of the
 * rest is reclaimed once.
 *
 * Reclaim of a page in an area helps, too: a page from outside then moves there
 * (mm/contig/fill.c). So what can be made free outside is the smaller one of
 * two numbers: all that is reclaimable anywhere, and the pages on LRU lists
 * outside that are not pinned. A page that is pinned twice counts twice, which
 * makes the second number too small; so pins count only as far as they do not
 * fit into high memory.
 *
 * No locks: the counters change at any time. Units are pages.
 */
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/swap.h>
#include <linux/vmstat.h>

#include "../contig/kernel.h"
#include "internal.h"

/* The floor includes 1/FLOOR_PART of the memory outside of areas. */
#define FLOOR_PART	32

/**
 * struct floor_sum - sums over all zones, in pages
 * @free:	free pages in low memory outside of areas
 * @anon:	anonymous pages on LRU lists in low memory, including areas
 * @file:	file pages on LRU lists in low memory, including areas
 * @in_areas:	anonymous and file pages on LRU lists in areas in low memory
 * @elsewhere:	pages on LRU lists that are not in low memory
 * @floor:	pages that must be left
 */
struct floor_sum {
	long free;
	long anon;
	long file;
	long in_areas;
	long elsewhere;
	long floor;
};

static void floor_add_zone(struct floor_sum *sum, struct zone *zone)
{
	long anon = zone_page_state(zone, NR_ZONE_INACTIVE_ANON) +
		    zone_page_state(zone, NR_ZONE_ACTIVE_ANON);
	long file = zone_page_state(zone, NR_ZONE_INACTIVE_FILE) +
		    zone_page_state(zone, NR_ZONE_ACTIVE_FILE);
	long free_in_areas = zone_page_state(zone, NR_FREE_CMA_PAGES);
	long outside = zone_managed_pages(zone) - zone->cma_pages;

	if (zone_idx(zone) > ZONE_NORMAL) {
		sum->elsewhere += anon + file;
		return;
	}
	sum->free += zone_page_state(zone, NR_FREE_PAGES) -
		     free_in_areas;
	sum->anon += anon;
	sum->file += file;
	sum->in_areas += contig_zone_lru(zone, LRU_INACTIVE_ANON) +
			 contig_zone_lru(zone, LRU_INACTIVE_FILE);
	sum->floor += high_wmark_pages(zone) + outside / FLOOR_PART;
}

static long nr_pinned_pages(void)
{
	return global_node_page_state(NR_FOLL_PIN_ACQUIRED) -
	       global_node_page_state(NR_FOLL_PIN_RELEASED);
}

/**
 * cma_floor_spare() - count pages that a request may take from outside of areas
 *
 * Context: Any.
 * Return: number of pages; 0 if the floor is reached. Then nothing must be
 * reclaimed for a request either.
 */
unsigned long cma_floor_spare(void)
{
	struct floor_sum sum = { };
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
