// SPDX-License-Identifier: GPL-2.0
/*
 * Counts what lies outside of areas, and says when reclaim helps nobody.
 *
 * When nothing movable is left outside, reclaim of LRU pages is futile for
 * allocations that cannot use areas: reclaimable pages then all lie in areas.
 *
 * No lock: the counters change meanwhile, and all answers are estimates. Units
 * are pages.
 */
#include <linux/cma-lru.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/swap.h>
#include <linux/vmstat.h>

#include "kernel.h"
#include "contig.h"
#include "hooks.h"

/* Free pages that are left in areas, for those who are faster. */
#define FILL_LEFT	64

/*
 * To reclaim less than this part of the LRU pages, or this many pages, all
 * others would be reclaimed first.
 */
#define FUTILE_PART	64
#define FUTILE_MAX	1024

static long nr_anon_outside(struct zone *zone)
{
	return (long)zone_page_state_snapshot(zone, NR_ZONE_INACTIVE_ANON) +
	       (long)zone_page_state_snapshot(zone, NR_ZONE_ACTIVE_ANON) -
	       (long)contig_zone_lru(zone, LRU_INACTIVE_ANON);
}

static long nr_file_outside(struct zone *zone)
{
	return (long)zone_page_state_snapshot(zone, NR_ZONE_INACTIVE_FILE) +
	       (long)zone_page_state_snapshot(zone, NR_ZONE_ACTIVE_FILE) -
	       (long)contig_zone_lru(zone, LRU_INACTIVE_FILE);
}

/**
 * contig_nr_lru_outside() - count evictable LRU pages outside of areas
 * @zone:	the zone
 * @anon_only:	no pages of files
 *
 * Context: Any.
 * Return: number of pages.
 */
unsigned long contig_nr_lru_outside(struct zone *zone, bool anon_only)
{
	long nr_pages = nr_anon_outside(zone);

	if (!anon_only)
		nr_pages += nr_file_outside(zone);
	return max(0L, nr_pages);
}

/**
 * contig_nr_movable_outside() - count LRU pages that may move into areas
 * @zone:	the zone
 *
 * Pages that were found stuck do not count until a second has passed. What held
 * them may be over then, and others may have taken the place of those that are
 * gone.
 *
 * Context: Any.
 * Return: number of pages.
 */
unsigned long contig_nr_movable_outside(struct zone *zone)
{
	unsigned long nr_pages = contig_nr_lru_outside(zone, false);
	unsigned long nr_stuck = READ_ONCE(zone->fill_nr_stuck);

	if (!nr_stuck)
		return nr_pages;
	if (time_after(jiffies, READ_ONCE(zone->fill_stuck_jiffies) + HZ))
		nr_stuck = 0;
	nr_stuck = min(nr_pages, nr_stuck);
	WRITE_ONCE(zone->fill_nr_stuck, nr_stuck);
	return nr_pages - nr_stuck;
}

/**
 * contig_nr_outside() - count pages that a move or reclaim can make free for
 * allocations that cannot use areas
 * @zone:	the zone
 *
 * Context: Any.
 * Return: number of pages: those that may move, or those that can be reclaimed,
 * whichever are more.
 */
unsigned long contig_nr_outside(struct zone *zone)
{
	long nr_reclaimable = nr_file_outside(zone) +
			      min(nr_anon_outside(zone), get_nr_swap_pages());

	return max3(0L, (long)contig_nr_movable_outside(zone), nr_reclaimable);
}

/**
 * contig_nr_room() - count free pages of areas
 * @zone:	the zone
 *
 * Context: Any.
 * Return: number of pages, less those that are best left alone.
 */
unsigned long contig_nr_room(struct zone *zone)
{
	long nr_pages = zone_page_state(zone, NR_FREE_CMA_PAGES);

	return max(0L, nr_pages - FILL_LEFT);
}

/**
 * contig_nr_room_for() - count free pages of areas for pages of some zone
 * @target_zone: the zone of the areas
 * @zone:	the zone of the pages
 *
 * Pages of another zone take no more than an allocation would take that falls
 * back from there.
 *
 * Context: Any.
 * Return: number of pages.
 */
unsigned long contig_nr_room_for(struct zone *target_zone, struct zone *zone)
{
	unsigned long nr_free, nr_kept;

	if (target_zone == zone)
		return contig_nr_room(zone);
	nr_free = zone_page_state(target_zone, NR_FREE_PAGES);
	nr_kept = low_wmark_pages(target_zone) +
		  target_zone->lowmem_reserve[zone_idx(zone)];
	return min(contig_nr_room(target_zone),
		   nr_free - min(nr_free, nr_kept));
}

