// SPDX-License-Identifier: GPL-2.0
/*
 * Declaring areas for DMA: the default one, and those of board code.
 *
 * The default area is settled by "cma=", by the device tree, by "cma_areas=" or
 * by the kernel configuration, in this order.
 *
 * No locks: boot only. Sizes are bytes.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/numa.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "../../mm/cma/parse.h"
#include "dma-areas.h"

struct cma *dma_contiguous_default_area;

static struct cma_spec cmdline_area __initdata;
static bool cmdline_has_area __ro_after_init;

static int __init parse_cma_option(char *text)
{
	const char *wrong;

	wrong = text ? cma_parse_spec(text, &cmdline_area) : "a size is missing";
	if (wrong) {
		pr_err("\"cma=%s\" ignored: %s\n", text ?: "", wrong);
		return 0;
	}
	cmdline_has_area = true;
	return 0;
}
early_param("cma", parse_cma_option);

/**
 * dma_areas_default_has_address() - does "cma=" say where the area is
 *
 * Context: Boot.
 * Return: true if so.
 */
bool __init dma_areas_default_has_address(void)
{
	return cmdline_has_area && cmdline_area.has_base;
}

/**
 * dma_areas_default_on_cmdline() - does the command line have "cma="
 *
 * Context: Any.
 * Return: true if so; it stands above the device tree.
 */
bool dma_areas_default_on_cmdline(void)
{
	return cmdline_has_area;
}

/**
 * dma_contiguous_reserve_area() - reserve an area for DMA
 * @size:	bytes
 * @base:	lowest physical address; the address if @fixed
 * @limit:	first physical address behind the area, 0 for the end of memory
 * @res_cma:	the area
 * @fixed:	at @base or not at all
 *
 * For board code, too: dma_contiguous_assign() gives it to a device. There is
 * more choice with dma_contiguous_declare().
 *
 * Context: Boot, while memblock hands out memory.
 * Return: 0, or the error of cma_declare_class().
 */
int __init dma_contiguous_reserve_area(phys_addr_t size, phys_addr_t base,
				       phys_addr_t limit, struct cma **res_cma,
				       bool fixed)
{
	int error;

	error = cma_declare_contiguous(base, size, limit, 0, 0, fixed,
				       "reserved", res_cma);
	if (error)
		return error;

	/* Nothing may be taken from it before it is mapped as it has to be. */
	cma_for_each_piece(*res_cma, dma_contiguous_early_fixup);
	return 0;
}

void __init __weak dma_contiguous_early_fixup(phys_addr_t base,
					      unsigned long size)
{
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

static phys_addr_t __init configured_size(void)
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

/*
 * Where an area of all devices ends at most. Without a word from the hardware
 * they reach 32 bits, and more physical memory than that does not change it.
 */
static phys_addr_t __init default_limit(phys_addr_t addr_limit)
{
#ifdef CONFIG_ARM_LPAE
	if (memblock_start_of_DRAM() < SZ_4G)
		return min_not_zero(addr_limit, (phys_addr_t)SZ_4G);
#endif
	return addr_limit;
}

/**
 * dma_areas_reserve_default() - reserve the default area, unless there is one
 * @addr_limit:	first physical address that devices in general cannot reach,
 *		0 if there is no such limit
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init dma_areas_reserve_default(phys_addr_t addr_limit)
{
	struct cma_spec spec = { .size = configured_size() };
	phys_addr_t limit = default_limit(addr_limit);
	bool fixed = false;

	if (cmdline_has_area)
		spec = cmdline_area;
	/* "@base" is an address; "@base-limit" is one only if it fits tightly */
	if (spec.has_base && !spec.has_limit)
		limit = spec.base + spec.size;
	else if (spec.has_limit)
		limit = min_not_zero(spec.limit, addr_limit);
	if (spec.has_base)
		fixed = !spec.has_limit || spec.limit - spec.base == spec.size;

	if (!spec.size || dma_contiguous_default_area)
		return;
	cma_areas_open_last();
	if (!dma_contiguous_reserve_area(spec.size, spec.base, limit,
					 &dma_contiguous_default_area, fixed))
		cma_set_users(dma_contiguous_default_area, "all devices");
}

/* Board code's memory types, for what is declared of them later. */
static struct dma_contiguous_area types[8] __initdata;
static unsigned int nr_types __initdata;

/**
 * dma_contiguous_define_type() - tell of a memory type that a board has
 * @type:	->type is its name, ->base, ->limit and ->alignment are where it
 *		is, ->fallback is whether other memory does; the rest is not used
 *
 * Nothing is reserved. Areas of this type, on the command line for instance, are
 * where it is unless they say otherwise.
 *
 * Context: Boot, before dma_contiguous_reserve(): from ->reserve() of a board.
 * Return: 0; -ENOSPC if there are 8 already.
 */
