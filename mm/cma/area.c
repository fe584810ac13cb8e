// SPDX-License-Identifier: GPL-2.0
/*
 * The registry of areas: their table, attributes and counters.
 *
 * Areas are made at boot, while one CPU runs and nobody allocates, and never go
 * away. So the table itself needs no lock.
 */
#include <linux/export.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sched/clock.h>
#include <linux/string.h>
#include <linux/vmstat.h>

#include <trace/events/cma.h>

#include "internal.h"

struct cma cma_areas[MAX_CMA_AREAS + 1];
unsigned int cma_area_count;

static unsigned int nr_entries __initdata = MAX_CMA_AREAS;

/**
 * cma_areas_open_last() - allow the last entry of the table to be used
 *
 * The last entry is set aside for the default area, so that other areas cannot
 * fill the table before it is declared.
 *
 * Context: Boot.
 */
void __init cma_areas_open_last(void)
{
	nr_entries = ARRAY_SIZE(cma_areas);
}

/**
 * cma_areas_close_last() - set the last entry of the table aside again
 *
 * If the default area was declared in vain, its entry stays free for the next
 * attempt.
 *
 * Context: Boot.
 */
void __init cma_areas_close_last(void)
{
	nr_entries = MAX_CMA_AREAS;
}

static struct cma *area_named(const char *name)
{
	for (unsigned int i = 0; i < cma_area_count; i++)
		if (!strcmp(cma_areas[i].name, name))
			return &cma_areas[i];
	return NULL;
}

/* Names must be unique: folders, heaps and messages use them. */
static void set_area_name(struct cma *cma, const char *name)
{
	char cut[CMA_MAX_NAME];

	if (!name) {
		snprintf(cma->name, sizeof(cma->name), "cma%u", cma_area_count);
		return;
	}
	strscpy(cut, name);
	if (!area_named(cut))
		strscpy(cma->name, cut);
	else
		snprintf(cma->name, sizeof(cma->name), "%.*s-%u",
			 CMA_MAX_NAME - 12, name, cma_area_count);
}

/**
 * cma_area_new() - take the next free entry of the table
 * @name:	name of the area; NULL for one made from its number
 *
 * Context: Boot.
 * Return: the area, or NULL if the table is full.
 */
struct cma * __init cma_area_new(const char *name)
{
	struct cma *cma;

	if (cma_area_count == nr_entries)
		return NULL;

	cma = &cma_areas[cma_area_count];
	set_area_name(cma, name);
	spin_lock_init(&cma->lock);
	cma->patience_ms = CMA_PATIENCE_MS;
#ifdef CONFIG_CMA_GUARANTEED
	cma->stored_max = ULONG_MAX;
#endif
	cma_headroom_init(cma);
	for (unsigned int i = 0; i < ARRAY_SIZE(cma->shards); i++) {
		spin_lock_init(&cma->shards[i].lock);
		cma->shards[i].buffers = RB_ROOT;
	}
#ifdef CONFIG_CMA_DEBUGFS
	INIT_LIST_HEAD(&cma->debug_buffers);
#endif
	cma_area_count++;
	return cma;
}

/**
 * cma_area_intersecting() - find an area that has some of these pages
 * @start_pfn:	first page
 * @end_pfn:	first page past the end
 *
 * Context: Any.
 * Return: the first such area, or NULL.
 */
struct cma *cma_area_intersecting(unsigned long start_pfn,
				  unsigned long end_pfn)
{
	for (unsigned int i = 0; i < cma_area_count; i++) {
		struct cma *cma = &cma_areas[i];

		for (unsigned int k = 0; k < cma->nr_banks; k++)
			if (start_pfn < cma->banks[k].end_pfn &&
			    cma->banks[k].start_pfn < end_pfn)
				return cma;
	}
	return NULL;
}

/**
 * cma_bank_of() - find the bank of an area that has a page
 * @cma:	the area
 * @pfn:	the page
 *
 * Context: Any.
 * Return: the bank, or NULL if the page does not belong to this area.
 */
const struct cma_bank *cma_bank_of(const struct cma *cma, unsigned long pfn)
{
	for (unsigned int i = 0; i < cma->nr_banks; i++)
		if (pfn >= cma->banks[i].start_pfn &&
		    pfn < cma->banks[i].end_pfn)
			return &cma->banks[i];
	return NULL;
}

/**
 * cma_area_index() - index of a page within its area
 * @cma:	the area
 * @pfn:	one of its pages
 *
 * Context: Any.
 * Return: number of pages of the area below @pfn.
 */
unsigned long cma_area_index(const struct cma *cma, unsigned long pfn)
{
	unsigned long index = 0;

	for (unsigned int i = 0; i < cma->nr_banks; i++)
		index += clamp(pfn, cma->banks[i].start_pfn,
			       cma->banks[i].end_pfn) -
			 cma->banks[i].start_pfn;
	return index;
}

/**
 * cma_area_of() - find the area that a page belongs to
 * @page:	the page
 *
 * Context: Any.
 * Return: the area, or NULL if the page belongs to none.
 */
struct cma *cma_area_of(const struct page *page)
{
	unsigned long pfn = page_to_pfn(page);

