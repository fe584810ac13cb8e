// SPDX-License-Identifier: GPL-2.0
/*
 * What lies in a window, at what price, and what rules it out.
 *
 * Looks and touches nothing: no lock, no reference, no page is isolated. So
 * everything here is a guess that may be wrong a moment later, good enough to
 * choose between windows and to stay away from pages that somebody holds.
 *
 * Prices are in units of what it takes to drop a page of cold cache. They were
 * measured under -icount (make bench): 0.6 thousand instructions to drop a
 * page, 4 thousand to move a mapped one; to look at one takes some 30.
 *
 * Units are pages; ranges are [start, end).
 */
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/page-flags.h>

#include "../internal.h"
#include "internal.h"

#define PRICE_DROP	1
#define PRICE_MOVE	6
#define PRICE_WRITE	12	/* dirty: its buffers have to be locked, too */
#define PRICE_WAIT	40	/* I/O under way */

/*
 * References that are accounted for: mappings, caches, private data. A page on
 * an LRU list that has more of them is in use by somebody that migration knows
 * nothing of.
 */
static int accounted_refs(const struct folio *folio, unsigned long mapping)
{
	bool is_file = mapping && !(mapping & PAGE_MAPPING_FLAGS);
	int refs = folio_mapcount(folio);

	if (is_file || folio_test_swapcache(folio))
		refs += folio_nr_pages(folio);
	if (is_file && folio_test_private(folio))
		refs++;
	return refs;
}

static unsigned int price_of(const struct folio *folio)
{
	if (cma_cold_cache(folio))
		return PRICE_DROP;
	if (folio_test_writeback(folio) || folio_test_locked(folio))
		return PRICE_WAIT;
	if (folio_test_dirty(folio) && !folio_test_swapbacked(folio))
		return PRICE_WRITE;
	return PRICE_MOVE;
}

/*
 * Pages that are not plain ones on an LRU list. One that is on no list may be
 * in a per-CPU batch, which has a reference too; it can be got out of there.
 */
static enum cma_block_reason look_closer(const struct folio *folio,
					 unsigned int *price)
{
	unsigned long mapping = (unsigned long)READ_ONCE(folio->mapping);
	int refs = folio_ref_count(folio);

	*price = price_of(folio);
	if (folio_test_hugetlb(folio) || __folio_test_movable(folio))
		return CMA_BLOCK_NONE;
	refs -= accounted_refs(folio, mapping);
	if (folio_test_lru(folio))
		return refs > 0 ? CMA_BLOCK_REFERENCED : CMA_BLOCK_NONE;
	*price = PRICE_WRITE;
	return refs > 1 ? CMA_BLOCK_OFF_LRU : CMA_BLOCK_NONE;
}

/* Most pages take no more than a look at their flags and counts. */
static enum cma_block_reason look_at(const struct page *page,
				     unsigned int *price)
{
	const unsigned long slow = BIT(PG_locked) | BIT(PG_writeback) |
				   BIT(PG_dirty) | BIT(PG_private);
	const unsigned long kept = BIT(PG_active) | BIT(PG_swapbacked) |
				   BIT(PG_unevictable);
	const unsigned long swapped = BIT(PG_swapcache) | BIT(PG_swapbacked);
	const unsigned long flags = READ_ONCE(page->flags);
	unsigned long mapping;
	int refs, maps;

	*price = 0;
	if (PageTail(page) || flags & BIT(PG_head))
		return look_closer(page_folio(page), price);
	refs = page_ref_count(page);
	if (!refs)
		return CMA_BLOCK_NONE;
	mapping = (unsigned long)READ_ONCE(page->mapping);
	if (!(flags & BIT(PG_lru)) || mapping & PAGE_MAPPING_MOVABLE ||
	    (flags & slow && !(mapping & PAGE_MAPPING_ANON)))
		return look_closer(page_folio(page), price);

	maps = atomic_read(&page->_mapcount) + 1;
	refs -= maps;
	if (mapping & PAGE_MAPPING_ANON ? (flags & swapped) == swapped : mapping)
		refs--;
	*price = maps || flags & kept ? PRICE_MOVE : PRICE_DROP;
	return refs > 0 ? CMA_BLOCK_REFERENCED : CMA_BLOCK_NONE;
}

/**
 * survey_window() - look at a window
 * @start_pfn:	first page
 * @end_pfn:	first page behind, in the same zone
 * @survey:	result
 *
 * Goes from the end to the start and stops at the first page that will not get
 * out of the way: no window that contains it is worth a look, so the next one
 * starts behind it.
 *
 * Context: Any.
 */
void survey_window(unsigned long start_pfn, unsigned long end_pfn,
		   struct cma_survey *survey)
{
	*survey = (struct cma_survey) { };
	if (cma_blocker_recall(start_pfn, end_pfn, &survey->blocker))
		return;

	for (unsigned long pfn = end_pfn; pfn-- > start_pfn; ) {
		const struct page *page = pfn_to_page(pfn);
		enum cma_block_reason reason;
		unsigned int price;

		survey->nr_looked++;
		reason = look_at(page, &price);
		if (reason != CMA_BLOCK_NONE) {
			cma_blocker_note(&survey->blocker, page, reason);
			return;
		}
		survey->price += price;
	}
}
