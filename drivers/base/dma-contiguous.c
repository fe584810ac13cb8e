// SPDX-License-Identifier: GPL-2.0
/*
 * Contiguous memory for the DMA API: pages are taken from the areas of a device
 * and given back here.
 *
 * dma-areas.c says which areas serve a request. A device with areas of its own
 * gets memory of these or an error, unless their declaration lets other memory
 * stand in. A device that does not reach the default area is served as if there
 * were none.
 *
 * No locks. Sizes are bytes unless named pages.
 */
#include <linux/cma.h>
#include <linux/device.h>
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>

#include "dma-areas.h"

/**
 * dma_contiguous_gfp_scope_save() - restrict a task to the flags of a request
 * @gfp:	flags of the request
 *
 * Code that migrates and reclaims pages, or allocates page tables, has no gfp
 * argument here and goes by the NOIO or NOFS scope of the task.
 *
 * Context: Process.
 * Return: argument for memalloc_flags_restore(), which ends the scope.
 */
unsigned int dma_contiguous_gfp_scope_save(gfp_t gfp)
{
	if (!(gfp & __GFP_IO))
		return memalloc_noio_save();
	return gfp & __GFP_FS ? 0 : memalloc_nofs_save();
}

static void dma_area_log_out_of_reach(struct device *dev, bool highmem)
{
	dev_err_ratelimited(dev, "cma: alloc failed, no area within reach of mask %#llx%s\n",
			    dma_area_reach_mask(dev),
			    highmem ? "" : " in low memory");
}

static struct page *dma_area_take(struct device *dev,
				  const struct dma_area_snapshot *areas,
				  unsigned long nr_pages, unsigned int order,
				  gfp_t gfp, bool highmem)
{
	unsigned int align = min_t(unsigned int, order, CONFIG_CMA_ALIGNMENT);
	bool quiet = gfp & __GFP_NOWARN || (areas->own && areas->falls_back);
	const char *owner = dev ? dev_name(dev) : NULL;
	struct page *page = NULL;
	unsigned int at = 0;
	struct cma *area;
	unsigned int scope;

	area = dma_area_next(dev, areas, &at, highmem);
	/* Small requests do not need a default area that is out of reach. */
	if (!area && !quiet && dev && areas->nr &&
	    (areas->own || order > MAX_PAGE_ORDER))
		dma_area_log_out_of_reach(dev, highmem);
	scope = dma_contiguous_gfp_scope_save(gfp);
	while (area && !page) {
		struct cma *next = dma_area_next(dev, areas, &at, highmem);

		/* Only the failure of the last area is worth a message. */
		page = cma_alloc_for(area, nr_pages, align, next || quiet,
				     owner);
		if (page && !dma_contiguous_reaches(dev, page_to_phys(page),
						    nr_pages << PAGE_SHIFT)) {
			cma_release(area, page, nr_pages);
			page = NULL;
		}
		area = next;
	}
	memalloc_flags_restore(scope);
	return page;
}

/**
 * dma_contiguous_take() - take pages from the areas of a request
 * @dev:	the device; NULL for none
 * @areas:	snapshot of the request
 * @nr_pages:	number of pages
 * @order:	alignment, as an order of pages; capped at CONFIG_CMA_ALIGNMENT
 * @gfp:	GFP_KERNEL, GFP_NOFS or GFP_NOIO; __GFP_NOWARN is heeded
 *
 * Context: May sleep.
 * Return: as dma_alloc_from_contiguous().
 */
struct page *dma_contiguous_take(struct device *dev,
				 const struct dma_area_snapshot *areas,
				 unsigned long nr_pages, unsigned int order,
				 gfp_t gfp)
{
	return dma_area_take(dev, areas, nr_pages, order, gfp, true);
}

/**
 * dma_alloc_from_contiguous() - take pages from the areas of a device
 * @dev:	the device; NULL for the default area
 * @count:	number of pages
 * @order:	alignment, as an order of pages; capped at CONFIG_CMA_ALIGNMENT
 * @no_warn:	do not log a failure
 *
 * Context: May sleep.
 * Return: the first page, with undefined contents; NULL if no area that the
 * device reaches has room.
 */
