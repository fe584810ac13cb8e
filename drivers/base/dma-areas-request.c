// SPDX-License-Identifier: GPL-2.0
/*
 * What a DMA buffer is for: the type of memory that one request asks for.
 *
 * The DMA API has no room for such an argument, so it is kept beside the task
 * for as long as that is in the DMA API. It is nobody else's: other threads of
 * the same driver, and interrupts, do not see it.
 *
 * requests_lock covers the list of requests that are under way, which is empty
 * unless a driver asks for a type just now.
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
 * dma_contiguous_request_begin() - say what the next buffers are for
 * @request:	stays the caller's until dma_contiguous_request_end()
 * @dev:	the device
 * @type:	a memory type that the board has ("banka"), or what the device tree
 *		calls an area of this device ("frame"); "dma" and "common" exist
 *		on every board. Stays the caller's
 *
 * Until the end, what this task allocates for the device with any function of
 * the DMA API comes from the device's areas of this type, then from the common
 * area of this type, then from what else the device has. May be nested; the
 * latest one holds.
 *
 * Context: Process; may not sleep only if what is in between does not.
 * Return: 0; -ENOENT if there is no such type, and there is nothing to end.
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
 * dma_contiguous_request_end() - the buffers are there, or not to be had
 * @request:	what dma_contiguous_request_begin() was given
 *
 * Context: The task that began it.
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
 * dma_area_requested_type() - what the buffer being allocated is for
 * @dev:	the device; NULL for none
 *
 * Context: Any.
 * Return: what the current task asked for; NULL for nothing in special.
 */
const char *dma_area_requested_type(struct device *dev)
{
	const struct dma_contiguous_request *request;
	const char *type = NULL;
	unsigned long flags;

	/* Its own entry a task always sees; an interrupt has asked nothing. */
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
 * @handle:	set to what the device knows the buffer by
 * @gfp:	as for dma_alloc_attrs()
 * @attrs:	DMA_ATTR_*
 *
 * Give it back with dma_free_attrs().
 *
 * Context: As dma_alloc_attrs().
 * Return: as dma_alloc_attrs(); NULL also if there is no such type.
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
