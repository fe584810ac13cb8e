// SPDX-License-Identifier: GPL-2.0
/*
 * The range allocator: this range of pages, or a reason why not.
 *
 * If all pages of a range are free, they come off the buddy lists, and that is
 * all. Otherwise a request claims and isolates the pageblocks of the range,
 * evacuates it, and takes it then. On failure everything goes back as it was.
 *
 * Isolation is a property of whole pageblocks. Requests in different pageblocks
 * run in parallel. Requests that meet in a pageblock wait for each other: each
 * claims its pageblocks before it isolates them, and holds the claim until it
 * is done. A request has one claim at a time, so there is no circular wait. A
 * release takes no claim and does not wait.
 *
 * Lock: claims_lock covers the list of claims; a leaf. Units are pages; ranges
 * are [start, end).
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/pgalloc_tag.h>
#include <linux/sched/mm.h>
#include <linux/wait.h>

#include "kernel.h"
#include "contig.h"
#include "trace.h"

/* Attempts to evacuate a range and to take it then, without sleeping. */
#define TAKE_ATTEMPTS	3

/*
 * More attempts for a page that is on its way to a free list, and the pause before
 * each. The task that frees it may have to wait for a processor.
 */
#define WAY_ATTEMPTS	50
#define WAY_STEP_US	2000

/* The shortest time that a request waits for a peer in the same pageblocks. */
#define CLAIM_MS	250U

struct contig_claim {
	struct list_head node;
	unsigned long start_pfn;	/* aligned to pageblocks */
	unsigned long end_pfn;
	pid_t pid;
};

static LIST_HEAD(claims);
static DEFINE_SPINLOCK(claims_lock);
static DECLARE_WAIT_QUEUE_HEAD(claims_changed);

static const struct contig_claim *
find_peer_claim(const struct contig_claim *claim)
{
	const struct contig_claim *other;

	lockdep_assert_held(&claims_lock);
	list_for_each_entry(other, &claims, node)
		if (claim->start_pfn < other->end_pfn &&
		    other->start_pfn < claim->end_pfn)
			return other;
	return NULL;
}

static bool claim_blocks_now(struct contig_claim *claim)
{
	bool mine;

	spin_lock(&claims_lock);
	mine = !find_peer_claim(claim);
	if (mine)
		list_add(&claim->node, &claims);
	spin_unlock(&claims_lock);
	return mine;
}

static void note_peer_claim(struct contig_request *req,
			    const struct contig_claim *claim)
{
	const struct contig_claim *peer;

	spin_lock(&claims_lock);
	peer = find_peer_claim(claim);
	if (peer)
		req->blocker = (struct contig_blocker) {
			.pfn	= max(req->start_pfn, peer->start_pfn),
			.reason	= CONTIG_BLOCK_PEER,
			.pid	= peer->pid,
		};
	spin_unlock(&claims_lock);
}

/*
 * A claim holder may be waiting for I/O, and that I/O for a NOIO or NOFS
 * caller. So these callers wait no longer than most evacuations take.
 */
static unsigned int claim_patience_ms(const struct contig_request *req)
{
	if (!contig_may_wait_for_io(req->move_gfp))
		return CLAIM_MS;
	return req->peer_ms ? max(req->peer_ms, CLAIM_MS) : CONTIG_PEER_MAX_MS;
}

static int claim_blocks(struct contig_request *req, struct contig_claim *claim)
{
	unsigned int ms;
	int error = 0;
	long left;

	claim->start_pfn = pageblock_start_pfn(req->start_pfn);
	claim->end_pfn = pageblock_align(req->end_pfn);
	claim->pid = task_pid_nr(current);

	if (contig_should_fail(CONTIG_FAIL_CLAIM))
		return -EINTR;
	if (claim_blocks_now(claim))
		return 0;

	ms = claim_patience_ms(req);
	trace_contig_claim_wait_start(req, ms);
	left = wait_event_killable_timeout(claims_changed,
					   claim_blocks_now(claim),
					   msecs_to_jiffies(ms));
	if (left < 0)
		error = -EINTR;
	else if (!left)
		error = -EBUSY;
	if (error == -EBUSY)
		note_peer_claim(req, claim);
	trace_contig_claim_wait_finish(req, error);
	return error;
}

