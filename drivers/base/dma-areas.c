// SPDX-License-Identifier: GPL-2.0
/*
 * Which areas a device takes its DMA buffers from, and in which order.
 *
 * A device that nothing is said about takes from the default area. Others have
 * a list of areas, in order of preference: from the device tree, from
 * "cma_areas=" and from board code, in this order. It is made when a driver is
 * bound, so that the driver need not know; board code may change it at any
 * time. Each area of the list has a type, a name that drivers which need memory
 * for more than one purpose ask for (dma-areas-request.c).
 *
 * A list fails closed: a device that an area was meant for which does not exist
 * gets no memory at all, unless that area's declaration lets other memory do.
 *
 * lists_lock covers changes of the lists and the names of types; lists are read
 * under RCU, once for each request. Areas never go away, nor do names.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/export.h>
#include <linux/glob.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/setup.h>

#include "dma-areas.h"

/*
 * Areas that could not be had are among them: each entry that "cma_areas=" has
 * room for, as short as it can be, and what the board and the tree declare.
 */
#ifdef CONFIG_CMA_CMDLINE_AREAS
#define NR_DECLARED	(2 * MAX_CMA_AREAS + COMMAND_LINE_SIZE / sizeof("a/b=1"))
#else
#define NR_DECLARED	(2 * MAX_CMA_AREAS)
#endif

/**
 * struct dma_area_list - the areas of a device
 * @rcu:	for those who still read it
 * @nr:		number of areas
 * @refused:	an area that the device was to have does not exist: there is no
 *		memory for it
 * @spare_lost:	likewise, behind the last of the list, but other memory does
 * @choices:	them, the preferred one first
 */
struct dma_area_list {
	struct rcu_head rcu;
	unsigned int nr;
	bool refused;
	bool spare_lost;
	struct dma_area_choice {
		struct cma *area;
		const char *type;	/* what drivers ask for; may be NULL */
		bool bound;		/* goes with the driver */
	} choices[DMA_AREAS_MAX];
};

/* A device that is refused memory for want of memory for its list. */
static struct dma_area_list no_list = { .refused = true };

/**
 * struct declared_area - what is known of an area beside what it is
 * @area:	the area; NULL for a type that has no memory of its own, and for
 *		one that could not be had
 * @type:	memory type, or name, that drivers ask for
 * @devices:	devices or drivers it is private to, globs with commas between;
 *		NULL for a common area
 * @fallback:	other memory does as well
 */
struct declared_area {
	struct cma *area;
	const char *type;
	const char *devices;
	bool fallback;
};

/* Written at boot, while one CPU runs; read only then. */
static struct declared_area declared[NR_DECLARED];
static unsigned int nr_declared;

/* Names of types are copied for good: a module may have named them. */
struct type_name {
	struct list_head node;
	char name[];
};

static LIST_HEAD(type_names);
static DEFINE_MUTEX(lists_lock);

/**
 * dma_area_register() - have an area found by those it is for
 * @cma:	the area; NULL for a type without memory, and for an area of
 *		devices that could not be had
 * @type:	memory type; stays the caller's
 * @devices:	globs of names of devices or drivers, with commas between; NULL
 *		for all that ask for the type
 * @fallback:	the default area and ordinary pages do as well, once it is used
 *		up
 *
 * Context: Boot.
 * Return: 0; -ENOSPC if there are too many.
 */
int __init dma_area_register(struct cma *cma, const char *type,
			     const char *devices, bool fallback)
{
	if (nr_declared == ARRAY_SIZE(declared)) {
		pr_err("%s: too many areas, see CONFIG_CMA_AREAS\n", type);
		return -ENOSPC;
	}
	declared[nr_declared++] = (struct declared_area) {
		.area		= cma,
		.type		= type,
		.devices	= devices,
		.fallback	= fallback,
	};
	return 0;
}

static const struct declared_area *declaration_of(const struct cma *cma)
{
	for (unsigned int i = 0; i < nr_declared; i++)
		if (declared[i].area == cma)
			return &declared[i];
	return NULL;
}

/**
 * dma_area_was_spare() - does other memory do for an area that does not exist
 * @name:	its name
 *
 * Context: Any.
 * Return: true if so.
 */
bool dma_area_was_spare(const char *name)
{
	for (unsigned int i = 0; i < nr_declared; i++)
		if (!declared[i].area && declared[i].fallback &&
		    declared[i].devices && !declared[i].devices[0] &&
		    !strcmp(declared[i].type, name))
			return true;
	return false;
}

