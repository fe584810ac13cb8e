// SPDX-License-Identifier: GPL-2.0
/*
 * Areas in the device tree: from a reserved-memory node to an area.
 *
 * drivers/of/of_reserved_mem.c asks for each node while memblock hands out
 * memory, and the area is made at once: its memory is checked against all that
 * the board says, all of it is reserved or none, and what comes later knows
 * which areas there are. A node that makes no sense is refused, with a message.
 *
 * No locks: boot only. Addresses and sizes are bytes; those of the tree have 64
 * bits, whatever the kernel reaches.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/init.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/memblock.h>
#include <linux/numa.h>
#include <linux/of_fdt.h>
#include <linux/sizes.h>
#include <linux/time64.h>

#include "dma-areas.h"

#define MAX_PIECES	8
#define LATENCY		"reclaim-latency-us"

/**
 * struct area_node - a node that became an area
 * @node:	offset of the node
 * @area:	the area
 */
struct area_node {
	unsigned long node;
	struct cma *area;
};

static struct area_node area_nodes[MAX_CMA_AREAS + 1] __initdata;
static unsigned int nr_area_nodes __initdata;

/* The default area's node, to serve if the one on the command line cannot. */
static struct {
	unsigned long node;
	const char *name;
} spare __initdata;

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

/* How long the devices of an area can wait for memory; U32_MAX if for ever. */
static u32 __init latency_of(unsigned long node)
{
	int length;
	const __be32 *latency_us = of_get_flat_dt_prop(node, LATENCY, &length);

	return latency_us && length == sizeof(*latency_us) ?
	       be32_to_cpup(latency_us) : U32_MAX;
}

/*
 * A request for lent memory may take a millisecond and more. Devices that cannot
 * wait that long get an exclusive area.
 */
static bool __init has_no_time(unsigned long node)
{
	return latency_of(node) < USEC_PER_MSEC;
}

static void __init set_latency(unsigned long node, const char *name,
			       struct cma *cma)
{
	u32 latency_us = latency_of(node);

	if (has_no_time(node))
		cma_set_mode(cma, CMA_EXCLUSIVE);
	else if (latency_us != U32_MAX)
		cma_set_patience(cma, min_t(u32, latency_us / USEC_PER_MSEC,
					    CMA_PATIENCE_MAX_MS));
	else if (has(node, LATENCY))
		pr_err("%s: " LATENCY " ignored, one cell expected\n", name);
}

/* An area is made. Its size was checked against the table's. */
static void __init finish_node(unsigned long node, const char *name,
			       struct cma *cma)
{
	area_nodes[nr_area_nodes++] = (struct area_node) { node, cma };
	set_latency(node, name, cma);
	cma_set_users(cma, CMA_FOR_REFERRERS, NULL);
	cma_set_source(cma, "the device tree");
	dma_area_register(cma, name, "", dma_area_set_policy(cma).fallback);
	if (!has(node, "linux,cma-default"))
		return;
	if (dma_areas_default_on_cmdline())
		pr_info("%s: not the default area, the command line has cma=\n",
			name);
	else if (!dma_areas_set_default(cma))
		pr_err("%s: not the default area, that is %s\n", name,
		       cma_get_name(dma_contiguous_default_area));
}

/* The default area has its place in the table however many others there are. */
static int __init open_table(unsigned long node, const char *name)
{
	if (has(node, "linux,cma-default") && !dma_contiguous_default_area)
		cma_areas_open_last();
	if (nr_area_nodes < ARRAY_SIZE(area_nodes))
		return 0;
	pr_err("%s: there are %u areas already, see CONFIG_CMA_AREAS\n", name,
	       nr_area_nodes);
	return -ENOSPC;
}

/* A refused node keeps neither memory nor an entry of the table from others. */
static int __init close_table(unsigned long node, const char *name, int error)
{
	cma_withdraw_claims(name);
	if (has(node, "linux,cma-default") && !dma_contiguous_default_area)
		cma_areas_close_last();
	return error;
}

/**
 * struct node_reg - the pieces of "reg"
 * @base:	physical address of each
 * @size:	bytes of each
 * @nr:		number of pieces
 */
struct node_reg {
	u64 base[MAX_PIECES];
	u64 size[MAX_PIECES];
	unsigned int nr;
};

static int __init read_reg(unsigned long node, const char *name,
			   struct node_reg *pieces)
{
	int cells = dt_root_addr_cells + dt_root_size_cells, length;
	const __be32 *reg = of_get_flat_dt_prop(node, "reg", &length);
	int nr = length / (cells * sizeof(*reg));