static void unclaim_blocks(struct contig_claim *claim)
{
	spin_lock(&claims_lock);
	list_del(&claim->node);
	spin_unlock(&claims_lock);
	wake_up_all(&claims_changed);
}

static bool take_range(const struct contig_request *req,
		       enum contig_block_kind kind, unsigned long *stop)
{
	*stop = contig_buddy_take_range(req->zone, req->start_pfn, req->end_pfn,
					kind);
	return *stop == req->end_pfn;
}

/*
 * Takes a free range without isolating anything. A page that is missing may sit
 * on a per-CPU list: drain those once.
 */
static bool take_range_if_free(const struct contig_request *req)
{
	enum contig_block_kind kind = req->in_area ? CONTIG_BLOCKS_CMA :
						     CONTIG_BLOCKS_PLAIN;
	unsigned long stop;

	if (take_range(req, kind, &stop))
		return true;
	if (!contig_buddy_page_unlisted(pfn_to_page(stop)))
		return false;
	drain_all_pages(req->zone);
	return take_range(req, kind, &stop);
}

/*
 * Undoing the isolation sets the type that the caller names, so that must be
 * the right one. Under the claim no request has isolated these blocks. The type
 * of a block that memory hotplug has isolated is not known; it cannot be
 * isolated again.
 */
static bool blocks_match_type(const struct contig_request *req)
{
	unsigned long pfn = pageblock_start_pfn(req->start_pfn);

	for (; pfn < req->end_pfn; pfn += pageblock_nr_pages) {
		struct page *page = pfn_to_page(pfn);

		if (!is_migrate_isolate_page(page) &&
		    is_migrate_cma_page(page) != req->in_area)
			return false;
	}
	return true;
}

static void note_isolated_block(struct contig_request *req)
{
	unsigned long pfn = pageblock_start_pfn(req->start_pfn);

	for (; pfn < req->end_pfn; pfn += pageblock_nr_pages)
		if (is_migrate_isolate_page(pfn_to_page(pfn)))
			break;
	contig_blocker_note(&req->blocker,
			    pfn_to_page(min(pfn, req->end_pfn - 1)),
			    CONTIG_BLOCK_ISOLATED);
}

static int isolate_window(const struct contig_request *req)
{
	if (contig_should_fail(CONTIG_FAIL_ISOLATE))
		return -EBUSY;
	if (req->in_area)
		return contig_isolate_range(req->zone, req->start_pfn,
					    req->end_pfn);
	return contig_isolate_start(req->start_pfn, req->end_pfn,
				    MIGRATE_MOVABLE, req->move_gfp);
}

static void undo_window_isolation(const struct contig_request *req)
{
	if (req->in_area)
		contig_isolate_undo(req->zone, req->start_pfn, req->end_pfn);
	else
		contig_isolate_end(req->start_pfn, req->end_pfn,
				   MIGRATE_MOVABLE);
}

/*
 * Targets for large folios and huge pages are allocated with flags that the
 * request does not control. A scope makes its limits hold for them, too.
 */
static unsigned int contig_gfp_scope_save(gfp_t gfp)
{
	if (!(gfp & __GFP_IO))
		return memalloc_flags_save(PF_MEMALLOC_NOIO);
	return memalloc_flags_save(gfp & __GFP_FS ? 0 : PF_MEMALLOC_NOFS);
}

/*
 * A page that is missing was on a per-CPU list when its block was isolated. It
 * is still there, or was allocated from there.
 */
static bool take_evacuated_range(const struct contig_request *req,
				 unsigned long *stop)
{
	if (take_range(req, CONTIG_BLOCKS_ISOLATED, stop))
		return true;
	wait_for_freed_hugetlb_folios();
	if (contig_buddy_page_unlisted(pfn_to_page(*stop)))
		drain_all_pages(req->zone);
	return take_range(req, CONTIG_BLOCKS_ISOLATED, stop);
}

/*
 * All pages got out, so a page that is still missing is on its way to a free list,
 * or was allocated from the list of a CPU. A patient caller sleeps to let it come.
 */
static bool take_again(const struct contig_request *req, unsigned long stop,
		       int nr_attempts)
{
	if (nr_attempts < TAKE_ATTEMPTS)
		return true;
	if (!req->patient || nr_attempts >= TAKE_ATTEMPTS + WAY_ATTEMPTS ||
	    !contig_buddy_page_unlisted(pfn_to_page(stop)))
		return false;
	usleep_range(WAY_STEP_US, 2 * WAY_STEP_US);
	return true;
}

