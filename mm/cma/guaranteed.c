// SPDX-License-Identifier: GPL-2.0
/*
 * The mode guaranteed: idle pages have copies of evicted page cache.
 *
 * All pages of the area are reserved, as in the mode exclusive, so a buffer
 * never waits. Each bank has a store of those that no buffer holds, see
 * mm/contig/store.c. A search takes a window out of its store once it holds it
 * in the range. A release gives the window back before the range has it.
 *
 * bank->store is written under cma->mode_lock, so a search sees it unchanged. A
 * release reads it in an RCU section. Units are pages.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/init.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>

#include "../contig/store.h"
#include "internal.h"

/**
 * cma_store_take() - take a window that is held out of its store
 * @cma:	the area; nothing happens if it has no store
 * @start_pfn:	first page
 * @nr_pages:	how many, all in one bank
 *
 * Context: Process; does not sleep. The caller holds cma->mode_lock for reading.
 */
void cma_store_take(const struct cma *cma, unsigned long start_pfn,
		    unsigned long nr_pages)
{
	struct contig_store *store = cma_bank_of(cma, start_pfn)->store;

	if (store)
		contig_store_take(store, start_pfn, nr_pages);
}

/**
 * cma_store_give() - give the pages of a buffer back to their store
 * @cma:	the area; nothing happens if it has no store
 * @start_pfn:	first page
 * @nr_pages:	how many, all in one bank
 *
 * Context: Any but NMI; the caller is in an RCU read-side section.
 */
void cma_store_give(const struct cma *cma, unsigned long start_pfn,
		    unsigned long nr_pages)
{
	struct contig_store *store;

	store = READ_ONCE(cma_bank_of(cma, start_pfn)->store);
	if (store)
		contig_store_give(store, start_pfn, nr_pages);
}

/* Most pages to give under one turn of cma->lock. */
#define GIVE_PAGES	4096

/*
 * Give all pages of a bank that no buffer holds to its store. A release that
 * sees the store gives its pages by itself, before its holder goes.
 */
static void give_unheld_pages(struct cma *cma, const struct cma_bank *bank)
{
	unsigned long pfn = bank->start_pfn;

	while (pfn < bank->end_pfn) {
		unsigned long end = min(pfn + GIVE_PAGES, bank->end_pfn);
		unsigned long next = end;
		struct cma_holder *holder;

		spin_lock_irq(&cma->lock);
		holder = cma_range_find(&cma->range, pfn) ?:
			 cma_range_from(&cma->range, pfn);
		if (holder && holder->start < end) {
			end = holder->start;
			next = cma_holder_end(holder);
		}
		if (pfn < end)
			contig_store_give(bank->store, pfn, end - pfn);
		spin_unlock_irq(&cma->lock);
		pfn = next;
		cond_resched();
	}
}

static void free_stores(struct contig_store **stores)
{
	for (unsigned int i = 0; i < CMA_MAX_BANKS; i++)
		contig_store_free(stores[i]);
}

/**
 * cma_stores_free() - free stores that are not open
 * @stores:	what cma_stores_new() or cma_stores_close() set
 *
 * Context: May sleep; not under cma->mode_lock, see contig_stores_enable().
 */
void cma_stores_free(struct contig_store **stores)
{
	contig_stores_disable();
	free_stores(stores);
}

/**
 * cma_stores_new() - make the stores of an area
 * @cma:	the area
 * @stores:	set to a store for each bank
 *
 * Context: As cma_stores_free().
 * Return: 0; -ENOMEM.
 */
int cma_stores_new(const struct cma *cma, struct contig_store **stores)
{
	for (unsigned int i = 0; i < cma->nr_banks; i++) {
		const struct cma_bank *bank = &cma->banks[i];

		stores[i] = contig_store_new(bank->start_pfn,
					     bank->end_pfn - bank->start_pfn);
		if (!stores[i]) {
			free_stores(stores);
			return -ENOMEM;
		}
	}
	contig_stores_enable();
	return 0;
}

/* The share of a bank in a limit of the area. */
static unsigned long bank_share(const struct cma *cma,
				const struct cma_bank *bank,
				unsigned long nr_pages)
{
	u64 share = (u64)(bank->end_pfn - bank->start_pfn) *
		    min(nr_pages, cma->nr_pages);

	return div64_ul(share, cma->nr_pages);
}

/**
 * cma_stores_set_max() - limit the copies of an area
 * @cma:	the area
 * @nr_pages:	most copies; those above are forgotten
 *
 * Context: Process; does not sleep.
 */
