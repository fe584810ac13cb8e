// SPDX-License-Identifier: GPL-2.0
/*
 * What the page allocator has of an area, and what it has not.
 *
 * Pages of a shared area that nobody holds are lent to the page allocator.
 * Those of an exclusive area are kept from it, and so are, in either mode, the
 * pages of a pageblock that is not of the area as a whole, for a pageblock has
 * one type. What is kept is marked PageReserved, as it was before the area came
 * up, has one reference, which is the area's, and is not among the pages that
 * its zone manages.
 *
 * A page keeps the mark while it is handed out. So a buffer knows whether its
 * pages were kept when it was made (buffer->reserved), and its release turns them
 * into what they ought to be by then.
 *
 * No locks: the pages are the caller's. Units are pages.
 */
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/pgalloc_tag.h>
#include <linux/rcupdate.h>

#include "../internal.h"
#include "internal.h"

/**
 * cma_lent_part() - the part of a window that a shared area has lent
 * @cma:	the area
 * @start_pfn:	first page of the window, which lies in one bank; then of the
 *		part
 * @end_pfn:	first page behind it; then of the part
 *
 * Context: Any.
 * Return: false if there is no such part.
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
 * cma_first_in_use() - the first of pages with one reference that has another,
 * or whose memory is broken
 * @pfn:	first page
 * @end_pfn:	first page behind
 *
 * A program may have a page of a buffer that its driver gave back, in a pipe
 * for example. In a shared area it is not free before that is over; what is not
 * given to the page allocator has to be looked at.
 *
 * Context: Any.
 * Return: the page, or @end_pfn.
 */
unsigned long cma_first_in_use(unsigned long pfn, unsigned long end_pfn)
{
	while (pfn < end_pfn && page_ref_count(pfn_to_page(pfn)) == 1 &&
	       !PageHWPoison(pfn_to_page(pfn)))
		pfn++;
	return pfn;
}

/**
 * cma_first_not_reserved() - the first page that is not kept for devices alone
 * @pfn:	first page
 * @end_pfn:	first page behind
 *
 * A page without the mark is the page allocator's, whatever the record of the
 * area says, and one with two references is still in use. Broken memory stays out
 * of use.
 *
 * Context: Any.
 * Return: the page, or @end_pfn.
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
 * cma_lend() - give kept pages to the page allocator
 * @start_pfn:	first page; each has one reference
 * @end_pfn:	first page behind
 *
 * Context: Any but NMI; does not sleep.
 */
void cma_lend(unsigned long start_pfn, unsigned long end_pfn)
{
	for (unsigned long pfn = start_pfn; pfn < end_pfn; pfn++) {
		struct page *page = pfn_to_page(pfn);

		__ClearPageReserved(page);
		/* may never have been allocated since boot */
		clear_page_tag_ref(page);
	}
	contig_free(start_pfn, end_pfn - start_pfn);
}

/**
 * cma_reserve_pages() - keep pages from the page allocator that it does not have
 * @start_pfn:	first page; each has one reference
 * @end_pfn:	first page behind
 *
 * Context: Any.
 */
void cma_reserve_pages(unsigned long start_pfn, unsigned long end_pfn)
{
	for (unsigned long pfn = start_pfn; pfn < end_pfn; pfn++) {
		struct page *page = pfn_to_page(pfn);

		__SetPageReserved(page);
		/* The profile of allocations counts no page that is kept. */
		pgalloc_tag_sub(page, 1);
	}
}

/**
 * cma_put_pages() - pages that a buffer had are nobody's any more
 * @cma:	the area
 * @start_pfn:	first page, each has one reference; or a compound page
 * @nr_pages:	number of pages
 * @kept:	they were kept when the buffer was made
 *
 * Context: Any but NMI; does not sleep. The caller is in an RCU read-side
 * section that ends after it let go of the window.
 */
void cma_put_pages(struct cma *cma, unsigned long start_pfn,
		   unsigned long nr_pages, bool kept)
{
	unsigned long end_pfn = start_pfn + nr_pages;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "the mode may change");
	if (!cma_lent_part(cma, &start_pfn, &end_pfn))
		return;

	if (READ_ONCE(cma->mode) == CMA_EXCLUSIVE) {
		if (!kept)
			cma_reserve_pages(start_pfn, end_pfn);
	} else if (kept) {
		cma_lend(start_pfn, end_pfn);
	} else {
		free_contig_range(start_pfn, end_pfn - start_pfn);
	}
}

/**
 * cma_account_lent() - the lendable pages of an area come or go
 * @cma:	the area
 * @lent:	they come
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
}
