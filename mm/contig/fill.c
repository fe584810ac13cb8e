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
 * They count as unmovable until there are others, or until a program would be
 * killed: what held them may be over by then.
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
 * nr_max:	look at so many pages, or some more
 * anon_only:	the caller may hold locks of files
 * last:	a program will be killed if nothing moves
 */
struct fill_search {
	struct zone *zone;
	struct zone *target_zone;
	unsigned long nr_max;
	bool anon_only;
	bool last;
};

/* A huge page is not split for the little room that is left in areas. */
static bool fits_into_areas(struct folio *folio,
			    const struct fill_search *search)
{
	return search->last ||
	       folio_nr_pages(folio) <= contig_nr_room(search->target_zone);
}

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
		    (folio_test_large(folio) &&
		     !fits_into_areas(folio, search)) ||
		    !may_lie_in_area(folio, search->target_zone))
			list_move(&folio->lru, &stayers);
	putback_movable_pages(&stayers);
}

/* Adds a large folio to the batch. Return: the pfn to go on with. */
static unsigned long collect_large(unsigned long pfn, struct contig_batch *batch)
{
	struct folio *folio = page_folio(pfn_to_page(pfn));
	unsigned long next = pfn + 1;

	if (!folio_try_get(folio))
		return next;
	if (folio_pfn(folio) == pfn && !folio_test_hugetlb(folio)) {
		next = pfn + folio_nr_pages(folio);
		if (folio_test_lru(folio) &&
		    isolate_folio_to_list(folio, &batch->folios))
			batch->nr_pages += folio_nr_pages(folio);
	}
	folio_put(folio);
	return next;
}

/*
 * Goes on from where the last one ended, and looks at @nr_max pages or some
 * more. Return: at how many.
 */
static unsigned long collect_outside(struct zone *zone, unsigned int nr_wanted,
				     unsigned long nr_max,
				     struct contig_batch *batch)
{
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
				next = collect_large(pfn, batch);
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
		drain_local_pages(zone);
	nr_moved += nr_migrated;
out:
	putback_movable_pages(&batch->folios);
	return nr_moved || !targets.missing ? nr_moved : -ENOMEM;
}

/* A round over all of the zone that moved nothing found stuck pages. */
static void note_fill_result(struct zone *zone, unsigned long nr_seen,
			     unsigned int nr_moved)
{
	if (nr_moved) {
		WRITE_ONCE(zone->fill_nr_barren, 0);
		return;
	}
	nr_seen += READ_ONCE(zone->fill_nr_barren);
	if (nr_seen >= zone->spanned_pages) {
		WRITE_ONCE(zone->fill_nr_stuck, contig_nr_lru_outside(zone));
		nr_seen = 0;
	}
	WRITE_ONCE(zone->fill_nr_barren, nr_seen);
}

/* Moves a batch, unless all pages are stuck. Return: true if a page moved. */
static bool fill_once(const struct fill_search *search)
{
	struct zone *zone = search->zone;
	unsigned long nr_room = search->last ?
		contig_nr_room(search->target_zone) :
		contig_nr_room_for(search->target_zone, zone);
	unsigned int nr_wanted = min(nr_room, FILL_BATCH);
	unsigned long nr_seen = 0;
	int nr_moved = 0;

	if (nr_wanted < CONTIG_FILL_MIN || !contig_nr_lru_outside(zone))
		return false;
	if (contig_nr_movable_outside(zone) < CONTIG_FILL_MIN) {
		/* The rest may be in a batch of this CPU. */
		lru_add_drain();
		if (contig_nr_movable_outside(zone) < CONTIG_FILL_MIN)
			return false;
	}
	while (!nr_moved && nr_seen < search->nr_max &&
	       !fatal_signal_pending(current)) {
		struct contig_batch batch = {
			.folios = LIST_HEAD_INIT(batch.folios),
		};

		nr_seen += collect_outside(zone, nr_wanted,
					   search->nr_max - nr_seen, &batch);
		put_back_stayers(&batch, search);
		if (!list_empty(&batch.folios))
			nr_moved = move_into_areas(zone, search->target_zone,
						   &batch);
	}
	count_vm_events(CMA_FILL_SCANNED, nr_seen);
	trace_cma_fill(zone, nr_seen, max(nr_moved, 0));
	if (nr_moved < 0)
		return false;
	if (!search->anon_only)
		note_fill_result(zone, nr_seen, nr_moved);
	count_vm_events(CMA_FILL_MOVED, nr_moved);
	return nr_moved;
}

