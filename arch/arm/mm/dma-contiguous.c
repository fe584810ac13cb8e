// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers from contiguous memory areas, as the DMA API of ARM hands them out:
 * cleared, out of the caches, and mapped only in one way. One in low memory is
 * where the kernel maps it anyway (dma-lowmem.c); one in high memory has no
 * mapping of the kernel's, and gets one of its own.
 *
 * No locks: the pages belong to the caller. Sizes are bytes.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cacheflush.h>
#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <asm/outercache.h>

#include "dma.h"
#include "dma-contiguous.h"
#include "mm.h"

/*
 * Nothing of what was there before may be read by a device or by whoever it
 * gives the buffer to, and nothing dirty may be left in a cache to be written
 * over what the device writes.
 */
static void clear_and_flush(void *addr, phys_addr_t phys, size_t size,
			    bool coherent)
{
	memset(addr, 0, size);
	if (coherent)
		return;
	dmac_flush_range(addr, addr + size);
	outer_flush_range(phys, phys + size);
}

/* A buffer that is to have no mapping. */
static void clear_unmapped(struct page *first, size_t size, bool coherent)
{
	/* All of an area is of one zone: in high memory, or not. */
	size_t step = PageHighMem(first) ? PAGE_SIZE : size;

	for (size_t done = 0; done < size; done += step) {
		struct page *page = nth_page(first, done >> PAGE_SHIFT);
		void *addr = kmap_local_page(page);

		clear_and_flush(addr, page_to_phys(page), step, coherent);
		kunmap_local(addr);
	}
}

/*
 * Cleared through a mapping that the caches take part in, which then becomes
 * what the device needs. Return: the address, or NULL.
 */
static void *map_cleared(struct page *page, size_t size, pgprot_t prot,
			 bool coherent, const void *caller)
{
	bool highmem = PageHighMem(page);
	void *addr = highmem ? arm_dma_map_highmem(page, size, caller) :
			       page_address(page);
	int error;

	if (!addr)
		return NULL;
	clear_and_flush(addr, page_to_phys(page), size, coherent);
	if (coherent)
		return addr;
	error = highmem ? arm_dma_remap_highmem(addr, page, size, prot) :
			  arm_dma_remap_lowmem(page, size, prot);
	if (!error)
		return addr;
	if (highmem)
		arm_dma_unmap_highmem(addr, size);
	return NULL;
}

/**
 * dma_contiguous_clear() - clear a buffer that the kernel is not to map
 * @dev:	the device that it is for
 * @page:	the first page, of an area or not
 * @size:	bytes, a multiple of pages
 *
 * Context: May sleep.
 */
void dma_contiguous_clear(struct device *dev, struct page *page, size_t size)
{
	clear_unmapped(page, size, dev_is_dma_coherent(dev));
}

static unsigned long memory_type(pteval_t entry)
{
	return entry & L_PTE_MT_MASK;
}

/* Of what is mapped with pages. */
static unsigned long mapped_type(void *addr)
{
	unsigned long virt = (unsigned long)addr;

	return memory_type(pte_val(*pte_offset_kernel(pmd_off_k(virt), virt)));
}

static void unmap(struct page *page, void *addr, size_t size)
{
	if (PageHighMem(page))
		arm_dma_unmap_highmem(addr, size);
	else
		arm_dma_restore_lowmem(page, size);
}

static void unmap_ready(struct page *page, unsigned long nr_pages, void *mapped)
{
	unmap(page, mapped, nr_pages << PAGE_SHIFT);
}

/*
 * A buffer that is mapped already. It is cleared through that mapping, if it is
 * not yet, so no cache has a line of it.
 */
static void *alloc_ready(struct device *dev, size_t size, pgprot_t prot,
			 struct page **page)
{
	bool cleared;
	void *addr;

	*page = cma_ready_get(dma_contiguous_first_area(dev), size >> PAGE_SHIFT,
			      memory_type(pgprot_val(prot)),
			      dev ? dev_name(dev) : NULL, &addr, &cleared);
	if (!*page)
		return NULL;
	if (!cleared) {
		memset(addr, 0, size);
		/* The zeroes must not come after what the device writes. */
		wmb();
	}
	return addr;
}

/**
 * arm_dma_may_fall_back() - may ordinary pages take the place of an area
 * @dev:	the device, whose areas are used up
 * @size:	bytes, a multiple of pages
 *
 * A device without an area of its own gets a few pages that way, more of them
 * only if its area says that other memory does: what is left for large buffers
 * is an area's purpose, and the page allocator would have to work for them.
 *
 * Context: Any.
 * Return: true if they may; arm_dma_fallback_flags() are for them.
 */
bool arm_dma_may_fall_back(struct device *dev, size_t size)
{
	unsigned int order = get_order(size);

	return dma_contiguous_falls_back(dev) && order <= MAX_PAGE_ORDER &&
	       ((dev && dev->cma_area) || order <= PAGE_ALLOC_COSTLY_ORDER);
}

/**
 * arm_dma_contiguous_alloc() - a buffer from the area of a device
 * @dev:	the device; NULL for the default area
 * @size:	bytes, a multiple of pages
 * @gfp:	__GFP_NOWARN is heeded
 * @prot:	how to map it
 * @coherent:	the device sees the caches, so they need not be flushed
 * @want_vaddr:	map it at all
 * @caller:	for /proc/vmallocinfo
 * @page:	set to the first page on success
 *
 * Context: May sleep.
 * Return: where the buffer is mapped; NULL on failure, and if @want_vaddr is
 * not set.
 */
void *arm_dma_contiguous_alloc(struct device *dev, size_t size, gfp_t gfp,
			       pgprot_t prot, bool coherent, bool want_vaddr,
			       const void *caller, struct page **page)
{
	size_t nr_pages = size >> PAGE_SHIFT;
	/* What ordinary pages stand in for has not failed. */
	bool quiet = gfp & __GFP_NOWARN || arm_dma_may_fall_back(dev, size);
	struct page *first;
	void *addr = NULL;

	if (want_vaddr && !coherent) {
		addr = alloc_ready(dev, size, prot, page);
		if (addr)
			return addr;
	}

	first = dma_alloc_from_contiguous(dev, nr_pages, get_order(size),
					  quiet);
	if (!first)
		return NULL;

	if (want_vaddr) {
		addr = map_cleared(first, size, prot, coherent, caller);
		if (!addr) {
			dma_release_from_contiguous(dev, first, nr_pages);
			return NULL;
		}
	} else {
		clear_unmapped(first, size, coherent);
	}
	*page = first;
	return addr;
}

/**
 * arm_dma_contiguous_free() - give back a buffer
 * @dev:	the device it was for
 * @page:	its first page
 * @cpu_addr:	where it is mapped
 * @size:	bytes, a multiple of pages
 * @want_vaddr:	it is mapped at all
 *
 * Context: Process; unmapping may sleep.
 */
void arm_dma_contiguous_free(struct device *dev, struct page *page,
			     void *cpu_addr, size_t size, bool want_vaddr)
{
	unsigned long nr_pages = size >> PAGE_SHIFT;
	bool coherent = dev_is_dma_coherent(dev);

	/* Those of coherent devices are mapped like all memory. */
	if (want_vaddr && !coherent &&
	    cma_ready_put(cma_area_of(page), page, nr_pages,
			  mapped_type(cpu_addr), cpu_addr, unmap_ready))
		return;
	if (want_vaddr && (!coherent || PageHighMem(page)))
		unmap(page, cpu_addr, size);
	dma_release_from_contiguous(dev, page, nr_pages);
}
