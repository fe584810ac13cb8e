/* SPDX-License-Identifier: GPL-2.0 */
/* Huge pages take memory from areas by these; see mm/cma/huge.c. */
#ifndef _LINUX_CMA_HUGE_H
#define _LINUX_CMA_HUGE_H

#include <linux/alloc_tag.h>
#include <linux/types.h>

struct cma;
struct page;

struct page *cma_alloc_frozen_noprof(struct cma *cma, unsigned long count,
				     unsigned int align, bool no_warn);
#define cma_alloc_frozen(...) \
	alloc_hooks(cma_alloc_frozen_noprof(__VA_ARGS__))
struct page *cma_alloc_frozen_compound_noprof(struct cma *cma,
					      unsigned int order);
#define cma_alloc_frozen_compound(...) \
	alloc_hooks(cma_alloc_frozen_compound_noprof(__VA_ARGS__))
bool cma_release_frozen(struct cma *cma, const struct page *pages,
			unsigned long count);
bool cma_intersects(const struct cma *cma, unsigned long start,
		    unsigned long end);

#endif /* _LINUX_CMA_HUGE_H */
