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

/* Given more than once, it goes on where it was. */
static int __init note_areas(char *text)
{
	size_t used = strlen(areas_text);
	ssize_t length;

	if (!text || !*text) {
		pr_err("\"cma_areas=\" ignored: an area is missing\n");
		return 0;
	}
	if (used && used < sizeof(areas_text) - 1)
		areas_text[used++] = ';';
	length = strscpy(areas_text + used, text, sizeof(areas_text) - used);
	if (length < 0)
		pr_err("\"cma_areas=\" is too long, the end is lost\n");
	return 0;
}
early_param("cma_areas", note_areas);

static bool __init has_address(const struct cma_spec *spec)
{
	return spec->has_base &&
	       (!spec->has_limit || spec->limit - spec->base == spec->size);
}

static void __init note_address(const struct cma_area_spec *spec,
				phys_addr_t addr_limit)
{
	cma_claim_memory(spec->spec.base, spec->spec.size, "cma_areas=", true);
}

static void __init declare(const struct cma_area_spec *spec,
			   phys_addr_t addr_limit)
{
	struct dma_contiguous_area area = {
		.type		= spec->type,
		.devices	= spec->devices[0] ? spec->devices : NULL,
		.size		= spec->spec.size,
		.base		= spec->spec.base,
		.limit		= spec->spec.limit,
		.fixed		= has_address(&spec->spec),
		.alignment	= spec->alignment,
		.class		= spec->exclusive ? CMA_EXCLUSIVE : CMA_SHARED,
		.fallback	= spec->fallback,
		.heap		= spec->heap,
		.fit		= spec->first_fit ? "first" : "best",
	};

	/* What is wrong is said where it is found. */
	if (!dma_areas_keep_strings(&area))
		dma_areas_declare(&area, addr_limit, "the command line", NULL);
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

typedef void (*entry_action_t)(const struct cma_area_spec *spec,
			       phys_addr_t addr_limit);

/* Entries that make no sense are named when those with an address are placed. */
static void __init act_on_entries(entry_action_t act, phys_addr_t addr_limit,
				  bool with_address, bool names_wrong)
{
	static char text[COMMAND_LINE_SIZE] __initdata;
	static struct cma_area_spec spec __initdata;
	char *rest = text, *entry;

	strscpy(text, areas_text);
	/* Shells and boot loaders take a plus sign without quotes. */
	while ((entry = strsep(&rest, ";+"))) {
		const char *wrong = cma_parse_area(entry, &spec);

		/* A separator at the end is nobody's mistake. */
		if (!*entry && !rest)
			break;
		if (!wrong && has_address(&spec.spec) == with_address)
			act(&spec, addr_limit);
		if (!wrong || !names_wrong)
			continue;
		pr_err("\"%s\" in cma_areas= ignored: %s\n", entry, wrong);
		refuse_devices(entry);
	}
}

/**
 * dma_areas_note_cmdline() - keep other areas away from addresses that
 * "cma_areas=" says
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init dma_areas_note_cmdline(void)
{
	if (areas_text[0])
		act_on_entries(note_address, 0, true, false);
}

/**
 * dma_areas_reserve_cmdline() - reserve areas of "cma_areas="
 * @addr_limit:	first physical address that devices in general cannot reach,
 *		0 if there is no such limit
 * @with_address: those whose address is said; otherwise the others
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init dma_areas_reserve_cmdline(phys_addr_t addr_limit, bool with_address)
{
	if (areas_text[0])
		act_on_entries(declare, addr_limit, with_address, with_address);
}
