/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Part of the DMA test driver that takes pages without the DMA API, as drivers
 * do for firmware, and releases them in atomic context.
 */
#ifndef __CMA_DMA_TEST_RAW_H
#define __CMA_DMA_TEST_RAW_H

#include <linux/dma-map-ops.h>
#include <linux/highmem.h>
#include <linux/completion.h>
#include <linux/irq_work.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include "dma_test.h"

#if defined(_LINUX_DMA_CONTIGUOUS_H) && defined(CONFIG_DMA_CMA)
/**
 * struct dma_test_pages - pages that are to be released
 * @area:	area of the pages
 * @page:	first page
 * @nr_pages:	number of pages
 * @timer:	releases them for DMA_TEST_SOFTIRQ
 * @work:	releases them for DMA_TEST_HARDIRQ
 * @released:	result of cma_release()
 * @done:	completed after cma_release()
 */
struct dma_test_pages {
	struct cma *area;
	struct page *page;
	unsigned long nr_pages;
	struct timer_list timer;
	struct irq_work work;
	bool released;
	struct completion done;
};

static inline void dma_test_release_pages(struct dma_test_pages *pages)
{
	pages->released = cma_release(pages->area, pages->page,
				      pages->nr_pages);
	complete(&pages->done);
}

static inline void dma_test_timer(struct timer_list *timer)
{
	struct dma_test_pages *pages =
		container_of(timer, struct dma_test_pages, timer);

	dma_test_release_pages(pages);
}

static inline void dma_test_irq_work(struct irq_work *work)
{
	dma_test_release_pages(container_of(work, struct dma_test_pages, work));
}

static inline void dma_test_release_in(struct dma_test_pages *pages,
				       enum dma_test_release release)
{
	static DEFINE_SPINLOCK(lock);

	switch (release) {
	case DMA_TEST_LOCKED_IRQ:
		spin_lock_irq(&lock);
		dma_test_release_pages(pages);
		spin_unlock_irq(&lock);
		break;
	case DMA_TEST_SOFTIRQ:
		mod_timer(&pages->timer, jiffies);
		break;
	case DMA_TEST_HARDIRQ:
		irq_work_queue(&pages->work);
		break;
	default:
		spin_lock(&lock);
		dma_test_release_pages(pages);
		spin_unlock(&lock);
	}
}

/* Writes to the pages, so that other users notice if they are not zeroed. */
static inline int dma_test_write_raw(struct dma_test_pages *pages,
				     struct dma_test_raw *arg)
{
	pages->page = cma_alloc(pages->area, pages->nr_pages, 0, true);
	if (!pages->page)
		return -ENOMEM;
	arg->pfn = page_to_pfn(pages->page);
	for (unsigned long i = 0; i < pages->nr_pages; i++)
		memset_page(pfn_to_page(arg->pfn + i), 0, 0xa5, PAGE_SIZE);

	init_completion(&pages->done);
	init_irq_work(&pages->work, dma_test_irq_work);
	timer_setup(&pages->timer, dma_test_timer, 0);
	dma_test_release_in(pages, arg->release);
	wait_for_completion(&pages->done);
	irq_work_sync(&pages->work);
	timer_delete_sync(&pages->timer);
	return pages->released ? 0 : -EIO;
}

static inline int dma_test_ioc_raw(struct device *dev, struct dma_test_raw *arg)
{
	struct dma_test_pages *pages;
	int error;

	if (arg->release >= DMA_TEST_NR_RELEASES || arg->nr_pages > ULONG_MAX)
		return -EINVAL;
	pages = kzalloc(sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	pages->area = dma_contiguous_area(dev, NULL);
	pages->nr_pages = arg->nr_pages;
	error = pages->area ? dma_test_write_raw(pages, arg) : -ENODEV;
	kfree(pages);
	return error;
}
#else
static inline int dma_test_ioc_raw(struct device *dev, struct dma_test_raw *arg)
{
	return -EOPNOTSUPP;
}
#endif

#endif /* __CMA_DMA_TEST_RAW_H */