void cma_stores_set_max(struct cma *cma, unsigned long nr_pages)
{
	rcu_read_lock();
	WRITE_ONCE(cma->stored_max, nr_pages);
	for (unsigned int i = 0; i < cma->nr_banks; i++) {
		const struct cma_bank *bank = &cma->banks[i];
		struct contig_store *store = READ_ONCE(bank->store);

		if (store)
			contig_store_set_max(store, bank_share(cma, bank,
							       nr_pages));
	}
	rcu_read_unlock();
}

/**
 * cma_stores_set_admission() - how many pages get a copy in place of others
 * @cma:	the area
 * @one_in:	see contig_store_set_admission()
 *
 * Context: Process; does not sleep.
 */
void cma_stores_set_admission(struct cma *cma, unsigned int one_in)
{
	rcu_read_lock();
	WRITE_ONCE(cma->stored_one_in, one_in);
	for (unsigned int i = 0; i < cma->nr_banks; i++) {
		struct contig_store *store = READ_ONCE(cma->banks[i].store);

		if (store)
			contig_store_set_admission(store, one_in);
	}
	rcu_read_unlock();
}

/**
 * cma_store_has() - check whether a page has a copy of evicted page cache
 * @cma:	the area
 * @pfn:	one of its pages
 *
 * Context: Process; does not sleep.
 * Return: true if it had one a moment ago.
 */
bool cma_store_has(const struct cma *cma, unsigned long pfn)
{
	struct contig_store *store;
	bool has;

	rcu_read_lock();
	store = READ_ONCE(cma_bank_of(cma, pfn)->store);
	has = store && contig_store_has(store, pfn);
	rcu_read_unlock();
	return has;
}

/**
 * cma_stores_open() - let the idle pages of an area have copies
 * @cma:	the area; nobody holds its pages but buffers
 * @stores:	a store for each bank
 *
 * Context: May sleep; the caller holds cma->mode_lock for writing.
 */
void cma_stores_open(struct cma *cma, struct contig_store **stores)
{
	for (unsigned int i = 0; i < cma->nr_banks; i++)
		WRITE_ONCE(cma->banks[i].store, stores[i]);
	/* Wait for releases that do not see the stores. */
	synchronize_rcu();
	cma_stores_set_max(cma, cma->stored_max);
	cma_stores_set_admission(cma, cma->stored_one_in);
	for (unsigned int i = 0; i < cma->nr_banks; i++) {
		give_unheld_pages(cma, &cma->banks[i]);
		contig_store_open(stores[i]);
	}
}

/**
 * cma_stores_close() - forget all copies that an area has
 * @cma:	the area
 * @stores:	set to its stores, for cma_stores_free()
 *
 * Context: May sleep; the caller holds cma->mode_lock for writing.
 */
void cma_stores_close(struct cma *cma, struct contig_store **stores)
{
	for (unsigned int i = 0; i < cma->nr_banks; i++) {
		stores[i] = cma->banks[i].store;
		contig_store_close(stores[i]);
		WRITE_ONCE(cma->banks[i].store, NULL);
	}
	/* Wait for releases that see the stores. */
	synchronize_rcu();
}

/**
 * cma_stores_stats() - what the stores of an area have and did
 * @cma:	the area
 * @sum:	set to it; nothing but zeroes if the area is not guaranteed
 *
 * Context: Process; does not sleep.
 */
void cma_stores_stats(const struct cma *cma, struct contig_store_stats *sum)
{
	*sum = (struct contig_store_stats) { };
	rcu_read_lock();
	for (unsigned int i = 0; i < cma->nr_banks; i++) {
		struct contig_store *store = READ_ONCE(cma->banks[i].store);
		struct contig_store_stats stats;

		if (!store)
			continue;
		contig_store_read_stats(store, &stats);
		sum->nr_full += stats.nr_full;
		sum->nr_added += stats.nr_added;
		sum->nr_found += stats.nr_found;
		sum->nr_forgotten += stats.nr_forgotten;
		sum->nr_replaced += stats.nr_replaced;
		sum->nr_refused += stats.nr_refused;
	}
	rcu_read_unlock();
}

/*
 * An area that was declared guaranteed is as good as exclusive until there is
 * memory for its tables.
 */
static int __init open_stores_at_boot(void)
{
	for (unsigned int i = 0; i < cma_area_count; i++) {
		struct cma *cma = &cma_areas[i];
		int error;

		if (!cma->active || cma->mode != CMA_GUARANTEED)
			continue;
		cma->mode = CMA_EXCLUSIVE;
		error = cma_set_mode(cma, CMA_GUARANTEED);
		if (error)
			pr_err("%s: not guaranteed but exclusive, ret: %d\n",
			       cma->name, error);
	}
	return 0;
}
subsys_initcall(open_stores_at_boot);
