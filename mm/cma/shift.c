// SPDX-License-Identifier: GPL-2.0
/*
 * Moves warm cache: clean pages of files that nobody maps, and that are read
 * too often to be dropped.
 *
 * They need no walk of anybody's page tables and have nothing attached, so all
 * there is to moving them is the copy and an entry in their file. What remains
 * are the locks, and those are taken once for a run of pages that lie next to
 * each other in memory, as drop.c does: i_pages to change the entries, that of
 * the LRU list to take the pages off it and once more to add the copies. The
 * copy itself is made under the lock of each page, before it is known whether
 * nobody else uses the page; so interrupts are not off for it.
 *
 * What does not go this way is left where it is, for migrate_pages() to try.
 *
 * Locks, in this order: folios, mapping->i_pages; then the lruvec. Units are
 * pages; ranges are [start, end).
 */
#include <linux/buffer_head.h>
#include <linux/fs.h>
#include <linux/memcontrol.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/pagemap.h>
#include <linux/vmstat.h>
#include <linux/xarray.h>

#include "../internal.h"
#include "internal.h"

/* Locked at a time; and what is on the stack for them. */
#define RUN_PAGES_MAX	32

/* The cache's and ours. */
#define REFS		2

/**
 * struct run - pages that lie next to each other, and their copies
 * @mapping:	the file of all of them
 * @start_pfn:	the first page
 * @nr:		how many
 * @moved:	bit for each that its copy stands for now
 * @copies:	where they go, each with one reference
 */
struct run {
	struct address_space *mapping;
	unsigned long start_pfn;
	unsigned int nr;
	DECLARE_BITMAP(moved, RUN_PAGES_MAX);
	struct folio *copies[RUN_PAGES_MAX];
};

static struct folio *page_of(const struct run *run, unsigned int i)
{
	return cma_folio_at(run->start_pfn + i);
}

static bool is_clean(unsigned long pfn)
{
	return !PageTail(pfn_to_page(pfn)) &&
	       cma_clean_cache(cma_folio_at(pfn), BIT(PG_locked) | BIT(PG_private));
}

/*
 * To these, a page without private data is its contents, its flags, and its
 * place in the file.
 */
static bool moves_by_copy(const struct address_space *mapping)
{
	typeof(mapping->a_ops->migrate_folio) migrate =
		mapping->a_ops->migrate_folio;

	return migrate && (migrate == filemap_migrate_folio ||
			   migrate == migrate_folio ||
			   (IS_ENABLED(CONFIG_BUFFER_HEAD) &&
			    migrate == buffer_migrate_folio));
}

/* Locked, a folio stays in its file, and its contents stay what they are. */
static bool lock_clean(struct folio *folio)
{
	if (!cma_folio_get_lock(folio))
		return false;
	if (cma_clean_cache(folio, BIT(PG_private)) &&
	    folio_test_uptodate(folio) && moves_by_copy(folio->mapping))
		return true;
	cma_folio_unlock_put(folio);
	return false;
}

/* Locks the pages of a run and copies them, as far as there are @targets. */
static void copy_run(struct run *run, unsigned long end_pfn,
		     struct list_head *targets)
{
	while (run->nr < RUN_PAGES_MAX && run->start_pfn + run->nr < end_pfn) {
		struct folio *folio = page_of(run, run->nr), *copy;

		copy = list_first_entry_or_null(targets, struct folio, lru);
		if (!copy || !is_clean(folio_pfn(folio)) || !lock_clean(folio))
			break;
		if ((run->nr && folio->mapping != run->mapping) ||
		    folio_mc_copy(copy, folio)) {
			cma_folio_unlock_put(folio);
			break;
		}
		list_del(&copy->lru);
		__folio_set_locked(copy);
		run->mapping = folio->mapping;
		run->copies[run->nr++] = copy;
	}
}

/*
 * With its references frozen nobody can get hold of a page: on its list, not
 * mapped and clean it stays.
 */
static bool freeze(struct folio *folio)
{
	if (!folio_ref_freeze(folio, REFS))
		return false;
	if (cma_clean_cache(folio, BIT(PG_private)))
		return true;
	folio_ref_unfreeze(folio, REFS);
	return false;
}

