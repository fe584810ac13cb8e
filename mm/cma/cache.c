// SPDX-License-Identifier: GPL-2.0
/*
 * Released buffers, cached for the next request.
 *
 * Drivers take and release the same buffers all the time. The cost of a small
 * one is mostly a change of state: page table entries, the TLBs of all CPUs,
 * the free lists. The cost of a large one is mostly zeroing. So some buffers
 * are cached as they come back: held in the range, off the free lists, and
 * mapped. Background work zeroes a buffer that is not taken soon; otherwise the
 * next owner must zero it. No owner ever reads the data of another one.
 *
 * At most cma->cache_limit pages are cached. One half is for buffers of up to
 * CMA_CACHE_PAGES_MAX pages, split evenly between CPUs to avoid contention. The
 * other half is for larger buffers and shared by all CPUs.
 *
 * A buffer that is not taken within cma->cache_age_ms goes back to the area.
 * Reclaim takes as many as it asks for, oldest first. A request that finds no
 * hole, or no window that can be evacuated, flushes them all.
 *
 * In each list, buffers that are not zeroed precede those that are. The
 * latest one of either kind is taken first, so that surplus buffers grow old.
 *
 * cache->lock covers the lists. A buffer being zeroed or given back is on no
 * list to be taken from, but stays counted as cached until that is done. This
 * happens under cma->cache_mutex, so a request that needs the memory can wait.
 * Units are pages.
 */
#include <linux/cma.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "../contig/kernel.h"
#include "internal.h"
#include "trace_start.h"

/* Delay of background zeroing: drivers often take a buffer again at once. */
#define ZERO_MS	20

/* Bytes zeroed between two calls of cond_resched() */
#define ZERO_STEP	SZ_64K

static struct list_head *cma_cache_list(struct cma_cache *cache,
					unsigned long nr_pages)
{
	return &cache->buffers[min(nr_pages, cache->nr_lists) - 1];
}

/*
 * Return: the cache for buffers of this size. Small ones are cached by CPU; it
 * does no harm if the task moves to another CPU meanwhile.
 */
static struct cma_cache *cma_cache_of(struct cma *cma, unsigned long nr_pages)
{
	if (!cma || !cma->cache || !nr_pages)
		return NULL;
	return nr_pages > CMA_CACHE_PAGES_MAX ? cma->cache_large :
						raw_cpu_ptr(cma->cache);
}

static struct cma_buffer *cma_cache_find(struct cma_cache *cache,
					 unsigned long nr_pages,
					 unsigned long kind)
{
	struct list_head *list = cma_cache_list(cache, nr_pages);
	struct cma_buffer *buffer;

	lockdep_assert_held(&cache->lock);
	list_for_each_entry_reverse(buffer, list, node) {
		if (!buffer->zeroed)
			break;
		if (buffer->kind == kind && buffer->nr_pages == nr_pages)
			return buffer;
	}
	list_for_each_entry(buffer, list, node)
		if (buffer->kind == kind && buffer->nr_pages == nr_pages)
			return buffer;
	return NULL;
}

/*
 * A program may still refer to a page of the buffer, and would see what the
 * next owner writes. Zeroing checks for this, so zeroed buffers have no such
 * page.
 */
static bool cma_cache_buffer_in_use(const struct cma_buffer *buffer)
{
	unsigned long pfn = buffer->holder.start;
	unsigned long end_pfn = pfn + buffer->nr_pages;

	return cma_first_in_use(pfn, end_pfn) < end_pfn;
}

/* Add to the head: zeroing starts there, and gives back buffers in use. */
static void cma_cache_add(struct cma_cache *cache, struct cma_buffer *buffer)
{
	unsigned long flags;

	spin_lock_irqsave(&cache->lock, flags);
	list_add(&buffer->node, cma_cache_list(cache, buffer->nr_pages));
	list_add_tail(&buffer->by_age, &cache->by_age);
	WRITE_ONCE(cache->nr_pages, cache->nr_pages + buffer->nr_pages);
	spin_unlock_irqrestore(&cache->lock, flags);
}

