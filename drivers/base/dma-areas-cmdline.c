// SPDX-License-Identifier: GPL-2.0
/*
 * Areas on the command line: "cma_areas=banka=20M;banka/foo,bar=30M".
 *
 * The form is that of the discussion from which the allocator comes
 * (Hans Verkuil, linux-arm-kernel, 3 August 2010): a memory type of the board,
 * a common area of it, and private areas of devices. An entry that makes no
 * sense is left out, with a message; the others hold.
 *
 * No locks: boot only. Sizes are bytes.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/string.h>
#include <asm/setup.h>

#include "../../mm/cma/parse.h"
#include "dma-areas.h"

static char areas_text[COMMAND_LINE_SIZE] __initdata;

static int __init note_areas(char *text)
{
	if (!text || !*text)
		pr_err("\"cma_areas=\" ignored: an area is missing\n");
	else if (strscpy(areas_text, text) < 0)
		pr_err("\"cma_areas=\" is too long, the end is lost\n");
	return 0;
}
early_param("cma_areas", note_areas);

static void __init declare(const struct cma_area_spec *spec,
			   phys_addr_t addr_limit)
{
	struct dma_contiguous_area area = {
		.type		= spec->type,
		.devices	= spec->devices[0] ? spec->devices : NULL,
		.size		= spec->spec.size,
		.base		= spec->spec.base,
		.limit		= spec->spec.limit,
		.fixed		= spec->spec.has_base && !spec->spec.has_limit,
		.alignment	= spec->alignment,
		.class		= spec->exclusive ? CMA_EXCLUSIVE : CMA_SHARED,
		.fallback	= spec->fallback,
		.heap		= spec->heap,
		.fit		= spec->first_fit ? "first" : "best",
	};

	if (!area.fixed)
		area.limit = min_not_zero(area.limit, addr_limit);
	/* What is wrong is said where it is found. */
	dma_contiguous_declare(&area, NULL);
}

/* The devices of an entry that makes no sense get no other memory instead. */
static void __init refuse_devices(char *entry)
{
	char *devices = entry + strcspn(entry, "/=");

	if (*devices != '/')
		return;
	*devices++ = 0;
	devices[strcspn(devices, "=/;")] = 0;
	if (*entry && *devices)
		dma_area_declare_lost(entry, devices);
}

/* Those with an address first: nothing else may have been put there. */
static void __init reserve_entry(char *entry, phys_addr_t addr_limit,
				 bool with_address)
{
	static struct cma_area_spec spec __initdata;
	const char *wrong = cma_parse_area(entry, &spec);

	if (!wrong && spec.spec.has_base == with_address)
		declare(&spec, addr_limit);
	if (!wrong || !with_address)
		return;
	pr_err("\"%s\" in cma_areas= ignored: %s\n", entry, wrong);
	refuse_devices(entry);
}

static void __init reserve_entries(phys_addr_t addr_limit, bool with_address)
{
	static char text[COMMAND_LINE_SIZE] __initdata;
	char *rest = text, *entry;

	strscpy(text, areas_text);
	while ((entry = strsep(&rest, ";")))
		/* A semicolon at the end is nobody's mistake. */
		if (*entry || rest)
			reserve_entry(entry, addr_limit, with_address);
}

/**
 * dma_areas_reserve_cmdline() - reserve the areas of "cma_areas="
 * @addr_limit:	first physical address that devices in general cannot reach,
 *		0 if there is no such limit
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init dma_areas_reserve_cmdline(phys_addr_t addr_limit)
{
	if (!areas_text[0])
		return;
	reserve_entries(addr_limit, true);
	reserve_entries(addr_limit, false);
}
