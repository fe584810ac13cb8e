// SPDX-License-Identifier: GPL-2.0
/*
 * The events of areas, and what only they need to know.
 */
#include "internal.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/**
 * cma_trace_window_contents() - trace a window that is about to be evacuated
 * @cma:	the area
 * @pfn:	first page
 * @nr_pages:	number of pages
 *
 * Context: Process.
 */
void cma_trace_window_contents(const struct cma *cma, unsigned long pfn,
			       unsigned long nr_pages)
{
	unsigned long start_pfn = pfn, end_pfn = pfn + nr_pages;
	struct contig_contents contents = { };

	/* Nobody but devices has the rest. */
	if (cma_lent_part(cma, &start_pfn, &end_pfn))
		contig_survey_contents(start_pfn, end_pfn, &contents);
	trace_cma_window(cma->name, pfn, nr_pages, &contents);
}
