// SPDX-License-Identifier: GPL-2.0
/*
 * Search an area for a window, and take it.
 *
 * First try the window that the range proposes: if its pages are free, take it
 * without looking at any page. Otherwise survey the windows, and evacuate the
 * cheapest one that nothing rules out. If that fails, drop the window, remember
 * its blocker, and start the next window past the blocker.
 *
 * Most blockers are short-lived references: a fault in progress, a page table
 * being torn down, readahead, I/O. So a failed search goes in rounds, with
 * growing pauses, until its time is up and a few rounds are over. Each round
 * first waits for nothing, then for locks and writeback. Some rounds also try
 * windows that the survey rules out. A pause is spent in the window that had
 * the fewest blockers, isolated: others go, and no new ones come.
 *
 * A window is held in the range before its pages are touched, so no two
 * requests try the same one. cma->lock is held for O(log n) steps and never
 * while pages are looked at, moved or freed. Units are pages.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>

#include "internal.h"
#include "trace.h"

/* The pause between two rounds doubles from the first to the last value. */
#define FIRST_PAUSE_MS	1
#define LAST_PAUSE_MS	32

/*
 * With memory full, evacuating one large window may use up the time budget
 * before any pause. Do this many rounds in any case: their pauses take 95 ms.
 */
#define MIN_ROUNDS	8

/* Most windows that search_try_cheapest() takes from the survey in vain. */
#define MAX_TRIES	8

/* Windows of a round that are still tried after the time is up. */
#define LATE_TRIES	2

/*
 * One round in this many also tries windows that the survey rules out. That
 * takes long, and most of their blockers stay. See search_has_few_windows().
 */
#define THOROUGH_ROUND	4

#define NO_WINDOW	ULONG_MAX

/**
 * struct search - an allocation under way
 * @cma:	the area
 * @buffer:	record of the buffer
 * @req:	request to the range
 * @flags:	CMA_ALLOC_*
 * @cause:	what a report of a failure says
 * @blocker:	page that was in the way of the last window
 * @tried:	there was a hole to try
 * @remembered:	later surveys will avoid @blocker for a while
 * @linger_ms:	how long to wait for the last blockers of a window
 * @nr_stuck:	blockers of the last window that was tried
 * @nearest:	start of the window that had the fewest blockers; NO_WINDOW if
 *		none was counted
 * @nr_nearest:	how many these were
 * @outlasting_pfn: page that outlasted the last pause
 */
struct search {
	struct cma *cma;
	struct cma_buffer *buffer;
	struct cma_range_req req;
	unsigned int flags;
	struct cma_failure_cause *cause;
	struct contig_blocker blocker;
	bool tried;
	bool remembered;
	unsigned int linger_ms;
	unsigned int nr_stuck;
	unsigned long nearest;
	unsigned int nr_nearest;
	unsigned long outlasting_pfn;
};

/*
 * Ask the range for a window. If the whole area has no hole for it, note the
 * widest hole under the same lock, so that the report matches this attempt.
 */
static bool search_place(struct search *search, enum cma_fit fit,
			 unsigned long min_start, unsigned long *start)
{
	const struct cma_range *range = &search->cma->range;

	lockdep_assert_held(&search->cma->lock);
	search->req.fit = fit;
	search->req.min_start = min_start;
	if (cma_range_place(range, &search->req, start)) {
		search->cause->no_hole = false;
		return true;
	}
	if (!min_start) {
		search->cause->no_hole = true;
		search->cause->widest_hole = cma_range_widest_hole(range);
	}
	return false;
}

/* Hold a window that starts at or above @min_start, chosen by @fit. */
static bool search_hold_window(struct search *search, enum cma_fit fit,
			       unsigned long min_start)
{
	struct cma *cma = search->cma;
	unsigned long start;
	bool held = false;

	spin_lock_irq(&cma->lock);
	if (search_place(search, fit, min_start, &start))
		held = !cma_range_hold(&cma->range, &search->buffer->holder,
				       start, search->req.nr_pages);
	if (held)
		atomic_inc(&cma->nr_trying);
	spin_unlock_irq(&cma->lock);
	return held;
}

