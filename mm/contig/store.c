// SPDX-License-Identifier: GPL-2.0
/*
 * A store: pages of an area that have copies of evicted page cache.
 *
 * Reclaim replaces a clean folio of a file by a shadow entry. Here the entry
 * gets contents: a copy in a page of the store, found by mapping and index. A
 * folio that is added in place of the entry is filled from the copy. Nothing
 * else refers to a page of a store: it is on no list, has no reference and no
 * mapping. So a driver gets it without touching a file: its copy is forgotten.
 *
 * A copy is right if it was made when the shadow entry was stored. That holds
 * for every copy that a newly added folio finds, by three rules:
 *
 *   - Whoever stores a shadow entry first forgets the copy of the last one.
 *   - Whoever adds a folio where there was no shadow entry forgets the copy.
 *   - All three, storing, adding and forgetting, hold the lock of the folio.
 *
 * A page of a store is empty, full, or taken. The bitmaps @empty and @full have
 * no bit of a taken page. To take a window means to clear bits. A page leaves
 * its hash chain when it gets another copy; until then @full tells that it has
 * none. Full pages are replaced in the order of their addresses, which is that
 * of their age as long as none is found again: O(1), and no list.
 *
 * Locks: store->lock covers everything but the contents of the pages. It is IRQ
 * safe, because buffers come back in interrupts. copy_lock_of() a page is held
 * while its contents are copied, and outside of store->lock. A taker waits for
 * it, so no copy is under way in a window that is taken. Units are pages.
 */
#include <linux/bitmap.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "kernel.h"
#include "store.h"

/* No page: the end of a hash chain. */
#define NO_PAGE		U32_MAX

/* Neighbouring pages share a lock, so a small window takes one. */
#define PAGES_A_LOCK	64

/* A period of admission ends when 1/ADMISSION_PERIODS of a store is replaced. */
#define ADMISSION_PERIODS	8

/* Copies are found often, or seldom, by this part of those replaced. */
#define FOUND_OFTEN	4
#define FOUND_SELDOM	16

/* At least one page of 1 << this many gets a copy. */
#define ADMIT_SHIFT_MAX	5

/* Most pages to take or give with interrupts off. */
#define PAGES_A_TURN	(64 * BITS_PER_LONG)

/* Held while the contents of a page are copied. */
static spinlock_t *copy_lock_of(struct contig_store *store, unsigned long page)
{
	return &store->copy_locks[page / PAGES_A_LOCK %
				  CONTIG_STORE_LOCKS];
}

static struct page *stored_at(const struct contig_store *store,
			      unsigned long page)
{
	return pfn_to_page(store->start_pfn + page);
}

static u32 *stored_chain(const struct contig_store *store,
			 const struct address_space *mapping, pgoff_t index)
{
	unsigned long key = (unsigned long)mapping ^
			    hash_long(index, BITS_PER_LONG);

	return &store->chains[hash_long(key, store->hash_bits)];
}

/* Return: the link to the page that was filled from this one, or NULL. */
static u32 *stored_link(const struct contig_store *store,
			const struct address_space *mapping, pgoff_t index)
{
	u32 *link = stored_chain(store, mapping, index);

	lockdep_assert_held(&store->lock);
	while (*link != NO_PAGE) {
		const struct stored_page *stored = &store->pages[*link];

		if (stored->mapping == mapping && stored->index == index)
			return link;
		link = &store->next[*link];
	}
	return NULL;
}

static void stored_unlink(struct contig_store *store, u32 *link)
{
	u32 page = *link;

	*link = store->next[page];
	store->pages[page].mapping = NULL;
}

static void stored_set_empty(struct contig_store *store, unsigned long page)
{
	__clear_bit(page, store->full);
	store->stats.nr_full--;
	__set_bit(page, store->empty);
	store->nr_empty++;
}

