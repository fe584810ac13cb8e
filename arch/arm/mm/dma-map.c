// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of buffers of areas, for devices that do not see the caches.
 *
 * From ARMv6 on, two mappings of a page with different memory types are
 * unpredictable. So a buffer in low memory gets no second mapping: the linear
 * mapping changes its memory type while a device uses the buffer. Sections are
 * too coarse for that, and each process has a copy of them, so areas are mapped
 * with pages from boot on. A buffer in high memory has no such mapping, and
 * gets one of its own from vmalloc space.
 *
 * No locks: the pages belong to the caller. Sizes are bytes.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cacheflush.h>
#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>
#include <asm/mach/map.h>
#include <asm/outercache.h>
#include <asm/pgalloc.h>
#include <asm/sections.h>
#include <asm/tlbflush.h>

#include "dma.h"
#include "dma-contiguous.h"
#include "mm.h"

#define KMAP_PAGES_CHECKED	64

/*
 * A table for PMD_SIZE from @start on. It maps only what is memory of the
 * kernel: there may be holes, and memory of a firmware. Return: NULL if there
 * is no memory for the table.
 */
static pte_t * __init arm_dma_make_table(phys_addr_t start,
					 const struct mem_type *type)
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
 * Break before make: the TLBs forget the sections before the table replaces
 * them. Nothing that the table maps is accessible in between, so the table is
 * complete before, as it may lie there itself like anything of memblock's.
 */
