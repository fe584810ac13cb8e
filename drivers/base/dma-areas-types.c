// SPDX-License-Identifier: GPL-2.0
/*
 * Memory types that board code defines.
 *
 * No locks: boot only. Addresses and sizes are bytes.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/dma-map-ops.h>
#include <linux/init.h>
#include <linux/string.h>

#include "dma-areas.h"

static struct dma_contiguous_area_desc types[8] __initdata;
static unsigned int nr_types __initdata;

/**
 * dma_contiguous_define_type() - define a memory type of a board
 * @type:	->type is its name; ->base, ->limit and ->alignment are its
 *		place; ->fallback lets other memory stand in. The rest is unused
 *
 * Reserves nothing. Areas of this type, also those of the command line, inherit
 * the place unless they have one.
 *
 * Context: Boot, before dma_contiguous_reserve(): from ->reserve() of a board.
 * Return: 0; -ENOSPC if there are 8 already.
 */
int __init
dma_contiguous_define_type(const struct dma_contiguous_area_desc *type)
{
	if (nr_types == ARRAY_SIZE(types)) {
		pr_err("%s: more than %zu memory types\n", type->type,
		       ARRAY_SIZE(types));
		return -ENOSPC;
	}
	types[nr_types++] = *type;
	/* Drivers may then ask for the type even if it has no area. */
	if (type->fallback)
		return dma_area_register(NULL, type->type, NULL, true);
	return 0;
}

/**
 * dma_area_inherit_type() - complete a declaration by its memory type
 * @desc:	the declaration
 *
 * Context: Boot.
 */
void __init dma_area_inherit_type(struct dma_contiguous_area_desc *desc)
{
	for (unsigned int i = 0; i < nr_types; i++) {
		const struct dma_contiguous_area_desc *type = &types[i];

		if (strcmp(type->type, desc->type))
			continue;
		if (!desc->base && !desc->fixed) {
			desc->base = type->base;
			desc->limit = min_not_zero(desc->limit, type->limit);
		}
		desc->alignment = max(desc->alignment, type->alignment);
		desc->fallback |= type->fallback;
	}
}
