// SPDX-License-Identifier: GPL-2.0
/*
 * cma_alloc() and cma_release(): take a buffer from an area, and give it back.
 *
 * search.c finds a window and takes it, buffer.c records who holds it. This
 * file validates requests and releases, and reports those that fail or do not
 * match.
 *
 * A release does not sleep, allocate or wait for an allocation. Its locks are
 * held for O(log n) steps, and never while pages are allocated, moved or freed.
 * Units are pages.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/export.h>
#include <linux/highmem.h>
#include <linux/kasan.h>
#include <linux/mm.h>
#include <linux/sched/clock.h>

#include "internal.h"
#include "trace_start.h"

static bool alloc_request_valid(const struct cma *cma, unsigned long nr_pages,
				unsigned int align_order)
{
	return cma->active && nr_pages && align_order < BITS_PER_LONG - 1;
}

static void prepare_reserved_pfns(unsigned long pfn, unsigned long end_pfn,
				  bool zero, bool frozen)
{
	for (; pfn < end_pfn; pfn++) {
		if (zero)
			clear_highpage(pfn_to_page(pfn));
		if (frozen)
			set_page_count(pfn_to_page(pfn), 0);
		cond_resched();
	}
}

/*
 * The page allocator zeroes the pages it hands out, with init_on_alloc, and
 * gives them a reference or not. Reserved pages do not come from it, so do this
 * here: those of an exclusive area, and of partial pageblocks.
 */
static void prepare_reserved_pages(const struct cma *cma,
				   const struct cma_buffer *buffer, bool frozen)
{
	unsigned long start = buffer->holder.start;
	unsigned long end = start + buffer->nr_pages;
	unsigned long lent = start, lent_end = end;
	bool zero = want_init_on_alloc(GFP_KERNEL);

	if (!zero && !frozen)
		return;
	if (buffer->reserved || !cma_lent_part(cma, &lent, &lent_end)) {
		prepare_reserved_pfns(start, end, zero, frozen);
	} else {
		prepare_reserved_pfns(start, lent, zero, frozen);
		prepare_reserved_pfns(lent_end, end, zero, frozen);
	}
}

/*
 * A buffer is mapped at one virtual address, whose tag would not match the tag
 * that KASAN gave each page.
 */
static void reset_kasan_tags(struct page *page, unsigned long nr_pages)
{
	if (!IS_ENABLED(CONFIG_KASAN_SW_TAGS) &&
	    !IS_ENABLED(CONFIG_KASAN_HW_TAGS))
		return;
	for (unsigned long i = 0; i < nr_pages; i++)
		page_kasan_tag_reset(pfn_to_page(page_to_pfn(page) + i));
}

/**
 * cma_alloc_buffer() - allocate contiguous pages, as a caller in mm/cma/ wants
 * them
 * @cma:	the area; the allocation fails if it is NULL
 * @nr_pages:	number of pages
 * @align_order: the buffer starts at a multiple of 1 << @align_order pages
 * @flags:	CMA_ALLOC_*
 * @owner:	name of the device, for the record, or NULL
 * @caller:	return address of the caller, for the record
 *
 * Context: May sleep.
 * Return: the first page, or NULL.
 */
struct page *cma_alloc_buffer(struct cma *cma, unsigned long nr_pages,
			      unsigned int align_order, unsigned int flags,
			      const char *owner, unsigned long caller)
{
	struct cma_failure_cause cause = { };
	struct cma_buffer *buffer = NULL;
	struct page *page = NULL;
	u64 start_ns = local_clock();
	unsigned long pfn = 0;
	int error = -EINVAL;

	if (!cma)
		return NULL;

	cma_trace_alloc_start(cma, nr_pages, align_order);
	if (alloc_request_valid(cma, nr_pages, align_order)) {
		error = -ENOMEM;
		buffer = cma_buffer_new(nr_pages, flags & CMA_ALLOC_COMPOUND);
	}
	if (buffer)
		error = cma_search(cma, buffer, align_order, flags, &cause);

	if (!error) {
		pfn = buffer->holder.start;
		page = pfn_to_page(pfn);
		reset_kasan_tags(page, nr_pages);
		prepare_reserved_pages(cma, buffer, flags & CMA_ALLOC_FROZEN);
		cma_buffer_complete(cma, buffer);
		cma_buffer_hand_out(buffer, owner, caller);
		cma_account_latency(cma, start_ns);
	} else {
		cma_buffer_discard(buffer);
		cma_account_failure(cma, error, cause.no_hole);
		cma_failure_report(cma, nr_pages, align_order, owner, error,
				   &cause, !(flags & CMA_ALLOC_NOWARN));
	}
	cma_account_alloc(cma, nr_pages, error);
	trace_cma_alloc_finish(cma->name, pfn, page, nr_pages, align_order,
			       error);
	return page;
}

/**
 * cma_alloc() - allocate contiguous pages from an area
 * @cma:	the area; the allocation fails if it is NULL
 * @count:	number of pages; need not be a power of two
 * @align:	the buffer starts at a multiple of 1 << @align pages
 * @no_warn:	do not log a failure
 *
 * Pages that others use in the window are moved or dropped. The contents of the
 * buffer are undefined.
 *
 * Context: May sleep.
 * Return: the first page, or NULL. Give the pages back with cma_release().
 */
