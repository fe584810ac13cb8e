/* SPDX-License-Identifier: GPL-2.0 */
/* The event cma_alloc_start with the fields that the newest kernel has. */
#ifndef _MM_CMA_TRACE_START_H
#define _MM_CMA_TRACE_START_H

#include <trace/events/cma.h>

#include "internal.h"

static inline void cma_trace_alloc_start(struct cma *cma,
					 unsigned long nr_pages,
					 unsigned int align_order)
{
	if (trace_cma_alloc_start_enabled())
		trace_cma_alloc_start(cma->name, nr_pages,
				      cma_nr_available(cma), cma->nr_pages,
				      align_order);
}

#endif /* _MM_CMA_TRACE_START_H */