/* A page that was taken has no bit, and keeps none. */
static void stored_forget(struct contig_store *store,
			  const struct address_space *mapping, pgoff_t index)
{
	u32 *link;

	while ((link = stored_link(store, mapping, index))) {
		u32 page = *link;

		stored_unlink(store, link);
		if (test_bit(page, store->full))
			stored_set_empty(store, page);
	}
}

/**
 * contig_store_forget() - forget the copy of a page of a file
 * @store:	the store
 * @mapping:	the file
 * @index:	its page
 *
 * Context: Any.
 */
void contig_store_forget(struct contig_store *store,
			 const struct address_space *mapping, pgoff_t index)
{
	unsigned long flags;

	spin_lock_irqsave(&store->lock, flags);
	stored_forget(store, mapping, index);
	spin_unlock_irqrestore(&store->lock, flags);
}

/* Return: the first bit that is set at or after @from, or before; @nr if none. */
static unsigned long find_bit_around(const unsigned long *map, unsigned long nr,
				     unsigned long from)
{
	unsigned long bit = find_next_bit(map, nr, from);

	return bit < nr ? bit : find_first_bit(map, nr);
}

/*
 * Copies that are replaced before they are found cost time for nothing. If that
 * is the fate of nearly all, fewer pages get one. These last longer, so some of
 * a set of files that is larger than the store are found again.
 */
static void adapt_admission(struct contig_store *store)
{
	unsigned long nr_replaced = ++store->period_replaced;
	unsigned long nr_found = store->stats.nr_found - store->period_found;

	lockdep_assert_held(&store->lock);
	if (nr_replaced < store->nr_pages / ADMISSION_PERIODS)
		return;
	if (nr_found * FOUND_OFTEN >= nr_replaced)
		store->admit_shift -= store->admit_shift > 0;
	else if (nr_found * FOUND_SELDOM < nr_replaced)
		store->admit_shift += store->admit_shift < ADMIT_SHIFT_MAX;
	store->period_replaced = 0;
	store->period_found = store->stats.nr_found;
}

/* Whether a page gets a copy in place of another one's. */
static bool stored_admits(struct contig_store *store, bool comes_back)
{
	unsigned int one_in = store->admit_one_in ?: 1 << store->admit_shift;

	return comes_back || !(store->nr_offered++ % one_in);
}

/*
 * Choose a page for a copy: an empty one, or else the next to be replaced.
 * Return: @nr_pages if there is none.
 */
static unsigned long stored_choose(struct contig_store *store, bool comes_back)
{
	unsigned long page = store->nr_pages;

	lockdep_assert_held(&store->lock);
	if (store->nr_empty && store->stats.nr_full < store->max_pages) {
		page = find_bit_around(store->empty, store->nr_pages,
				       store->next_empty);
		store->next_empty = page + 1;
	} else if (store->stats.nr_full && stored_admits(store, comes_back)) {
		page = find_bit_around(store->full, store->nr_pages,
				       store->next_full);
		store->next_full = page + 1;
		adapt_admission(store);
	}
	return page;
}

/*
 * A program may still refer to a page of a buffer that its driver released, see
 * cma_first_in_use().
 */
static bool stored_is_usable(const struct page *page)
{
	return page_ref_count(page) == 1 && !PageHWPoison(page);
}

/* Return: false if the page was taken, or got a copy, since it was chosen. */
static bool stored_link_page(struct contig_store *store, unsigned long page,
			     struct address_space *mapping, pgoff_t index)
{
	struct stored_page *stored = &store->pages[page];
	u32 *chain = stored_chain(store, mapping, index);

	lockdep_assert_held(&store->lock);
	if (test_bit(page, store->empty)) {
		__clear_bit(page, store->empty);
		store->nr_empty--;
		__set_bit(page, store->full);
		store->stats.nr_full++;
	} else if (test_bit(page, store->full)) {
		store->stats.nr_replaced++;
	} else {
		return false;
	}
	if (stored->mapping)
		stored_unlink(store, stored_link(store, stored->mapping,
						 stored->index));
	stored->mapping = mapping;
	stored->index = index;
	store->next[page] = *chain;
	*chain = page;
	store->stats.nr_added++;
	return true;
}

