// SPDX-License-Identifier: GPL-2.0
/*
 * Which memory a device can address: its mask, its bus, its IOMMU.
 *
 * No locks: the driver core sets these up before a driver starts. Addresses and
 * sizes are bytes.
 */
#include <linux/cma.h>
#include <linux/device.h>
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/iommu-dma.h>

#include "dma-areas.h"

/**
 * dma_area_behind_iommu() - does an IOMMU translate addresses for a device
 * @dev:	the device
 *
 * The mask of such a device limits what the IOMMU maps, and not which pages do.
 *
 * Context: Any.
 * Return: true if so.
 */
bool dma_area_behind_iommu(struct device *dev)
{
#ifdef to_dma_iommu_mapping
	if (to_dma_iommu_mapping(dev))
		return true;
#endif
	return use_dma_iommu(dev);
}

/**
 * dma_area_reach_mask() - the highest address that a device can use
 * @dev:	the device
 *
 * The DMA API warns of a device without a mask, but serves it. It gets what
 * devices in general reach.
 *
 * Context: Any.
 * Return: the address, as the device sees memory.
 */
u64 dma_area_reach_mask(struct device *dev)
{
	return min_not_zero(dev->coherent_dma_mask, dev->bus_dma_limit) ?:
	       DMA_BIT_MASK(32);
}

static dma_addr_t dma_area_phys_to_dma(struct device *dev, phys_addr_t phys)
{
	return force_dma_unencrypted(dev) ? phys_to_dma_unencrypted(dev, phys) :
					    phys_to_dma(dev, phys);
}

/* Return: the range of the bus that contains @phys; NULL if none does. */
static const struct bus_dma_region *dma_area_bus_range(struct device *dev,
						       u64 phys)
{
	const struct bus_dma_region *range = dev->dma_range_map;

	for (; range->size; range++)
		if (phys >= range->cpu_start &&
		    phys - range->cpu_start < range->size)
			return range;
	return NULL;
}

/* Adjacent ranges count as one if they have the same offset. */
static bool dma_area_on_bus(struct device *dev, u64 start, u64 end)
{
	const struct bus_dma_region *range = dma_area_bus_range(dev, start);
	u64 offset = range ? range->dma_start - range->cpu_start : 0;

	while (range && start < end) {
		start = (u64)range->cpu_start + range->size;
		if (start < end)
			range = dma_area_bus_range(dev, start);
		if (range && range->dma_start - range->cpu_start != offset)
			range = NULL;
	}
	return range;
}

/**
 * dma_contiguous_reaches() - does a device reach memory
 * @dev:	the device; NULL for none, which reaches everything
 * @phys:	first physical address
 * @size:	bytes
 *
 * Context: Any.
 * Return: true if the device reaches all of it in one piece, with its mask for
 * coherent memory and through its bus, or if it is behind an IOMMU.
 */
bool dma_contiguous_reaches(struct device *dev, phys_addr_t phys, u64 size)
{
	dma_addr_t dma;

	if (!dev || dma_area_behind_iommu(dev))
		return true;
	dma = dma_area_phys_to_dma(dev, phys);
	return dma != DMA_MAPPING_ERROR && (u64)dma + size - 1 >= (u64)dma &&
	       (u64)dma + size - 1 <= dma_area_reach_mask(dev) &&
	       (!dev->dma_range_map || dma_area_on_bus(dev, phys, phys + size));
}

/**
 * dma_area_reached() - does a device reach an area
 * @dev:	the device; NULL for none, which reaches everything
 * @area:	the area
 *
 * A request may get any pages of the area, so the device has to reach all of
 * each piece. A bus may show memory in part, or from some address on.
 *
 * Context: Any.
 * Return: true if so; false also for an area that is not in use.
 */
bool dma_area_reached(struct device *dev, const struct cma *area)
{
	phys_addr_t base;
	u64 size;

	if (!cma_get_size(area))
		return false;
	for (unsigned int i = 0; (size = cma_get_piece(area, i, &base)); i++)
		if (!dma_contiguous_reaches(dev, base, size))
			return false;
	return true;
}
