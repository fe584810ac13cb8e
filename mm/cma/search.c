// SPDX-License-Identifier: GPL-2.0
/*
 * Which window a request gets, and what is tried before it gets none.
 *
 * The window that the range proposes is taken if its pages are free: nothing
 * is looked at then. Otherwise the windows are surveyed, and the cheapest of
 * those that nothing rules out is emptied. One that could not be had after all
 * is let go, its blocker remembered, and the next one starts behind it.
 *
 * What blocks is mostly a reference somebody holds for a moment: a fault in
 * progress, a page table being torn down, readahead, I/O. So a request that
 * found no window tries again, with pauses that grow, each time first without
 * waiting for anything and then waiting for locks and writeback, now and then
 * even where the survey sees a reference, until its time is up and a few rounds
 * are over.
 *
 * A window is held in the range before its pages are touched, so no two
 * requests try the same one. cma->lock is held for O(log n) steps and never
 * while pages are looked at, moved or freed. Units are pages.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>
#include <trace/events/cma.h>

#include "internal.h"

/* Pauses double from one to the other. */
#define FIRST_PAUSE_MS	1
#define LAST_PAUSE_MS	32

/*
 * With memory full, to empty a large window may take longer than a request is
 * told to be patient, and then nothing of that time was spent on waiting. So
 * many rounds there are in any case; the pauses between them make 95 ms.
 */
#define MIN_ROUNDS	8

/* Windows that are tried in vain before the survey is no longer believed. */
#define MAX_TRIES	8

/* Windows of a round that are waited for when time is up. */
#define LATE_TRIES	2

/*
 * Each so many rounds, windows are tried that the survey rules out. Emptying
 * those takes long, and most of the pages that rule them out stay.
 */
#define THOROUGH_ROUND	4

#define NO_WINDOW	ULONG_MAX

/**
 * struct search - an allocation under way
 * @cma:	the area
 * @buffer:	record of the buffer to be
 * @want:	what the range is asked for
 * @gfp:	for the range allocator
 * @blocker:	what was in the way of the last window
 * @no_hole:	no hole of the area was for it, the last time one was looked for
 * @widest_hole: pages of the widest one then
 * @tried:	there was a hole to try
 * @remembered:	the blocker will be gone around for a while
 */
struct search {
	struct cma *cma;
	struct cma_buffer *buffer;
	struct cma_range_req want;
	gfp_t gfp;
	struct contig_blocker blocker;
	bool no_hole;
	unsigned long widest_hole;
	bool tried;
	bool remembered;
};

/*
 * Where the range proposes to go. If there is no such hole in all of the area,
 * how wide they are is noted now: a moment later somebody may have released a
 * buffer.
 */
static bool search_place(struct search *search, enum cma_fit fit,
			 unsigned long min_start, unsigned long *start)
{
	const struct cma_range *range = &search->cma->range;

	lockdep_assert_held(&search->cma->lock);
	search->want.fit = fit;
	search->want.min_start = min_start;
	if (cma_range_place(range, &search->want, start)) {
		search->no_hole = false;
		return true;
	}
	if (!min_start) {
		search->no_hole = true;
		search->widest_hole = cma_range_widest_hole(range);
	}
	return false;
}

/* Holds a window that starts at @min_start or, by @fit, beyond it. */
static bool search_hold_window(struct search *search, enum cma_fit fit,
			       unsigned long min_start)
{
	struct cma *cma = search->cma;
	unsigned long start;
	bool held = false;

	spin_lock_irq(&cma->lock);
	if (search_place(search, fit, min_start, &start))
		held = !cma_range_hold(&cma->range, &search->buffer->holder,
				       start, search->want.nr_pages);
	if (held)
		atomic_inc(&cma->nr_trying);
	spin_unlock_irq(&cma->lock);
	return held;
}

static void search_let_go(struct search *search)
{
	struct cma *cma = search->cma;

	spin_lock_irq(&cma->lock);
	cma_range_release(&cma->range, &search->buffer->holder);
	atomic_inc(&cma->nr_dropped);
	atomic_dec(&cma->nr_trying);
	spin_unlock_irq(&cma->lock);
}

/*
 * A hole may be missing only because somebody tries a window and will not get
 * it. @nr_dropped is what was counted before the hole was looked for.
 */
