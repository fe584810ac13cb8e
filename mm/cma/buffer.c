// SPDX-License-Identifier: GPL-2.0
/*
 * Records of the buffers of an area: who holds what.
 *
 * A record is in the range of its area from the moment a search tries its
 * window until its pages are free again. A complete buffer is also in one of
 * several small trees, by its first page. Owners that release buffers thus
 * contend neither with each other nor with searches.
 *
 * Records are made, completed, disowned and freed only here; struct cma_buffer
 * in internal.h lists the states.
 *
 * cma->lock covers the range. shard->lock covers its tree, and who owns the
 * buffers in it; it may be taken under cma->lock. Units are pages.
 */
#include <linux/cma-stock.h>
#include <linux/hash.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "internal.h"

static struct cma_stock cma_buffer_stock =
	CMA_STOCK_INIT(cma_buffer_stock, struct cma_buffer);

static struct cma_buffer *holder_to_buffer(struct cma_holder *holder)
{
	return holder ? container_of(holder, struct cma_buffer, holder) : NULL;
}

static int __init cma_buffers_init(void)
{
	if (cma_area_count)
		cma_stock_refill(&cma_buffer_stock.refill);
	return 0;
}
subsys_initcall(cma_buffers_init);

/**
 * cma_buffer_new() - make a record
 * @nr_pages:	number of pages of the buffer
 * @is_folio:	the pages will be one compound page
 *
 * Context: May sleep.
 * Return: the record, or NULL if there is no memory for it.
 */
struct cma_buffer *cma_buffer_new(unsigned long nr_pages, bool is_folio)
{
	struct cma_buffer *buffer = NULL;

	if (!contig_should_fail(CONTIG_FAIL_BUFFER))
		buffer = cma_stock_take(&cma_buffer_stock, GFP_KERNEL);
	if (!buffer)
		return NULL;
	buffer->nr_pages = nr_pages;
	buffer->is_folio = is_folio;
	buffer->owned = false;
	buffer->nr_disowned = 0;
	buffer->nr_back = 0;
	return buffer;
}

/**
 * cma_buffer_discard() - free a record whose search got no window
 * @buffer:	the record; may be NULL
 *
 * Context: Any.
 */
void cma_buffer_discard(struct cma_buffer *buffer)
{
	cma_stock_put(&cma_buffer_stock, buffer);
}

/**
 * cma_buffer_hold_gap() - hold the pages between two banks forever
 * @cma:	the area
 * @start_pfn:	first page past the lower bank
 * @end_pfn:	first page of the upper bank; may be @start_pfn
 *
 * No window crosses a gap, even an empty one.
 *
 * Context: Boot; one CPU runs, so no lock is needed.
 * Return: 0; -ENOMEM if there is no memory for the record; -EINVAL or -EBUSY as
 * cma_range_hold().
 */
int __init cma_buffer_hold_gap(struct cma *cma, unsigned long start_pfn,
			       unsigned long end_pfn)
{
	struct cma_buffer *gap = kzalloc(sizeof(*gap), GFP_KERNEL);
	int error;

	if (!gap)
		return -ENOMEM;
	error = cma_range_hold(&cma->range, &gap->holder, start_pfn,
			       end_pfn - start_pfn);
	if (error)
		kfree(gap);
	return error;
}

/**
 * cma_buffer_at() - find the buffer that a page belongs to
 * @cma:	the area
 * @pfn:	the page
 *
 * Context: The caller holds cma->lock.
 * Return: the record, or NULL if nobody holds the page.
 */
struct cma_buffer *cma_buffer_at(struct cma *cma, unsigned long pfn)
{
	lockdep_assert_held(&cma->lock);
	return holder_to_buffer(cma_range_find(&cma->range, pfn));
}

static struct cma_shard *shard_of(struct cma *cma, unsigned long pfn)
{
	return &cma->shards[hash_long(pfn, ilog2(CMA_SHARDS))];
}

static int buffer_cmp_pfn(const void *key, const struct rb_node *node)
{
	unsigned long start = rb_entry(node, struct cma_buffer,
				       by_pfn)->holder.start;
	unsigned long pfn = *(const unsigned long *)key;

	return pfn < start ? -1 : pfn > start;
}

static bool buffer_pfn_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct cma_buffer, by_pfn)->holder.start <
	       rb_entry(b, struct cma_buffer, by_pfn)->holder.start;
}

