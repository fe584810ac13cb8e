// SPDX-License-Identifier: GPL-2.0
/*
 * Areas of NUMA nodes: "cma_pernuma=" and "numa_cma=".
 *
 * A device without an area of its own tries the areas of its node before the
 * default area. If neither option is given, CONFIG_CMA_SIZE_PERNUMA asks for as
 * much as the default area has on every node.
 *
 * No locks: written at boot, while one CPU runs, and only read from then on.
 * Sizes are bytes.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/device.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/nodemask.h>

#include "dma-areas.h"
#include "dma-areas-numa.h"

static struct cma *node_areas[MAX_NUMNODES][DMA_AREAS_NUMA];
static phys_addr_t node_size[MAX_NUMNODES] __initdata;
static phys_addr_t every_node_size __initdata;
static bool cmdline_has_nodes __initdata;

static int __init dma_area_parse_numa_cma(char *text)
{
	const char *wrong = text ? cma_parse_nodes(text, node_size,
						   MAX_NUMNODES) :
				   "a node is missing";

	cmdline_has_nodes = true;
	if (wrong)
		pr_err("\"numa_cma=%s\": %s, that and what follows is ignored\n",
		       text ?: "", wrong);
	return 0;
}
early_param("numa_cma", dma_area_parse_numa_cma);

static int __init dma_area_parse_pernuma(char *text)
{
	struct cma_spec spec = { };
	const char *wrong = text ? cma_parse_spec(text, &spec) :
				   "a size is missing";

	cmdline_has_nodes = true;
	if (wrong) {
		pr_err("\"cma_pernuma=%s\" ignored: %s\n", text ?: "", wrong);
		return 0;
	}
	if (spec.has_base || *spec.rest)
		pr_warn("\"cma_pernuma=%s\": what is behind the size is ignored\n",
			text);
	every_node_size = spec.size;
	return 0;
}
early_param("cma_pernuma", dma_area_parse_pernuma);

/* A node may be online for its processors alone. */
static bool __init dma_area_numa_has_memory(int nid)
{
	unsigned long start_pfn;
	int i;

	for_each_mem_pfn_range(i, nid, &start_pfn, NULL, NULL)
		return true;
	return false;
}

/*
 * With memory on one node only, an area there would be no closer to any device
 * than the default area is.
 */
static phys_addr_t __init dma_area_default_node_size(void)
{
	int nid, nr_nodes = 0;

	if (!IS_ENABLED(CONFIG_CMA_SIZE_PERNUMA) ||
	    !dma_contiguous_default_area)
		return 0;
	for_each_online_node(nid)
		nr_nodes += dma_area_numa_has_memory(nid);
	return nr_nodes > 1 ? cma_get_size(dma_contiguous_default_area) : 0;
}

/* cma_declare() logs the reason of a failure. */
static void __init dma_area_reserve_on_node(int nid,
					    const struct dma_area_numa *of,
					    struct cma **area)
{
	char name[CMA_MAX_NAME];
	struct cma_area_desc desc = {
		.size	= of->size,
		.mode	= CMA_SHARED,
		.name	= name,
		.nid	= nid,
	};

	snprintf(name, sizeof(name), "%s%d", of->prefix, nid);
	if (cma_declare(&desc, area))
		return;
	cma_set_users(*area, CMA_FOR_NODE, NULL);
	cma_set_source(*area, cmdline_has_nodes ? "the command line" :
						  "the configuration");
}

static void __init dma_area_reserve_node(int nid, phys_addr_t every)
{
	struct dma_area_numa areas[DMA_AREAS_NUMA];

	if (!node_online(nid) || !dma_area_numa_has_memory(nid)) {
		if (node_size[nid])
			pr_err("numa_cma: there is no node %d\n", nid);
		return;
	}
	dma_area_choose_numa(node_size[nid], every, areas);
	for (unsigned int i = 0; i < DMA_AREAS_NUMA; i++)
		if (areas[i].size)
			dma_area_reserve_on_node(nid, &areas[i],
						 &node_areas[nid][i]);
}

/**
 * dma_area_reserve_nodes() - reserve the areas of all nodes
 *
 * Context: Boot, while memblock hands out memory; the default area is reserved
 * already.
 */
void __init dma_area_reserve_nodes(void)
{
	phys_addr_t every = every_node_size;

	if (!cmdline_has_nodes)
		every = dma_area_default_node_size();
	for (int nid = 0; nid < MAX_NUMNODES; nid++)
		dma_area_reserve_node(nid, every);
}

/**
 * dma_area_add_node() - add the areas of the node of a device to a snapshot
 * @dev:	the device; NULL for none
 * @areas:	the snapshot
 *
 * Context: Any.
 */
void dma_area_add_node(struct device *dev, struct dma_area_snapshot *areas)
{
	int nid = dev ? dev_to_node(dev) : NUMA_NO_NODE;

	if (nid == NUMA_NO_NODE)
		return;
	for (unsigned int i = 0; i < DMA_AREAS_NUMA; i++)
		if (node_areas[nid][i])
			areas->area[areas->nr++] = node_areas[nid][i];
}
