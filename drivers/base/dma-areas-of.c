// SPDX-License-Identifier: GPL-2.0
/*
 * Areas in the device tree: reserved-memory nodes, and devices that refer to
 * them. See Documentation/admin-guide/mm/cma.rst.
 *
 * drivers/of/of_reserved_mem.c calls in here for each node, while memblock
 * hands out memory. The area is made at once, so that its memory is checked
 * against all that the board reserves, and all of its pieces are reserved or
 * none. A wrong node is refused with a message, and the boot goes on.
 *
 * No locks: nodes are read at boot, while one CPU runs. Addresses and sizes are
 * bytes; those of the tree have 64 bits, whatever the kernel can address.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/init.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/memblock.h>
#include <linux/numa.h>
#include <linux/of.h>
#include <linux/of_fdt.h>
#include <linux/of_reserved_mem.h>
#include <linux/sizes.h>
#include <linux/time64.h>

#include "dma-areas.h"

#define MAX_PIECES	8
#define LATENCY		"reclaim-latency-us"

/**
 * struct dma_area_node - a node that became an area
 * @node:	offset of the node
 * @area:	the area
 */
struct dma_area_node {
	unsigned long node;
	struct cma *area;
};

static struct dma_area_node area_nodes[MAX_CMA_AREAS + 1] __initdata;
static unsigned int nr_area_nodes __initdata;

/* Node of the default area, needed if "cma=" turns out to be wrong. */
static struct {
	unsigned long node;
	const char *name;
} spare __initdata;

/* Return: microseconds that devices of an area can wait; U32_MAX for ever. */
static u32 __init dma_area_node_latency(unsigned long node)
{
	int length;
	const __be32 *latency_us = of_get_flat_dt_prop(node, LATENCY, &length);

	return latency_us && length == sizeof(*latency_us) ?
	       be32_to_cpup(latency_us) : U32_MAX;
}

/*
 * Pages that are lent take a millisecond or more to evacuate, so devices that
 * cannot wait that long get an area that lends none. "cma_areas=" may make it
 * guaranteed.
 */
static enum cma_mode __init dma_area_node_mode(unsigned long node)
{
	return dma_area_node_latency(node) < USEC_PER_MSEC ? CMA_EXCLUSIVE :
							     CMA_SHARED;
}

static void __init dma_area_set_latency(unsigned long node, const char *name,
					struct cma *cma)
{
	u32 latency_us = dma_area_node_latency(node);

	if (dma_area_node_mode(node) != CMA_SHARED)
		cma_set_mode(cma, dma_area_node_mode(node));
	else if (latency_us != U32_MAX)
		cma_set_patience(cma, min_t(u32, latency_us / USEC_PER_MSEC,
					    CMA_PATIENCE_MAX_MS));
	else if (dma_area_node_has(node, LATENCY))
		pr_err("%s: " LATENCY " ignored, one cell expected\n", name);
}

/* dma_area_open_table() has checked that area_nodes[] has an entry left. */
static void __init dma_area_finish_node(unsigned long node, const char *name,
					struct cma *cma)
{
	area_nodes[nr_area_nodes++] = (struct dma_area_node) { node, cma };
	dma_area_set_latency(node, name, cma);
	cma_set_users(cma, CMA_FOR_REFERRERS, NULL);
	cma_set_source(cma, "the device tree");
	dma_area_register(cma, name, "", dma_area_apply_policy(cma).fallback);
	if (!dma_area_node_has(node, "linux,cma-default"))
		return;
	if (dma_area_cmdline_has_default())
		pr_info("%s: not the default area, the command line has cma=\n",
			name);
	else if (!dma_area_set_default(cma))
		pr_err("%s: not the default area, that is %s\n", name,
		       cma_get_name(dma_contiguous_default_area));
}

