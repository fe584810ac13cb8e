/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which areas a NUMA node has on Linux 6.12.
 */
#ifndef _BASE_DMA_AREAS_NODES_H
#define _BASE_DMA_AREAS_NODES_H

#include <linux/types.h>

/**
 * struct dma_area_of_node - an area that a node may have
 * @prefix:	name of the area, without the number of the node
 * @size:	bytes; 0 for none
 */
struct dma_area_of_node {
	const char *prefix;
	phys_addr_t size;
};

#define DMA_AREAS_OF_NODE	2	/* how many a node may have */

/**
 * dma_areas_of_node() - choose the areas of a node
 * @own:	bytes that "numa_cma=" has for the node; 0 for none
 * @every:	bytes that "cma_pernuma=" has for each node; 0 for none
 * @areas:	set to the areas, in order of preference
 *
 * A node that both options name has both areas.
 */
static inline void dma_areas_of_node(phys_addr_t own, phys_addr_t every,
				     struct dma_area_of_node *areas)
{
	areas[0] = (struct dma_area_of_node) { "pernuma", every };
	areas[1] = (struct dma_area_of_node) { "numa", own };
}

#endif /* _BASE_DMA_AREAS_NODES_H */
