// SPDX-License-Identifier: GPL-2.0
/*
 * The page that is in the way: which one, and for how long it is remembered.
 *
 * A page that stopped a request is remembered for a while, so that the next
 * requests do not walk into it again: most such pages stay for longer.
 *
 * memories_lock covers what is remembered, and nests in nothing.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/spinlock.h>

#include "contig.h"
#include "folio.h"

/* Few enough to be looked through for every window. */
#define NR_REMEMBERED	16
#define REMEMBER_MS	500

struct memory {
	struct contig_blocker blocker;
	unsigned long until;	/* jiffies */
};

static struct memory memories[NR_REMEMBERED];
static unsigned int nr_memories;
static unsigned long last_until;	/* the latest of all; jiffies */
static DEFINE_SPINLOCK(memories_lock);

/**
 * contig_blocker_note() - remember a page that is in the way
 * @blocker:	where
 * @page:	the page; no reference is needed
 * @reason:	why it stays
 */
void contig_blocker_note(struct contig_blocker *blocker, const struct page *page,
			 enum contig_block_reason reason)
{
	const struct folio *folio = page_folio(page);

	*blocker = (struct contig_blocker) {
		.pfn	= page_to_pfn(page),
		.reason	= reason,
		.refs	= folio_ref_count(folio),
		.maps	= contig_guess_maps(folio),
	};
}

/*
 * Who holds a reference mostly does so for longer. A lock, I/O, the way to a
 * free list are over soon, and no count of the page tells when.
 */
static bool is_long_lived(enum contig_block_reason reason)
{
	switch (reason) {
	case CONTIG_BLOCK_PINNED:
	case CONTIG_BLOCK_REFERENCED:
	case CONTIG_BLOCK_OFF_LRU:
	case CONTIG_BLOCK_POISONED:
		return true;
	default:
		return false;
	}
}

/**
 * contig_blocker_remember() - keep a page in mind that is in the way
 * @blocker:	the page
 *
 * Context: Process; takes memories_lock.
 * Return: true if it is kept in mind; false for a page that nobody is known to
 * hold on to, and which may go the next time.
 */
bool contig_blocker_remember(const struct contig_blocker *blocker)
{
	struct memory *memory;
	unsigned int i;

	if (!is_long_lived(blocker->reason))
		return false;

	spin_lock(&memories_lock);
	for (i = 0; i < NR_REMEMBERED; i++)
		if (memories[i].blocker.pfn == blocker->pfn)
			break;
	if (i == NR_REMEMBERED) {
		i = nr_memories % NR_REMEMBERED;
		WRITE_ONCE(nr_memories, nr_memories + 1);
	}
	memory = &memories[i];
	memory->blocker = *blocker;
	memory->until = jiffies + msecs_to_jiffies(REMEMBER_MS);
	WRITE_ONCE(last_until, memory->until);
	spin_unlock(&memories_lock);
	return true;
}

/* True if a reference to the page was dropped since. */
static bool blocker_let_go_since(const struct memory *memory)
{
	const struct page *page = pfn_to_page(memory->blocker.pfn);

	return folio_ref_count(page_folio(page)) < memory->blocker.refs;
}

/**
 * contig_blocker_recall() - is a page known to be in the way
 * @start_pfn:	first page of a window
 * @end_pfn:	first page behind it
 * @blocker:	set to the last such page of the window, if there is one
 *
 * Context: Process; takes memories_lock unless nothing is remembered.
 * Return: true if there is one.
 */
bool contig_blocker_recall(unsigned long start_pfn, unsigned long end_pfn,
			   struct contig_blocker *blocker)
{
	const struct memory *last = NULL;

	if (!READ_ONCE(nr_memories) ||
	    time_after_eq(jiffies, READ_ONCE(last_until)))
		return false;

	spin_lock(&memories_lock);
	for (unsigned int i = 0; i < NR_REMEMBERED; i++) {
		struct memory *memory = &memories[i];
		unsigned long pfn = memory->blocker.pfn;

		/* Jiffies come round again. */
		if (time_after_eq(jiffies, memory->until))
			memory->blocker.reason = CONTIG_BLOCK_NONE;
		if (memory->blocker.reason != CONTIG_BLOCK_NONE &&
		    pfn >= start_pfn && pfn < end_pfn &&
		    (!last || pfn > last->blocker.pfn) &&
		    !blocker_let_go_since(memory))
			last = memory;
	}
	if (last)
		*blocker = last->blocker;
	spin_unlock(&memories_lock);
	return last;
}
