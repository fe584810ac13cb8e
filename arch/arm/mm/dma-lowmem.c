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
#include <asm/pgalloc.h>
#include <asm/sections.h>
#include <asm/tlbflush.h>

#include "dma-contiguous.h"
#include "mm.h"

/*
 * A table for PMD_SIZE from @start on, with what is to be mapped there: there may
 * be a hole, or memory of a firmware's. NULL if there is no memory for it.
 */
static pte_t * __init make_table(phys_addr_t start, const struct mem_type *type)
{
	const size_t size = PTE_HWTABLE_OFF + PTE_HWTABLE_SIZE;
	pte_t *table = memblock_alloc(size, size);
	phys_addr_t end = min_t(u64, (u64)start + PMD_SIZE, arm_lowmem_limit);

	for (pte_t *pte = table; table && start < end; pte++) {
		if (memblock_is_map_memory(start))
			set_pte_ext(pte, pfn_pte(__phys_to_pfn(start),
						 __pgprot(type->prot_pte)), 0);
		start += PAGE_SIZE;
	}
	return table;
}

/*
 * Break before make: no old entry may be around when the new one comes. The
 * table is complete before, since nothing of what it maps can be reached in
 * between: it may lie there itself, and so may all that memblock gave out.
 */
static void __init map_with_pages(phys_addr_t start)
{
	const struct mem_type *type = get_mem_type(MT_MEMORY_DMA_READY);
	unsigned long addr = __phys_to_virt(start);
	pte_t *table = make_table(start, type);
	pmd_t *pmd = pmd_off_k(addr);

	if (!table) {
		pr_err("no memory for the page table of %pa\n", &start);
		return;
	}
	pmd_clear(pmd);
	flush_tlb_kernel_range(addr, addr + PMD_SIZE);
	__pmd_populate(pmd, __pa(table), type->prot_l1);
	dsb(ishst);
	isb();
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
	for (; start < end; start += PMD_SIZE)
		if (!arm_dma_has_table(__phys_to_virt(start)))
			map_with_pages(start);
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