static void search_drop_window(struct search *search)
{
	struct cma *cma = search->cma;

	spin_lock_irq(&cma->lock);
	cma_range_release(&cma->range, &search->buffer->holder);
	atomic_inc(&cma->nr_dropped);
	atomic_dec(&cma->nr_trying);
	spin_unlock_irq(&cma->lock);
}

/*
 * A hole may be missing only because another search holds a window that it will
 * drop. @nr_dropped was read before the hole was looked for.
 */
static bool search_contended(const struct search *search, int nr_dropped)
{
	return atomic_read(&search->cma->nr_trying) ||
	       atomic_read(&search->cma->nr_dropped) != nr_dropped;
}

static void search_note_blocker(struct search *search,
				const struct contig_blocker *blocker)
{
	search->blocker = *blocker;
	cma_failure_note(search->cause, blocker);
	cma_trace_blocker(search->cma, blocker);
}

/* Check the pages of [@start, @end) outside of [@lent_start, @lent_end). */
static bool reserved_part_is_free(unsigned long start, unsigned long end,
				  unsigned long lent_start,
				  unsigned long lent_end,
				  struct contig_blocker *blocker)
{
	unsigned long pfn = cma_first_not_reserved(start, lent_start);

	if (pfn == lent_start) {
		pfn = cma_first_not_reserved(lent_end, end);
		if (pfn == end)
			return true;
	}
	contig_blocker_note(blocker, pfn_to_page(pfn),
			    PageHWPoison(pfn_to_page(pfn)) ?
			    CONTIG_BLOCK_POISONED : CONTIG_BLOCK_REFERENCED);
	return false;
}

static gfp_t search_gfp(const struct search *search)
{
	return GFP_KERNEL |
	       (search->flags & CMA_ALLOC_COMPOUND ? __GFP_COMP : 0) |
	       (search->flags & CMA_ALLOC_NOWARN ? __GFP_NOWARN : 0);
}

/*
 * Use @take to take the lent part of the window that is held, or drop the
 * window. The reserved part need not be taken, only checked.
 */
static int search_take_held(struct search *search, bool patient,
			    int (*take)(struct contig_request *req))
{
	struct cma *cma = search->cma;
	unsigned long pfn = search->buffer->holder.start;
	unsigned long nr_pages = search->buffer->nr_pages;
	struct contig_request req = {
		.start_pfn	= pfn,
		.end_pfn	= pfn + nr_pages,
		.zone		= page_zone(pfn_to_page(pfn)),
		.gfp		= search_gfp(search),
		.in_area	= true,
		.frozen		= search->flags & CMA_ALLOC_FROZEN,
		.patient	= patient,
		.linger_ms	= search->linger_ms,
		.peer_ms	= max(READ_ONCE(cma->patience_ms), 1U),
		.nr_spare	= cma_floor_spare,
	};
	int error = 0;

	if (cma->mode != CMA_SHARED ||
	    !cma_lent_part(cma, &req.start_pfn, &req.end_pfn)) {
		req.start_pfn = pfn + nr_pages;
		req.end_pfn = pfn + nr_pages;
	}
	if (!reserved_part_is_free(pfn, pfn + nr_pages, req.start_pfn,
				   req.end_pfn, &req.blocker))
		error = -EBUSY;
	else if (req.start_pfn < req.end_pfn)
		error = take(&req);
	if (!error) {
		cma_store_take(cma, pfn, nr_pages);
		return 0;
	}

	search_drop_window(search);
	search_note_blocker(search, &req.blocker);
	search->nr_stuck = req.nr_stuck;
	return error;
}

/* Only patient attempts count all blockers of a window. */
static void note_nearest_window(struct search *search, unsigned long start)
{
	if (!search->nr_stuck ||
	    (search->nearest != NO_WINDOW &&
	     search->nr_stuck >= search->nr_nearest))
		return;
	search->nearest = start;
	search->nr_nearest = search->nr_stuck;
}

