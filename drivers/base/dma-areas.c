// SPDX-License-Identifier: GPL-2.0
/*
 * Which areas a device takes its DMA buffers from, and in which order.
 *
 * A device that nothing is said about takes from the default area. Others have
 * a list of areas, in order of preference: from the device tree, from
 * "cma_areas=" and from board code, in this order. It is made when a driver is
 * bound, so that the driver need not know; board code may change it at any
 * time. Each area of the list is of a type, a name that drivers which need
 * memory for more than one purpose ask for.
 *
 * lists_lock covers changes of the lists; they are read under RCU. Areas never
 * go away.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/export.h>
#include <linux/glob.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dma-areas.h"

#define MAX_CHOICES	8
/* Behind all that are the device's own. */
#define ASKED_RANK	(INT_MAX / 2)

/**
 * struct dma_area_list - the areas of a device
 * @rcu:	for those who still read it
 * @nr:		number of areas
 * @choices:	them, the preferred one first
 */
struct dma_area_list {
	struct rcu_head rcu;
	unsigned int nr;
	struct dma_area_choice {
		struct cma *area;
		const char *type;	/* what drivers ask for; may be NULL */
		int rank;		/* place in the list as it was made */
		bool bound;		/* goes with the driver */
		bool asked;		/* goes with the next dma_contiguous_use() */
	} choices[MAX_CHOICES];
};

/**
 * struct declared_area - what is known of an area beside what it is
 * @area:	the area; NULL for a type that has no memory of its own
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
static struct declared_area declared[2 * MAX_CMA_AREAS];
static unsigned int nr_declared;

static DEFINE_MUTEX(lists_lock);

/**
 * dma_area_register() - have an area found by those it is for
 * @cma:	the area; NULL for a type without memory
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

static bool has_type(const struct dma_area_choice *choice, const char *type)
{
	return choice->type && type && !strcmp(choice->type, type);
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

	WRITE_ONCE(dev->cma_area, list && list->nr ? list->choices[0].area :
						     NULL);
	rcu_assign_pointer(dev->cma_areas, list);
	if (old)
		kfree_rcu(old, rcu);
}

/* A device without an area of its own has no list. */
static void publish_or_free(struct device *dev, struct dma_area_list *list)
{
	if (list && !list->nr) {
		kfree(list);
		list = NULL;
	}
	publish(dev, list);
}

static struct dma_area_list *copy_list(struct device *dev)
{
	struct dma_area_list *list = kzalloc(sizeof(*list), GFP_KERNEL);
	struct dma_area_list *old = list_of(dev);

