// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own mapping of areas in low memory, and of the buffers in them.
 *
 * From ARMv6 on, a page that is mapped twice with different memory types is
 * not to be relied on. So a buffer in low memory gets no second mapping: the
 * kernel's own one changes its type while the buffer is out. Sections would be
 * too coarse for that, and each process has a copy of them; so areas are mapped
 * with pages from boot on.
 *
 * No locks: the pages belong to the caller. Sizes are bytes.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <asm/mach/map.h>
#include <asm/sections.h>
#include <asm/tlbflush.h>

#include "dma-contiguous.h"
#include "mm.h"

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

	/* The page tables of the kernel lie below it, in the same sections. */
	if (start < ALIGN((phys_addr_t)kernel_sec_end, PMD_SIZE) &&
	    end > ALIGN_DOWN((phys_addr_t)kernel_sec_start, PMD_SIZE)) {
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

static void __init map_piece(phys_addr_t base, phys_addr_t size)
{
	if (base < arm_lowmem_limit)
		map_area(base, base + min(size, arm_lowmem_limit - base));
}

static int __init map_pieces(struct cma *cma, void *unused)
{
	cma_for_each_piece(cma, map_piece);
	return 0;
}

/**
 * dma_contiguous_remap() - map the areas in low memory with pages
 *
 * Context: Boot, from paging_init(), once low memory is mapped: all areas are
 * declared by then.
 */
void __init dma_contiguous_remap(void)
{
	cma_for_each_area(map_pieces, NULL);
}

/* The area is mapped with pages since dma_contiguous_remap(). */
static int set_lowmem(struct page *page, size_t size, pgprot_t prot, bool large)
{
	unsigned long start = (unsigned long)page_address(page);

	return arm_dma_set_entries(start, start + size, page_to_pfn(page), prot,
				   large);
}

/**
 * arm_dma_remap_lowmem() - change the memory type of a buffer
 * @page:	its first page, in low memory
 * @size:	bytes, a multiple of pages
 * @prot:	how to map it
 *
 * Context: Any with interrupts enabled: other CPUs take part.
 * Return: 0; -EINVAL if it is not in what is mapped with pages.
 */
int arm_dma_remap_lowmem(struct page *page, size_t size, pgprot_t prot)
{
	return set_lowmem(page, size, prot, true);
}

/**
 * arm_dma_restore_lowmem() - map a buffer like all memory again
 * @page:	its first page, in low memory
 * @size:	bytes, as given to arm_dma_remap_lowmem()
 *
 * Context: Any with interrupts enabled: other CPUs take part.
 */
void arm_dma_restore_lowmem(struct page *page, size_t size)
{
	set_lowmem(page, size, PAGE_KERNEL, false);
}
