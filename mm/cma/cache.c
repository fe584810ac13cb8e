// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers that came back, kept for the next request.
 *
 * Drivers take and give back the same buffers all the time. Most of what a
 * small one costs is not finding the pages but changing the state they are in:
 * page table entries, those in the TLBs of all CPUs, the free lists. Most of
 * what a large one costs is zeroing. So some are kept as they come back: held
 * in the range, off the free lists, and mapped as they were. If nobody takes
 * one at once it is zeroed in the background; otherwise whoever gets it zeroes
 * it. Nobody ever reads what another owner wrote.
 *
 * There are few of them, cma->cache_limit pages in all: half of that in buffers
 * of up to CMA_CACHE_PAGES_MAX pages, shared out to the CPUs, so that they do
 * not wait for each other; half in larger ones, for all CPUs together. And not
 * for long: one that was not wanted for cma->cache_age_ms goes back to the area.
 * When memory runs short they go one by one, the oldest first, as many as
 * reclaim asks for. All of them go at once when a request finds no hole, or no
 * window that can be emptied.
 *
 * In each list those that are not zeroed come first, and of either kind the
 * one that came last is taken first, so that what is too much grows old.
 * cache->lock covers the lists. A buffer that is being zeroed or given back is
 * on none that it could be taken from, but counts as kept until that is done;
 * cma->cache_mutex is held meanwhile, so that who needs the room can wait for
 * it. Units are pages.
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
#include <trace/events/cma.h>

#include "internal.h"

/* One that is taken sooner is zeroed by whoever takes it. */
#define ZERO_MS	20

#define ZERO_STEP	SZ_64K

static struct list_head *cma_cache_list(struct cma_cache *cache,
					unsigned long nr_pages)
{
	return &cache->buffers[min(nr_pages, cache->nr_lists) - 1];
}

/*
 * Where buffers of this size are kept; small ones by this CPU, or by the one it
 * was a moment ago: either will do.
 */
static struct cma_cache *cma_cache_of(struct cma *cma, unsigned long nr_pages)
{
	if (!cma || !cma->cache || !nr_pages)
		return NULL;
	return nr_pages > CMA_CACHE_PAGES_MAX ? cma->cache_large :
						raw_cpu_ptr(cma->cache);
}

