/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contiguous memory for implementations of the DMA API: from a device to an
 * area to pages. Not for drivers. Included by <linux/dma-map-ops.h>.
 */
#ifndef _LINUX_DMA_CONTIGUOUS_H
#define _LINUX_DMA_CONTIGUOUS_H

#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/types.h>

struct cma;
struct page;

#ifdef CONFIG_DMA_CMA

/* The area of devices that have none of their own; NULL if there is none. */
extern struct cma *dma_contiguous_default_area;

static inline struct cma *dev_get_cma_area(struct device *dev)
{
	return dev && dev->cma_area ? dev->cma_area :
				      dma_contiguous_default_area;
}

void dma_contiguous_reserve(phys_addr_t addr_limit);
int dma_contiguous_reserve_area(phys_addr_t size, phys_addr_t base,
				phys_addr_t limit, struct cma **res_cma,
				bool fixed);
/* The architecture's: an area that is to be ready for DMA mappings. */
void dma_contiguous_early_fixup(phys_addr_t base, unsigned long size);

struct page *dma_alloc_from_contiguous(struct device *dev, size_t count,
				       unsigned int order, bool no_warn);
bool dma_release_from_contiguous(struct device *dev, struct page *pages,
				 int count);
struct page *dma_alloc_contiguous(struct device *dev, size_t size, gfp_t gfp);
void dma_free_contiguous(struct device *dev, struct page *page, size_t size);

#else /* !CONFIG_DMA_CMA */

static inline struct cma *dev_get_cma_area(struct device *dev)
{
	return NULL;
}

static inline void dma_contiguous_reserve(phys_addr_t addr_limit)
{
}

static inline int dma_contiguous_reserve_area(phys_addr_t size,
					      phys_addr_t base,
					      phys_addr_t limit,
					      struct cma **res_cma, bool fixed)
{
	return -EOPNOTSUPP;
}

static inline void dma_contiguous_early_fixup(phys_addr_t base,
					      unsigned long size)
{
}

static inline struct page *dma_alloc_from_contiguous(struct device *dev,
						     size_t count,
						     unsigned int order,
						     bool no_warn)
{
	return NULL;
}

static inline bool dma_release_from_contiguous(struct device *dev,
					       struct page *pages, int count)
{
	return false;
}

static inline struct page *dma_alloc_contiguous(struct device *dev,
						size_t size, gfp_t gfp)
{
	return NULL;
}

static inline void dma_free_contiguous(struct device *dev, struct page *page,
				       size_t size)
{
	__free_pages(page, get_order(size));
}

#endif /* CONFIG_DMA_CMA */

#endif /* _LINUX_DMA_CONTIGUOUS_H */
