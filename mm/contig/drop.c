// SPDX-License-Identifier: GPL-2.0
/*
 * Drops cold cache, and takes cold text out of the page tables for that.
 *
 * Dropping a page costs little more than the locks around its removal and the
 * search for its place in the file. So this works on runs: neighbours in memory
 * mostly are neighbours in the file, because they were read together. A run
 * leaves the mapping under one hold of its lock and one walk of its tree,
 * leaves the LRU list under one hold of the lruvec's lock, and is freed in the
 * largest blocks.
 *
 * The first page of a run is locked, which keeps the mapping alive until its
 * lock is held. The other pages need no lock and no reference of ours: a page
 * that is in the mapping while i_pages is locked, with no reference but the
 * page cache's, can be removed.
 *
 * Cold text is unmapped by the run, too: no page of a run is unlocked before
 * all are unmapped and TLBs are flushed once. Until the flush an unmapped page
 * can still be reached.
 *
 * Locks, in this order: folio, mapping->host->i_lock, mapping->i_pages; then
 * the lruvec. Units are pages; ranges are [start, end).
 */
#include <linux/dax.h>
#include <linux/fs.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/page_idle.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/shmem_fs.h>
#include <linux/swap.h>
#include <trace/events/filemap.h>

#include "kernel.h"
#include "contig.h"
#include "folio.h"

/* Interrupts are off while a run is removed, some 300 instructions a page. */
#define RUN_PAGES_MAX	128

/* Pages of text that are locked at a time. */
#define UNMAP_PAGES_MAX	128

static inline bool is_cold_at(unsigned long pfn)
{
	return !PageTail(pfn_to_page(pfn)) &&
	       contig_is_cold_cache(contig_folio_at(pfn));
}

/*
 * Only the first page of a run is released by its file system. A file system
 * with AS_RELEASE_ALWAYS has to be asked for each page.
 */
static bool joins_cold_run(const struct address_space *mapping,
			   unsigned long pfn)
{
	struct folio *folio = contig_folio_at(pfn);

	return is_cold_at(pfn) && folio->mapping == mapping &&
	       !folio_test_private(folio) && !mapping_release_always(mapping);
}

/*
 * With MGLRU, reclaim moves folios in use to a younger generation and clears
 * PG_workingset, so the flag alone does not make a folio cold.
 */
static bool is_young_folio(struct folio *folio)
{
#ifdef CONFIG_LRU_GEN
	int gen = folio_lru_gen(folio);
	unsigned long min_seq;

	if (gen < 0)
		return false;
	/* Against a memory cgroup that dies, and gives its folios away. */
	rcu_read_lock();
	min_seq = READ_ONCE(folio_lruvec(folio)->lrugen.min_seq[LRU_GEN_FILE]);
	rcu_read_unlock();
	return gen != lru_gen_from_seq(min_seq);
#else
	return false;
#endif
}

/*
 * With its references frozen, a clean and unlocked page stays so, and on its
 * list. See __remove_mapping() for why references are frozen before the flags
 * are read.
 */
static bool freeze_cold_folio(struct folio *folio, int refs, bool locked)
{
	bool cold;

	if (!folio_ref_freeze(folio, refs))
		return false;
	if (locked)
		cold = contig_is_clean_cache(folio, 0) &&
		       !contig_is_warm(READ_ONCE(contig_flags_of(folio)));
	else
		cold = contig_is_cold_cache(folio);
	if (cold && !is_young_folio(folio))
		return true;
	folio_ref_unfreeze(folio, refs);
	return false;
}

/*
 * Removes the run of cold pages that starts at @pfn, with a locked folio, from
 * its mapping. Return: the first page behind it.
 */