/* The default area uses the reserved last entry of the table of areas. */
static int __init dma_area_open_table(unsigned long node, const char *name)
{
	if (dma_area_node_has(node, "linux,cma-default") &&
	    !dma_contiguous_default_area)
		cma_areas_open_last();
	if (nr_area_nodes < ARRAY_SIZE(area_nodes))
		return 0;
	pr_err("%s: there are %u areas already, see CONFIG_CMA_AREAS\n", name,
	       nr_area_nodes);
	return -ENOSPC;
}

/* A refused node gives up its claims and its entry of the table. */
static int __init dma_area_close_table(unsigned long node, const char *name,
				       int error)
{
	cma_withdraw_claims(name);
	if (dma_area_node_has(node, "linux,cma-default") &&
	    !dma_contiguous_default_area)
		cma_areas_close_last();
	return error;
}

/**
 * struct dma_area_reg - pieces of memory of a node
 * @base:	physical address of each
 * @size:	bytes of each
 * @nr:		number of pieces
 */
struct dma_area_reg {
	u64 base[MAX_PIECES];
	u64 size[MAX_PIECES];
	unsigned int nr;
};

static int __init dma_area_read_reg(unsigned long node, const char *name,
				    struct dma_area_reg *reg)
{
	struct dma_area_ranges ranges = dma_area_get_ranges(node, "reg");
	u64 base, size;

	if (ranges.is_wrong) {
		pr_err("%s: reg: %d cells for each address and %d for each size expected\n",
		       name, dt_root_addr_cells, dt_root_size_cells);
		return -EINVAL;
	}
	if (ranges.nr > MAX_PIECES)
		pr_err("%s: more than %d pieces of memory\n", name, MAX_PIECES);
	reg->nr = 0;
	while (dma_area_next_range(&ranges, &base, &size)) {
		if (reg->nr == MAX_PIECES) {
			pr_err("%s: not in the area: %#llx bytes at %#llx\n",
			       name, size, base);
			continue;
		}
		reg->base[reg->nr] = base;
		reg->size[reg->nr] = size;
		reg->nr++;
	}
	return 0;
}

static int __init dma_area_reserve_piece(const char *name, u64 base, u64 size)
{
	if (!size || !PAGE_ALIGNED(base | size)) {
		pr_err("%s: %#llx bytes at %#llx make no sense\n", name, size,
		       base);
		return -EINVAL;
	}
	if (base > PHYS_ADDR_MAX || size - 1 > PHYS_ADDR_MAX - base) {
		pr_err("%s: %#llx bytes at %#llx are not within reach of this kernel\n",
		       name, size, base);
		return -EINVAL;
	}
	return cma_reserve_fixed(base, size, name);
}

static int __init dma_area_make(const char *name,
				const struct dma_area_reg *reg,
				struct cma **cma)
{
	int error = cma_init_reserved_mem(reg->base[0], reg->size[0], 0, name,
					  cma);

	if (error)
		return error;
	/* A piece across the end of low memory counts as two. */
	for (unsigned int i = 1; i < reg->nr; i++) {
		if (!cma_add_reserved_mem(*cma, reg->base[i], reg->size[i]))
			continue;
		pr_err("%s: not in the area: %#llx bytes at %#llx\n", name,
		       reg->size[i], reg->base[i]);
		memblock_phys_free(reg->base[i], reg->size[i]);
	}
	return 0;
}

static int __init dma_area_declare_reg(unsigned long node, const char *name)
{
	struct dma_area_reg reg;
	struct cma *cma;
	int error;

	error = dma_area_open_table(node, name) ?:
		dma_area_read_reg(node, name, &reg);
	if (error)
		return dma_area_close_table(node, name, error);
	for (unsigned int i = 0; i < reg.nr; i++) {
		error = dma_area_reserve_piece(name, reg.base[i], reg.size[i]);
		if (!error)
			continue;
		reg.nr = i;
		goto free;
	}
	error = dma_area_make(name, &reg, &cma);
	if (error)
		goto free;
	dma_area_finish_node(node, name, cma);
	return 0;
free:
	for (unsigned int i = 0; i < reg.nr; i++)
		memblock_phys_free(reg.base[i], reg.size[i]);
	return dma_area_close_table(node, name, error);
}

