// SPDX-License-Identifier: GPL-2.0
/*
 * Moves clean pages of files: cache that is too warm to be dropped, and program
 * text.
 *
 * Such a page has nothing attached: moving it takes a copy and a new entry in
 * its file. Locks are taken once for a run of pages that are neighbours in
 * memory, as in drop.c: i_pages to change the entries, the lruvec's to put the
 * copies in their place. The copy is made before that, under the folio's lock
 * only, so that interrupts are on.
 *
 * Mappings of a page are removed. A program that needs the page again finds the
 * copy in the file. That is cheaper than mapping the copies: one fault maps
 * those around it, too (fault_around_bytes), and unneeded ones cost nothing.
 *
 * Pages that do not go this way stay, for remap.c and migrate_pages() to try.
 *
 * Locks, in this order: folios, then those of who maps them; mapping->i_pages;
 * then the lruvec. Units are pages; ranges are [start, end).
 */
#include <linux/buffer_head.h>
#include <linux/fs.h>
#include <linux/memcontrol.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/vmstat.h>

#include "kernel.h"
#include "contig.h"
#include "folio.h"

/* Pages that are locked at a time; bounds the stack that a run takes. */
#define RUN_PAGES_MAX	32

/* References of a page of the run: the page cache's and ours. */
#define REFS		2

/**
 * struct run - neighbouring pages of one file, and their copies
 * @mapping:	their file
 * @start_pfn:	the first page
 * @nr:		number of pages
 * @moved:	a bit for each page that its copy has replaced
 * @copies:	the copies, each with one reference
 */
struct run {
	struct address_space *mapping;
	unsigned long start_pfn;
	unsigned int nr;
	DECLARE_BITMAP(moved, RUN_PAGES_MAX);
	struct folio *copies[RUN_PAGES_MAX];
};

static struct folio *copy_run_folio(const struct run *run, unsigned int i)
{
	return contig_folio_at(run->start_pfn + i);
}

/* A clean page of a file, without references of others. */
static bool is_clean_to_copy(unsigned long pfn)
{
	return !PageTail(pfn_to_page(pfn)) &&
	       contig_is_clean_unheld(contig_folio_at(pfn), 0,
				      BIT(PG_locked) | BIT(PG_private));
}

/*
 * For file systems with these operations, or with none (read-only ones), a page
 * without private data is no more than its contents, flags and place in the
 * file.
 */
static bool needs_copy_only(struct address_space *mapping)
{
	typeof(mapping->a_ops->migrate_folio) migrate =
		mapping->a_ops->migrate_folio;

	if (!migrate)
		return !mapping_release_always(mapping) &&
		       !mapping_inaccessible(mapping);
	return migrate == filemap_migrate_folio || migrate == migrate_folio ||
	       (IS_ENABLED(CONFIG_BUFFER_HEAD) &&
		migrate == buffer_migrate_folio);
}

/*
 * A locked and unmapped folio stays in its file, and its contents do not
 * change.
 */
static bool lock_clean_folio(struct folio *folio,
			     const struct address_space *of)
{
	if (!contig_folio_get_lock(folio))
		return false;
	if (contig_is_clean_unheld(folio, 1, BIT(PG_private)) &&
	    folio_test_uptodate(folio) && (!of || folio->mapping == of) &&
	    needs_copy_only(folio->mapping) && contig_unmap_text(folio))
		return true;
	contig_folio_unlock_put(folio);
	return false;
}

/* Locks the pages of a run and copies them, as far as there are @targets. */
static void copy_clean_run(struct run *run, unsigned long end_pfn,
			   struct list_head *targets)
{
	while (run->nr < RUN_PAGES_MAX && run->start_pfn + run->nr < end_pfn) {
		struct folio *folio = copy_run_folio(run, run->nr), *copy;

		if (list_empty(targets) ||
		    !is_clean_to_copy(folio_pfn(folio)) ||
		    !lock_clean_folio(folio, run->mapping))
			break;
		copy = contig_target_get(targets);
		if (!copy || folio_mc_copy(copy, folio)) {
			try_to_unmap_flush();
			contig_folio_unlock_put(folio);
			if (copy)
				contig_folio_unlock_put(copy);
			break;
		}
		run->mapping = folio->mapping;
		run->copies[run->nr++] = copy;
	}
}

/*
 * With its references frozen, an unmapped clean page stays so, and on its list.
 */
static bool freeze_clean_folio(struct folio *folio)
{
	if (contig_should_fail(CONTIG_FAIL_COPY) ||
	    !folio_ref_freeze(folio, REFS))
		return false;
	if (contig_is_clean_cache(folio, BIT(PG_private)))
		return true;
	folio_ref_unfreeze(folio, REFS);
	return false;
}

