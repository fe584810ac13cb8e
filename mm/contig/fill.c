// SPDX-License-Identifier: GPL-2.0
/*
 * Fills free pages of areas with pages that lie elsewhere.
 *
 * Areas hold movable pages only. So ordinary memory can be used up while areas
 * are half empty. Reclaim then writes programs to swap, among them many that
 * lie in areas, and frees little that helps. A copy costs 3 thousand
 * instructions, a page that is compressed and read again 40 thousand. So movable
 * pages are moved into areas before anything is reclaimed: by kswapd when
 * ordinary memory is short, and by an allocation that found none.
 *
 * What stays outside is what must not be hard to move for a driver later: files
 * that do not allocate movable pages, and pages that are locked into memory. A
 * round over the zone that moved nothing has found only pages that are stuck.
 * They count as unmovable for a second, or until there are others, or until a
 * program would be killed: what held them may be over by then.
 *
 * A zone fills its own areas first, then those of other zones of its node.
 * Programs chose their node, or it was chosen for them. So areas of another node
 * are filled only right before a program is killed, and only those of nodes that
 * the allocation itself may use.
 *
 * No lock of our own: the state in struct zone is a hint that tasks may
 * overwrite for each other. Context: may sleep. Units are pages.
 */
#include <linux/alloc_tag.h>
#include <linux/cpuset.h>
#include <linux/memcontrol.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/compaction.h>	/* after mm.h, which it needs */
#include <linux/oom.h>
#include <linux/pagemap.h>
#include <linux/psi.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>
#include <linux/vmstat.h>
#include <trace/events/cma.h>

#include "kernel.h"
#include "contig.h"
#include "folio.h"
#include "hooks.h"

/* Pages that move together; TLBs are flushed once for them. */
#define FILL_BATCH	256

/* How free pages are prepared to take the place of others. */
#define FILL_GFP	GFP_HIGHUSER_MOVABLE

/* The longest search for pages that move. */
#define FILL_SCAN_MAX	(512UL << (20 - PAGE_SHIFT))

/* May a page be of an area of this zone? What a file allocates tells. */
static bool may_lie_in_area(struct folio *folio, const struct zone *zone)
{
	struct address_space *mapping;
	bool movable = false;

	if (folio_test_anon(folio))
		return true;
	if (!folio_trylock(folio))
		return false;
	mapping = folio_mapping(folio);
	if (mapping)
		movable = mapping_gfp_mask(mapping) & __GFP_MOVABLE &&
			  gfp_zone(mapping_gfp_mask(mapping)) >= zone_idx(zone) &&
			  !mapping_inaccessible(mapping);
	folio_unlock(folio);
	return movable;
}

/*
 * A search for pages that move
 * zone:	they lie there
 * target_zone:	they move to areas of this zone
 * nr_room:	as many pages at most
 * nr_max:	look at so many pages, or some more
 * anon_only:	the caller may hold locks of files
 * too_large:	huge pages were left alone, as areas have no room for one. They are
 *		not split for the little room that is left
 */
struct fill_search {
	struct zone *zone;
	struct zone *target_zone;
	unsigned long nr_room;
	unsigned long nr_max;
	bool anon_only;
	bool too_large;
};

/* Puts back those that must not move there. */
static void put_back_stayers(struct contig_batch *batch,
			     const struct fill_search *search)
{
	struct folio *folio, *next;
	LIST_HEAD(stayers);

	list_for_each_entry_safe(folio, next, &batch->folios, lru)
		if (folio_maybe_dma_pinned(folio) ||
		    folio_test_unevictable(folio) ||
		    folio_test_writeback(folio) ||
		    (search->anon_only && !folio_test_anon(folio)) ||
		    !may_lie_in_area(folio, search->target_zone))
			list_move(&folio->lru, &stayers);
	putback_movable_pages(&stayers);
}

/* Adds a large folio to the batch. Return: the pfn to go on with. */
static unsigned long collect_large(unsigned long pfn,
				   struct fill_search *search,
				   struct contig_batch *batch)
{
	struct folio *folio = page_folio(pfn_to_page(pfn));
	unsigned long next = pfn + 1;