/* "no-map" holds whatever else is wrong with a node. */
static void __init dma_area_mark_nomap(unsigned long node, const char *name)
{
	struct dma_area_reg reg;

	if (!dma_area_node_has(node, "reg") ||
	    dma_area_read_reg(node, name, &reg))
		return;
	for (unsigned int i = 0; i < reg.nr; i++)
		if (reg.base[i] <= PHYS_ADDR_MAX)
			memblock_mark_nomap(reg.base[i], reg.size[i]);
}

static int __init dma_area_check_node(unsigned long node, const char *name)
{
	dma_area_note_board();
	if (!dma_area_node_has(node, "no-map"))
		return 0;
	pr_err("%s: \"reusable\" and \"no-map\" exclude each other\n", name);
	dma_area_mark_nomap(node, name);
	return -EINVAL;
}

/* "cma=" overrides the node, but may turn out to be wrong later. */
static bool __init dma_area_make_spare(unsigned long node, const char *name)
{
	if (!dma_area_node_has(node, "linux,cma-default") || spare.node ||
	    !dma_area_cmdline_has_default())
		return false;
	spare.node = node;
	spare.name = name;
	return true;
}

/**
 * dma_area_reserve_reg() - make an area of a node with "reg"
 * @node:	offset of the node
 * @name:	its name
 *
 * Context: Boot, while memblock hands out memory.
 * Return: 0; -ENOENT if there is no "reg"; or an error, then nothing is reserved
 * and the log says why.
 */
int __init dma_area_reserve_reg(unsigned long node, const char *name)
{
	int error;

	if (!dma_area_node_has(node, "reg"))
		return -ENOENT;
	error = dma_area_check_node(node, name);
	if (error)
		return error;
	/* The caller treats a spare as reserved, as it may still be. */
	return dma_area_make_spare(node, name) ? 0 :
	       dma_area_declare_reg(node, name);
}

static int __init dma_area_read_number(unsigned long node, const char *name,
				       const char *property, int cells,
				       u64 *number)
{
	int length;
	const __be32 *prop = of_get_flat_dt_prop(node, property, &length);

	if (!prop)
		return 0;
	if (length != cells * (int)sizeof(*prop)) {
		pr_err("%s: %s: %d cells expected\n", name, property, cells);
		return -EINVAL;
	}
	*number = dt_mem_next_cell(cells, &prop);
	return 0;
}

static int __init dma_area_read_size(unsigned long node, const char *name,
				     u64 *size, u64 *alignment)
{
	int error;

	*size = 0;
	*alignment = 0;
	error = dma_area_read_number(node, name, "size", dt_root_size_cells,
				     size) ?:
		dma_area_read_number(node, name, "alignment",
				     dt_root_addr_cells, alignment);
	if (error)
		return error;
	if (!*size || !PAGE_ALIGNED(*size)) {
		pr_err("%s: a size of %#llx bytes makes no sense\n", name,
		       *size);
		return -EINVAL;
	}
	if (*alignment && !is_power_of_2(*alignment)) {
		pr_err("%s: alignment %#llx is not a power of two\n", name,
		       *alignment);
		return -EINVAL;
	}
	if (*size > PHYS_ADDR_MAX || *alignment > PHYS_ADDR_MAX) {
		pr_err("%s: %#llx bytes, aligned to %#llx, are more than this kernel reaches\n",
		       name, *size, *alignment);
		return -EINVAL;
	}
	return 0;
}

/* Devices reach 4 GiB in general. */
static int __init dma_area_declare_anywhere(struct cma_area_desc *desc,
					    struct cma **cma)
{
	bool may_choose = memblock_start_of_DRAM() < SZ_4G &&
			  memblock_end_of_DRAM() > SZ_4G;
	phys_addr_t low = may_choose ? min_t(u64, SZ_4G, PHYS_ADDR_MAX) : 0;

	return dma_area_declare_low_first(desc, low, 0, cma);
}

