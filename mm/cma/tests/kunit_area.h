/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers of the KUnit tests that work on an area: they count the pages that
 * are held, and make a device that allocates from the area. Units are pages.
 */
#ifndef _MM_CMA_TESTS_KUNIT_AREA_H
#define _MM_CMA_TESTS_KUNIT_AREA_H

#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/highmem.h>
#include <linux/initrd.h>

#include "../../contig/kernel.h"
#include "../internal.h"

/* Size of a DMA address in bits. */
#define DMA_BITS	(BITS_PER_BYTE * sizeof(dma_addr_t))

/* The buddy allocator has no block of this order, if a compound page may have it. */
#define CMA_TEST_LARGE_ORDER \
	min_t(unsigned int, MAX_PAGE_ORDER + 1, CONTIG_MAX_COMPOUND_ORDER)

/* Content that no buffer may have when it is handed out. */
#define CMA_TEST_PATTERN	0xa5

/* Counts the pages of all buffers in use; flushes the cache first. */
static inline unsigned long cma_test_nr_held(struct cma *cma)
{
	unsigned long nr_pages;

	cma_cache_flush(cma);
	spin_lock_irq(&cma->lock);
	nr_pages = cma->range.nr_held;
	spin_unlock_irq(&cma->lock);
	return nr_pages;
}

/*
 * Counts the pages that devices have. The atomic pool has no owner and is left
 * out: a work item grows it at any time, and it never shrinks.
 */
static inline unsigned long cma_test_nr_owned(struct cma *cma)
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

static inline bool cma_test_in_highmem(const struct cma *cma)
{
	return PageHighMem(pfn_to_page(cma->range.start));
}

/*
 * Returns the default area, or skips the test if there is none. While the initial
 * RAM disk is unpacked, others take pages of the area.
 */
static inline struct cma *cma_test_area(struct kunit *test)
{
	struct cma *cma = dev_get_cma_area(NULL);

	wait_for_initramfs();
	if (!cma)
		kunit_skip(test, "there is no default area");
	return cma;
}

/* Initializes a case: test->priv is the default area. In alloc_kunit.c. */
int cma_test_use_area(struct kunit *test);

/* Makes a device that reaches all memory; KUnit removes it with the test. */
static inline struct device *cma_test_device(struct kunit *test,
					     const char *name)
{
	struct device *dev = kunit_device_register(test, name);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	dev->dma_mask = &dev->coherent_dma_mask;
	dev->coherent_dma_mask = DMA_BIT_MASK(DMA_BITS);
	return dev;
}

/* Writes to free pages; the next request of this size gets the same pages. */
static inline void cma_test_soil(struct kunit *test, struct cma *cma,
				 unsigned long nr_pages)
{
	struct page *page = cma_alloc(cma, nr_pages, 0, false);

	KUNIT_ASSERT_NOT_NULL(test, page);
	for (unsigned long i = 0; i < nr_pages; i++)
		memset_page(pfn_to_page(page_to_pfn(page) + i), 0,
			    CMA_TEST_PATTERN, PAGE_SIZE);
	KUNIT_ASSERT_TRUE(test, cma_release(cma, page, nr_pages));
}

#endif /* _MM_CMA_TESTS_KUNIT_AREA_H */
