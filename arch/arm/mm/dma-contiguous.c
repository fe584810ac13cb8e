// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers from contiguous memory areas, as the DMA API of ARM hands them out:
 * cleared, out of the caches, and mapped only in one way.
 *
 * From ARMv6 on, a page that is mapped twice with different memory types is
 * not to be relied on. So a buffer in low memory gets no second mapping: the
 * kernel's own one changes its type while the buffer is out. Sections would be
 * too coarse for that, and areas are mapped with pages from boot on. A buffer
 * in high memory has no mapping of the kernel's, and gets one of its own.
 *
 * No locks: the pages belong to the caller. Sizes are bytes.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cacheflush.h>
#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <asm/mach/map.h>
#include <asm/outercache.h>
#include <asm/sections.h>
#include <asm/tlbflush.h>

#include "dma.h"
#include "dma-contiguous.h"
#include "mm.h"

/*
 * Entries that are worth being flushed one by one, each of which all CPUs take
 * part in. The main TLB of Cortex-A9 holds 128, that of Cortex-A15 512.
 */
#define TLB_ENTRIES_MAX	128

struct early_area {
	phys_addr_t base;
	unsigned long size;
};

static struct early_area early_areas[2 * MAX_CMA_AREAS] __initdata;
static unsigned int nr_early_areas __initdata;

/**
 * dma_contiguous_early_fixup() - have an area mapped with pages
 * @base:	physical address
 * @size:	bytes
 *
 * The page tables are not there yet: dma_contiguous_remap() does it.
 *
 * Context: Boot, before paging_init().
 */
void __init dma_contiguous_early_fixup(phys_addr_t base, unsigned long size)
{
	if (nr_early_areas == ARRAY_SIZE(early_areas)) {
		pr_err("no room to remember the area at %pa, see CONFIG_CMA_AREAS\n",
		       &base);
		return;
	}
	early_areas[nr_early_areas++] = (struct early_area) { base, size };
}

/* Maps what is to be mapped: there may be a hole, or memory of a firmware's. */
static void __init map_runs(phys_addr_t start, phys_addr_t end)
{
	while (start < end) {
		phys_addr_t stop = start;
		struct map_desc map = {
			.pfn		= __phys_to_pfn(start),
			.virtual	= __phys_to_virt(start),
			.type		= MT_MEMORY_DMA_READY,
		};

		while (stop < end && memblock_is_map_memory(stop))
			stop += PAGE_SIZE;
		map.length = stop - start;
		if (map.length)
			iotable_init(&map, 1);
		start = max(stop, start + PAGE_SIZE);
	}
}

/* Break before make: no old entry may be around when the new one comes. */
static void __init map_with_pages(phys_addr_t start, phys_addr_t end)
{
	unsigned long addr = __phys_to_virt(start);
	unsigned long virtual_end = addr + (end - start);
	phys_addr_t limit = memblock_get_current_limit();

	for (; addr < virtual_end; addr += PMD_SIZE)
		pmd_clear(pmd_off_k(addr));
	flush_tlb_kernel_range(__phys_to_virt(start), virtual_end);
	/* The tables must not come to lie in what is not mapped right now. */
	memblock_set_current_limit(min(limit, start));
	map_runs(start, end);
	memblock_set_current_limit(limit);
}

static bool __init is_mapped_with_pages(phys_addr_t phys)
{
	pmd_t *pmd = pmd_off_k(__phys_to_virt(phys));

	return (pmd_val(*pmd) & PMD_TYPE_MASK) == PMD_TYPE_TABLE;
}

/*
 * Whole tables are filled, with what lies around the area as well; unless that
 * is the kernel itself, which is mapped in another way.
 */
static void __init map_area(phys_addr_t base, phys_addr_t limit)
{
	phys_addr_t start = ALIGN_DOWN(base, PMD_SIZE);
	phys_addr_t end = min_t(phys_addr_t, ALIGN(limit, PMD_SIZE),
				arm_lowmem_limit);

	if (start < __pa_symbol(_end) && end > __pa_symbol(_stext)) {
		pr_err("area at %pa is too close to the kernel to be mapped for DMA\n",
		       &base);
		return;
	}
	/* Small areas share a table, which is made once. */
	while (start < end) {
		phys_addr_t stop = start;

		while (stop < end && !is_mapped_with_pages(stop))
			stop += PMD_SIZE;
		if (start < stop)
			map_with_pages(start, min(stop, end));
		start = stop + PMD_SIZE;
	}
}

/**
 * dma_contiguous_remap() - map the areas in low memory with pages
 *
 * Context: Boot, from paging_init(), once low memory is mapped.
 */
void __init dma_contiguous_remap(void)
{
	for (unsigned int i = 0; i < nr_early_areas; i++) {
		phys_addr_t start = early_areas[i].base;
		phys_addr_t end = min(start + early_areas[i].size,
				      arm_lowmem_limit);

		if (start < end)
			map_area(start, end);
	}
}

/*
 * Nothing of what was there before may be read by a device or by whoever it
 * gives the buffer to, and nothing dirty may be left in a cache to be written
 * over what the device writes.
 */
static void clear_and_flush(struct page *first, size_t size, bool coherent)
{
	phys_addr_t phys = page_to_phys(first);
	/* All of an area is of one zone: in high memory, or not. */
	size_t step = PageHighMem(first) ? PAGE_SIZE : size;

	for (size_t done = 0; done < size; done += step) {
		struct page *page = nth_page(first, done >> PAGE_SHIFT);
		void *addr = kmap_local_page(page);

		memset(addr, 0, step);
		if (!coherent)
			dmac_flush_range(addr, addr + step);
		kunmap_local(addr);
	}
	if (!coherent)
		outer_flush_range(phys, phys + size);
}