struct page *dma_alloc_from_contiguous(struct device *dev, size_t count,
				       unsigned int order, bool no_warn)
{
	gfp_t gfp = GFP_KERNEL | (no_warn ? __GFP_NOWARN : 0);
	struct dma_area_snapshot areas;

	dma_contiguous_snapshot(dev, &areas);
	return dma_area_take(dev, &areas, count, order, gfp, true);
}

/**
 * dma_release_from_contiguous() - give pages back to their area
 * @dev:	unused: the area follows from the pages
 * @pages:	the first page
 * @count:	number of pages, as in the request
 *
 * Context: Any but NMI.
 * Return: false if the pages belong to no area.
 */
bool dma_release_from_contiguous(struct device *dev, struct page *pages,
				 int count)
{
	return cma_release(cma_area_of(pages), pages, count);
}

/* Stay quiet while the page allocator can still serve the request. */
static struct page *dma_area_take_quietly(struct device *dev, size_t size,
					  gfp_t gfp, bool highmem)
{
	unsigned long nr_pages = PFN_UP(size);
	struct dma_area_snapshot areas;

	if (!gfpflags_allow_blocking(gfp))
		return NULL;
	if (nr_pages <= 1 && !rcu_access_pointer(dev->cma_areas) &&
	    !dev->cma_area && !dma_area_requested_type(dev))
		return NULL;
	dma_contiguous_snapshot(dev, &areas);
	if (get_order(size) <= MAX_PAGE_ORDER && areas.falls_back)
		gfp |= __GFP_NOWARN;
	return dma_area_take(dev, &areas, nr_pages, get_order(size), gfp,
			     highmem);
}

/**
 * dma_alloc_contiguous() - take memory from the first area that has room
 * @dev:	the device
 * @size:	bytes
 * @gfp:	flags of the request
 *
 * A single page needs no area, so the page allocator serves it, unless the
 * device has an area of its own.
 *
 * Context: Does nothing unless @gfp allows sleeping.
 * Return: the first page, with undefined contents; or NULL. Then the caller
 * uses ordinary pages if dma_contiguous_falls_back().
 */
struct page *dma_alloc_contiguous(struct device *dev, size_t size, gfp_t gfp)
{
	return dma_area_take_quietly(dev, size, gfp, true);
}

/**
 * dma_alloc_contiguous_lowmem() - take memory that has a kernel address
 * @dev:	the device
 * @size:	bytes
 * @gfp:	flags of the request
 *
 * Skips areas in high memory. An area with pieces in low and in high memory may
 * serve the request from either, so the caller checks PageHighMem().
 *
 * Context: As dma_alloc_contiguous().
 * Return: as dma_alloc_contiguous().
 */
struct page *dma_alloc_contiguous_lowmem(struct device *dev, size_t size,
					 gfp_t gfp)
{
	return dma_area_take_quietly(dev, size, gfp, false);
}

/**
 * dma_contiguous_zero() - zero a buffer that the kernel does not map
 * @dev:	the device that gets the buffer
 * @page:	the first page, of an area or not
 * @size:	bytes
 *
 * The pages still hold data of their previous owner, which must not reach the
 * device, nor programs through it.
 *
 * If the device does not see the caches, the caller flushes what has a kernel
 * address. High memory has none and is flushed here: later, a dirty line of
 * zeroes would overwrite what the device writes.
 *
 * Context: May sleep.
 */
void dma_contiguous_zero(struct device *dev, struct page *page, size_t size)
{
	for (unsigned long i = 0; i < PFN_UP(size); i++)
		clear_highpage(pfn_to_page(page_to_pfn(page) + i));
	if (PageHighMem(page) && !dev_is_dma_coherent(dev))
		arch_sync_dma_for_device(page_to_phys(page), size,
					 DMA_BIDIRECTIONAL);
}

/**
 * dma_free_contiguous() - give back memory of dma_alloc_contiguous()
 * @dev:	unused: the area follows from the page
 * @page:	the first page
 * @size:	bytes, as in the request
 *
 * Frees pages of alloc_pages() and the like as well.
 *
 * Context: Any but NMI.
 */
void dma_free_contiguous(struct device *dev, struct page *page, size_t size)
{
	if (!cma_release(cma_area_of(page), page, PFN_UP(size)))
		__free_pages(page, get_order(size));
}