static int take_occupied_range(struct contig_request *req)
{
	int nr_attempts = 0, error;
	unsigned long stop;

	if (isolate_window(req)) {
		note_isolated_block(req);
		return -EBUSY;
	}

	do {
		error = contig_evacuate(req);
		if (error || take_evacuated_range(req, &stop))
			break;
		contig_blocker_note(&req->blocker, pfn_to_page(stop),
				    CONTIG_BLOCK_IN_USE);
		error = -EBUSY;
	} while (take_again(req, stop, ++nr_attempts));

	undo_window_isolation(req);
	return error;
}

/*
 * Allocation profiling counted each part that was prepared, by its first page.
 * A compound page is freed as one, so count it as one.
 */
static void merge_alloc_tags(unsigned long pfn, unsigned long nr_pages,
			     unsigned long step)
{
	if (step == nr_pages)
		return;
	for (unsigned long i = 0; i < nr_pages; i += step)
		contig_tag_sub(pfn_to_page(pfn + i), step);
	contig_tag_add(pfn_to_page(pfn), nr_pages);
}

/* Prepares at most a buddy at a time: zeroing 1 GiB takes long. */
static void prepare_compound_range(unsigned long pfn, unsigned long nr_pages,
				   gfp_t gfp, bool frozen)
{
	const unsigned long step = min(nr_pages, MAX_ORDER_NR_PAGES);
	struct page *page = pfn_to_page(pfn);
	unsigned int order = ilog2(nr_pages);

	for (unsigned long i = 0; i < nr_pages; i += step) {
		post_alloc_hook(pfn_to_page(pfn + i), ilog2(step), gfp,
				ALLOC_DEFAULT);
		cond_resched();
	}
	merge_alloc_tags(pfn, nr_pages, step);
	/*
	 * prep_compound_page() on order 0 would write into the next struct
	 * page.
	 */
	if (order)
		prep_compound_page(page, order);
	if (!frozen)
		set_page_refcounted(page);
	clear_page_pfmemalloc(page);
}

/*
 * Derives the flags for moving pages from those of the caller. The place of the
 * range is given, so placement flags mean nothing. __GFP_NOFAIL and the like
 * are refused.
 */
static int check_contig_request(struct contig_request *req)
{
	const gfp_t ignored = GFP_ZONEMASK | __GFP_RECLAIMABLE | __GFP_WRITE |
			      __GFP_HARDWALL | __GFP_THISNODE | __GFP_MOVABLE;
	const gfp_t reclaim = __GFP_IO | __GFP_FS | __GFP_RECLAIM;
	const gfp_t action = __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
	const gfp_t result = __GFP_COMP | __GFP_ZERO | __GFP_ZEROTAGS |
			     __GFP_SKIP_ZERO | __GFP_SKIP_KASAN;
	unsigned long nr_pages = req->end_pfn - req->start_pfn;

	req->gfp = current_gfp_context(req->gfp);
	if (req->gfp & ~(ignored | reclaim | action | result))
		return -EINVAL;
	if (req->gfp & __GFP_COMP &&
	    (!is_power_of_2(nr_pages) ||
	     !IS_ALIGNED(req->start_pfn, nr_pages) ||
	     ilog2(nr_pages) > CONTIG_MAX_COMPOUND_ORDER))
		return -EINVAL;
	/*
	 * Targets are for movable pages, and the caller reports a failure. No
	 * reserves, even if the task may use them: the request may fail.
	 */
	req->move_gfp = (req->gfp & (reclaim | action)) | __GFP_HARDWALL |
			__GFP_MOVABLE | __GFP_RETRY_MAYFAIL | __GFP_NOWARN |
			__GFP_NOMEMALLOC;
	/* Do not recurse into direct reclaim. */
	if (current->flags & PF_MEMALLOC)
		req->move_gfp &= ~__GFP_DIRECT_RECLAIM;
	return 0;
}

