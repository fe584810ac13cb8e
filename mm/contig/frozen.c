// SPDX-License-Identifier: GPL-2.0
/*
 * Ranges of pages without references, which are called frozen. Whoever splits
 * or joins pages of a range spares itself the counting.
 */
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/mm.h>

#include "kernel.h"
#include "contig.h"

/**
 * alloc_contig_frozen_range() - take a range of pages without references
 * @start:	first page frame number
 * @end:	first page frame number behind
 * @acr_flags:	as for alloc_contig_range()
 * @gfp_mask:	as for alloc_contig_range()
 *
 * Context: May sleep.
 * Return: as alloc_contig_range(). Free them with free_contig_frozen_range().
 */
int alloc_contig_frozen_range_noprof(unsigned long start, unsigned long end,
				     acr_flags_t acr_flags, gfp_t gfp_mask)
{
	return contig_alloc_range(start, end, acr_flags == ACR_FLAGS_CMA,
				  gfp_mask, true);
}
EXPORT_SYMBOL(alloc_contig_frozen_range_noprof);

/**
 * alloc_contig_frozen_pages() - take contiguous pages without references
 * @nr_pages:	as for alloc_contig_pages()
 * @gfp_mask:	as for alloc_contig_pages()
 * @nid:	as for alloc_contig_pages()
 * @nodemask:	as for alloc_contig_pages()
 *
 * Context: May sleep.
 * Return: the first page, or NULL. Free them with free_contig_frozen_range().
 */
struct page *alloc_contig_frozen_pages_noprof(unsigned long nr_pages,
					      gfp_t gfp_mask, int nid,
					      nodemask_t *nodemask)
{
	return contig_alloc_pages(nr_pages, gfp_mask, nid, nodemask, true);
}
EXPORT_SYMBOL(alloc_contig_frozen_pages_noprof);

/**
 * free_contig_frozen_range() - free a range of pages without references
 * @pfn:	first page frame number
 * @nr_pages:	number of pages; of a compound page, all of them
 *
 * Context: Any but NMI; does not sleep.
 */
void free_contig_frozen_range(unsigned long pfn, unsigned long nr_pages)
{
	contig_free_frozen(pfn, nr_pages);
}
EXPORT_SYMBOL(free_contig_frozen_range);
