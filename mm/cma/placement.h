/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hooks of the page allocator: which allocations may use an area, and when.
 *
 * All hooks are inline, and behind a static key that is off until the first
 * area is active. So a kernel with CONFIG_CMA but without an area runs straight
 * past them. Without CONFIG_CMA no code is left.
 */
#ifndef _MM_CMA_PLACEMENT_H
#define _MM_CMA_PLACEMENT_H

#include <linux/cma.h>
#include <linux/jump_label.h>
#include <linux/mmzone.h>
#include <linux/vmstat.h>

#include "../contig/hooks.h"

/*
 * Include mm/internal.h before this file. If this file did so, its warnings
 * would name another path, and a kernel without CONFIG_CMA would change.
 */

#ifdef CONFIG_CMA

/* Only movable requests may use an area. */
static inline bool cma_serves(int migratetype)
{
	return static_branch_unlikely(&cma_areas_active) &&
	       migratetype == MIGRATE_MOVABLE;
}

static inline unsigned int cma_alloc_flags(gfp_t gfp)
{
	return cma_serves(gfp_migratetype(gfp)) ? ALLOC_CMA : 0;
}

/* Free pages in areas that a request without ALLOC_CMA must not count on. */
static inline long cma_unusable_free(struct zone *zone,
				     unsigned int alloc_flags)
{
	if (!static_branch_unlikely(&cma_areas_active) ||
	    alloc_flags & ALLOC_CMA)
		return 0;
	return atomic_long_read(&zone->vm_stat[NR_FREE_CMA_PAGES]);
}

/* True if an area has a free page of this order that the request may use. */
static inline bool cma_has_free(struct free_area *area,
				unsigned int alloc_flags)
{
	return alloc_flags & ALLOC_CMA && !free_area_empty(area, MIGRATE_CMA);
}

/*
 * The fast path of the allocator does not know ALLOC_CMA. A movable request has
 * a second look here before the zone counts as low.
 */
static inline bool cma_watermark_ok(const struct alloc_context *ac,
				    struct zone *zone, unsigned int order,
				    unsigned long mark,
				    unsigned int alloc_flags)
{
	return cma_serves(ac->migratetype) && !(alloc_flags & ALLOC_CMA) &&
	       zone_watermark_ok(zone, order, mark, ac->highest_zoneidx,
				 alloc_flags | ALLOC_CMA);
}

/*
 * NR_FREE_CMA_PAGES is exact: it has the callers and lock of NR_FREE_PAGES. CPUs
 * do not collect changes of it: the lock orders them anyway, and two additions
 * cost less.
 * Return: true if nothing is left to count. Most pages get this answer, and the
 * comparison that they need without areas, too, is not made a second time.
 */
static inline bool cma_account_free(struct zone *zone, int nr_pages,
				    int migratetype)
{
	if (likely(migratetype < MIGRATE_HIGHATOMIC))
		return true;
	if (is_migrate_cma(migratetype))
		zone_page_state_add(nr_pages, zone, NR_FREE_CMA_PAGES);
	return false;
}

/* headroom.c */
unsigned int cma_take_preferred(struct zone *zone, unsigned int order,
				unsigned int count, struct list_head *list);
struct page *cma_take_preferred_page(struct zone *zone, unsigned int order);

/*
 * Movable requests try the areas before ordinary pages. The caller holds
 * zone->lock. Return: how many pages of @order were added to @list.
 */
static inline unsigned int cma_rmqueue_bulk(struct zone *zone,
					    unsigned int order,
					    int migratetype, unsigned int count,
					    struct list_head *list)
{
	return cma_serves(migratetype) ?
	       cma_take_preferred(zone, order, count, list) : 0;
}

/* The same for one page. */
static inline struct page *cma_rmqueue(struct zone *zone, unsigned int order,
				       int migratetype)
{
	return cma_serves(migratetype) ?
	       cma_take_preferred_page(zone, order) : NULL;
}

/*
 * Headroom comes before pageblocks of other types become mixed, but after free
 * ones, which become movable as a whole.
 */
static inline struct page *cma_rmqueue_headroom(struct zone *zone,
						unsigned int order,
						int migratetype)
{
	return cma_serves(migratetype) ?
	       contig_buddy_take_headroom(zone, order) : NULL;
}

/* A request that reclaims itself must not wake kswapd: mm/contig/kswapd.c. */
static inline bool cma_defers_kswapd(const struct zone *zone)
{
	return static_branch_unlikely(&cma_areas_active) &&
	       contig_defers_kswapd(zone);
}

/*
 * Before an allocation that cannot use areas reclaims: make ordinary memory
 * free by moving pages into areas. Return: true to look at the free lists.
 */