int __init dma_contiguous_define_type(const struct dma_contiguous_area *type)
{
	if (nr_types == ARRAY_SIZE(types)) {
		pr_err("%s: more than %zu memory types\n", type->type,
		       ARRAY_SIZE(types));
		return -ENOSPC;
	}
	types[nr_types++] = *type;
	/* So that drivers may ask for it, whether there is an area or not. */
	if (type->fallback)
		return dma_area_register(NULL, type->type, NULL, true);
	return 0;
}

static void __init inherit_type(struct dma_contiguous_area *area)
{
	for (unsigned int i = 0; i < nr_types; i++) {
		const struct dma_contiguous_area *type = &types[i];

		if (strcmp(type->type, area->type))
			continue;
		if (!area->base && !area->fixed) {
			area->base = type->base;
			area->limit = min_not_zero(area->limit, type->limit);
		}
		area->alignment = max(area->alignment, type->alignment);
		area->fallback |= type->fallback;
	}
}

/*
 * Areas stay for ever, so what they are called does. What memblock hands out is
 * not mapped yet.
 */
static const char * __init keep_string(const char *text)
{
	static char kept[SZ_2K];
	static size_t used;
	size_t size = strlen(text) + 1;
	char *copy = kept + used;

	if (size > sizeof(kept) - used) {
		pr_err("%s: no room for more names\n", text);
		return NULL;
	}
	used += size;
	return memcpy(copy, text, size);
}

static int __init reserve_declared(const struct dma_contiguous_area *area,
				   struct cma **cma)
{
	char name[CMA_MAX_NAME];
	int error;

	snprintf(name, sizeof(name), "%s%s%s", area->type,
		 area->devices ? ":" : "", area->devices ?: "");
	error = cma_declare_class(area->base, area->size, area->limit,
				  area->alignment, 0, area->fixed, area->class,
				  name, cma, NUMA_NO_NODE);
	if (error)
		return error;
	cma_for_each_piece(*cma, dma_contiguous_early_fixup);
	cma_set_users(*cma, area->devices ?: "devices that ask for it");
	if (area->heap)
		cma_set_heap(*cma);
	/* No reason to go without the area. */
	if (area->fit && cma_set_fit(*cma, area->fit))
		pr_err("%s: fit \"%s\" ignored, best or first expected\n", name,
		       area->fit);
	return 0;
}

/**
 * dma_area_declare_lost() - tell of an area of devices that cannot be had
 * @type:	its memory type; copied
 * @devices:	names of devices or drivers; copied
 *
 * They get no memory from elsewhere instead.
 *
 * Context: Boot.
 */
void __init dma_area_declare_lost(const char *type, const char *devices)
{
	type = keep_string(type);
	devices = keep_string(devices);
	if (type && devices)
		dma_area_register(NULL, type, devices, false);
}

/**
 * dma_contiguous_declare() - reserve an area for those who it is for
 * @area:	what it is to be
 * @res_cma:	set to the area, NULL if it has no size; may be NULL
 *
 * The common area of the type "dma" is the default area, if there is no other.
 *
 * Context: Boot, while memblock hands out memory: from ->reserve() of a board.
 * Return: 0; -ENOMEM if there is no room for its name; or the error of
 * cma_declare_class() or of dma_area_register(). The log says what was wrong.
 */
int __init dma_contiguous_declare(const struct dma_contiguous_area *area,
				  struct cma **res_cma)
{
	struct dma_contiguous_area wanted = *area;
	struct cma *cma = NULL;
	int error = 0;

	wanted.type = keep_string(area->type);
	wanted.devices = area->devices ? keep_string(area->devices) : NULL;
	if (!wanted.type || (area->devices && !wanted.devices))
		return -ENOMEM;
	inherit_type(&wanted);
	if (wanted.size)
		error = reserve_declared(&wanted, &cma);
	if (error) {
		/* Those it is for must not take from elsewhere instead. */
		dma_area_register(NULL, wanted.type, wanted.devices,
				  wanted.fallback);
		return error;
	}

	if (cma && !wanted.devices && !strcmp(wanted.type, "dma") &&
	    !dma_contiguous_default_area && !cmdline_has_area) {
		dma_contiguous_default_area = cma;
		cma_set_users(cma, "all devices");
	}
	if (res_cma)
		*res_cma = cma;
	return dma_area_register(cma, wanted.type, wanted.devices,
				 wanted.fallback);
}