/* Evacuate and take the window that is held, or drop it. */
static int search_try_held(struct search *search, bool patient)
{
	unsigned long pfn = search->buffer->holder.start;
	int error;

	search->tried = true;
	cma_trace_window(search->cma, pfn, search->buffer->nr_pages);
	error = search_take_held(search, patient, contig_alloc);
	if (!error)
		return 0;

	search->cause->nr_tried++;
	if (patient && error == -EBUSY)
		note_nearest_window(search, pfn);
	search->remembered = contig_blocker_remember(&search->blocker);
	trace_cma_alloc_busy_retry(search->cma->name, pfn, pfn_to_page(pfn),
				   search->buffer->nr_pages,
				   ilog2(search->req.align_mask + 1));
	return error;
}

static bool is_final_error(int error)
{
	return !error || error == -EINTR || error == -EINVAL;
}

/*
 * Return: the next window at or above @min_start; NO_WINDOW if there is none.
 * Set @packed to what cma_range_place_packed() proposes in its stead.
 */
static unsigned long search_next_window(struct search *search,
					unsigned long min_start,
					unsigned long *packed)
{
	struct cma *cma = search->cma;
	unsigned long start = NO_WINDOW;

	spin_lock_irq(&cma->lock);
	if (search_place(search, CMA_FIT_FIRST, min_start, &start))
		*packed = cma_range_place_packed(&cma->range, &search->req,
						 start);
	spin_unlock_irq(&cma->lock);
	return start;
}

static void survey_lent_part(const struct search *search,
			     unsigned long start_pfn,
			     struct contig_survey *survey)
{
	unsigned long end_pfn = start_pfn + search->buffer->nr_pages;

	search->cause->nr_surveyed++;
	if (!cma_lent_part(search->cma, &start_pfn, &end_pfn))
		end_pfn = start_pfn;
	contig_survey_window(start_pfn, end_pfn, survey);
}

/*
 * Survey the window at @start, and prefer the @packed one near it unless that
 * is ruled out, whatever its price. Fragmenting the area costs more than any
 * migration.
 *
 * Return: the start of the window that @survey describes.
 */
static unsigned long survey_near_window(struct search *search,
					unsigned long start,
					unsigned long packed,
					struct contig_survey *survey)
{
	struct contig_survey other;

	survey_lent_part(search, start, survey);
	if (packed == start || survey->blocker.reason != CONTIG_BLOCK_NONE)
		return start;

	survey_lent_part(search, packed, &other);
	other.nr_looked += survey->nr_looked;
	if (other.blocker.reason != CONTIG_BLOCK_NONE) {
		survey->nr_looked = other.nr_looked;
		return start;
	}
	*survey = other;
	return packed;
}

/**
 * struct search_best - the cheapest window so far
 * @start:	its first page; NO_WINDOW if there is none
 * @price:	price of its evacuation, from the survey
 * @nr_looked:	pages that the surveys looked at
 */
struct search_best {
	unsigned long start;
	unsigned long price;
	unsigned long nr_looked;
};

static void update_best_window(struct search *search, struct search_best *best,
			       unsigned long start,
			       const struct contig_survey *survey)
{
	best->nr_looked += survey->nr_looked;
	if (survey->blocker.reason != CONTIG_BLOCK_NONE) {
		search_note_blocker(search, &survey->blocker);
	} else if (survey->price < best->price) {
		best->start = start;
		best->price = survey->price;
	}
}

/*
 * Find the cheapest window that nothing rules out. Stop at one that has only
 * cold cache: a better one would gain less than the search for it costs.
 * Otherwise stop when the surveys have cost about a hundredth of the best
 * price: looking at a page costs about a twelfth of the unit of prices.
 */