/**
 * cma_cache_get() - take a cached buffer
 * @cma:	the area; no buffer is found if it is NULL
 * @count:	number of pages
 * @kind:	state that the buffer must be in
 * @owner:	name of the device it is for; NULL if there is none
 * @mapped:	set to where the buffer is mapped
 * @zeroed:	set to true if the buffer is zeroed; otherwise it still has the
 *		data of its last owner
 *
 * Context: Any but NMI.
 * Return: first page of the buffer, or NULL if no such buffer is cached.
 */
struct page *cma_cache_get(struct cma *cma, unsigned long count,
			   unsigned long kind, const char *owner,
			   void **mapped, bool *zeroed)
{
	struct cma_cache *cache = cma_cache_of(cma, count);
	struct cma_buffer *buffer;
	struct page *page;
	unsigned long flags;

	if (!cache || list_empty(cma_cache_list(cache, count)))
		return NULL;

	spin_lock_irqsave(&cache->lock, flags);
	buffer = cma_cache_find(cache, count, kind);
	if (buffer) {
		list_del(&buffer->node);
		list_del(&buffer->by_age);
		WRITE_ONCE(cache->nr_pages, cache->nr_pages - count);
		WRITE_ONCE(cache->nr_hits, cache->nr_hits + 1);
	}
	spin_unlock_irqrestore(&cache->lock, flags);
	if (!buffer)
		return NULL;

	if (!buffer->zeroed && cma_cache_buffer_in_use(buffer)) {
		cma_cache_add(cache, buffer);
		spin_lock_irqsave(&cache->lock, flags);
		WRITE_ONCE(cache->nr_hits, cache->nr_hits - 1);
		spin_unlock_irqrestore(&cache->lock, flags);
		return NULL;
	}

	page = pfn_to_page(buffer->holder.start);
	*mapped = buffer->mapped;
	*zeroed = buffer->zeroed;
	cma_trace_alloc_start(cma, count, 0);
	cma_buffer_hand_out(buffer, owner, _RET_IP_);
	cma_account_alloc(cma, count, 0);
	trace_cma_alloc_finish(cma->name, page_to_pfn(page), page, count, 0, 0);
	return page;
}

/* Return: most pages for the cache that has buffers of this size. */
static unsigned long cma_cache_limit(const struct cma *cma,
				     unsigned long nr_pages)
{
	unsigned long half = READ_ONCE(cma->cache_limit) / 2;

	return nr_pages > CMA_CACHE_PAGES_MAX ? half : half / num_online_cpus();
}

static void cma_cache_schedule_work(struct delayed_work *work, unsigned int ms)
{
	if (!delayed_work_pending(work))
		queue_delayed_work(system_dfl_wq, work,
				   msecs_to_jiffies(ms));
}

/**
 * cma_cache_put() - cache a buffer that its owner gives back
 * @cma:	the area; nothing is cached if it is NULL
 * @pages:	first page of the buffer
 * @count:	number of pages it was allocated with
 * @kind:	state of the buffer
 * @mapped:	where it is mapped; zeroes written there must reach memory
 * @teardown:	ends this state before the pages go back to the area; may sleep
 *
 * Context: Any but NMI.
 * Return: true; false if the buffer is not cached, and the caller must release
 * it.
 */