/**
 * contig_store_put() - copy a page of the page cache into a store
 * @store:	the store
 * @mapping:	the file
 * @index:	its page
 * @source:	the page, clean and up to date; the caller has locked its folio
 * @comes_back:	reclaim takes it to be used again
 *
 * The store forgets the copy that it had of this page of the file, in any case.
 *
 * Context: Process; does not sleep.
 * Return: true; false if the store has no page for it.
 */
bool contig_store_put(struct contig_store *store,
		      struct address_space *mapping, pgoff_t index,
		      struct page *source, bool comes_back)
{
	unsigned long flags, page;
	bool linked = false;

	spin_lock_irqsave(&store->lock, flags);
	stored_forget(store, mapping, index);
	page = stored_choose(store, comes_back);
	spin_unlock_irqrestore(&store->lock, flags);
	if (page == store->nr_pages ||
	    !stored_is_usable(stored_at(store, page)))
		goto refuse;

	spin_lock(copy_lock_of(store, page));
	spin_lock_irqsave(&store->lock, flags);
	linked = stored_link_page(store, page, mapping, index);
	spin_unlock_irqrestore(&store->lock, flags);
	if (linked)
		copy_highpage(stored_at(store, page), source);
	spin_unlock(copy_lock_of(store, page));
	if (linked)
		return true;
refuse:
	spin_lock_irqsave(&store->lock, flags);
	store->stats.nr_refused++;
	spin_unlock_irqrestore(&store->lock, flags);
	return false;
}

/* Return: the page with this copy; @nr_pages if there is none. */
static unsigned long stored_page_of(struct contig_store *store,
				    const struct address_space *mapping,
				    pgoff_t index)
{
	unsigned long flags, page = store->nr_pages;
	u32 *link;

	spin_lock_irqsave(&store->lock, flags);
	link = stored_link(store, mapping, index);
	if (link && test_bit(*link, store->full))
		page = *link;
	spin_unlock_irqrestore(&store->lock, flags);
	return page;
}

/*
 * Take a copy out of the store. The page is empty from now on, but nobody
 * writes to it while the caller holds its copy lock. Return: false if the page
 * does not have that copy any more.
 */
static bool stored_take_out(struct contig_store *store, unsigned long page,
			    const struct address_space *mapping, pgoff_t index)
{
	unsigned long flags;
	bool found;
	u32 *link;

	lockdep_assert_held(copy_lock_of(store, page));
	spin_lock_irqsave(&store->lock, flags);
	link = stored_link(store, mapping, index);
	found = link && *link == page && test_bit(page, store->full);
	if (found) {
		stored_unlink(store, link);
		stored_set_empty(store, page);
		store->stats.nr_found++;
	}
	spin_unlock_irqrestore(&store->lock, flags);
	return found;
}

/**
 * contig_store_get() - fill a page of the page cache from its copy
 * @store:	the store
 * @mapping:	the file
 * @index:	its page
 * @target:	the page, whose folio was just added to the page cache; the
 *		caller has locked it
 *
 * The copy is gone then: the next eviction makes another.
 *
 * Context: Process; does not sleep.
 * Return: true; false if the store has no copy.
 */
bool contig_store_get(struct contig_store *store,
		      const struct address_space *mapping, pgoff_t index,
		      struct page *target)
{
	unsigned long page = stored_page_of(store, mapping, index);
	bool found;

	if (page == store->nr_pages)
		return false;
	spin_lock(copy_lock_of(store, page));
	found = stored_take_out(store, page, mapping, index) &&
		!PageHWPoison(stored_at(store, page));
	if (found)
		copy_highpage(target, stored_at(store, page));
	spin_unlock(copy_lock_of(store, page));
	return found;
}

/* The bits of word @word of a bitmap that lie in [@first, @end). */
static unsigned long word_part(unsigned long word, unsigned long first,
			       unsigned long end)
{
	unsigned long mask = ~0UL;

	if (word == BIT_WORD(first))
		mask &= BITMAP_FIRST_WORD_MASK(first);
	if (word == BIT_WORD(end - 1))
		mask &= BITMAP_LAST_WORD_MASK(end);
	return mask;
}

