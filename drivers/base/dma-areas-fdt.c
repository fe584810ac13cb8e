// SPDX-License-Identifier: GPL-2.0
/*
 * Areas in the device tree, before there is memory: whether what a
 * reserved-memory node says can be had.
 *
 * Memory is reserved long before an area is made of it, and what lies there
 * already, the initial RAM disk for example, could not be told from the area by
 * then. So a node that makes no sense is refused here, whole, with a message,
 * and nothing is reserved for it. drivers/of/of_reserved_mem.c asks.
 *
 * No locks: boot only. Addresses and sizes are bytes.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/init.h>
#include <linux/log2.h>
#include <linux/memblock.h>
#include <linux/of_fdt.h>

#include "dma-areas.h"

/* Nodes with "reg" whose memory is reserved. */
static unsigned long accepted[MAX_CMA_AREAS] __initdata;
static unsigned int nr_accepted __initdata;

static bool __init has(unsigned long node, const char *property)
{
	return of_get_flat_dt_prop(node, property, NULL);
}

/**
 * dma_area_is_node() - is an area meant by a reserved-memory node
 * @node:	offset of the node
 *
 * Context: Boot.
 * Return: true if so, whether it makes sense or not.
 */
bool __init dma_area_is_node(unsigned long node)
{
	return of_flat_dt_is_compatible(node, "shared-dma-pool") &&
	       has(node, "reusable");
}

static int __init check_node(unsigned long node, const char *name)
{
	if (has(node, "no-map")) {
		pr_err("%s: \"reusable\" and \"no-map\" exclude each other\n",
		       name);
		return -EINVAL;
	}
	if (has(node, "linux,cma-default") && dma_areas_default_on_cmdline()) {
		pr_info("%s: not used, the command line has cma=\n", name);
		return -EBUSY;
	}
	return 0;
}

static int __init check_piece(const char *name, phys_addr_t base,
			      phys_addr_t size)
{
	phys_addr_t end = base + size;

	if (!size || end < base || !PAGE_ALIGNED(base | size)) {
		pr_err("%s: %pa bytes at %pa make no sense\n", name, &size,
		       &base);
		return -EINVAL;
	}
	return cma_check_memory(base, size, name);
}

static phys_addr_t __init next_piece(const __be32 **reg, phys_addr_t *size)
{
	phys_addr_t base = dt_mem_next_cell(dt_root_addr_cells, reg);

	*size = dt_mem_next_cell(dt_root_size_cells, reg);
	return base;
}

/* Return: the number of pieces that could be reserved. */
static int __init reserve_pieces(const char *name, const __be32 *reg, int nr)
{
	phys_addr_t base, size;
	int done;

	for (done = 0; done < nr; done++) {
		base = next_piece(&reg, &size);
		if (check_piece(name, base, size) ||
		    memblock_reserve(base, size))
			break;
	}
	return done;
}

/**
 * dma_area_reserve_reg() - reserve what the "reg" of an area's node says
 * @node:	offset of the node
 * @name:	its name
 *
 * Context: Boot, while memblock hands out memory.
 * Return: 0; or an error, and nothing is reserved. The log says what is wrong.
 */
int __init dma_area_reserve_reg(unsigned long node, const char *name)
{
	int cells = dt_root_addr_cells + dt_root_size_cells;
	int length, nr, done, error = check_node(node, name);
	const __be32 *reg;
	phys_addr_t base, size;

	if (error)
		return error;
	reg = of_get_flat_dt_prop(node, "reg", &length);
	nr = length / (cells * sizeof(*reg));
	if (!nr || length % (cells * sizeof(*reg))) {
		pr_err("%s: reg: %d cells for each address and %d for each size expected\n",
		       name, dt_root_addr_cells, dt_root_size_cells);
		return -EINVAL;
	}
	if (nr_accepted == ARRAY_SIZE(accepted)) {
		pr_err("%s: there are %u areas already, see CONFIG_CMA_AREAS\n",
		       name, nr_accepted);
		return -ENOSPC;
	}

	done = reserve_pieces(name, reg, nr);
	for (int i = 0; i < done; i++) {
		base = next_piece(&reg, &size);
		if (done == nr)
			dma_contiguous_early_fixup(base, size);
		else
			memblock_phys_free(base, size);
	}
	if (done != nr)
		return -EINVAL;
	accepted[nr_accepted++] = node;
	return 0;
}

/**
 * dma_area_refused() - is no area to be made of a node with "reg"
 * @node:	offset of the node
 *
 * Context: Boot.
 * Return: true if it means one, but dma_area_reserve_reg() refused it.
 */
bool __init dma_area_refused(unsigned long node)
{
	for (unsigned int i = 0; i < nr_accepted; i++)
		if (accepted[i] == node)
			return false;
	return dma_area_is_node(node);
}

/**
 * dma_area_check_size() - can there be an area of this size
 * @node:	offset of a node without "reg"
 * @name:	its name
 * @size:	bytes
 * @align:	bytes; 0 for none in special
 *
 * Context: Boot.
 * Return: 0, or an error. The log says what is wrong.
 */
int __init dma_area_check_size(unsigned long node, const char *name,
			       phys_addr_t size, phys_addr_t align)
{
	if (!size || !PAGE_ALIGNED(size)) {
		pr_err("%s: a size of %pa bytes makes no sense\n", name, &size);
		return -EINVAL;
	}
	if (align && !is_power_of_2(align)) {
		pr_err("%s: alignment %pa is not a power of two\n", name,
		       &align);
		return -EINVAL;
	}
	return check_node(node, name);
}