static void replace_in_file(struct run *run)
{
	XA_STATE(xas, &run->mapping->i_pages, 0);

	xas_lock_irq(&xas);
	for (unsigned int i = 0; i < run->nr; i++) {
		struct folio *folio = page_of(run, i), *copy = run->copies[i];

		xas_set(&xas, folio->index);
		if (xas_load(&xas) != folio || !freeze(folio))
			continue;
		copy->index = folio->index;
		copy->mapping = run->mapping;
		folio_ref_inc(copy);
		xas_store(&xas, copy);
		__set_bit(i, run->moved);
	}
	xas_unlock_irq(&xas);
}

static void replace_on_lru(struct run *run)
{
	struct lruvec *lruvec = NULL;
	unsigned int i;

	for_each_set_bit(i, run->moved, run->nr) {
		struct folio *folio = page_of(run, i);

		lruvec = folio_lruvec_relock_irq(folio, lruvec);
		lruvec_del_folio(lruvec, folio);
		__folio_clear_lru(folio);
	}
	if (lruvec)
		unlock_page_lruvec_irq(lruvec);

	for_each_set_bit(i, run->moved, run->nr)
		folio_migrate_flags(run->copies[i], page_of(run, i));

	lruvec = NULL;
	for_each_set_bit(i, run->moved, run->nr) {
		struct folio *copy = run->copies[i];

		lruvec = folio_lruvec_relock_irq(copy, lruvec);
		folio_set_lru(copy);
		lruvec_add_folio(lruvec, copy);
	}
	if (lruvec)
		unlock_page_lruvec_irq(lruvec);
}

/* Nobody refers to what was moved any more. Return: how many pages those are. */
static unsigned int finish_run(struct run *run, struct zone *zone,
			       struct list_head *targets)
{
	unsigned int begin, end, nr_moved = 0;

	for (unsigned int i = 0; i < run->nr; i++) {
		struct folio *folio = page_of(run, i), *copy = run->copies[i];

		if (test_bit(i, run->moved)) {
			folio->mapping = NULL;
			__folio_clear_locked(folio);
			cma_folio_unlock_put(copy);
		} else {
			cma_folio_unlock_put(folio);
			__folio_clear_locked(copy);
			cma_put_target(copy, targets);
		}
	}
	for_each_set_bitrange(begin, end, run->moved, run->nr) {
		buddy_free_range(zone, run->start_pfn + begin,
				 run->start_pfn + end);
		nr_moved += end - begin;
	}
	return nr_moved;
}

/**
 * shift_count() - how many pages of a range may be moved like this
 * @start_pfn:	first page
 * @end_pfn:	first page behind
 *
 * Context: Any.
 * Return: a guess.
 */
unsigned int shift_count(unsigned long start_pfn, unsigned long end_pfn)
{
	unsigned int nr = 0;

	for (unsigned long pfn = start_pfn; pfn < end_pfn; pfn++)
		nr += is_clean(pfn);
	return nr;
}

/**
 * shift_cache() - move the pages of a range that are clean cache
 * @zone:	the zone of all the pages
 * @start_pfn:	first page, in an isolated pageblock like all the others
 * @end_pfn:	first page behind
 * @targets:	pages of the same zone to move them to; those that are left stay
 *		there
 *
 * Waits for nothing: what is locked or in use stays.
 *
 * Context: May sleep.
 * Return: number of pages that became free.
 */
unsigned long shift_cache(struct zone *zone, unsigned long start_pfn,
			  unsigned long end_pfn, struct list_head *targets)
{
	unsigned long pfn = start_pfn, nr_moved = 0;

	while (pfn < end_pfn && !list_empty(targets)) {
		struct run run = { .start_pfn = pfn };

		if (is_clean(pfn))
			copy_run(&run, end_pfn, targets);
		if (run.nr) {
			replace_in_file(&run);
			replace_on_lru(&run);
			nr_moved += finish_run(&run, zone, targets);
			cond_resched();
		}
		pfn += run.nr ?: 1;
	}
	count_vm_events(PGMIGRATE_SUCCESS, nr_moved);
	return nr_moved;
}