	if (!folio_try_get(folio))
		return next;
	if (folio_pfn(folio) == pfn && !folio_test_hugetlb(folio)) {
		unsigned long nr_pages = folio_nr_pages(folio);

		next = pfn + nr_pages;
		if (batch->nr_pages + nr_pages > search->nr_room) {
			search->too_large = true;
		} else if (folio_test_lru(folio) &&
			   isolate_folio_to_list(folio, &batch->folios)) {
			batch->nr_pages += nr_pages;
		}
	}
	folio_put(folio);
	return next;
}

/*
 * Goes on from where the last one ended, and looks at @nr_max pages or some
 * more. Return: at how many.
 */
static unsigned long collect_outside(struct fill_search *search,
				     unsigned long nr_max,
				     struct contig_batch *batch)
{
	unsigned int nr_wanted = min(search->nr_room, FILL_BATCH);
	struct zone *zone = search->zone;
	unsigned long start_pfn = zone->zone_start_pfn;
	unsigned long end_pfn = zone_end_pfn(zone);
	unsigned long pfn = READ_ONCE(zone->fill_pfn), nr_seen = 0;

	while (batch->nr_pages < nr_wanted && nr_seen < nr_max) {
		unsigned long block_end, next;
		struct page *page;

		if (pfn < start_pfn || pfn >= end_pfn)
			pfn = start_pfn;
		block_end = min(pageblock_end_pfn(pfn), end_pfn);
		page = pfn_to_online_page(pfn);
		if (!page || contig_page_in_area(page) ||
		    page_zone(page) != zone ||
		    page_zone(pfn_to_page(block_end - 1)) != zone ||
		    get_pageblock_migratetype(page) > MIGRATE_HIGHATOMIC) {
			nr_seen += block_end - pfn;
			pfn = block_end;
			continue;
		}
		while (pfn < block_end && batch->nr_pages < nr_wanted) {
			page = pfn_to_page(pfn);
			next = pfn + 1;
			if (PageBuddy(page)) {
				unsigned int order = buddy_order_unsafe(page);

				if (order <= MAX_PAGE_ORDER)
					next = pfn + (1UL << order);
			} else if (contig_is_plain(page)) {
				next = contig_collect_run(zone, pfn, block_end,
							  batch);
				next = max(next, pfn + 1);
			} else if (PageHead(page) && PageLRU(page)) {
				next = collect_large(pfn, search, batch);
			}
			nr_seen += next - pfn;
			pfn = next;
		}
		cond_resched();
	}
	WRITE_ONCE(zone->fill_pfn, pfn);
	return nr_seen;
}

/*
 * Where a batch moves to
 * zone:	of the areas
 * pages:	free pages of areas
 * missing:	there were fewer than wanted: others were faster to take them, or
 *		the areas are full
 */
struct fill_targets {
	struct zone *zone;
	struct list_head pages;
	bool missing;
};

static void pull_fill_targets(struct fill_targets *targets,
			      unsigned int nr_pages)
{
	if (contig_targets_pull(targets->zone, CONTIG_BLOCKS_CMA, 0, nr_pages,
				FILL_GFP, &targets->pages) < nr_pages)
		targets->missing = true;
}

/* Return: free pages of an area as a large folio, NULL if none are contiguous. */
static struct folio *take_large_fill_target_noprof(struct zone *zone,
						   unsigned int order)
{
	unsigned long flags;
	struct page *page;

	spin_lock_irqsave(&zone->lock, flags);
	page = contig_buddy_take_in_area(zone, order);
	spin_unlock_irqrestore(&zone->lock, flags);
	if (!page)
		return NULL;
	post_alloc_hook(page, order, FILL_GFP | __GFP_COMP, ALLOC_DEFAULT);
	prep_compound_page(page, order);
	set_page_refcounted(page);
	return page_rmappable_folio(page);
}

/* migrate_pages() splits a large folio that has no target. */
static struct folio *new_fill_target(struct folio *src, unsigned long private)
{
	struct fill_targets *targets = (struct fill_targets *)private;
	struct folio *dst;

	if (folio_test_large(src))
		return alloc_hooks(take_large_fill_target_noprof(targets->zone,
							folio_order(src)));
	/* For the parts of a folio that was split. */
	if (list_empty(&targets->pages) && !targets->missing)
		pull_fill_targets(targets, CONTIG_FILL_MIN);
	dst = contig_target_get(&targets->pages);
	if (dst)
		folio_unlock(dst);
	return dst;
}

static void put_fill_target(struct folio *dst, unsigned long private)
{
	struct fill_targets *targets = (struct fill_targets *)private;

	contig_target_keep(targets->zone, dst, &targets->pages);
}