	if (nr <= 0 || length % (cells * sizeof(*reg))) {
		pr_err("%s: reg: %d cells for each address and %d for each size expected\n",
		       name, dt_root_addr_cells, dt_root_size_cells);
		return -EINVAL;
	}
	if (nr > MAX_PIECES)
		pr_err("%s: more than %d pieces of memory\n", name, MAX_PIECES);
	pieces->nr = 0;
	for (int i = 0; i < nr; i++) {
		u64 base = dt_mem_next_cell(dt_root_addr_cells, &reg);
		u64 size = dt_mem_next_cell(dt_root_size_cells, &reg);

		if (i >= MAX_PIECES) {
			pr_err("%s: not in the area: %#llx bytes at %#llx\n",
			       name, size, base);
			continue;
		}
		pieces->base[i] = base;
		pieces->size[i] = size;
		pieces->nr++;
	}
	return 0;
}

static int __init reserve_piece(const char *name, u64 base, u64 size)
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

static int __init make_area(const char *name, const struct node_reg *pieces,
			    struct cma **cma)
{
	int error = cma_init_reserved_mem(pieces->base[0], pieces->size[0], 0,
					  name, cma);

	if (error)
		return error;
	/* The end of low memory may make two of a piece, and so one too many. */
	for (unsigned int i = 1; i < pieces->nr; i++) {
		if (!cma_add_reserved_mem(*cma, pieces->base[i],
					  pieces->size[i]))
			continue;
		pr_err("%s: not in the area: %#llx bytes at %#llx\n", name,
		       pieces->size[i], pieces->base[i]);
		memblock_phys_free(pieces->base[i], pieces->size[i]);
	}
	return 0;
}

static int __init declare_reg(unsigned long node, const char *name)
{
	struct node_reg pieces;
	struct cma *cma;
	int error;

	error = open_table(node, name) ?: read_reg(node, name, &pieces);
	if (error)
		return close_table(node, name, error);
	for (unsigned int i = 0; i < pieces.nr; i++) {
		error = reserve_piece(name, pieces.base[i], pieces.size[i]);
		if (!error)
			continue;
		pieces.nr = i;
		goto free;
	}
	error = make_area(name, &pieces, &cma);
	if (error)
		goto free;
	finish_node(node, name, cma);
	return 0;
free:
	for (unsigned int i = 0; i < pieces.nr; i++)
		memblock_phys_free(pieces.base[i], pieces.size[i]);
	return close_table(node, name, error);
}

/* Memory that is not to be mapped is not, whatever else is said of it. */
static void __init keep_unmapped(unsigned long node, const char *name)
{
	struct node_reg pieces;

	if (!has(node, "reg") || read_reg(node, name, &pieces))
		return;
	for (unsigned int i = 0; i < pieces.nr; i++)
		if (pieces.base[i] <= PHYS_ADDR_MAX)
			memblock_mark_nomap(pieces.base[i], pieces.size[i]);
}

/* Whether a node can be used at all. */
static int __init check_node(unsigned long node, const char *name)
{
	dma_areas_note_board();
	if (!has(node, "no-map"))
		return 0;
	pr_err("%s: \"reusable\" and \"no-map\" exclude each other\n", name);
	keep_unmapped(node, name);
	return -EINVAL;
}

