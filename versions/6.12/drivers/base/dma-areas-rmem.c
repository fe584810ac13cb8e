// SPDX-License-Identifier: GPL-2.0
/*
 * Registers the areas of the device tree with drivers/of/of_reserved_mem.c of
 * Linux 6.12.
 */
#include <linux/init.h>
#include <linux/of_reserved_mem.h>

#include "dma-areas.h"

static const struct reserved_mem_ops dma_area_node_ops = {
	.device_init	= dma_area_node_device_init,
	.device_release	= dma_area_node_device_release,
};

static int __init dma_area_setup_rmem(struct reserved_mem *rmem)
{
	int error = dma_area_setup_node(rmem->fdt_node, rmem);

	if (!error)
		rmem->ops = &dma_area_node_ops;
	return error;
}

RESERVEDMEM_OF_DECLARE(cma, "shared-dma-pool", dma_area_setup_rmem);