/*
 * Large folios take theirs one by one, after the others: migrate_pages() stops at
 * one that has no target and cannot be split.
 */
static void pull_targets_of_batch(struct fill_targets *targets,
				  struct contig_batch *batch)
{
	struct folio *folio, *next;
	unsigned int nr_small = 0;
	LIST_HEAD(large);

	list_for_each_entry_safe(folio, next, &batch->folios, lru) {
		if (folio_test_large(folio))
			list_move_tail(&folio->lru, &large);
		else
			nr_small++;
	}
	list_splice_tail(&large, &batch->folios);
	pull_fill_targets(targets, nr_small);
}

/*
 * Moves a batch of a zone into free pages of areas. Return: how many pages moved,
 * or -ENOMEM if none did and others were faster to take the free pages.
 */
static int move_into_areas(struct zone *zone, struct zone *target_zone,
			   struct contig_batch *batch)
{
	struct fill_targets targets = {
		.zone	= target_zone,
		.pages	= LIST_HEAD_INIT(targets.pages),
	};
	unsigned int nr_moved = 0, nr_migrated = 0;
	unsigned int noreclaim_flag;

	if (contig_should_fail(CONTIG_FAIL_TARGET)) {
		targets.missing = true;
		goto out;
	}
	pull_targets_of_batch(&targets, batch);
	noreclaim_flag = memalloc_noreclaim_save();
	if (zone == target_zone)
		nr_moved = contig_remap(zone, &batch->folios, &targets.pages);
	if (!list_empty(&batch->folios))
		migrate_pages(&batch->folios, new_fill_target, put_fill_target,
			      (unsigned long)&targets, MIGRATE_ASYNC,
			      MR_COMPACTION, &nr_migrated);
	memalloc_noreclaim_restore(noreclaim_flag);
	contig_targets_free(&targets.pages);
	/* migrate_pages() frees to the lists of this CPU. */
	if (nr_migrated)
		lru_add_drain_cpu_zone(zone);
	nr_moved += nr_migrated;
out:
	putback_movable_pages(&batch->folios);
	return nr_moved || !targets.missing ? nr_moved : -ENOMEM;
}

/*
 * A round over all of the zone that moved nothing found stuck pages. Huge pages
 * that are too large are not stuck.
 */
static void note_fill_result(const struct fill_search *search,
			     unsigned long nr_seen, unsigned int nr_moved)
{
	struct zone *zone = search->zone;

	if (nr_moved || search->too_large) {
		WRITE_ONCE(zone->fill_nr_barren, 0);
		return;
	}
	nr_seen += READ_ONCE(zone->fill_nr_barren);
	if (nr_seen >= zone->spanned_pages) {
		WRITE_ONCE(zone->fill_stuck_jiffies, jiffies);
		WRITE_ONCE(zone->fill_nr_stuck,
			   contig_nr_lru_outside(zone, false));
		nr_seen = 0;
	}
	WRITE_ONCE(zone->fill_nr_barren, nr_seen);
}

static bool may_find_some(const struct fill_search *search)
{
	return search->nr_room >= CONTIG_FILL_MIN &&
	       contig_nr_movable_outside(search->zone) >= CONTIG_FILL_MIN &&
	       (!search->anon_only ||
		contig_nr_lru_outside(search->zone, true) >= CONTIG_FILL_MIN);
}

/* Moves a batch, unless all pages are stuck. Return: true if a page moved. */
static bool fill_once(struct fill_search *search)
{
	unsigned long nr_seen = 0;
	int nr_moved = 0;

	if (!may_find_some(search)) {
		/* The rest may be in a batch of this CPU. */
		lru_add_drain();
		if (!may_find_some(search))
			return false;
	}
	while (!nr_moved && nr_seen < search->nr_max &&
	       !fatal_signal_pending(current)) {
		struct contig_batch batch = {
			.folios = LIST_HEAD_INIT(batch.folios),
		};

		nr_seen += collect_outside(search, search->nr_max - nr_seen,
					   &batch);
		put_back_stayers(&batch, search);
		if (!list_empty(&batch.folios))
			nr_moved = move_into_areas(search->zone,
						   search->target_zone,
						   &batch);
	}
	count_vm_events(CMA_FILL_SCANNED, nr_seen);
	trace_cma_fill(search->zone, nr_seen, max(nr_moved, 0));
	if (nr_moved < 0)
		return false;
	if (!search->anon_only)
		note_fill_result(search, nr_seen, nr_moved);
	count_vm_events(CMA_FILL_MOVED, nr_moved);
	return nr_moved;
}

