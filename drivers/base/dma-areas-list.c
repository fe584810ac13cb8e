// SPDX-License-Identifier: GPL-2.0
/*
 * The list of the areas of one device: how it changes.
 *
 * The driver core fills the list before a driver starts and empties it when
 * the driver is gone. Board code may change it at any time.
 *
 * A list fails closed. If an area of the device does not exist, the device gets
 * no memory, unless the declaration of that area lets other memory stand in.
 *
 * lists_lock serializes changes of all lists and covers the names of types.
 * dma-areas.c reads lists under RCU. Areas and names are never freed.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "base.h"
#include "dma-areas.h"

/* Shared by all devices whose list could not be allocated. */
static struct dma_area_list no_list = { .refused = true };

/* A copy outlives the module that passed the name. */
struct dma_area_type_name {
	struct list_head node;
	char name[];
};

static LIST_HEAD(type_names);
static DEFINE_MUTEX(lists_lock);

/* Return: a copy of @type that is never freed; NULL without memory. */
static const char *dma_area_intern_type(const char *type)
{
	struct dma_area_type_name *entry;

	lockdep_assert_held(&lists_lock);
	list_for_each_entry(entry, &type_names, node)
		if (!strcmp(entry->name, type))
			return entry->name;
	entry = kmalloc(struct_size(entry, name, strlen(type) + 1), GFP_KERNEL);
	if (!entry)
		return NULL;
	memcpy(entry->name, type, strlen(type) + 1);
	list_add(&entry->node, &type_names);
	return entry->name;
}

static struct dma_area_list *dma_area_list_of(struct device *dev)
{
	return rcu_dereference_protected(dev->cma_areas,
					 lockdep_is_held(&lists_lock));
}

/* dev->cma_area repeats the first area for code that knows only one. */
static void dma_area_publish_list(struct device *dev,
				  struct dma_area_list *list)
{
	struct dma_area_list *old = dma_area_list_of(dev);
	bool usable = list && list->nr && !list->refused;

	/* A device without an area of its own has no list. */
	if (list && !list->nr && !list->refused) {
		kfree(list);
		list = NULL;
	}
	/*
	 * dev_get_cma_area() takes NULL for "any area" unless there is a list,
	 * so set the list before cma_area becomes NULL, and reset it after.
	 */
	if (list)
		rcu_assign_pointer(dev->cma_areas, list);
	WRITE_ONCE(dev->cma_area, usable ? list->choices[0].area : NULL);
	if (!list)
		rcu_assign_pointer(dev->cma_areas, NULL);
	if (old && old != &no_list)
		kfree_rcu(old, rcu);
}

static struct dma_area_list *dma_area_copy_list(struct device *dev)
{
	struct dma_area_list *list = kzalloc(sizeof(*list), GFP_KERNEL);
	struct dma_area_list *old = dma_area_list_of(dev);

	if (!list)
		return NULL;
	if (old) {
		list->nr = old->nr;
		list->refused = old->refused;
		list->spare_lost = old->spare_lost;
		memcpy(list->choices, old->choices, sizeof(list->choices));
	} else if (dev->cma_area) {
		/* Board code has set dev->cma_area directly. */
		list->choices[list->nr++].area = dev->cma_area;
	}
	return list;
}

static void dma_area_remove_choice(struct dma_area_list *list, unsigned int at)
{
	list->nr--;
	memmove(&list->choices[at], &list->choices[at + 1],
		(list->nr - at) * sizeof(list->choices[0]));
}

static int dma_area_insert_choice(struct dma_area_list *list, unsigned int at,
				  const struct dma_area_choice *choice)
{
	if (list->nr == DMA_AREAS_MAX)
		return -ENOSPC;
	memmove(&list->choices[at + 1], &list->choices[at],
		(list->nr - at) * sizeof(list->choices[0]));
	list->choices[at] = *choice;
	list->nr++;
	return 0;
}

static int dma_area_find_choice(const struct dma_area_list *list,
				const struct cma *cma)
{
	for (unsigned int i = 0; i < list->nr; i++)
		if (list->choices[i].area == cma)
			return i;
	return -ENOENT;
}

/* @first moves an area that is in the list already; otherwise it stays. */
static int dma_area_place_choice(struct dma_area_list *list,
				 struct dma_area_choice *choice, bool first)
{
	int at = dma_area_find_choice(list, choice->area);

	if (at >= 0 && !first)
		return 0;
	if (at >= 0) {
		*choice = list->choices[at];
		dma_area_remove_choice(list, at);
	}
	if (!first)
		list->spare_lost = false;
	return dma_area_insert_choice(list, first ? 0 : list->nr, choice);
}

static int dma_area_add_choice(struct device *dev, struct cma *cma,
			       const char *type, bool bound, bool first)
{
	struct dma_area_choice choice = {
		.area	= cma,
		.bound	= bound,
	};
	struct dma_area_list *list;
	int error;

	guard(mutex)(&lists_lock);
	if (type) {
		choice.type = dma_area_intern_type(type);
		if (!choice.type)
			return -ENOMEM;
	}
	list = dma_area_copy_list(dev);
	if (!list)
		return -ENOMEM;
	error = dma_area_place_choice(list, &choice, first);
	if (error) {
		dev_err(dev, "cma: more than %d areas\n", DMA_AREAS_MAX);
		kfree(list);
		return error;
	}
	dma_area_publish_list(dev, list);
	return 0;
}