static inline bool cma_fill_for(const struct alloc_context *ac, gfp_t gfp,
				unsigned int alloc_flags)
{
	return static_branch_unlikely(&cma_areas_active) &&
	       !(alloc_flags & ALLOC_CMA) && contig_fill_for(ac, gfp);
}

/* And before a program is killed. Return: true to try again. */
static inline bool cma_fill_before_oom(const struct alloc_context *ac,
				       gfp_t gfp, unsigned int order)
{
	return static_branch_unlikely(&cma_areas_active) &&
	       gfp_migratetype(gfp) != MIGRATE_MOVABLE &&
	       contig_fill_before_oom(ac, gfp, order);
}

/* Fill areas for kswapd. Return: true if the node may be balanced now. */
static inline bool cma_fill_node(struct pglist_data *node, int highest_zoneidx)
{
	return static_branch_unlikely(&cma_areas_active) &&
	       contig_fill_node(node, highest_zoneidx);
}

/* Reclaimable pages of a zone that an allocation can hope for. */
static inline unsigned long cma_reclaimable(struct zone *zone,
					    unsigned int alloc_flags,
					    unsigned long nr_pages)
{
	if (!static_branch_unlikely(&cma_areas_active) ||
	    alloc_flags & ALLOC_CMA)
		return nr_pages;
	return min(nr_pages, contig_nr_outside(zone));
}

/* True if kswapd has nothing to do for a zone though it is below its mark. */
static inline bool cma_is_balanced(struct zone *zone, int order,
				   unsigned long mark, int highest_zoneidx)
{
	return static_branch_unlikely(&cma_areas_active) && zone->cma_pages &&
	       zone_watermark_ok(zone, order, mark, highest_zoneidx,
				 ALLOC_CMA) &&
	       contig_nothing_to_reclaim(zone->zone_pgdat, highest_zoneidx);
}

/* True if reclaim of LRU pages would not help the allocations it is for. */
static inline bool cma_reclaim_is_futile(struct pglist_data *node,
					 int highest_zoneidx, gfp_t gfp)
{
	return static_branch_unlikely(&cma_areas_active) &&
	       gfp_migratetype(gfp) != MIGRATE_MOVABLE &&
	       contig_reclaim_is_futile(node, highest_zoneidx);
}

/* True if reclaim cannot free what a boost of the watermarks asks for. */
static inline bool cma_boost_is_futile(struct zone *zone)
{
	return static_branch_unlikely(&cma_areas_active) &&
	       contig_boost_is_futile(zone);
}

#else /* !CONFIG_CMA */

static inline unsigned int cma_alloc_flags(gfp_t gfp)
{
	return 0;
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

static inline bool cma_watermark_ok(const struct alloc_context *ac,
				    struct zone *zone, unsigned int order,
				    unsigned long mark,
				    unsigned int alloc_flags)
{
	return false;
}

static inline bool cma_account_free(struct zone *zone, int nr_pages,
				    int migratetype)
{
	return false;
}

static inline unsigned int cma_rmqueue_bulk(struct zone *zone,
					    unsigned int order,
					    int migratetype, unsigned int count,
					    struct list_head *list)
{
	return 0;
}

static inline struct page *cma_rmqueue(struct zone *zone, unsigned int order,
				       int migratetype)
{
	return NULL;
}

static inline struct page *cma_rmqueue_headroom(struct zone *zone,
						unsigned int order,
						int migratetype)
{
	return NULL;
}

static inline bool cma_defers_kswapd(const struct zone *zone)
{
	return false;
}

static inline bool cma_fill_for(const struct alloc_context *ac, gfp_t gfp,
				unsigned int alloc_flags)
{
	return false;
}

static inline bool cma_fill_before_oom(const struct alloc_context *ac,
				       gfp_t gfp, unsigned int order)
{
	return false;
}

static inline bool cma_fill_node(struct pglist_data *node, int highest_zoneidx)
{
	return false;
}

static inline unsigned long cma_reclaimable(struct zone *zone,
					    unsigned int alloc_flags,
					    unsigned long nr_pages)
{
	return nr_pages;
}

static inline bool cma_is_balanced(struct zone *zone, int order,
				   unsigned long mark, int highest_zoneidx)
{
	return false;
}

static inline bool cma_reclaim_is_futile(struct pglist_data *node,
					 int highest_zoneidx, gfp_t gfp)
{
	return false;
}

static inline bool cma_boost_is_futile(struct zone *zone)
{
	return false;
}

#endif /* CONFIG_CMA */

#endif /* _MM_CMA_PLACEMENT_H */
