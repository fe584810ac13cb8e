// SPDX-License-Identifier: GPL-2.0
/*
 * The mapping of buffers in high memory, which has no other of the kernel's.
 *
 * No locks: the pages belong to the caller. Sizes are bytes.
 */
#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#include "dma-contiguous.h"
#include "mm.h"

/*
 * At a multiple of 64 KiB, for large pages, or anywhere if there is none. There
 * is no asking for that: VM_IOREMAP would align a buffer to its size and waste
 * as much as it has. Together with the guard page behind each area, the spare
 * pages are one large page. An area is found by any address in it.
 */
static void *find_address(size_t size, const void *caller)
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

/**
 * arm_dma_map_highmem() - map a buffer like all memory
 * @page:	its first page, in high memory
 * @size:	bytes, a multiple of pages
 * @caller:	for /proc/vmallocinfo
 *
 * Context: May sleep.
 * Return: the address, or NULL if there is none left, or no memory.
 */
void *arm_dma_map_highmem(struct page *page, size_t size, const void *caller)
{
	void *addr = find_address(size, caller);
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

/**
 * arm_dma_remap_highmem() - change the memory type of a mapped buffer
 * @addr:	where it is mapped
 * @page:	its first page
 * @size:	bytes, as given to arm_dma_map_highmem()
 * @prot:	how to map it
 *
 * Context: Any with interrupts enabled: other CPUs take part.
 * Return: 0, or -EINVAL if nothing is mapped there.
 */
int arm_dma_remap_highmem(void *addr, struct page *page, size_t size,
			  pgprot_t prot)
{
	unsigned long start = (unsigned long)addr;

	return arm_dma_set_entries(start, start + size, page_to_pfn(page), prot,
				   true);
}

/**
 * arm_dma_unmap_highmem() - unmap a buffer
 * @addr:	where it is mapped
 * @size:	bytes, as given to arm_dma_map_highmem()
 *
 * vunmap() leaves entries in the TLBs for a while. These are of another memory
 * type than the one that the page's next owner maps it with.
 *
 * Context: May sleep.
 */
void arm_dma_unmap_highmem(void *addr, size_t size)
{
	unsigned long start = (unsigned long)addr;

	arm_dma_clear_entries(start, start + size);
	dma_common_free_remap(addr, size);
}
