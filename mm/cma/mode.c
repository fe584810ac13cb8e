// SPDX-License-Identifier: GPL-2.0
/*
 * The mode of an area, and the switch from one to another.
 *
 * The mode says whether pages that nobody holds are lent or reserved, and what
 * reserved pages are used for. While it changes, cma->mode_lock is held for
 * writing and no search runs. Releases go on. A release that saw the old mode
 * has released its window by the time synchronize_rcu() returns. So the walk
 * that follows finds all pages that still are as the old mode demands.
 *
 * With the lock held, never wait for a page: another task may be waiting for
 * the lock in order to do the I/O that the page waits for. If a page does not
 * move, undo the switch and drop the lock for a while before the next attempt.
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

#include "../contig/kernel.h"
#include "internal.h"
#include "trace.h"

/* How long a switch to exclusive tries to evacuate the area. */
#define SWITCH_SECONDS	10

/* The pause between two attempts doubles from the first to the last value. */
#define FIRST_PAUSE_MS	10
#define LAST_PAUSE_MS	500

/* Most pages to look at with interrupts off. */
#define LOOK_PAGES	64

/* If pages of the area have nowhere to go, reclaim 1/ROOM_PART of its size. */
#define ROOM_PART	8

/* How long a GFP_NOIO or GFP_NOFS caller waits for a switch. */
#define IO_WAIT_MS	100

/*
 * percpu_down_read() is not killable, so readers wait here. The trylock fails
 * while a writer holds the lock or waits for it.
 */
static DECLARE_WAIT_QUEUE_HEAD(mode_settled);

static const char * const mode_names[] = {
	[CMA_SHARED]	= "shared",
	[CMA_EXCLUSIVE]	= "exclusive",
	[CMA_GUARANTEED] = "guaranteed",
};

/**
 * cma_mode_name() - name of a mode
 * @mode:	the mode
 *
 * Context: Any.
 * Return: the name, as in sysfs and in the log.
 */
const char *cma_mode_name(enum cma_mode mode)
{
	return mode_names[mode];
}

/**
 * cma_mode_parse() - find a mode by its name
 * @name:	the name; may end with a newline
 *
 * Context: Any.
 * Return: the mode; -EINVAL if there is no such mode.
 */
int cma_mode_parse(const char *name)
{
	return sysfs_match_string(mode_names, name);
}

static bool mode_read_trylock(struct cma *cma)
{
	return percpu_down_read_trylock(&cma->mode_lock);
}

static int mode_read_wait(struct cma *cma, gfp_t gfp)
{
	long left;

	if (contig_may_wait_for_io(current_gfp_context(gfp)))
		return wait_event_killable(mode_settled,
					   mode_read_trylock(cma)) ? -EINTR : 0;
	left = wait_event_killable_timeout(mode_settled, mode_read_trylock(cma),
					   msecs_to_jiffies(IO_WAIT_MS));
	if (left < 0)
		return -EINTR;
	return left ? 0 : -EBUSY;
}

/**
 * cma_mode_read_lock() - prevent a change of the mode of an area
 * @cma:	the area
 * @gfp:	flags of the request; memalloc scopes count, too
 *
 * A switch evacuates the area, which takes a while. It may wait for I/O that
 * needs this buffer, so a GFP_NOIO or GFP_NOFS caller waits %IO_WAIT_MS at
 * most.
 *
 * Context: May sleep; takes cma->mode_lock for reading.
 * Return: 0, and the caller must call cma_mode_read_unlock(); -EBUSY if a
 * GFP_NOIO or GFP_NOFS caller has waited long enough; -EINTR if the task is
 * being killed.
 */
int cma_mode_read_lock(struct cma *cma, gfp_t gfp)
{
	int error;

	if (likely(mode_read_trylock(cma)))
		return 0;
	trace_cma_mode_wait_start(cma->name);
	error = mode_read_wait(cma, gfp);
	trace_cma_mode_wait_finish(cma->name, error);
	return error;
}

/**
 * cma_mode_read_unlock() - allow a change of the mode of an area
 * @cma:	the area
 *
 * Context: Process.
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

/*
 * Find the next pages in [*@start, @limit) that nobody holds, and that are
 * reserved or not as @reserved says. Return: false if there are none.
 */