/* The command line wins, unless that turns out to make no sense. */
static bool __init is_spare(unsigned long node, const char *name)
{
	if (!has(node, "linux,cma-default") || spare.node ||
	    !dma_areas_default_on_cmdline())
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
 * Return: 0; or an error, and nothing is reserved. The log says what is wrong.
 */
int __init dma_area_reserve_reg(unsigned long node, const char *name)
{
	int error = check_node(node, name);

	if (error)
		return error;
	/* A spare counts as one that is reserved: it may still be. */
	return is_spare(node, name) ? 0 : declare_reg(node, name);
}

static int __init read_number(unsigned long node, const char *name,
			      const char *property, int cells, u64 *number)
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

static int __init read_size(unsigned long node, const char *name, u64 *size,
			    u64 *alignment)
{
	int error;

	*size = 0;
	*alignment = 0;
	error = read_number(node, name, "size", dt_root_size_cells, size) ?:
		read_number(node, name, "alignment", dt_root_addr_cells,
			    alignment);
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

/* In reach of devices if there is room, anywhere if not. */
static int __init declare_anywhere(struct cma_area_desc *desc, struct cma **cma)
{
	int error;

	desc->quiet = memblock_start_of_DRAM() < SZ_4G &&
		      memblock_end_of_DRAM() > SZ_4G;
	desc->limit = desc->quiet ? min_t(u64, SZ_4G, PHYS_ADDR_MAX) : 0;
	error = cma_declare(desc, cma);
	if (!error || !desc->quiet)
		return error;
	desc->limit = 0;
	desc->quiet = false;
	return cma_declare(desc, cma);
}

/* The ranges are tried in their order. */
static int __init declare_in_ranges(struct cma_area_desc *desc,
				    const __be32 *ranges, int length,
				    struct cma **cma)
{
	int cells = dt_root_addr_cells + dt_root_size_cells;
	int error = -EINVAL;

	if (!length || length % (cells * sizeof(*ranges))) {
		pr_err("%s: alloc-ranges: %d cells for each address and %d for each size expected\n",
		       desc->name, dt_root_addr_cells, dt_root_size_cells);
		return -EINVAL;
	}
	for (; length && error; length -= cells * sizeof(*ranges)) {
		u64 start = dt_mem_next_cell(dt_root_addr_cells, &ranges);
		u64 size = dt_mem_next_cell(dt_root_size_cells, &ranges);
		u64 last = start + size - 1;

		if (!size || start > PHYS_ADDR_MAX) {
			pr_err("%s: alloc-ranges: %#llx bytes at %#llx are not within reach of this kernel\n",
			       desc->name, size, start);
			continue;
		}
		desc->base = start;
		/* 0 is the end of memory. */
		desc->limit = last < start || last >= PHYS_ADDR_MAX ? 0 :
			      last + 1;
		error = cma_declare(desc, cma);
	}
	return error;
}

static int __init declare_size(unsigned long node, const char *name,
			       struct cma **cma)
{
	struct cma_area_desc desc = { .name = name, .nid = NUMA_NO_NODE };
	const __be32 *ranges;
	u64 size, alignment;
	int error, length;

	error = open_table(node, name) ?:
		read_size(node, name, &size, &alignment);
	if (error)
		return close_table(node, name, error);
	desc.size = size;
	desc.alignment = alignment;
	if (has_no_time(node) || dma_area_policy(name).exclusive)
		desc.mode = CMA_EXCLUSIVE;
	ranges = of_get_flat_dt_prop(node, "alloc-ranges", &length);
	error = ranges ? declare_in_ranges(&desc, ranges, length, cma) :
			 declare_anywhere(&desc, cma);
	if (error)
		return close_table(node, name, error);
	finish_node(node, name, *cma);
	return 0;
}

/**
 * dma_area_reserve_size() - make an area of a node with "size"
 * @node:	offset of the node
 * @name:	its name
 * @base:	set to the physical address of the area, of its first piece
 * @size:	set to the bytes of that piece
 *
 * Context: Boot, while memblock hands out memory, when all nodes with "reg"
 * have been reserved.
 * Return: 0; or an error, and nothing is reserved. The log says what is wrong.
 */
int __init dma_area_reserve_size(unsigned long node, const char *name,
				 phys_addr_t *base, phys_addr_t *size)
{
	struct cma *cma;
	int error = check_node(node, name);

	if (error)
		return error;
	if (is_spare(node, name))
		return -EAGAIN;
	error = declare_size(node, name, &cma);
	if (error)
		return error;
	*size = cma_get_piece(cma, 0, base);
	return 0;
}

/**
 * dma_areas_settle_node() - what becomes of the default area's node
 * @needed:	the command line has no default area after all
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init dma_areas_settle_node(bool needed)
{
	struct cma *cma;

	if (!spare.node)
		return;
	cma_withdraw_claims(spare.name);
	if (!needed)
		pr_info("%s: not used, the command line has cma=\n",
			spare.name);
	else if (has(spare.node, "reg"))
		declare_reg(spare.node, spare.name);
	else
		declare_size(spare.node, spare.name, &cma);
}

/**
 * dma_area_of_node() - the area that was made of a node
 * @node:	offset of the node
 *
 * Context: Boot.
 * Return: the area, or NULL if there is none.
 */
struct cma * __init dma_area_of_node(unsigned long node)
{
	for (unsigned int i = 0; i < nr_area_nodes; i++)
		if (area_nodes[i].node == node)
			return area_nodes[i].area;
	return NULL;
}

/**
 * dma_area_refused() - is there no area though a node means one
 * @node:	offset of the node
 *
 * Context: Boot.
 * Return: true if so.
 */
bool __init dma_area_refused(unsigned long node)
{
	return dma_area_is_node(node) && !dma_area_of_node(node);
}
