// SPDX-License-Identifier: GPL-2.0
/*
 * Which page stopped a request, why, and whose it is.
 *
 * A request that fails leaves a record in a ring of the most recent failures
 * and, unless its caller asked for silence, one line in the log. Both name the
 * page and the reason instead of an error number alone.
 *
 * Pages that stopped a request are remembered for a while, so that the next
 * requests do not walk into them again: most of them stay for longer.
 *
 * ring_lock covers the ring and what is remembered. Nothing is printed under a
 * lock.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/timekeeping.h>

#include "internal.h"

#define RING_SIZE	16

/* Few enough to be looked through for every window. */
#define NR_REMEMBERED	16
#define REMEMBER_MS	500

struct failure {
	time64_t when_s;	/* seconds since boot */
	unsigned long nr_pages;
	unsigned int align_order;
	int error;
	struct cma_blocker blocker;
	char area[CMA_MAX_NAME];
	char owner[CMA_MAX_NAME];
	char comm[TASK_COMM_LEN];
};

struct memory {
	struct cma_blocker blocker;
	unsigned long until;	/* jiffies */
};

static struct memory memories[NR_REMEMBERED];
static unsigned int nr_memories;
static unsigned long last_until;	/* the latest of all; jiffies */

static struct failure ring[RING_SIZE];
static unsigned int nr_failures;
static DEFINE_SPINLOCK(ring_lock);

static const char * const reason_names[] = {
	[CMA_BLOCK_NONE]	= "nothing",
	[CMA_BLOCK_PINNED]	= "pinned for DMA",
	[CMA_BLOCK_REFERENCED]	= "referenced",
	[CMA_BLOCK_WRITEBACK]	= "under writeback",
	[CMA_BLOCK_LOCKED]	= "locked",
	[CMA_BLOCK_OFF_LRU]	= "on no LRU list",
	[CMA_BLOCK_IN_USE]	= "in use",
	[CMA_BLOCK_ISOLATED]	= "in an isolated pageblock",
	[CMA_BLOCK_POISONED]	= "broken memory",
};

static_assert(ARRAY_SIZE(reason_names) == CMA_BLOCK_NR);

/**
 * cma_blocker_note() - remember a page that is in the way
 * @blocker:	where
 * @page:	the page; no reference is needed
 * @reason:	why it stays
 */
void cma_blocker_note(struct cma_blocker *blocker, const struct page *page,
		      enum cma_block_reason reason)
{
	const struct folio *folio = page_folio(page);

	*blocker = (struct cma_blocker) {
		.pfn	= page_to_pfn(page),
		.reason	= reason,
		.refs	= folio_ref_count(folio),
		.maps	= cma_guess_maps(folio),
	};
}

/*
 * Who holds a reference mostly does so for longer. A lock, I/O, the way to a
 * free list are over soon, and no count of the page tells when.
 */
static bool stays(enum cma_block_reason reason)
{
	switch (reason) {
	case CMA_BLOCK_PINNED:
	case CMA_BLOCK_REFERENCED:
	case CMA_BLOCK_OFF_LRU:
	case CMA_BLOCK_POISONED:
		return true;
	default:
		return false;
	}
}

/**
 * cma_blocker_remember() - keep a page in mind that is in the way
 * @blocker:	the page
 *
 * Context: Process; takes ring_lock.
 * Return: true if it is kept in mind; false for a page that nobody is known to
 * hold on to, and which may go the next time.
 */
bool cma_blocker_remember(const struct cma_blocker *blocker)
{
	struct memory *memory;
	unsigned int i;

	if (!stays(blocker->reason))
		return false;

	spin_lock(&ring_lock);
	for (i = 0; i < NR_REMEMBERED; i++)
		if (memories[i].blocker.pfn == blocker->pfn)
			break;
	if (i == NR_REMEMBERED)
		i = nr_memories++ % NR_REMEMBERED;
	memory = &memories[i];
	memory->blocker = *blocker;
	memory->until = jiffies + msecs_to_jiffies(REMEMBER_MS);
	last_until = memory->until;
	spin_unlock(&ring_lock);
	return true;
}

/* Whoever held the page let go of it since. */
static bool let_go_since(const struct memory *memory)
{
	const struct page *page = pfn_to_page(memory->blocker.pfn);

	return folio_ref_count(page_folio(page)) < memory->blocker.refs;
}

/**
 * cma_blocker_recall() - is a page known to be in the way
 * @start_pfn:	first page of a window
 * @end_pfn:	first page behind it
 * @blocker:	set to the last such page of the window, if there is one
 *
 * Context: Process; takes ring_lock unless nothing is remembered.
 * Return: true if there is one.
 */
bool cma_blocker_recall(unsigned long start_pfn, unsigned long end_pfn,
			struct cma_blocker *blocker)
{
	const struct memory *last = NULL;

	if (!READ_ONCE(nr_memories) ||
	    time_after_eq(jiffies, READ_ONCE(last_until)))
		return false;