/**
 * dma_area_of_tree() - the area of a node of the device tree
 * @name:	the node's, with its unit address
 *
 * Context: Any.
 * Return: the area; NULL if there is none.
 */
struct cma *dma_area_of_tree(const char *name)
{
	for (unsigned int i = 0; i < nr_declared; i++)
		if (declared[i].area && declared[i].devices &&
		    !declared[i].devices[0] && !strcmp(declared[i].type, name))
			return declared[i].area;
	return NULL;
}

static bool declares_fallback(const struct cma *cma)
{
	const struct declared_area *area = declaration_of(cma);

	return area && area->fallback;
}

static bool list_falls_back(const struct dma_area_list *list)
{
	if (!list->nr || list->refused)
		return false;
	return list->spare_lost ||
	       declares_fallback(list->choices[list->nr - 1].area);
}

static bool is_of_type(const struct dma_area_choice *choice, const char *type)
{
	return choice->type && !strcmp(choice->type, type);
}

static const char *keep_type(const char *type)
{
	struct type_name *kept;

	lockdep_assert_held(&lists_lock);
	list_for_each_entry(kept, &type_names, node)
		if (!strcmp(kept->name, type))
			return kept->name;
	kept = kmalloc(struct_size(kept, name, strlen(type) + 1), GFP_KERNEL);
	if (!kept)
		return NULL;
	memcpy(kept->name, type, strlen(type) + 1);
	list_add(&kept->node, &type_names);
	return kept->name;
}

static struct dma_area_list *list_of(struct device *dev)
{
	return rcu_dereference_protected(dev->cma_areas,
					 lockdep_is_held(&lists_lock));
}

/* The first one is what code that knows one area only looks at. */
static void publish(struct device *dev, struct dma_area_list *list)
{
	struct dma_area_list *old = list_of(dev);
	bool usable = list && list->nr && !list->refused;

	/* A device without an area of its own has no list. */
	if (list && !list->nr && !list->refused) {
		kfree(list);
		list = NULL;
	}
	/* Readers of the first one must not take NULL for "any area". */
	if (list)
		rcu_assign_pointer(dev->cma_areas, list);
	WRITE_ONCE(dev->cma_area, usable ? list->choices[0].area : NULL);
	if (!list)
		rcu_assign_pointer(dev->cma_areas, NULL);
	if (old && old != &no_list)
		kfree_rcu(old, rcu);
}

static struct dma_area_list *copy_list(struct device *dev)
{
	struct dma_area_list *list = kzalloc(sizeof(*list), GFP_KERNEL);
	struct dma_area_list *old = list_of(dev);

	if (!list)
		return NULL;
	if (old) {
		list->nr = old->nr;
		list->refused = old->refused;
		list->spare_lost = old->spare_lost;
		memcpy(list->choices, old->choices, sizeof(list->choices));
	} else if (dev->cma_area) {
		/* Set by hand. */
		list->choices[list->nr++].area = dev->cma_area;
	}
	return list;
}

static void remove_choice(struct dma_area_list *list, unsigned int at)
{
	list->nr--;
	memmove(&list->choices[at], &list->choices[at + 1],
		(list->nr - at) * sizeof(list->choices[0]));
}

