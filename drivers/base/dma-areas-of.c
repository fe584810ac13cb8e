// SPDX-License-Identifier: GPL-2.0
/*
 * Areas in the device tree: reserved-memory nodes, and devices that refer to
 * them.
 *
 * See Documentation/admin-guide/mm/cma.rst. What is wrong with a node is said, and
 * the boot goes on without what is wrong.
 *
 * No locks: nodes are read at boot, while one CPU runs. Sizes are bytes.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/init.h>
#include <linux/of.h>
#include <linux/of_fdt.h>
#include <linux/of_reserved_mem.h>

#include "dma-areas.h"

/* Each driver that is bound asks for its own; drivers do it themselves, too. */
static int assign_area_of_node(struct reserved_mem *rmem, struct device *dev)
{
	return dma_area_put_first(dev, rmem->priv, rmem->name);
}

static void unassign_area_of_node(struct reserved_mem *rmem, struct device *dev)
{
	dma_contiguous_unassign(dev, rmem->priv);
}

static const struct reserved_mem_ops area_node_ops = {
	.device_init	= assign_area_of_node,
	.device_release	= unassign_area_of_node,
};

/*
 * A "shared-dma-pool" node; without "reusable" it is somebody else's. The area
 * was made when its memory was reserved.
 */
static int __init set_up_area_node(struct reserved_mem *rmem)
{
	unsigned long node = rmem->fdt_node;

	if (!of_get_flat_dt_prop(node, "reusable", NULL)) {
		if (of_get_flat_dt_prop(node, "linux,cma-default", NULL))
			pr_err("%s: no area, and not the default one: \"reusable\" is missing\n",
			       rmem->name);
		else if (!of_get_flat_dt_prop(node, "no-map", NULL))
			pr_info("%s: no area: \"reusable\" is missing\n",
				rmem->name);
		return -EINVAL;
	}
	rmem->priv = dma_area_of_node(node);
	if (!rmem->priv)
		return -EINVAL;
	rmem->ops = &area_node_ops;
	return 0;
}

RESERVEDMEM_OF_DECLARE(cma, "shared-dma-pool", set_up_area_node);

static bool means_area(const struct device_node *node)
{
	return of_device_is_compatible(node, "shared-dma-pool") &&
	       of_property_read_bool(node, "reusable");
}

/* The command line's default area, or none, stands for one of the tree. */
static bool is_replaced(const struct device_node *node)
{
	return of_property_read_bool(node, "linux,cma-default") &&
	       dma_areas_default_on_cmdline();
}

/*
 * Other kinds of memory are the driver's business, and what is disabled is not
 * there. Why a node is no area was said at boot, unless it came later.
 */
static bool refuse_node(struct device *dev, const struct device_node *node)
{
	bool fallback = dma_area_was_spare(kbasename(node->full_name));

	if (!means_area(node) || !of_device_is_available(node) ||
	    is_replaced(node))
		return false;
	if (!dma_areas_told(dev))
		dev_err(dev, "cma: %pOF is no area: not usable, or added after boot%s\n",
			node, fallback ? "" : "; so no memory for this device");
	dma_area_refuse(dev, fallback);
	return true;
}

/* Return: true if it means an area that does not exist. */
static bool bind_node(struct device *dev, struct device_node *node, int index)
{
	const char *name = kbasename(node->full_name), *type = NULL;
	struct cma *cma = means_area(node) ? dma_area_of_tree(name) : NULL;

	if (!cma)
		return refuse_node(dev, node);
	if (of_property_read_string_index(dev->of_node, "memory-region-names",
					  index, &type))
		type = name;
	dma_area_bind(dev, cma, type);
	return false;
}

/*
 * A node that a boot loader took out of the tree may have been an area. Return:
 * true, as it does not exist.
 */
static bool refuse_lost(struct device *dev, int index)
{
	if (!dma_areas_told(dev))
		dev_err(dev, "cma: memory-region %d is no node of the device tree; so no memory for this device\n",
			index);
	dma_area_refuse(dev, false);
	return true;
}

/**
 * dma_areas_bind_of() - give a device the areas that its node refers to
 * @dev:	the device
 *
 * Context: May sleep.
 * Return: true if one of them does not exist, which the log says.
 */
bool dma_areas_bind_of(struct device *dev)
{
	int nr = of_count_phandle_with_args(dev->of_node, "memory-region", NULL);
	bool missing = false;

	for (int i = 0; i < nr; i++) {
		struct device_node *node;
		u32 phandle = 0;

		/* 0 keeps the place of one that the board does without. */
		of_property_read_u32_index(dev->of_node, "memory-region", i,
					   &phandle);
		if (!phandle)
			continue;
		node = of_parse_phandle(dev->of_node, "memory-region", i);
		missing |= node ? bind_node(dev, node, i) : refuse_lost(dev, i);
		of_node_put(node);
	}
	return missing;
}
