// SPDX-License-Identifier: GPL-2.0
/*
 * The order in which areas are reserved at boot.
 *
 * Areas of the device tree come before: drivers/of/of_reserved_mem.c calls
 * dma-areas-of.c.
 *
 * No locks: boot only. Addresses are bytes.
 */
#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/init.h>

#include "dma-areas.h"

static void __init dma_area_reserve_addresses(phys_addr_t addr_limit)
{
	dma_area_note_board();
	dma_area_reserve_cma(addr_limit, true);
	cma_withdraw_claims("board code");
	dma_area_reserve_board(addr_limit, true);
	cma_withdraw_claims("cma_areas=");
	dma_area_reserve_cmdline(addr_limit, true);
}

static void __init dma_area_reserve_default(phys_addr_t addr_limit)
{
	bool is_settled;

	dma_area_reserve_cma(addr_limit, false);
	is_settled = dma_area_cmdline_has_default();
	dma_area_settle_node(!is_settled);
	if (is_settled || dma_contiguous_default_area)
		return;
	if (dma_area_of_dma_type())
		dma_area_set_default(dma_area_of_dma_type());
	else
		dma_area_reserve_configured(addr_limit);
}

/**
 * dma_contiguous_reserve() - reserve all areas but those of the device tree
 * @addr_limit:	first physical address that devices in general cannot reach, 0
 *		for none
 *
 * Areas with an address come first, before the kernel puts anything there.
 *
 * Context: Boot; the architecture calls it while memblock hands out memory.
 */
void __init dma_contiguous_reserve(phys_addr_t addr_limit)
{
	dma_area_reserve_addresses(addr_limit);
	dma_area_reserve_board(addr_limit, false);
	dma_area_reserve_cmdline(addr_limit, false);
	dma_area_reserve_default(addr_limit);
	dma_area_reserve_nodes();
	dma_area_settle_policies();
}
