// SPDX-License-Identifier: GPL-2.0
/*
 * Which areas serve a request of a device, and in which order.
 *
 * The order of preference is settled once for each request, in a snapshot:
 * areas of the requested type, other areas of the device, the areas of its NUMA
 * node, the default area. dma-areas-list.c owns the list of each device.
 *
 * Areas are registered at boot, while one CPU runs, and only read from then on.
 * Lists are read under RCU. Areas are never freed, nor are names.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/export.h>
#include <linux/glob.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <asm/setup.h>

#include "dma-areas.h"

/*
 * Lost areas are registered, too, so there is an entry for each area that
 * "cma_areas=" can name, besides those of board code and of the device tree.
 */
#ifdef CONFIG_CMA_CMDLINE_AREAS
#define NR_DECLARED	(2 * MAX_CMA_AREAS + COMMAND_LINE_SIZE / sizeof("a/b=1"))
#else
#define NR_DECLARED	(2 * MAX_CMA_AREAS)
#endif

/**
 * struct dma_area_declared - users of an area
 * @area:	the area; NULL for a type without memory and for a lost area
 * @type:	memory type, or name, that drivers ask for
 * @devices:	globs of devices or drivers that own the area, with commas
 *		between; NULL for a common area, empty for a node of the device
 *		tree
 * @fallback:	other memory serves requests once the area is used up
 */
struct dma_area_declared {
	struct cma *area;
	const char *type;
	const char *devices;
	bool fallback;
};

static struct dma_area_declared declared[NR_DECLARED];
static unsigned int nr_declared;

/**
 * dma_area_register() - record who uses an area
 * @cma:	the area; NULL for a type without memory and for a lost area
 * @type:	memory type; the caller keeps the string
 * @devices:	globs of devices or drivers that own the area, with commas
 *		between; NULL for all that ask for the type. The caller keeps
 *		the string
 * @fallback:	the default area and ordinary pages serve requests once the area
 *		is used up
 *
 * Context: Boot.
 * Return: 0; -ENOSPC if there are too many areas.
 */
int __init dma_area_register(struct cma *cma, const char *type,
			     const char *devices, bool fallback)
{
	if (nr_declared == ARRAY_SIZE(declared)) {
		pr_err("%s: too many areas, see CONFIG_CMA_AREAS\n", type);
		return -ENOSPC;
	}
	declared[nr_declared++] = (struct dma_area_declared) {
		.area		= cma,
		.type		= type,
		.devices	= devices,
		.fallback	= fallback,
	};
	return 0;
}

static const struct dma_area_declared *
dma_area_find_declared(const struct cma *cma)
{
	for (unsigned int i = 0; i < nr_declared; i++)
		if (declared[i].area == cma)
			return &declared[i];
	return NULL;
}

static bool dma_area_is_of_node(const struct dma_area_declared *area,
				const char *name)
{
	return area->devices && !area->devices[0] && !strcmp(area->type, name);
}

/**
 * dma_area_lost_falls_back() - does other memory stand in for a lost node
 * @name:	name of the node of the device tree, with its unit address
 *
 * Context: Any.
 * Return: true if "cma_areas=" says so.
 */
bool dma_area_lost_falls_back(const char *name)
{
	for (unsigned int i = 0; i < nr_declared; i++)
		if (!declared[i].area && declared[i].fallback &&
		    dma_area_is_of_node(&declared[i], name))
			return true;
	return false;
}

/**
 * dma_area_by_node_name() - the area of a node of the device tree
 * @name:	name of the node, with its unit address
 *
 * Context: Any.
 * Return: the area; NULL if there is none.
 */
struct cma *dma_area_by_node_name(const char *name)
{
	for (unsigned int i = 0; i < nr_declared; i++)
		if (declared[i].area && dma_area_is_of_node(&declared[i], name))
			return declared[i].area;
	return NULL;
}

static bool dma_area_falls_back(const struct cma *cma)
{
	const struct dma_area_declared *area = dma_area_find_declared(cma);

	return area && area->fallback;
}

/* The last area decides, as it is the last one to be used up. */
static bool dma_area_list_falls_back(const struct dma_area_list *list)
{
	if (!list->nr || list->refused)
		return false;
	return list->spare_lost ||
	       dma_area_falls_back(list->choices[list->nr - 1].area);
}

static bool dma_area_choice_has_type(const struct dma_area_choice *choice,
				     const char *type)
{
	return choice->type && !strcmp(choice->type, type);
}

static bool dma_area_is_common(const struct dma_area_declared *area,
			       const char *type)
{
	return area->area && !area->devices && !strcmp(area->type, type);
}

/* Every board has these types: the default area serves them at least. */
static bool dma_area_type_is_standard(const char *type)
{
	return !strcmp(type, "dma") || !strcmp(type, "common");
}

/**
 * dma_area_knows_type() - does a memory type exist
 * @dev:	the device that asks
 * @type:	the type
 *
 * Context: Any.
 * Return: true if the device has an area of this type, or the board has a
 * common one, or a type without memory that other memory stands in for.
 */