static void __init arm_dma_map_with_pages(phys_addr_t start)
{
	const struct mem_type *type = get_mem_type(MT_MEMORY_DMA_READY);
	unsigned long addr = __phys_to_virt(start);
	pte_t *table = arm_dma_make_table(start, type);
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

/* Maps whole tables, with memory around the area, but never the kernel. */
static void __init arm_dma_prepare_area(phys_addr_t base, phys_addr_t limit)
{
	phys_addr_t start = ALIGN_DOWN(base, PMD_SIZE);
	phys_addr_t end = min_t(phys_addr_t, ALIGN(limit, PMD_SIZE),
				arm_lowmem_limit);

	/* Page tables of the kernel lie below it, in the same sections. */
	if (start < ALIGN((phys_addr_t)kernel_sec_end, PMD_SIZE) &&
	    end > ALIGN_DOWN((phys_addr_t)kernel_sec_start, PMD_SIZE)) {
		pr_err("area at %pa is too close to the kernel to be mapped for DMA\n",
		       &base);
		return;
	}
	/* Small areas may share a table. */
	for (; start < end; start += PMD_SIZE)
		if (!arm_dma_has_table(__phys_to_virt(start)))
			arm_dma_map_with_pages(start);
}

static void __init arm_dma_prepare_piece(phys_addr_t base, phys_addr_t size)
{
	if (base < arm_lowmem_limit)
		arm_dma_prepare_area(base, base + min(size, arm_lowmem_limit -
							    base));
}

static int __init arm_dma_prepare_pieces(struct cma *cma, void *unused)
{
	cma_for_each_piece(cma, arm_dma_prepare_piece);
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
	cma_for_each_area(arm_dma_prepare_pieces, NULL);
}

/*
 * Prefer a multiple of 64 KiB, for large pages. VM_IOREMAP would align a buffer
 * to its size and waste as much again, so ask for spare pages: with the guard
 * page they are one large page. vmalloc finds an area by any address in it.
 */
static void *arm_dma_find_address(size_t size, const void *caller)
{
	size_t spare = SZ_64K - PAGE_SIZE;
	struct vm_struct *area = NULL;

	if (size >= SZ_64K)
		area = get_vm_area_caller(size + spare, VM_DMA_COHERENT,
					  caller);
	if (area)
		return PTR_ALIGN(area->addr, SZ_64K);
	area = get_vm_area_caller(size, VM_DMA_COHERENT, caller);
	return area ? area->addr : NULL;
}

/* A cacheable mapping, like that of low memory. */
static void *arm_dma_map_highmem(struct page *page, size_t size,
				 const void *caller)
{
	void *addr = arm_dma_find_address(size, caller);
	unsigned long start = (unsigned long)addr;

	if (!addr)
		return NULL;
	if (vmap_page_range(start, start + size, page_to_phys(page),
			    PAGE_KERNEL)) {
		vunmap(addr);
		return NULL;
	}
	return addr;
}

/*
 * vunmap() flushes TLBs late. Entries that are left would differ in memory type
 * from the mapping of the next owner, so flush them at once.
 */
static void arm_dma_unmap_highmem(void *addr, size_t size)
{
	unsigned long start = (unsigned long)addr;

	arm_dma_clear_entries(start, start + size);
	dma_common_free_remap(addr, size);
}

/*
 * The device, and programs that get the buffer, must not see old contents. A
 * dirty cache line would overwrite what the device writes.
 */
static void arm_dma_zero_and_flush(void *addr, size_t size)
{
	memset(addr, 0, size);
	dmac_flush_range(addr, addr + size);
}

/*
 * Called when the buffer has no cacheable mapping any more. Until then the CPU
 * may have fetched lines speculatively. They are clean, so they never overwrite
 * what the device writes. Uncached accesses do not hit lines in the CPU's own
 * caches (ARM DDI 0406C, A3.5.7: mismatched attributes cost coherency, not
 * data, as long as nothing is written through the cacheable mapping). An outer
 * cache may hit: a PL310 looks up accesses that are shareable but not
 * cacheable, unless "arm,shared-override" is set.
 *
 * The same holds for entries of others that vunmap() has left in the TLBs.
 * Their page table entries are gone, so nobody writes through them. Buffers
 * that are too large for single flushes flush all TLBs, and these entries with
 * them.
 */
static void arm_dma_flush_outer(struct page *page, size_t size)
{
	phys_addr_t phys = page_to_phys(page);

	outer_flush_range(phys, phys + size);
}

/*
 * kunmap() leaves a page mapped until its address is needed, and this mapping
 * is cacheable. For many pages it is faster to walk all kmap addresses than to
 * check each page.
 */
static void arm_dma_drop_kmaps(struct page *first, size_t size)
{
	bool mapped = size > KMAP_PAGES_CHECKED * PAGE_SIZE;

	for (size_t done = 0; done < size && !mapped; done += PAGE_SIZE)
		mapped = page_address(phys_to_page(page_to_phys(first) + done));
	if (mapped)
		kmap_flush_unused();
}

/* Page by page, as the buffer is not to have a mapping. */
static void arm_dma_zero_highmem(struct page *first, size_t size)
{
	for (size_t done = 0; done < size; done += PAGE_SIZE) {
		struct page *page = phys_to_page(page_to_phys(first) + done);
		void *addr = kmap_local_page(page);

		arm_dma_zero_and_flush(addr, PAGE_SIZE);
		kunmap_local(addr);
	}
	arm_dma_flush_outer(first, size);
}

/**
 * arm_dma_map() - zero a buffer and map it for a device
 * @page:	its first page
 * @size:	bytes, whole pages
 * @prot:	how to map it
 * @want_vaddr:	the caller needs the address
 * @caller:	for /proc/vmallocinfo
 *
 * The buffer is zeroed through a cacheable mapping, which then gets the memory
 * type of the device. This happens to low memory also without @want_vaddr, as
 * its linear mapping must not differ from other mappings of the buffer.
 *
 * Context: May sleep.
 * Return: the address; NULL if the buffer has none and the caller needs none;
 * -ENOMEM as a pointer if there are no addresses left, or no memory for page
 * tables; -EINVAL as a pointer if the area is not mapped with pages.
 */
void *arm_dma_map(struct page *page, size_t size, pgprot_t prot,
		  bool want_vaddr, const void *caller)
{
	bool highmem = PageHighMem(page);
	unsigned long start;
	void *addr;
	int error;

	if (highmem)
		arm_dma_drop_kmaps(page, size);
	if (highmem && !want_vaddr) {
		arm_dma_zero_highmem(page, size);
		return NULL;
	}
	addr = highmem ? arm_dma_map_highmem(page, size, caller) :
			 page_address(page);
	if (!addr)
		return ERR_PTR(-ENOMEM);
	arm_dma_zero_and_flush(addr, size);
	start = (unsigned long)addr;
	error = arm_dma_set_entries(start, start + size, page_to_pfn(page),
				    prot, true);
	arm_dma_flush_outer(page, size);
	if (!error)
		return addr;
	if (highmem)
		arm_dma_unmap_highmem(addr, size);
	return ERR_PTR(error);
}

/**
 * arm_dma_unmap() - undo arm_dma_map()
 * @page:	first page of the buffer
 * @addr:	where the buffer is mapped; NULL if the caller did not need it
 * @size:	bytes, as given to arm_dma_map()
 *
 * Low memory is mapped like all memory again.
 *
 * Context: May sleep if @addr is in high memory; otherwise any with interrupts
 * enabled, as other CPUs take part.
 */
void arm_dma_unmap(struct page *page, void *addr, size_t size)
{
	unsigned long start;

	if (!PageHighMem(page)) {
		start = (unsigned long)page_address(page);
		arm_dma_set_entries(start, start + size, page_to_pfn(page),
				    PAGE_KERNEL, false);
	} else if (addr) {
		arm_dma_unmap_highmem(addr, size);
	}
}
