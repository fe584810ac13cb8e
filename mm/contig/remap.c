// SPDX-License-Identifier: GPL-2.0
/*
 * Moves what programs map: anonymous pages, in the swap cache or not, and pages
 * of files.
 *
 * To take a page out of the page tables and to enter its copy is the kernel's
 * business, and two thirds of what a page costs. The rest is done once for many
 * here: references are counted before anything is touched, copies are added to
 * the LRU lists under one lock, and what was moved goes back to the page
 * allocator by the run, not page by page.
 *
 * Everything is unmapped first, so that TLBs are flushed once for all of it.
 * Nothing is waited for. What does not go this way stays in the batch as it
 * was, for migrate_pages() to try, which also knows the pages that are left out
 * here: large and locked ones, those that KSM shares or that a program may lose
 * (MADV_FREE), and those with private data.
 *
 * Locks: the pages; then those of who maps them, or of the file or the swap
 * cache, or of an LRU list, for a moment.
 */
#include <linux/memcontrol.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/page_owner.h>
#include <linux/rmap.h>
#include <linux/vmstat.h>

#include "../internal.h"
#include "contig.h"
#include "folio.h"

/* Copied at a time; and what is on the stack for them. */
#define RUN_PAGES_MAX	32

/* Of a page that is in a batch: the batch's. */
#define BATCH_REFS	1

/**
 * struct move - a page that nobody maps at the moment
 * @folio:	the page
 * @copy:	where it goes
 * @anon_vma:	who mapped it; NULL for a page of a file, or if nobody did
 */
struct move {
	struct folio *folio;
	struct folio *copy;
	struct anon_vma *anon_vma;
};

/*
 * A page of its own that only page tables, a cache and the batch refer to. A
 * guess unless the folio is locked.
 */
static bool is_plainly_mapped(const struct folio *folio)
{
	const unsigned long swapped = BIT(PG_swapcache) | BIT(PG_swapbacked);
	const unsigned long flags = READ_ONCE(folio->flags);
	const unsigned long must_not =
		BIT(PG_writeback) | BIT(PG_unevictable) | BIT(PG_head) |
		BIT(PG_mlocked) | BIT(PG_private) | BIT(PG_private_2) |
		__PG_HWPOISON;
	const unsigned long mapping = (unsigned long)READ_ONCE(folio->mapping);
	const int nr_maps = atomic_read(&folio->_mapcount) + 1;
	int cache_refs;

	if (flags & must_not)
		return false;
	if ((mapping & PAGE_MAPPING_FLAGS) == PAGE_MAPPING_ANON) {
		if (!(flags & BIT(PG_swapbacked)))
			return false;
		cache_refs = (flags & swapped) == swapped;
	} else if (mapping && !(mapping & PAGE_MAPPING_FLAGS) && nr_maps) {
		cache_refs = 1;
	} else {
		return false;
	}
	return nr_maps + cache_refs && folio_ref_count(folio) ==
				       BATCH_REFS + nr_maps + cache_refs;
}

/**
 * contig_remap_count() - how many pages of a batch may be moved like this
 * @batch:	isolated folios
 *
 * Context: Any.
 * Return: a guess.
 */
unsigned int contig_remap_count(const struct list_head *batch)
{
	const struct folio *folio;
	unsigned int nr = 0;

	list_for_each_entry(folio, batch, lru)
		nr += is_plainly_mapped(folio);
	return nr;
}

/* Into the page tables again, where it was; or its copy. */
static void restore_mappings(struct folio *folio, struct folio *now,
			     struct anon_vma *anon_vma)
{
	if (anon_vma || !folio_test_anon(folio))
		remove_migration_ptes(folio, now, 0);
	if (anon_vma)
		put_anon_vma(anon_vma);
}

/* Its file, or the swap cache, lets it be moved. */
static bool mapping_has_mover(struct folio *folio)
{
	struct address_space *mapping = folio_mapping(folio);

	return !mapping || (!mapping_inaccessible(mapping) &&
			    READ_ONCE(mapping->a_ops)->migrate_folio);
}

/*
 * Locked and unmapped, a page is found by nobody. Who maps it is remembered, as
 * an anon_vma may go with the last page that is mapped.
 */
static bool unmap_to_remap(struct folio *folio, struct anon_vma **anon_vma)
{
	if (!folio_trylock(folio))
		return false;
	if (!is_plainly_mapped(folio) || !mapping_has_mover(folio)) {
		folio_unlock(folio);
		return false;
	}
	*anon_vma = folio_test_anon(folio) ? folio_get_anon_vma(folio) : NULL;
	if (folio_mapped(folio) && (*anon_vma || !folio_test_anon(folio)))
		try_to_migrate(folio, TTU_BATCH_FLUSH);
	if (!folio_mapped(folio))
		return true;
	restore_mappings(folio, folio, *anon_vma);
	folio_unlock(folio);
	return false;
}

/* As far as there are @targets. From the end: that is by address. */
static void unmap_batch_to_remap(struct list_head *batch, struct list_head *targets,
				 struct list_head *unmapped, struct list_head *copies)
{
	struct folio *folio, *next;
	struct anon_vma *anon_vma;

	list_for_each_entry_safe_reverse(folio, next, batch, lru) {
		struct folio *copy;

		copy = contig_target_get(targets);
		if (!copy)
			break;
		if (!unmap_to_remap(folio, &anon_vma)) {
			folio_unlock(copy);
			list_add(&copy->lru, targets);
			continue;
		}
		list_move_tail(&folio->lru, unmapped);
		copy->private = anon_vma;
		list_add_tail(&copy->lru, copies);
	}
}