bool cma_cache_put(struct cma *cma, struct page *pages, unsigned long count,
		   unsigned long kind, void *mapped, cma_teardown_t teardown)
{
	unsigned long pfn = page_to_pfn(pages);
	struct cma_cache *cache = cma_cache_of(cma, count);
	struct cma_buffer *buffer;

	if (!cache ||
	    READ_ONCE(cache->nr_pages) + count > cma_cache_limit(cma, count))
		return false;
	/* Where nothing is lent, a buffer costs little more than its record. */
	if (READ_ONCE(cma->mode) != CMA_SHARED)
		return false;
	buffer = cma_buffer_disown(cma, pfn, count);
	if (!buffer)
		return false;

	cma_buffer_set_cached(buffer, kind, mapped, teardown);
	cma_cache_add(cache, buffer);

	cma_account_release(cma, pfn, count);
	/* Work that is still pending must see this buffer when it runs. */
	smp_mb();
	cma_cache_schedule_work(&cma->zero_work, ZERO_MS);
	cma_cache_schedule_work(&cma->age_work, READ_ONCE(cma->cache_age_ms));
	return true;
}

/* Return: the sum of the results of @visit for each cache of an area. */
static unsigned long
cma_cache_visit_each(struct cma *cma,
		     unsigned long (*visit)(struct cma *cma,
					    struct cma_cache *cache))
{
	unsigned long sum = 0;
	int cpu;

	if (!cma->cache)
		return 0;
	for_each_possible_cpu(cpu)
		sum += visit(cma, per_cpu_ptr(cma->cache, cpu));
	if (cma->cache_large)
		sum += visit(cma, cma->cache_large);
	return sum;
}

/* The buffer is on no list. Return: its number of pages. */
static unsigned long cma_cache_give_back_one(struct cma *cma,
					     struct cma_cache *cache,
					     struct cma_buffer *buffer)
{
	unsigned long nr_pages = buffer->nr_pages;

	lockdep_assert_held(&cma->cache_mutex);
	buffer->teardown(pfn_to_page(buffer->holder.start), nr_pages,
			 buffer->mapped);
	cma_buffer_give_back(cma, buffer, false);

	spin_lock_irq(&cache->lock);
	WRITE_ONCE(cache->nr_pages, cache->nr_pages - nr_pages);
	spin_unlock_irq(&cache->lock);
	return nr_pages;
}

static struct cma_buffer *cma_cache_oldest(struct cma_cache *cache)
{
	lockdep_assert_held(&cache->lock);
	return list_first_entry_or_null(&cache->by_age, struct cma_buffer,
					by_age);
}

/*
 * Give back the oldest buffer, if it was cached at @before or earlier. Return:
 * its number of pages; 0 if there is no such buffer.
 */
static unsigned long cma_cache_give_back_oldest(struct cma *cma,
						struct cma_cache *cache,
						unsigned long before)
{
	struct cma_buffer *buffer;

	lockdep_assert_held(&cma->cache_mutex);
	spin_lock_irq(&cache->lock);
	buffer = cma_cache_oldest(cache);
	if (buffer && time_after(buffer->cached_at, before))
		buffer = NULL;
	if (buffer) {
		list_del(&buffer->node);
		list_del(&buffer->by_age);
	}
	spin_unlock_irq(&cache->lock);
	return buffer ? cma_cache_give_back_one(cma, cache, buffer) : 0;
}

/* Give back buffers cached at @before or earlier. Return: number of pages. */
static unsigned long cma_cache_give_back(struct cma *cma,
					 struct cma_cache *cache,
					 unsigned long before)
{
	unsigned long sum = 0, nr_pages;

	while ((nr_pages = cma_cache_give_back_oldest(cma, cache, before)))
		sum += nr_pages;
	return sum;
}

static unsigned long cma_cache_give_back_all(struct cma *cma,
					     struct cma_cache *cache)
{
	return cma_cache_give_back(cma, cache, jiffies);
}

static unsigned long cma_cache_give_back_old(struct cma *cma,
					     struct cma_cache *cache)
{
	unsigned int age_ms = READ_ONCE(cma->cache_age_ms);

	return cma_cache_give_back(cma, cache,
				   jiffies - msecs_to_jiffies(age_ms));
}

