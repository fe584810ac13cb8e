// SPDX-License-Identifier: GPL-2.0
/*
 * Shared or exclusive: what becomes of the pages of an area that nobody holds,
 * and the switch from one to the other.
 *
 * While the mode changes no window is looked for: cma->mode_lock is held for
 * writing. Releases go on. One that saw the old mode has let go of its window
 * when synchronize_rcu() returns, so what is not held from then on either
 * belongs to the new mode already or is seen by the walk over the area.
 *
 * With the lock held, nothing waits for a page: somebody may wait for the area
 * in order to do the I/O that the page waits for. If a page does not move, all
 * goes back, and the lock is let go for a while before the next attempt.
 *
 * Units are pages.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>
#include <linux/wait.h>

#include "../internal.h"
#include "internal.h"

/* So long is tried to get everybody's pages out of an area. */
#define SWITCH_SECONDS	10
#define FIRST_PAUSE_MS	10
#define LAST_PAUSE_MS	500

/* Looked at with interrupts off. */
#define LOOK_PAGES	64

/* Of an area, this part is reclaimed when there is no room for what is in it. */
#define ROOM_PART	8

/* How long those wait for a switch that must not wait for I/O. */
#define IO_WAIT_MS	100

/*
 * percpu_down_read() cannot be killed, so readers wait here. The lock fails to
 * be taken while a writer has it or waits for it.
 */
static DECLARE_WAIT_QUEUE_HEAD(mode_settled);

static const char * const class_names[] = {
	[CMA_SHARED]	= "shared",
	[CMA_EXCLUSIVE]	= "exclusive",
};

/**
 * cma_mode_name() - the word for a mode
 * @mode:	the mode
 *
 * Return: as in sysfs and in the log.
 */
const char *cma_mode_name(enum cma_mode mode)
{
	return class_names[mode];
}

/**
 * cma_mode_read_lock() - keep the mode of an area as it is
 * @cma:	the area
 * @gfp:	GFP_NOIO and the like, and scopes, are heeded
 *
 * While the mode changes, what is in the area is moved, which may take a while.
 * I/O that wants a buffer may be what the switch waits for, so it does not wait
 * for long.
 *
 * Context: May sleep.
 * Return: 0, then cma_mode_read_unlock() has to be called; -EBUSY if I/O may
 * not wait any longer; -EINTR if the task is being killed.
 */
int cma_mode_read_lock(struct cma *cma, gfp_t gfp)
{
	long left;

	if (likely(percpu_down_read_trylock(&cma->mode_lock)))
		return 0;
	if (contig_may_wait_for_io(current_gfp_context(gfp)))
		return wait_event_killable(mode_settled,
					   percpu_down_read_trylock(&cma->mode_lock));
	left = wait_event_killable_timeout(mode_settled,
					   percpu_down_read_trylock(&cma->mode_lock),
					   msecs_to_jiffies(IO_WAIT_MS));
	if (left < 0)
		return -EINTR;
	return left ? 0 : -EBUSY;
}

/**
 * cma_mode_read_unlock() - the mode of an area may change
 * @cma:	the area
 *
 * Context: Any but interrupts.
 */
void cma_mode_read_unlock(struct cma *cma)
{
	percpu_up_read(&cma->mode_lock);
}

static void mode_write_unlock(struct cma *cma)
{
	percpu_up_write(&cma->mode_lock);
	wake_up_all(&mode_settled);
}

/* The next pages in [*@start, @limit) that nobody holds and are @kept, or not. */
static bool mode_next_unheld(struct cma *cma, bool kept, unsigned long limit,
			     unsigned long *start, unsigned long *end)
{
	unsigned long pfn = *start, begin = limit;

	spin_lock_irq(&cma->lock);
	for (; pfn < limit; pfn++) {
		bool wanted;

		/* A block may have thousands of pages. */
		if (IS_ALIGNED(pfn, LOOK_PAGES)) {
			spin_unlock_irq(&cma->lock);
			spin_lock_irq(&cma->lock);
		}
		wanted = PageReserved(pfn_to_page(pfn)) == kept &&
			 !cma_range_find(&cma->range, pfn);

		if (wanted && begin == limit)
			begin = pfn;
		else if (!wanted && begin < limit)
			break;
	}
	spin_unlock_irq(&cma->lock);
	*start = begin;
	*end = pfn;
	return begin < limit;
}

/* Calls @act on everything that nobody holds and that is @kept, or not. */
static int mode_walk_unheld(struct cma *cma, bool kept,
			    int (*act)(unsigned long start, unsigned long end,
				       struct contig_blocker *blocker),
			    struct contig_blocker *blocker)
{
	for (unsigned int i = 0; i < cma->nr_banks; i++) {
		const struct cma_bank *bank = &cma->banks[i];
		unsigned long pfn = bank->lent_start_pfn;

		while (pfn < bank->lent_end_pfn) {
			unsigned long end, limit = pfn + pageblock_nr_pages;
			int error;

			limit = ALIGN_DOWN(limit, pageblock_nr_pages);
			if (!mode_next_unheld(cma, kept, limit, &pfn, &end)) {
				pfn = limit;
				cond_resched();
				continue;
			}
			error = act(pfn, end, blocker);
			if (error)
				return error;
			pfn = end;
		}
	}
	return 0;
}

static int mode_take_back_window(unsigned long start, unsigned long end,
				 struct contig_blocker *blocker)
{
	struct contig_request req = {
		.start_pfn	= start,
		.end_pfn	= end,
		.zone		= page_zone(pfn_to_page(start)),
		.gfp		= GFP_NOIO,
		.in_area	= true,
		.nr_spare	= cma_floor_spare,
	};
	int error = alloc_hooks(contig_alloc(&req));