bool dma_area_knows_type(struct device *dev, const char *type)
{
	const struct dma_area_list *list;
	bool found = dma_area_type_is_standard(type);

	rcu_read_lock();
	list = rcu_dereference(dev->cma_areas);
	for (unsigned int i = 0; list && i < list->nr && !found; i++)
		found = dma_area_choice_has_type(&list->choices[i], type);
	rcu_read_unlock();
	for (unsigned int i = 0; i < nr_declared && !found; i++)
		found = !declared[i].devices &&
			!strcmp(declared[i].type, type) &&
			(declared[i].area || declared[i].fallback);
	return found;
}

static void dma_area_add(struct dma_area_snapshot *areas, struct cma *cma)
{
	for (unsigned int i = 0; i < areas->nr; i++)
		if (areas->area[i] == cma)
			return;
	if (cma && areas->nr < ARRAY_SIZE(areas->area))
		areas->area[areas->nr++] = cma;
}

static void dma_area_add_common(struct dma_area_snapshot *areas,
				const char *type)
{
	bool found = false;

	for (unsigned int i = 0; i < nr_declared; i++) {
		if (!dma_area_is_common(&declared[i], type))
			continue;
		found = true;
		dma_area_add(areas, declared[i].area);
		if (!areas->own)
			areas->falls_back = declared[i].fallback;
	}
	if (!found && dma_area_type_is_standard(type))
		dma_area_add(areas, dma_contiguous_default_area);
}

static void dma_area_add_own(struct dma_area_snapshot *areas,
			     const struct dma_area_list *list, const char *type)
{
	for (unsigned int i = 0; i < list->nr; i++)
		if (!type || dma_area_choice_has_type(&list->choices[i], type))
			dma_area_add(areas, list->choices[i].area);
}

/**
 * dma_area_snapshot() - collect the areas that may serve a request
 * @dev:	the device; NULL for the default area
 * @type:	requested memory type; NULL for none
 * @areas:	set to the areas, in order of preference
 *
 * Areas of the type come first: those of the device, then the common ones.
 * Other areas of the device follow. The default area follows if the device has
 * no area of its own, or if other memory may stand in.
 *
 * Context: Any.
 */
void dma_area_snapshot(struct device *dev, const char *type,
		       struct dma_area_snapshot *areas)
{
	const struct dma_area_list *list;

	areas->nr = 0;
	areas->own = false;
	areas->refused = false;
	areas->falls_back = true;
	if (!dev || (!type && !rcu_access_pointer(dev->cma_areas) &&
		     !READ_ONCE(dev->cma_area))) {
		dma_area_add_node(dev, areas);
		dma_area_add(areas, dma_contiguous_default_area);
		return;
	}

	rcu_read_lock();
	list = rcu_dereference(dev->cma_areas);
	areas->own = list || dev->cma_area;
	areas->refused = list && list->refused;
	if (areas->own)
		areas->falls_back = list && dma_area_list_falls_back(list);
	if (list && type)
		dma_area_add_own(areas, list, type);
	if (type)
		dma_area_add_common(areas, type);
	if (list)
		dma_area_add_own(areas, list, NULL);
	else
		dma_area_add(areas, dev->cma_area);
	rcu_read_unlock();

	if (areas->refused)
		areas->nr = 0;
	else if (areas->falls_back)
		dma_area_add(areas, dma_contiguous_default_area);
}

/**
 * dma_contiguous_snapshot() - collect the areas for the current request
 * @dev:	the device; NULL for the default area
 * @areas:	set to the areas, in order of preference
 *
 * A request takes one snapshot and decides everything by it, as the list of the
 * device may change at any time.
 *
 * Context: Any.
 */
void dma_contiguous_snapshot(struct device *dev,
			     struct dma_area_snapshot *areas)
{
	dma_area_snapshot(dev, dma_area_requested_type(dev), areas);
}

/* Pieces are in order: if the first is in high memory, all of them are. */
static bool dma_area_has_lowmem(const struct cma *area)
{
	return !PageHighMem(pfn_to_page(PHYS_PFN(cma_get_base(area))));
}

/**
 * dma_area_next() - the next area that can serve a request
 * @dev:	the device; NULL for any
 * @areas:	snapshot of the request
 * @at:		place in @areas to start from; set to the place behind the
 *		result
 * @highmem:	memory without a kernel address will do
 *
 * A buffer may be in high memory without @highmem, too: its area may be in low
 * memory in part.
 *
 * Context: Any.
 * Return: the area; NULL if none is left.
 */
struct cma *dma_area_next(struct device *dev,
			  const struct dma_area_snapshot *areas,
			  unsigned int *at, bool highmem)
{
	while (*at < areas->nr) {
		struct cma *area = areas->area[(*at)++];

		if (dma_area_reached(dev, area) &&
		    (highmem || dma_area_has_lowmem(area)))
			return area;
	}
	return NULL;
}

/**
 * dma_contiguous_first_of() - the area that serves a request if it has room
 * @dev:	the device; NULL for any
 * @areas:	snapshot of the request
 *
 * Context: Any.
 * Return: the first area that the device reaches; NULL if there is none.
 */