/* Take a buffer that is not zeroed off its list. Return: NULL if none. */
static struct cma_buffer *cma_cache_start_zeroing(struct cma_cache *cache)
{
	struct cma_buffer *buffer = NULL;

	spin_lock_irq(&cache->lock);
	for (unsigned int i = 0; i < cache->nr_lists && !buffer; i++) {
		buffer = list_first_entry_or_null(&cache->buffers[i],
						  struct cma_buffer, node);
		if (buffer && buffer->zeroed)
			buffer = NULL;
	}
	if (buffer)
		list_del(&buffer->node);
	spin_unlock_irq(&cache->lock);
	return buffer;
}

/* Zero one buffer. Return: false if there is none to zero. */
static bool cma_cache_zero_one(struct cma *cma, struct cma_cache *cache)
{
	struct cma_buffer *buffer = cma_cache_start_zeroing(cache);
	size_t size;

	if (!buffer)
		return false;
	if (cma_cache_buffer_in_use(buffer)) {
		spin_lock_irq(&cache->lock);
		list_del(&buffer->by_age);
		spin_unlock_irq(&cache->lock);
		cma_cache_give_back_one(cma, cache, buffer);
		return true;
	}
	size = buffer->nr_pages << PAGE_SHIFT;
	for (size_t done = 0; done < size; done += ZERO_STEP) {
		memset(buffer->mapped + done, 0,
		       min_t(size_t, size - done, ZERO_STEP));
		cond_resched();
	}
	/* The zeroes must reach memory before the next device writes there. */
	wmb();
	buffer->zeroed = true;

	spin_lock_irq(&cache->lock);
	list_add_tail(&buffer->node, cma_cache_list(cache, buffer->nr_pages));
	spin_unlock_irq(&cache->lock);
	return true;
}

/* Drop the mutex after each buffer to bound the wait of a flush. */
static unsigned long cma_cache_zero(struct cma *cma, struct cma_cache *cache)
{
	unsigned long nr_buffers = 0;
	bool more = READ_ONCE(cache->nr_pages);

	while (more) {
		mutex_lock(&cma->cache_mutex);
		more = cma_cache_zero_one(cma, cache);
		mutex_unlock(&cma->cache_mutex);
		nr_buffers += more;
	}
	return nr_buffers;
}

static void cma_cache_zero_work(struct work_struct *work)
{
	struct cma *cma = container_of(to_delayed_work(work), struct cma,
				       zero_work);

	cma_cache_visit_each(cma, cma_cache_zero);
}

static void cma_cache_age_work(struct work_struct *work)
{
	struct cma *cma = container_of(to_delayed_work(work), struct cma,
				       age_work);

	mutex_lock(&cma->cache_mutex);
	cma_cache_visit_each(cma, cma_cache_give_back_old);
	mutex_unlock(&cma->cache_mutex);
	if (cma_cache_pages(cma))
		cma_cache_schedule_work(&cma->age_work,
					READ_ONCE(cma->cache_age_ms));
}

/**
 * cma_cache_flush() - give back all cached buffers
 * @cma:	the area
 *
 * This waits for buffers that other tasks are zeroing or giving back.
 *
 * Context: May sleep; takes cma->cache_mutex.
 * Return: true if any buffer was cached.
 */
bool cma_cache_flush(struct cma *cma)
{
	bool any = cma_cache_pages(cma);

	if (any) {
		mutex_lock(&cma->cache_mutex);
		cma_cache_visit_each(cma, cma_cache_give_back_all);
		mutex_unlock(&cma->cache_mutex);
	}
	return any;
}

/**
 * cma_cache_set_limit() - set how much may be cached, and flush
 * @cma:	the area
 * @nr_pages:	number of pages; 0 turns caching off
 *
 * Context: May sleep; takes cma->cache_mutex.
 */
void cma_cache_set_limit(struct cma *cma, unsigned long nr_pages)
{
	WRITE_ONCE(cma->cache_limit, nr_pages);
	cma_cache_flush(cma);
}