static void prepare_taken_range(struct contig_request *req)
{
	if (req->gfp & __GFP_COMP)
		prepare_compound_range(req->start_pfn,
				       req->end_pfn - req->start_pfn, req->gfp,
				       req->frozen);
	else
		contig_buddy_prepare_range(req->start_pfn, req->end_pfn,
					   req->gfp, req->frozen);
	req->blocker.reason = CONTIG_BLOCK_NONE;
}

/**
 * contig_take_free() - take a range of pages if all of them are free
 * @req:	the range
 *
 * Moves nothing, isolates nothing. Per-CPU lists are drained if a page that is
 * missing sits on one.
 *
 * Context: May sleep.
 * Return: 0; -EINVAL as for contig_alloc(); -EBUSY if a page is not free.
 */
int contig_take_free(struct contig_request *req)
{
	int error = check_contig_request(req);

	if (error)
		return error;
	if (!take_range_if_free(req))
		return -EBUSY;
	prepare_taken_range(req);
	return 0;
}

/**
 * contig_alloc() - take a range of pages
 * @req:	the range, with ->blocker empty
 *
 * With __GFP_COMP the pages become one compound page, otherwise each is a page
 * of its own. They have one reference, or none if @req->frozen is set.
 *
 * Context: May sleep.
 * Return: 0; -EINVAL if the flags or, with __GFP_COMP, the shape of the range are
 * not supported; -EBUSY if a page is in the way, or a peer that took too long,
 * which @req->blocker names; -EBUSY without a blocker if the pageblocks are not
 * what @req says; -ENOMEM if there was no memory to move pages to; -EINTR if the task
 * is being killed.
 */
int contig_alloc(struct contig_request *req)
{
	struct contig_claim claim;
	int error = check_contig_request(req);

	might_sleep();
	if (error)
		return error;

	if (!take_range_if_free(req)) {
		error = claim_blocks(req, &claim);
		if (error)
			return error;
		/* A peer in the same pageblocks may be what was in the way. */
		if (!blocks_match_type(req)) {
			error = -EBUSY;
		} else if (!take_range_if_free(req)) {
			unsigned int scope;

			scope = contig_gfp_scope_save(req->move_gfp);
			error = take_occupied_range(req);
			memalloc_flags_restore(scope);
		}
		unclaim_blocks(&claim);
		if (error)
			return error;
	}
	prepare_taken_range(req);
	return 0;
}

/*
 * Drops the only reference of each page. page_ref_freeze() would have two
 * barriers for each page. None is needed: zone->lock is taken and dropped
 * before anybody finds the pages free.
 *
 * Return: @end_pfn, or the first page that has another reference, or that is
 * poisoned.
 */
static unsigned long freeze_single_refs(unsigned long pfn,
					unsigned long end_pfn)
{
	while (pfn < end_pfn) {
		/* Within MAX_ORDER_NR_PAGES, struct pages are contiguous. */
		unsigned long stop = min(end_pfn,
					 ALIGN(pfn + 1, MAX_ORDER_NR_PAGES));
		struct page *page = pfn_to_page(pfn);

		for (; pfn < stop; pfn++, page++)
			if (unlikely(PageHWPoison(page) ||
				     atomic_cmpxchg_relaxed(&page->_refcount,
							    1, 0) != 1))
				return pfn;
	}
	return end_pfn;
}

/**
 * contig_free() - give pages back in the largest blocks that fit
 * @start_pfn:	first page
 * @nr_pages:	number of pages, all of one zone, each with one reference
 *
 * A page that has another reference, or that is poisoned, is freed by itself:
 * it becomes free with its last reference, or not at all.
 *
 * Context: Any but NMI; does not sleep, takes zone->lock for a slice at a time.
 */
void contig_free(unsigned long start_pfn, unsigned long nr_pages)
{
	struct zone *zone = page_zone(pfn_to_page(start_pfn));
	unsigned long end_pfn = start_pfn + nr_pages;
	unsigned long run = start_pfn, pfn = start_pfn;

	while (pfn < end_pfn) {
		pfn = freeze_single_refs(pfn, end_pfn);
		contig_buddy_free_range(zone, run, pfn);
		if (pfn < end_pfn)
			__free_page(pfn_to_page(pfn++));
		run = pfn;
	}
}

/*
 * Poisoned pages of a range without references are freed by themselves: they do
 * not become free.
 */