static bool fill_zone(struct zone *zone, bool anon_only)
{
	struct fill_search search = {
		.zone		= zone,
		.target_zone	= contig_find_room(zone),
		.nr_max		= min(zone->spanned_pages, FILL_SCAN_MAX),
		.anon_only	= anon_only,
	};

	if (!search.target_zone)
		return false;
	search.nr_room = contig_nr_room_for(search.target_zone, zone);
	return fill_once(&search);
}

/**
 * contig_fill_node() - fill areas of a node, for kswapd
 * @node:	the node
 * @highest_zoneidx: zones above it are of no use
 *
 * Context: kswapd.
 * Return: true if a page moved.
 */
bool contig_fill_node(struct pglist_data *node, int highest_zoneidx)
{
	bool moved = false;

	/* ZONE_MOVABLE serves those who can use areas. */
	for (int i = 0; i <= min(highest_zoneidx, ZONE_MOVABLE - 1); i++) {
		struct zone *zone = &node->node_zones[i];

		if (managed_zone(zone) &&
		    !zone_watermark_ok(zone, 0, high_wmark_pages(zone),
				       highest_zoneidx, 0))
			moved |= fill_zone(zone, false);
	}
	cond_resched();
	return moved;
}

/**
 * contig_fill_for() - fill areas for an allocation that cannot use them
 * @ac:		where it may allocate
 * @gfp:	its flags
 *
 * Context: May sleep. The caller may hold locks of file systems, as @gfp says.
 * Return: true if the allocation should look at the free lists again.
 */
bool contig_fill_for(const struct alloc_context *ac, gfp_t gfp)
{
	bool anon_only = !contig_may_wait_for_io(gfp), moved = false;
	unsigned long pflags;
	struct zoneref *z;
	struct zone *zone;

	psi_memstall_enter(&pflags);
	fs_reclaim_acquire(gfp);
	for_each_zone_zonelist_nodemask(zone, z, ac->zonelist,
					ac->highest_zoneidx, ac->nodemask) {
		if (!cpuset_zone_allowed(zone, gfp))
			continue;
		while (!zone_watermark_ok(zone, 0, low_wmark_pages(zone),
					  ac->highest_zoneidx, 0) &&
		       fill_zone(zone, anon_only)) {
			moved = true;
			cond_resched();
		}
		if (moved)
			break;
	}
	fs_reclaim_release(gfp);
	psi_memstall_leave(&pflags);
	return moved;
}

/*
 * A list takes more pages each time it is filled. So the next allocation after
 * lists were drained would put all free pages onto its list, past the watermark.
 */
static void shorten_next_refill(struct per_cpu_pages *pcp)
{
	spin_lock(&pcp->lock);
	pcp->alloc_factor = 0;
	spin_unlock(&pcp->lock);
}

static void drain_last_lists(struct zone *zone)
{
	unsigned long nr_listed = 0;
	int cpu;

	for_each_online_cpu(cpu)
		nr_listed += READ_ONCE(per_cpu_ptr(zone->per_cpu_pageset,
						   cpu)->count);
	if (nr_listed < FILL_BATCH)
		return;
	for_each_online_cpu(cpu)
		shorten_next_refill(per_cpu_ptr(zone->per_cpu_pageset, cpu));
	drain_all_pages(zone);
}

/* Gives up what a watermark boost holds back for reclaim that finds nothing. */
static void end_boost(struct zone *zone)
{
	unsigned long flags;

	spin_lock_irqsave(&zone->lock, flags);
	zone->watermark_boost = 0;
	spin_unlock_irqrestore(&zone->lock, flags);
}

/*
 * Contiguous pages are made of more single ones: so many as compaction needs.
 * Return: true if an allocation does not fail for want of pages.
 */
static bool has_enough_pages(const struct alloc_context *ac, gfp_t gfp,
			     unsigned int order)
{
	unsigned long nr_pages = order ? compact_gap(order) : 0;
	struct zoneref *z;
	struct zone *zone;

	for_each_zone_zonelist_nodemask(zone, z, ac->zonelist,
					ac->highest_zoneidx, ac->nodemask)
		if (cpuset_zone_allowed(zone, gfp) &&
		    zone_watermark_ok(zone, 0, min_wmark_pages(zone) + nr_pages,
				      ac->highest_zoneidx, 0))
			return true;
	return false;
}