static unsigned long remove_cold_run(struct address_space *mapping,
				     unsigned long pfn, unsigned long end_pfn)
{
	struct folio *first = contig_folio_at(pfn);
	unsigned long run = pfn;
	XA_STATE(xas, &mapping->i_pages, first->index);

	mapping_set_update(&xas, mapping);
	spin_lock(&mapping->host->i_lock);
	xas_lock_irq(&xas);
	for (; pfn < end_pfn; pfn++) {
		struct folio *folio = contig_folio_at(pfn);
		bool is_first = folio == first;
		void *entry;

		if (!is_first && !joins_cold_run(mapping, pfn))
			break;
		entry = contig_load_entry(&xas, folio->index);
		/* The first page has a reference of ours. */
		if (entry != folio ||
		    !freeze_cold_folio(folio, 1 + is_first, is_first))
			break;
		trace_mm_filemap_delete_from_page_cache(folio);
		xas_store(&xas, NULL);
		folio->mapping = NULL;
	}
	mapping->nrpages -= pfn - run;
	xas_unlock_irq(&xas);
	if (mapping_shrinkable(mapping))
		inode_lru_list_add(mapping->host);
	spin_unlock(&mapping->host->i_lock);
	return pfn;
}

/*
 * Nearly all pages of a run are on the inactive list: update its counter once.
 * With generations, pages of a run may be on different lists; while MGLRU is
 * switched on or off, on either kind.
 */
static unsigned long remove_run_from_lruvec(struct lruvec *lruvec,
					    unsigned long pfn,
					    unsigned long end_pfn)
{
	struct folio *folio = contig_folio_at(pfn);
	long nr_pages = 0;

	do {
		if (contig_flags_of(folio) & (LRU_GEN_MASK | BIT(PG_active))) {
			lruvec_del_folio(lruvec, folio);
		} else {
			list_del(&folio->lru);
			nr_pages++;
		}
		__folio_clear_lru_flags(folio);
		folio = contig_folio_at(++pfn);
	} while (pfn < end_pfn && folio_matches_lruvec(folio, lruvec));

	if (nr_pages) {
		folio = contig_folio_at(pfn - 1);
		update_lru_size(lruvec, LRU_INACTIVE_FILE,
				folio_zonenum(folio), -nr_pages);
		contig_count_lru_pages(folio, LRU_INACTIVE_FILE, -nr_pages);
	}
	return pfn;
}

static void remove_run_from_lru(unsigned long pfn, unsigned long end_pfn)
{
	struct lruvec *lruvec = NULL;
	unsigned long run = pfn;

	while (pfn < end_pfn) {
		lruvec = folio_lruvec_relock_irq(contig_folio_at(pfn), lruvec);
		pfn = remove_run_from_lruvec(lruvec, pfn, end_pfn);
		mod_lruvec_state(lruvec, NR_FILE_PAGES, run - pfn);
		run = pfn;
	}
	if (lruvec)
		lruvec_unlock_irq(lruvec);
}

/* Locks a folio that is cold cache, or becomes so without waiting. */
static bool lock_first_of_run(struct folio *folio)
{
	if (!contig_folio_get_lock(folio))
		return false;
	/* A locked folio stays as it is, and in its mapping. */
	if (folio_test_large(folio) || !folio->mapping ||
	    folio->mapping != folio_mapping(folio) ||
	    folio_test_swapbacked(folio) || folio_mapped(folio) ||
	    (folio_needs_release(folio) && !filemap_release_folio(folio, 0))) {
		contig_folio_unlock_put(folio);
		return false;
	}
	return true;
}

/* Return: the first page behind those that became free; @pfn if none did. */
static unsigned long drop_cold_run(struct zone *zone, unsigned long pfn,
				   unsigned long end_pfn)
{
	void (*free_folio)(struct folio *folio);
	struct folio *first = contig_folio_at(pfn);
	unsigned long stop;

	if (!lock_first_of_run(first))
		return pfn;

	/*
	 * The inode may be freed with its last page, and the mapping with it.
	 */
	free_folio = first->mapping->a_ops->free_folio;
	stop = remove_cold_run(first->mapping, pfn, end_pfn);
	folio_unlock(first);
	if (stop == pfn) {
		folio_put(first);
		return pfn;
	}

	remove_run_from_lru(pfn, stop);
	for (unsigned long i = pfn; i < stop; i++) {
		if (free_folio)
			free_folio(contig_folio_at(i));
		mem_cgroup_uncharge(contig_folio_at(i));
	}
	contig_buddy_free_range(zone, pfn, stop);
	return stop;
}

