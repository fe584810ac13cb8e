/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of contiguous memory for the DMA API share among themselves.
 */
#ifndef _BASE_DMA_AREAS_H
#define _BASE_DMA_AREAS_H

#include <linux/dma-contiguous.h>
#include <linux/init.h>
#include <linux/types.h>

struct cma;
struct device;

/* dma-areas.c: which areas a device takes from */
struct cma *dma_area_choice(struct device *dev, unsigned int choice);
struct cma *dma_area_of_type(struct device *dev, const char *type);
int dma_area_register(struct cma *cma, const char *type, const char *devices,
		      bool fallback);
int dma_area_put_first(struct device *dev, struct cma *cma, const char *type);
int dma_area_bind(struct device *dev, struct cma *cma, const char *type);
void dma_areas_bind_declared(struct device *dev);

/* dma-areas-declare.c: the default area, and board code's */
bool dma_areas_default_on_cmdline(void);
bool dma_areas_default_has_address(void);
void dma_areas_reserve_default(phys_addr_t addr_limit);

/* dma-areas-of.c: the device tree */
#ifdef CONFIG_OF_RESERVED_MEM
void dma_areas_bind_of(struct device *dev);
#else
static inline void dma_areas_bind_of(struct device *dev)
{
}
#endif

/* dma-areas-cmdline.c: "cma_areas=" */
#ifdef CONFIG_CMA_CMDLINE_AREAS
void dma_areas_reserve_cmdline(phys_addr_t addr_limit);
#else
static inline void dma_areas_reserve_cmdline(phys_addr_t addr_limit)
{
}
#endif

#endif /* _BASE_DMA_AREAS_H */
