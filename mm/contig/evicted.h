/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hooks of the page cache: folios that are evicted to a store, and filled from
 * one.
 *
 * All are inline, and behind a static key that is off until the first store is
 * open. Without CONFIG_CMA_GUARANTEED no code is left.
 */
#ifndef _MM_CONTIG_EVICTED_H
#define _MM_CONTIG_EVICTED_H

#include <linux/cma-stored.h>
#include <linux/pagemap.h>

#ifdef CONFIG_CMA_GUARANTEED

void __contig_evict_to_store(struct folio *folio);
void __contig_forget_stored(const struct address_space *mapping, pgoff_t index,
			    unsigned long nr_pages);
bool __contig_fill_from_store(struct folio *folio);
bool __contig_has_stored(const struct address_space *mapping, pgoff_t index);
bool __contig_has_shadows(const struct address_space *mapping);

static inline bool contig_stores_are_open(void)
{
	return static_branch_unlikely(&contig_stores_open);
}

/* Reclaim is about to replace a folio that it has locked by a shadow entry. */
static inline void contig_evict_to_store(struct folio *folio)
{
	if (contig_stores_are_open())
		__contig_evict_to_store(folio);
}

/* The page of a file is not what it was: there must be no copy of it. */
static inline void contig_forget_stored(const struct address_space *mapping,
					pgoff_t index, unsigned long nr_pages)
{
	if (contig_stores_are_open())
		__contig_forget_stored(mapping, index, nr_pages);
}

/* Reclaim failed to evict a folio. */
static inline void contig_forget_folio(const struct address_space *mapping,
				       const struct folio *folio)
{
	contig_forget_stored(mapping, folio->index, folio_nr_pages(folio));
}

/* A copy is right only if the folio replaces a shadow entry. */
static inline void contig_folio_added(const struct address_space *mapping,
				      const struct folio *folio,
				      const void *shadow)
{
	if (contig_stores_are_open() && !shadow)
		contig_forget_folio(mapping, folio);
}

/*
 * The caller has just added a folio to the page cache, and looks next whether
 * it is up to date. Return: true if it is now.
 */
static inline bool contig_fill_from_store(struct folio *folio)
{
	return contig_stores_are_open() && __contig_fill_from_store(folio);
}

/* Before a folio is read: one that was just filled need not be. */
static inline bool contig_unlock_filled(struct folio *folio)
{
	if (!folio_test_uptodate(folio))
		return false;
	folio_unlock(folio);
	return true;
}

/*
 * As contig_fill_from_store(). Return: true if the folio needs no I/O. It is
 * unlocked then, as if it had been in the page cache before.
 */
static inline bool contig_fill_readahead(struct folio *folio, bool is_mark)
{
	if (!contig_fill_from_store(folio))
		return false;
	if (is_mark)
		folio_set_readahead(folio);
	folio_unlock(folio);
	return true;
}

/* Read-ahead by single pages, if the first of them has a copy. */
static inline bool contig_has_stored(const struct address_space *mapping,
				     pgoff_t index)
{
	return contig_stores_are_open() && __contig_has_stored(mapping, index);
}

/*
 * A walk that invalidates a file found an entry that it clears by its value, or
 * a folio that was evicted meanwhile. Another task may fill a folio from the
 * copy of what was to be invalidated. Return: where the walk goes on.
 */
static inline pgoff_t contig_look_again(const struct address_space *mapping,
					pgoff_t next, pgoff_t index)
{
	return contig_stores_are_open() && __contig_has_shadows(mapping) ?
	       min(next, index) : next;
}

#else

static inline void contig_evict_to_store(struct folio *folio) { }

static inline void contig_forget_stored(const struct address_space *mapping,
					pgoff_t index, unsigned long nr_pages)
{
}

static inline void contig_forget_folio(const struct address_space *mapping,
				       const struct folio *folio)
{
}

static inline void contig_fill_from_store(struct folio *folio) { }

static inline pgoff_t contig_look_again(const struct address_space *mapping,
					pgoff_t next, pgoff_t index)
{
	return next;
}

/*
 * The compiler drops a constant before it looks at anything else, so the code of
 * mm/ stays what it is without these calls.
 */
#define contig_folio_added(...)		((void)0)
#define contig_unlock_filled(...)	false
#define contig_fill_readahead(...)	false
#define contig_has_stored(...)		false

#endif

#endif /* _MM_CONTIG_EVICTED_H */
