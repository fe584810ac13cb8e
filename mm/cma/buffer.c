// SPDX-License-Identifier: GPL-2.0
/*
 * Who holds what: the records of the buffers of an area.
 *
 * A record stands in the range of its area from the moment its window is tried
 * until its pages are free again. In between it is an owner's: from the moment
 * the pages are complete until the owner gives them back. While the pages are
 * complete the record is also found by its first page in one of several small
 * trees, so that owners do not wait for each other, nor for searches.
 *
 * cma->lock covers the range, shard->lock its tree and who owns the buffers in
 * it. Neither is taken under the other. Units are pages.
 */
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "internal.h"

static struct cma_buffer *node_to_buffer(struct cma_holder *holder)
{
	return holder ? container_of(holder, struct cma_buffer, holder) : NULL;
}

/**
 * cma_buffer_at() - whose buffer is this page of
 * @cma:	the area
 * @pfn:	the page
 *
 * Context: The caller holds cma->lock.
 * Return: the buffer, or NULL if nobody holds the page.
 */
struct cma_buffer *cma_buffer_at(struct cma *cma, unsigned long pfn)
{
	lockdep_assert_held(&cma->lock);
	return node_to_buffer(cma_range_find(&cma->range, pfn));
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
 * cma_buffer_complete() - have a buffer found by its first page
 * @cma:	the area
 * @buffer:	its record; the pages are complete
 *
 * Context: Any but NMI.
 */
void cma_buffer_complete(struct cma *cma, struct cma_buffer *buffer)
{
	struct cma_shard *shard = shard_of(cma, buffer->holder.start);
	unsigned long flags;

	spin_lock_irqsave(&shard->lock, flags);
	rb_add(&buffer->by_pfn, &shard->buffers, buffer_pfn_less);
	spin_unlock_irqrestore(&shard->lock, flags);
}

/**
 * cma_buffer_hand_out() - give a buffer to its owner
 * @buffer:	its record
 * @owner:	name of the device it is for; NULL if there is none
 * @caller:	who asked for it
 *
 * Until this is done, a release of these pages is nobody's.
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
	/* A name that changes meanwhile is one of the two, or a bit of both. */
	memcpy(buffer->comm, current->comm, sizeof(buffer->comm));
	/* Pairs with the acquire in cma_buffer_disown(). */
	smp_store_release(&buffer->owned, true);
}

/**
 * cma_buffer_snapshot() - copy a record that its owner may be filling in
 * @buffer:	the record
 * @copy:	where to; unless it is ->owned, nothing in it tells of an owner
 *
 * Context: The caller holds the lock of the area, which keeps the record.
 */
void cma_buffer_snapshot(const struct cma_buffer *buffer,
			 struct cma_buffer *copy)
{
	/* Pairs with the release in cma_buffer_hand_out(). */
	bool owned = smp_load_acquire(&buffer->owned);

	/* A buffer that changes hands meanwhile may show some of either. */
	data_race(*copy = *buffer);
	copy->owned = owned;
}

/**
 * cma_buffer_disown() - take a buffer away from its owner
 * @cma:	the area
 * @pfn:	its first page
 * @nr_pages:	its size
 *
 * Context: Any but NMI.
 * Return: the record, of a buffer that nobody else can release from now on; or
 * NULL if the pages are not a buffer of this size that somebody owns.
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
	    !(buffer->is_folio && READ_ONCE(buffer->nr_claimed)))
		WRITE_ONCE(buffer->owned, false);
	else
		buffer = NULL;
	spin_unlock_irqrestore(&shard->lock, flags);
	return buffer;
}

/* Nobody finds the record any more. */
static void buffer_unlist(struct cma *cma, struct cma_buffer *buffer)
{
	struct cma_shard *shard = shard_of(cma, buffer->holder.start);
	unsigned long flags;

	spin_lock_irqsave(&shard->lock, flags);
	rb_erase(&buffer->by_pfn, &shard->buffers);
	spin_unlock_irqrestore(&shard->lock, flags);
}

