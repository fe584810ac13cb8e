// SPDX-License-Identifier: GPL-2.0
/*
 * Areas that board code declares.
 *
 * Board code declares its areas before the device tree's reserved memory is
 * known. They wait in a queue for dma_contiguous_reserve(), which reserves
 * those with an address first.
 *
 * No locks: boot only. Addresses and sizes are bytes.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/init.h>

#include "dma-areas.h"

/**
 * struct dma_area_queued - an area of board code that is not reserved yet
 * @desc:	the declaration
 * @res_cma:	where board code expects the area, or NULL
 */
struct dma_area_queued {
	struct dma_contiguous_area_desc desc;
	struct cma **res_cma;
};

static struct dma_area_queued queue[MAX_CMA_AREAS] __initdata;
static unsigned int nr_queued __initdata;
static bool queue_is_closed __initdata;

static int __init dma_area_reserve_queued(struct dma_area_queued *queued,
					  phys_addr_t addr_limit)
{
	return dma_area_declare(&queued->desc, addr_limit, "board code",
				queued->res_cma);
}

/**
 * dma_area_reserve_board() - reserve areas of board code
 * @addr_limit:	first physical address that devices in general cannot reach, 0
 *		for none
 * @fixed:	those with an address; otherwise the others
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init dma_area_reserve_board(phys_addr_t addr_limit, bool fixed)
{
	queue_is_closed = true;
	for (unsigned int i = 0; i < nr_queued; i++)
		if (queue[i].desc.fixed == fixed)
			dma_area_reserve_queued(&queue[i], addr_limit);
}

/**
 * dma_contiguous_declare() - declare an area
 * @area:	the declaration; its strings are copied
 * @res_cma:	set to the area once it is reserved; stays NULL if that fails,
 *		or if the size is 0. May be NULL
 *
 * dma_contiguous_reserve() reserves areas, when it knows all about the memory
 * of the board: those with an address first. The common area of the type "dma"
 * becomes the default area if there is no other.
 *
 * Context: Boot, while memblock hands out memory: from ->reserve() of a board.
 * Return: 0; -ENOMEM if there is no room for its name; -ENOSPC if there are
 * CONFIG_CMA_AREAS areas already. The log says what is wrong, now or later.
 */
int __init dma_contiguous_declare(const struct dma_contiguous_area_desc *area,
				  struct cma **res_cma)
{
	struct dma_area_queued new = { *area, res_cma };
	int error;

	if (res_cma)
		*res_cma = NULL;
	error = dma_area_copy_names(&new.desc);
	if (error)
		return error;
	if (queue_is_closed)
		return dma_area_reserve_queued(&new, 0);
	if (nr_queued == ARRAY_SIZE(queue)) {
		pr_err("%s: more than %zu areas in board code, see CONFIG_CMA_AREAS\n",
		       area->type, ARRAY_SIZE(queue));
		/* The devices of a lost area must not get other memory. */
		if (new.desc.devices)
			dma_area_register(NULL, new.desc.type,
					  new.desc.devices, area->fallback);
		return -ENOSPC;
	}
	dma_area_note_board();
	if (new.desc.fixed)
		cma_claim_memory(area->base, area->size, "board code", true);
	queue[nr_queued++] = new;
	return 0;
}

/**
 * dma_contiguous_reserve_area() - reserve an area at once
 * @size:	bytes
 * @base:	lowest physical address; the address if @fixed
 * @limit:	first physical address behind the area, 0 for the end of memory
 * @res_cma:	set to the area
 * @fixed:	at @base or not at all
 *
 * dma_contiguous_assign() gives the area to a device. dma_contiguous_declare()
 * has more options.
 *
 * Context: Boot, while memblock hands out memory.
 * Return: 0, or the error of cma_declare_contiguous().
 */
int __init dma_contiguous_reserve_area(phys_addr_t size, phys_addr_t base,
				       phys_addr_t limit, struct cma **res_cma,
				       bool fixed)
{
	dma_area_note_board();
	return cma_declare_contiguous(base, size, limit, 0, 0, fixed,
				      "reserved", res_cma);
}