/* Clear bits [@first, @end) of a bitmap. Return: how many were set. */
static unsigned long clear_bits(unsigned long *map, unsigned long first,
				unsigned long end)
{
	unsigned long nr = 0, word, mask;

	for (word = BIT_WORD(first); word <= BIT_WORD(end - 1); word++) {
		mask = word_part(word, first, end);
		nr += hweight_long(map[word] & mask);
		map[word] &= ~mask;
	}
	return nr;
}

/**
 * contig_store_take() - take pages out of a store, and forget their copies
 * @store:	the store
 * @start_pfn:	first page
 * @nr_pages:	how many
 *
 * Context: Process; does not sleep. Nobody copies from or to these pages when
 * it returns.
 */
void contig_store_take(struct contig_store *store, unsigned long start_pfn,
		       unsigned long nr_pages)
{
	unsigned long first = start_pfn - store->start_pfn;
	unsigned long end = first + nr_pages, page = first, flags, nr_full;
	unsigned int nr_locks = 0;

	while (page < end) {
		unsigned long stop = min(end, page + PAGES_A_TURN);

		spin_lock_irqsave(&store->lock, flags);
		store->nr_empty -= clear_bits(store->empty, page, stop);
		nr_full = clear_bits(store->full, page, stop);
		store->stats.nr_full -= nr_full;
		store->stats.nr_forgotten += nr_full;
		spin_unlock_irqrestore(&store->lock, flags);
		page = stop;
	}

	/* Wait for copies under way. */
	for (page = first; page < end && nr_locks < CONTIG_STORE_LOCKS;
	     page = ALIGN_DOWN(page, PAGES_A_LOCK) + PAGES_A_LOCK) {
		spin_lock(copy_lock_of(store, page));
		spin_unlock(copy_lock_of(store, page));
		nr_locks++;
	}
}

/* Make pages [@first, @end) empty that are not full. */
static void set_empty_bits(struct contig_store *store, unsigned long first,
			   unsigned long end)
{
	unsigned long word, mask;

	for (word = BIT_WORD(first); word <= BIT_WORD(end - 1); word++) {
		mask = word_part(word, first, end) &
		       ~(store->empty[word] | store->full[word]);
		store->empty[word] |= mask;
		store->nr_empty += hweight_long(mask);
	}
}

/**
 * contig_store_give() - give pages to a store
 * @store:	the store
 * @start_pfn:	first page; nothing happens to pages that the store has already
 * @nr_pages:	how many
 *
 * Context: Any but NMI.
 */
void contig_store_give(struct contig_store *store, unsigned long start_pfn,
		       unsigned long nr_pages)
{
	unsigned long page = start_pfn - store->start_pfn;
	unsigned long end = page + nr_pages, flags;

	while (page < end) {
		unsigned long stop = min(end, page + PAGES_A_TURN);

		spin_lock_irqsave(&store->lock, flags);
		set_empty_bits(store, page, stop);
		spin_unlock_irqrestore(&store->lock, flags);
		page = stop;
	}
}

/**
 * contig_store_knows() - check whether a store has a copy of a page of a file
 * @store:	the store
 * @mapping:	the file
 * @index:	its page
 *
 * Context: Any.
 * Return: true if it had one a moment ago.
 */
bool contig_store_knows(struct contig_store *store,
			const struct address_space *mapping, pgoff_t index)
{
	return stored_page_of(store, mapping, index) < store->nr_pages;
}

/**
 * contig_store_has() - check whether a page has a copy
 * @store:	the store
 * @pfn:	one of its pages
 *
 * Context: Any.
 * Return: true if it had one a moment ago.
 */
bool contig_store_has(struct contig_store *store, unsigned long pfn)
{
	return test_bit(pfn - store->start_pfn, store->full);
}

