/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which areas a NUMA node has. For an older kernel another file stands in place
 * of this one.
 */
#ifndef _BASE_DMA_AREAS_NUMA_H
#define _BASE_DMA_AREAS_NUMA_H

#include <linux/types.h>

#include "dma-areas.h"

#define DMA_AREAS_NUMA	1	/* how many a node may have */

/**
 * dma_area_choose_numa() - choose the areas of a node
 * @own:	bytes that "numa_cma=" has for the node; 0 for none
 * @every:	bytes that each node gets; 0 for none
 * @areas:	set to the areas, in order of preference
 *
 * What is said of one node wins over what is said of all.
 */
static inline void dma_area_choose_numa(phys_addr_t own, phys_addr_t every,
					struct dma_area_numa *areas)
{
	areas[0] = (struct dma_area_numa) { "numa", own ?: every };
}

#endif /* _BASE_DMA_AREAS_NUMA_H */
