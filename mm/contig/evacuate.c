// SPDX-License-Identifier: GPL-2.0
/*
 * Evacuates a window: policy and passes.
 *
 * Cold cache is dropped. Warm cache and program text are copied by the run as
 * long as there is free memory. The rest moves in large batches: pages that
 * programs map by remap.c, all others by migrate_pages().
 *
 * The first pass waits for nothing and touches no other CPU; most windows need
 * no other. A page that is held ends it, unless the caller is patient. Then two
 * more passes wait for locks and writeback. A page in a per-CPU LRU batch has
 * one reference too many, so the second pass begins with the batches drained,
 * and the third runs with them switched off. If only few pages are left then,
 * the caller may let us wait for them: pipes and I/O hold a page for a moment,
 * and nothing new comes into an isolated window.
 *
 * If there is no memory to move pages to, the pages of the window are
 * reclaimed; and for those that cannot be, the pages that are used least.
 *
 * The caller has isolated the pageblocks of the window, so pages that become
 * free stay free. A page that does not move is put back on its list. The last
 * one of the last pass is the blocker that the caller reports.
 *
 * No lock of our own. Context: may sleep.
 */
#include <linux/buffer_head.h>
#include <linux/delay.h>
#include <linux/hugetlb.h>
#include <linux/memcontrol.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/pagemap.h>
#include <linux/psi.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>

#include "kernel.h"
#include "contig.h"
#include "folio.h"
#include "trace.h"

/*
 * Pages a batch. migrate_pages() flushes TLBs once for up to
 * NR_MAX_BATCHED_MIGRATION (512) pages; smaller batches would flush more often,
 * larger ones are cut there anyway and keep more pages isolated.
 */
#define EVACUATE_BATCH		512

/* too_many_isolated() allows this part of what is inactive to be isolated. */
#define THROTTLE_PART		8

/* The first does not wait, the others do. */
#define PATIENT_PASSES		3

/* Lingering waits for so many folios at most, and looks so often. */
#define LINGER_MAX		64
#define LINGER_STEP_US		2000

/**
 * struct evacuation - state of one contig_evacuate()
 * @req:	the window
 * @mode:	how this pass migrates
 * @batch:	collected, isolated folios
 * @targets:	where to move to
 * @nr_stuck:	folios that did not go in this pass
 * @linger_end:	jiffies when lingering ends; 0 before it begins
 * @start_pfn:	first page of what the batch was collected from
 * @end_pfn:	first page behind
 * @evacuated:	pages that left, for events
 * @nr_mapped:	pages that were mapped at the beginning
 */
struct evacuation {
	struct contig_request *req;
	enum migrate_mode mode;
	struct contig_batch batch;
	struct contig_targets targets;
	unsigned int nr_stuck;
	unsigned long linger_end;
	unsigned long start_pfn;
	unsigned long end_pfn;
	struct contig_evacuated evacuated;
	unsigned long nr_mapped;
};

/*
 * Record the highest pfn that did not move: every later window of this size
 * that starts at or below it contains it.
 */
static void note_stuck(struct evacuation *ev, struct folio *folio,
		       enum contig_block_reason reason)
{
	if (!ev->nr_stuck || folio_pfn(folio) > ev->req->blocker.pfn) {
		contig_blocker_note(&ev->req->blocker, &folio->page, reason);
		/* Our own reference will be gone when others look. */
		if (ev->req->blocker.refs)
			ev->req->blocker.refs--;
	}
	ev->nr_stuck++;
}

/* Buffer heads that somebody uses do not move: a journal, or I/O in flight. */
static bool has_busy_buffers(struct folio *folio)
{
	const struct address_space *mapping;
	struct buffer_head *head = NULL, *next;
	bool busy = false;

	if (!IS_ENABLED(CONFIG_BUFFER_HEAD) || !folio_test_private(folio) ||
	    !folio_trylock(folio))
		return false;
	mapping = folio_mapping(folio);
	if (mapping && (mapping->a_ops->migrate_folio == buffer_migrate_folio ||
			mapping->a_ops->migrate_folio ==
			buffer_migrate_folio_norefs))
		head = folio_buffers(folio);
	next = head;
	while (next && !busy) {
		busy = atomic_read(&next->b_count) || buffer_locked(next);
		next = next->b_this_page == head ? NULL : next->b_this_page;
	}
	folio_unlock(folio);
	return busy;
}

