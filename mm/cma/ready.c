// SPDX-License-Identifier: GPL-2.0
/*
 * Small buffers that came back, kept for the next request.
 *
 * Drivers take and give back small buffers all the time. Most of what that
 * costs is not finding the pages but changing the state they are in: page
 * table entries, those in the TLBs of all CPUs, the free lists. So a few are
 * kept as they come back: held in the range, off the free lists, and mapped as
 * they were. Whoever gets one next clears it; nobody ever reads what another
 * owner wrote.
 *
 * There are few of them: CMA_READY_PAGES_MAX pages each, cma->ready_limit pages
 * in all, a 64th of the area or 1 MiB by default; and not for long: one that
 * was not wanted for a second or two goes back to the area. All of them go at
 * once when memory runs short, or when a request finds no free window.
 *
 * Each CPU keeps its own, so that CPUs do not wait for each other; ready->lock
 * is for those that give back what others kept. Units are pages.
 */
#include <linux/cma.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/workqueue.h>
#include <trace/events/cma.h>

#include "internal.h"

#define AGE_JIFFIES	HZ

static void age(struct work_struct *work);
static DECLARE_DELAYED_WORK(age_work, age);

static void unlist(struct cma_ready *ready, struct cma_buffer *buffer)
{
	lockdep_assert_held(&ready->lock);
	list_del(&buffer->node);
	ready->nr_pages -= buffer->nr_pages;
}

/* Of this CPU, or of the one it was a moment ago; either will do. */
static struct cma_ready *ready_of(struct cma *cma, unsigned long nr_pages)
{
	if (!cma || !cma->ready || !nr_pages || nr_pages > CMA_READY_PAGES_MAX)
		return NULL;
	return raw_cpu_ptr(cma->ready);
}

/**
 * cma_ready_get() - a buffer that was kept
 * @cma:	the area; NULL has nothing to give
 * @count:	number of pages
 * @kind:	in what state
 * @owner:	the device it is for, for the record; NULL if there is none
 * @mapped:	set to where it is mapped
 *
 * Context: Any but NMI.
 * Return: its first page, with what was in it; clear it. NULL if none was kept.
 */
struct page *cma_ready_get(struct cma *cma, unsigned long count,
			   unsigned long kind, const char *owner,
			   void **mapped)
{
	struct cma_ready *ready = ready_of(cma, count);
	struct cma_buffer *buffer, *found = NULL;
	struct page *page;
	unsigned long flags;

	if (!ready || list_empty(&ready->buffers[count - 1]))
		return NULL;

	spin_lock_irqsave(&ready->lock, flags);
	list_for_each_entry(buffer, &ready->buffers[count - 1], node) {
		if (buffer->kind != kind)
			continue;
		found = buffer;
		unlist(ready, found);
		break;
	}
	spin_unlock_irqrestore(&ready->lock, flags);
	if (!found)
		return NULL;

	page = pfn_to_page(found->holder.start);
	*mapped = found->mapped;
	trace_cma_alloc_start(cma->name, count, 0);
	cma_buffer_hand_out(found, owner, _RET_IP_);
	cma_account_alloc(cma, count, 0);
	trace_cma_alloc_finish(cma->name, page_to_pfn(page), page, count, 0, 0);
	return page;
}

static unsigned long limit_per_cpu(const struct cma *cma)
{
	return READ_ONCE(cma->ready_limit) / num_online_cpus();
}

/**
 * cma_ready_put() - keep a buffer for the next request
 * @cma:	the area
 * @pages:	first page of a buffer that its owner gives back
 * @count:	number of pages it was asked for
 * @kind:	in what state it is
 * @mapped:	where it is mapped
 * @unready:	ends this state before the pages go back to the area; may sleep
 *
 * Context: Any but NMI.
 * Return: false if it is not kept, and nothing happened: release it.
 */
bool cma_ready_put(struct cma *cma, struct page *pages, unsigned long count,
		   unsigned long kind, void *mapped, cma_unready_t unready)
{
	unsigned long pfn = page_to_pfn(pages), flags;
	struct cma_ready *ready = ready_of(cma, count);
	struct cma_buffer *buffer;

	if (!ready || READ_ONCE(ready->nr_pages) + count > limit_per_cpu(cma))
		return false;
	/* There, all that a buffer costs is its record. */
	if (READ_ONCE(cma->class) == CMA_EXCLUSIVE)
		return false;
	buffer = cma_buffer_claim(cma, pfn, count);
	if (!buffer)
		return false;

	buffer->aged = false;
	buffer->kind = kind;
	buffer->mapped = mapped;
	buffer->unready = unready;
	spin_lock_irqsave(&ready->lock, flags);
	list_add(&buffer->node, &ready->buffers[count - 1]);
	ready->nr_pages += count;
	spin_unlock_irqrestore(&ready->lock, flags);

	cma_account_release(cma, pfn, count);
	if (!delayed_work_pending(&age_work))
		schedule_delayed_work(&age_work, AGE_JIFFIES);
	return true;
}