/**
 * cma_buffer_complete() - let a buffer be found by its first page
 * @cma:	the area
 * @buffer:	its record; the window is held and its pages are taken
 *
 * Context: Any but NMI.
 */
void cma_buffer_complete(struct cma *cma, struct cma_buffer *buffer)
{
	struct cma_shard *shard = shard_of(cma, buffer->holder.start);
	unsigned long flags;

	spin_lock_irqsave(&cma->lock, flags);
	spin_lock(&shard->lock);
	rb_add(&buffer->by_pfn, &shard->buffers, buffer_pfn_less);
	spin_unlock(&shard->lock);
	cma_headroom_note(cma, buffer->holder.nr_pages);
	spin_unlock_irqrestore(&cma->lock, flags);
}

/**
 * cma_buffer_hand_out() - give a buffer to its owner
 * @buffer:	its record
 * @owner:	name of the device it is for; NULL if there is none
 * @caller:	return address of the caller that allocates
 *
 * A release of these pages matches only from now on.
 *
 * Context: Any.
 */
void cma_buffer_hand_out(struct cma_buffer *buffer, const char *owner,
			 unsigned long caller)
{
	buffer->caller = caller;
	buffer->pid = task_pid_nr(current);
	buffer->taken_s = ktime_get_seconds();
	strscpy(buffer->owner, owner ?: "");
	/* If the name changes meanwhile, a mixture of the two does no harm. */
	memcpy(buffer->comm, current->comm, sizeof(buffer->comm));
	/* Pairs with the acquire in cma_buffer_disown(). */
	smp_store_release(&buffer->owned, true);
}

/**
 * cma_buffer_hold_early() - hold pages that were taken before the area is active
 * @cma:	the area
 * @bank:	has pages of this kind
 *
 * The record is that of a compound page, so that the pages may come back in
 * parts.
 *
 * Context: Boot; one CPU runs, so no lock is needed.
 * Return: as cma_buffer_hold_gap().
 */
int __init cma_buffer_hold_early(struct cma *cma, const struct cma_bank *bank)
{
	struct cma_buffer *buffer = cma_buffer_new(bank->nr_early, true);
	int error;

	if (!buffer)
		return -ENOMEM;
	buffer->reserved = false;
	error = cma_range_hold(&cma->range, &buffer->holder, bank->start_pfn,
			       bank->nr_early);
	if (error) {
		cma_buffer_discard(buffer);
		return error;
	}
	atomic_inc(&cma->nr_folios);
	cma_buffer_complete(cma, buffer);
	cma_buffer_hand_out(buffer, "huge pages at boot", _RET_IP_);
	return 0;
}

/**
 * cma_buffer_kind() - what the pages of a record are
 * @cma:	the area
 * @holder:	the window of the record
 *
 * Context: The caller holds cma->lock, so the record is not freed.
 * Return: %CMA_PAGE_HELD, %CMA_PAGE_CACHED also while the pages are given back,
 * or %CMA_PAGE_SEARCH.
 */
enum cma_page_kind cma_buffer_kind(struct cma *cma, struct cma_holder *holder)
{
	struct cma_shard *shard = shard_of(cma, holder->start);
	enum cma_page_kind kind = CMA_PAGE_SEARCH;

	lockdep_assert_held(&cma->lock);
	spin_lock(&shard->lock);
	if (READ_ONCE(holder_to_buffer(holder)->owned))
		kind = CMA_PAGE_HELD;
	else if (rb_find(&holder->start, &shard->buffers, buffer_cmp_pfn))
		kind = CMA_PAGE_CACHED;
	spin_unlock(&shard->lock);
	return kind;
}

/**
 * cma_buffer_snapshot() - copy a record that may be changing hands
 * @cma:	the area
 * @buffer:	the record
 * @copy:	the copy; a record without an owner has a window and its size only
 *
 * Context: The caller holds cma->lock, so the record is not freed.
 */
void cma_buffer_snapshot(struct cma *cma, const struct cma_buffer *buffer,
			 struct cma_buffer *copy)
{
	struct cma_shard *shard = shard_of(cma, buffer->holder.start);

