/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Buffers from contiguous memory areas, for the DMA API of ARM.
 */
#ifndef _ARM_MM_DMA_CONTIGUOUS_H
#define _ARM_MM_DMA_CONTIGUOUS_H

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/rbtree.h>
#include <linux/string.h>
#include <linux/types.h>

struct arm_dma_allocator;
struct device;
struct page;

/* Large ones are had if they are there: others would have to go for them. */
static inline gfp_t arm_dma_fallback_flags(size_t size)
{
	return get_order(size) > PAGE_ALLOC_COSTLY_ORDER ? __GFP_NORETRY : 0;
}

#ifdef CONFIG_DMA_CMA

/**
 * struct arm_dma_buffer - a buffer that is out
 * @node:	in a tree of dma-buffers.c
 * @virt:	what the driver knows it by
 * @allocator:	where it comes from
 */
struct arm_dma_buffer {
	struct rb_node node;
	void *virt;
	struct arm_dma_allocator *allocator;
};

void arm_dma_buffer_add(struct arm_dma_buffer *buf);
struct arm_dma_buffer *arm_dma_buffer_find(void *virt);

void *arm_dma_contiguous_alloc(struct device *dev, size_t size, gfp_t gfp,
			       pgprot_t prot, bool coherent, bool want_vaddr,
			       const void *caller, struct page **page);
void arm_dma_contiguous_free(struct device *dev, struct page *page,
			     void *cpu_addr, size_t size, bool want_vaddr);
bool arm_dma_may_fall_back(struct device *dev, size_t size);

/* dma-entries.c: page table entries */
int arm_dma_set_entries(unsigned long start, unsigned long end,
			unsigned long pfn, pgprot_t prot, bool large);
void arm_dma_clear_entries(unsigned long start, unsigned long end);

/* dma-lowmem.c, dma-highmem.c: mappings of buffers */
int arm_dma_remap_lowmem(struct page *page, size_t size, pgprot_t prot);
void arm_dma_restore_lowmem(struct page *page, size_t size);
void *arm_dma_map_highmem(struct page *page, size_t size, const void *caller);
int arm_dma_remap_highmem(void *addr, struct page *page, size_t size,
			  pgprot_t prot);
void arm_dma_unmap_highmem(void *addr, size_t size);
void dma_contiguous_remap(void);

/* A buffer of the atomic pool goes from owner to owner without its pages. */
static inline void arm_dma_pool_clear(void *buffer, size_t size)
{
	memset(buffer, 0, size);
}

#else

static inline void *arm_dma_contiguous_alloc(struct device *dev, size_t size,
					     gfp_t gfp, pgprot_t prot,
					     bool coherent, bool want_vaddr,
					     const void *caller,
					     struct page **page)
{
	return NULL;
}

static inline void arm_dma_contiguous_free(struct device *dev,
					   struct page *page, void *cpu_addr,
					   size_t size, bool want_vaddr)
{
}

static inline bool arm_dma_may_fall_back(struct device *dev, size_t size)
{
	return false;
}

static inline void dma_contiguous_remap(void)
{
}

static inline void arm_dma_pool_clear(void *buffer, size_t size)
{
}

#endif /* CONFIG_DMA_CMA */

#endif /* _ARM_MM_DMA_CONTIGUOUS_H */
