/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Buffers from contiguous memory areas, for the DMA API of ARM.
 */
#ifndef _ARM_MM_DMA_CONTIGUOUS_H
#define _ARM_MM_DMA_CONTIGUOUS_H

#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/rbtree.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/barrier.h>

struct arm_dma_allocator;
struct device;
struct page;

#ifdef CONFIG_DMA_CMA

/**
 * struct arm_dma_buffer - a buffer that is out
 * @node:	in a tree of dma-buffers.c
 * @virt:	what the driver knows it by: its address, or its first page if it
 *		asked for no mapping
 * @size:	bytes, whole pages
 * @allocator:	where it comes from; NULL for an area
 * @page:	its first page
 * @mapped:	where the kernel maps it, if it is of an area; NULL for nowhere
 */
struct arm_dma_buffer {
	struct rb_node node;
	void *virt;
	size_t size;
	struct arm_dma_allocator *allocator;
	struct page *page;
	void *mapped;
};

void arm_dma_buffer_add(struct arm_dma_buffer *buf, size_t size,
			struct page *page);
struct arm_dma_buffer *arm_dma_buffer_find(void *virt, size_t size);

static inline bool arm_dma_buffer_differs(const struct arm_dma_buffer *buf)
{
	return IS_ERR(buf);
}

static inline bool arm_dma_is_contiguous(const struct arm_dma_buffer *buf)
{
	return !buf->allocator;
}

/* Not all pages have an address for the device that a page follows from. */
static inline void arm_dma_buffer_page(const struct arm_dma_buffer *buf,
				       struct page **page)
{
	*page = buf->page;
}

bool arm_dma_contiguous_alloc(struct device *dev, size_t size,
			      dma_addr_t *handle, gfp_t *gfp,
			      unsigned long *attrs, pgprot_t prot,
			      const void *caller, void **cpu_addr);
void arm_dma_contiguous_free(struct device *dev, struct arm_dma_buffer *buf);
struct page *arm_dma_iommu_take(struct device *dev, size_t size, gfp_t gfp,
				pgprot_t prot);
void arm_dma_iommu_release(struct device *dev, struct page *page, size_t size);
void *arm_dma_contiguous_pool(size_t *size, pgprot_t prot, const void *caller,
			      struct page **page);
void *arm_dma_check_reach(struct device *dev, void *cpu_addr, size_t size,
			  dma_addr_t *handle, gfp_t gfp, unsigned long attrs);

/*
 * Whether PMD_SIZE around an address is mapped with pages. With two levels of
 * tables, each half of it may be a section.
 */
static inline bool arm_dma_has_table(unsigned long addr)
{
	const pmd_t *pmd = pmd_off_k(addr);

	for (unsigned int i = 0; i < PMD_SIZE / SECTION_SIZE; i++)
		if ((pmd_val(pmd[i]) & PMD_TYPE_MASK) != PMD_TYPE_TABLE)
			return false;
	return true;
}

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
	/* The zeroes must not come after what the device writes. */
	wmb();
}

#else

struct arm_dma_buffer;

static inline bool arm_dma_buffer_differs(const struct arm_dma_buffer *buf)
{
	return false;
}

static inline bool arm_dma_is_contiguous(const struct arm_dma_buffer *buf)
{
	return false;
}

static inline void arm_dma_buffer_page(const struct arm_dma_buffer *buf,
				       struct page **page)
{
}

static inline struct page *arm_dma_iommu_take(struct device *dev, size_t size,
					      gfp_t gfp, pgprot_t prot)
{
	return NULL;
}

static inline void arm_dma_iommu_release(struct device *dev, struct page *page,
					 size_t size)
{
}

static inline bool arm_dma_contiguous_alloc(struct device *dev, size_t size,
					    dma_addr_t *handle, gfp_t *gfp,
					    unsigned long *attrs,
					    pgprot_t prot, const void *caller,
					    void **cpu_addr)
{
	return false;
}

static inline void arm_dma_contiguous_free(struct device *dev,
					   struct arm_dma_buffer *buf)
{
}

static inline void *arm_dma_contiguous_pool(size_t *size, pgprot_t prot,
					    const void *caller,
					    struct page **page)
{
	return NULL;
}

static inline void *arm_dma_check_reach(struct device *dev, void *cpu_addr,
					size_t size, dma_addr_t *handle,
					gfp_t gfp, unsigned long attrs)
{
	return cpu_addr;
}

static inline void dma_contiguous_remap(void)
{
}

static inline void arm_dma_pool_clear(void *buffer, size_t size)
{
}

#endif /* CONFIG_DMA_CMA */

#endif /* _ARM_MM_DMA_CONTIGUOUS_H */