static int __init dma_area_declare_in_ranges(struct cma_area_desc *desc,
					     struct dma_area_ranges *ranges,
					     struct cma **cma)
{
	int error = -EINVAL;
	u64 start, size;

	if (ranges->is_wrong) {
		pr_err("%s: alloc-ranges: %d cells for each address and %d for each size expected\n",
		       desc->name, dt_root_addr_cells, dt_root_size_cells);
		return -EINVAL;
	}
	while (error && dma_area_next_range(ranges, &start, &size)) {
		u64 last = start + size - 1;

		if (!size || start > PHYS_ADDR_MAX) {
			pr_err("%s: alloc-ranges: %#llx bytes at %#llx are not within reach of this kernel\n",
			       desc->name, size, start);
			continue;
		}
		desc->base = start;
		/* A limit of 0 is the end of memory. */
		desc->limit = last < start || last >= PHYS_ADDR_MAX ? 0 :
			      last + 1;
		error = cma_declare(desc, cma);
	}
	return error;
}

static int __init dma_area_declare_size(unsigned long node, const char *name,
					struct cma **cma)
{
	struct cma_area_desc desc = { .name = name, .nid = NUMA_NO_NODE };
	struct dma_area_ranges ranges;
	u64 size, alignment;
	int error;

	error = dma_area_open_table(node, name) ?:
		dma_area_read_size(node, name, &size, &alignment);
	if (error)
		return dma_area_close_table(node, name, error);
	desc.size = size;
	desc.alignment = alignment;
	desc.mode = max(dma_area_node_mode(node),
			dma_area_find_policy(name).mode);
	ranges = dma_area_get_ranges(node, "alloc-ranges");
	error = ranges.cells ?
		dma_area_declare_in_ranges(&desc, &ranges, cma) :
		dma_area_declare_anywhere(&desc, cma);
	if (error)
		return dma_area_close_table(node, name, error);
	dma_area_finish_node(node, name, *cma);
	return 0;
}

/**
 * dma_area_reserve_size() - make an area of a node with "size"
 * @node:	offset of the node
 * @name:	its name
 * @base:	set to the physical address of the first piece of the area
 * @size:	set to the bytes of that piece
 *
 * Context: Boot, while memblock hands out memory, after all nodes with "reg".
 * Return: 0; or an error, then nothing is reserved and the log says why.
 */
int __init dma_area_reserve_size(unsigned long node, const char *name,
				 phys_addr_t *base, phys_addr_t *size)
{
	struct cma *cma;
	int error = dma_area_check_node(node, name);

	if (error)
		return error;
	if (dma_area_make_spare(node, name))
		return -EAGAIN;
	error = dma_area_declare_size(node, name, &cma);
	if (error)
		return error;
	*size = cma_get_piece(cma, 0, base);
	return 0;
}

/**
 * dma_area_settle_node() - use or drop the spare node of the default area
 * @needed:	"cma=" was refused, so use the node
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init dma_area_settle_node(bool needed)
{
	struct cma *cma;

	if (!spare.node)
		return;
	cma_withdraw_claims(spare.name);
	if (!needed)
		pr_info("%s: not used, the command line has cma=\n",
			spare.name);
	else if (dma_area_node_has(spare.node, "reg"))
		dma_area_declare_reg(spare.node, spare.name);
	else
		dma_area_declare_size(spare.node, spare.name, &cma);
}

static struct cma * __init dma_area_find_node(unsigned long node)
{
	for (unsigned int i = 0; i < nr_area_nodes; i++)
		if (area_nodes[i].node == node)
			return area_nodes[i].area;
	return NULL;
}

/**
 * dma_area_refused() - was the area that a node describes refused
 * @node:	offset of the node
 *
 * Context: Boot.
 * Return: true if so.
 */
bool __init dma_area_refused(unsigned long node)
{
	return dma_area_is_node(node) && !dma_area_find_node(node);
}

/* For drivers that call of_reserved_mem_device_init() themselves. */
int dma_area_node_device_init(struct reserved_mem *rmem, struct device *dev)
{
	return dma_area_put_first(dev, rmem->priv, rmem->name);
}