/* Why migrate_pages() left this folio; a guess, since nothing is locked. */
static enum contig_block_reason why_not_moved(struct folio *folio)
{
	if (folio_maybe_dma_pinned(folio))
		return CONTIG_BLOCK_PINNED;
	if (folio_test_writeback(folio))
		return CONTIG_BLOCK_WRITEBACK;
	if (folio_test_locked(folio))
		return CONTIG_BLOCK_LOCKED;
	if (has_busy_buffers(folio))
		return CONTIG_BLOCK_BUFFERS;
	if (folio_test_hugetlb(folio))
		return CONTIG_BLOCK_HUGE;
	/* One reference is ours; another one, or a lock, is gone by now. */
	if (contig_foreign_refs(&folio->page) <= 1)
		return CONTIG_BLOCK_IN_USE;
	return CONTIG_BLOCK_REFERENCED;
}

/* A page that was just used most likely sits in an LRU batch of this CPU. */
static bool isolate_lru_folio(struct evacuation *ev, struct folio *folio)
{
	if (isolate_folio_to_list(folio, &ev->batch.folios))
		return true;
	lru_add_drain();
	return isolate_folio_to_list(folio, &ev->batch.folios);
}

/* Adds the folio of @pfn to the batch. Return: the pfn to go on with. */
static unsigned long collect_page(struct evacuation *ev, unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);
	struct folio *folio;
	unsigned long next;

	if (PageBuddy(page)) {
		/* Without zone->lock the order may be stale. */
		unsigned int order = buddy_order_unsafe(page);

		return pfn + (order <= MAX_PAGE_ORDER ? 1UL << order : 1);
	}

	/* A free huge page has no reference to take. */
	folio = page_folio(page);
	if (folio_test_hugetlb(folio) && !folio_ref_count(folio)) {
		/* Without one, its size may change while it is read. */
		next = clamp(folio_pfn(folio) + folio_nr_pages(folio), pfn + 1,
			     pageblock_end_pfn(pfn));
		if (!isolate_or_dissolve_huge_folio(folio, &ev->batch.folios))
			return pfn + 1;
		note_stuck(ev, folio, CONTIG_BLOCK_HUGE);
		return next;
	}

	/* No reference to get: free, or on the way to a free list. */
	if (!folio_try_get(folio))
		return pfn + 1;
	if (unlikely(page_folio(page) != folio)) {
		folio_put(folio);
		return pfn;
	}

	next = folio_pfn(folio) + folio_nr_pages(folio);
	if (isolate_lru_folio(ev, folio)) {
		ev->batch.nr_pages += folio_nr_pages(folio);
		ev->batch.has_file |= folio_is_file_lru(folio);
		ev->batch.has_anon |= !folio_is_file_lru(folio);
	} else {
		note_stuck(ev, folio, CONTIG_BLOCK_OFF_LRU);
	}
	folio_put(folio);
	return next;
}

static bool is_crowded(struct pglist_data *node, enum node_stat_item isolated,
		       enum node_stat_item inactive)
{
	return node_page_state(node, isolated) >
	       node_page_state(node, inactive) / (2 * THROTTLE_PART);
}

/*
 * Direct reclaim sleeps for 20 ms at a time while more than an eighth of the
 * inactive pages are isolated (too_many_isolated()), in this request as well.
 * So a batch ends when half of that are isolated. One run is always allowed:
 * direct reclaim isolates as many. The last attempt may reclaim while its batch
 * is isolated, and takes no more than a run.
 */
static bool batch_is_full(const struct evacuation *ev)
{
	struct pglist_data *node = ev->req->zone->zone_pgdat;

	if (ev->batch.nr_pages < CONTIG_RUN_PAGES)
		return false;
	if (ev->batch.nr_pages >= EVACUATE_BATCH ||
	    ev->targets.attempt == CONTIG_LAST_ATTEMPT)
		return true;
	return (ev->batch.has_anon &&
		is_crowded(node, NR_ISOLATED_ANON, NR_INACTIVE_ANON)) ||
	       (ev->batch.has_file &&
		is_crowded(node, NR_ISOLATED_FILE, NR_INACTIVE_FILE));
}

