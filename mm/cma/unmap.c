// SPDX-License-Identifier: GPL-2.0
/*
 * Takes cold text out of the page tables, so that drop.c can drop it: clean
 * pages of files that programs map, and that reclaim has not found to be in
 * use again and again.
 *
 * All pages of a run are unmapped first, so that TLBs are flushed once for all
 * of it. Until then they stay locked: nobody else may take an unmapped page for
 * one that cannot be reached any more.
 *
 * Locks: the pages; then those of who maps them, for a moment. Units are pages;
 * ranges are [start, end).
 */
#include <linux/mm.h>
#include <linux/page_idle.h>
#include <linux/rmap.h>

#include "../internal.h"
#include "internal.h"

/* Locked at a time. */
#define RUN_PAGES_MAX	128

static bool is_cold_text(const struct folio *folio, int refs, unsigned long nor)
{
	return !cma_warm(READ_ONCE(folio->flags)) &&
	       cma_clean_unheld(folio, refs, nor | BIT(PG_private)) &&
	       atomic_read(&folio->_mapcount) >= 0;
}

static bool may_unmap(unsigned long pfn)
{
	return !PageTail(pfn_to_page(pfn)) &&
	       is_cold_text(cma_folio_at(pfn), 0, BIT(PG_locked));
}

/**
 * unmap_text() - take a page of a file from those who map it
 * @folio:	the page, locked
 *
 * After success the caller has to call try_to_unmap_flush() before the page is
 * unlocked.
 *
 * Context: May sleep.
 * Return: whether nobody maps it now, and nobody had written to it.
 */
bool unmap_text(struct folio *folio)
{
	if (!folio_mapped(folio))
		return true;
	/* What the page tables say of its use is lost with them. */
	folio_clear_idle(folio);
	try_to_unmap(folio, TTU_BATCH_FLUSH);
	if (!folio_mapped(folio) && !folio_test_dirty(folio))
		return true;
	try_to_unmap_flush();
	return false;
}

/* Return: whether the page is locked now. */
static bool unmap(struct folio *folio)
{
	if (!cma_folio_get_lock(folio))
		return false;
	if (is_cold_text(folio, 1, 0) && unmap_text(folio))
		return true;
	cma_folio_unlock_put(folio);
	return false;
}

static void unmap_run(unsigned long start_pfn, unsigned int nr_pages)
{
	DECLARE_BITMAP(locked, RUN_PAGES_MAX) = { };
	unsigned int i;

	for (i = 0; i < nr_pages; i++)
		if (may_unmap(start_pfn + i) &&
		    unmap(cma_folio_at(start_pfn + i)))
			__set_bit(i, locked);
	try_to_unmap_flush();
	for_each_set_bit(i, locked, nr_pages)
		cma_folio_unlock_put(cma_folio_at(start_pfn + i));
}

/**
 * unmap_cold_text() - take the pages of a range that are cold text from those
 *		       who map them
 * @start_pfn:	first page
 * @end_pfn:	first page behind
 *
 * Waits for no I/O and no page: what is locked or in use stays. A page that is
 * used again before it is dropped is mapped again.
 *
 * Context: May sleep.
 */
void unmap_cold_text(unsigned long start_pfn, unsigned long end_pfn)
{
	unsigned long pfn = start_pfn;

	while (pfn < end_pfn) {
		unsigned int nr = min(end_pfn - pfn, RUN_PAGES_MAX);

		unmap_run(pfn, nr);
		pfn += nr;
		cond_resched();
	}
}