void dma_area_node_device_release(struct reserved_mem *rmem,
				  struct device *dev)
{
	dma_contiguous_unassign(dev, rmem->priv);
}

/**
 * dma_area_setup_node() - tell a node's reserved memory which area it is
 * @node:	offset of the node
 * @rmem:	its reserved memory
 *
 * Without "reusable", a "shared-dma-pool" is for kernel/dma/coherent.c.
 *
 * Context: Boot.
 * Return: 0, or -ENODEV if the node describes no area, or a refused one.
 */
int __init dma_area_setup_node(unsigned long node, struct reserved_mem *rmem)
{
	if (!dma_area_node_has(node, "reusable")) {
		if (dma_area_node_has(node, "linux,cma-default"))
			pr_err("%s: no area, and not the default one: \"reusable\" is missing\n",
			       rmem->name);
		else if (!dma_area_node_has(node, "no-map"))
			pr_info("%s: no area: \"reusable\" is missing\n",
				rmem->name);
		return -ENODEV;
	}
	rmem->priv = dma_area_find_node(node);
	return rmem->priv ? 0 : -ENODEV;
}

static bool dma_area_of_node_is_area(const struct device_node *node)
{
	return of_device_is_compatible(node, "shared-dma-pool") &&
	       of_property_read_bool(node, "reusable");
}

/*
 * Other kinds of memory are the business of the driver, a disabled node does
 * not exist, and "cma=" replaces a node of the default area. Boot messages say
 * why any other node is no area.
 */
static bool dma_area_refuse_of_node(struct device *dev,
				    const struct device_node *node)
{
	bool fallback = dma_area_lost_falls_back(kbasename(node->full_name));

	if (!dma_area_of_node_is_area(node) || !of_device_is_available(node) ||
	    (of_property_read_bool(node, "linux,cma-default") &&
	     dma_area_cmdline_has_default()))
		return false;
	if (!dma_area_is_logged(dev))
		dev_err(dev, "cma: %pOF is no area: not usable, or added after boot%s\n",
			node, fallback ? "" : "; so no memory for this device");
	dma_area_refuse(dev, fallback);
	return true;
}

/* Return: true if @node describes an area that does not exist. */
static bool dma_area_bind_of_node(struct device *dev, struct device_node *node,
				  int index)
{
	const char *name = kbasename(node->full_name), *type = NULL;
	struct cma *cma = dma_area_of_node_is_area(node) ?
			  dma_area_by_node_name(name) : NULL;

	if (!cma)
		return dma_area_refuse_of_node(dev, node);
	if (of_property_read_string_index(dev->of_node, "memory-region-names",
					  index, &type))
		type = name;
	dma_area_bind(dev, cma, type);
	return false;
}

/* A boot loader may have removed a node that described an area. */
static bool dma_area_refuse_phandle(struct device *dev, int index)
{
	if (!dma_area_is_logged(dev))
		dev_err(dev, "cma: memory-region %d is no node of the device tree; so no memory for this device\n",
			index);
	dma_area_refuse(dev, false);
	return true;
}

/**
 * dma_area_bind_of() - give a device the areas that its node refers to
 * @dev:	the device
 *
 * Context: May sleep.
 * Return: true if one of them does not exist, which the log says.
 */
bool dma_area_bind_of(struct device *dev)
{
	int nr = of_count_phandle_with_args(dev->of_node, "memory-region", NULL);
	bool missing = false;

	for (int i = 0; i < nr; i++) {
		struct device_node *node;
		u32 phandle = 0;

		/* 0 holds the place of an area that the board does without. */
		of_property_read_u32_index(dev->of_node, "memory-region", i,
					   &phandle);
		if (!phandle)
			continue;
		node = of_parse_phandle(dev->of_node, "memory-region", i);
		missing |= node ? dma_area_bind_of_node(dev, node, i) :
				  dma_area_refuse_phandle(dev, i);
		of_node_put(node);
	}
	return missing;
}
