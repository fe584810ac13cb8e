// SPDX-License-Identifier: GPL-2.0
/*
 * Which areas serve a request of a device, and in which order.
 *
 * The order of preference is settled once for each request, in a snapshot:
 * areas of the requested type, other areas of the device, the areas of its NUMA
 * node, the default area. dma-areas-list.c owns the list of each device.
 *
 * Lists are read under RCU. Areas are never freed, nor are names.
 */
#include <linux/cma.h>
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include "dma-areas.h"

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
	bool found = dma_area_type_is_standard(type);
	const struct dma_area_declared *area;
	const struct dma_area_list *list;

	rcu_read_lock();
	list = rcu_dereference(dev->cma_areas);
	for (unsigned int i = 0; list && i < list->nr && !found; i++)
		found = dma_area_choice_has_type(&list->choices[i], type);
	rcu_read_unlock();
	for (unsigned int i = 0; !found && (area = dma_area_declared_at(i)); i++)
		found = !area->devices && !strcmp(area->type, type) &&
			(area->area || area->fallback);
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
	const struct dma_area_declared *area;
	bool found = false;

	for (unsigned int i = 0; (area = dma_area_declared_at(i)); i++) {
		if (!dma_area_is_common(area, type))
			continue;
		found = true;
		dma_area_add(areas, area->area);
		if (!areas->own)
			areas->falls_back = area->fallback;
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