/**
 * contig_drop_cold_cache() - free the pages of a range that are cold cache
 * @zone:	the zone of all the pages
 * @start_pfn:	first page, in an isolated pageblock like all the others
 * @end_pfn:	first page behind
 *
 * Waits for nothing: pages that are locked or in use stay.
 *
 * Context: May sleep.
 * Return: number of pages that became free.
 */
unsigned long contig_drop_cold_cache(struct zone *zone, unsigned long start_pfn,
				     unsigned long end_pfn)
{
	unsigned long pfn = start_pfn, nr_dropped = 0, stop;

	while (pfn < end_pfn) {
		if (!is_cold_at(pfn)) {
			pfn++;
			continue;
		}
		stop = drop_cold_run(zone, pfn,
				     min(end_pfn, pfn + RUN_PAGES_MAX));
		nr_dropped += stop - pfn;
		pfn = max(stop, pfn + 1);
	}
	return nr_dropped;
}

static bool is_cold_text_at(unsigned long pfn)
{
	return !PageTail(pfn_to_page(pfn)) &&
	       contig_is_cold_text(contig_folio_at(pfn), 0, BIT(PG_locked));
}

/**
 * contig_unmap_text() - remove all mappings of a page of a file
 * @folio:	the page, locked
 *
 * After success the caller has to call try_to_unmap_flush() before it unlocks
 * the page.
 *
 * Context: May sleep.
 * Return: true if no mapping is left, and the page is clean.
 */
bool contig_unmap_text(struct folio *folio)
{
	if (!folio_mapped(folio))
		return true;
	/* The accessed bits are lost with the page table entries. */
	folio_clear_idle(folio);
	try_to_unmap(folio, TTU_BATCH_FLUSH);
	if (!folio_mapped(folio) && !folio_test_dirty(folio))
		return true;
	try_to_unmap_flush();
	return false;
}

/* Return: true if the page is locked and unmapped now. */
static bool unmap_locked_text(struct folio *folio)
{
	if (!contig_folio_get_lock(folio))
		return false;
	if (contig_is_cold_text(folio, 1, 0) && contig_unmap_text(folio))
		return true;
	contig_folio_unlock_put(folio);
	return false;
}

static void unmap_text_run(unsigned long start_pfn, unsigned int nr_pages)
{
	DECLARE_BITMAP(locked, UNMAP_PAGES_MAX) = { };
	unsigned int i;

	for (i = 0; i < nr_pages; i++)
		if (is_cold_text_at(start_pfn + i) &&
		    unmap_locked_text(contig_folio_at(start_pfn + i)))
			__set_bit(i, locked);
	try_to_unmap_flush();
	for_each_set_bit(i, locked, nr_pages)
		contig_folio_unlock_put(contig_folio_at(start_pfn + i));
}

/**
 * contig_unmap_cold_text() - remove all mappings of the cold text in a range
 * @start_pfn:	first page
 * @end_pfn:	first page behind
 *
 * Waits for no I/O and no page: pages that are locked or in use stay. A page
 * that is used again before it is dropped is mapped again.
 *
 * Context: May sleep.
 */
void contig_unmap_cold_text(unsigned long start_pfn, unsigned long end_pfn)
{
	unsigned long pfn = start_pfn;

	while (pfn < end_pfn) {
		unsigned int nr = min(end_pfn - pfn, UNMAP_PAGES_MAX);

		unmap_text_run(pfn, nr);
		pfn += nr;
		cond_resched();
	}
}
