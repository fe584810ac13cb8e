// SPDX-License-Identifier: GPL-2.0
/*
 * Records that are kept for the next buffers.
 *
 * An area may have room at once while all other memory is in use. A request must
 * not wait then for a few bytes for its record, nor cost a reclaim. So records
 * that are given back stay here, and a work item makes more in time: a request
 * takes memory from the page allocator only if it is one of many in a row.
 *
 * mempools are no help: they take new memory as long as there is any, and what
 * they have when there is none. Memory that is nearly used up is slow to get.
 *
 * A place of the table belongs to who exchanged its pointer; there is no lock.
 */
#include <linux/atomic.h>
#include <linux/cma-stock.h>
#include <linux/gfp.h>
#include <linux/kasan.h>
#include <linux/slab.h>

/* If so few are left, make more. */
#define FEW_RECORDS	(CMA_STOCK_RECORDS / 2)

static bool stock_keep(struct cma_stock *stock, void *record)
{
	for (unsigned int i = 0; i < CMA_STOCK_RECORDS; i++)
		if (!READ_ONCE(stock->records[i]) &&
		    !cmpxchg(&stock->records[i], NULL, record))
			return true;
	return false;
}

/**
 * cma_stock_put() - give a record back
 * @stock:	where it came from
 * @record:	the record; may be NULL
 *
 * Context: Any but NMI.
 */
void cma_stock_put(struct cma_stock *stock, void *record)
{
	if (!record || !kasan_mempool_poison_object(record))
		return;
	if (stock_keep(stock, record))
		return;
	kasan_mempool_unpoison_object(record, stock->size);
	kfree(record);
}

/**
 * cma_stock_refill() - make records until there are enough
 * @work:	->refill of the stock
 *
 * Context: May sleep.
 */
void cma_stock_refill(struct work_struct *work)
{
	struct cma_stock *stock = container_of(work, struct cma_stock, refill);

	for (unsigned int i = 0; i < CMA_STOCK_RECORDS; i++) {
		void *record;

		if (READ_ONCE(stock->records[i]))
			continue;
		record = kmalloc(stock->size, GFP_KERNEL | __GFP_NOWARN);
		if (!record)
			return;
		cma_stock_put(stock, record);
	}
}

/**
 * cma_stock_take() - get a record
 * @stock:	of this kind
 * @gfp:	flags, in case there is none left
 *
 * Context: May sleep if @gfp allows it.
 * Return: the record, whose contents are undefined; NULL if there is no memory.
 */
void *cma_stock_take(struct cma_stock *stock, gfp_t gfp)
{
	void *record = NULL;
	unsigned int i;

	for (i = 0; !record && i < CMA_STOCK_RECORDS; i++)
		if (READ_ONCE(stock->records[i]))
			record = xchg(&stock->records[i], NULL);
	/* The lowest place that has a record is next: all below it are empty. */
	if (i > FEW_RECORDS || !record)
		schedule_work(&stock->refill);
	if (!record)
		return kmalloc(stock->size, gfp);
	kasan_mempool_unpoison_object(record, stock->size);
	return record;
}
