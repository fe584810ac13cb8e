/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the KUnit tests that work on an area share: what is held of it, and a
 * device that takes from it. Units are pages.
 */
#ifndef _MM_CMA_TESTS_KUNIT_AREA_H
#define _MM_CMA_TESTS_KUNIT_AREA_H

#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>

#include "../internal.h"

/* Of an address that devices are given. */
#define DMA_BITS	(BITS_PER_BYTE * sizeof(dma_addr_t))

/* Cached buffers are held by nobody. */
static inline unsigned long area_nr_held(struct cma *cma)
{
	unsigned long nr_pages;

	cma_cache_flush(cma);
	spin_lock_irq(&cma->lock);
	nr_pages = cma->range.nr_held;
	spin_unlock_irq(&cma->lock);
	return nr_pages;
}

/*
 * Pages that devices have. The pool for those who cannot wait is nobody's, and
 * grows by a work of its own, for good.
 */
static inline unsigned long area_nr_of_devices(struct cma *cma)
{
	struct cma_holder *holder = NULL;
	unsigned long nr_pages = 0;
	struct cma_buffer buffer;

	cma_cache_flush(cma);
	spin_lock_irq(&cma->lock);
	while ((holder = cma_range_next(&cma->range, holder))) {
		cma_buffer_snapshot(cma, container_of(holder, struct cma_buffer,
						      holder), &buffer);
		if (buffer.owned && buffer.owner[0])
			nr_pages += buffer.nr_pages;
	}
	spin_unlock_irq(&cma->lock);
	return nr_pages;
}

/* The default area. Without one, the test is skipped. */
static inline struct cma *area_or_skip(struct kunit *test)
{
	struct cma *cma = dev_get_cma_area(NULL);

	if (!cma)
		kunit_skip(test, "there is no default area");
	return cma;
}

/* A device that reaches the area wherever it lies; goes with the test. */
static inline struct device *area_device(struct kunit *test, const char *name)
{
	struct device *dev = kunit_device_register(test, name);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	dev->dma_mask = &dev->coherent_dma_mask;
	dev->coherent_dma_mask = DMA_BIT_MASK(DMA_BITS);
	return dev;
}

#endif /* _MM_CMA_TESTS_KUNIT_AREA_H */