static bool search_contended(const struct search *search, int nr_dropped)
{
	return atomic_read(&search->cma->nr_trying) ||
	       atomic_read(&search->cma->nr_dropped) != nr_dropped;
}

/* Of the window [@start, @end), what lies outside of [@lent_start, @lent_end). */
static bool reserved_part_is_free(unsigned long start, unsigned long end,
				  unsigned long lent_start, unsigned long lent_end,
				  struct contig_blocker *blocker)
{
	unsigned long pfn = cma_first_not_reserved(start, lent_start);

	if (pfn == lent_start) {
		pfn = cma_first_not_reserved(lent_end, end);
		if (pfn == end)
			return true;
	}
	contig_blocker_note(blocker, pfn_to_page(pfn),
			    PageHWPoison(pfn_to_page(pfn)) ? CONTIG_BLOCK_POISONED :
			    CONTIG_BLOCK_REFERENCED);
	return false;
}

/*
 * Takes the window that is held with @take, or lets it go. What of it the page
 * allocator never had is there already.
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
		.gfp		= search->gfp,
		.in_area	= true,
		.patient	= patient,
		.peer_ms	= max(READ_ONCE(cma->patience_ms), 1U),
		.nr_spare	= cma_floor_spare,
	};
	int error = 0;

	if (cma->mode == CMA_EXCLUSIVE ||
	    !cma_lent_part(cma, &req.start_pfn, &req.end_pfn)) {
		req.start_pfn = pfn + nr_pages;
		req.end_pfn = pfn + nr_pages;
	}
	if (!reserved_part_is_free(pfn, pfn + nr_pages, req.start_pfn, req.end_pfn,
				   &req.blocker))
		error = -EBUSY;
	else if (req.start_pfn < req.end_pfn)
		error = take(&req);
	if (!error)
		return 0;

	search_let_go(search);
	search->blocker = req.blocker;
	return error;
}

/* Tries the window that is held, and lets it go if it cannot be had. */
static int search_try_held(struct search *search, bool patient)
{
	unsigned long pfn = search->buffer->holder.start;
	int error;

	search->tried = true;
	error = search_take_held(search, patient, contig_alloc);
	if (!error)
		return 0;

	search->remembered = contig_blocker_remember(&search->blocker);
	trace_cma_alloc_busy_retry(search->cma->name, pfn, pfn_to_page(pfn),
				   search->buffer->nr_pages,
				   ilog2(search->want.align_mask + 1));
	return error;
}

static bool is_final_error(int error)
{
	return !error || error == -EINTR || error == -EINVAL;
}

/*
 * The next window at or above @min_start; NO_WINDOW if there is none. @packed:
 * one near it that costs no other window, the same if it does not either.
 */
static unsigned long search_next_window(struct search *search, unsigned long min_start,
					unsigned long *packed)
{
	struct cma *cma = search->cma;
	unsigned long start = NO_WINDOW;

	spin_lock_irq(&cma->lock);
	if (search_place(search, CMA_FIT_FIRST, min_start, &start))
		*packed = cma_range_place_packed(&cma->range, &search->want, start);
	spin_unlock_irq(&cma->lock);
	return start;
}

static void survey_lent_part(const struct cma *cma, unsigned long start_pfn,
			     unsigned long end_pfn, struct contig_survey *survey)
{
	if (!cma_lent_part(cma, &start_pfn, &end_pfn))
		end_pfn = start_pfn;
	contig_survey_window(start_pfn, end_pfn, survey);
}

/*
 * Surveys the window at @start; or the @packed one near it, unless that one is
 * ruled out: no price is as high as that of a request that will find no room.
 *
 * Return: the start of the one that @survey is about.
 */
static unsigned long survey_near_window(struct search *search, unsigned long start,
					unsigned long packed,
					struct contig_survey *survey)
{
	unsigned long nr_pages = search->buffer->nr_pages;
	struct contig_survey other;

	survey_lent_part(search->cma, start, start + nr_pages, survey);
	if (packed == start || survey->blocker.reason != CONTIG_BLOCK_NONE)
		return start;

	survey_lent_part(search->cma, packed, packed + nr_pages, &other);
	other.nr_looked += survey->nr_looked;
	if (other.blocker.reason != CONTIG_BLOCK_NONE) {
		survey->nr_looked = other.nr_looked;
		return start;
	}
	*survey = other;
	return packed;
}

