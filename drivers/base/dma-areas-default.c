// SPDX-License-Identifier: GPL-2.0
/*
 * The default area.
 *
 * The default area comes from "cma=", from the device tree, from the common
 * area of the type "dma", or from the kernel configuration, in this order. If
 * one of them fails, the next one takes its place.
 *
 * "cma=" is parsed here and not in dma-areas-cmdline.c, as "cma_areas=" is an
 * option of the kernel configuration and "cma=" is not.
 *
 * No locks: boot only. Addresses and sizes are bytes.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/numa.h>
#include <linux/sizes.h>

#include "dma-areas.h"

struct cma *dma_contiguous_default_area;
EXPORT_SYMBOL_GPL(dma_contiguous_default_area);

/* "cma="; cmdline_has_area becomes false when it is reserved or refused. */
static struct cma_spec cmdline_area __initdata;
static bool cmdline_has_area __ro_after_init;
static bool default_is_from_cmdline __ro_after_init;

static int __init dma_area_parse_cma(char *text)
{
	const char *wrong;

	wrong = text ? cma_parse_spec(text, &cmdline_area) : "a size is missing";
	if (wrong) {
		pr_err("\"cma=%s\" ignored: %s\n", text ?: "", wrong);
		return 0;
	}
	if (*cmdline_area.rest)
		pr_warn("\"cma=%s\": \"%s\" at its end ignored\n", text,
			cmdline_area.rest);
	cmdline_has_area = true;
	return 0;
}
early_param("cma", dma_area_parse_cma);

static bool __init dma_area_cmdline_has_address(void)
{
	return cmdline_has_area && dma_area_spec_has_address(&cmdline_area);
}

/**
 * dma_area_cmdline_has_default() - does the command line settle the default
 * area
 *
 * Context: Any.
 * Return: true if there is a "cma=" that was not refused. It overrides the
 * device tree.
 */
bool dma_area_cmdline_has_default(void)
{
	return cmdline_has_area || default_is_from_cmdline;
}

/**
 * dma_area_set_default() - make an area the default one
 * @cma:	the area
 *
 * Context: Boot.
 * Return: false if there is a default area already, which stays.
 */
bool __init dma_area_set_default(struct cma *cma)
{
	if (dma_contiguous_default_area)
		return false;
	dma_contiguous_default_area = cma;
	cma_set_users(cma, CMA_FOR_ALL, NULL);
	return true;
}

/**
 * dma_area_note_addresses() - keep other areas off the addresses of the command
 * line
 *
 * Areas of the device tree are reserved before those of the command line. Where
 * the kernel chooses the place of an area, it avoids these addresses.
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init dma_area_note_addresses(void)
{
	if (dma_area_cmdline_has_address())
		cma_claim_memory(cmdline_area.base, cmdline_area.size, "cma=",
				 true);
	dma_area_note_cmdline();
}

#ifdef CONFIG_CMA_SIZE_MBYTES
#define CONFIGURED_SIZE		((phys_addr_t)CONFIG_CMA_SIZE_MBYTES * SZ_1M)
#else
#define CONFIGURED_SIZE		((phys_addr_t)0)
#endif

#ifdef CONFIG_CMA_SIZE_PERCENTAGE
#define CONFIGURED_PERCENT	CONFIG_CMA_SIZE_PERCENTAGE
#else
#define CONFIGURED_PERCENT	0
#endif

static phys_addr_t __init dma_area_configured_size(void)
{
	phys_addr_t share = memblock_phys_mem_size() / 100 * CONFIGURED_PERCENT;

	if (IS_ENABLED(CONFIG_CMA_SIZE_SEL_PERCENTAGE))
		return share;
	if (IS_ENABLED(CONFIG_CMA_SIZE_SEL_MIN))
		return min(CONFIGURED_SIZE, share);
	if (IS_ENABLED(CONFIG_CMA_SIZE_SEL_MAX))
		return max(CONFIGURED_SIZE, share);
	return CONFIGURED_SIZE;
}

static int __init dma_area_declare_default(struct cma_area_desc *desc,
					   const char *source)
{
	struct cma *cma;
	int error;

	desc->name = "reserved";
	desc->nid = NUMA_NO_NODE;
	cma_areas_open_last();
	error = cma_declare(desc, &cma);
	if (error) {
		cma_areas_close_last();
		return error;
	}
	cma_set_source(cma, source);
	dma_area_apply_policy(cma);
	dma_area_set_default(cma);
	return 0;
}

/**
 * dma_area_reserve_cma() - reserve the default area of "cma="
 * @addr_limit:	first physical address that devices in general cannot reach, 0
 *		for none
 * @with_address: do so if it has an address; otherwise if it has none
 *
 * If it is refused, the next source settles the default area.
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init dma_area_reserve_cma(phys_addr_t addr_limit, bool with_address)
{
	const struct cma_spec *spec = &cmdline_area;
	struct cma_area_desc desc = {
		.base	= spec->base,
		.size	= spec->size,
		.limit	= spec->limit,
		.fixed	= dma_area_spec_has_address(spec),
	};

	if (!cmdline_has_area || desc.fixed != with_address)
		return;
	cma_withdraw_claims("cma=");
	cmdline_has_area = false;
	if (spec->has_limit && !desc.fixed)
		desc.limit = min_not_zero(spec->limit, addr_limit);
	else if (!spec->has_base)
		desc.limit = dma_area_default_limit(addr_limit);
	if (!spec->size ||
	    !dma_area_declare_default(&desc, "the command line"))
		default_is_from_cmdline = true;
}

/**
 * dma_area_reserve_configured() - reserve the default area of the configuration
 * @addr_limit:	as for dma_area_reserve_cma()
 *
 * Nobody relies on the configured size, so smaller ones are tried, too.
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init dma_area_reserve_configured(phys_addr_t addr_limit)
{
	struct cma_area_desc desc = {
		.size	= dma_area_configured_size(),
		.limit	= dma_area_default_limit(addr_limit),
		.quiet	= true,
	};
	phys_addr_t wanted = desc.size;

	while (desc.size &&
	       dma_area_declare_default(&desc, "the configuration")) {
		desc.size = PAGE_ALIGN(desc.size / 2);
		if (desc.size < CMA_MIN_ALIGNMENT_BYTES) {
			pr_err("no room for a default area of %pa bytes\n",
			       &wanted);
			return;
		}
	}
	if (desc.size < wanted)
		pr_warn("reserved: no room for %pa bytes, %pa have to do\n",
			&wanted, &desc.size);
}

/* Runs before the first device: an area that did not come up serves nobody. */
static int __init dma_area_check_default(void)
{
	if (dma_contiguous_default_area &&
	    !cma_get_size(dma_contiguous_default_area))
		dma_contiguous_default_area = NULL;
	return 0;
}
core_initcall_sync(dma_area_check_default);