/* Return: the pfn that the next batch starts at. */
static unsigned long collect_batch(struct evacuation *ev, unsigned long pfn,
				   unsigned long end_pfn)
{
	ev->batch.nr_pages = 0;
	ev->batch.has_anon = false;
	ev->batch.has_file = false;
	while (pfn < end_pfn && !batch_is_full(ev)) {
		unsigned long next = pfn;

		if (contig_is_plain(pfn_to_page(pfn)))
			next = contig_collect_run(ev->req->zone, pfn, end_pfn,
						  &ev->batch);
		pfn = next > pfn ? next : collect_page(ev, pfn);
	}
	return pfn;
}

/* Moves most of the batch, as far as there is free memory. */
static void remap_batch(struct evacuation *ev)
{
	unsigned int nr_pages = contig_remap_count(&ev->batch.folios);
	unsigned int nr_remapped;

	if (!nr_pages)
		return;
	contig_targets_fill(&ev->targets, nr_pages);
	ev->targets.nr_wanted -= nr_pages;
	nr_remapped = contig_remap(ev->req->zone, &ev->batch.folios,
				   &ev->targets.pages);
	ev->evacuated.nr_remapped += nr_remapped;
	trace_contig_remap(ev->start_pfn, ev->end_pfn, nr_remapped);
}

static int migrate_batch(struct evacuation *ev)
{
	unsigned int nr_moved = 0;
	int error;

	if (contig_should_fail(CONTIG_FAIL_TARGET))
		return -ENOMEM;
	if (contig_should_fail(CONTIG_FAIL_EVACUATE))
		return 0;
	remap_batch(ev);
	if (list_empty(&ev->batch.folios))
		return 0;
	error = migrate_pages(&ev->batch.folios, contig_target_new,
			      contig_target_put, (unsigned long)&ev->targets,
			      ev->mode, MR_CONTIG_RANGE, &nr_moved);
	ev->evacuated.nr_migrated += nr_moved;
	trace_contig_migrate(ev->start_pfn, ev->end_pfn, nr_moved);
	return error == -ENOMEM ? error : 0;
}

/*
 * What is written to compressed swap may take as much as it was, from the reserve
 * if need be, and the page becomes free inside the window, where nobody finds it.
 * So reclaim as many at once as leave half of the reserve.
 */
static unsigned long nr_to_swap_at_once(struct zone *zone)
{
	unsigned long nr_free = zone_page_state(zone, NR_FREE_PAGES);

	return nr_free - min(nr_free, zone->_watermark[WMARK_MIN] / 2);
}

/*
 * Without memory to move pages to, reclaim the pages of the batch: drop clean
 * cache, swap or write the rest. With zram that takes 40 thousand instructions
 * a page; finding other pages that are used less takes 140, and then comes the
 * copy. Pages that cannot be reclaimed go back to the LRU lists.
 */
static void reclaim_batch(struct evacuation *ev)
{
	const gfp_t needed = __GFP_DIRECT_RECLAIM | __GFP_IO | __GFP_FS;
	unsigned long nr_left = nr_to_swap_at_once(ev->req->zone);
	unsigned long nr_reclaimed;
	struct folio *folio, *next;
	LIST_HEAD(folios);

	if ((ev->req->move_gfp & needed) != needed)
		return;
	list_for_each_entry_safe(folio, next, &ev->batch.folios, lru) {
		if (folio_test_hugetlb(folio) || folio_test_unevictable(folio) ||
		    page_has_movable_ops(&folio->page))
			continue;
		if (folio_test_swapbacked(folio)) {
			if (folio_nr_pages(folio) > nr_left)
				continue;
			nr_left -= folio_nr_pages(folio);
		}
		node_stat_sub_folio(folio, NR_ISOLATED_ANON +
				    folio_is_file_lru(folio));
		list_move(&folio->lru, &folios);
	}
	nr_reclaimed = reclaim_pages(&folios);
	ev->evacuated.nr_reclaimed += nr_reclaimed;
	trace_contig_reclaim(ev->start_pfn, ev->end_pfn, nr_reclaimed);
}