/**
 * struct choice - the cheapest window so far
 * @start:	where it begins
 * @price:	what it takes to empty it
 * @nr_looked:	pages that were looked at
 */
struct choice {
	unsigned long start;
	unsigned long price;
	unsigned long nr_looked;
};

static void update_best_window(struct search *search, struct choice *best,
			       unsigned long start, const struct contig_survey *survey)
{
	best->nr_looked += survey->nr_looked;
	if (survey->blocker.reason != CONTIG_BLOCK_NONE) {
		search->blocker = survey->blocker;
	} else if (survey->price < best->price) {
		best->start = start;
		best->price = survey->price;
	}
}

/*
 * The cheapest window among those that nothing rules out. The first one that
 * holds nothing but cold cache is good enough: what is left to gain is less
 * than what it takes to look for it. In general, looking ends when it has taken
 * about a hundredth of what the window found so far will take: the look at a
 * page is some twelfth of the unit of its price.
 */
static unsigned long search_cheapest_window(struct search *search)
{
	unsigned long nr_pages = search->buffer->nr_pages;
	unsigned long step = max(nr_pages, search->want.align_mask + 1);
	struct choice best = { .start = NO_WINDOW, .price = ULONG_MAX };
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
 * Return: 0 with a window held and taken; -EBUSY if all are ruled out; -EINTR
 * if they were not looked at for the task is being killed.
 */
static int search_try_cheapest(struct search *search)
{
	unsigned int nr_tries = 0;
	unsigned long start;
	int error;

	while ((start = search_cheapest_window(search)) != NO_WINDOW) {
		/* A peer may have been quicker. */
		if (!search_hold_window(search, CMA_FIT_FIRST, start))
			continue;
		if (search->buffer->holder.start != start) {
			search_let_go(search);
			continue;
		}
		error = search_try_held(search, false);
		if (is_final_error(error))
			return error;
		/* What is not remembered would be found again. */
		if (!search->remembered || ++nr_tries == MAX_TRIES)
			return error;
	}
	return fatal_signal_pending(current) ? -EINTR : -EBUSY;
}

/* Whether somebody refers to a page of the window that is held. */
static bool search_held_is_ruled_out(struct search *search)
{
	unsigned long start = search->buffer->holder.start;
	struct contig_survey survey;

	survey_lent_part(search->cma, start, start + search->buffer->nr_pages,
			 &survey);
	if (survey.blocker.reason == CONTIG_BLOCK_NONE)
		return false;
	search_let_go(search);
	search->blocker = survey.blocker;
	return true;
}

/*
 * Goes through all windows, and waits for what is in the way; through some of
 * them even if time is up. @thorough: through those that the survey rules out,
 * too.
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
			if (is_final_error(error) || (++nr_tries >= LATE_TRIES &&
						      time_after(jiffies, deadline)))
				break;
		}
		/* Every window that contains the same page would fail too. */
		if (search->blocker.reason == CONTIG_BLOCK_NONE)
			min_start = start + search->buffer->nr_pages;
		else
			min_start = max(start, search->blocker.pfn) + 1;
		cond_resched();
	}
	return error;
}

/*
 * Free windows are had without a look at anything. Return: 0; -EBUSY if there
 * is a window, but not a free one; -ENOMEM if there is none; -EINVAL.
 */
static int search_try_free(struct search *search)
{
	if (!search_hold_window(search, READ_ONCE(search->cma->fit), 0))
		return -ENOMEM;
	return search_take_held(search, false, contig_take_free);
}

/*
 * Whole pageblocks start on pageblocks, as long as there is such a window: then
 * what is gone around does not leave gaps that are no use to the next one, and
 * no more blocks are isolated than have to be.
 */
static int search_try_on_pageblocks(struct search *search)
{
	const unsigned long align_mask = search->want.align_mask;
	int error;

	if (!IS_ALIGNED(search->want.nr_pages, pageblock_nr_pages))
		return -EBUSY;

	search->want.align_mask |= pageblock_nr_pages - 1;
	error = search_try_free(search);
	if (error == -EBUSY)
		error = search_try_cheapest(search);
	if (error == -EBUSY) {
		/* A page in some CPU's batch is no reason to leave gaps. */
		lru_add_drain_all();
		error = search_try_cheapest(search);
	}
	search->want.align_mask = align_mask;
	return error;
}