static void replace_in_file(struct run *run)
{
	XA_STATE(xas, &run->mapping->i_pages, 0);

	xas_lock_irq(&xas);
	for (unsigned int i = 0; i < run->nr; i++) {
		struct folio *folio = copy_run_folio(run, i);
		struct folio *copy = run->copies[i];

		if (contig_load_entry(&xas, folio->index) != folio ||
		    !freeze_clean_folio(folio))
			continue;
		copy->index = folio->index;
		copy->mapping = run->mapping;
		folio_ref_inc(copy);
		xas_store(&xas, copy);
		__set_bit(i, run->moved);
	}
	xas_unlock_irq(&xas);
}

/*
 * A copy has the zone, the memory cgroup and the flags of its page, so it takes
 * the page's place on the list. With generations it may be of another one, and
 * goes to the list of that.
 */
static void replace_on_lru(struct run *run)
{
	struct lruvec *lruvec = NULL;
	unsigned int i;

	for_each_set_bit(i, run->moved, run->nr) {
		struct folio *folio = copy_run_folio(run, i);
		struct folio *copy = run->copies[i];
		bool has_generation;

		VM_WARN_ON_ONCE_FOLIO(folio_zone(copy) != folio_zone(folio),
				      copy);
		lruvec = folio_lruvec_relock_irq(folio, lruvec);
		has_generation = contig_flags_of(folio) & LRU_GEN_MASK;
		if (has_generation) {
			lruvec_del_folio(lruvec, folio);
		} else {
			contig_count_lru(folio, folio_lru_list(folio), -1);
			contig_count_lru(copy, folio_lru_list(folio), 1);
		}
		__folio_clear_lru(folio);
		folio_migrate_flags(copy, folio);
		if (has_generation)
			lruvec_add_folio(lruvec, copy);
		else
			list_replace(&folio->lru, &copy->lru);
		folio_set_lru(copy);
	}
	if (lruvec)
		lruvec_unlock_irq(lruvec);
}

/* Frees the pages that were moved. Return: how many. */
static unsigned int finish_copy_run(struct run *run, struct zone *zone,
				    struct list_head *targets)
{
	unsigned int begin, end, nr_moved = 0;

	for (unsigned int i = 0; i < run->nr; i++) {
		struct folio *folio = copy_run_folio(run, i);
		struct folio *copy = run->copies[i];

		if (test_bit(i, run->moved)) {
			folio->mapping = NULL;
			folio_unlock(folio);
			flush_dcache_folio(copy);
			contig_folio_unlock_put(copy);
		} else {
			contig_folio_unlock_put(folio);
			folio_unlock(copy);
			contig_target_keep(zone, copy, targets);
		}
	}
	for_each_set_bitrange(begin, end, run->moved, run->nr) {
		contig_buddy_free_range(zone, run->start_pfn + begin,
					run->start_pfn + end);
		nr_moved += end - begin;
	}
	return nr_moved;
}

/**
 * contig_copy_count() - how many pages of a range can be moved by a copy
 * @start_pfn:	first page
 * @end_pfn:	first page behind
 *
 * Context: Any.
 * Return: a guess.
 */
unsigned int contig_copy_count(unsigned long start_pfn, unsigned long end_pfn)
{
	unsigned int nr = 0;

	for (unsigned long pfn = start_pfn; pfn < end_pfn; pfn++)
		nr += is_clean_to_copy(pfn);
	return nr;
}

/**
 * contig_copy_cache() - move the pages of a range that are clean cache
 * @zone:	the zone of all the pages
 * @start_pfn:	first page, in an isolated pageblock like all the others
 * @end_pfn:	first page behind
 * @targets:	pages of the same zone to move them to; unused ones stay there
 *
 * Waits for no I/O and no page: pages that are locked or in use stay.
 *
 * Context: May sleep.
 * Return: number of pages that became free.
 */
unsigned long contig_copy_cache(struct zone *zone, unsigned long start_pfn,
				unsigned long end_pfn,
				struct list_head *targets)
{
	unsigned long pfn = start_pfn, nr_moved = 0;

	while (pfn < end_pfn && !list_empty(targets)) {
		struct run run = { .start_pfn = pfn };

		if (is_clean_to_copy(pfn))
			copy_clean_run(&run, end_pfn, targets);
		if (run.nr) {
			try_to_unmap_flush();
			replace_in_file(&run);
			replace_on_lru(&run);
			nr_moved += finish_copy_run(&run, zone, targets);
			cond_resched();
		}
		pfn += run.nr ?: 1;
	}
	count_vm_events(PGMIGRATE_SUCCESS, nr_moved);
	return nr_moved;
}
