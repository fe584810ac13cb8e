/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stores of evicted page cache, for mm/cma/ and evicted.c.
 */
#ifndef _MM_CONTIG_STORE_H
#define _MM_CONTIG_STORE_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct address_space;
struct page;

/**
 * struct contig_store_stats - what a store has and did, in pages
 * @nr_full:	copies that it has
 * @nr_added:	copies that were made
 * @nr_found:	copies that went back into the page cache
 * @nr_forgotten: copies that were lost because a window was taken
 * @nr_replaced: copies that made way for others
 * @nr_refused:	evicted pages that got no copy
 */
struct contig_store_stats {
	unsigned long nr_full;
	unsigned long nr_added;
	unsigned long nr_found;
	unsigned long nr_forgotten;
	unsigned long nr_replaced;
	unsigned long nr_refused;
};

/* A spinlock may have no bytes, so ARRAY_SIZE() is of no use. */
#define CONTIG_STORE_LOCKS	16

/**
 * struct stored_page - whose copy a page of a store has
 * @mapping:	the file; NULL if the page is in no hash chain
 * @index:	the page of the file
 */
struct stored_page {
	struct address_space	*mapping;
	pgoff_t			index;
};

/**
 * struct contig_store - pages in a row that have copies of evicted page cache
 * @list:	in the list of open stores, see evicted.c
 * @start_pfn:	first page
 * @nr_pages:	how many
 * @max_pages:	most copies
 * @admit_one_in: when it is full, one page of so many gets a copy; 0 if
 *		@admit_shift says how many
 * @lock:	covers all members below
 * @empty:	pages without a copy
 * @full:	pages with a copy
 * @nr_empty:	bits that are set in @empty
 * @next_empty:	where to look for the next one
 * @next_full:	the next copy to replace
 * @stats:	@stats.nr_full is the number of bits that are set in @full
 * @admit_shift: one page of 1 << this many gets a copy
 * @nr_offered:	pages that were offered while it was full
 * @period_replaced: copies that were replaced in this period
 * @period_found: @stats.nr_found at the start of this period
 * @hash_bits:	logarithm of the number of @chains
 * @chains:	first page of each hash chain
 * @next:	next page in the hash chain of a page
 * @pages:	whose copies they have
 * @copy_locks:	held while pages are copied
 *
 * On 32 bits a page takes 8 bytes in @pages, 4 in @next, at most 2 in @chains,
 * and 2 bits; on 64 bits twice as much in @pages.
 */
struct contig_store {
	struct list_head	list;
	unsigned long		start_pfn;
	unsigned long		nr_pages;
	unsigned long		max_pages;
	unsigned int		admit_one_in;
	spinlock_t		lock;	/* which page has which copy */
	unsigned long		*empty;
	unsigned long		*full;
	unsigned long		nr_empty;
	unsigned long		next_empty;
	unsigned long		next_full;
	struct contig_store_stats stats;
	unsigned int		admit_shift;
	unsigned long		nr_offered;
	unsigned long		period_replaced;
	unsigned long		period_found;
	unsigned int		hash_bits;
	u32			*chains;
	u32			*next;
	struct stored_page	*pages;
	spinlock_t		copy_locks[CONTIG_STORE_LOCKS];	/* contents */
};

#ifdef CONFIG_CMA_GUARANTEED

/* For mm/cma/. */
struct contig_store *contig_store_new(unsigned long start_pfn,
				      unsigned long nr_pages);
void contig_stores_enable(void);
void contig_stores_disable(void);
void contig_store_open(struct contig_store *store);
void contig_store_close(struct contig_store *store);
void contig_store_free(struct contig_store *store);
void contig_store_take(struct contig_store *store, unsigned long start_pfn,
		       unsigned long nr_pages);
void contig_store_give(struct contig_store *store, unsigned long start_pfn,
		       unsigned long nr_pages);
bool contig_store_has(struct contig_store *store, unsigned long pfn);
void contig_store_set_max(struct contig_store *store, unsigned long nr_pages);
void contig_store_set_admission(struct contig_store *store,
				unsigned int one_in);
void contig_store_read_stats(struct contig_store *store,
			     struct contig_store_stats *stats);

/* For evicted.c and tests. */
bool contig_store_put(struct contig_store *store,
		      struct address_space *mapping, pgoff_t index,
		      struct page *source, bool comes_back);
bool contig_store_get(struct contig_store *store,
		      const struct address_space *mapping, pgoff_t index,
		      struct page *target);
bool contig_store_knows(struct contig_store *store,
			const struct address_space *mapping, pgoff_t index);
void contig_store_forget(struct contig_store *store,
			 const struct address_space *mapping, pgoff_t index);

#endif /* CONFIG_CMA_GUARANTEED */

#endif /* _MM_CONTIG_STORE_H */
