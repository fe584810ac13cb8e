/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counts the pages on LRU lists that lie in areas, per zone.
 *
 * Reclaim of a page in an area does not help an allocation that cannot use
 * areas. mm/contig/fill.c tells by these counters what would help. The counters
 * are exact: they change together with those of the LRU lists.
 */
#ifndef __LINUX_CMA_LRU_H
#define __LINUX_CMA_LRU_H

#include <linux/mmzone.h>

struct folio;

#ifdef CONFIG_CMA

#include <linux/bitops.h>
#include <linux/jump_label.h>
#include <linux/mm.h>
#include <linux/vmstat.h>

DECLARE_STATIC_KEY_FALSE(cma_areas_active);

/* mm/contig/blocks.c: a bit for each pageblock of an area, isolated or not */
extern unsigned long *contig_area_blocks;
extern unsigned long contig_nr_area_blocks;

static inline bool contig_pfn_in_area(unsigned long pfn)
{
	unsigned long block = pfn >> pageblock_order;

	return block < contig_nr_area_blocks &&
	       test_bit(block, contig_area_blocks);
}

/* The caller holds the lock of the LRU list. All pages are of one pageblock. */
static __always_inline void contig_count_lru_pages(struct folio *folio,
						   enum lru_list lru,
						   long nr_pages)
{
	if (static_branch_unlikely(&cma_areas_active) &&
	    contig_pfn_in_area(folio_pfn(folio)))
		__mod_zone_page_state(folio_zone(folio),
				      NR_ZONE_CMA_ANON + lru / LRU_FILE,
				      nr_pages);
}

/* @sign: 1 when the folio is added to the list, -1 when it is removed. */
static __always_inline void contig_count_lru(struct folio *folio,
					     enum lru_list lru, long sign)
{
	if (static_branch_unlikely(&cma_areas_active))
		contig_count_lru_pages(folio, lru,
				       sign * folio_nr_pages(folio));
}

#else

static inline void contig_count_lru_pages(struct folio *folio,
					  enum lru_list lru, long nr_pages)
{
}

static inline void contig_count_lru(struct folio *folio, enum lru_list lru,
				    long sign)
{
}

#endif /* CONFIG_CMA */

#endif /* __LINUX_CMA_LRU_H */
