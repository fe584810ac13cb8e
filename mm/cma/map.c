// SPDX-License-Identifier: GPL-2.0
/*
 * What each page of an area holds: for maps, counters and reports.
 *
 * A map is made in steps of %CMA_MAP_PAGES. Each step copies under cma->lock who
 * holds which of its pages, and looks at the others without any lock. So
 * allocations run meanwhile, and a map is exact only while nothing happens.
 */
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "internal.h"

static const char * const own_kind_names[] = {
	[CMA_PAGE_HELD - CONTIG_PAGE_NR]	= "held",
	[CMA_PAGE_CACHED - CONTIG_PAGE_NR]	= "cached",
	[CMA_PAGE_SEARCH - CONTIG_PAGE_NR]	= "search",
	[CMA_PAGE_RESERVED - CONTIG_PAGE_NR]	= "reserved",
	[CMA_PAGE_STORED - CONTIG_PAGE_NR]	= "stored",
};

static_assert(ARRAY_SIZE(own_kind_names) == CMA_PAGE_NR - CONTIG_PAGE_NR);

/**
 * cma_page_kind_name() - name of a kind of pages
 * @kind:	an enum contig_page_kind or an enum cma_page_kind
 *
 * Context: Any.
 * Return: the name, as in /proc/cma/map.
 */
const char *cma_page_kind_name(unsigned int kind)
{
	if (kind < CONTIG_PAGE_NR)
		return contig_page_kind_name(kind);
	return own_kind_names[kind - CONTIG_PAGE_NR];
}

static void map_holder(struct cma *cma, struct cma_holder *holder,
		       unsigned long pfn, unsigned long end_pfn, u8 *kinds)
{
	unsigned long start = max(holder->start, pfn);
	unsigned long end = min(cma_holder_end(holder), end_pfn);

	if (start < end)
		memset(kinds + start - pfn, cma_buffer_kind(cma, holder),
		       end - start);
}

static u8 map_page_nobody_holds(const struct cma *cma, unsigned long pfn)
{
	const struct page *page = pfn_to_page(pfn);

	if (!PageReserved(page))
		return contig_page_kind(page);
	return cma_store_has(cma, pfn) ? CMA_PAGE_STORED : CMA_PAGE_RESERVED;
}

/**
 * cma_map_pages() - look at a few pages of an area
 * @cma:	the area
 * @pfn:	first page
 * @end_pfn:	first page past the end, at most %CMA_MAP_PAGES further, in the
 *		same bank
 * @kinds:	set to the kind of each page: an enum contig_page_kind or an
 *		enum cma_page_kind
 *
 * Context: Process; takes cma->lock.
 */
void cma_map_pages(struct cma *cma, unsigned long pfn, unsigned long end_pfn,
		   u8 *kinds)
{
	struct cma_holder *holder;

	memset(kinds, CMA_PAGE_NR, end_pfn - pfn);
	spin_lock_irq(&cma->lock);
	holder = cma_range_find(&cma->range, pfn);
	if (!holder)
		holder = cma_range_from(&cma->range, pfn);
	for (; holder && holder->start < end_pfn;
	     holder = cma_range_next(&cma->range, holder))
		map_holder(cma, holder, pfn, end_pfn, kinds);
	spin_unlock_irq(&cma->lock);

	for (; pfn < end_pfn; pfn++, kinds++)
		if (*kinds == CMA_PAGE_NR)
			*kinds = map_page_nobody_holds(cma, pfn);
}

static void census_bank(struct cma *cma, const struct cma_bank *bank,
			struct cma_census *census)
{
	unsigned long pfn = bank->start_pfn;
	u8 kinds[CMA_MAP_PAGES];

	while (pfn < bank->end_pfn) {
		unsigned long stop = min(pfn + CMA_MAP_PAGES, bank->end_pfn);

		cma_map_pages(cma, pfn, stop, kinds);
		for (unsigned long i = 0; i < stop - pfn; i++)
			census->nr_pages[kinds[i]]++;
		pfn = stop;
		cond_resched();
	}
}

/**
 * cma_count_pages() - count the pages of an area by what they hold
 * @cma:	the area
 * @census:	set to the counts; 0 for an area that did not come up
 *
 * Context: Process; may sleep. Takes cma->lock for steps of %CMA_MAP_PAGES.
 */
void cma_count_pages(struct cma *cma, struct cma_census *census)
{
	*census = (struct cma_census) { };
	if (!cma->active)
		return;
	for (unsigned int i = 0; i < cma->nr_banks; i++)
		census_bank(cma, &cma->banks[i], census);
}

/**
 * cma_census_lent() - count pages that the page allocator has
 * @census:	the counts
 *
 * Context: Any.
 * Return: number of pages.
 */
unsigned long cma_census_lent(const struct cma_census *census)
{
	unsigned long nr_pages = 0;

	for (unsigned int kind = 0; kind < CONTIG_PAGE_NR; kind++)
		nr_pages += census->nr_pages[kind];
	return nr_pages;
}

/**
 * cma_census_free() - count pages that nobody uses
 * @census:	the counts
 *
 * Context: Any.
 * Return: number of pages, with those that are reserved, or have a copy, and are
 * in no buffer.
 */
unsigned long cma_census_free(const struct cma_census *census)
{
	return census->nr_pages[CONTIG_PAGE_FREE] +
	       census->nr_pages[CMA_PAGE_RESERVED] +
	       census->nr_pages[CMA_PAGE_STORED];
}

/**
 * cma_census_can_go() - count pages in use that can be moved or dropped
 * @census:	the counts
 *
 * Context: Any.
 * Return: number of pages, if there is memory to move them to.
 */
unsigned long cma_census_can_go(const struct cma_census *census)
{
	unsigned long nr_pages = 0;

	for (unsigned int kind = 0; kind < CONTIG_PAGE_NR; kind++)
		if (contig_page_can_go(kind))
			nr_pages += census->nr_pages[kind];
	return nr_pages;
}