static unsigned long first_poisoned(unsigned long pfn, unsigned long end_pfn)
{
	if (!IS_ENABLED(CONFIG_MEMORY_FAILURE))
		return end_pfn;
	while (pfn < end_pfn && !PageHWPoison(pfn_to_page(pfn)))
		pfn++;
	return pfn;
}

/**
 * contig_free_frozen() - give pages without references back
 * @start_pfn:	first page
 * @nr_pages:	number of pages, all of one zone; of a compound page, all of
 *		them
 *
 * Context: as contig_free().
 */
void contig_free_frozen(unsigned long start_pfn, unsigned long nr_pages)
{
	struct page *page = pfn_to_page(start_pfn);
	unsigned long end_pfn = start_pfn + nr_pages;
	unsigned long run = start_pfn, pfn = start_pfn;

	if (PageCompound(page)) {
		if (!WARN(!PageHead(page) || compound_nr(page) != nr_pages,
			  "pfn %#lx: %lu pages to free of a compound page of %lu\n",
			  start_pfn, nr_pages, compound_nr(page)))
			free_frozen_pages(page, compound_order(page));
		return;
	}
	while (pfn < end_pfn) {
		pfn = first_poisoned(pfn, end_pfn);
		contig_buddy_free_range(page_zone(page), run, pfn);
		if (pfn < end_pfn)
			free_frozen_pages(pfn_to_page(pfn++), 0);
		run = pfn;
	}
}

/**
 * contig_alloc_range() - take a range of pages for a caller outside mm/cma/
 * @start_pfn:	first page
 * @end_pfn:	first page behind
 * @in_area:	all of it is MIGRATE_CMA, otherwise nothing is
 * @gfp:	as for alloc_contig_range()
 * @frozen:	hand the pages out without references
 *
 * Context: May sleep.
 * Return: as alloc_contig_range().
 */
int contig_alloc_range(unsigned long start_pfn, unsigned long end_pfn,
		       bool in_area, gfp_t gfp, bool frozen)
{
	struct contig_request req = {
		.start_pfn	= start_pfn,
		.end_pfn	= end_pfn,
		.gfp		= gfp,
		.in_area	= in_area,
		.frozen		= frozen,
		.patient	= true,
	};

	if (start_pfn >= end_pfn)
		return -EINVAL;
	req.zone = page_zone(pfn_to_page(start_pfn));
	return contig_alloc(&req);
}

/**
 * alloc_contig_range() - take a range of pages
 * @start:	first page frame number
 * @end:	first page frame number behind
 * @acr_flags:	%ACR_FLAGS_CMA if the range lies in an area, %ACR_FLAGS_NONE if
 *		no part of it does
 * @gfp_mask:	__GFP_COMP for one compound page, __GFP_ZERO; what else it says
 *		about reclaim and I/O holds for moving pages out of the way
 *
 * The pages, all of one zone, need not be aligned to pageblocks. Free them with
 * free_contig_range(), or one by one.
 *
 * Context: May sleep.
 * Return: 0; -EINVAL for an empty range, flags or a shape that is not
 * supported; -EBUSY if a page is in the way, if the pageblocks are not what
 * @acr_flags says, or if a peer in them was waited for too long; -ENOMEM if there
 * was no memory to move pages to; -EINTR if the task is being killed.
 */
int alloc_contig_range_noprof(unsigned long start, unsigned long end,
			      acr_flags_t acr_flags, gfp_t gfp_mask)
{
	return contig_alloc_range(start, end, acr_flags == ACR_FLAGS_CMA,
				  gfp_mask, false);
}
EXPORT_SYMBOL(alloc_contig_range_noprof);

/**
 * free_contig_range() - free what alloc_contig_range() and the like gave
 * @pfn:	first page frame number
 * @nr_pages:	number of pages; of a compound page, all of them
 *
 * Context: Any but NMI; does not sleep.
 */
void free_contig_range(unsigned long pfn, unsigned long nr_pages)
{
	struct folio *folio = pfn_folio(pfn);

	if (!folio_test_large(folio)) {
		contig_free(pfn, nr_pages);
		return;
	}
	if (WARN(folio_nr_pages(folio) != nr_pages,
		 "pfn %#lx: %lu pages to free of a compound page of %lu\n",
		 pfn, nr_pages, folio_nr_pages(folio)))
		return;
	folio_put(folio);
}
EXPORT_SYMBOL(free_contig_range);
