// SPDX-License-Identifier: GPL-2.0
/*
 * Reports of failed requests.
 *
 * A failed request leaves a record with its area, which has the most recent
 * ones, and a block of lines in the log unless its caller passed __GFP_NOWARN.
 * Both name the cause: the pages that were in the way, who uses them and why
 * they stayed, or the lack of a hole; and the state of the area, and advice.
 *
 * records_lock covers the records. Nothing is printed under a lock.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/mm.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/seq_buf.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "internal.h"

/* Records of each area. */
#define NR_RECORDS	16

/* Counting the pages of an area takes long, and a block has many lines. */
#define FULL_REPORTS	3

/* Longest text of a report, with the NUL. */
#define TEXT_SIZE	1536

/**
 * struct area_failures - the records of an area
 * @record:	the most recent ones, at their number modulo %NR_RECORDS
 * @nr:		how many there were
 * @lines:	limits how often the log tells of a failure
 * @blocks:	limits how often the pages of the area are counted
 */
struct area_failures {
	struct cma_failure *record[NR_RECORDS];
	unsigned int nr;
	struct ratelimit_state lines;
	struct ratelimit_state blocks;
};

static struct area_failures failures[MAX_CMA_AREAS + 1] = {
	[0 ... MAX_CMA_AREAS] = {
		.lines	= RATELIMIT_STATE_INIT(failures.lines,
					       DEFAULT_RATELIMIT_INTERVAL,
					       DEFAULT_RATELIMIT_BURST),
		.blocks	= RATELIMIT_STATE_INIT_FLAGS(failures.blocks,
						     DEFAULT_RATELIMIT_INTERVAL,
						     FULL_REPORTS,
						     RATELIMIT_MSG_ON_RELEASE),
	},
};

static u64 nr_failures;
static DEFINE_SPINLOCK(records_lock);

static unsigned long kib_of(unsigned long nr_pages)
{
	return nr_pages * (PAGE_SIZE / SZ_1K);
}

/**
 * cma_failure_note() - note a page that was in the way
 * @cause:	of a failure that may follow
 * @blocker:	the page; ignored if its reason is %CONTIG_BLOCK_NONE
 *
 * Context: Any.
 */
