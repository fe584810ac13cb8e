// SPDX-License-Identifier: GPL-2.0
/*
 * What a reserved-memory node of the device tree says: read at boot, before the
 * tree is unflattened.
 *
 * No locks: boot only. Addresses and sizes are bytes; those of the tree have 64
 * bits, whatever the kernel can address.
 */
#include <linux/cma.h>
#include <linux/init.h>
#include <linux/of_fdt.h>

#include "dma-areas.h"

/**
 * dma_area_node_has() - does a node have a property
 * @node:	offset of the node
 * @property:	its name
 *
 * Context: Boot.
 * Return: true if so.
 */
bool __init dma_area_node_has(unsigned long node, const char *property)
{
	return of_get_flat_dt_prop(node, property, NULL);
}

/**
 * dma_area_get_ranges() - begin to read a list of ranges
 * @node:	offset of the node
 * @property:	"reg" or "alloc-ranges"
 *
 * Context: Boot.
 * Return: the ranges, for dma_area_next_range().
 */
struct dma_area_ranges __init dma_area_get_ranges(unsigned long node,
						  const char *property)
{
	int cells = dt_root_addr_cells + dt_root_size_cells;
	int bytes = cells * sizeof(__be32), length;
	struct dma_area_ranges ranges = {
		.cells	= of_get_flat_dt_prop(node, property, &length),
	};

	ranges.is_wrong = !ranges.cells || length < bytes || length % bytes;
	if (ranges.cells)
		ranges.nr = length / bytes;
	return ranges;
}

/**
 * dma_area_next_range() - read the next one of a list of ranges
 * @ranges:	the list
 * @base:	set to the address of the range
 * @size:	set to its bytes
 *
 * Context: Boot.
 * Return: false if there are no more, or if the list is wrong.
 */
bool __init dma_area_next_range(struct dma_area_ranges *ranges, u64 *base,
				u64 *size)
{
	if (ranges->nr <= 0)
		return false;
	ranges->nr--;
	*base = dt_mem_next_cell(dt_root_addr_cells, &ranges->cells);
	*size = dt_mem_next_cell(dt_root_size_cells, &ranges->cells);
	return true;
}

/**
 * dma_area_is_node() - does a reserved-memory node describe an area
 * @node:	offset of the node
 *
 * Context: Boot.
 * Return: true if so, even if the node is wrong.
 */
bool __init dma_area_is_node(unsigned long node)
{
	return of_flat_dt_is_compatible(node, "shared-dma-pool") &&
	       dma_area_node_has(node, "reusable");
}

/**
 * dma_area_claim_reg() - claim the memory of a node
 * @node:	offset of the node
 * @name:	its name
 * @for_area:	an area asks for it, see cma_claim_memory()
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init dma_area_claim_reg(unsigned long node, const char *name,
			       bool for_area)
{
	struct dma_area_ranges ranges = dma_area_get_ranges(node, "reg");
	u64 base, size;

	while (dma_area_next_range(&ranges, &base, &size))
		cma_claim_memory(base, size, name, for_area);
}