static unsigned long search_cheapest_window(struct search *search)
{
	unsigned long nr_pages = search->buffer->nr_pages;
	unsigned long step = max(nr_pages, search->req.align_mask + 1);
	struct search_best best = { .start = NO_WINDOW, .price = ULONG_MAX };
	unsigned long packed, window, start;
	struct contig_survey survey;

	start = search_next_window(search, 0, &packed);
	while (start != NO_WINDOW && !fatal_signal_pending(current)) {
		search->tried = true;
		if (best.price <= nr_pages || 8 * best.nr_looked >= best.price)
			break;
		window = survey_near_window(search, start, packed, &survey);
		update_best_window(search, &best, window, &survey);
		if (survey.blocker.reason != CONTIG_BLOCK_NONE)
			start = max(start, survey.blocker.pfn) + 1;
		else
			start += step;
		start = search_next_window(search, start, &packed);
		cond_resched();
	}
	return best.start;
}

/*
 * No more than eight windows of over a ninth of the area lie side by side. Each
 * has a page that goes in a moment while programs run. To give it up means to
 * begin again, with pages that came into it. So wait for the page in it.
 */
static bool search_has_few_windows(const struct search *search)
{
	return search->buffer->nr_pages > search->cma->nr_pages / 9;
}

/*
 * Return: 0 if a window is held and taken; -EBUSY if all are ruled out; -EINTR
 * if the task is being killed; otherwise the error of the last window.
 */
static int search_try_cheapest(struct search *search)
{
	unsigned int nr_tries = 0;
	unsigned long start;
	int error;

	while ((start = search_cheapest_window(search)) != NO_WINDOW) {
		/* Another request may hold it by now. */
		if (!search_hold_window(search, CMA_FIT_FIRST, start))
			continue;
		if (search->buffer->holder.start != start) {
			search_drop_window(search);
			continue;
		}
		error = search_try_held(search, search_has_few_windows(search));
		if (is_final_error(error))
			return error;
		/* Without a remembered blocker, the survey repeats itself. */
		if (!search->remembered || ++nr_tries == MAX_TRIES)
			return error;
	}
	return fatal_signal_pending(current) ? -EINTR : -EBUSY;
}

/* Return: true if a page rules the held window out; then it is dropped. */
static bool search_held_is_ruled_out(struct search *search)
{
	struct contig_survey survey;

	survey_lent_part(search, search->buffer->holder.start, &survey);
	if (survey.blocker.reason == CONTIG_BLOCK_NONE)
		return false;
	search_drop_window(search);
	search_note_blocker(search, &survey.blocker);
	return true;
}

/*
 * Try all windows, and wait for pages that are in the way. After @deadline, try
 * only LATE_TRIES of them. If @thorough, include those that the survey rules
 * out.
 */
static int search_try_each(struct search *search, unsigned long deadline,
			   bool thorough)
{
	unsigned long min_start = 0;
	unsigned int nr_tries = 0;
	int error = -EBUSY;

	while (!fatal_signal_pending(current) &&
	       search_hold_window(search, CMA_FIT_FIRST, min_start)) {
		unsigned long start = search->buffer->holder.start;

		if (thorough || !search_held_is_ruled_out(search)) {
			error = search_try_held(search, true);
			if (is_final_error(error) ||
			    (++nr_tries >= LATE_TRIES &&
			     time_after(jiffies, deadline)))
				break;
		}
		/* Skip all windows that contain the same blocker. */
		if (search->blocker.reason == CONTIG_BLOCK_NONE)
			min_start = start + search->buffer->nr_pages;
		else
			min_start = max(start, search->blocker.pfn) + 1;
		cond_resched();
	}
	return error;
}

/*
 * Fast path: take a free window without surveying. Return: 0; -EBUSY if the
 * window is not free; -ENOMEM if there is no hole; -EINVAL.
 */
static int search_try_free(struct search *search)
{
	if (!search_hold_window(search, READ_ONCE(search->cma->fit), 0))
		return -ENOMEM;
	return search_take_held(search, false, contig_take_free);
}

