/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Buffers of contiguous memory areas, for the DMA API of ARM.
 *
 * Sizes are bytes.
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
 * struct arm_dma_buffer - a buffer that a driver has
 * @node:	in a tree of dma-buffers.c
 * @virt:	how the driver names it: its address, or its first page if it
 *		asked for no mapping
 * @size:	bytes, whole pages
 * @allocator:	source of the pages; NULL for an area
 * @page:	its first page
 * @mapped:	where the kernel maps a buffer of an area; NULL for nowhere
 *
 * struct cma_buffer of mm/cma is another record of the same pages, and both are
 * needed. Ordinary pages and the atomic pool have no record there. Only this
 * one knows the address that the driver passes to dma_free_attrs(), and the
 * mapping. __arm_dma_free() frees it, cma_release() the other one. Both stay for
 * the next buffers, see mm/cma/stock.c.
 */
struct arm_dma_buffer {
	struct rb_node node;
	void *virt;
	size_t size;
	struct arm_dma_allocator *allocator;
	struct page *page;
	void *mapped;
};

/* dma-buffers.c: buffers that drivers have */
struct arm_dma_buffer *arm_dma_buffer_new(gfp_t gfp);
void arm_dma_buffer_free(struct arm_dma_buffer *buf);
void arm_dma_buffer_add(struct arm_dma_buffer *buf, size_t size,
			struct page *page);
struct arm_dma_buffer *arm_dma_buffer_find(void *virt, size_t size);

static inline bool arm_dma_is_contiguous(const struct arm_dma_buffer *buf)
{
	return !buf->allocator;
}

/* Not every page has an address for the device that it could be found by. */
static inline struct page *
arm_dma_buffer_page(const struct arm_dma_buffer *buf)
{
	return buf->page;
}

/* dma-contiguous.c: buffers of areas */
bool arm_dma_contiguous_alloc(struct device *dev, size_t size,
			      dma_addr_t *handle, gfp_t *gfp,
			      unsigned long *attrs, pgprot_t prot,
			      const void *caller, void **cpu_addr);
void arm_dma_contiguous_free(struct arm_dma_buffer *buf);
struct page *arm_dma_iommu_take(struct device *dev, size_t size, gfp_t gfp,
				pgprot_t prot);
void arm_dma_iommu_release(struct device *dev, struct page *page, size_t size);
void *arm_dma_contiguous_pool(size_t *size, pgprot_t prot, const void *caller,
			      struct page **page);
void *arm_dma_check_reach(struct device *dev, void *cpu_addr, size_t size,
			  dma_addr_t *handle, gfp_t gfp, unsigned long attrs);

/* dma-map.c: mappings of these buffers */
void *arm_dma_map(struct page *page, size_t size, pgprot_t prot,
		  bool want_vaddr, const void *caller);
void arm_dma_unmap(struct page *page, void *addr, size_t size);
void dma_contiguous_remap(void);

/* dma-entries.c: page table entries */
int arm_dma_set_entries(unsigned long start, unsigned long end,
			unsigned long pfn, pgprot_t prot, bool large);
void arm_dma_clear_entries(unsigned long start, unsigned long end);

/*
 * Is PMD_SIZE around an address mapped with pages? With two levels of tables,
 * each half of it may be a section.
 */
static inline bool arm_dma_has_table(unsigned long addr)
{
	const pmd_t *pmd = pmd_off_k(addr);

	for (unsigned int i = 0; i < PMD_SIZE / SECTION_SIZE; i++)
		if ((pmd_val(pmd[i]) & PMD_TYPE_MASK) != PMD_TYPE_TABLE)
			return false;
	return true;
}

/* Pages stay in the atomic pool when a buffer goes to the next owner. */
static inline void arm_dma_pool_zero(void *buffer, size_t size)
{
	memset(buffer, 0, size);
	/* The zeroes must not overwrite what the device writes. */
	wmb();
}

#else

struct arm_dma_buffer;

#define arm_dma_buffer_free(buf)	kfree(buf)

static inline bool arm_dma_is_contiguous(const struct arm_dma_buffer *buf)
{
	return false;
}

static inline struct page *
arm_dma_buffer_page(const struct arm_dma_buffer *buf)
{
	return NULL;
}

static inline bool arm_dma_contiguous_alloc(struct device *dev, size_t size,
					    dma_addr_t *handle, gfp_t *gfp,
					    unsigned long *attrs,
					    pgprot_t prot, const void *caller,
					    void **cpu_addr)
{
	return false;
}

static inline void arm_dma_contiguous_free(struct arm_dma_buffer *buf)
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

static inline void arm_dma_pool_zero(void *buffer, size_t size)
{
}

#endif /* CONFIG_DMA_CMA */

#endif /* _ARM_MM_DMA_CONTIGUOUS_H */
