// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers from contiguous memory areas, as the DMA API of ARM hands them out:
 * zeroed, out of the caches, and mapped only in one way. One in low memory is
 * where the kernel maps it anyway (dma-lowmem.c); one in high memory has no
 * mapping of the kernel's, and gets one of its own.
 *
 * All of this is for devices that do not see the caches: those that do are
 * served by what architectures share.
 *
 * No locks: the pages belong to the caller. Sizes are bytes.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cacheflush.h>
#include <linux/cma.h>
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <asm/outercache.h>

#include "dma.h"
#include "dma-contiguous.h"
#include "mm.h"

#define PAGES_LOOKED_AT		64
#define DEFAULT_POOL_SIZE	SZ_256K

/*
 * Nothing of what was there before may be read by a device or by whoever it
 * gives the buffer to, and nothing dirty may be left in a cache to be written
 * over what the device writes.
 */
static void clear_and_flush(void *addr, size_t size)
{
	memset(addr, 0, size);
	dmac_flush_range(addr, addr + size);
}

/*
 * Once no mapping of the buffer takes part in the caches any more. Until then
 * the CPU may have fetched lines of it again, unasked. They are clean, so they
 * are never written over what the device writes; and no access without caches
 * looks into the CPU's own (ARM DDI 0406C, A3.5.7: mismatched attributes cost
 * coherency, not data, as long as nothing is written through the cacheable
 * one). An outer cache is another matter: a PL310 looks lines up for accesses
 * that are shareable but not cacheable, unless "arm,shared-override" is set.
 *
 * The same holds for what vunmap() has left in the TLBs (vm_unmap_aliases()) of
 * pages that others once mapped: the entries of the page tables are gone, so
 * nobody writes through them. Buffers that are too large for their pages to be
 * flushed one by one have all TLBs flushed, those of such mappings included.
 */
static void flush_outer(struct page *page, size_t size)
{
	phys_addr_t phys = page_to_phys(page);

	outer_flush_range(phys, phys + size);
}

/*
 * kunmap() leaves a page mapped until there are no addresses left, or until
 * somebody wants to kmap() it again: this would be another mapping than the
 * device's, which the caches take part in. To look at many pages takes longer
 * than to go through all such addresses.
 */
static void forget_kmaps(struct page *first, size_t size)
{
	bool mapped = size > PAGES_LOOKED_AT * PAGE_SIZE;

	for (size_t done = 0; done < size && !mapped; done += PAGE_SIZE)
		mapped = page_address(nth_page(first, done >> PAGE_SHIFT));
	if (mapped)
		kmap_flush_unused();
}

/* A buffer in high memory that is to have no mapping. */
static void clear_unmapped(struct page *first, size_t size)
{
	for (size_t done = 0; done < size; done += PAGE_SIZE) {
		struct page *page = nth_page(first, done >> PAGE_SHIFT);
		void *addr = kmap_local_page(page);

		clear_and_flush(addr, PAGE_SIZE);
		kunmap_local(addr);
	}
	flush_outer(first, size);
}

/*
 * Cleared through a mapping that the caches take part in, which then becomes
 * what the device needs. Return: the address, or NULL.
 */