/*
 * Align a request for whole pageblocks to pageblocks while there is such a
 * window. This leaves no gaps that are useless to the next request, and
 * isolates no more pageblocks than necessary.
 */
static int search_try_on_pageblocks(struct search *search)
{
	const unsigned long align_mask = search->req.align_mask;
	int error;

	if (!IS_ALIGNED(search->req.nr_pages, pageblock_nr_pages))
		return -EBUSY;

	search->req.align_mask |= pageblock_nr_pages - 1;
	error = search_try_free(search);
	if (error == -EBUSY)
		error = search_try_cheapest(search);
	if (error == -EBUSY) {
		/*
		 * Drain LRU batches before giving up on alignment. Their extra
		 * references make the survey rule windows out, so mm/contig
		 * never gets to drain for these.
		 */
		lru_add_drain_all();
		error = search_try_cheapest(search);
	}
	search->req.align_mask = align_mask;
	return error;
}

/*
 * Wait in the nearest window. It stays the nearest one while it has few
 * blockers. A page that outlasts two pauses may be held for long, so the next
 * pause is spent in a window behind it.
 *
 * Return: 0 if a window is held and taken; otherwise an error.
 */
static int search_linger(struct search *search, unsigned int ms)
{
	unsigned long start = search->nearest;
	int error;

	search->nearest = NO_WINDOW;
	if (start == NO_WINDOW ||
	    !search_hold_window(search, CMA_FIT_FIRST, start))
		return -EBUSY;
	start = search->buffer->holder.start;
	search->linger_ms = ms;
	error = search_try_held(search, true);
	search->linger_ms = 0;
	if (error == -EBUSY &&
	    search->blocker.pfn == search->outlasting_pfn) {
		search->nearest = max(start, search->blocker.pfn) + 1;
		search->nr_nearest = UINT_MAX;
	}
	search->outlasting_pfn = search->blocker.pfn;
	return error;
}

/* Wait until the next round. Return: as search_linger(). */
static int search_pause_ms(struct search *search, unsigned int ms)
{
	unsigned long end = jiffies + max(msecs_to_jiffies(ms), 1UL);
	int error;

	trace_cma_wait_start(search->cma->name, ms);
	error = search_linger(search, ms);
	if (!is_final_error(error) && time_before(jiffies, end))
		schedule_timeout_killable(end - jiffies);
	trace_cma_wait_finish(search->cma->name, error);
	return error;
}

static int search_try_until(struct search *search, unsigned long deadline,
			    unsigned int min_rounds)
{
	const unsigned int thorough = min_rounds == 1 ||
			search_has_few_windows(search) ? 1 : THOROUGH_ROUND;
	unsigned int ms = FIRST_PAUSE_MS, nr_rounds = 0;
	int error, lingered;

	do {
		int nr_dropped = atomic_read(&search->cma->nr_dropped);

		search->tried = false;
		error = search_try_cheapest(search);
		if (is_final_error(error))
			return error;
		/* Flush cached buffers before waiting for pages. */
		if (cma_cache_flush(search->cma)) {
			error = search_try_free(search);
			if (is_final_error(error))
				return error;
		}
		/* No hole is large enough: waiting for pages does not help. */
		if (!search->tried && !search_contended(search, nr_dropped))
			return -ENOMEM;

		/* Drain LRU batches first: extra references block migration. */
		if (!nr_rounds)
			lru_add_drain_all();
		error = search_try_each(search, deadline,
					nr_rounds % thorough == thorough - 1);
		if (is_final_error(error))
			return error;

		lingered = search_pause_ms(search, ms);
		if (is_final_error(lingered))
			return lingered;
		ms = min(2 * ms, LAST_PAUSE_MS);
		if (fatal_signal_pending(current))
			return -EINTR;
	} while (++nr_rounds < min_rounds || time_before(jiffies, deadline));
	return error;
}

/*
 * Most requests that are larger than all that is free need not look for a hole.
 * @nr_dropped was read before.
 */