struct page *cma_alloc_noprof(struct cma *cma, unsigned long count,
			      unsigned int align, bool no_warn)
{
	return cma_alloc_buffer(cma, count, align,
				no_warn ? CMA_ALLOC_NOWARN : 0, NULL, _RET_IP_);
}
EXPORT_SYMBOL_GPL(cma_alloc_noprof);

/**
 * cma_alloc_for() - allocate contiguous pages for a device
 * @cma:	the area; the allocation fails if it is NULL
 * @count:	number of pages; need not be a power of two
 * @align:	the buffer starts at a multiple of 1 << @align pages
 * @no_warn:	do not log a failure
 * @owner:	name of the device, for the record
 *
 * Context: May sleep.
 * Return: as cma_alloc().
 */
struct page *cma_alloc_for_noprof(struct cma *cma, unsigned long count,
				  unsigned int align, bool no_warn,
				  const char *owner)
{
	return cma_alloc_buffer(cma, count, align,
				no_warn ? CMA_ALLOC_NOWARN : 0, owner,
				_RET_IP_);
}

/**
 * cma_pages_valid() - check that pages belong to an area
 * @cma:	the area
 * @pages:	first page
 * @count:	number of pages
 *
 * Context: Any.
 * Return: true if all of them lie in one piece of the area.
 */
bool cma_pages_valid(struct cma *cma, const struct page *pages,
		     unsigned long count)
{
	const struct cma_bank *bank;
	unsigned long pfn;

	if (!cma || !pages)
		return false;

	pfn = page_to_pfn(pages);
	bank = cma_bank_of(cma, pfn);
	return bank && count <= bank->end_pfn - pfn;
}

/*
 * A release that does not match changes nothing, since it is unknown which
 * pages its caller believes to own. Copy the record: nothing is printed under a
 * lock.
 */
static noinline void warn_of_mismatch(struct cma *cma, unsigned long pfn,
				      unsigned long nr_pages)
{
	struct cma_buffer *found, buffer = { };
	unsigned long flags;

	spin_lock_irqsave(&cma->lock, flags);
	found = cma_buffer_at(cma, pfn);
	if (found)
		cma_buffer_snapshot(cma, found, &buffer);
	spin_unlock_irqrestore(&cma->lock, flags);

	/* The record of a cached buffer names no owner. */
	if (!buffer.owned)
		WARN_ONCE(1, "cma: %s: release of %lu pages at pfn %#lx, which nobody holds\n",
			  cma->name, nr_pages, pfn);
	else
		WARN_ONCE(1, "cma: %s: release of %lu pages at pfn %#lx, in a buffer of %lu at %#lx that %s got for %s in %pS\n",
			  cma->name, nr_pages, pfn, buffer.nr_pages,
			  buffer.holder.start, buffer.comm,
			  buffer.owner[0] ? buffer.owner : "no device",
			  (void *)buffer.caller);
}

/**
 * cma_release_buffer() - give pages back, as a caller in mm/cma/ has them
 * @cma:	the area
 * @pages:	first page
 * @count:	number of pages
 * @frozen:	the pages have no references
 *
 * Context: As cma_release().
 * Return: as cma_release().
 */
bool cma_release_buffer(struct cma *cma, const struct page *pages,
			unsigned long count, bool frozen)
{
	struct cma_buffer *buffer;
	unsigned long pfn;

	if (!cma_pages_valid(cma, pages, count))
		return false;

	pfn = page_to_pfn(pages);
	buffer = cma_buffer_disown(cma, pfn, count);
	if (!buffer && !cma_buffer_give_back_part(cma, pfn, count, frozen)) {
		warn_of_mismatch(cma, pfn, count);
		return true;
	}

	cma_account_release(cma, pfn, count);
	if (buffer)
		cma_buffer_give_back(cma, buffer, frozen);
	return true;
}

/**
 * cma_release() - give pages back to their area
 * @cma:	the area
 * @pages:	first page of a buffer that cma_alloc() returned
 * @count:	number of pages it was allocated with
 *
 * A compound page that was split may come back in parts. A release of pages of
 * the area that are not a buffer of this size warns once and does nothing.
 *
 * Context: Any but NMI. Does not sleep, fail, allocate or wait for an
 * allocation.
 * Return: true; false if the pages do not belong to this area.
 */
bool cma_release(struct cma *cma, const struct page *pages, unsigned long count)
{
	return cma_release_buffer(cma, pages, count, false);
}
EXPORT_SYMBOL_GPL(cma_release);

/**
 * cma_release_part() - give back the first pages of a buffer
 * @cma:	the area
 * @buffer:	its record; the caller owns the buffer
 * @nr_pages:	number of pages: fewer than the buffer has, and a multiple of
 *		1 << cma->order_per_bit
 *
 * Context: As cma_release().
 * Return: true; false if @nr_pages is no such number, and nothing happened.
 */
bool cma_release_part(struct cma *cma, struct cma_buffer *buffer,
		      unsigned long nr_pages)
{
	if (nr_pages >= buffer->nr_pages ||
	    !IS_ALIGNED(nr_pages, 1UL << cma->order_per_bit))
		return false;

	cma_account_release(cma, buffer->holder.start, nr_pages);
	cma_buffer_trim(cma, buffer, nr_pages);
	return true;
}
