// SPDX-License-Identifier: GPL-2.0
/*
 * The page that is in the way, and a short memory of such pages.
 *
 * A page that stopped a request mostly stays for longer. It is remembered for a
 * while, so that the next requests do not try the same window.
 *
 * Lock: memories_lock covers the memory; a leaf.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/spinlock.h>

#include "contig.h"
#include "folio.h"

/* Few enough to be searched for every window. */
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
 * contig_blocker_note() - describe a page that is in the way
 * @blocker:	the description
 * @page:	the page; no reference is needed
 * @reason:	why it stays
 */
void contig_blocker_note(struct contig_blocker *blocker,
			 const struct page *page,
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
 * References mostly last. Locks, I/O and the way to a free list are over soon,
 * and no counter of the page tells when.
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
 * contig_blocker_remember() - remember a page that is in the way
 * @blocker:	the page
 *
 * Context: Process; takes memories_lock.
 * Return: true if it is remembered; false for a page that may be gone at the
 * next attempt.
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

		/* Forget it, or it would come back when jiffies wrap. */
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