	spin_lock(&ring_lock);
	for (unsigned int i = 0; i < NR_REMEMBERED; i++) {
		struct memory *memory = &memories[i];
		unsigned long pfn = memory->blocker.pfn;

		/* Jiffies come round again. */
		if (time_after_eq(jiffies, memory->until))
			memory->blocker.reason = CMA_BLOCK_NONE;
		if (memory->blocker.reason != CMA_BLOCK_NONE &&
		    pfn >= start_pfn && pfn < end_pfn &&
		    (!last || pfn > last->blocker.pfn) &&
		    !let_go_since(memory))
			last = memory;
	}
	if (last)
		*blocker = last->blocker;
	spin_unlock(&ring_lock);
	return last;
}

static unsigned long kib_of(unsigned long nr_pages)
{
	return nr_pages * (PAGE_SIZE / SZ_1K);
}

static const char *error_word(int error)
{
	switch (error) {
	case -EBUSY:
		return "busy";
	case -ENOMEM:
		return "no room";
	case -EINVAL:
		return "no such request";
	case -EINTR:
		return "killed";
	default:
		return "other";
	}
}

/* Number and error stay as people look for them; words are behind. */
static void log_failure(const struct failure *failure, const struct cma *cma)
{
	const struct cma_blocker *blocker = &failure->blocker;
	unsigned long nr_held = READ_ONCE(cma->range.nr_held);
	char reason[160];

	if (blocker->no_hole)
		snprintf(reason, sizeof(reason),
			 "widest hole %lu, align order %u, %lu of %lu pages not held",
			 blocker->widest_hole, failure->align_order,
			 cma->range.nr_pages - nr_held, cma->nr_pages);
	else if (failure->error == -EINVAL)
		snprintf(reason, sizeof(reason),
			 "the area did not come up, or there is no such size or alignment");
	else if (blocker->reason == CMA_BLOCK_NONE)
		snprintf(reason, sizeof(reason),
			 "no memory for its record or to move pages to");
	else
		snprintf(reason, sizeof(reason),
			 "page at pfn %#lx is %s (%d references, mapped %d times)",
			 blocker->pfn, reason_names[blocker->reason],
			 blocker->refs, blocker->maps);
	pr_err("%s: alloc failed, req-size: %lu pages, ret: %d, %s (%s; %lu KiB for %s, task %s)\n",
	       failure->area, failure->nr_pages, failure->error, reason,
	       error_word(failure->error), kib_of(failure->nr_pages),
	       failure->owner[0] ? failure->owner : "no device",
	       failure->comm);
}

/**
 * cma_failure_report() - tell of a request that failed
 * @cma:	the area
 * @nr_pages:	pages asked for
 * @align_order: alignment asked for
 * @owner:	the device it was for; NULL if there is none
 * @error:	negative error code
 * @blocker:	the last page that was in the way, or the lack of a hole
 * @warn:	whether to say it in the log; -EINTR never is: who was killed gets
 *		what it was killed for
 *
 * Context: Process; takes ring_lock.
 */
void cma_failure_report(struct cma *cma, unsigned long nr_pages,
			unsigned int align_order, const char *owner, int error,
			const struct cma_blocker *blocker, bool warn)
{
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);
	struct failure failure = {
		.when_s		= ktime_get_boottime_seconds(),
		.nr_pages	= nr_pages,
		.align_order	= align_order,
		.error		= error,
		.blocker	= *blocker,
	};

	strscpy(failure.area, cma->name);
	strscpy(failure.owner, owner ?: "");
	get_task_comm(failure.comm, current);
	spin_lock(&ring_lock);
	ring[nr_failures++ % RING_SIZE] = failure;
	spin_unlock(&ring_lock);

	if (warn && error != -EINTR && __ratelimit(&limit))
		log_failure(&failure, cma);
}

/**
 * cma_failure_show() - print the most recent failures, the oldest first
 * @seq:	where to
 */
void cma_failure_show(struct seq_file *seq)
{
	unsigned int last, i;

	spin_lock(&ring_lock);
	last = nr_failures;
	spin_unlock(&ring_lock);

	for (i = last > RING_SIZE ? last - RING_SIZE : 0; i < last; i++) {
		struct failure failure;

		spin_lock(&ring_lock);
		failure = ring[i % RING_SIZE];
		spin_unlock(&ring_lock);

		seq_printf(seq, "%lld %s %s: %lu pages, align order %u: %d, for %s",
			   failure.when_s, failure.area, failure.comm,
			   failure.nr_pages, failure.align_order,
			   failure.error,
			   failure.owner[0] ? failure.owner : "-");
		if (failure.blocker.no_hole)
			seq_printf(seq, ", widest hole %lu",
				   failure.blocker.widest_hole);
		else if (failure.blocker.reason != CMA_BLOCK_NONE)
			seq_printf(seq, ", pfn %#lx %s, %d references, mapped %d times",
				   failure.blocker.pfn,
				   reason_names[failure.blocker.reason],
				   failure.blocker.refs, failure.blocker.maps);
		seq_putc(seq, '\n');
	}
}
