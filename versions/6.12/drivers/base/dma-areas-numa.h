/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which areas a NUMA node has on Linux 6.12.
 */
#ifndef _BASE_DMA_AREAS_NUMA_H
#define _BASE_DMA_AREAS_NUMA_H

#include <linux/types.h>

#include "dma-areas.h"

#define DMA_AREAS_NUMA	2	/* how many a node may have */

/**
 * dma_area_choose_numa() - choose the areas of a node
 * @own:	bytes that "numa_cma=" has for the node; 0 for none
 * @every:	bytes that "cma_pernuma=" has for each node; 0 for none
 * @areas:	set to the areas, in order of preference
 *
 * A node that both options name has both areas.
 */
static inline void dma_area_choose_numa(phys_addr_t own, phys_addr_t every,
					struct dma_area_numa *areas)
{
	areas[0] = (struct dma_area_numa) { "pernuma", every };
	areas[1] = (struct dma_area_numa) { "numa", own };
}

#endif /* _BASE_DMA_AREAS_NUMA_H */