static void *map_cleared(struct page *page, size_t size, pgprot_t prot,
			 gfp_t gfp, const void *caller)
{
	bool highmem = PageHighMem(page);
	void *addr = highmem ? arm_dma_map_highmem(page, size, caller) :
			       page_address(page);
	int error;

	if (!addr) {
		if (!(gfp & __GFP_NOWARN))
			pr_err_ratelimited("alloc failed, no %zu KiB of addresses for a buffer in high memory, see vmalloc=\n",
					   size / SZ_1K);
		return NULL;
	}
	clear_and_flush(addr, size);
	error = highmem ? arm_dma_remap_highmem(addr, page, size, prot) :
			  arm_dma_remap_lowmem(page, size, prot);
	flush_outer(page, size);
	if (!error)
		return addr;
	if (highmem)
		arm_dma_unmap_highmem(addr, size);
	return NULL;
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

static void unmap_cached(struct page *page, unsigned long nr_pages, void *mapped)
{
	unmap(page, mapped, nr_pages << PAGE_SHIFT);
}

/*
 * A buffer that is mapped already. It is zeroed through that mapping, if it is
 * not yet, so no cache has a line of it.
 */
static bool take_cached(struct device *dev, struct cma *area, size_t size,
		       pgprot_t prot, struct arm_dma_buffer *buf)
{
	bool zeroed;

	buf->page = cma_cache_get(area, size >> PAGE_SHIFT,
				  memory_type(pgprot_val(prot)),
				  dev ? dev_name(dev) : NULL, &buf->mapped,
				  &zeroed);
	if (!buf->page)
		return false;
	if (!zeroed) {
		memset(buf->mapped, 0, size);
		/* The zeroes must not come after what the device writes. */
		wmb();
	}
	return true;
}

/*
 * What is in low memory is mapped, whether or not somebody wants that: it has
 * the memory type of the device's then, too, since two types of one page are
 * not to be relied on. Return: false if there is no room, of memory or
 * addresses.
 */
static bool take(struct device *dev, size_t size, gfp_t gfp, pgprot_t prot,
		 bool want_vaddr, const void *caller,
		 struct arm_dma_buffer *buf)
{
	size_t nr_pages = size >> PAGE_SHIFT;
	struct dma_area_snapshot areas;

	dma_contiguous_snapshot(dev, &areas);
	buf->page = dma_contiguous_take(dev, &areas, nr_pages, get_order(size),
					gfp);
	if (!buf->page)
		return false;
	if (PageHighMem(buf->page))
		forget_kmaps(buf->page, size);
	if (!want_vaddr && PageHighMem(buf->page)) {
		clear_unmapped(buf->page, size);
		buf->mapped = NULL;
		return true;
	}
	buf->mapped = map_cleared(buf->page, size, prot, gfp, caller);
	if (buf->mapped)
		return true;
	dma_release_from_contiguous(dev, buf->page, nr_pages);
	return false;
}

/*
 * Ordinary pages may take the place of areas that are used up. A device without
 * an area of its own gets a few pages that way, more of them only if its area
 * says that other memory does: what is left for large buffers is an area's
 * purpose, and the page allocator would have to work for them.
 */
static bool may_fall_back(struct device *dev, size_t size)
{
	unsigned int order = get_order(size);

	return dma_contiguous_falls_back(dev) && order <= MAX_PAGE_ORDER &&
	       (dev->cma_area || order <= PAGE_ALLOC_COSTLY_ORDER);
}

/* Return: 0; -EAGAIN if ordinary pages are to serve, with @gfp; -ENOMEM. */
static int take_or_fall_back(struct device *dev, struct cma *area, size_t size,
			     gfp_t *gfp, pgprot_t prot, bool want_vaddr,
			     const void *caller, struct arm_dma_buffer *buf)
{
	bool ordinary, taken;
	unsigned int scope;

	if (area && take_cached(dev, area, size, prot, buf))
		return 0;

	ordinary = may_fall_back(dev, size);
	scope = dma_contiguous_gfp_scope_save(*gfp);
	/* What ordinary pages stand in for has not failed. */
	taken = take(dev, size, *gfp | (ordinary ? __GFP_NOWARN : 0), prot,
		     want_vaddr, caller, buf);
	memalloc_flags_restore(scope);
	if (taken)
		return 0;
	/* Large ones are had if they are there: others would have to go. */
	if (get_order(size) > PAGE_ALLOC_COSTLY_ORDER)
		*gfp |= __GFP_NORETRY;
	return ordinary ? -EAGAIN : -ENOMEM;
}

/**
 * arm_dma_contiguous_alloc() - a buffer from the areas of a device
 * @dev:	the device
 * @size:	bytes
 * @handle:	set to what the device knows the buffer by
 * @gfp:	what the driver said; changed for ordinary pages
 * @attrs:	DMA_ATTR_*; changed for ordinary pages
 * @prot:	how to map it
 * @caller:	for /proc/vmallocinfo
 * @cpu_addr:	set to where it is mapped, or, with DMA_ATTR_NO_KERNEL_MAPPING,
 *		to its first page; to NULL if there is none
 *
 * Context: May sleep if @gfp allows it.
 * Return: false if ordinary pages are to serve.
 */
bool arm_dma_contiguous_alloc(struct device *dev, size_t size,
			      dma_addr_t *handle, gfp_t *gfp,
			      unsigned long *attrs, pgprot_t prot,
			      const void *caller, void **cpu_addr)
{
	bool want_vaddr = !(*attrs & DMA_ATTR_NO_KERNEL_MAPPING);
	struct arm_dma_buffer *buf;
	struct cma *area;
	int error;

	if (!gfpflags_allow_blocking(*gfp)) {
		/* The pool is mapped, and is told by the address. */
		*attrs &= ~DMA_ATTR_NO_KERNEL_MAPPING;
		return false;
	}
	area = dma_contiguous_first_area(dev);
	/* Without an area, large buffers are what ordinary pages are for. */
	if (!area && dma_contiguous_falls_back(dev) &&
	    (get_order(size) <= MAX_PAGE_ORDER || !dev_get_cma_area(dev)))
		return false;

	*handle = DMA_MAPPING_ERROR;
	*cpu_addr = NULL;
	size = PAGE_ALIGN(size);
	buf = kzalloc(sizeof(*buf),
		      *gfp & ~(__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM));
	if (!buf)
		return true;

	error = take_or_fall_back(dev, area, size, gfp, prot, want_vaddr,
				  caller, buf);
	if (error) {
		kfree(buf);
		return error != -EAGAIN;
	}

	*handle = phys_to_dma(dev, page_to_phys(buf->page));
	*cpu_addr = want_vaddr ? buf->mapped : buf->page;
	buf->virt = *cpu_addr;
	arm_dma_buffer_add(buf, size, buf->page);
	return true;
}

/**
 * arm_dma_contiguous_free() - give back a buffer
 * @dev:	the device it was for
 * @buf:	the buffer, which arm_dma_buffer_find() found
 *
 * Context: Process; unmapping may sleep.
 */
void arm_dma_contiguous_free(struct device *dev, struct arm_dma_buffer *buf)
{
	unsigned long nr_pages = buf->size >> PAGE_SHIFT;

	if (buf->mapped) {
		if (cma_cache_put(cma_area_of(buf->page), buf->page, nr_pages,
				  mapped_type(buf->mapped), buf->mapped,
				  unmap_cached))
			return;
		unmap(buf->page, buf->mapped, buf->size);
	}
	dma_release_from_contiguous(dev, buf->page, nr_pages);
}

/**
 * arm_dma_iommu_take() - a contiguous buffer for a device behind an IOMMU
 * @dev:	the device
 * @size:	bytes, whole pages
 * @gfp:	what the driver said
 * @prot:	how the caller maps it, if it does
 *
 * In low memory, what the kernel maps it by anyway has this memory type, too,
 * until it is given back. The address that the device gets is the IOMMU's.
 *
 * Context: May sleep.
 * Return: the first page, zeroed and out of the caches; NULL if there is none.
 */
struct page *arm_dma_iommu_take(struct device *dev, size_t size, gfp_t gfp,
				pgprot_t prot)
{
	struct arm_dma_buffer buf;

	return take(dev, size, gfp, prot, false, NULL, &buf) ? buf.page : NULL;
}

/**
 * arm_dma_iommu_release() - give back what arm_dma_iommu_take() gave
 * @dev:	the device it was for
 * @page:	the first page
 * @size:	bytes, as they were asked for
 *
 * Context: Process, with interrupts enabled.
 */
void arm_dma_iommu_release(struct device *dev, struct page *page, size_t size)
{
	if (!PageHighMem(page))
		arm_dma_restore_lowmem(page, size);
	dma_release_from_contiguous(dev, page, size >> PAGE_SHIFT);
}

/**
 * arm_dma_contiguous_pool() - the atomic pool, from the default area
 * @size:	bytes; made whole pages, and a size that can be had
 * @prot:	how to map it
 * @caller:	for /proc/vmallocinfo
 * @page:	set to its first page
 *
 * The pool is for all devices, most of which reach 4 GiB.
 *
 * Context: Boot; may sleep.
 * Return: where it is mapped; NULL if ordinary pages are to serve.
 */
void * __init arm_dma_contiguous_pool(size_t *size, pgprot_t prot,
				      const void *caller, struct page **page)
{
	u64 limit = min_t(u64, arm_dma_limit, DMA_BIT_MASK(32));
	struct cma *area = dev_get_cma_area(NULL);
	struct arm_dma_buffer buf;

	*size = PAGE_ALIGN(*size);
	if (area && *size && cma_get_end(area) - 1 <= limit &&
	    take(NULL, *size, GFP_KERNEL | __GFP_NOWARN, prot, true, caller,
		 &buf)) {
		*page = buf.page;
		return buf.mapped;
	}
	if (!*size || get_order(*size) > MAX_PAGE_ORDER) {
		pr_err("coherent_pool= ignored: no %zu KiB to be had\n",
		       *size / SZ_1K);
		*size = DEFAULT_POOL_SIZE;
	}
	return NULL;
}

/**
 * arm_dma_check_reach() - have no device get what it does not reach
 * @dev:	the device
 * @cpu_addr:	a buffer of ordinary pages that it got; NULL for none
 * @size:	bytes
 * @handle:	what the device knows it by; set to DMA_MAPPING_ERROR if the
 *		buffer is given back
 * @gfp:	__GFP_NOWARN is heeded
 * @attrs:	DMA_ATTR_*
 *
 * Context: As dma_free_attrs().
 * Return: @cpu_addr; NULL if the device does not reach it, which is given back.
 */
void *arm_dma_check_reach(struct device *dev, void *cpu_addr, size_t size,
			  dma_addr_t *handle, gfp_t gfp, unsigned long attrs)
{
	u64 mask = min_not_zero(dev->coherent_dma_mask, dev->bus_dma_limit);

	/* One without any mask was warned of. */
	if (!cpu_addr || (*handle != DMA_MAPPING_ERROR &&
			  (!mask || dma_contiguous_reaches(dev,
				dma_to_phys(dev, *handle), size))))
		return cpu_addr;
	if (!(gfp & __GFP_NOWARN) && *handle == DMA_MAPPING_ERROR)
		dev_err_ratelimited(dev, "cma: alloc failed, the bus does not show the memory that there is\n");
	else if (!(gfp & __GFP_NOWARN))
		dev_err_ratelimited(dev, "cma: alloc failed, memory at %pad is not within reach of mask %#llx\n",
				    handle, mask);
	arch_dma_free(dev, size, cpu_addr, *handle, attrs);
	*handle = DMA_MAPPING_ERROR;
	return NULL;
}
