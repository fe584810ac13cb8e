/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a page is: the predicates that the survey prices by and the movers act on.
 *
 * Without a reference and the folio's lock each answer is a guess, which may be
 * wrong a moment later: a folio may become the tail of another one. Functions
 * that are asked without a reference read plain fields, because the kernel's own
 * accessors warn of a tail page.
 */
#ifndef _MM_CONTIG_FOLIO_H
#define _MM_CONTIG_FOLIO_H

#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/page-flags.h>
#include <linux/xarray.h>

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
	return (READ_ONCE(page->flags) & (BIT(PG_lru) | BIT(PG_head))) ==
	       BIT(PG_lru) && !PageTail(page);
}

/* Page cache that was used more than once is worth a copy. */
static inline bool contig_is_warm(unsigned long flags)
{
	/* With generations, the second use sets PG_workingset. */
	return flags & BIT(lru_gen_enabled() ? PG_workingset : PG_active);
}

/* Clean page cache, one page, with none of the flags in @nor. */
static inline bool contig_is_clean_file(const struct folio *folio,
					unsigned long nor)
{
	const unsigned long flags = READ_ONCE(folio->flags);
	const unsigned long must_not =
		BIT(PG_dirty) | BIT(PG_writeback) | BIT(PG_swapbacked) |
		BIT(PG_unevictable) | BIT(PG_head) | BIT(PG_mlocked) |
		BIT(PG_private_2) | __PG_HWPOISON | nor;
	const unsigned long mapping = (unsigned long)READ_ONCE(folio->mapping);

	return (flags & (must_not | BIT(PG_lru))) == BIT(PG_lru) && mapping &&
	       !(mapping & PAGE_MAPPING_FLAGS);
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
	return !contig_is_warm(READ_ONCE(folio->flags)) &&
	       contig_is_clean_cache(folio, BIT(PG_locked));
}

/* How often a folio is mapped, asked without a reference. */
static inline int contig_guess_maps(const struct folio *folio)
{
	int maps;

	if (READ_ONCE(folio->flags) & BIT(PG_head))
		return atomic_read(&folio->_large_mapcount) + 1;
	maps = atomic_read(&folio->_mapcount) + 1;
	return page_mapcount_is_type(maps) ? 0 : maps;
}

/*
 * The entry of a page in its file. Neighbours in memory mostly are neighbours in
 * the file: the next entry then takes no walk.
 */
static inline void *contig_load_entry(struct xa_state *xas, pgoff_t index)
{
	if (xas_valid(xas) && index == xas->xa_index + 1)
		return xas_next_entry(xas, index);
	xas_set(xas, index);
	return xas_load(xas);
}

#endif /* _MM_CONTIG_FOLIO_H */
