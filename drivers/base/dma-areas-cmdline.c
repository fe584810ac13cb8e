// SPDX-License-Identifier: GPL-2.0
/*
 * Areas on the command line: "cma_areas=banka=20M;banka/foo,bar=30M".
 *
 * The form is that of the discussion from which the allocator comes (Hans
 * Verkuil, linux-arm-kernel, 3 August 2010): a memory type of the board, a
 * common area of it, and private areas of devices. An entry without a size,
 * "frames:fallback", sets options of an area that the device tree, "cma=" or
 * board code declares. A wrong entry is left out with a message, and the others
 * hold.
 *
 * No locks: boot only. Addresses and sizes are bytes.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/string.h>
#include <asm/setup.h>

#include "dma-areas.h"

static char areas_text[COMMAND_LINE_SIZE] __initdata;

/* Further options append to the first one. */
static int __init dma_area_parse_cma_areas(char *text)
{
	size_t used = strlen(areas_text);

	if (!text || !*text) {
		pr_err("\"cma_areas=\" ignored: an area is missing\n");
		return 0;
	}
	if (used)
		areas_text[used++] = ';';
	/* areas_text is as long as a whole command line. */
	strscpy(areas_text + used, text, sizeof(areas_text) - used);
	return 0;
}
early_param("cma_areas", dma_area_parse_cma_areas);

static void __init dma_area_note_options(const struct cma_area_spec *spec,
					 phys_addr_t addr_limit)
{
	dma_area_note_policy(spec);
}

static void __init dma_area_note_address(const struct cma_area_spec *spec,
					 phys_addr_t addr_limit)
{
	cma_claim_memory(spec->spec.base, spec->spec.size, "cma_areas=", true);
}

static void __init dma_area_declare_entry(const struct cma_area_spec *spec,
					  phys_addr_t addr_limit)
{
	struct dma_contiguous_area_desc desc = {
		.type		= spec->type,
		.devices	= spec->devices[0] ? spec->devices : NULL,
		.size		= spec->spec.size,
		.base		= spec->spec.base,
		.limit		= spec->spec.limit,
		.fixed		= dma_area_spec_has_address(&spec->spec),
		.alignment	= spec->alignment,
		.mode		= dma_area_spec_mode(spec),
		.fallback	= spec->fallback,
		.heap		= spec->heap,
		.fit		= spec->first_fit ? "first" : "best",
	};

	/* Both functions log what is wrong. */
	if (!spec->elsewhere && !dma_area_copy_names(&desc))
		dma_area_declare(&desc, addr_limit, "the command line", NULL);
}

/*
 * The devices of a wrong entry must not get other memory, unless it says
 * "fallback". Any word behind a slash may be a list of devices, and the word in
 * front of the slash its type.
 */
static void __init dma_area_refuse_devices(char *entry)
{
	bool fallback = strstr(entry, ":fallback");
	char *type = entry, *slash;

	while ((slash = strpbrk(type, "/=:,"))) {
		char *devices = slash + 1;
		size_t length = strcspn(devices, "/=:");
		char end = devices[length];

		if (*slash != '/') {
			type = devices;
			continue;
		}
		*slash = 0;
		devices[length] = 0;
		if (*devices)
			dma_area_declare_lost(*type ? type : "cma_areas=",
					      devices, fallback);
		if (!end)
			return;
		type = devices + length + (end != '/');
		devices[length] = end;
	}
}

typedef void (*dma_area_entry_action_t)(const struct cma_area_spec *spec,
			       phys_addr_t addr_limit);

/* Only one of the calls has @logs_wrong, so that an entry is logged once. */
static void __init dma_area_visit_entries(dma_area_entry_action_t act,
					  phys_addr_t addr_limit,
					  bool with_address, bool logs_wrong)
{
	static char text[COMMAND_LINE_SIZE] __initdata;
	static struct cma_area_spec spec __initdata;
	char *rest = text, *entry;

	strscpy(text, areas_text);
	/* A plus sign needs no quotes in shells and boot loaders. */
	while ((entry = strsep(&rest, ";+"))) {
		const char *wrong = cma_parse_area(entry, &spec);

		/* A separator at the end is no mistake. */
		if (!*entry && !rest)
			break;
		if (!wrong &&
		    dma_area_spec_has_address(&spec.spec) == with_address)
			act(&spec, addr_limit);
		if (!wrong || !logs_wrong)
			continue;
		pr_err("\"%s\" in cma_areas= ignored: %s\n", entry, wrong);
		dma_area_refuse_devices(entry);
	}
}

/**
 * dma_area_note_cmdline() - note options and addresses of "cma_areas="
 *
 * Options apply to areas that are declared elsewhere. Addresses are kept free
 * of such areas where the kernel chooses their place.
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init dma_area_note_cmdline(void)
{
	if (!areas_text[0])
		return;
	dma_area_visit_entries(dma_area_note_options, 0, false, false);
	dma_area_visit_entries(dma_area_note_address, 0, true, false);
}

/**
 * dma_area_reserve_cmdline() - reserve areas of "cma_areas="
 * @addr_limit:	first physical address that devices in general cannot reach, 0
 *		for none
 * @with_address: those with an address; otherwise the others
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init dma_area_reserve_cmdline(phys_addr_t addr_limit, bool with_address)
{
	if (areas_text[0])
		dma_area_visit_entries(dma_area_declare_entry, addr_limit,
				       with_address, with_address);
}