static int insert_choice(struct dma_area_list *list, unsigned int at,
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

static int find_choice(const struct dma_area_list *list, const struct cma *cma)
{
	for (unsigned int i = 0; i < list->nr; i++)
		if (list->choices[i].area == cma)
			return i;
	return -ENOENT;
}

/* At the end of the list; or first, even if it is there already. */
static int place_choice(struct dma_area_list *list,
			struct dma_area_choice *choice, bool first)
{
	int at = find_choice(list, choice->area);

	if (at >= 0 && !first)
		return 0;
	if (at >= 0) {
		*choice = list->choices[at];
		remove_choice(list, at);
	}
	if (!first)
		list->spare_lost = false;
	return insert_choice(list, first ? 0 : list->nr, choice);
}

static int add_choice(struct device *dev, struct cma *cma, const char *type,
		      bool bound, bool first)
{
	struct dma_area_choice choice = {
		.area	= cma,
		.bound	= bound,
	};
	struct dma_area_list *list;
	int error;

	guard(mutex)(&lists_lock);
	if (type) {
		choice.type = keep_type(type);
		if (!choice.type)
			return -ENOMEM;
	}
	list = copy_list(dev);
	if (!list)
		return -ENOMEM;
	error = place_choice(list, &choice, first);
	if (error) {
		dev_err(dev, "cma: more than %d areas\n", DMA_AREAS_MAX);
		kfree(list);
		return error;
	}
	publish(dev, list);
	return 0;
}

/**
 * dma_area_bind() - add an area to the list of a device, until it is unbound
 * @dev:	the device
 * @cma:	the area
 * @type:	what its driver calls it; NULL if it does not
 *
 * A device that cannot have it in its list gets no memory until then.
 *
 * Context: May sleep.
 */
void dma_area_bind(struct device *dev, struct cma *cma, const char *type)
{
	if (add_choice(dev, cma, type, true, false))
		dma_area_refuse(dev, false);
}

/**
 * dma_area_refuse() - an area that a device was to have does not exist
 * @dev:	the device
 * @fallback:	that area's declaration lets other memory do
 *
 * Unless other memory does, there is none for the device until it is unbound.
 *
 * Context: May sleep.
 */
void dma_area_refuse(struct device *dev, bool fallback)
{
	struct dma_area_list *list;

	guard(mutex)(&lists_lock);
	/* Without any area, other memory is what it has anyway. */
	if (fallback && !list_of(dev))
		return;
	list = copy_list(dev);
	if (!list)
		list = &no_list;
	else if (fallback)
		list->spare_lost = true;
	else
		list->refused = true;
	publish(dev, list);
}

/**
 * dma_area_put_first() - make an area the one that a device prefers
 * @dev:	the device
 * @cma:	the area
 * @type:	what its driver calls it, if it was not in the list before
 *
 * Context: May sleep.
 * Return: as dma_contiguous_assign().
 */
int dma_area_put_first(struct device *dev, struct cma *cma, const char *type)
{
	return add_choice(dev, cma, type, true, true);
}

/**
 * dma_contiguous_assign() - give a device one more area
 * @dev:	the device
 * @cma:	the area
 * @type:	what its driver asks for it by; NULL if it does not. Copied
 *
 * It comes last in the order of preference; nothing happens if the device has
 * it already. Buffers that are out are not affected.
 *
 * Context: May sleep.
 * Return: 0; -ENOSPC if the device has 8 areas; -ENOMEM. The device has what it
 * had before, then.
 */
int dma_contiguous_assign(struct device *dev, struct cma *cma, const char *type)
{
	return add_choice(dev, cma, type, false, false);
}
EXPORT_SYMBOL_GPL(dma_contiguous_assign);

/**
 * dma_contiguous_unassign() - take an area away from a device
 * @dev:	the device
 * @cma:	the area; nothing happens if the device does not have it
 *
 * Buffers that are out stay out. A device left without an area of its own takes
 * from the default one.
 *
 * Context: May sleep.
 */
void dma_contiguous_unassign(struct device *dev, struct cma *cma)
{
	struct dma_area_list *list;
	int at;

	guard(mutex)(&lists_lock);
	list = list_of(dev) ? copy_list(dev) : NULL;
	at = list ? find_choice(list, cma) : -ENOENT;
	if (at < 0) {
		kfree(list);
		return;
	}
	remove_choice(list, at);
	publish(dev, list);
}
EXPORT_SYMBOL_GPL(dma_contiguous_unassign);

static bool is_common(const struct declared_area *area, const char *type)
{
	return area->area && !area->devices && !strcmp(area->type, type);
}

/* Types that drivers may rely on: by default they are the default area. */
static bool is_standard(const char *type)
{
	return !strcmp(type, "dma") || !strcmp(type, "common");
}

/**
 * dma_area_knows_type() - is there a type
 * @dev:	the device that asks
 * @type:	the type
 *
 * Context: Any.
 * Return: true if the device has an area of this type, or the board a common one,
 * or a type without memory that other memory stands in for.
 */
bool dma_area_knows_type(struct device *dev, const char *type)
{
	const struct dma_area_list *list;
	bool found = is_standard(type);

	rcu_read_lock();
	list = rcu_dereference(dev->cma_areas);
	for (unsigned int i = 0; list && i < list->nr && !found; i++)
		found = is_of_type(&list->choices[i], type);
	rcu_read_unlock();
	for (unsigned int i = 0; i < nr_declared && !found; i++)
		found = !declared[i].devices &&
			!strcmp(declared[i].type, type) &&
			(declared[i].area || declared[i].fallback);
	return found;
}

static void add_area(struct dma_area_snapshot *areas, struct cma *cma)
{
	for (unsigned int i = 0; i < areas->nr; i++)
		if (areas->area[i] == cma)
			return;
	if (cma && areas->nr < ARRAY_SIZE(areas->area))
		areas->area[areas->nr++] = cma;
}

/* The common area of a type is anybody's who asks for it. */
static void add_common(struct dma_area_snapshot *areas, const char *type)
{
	bool found = false;

	for (unsigned int i = 0; i < nr_declared; i++) {
		if (!is_common(&declared[i], type))
			continue;
		found = true;
		add_area(areas, declared[i].area);
		if (!areas->own)
			areas->falls_back = declared[i].fallback;
	}
	if (!found && is_standard(type))
		add_area(areas, dma_contiguous_default_area);
}

static void add_own(struct dma_area_snapshot *areas,
		    const struct dma_area_list *list, const char *type)
{
	for (unsigned int i = 0; i < list->nr; i++)
		if (!type || is_of_type(&list->choices[i], type))
			add_area(areas, list->choices[i].area);
}

/**
 * dma_area_snapshot() - where a request of a device may take from
 * @dev:	the device; NULL for the default area
 * @type:	the type that is asked for; NULL for none in special
 * @areas:	set to what there is, in order of preference
 *
 * Areas of the type come first: those of the device, then the common one. Then
 * come the device's others; and the default area, if it has none of its own or
 * other memory does.
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
		add_area(areas, dma_contiguous_default_area);
		return;
	}

	rcu_read_lock();
	list = rcu_dereference(dev->cma_areas);
	areas->own = list || dev->cma_area;
	areas->refused = list && list->refused;
	if (areas->own)
		areas->falls_back = list && list_falls_back(list);
	if (list && type)
		add_own(areas, list, type);
	if (type)
		add_common(areas, type);
	if (list)
		add_own(areas, list, NULL);
	else
		add_area(areas, dev->cma_area);
	rcu_read_unlock();

	if (areas->refused)
		areas->nr = 0;
	else if (areas->falls_back)
		add_area(areas, dma_contiguous_default_area);
}

/**
 * dma_area_of_type() - an area of a device that is for one purpose
 * @dev:	the device
 * @type:	as for dma_contiguous_request_begin(), not NULL
 *
 * Context: Any.
 * Return: the one that the device prefers for this, else the common area of
 * that type; NULL if there is none.
 */
struct cma *dma_area_of_type(struct device *dev, const char *type)
{
	struct dma_area_snapshot areas = { };
	const struct dma_area_list *list;

	rcu_read_lock();
	list = rcu_dereference(dev->cma_areas);
	if (list && !list->refused)
		add_own(&areas, list, type);
	if (!list || !list->refused)
		add_common(&areas, type);
	rcu_read_unlock();
	for (unsigned int i = 0; i < areas.nr; i++)
		if (dma_area_reached(dev, areas.area[i]))
			return areas.area[i];
	return NULL;
}

static bool matches_one(const char *globs, const char *name)
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

static bool is_for(const struct declared_area *area, const struct device *dev)
{
	return area->devices &&
	       (matches_one(area->devices, dev_name(dev)) ||
		(dev->driver && matches_one(area->devices, dev->driver->name)));
}

/**
 * dma_areas_bind_declared() - give a device the private areas it is named in
 * @dev:	the device; dev->driver is set
 *
 * Context: May sleep.
 * Return: true if one of them does not exist, which the log says.
 */
bool dma_areas_bind_declared(struct device *dev)
{
	bool missing = false;

	for (unsigned int i = 0; i < nr_declared; i++) {
		const struct declared_area *area = &declared[i];

		if (!is_for(area, dev))
			continue;
		if (area->area) {
			dma_area_bind(dev, area->area, area->type);
			continue;
		}
		if (!dma_areas_told(dev))
			dev_err(dev, "cma: there is no area %s/%s%s\n",
				area->type, area->devices, area->fallback ? "" :
				", so no memory for this device");
		dma_area_refuse(dev, area->fallback);
		missing = true;
	}
	return missing;
}

/**
 * dma_contiguous_unbind() - take back what dma_contiguous_bind() gave
 * @dev:	the device; its driver is gone
 *
 * Context: May sleep.
 */
void dma_contiguous_unbind(struct device *dev)
{
	struct dma_area_list *list;

	if (!rcu_access_pointer(dev->cma_areas))
		return;
	guard(mutex)(&lists_lock);
	list = copy_list(dev);
	/* Without memory the next driver finds what this one had. */
	if (!list)
		return;
	for (unsigned int i = 0; i < list->nr;)
		if (list->choices[i].bound)
			remove_choice(list, i);
		else
			i++;
	list->refused = false;
	list->spare_lost = false;
	publish(dev, list);
}

/**
 * dma_contiguous_device_release() - free the list of a device that is no more
 * @dev:	the device; nobody refers to it
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