/**
 * contig_store_set_max() - limit the copies of a store
 * @store:	the store
 * @nr_pages:	most copies; those above are forgotten
 *
 * Context: Process; does not sleep.
 */
void contig_store_set_max(struct contig_store *store, unsigned long nr_pages)
{
	unsigned long flags, page;

	spin_lock_irqsave(&store->lock, flags);
	store->max_pages = nr_pages;
	while (store->stats.nr_full > nr_pages) {
		page = find_bit_around(store->full, store->nr_pages,
				       store->next_full);
		store->next_full = page + 1;
		stored_set_empty(store, page);
		if (!(store->stats.nr_full % BITS_PER_LONG)) {
			spin_unlock_irqrestore(&store->lock, flags);
			spin_lock_irqsave(&store->lock, flags);
		}
	}
	spin_unlock_irqrestore(&store->lock, flags);
}

/**
 * contig_store_set_admission() - how many pages get a copy in place of others
 * @store:	the store
 * @one_in:	one of so many; 0 for a number that follows from how many copies
 *		are found
 *
 * Context: Any.
 */
void contig_store_set_admission(struct contig_store *store, unsigned int one_in)
{
	WRITE_ONCE(store->admit_one_in, one_in);
}

/**
 * contig_store_read_stats() - what a store has and did
 * @store:	the store
 * @stats:	set to it
 *
 * Context: Any.
 */
void contig_store_read_stats(struct contig_store *store,
			     struct contig_store_stats *stats)
{
	unsigned long flags;

	spin_lock_irqsave(&store->lock, flags);
	*stats = store->stats;
	spin_unlock_irqrestore(&store->lock, flags);
}

/**
 * contig_store_free() - free what contig_store_new() allocated
 * @store:	the store, which is not open; may be NULL
 *
 * Context: May sleep.
 */
void contig_store_free(struct contig_store *store)
{
	if (!store)
		return;
	kvfree(store->pages);
	kvfree(store->next);
	kvfree(store->chains);
	kvfree(store->full);
	kvfree(store->empty);
	kfree(store);
}

static bool allocate_store_tables(struct contig_store *store)
{
	unsigned long nr_words = BITS_TO_LONGS(store->nr_pages);
	unsigned long nr_chains = 1UL << store->hash_bits;

	store->empty = kvcalloc(nr_words, sizeof(long), GFP_KERNEL);
	store->full = kvcalloc(nr_words, sizeof(long), GFP_KERNEL);
	store->chains = kvcalloc(nr_chains, sizeof(*store->chains), GFP_KERNEL);
	store->next = kvcalloc(store->nr_pages, sizeof(*store->next),
			       GFP_KERNEL);
	store->pages = kvcalloc(store->nr_pages, sizeof(*store->pages),
				GFP_KERNEL);
	if (!store->empty || !store->full || !store->chains || !store->next ||
	    !store->pages)
		return false;
	for (unsigned long i = 0; i < nr_chains; i++)
		store->chains[i] = NO_PAGE;
	return true;
}

/**
 * contig_store_new() - make a store of pages in a row
 * @start_pfn:	first page
 * @nr_pages:	how many
 *
 * All pages are taken at first. The caller gives those that the store may use.
 *
 * Context: May sleep.
 * Return: the store, or NULL if there is no memory for it.
 */
struct contig_store *contig_store_new(unsigned long start_pfn,
				      unsigned long nr_pages)
{
	struct contig_store *store;

	if (nr_pages >= NO_PAGE)
		return NULL;
	store = kzalloc(sizeof(*store), GFP_KERNEL);
	if (!store)
		return NULL;
	spin_lock_init(&store->lock);
	for (unsigned int i = 0; i < CONTIG_STORE_LOCKS; i++)
		spin_lock_init(&store->copy_locks[i]);
	store->start_pfn = start_pfn;
	store->nr_pages = nr_pages;
	store->max_pages = nr_pages;
	store->hash_bits = max(ilog2(nr_pages), 2) - 1;
	if (allocate_store_tables(store))
		return store;
	contig_store_free(store);
	return NULL;
}
