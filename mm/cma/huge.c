// SPDX-License-Identifier: GPL-2.0
/*
 * Allocates what huge pages take from areas: pages without a reference, which
 * are called frozen, and memory of areas that are not active yet. Also lends
 * pageblocks that are MIGRATE_CMA without an area.
 *
 * hugetlb initializes the struct pages of what it takes early, and leaves out
 * most of those of the tails. So an area does not touch them when it becomes
 * active. At boot there is no lock: one CPU runs.
 */
#include <linux/cma.h>
#include <linux/memblock.h>
#include <linux/mm.h>

#include "../contig/kernel.h"
#include "internal.h"

/**
 * cma_alloc_frozen() - allocate contiguous pages that have no reference
 * @cma:	the area; the allocation fails if it is NULL
 * @count:	number of pages; need not be a power of two
 * @align:	the buffer starts at a multiple of 1 << @align pages
 * @no_warn:	do not log a failure
 *
 * Context: May sleep.
 * Return: the first page, or NULL. Give the pages back with
 * cma_release_frozen().
 */
struct page *cma_alloc_frozen_noprof(struct cma *cma, unsigned long count,
				     unsigned int align, bool no_warn)
{
	unsigned int flags = CMA_ALLOC_FROZEN;

	if (no_warn)
		flags |= CMA_ALLOC_NOWARN;
	return cma_alloc_buffer(cma, count, align, flags, NULL, _RET_IP_);
}

/**
 * cma_alloc_frozen_compound() - allocate a compound page without a reference
 * @cma:	the area; the allocation fails if it is NULL
 * @order:	the page has 1 << @order pages and is aligned to its size
 *
 * Context: May sleep.
 * Return: the page, or NULL. Give it back with cma_release_frozen().
 */
struct page *cma_alloc_frozen_compound_noprof(struct cma *cma,
					      unsigned int order)
{
	const unsigned int flags = CMA_ALLOC_FROZEN | CMA_ALLOC_COMPOUND |
				   CMA_ALLOC_NOWARN;

	return cma_alloc_buffer(cma, 1UL << order, order, flags, NULL,
				_RET_IP_);
}

/**
 * cma_release_frozen() - give pages without a reference back to their area
 * @cma:	the area
 * @pages:	first page
 * @count:	number of pages
 *
 * A compound page that was split may come back in parts.
 *
 * Context: As cma_release().
 * Return: true; false if the pages do not belong to this area.
 */
bool cma_release_frozen(struct cma *cma, const struct page *pages,
			unsigned long count)
{
	return cma_release_buffer(cma, pages, count, true);
}

/**
 * cma_intersects() - check whether an area has memory in a range
 * @cma:	the area
 * @start:	physical address
 * @end:	physical address of the last byte
 *
 * Context: Any.
 * Return: true if so.
 */
bool cma_intersects(const struct cma *cma, unsigned long start,
		    unsigned long end)
{
	for (unsigned int i = 0; i < cma->nr_banks; i++)
		if (start < PFN_PHYS(cma->banks[i].end_pfn) &&
		    end >= PFN_PHYS(cma->banks[i].start_pfn))
			return true;
	return false;
}

/**
 * cma_validate_zones() - check that no buffer of an area would cross zones
 * @cma:	the area
 *
 * Context: Boot.
 * Return: true: an area is split where zones meet.
 */
bool __init cma_validate_zones(struct cma *cma)
{
	return true;
}

static bool __init bank_has_early_room(const struct cma_bank *bank,
				       unsigned long nr_pages)
{
	unsigned long pfn = bank->start_pfn + bank->nr_early;

	return bank->end_pfn - pfn >= nr_pages &&
	       IS_ALIGNED(pfn, rounddown_pow_of_two(nr_pages)) &&
	       !pfn_range_intersects_zones(early_pfn_to_nid(pfn), pfn,
					   nr_pages);
}

/**
 * cma_reserve_early() - take memory of an area before it is active
 * @cma:	the area; NULL is an area without memory
 * @size:	bytes, a multiple of a pageblock
 *
 * The memory is the first of a piece that is not taken yet. Once the area is
 * active, it comes back by cma_release_frozen(), all of it or in parts.
 *
 * Context: Boot, before core_initcall.
 * Return: kernel address of the memory, or NULL if there is none.
 */
void * __init cma_reserve_early(struct cma *cma, unsigned long size)
{
	unsigned long nr_pages = size >> PAGE_SHIFT;

	if (!cma || cma->active || !size ||
	    !IS_ALIGNED(size, CMA_MIN_ALIGNMENT_BYTES) ||
	    !IS_ALIGNED(size, PAGE_SIZE << cma->order_per_bit))
		return NULL;
	for (unsigned int i = 0; i < cma->nr_banks; i++) {
		struct cma_bank *bank = &cma->banks[i];
		unsigned long pfn = bank->start_pfn + bank->nr_early;

		if (!bank_has_early_room(bank, nr_pages))
			continue;
		bank->nr_early += nr_pages;
		return phys_to_virt(PFN_PHYS(pfn));
	}
	return NULL;
}

/**
 * init_cma_pageblock() - make a pageblock that is in use one of an area
 * @page:	first page
 *
 * Context: Boot.
 */
void __init init_cma_pageblock(struct page *page)
{
	init_pageblock_migratetype(page, MIGRATE_CMA, false);
	adjust_managed_page_count(page, pageblock_nr_pages);
	page_zone(page)->cma_pages += pageblock_nr_pages;
}

/**
 * init_cma_reserved_pageblock() - lend a reserved pageblock of no area
 * @page:	first page
 *
 * Memory that has to stay free of unmovable pages for the next kernel.
 *
 * Context: Boot.
 */
void __init init_cma_reserved_pageblock(struct page *page)
{
	unsigned long pfn = page_to_pfn(page);

	for (unsigned long i = 0; i < pageblock_nr_pages; i++)
		set_page_count(pfn_to_page(pfn + i), 1);
	cma_areas_enable();
	init_cma_pageblock(page);
	cma_lend(pfn, pfn + pageblock_nr_pages);
}
