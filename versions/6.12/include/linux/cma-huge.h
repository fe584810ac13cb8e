/* SPDX-License-Identifier: GPL-2.0 */
/* Huge pages take folios from areas by these; see mm/cma/huge.c. */
#ifndef _LINUX_CMA_HUGE_H
#define _LINUX_CMA_HUGE_H

#include <linux/alloc_tag.h>
#include <linux/types.h>

struct cma;
struct folio;

#ifdef CONFIG_CMA
struct folio *cma_alloc_folio_noprof(struct cma *cma, int order, gfp_t gfp);
#define cma_alloc_folio(...)	alloc_hooks(cma_alloc_folio_noprof(__VA_ARGS__))
bool cma_free_folio(struct cma *cma, const struct folio *folio);
#else
static inline struct folio *cma_alloc_folio(struct cma *cma, int order,
					    gfp_t gfp)
{
	return NULL;
}

static inline bool cma_free_folio(struct cma *cma, const struct folio *folio)
{
	return false;
}
#endif

#endif /* _LINUX_CMA_HUGE_H */