/**
 * dma_area_is_logged() - has the log a line about the areas of a device
 * @dev:	the device, which is being bound
 *
 * A driver may defer its probe many times, and the log has the line once.
 *
 * Context: Process.
 * Return: true if so.
 */
bool dma_area_is_logged(struct device *dev)
{
	return dev->p && dev->p->cma_logged;
}

/**
 * dma_area_bind() - add an area to the list of a device until it is unbound
 * @dev:	the device
 * @cma:	the area
 * @type:	name that the driver uses for the area; NULL for none. Copied
 *
 * If the list cannot take the area, the device gets no memory until then.
 *
 * Context: May sleep.
 */
void dma_area_bind(struct device *dev, struct cma *cma, const char *type)
{
	if (dma_area_add_choice(dev, cma, type, true, false))
		dma_area_refuse(dev, false);
}

/**
 * dma_area_refuse() - record that an area of a device does not exist
 * @dev:	the device
 * @fallback:	the declaration of that area lets other memory stand in
 *
 * Without @fallback the device gets no memory until it is unbound.
 *
 * Context: May sleep.
 */
void dma_area_refuse(struct device *dev, bool fallback)
{
	struct dma_area_list *list;

	guard(mutex)(&lists_lock);
	/* A device without any area gets other memory anyway. */
	if (fallback && !dma_area_list_of(dev))
		return;
	list = dma_area_copy_list(dev);
	if (!list)
		list = &no_list;
	else if (fallback)
		list->spare_lost = true;
	else
		list->refused = true;
	dma_area_publish_list(dev, list);
}

/**
 * dma_area_put_first() - make an area the one that a device prefers
 * @dev:	the device
 * @cma:	the area
 * @type:	name that the driver uses, unless the area is in the list
 *		already. Copied
 *
 * Context: May sleep.
 * Return: as dma_contiguous_assign().
 */
int dma_area_put_first(struct device *dev, struct cma *cma, const char *type)
{
	return dma_area_add_choice(dev, cma, type, true, true);
}

/**
 * dma_contiguous_assign() - give a device one more area
 * @dev:	the device
 * @cma:	the area
 * @type:	name that the driver uses for the area; NULL for none. Copied
 *
 * The area becomes the last in the order of preference. Nothing changes if the
 * device has it already, nor for buffers that are in use.
 *
 * Context: May sleep.
 * Return: 0; -ENOSPC if the device has 8 areas; -ENOMEM. On an error the list
 * stays as it was.
 */
int dma_contiguous_assign(struct device *dev, struct cma *cma, const char *type)
{
	return dma_area_add_choice(dev, cma, type, false, false);
}
EXPORT_SYMBOL_GPL(dma_contiguous_assign);

/**
 * dma_contiguous_unassign() - take an area away from a device
 * @dev:	the device
 * @cma:	the area; nothing happens if the device does not have it
 *
 * Buffers stay valid until they are freed. A device without an area of its own
 * uses the default area.
 *
 * Context: May sleep.
 */
void dma_contiguous_unassign(struct device *dev, struct cma *cma)
{
	struct dma_area_list *list;
	int at;

	guard(mutex)(&lists_lock);
	list = dma_area_list_of(dev) ? dma_area_copy_list(dev) : NULL;
	at = list ? dma_area_find_choice(list, cma) : -ENOENT;
	if (at < 0) {
		kfree(list);
		return;
	}
	dma_area_remove_choice(list, at);
	dma_area_publish_list(dev, list);
}
EXPORT_SYMBOL_GPL(dma_contiguous_unassign);

/**
 * dma_contiguous_unbind() - undo dma_contiguous_bind()
 * @dev:	the device; its driver is gone
 *
 * Areas of dma_contiguous_assign() stay.
 *
 * Context: May sleep.
 */
void dma_contiguous_unbind(struct device *dev)
{
	struct dma_area_list *list;

	if (!rcu_access_pointer(dev->cma_areas))
		return;
	guard(mutex)(&lists_lock);
	list = dma_area_copy_list(dev);
	/* Without memory the next driver inherits the list as it is. */
	if (!list)
		return;
	for (unsigned int i = 0; i < list->nr;)
		if (list->choices[i].bound)
			dma_area_remove_choice(list, i);
		else
			i++;
	list->refused = false;
	list->spare_lost = false;
	dma_area_publish_list(dev, list);
}

/**
 * dma_contiguous_device_release() - free the list of a device
 * @dev:	the device, which has no references left
 *
 * Context: Any.
 */
void dma_contiguous_device_release(struct device *dev)
{
	struct dma_area_list *list;

	list = rcu_replace_pointer(dev->cma_areas, NULL, true);
	if (list != &no_list)
		kfree(list);
}