/**
 * cma_cache_set_age() - set how long a buffer stays cached
 * @cma:	the area
 * @ms:		milliseconds
 *
 * Context: Process.
 */
void cma_cache_set_age(struct cma *cma, unsigned int ms)
{
	WRITE_ONCE(cma->cache_age_ms, ms);
	if (cma->cache)
		mod_delayed_work(system_dfl_wq, &cma->age_work, 0);
}

static unsigned long cma_cache_count(struct cma *cma, struct cma_cache *cache)
{
	return READ_ONCE(cache->nr_pages);
}

/**
 * cma_cache_pages() - count cached pages
 * @cma:	the area
 *
 * Context: Any.
 * Return: number of pages.
 */
unsigned long cma_cache_pages(struct cma *cma)
{
	return cma_cache_visit_each(cma, cma_cache_count);
}

static unsigned long cma_cache_count_hits(struct cma *cma,
					  struct cma_cache *cache)
{
	return READ_ONCE(cache->nr_hits);
}

/**
 * cma_cache_hits() - count requests that got a cached buffer
 * @cma:	the area
 *
 * Context: Any.
 * Return: number of requests since boot.
 */
unsigned long cma_cache_hits(struct cma *cma)
{
	return cma_cache_visit_each(cma, cma_cache_count_hits);
}

static unsigned long cma_cache_count_zeroed(struct cma *cma,
					    struct cma_cache *cache)
{
	struct cma_buffer *buffer;
	unsigned long nr_pages = 0;

	spin_lock_irq(&cache->lock);
	for (unsigned int i = 0; i < cache->nr_lists; i++)
		list_for_each_entry(buffer, &cache->buffers[i], node)
			nr_pages += buffer->zeroed ? buffer->nr_pages : 0;
	spin_unlock_irq(&cache->lock);
	return nr_pages;
}

/**
 * cma_cache_zeroed_pages() - count cached pages that are zeroed
 * @cma:	the area
 *
 * Context: Process.
 * Return: number of pages.
 */
unsigned long cma_cache_zeroed_pages(struct cma *cma)
{
	return cma_cache_visit_each(cma, cma_cache_count_zeroed);
}

static void cma_cache_init_lists(struct cma_cache *cache,
				 unsigned long nr_lists)
{
	spin_lock_init(&cache->lock);
	cache->nr_lists = nr_lists;
	INIT_LIST_HEAD(&cache->by_age);
	for (unsigned int i = 0; i < nr_lists; i++)
		INIT_LIST_HEAD(&cache->buffers[i]);
}

/**
 * cma_cache_init_area() - set up the caches of an area
 * @cma:	the area
 *
 * Context: Boot.
 */
void cma_cache_init_area(struct cma *cma)
{
	struct cma_cache *cache;
	int cpu;

	mutex_init(&cma->cache_mutex);
	INIT_DELAYED_WORK(&cma->zero_work, cma_cache_zero_work);
	INIT_DELAYED_WORK(&cma->age_work, cma_cache_age_work);
	cma->cache_age_ms = CMA_CACHE_AGE_MS;
	cma->cache_limit = min(cma->nr_pages / 32, SZ_2M / PAGE_SIZE);

	/* If an allocation fails, buffers go back to the area at once. */
	cma->cache_large = kzalloc(struct_size(cache, buffers, 1), GFP_KERNEL);
	if (cma->cache_large)
		cma_cache_init_lists(cma->cache_large, 1);
	cma->cache = __alloc_percpu(struct_size(cache, buffers,
						CMA_CACHE_PAGES_MAX),
				    __alignof__(*cache));
	if (!cma->cache)
		return;
	for_each_possible_cpu(cpu)
		cma_cache_init_lists(per_cpu_ptr(cma->cache, cpu),
				     CMA_CACHE_PAGES_MAX);
}

