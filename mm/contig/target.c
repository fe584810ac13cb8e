// SPDX-License-Identifier: GPL-2.0
/*
 * Where the pages of a window move to.
 *
 * Pages move out of areas as long as there is memory to spare outside, so that
 * the next request does not find them in its way again; then to wherever a page
 * is free. Free pages are taken off the buddy lists by the hundred. What is
 * left over serves the next batch, and goes back at the end.
 *
 * No lock of our own. Context: may sleep. Units are pages.
 */
#include <linux/alloc_tag.h>
#include <linux/hugetlb.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>

#include "kernel.h"
#include "contig.h"
#include "folio.h"

/* Each round reclaims a few dozen pages, more the harder it is. */
#define MAKE_ROOM_ROUNDS	64

/**
 * contig_targets_nr_spare() - what may be taken away from outside of areas
 * @targets:	of the window
 *
 * As targets or by reclaim, from allocations that cannot use areas.
 *
 * Context: Any.
 * Return: number of pages; 0 if nothing must be taken or reclaimed.
 */
unsigned long contig_targets_nr_spare(const struct contig_targets *targets)
{
	return targets->req->nr_spare ? targets->req->nr_spare() : ULONG_MAX;
}

static unsigned int contig_targets_pull_noprof(struct zone *zone,
					       enum contig_block_kind kind,
					       unsigned long mark,
					       unsigned int nr_pages, gfp_t gfp,
					       struct list_head *pages)
{
	struct page *page, *next;
	unsigned int nr;
	LIST_HEAD(blocks);

	nr = contig_buddy_pull(zone, kind, mark, nr_pages, &blocks);
	list_for_each_entry_safe(page, next, &blocks, lru) {
		unsigned long pfn = page_to_pfn(page);
		unsigned long end_pfn = pfn + (1UL << page_private(page));

		set_page_private(page, 0);
		contig_buddy_prepare_range(pfn, end_pfn, gfp, false);
		for (; pfn < end_pfn; pfn++)
			list_add_tail(&pfn_to_page(pfn)->lru, pages);
	}
	return nr;
}

/**
 * contig_targets_pull() - take free pages to move to, of one kind
 * @zone:	from this zone
 * @kind:	as for contig_buddy_pull()
 * @mark:	leave this many pages
 * @nr_pages:	how many
 * @gfp:	how to prepare them
 * @pages:	where to add them
 *
 * kswapd and tasks that pin pages come here without a tag of allocation
 * profiling, so this function has one. migrate_pages() replaces it.
 *
 * Context: Process; takes zone->lock.
 * Return: how many were taken.
 */
unsigned int contig_targets_pull(struct zone *zone,
				 enum contig_block_kind kind,
				 unsigned long mark, unsigned int nr_pages,
				 gfp_t gfp, struct list_head *pages)
{
	return alloc_hooks(contig_targets_pull_noprof(zone, kind, mark,
						      nr_pages, gfp, pages));
}

static unsigned int pull_targets(struct contig_targets *targets,
				 enum contig_block_kind kind,
				 unsigned long mark, unsigned int nr_pages)
{
	return contig_targets_pull(targets->req->zone, kind, mark, nr_pages,
				   targets->req->move_gfp, &targets->pages);
}

/**
 * contig_targets_fill() - take free pages to move to
 * @targets:	of the window
 * @nr_wanted:	so many more
 *
 * From outside of areas, from areas, and then from outside again, down to the
 * min watermark. Atomic requests and reclaim live on what lies below it, and
 * pages in areas are no part of that. But reclaim has to wait when half of it
 * is gone, areas included (allow_direct_reclaim()). A request may fail, a
 * network card may not. What kswapd is told to free beyond it (watermark_boost)
 * is no reserve.
 *
 * Context: Process; takes zone->lock.
 */