static void count_mapped(struct evacuation *ev)
{
	const struct contig_request *req = ev->req;

	if (!contig_counts_moved())
		return;
	for (unsigned long pfn = req->start_pfn; pfn < req->end_pfn; pfn++) {
		const struct folio *folio = page_folio(pfn_to_page(pfn));

		ev->nr_mapped += READ_ONCE(contig_flags_of(folio)) & BIT(PG_lru) &&
				 contig_guess_maps(folio);
	}
}

/* Return: 0, or -ENOMEM if there is nowhere to move pages to. */
static int move_batch(struct evacuation *ev)
{
	struct folio *folio;
	int error;

	if (list_empty(&ev->batch.folios))
		return 0;

	ev->targets.nr_wanted = ev->batch.nr_pages;
	error = migrate_batch(ev);
	if (error == -ENOMEM && !contig_targets_nr_spare(&ev->targets))
		ev->targets.attempt = CONTIG_LAST_ATTEMPT;
	if (error == -ENOMEM && ev->targets.attempt < CONTIG_LAST_ATTEMPT)
		reclaim_batch(ev);
	else
		list_for_each_entry(folio, &ev->batch.folios, lru)
			note_stuck(ev, folio, why_not_moved(folio));
	putback_movable_pages(&ev->batch.folios);
	if (error == -ENOMEM && ev->targets.attempt + 1 == CONTIG_LAST_ATTEMPT)
		contig_targets_make_room(&ev->targets);
	return error;
}

static void drop_cold_part(struct evacuation *ev, unsigned long start_pfn,
			   unsigned long end_pfn)
{
	unsigned long nr_dropped;

	nr_dropped = contig_drop_cold_cache(ev->req->zone, start_pfn, end_pfn);
	ev->evacuated.nr_dropped += nr_dropped;
	/* There is not even a try if no page is cold. */
	if (nr_dropped)
		trace_contig_drop(start_pfn, end_pfn, nr_dropped);
}

/*
 * Moves pages that need no more than a copy, as long as there is free memory.
 * If copying would push the zone below low, drop cold text: rereading is
 * cheaper than reclaiming for it.
 */
static void copy_clean_part(struct evacuation *ev, unsigned long start_pfn,
			    unsigned long end_pfn)
{
	struct zone *zone = ev->req->zone;
	unsigned int nr_pages = contig_copy_count(start_pfn, end_pfn);
	unsigned long nr_copied;

	if (!nr_pages)
		return;
	if (!zone_watermark_ok(zone, 0, low_wmark_pages(zone) + nr_pages,
			       zone_idx(zone), ALLOC_CMA)) {
		contig_unmap_cold_text(start_pfn, end_pfn);
		drop_cold_part(ev, start_pfn, end_pfn);
		nr_pages = contig_copy_count(start_pfn, end_pfn);
	}
	ev->targets.attempt = 0;
	contig_targets_fill(&ev->targets, nr_pages);
	nr_copied = contig_copy_cache(zone, start_pfn, end_pfn,
				      &ev->targets.pages);
	ev->evacuated.nr_copied += nr_copied;
	trace_contig_copy(start_pfn, end_pfn, nr_copied);
}

/*
 * Evacuates a batch that starts at *@pfn, and sets that to the start of the
 * next one. Return: 0, or -ENOMEM if there is no memory to move pages to, even
 * after reclaim.
 */
static int evacuate_batch(struct evacuation *ev, unsigned long *pfn,
			  unsigned long end_pfn)
{
	const unsigned long start_pfn = *pfn;
	int *attempt = &ev->targets.attempt;
	int error;

	for (*attempt = 0; *attempt <= CONTIG_LAST_ATTEMPT; (*attempt)++) {
		end_pfn = collect_batch(ev, start_pfn, end_pfn);
		ev->start_pfn = start_pfn;
		ev->end_pfn = end_pfn;
		error = move_batch(ev);
		if (!error)
			break;
	}
	*pfn = end_pfn;
	return error;
}

/* Return: as evacuate_batch(). */
static int evacuate_part(struct evacuation *ev, unsigned long start_pfn,
			 unsigned long end_pfn)
{
	unsigned long pfn = start_pfn;
	int error = 0;

	drop_cold_part(ev, start_pfn, end_pfn);
	copy_clean_part(ev, start_pfn, end_pfn);
	while (!error && pfn < end_pfn)
		error = evacuate_batch(ev, &pfn, end_pfn);
	return error;
}