void cma_failure_note(struct cma_failure_cause *cause,
		      const struct contig_blocker *blocker)
{
	unsigned int last = 0;

	if (blocker->reason == CONTIG_BLOCK_NONE)
		return;
	/* The one that goes: this page itself, or that of the longest ago. */
	while (last < CMA_BLOCKERS - 1 &&
	       cause->blocker[last].reason != CONTIG_BLOCK_NONE &&
	       cause->blocker[last].pfn != blocker->pfn)
		last++;
	memmove(&cause->blocker[1], &cause->blocker[0],
		last * sizeof(cause->blocker[0]));
	cause->blocker[0] = *blocker;
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

/* No memory to move pages to. For a huge page that is another huge page. */
static bool failure_is_for_memory(const struct cma_failure *failure)
{
	enum contig_block_reason reason = failure->cause.blocker[0].reason;

	return reason == CONTIG_BLOCK_NONE ||
	       (failure->error == -ENOMEM && reason != CONTIG_BLOCK_HUGE);
}

static void failure_put_cause(const struct cma_failure *failure,
			      struct seq_buf *text)
{
	const struct cma_failure_cause *cause = &failure->cause;
	const struct contig_blocker *blocker = &cause->blocker[0];

	if (cause->no_hole)
		seq_buf_printf(text, "widest hole %lu, align order %u, %lu of %lu pages not held",
			       cause->widest_hole, failure->align_order,
			       failure->nr_unheld, failure->cma->nr_pages);
	else if (failure->error == -EINVAL)
		seq_buf_puts(text,
			     "the area did not come up, or there is no such size or alignment");
	else if (failure->error == -EINTR)
		seq_buf_puts(text, "the task was killed");
	else if (failure_is_for_memory(failure))
		seq_buf_puts(text, "no memory for its record or to move pages to");
	else
		seq_buf_printf(text, "page at pfn %#lx is %s (%d references, mapped %d times)",
			       blocker->pfn,
			       contig_block_reason_name(blocker->reason),
			       blocker->refs, blocker->maps);
}

static const char * const page_advice[] = {
	[CONTIG_BLOCK_NONE] =
		"memory outside of the area was used up: free some, add swap, or make the area smaller",
	[CONTIG_BLOCK_PINNED] =
		"wait until the transfer ends, or raise patience_ms; a driver that keeps memory pinned should say FOLL_LONGTERM",
	[CONTIG_BLOCK_REFERENCED] =
		"somebody holds the page, often a pipe, a socket or I/O under way: end that, or raise patience_ms",
	[CONTIG_BLOCK_WRITEBACK] =
		"the disk has not taken the page in time: look for errors of that disk, or raise patience_ms",
	[CONTIG_BLOCK_LOCKED] =
		"I/O of the page has not ended in time: look for errors of that disk, or raise patience_ms",
	[CONTIG_BLOCK_BUFFERS] =
		"the file system still works on the page: sync, or raise patience_ms",
	[CONTIG_BLOCK_HUGE] =
		"huge pages lie in the area: raise nr_hugepages, so that one is free elsewhere",
	[CONTIG_BLOCK_OFF_LRU] =
		"the page is of a driver, or between two lists: ask again; PAGE_OWNER tells who has a page that stays",
	[CONTIG_BLOCK_IN_USE] =
		"the page was in use for a moment: ask again; PAGE_OWNER tells who has a page that stays",
	[CONTIG_BLOCK_ISOLATED] =
		"memory goes offline here: wait until it has, or give the area other memory",
	[CONTIG_BLOCK_PEER] =
		"another request has this place: ask one after another, or raise patience_ms",
	[CONTIG_BLOCK_POISONED] =
		"the area has broken memory: give it other memory",
};

static_assert(ARRAY_SIZE(page_advice) == CONTIG_BLOCK_NR);

static const char *failure_advice(const struct cma_failure *failure)
{
	if (failure->error == -EINVAL)
		return "see the messages about the area at boot, and the size that was asked for";
	if (failure->error == -EINTR)
		return "none: the task was killed";
	if (failure->nr_pages > failure->cma->nr_pages)
		return "the area is smaller than the buffer: make it larger";
	if (failure->cause.no_hole && failure->nr_unheld < failure->nr_pages)
		return "buffers have the area: make it larger, or give some devices another one";
	if (failure->cause.no_hole)
		return "buffers lie scattered: take large ones first, or small ones elsewhere";
	if (failure_is_for_memory(failure))
		return page_advice[CONTIG_BLOCK_NONE];
	return page_advice[failure->cause.blocker[0].reason];
}

static void failure_put_state(const struct cma_failure *failure,
			      struct seq_buf *text)
{
	const struct cma_census *census = &failure->census;
	unsigned long nr_lent = cma_census_lent(census);

	seq_buf_printf(text, "pages: total %lu held %lu cached %lu free %lu ",
		       failure->cma->nr_pages, census->nr_pages[CMA_PAGE_HELD],
		       census->nr_pages[CMA_PAGE_CACHED],
		       cma_census_free(census));
	seq_buf_printf(text, "in-use %lu movable %lu widest-hole %lu\n",
		       nr_lent - census->nr_pages[CONTIG_PAGE_FREE],
		       cma_census_can_go(census), failure->widest_hole);
}

/* The lines that the log has, too, if there is room for them. */
static void failure_put_details(const struct cma_failure *failure,
				struct seq_buf *text)
{
	const struct cma_failure_cause *cause = &failure->cause;

	if (failure->is_full)
		failure_put_state(failure, text);
	if (cause->nr_surveyed || cause->nr_tried)
		seq_buf_printf(text, "windows: %u surveyed, %u tried\n",
			       cause->nr_surveyed, cause->nr_tried);
	for (unsigned int i = 0; i < CMA_BLOCKERS; i++)
		if (failure->who[i][0])
			seq_buf_printf(text, "blocker: %#lx %s: %s\n",
				       cause->blocker[i].pfn,
				       contig_block_reason_name(cause->blocker[i].reason),
				       failure->who[i]);
	seq_buf_printf(text, "advice: %s\n", failure_advice(failure));
}

static void failure_put_request(const struct cma_failure *failure,
				struct seq_buf *text)
{
	u32 rest_ns;
	u64 seconds = div_u64_rem(failure->when_ns, NSEC_PER_SEC, &rest_ns);

	seq_buf_printf(text, "area: %s\n", failure->cma->name);
	seq_buf_printf(text, "time: %llu.%03lu\n", seconds,
		       rest_ns / NSEC_PER_MSEC);
	seq_buf_printf(text, "request: %lu pages, %lu KiB, align %lu pages\n",
		       failure->nr_pages, kib_of(failure->nr_pages),
		       failure->align_order < BITS_PER_LONG ?
		       1UL << failure->align_order : 0);
	seq_buf_printf(text, "for: %s\n",
		       failure->owner[0] ? failure->owner : "no device");
	seq_buf_printf(text, "task: %s %d\n", failure->comm, failure->pid);
	seq_buf_printf(text, "error: %d %s\n", failure->error,
		       failure_error_word(failure->error));
	seq_buf_puts(text, "cause: ");
	failure_put_cause(failure, text);
	seq_buf_puts(text, "\n");
}

/* One pr_err() a line, so that each has its level and its time. */
static void log_details(const struct cma_failure *failure)
{
	char *text = kmalloc(TEXT_SIZE, GFP_KERNEL | __GFP_NOWARN);
	struct seq_buf details;
	char *rest, *line;

	if (!text)
		return;
	seq_buf_init(&details, text, TEXT_SIZE);
	failure_put_details(failure, &details);
	seq_buf_str(&details);
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			pr_err("%s:   %s\n", failure->cma->name, line);
	kfree(text);
}

/* People search the log for "alloc failed, req-size: ..., ret: ": keep that. */
static void log_failure(const struct cma_failure *failure)
{
	char cause[160];
	struct seq_buf text;

	seq_buf_init(&text, cause, sizeof(cause));
	failure_put_cause(failure, &text);
	pr_err("%s: alloc failed, req-size: %lu pages, ret: %d, %s (%s; %lu KiB for %s, task %s)\n",
	       failure->cma->name, failure->nr_pages, failure->error,
	       seq_buf_str(&text), failure_error_word(failure->error),
	       kib_of(failure->nr_pages),
	       failure->owner[0] ? failure->owner : "no device",
	       failure->comm);
	if (failure->is_full) {
		log_details(failure);
		if (failure->who[0][0])
			contig_blocker_dump_owner(&failure->cause.blocker[0]);
	}
}

static void describe_blockers(struct cma_failure *failure)
{
	for (unsigned int i = 0; i < CMA_BLOCKERS; i++) {
		const struct contig_blocker *blocker =
			&failure->cause.blocker[i];
		struct seq_buf text;

		if (blocker->reason == CONTIG_BLOCK_NONE)
			break;
		seq_buf_init(&text, failure->who[i], sizeof(failure->who[i]));
		contig_blocker_describe(blocker, &text);
		seq_buf_str(&text);
	}
}

/* Keeps a record, and frees the one whose place it takes. */
static void keep_record(struct area_failures *area, struct cma_failure *failure)
{
	struct cma_failure *old, **place;

	spin_lock(&records_lock);
	failure->number = ++nr_failures;
	place = &area->record[area->nr++ % NR_RECORDS];
	old = *place;
	*place = failure;
	spin_unlock(&records_lock);
	kfree(old);
}

/**
 * cma_failure_report() - report a failed request
 * @cma:	the area
 * @nr_pages:	number of pages requested
 * @align_order: requested alignment is 1 << this many pages
 * @owner:	name of the device it was for; NULL if there is none
 * @error:	negative error code
 * @cause:	the pages that were in the way, or the lack of a hole
 * @warn:	write to the log; never for -EINTR
 *
 * Context: Process; may sleep. Takes records_lock, cma->lock.
 */
void cma_failure_report(struct cma *cma, unsigned long nr_pages,
			unsigned int align_order, const char *owner, int error,
			const struct cma_failure_cause *cause, bool warn)
{
	struct area_failures *area = &failures[cma - cma_areas];
	struct cma_failure *failure;

	warn = warn && error != -EINTR && __ratelimit(&area->lines);
	failure = kzalloc(sizeof(*failure),
			  GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	if (!failure) {
		if (warn)
			pr_err("%s: alloc failed, req-size: %lu pages, ret: %d, no memory for a report\n",
			       cma->name, nr_pages, error);
		return;
	}
	failure->cma = cma;
	failure->when_ns = ktime_get_boottime_ns();
	failure->nr_pages = nr_pages;
	failure->align_order = align_order;
	failure->error = error;
	failure->cause = *cause;
	failure->pid = task_pid_nr(current);
	strscpy(failure->owner, owner ?: "");
	get_task_comm(failure->comm, current);
	describe_blockers(failure);
	spin_lock_irq(&cma->lock);
	failure->nr_unheld = cma->range.nr_pages - cma->range.nr_held;
	failure->widest_hole = cma_range_widest_hole(&cma->range);
	spin_unlock_irq(&cma->lock);
	failure->is_full = cma->active && error != -EINTR &&
			   __ratelimit(&area->blocks);
	if (failure->is_full)
		cma_count_pages(cma, &failure->census);
	if (warn)
		log_failure(failure);
	keep_record(area, failure);
}

/**
 * cma_failure_next() - copy the first failure after another one
 * @number:	number of that other one; 0 for the oldest
 * @copy:	set to the record
 *
 * Context: Process; takes records_lock.
 * Return: true; false if there is none.
 */
bool cma_failure_next(u64 number, struct cma_failure *copy)
{
	const struct cma_failure *next = NULL;

	spin_lock(&records_lock);
	for (unsigned int i = 0; i < cma_area_count; i++)
		for (unsigned int j = 0; j < NR_RECORDS; j++) {
			const struct cma_failure *record =
				failures[i].record[j];

			if (record && record->number > number &&
			    (!next || record->number < next->number))
				next = record;
		}
	if (next)
		*copy = *next;
	spin_unlock(&records_lock);
	return next;
}

/**
 * cma_failure_show() - print a failure
 * @seq:	the file
 * @failure:	copy of the record
 *
 * Context: Process.
 */
void cma_failure_show(struct seq_file *seq, const struct cma_failure *failure)
{
	char *text = kmalloc(TEXT_SIZE, GFP_KERNEL);
	struct seq_buf lines;

	if (!text)
		return;
	seq_buf_init(&lines, text, TEXT_SIZE);
	failure_put_request(failure, &lines);
	failure_put_details(failure, &lines);
	seq_printf(seq, "%s\n", seq_buf_str(&lines));
	kfree(text);
}

/**
 * cma_failure_show_line() - print a failure in one line
 * @seq:	the file
 * @failure:	copy of the record
 *
 * Context: Process.
 */
void cma_failure_show_line(struct seq_file *seq,
			   const struct cma_failure *failure)
{
	const struct contig_blocker *blocker = &failure->cause.blocker[0];

	seq_printf(seq, "%llu %s %s: %lu pages, align order %u: %d",
		   div_u64(failure->when_ns, NSEC_PER_SEC), failure->cma->name,
		   failure->comm, failure->nr_pages, failure->align_order,
		   failure->error);
	if (failure->cause.no_hole)
		seq_printf(seq, ", widest hole %lu", failure->cause.widest_hole);
	else if (blocker->reason != CONTIG_BLOCK_NONE)
		seq_printf(seq, ", pfn %#lx %s, %d references, mapped %d times",
			   blocker->pfn,
			   contig_block_reason_name(blocker->reason),
			   blocker->refs, blocker->maps);
	seq_printf(seq, ", for %s\n", failure->owner[0] ? failure->owner : "-");
}
