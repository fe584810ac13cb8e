/* SPDX-License-Identifier: GPL-2.0 */
/* The event cma_alloc_start with the fields that Linux 6.12 has. */
#ifndef _MM_CMA_TRACE_START_H
#define _MM_CMA_TRACE_START_H

#include <trace/events/cma.h>

#include "internal.h"

static inline void cma_trace_alloc_start(struct cma *cma,
					 unsigned long nr_pages,
					 unsigned int align_order)
{
	trace_cma_alloc_start(cma->name, nr_pages, align_order);
}

#endif /* _MM_CMA_TRACE_START_H */