/*
 * The entries of pages that follow each other differ in their address only, so
 * the processor's own function makes the first one, and the others follow from
 * it: it takes some 30 instructions each, many times what a page of a large
 * buffer costs otherwise. Without LPAE each entry is there twice, once as Linux
 * wants it and once as the hardware does.
 */
static void set_entries(pte_t *pte, unsigned long pfn, unsigned long nr_pages,
			pgprot_t prot)
{
#ifdef CONFIG_ARM_LPAE
	while (nr_pages--)
		set_pte_ext(pte++, pfn_pte(pfn++, prot), 0);
#else
	u32 *soft = (u32 *)pte, *hard = soft + PTE_HWTABLE_PTRS;
	u32 soft_entry, hard_entry;

	set_pte_ext(pte, pfn_pte(pfn, prot), 0);
	soft_entry = *soft;
	hard_entry = *hard;
	/* The loop itself would be a third of it. */
#pragma GCC unroll 4
	for (unsigned long i = 1; i < nr_pages; i++) {
		soft_entry += PAGE_SIZE;
		hard_entry += PAGE_SIZE;
		WRITE_ONCE(soft[i], soft_entry);
		WRITE_ONCE(hard[i], hard_entry);
	}
	/* For processors whose table walks do not look into the caches. */
	clean_dcache_area(hard, nr_pages * sizeof(*hard));
#endif
}

static void flush_mapping(unsigned long addr, unsigned long end)
{
	if (end - addr > TLB_ENTRIES_MAX * PAGE_SIZE)
		flush_tlb_all();
	else
		flush_tlb_kernel_range(addr, end);
}

/* The area is mapped with pages since dma_contiguous_remap(). */
static int set_lowmem_prot(struct page *page, size_t size, pgprot_t prot)
{
	unsigned long start = (unsigned long)page_address(page);
	unsigned long end = start + size, next;

	for (unsigned long addr = start; addr < end; addr = next) {
		pmd_t *pmd = pmd_off_k(addr);

		next = min(end, ALIGN(addr + 1, PMD_SIZE));
		if (WARN_ON_ONCE(pmd_none(*pmd) || pmd_leaf(*pmd)))
			return -EINVAL;
		set_entries(pte_offset_kernel(pmd, addr),
			    __phys_to_pfn(__virt_to_phys(addr)),
			    (next - addr) >> PAGE_SHIFT, prot);
	}
	flush_mapping(start, end);
	return 0;
}

static unsigned long memory_type(pteval_t entry)
{
	return entry & L_PTE_MT_MASK;
}

static void unmap_ready(struct page *page, unsigned long nr_pages)
{
	set_lowmem_prot(page, nr_pages << PAGE_SHIFT, PAGE_KERNEL);
}

/* Those of coherent devices are mapped like all memory: nothing is gained. */
static bool keep_ready(struct page *page, size_t size)
{
	unsigned long addr = (unsigned long)page_address(page);
	pte_t *pte = pte_offset_kernel(pmd_off_k(addr), addr);
	unsigned long type = memory_type(pte_val(*pte));

	if (type == memory_type(pgprot_val(PAGE_KERNEL)))
		return false;
	return cma_ready_put(cma_area_of(page), page, size >> PAGE_SHIFT, type,
			     unmap_ready);
}

/*
 * A buffer that is mapped already. It is cleared through that mapping, so no
 * cache has a line of it.
 */
static void *alloc_ready(struct device *dev, size_t size, pgprot_t prot,
			 struct page **page)
{
	void *addr;

	*page = cma_ready_get(dma_contiguous_first_area(dev), size >> PAGE_SHIFT,
			      memory_type(pgprot_val(prot)),
			      dev ? dev_name(dev) : NULL);
	if (!*page)
		return NULL;
	addr = page_address(*page);
	memset(addr, 0, size);
	/* The zeroes must not come after what the device writes. */
	wmb();
	return addr;
}

/**
 * arm_dma_may_fall_back() - may ordinary pages take the place of an area
 * @dev:	the device, whose areas are used up
 * @size:	bytes, a multiple of pages
 * @gfp:	how the pages are to be asked for then
 *
 * A device without an area of its own gets a few pages that way, more of them
 * only if its area says that other memory does: what is left for large buffers
 * is an area's purpose, and the page allocator would have to work for them.
 *
 * Context: Any.
 * Return: true if they may.
 */
bool arm_dma_may_fall_back(struct device *dev, size_t size, gfp_t *gfp)
{
	unsigned int order = get_order(size);

	if (!dma_contiguous_falls_back(dev) || order > MAX_PAGE_ORDER ||
	    ((!dev || !dev->cma_area) && order > PAGE_ALLOC_COSTLY_ORDER))
		return false;
	if (order > PAGE_ALLOC_COSTLY_ORDER)
		*gfp |= __GFP_NORETRY;
	return true;
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
	bool quiet = gfp & __GFP_NOWARN ||
		     arm_dma_may_fall_back(dev, size, &gfp);
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

	clear_and_flush(first, size, coherent);
	if (!want_vaddr)
		goto out;

	if (PageHighMem(first))
		addr = dma_common_contiguous_remap(first, size, prot, caller);
	else if (!set_lowmem_prot(first, size, prot))
		addr = page_address(first);
	if (!addr) {
		dma_release_from_contiguous(dev, first, nr_pages);
		return NULL;
	}
out:
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
	if (want_vaddr && PageHighMem(page)) {
		dma_common_free_remap(cpu_addr, size);
	} else if (want_vaddr) {
		if (keep_ready(page, size))
			return;
		set_lowmem_prot(page, size, PAGE_KERNEL);
	}
	dma_release_from_contiguous(dev, page, size >> PAGE_SHIFT);
}
