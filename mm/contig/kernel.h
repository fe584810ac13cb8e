/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What mm/contig/ and mm/cma/ take from mm/, in the names of the newest kernel.
 * For an older one another file stands in place of this one.
 */
#ifndef _MM_CONTIG_KERNEL_H
#define _MM_CONTIG_KERNEL_H

#include <linux/alloc_tag.h>
#include <linux/page-isolation.h>

#include "../internal.h"
#include "../mm_init.h"
#include "../page_alloc.h"
#include "hooks.h"

/* Callers of cma_declare_contiguous_nid() rely on an area of one piece. */
#define CONTIG_PLAIN_AREA_IS_ONE_PIECE	true

/* The pages must be counted where allocation profiling does so. */
static inline void contig_tag_add(struct page *page, unsigned int nr_pages)
{
	if (mem_alloc_profiling_enabled())
		contig_page_tag_add(page, nr_pages);
}

static inline void contig_tag_sub(struct page *page, unsigned int nr_pages)
{
	if (mem_alloc_profiling_enabled())
		contig_page_tag_sub(page, nr_pages);
}

/* A kernel for one CPU frees pages at once. */
#define CONTIG_CPUS_HAVE_LISTS		IS_ENABLED(CONFIG_SMP)

/* The kernel has no compound pages of a higher order. */
#define CONTIG_MAX_COMPOUND_ORDER	MAX_FOLIO_ORDER

/* The flags of a page or a folio; can be assigned to. */
#define contig_flags_of(page)	((page)->flags.f)

/*
 * The caller holds zone->lock and moves the free pages of the block. The type
 * of an isolated block is kept.
 */
static inline void contig_mark_isolated(struct page *page, bool isolated)
{
	if (isolated)
		set_pageblock_isolate(page);
	else
		clear_pageblock_isolate(page);
}

static inline bool contig_isolate_block(struct zone *zone, struct page *page)
{
	return pageblock_isolate_and_move_free_pages(zone, page);
}

static inline int contig_isolate_start(unsigned long start_pfn,
				       unsigned long end_pfn, int migratetype,
				       gfp_t gfp)
{
	return start_isolate_page_range(start_pfn, end_pfn,
					is_migrate_cma(migratetype) ?
					PB_ISOLATE_MODE_CMA_ALLOC :
					PB_ISOLATE_MODE_OTHER);
}

static inline void contig_isolate_end(unsigned long start_pfn,
				      unsigned long end_pfn, int migratetype)
{
	undo_isolate_page_range(start_pfn, end_pfn);
}

/* The event that told this is gone. */
static inline bool contig_counts_moved(void)
{
	return false;
}

static inline void contig_trace_moved(unsigned long start_pfn,
				      unsigned long end_pfn,
				      unsigned long nr_migrated,
				      unsigned long nr_reclaimed,
				      unsigned long nr_mapped, int migratetype)
{
}

#endif /* _MM_CONTIG_KERNEL_H */
