// SPDX-License-Identifier: GPL-2.0
/*
 * Areas on the command line: "cma_areas=banka=20M;banka/foo,bar=30M".
 *
 * The form is that of the discussion from which the allocator comes
 * (Hans Verkuil, linux-arm-kernel, 3 August 2010): a memory type of the board,
 * a common area of it, and private areas of devices. An entry without a size,
 * "frames:fallback", is what the system does with an area that the device tree,
 * "cma=" or board code declares. An entry that makes no sense is left out, with
 * a message; the others hold.
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

	if (!text || !*text) {
		pr_err("\"cma_areas=\" ignored: an area is missing\n");
		return 0;
	}
	if (used)
		areas_text[used++] = ';';
	/* It is as long as the whole of the command line. */
	strscpy(areas_text + used, text, sizeof(areas_text) - used);
	return 0;
}
early_param("cma_areas", note_areas);

static bool __init has_address(const struct cma_spec *spec)
{
	return spec->has_base &&
	       (!spec->has_limit || spec->limit - spec->base == spec->size);
}

/**
 * struct named_policy - an entry without a size
 * @name:	the area's
 * @policy:	what is to be done with it
 */
struct named_policy {
	const char *name;
	struct dma_area_policy policy;
};

static struct named_policy policies[MAX_CMA_AREAS + 1] __initdata;
static unsigned int nr_policies __initdata;

static void __init note_policy(const struct cma_area_spec *spec,
			       phys_addr_t addr_limit)
{
	struct named_policy *new = &policies[nr_policies];

	if (!spec->elsewhere)
		return;
	if (nr_policies == ARRAY_SIZE(policies)) {
		pr_err("%s: more than %zu areas with options in cma_areas=\n",
		       spec->type, ARRAY_SIZE(policies));
		return;
	}
	new->name = dma_areas_keep_string(spec->type);
	if (!new->name)
		return;
	new->policy = (struct dma_area_policy) {
		.exclusive	= spec->exclusive,
		.fallback	= spec->fallback,
		.first_fit	= spec->first_fit,
		.heap		= spec->heap,
	};
	nr_policies++;
}

/* An area's name is cut where it is longer than that; a node's is not. */
static bool __init is_name(const char *name, const char *wanted)
{
	if (strlen(name) == CMA_MAX_NAME - 1)
		return !strncmp(name, wanted, CMA_MAX_NAME - 1);
	return !strcmp(name, wanted);
}

/**
 * dma_area_policy() - what "cma_areas=" says of an area that is declared elsewhere
 * @name:	the area's
 *
 * Context: Boot.
 * Return: all that its entries say.
 */
struct dma_area_policy __init dma_area_policy(const char *name)
{
	struct dma_area_policy all = { };

	for (unsigned int i = 0; i < nr_policies; i++) {
		const struct dma_area_policy *one = &policies[i].policy;

		if (!is_name(name, policies[i].name))
			continue;
		all.exclusive |= one->exclusive;
		all.fallback |= one->fallback;
		all.first_fit |= one->first_fit;
		all.heap |= one->heap;
	}
	return all;
}

static int __init is_called(struct cma *cma, void *name)
{
	return is_name(cma_get_name(cma), name);
}

/**
 * dma_areas_settle_policies() - name the entries whose area is not there
 *
 * If other memory does, it does for a node that is refused as well.
 *
 * Context: Boot, when all areas are declared.
 */
void __init dma_areas_settle_policies(void)
{
	for (unsigned int i = 0; i < nr_policies; i++) {
		if (cma_for_each_area(is_called, (void *)policies[i].name))
			continue;
		pr_err("%s: there is no such area for cma_areas= to change\n",
		       policies[i].name);
		if (policies[i].policy.fallback)
			dma_area_register(NULL, policies[i].name, "", true);
	}
}

static void __init note_address(const struct cma_area_spec *spec,
				phys_addr_t addr_limit)
{
	cma_claim_memory(spec->spec.base, spec->spec.size, "cma_areas=", true);
}

static void __init declare(const struct cma_area_spec *spec,
			   phys_addr_t addr_limit)
{
	struct dma_contiguous_area_desc area = {
		.type		= spec->type,
		.devices	= spec->devices[0] ? spec->devices : NULL,
		.size		= spec->spec.size,
		.base		= spec->spec.base,
		.limit		= spec->spec.limit,
		.fixed		= has_address(&spec->spec),
		.alignment	= spec->alignment,
		.mode		= spec->exclusive ? CMA_EXCLUSIVE : CMA_SHARED,
		.fallback	= spec->fallback,
		.heap		= spec->heap,
		.fit		= spec->first_fit ? "first" : "best",
	};

	/* What is wrong is said where it is found. */
	if (!spec->elsewhere && !dma_areas_keep_strings(&area))
		dma_areas_declare(&area, addr_limit, "the command line", NULL);
}

/*
 * The devices of an entry that makes no sense get no other memory instead, unless
 * it says that this does. Whatever stands behind a slash may be meant as devices,
 * and what is in front of that as their type.
 */
static void __init refuse_devices(char *entry)
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
 * dma_areas_note_cmdline() - remember what "cma_areas=" says of areas that are
 * declared elsewhere, and keep those away from addresses that it says
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init dma_areas_note_cmdline(void)
{
	if (!areas_text[0])
		return;
	act_on_entries(note_policy, 0, false, false);
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
