// SPDX-License-Identifier: GPL-2.0
/*
 * Registers the areas of the device tree with drivers/of/of_reserved_mem.c.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/init.h>
#include <linux/of_reserved_mem.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "dma-areas.h"

/* A refused area gives no memory back: it has reserved none. */
static int __init dma_area_node_validate(unsigned long node,
					 phys_addr_t *align)
{
	if (!dma_area_is_node(node))
		return -ENODEV;
	return dma_area_refused(node) ? -EINVAL : 0;
}

/* Programs may allocate from each area of the device tree. */
static void __init dma_area_give_heap(struct cma *cma, const char *name)
{
	static const char * const taken[] = {
		"default_cma_region", "system", "system_cc_shared",
	};

	if (match_string(taken, ARRAY_SIZE(taken), name) < 0)
		cma_set_heap(cma);
	else
		pr_warn("%s: no heap, another one has this name\n", name);
}

static int __init dma_area_node_init(unsigned long node,
				     struct reserved_mem *rmem)
{
	int error = dma_area_setup_node(node, rmem);

	if (!error)
		dma_area_give_heap(rmem->priv, rmem->name);
	return error;
}

static const struct reserved_mem_ops dma_area_node_ops = {
	.node_validate	= dma_area_node_validate,
	.node_init	= dma_area_node_init,
	.device_init	= dma_area_node_device_init,
	.device_release	= dma_area_node_device_release,
};

RESERVEDMEM_OF_DECLARE(cma, "shared-dma-pool", &dma_area_node_ops);
