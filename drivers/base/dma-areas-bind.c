// SPDX-License-Identifier: GPL-2.0
/*
 * The driver core binds a device to a driver, and the device gets its areas:
 * those that its node of the device tree refers to, and those that name it or
 * the driver.
 *
 * No locks of our own; dma-areas-list.c has the one of the lists.
 */
#include <linux/cma.h>
#include <linux/device.h>
#include <linux/dma-map-ops.h>

#include "dma-areas.h"

static bool dma_area_names_device(const struct dma_area_declared *area,
				  const struct device *dev)
{
	return area->devices &&
	       (dma_area_globs_match(area->devices, dev_name(dev)) ||
		(dev->driver &&
		 dma_area_globs_match(area->devices, dev->driver->name)));
}

/* Return: true if one of the areas that name @dev does not exist. */
static bool dma_area_bind_declared(struct device *dev)
{
	const struct dma_area_declared *area;
	bool missing = false;

	for (unsigned int i = 0; (area = dma_area_declared_at(i)); i++) {
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

/**
 * dma_contiguous_bind() - give a device its areas before its driver starts
 * @dev:	the device; dev->driver is set
 *
 * The order is that of preference: the device tree, then board code and
 * "cma_areas=", areas with an address before those without.
 *
 * Context: May sleep.
 */
void dma_contiguous_bind(struct device *dev)
{
	bool missing = dma_area_bind_of(dev);

	missing |= dma_area_bind_declared(dev);
	dma_area_log(dev, missing);
}
