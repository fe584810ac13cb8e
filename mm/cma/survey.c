// SPDX-License-Identifier: GPL-2.0
/*
 * What lies in a window, at what price, and what rules it out.
 *
 * Looks and touches nothing: no lock, no reference, no page is isolated. So
 * everything here is a guess that may be wrong a moment later, good enough to
 * choose between windows and to stay away from pages that somebody holds.
 *
 * Prices are in units of what it takes to drop a page of cold cache. They were
 * measured under -icount (make bench): 0.5 thousand instructions to drop a
 * page, 3 thousand to move a mapped one.
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

/* References that are accounted for: mappings, caches, private data. */
static int accounted_refs(const struct folio *folio, unsigned long mapping)
{
	bool cached = mapping & PAGE_MAPPING_FLAGS ? folio_test_swapcache(folio) :
						     mapping;
	int refs = folio_mapcount(folio);

	if (cached)
		refs += folio_nr_pages(folio);
	if (!(mapping & PAGE_MAPPING_FLAGS) && folio_test_private(folio))
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
 * A page on an LRU list that has more references than are accounted for is in
 * use by somebody that migration knows nothing of. One that is on no list may
 * be in a per-CPU batch, which has a reference too; it can be got out of there.
 */
static enum cma_block_reason look_at(const struct page *page,
				     unsigned int *price)
{
	const struct folio *folio = page_folio(page);
	unsigned long mapping = (unsigned long)READ_ONCE(folio->mapping);
	int refs = folio_ref_count(folio);
	int accounted;

	*price = 0;
	if (!refs)
		return CMA_BLOCK_NONE;
	*price = price_of(folio);
	if (folio_test_hugetlb(folio) || __folio_test_movable(folio))
		return CMA_BLOCK_NONE;

	accounted = accounted_refs(folio, mapping);
	if (folio_test_lru(folio))
		return refs > accounted ? CMA_BLOCK_REFERENCED : CMA_BLOCK_NONE;
	*price = PRICE_WRITE;
	return refs > accounted + 1 ? CMA_BLOCK_OFF_LRU : CMA_BLOCK_NONE;
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