	if (error)
		*blocker = req.blocker;
	else
		cma_reserve_pages(start, end);
	return error;
}

static int mode_lend_window(unsigned long start, unsigned long end,
			    struct contig_blocker *blocker)
{
	cma_lend(start, end);
	return 0;
}

static void mode_change_and_sync(struct cma *cma, enum cma_mode mode)
{
	WRITE_ONCE(cma->mode, mode);
	/* Releases that saw the other mode are through. */
	synchronize_rcu();
}

static void mode_share_area(struct cma *cma)
{
	mode_change_and_sync(cma, CMA_SHARED);
	mode_walk_unheld(cma, true, mode_lend_window, NULL);
}

static int mode_take_back_area(struct cma *cma, struct contig_blocker *blocker)
{
	int error;

	mode_change_and_sync(cma, CMA_EXCLUSIVE);
	cma_cache_flush(cma);
	error = mode_walk_unheld(cma, false, mode_take_back_window, blocker);
	if (error)
		mode_share_area(cma);
	return error;
}

/*
 * A page in the way is named like that of a request. A compound page that is
 * out is in nobody's way: it would go past the area when it comes back.
 */
static void mode_report_failure(struct cma *cma, int error,
				const struct contig_blocker *blocker)
{
	struct cma_failure_cause cause = { .blocker = *blocker };
	int nr_folios = atomic_read(&cma->nr_folios);
	bool folios = error == -EBUSY && nr_folios &&
		      blocker->reason == CONTIG_BLOCK_NONE;

	cma_failure_report(cma, cma->nr_lent, 0, NULL, error, &cause, !folios);
	if (folios)
		pr_err("%s: switch to exclusive failed, ret: %d, compound pages are out: %d\n",
		       cma->name, error, nr_folios);
}

/*
 * With the lock let go: what is in the area has to go somewhere, and if that
 * takes I/O it is done here.
 */
static void mode_make_room(const struct cma *cma)
{
	struct zone *zone = page_zone(pfn_to_page(cma->banks[0].start_pfn));
	unsigned long nr_pages, wanted = cma->nr_lent / ROOM_PART;

	do {
		nr_pages = contig_reclaim_some(zone, GFP_HIGHUSER_MOVABLE);
		wanted -= min(wanted, nr_pages);
		cond_resched();
	} while (nr_pages && wanted && cma_floor_spare() &&
		 !fatal_signal_pending(current));
}

static int mode_make_exclusive(struct cma *cma)
{
	unsigned long deadline = jiffies + SWITCH_SECONDS * HZ;
	struct contig_blocker blocker = { };
	unsigned int ms = FIRST_PAUSE_MS;
	int error;

	while (true) {
		/* Pages on their way to a list belong to nobody who waits. */
		lru_add_drain_all();
		percpu_down_write(&cma->mode_lock);
		error = -EBUSY;
		blocker.reason = CONTIG_BLOCK_NONE;
		/* The last reference of a folio frees it, without a look here. */
		if (!atomic_read(&cma->nr_folios))
			error = mode_take_back_area(cma, &blocker);
		if (!error)
			cma_account_lent(cma, false);
		mode_write_unlock(cma);

		if ((error != -EBUSY && error != -ENOMEM) ||
		    time_after(jiffies, deadline))
			break;
		/* Allocations that cannot use areas need what is left. */
		if (error == -ENOMEM && !cma_floor_spare())
			break;
		if (error == -ENOMEM)
			mode_make_room(cma);
		schedule_timeout_killable(msecs_to_jiffies(ms));
		if (fatal_signal_pending(current))
			return -EINTR;
		ms = min(2 * ms, LAST_PAUSE_MS);
	}
	if (error)
		mode_report_failure(cma, error, &blocker);
	return error;
}

static int mode_make_shared(struct cma *cma)
{
	percpu_down_write(&cma->mode_lock);
	cma_account_lent(cma, true);
	mode_share_area(cma);
	mode_write_unlock(cma);
	return 0;
}

/**
 * cma_set_mode() - make an area shared or exclusive
 * @cma:	the area
 * @mode:	what it is to be
 *
 * Buffers that are out stay as they are.
 *
 * Context: Boot, before core_initcall: nothing is moved then. Afterwards any
 * that may sleep; takes as long as it takes to move what is in the area.
 * Return: 0; -EBUSY if a page did not move for %SWITCH_SECONDS, or a folio is
 * out; -ENOMEM if there is no memory to move pages to; -EINTR if the task is
 * being killed; -EINVAL if the area did not come up. The area is what it was
 * then, and the log says why unless it was the signal.
 */
int cma_set_mode(struct cma *cma, enum cma_mode mode)
{
	static DEFINE_MUTEX(one_at_a_time);
	int error = 0;

	if (system_state == SYSTEM_BOOTING && !cma->active) {
		cma->mode = mode;
		return 0;
	}
	if (!cma->active)
		return -EINVAL;

	if (mutex_lock_killable(&one_at_a_time))
		return -EINTR;
	if (cma->mode != mode) {
		error = mode == CMA_EXCLUSIVE ? mode_make_exclusive(cma) :
						 mode_make_shared(cma);
		/* They depend on how much memory there is for everybody. */
		setup_per_zone_wmarks();
	}
	mutex_unlock(&one_at_a_time);
	return error;
}