static unsigned long cma_cache_count_objects(struct shrinker *shrinker,
					     struct shrink_control *control)
{
	unsigned long nr_pages = 0;

	for (unsigned int i = 0; i < cma_area_count; i++)
		nr_pages += cma_cache_pages(&cma_areas[i]);
	return nr_pages ?: SHRINK_EMPTY;
}

/**
 * struct cma_oldest - which cache has the oldest buffer
 * @cma:	the area; NULL if no buffer was found
 * @cache:	the cache
 * @cached_at:	when that buffer was cached, in jiffies
 */
struct cma_oldest {
	struct cma *cma;
	struct cma_cache *cache;
	unsigned long cached_at;
};

static void cma_cache_update_oldest(struct cma_oldest *oldest, struct cma *cma,
				    struct cma_cache *cache)
{
	const struct cma_buffer *buffer;

	if (!READ_ONCE(cache->nr_pages))
		return;
	spin_lock_irq(&cache->lock);
	buffer = cma_cache_oldest(cache);
	if (buffer && (!oldest->cma ||
		       time_before(buffer->cached_at, oldest->cached_at))) {
		oldest->cma = cma;
		oldest->cache = cache;
		oldest->cached_at = buffer->cached_at;
	}
	spin_unlock_irq(&cache->lock);
}

/* Find the oldest buffer of all areas except those in @busy. */
static struct cma_oldest cma_cache_find_oldest(const unsigned long *busy)
{
	struct cma_oldest oldest = { };
	int cpu;

	for (unsigned int i = 0; i < cma_area_count; i++) {
		struct cma *cma = &cma_areas[i];

		if (!cma->cache || test_bit(i, busy))
			continue;
		for_each_possible_cpu(cpu)
			cma_cache_update_oldest(&oldest, cma,
						per_cpu_ptr(cma->cache, cpu));
		if (cma->cache_large)
			cma_cache_update_oldest(&oldest, cma, cma->cache_large);
	}
	return oldest;
}

/**
 * cma_cache_shrink() - give back cached buffers of all areas, oldest first
 * @nr_wanted:	number of pages to give back
 *
 * This skips an area whose cma->cache_mutex is held, so that reclaim does not
 * wait for another task.
 *
 * Context: May sleep.
 * Return: number of pages given back. It is below @nr_wanted if no other buffer
 * can be had, and may exceed it, because buffers go back whole.
 */
unsigned long cma_cache_shrink(unsigned long nr_wanted)
{
	DECLARE_BITMAP(busy, MAX_CMA_AREAS + 1) = { };
	unsigned long nr_pages = 0;
	struct cma_oldest oldest;

	while (nr_pages < nr_wanted) {
		oldest = cma_cache_find_oldest(busy);
		if (!oldest.cma)
			break;
		if (!mutex_trylock(&oldest.cma->cache_mutex)) {
			__set_bit(oldest.cma - cma_areas, busy);
			continue;
		}
		/* If that buffer was taken meanwhile, this takes the next. */
		nr_pages += cma_cache_give_back_oldest(oldest.cma, oldest.cache,
						       jiffies);
		mutex_unlock(&oldest.cma->cache_mutex);
	}
	return nr_pages;
}

static unsigned long cma_cache_scan_objects(struct shrinker *shrinker,
					    struct shrink_control *control)
{
	unsigned long nr_pages = cma_cache_shrink(control->nr_to_scan);

	if (!nr_pages)
		return SHRINK_STOP;
	control->nr_scanned = nr_pages;
	return nr_pages;
}

static int __init cma_cache_init(void)
{
	struct shrinker *shrinker = shrinker_alloc(0, "cma-cache");

	if (!shrinker)
		return -ENOMEM;
	shrinker->count_objects = cma_cache_count_objects;
	shrinker->scan_objects = cma_cache_scan_objects;
	shrinker->batch = 1;
	shrinker_register(shrinker);
	return 0;
}
subsys_initcall(cma_cache_init);