	lockdep_assert_held(&cma->lock);
	*copy = (struct cma_buffer) {
		.holder		= buffer->holder,
		.nr_pages	= buffer->nr_pages,
	};
	/*
	 * No buffer is disowned under this lock. Without an owner, other members
	 * of the unions are in use.
	 */
	spin_lock(&shard->lock);
	/* Pairs with the release in cma_buffer_hand_out(). */
	if (smp_load_acquire(&buffer->owned))
		*copy = *buffer;
	spin_unlock(&shard->lock);
}

/**
 * cma_buffer_disown() - take a buffer away from its owner
 * @cma:	the area
 * @pfn:	its first page
 * @nr_pages:	its number of pages
 *
 * From now on no other release finds this buffer owned.
 *
 * Context: Any but NMI.
 * Return: the record, or NULL if the pages are not an owned buffer of this
 * size.
 */
struct cma_buffer *cma_buffer_disown(struct cma *cma, unsigned long pfn,
				     unsigned long nr_pages)
{
	struct cma_shard *shard = shard_of(cma, pfn);
	struct cma_buffer *buffer = NULL;
	struct rb_node *node;
	unsigned long flags;

	spin_lock_irqsave(&shard->lock, flags);
	node = rb_find(&pfn, &shard->buffers, buffer_cmp_pfn);
	if (node)
		buffer = rb_entry(node, struct cma_buffer, by_pfn);
	/* Pairs with the release in cma_buffer_hand_out(). */
	if (buffer && smp_load_acquire(&buffer->owned) &&
	    buffer->nr_pages == nr_pages &&
	    !(buffer->is_folio && READ_ONCE(buffer->nr_disowned)))
		WRITE_ONCE(buffer->owned, false);
	else
		buffer = NULL;
	spin_unlock_irqrestore(&shard->lock, flags);
	return buffer;
}

/*
 * Undo cma_buffer_complete(): no release finds the record any more. The caller
 * holds cma->lock.
 */
static void buffer_unlist(struct cma *cma, struct cma_buffer *buffer)
{
	struct cma_shard *shard = shard_of(cma, buffer->holder.start);

	lockdep_assert_held(&cma->lock);
	spin_lock(&shard->lock);
	rb_erase(&buffer->by_pfn, &shard->buffers);
	spin_unlock(&shard->lock);
	cma_headroom_note(cma, -(long)buffer->holder.nr_pages);
}

/* Free the window and the record; the pages are given back already. */
static void buffer_forget(struct cma *cma, struct cma_buffer *buffer)
{
	unsigned long flags;

	if (buffer->is_folio)
		atomic_dec(&cma->nr_folios);

	spin_lock_irqsave(&cma->lock, flags);
	buffer_unlist(cma, buffer);
	cma_range_release(&cma->range, &buffer->holder);
	spin_unlock_irqrestore(&cma->lock, flags);
	cma_buffer_discard(buffer);
}

/**
 * cma_buffer_free_all() - free the records of an area that failed to come up
 * @cma:	the area; gaps are held, and pages that were taken early
 *
 * Context: Boot; one CPU runs, so no lock is needed.
 */
void __init cma_buffer_free_all(struct cma *cma)
{
	struct cma_holder *holder;

	while ((holder = cma_range_from(&cma->range, cma->range.start))) {
		struct cma_buffer *buffer = holder_to_buffer(holder);

		if (buffer->nr_pages) {
			buffer_forget(cma, buffer);
			continue;
		}
		cma_range_release(&cma->range, holder);
		kfree(buffer);
	}
}

/**
 * cma_buffer_set_cached() - note that a disowned buffer is to be cached
 * @buffer:	its record
 * @kind:	state of the pages
 * @mapped:	where they are mapped
 * @teardown:	ends this state
 *
 * The caller then puts the record on the lists of a cache.
 *
 * Context: Any.
 */
void cma_buffer_set_cached(struct cma_buffer *buffer, unsigned long kind,
			   void *mapped, cma_teardown_t teardown)
{
	buffer->zeroed = false;
	buffer->cached_at = jiffies;
	buffer->kind = kind;
	buffer->mapped = mapped;
	buffer->teardown = teardown;
}

/**
 * cma_buffer_give_back() - free the pages of a buffer, and its record
 * @cma:	the area
 * @buffer:	its record, disowned or taken out of a cache
 * @frozen:	the pages have no references
 *
 * Context: Any but NMI. Does not sleep, fail or allocate.
 */
