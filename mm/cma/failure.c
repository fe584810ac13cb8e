// SPDX-License-Identifier: GPL-2.0
/*
 * Reports of failed requests.
 *
 * A failed request leaves a record in a ring of the most recent failures and,
 * unless its caller passed __GFP_NOWARN, a line in the log. Both name the
 * cause: the page that was in the way and why, or the lack of a hole.
 *
 * ring_lock covers the ring. Nothing is printed under a lock.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/mm.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/timekeeping.h>

#include "internal.h"

#define RING_SIZE	16

struct failure {
	time64_t when_s;	/* seconds since boot */
	unsigned long nr_pages;
	unsigned int align_order;
	int error;
	struct cma_failure_cause cause;
	char area[CMA_MAX_NAME];
	char owner[CMA_MAX_NAME];
	char comm[TASK_COMM_LEN];
};

static struct failure ring[RING_SIZE];
static unsigned int nr_failures;
static DEFINE_SPINLOCK(ring_lock);

static const char * const reason_names[] = {
	[CONTIG_BLOCK_NONE]	= "nothing",
	[CONTIG_BLOCK_PINNED]	= "pinned for DMA",
	[CONTIG_BLOCK_REFERENCED]	= "referenced",
	[CONTIG_BLOCK_WRITEBACK]	= "under writeback",
	[CONTIG_BLOCK_LOCKED]	= "locked",
	[CONTIG_BLOCK_OFF_LRU]	= "on no LRU list",
	[CONTIG_BLOCK_IN_USE]	= "in use",
	[CONTIG_BLOCK_ISOLATED]	= "in an isolated pageblock",
	[CONTIG_BLOCK_POISONED]	= "broken memory",
};

static_assert(ARRAY_SIZE(reason_names) == CONTIG_BLOCK_NR);

static unsigned long kib_of(unsigned long nr_pages)
{
	return nr_pages * (PAGE_SIZE / SZ_1K);
}

static const char *failure_error_word(int error)
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

/* People search the log for "alloc failed, req-size: ..., ret: ": keep that. */
static void log_failure(const struct failure *failure, const struct cma *cma)
{
	const struct contig_blocker *blocker = &failure->cause.blocker;
	unsigned long nr_held = READ_ONCE(cma->range.nr_held);
	char reason[160];

	if (failure->cause.no_hole)
		snprintf(reason, sizeof(reason),
			 "widest hole %lu, align order %u, %lu of %lu pages not held",
			 failure->cause.widest_hole, failure->align_order,
			 cma->range.nr_pages - nr_held, cma->nr_pages);
	else if (failure->error == -EINVAL)
		snprintf(reason, sizeof(reason),
			 "the area did not come up, or there is no such size or alignment");
	else if (blocker->reason == CONTIG_BLOCK_NONE)
		snprintf(reason, sizeof(reason),
			 "no memory for its record or to move pages to");
	else
		snprintf(reason, sizeof(reason),
			 "page at pfn %#lx is %s (%d references, mapped %d times)",
			 blocker->pfn, reason_names[blocker->reason],
			 blocker->refs, blocker->maps);
	pr_err("%s: alloc failed, req-size: %lu pages, ret: %d, %s (%s; %lu KiB for %s, task %s)\n",
	       failure->area, failure->nr_pages, failure->error, reason,
	       failure_error_word(failure->error), kib_of(failure->nr_pages),
	       failure->owner[0] ? failure->owner : "no device",
	       failure->comm);
}

/**
 * cma_failure_report() - report a failed request
 * @cma:	the area
 * @nr_pages:	number of pages requested
 * @align_order: requested alignment is 1 << this many pages
 * @owner:	name of the device it was for; NULL if there is none
 * @error:	negative error code
 * @cause:	the last page that was in the way, or the lack of a hole
 * @warn:	write to the log; never for -EINTR
 *
 * Context: Process; takes ring_lock.
 */
void cma_failure_report(struct cma *cma, unsigned long nr_pages,
			unsigned int align_order, const char *owner, int error,
			const struct cma_failure_cause *cause, bool warn)
{
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);
	struct failure failure = {
		.when_s		= ktime_get_boottime_seconds(),
		.nr_pages	= nr_pages,
		.align_order	= align_order,
		.error		= error,
		.cause		= *cause,
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
 * cma_failure_show() - print the most recent failures, oldest first
 * @seq:	the file
 *
 * Context: Process; takes ring_lock.
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

		seq_printf(seq, "%lld %s %s: %lu pages, align order %u: %d",
			   failure.when_s, failure.area, failure.comm,
			   failure.nr_pages, failure.align_order,
			   failure.error);
		if (failure.cause.no_hole)
			seq_printf(seq, ", widest hole %lu",
				   failure.cause.widest_hole);
		else if (failure.cause.blocker.reason != CONTIG_BLOCK_NONE)
			seq_printf(seq, ", pfn %#lx %s, %d references, mapped %d times",
				   failure.cause.blocker.pfn,
				   reason_names[failure.cause.blocker.reason],
				   failure.cause.blocker.refs,
				   failure.cause.blocker.maps);
		seq_printf(seq, ", for %s\n",
			   failure.owner[0] ? failure.owner : "-");
	}
}