	return cma_area_intersecting(pfn, pfn + 1);
}

/**
 * cma_get_base() - where an area begins
 * @cma:	the area
 *
 * Context: Any.
 * Return: physical address of its lowest piece, even if it did not come up.
 */
phys_addr_t cma_get_base(const struct cma *cma)
{
	return PFN_PHYS(cma->banks[0].start_pfn);
}

/**
 * cma_get_end() - where an area ends
 * @cma:	the area
 *
 * Context: Any.
 * Return: first physical address past its last piece; 0 if the area did not
 * come up.
 */
phys_addr_t cma_get_end(const struct cma *cma)
{
	if (!cma->nr_banks)
		return 0;
	return PFN_PHYS(cma->banks[cma->nr_banks - 1].end_pfn);
}

/**
 * cma_for_each_piece() - call a function for each piece of an area
 * @cma:	the area
 * @act:	the function; takes a physical address and a size in bytes
 *
 * Context: Boot.
 */
void cma_for_each_piece(const struct cma *cma,
			void (*act)(phys_addr_t base, phys_addr_t size))
{
	for (unsigned int i = 0; i < cma->nr_banks; i++) {
		const struct cma_bank *bank = &cma->banks[i];

		act(PFN_PHYS(bank->start_pfn),
		    PFN_PHYS(bank->end_pfn - bank->start_pfn));
	}
}

/**
 * cma_get_piece() - where a piece of an area is
 * @cma:	the area
 * @piece:	0 for the lowest one
 * @base:	set to its physical address
 *
 * Context: Any.
 * Return: bytes; 0 if there are no more pieces.
 */
u64 cma_get_piece(const struct cma *cma, unsigned int piece, phys_addr_t *base)
{
	const struct cma_bank *bank = &cma->banks[piece];

	if (piece >= cma->nr_banks)
		return 0;
	*base = PFN_PHYS(bank->start_pfn);
	return (u64)(bank->end_pfn - bank->start_pfn) << PAGE_SHIFT;
}

/**
 * cma_get_size() - how large an area is
 * @cma:	the area
 *
 * Context: Any.
 * Return: bytes in all of its pieces, capped at the largest multiple of
 * PAGE_SIZE that an unsigned long holds; 0 if the area did not come up.
 */
unsigned long cma_get_size(const struct cma *cma)
{
	return min(cma->nr_pages, ULONG_MAX >> PAGE_SHIFT) << PAGE_SHIFT;
}

/**
 * cma_get_name() - name of an area
 * @cma:	the area
 *
 * Context: Any.
 * Return: the name, as in sysfs.
 */
const char *cma_get_name(const struct cma *cma)
{
	return cma->name;
}

/**
 * cma_serves_pages() - check that an area serves any number of pages
 * @cma:	the area
 *
 * Context: Any.
 * Return: true; false if the area did not come up, or serves only multiples of
 * a larger unit.
 */
bool cma_serves_pages(const struct cma *cma)
{
	return cma->active && !cma->order_per_bit;
}

/**
 * cma_for_each_area() - call a function for every area
 * @it:		the function; a result other than 0 ends the walk
 * @data:	passed to @it
 *
 * Context: Any that @it may be called in.
 * Return: the first result that is not 0, or 0.
 */
int cma_for_each_area(int (*it)(struct cma *cma, void *data), void *data)
{
	for (unsigned int i = 0; i < cma_area_count; i++) {
		int result = it(&cma_areas[i], data);

		if (result)
			return result;
	}
	return 0;
}

/**
 * cma_set_users() - set who takes buffers from an area
 * @cma:	the area
 * @users:	who
 * @devices:	for CMA_FOR_DEVICES: globs for names of devices or drivers,
 *		separated by commas; must stay valid
 *
 * This is shown in the log and in sysfs. It does not affect requests.
 *
 * Context: Boot.
 */
void cma_set_users(struct cma *cma, enum cma_users users, const char *devices)
{
	cma->users = users;
	cma->devices = devices;
}

/**
 * cma_set_heap() - let programs allocate from an area
 * @cma:	the area
 *
 * Context: Boot.
 */
void cma_set_heap(struct cma *cma)
{
	cma->heap = true;
}

/**
 * cma_has_heap() - check that programs may allocate from an area
 * @cma:	the area
 *
 * The default area always has a heap, whether or not this is true for it.
 *
 * Context: Any.
 * Return: true if cma_set_heap() was called and the area serves any number of
 * pages.
 */
bool cma_has_heap(const struct cma *cma)
{
	return cma->heap && cma_serves_pages(cma);
}

/**
 * cma_set_source() - set who declared an area
 * @cma:	the area
 * @source:	follows the word "from" in the log; must stay valid
 *
 * Context: Boot.
 */
void __init cma_set_source(struct cma *cma, const char *source)
{
	cma->source = source;
}

static const char * const fit_names[] = {
	[CMA_FIT_BEST]	= "best",
	[CMA_FIT_FIRST]	= "first",
};

/**
 * cma_fit_name() - name of a choice of holes
 * @fit:	the choice
 *
 * Context: Any.
 * Return: the name, as in sysfs.
 */
