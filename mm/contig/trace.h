/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The events of trace/events/contig.h, for kernels with areas. A kernel with
 * CONFIG_CMA=n has none: it gets no more than ranges of pages need.
 */
#ifndef _MM_CONTIG_TRACE_H
#define _MM_CONTIG_TRACE_H

#include "contig.h"

#ifdef CONFIG_CMA
#include <trace/events/contig.h>
#else
static inline void
trace_contig_evacuate_start(const struct contig_request *req)
{
}

static inline void
trace_contig_evacuate_finish(const struct contig_request *req,
			     const struct contig_evacuated *evacuated,
			     int errorno)
{
}

static inline void trace_contig_drop(unsigned long start_pfn,
				     unsigned long end_pfn,
				     unsigned long nr_evacuated)
{
}

static inline void trace_contig_copy(unsigned long start_pfn,
				     unsigned long end_pfn,
				     unsigned long nr_evacuated)
{
}

static inline void trace_contig_remap(unsigned long start_pfn,
				      unsigned long end_pfn,
				      unsigned long nr_evacuated)
{
}

static inline void trace_contig_migrate(unsigned long start_pfn,
					unsigned long end_pfn,
					unsigned long nr_evacuated)
{
}

static inline void trace_contig_reclaim(unsigned long start_pfn,
					unsigned long end_pfn,
					unsigned long nr_evacuated)
{
}

static inline void
trace_contig_claim_wait_start(const struct contig_request *req,
			      unsigned int ms)
{
}

static inline void
trace_contig_claim_wait_finish(const struct contig_request *req, int errorno)
{
}
#endif

#endif /* _MM_CONTIG_TRACE_H */