static bool mode_next_unheld(struct cma *cma, bool reserved,
			     unsigned long limit, unsigned long *start,
			     unsigned long *end)
{
	unsigned long pfn = *start, begin = limit;

	spin_lock_irq(&cma->lock);
	for (; pfn < limit; pfn++) {
		bool wanted;

		/* A pageblock has thousands of pages: let interrupts in. */
		if (IS_ALIGNED(pfn, LOOK_PAGES)) {
			spin_unlock_irq(&cma->lock);
			spin_lock_irq(&cma->lock);
		}
		wanted = PageReserved(pfn_to_page(pfn)) == reserved &&
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

/* Call @act on all pages that nobody holds and that match @reserved. */
static int mode_walk_unheld(struct cma *cma, bool reserved,
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
			if (!mode_next_unheld(cma, reserved, limit, &pfn,
					      &end)) {
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
	/* Wait for releases that saw the old mode. */
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
	if (error) {
		cma_trace_blocker(cma, blocker);
		mode_share_area(cma);
	}
	return error;
}

/*
 * Report a page in the way like that of a failed request. A compound page that
 * is handed out gets a message of its own: no page is in the way then.
 */
static void mode_report_failure(struct cma *cma, int error,
				const struct contig_blocker *blocker)
{
	struct cma_failure_cause cause = { .blocker = { *blocker } };
	int nr_folios = atomic_read(&cma->nr_folios);
	bool folios = error == -EBUSY && nr_folios &&
		      blocker->reason == CONTIG_BLOCK_NONE;

	cma_failure_report(cma, cma->nr_lent, 0, NULL, error, &cause, !folios);
	if (folios)
		pr_err("%s: switch to exclusive failed, ret: %d, compound pages are out: %d\n",
		       cma->name, error, nr_folios);
}

/*
 * Reclaim memory for the pages that leave the area. This may wait for I/O, so
 * the caller must not hold cma->mode_lock.
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
		/*
		 * Drain LRU batches first: their extra references block
		 * migration, and mm/contig does not wait under mode_lock.
		 */
		lru_add_drain_all();
		percpu_down_write(&cma->mode_lock);
		error = -EBUSY;
		blocker.reason = CONTIG_BLOCK_NONE;
		/* The last reference to a folio frees it, whatever the mode. */
		if (!atomic_read(&cma->nr_folios))
			error = mode_take_back_area(cma, &blocker);
		if (!error)
			cma_account_lent(cma, false);
		mode_write_unlock(cma);

		if ((error != -EBUSY && error != -ENOMEM) ||
		    time_after(jiffies, deadline))
			break;
		/* Leave the rest to allocations that cannot use areas. */
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

/* From guaranteed to exclusive. */
static void mode_end_guaranteed(struct cma *cma)
{
	struct contig_store *stores[CMA_MAX_BANKS] = { };

	percpu_down_write(&cma->mode_lock);
	mode_change_and_sync(cma, CMA_EXCLUSIVE);
	cma_stores_close(cma, stores);
	mode_write_unlock(cma);
	cma_stores_free(stores);
}

/* From exclusive to guaranteed. */
static void mode_begin_guaranteed(struct cma *cma, struct contig_store **stores)
{
	percpu_down_write(&cma->mode_lock);
	cma_stores_open(cma, stores);
	WRITE_ONCE(cma->mode, CMA_GUARANTEED);
	mode_write_unlock(cma);
}

/* Exclusive lies between the two other modes. */
static int mode_change_in_steps(struct cma *cma, enum cma_mode mode)
{
	struct contig_store *stores[CMA_MAX_BANKS] = { };
	int error = 0;

	/* First what may fail and changes nothing. */
	if (mode == CMA_GUARANTEED)
		error = cma_stores_new(cma, stores);
	if (error)
		return error;
	if (cma->mode == CMA_GUARANTEED)
		mode_end_guaranteed(cma);
	if (mode == CMA_SHARED)
		return mode_make_shared(cma);
	if (cma->mode == CMA_SHARED)
		error = mode_make_exclusive(cma);
	if (mode == CMA_GUARANTEED && error)
		cma_stores_free(stores);
	else if (mode == CMA_GUARANTEED)
		mode_begin_guaranteed(cma, stores);
	return error;
}

/**
 * cma_set_mode() - change the mode of an area
 * @cma:	the area
 * @mode:	the new mode
 *
 * Buffers that are handed out are not affected.
 *
 * Context: Boot, before core_initcall: only sets the mode. Later: may sleep,
 * and takes the time to evacuate the area; takes cma->mode_lock for writing.
 * Return: 0; -EBUSY if a page did not move for %SWITCH_SECONDS seconds, or a
 * compound page is handed out; -ENOMEM if there is no memory to move pages to,
 * or none for the tables of a guaranteed area; -EINTR if the task is being
 * killed; -EINVAL if the area did not come up; -EOPNOTSUPP if the kernel has no
 * mode guaranteed. On error the mode is unchanged. The log names the cause of
 * -EBUSY, and of -ENOMEM when pages were to move.
 */
int cma_set_mode(struct cma *cma, enum cma_mode mode)
{
	static DEFINE_MUTEX(one_at_a_time);
	const char *old, *new = cma_mode_name(mode);
	int error = 0;

	if (system_state == SYSTEM_BOOTING && !cma->active) {
		cma->mode = cma_supported_mode(mode);
		return 0;
	}
	if (!cma->active)
		return -EINVAL;

	if (mutex_lock_killable(&one_at_a_time))
		return -EINTR;
	if (cma->mode != mode) {
		old = cma_mode_name(cma->mode);
		trace_cma_mode_start(cma->name, old, new);
		error = mode_change_in_steps(cma, mode);
		/* Watermarks depend on the pages that a zone manages. */
		setup_per_zone_wmarks();
		trace_cma_mode_finish(cma->name, old, new, error);
	}
	mutex_unlock(&one_at_a_time);
	return error;
}