static struct cma_buffer *cma_cache_find(struct cma_cache *cache, unsigned long nr_pages,
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
 * A program may still have a page of it, and would see what the next owner
 * writes. Once zeroed with nobody else around, a buffer stays alone.
 */
static bool cma_cache_buffer_in_use(const struct cma_buffer *buffer)
{
	unsigned long pfn = buffer->holder.start;
	unsigned long end_pfn = pfn + buffer->nr_pages;

	return cma_first_in_use(pfn, end_pfn) < end_pfn;
}

/* To where zeroing begins, which gives back what it finds in use. */
static void cma_cache_put_back(struct cma_cache *cache, struct cma_buffer *buffer)
{
	unsigned long flags;

	spin_lock_irqsave(&cache->lock, flags);
	list_add(&buffer->node, cma_cache_list(cache, buffer->nr_pages));
	list_add_tail(&buffer->by_age, &cache->by_age);
	WRITE_ONCE(cache->nr_pages, cache->nr_pages + buffer->nr_pages);
	spin_unlock_irqrestore(&cache->lock, flags);
}

/**
 * cma_cache_get() - a buffer that was kept
 * @cma:	the area; NULL has nothing to give
 * @count:	number of pages
 * @kind:	in what state
 * @owner:	the device it is for, for the record; NULL if there is none
 * @mapped:	set to where it is mapped
 * @zeroed:	set to whether it is; what was in it is still there otherwise
 *
 * Context: Any but NMI.
 * Return: its first page; NULL if none was kept.
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
	}
	spin_unlock_irqrestore(&cache->lock, flags);
	if (!buffer)
		return NULL;

	if (!buffer->zeroed && cma_cache_buffer_in_use(buffer)) {
		cma_cache_put_back(cache, buffer);
		return NULL;
	}

	page = pfn_to_page(buffer->holder.start);
	*mapped = buffer->mapped;
	*zeroed = buffer->zeroed;
	trace_cma_alloc_start(cma->name, count, 0);
	cma_buffer_hand_out(buffer, owner, _RET_IP_);
	cma_account_alloc(cma, count, 0);
	trace_cma_alloc_finish(cma->name, page_to_pfn(page), page, count, 0, 0);
	return page;
}

/* The half of the limit that is for buffers of this size, or a CPU's part. */
static unsigned long cache_limit(const struct cma *cma, unsigned long nr_pages)
{
	unsigned long half = READ_ONCE(cma->cache_limit) / 2;

	return nr_pages > CMA_CACHE_PAGES_MAX ? half : half / num_online_cpus();
}

static void cma_cache_schedule_work(struct delayed_work *work, unsigned int ms)
{
	if (!delayed_work_pending(work))
		queue_delayed_work(system_unbound_wq, work,
				   msecs_to_jiffies(ms));
}

/**
 * cma_cache_put() - keep a buffer for the next request
 * @cma:	the area
 * @pages:	first page of a buffer that its owner gives back
 * @count:	number of pages it was asked for
 * @kind:	in what state it is
 * @mapped:	where it is mapped, for what is written there to reach memory
 * @teardown:	ends this state before the pages go back to the area; may sleep
 *
 * Context: Any but NMI.
 * Return: false if it is not kept, and nothing happened: release it.
 */
bool cma_cache_put(struct cma *cma, struct page *pages, unsigned long count,
		   unsigned long kind, void *mapped, cma_teardown_t teardown)
{
	unsigned long pfn = page_to_pfn(pages);
	struct cma_cache *cache = cma_cache_of(cma, count);
	struct cma_buffer *buffer;

	if (!cache || READ_ONCE(cache->nr_pages) + count > cache_limit(cma, count))
		return false;
	/* There, all that a buffer costs is its record. */
	if (READ_ONCE(cma->mode) == CMA_EXCLUSIVE)
		return false;
	buffer = cma_buffer_disown(cma, pfn, count);
	if (!buffer)
		return false;

	buffer->zeroed = false;
	buffer->cached_at = jiffies;
	buffer->kind = kind;
	buffer->mapped = mapped;
	buffer->teardown = teardown;
	cma_cache_put_back(cache, buffer);

	cma_account_release(cma, pfn, count);
	/* Work that is pending still will see this buffer. */
	smp_mb();
	cma_cache_schedule_work(&cma->zero_work, ZERO_MS);
	cma_cache_schedule_work(&cma->age_work, READ_ONCE(cma->cache_age_ms));
	return true;
}

/* The sum of what @visit returns for every place where buffers are kept. */
static unsigned long cma_cache_visit_each(struct cma *cma,
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

/* Return: its pages. The buffer is on no list. */
static unsigned long cma_cache_give_back_one(struct cma *cma, struct cma_cache *cache,
					     struct cma_buffer *buffer)
{
	unsigned long nr_pages = buffer->nr_pages;

	lockdep_assert_held(&cma->cache_mutex);
	buffer->teardown(pfn_to_page(buffer->holder.start), nr_pages,
			 buffer->mapped);
	cma_buffer_give_back(cma, buffer);

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
 * Gives back the oldest buffer, if it was kept at @before or earlier. Return:
 * its pages; 0 if there is none.
 */
static unsigned long cma_cache_give_back_oldest(struct cma *cma, struct cma_cache *cache,
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

/* Gives back what was kept at @before, or earlier. */
static unsigned long cma_cache_give_back(struct cma *cma, struct cma_cache *cache,
					 unsigned long before)
{
	unsigned long sum = 0, nr_pages;

	while ((nr_pages = cma_cache_give_back_oldest(cma, cache, before)))
		sum += nr_pages;
	return sum;
}

static unsigned long cma_cache_give_back_all(struct cma *cma, struct cma_cache *cache)
{
	return cma_cache_give_back(cma, cache, jiffies);
}

static unsigned long cma_cache_give_back_old(struct cma *cma, struct cma_cache *cache)
{
	unsigned int age_ms = READ_ONCE(cma->cache_age_ms);

	return cma_cache_give_back(cma, cache, jiffies - msecs_to_jiffies(age_ms));
}

/* One that is not zeroed, off its list, or NULL. */
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

/* Clears one buffer. Return: false if there is none to clear. */
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
	/* The zeroes must not come after what the next device writes. */
	wmb();
	buffer->zeroed = true;

	spin_lock_irq(&cache->lock);
	list_add_tail(&buffer->node, cma_cache_list(cache, buffer->nr_pages));
	spin_unlock_irq(&cache->lock);
	return true;
}

/* Who waits for the mutex does so for one buffer. */
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
	cma_cache_visit_each(container_of(to_delayed_work(work), struct cma, zero_work),
			     cma_cache_zero);
}

static void cma_cache_age_work(struct work_struct *work)
{
	struct cma *cma = container_of(to_delayed_work(work), struct cma,
				       age_work);

	mutex_lock(&cma->cache_mutex);
	cma_cache_visit_each(cma, cma_cache_give_back_old);
	mutex_unlock(&cma->cache_mutex);
	if (cma_cache_pages(cma))
		cma_cache_schedule_work(&cma->age_work, READ_ONCE(cma->cache_age_ms));
}

/**
 * cma_cache_flush() - give back all that is kept
 * @cma:	the area
 *
 * What others give back or clear at the moment is waited for.
 *
 * Context: May sleep.
 * Return: true if something was kept.
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
 * cma_cache_set_limit() - how much may be kept
 * @cma:	the area
 * @nr_pages:	pages; 0 keeps none
 *
 * Context: May sleep.
 */
void cma_cache_set_limit(struct cma *cma, unsigned long nr_pages)
{
	WRITE_ONCE(cma->cache_limit, nr_pages);
	cma_cache_flush(cma);
}

/**
 * cma_cache_set_age() - how long buffers are kept that nobody wants
 * @cma:	the area
 * @ms:		milliseconds
 *
 * Context: Process.
 */
void cma_cache_set_age(struct cma *cma, unsigned int ms)
{
	WRITE_ONCE(cma->cache_age_ms, ms);
	if (cma->cache)
		mod_delayed_work(system_unbound_wq, &cma->age_work, 0);
}

static unsigned long cma_cache_count(struct cma *cma, struct cma_cache *cache)
{
	return READ_ONCE(cache->nr_pages);
}

/**
 * cma_cache_pages() - how much is kept
 * @cma:	the area
 *
 * Return: number of pages.
 */
unsigned long cma_cache_pages(struct cma *cma)
{
	return cma_cache_visit_each(cma, cma_cache_count);
}

static unsigned long cma_cache_count_zeroed(struct cma *cma, struct cma_cache *cache)
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
 * cma_cache_zeroed_pages() - how much of what is kept is zeroed
 * @cma:	the area
 *
 * Context: Process.
 * Return: number of pages.
 */
unsigned long cma_cache_zeroed_pages(struct cma *cma)
{
	return cma_cache_visit_each(cma, cma_cache_count_zeroed);
}

static void cma_cache_init_lists(struct cma_cache *cache, unsigned long nr_lists)
{
	spin_lock_init(&cache->lock);
	cache->nr_lists = nr_lists;
	INIT_LIST_HEAD(&cache->by_age);
	for (unsigned int i = 0; i < nr_lists; i++)
		INIT_LIST_HEAD(&cache->buffers[i]);
}

/**
 * cma_cache_init_area() - let buffers of an area be kept
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

	/* Without these, every buffer goes back at once. */
	cma->cache_large = kzalloc(struct_size(cache, buffers, 1), GFP_KERNEL);
	if (cma->cache_large)
		cma_cache_init_lists(cma->cache_large, 1);
	cma->cache = __alloc_percpu(struct_size(cache, buffers,
						CMA_CACHE_PAGES_MAX),
				    __alignof__(*cache));
	if (!cma->cache)
		return;
	for_each_possible_cpu(cpu)
		cma_cache_init_lists(per_cpu_ptr(cma->cache, cpu), CMA_CACHE_PAGES_MAX);
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
 * struct oldest - the buffer that is kept longest
 * @cma:	its area; NULL if there is none
 * @cache:	where it is kept
 * @cached_at:	since when, in jiffies
 */
struct oldest {
	struct cma *cma;
	struct cma_cache *cache;
	unsigned long cached_at;
};

static void cma_cache_update_oldest(struct oldest *oldest, struct cma *cma,
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

/* Of all areas but those in @busy. */
static struct oldest cma_cache_find_oldest(const unsigned long *busy)
{
	struct oldest oldest = { };
	int cpu;

	for (unsigned int i = 0; i < cma_area_count; i++) {
		struct cma *cma = &cma_areas[i];

		if (!cma->cache || test_bit(i, busy))
			continue;
		for_each_possible_cpu(cpu)
			cma_cache_update_oldest(&oldest, cma, per_cpu_ptr(cma->cache, cpu));
		if (cma->cache_large)
			cma_cache_update_oldest(&oldest, cma, cma->cache_large);
	}
	return oldest;
}

/**
 * cma_cache_shrink() - give back some of what is kept, the oldest buffers first
 * @nr_wanted:	pages, of all areas together
 *
 * Does not wait for others: an area where buffers are zeroed or given back
 * right now is left alone.
 *
 * Context: May sleep.
 * Return: number of pages: fewer than @nr_wanted only if no more can be had;
 * more if the last buffer is larger than what was left to give.
 */
unsigned long cma_cache_shrink(unsigned long nr_wanted)
{
	DECLARE_BITMAP(busy, MAX_CMA_AREAS + 1) = { };
	unsigned long nr_pages = 0;
	struct oldest oldest;

	while (nr_pages < nr_wanted) {
		oldest = cma_cache_find_oldest(busy);
		if (!oldest.cma)
			break;
		if (!mutex_trylock(&oldest.cma->cache_mutex)) {
			__set_bit(oldest.cma - cma_areas, busy);
			continue;
		}
		/* If it was taken meanwhile, the next one goes. */
		nr_pages += cma_cache_give_back_oldest(oldest.cma, oldest.cache, jiffies);
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
