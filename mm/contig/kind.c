// SPDX-License-Identifier: GPL-2.0
/*
 * What a page holds, in one word: for maps of areas, and for their counters.
 *
 * Takes no lock and no reference, so each answer is a guess that may be wrong a
 * moment later.
 */
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/page-flags.h>

#include "kernel.h"
#include "contig.h"
#include "describe.h"
#include "folio.h"

static const char * const kind_names[] = {
	[CONTIG_PAGE_FREE]	= "free",
	[CONTIG_PAGE_CACHE]	= "cache",
	[CONTIG_PAGE_TEXT]	= "text",
	[CONTIG_PAGE_DIRTY]	= "dirty",
	[CONTIG_PAGE_WRITEBACK]	= "writeback",
	[CONTIG_PAGE_PROGRAM]	= "program",
	[CONTIG_PAGE_SHMEM]	= "shmem",
	[CONTIG_PAGE_LOCKED]	= "locked",
	[CONTIG_PAGE_COMPRESSED] = "compressed",
	[CONTIG_PAGE_HUGE]	= "huge",
	[CONTIG_PAGE_PINNED]	= "pinned",
	[CONTIG_PAGE_OTHER]	= "other",
	[CONTIG_PAGE_POISONED]	= "poisoned",
};

static_assert(ARRAY_SIZE(kind_names) == CONTIG_PAGE_NR);

/**
 * contig_page_kind_name() - name of a kind of pages
 * @kind:	the kind
 *
 * Context: Any.
 * Return: the name, as in /proc/cma/map.
 */
const char *contig_page_kind_name(enum contig_page_kind kind)
{
	return kind_names[kind];
}

/* For a page of a file that has no reference too many. */
static enum contig_page_kind kind_of_file(const struct folio *folio,
					  unsigned long flags)
{
	if (flags & BIT(PG_swapbacked))
		return CONTIG_PAGE_SHMEM;
	if (flags & BIT(PG_dirty))
		return CONTIG_PAGE_DIRTY;
	return contig_guess_maps(folio) ? CONTIG_PAGE_TEXT : CONTIG_PAGE_CACHE;
}

/**
 * contig_page_kind() - what a page holds
 * @page:	the page; no reference is needed
 *
 * Context: Any.
 * Return: a guess.
 */
enum contig_page_kind contig_page_kind(const struct page *page)
{
	const struct folio *folio = page_folio(page);
	const unsigned long flags = READ_ONCE(contig_flags_of(folio));
	const unsigned long mapping = (unsigned long)READ_ONCE(folio->mapping);
	/* A page in a per-CPU LRU batch has one reference more. */
	const int batched = !(flags & BIT(PG_lru));

	if (READ_ONCE(contig_flags_of(page)) & __PG_HWPOISON)
		return CONTIG_PAGE_POISONED;
	if (PageHuge(page))
		return CONTIG_PAGE_HUGE;
	if (!folio_ref_count(folio))
		return CONTIG_PAGE_FREE;
	if (page_has_movable_ops(page))
		return CONTIG_PAGE_COMPRESSED;
	if (!mapping)
		return CONTIG_PAGE_OTHER;
	if (contig_foreign_refs(page) > batched)
		return CONTIG_PAGE_PINNED;
	if (flags & BIT(PG_writeback))
		return CONTIG_PAGE_WRITEBACK;
	if (flags & (BIT(PG_mlocked) | BIT(PG_unevictable)))
		return CONTIG_PAGE_LOCKED;
	if (mapping & FOLIO_MAPPING_ANON)
		return CONTIG_PAGE_PROGRAM;
	return kind_of_file(folio, flags);
}

/**
 * contig_page_can_go() - can pages of this kind be moved or dropped
 * @kind:	the kind
 *
 * Context: Any.
 * Return: true if they mostly can; false for a free page, too.
 */
bool contig_page_can_go(enum contig_page_kind kind)
{
	return kind > CONTIG_PAGE_FREE && kind < CONTIG_PAGE_PINNED;
}
