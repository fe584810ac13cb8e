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

/* At a multiple of its size, for large pages, or anywhere if there is none. */
static struct vm_struct *find_address(size_t size, const void *caller)
{
	struct vm_struct *area = NULL;

	if (size >= SZ_64K)
		area = get_vm_area_caller(size, VM_DMA_COHERENT | VM_IOREMAP,
					  caller);
	return area ?: get_vm_area_caller(size, VM_DMA_COHERENT, caller);
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
	struct vm_struct *area = find_address(size, caller);
	unsigned long start;

	if (!area)
		return NULL;
	start = (unsigned long)area->addr;
	if (vmap_page_range(start, start + size, page_to_phys(page),
			    PAGE_KERNEL)) {
		free_vm_area(area);
		return NULL;
	}
	return area->addr;
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
