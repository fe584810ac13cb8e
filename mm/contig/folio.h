/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Answers what a page is, for the survey and the movers. These look again once
 * a page is locked, and have the last word.
 *
 * Without a reference and the folio's lock each answer is a guess, which may be
 * wrong a moment later: a folio may become the tail of another one. Functions
 * that are asked without a reference read plain fields, because the kernel's
 * own accessors warn of a tail page.
 */
#ifndef _MM_CONTIG_FOLIO_H
#define _MM_CONTIG_FOLIO_H

#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/page-flags.h>
#include <linux/xarray.h>

#include "kernel.h"

/* The caller has seen that this is no tail page; skips page_folio(). */
static inline struct folio *contig_folio_at(unsigned long pfn)
{
	return (struct folio *)pfn_to_page(pfn);
}

static inline void contig_folio_unlock_put(struct folio *folio)
{
	folio_unlock(folio);
	folio_put(folio);
}

static inline bool contig_folio_get_lock(struct folio *folio)
{
	if (!folio_try_get(folio))
		return false;
	if (folio_trylock(folio))
		return true;
	folio_put(folio);
	return false;
}

/* One page on an LRU list, most likely. */
static inline bool contig_is_plain(const struct page *page)
{
	return (READ_ONCE(contig_flags_of(page)) & (BIT(PG_lru) | BIT(PG_head))) ==
	       BIT(PG_lru) && !PageTail(page);
}

/* Page cache that was used more than once is worth a copy. */
static inline bool contig_is_warm(unsigned long flags)
{
	/* With generations, the second use sets PG_workingset. */
	return flags & BIT(lru_gen_enabled() ? PG_workingset : PG_active);
}

/* Clean page cache, one page, by its fields; with none of the flags in @nor. */
static inline bool contig_fields_are_clean(unsigned long flags,
					   unsigned long mapping,
					   unsigned long nor)
{
	const unsigned long must_not =
		BIT(PG_dirty) | BIT(PG_writeback) | BIT(PG_swapbacked) |
		BIT(PG_unevictable) | BIT(PG_head) | BIT(PG_mlocked) |
		BIT(PG_private_2) | __PG_HWPOISON | nor;

	return (flags & (must_not | BIT(PG_lru))) == BIT(PG_lru) && mapping &&
	       !(mapping & FOLIO_MAPPING_FLAGS);
}

/* Clean page cache, one page, with none of the flags in @nor. */
static inline bool contig_is_clean_file(const struct folio *folio,
					unsigned long nor)
{
	return contig_fields_are_clean(READ_ONCE(contig_flags_of(folio)),
				       (unsigned long)READ_ONCE(folio->mapping),
				       nor);
}

/* Clean page cache that nobody maps. */
static inline bool contig_is_clean_cache(const struct folio *folio,
					 unsigned long nor)
{
	return contig_is_clean_file(folio, nor) &&
	       atomic_read(&folio->_mapcount) < 0;
}

/*
 * Clean page cache, mapped or not, with @refs references besides those of the
 * page tables and the cache.
 */
static inline bool contig_is_clean_unheld(const struct folio *folio, int refs,
					  unsigned long nor)
{
	const int nr_maps = atomic_read(&folio->_mapcount) + 1;

	return contig_is_clean_file(folio, nor) &&
	       folio_ref_count(folio) == nr_maps + 1 + refs;
}

/* Page cache that was read once at most: reading it again is cheaper. */
static inline bool contig_is_cold_cache(const struct folio *folio)
{
	return !contig_is_warm(READ_ONCE(contig_flags_of(folio))) &&
	       contig_is_clean_cache(folio, BIT(PG_locked));
}

/* Clean pages of files that programs map, and that reclaim found used once. */
static inline bool contig_is_cold_text(const struct folio *folio, int refs,
				       unsigned long nor)
{
	return !contig_is_warm(READ_ONCE(contig_flags_of(folio))) &&
	       contig_is_clean_unheld(folio, refs, nor | BIT(PG_private)) &&
	       atomic_read(&folio->_mapcount) >= 0;
}

/*
 * A page of its own that only page tables, a cache and @refs others refer to.
 * Large and locked pages are none, nor pages that KSM shares, that a program
 * may lose (MADV_FREE), or that have private data.
 */
static inline bool contig_is_plainly_mapped(const struct folio *folio, int refs)
{
	const unsigned long swapped = BIT(PG_swapcache) | BIT(PG_swapbacked);
	const unsigned long flags = READ_ONCE(contig_flags_of(folio));
	const unsigned long must_not =
		BIT(PG_writeback) | BIT(PG_unevictable) | BIT(PG_head) |
		BIT(PG_mlocked) | BIT(PG_private) | BIT(PG_private_2) |
		__PG_HWPOISON;
	const unsigned long mapping = (unsigned long)READ_ONCE(folio->mapping);
	const int nr_maps = atomic_read(&folio->_mapcount) + 1;
	int cache_refs;

	if (flags & must_not)
		return false;
	if ((mapping & FOLIO_MAPPING_FLAGS) == FOLIO_MAPPING_ANON) {
		if (!(flags & BIT(PG_swapbacked)))
			return false;
		cache_refs = (flags & swapped) == swapped;
	} else if (mapping && !(mapping & FOLIO_MAPPING_FLAGS) && nr_maps) {
		cache_refs = 1;
	} else {
		return false;
	}
	return nr_maps + cache_refs &&
	       folio_ref_count(folio) == refs + nr_maps + cache_refs;
}

/* How often a folio is mapped, asked without a reference. */
static inline int contig_guess_maps(const struct folio *folio)
{
	int maps;

	if (READ_ONCE(contig_flags_of(folio)) & BIT(PG_head))
		return atomic_read(&folio->_large_mapcount) + 1;
	maps = atomic_read(&folio->_mapcount) + 1;
	return page_mapcount_is_type(maps) ? 0 : maps;
}

/*
 * The entry of a page in its file. Neighbours in memory mostly are neighbours
 * in the file: the next entry then takes no walk.
 */
static inline void *contig_load_entry(struct xa_state *xas, pgoff_t index)
{
	if (xas_valid(xas) && index == xas->xa_index + 1)
		return xas_next_entry(xas, index);
	xas_set(xas, index);
	return xas_load(xas);
}

#endif /* _MM_CONTIG_FOLIO_H */