void contig_targets_fill(struct contig_targets *targets, unsigned int nr_wanted)
{
	struct zone *zone = targets->req->zone;
	unsigned long low = low_wmark_pages(zone);
	unsigned long nr_min = zone->_watermark[WMARK_MIN];
	/* Most allocations that cannot use areas cannot use high memory. */
	unsigned long nr_spare = zone_idx(zone) > ZONE_NORMAL ?
				 ULONG_MAX : contig_targets_nr_spare(targets);
	unsigned int nr;

	nr = pull_targets(targets, CONTIG_BLOCKS_PLAIN, low,
			  min(nr_wanted, nr_spare));
	nr_spare -= nr;
	nr_wanted -= nr;
	nr_wanted -= pull_targets(targets, CONTIG_BLOCKS_CMA, nr_min / 16 * 9,
				  nr_wanted);
	pull_targets(targets, CONTIG_BLOCKS_PLAIN, nr_min,
		     min(nr_wanted, nr_spare));
}

/**
 * contig_targets_free() - give back the targets that nothing was moved to
 * @pages:	the targets
 *
 * Context: Process.
 */
void contig_targets_free(struct list_head *pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
}

/**
 * contig_target_get() - take a target off its list
 * @pages:	the list
 *
 * memory_failure() may find any page that has a reference, and lock and mark
 * it. So the lock is taken as everybody does. A page that it has locked or
 * marked is no target.
 *
 * Context: Any.
 * Return: the target, locked; NULL if there is none.
 */
struct folio *contig_target_get(struct list_head *pages)
{
	struct folio *copy;

	while ((copy = list_first_entry_or_null(pages, struct folio, lru))) {
		list_del(&copy->lru);
		if (folio_trylock(copy)) {
			if (likely(!folio_test_hwpoison(copy)))
				return copy;
			folio_unlock(copy);
		}
		folio_put(copy);
	}
	return NULL;
}

/**
 * contig_target_keep() - put back a target that nothing was moved to
 * @zone:	of the window
 * @copy:	the target, not locked
 * @pages:	the list
 *
 * Reuse it unless the attempt left state in its flags, of memory tags for
 * example. A target of another zone or node goes back to the page allocator: a
 * copy takes the place of its page on the LRU list and in the counters of the
 * zone.
 *
 * Context: Any.
 */
void contig_target_keep(const struct zone *zone, struct folio *copy,
			struct list_head *pages)
{
	if (folio_test_large(copy) || folio_zone(copy) != zone ||
	    contig_flags_of(copy) & PAGE_FLAGS_CHECK_AT_PREP)
		folio_put(copy);
	else
		list_add(&copy->lru, pages);
}

/*
 * A page of the window itself may have been on a per-CPU list when its block
 * was isolated. Freed again it goes where the others are.
 */
static bool give_to_window(const struct contig_request *req,
			   struct folio *folio)
{
	unsigned long pfn = folio_pfn(folio);

	if (pfn >= req->end_pfn ||
	    pfn + folio_nr_pages(folio) <= req->start_pfn)
		return false;
	folio_put(folio);
	return true;
}

/*
 * A free huge page of the pool may be the target: outside of areas, if there is
 * one, as for whoever takes a page for good. One of the window goes back to the
 * pool, which would give it out again and again unless it got another page in
 * its place.
 */
static struct folio *new_huge_target(const struct contig_request *req,
				     struct folio *src,
				     struct migration_target_control *target)
{
	unsigned int pin_flag = memalloc_pin_save();
	struct folio *dst = alloc_migration_target(src, (unsigned long)target);
	LIST_HEAD(taken_meanwhile);
	int error = 0;

	memalloc_pin_restore(pin_flag);
	while (!dst && !error) {
		dst = alloc_migration_target(src, (unsigned long)target);
		if (!dst || !give_to_window(req, dst))
			break;
		error = isolate_or_dissolve_huge_folio(dst, &taken_meanwhile);
		putback_movable_pages(&taken_meanwhile);
		dst = NULL;
	}
	return dst;
}

static struct folio *new_small_target(struct contig_targets *targets)
{
	struct folio *dst;

	/* Once per batch: free memory does not become more. */
	if (list_empty(&targets->pages)) {
		contig_targets_fill(targets, targets->nr_wanted);
		targets->nr_wanted = 0;
	}
	dst = contig_target_get(&targets->pages);
	if (dst)
		folio_unlock(dst);
	return dst;
}

/*
 * Allocates from free memory, without reclaim. alloc_migration_target()
 * reclaims and compacts memory for a large folio, whatever flags it is given,
 * while the batch is isolated. migrate_pages() splits a folio that has no
 * target.
 */
