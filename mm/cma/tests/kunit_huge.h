/* SPDX-License-Identifier: GPL-2.0 */
/* For tests: a compound page of an area, with one reference. */
#ifndef _MM_CMA_KUNIT_HUGE_H
#define _MM_CMA_KUNIT_HUGE_H

#include <linux/cma.h>
#include <linux/mm.h>

#include "../../contig/kernel.h"

static inline struct folio *cma_test_alloc_folio(struct cma *cma,
						 unsigned int order)
{
	struct page *page = cma_alloc_frozen_compound(cma, order);

	if (!page)
		return NULL;
	set_page_refcounted(page);
	return page_folio(page);
}

static inline bool cma_test_free_folio(struct cma *cma, struct folio *folio)
{
	set_page_count(&folio->page, 0);
	return cma_release_frozen(cma, &folio->page, folio_nr_pages(folio));
}

#endif /* _MM_CMA_KUNIT_HUGE_H */
