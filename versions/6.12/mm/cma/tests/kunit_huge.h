/* SPDX-License-Identifier: GPL-2.0 */
/* For tests: a compound page of an area of Linux 6.12. */
#ifndef _MM_CMA_KUNIT_HUGE_H
#define _MM_CMA_KUNIT_HUGE_H

#include <linux/cma.h>
#include <linux/mm.h>

static inline struct folio *cma_test_alloc_folio(struct cma *cma,
						 unsigned int order)
{
	return cma_alloc_folio(cma, order, GFP_KERNEL | __GFP_COMP);
}

static inline bool cma_test_free_folio(struct cma *cma, struct folio *folio)
{
	return cma_free_folio(cma, folio);
}

#endif /* _MM_CMA_KUNIT_HUGE_H */