static int evacuate_pass(struct evacuation *ev)
{
	unsigned long pfn = ev->req->start_pfn, end_pfn = ev->req->end_pfn;
	int error = 0;

	while (!error && pfn < end_pfn) {
		unsigned long stop = min(end_pfn, pfn + EVACUATE_BATCH);

		if (fatal_signal_pending(current))
			return -EINTR;
		error = evacuate_part(ev, pfn, stop);
		if (ev->nr_stuck && !ev->req->patient)
			break;
		pfn = stop;
		cond_resched();
	}
	return error;
}

/*
 * A NOFS or NOIO caller may hold the lock of a folio of the window, or be
 * needed to finish its writeback. MIGRATE_SYNC_LIGHT waits for folio locks as
 * well.
 */
static enum migrate_mode patient_mode(gfp_t gfp)
{
	return contig_may_wait_for_io(gfp) ? MIGRATE_SYNC : MIGRATE_ASYNC;
}

/*
 * Return: true if another pass may find the window empty. After the passes that
 * every patient caller has, sleep first.
 */
static bool evacuate_again(struct evacuation *ev, int nr_passes)
{
	const struct contig_request *req = ev->req;

	if (!req->patient)
		return false;
	if (nr_passes < PATIENT_PASSES)
		return true;
	if (!req->linger_ms || ev->nr_stuck > LINGER_MAX)
		return false;
	if (!ev->linger_end)
		ev->linger_end = jiffies + msecs_to_jiffies(req->linger_ms);
	else if (time_after_eq(jiffies, ev->linger_end))
		return false;
	usleep_range(LINGER_STEP_US, 2 * LINGER_STEP_US);
	return true;
}

/**
 * contig_evacuate() - get everything out of a window that can get out
 * @req:	the window; the caller has claimed and isolated its pageblocks
 *
 * After success every page of the window is free, or is on its way to a free
 * list.
 *
 * Context: May sleep, waits for I/O unless @req->gfp forbids it.
 * Return: 0; -EBUSY if pages stayed, which @req->nr_stuck counts and of which
 * @req->blocker names one; -ENOMEM if there was no memory to move pages to;
 * -EINTR if the task is being killed.
 */
int contig_evacuate(struct contig_request *req)
{
	struct evacuation ev = {
		.req		= req,
		.mode		= MIGRATE_ASYNC,
		.batch.folios	= LIST_HEAD_INIT(ev.batch.folios),
		.targets	= {
			.req	= req,
			.pages	= LIST_HEAD_INIT(ev.targets.pages),
		},
	};
	struct contig_reclaimer reclaimer;
	bool lru_batches_off = false;
	unsigned long pflags;
	int error, type, pass = 0;

	trace_contig_evacuate_start(req);
	count_mapped(&ev);
	psi_memstall_enter(&pflags);
	contig_begin_reclaim(&reclaimer);
	for (;;) {
		ev.nr_stuck = 0;
		error = evacuate_pass(&ev);
		if (error || !ev.nr_stuck)
			break;
		error = -EBUSY;
		if (!evacuate_again(&ev, ++pass))
			break;

		ev.mode = patient_mode(req->move_gfp);
		if (pass == 1) {
			lru_add_drain_all();
		} else if (!lru_batches_off) {
			lru_cache_disable();
			lru_batches_off = true;
		}
	}
	req->nr_stuck = ev.nr_stuck;
	if (lru_batches_off)
		lru_cache_enable();
	contig_targets_free(&ev.targets.pages);
	contig_end_reclaim(&reclaimer, req->zone, req->move_gfp);
	psi_memstall_leave(&pflags);
	type = contig_migratetype(req->in_area);
	contig_trace_moved(req->start_pfn, req->end_pfn,
			   ev.evacuated.nr_copied + ev.evacuated.nr_remapped +
			   ev.evacuated.nr_migrated,
			   ev.evacuated.nr_dropped + ev.evacuated.nr_reclaimed,
			   ev.nr_mapped, type);
	trace_contig_evacuate_finish(req, &ev.evacuated, error);
	return error;
}
