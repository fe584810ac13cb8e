// SPDX-License-Identifier: GPL-2.0
/*
 * Areas of memory types and of single devices, as board code and "cma_areas="
 * declare them.
 *
 * An area of a device that cannot be reserved is registered as lost, so that
 * the device gets no other memory in its place.
 *
 * No locks: boot only. Addresses and sizes are bytes.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/ctype.h>
#include <linux/dma-map-ops.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/numa.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "dma-areas.h"

/* First common area of the type "dma". */
static struct cma *dma_type_area __initdata;

/**
 * dma_area_copy_names() - give a declaration its own strings
 * @desc:	the declaration
 *
 * Context: Boot.
 * Return: 0; -ENOMEM if there is no room for them, which the log says.
 */
int __init dma_area_copy_names(struct dma_contiguous_area_desc *desc)
{
	desc->type = dma_area_copy_string(desc->type);
	if (!desc->type)
		return -ENOMEM;
	if (!desc->devices)
		return 0;
	desc->devices = dma_area_copy_string(desc->devices);
	return desc->devices ? 0 : -ENOMEM;
}

/* The name becomes a file name, so globs and commas become dashes. */
static void __init
dma_area_make_name(const struct dma_contiguous_area_desc *desc, char *name,
		   size_t size)
{
	int length = snprintf(name, size, "%s%s%s", desc->type,
			      desc->devices ? "-" : "", desc->devices ?: "");
	char *end = name;

	length = min_t(int, length, size - 1);
	for (int i = 0; i < length; i++) {
		bool fits = isalnum(name[i]) || strchr("._@+", name[i]);

		if (fits)
			*end++ = name[i];
		else if (end > name && end[-1] != '-')
			*end++ = '-';
	}
	if (end > name && end[-1] == '-')
		end--;
	*end = 0;
	/* Board code may pass a string without any such character. */
	if (end == name)
		strscpy(name, "area", size);
}

/**
 * dma_area_apply_policy() - apply the options that "cma_areas=" has for an area
 * @cma:	the area, which is declared elsewhere
 *
 * Context: Boot, while memblock hands out memory.
 * Return: the options; the caller applies ->fallback.
 */
struct dma_area_policy __init dma_area_apply_policy(struct cma *cma)
{
	struct dma_area_policy policy = dma_area_find_policy(cma_get_name(cma));

	if (policy.mode != CMA_SHARED)
		cma_set_mode(cma, policy.mode);
	if (policy.first_fit)
		cma_set_fit(cma, "first");
	if (policy.heap)
		cma_set_heap(cma);
	return policy;
}

/**
 * dma_area_default_limit() - upper end of areas that have no address
 * @addr_limit:	first physical address that devices in general cannot reach, 0
 *		for none
 *
 * Devices reach 32 bits unless the hardware says more, and a machine with more
 * physical memory does not change that.
 *
 * Context: Boot.
 * Return: first physical address behind, 0 for the end of memory.
 */
phys_addr_t __init dma_area_default_limit(phys_addr_t addr_limit)
{
#ifdef CONFIG_ARM_LPAE
	if (memblock_start_of_DRAM() < SZ_4G)
		return min_not_zero(addr_limit, (phys_addr_t)SZ_4G);
#endif
	return addr_limit;
}

/**
 * dma_area_declare_low_first() - reserve an area low in memory if there is room
 * @desc:	the area; ->limit and ->quiet are set here
 * @low:	first physical address behind the preferred memory
 * @limit:	first physical address behind all memory; 0 for its end
 * @cma:	set to the area
 *
 * Context: Boot, while memblock hands out memory.
 * Return: as cma_declare().
 */
int __init dma_area_declare_low_first(struct cma_area_desc *desc,
				      phys_addr_t low, phys_addr_t limit,
				      struct cma **cma)
{
	int error;

	desc->limit = low;
	desc->quiet = low != limit;
	error = cma_declare(desc, cma);
	if (!error || !desc->quiet)
		return error;
	desc->limit = limit;
	desc->quiet = false;
	return cma_declare(desc, cma);
}

static int __init
dma_area_reserve_declared(const struct dma_contiguous_area_desc *area,
			  const char *name, phys_addr_t addr_limit,
			  const char *source, struct cma **cma)
{
	struct cma_area_desc desc = {
		.base		= area->base,
		.size		= area->size,
		.limit		= area->limit,
		.alignment	= area->alignment,
		.fixed		= area->fixed,
		.mode		= area->mode,
		.name		= name,
		.nid		= NUMA_NO_NODE,
	};
	phys_addr_t low = dma_area_default_limit(addr_limit);
	bool has_place = area->fixed || area->base || area->limit;
	int error;

	error = has_place ? cma_declare(&desc, cma) :
		dma_area_declare_low_first(&desc, low, addr_limit, cma);
	if (error)
		return error;
	cma_set_users(*cma, area->devices ? CMA_FOR_DEVICES : CMA_FOR_TYPE,
		      area->devices);
	cma_set_source(*cma, source);
	if (area->heap)
		cma_set_heap(*cma);
	/* A wrong fit is no reason to go without the area. */
	if (area->fit && cma_set_fit(*cma, area->fit))
		pr_err("%s: fit \"%s\" ignored, best or first expected\n", name,
		       area->fit);
	dma_area_apply_policy(*cma);
	return 0;
}

/**
 * dma_area_declare() - reserve an area and register its users
 * @desc:	the declaration; its strings stay valid
 * @addr_limit:	first physical address that devices in general cannot reach, 0
 *		for none
 * @source:	where the declaration stands, in words
 * @res_cma:	set to the area, NULL if there is none; may be NULL
 *
 * Context: Boot, while memblock hands out memory.
 * Return: 0, or the error of cma_declare() or of dma_area_register(), which the
 * log explains.
 */
int __init dma_area_declare(struct dma_contiguous_area_desc *desc,
			    phys_addr_t addr_limit, const char *source,
			    struct cma **res_cma)
{
	char name[CMA_MAX_NAME];
	struct cma *cma = NULL;
	int error = 0;

	dma_area_inherit_type(desc);
	dma_area_make_name(desc, name, sizeof(name));
	desc->fallback |= dma_area_find_policy(name).fallback;
	if (desc->size)
		error = dma_area_reserve_declared(desc, name, addr_limit,
						  source, &cma);
	if (error) {
		/* The devices of a lost area must not get other memory. */
		dma_area_register(NULL, desc->type, desc->devices,
				  desc->fallback);
		return error;
	}

	if (cma && !desc->devices && !strcmp(desc->type, "dma") &&
	    !dma_type_area)
		dma_type_area = cma;
	if (res_cma)
		*res_cma = cma;
	return dma_area_register(cma, desc->type, desc->devices,
				 desc->fallback);
}

/**
 * dma_area_declare_lost() - register an area of devices that cannot be reserved
 * @type:	its memory type; copied
 * @devices:	names of devices or drivers; copied
 * @fallback:	other memory stands in; otherwise the devices get no memory
 *
 * Context: Boot.
 */
void __init dma_area_declare_lost(const char *type, const char *devices,
				  bool fallback)
{
	type = dma_area_copy_string(type);
	devices = dma_area_copy_string(devices);
	if (type && devices)
		dma_area_register(NULL, type, devices, fallback);
}

/**
 * dma_area_of_dma_type() - the common area of the type "dma"
 *
 * Context: Boot.
 * Return: the first one that was declared; NULL if there is none.
 */
struct cma * __init dma_area_of_dma_type(void)
{
	return dma_type_area;
}