/* A locked page stays in its file, but the file may change its operations. */
static int copy_mapped_page(const struct move *move)
{
	struct address_space *mapping = folio_mapping(move->folio);
	const struct address_space_operations *ops;

	if (contig_should_fail(CONTIG_FAIL_COPY))
		return -EAGAIN;
	if (!mapping)
		return migrate_folio(NULL, move->copy, move->folio,
				     MIGRATE_ASYNC);
	ops = READ_ONCE(mapping->a_ops);
	return ops->migrate_folio ?
	       ops->migrate_folio(mapping, move->copy, move->folio,
				  MIGRATE_ASYNC) : -EOPNOTSUPP;
}

static void undo_remap(struct zone *zone, const struct move *move,
		       struct list_head *batch, struct list_head *targets)
{
	restore_mappings(move->folio, move->folio, move->anon_vma);
	folio_unlock(move->folio);
	list_add(&move->folio->lru, batch);

	folio_unlock(move->copy);
	contig_target_keep(zone, move->copy, targets);
}

/* Return: how many there are copies of now, with all that is known of them. */
static unsigned int copy_run(struct zone *zone, struct move *moves,
			     struct list_head *unmapped,
			     struct list_head *copies, struct list_head *batch,
			     struct list_head *targets)
{
	unsigned int nr = 0;

	while (nr < RUN_PAGES_MAX && !list_empty(unmapped)) {
		struct move *move = &moves[nr];

		move->folio = list_first_entry(unmapped, struct folio, lru);
		move->copy = list_first_entry(copies, struct folio, lru);
		list_del(&move->folio->lru);
		list_del(&move->copy->lru);
		move->anon_vma = move->copy->private;
		move->copy->private = NULL;
		if (!copy_mapped_page(move)) {
			/* Whoever waits for the lock sees that it is gone. */
			if (!folio_test_anon(move->folio))
				move->folio->mapping = NULL;
			flush_dcache_folio(move->copy);
			nr++;
		} else {
			undo_remap(zone, move, batch, targets);
		}
	}
	return nr;
}

/* On its list first: only then is an mlock() counted rightly. */
static void add_copy_to_lru(const struct move *moves, unsigned int nr)
{
	struct lruvec *lruvec = NULL;

	for (unsigned int i = 0; i < nr; i++) {
		struct folio *copy = moves[i].copy;

		VM_WARN_ON_ONCE_FOLIO(folio_zone(copy) !=
				      folio_zone(moves[i].folio), copy);
		lruvec = folio_lruvec_relock_irq(copy, lruvec);
		folio_set_lru(copy);
		lruvec_add_folio(lruvec, copy);
	}
	if (lruvec)
		unlock_page_lruvec_irq(lruvec);
}

static void map_moved_copies(const struct move *moves, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		const struct move *move = &moves[i];

		restore_mappings(move->folio, move->copy, move->anon_vma);
		set_page_owner_migrate_reason(&move->copy->page,
					      MR_CONTIG_RANGE);
		contig_folio_unlock_put(move->copy);
	}
}

/*
 * Nobody else refers to the page, and there is nothing special about it: it may
 * be freed together with others.
 */
static bool freeze_unmapped(struct folio *folio)
{
	if (folio_test_mlocked(folio) || folio_test_hwpoison(folio) ||
	    !folio_ref_freeze(folio, BATCH_REFS))
		return false;
	folio->mapping = NULL;
	return true;
}

static void free_moved_folios(struct zone *zone, const struct move *moves,
			      unsigned int nr)
{
	unsigned long start_pfn = 0, end_pfn = 0;
	unsigned int nr_file = 0;

	for (unsigned int i = 0; i < nr; i++) {
		struct folio *folio = moves[i].folio;
		unsigned long pfn = folio_pfn(folio);

		nr_file += folio_is_file_lru(folio);
		folio_unlock(folio);
		if (!freeze_unmapped(folio)) {
			folio_put(folio);
			continue;
		}
		if (pfn != end_pfn) {
			contig_buddy_free_range(zone, start_pfn, end_pfn);
			start_pfn = pfn;
		}
		end_pfn = pfn + 1;
	}
	contig_buddy_free_range(zone, start_pfn, end_pfn);
	mod_node_page_state(zone->zone_pgdat, NR_ISOLATED_FILE, -(long)nr_file);
	mod_node_page_state(zone->zone_pgdat, NR_ISOLATED_ANON,
			    -(long)(nr - nr_file));
}

/**
 * contig_remap() - move the pages of a batch that programs map
 * @zone:	the zone of all the pages
 * @batch:	folios that were isolated from their LRU lists, the last one by
 *		address first; those that do not move stay
 * @targets:	pages of the same zone to move them to; those that are left stay
 *		there
 *
 * Context: May sleep, but waits for no I/O and no page.
 * Return: number of pages that were moved.
 */
unsigned int contig_remap(struct zone *zone, struct list_head *batch,
			  struct list_head *targets)
{
	struct move moves[RUN_PAGES_MAX];
	unsigned int nr, nr_moved = 0;
	LIST_HEAD(unmapped);
	LIST_HEAD(copies);

	unmap_batch_to_remap(batch, targets, &unmapped, &copies);
	try_to_unmap_flush();
	while (!list_empty(&unmapped)) {
		nr = copy_run(zone, moves, &unmapped, &copies, batch, targets);
		add_copy_to_lru(moves, nr);
		map_moved_copies(moves, nr);
		free_moved_folios(zone, moves, nr);
		nr_moved += nr;
		cond_resched();
	}
	count_vm_events(PGMIGRATE_SUCCESS, nr_moved);
	return nr_moved;
}
