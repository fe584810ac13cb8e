// SPDX-License-Identifier: GPL-2.0
/*
 * The memory type that one request of a driver asks for, and the areas that
 * serve the request.
 *
 * Functions of the DMA API have no argument for it. So it is recorded here with
 * the task while the task is in the DMA API. Other threads of the same driver
 * and interrupts do not see it.
 *
 * requests_lock covers the list of current requests. The list is empty unless a
 * driver asks for a type right now.
 */
#include <linux/cma.h>
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "dma-areas.h"

static LIST_HEAD(requests);
static DEFINE_SPINLOCK(requests_lock);

/**
 * dma_contiguous_request_begin() - ask for a memory type
 * @request:	the caller keeps it until dma_contiguous_request_end()
 * @dev:	the device
 * @type:	a memory type of the board ("banka"), or the name that the
 *		device tree has for an area of this device ("frame"); "dma" and
 *		"common" exist on every board. The caller keeps the string
 *
 * Until the end, whatever this task allocates for the device with the DMA API
 * comes from areas of this type that the device owns, then from the common area
 * of this type, then from other areas of the device. Requests nest, and the
 * latest one counts.
 *
 * Context: Process; may be atomic if the calls in between allow that.
 * Return: 0; -ENOENT if the type does not exist, then do not call
 * dma_contiguous_request_end().
 */
int dma_contiguous_request_begin(struct dma_contiguous_request *request,
				 struct device *dev, const char *type)
{
	unsigned long flags;

	if (!dma_area_knows_type(dev, type))
		return -ENOENT;
	request->dev = dev;
	request->type = type;
	request->task = current;
	spin_lock_irqsave(&requests_lock, flags);
	list_add(&request->node, &requests);
	spin_unlock_irqrestore(&requests_lock, flags);
	return 0;
}
EXPORT_SYMBOL_GPL(dma_contiguous_request_begin);

/**
 * dma_contiguous_request_end() - stop asking for a memory type
 * @request:	as for dma_contiguous_request_begin()
 *
 * Context: The task that began the request.
 */
void dma_contiguous_request_end(struct dma_contiguous_request *request)
{
	unsigned long flags;

	WARN_ON_ONCE(request->task != current);
	spin_lock_irqsave(&requests_lock, flags);
	list_del(&request->node);
	spin_unlock_irqrestore(&requests_lock, flags);
}
EXPORT_SYMBOL_GPL(dma_contiguous_request_end);

/**
 * dma_area_requested_type() - the memory type that the current task asks for
 * @dev:	the device; NULL for none
 *
 * Context: Any.
 * Return: the type; NULL for none.
 */
const char *dma_area_requested_type(struct device *dev)
{
	const struct dma_contiguous_request *request;
	const char *type = NULL;
	unsigned long flags;

	/* No lock needed: a task sees its own entry. Interrupts have none. */
	if (likely(list_empty(&requests)) || !dev || !in_task())
		return NULL;
	spin_lock_irqsave(&requests_lock, flags);
	list_for_each_entry(request, &requests, node)
		if (request->task == current && request->dev == dev) {
			type = request->type;
			break;
		}
	spin_unlock_irqrestore(&requests_lock, flags);
	return type;
}

/**
 * dma_contiguous_alloc_attrs() - dma_alloc_attrs() from memory of one type
 * @dev:	the device
 * @type:	as for dma_contiguous_request_begin()
 * @size:	bytes
 * @handle:	set to the address of the buffer for the device
 * @gfp:	as for dma_alloc_attrs()
 * @attrs:	DMA_ATTR_*
 *
 * Free the buffer with dma_free_attrs().
 *
 * Context: As dma_alloc_attrs().
 * Return: as dma_alloc_attrs(); NULL also if the type does not exist.
 */
void *dma_contiguous_alloc_attrs(struct device *dev, const char *type,
				 size_t size, dma_addr_t *handle, gfp_t gfp,
				 unsigned long attrs)
{
	struct dma_contiguous_request request;
	void *cpu_addr;

	if (dma_contiguous_request_begin(&request, dev, type))
		return NULL;
	cpu_addr = dma_alloc_attrs(dev, size, handle, gfp, attrs);
	dma_contiguous_request_end(&request);
	return cpu_addr;
}
EXPORT_SYMBOL_GPL(dma_contiguous_alloc_attrs);

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