static void search_pause_ms(unsigned int ms)
{
	schedule_timeout_killable(max(msecs_to_jiffies(ms), 1UL));
}

static int search_try_until(struct search *search, unsigned long deadline,
			    unsigned int min_rounds)
{
	unsigned int ms = FIRST_PAUSE_MS;
	unsigned int nr_rounds = 0;
	int error;

	do {
		int nr_dropped = atomic_read(&search->cma->nr_dropped);

		search->tried = false;
		error = search_try_cheapest(search);
		if (is_final_error(error))
			return error;
		/* Rather than wait, do without the cached buffers. */
		if (cma_cache_flush(search->cma)) {
			error = search_try_free(search);
			if (is_final_error(error))
				return error;
		}
		/* No hole is large enough: waiting for pages does not help. */
		if (!search->tried && !search_contended(search, nr_dropped))
			return -ENOMEM;

		/* A page in some CPU's batch has one reference more. */
		if (!nr_rounds)
			lru_add_drain_all();
		error = search_try_each(search, deadline, min_rounds == 1 ||
					nr_rounds % THOROUGH_ROUND ==
					THOROUGH_ROUND - 1);
		if (is_final_error(error))
			return error;

		search_pause_ms(ms);
		ms = min(2 * ms, LAST_PAUSE_MS);
		if (fatal_signal_pending(current))
			return -EINTR;
	} while (++nr_rounds < min_rounds || time_before(jiffies, deadline));
	return error;
}

static int search_try_all(struct search *search)
{
	struct cma *cma = search->cma;
	unsigned int patience_ms = READ_ONCE(cma->patience_ms);
	unsigned long deadline = jiffies + msecs_to_jiffies(patience_ms);
	int nr_dropped = atomic_read(&cma->nr_dropped);
	int error;

	error = search_try_on_pageblocks(search);
	if (!is_final_error(error))
		error = search_try_free(search);
	/* Cached buffers may be what no hole is left for: flush and retry. */
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
 * A compound page goes back to where its last reference says, so nothing of it
 * can be kept.
 */
static bool search_gfp_valid(const struct cma *cma, gfp_t gfp)
{
	return !(gfp & __GFP_COMP) || (cma->mode == CMA_SHARED &&
				       cma->nr_lent == cma->nr_pages);
}

/**
 * cma_search() - take a window of an area
 * @cma:	the area
 * @buffer:	record of the buffer; on success it holds the window
 * @align_order: the window starts at a multiple of 1 << @align_order pages
 * @gfp:	how to prepare the pages, and how to get others out of the way
 * @cause:	on failure, why
 *
 * Context: May sleep.
 * Return: 0; -ENOMEM if no hole is large enough or there was no memory to move
 * pages to; -EBUSY if a page was in the way of every window; -EINTR if the task
 * is being killed; -EINVAL for flags that the range allocator does not support.
 */
int cma_search(struct cma *cma, struct cma_buffer *buffer,
	       unsigned int align_order, gfp_t gfp,
	       struct cma_failure_cause *cause)
{
	unsigned int order = max(align_order, cma->order_per_bit);
	struct search search = {
		.cma	= cma,
		.buffer	= buffer,
		.want	= {
			.nr_pages	= ALIGN(buffer->nr_pages,
						1UL << cma->order_per_bit),
			.align_mask	= (1UL << order) - 1,
		},
		.gfp	= gfp,
	};
	int error;

	/* Held or not, pages are what their mode says until this is through. */
	error = cma_mode_read_lock(cma, gfp);
	if (error)
		return error;
	buffer->reserved = cma->mode == CMA_EXCLUSIVE;
	error = search_gfp_valid(cma, gfp) ? search_try_all(&search) : -EINVAL;
	buffer->is_folio = gfp & __GFP_COMP;
	buffer->nr_claimed = 0;
	buffer->nr_back = 0;
	if (!error)
		atomic_dec(&cma->nr_trying);
	if (!error && buffer->is_folio)
		atomic_inc(&cma->nr_folios);
	cma_mode_read_unlock(cma);
	*cause = (struct cma_failure_cause) {
		.blocker	= search.blocker,
		.no_hole	= error == -ENOMEM && search.no_hole,
		.widest_hole	= search.widest_hole,
	};
	if (error == -EBUSY && search.blocker.reason == CONTIG_BLOCK_NONE)
		return -ENOMEM;
	return error;
}
