/* SPDX-License-Identifier: GPL-2.0 */
/* Events of areas that take more than their arguments. */
#ifndef _MM_CMA_TRACE_H
#define _MM_CMA_TRACE_H

#include <trace/events/cma.h>

#include "internal.h"

void cma_trace_window_contents(const struct cma *cma, unsigned long pfn,
			       unsigned long nr_pages);

/* A look at each page of a large window takes long: only if somebody reads. */
static inline void cma_trace_window(const struct cma *cma, unsigned long pfn,
				    unsigned long nr_pages)
{
	if (trace_cma_window_enabled())
		cma_trace_window_contents(cma, pfn, nr_pages);
}

/* Not every attempt fails because of a page. */
static inline void cma_trace_blocker(const struct cma *cma,
				     const struct contig_blocker *blocker)
{
	if (trace_cma_blocker_enabled() &&
	    blocker->reason != CONTIG_BLOCK_NONE)
		trace_cma_blocker(cma->name, blocker);
}

#endif /* _MM_CMA_TRACE_H */