/*
 * Gives back buffers that nobody wants: all of them, or those that were there
 * before the last time. Return: number of pages.
 */
static unsigned long give_back_of(struct cma *cma, struct cma_ready *ready,
				  bool all)
{
	struct cma_buffer *buffer, *next;
	unsigned long nr_pages = 0, flags;
	LIST_HEAD(unwanted);

	if (!READ_ONCE(ready->nr_pages))
		return 0;

	spin_lock_irqsave(&ready->lock, flags);
	for (unsigned int i = 0; i < ARRAY_SIZE(ready->buffers); i++) {
		list_for_each_entry_safe(buffer, next, &ready->buffers[i],
					 node) {
			if (all || buffer->aged) {
				unlist(ready, buffer);
				list_add(&buffer->node, &unwanted);
			}
			buffer->aged = true;
		}
	}
	spin_unlock_irqrestore(&ready->lock, flags);

	list_for_each_entry_safe(buffer, next, &unwanted, node) {
		nr_pages += buffer->nr_pages;
		buffer->unready(pfn_to_page(buffer->holder.start),
				buffer->nr_pages, buffer->mapped);
		cma_buffer_give_back(cma, buffer);
	}
	return nr_pages;
}

static unsigned long give_back(struct cma *cma, bool all)
{
	unsigned long nr_pages = 0;
	int cpu;

	if (cma->ready)
		for_each_possible_cpu(cpu)
			nr_pages += give_back_of(cma,
						 per_cpu_ptr(cma->ready, cpu),
						 all);
	return nr_pages;
}

/**
 * cma_ready_flush() - give back all that is kept
 * @cma:	the area
 *
 * Context: May sleep.
 * Return: number of pages that went back to the area.
 */
unsigned long cma_ready_flush(struct cma *cma)
{
	return give_back(cma, true);
}

/**
 * cma_ready_pages() - how much is kept
 * @cma:	the area
 *
 * Return: number of pages.
 */
unsigned long cma_ready_pages(const struct cma *cma)
{
	unsigned long nr_pages = 0;
	int cpu;

	if (cma->ready)
		for_each_possible_cpu(cpu)
			nr_pages += READ_ONCE(per_cpu_ptr(cma->ready,
							  cpu)->nr_pages);
	return nr_pages;
}

/**
 * cma_ready_init_area() - let buffers of an area be kept
 * @cma:	the area
 *
 * Context: Boot.
 */
void cma_ready_init_area(struct cma *cma)
{
	int cpu;

	/* Without, every buffer goes back at once. */
	cma->ready = alloc_percpu(struct cma_ready);
	if (!cma->ready)
		return;
	for_each_possible_cpu(cpu) {
		struct cma_ready *ready = per_cpu_ptr(cma->ready, cpu);

		spin_lock_init(&ready->lock);
		for (unsigned int i = 0; i < ARRAY_SIZE(ready->buffers); i++)
			INIT_LIST_HEAD(&ready->buffers[i]);
	}
	cma->ready_limit = min(cma->nr_pages / 64, SZ_1M / PAGE_SIZE);
}

static unsigned long count_ready(struct shrinker *shrinker,
				 struct shrink_control *control)
{
	unsigned long nr_pages = 0;

	for (unsigned int i = 0; i < cma_area_count; i++)
		nr_pages += cma_ready_pages(&cma_areas[i]);
	return nr_pages ?: SHRINK_EMPTY;
}

static void age(struct work_struct *work)
{
	for (unsigned int i = 0; i < cma_area_count; i++)
		give_back(&cma_areas[i], false);
	if (count_ready(NULL, NULL) != SHRINK_EMPTY)
		schedule_delayed_work(&age_work, AGE_JIFFIES);
}

static unsigned long shrink_ready(struct shrinker *shrinker,
				  struct shrink_control *control)
{
	unsigned long nr_pages = 0;

	for (unsigned int i = 0; i < cma_area_count; i++)
		nr_pages += cma_ready_flush(&cma_areas[i]);
	return nr_pages ?: SHRINK_STOP;
}

static int __init cma_ready_init(void)
{
	struct shrinker *shrinker = shrinker_alloc(0, "cma-ready");

	if (!shrinker)
		return -ENOMEM;
	shrinker->count_objects = count_ready;
	shrinker->scan_objects = shrink_ready;
	/* They cost little to make again: the first to go. */
	shrinker->seeks = 0;
	shrinker->batch = 1;
	shrinker_register(shrinker);
	return 0;
}
subsys_initcall(cma_ready_init);