static bool fill_zone(struct zone *zone, bool anon_only)
{
	const struct fill_search search = {
		.zone		= zone,
		.target_zone	= contig_find_room(zone),
		.nr_max		= min(zone->spanned_pages, FILL_SCAN_MAX),
		.anon_only	= anon_only,
	};

	return search.target_zone && fill_once(&search);
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

	/* Those who use ZONE_MOVABLE can use areas. */
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
	for_each_zone_zonelist_nodemask(zone, z, ac->zonelist,
					ac->highest_zoneidx, ac->nodemask) {
		while (!zone_watermark_ok(zone, 0, low_wmark_pages(zone),
					  ac->highest_zoneidx, 0) &&
		       fill_zone(zone, anon_only)) {
			moved = true;
			cond_resched();
		}
		if (moved)
			break;
	}
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

static long nr_free_outside(struct zone *zone)
{
	return (long)zone_page_state_snapshot(zone, NR_FREE_PAGES) -
	       (long)zone_page_state(zone, NR_FREE_CMA_PAGES);
}

/* Return: true if that made pages outside of areas free. */
static bool drain_last_lists(struct zone *zone)
{
	long nr_before = nr_free_outside(zone);
	unsigned long nr_listed = 0;
	int cpu;

	for_each_online_cpu(cpu)
		nr_listed += READ_ONCE(per_cpu_ptr(zone->per_cpu_pageset,
						   cpu)->count);
	if (nr_listed < FILL_BATCH)
		return false;
	for_each_online_cpu(cpu)
		shorten_next_refill(per_cpu_ptr(zone->per_cpu_pageset, cpu));
	drain_all_pages(zone);
	return nr_free_outside(zone) >= nr_before + (long)CONTIG_FILL_MIN;
}

/*
 * The last free pages before a program is killed: those on per-CPU lists, and
 * those that a watermark boost holds back for reclaim that finds nothing.
 * Return: true if there were some.
 */
static bool release_last_pages(struct zone *zone)
{
	unsigned long flags;
	bool boosted;

	spin_lock_irqsave(&zone->lock, flags);
	boosted = zone->watermark_boost;
	zone->watermark_boost = 0;
	spin_unlock_irqrestore(&zone->lock, flags);
	return drain_last_lists(zone) || boosted;
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
		    cpuset_zone_allowed(zone, gfp | __GFP_HARDWALL))
			return zone;
	return NULL;
}

/* Tries stuck pages once more, and other nodes. Return: true if a page moved. */
static bool fill_with_last_pages(struct zone *zone,
				 const struct alloc_context *ac, gfp_t gfp)
{
	struct fill_search search = {
		.zone		= zone,
		.target_zone	= contig_find_room(zone),
		.nr_max		= zone->spanned_pages,
		.last		= true,
	};

	if (!search.target_zone)
		search.target_zone = find_room_on_nodes(ac, gfp);
	if (!search.target_zone)
		return false;
	WRITE_ONCE(zone->fill_nr_stuck, 0);
	return fill_once(&search);
}

/**
 * contig_fill_before_oom() - what is left to do before a program is killed
 * @ac:		where the allocation may allocate; it cannot use areas
 * @gfp:	its flags
 *
 * A page may lie on its node because a program asked for that; nobody knows here.
 * To move it to another node is better than to kill a program.
 *
 * Nothing is done for a zone that has single pages: a program is killed because
 * they are not contiguous, and more of them would not help.
 *
 * Context: May sleep; the caller holds oom_lock, and may hold locks of file
 * systems, as @gfp says.
 * Return: true if the allocation should try again.
 */
bool contig_fill_before_oom(const struct alloc_context *ac, gfp_t gfp)
{
	struct zoneref *z;
	struct zone *zone;

	for_each_zone_zonelist_nodemask(zone, z, ac->zonelist,
					ac->highest_zoneidx, ac->nodemask) {
		if (zone_watermark_ok(zone, 0, min_wmark_pages(zone),
				      ac->highest_zoneidx, 0))
			continue;
		if (contig_may_wait_for_io(gfp) &&
		    fill_with_last_pages(zone, ac, gfp))
			return true;
		if (release_last_pages(zone))
			return true;
	}
	return false;
}