static bool search_is_in_vain(struct search *search, int nr_dropped)
{
	struct cma *cma = search->cma;
	const struct cma_range *range = &cma->range;

	if (search->req.nr_pages <= range->nr_pages - READ_ONCE(range->nr_held))
		return false;
	/* Cached buffers may be given back, or are on their way. */
	if (cma_cache_pages(cma) || mutex_is_locked(&cma->cache_mutex) ||
	    search_contended(search, nr_dropped))
		return false;

	spin_lock_irq(&cma->lock);
	search->cause->no_hole = true;
	search->cause->widest_hole = cma_range_widest_hole(range);
	spin_unlock_irq(&cma->lock);
	return true;
}

static int search_try_all(struct search *search)
{
	struct cma *cma = search->cma;
	unsigned int patience_ms = READ_ONCE(cma->patience_ms);
	unsigned long deadline = jiffies + msecs_to_jiffies(patience_ms);
	int nr_dropped = atomic_read(&cma->nr_dropped);
	int error;

	if (search_is_in_vain(search, nr_dropped))
		return -ENOMEM;
	error = search_try_on_pageblocks(search);
	if (!is_final_error(error))
		error = search_try_free(search);
	/* Cached buffers may occupy the only hole: flush and retry. */
	if (error == -ENOMEM) {
		cma_cache_flush(cma);
		error = search_try_free(search);
	}
	if (error == -EBUSY ||
	    (error == -ENOMEM && search_contended(search, nr_dropped)))
		error = search_try_until(search, deadline,
					 patience_ms ? MIN_ROUNDS : 1);
	return error;
}

/*
 * The last reference to a compound page frees all of it to the page allocator.
 * So none of its pages can be reserved: the area must be shared and have no
 * partial pageblock.
 */
static bool search_serves(const struct cma *cma, unsigned int flags)
{
	return !(flags & CMA_ALLOC_COMPOUND) ||
	       (cma->mode == CMA_SHARED && cma->nr_lent == cma->nr_pages);
}

/**
 * cma_search() - take a window of an area
 * @cma:	the area
 * @buffer:	new record of the buffer; on success it holds the window
 * @align_order: the window starts at a multiple of 1 << @align_order pages
 * @flags:	CMA_ALLOC_*
 * @cause:	empty; set to the cause of a failure
 *
 * Context: May sleep; takes cma->mode_lock for reading.
 * Return: 0; -ENOMEM if no hole is large enough or there was no memory to move
 * pages to; -EBUSY if a page was in the way of every window, or I/O may not
 * wait for a switch of the mode; -EINTR if the task is being killed; -EINVAL if the
 * area has no compound pages.
 */
int cma_search(struct cma *cma, struct cma_buffer *buffer,
	       unsigned int align_order, unsigned int flags,
	       struct cma_failure_cause *cause)
{
	unsigned int order = max(align_order, cma->order_per_bit);
	struct search search = {
		.cma	= cma,
		.buffer	= buffer,
		.req	= {
			.nr_pages	= ALIGN(buffer->nr_pages,
						1UL << cma->order_per_bit),
			.align_mask	= (1UL << order) - 1,
		},
		.flags	= flags,
		.cause	= cause,
		.nearest = NO_WINDOW,
	};
	int error;

	/* The mode says which pages are lent, so it must not change now. */
	error = cma_mode_read_lock(cma, GFP_KERNEL);
	if (error)
		return error;
	buffer->reserved = cma->mode != CMA_SHARED;
	error = search_serves(cma, flags) ? search_try_all(&search) : -EINVAL;
	if (!error)
		atomic_dec(&cma->nr_trying);
	if (!error && buffer->is_folio)
		atomic_inc(&cma->nr_folios);
	cma_mode_read_unlock(cma);
	cause->no_hole = cause->no_hole && error == -ENOMEM;
	if (error == -EBUSY && search.blocker.reason == CONTIG_BLOCK_NONE)
		return -ENOMEM;
	return error;
}
