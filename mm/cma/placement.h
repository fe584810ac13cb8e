/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which allocations may live in an area, and when: the page allocator's hooks.
 *
 * Everything here is inline, is called with what the caller has at hand, and
 * is behind a static key that is off until the first area is active: a kernel
 * with CONFIG_CMA and without an area runs straight past. Without CONFIG_CMA
 * nothing is left.
 */
#ifndef _MM_CMA_PLACEMENT_H
#define _MM_CMA_PLACEMENT_H

#include <linux/cma.h>
#include <linux/jump_label.h>
#include <linux/migrate.h>
#include <linux/mmzone.h>
#include <linux/vmstat.h>

#include "../contig/hooks.h"

/*
 * mm/internal.h comes before this: included from here it would go by another
 * name in what it reports, and so change a kernel without CONFIG_CMA.
 */

#ifdef CONFIG_CMA

/* Movable requests may go to an area, no others. */
static inline unsigned int cma_alloc_flags(gfp_t gfp)
{
	if (static_branch_unlikely(&cma_areas_active) &&
	    gfp_migratetype(gfp) == MIGRATE_MOVABLE)
		return ALLOC_CMA;
	return 0;
}

/*
 * True if a request should look into the areas before it takes an ordinary
 * page: when more of the zone's free memory lies in areas than outside, so
 * that what only movable pages can use is not left over in the end while
 * requests that cannot use it run dry. And when they are about to: a kernel
 * without swap ran out of memory with 6 MiB free in an area.
 */
static inline bool cma_prefer_area(struct zone *zone, unsigned int alloc_flags)
{
	long in_areas, outside;

	if (!(alloc_flags & ALLOC_CMA))
		return false;
	/* Each is a sum that CPUs add to in their time: the rest may be < 0. */
	in_areas = zone_page_state(zone, NR_FREE_CMA_PAGES);
	outside = zone_page_state(zone, NR_FREE_PAGES) - in_areas;
	return in_areas > outside || outside < (long)high_wmark_pages(zone);
}

/* Free pages in areas count for nothing where they cannot be used. */
static inline long cma_unusable_free(struct zone *zone,
				     unsigned int alloc_flags)
{
	if (!static_branch_unlikely(&cma_areas_active) ||
	    alloc_flags & ALLOC_CMA)
		return 0;
	return zone_page_state(zone, NR_FREE_CMA_PAGES);
}

/* Whether a free page of this order lies in an area and may be used. */
static inline bool cma_has_free(struct free_area *area,
				unsigned int alloc_flags)
{
	return alloc_flags & ALLOC_CMA && !free_area_empty(area, MIGRATE_CMA);
}

/* NR_FREE_CMA_PAGES is exact: same callers and same lock as NR_FREE_PAGES. */
static inline void cma_account_free(struct zone *zone, int nr_pages,
				    int migratetype)
{
	if (is_migrate_cma(migratetype))
		__mod_zone_page_state(zone, NR_FREE_CMA_PAGES, nr_pages);
}

/* Off the free lists of the areas; a macro for __rmqueue_smallest() is static */
#define cma_rmqueue(zone, order)					\
	__rmqueue_smallest(zone, order, MIGRATE_CMA)

/* A request that reclaims does so itself. */
static inline bool cma_defers_kswapd(const struct zone *zone)
{
	return static_branch_unlikely(&cma_areas_active) &&
	       contig_defers_kswapd(zone);
}

/* Pages that are to be pinned for long leave the areas. */
static inline int cma_migrate_to_pin(struct list_head *folios,
				     unsigned long target)
{
	if (static_branch_unlikely(&cma_areas_active))
		return contig_move_to_pin(folios, target);
	return migrate_pages(folios, alloc_migration_target, NULL, target,
			     MIGRATE_SYNC, MR_LONGTERM_PIN, NULL);
}

static inline void cma_wait_for_pinners(void)
{
	if (static_branch_unlikely(&cma_areas_active))
		contig_wait_to_pin();
}

#else /* !CONFIG_CMA */

static inline unsigned int cma_alloc_flags(gfp_t gfp)
{
	return 0;
}

static inline bool cma_prefer_area(struct zone *zone, unsigned int alloc_flags)
{
	return false;
}

static inline long cma_unusable_free(struct zone *zone,
				     unsigned int alloc_flags)
{
	return 0;
}

static inline bool cma_has_free(struct free_area *area,
				unsigned int alloc_flags)
{
	return false;
}

static inline void cma_account_free(struct zone *zone, int nr_pages,
				    int migratetype)
{
}

static inline struct page *cma_rmqueue(struct zone *zone, unsigned int order)
{
	return NULL;
}

static inline bool cma_defers_kswapd(const struct zone *zone)
{
	return false;
}

static inline int cma_migrate_to_pin(struct list_head *folios,
				     unsigned long target)
{
	return migrate_pages(folios, alloc_migration_target, NULL, target,
			     MIGRATE_SYNC, MR_LONGTERM_PIN, NULL);
}

static inline void cma_wait_for_pinners(void)
{
}

#endif /* CONFIG_CMA */

#endif /* _MM_CMA_PLACEMENT_H */