/**
 * contig_find_room() - find areas that pages of a zone may move to
 * @zone:	the zone
 *
 * Context: Any.
 * Return: the zone itself if its areas have room, or another one of its node, as
 * high as possible, as for allocations; NULL if there is none.
 */
struct zone *contig_find_room(struct zone *zone)
{
	struct zone *zones = zone->zone_pgdat->node_zones;

	if (contig_nr_room(zone) >= CONTIG_FILL_MIN)
		return zone;
	for (int i = MAX_NR_ZONES - 1; i >= 0; i--)
		if (contig_nr_room_for(&zones[i], zone) >= CONTIG_FILL_MIN)
			return &zones[i];
	return NULL;
}

/* Return: true if next to all evictable LRU pages of a node lie in areas. */
static bool all_evictable_in_areas(struct pglist_data *node,
				   int highest_zoneidx)
{
	unsigned long nr_outside = 0, nr_in_areas = 0;

	for (int i = 0; i <= highest_zoneidx; i++) {
		struct zone *zone = &node->node_zones[i];

		if (zone->cma_pages)
			nr_in_areas += contig_zone_lru(zone, LRU_INACTIVE_ANON) +
				       contig_zone_lru(zone, LRU_INACTIVE_FILE);
	}
	if (!nr_in_areas)
		return false;

	for (int i = 0; i <= highest_zoneidx; i++)
		if (managed_zone(&node->node_zones[i]))
			nr_outside += contig_nr_outside(&node->node_zones[i]);
	return nr_outside < clamp(nr_in_areas / FUTILE_PART, CONTIG_FILL_MIN,
				  FUTILE_MAX);
}

/* Do those who can use areas find memory above the high watermark? */
static bool movable_is_plenty(struct pglist_data *node, int highest_zoneidx)
{
	for (int i = 0; i <= highest_zoneidx; i++) {
		struct zone *zone = &node->node_zones[i];

		if (managed_zone(zone) &&
		    zone_watermark_ok(zone, 0, high_wmark_pages(zone),
				      highest_zoneidx, ALLOC_CMA))
			return true;
	}
	return false;
}

/**
 * contig_reclaim_is_futile() - would reclaim of LRU pages help nobody
 * @node:	of this node
 * @highest_zoneidx: of this zone, and those below it
 *
 * The caller reclaims for allocations that cannot use areas. kswapd reclaims
 * for others, too.
 *
 * Context: Any.
 * Return: true if all that can be reclaimed lies in areas.
 */
bool contig_reclaim_is_futile(struct pglist_data *node, int highest_zoneidx)
{
	return all_evictable_in_areas(node, highest_zoneidx) &&
	       (!current_is_kswapd() ||
		movable_is_plenty(node, highest_zoneidx));
}

/**
 * contig_nothing_to_reclaim() - may kswapd sleep though a zone is short
 * @node:	of this node
 * @highest_zoneidx: of this zone, and those below it
 *
 * The caller knows that those who can use areas find memory. Slab caches never
 * get empty; kswapd is of use as long as they hold more than it aims at.
 *
 * Context: Any.
 * Return: true if reclaim would find next to nothing.
 */
bool contig_nothing_to_reclaim(struct pglist_data *node, int highest_zoneidx)
{
	unsigned long nr_aim = 0;

	for (int i = 0; i <= highest_zoneidx; i++)
		nr_aim += high_wmark_pages(&node->node_zones[i]);
	return all_evictable_in_areas(node, highest_zoneidx) &&
	       node_page_state_pages(node, NR_SLAB_RECLAIMABLE_B) < nr_aim;
}

/**
 * contig_boost_is_futile() - would a boost of the watermarks help nobody
 * @zone:	the zone
 *
 * The page allocator boosts the watermarks when it takes pages from pageblocks
 * of another type, so that kswapd reclaims a pageblock before memory is short. But
 * as long as areas of the node have room for one, pages that could be reclaimed
 * can be moved instead, when memory is short. And if all that kswapd could reclaim
 * lies in areas, requests that cannot use areas only see less memory: each of them
 * reclaims in vain before it gets a page that was free all the time.
 *
 * Context: Any; the caller holds zone->lock.
 * Return: true if the watermarks should stay as they are.
 */
bool contig_boost_is_futile(struct zone *zone)
{
	struct zone *target_zone = contig_find_room(zone);

	if (target_zone &&
	    contig_nr_room_for(target_zone, zone) >= pageblock_nr_pages &&
	    contig_nr_movable_outside(zone) >= CONTIG_FILL_MIN)
		return true;
	return contig_nothing_to_reclaim(zone->zone_pgdat, zone_idx(zone));
}
