/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counts the pages on LRU lists that lie in areas, per zone.
 *
 * Reclaim of a page in an area does not help an allocation that cannot use
 * areas. mm/contig/outside.c tells by these counters what would help. They change
 * together with those of the LRU lists, under the same lock. Each CPU counts
 * what it added less what it removed. Only the sum of all CPUs has a meaning,
 * and it is exact.
 *
 * Each page that goes to an LRU list passes here. So the answer for most pages
 * takes one comparison, and to count one takes one addition.
 */
#ifndef __LINUX_CMA_LRU_H
#define __LINUX_CMA_LRU_H

#include <linux/mmzone.h>

struct folio;
struct seq_file;

#ifdef CONFIG_CMA

#include <linux/bitops.h>
#include <linux/jump_label.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/preempt.h>

DECLARE_STATIC_KEY_FALSE(cma_areas_active);

/**
 * struct contig_area_span - where areas lie: mm/contig/blocks.c
 * @start:	of the first pageblock of an area, see contig_area_unit()
 * @size:	from there to the end of the last one; 0 if there is none
 * @blocks:	a bit for each pageblock, by pfn, of an area; NULL if all between
 *		are those of areas
 */
struct contig_area_span {
	unsigned long		start;
	unsigned long		size;
	const unsigned long	*blocks;
};

extern struct contig_area_span contig_area_span;

unsigned long contig_zone_lru(const struct zone *zone, enum lru_list lru);
void contig_show_zone_lru(struct seq_file *m, const struct zone *zone);

/*
 * What spans are made of: addresses of struct pages if these are in the order of
 * pfns, since it costs nothing to tell them.
 */
static inline unsigned long contig_area_unit(const struct page *page)
{
	if (IS_ENABLED(CONFIG_FLATMEM) || IS_ENABLED(CONFIG_SPARSEMEM_VMEMMAP))
		return (unsigned long)page;
	return page_to_pfn(page);
}

/* True for a page in a pageblock of an area, isolated or not. */
static inline bool contig_page_in_area(const struct page *page)
{
	const struct contig_area_span *span = &contig_area_span;

	if (likely(contig_area_unit(page) - span->start >= span->size))
		return false;
	return !span->blocks ||
	       test_bit(page_to_pfn(page) >> pageblock_order, span->blocks);
}

/* The caller holds the lock of the LRU list. All pages are of one pageblock. */
static __always_inline void contig_count_lru_pages(struct folio *folio,
						   enum lru_list lru,
						   long nr_pages)
{
	struct per_cpu_zonestat __percpu *stats;

	if (!static_branch_unlikely(&cma_areas_active) ||
	    !contig_page_in_area(&folio->page))
		return;
	stats = folio_zone(folio)->per_cpu_zonestats;
	preempt_disable_nested();
	__this_cpu_add(stats->cma_lru[lru / LRU_FILE], nr_pages);
	preempt_enable_nested();
}

/*
 * @sign: 1 when the folio is added to the list, -1 when it is removed. Without an
 * area not even its size is looked at.
 */
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

static inline void contig_show_zone_lru(struct seq_file *m,
					const struct zone *zone)
{
}

#endif /* CONFIG_CMA */

#endif /* __LINUX_CMA_LRU_H */