struct cma *dma_contiguous_first_of(struct device *dev,
				    const struct dma_area_snapshot *areas)
{
	unsigned int at = 0;

	return dma_area_next(dev, areas, &at, true);
}

/**
 * dma_contiguous_first_area() - the area that a device prefers now
 * @dev:	the device; NULL for the default area
 *
 * Context: Any.
 * Return: the first area that the device reaches; NULL if there is none.
 */
struct cma *dma_contiguous_first_area(struct device *dev)
{
	struct dma_area_snapshot areas;

	dma_contiguous_snapshot(dev, &areas);
	return dma_contiguous_first_of(dev, &areas);
}

/**
 * dma_contiguous_falls_back() - may a device get other memory
 * @dev:	the device; NULL for none
 *
 * Context: Any.
 * Return: true if the default area and ordinary pages serve the device once its
 * own areas are used up, or if it needs no area of its own.
 */
bool dma_contiguous_falls_back(struct device *dev)
{
	struct dma_area_snapshot areas;

	dma_contiguous_snapshot(dev, &areas);
	return areas.falls_back;
}

/**
 * dma_contiguous_refuses() - must a request fail whatever memory is free
 * @dev:	the device
 * @gfp:	flags of the request; __GFP_NOWARN is heeded
 *
 * An area of the device does not exist; or the device must not have other
 * memory, and the request cannot wait for its areas. The DMA API asks before it
 * tries any source of memory, pools included.
 *
 * Context: Any.
 * Return: true if the request has to fail.
 */
bool dma_contiguous_refuses(struct device *dev, gfp_t gfp)
{
	struct dma_area_snapshot areas;

	if (likely(!rcu_access_pointer(dev->cma_areas) && !dev->cma_area &&
		   !dma_area_requested_type(dev)))
		return false;
	dma_contiguous_snapshot(dev, &areas);
	if (!areas.refused &&
	    (areas.falls_back || gfpflags_allow_blocking(gfp) ||
	     dma_area_behind_iommu(dev)))
		return false;
	if (!(gfp & __GFP_NOWARN))
		dev_err_ratelimited(dev, "cma: alloc failed, %s\n",
				    areas.refused ?
				    "the device is to have an area that does not exist" :
				    "an area of its own is for requests that may sleep");
	return true;
}

/**
 * dma_area_of_type() - an area of a device for one purpose
 * @dev:	the device
 * @type:	as for dma_contiguous_request_begin(), not NULL
 *
 * Context: Any.
 * Return: the first area of this type that the device reaches, common areas
 * last; NULL if there is none.
 */
struct cma *dma_area_of_type(struct device *dev, const char *type)
{
	struct dma_area_snapshot areas = { };
	const struct dma_area_list *list;

	rcu_read_lock();
	list = rcu_dereference(dev->cma_areas);
	if (list && !list->refused)
		dma_area_add_own(&areas, list, type);
	if (!list || !list->refused)
		dma_area_add_common(&areas, type);
	rcu_read_unlock();
	return dma_contiguous_first_of(dev, &areas);
}

/**
 * dma_contiguous_area() - an area of a device, for direct use
 * @dev:	the device
 * @type:	as for dma_contiguous_request_begin(); NULL for none
 *
 * For drivers that call cma_alloc() themselves, for firmware for instance.
 *
 * Context: Any.
 * Return: the area that the device prefers for this; NULL if there is none.
 */
struct cma *dma_contiguous_area(struct device *dev, const char *type)
{
	return type ? dma_area_of_type(dev, type) :
		      dma_contiguous_first_area(dev);
}
EXPORT_SYMBOL_GPL(dma_contiguous_area);

static bool dma_area_globs_match(const char *globs, const char *name)
{
	char glob[256];

	while (*globs) {
		size_t length = strcspn(globs, ",");

		if (length < sizeof(glob)) {
			strscpy(glob, globs, length + 1);
			if (glob_match(glob, name))
				return true;
		}
		globs += length + !!globs[length];
	}
	return false;
}

static bool dma_area_names_device(const struct dma_area_declared *area,
				  const struct device *dev)
{
	return area->devices &&
	       (dma_area_globs_match(area->devices, dev_name(dev)) ||
		(dev->driver &&
		 dma_area_globs_match(area->devices, dev->driver->name)));
}

/**
 * dma_area_bind_declared() - give a device the areas that name it
 * @dev:	the device; dev->driver is set
 *
 * Context: May sleep.
 * Return: true if one of them does not exist, which the log says.
 */
bool dma_area_bind_declared(struct device *dev)
{
	bool missing = false;

	for (unsigned int i = 0; i < nr_declared; i++) {
		const struct dma_area_declared *area = &declared[i];

		if (!dma_area_names_device(area, dev))
			continue;
		if (area->area) {
			dma_area_bind(dev, area->area, area->type);
			continue;
		}
		if (!dma_area_is_logged(dev))
			dev_err(dev, "cma: there is no area %s/%s%s\n",
				area->type, area->devices, area->fallback ? "" :
				", so no memory for this device");
		dma_area_refuse(dev, area->fallback);
		missing = true;
	}
	return missing;
}