/* The pages are free, or about to be. */
static void buffer_forget(struct cma *cma, struct cma_buffer *buffer)
{
	unsigned long flags;

	buffer_unlist(cma, buffer);
	if (buffer->is_folio)
		atomic_dec(&cma->nr_folios);

	spin_lock_irqsave(&cma->lock, flags);
	cma_range_release(&cma->range, &buffer->holder);
	spin_unlock_irqrestore(&cma->lock, flags);
	kfree(buffer);
}

/**
 * cma_buffer_give_back() - free the pages of a buffer, and its record
 * @cma:	the area
 * @buffer:	its record, which is nobody's any more
 *
 * Context: Any but NMI. Does not sleep, fail or allocate.
 */
void cma_buffer_give_back(struct cma *cma, struct cma_buffer *buffer)
{
	/* A mode that is about to change waits for this: mode.c. */
	rcu_read_lock();
	/* Free first: who holds the window next finds its pages free. */
	cma_put_pages(cma, buffer->holder.start, buffer->nr_pages,
		      buffer->reserved);
	buffer_forget(cma, buffer);
	rcu_read_unlock();
}

/*
 * The caller is the only one to give back these pages from here on. The record
 * stays until all parts are back, and this one is not.
 */
static struct cma_buffer *buffer_disown_part(struct cma *cma, unsigned long pfn,
					     unsigned long nr_pages, bool *kept)
{
	struct cma_buffer *buffer;
	unsigned long flags, left = 0;

	spin_lock_irqsave(&cma->lock, flags);
	buffer = cma_buffer_at(cma, pfn);
	if (buffer && buffer->is_folio && READ_ONCE(buffer->owned) &&
	    IS_ALIGNED(pfn | nr_pages, 1UL << cma->order_per_bit) &&
	    pfn + nr_pages <= buffer->holder.start + buffer->nr_pages)
		left = buffer->nr_pages - buffer->nr_claimed;
	if (left && nr_pages <= left) {
		WRITE_ONCE(buffer->nr_claimed,
			   buffer->nr_claimed + nr_pages);
		*kept = buffer->reserved;
		/* Nobody releases it once more. */
		if (left == nr_pages)
			WRITE_ONCE(buffer->owned, false);
	} else {
		buffer = NULL;
	}
	spin_unlock_irqrestore(&cma->lock, flags);
	return buffer;
}

/*
 * Parts come back in parallel. The window is free when the pages of all of them
 * are, so the last one to finish lets it go, whichever was claimed last.
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
 *
 * hugetlb makes several smaller pages of a large one, and gives them back one by
 * one. Each is free at once; the window is let go with the last one.
 *
 * Context: Any but NMI. Does not sleep, fail or allocate.
 * Return: false if they are not of a buffer that can come back like this, and
 * nothing happened.
 */
bool cma_buffer_give_back_part(struct cma *cma, unsigned long pfn,
			       unsigned long nr_pages)
{
	struct cma_buffer *buffer;
	bool kept = false;

	/* A mode that is about to change waits for this: mode.c. */
	rcu_read_lock();
	buffer = buffer_disown_part(cma, pfn, nr_pages, &kept);
	if (buffer) {
		cma_put_pages(cma, pfn, nr_pages, kept);
		if (buffer_finish_part(cma, buffer, nr_pages))
			buffer_forget(cma, buffer);
	}
	rcu_read_unlock();
	return buffer;
}

/**
 * cma_buffer_trim() - give back the first pages of a buffer
 * @cma:	the area
 * @buffer:	its record; the caller owns it
 * @nr_pages:	fewer than it has, and a multiple of what buffers of this area
 *		are multiples of
 *
 * Context: As cma_buffer_give_back().
 */
void cma_buffer_trim(struct cma *cma, struct cma_buffer *buffer,
		     unsigned long nr_pages)
{
	unsigned long flags;

	buffer_unlist(cma, buffer);
	rcu_read_lock();
	cma_put_pages(cma, buffer->holder.start, nr_pages, buffer->reserved);

	spin_lock_irqsave(&cma->lock, flags);
	cma_range_trim(&cma->range, &buffer->holder, nr_pages);
	buffer->nr_pages -= nr_pages;
	spin_unlock_irqrestore(&cma->lock, flags);
	rcu_read_unlock();
	cma_buffer_complete(cma, buffer);
}