	if (!list)
		return NULL;
	if (old) {
		list->nr = old->nr;
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

static bool is_bound(const struct dma_area_choice *choice)
{
	return choice->bound;
}

static bool is_asked(const struct dma_area_choice *choice)
{
	return choice->asked;
}

static void remove_choices(struct dma_area_list *list,
			   bool (*unwanted)(const struct dma_area_choice *))
{
	for (unsigned int i = 0; i < list->nr;)
		if (unwanted(&list->choices[i]))
			remove_choice(list, i);
		else
			i++;
}

static int insert_choice(struct dma_area_list *list, unsigned int at,
			 const struct dma_area_choice *choice)
{
	if (list->nr == MAX_CHOICES)
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

/* The place before or behind those that are there for good. */
static int new_rank(const struct dma_area_list *list, bool first)
{
	int rank = 0;

	for (unsigned int i = 0; i < list->nr; i++) {
		const struct dma_area_choice *choice = &list->choices[i];

		if (!choice->asked)
			rank = first ? min(rank, choice->rank - 1) :
				       max(rank, choice->rank + 1);
	}
	return rank;
}

static int add_choice(struct device *dev, struct cma *cma, const char *type,
		      bool bound, bool first)
{
	struct dma_area_choice choice = {
		.area	= cma,
		.type	= type,
		.bound	= bound,
	};
	struct dma_area_list *list;
	int error = 0, at;

	mutex_lock(&lists_lock);
	list = copy_list(dev);
	if (!list) {
		error = -ENOMEM;
		goto out;
	}
	at = find_choice(list, cma);
	/* One that is there because of a type stays where that put it. */
	if (at >= 0 && !first && list->choices[at].asked) {
		list->choices[at].rank = new_rank(list, false);
		list->choices[at].asked = false;
		list->choices[at].bound = bound;
	}
	if (at >= 0 && first) {
		choice = list->choices[at];
		remove_choice(list, at);
	}
	choice.asked = false;
	choice.rank = new_rank(list, first);
	if (at < 0 || first)
		error = insert_choice(list, first ? 0 : list->nr, &choice);
	if (error) {
		dev_err(dev, "cma: more than %d areas\n", MAX_CHOICES);
		kfree(list);
		goto out;
	}
	publish(dev, list);
out:
	mutex_unlock(&lists_lock);
	return error;
}

/**
 * dma_area_bind() - add an area to the list of a device, until it is unbound
 * @dev:	the device
 * @cma:	the area
 * @type:	what its driver calls it; NULL if it does not
 *
 * Context: May sleep.
 * Return: as dma_contiguous_assign().
 */
int dma_area_bind(struct device *dev, struct cma *cma, const char *type)
{
	return add_choice(dev, cma, type, true, false);
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
 * @type:	what its driver asks for it by, with dma_contiguous_use(); NULL if
 *		it does not. Stays the caller's
 *
 * It comes last in the order of preference; nothing happens if the device has
 * it already. Buffers that are out are not affected.
 *
 * Context: May sleep.
 * Return: 0; -ENOSPC if the device has 8 areas; -ENOMEM.
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

	mutex_lock(&lists_lock);
	list = list_of(dev) ? copy_list(dev) : NULL;
	at = list ? find_choice(list, cma) : -ENOENT;
	if (at < 0) {
		kfree(list);
		goto out;
	}
	remove_choice(list, at);
	publish_or_free(dev, list);
out:
	mutex_unlock(&lists_lock);
}
EXPORT_SYMBOL_GPL(dma_contiguous_unassign);

/* Those of @type first, otherwise in the order in which the list was made. */
static void sort_choices(struct dma_area_list *list, const char *type)
{
	for (unsigned int i = 1; i < list->nr; i++) {
		struct dma_area_choice choice = list->choices[i];
		unsigned int at = i;

		for (; at > 0; at--) {
			const struct dma_area_choice *left =
				&list->choices[at - 1];
			bool preferred = has_type(&choice, type);

			if (preferred == has_type(left, type) ?
			    choice.rank > left->rank : !preferred)
				break;
			list->choices[at] = *left;
		}
		list->choices[at] = choice;
	}
}

static bool is_common(const struct declared_area *area, const char *type)
{
	return area->area && !area->devices && type &&
	       !strcmp(area->type, type);
}

/* The common area of a type is anybody's who asks for it. */
static int add_common(struct dma_area_list *list, const char *type)
{
	for (unsigned int i = 0; i < nr_declared; i++) {
		struct dma_area_choice choice = {
			.area	= declared[i].area,
			.type	= type,
			.rank	= ASKED_RANK + i,
			.bound	= true,
			.asked	= true,
		};
		int error;

		if (!is_common(&declared[i], type) ||
		    find_choice(list, choice.area) >= 0)
			continue;
		error = insert_choice(list, list->nr, &choice);
		if (error)
			return error;
	}
	return 0;
}

static bool knows_type(const struct dma_area_list *list, const char *type)
{
	for (unsigned int i = 0; i < list->nr; i++)
		if (has_type(&list->choices[i], type))
			return true;
	/* One that has no memory is as good as any, or there is none. */
	for (unsigned int i = 0; i < nr_declared; i++)
		if (!declared[i].devices && !strcmp(declared[i].type, type))
			return declared[i].area || declared[i].fallback;
	return false;
}

/**
 * dma_contiguous_use() - what the next buffers of a device are for
 * @dev:	the device
 * @type:	a memory type that the board has ("banka"), or what the device tree
 *		calls an area of this device ("frame"); NULL for none in special.
 *		Stays the caller's
 *
 * From now on dma_alloc_coherent() and the like try the device's areas of this
 * type first, then the common area of this type, then what else the device has.
 * The driver sees to it that no other thread of its own is allocating.
 *
 * Context: May sleep.
 * Return: 0; -ENOENT if there is no such type, and nothing changes; -ENOSPC if
 * the device has 8 areas; -ENOMEM.
 */
int dma_contiguous_use(struct device *dev, const char *type)
{
	struct dma_area_list *list;
	int error = 0;

	mutex_lock(&lists_lock);
	list = copy_list(dev);
	if (!list) {
		error = -ENOMEM;
		goto out;
	}
	remove_choices(list, is_asked);
	if (type)
		error = knows_type(list, type) ? add_common(list, type) :
						 -ENOENT;
	if (error) {
		kfree(list);
		goto out;
	}
	sort_choices(list, type);
	publish_or_free(dev, list);
out:
	mutex_unlock(&lists_lock);
	return error;
}
EXPORT_SYMBOL_GPL(dma_contiguous_use);

/**
 * dma_area_of_type() - an area of a device that is for one purpose
 * @dev:	the device
 * @type:	as for dma_contiguous_use(), not NULL
 *
 * Context: Any.
 * Return: the one that the device prefers for this, else the common area of
 * that type; NULL if there is none.
 */
struct cma *dma_area_of_type(struct device *dev, const char *type)
{
	const struct dma_area_list *list;
	struct cma *area = NULL;

	rcu_read_lock();
	list = rcu_dereference(dev->cma_areas);
	for (unsigned int i = 0; list && i < list->nr && !area; i++)
		if (has_type(&list->choices[i], type))
			area = list->choices[i].area;
	rcu_read_unlock();

	for (unsigned int i = 0; i < nr_declared && !area; i++)
		if (is_common(&declared[i], type))
			area = declared[i].area;
	return area;
}

static bool falls_back(const struct dma_area_list *list)
{
	const struct declared_area *last;

	last = declaration_of(list->choices[list->nr - 1].area);
	return last && last->fallback;
}

/**
 * dma_contiguous_falls_back() - may a device get other memory
 * @dev:	the device; NULL for none
 *
 * Context: Any.
 * Return: true if the default area and ordinary pages do as well, once the areas
 * that are the device's own are used up; also if it has none.
 */
bool dma_contiguous_falls_back(struct device *dev)
{
	const struct dma_area_list *list;
	bool yes;

	if (!dev || !dev->cma_area)
		return true;
	rcu_read_lock();
	list = rcu_dereference(dev->cma_areas);
	yes = list && falls_back(list);
	rcu_read_unlock();
	return yes;
}

/**
 * dma_area_choice() - where a device that has areas of its own takes from
 * @dev:	the device
 * @choice:	0 for the area that it prefers, 1 for the next one, and so on
 *
 * Context: Any.
 * Return: the area; NULL when there are no more.
 */
struct cma *dma_area_choice(struct device *dev, unsigned int choice)
{
	const struct dma_area_list *list;
	struct cma *area = NULL;

	rcu_read_lock();
	list = rcu_dereference(dev->cma_areas);
	if (!list)
		area = choice ? NULL : READ_ONCE(dev->cma_area);
	else if (choice < list->nr)
		area = list->choices[choice].area;
	else if (choice == list->nr && falls_back(list) &&
		 dma_contiguous_default_area &&
		 find_choice(list, dma_contiguous_default_area) < 0)
		area = dma_contiguous_default_area;
	rcu_read_unlock();
	return area;
}

static bool matches_one(const char *globs, const char *name)
{
	char glob[CMA_MAX_NAME];

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
	return area->area && area->devices &&
	       (matches_one(area->devices, dev_name(dev)) ||
		(dev->driver && matches_one(area->devices, dev->driver->name)));
}

/**
 * dma_areas_bind_declared() - give a device the private areas it is named in
 * @dev:	the device; dev->driver is set
 *
 * Context: May sleep.
 */
void dma_areas_bind_declared(struct device *dev)
{
	for (unsigned int i = 0; i < nr_declared; i++)
		if (is_for(&declared[i], dev))
			dma_area_bind(dev, declared[i].area, declared[i].type);
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
	mutex_lock(&lists_lock);
	list = copy_list(dev);
	/* Without memory the next driver finds what this one had. */
	if (list) {
		remove_choices(list, is_bound);
		/* What it asked for goes, too. */
		sort_choices(list, NULL);
		publish_or_free(dev, list);
	}
	mutex_unlock(&lists_lock);
}

/**
 * dma_contiguous_forget() - free the list of a device that is no more
 * @dev:	the device; nobody refers to it
 *
 * Context: Any.
 */
void dma_contiguous_forget(struct device *dev)
{
	kfree(rcu_replace_pointer(dev->cma_areas, NULL, true));
}
