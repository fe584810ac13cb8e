/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What mm/contig/ and mm/cma/ take from mm/: names of newer kernels for what
 * Linux 6.12 has under other names.
 */
#ifndef _MM_CONTIG_KERNEL_H
#define _MM_CONTIG_KERNEL_H

#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/memcontrol.h>
#include <linux/page-isolation.h>
#include <linux/page_owner.h>
#include <linux/pgalloc_tag.h>
#include <linux/timer.h>
#include <trace/events/kmem.h>

#include "../internal.h"

#define acr_flags_t		unsigned int
#define ACR_FLAGS_NONE		MIGRATE_MOVABLE
#ifdef CONFIG_CMA
#define ACR_FLAGS_CMA		MIGRATE_CMA
#else
#define ACR_FLAGS_CMA		MIGRATE_TYPES	/* no caller has this one */
#endif
#define ALLOC_DEFAULT		0
#define FOLIO_MAPPING_ANON	PAGE_MAPPING_ANON
#define FOLIO_MAPPING_FLAGS	PAGE_MAPPING_FLAGS

#define folio_set_owner_migrate_reason(folio, reason) \
	set_page_owner_migrate_reason(&(folio)->page, reason)
#define alloc_pages_bulk_node	alloc_pages_bulk_array_node
#define anon_rmap_tree_foreach(avc, anon_vma, first, last) \
	anon_vma_interval_tree_foreach(avc, &(anon_vma)->rb_root, first, last)
#define free_frozen_pages(page, order)	free_unref_page(page, order)
#define inode_lru_list_add(inode)	inode_add_lru(inode)
#define isolate_or_dissolve_huge_folio(folio, list) \
	isolate_or_dissolve_huge_page(&(folio)->page, list)
#define lruvec_unlock_irq(lruvec)	unlock_page_lruvec_irq(lruvec)
#define system_dfl_wq	system_unbound_wq
#define system_percpu_wq	system_wq
#define page_has_movable_ops(page)	__PageMovable(page)
#define pte_uffd(pte)		pte_uffd_wp(pte)
#define vma_anon_address(vma, index, nr_pages)	vma_address(vma, index, nr_pages)
#define post_alloc_hook(page, order, gfp, alloc_flags)	\
	do {						\
		(void)(alloc_flags);			\
		post_alloc_hook(page, order, gfp);	\
	} while (0)

static inline void init_pageblock_migratetype(struct page *page,
					      int migratetype, bool isolated)
{
	set_pageblock_migratetype(page, migratetype);
}

static inline void dev_assign_dma_coherent(struct device *dev, bool coherent)
{
#if defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_DEVICE) || \
	defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_CPU)
	dev->dma_coherent = coherent;
#endif
}

/* cma_declare_contiguous_nid() may make an area of several pieces. */
#define CONTIG_PLAIN_AREA_IS_ONE_PIECE	false

/* The pages must be counted where allocation profiling does so. */
static inline void contig_tag_add(struct page *page, unsigned int nr_pages)
{
	pgalloc_tag_add(page, current, nr_pages);
}

static inline void contig_tag_sub(struct page *page, unsigned int nr_pages)
{
	pgalloc_tag_sub(page, nr_pages);
}

/* Freed pages stay on the list of a CPU for a while. */
#define CONTIG_CPUS_HAVE_LISTS		true

/* Compound pages may be of any order. */
#define CONTIG_MAX_COMPOUND_ORDER	(BITS_PER_LONG - 1)

/* The flags of a page or a folio; can be assigned to. */
#define contig_flags_of(page)	((page)->flags)

#ifdef CONFIG_CMA
/* The caller holds zone->lock and moves the free pages of the block. */
static inline void contig_mark_isolated(struct page *page, bool isolated)
{
	set_pageblock_migratetype(page,
				  isolated ? MIGRATE_ISOLATE : MIGRATE_CMA);
}
#endif

static inline bool contig_isolate_block(struct zone *zone, struct page *page)
{
	return move_freepages_block_isolate(zone, page, MIGRATE_ISOLATE);
}

static inline int contig_isolate_start(unsigned long start_pfn,
				       unsigned long end_pfn, int migratetype,
				       gfp_t gfp)
{
	return start_isolate_page_range(start_pfn, end_pfn, migratetype, 0, gfp);
}

static inline void contig_isolate_end(unsigned long start_pfn,
				      unsigned long end_pfn, int migratetype)
{
	undo_isolate_page_range(start_pfn, end_pfn, migratetype);
}

static inline bool contig_counts_moved(void)
{
	return trace_mm_alloc_contig_migrate_range_info_enabled();
}

static inline void contig_trace_moved(unsigned long start_pfn,
				      unsigned long end_pfn,
				      unsigned long nr_migrated,
				      unsigned long nr_reclaimed,
				      unsigned long nr_mapped, int migratetype)
{
	trace_mm_alloc_contig_migrate_range_info(start_pfn, end_pfn,
						 nr_migrated, nr_reclaimed,
						 nr_mapped, migratetype);
}

#endif /* _MM_CONTIG_KERNEL_H */
