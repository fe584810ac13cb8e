// SPDX-License-Identifier: GPL-2.0
/*
 * Allocates and frees the folios that huge pages of Linux 6.12 take from areas.
 */
#include <linux/bug.h>
#include <linux/cma.h>
#include <linux/mm.h>

#include "internal.h"

/**
 * cma_alloc_folio() - allocate a large folio from an area
 * @cma:	the area
 * @order:	the folio has 1 << @order pages and is aligned to its size
 * @gfp:	must have __GFP_COMP; of the rest only __GFP_NOWARN counts
 *
 * Context: May sleep.
 * Return: the folio, or NULL. Give it back with cma_free_folio().
 */
struct folio *cma_alloc_folio_noprof(struct cma *cma, int order, gfp_t gfp)
{
	unsigned int flags = CMA_ALLOC_COMPOUND;
	struct page *page;

	if (WARN_ON_ONCE(order <= 0 || !(gfp & __GFP_COMP)))
		return NULL;

	if (gfp & __GFP_NOWARN)
		flags |= CMA_ALLOC_NOWARN;
	page = cma_alloc_buffer(cma, 1UL << order, order, flags, NULL,
				_RET_IP_);
	return page ? page_folio(page) : NULL;
}

/**
 * cma_free_folio() - give a folio back to its area
 * @cma:	the area
 * @folio:	the folio that cma_alloc_folio() returned, or a large one that
 *		was split off from it
 *
 * Context: As cma_release().
 * Return: true; false if the folio does not belong to this area, or has one
 * page only.
 */
bool cma_free_folio(struct cma *cma, const struct folio *folio)
{
	if (WARN_ON_ONCE(!folio_test_large(folio)))
		return false;
	return cma_release(cma, &folio->page, folio_nr_pages(folio));
}
