// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of an area that are lent to the page allocator, or reserved from it.
 *
 * Pages of a shared area that nobody holds are lent. Pages of an exclusive or
 * guaranteed area are reserved. In any mode, pages of a partial pageblock are
 * reserved too, because a pageblock has one migrate type. A reserved page is
 * PageReserved, as it was at boot. It has one reference, which belongs to the
 * area. Its zone does not count it as managed.
 *
 * A page stays PageReserved while it is handed out. buffer->reserved notes
 * whether the pages were reserved when the buffer was made. Its release lends
 * or reserves them as the mode at that time demands.
 *
 * No locks: the caller owns the pages. Units are pages.
 */
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/pgalloc_tag.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>

#include "../contig/kernel.h"
#include "internal.h"

/**
 * cma_lent_part() - find the part of a window that a shared area lends
 * @cma:	the area
 * @start_pfn:	first page of a window, which lies in one bank; set to the first
 *		page of the part
 * @end_pfn:	first page past the window; set to the first page past the part
 *
 * Context: Any.
 * Return: true; false if no page of the window can be lent.
 */
bool cma_lent_part(const struct cma *cma, unsigned long *start_pfn,
		   unsigned long *end_pfn)
{
	const struct cma_bank *bank;

	if (likely(cma->nr_lent == cma->nr_pages))
		return true;
	bank = cma_bank_of(cma, *start_pfn);
	*start_pfn = max(*start_pfn, bank->lent_start_pfn);
	*end_pfn = min(*end_pfn, bank->lent_end_pfn);
	return *start_pfn < *end_pfn;
}

/**
 * cma_first_in_use() - find a page with extra references or broken memory
 * @pfn:	first page
 * @end_pfn:	first page past the end
 *
 * A program may still refer to a page of a buffer that its driver released, for
 * example in a pipe. The page allocator does not reuse such a page. Check pages
 * that do not go back to it.
 *
 * Context: Any.
 * Return: the first such page, or @end_pfn.
 */
unsigned long cma_first_in_use(unsigned long pfn, unsigned long end_pfn)
{
	while (pfn < end_pfn && page_ref_count(pfn_to_page(pfn)) == 1 &&
	       !PageHWPoison(pfn_to_page(pfn)))
		pfn++;
	return pfn;
}

/**
 * cma_first_not_reserved() - find a page that cannot be used as a reserved one
 * @pfn:	first page
 * @end_pfn:	first page past the end
 *
 * A page that is not PageReserved belongs to the page allocator, whatever the
 * area records. A page with two references is still in use. Broken memory must
 * not be handed out.
 *
 * Context: Any.
 * Return: the first such page, or @end_pfn.
 */
unsigned long cma_first_not_reserved(unsigned long pfn, unsigned long end_pfn)
{
	while (pfn < end_pfn && PageReserved(pfn_to_page(pfn)) &&
	       page_ref_count(pfn_to_page(pfn)) == 1 &&
	       !PageHWPoison(pfn_to_page(pfn)))
		pfn++;
	return pfn;
}

/**
 * cma_lend() - give reserved pages to the page allocator
 * @start_pfn:	first page; each has one reference
 * @end_pfn:	first page past the end
 *
 * Context: Any but NMI; does not sleep.
 */
void cma_lend(unsigned long start_pfn, unsigned long end_pfn)
{
	for (unsigned long pfn = start_pfn; pfn < end_pfn; pfn++) {
		struct page *page = pfn_to_page(pfn);

		__ClearPageReserved(page);
		/* The page may never have been allocated, so it has no tag. */
		clear_page_tag_ref(page);
	}
	contig_free(start_pfn, end_pfn - start_pfn);
}

/**
 * cma_reserve_pages() - reserve pages that were taken from the page allocator
 * @start_pfn:	first page; each has one reference
 * @end_pfn:	first page past the end
 *
 * Context: Any.
 */
void cma_reserve_pages(unsigned long start_pfn, unsigned long end_pfn)
{
	for (unsigned long pfn = start_pfn; pfn < end_pfn; pfn++) {
		struct page *page = pfn_to_page(pfn);

		__SetPageReserved(page);
		/* Allocation profiling does not count reserved pages. */
		contig_tag_sub(page, 1);
	}
}

/* Reserved pages have a reference each. */
static void unfreeze_pages(unsigned long pfn, unsigned long nr_pages)
{
	for (unsigned long i = 0; i < nr_pages; i++)
		set_page_refcounted(pfn_to_page(pfn + i));
}

static void lend_released_pages(unsigned long pfn, unsigned long end_pfn,
				bool reserved, bool frozen)
{
	if (reserved)
		cma_lend(pfn, end_pfn);
	else if (frozen)
		contig_free_frozen(pfn, end_pfn - pfn);
	else
		free_contig_range(pfn, end_pfn - pfn);
}

/**
 * cma_put_pages() - lend or reserve the pages of a released buffer
 * @cma:	the area
 * @start_pfn:	first page; either a compound page, or pages of their own
 * @nr_pages:	number of pages
 * @reserved:	the pages were reserved when the buffer was made
 * @frozen:	the pages have no reference; otherwise each has one, or the
 *		compound page has
 *
 * Context: Any but NMI; does not sleep. The caller is in an RCU read-side
 * section and must release the window before that ends, see mode.c.
 */
void cma_put_pages(struct cma *cma, unsigned long start_pfn,
		   unsigned long nr_pages, bool reserved, bool frozen)
{
	unsigned long pfn = start_pfn, end_pfn = start_pfn + nr_pages;
	bool lends = READ_ONCE(cma->mode) == CMA_SHARED;
	bool lent = cma_lent_part(cma, &pfn, &end_pfn);

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "the mode may change");
	if (frozen && (reserved || !lends || !lent ||
		       end_pfn - pfn < nr_pages)) {
		unfreeze_pages(start_pfn, nr_pages);
		frozen = false;
	}
	if (lent && !lends && !reserved)
		cma_reserve_pages(pfn, end_pfn);
	else if (lent && lends)
		lend_released_pages(pfn, end_pfn, reserved, frozen);
	cma_store_give(cma, start_pfn, nr_pages);
}

/**
 * cma_account_lent() - count the lendable pages of an area in its zones, or not
 * @cma:	the area
 * @lent:	true to add them, false to subtract them
 *
 * Context: May sleep.
 */
void cma_account_lent(struct cma *cma, bool lent)
{
	for (unsigned int i = 0; i < cma->nr_banks; i++) {
		const struct cma_bank *bank = &cma->banks[i];
		long nr_pages = bank->lent_end_pfn - bank->lent_start_pfn;
		struct page *first = pfn_to_page(bank->start_pfn);

		if (!lent)
			nr_pages = -nr_pages;
		adjust_managed_page_count(first, nr_pages);
		page_zone(first)->cma_pages += nr_pages;
	}
	cma_headroom_set_lent(cma, lent);
}

/**
 * cma_not_in_area_start() - keep what the task allocates out of areas
 *
 * For pages that the page allocator hands out as movable, but that do not move
 * for a while. There is nothing to keep them out of before the first area.
 *
 * Context: Any.
 * Return: what cma_not_in_area_end() needs.
 */
unsigned int cma_not_in_area_start(void)
{
	return static_branch_unlikely(&cma_areas_active) ?
	       memalloc_pin_save() : 0;
}

/**
 * cma_not_in_area_end() - let areas serve the task again
 * @saved:	what cma_not_in_area_start() returned
 *
 * Context: Any.
 */
void cma_not_in_area_end(unsigned int saved)
{
	memalloc_pin_restore(saved);
}