static struct folio *alloc_free_target(const struct contig_request *req,
				       struct folio *src)
{
	gfp_t gfp = (req->move_gfp & ~__GFP_RECLAIM) | __GFP_NOWARN;

	if (folio_zonenum(src) > ZONE_NORMAL)
		gfp |= __GFP_HIGHMEM;
	return __folio_alloc(gfp, folio_order(src), zone_to_nid(req->zone),
			     NULL);
}

/**
 * contig_target_new() - a target for a page, for migrate_pages()
 * @src:	the page
 * @private:	struct contig_targets of the window
 *
 * Context: May sleep.
 * Return: the target; NULL if there is none.
 */
struct folio *contig_target_new(struct folio *src, unsigned long private)
{
	struct contig_targets *targets = (struct contig_targets *)private;
	const struct contig_request *req = targets->req;
	struct migration_target_control target = {
		.nid		= zone_to_nid(req->zone),
		.gfp_mask	= req->move_gfp,
		.reason		= MR_CONTIG_RANGE,
	};
	bool last = targets->attempt == CONTIG_LAST_ATTEMPT;
	struct folio *dst;

	if (folio_test_hugetlb(src)) {
		if (!last)
			target.gfp_mask &= ~__GFP_RECLAIM;
		return new_huge_target(req, src, &target);
	}
	if (!folio_test_large(src)) {
		dst = new_small_target(targets);
		if (dst)
			return dst;
	}
	/* Neither of the two below knows what is left for others. */
	if (!contig_targets_nr_spare(targets))
		return NULL;
	do
		dst = last ?
		      alloc_migration_target(src, (unsigned long)&target) :
		      alloc_free_target(req, src);
	while (dst && give_to_window(req, dst));
	return dst;
}

/**
 * contig_target_put() - take back an unused target, for migrate_pages()
 * @dst:	the target
 * @private:	struct contig_targets of the window
 *
 * Context: Process.
 */
void contig_target_put(struct folio *dst, unsigned long private)
{
	struct contig_targets *targets = (struct contig_targets *)private;

	contig_target_keep(targets->req->zone, dst, &targets->pages);
}

/**
 * contig_reclaim_some() - reclaim what is used least, a few pages at a time
 * @zone:	of the node where this is
 * @gfp:	what may be done for it
 *
 * Pages that are freed go to a list of this CPU. Drain it: neither watermarks
 * nor contig_targets_fill() see what is there.
 *
 * Context: May sleep, if @gfp says so.
 * Return: number of pages.
 */
unsigned long contig_reclaim_some(struct zone *zone, gfp_t gfp)
{
	unsigned int noreclaim_flag;
	unsigned long nr_pages;

	if (!(gfp & __GFP_DIRECT_RECLAIM))
		return 0;
	/* Without these flags only lower zones are reclaimed. */
	if (zone_idx(zone) > ZONE_NORMAL)
		gfp |= __GFP_HIGHMEM | __GFP_MOVABLE;
	fs_reclaim_acquire(gfp);
	noreclaim_flag = memalloc_noreclaim_save();
	nr_pages = try_to_free_pages(node_zonelist(zone_to_nid(zone), gfp), 0,
				     gfp, NULL);
	memalloc_noreclaim_restore(noreclaim_flag);
	fs_reclaim_release(gfp);
	migrate_disable();
	drain_local_pages(zone);
	migrate_enable();
	return nr_pages;
}

/**
 * contig_targets_make_room() - reclaim others until there is memory to move to
 * @targets:	of the window
 *
 * Nothing must be isolated. The batch itself was reclaimed before, as far as
 * possible: what is left of it is not much. Programs may read in again what is
 * reclaimed, so this gives up after a number of rounds.
 *
 * Context: May sleep.
 */
void contig_targets_make_room(const struct contig_targets *targets)
{
	struct zone *zone = targets->req->zone;

	for (unsigned int i = 0; i < MAKE_ROOM_ROUNDS; i++) {
		if (zone_watermark_ok(zone, 0, zone->_watermark[WMARK_MIN] +
				      SWAP_CLUSTER_MAX, zone_idx(zone),
				      ALLOC_CMA) ||
		    fatal_signal_pending(current) ||
		    !contig_targets_nr_spare(targets) ||
		    !contig_reclaim_some(zone, targets->req->move_gfp))
			break;
		cond_resched();
	}
}