/* Makes the last pages free that are not in use. Return: true if this helped. */
static bool release_last_pages(const struct alloc_context *ac, gfp_t gfp,
			       unsigned int order)
{
	struct zoneref *z;
	struct zone *zone;

	for_each_zone_zonelist_nodemask(zone, z, ac->zonelist,
					ac->highest_zoneidx, ac->nodemask) {
		if (!cpuset_zone_allowed(zone, gfp))
			continue;
		end_boost(zone);
		drain_last_lists(zone);
	}
	return has_enough_pages(ac, gfp, order);
}

/* Areas of all nodes that the allocation may use, near ones first. */
static struct zone *find_room_on_nodes(const struct alloc_context *ac,
				       gfp_t gfp)
{
	struct zoneref *z;
	struct zone *zone;

	for_each_zone_zonelist_nodemask(zone, z, ac->zonelist, MAX_NR_ZONES - 1,
					ac->nodemask)
		if (contig_nr_room(zone) >= CONTIG_FILL_MIN &&
		    cpuset_zone_allowed(zone, gfp))
			return zone;
	return NULL;
}

/* Return: true if a page moved to areas of its own node, or of other ones. */
static bool fill_with_last_pages(const struct alloc_context *ac, gfp_t gfp,
				 bool own_node, bool with_stuck)
{
	struct zoneref *z;
	struct zone *zone;

	for_each_zone_zonelist_nodemask(zone, z, ac->zonelist,
					ac->highest_zoneidx, ac->nodemask) {
		struct fill_search search = {
			.zone		= zone,
			.target_zone	= own_node ? contig_find_room(zone) :
					  find_room_on_nodes(ac, gfp),
			.nr_room	= ULONG_MAX,
			.nr_max		= zone->spanned_pages,
			.anon_only	= !contig_may_wait_for_io(gfp),
		};

		if (!search.target_zone || !cpuset_zone_allowed(zone, gfp))
			continue;
		if (with_stuck)
			WRITE_ONCE(zone->fill_nr_stuck, 0);
		if (fill_once(&search))
			return true;
	}
	return false;
}

/* The next search of all memory for pages that were stuck; under oom_lock. */
static unsigned long next_search_jiffies = INITIAL_JIFFIES;

/**
 * contig_fill_before_oom() - what is left to do before a program is killed
 * @ac:		where the allocation may allocate; it cannot use areas
 * @gfp:	its flags
 * @order:	of its pages
 *
 * Pages that are free already come first, then areas of the node, then those of
 * other nodes. A page may lie on its node because a program asked for that;
 * nobody knows here. To move it to another node is better than to kill a program.
 *
 * If there are enough single pages, an allocation of one tries again: others have
 * moved or freed them since it failed. Nothing is done for contiguous pages then: a
 * program is killed because they are not contiguous, and more would not help.
 *
 * Pages that are stuck are looked at once a second at most: many tasks may come
 * here, until a killed one has ended.
 *
 * Context: May sleep; the caller holds oom_lock, and may hold locks of file
 * systems, as @gfp says.
 * Return: true if the allocation should try again.
 */
bool contig_fill_before_oom(const struct alloc_context *ac, gfp_t gfp,
			    unsigned int order)
{
	bool with_stuck = time_after_eq(jiffies, next_search_jiffies);
	unsigned long pflags;
	bool helped;

	if (current->flags & PF_EXITING || tsk_is_oom_victim(current))
		return false;
	if (has_enough_pages(ac, gfp, order))
		return !order;

	psi_memstall_enter(&pflags);
	helped = release_last_pages(ac, gfp, order);
	if (!helped) {
		fs_reclaim_acquire(gfp);
		helped = fill_with_last_pages(ac, gfp, true, with_stuck) ||
			 fill_with_last_pages(ac, gfp, false, with_stuck);
		fs_reclaim_release(gfp);
		/* The search took long, and kswapd moves pages as well. */
		if (!helped)
			helped = release_last_pages(ac, gfp, order);
		if (!helped && with_stuck)
			next_search_jiffies = jiffies + HZ;
	}
	psi_memstall_leave(&pflags);
	return helped;
}