void cma_buffer_give_back(struct cma *cma, struct cma_buffer *buffer,
			  bool frozen)
{
	/* A switch of the mode waits for this section, see mode.c. */
	rcu_read_lock();
	/* Free the pages first: the next holder of the window expects that. */
	cma_put_pages(cma, buffer->holder.start, buffer->nr_pages,
		      buffer->reserved, frozen);
	buffer_forget(cma, buffer);
	rcu_read_unlock();
}

/*
 * From here on no other release of these pages matches. The record stays until
 * all parts are back; it cannot be freed before the caller finishes this part.
 */
static struct cma_buffer *buffer_disown_part(struct cma *cma, unsigned long pfn,
					     unsigned long nr_pages,
					     bool *reserved)
{
	struct cma_buffer *buffer;
	unsigned long flags, left = 0;

	spin_lock_irqsave(&cma->lock, flags);
	buffer = cma_buffer_at(cma, pfn);
	if (buffer && buffer->is_folio && READ_ONCE(buffer->owned) &&
	    IS_ALIGNED(pfn | nr_pages, 1UL << cma->order_per_bit) &&
	    pfn + nr_pages <= buffer->holder.start + buffer->nr_pages)
		left = buffer->nr_pages - buffer->nr_disowned;
	if (left && nr_pages <= left) {
		WRITE_ONCE(buffer->nr_disowned,
			   buffer->nr_disowned + nr_pages);
		*reserved = buffer->reserved;
		/* All parts are disowned: no further release matches. */
		if (left == nr_pages)
			WRITE_ONCE(buffer->owned, false);
	} else {
		buffer = NULL;
	}
	spin_unlock_irqrestore(&cma->lock, flags);
	return buffer;
}

/*
 * Parts come back in parallel. The last one to finish, not the last one
 * disowned, releases the window: only then are the pages of all parts free.
 */
static bool buffer_finish_part(struct cma *cma, struct cma_buffer *buffer,
			       unsigned long nr_pages)
{
	unsigned long flags;
	bool is_last;

	spin_lock_irqsave(&cma->lock, flags);
	buffer->nr_back += nr_pages;
	is_last = buffer->nr_back == buffer->nr_pages;
	spin_unlock_irqrestore(&cma->lock, flags);
	return is_last;
}

/**
 * cma_buffer_give_back_part() - free some pages of a compound page
 * @cma:	the area
 * @pfn:	first of the pages
 * @nr_pages:	how many
 * @frozen:	the pages have no references
 *
 * hugetlb splits a large page and gives the smaller ones back one by one. Each
 * part is free at once; the last one releases the window.
 *
 * Context: Any but NMI. Does not sleep, fail or allocate.
 * Return: true; false if the pages are not part of an owned compound page, and
 * nothing happened.
 */
bool cma_buffer_give_back_part(struct cma *cma, unsigned long pfn,
			       unsigned long nr_pages, bool frozen)
{
	struct cma_buffer *buffer;
	bool reserved = false;

	/* A switch of the mode waits for this section, see mode.c. */
	rcu_read_lock();
	buffer = buffer_disown_part(cma, pfn, nr_pages, &reserved);
	if (buffer) {
		cma_put_pages(cma, pfn, nr_pages, reserved, frozen);
		if (buffer_finish_part(cma, buffer, nr_pages))
			buffer_forget(cma, buffer);
	}
	rcu_read_unlock();
	return buffer;
}

/**
 * cma_buffer_trim() - give back the first pages of a buffer
 * @cma:	the area
 * @buffer:	its record; the caller owns the buffer
 * @nr_pages:	number of pages: fewer than the buffer has, and a multiple of
 *		1 << cma->order_per_bit
 *
 * Context: As cma_buffer_give_back().
 */
void cma_buffer_trim(struct cma *cma, struct cma_buffer *buffer,
		     unsigned long nr_pages)
{
	unsigned long flags;

	spin_lock_irqsave(&cma->lock, flags);
	buffer_unlist(cma, buffer);
	spin_unlock_irqrestore(&cma->lock, flags);
	rcu_read_lock();
	cma_put_pages(cma, buffer->holder.start, nr_pages, buffer->reserved,
		      false);

	spin_lock_irqsave(&cma->lock, flags);
	cma_range_trim(&cma->range, &buffer->holder, nr_pages);
	buffer->nr_pages -= nr_pages;
	spin_unlock_irqrestore(&cma->lock, flags);
	rcu_read_unlock();
	cma_buffer_complete(cma, buffer);
}