const char *cma_fit_name(enum cma_fit fit)
{
	return fit_names[fit];
}

/**
 * cma_set_fit() - choose which hole of an area a request goes to
 * @cma:	the area
 * @fit:	"best" for the smallest hole that fits, "first" for the lowest
 *
 * Context: Any.
 * Return: 0; -EINVAL if @fit is neither.
 */
int cma_set_fit(struct cma *cma, const char *fit)
{
	int found = sysfs_match_string(fit_names, fit);

	if (found < 0)
		return found;
	WRITE_ONCE(cma->fit, found);
	return 0;
}

/**
 * cma_set_patience() - set how long a request goes on trying
 * @cma:	the area
 * @ms:		milliseconds, at most %CMA_PATIENCE_MAX_MS
 *
 * A request goes on while each window has a page that does not move.
 *
 * Context: Any.
 * Return: 0; -ERANGE if @ms is too large.
 */
int cma_set_patience(struct cma *cma, unsigned int ms)
{
	if (ms > CMA_PATIENCE_MAX_MS)
		return -ERANGE;
	WRITE_ONCE(cma->patience_ms, ms);
	return 0;
}

/**
 * cma_nr_held() - count the pages that owners and searches hold
 * @cma:	the area
 *
 * Context: Any but NMI; takes cma->lock.
 * Return: number of pages, without those of cached buffers.
 */
unsigned long cma_nr_held(struct cma *cma)
{
	unsigned long nr_pages, flags;

	if (!cma->active)
		return 0;
	spin_lock_irqsave(&cma->lock, flags);
	/* Gaps between banks are held, too. */
	nr_pages = cma->range.nr_held - (cma->range.nr_pages - cma->nr_pages);
	spin_unlock_irqrestore(&cma->lock, flags);
	/* A buffer being given back is counted as cached, but not held. */
	return nr_pages - min(nr_pages, cma_cache_pages(cma));
}

/**
 * cma_nr_available() - count the pages of an area that nobody has
 * @cma:	the area
 *
 * Context: Any.
 * Return: number of pages, with those of cached buffers.
 */
unsigned long cma_nr_available(struct cma *cma)
{
	return cma->range.nr_pages - READ_ONCE(cma->range.nr_held) +
	       cma_cache_pages(cma);
}

/**
 * cma_account_alloc() - count a request
 * @cma:	the area
 * @nr_pages:	number of pages
 * @error:	0 if they were handed out
 *
 * Context: Any.
 */
void cma_account_alloc(struct cma *cma, unsigned long nr_pages, int error)
{
	if (error) {
		count_vm_event(CMA_ALLOC_FAIL);
		atomic64_add(nr_pages, &cma->nr_pages_failed);
	} else {
		count_vm_event(CMA_ALLOC_SUCCESS);
		atomic64_add(nr_pages, &cma->nr_pages_succeeded);
	}
}

/**
 * cma_latency_bucket() - bucket of a latency
 * @passed_ns:	nanoseconds
 *
 * As the modifier .log2 of hist triggers: bucket n ends with 2^n microseconds.
 *
 * Context: Any.
 * Return: number of the bucket; the last one for all that is longer.
 */
unsigned int cma_latency_bucket(u64 passed_ns)
{
	u64 passed_us = div_u64(passed_ns, NSEC_PER_USEC);
	unsigned int bucket = passed_us > 1 ? ilog2(passed_us - 1) + 1 : 0;

	return min(bucket, CMA_LATENCY_BUCKETS - 1);
}

/**
 * cma_account_latency() - count a request that took a window
 * @cma:	the area
 * @start_ns:	local_clock() when it began
 *
 * Context: Process.
 */
void cma_account_latency(struct cma *cma, u64 start_ns)
{
	u64 now_ns = local_clock();

	/* The clocks of two CPUs may differ. */
	if (now_ns < start_ns)
		now_ns = start_ns;
	atomic_long_inc(&cma->latency[cma_latency_bucket(now_ns - start_ns)]);
}

/**
 * cma_account_failure() - count a failed request by its reason
 * @cma:	the area
 * @error:	negative error code
 * @no_hole:	for -ENOMEM: no hole was large enough
 *
 * Context: Any.
 */
void cma_account_failure(struct cma *cma, int error, bool no_hole)
{
	enum cma_result result = CMA_INVALID;

	if (error == -EBUSY)
		result = CMA_BUSY;
	else if (error == -ENOMEM)
		result = no_hole ? CMA_NO_ROOM : CMA_NO_MEMORY;
	else if (error == -EINTR)
		result = CMA_KILLED;
	atomic_long_inc(&cma->nr_failed[result]);
}

/**
 * cma_account_release() - count and trace a release
 * @cma:	the area
 * @pfn:	first page
 * @nr_pages:	number of pages
 *
 * Context: Any.
 */
void cma_account_release(struct cma *cma, unsigned long pfn,
			 unsigned long nr_pages)
{
	atomic64_add(nr_pages, &cma->nr_pages_released);
	trace_cma_release(cma->name, pfn, pfn_to_page(pfn), nr_pages);
}
