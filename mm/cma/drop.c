// SPDX-License-Identifier: GPL-2.0
/*
 * Drops cold cache: clean pages of files that nobody maps.
 *
 * A page that is not worth a copy costs little more than the locks around its
 * removal, so those are taken once for many. Pages that lie next to each other
 * in memory mostly do so in a file too, for that is how they were read: what
 * comes one after the other and is of one mapping is removed from it under one
 * hold of its lock, and from the LRU list under one of that.
 *
 * The pages become free in runs, given back in the largest blocks; their
 * pageblocks are isolated by the caller, so nobody else gets them.
 *
 * Locks, in this order: folio, mapping->host->i_lock, mapping->i_pages; then
 * the lruvec. Units are pages; ranges are [start, end).
 */
#include <linux/fs.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>
#include <linux/vmstat.h>

#include "../internal.h"
#include "internal.h"

/* Of a page in the page cache that nobody uses: the cache's, and ours. */
#define COLD_REFS	2

/**
 * struct drop - cold cache on its way out
 * @zone:	of all the pages
 * @mapping:	whose pages are in @batch
 * @batch:	locked folios, each with a reference of ours
 * @run_start:	pages from here to @run_end are nobody's and not yet free
 * @run_end:	first page behind
 * @nr_dropped:	pages
 */
struct drop {
	struct zone *zone;
	struct address_space *mapping;
	struct folio_batch batch;
	unsigned long run_start;
	unsigned long run_end;
	unsigned long nr_dropped;
};

static void end_run(struct drop *drop)
{
	if (drop->run_start == drop->run_end)
		return;
	count_vm_events(PGFREE, drop->run_end - drop->run_start);
	buddy_give_range(drop->zone, drop->run_start, drop->run_end);
	drop->run_start = drop->run_end;
}

/* Nobody has a reference, no list has the page: it goes to the others. */
static void add_to_run(struct drop *drop, struct folio *folio)
{
	unsigned long pfn = folio_pfn(folio);

	drop->nr_dropped++;
	/* Pages found bad stay off the lists, as everywhere. */
	if (unlikely(!free_pages_prepare(&folio->page, 0)))
		return;
	if (pfn != drop->run_end) {
		end_run(drop);
		drop->run_start = pfn;
	}
	drop->run_end = pfn + 1;
}

/*
 * From here on nobody finds the page. With its references frozen nobody can
 * get hold of it either, so what is clean now stays so; see __remove_mapping()
 * for why the references come first.
 */
static bool freeze_clean(struct folio *folio)
{
	if (!folio_ref_freeze(folio, COLD_REFS))
		return false;
	if (likely(!folio_test_dirty(folio) && folio_test_lru(folio)))
		return true;
	folio_ref_unfreeze(folio, COLD_REFS);
	return false;
}

/* Leaves in the batch what is frozen and out of the mapping. */
static void remove_from_mapping(struct drop *drop)
{
	struct address_space *mapping = drop->mapping;
	void (*free_folio)(struct folio *folio) = mapping->a_ops->free_folio;
	struct folio_batch *batch = &drop->batch;
	struct folio_batch busy;
	unsigned int nr = 0;

	folio_batch_init(&busy);
	spin_lock(&mapping->host->i_lock);
	xa_lock_irq(&mapping->i_pages);
	for (unsigned int i = 0; i < folio_batch_count(batch); i++) {
		struct folio *folio = batch->folios[i];

		if (freeze_clean(folio)) {
			__filemap_remove_folio(folio, NULL);
			batch->folios[nr++] = folio;
		} else {
			folio_batch_add(&busy, folio);
		}
	}
	xa_unlock_irq(&mapping->i_pages);
	if (mapping_shrinkable(mapping))
		inode_add_lru(mapping->host);
	spin_unlock(&mapping->host->i_lock);
	batch->nr = nr;

	/* With its last page gone the inode may be gone, and the mapping. */
	drop->mapping = NULL;
	for (unsigned int i = 0; i < nr && free_folio; i++)
		free_folio(batch->folios[i]);
	for (unsigned int i = 0; i < folio_batch_count(&busy); i++)
		folio_unlock(busy.folios[i]);
	if (folio_batch_count(&busy))
		folios_put(&busy);
}

static void remove_from_lru(struct folio_batch *batch)
{
	struct lruvec *lruvec = NULL;

	for (unsigned int i = 0; i < folio_batch_count(batch); i++) {
		struct folio *folio = batch->folios[i];

		lruvec = folio_lruvec_relock_irq(folio, lruvec);
		lruvec_del_folio(lruvec, folio);
		__folio_clear_lru_flags(folio);
	}
	if (lruvec)
		unlock_page_lruvec_irq(lruvec);
}

static void end_batch(struct drop *drop)
{
	struct folio_batch *batch = &drop->batch;

	if (!folio_batch_count(batch))
		return;
	remove_from_mapping(drop);
	remove_from_lru(batch);
	mem_cgroup_uncharge_folios(batch);
	for (unsigned int i = 0; i < folio_batch_count(batch); i++) {
		folio_unlock(batch->folios[i]);
		add_to_run(drop, batch->folios[i]);
	}
	folio_batch_reinit(batch);
}

/* Adds a page to the batch if it is cold cache, and can be released at once. */
static void add_page(struct drop *drop, struct page *page)
{
	struct folio *folio = (struct folio *)page;

	if (PageTail(page) || !cma_cold_cache(folio) || !folio_try_get(folio))
		return;
	/* Locked, a folio stays what it is, and in its mapping. */
	if (!folio_trylock(folio))
		goto put;
	if (folio_test_large(folio) || !folio->mapping ||
	    folio->mapping != folio_mapping(folio) ||
	    folio_test_swapbacked(folio) || folio_mapped(folio) ||
	    folio_test_dirty(folio) || folio_test_writeback(folio))
		goto unlock;
	if (folio_needs_release(folio) && !filemap_release_folio(folio, 0))
		goto unlock;

	if (drop->mapping != folio->mapping)
		end_batch(drop);
	drop->mapping = folio->mapping;
	if (!folio_batch_add(&drop->batch, folio))
		end_batch(drop);
	return;

unlock:
	folio_unlock(folio);
put:
	folio_put(folio);
}

/**
 * drop_cold_cache() - free the pages of a range that are cold cache
 * @zone:	the zone of all the pages
 * @start_pfn:	first page, in an isolated pageblock like all the others
 * @end_pfn:	first page behind
 *
 * Waits for nothing: what is locked or in use stays.
 *
 * Context: May sleep.
 * Return: number of pages that became free.
 */
unsigned long drop_cold_cache(struct zone *zone, unsigned long start_pfn,
			      unsigned long end_pfn)
{
	struct drop drop = { .zone = zone };

	folio_batch_init(&drop.batch);
	for (unsigned long pfn = start_pfn; pfn < end_pfn; pfn++)
		add_page(&drop, pfn_to_page(pfn));
	end_batch(&drop);
	end_run(&drop);
	return drop.nr_dropped;
}
