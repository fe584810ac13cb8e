// SPDX-License-Identifier: GPL-2.0
/*
 * Areas of NUMA nodes: "cma_pernuma=" and "numa_cma=".
 *
 * A device without an area of its own tries the areas of its node before the
 * default area.
 *
 * No locks: written at boot, while one CPU runs, and only read from then on.
 * Sizes are bytes.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/device.h>
#include <linux/init.h>
#include <linux/nodemask.h>

#include "dma-areas.h"

static struct cma *node_area[MAX_NUMNODES];
static struct cma *every_node_area[MAX_NUMNODES];
static phys_addr_t node_size[MAX_NUMNODES] __initdata;
static phys_addr_t every_node_size __initdata;

static int __init dma_area_parse_numa_cma(char *text)
{
	const char *wrong = text ? cma_parse_nodes(text, node_size,
						   MAX_NUMNODES) :
				   "a node is missing";

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

/* cma_declare_contiguous_nid() logs the reason of a failure. */
static void __init dma_area_reserve_on_node(int nid, phys_addr_t size,
					    const char *prefix,
					    struct cma **area)
{
	char name[CMA_MAX_NAME];

	if (!size)
		return;
	snprintf(name, sizeof(name), "%s%d", prefix, nid);
	if (cma_declare_contiguous_nid(0, size, 0, 0, 0, false, name, area,
				       nid))
		return;
	cma_set_users(*area, CMA_FOR_NODE, NULL);
	cma_set_source(*area, "the command line");
}

/**
 * dma_area_reserve_nodes() - reserve the areas of all nodes
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init dma_area_reserve_nodes(void)
{
	int nid;

	for (nid = 0; nid < MAX_NUMNODES; nid++) {
		if (node_online(nid))
			dma_area_reserve_on_node(nid, every_node_size,
						 "pernuma",
						 &every_node_area[nid]);
		else if (node_size[nid])
			pr_err("numa_cma: there is no node %d\n", nid);
		if (node_online(nid))
			dma_area_reserve_on_node(nid, node_size[nid], "numa",
						 &node_area[nid]);
	}
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
	if (every_node_area[nid])
		areas->area[areas->nr++] = every_node_area[nid];
	if (node_area[nid])
		areas->area[areas->nr++] = node_area[nid];
}
