// SPDX-License-Identifier: GPL-2.0
/*
 * Moves pages that programs map: anonymous pages, in the swap cache or not, and
 * pages of files.
 *
 * replace.c moves most of them first. For the others, taking a page out of the
 * page tables and entering its copy is left to the kernel's rmap. The rest is
 * done for many pages at once: references are counted before a page is touched,
 * copies are added to the LRU lists under one lock, and moved pages are freed
 * by the run.
 *
 * All these pages are unmapped first, so that TLBs are flushed once. Nothing is
 * waited for. A page that does not go this way stays in the batch, for
 * migrate_pages(), which also moves the pages that contig_is_plainly_mapped()
 * leaves out.
 *
 * Locks: the folios; then, for a moment, those of rmap, of the file or the swap
 * cache, or of an LRU list.
 */
#include <linux/memcontrol.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/page_owner.h>
#include <linux/rmap.h>
#include <linux/vmstat.h>

#include "kernel.h"
#include "contig.h"
#include "folio.h"

/* Pages that are copied at a time; bounds the stack that they take. */
#define RUN_PAGES_MAX	32

/**
 * contig_remap_count() - how many pages of a batch contig_remap() can move
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
		nr += contig_is_plainly_mapped(folio, CONTIG_BATCH_REFS);
	return nr;
}

/* Replace migration entries of @folio by mappings of @now. */
static void restore_mappings(struct folio *folio, struct folio *now,
			     struct anon_vma *anon_vma)
{
	if (anon_vma || !folio_test_anon(folio))
		remove_migration_ptes(folio, now, 0);
	if (anon_vma)
		put_anon_vma(anon_vma);
}

/* The file of a page, or the swap cache, must support migration. */
static bool mapping_has_mover(struct folio *folio)
{
	struct address_space *mapping = folio_mapping(folio);

	return !mapping || (!mapping_inaccessible(mapping) &&
			    READ_ONCE(mapping->a_ops)->migrate_folio);
}

/*
 * A locked and unmapped page cannot be reached. Its anon_vma is pinned, because
 * that may be freed with the last mapping.
 */
static bool unmap_to_remap(struct folio *folio, struct anon_vma **anon_vma)
{
	if (!folio_trylock(folio))
		return false;
	if (!contig_is_plainly_mapped(folio, CONTIG_BATCH_REFS) ||
	    !mapping_has_mover(folio)) {
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

/*
 * As far as there are @targets. From the end of the batch: lowest address
 * first.
 */
static void unmap_batch_to_remap(struct list_head *batch,
				 struct list_head *targets,
				 struct list_head *unmapped,
				 struct list_head *copies)
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

static void undo_remap(struct zone *zone, const struct contig_move *move,
		       struct list_head *batch, struct list_head *targets)
{
	restore_mappings(move->folio, move->folio, move->anon_vma);
	folio_unlock(move->folio);
	list_add(&move->folio->lru, batch);

	folio_unlock(move->copy);
	contig_target_keep(zone, move->copy, targets);
}

/* Copies up to %RUN_PAGES_MAX pages. Return: how many, described by @moves. */
static unsigned int copy_mapped_run(struct zone *zone, struct contig_move *moves,
				    struct list_head *unmapped,
				    struct list_head *copies,
				    struct list_head *batch,
				    struct list_head *targets)
{
	unsigned int nr = 0;

	while (nr < RUN_PAGES_MAX && !list_empty(unmapped)) {
		struct contig_move *move = &moves[nr];

		move->folio = list_first_entry(unmapped, struct folio, lru);
		move->copy = list_first_entry(copies, struct folio, lru);
		list_del(&move->folio->lru);
		list_del(&move->copy->lru);
		move->anon_vma = move->copy->private;
		move->copy->private = NULL;
		if (!contig_move_copy(move)) {
			/* Waiters for the lock see that the page is gone. */
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

static void map_moved_copies(const struct contig_move *moves, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		const struct contig_move *move = &moves[i];

		restore_mappings(move->folio, move->copy, move->anon_vma);
		folio_set_owner_migrate_reason(move->copy, MR_CONTIG_RANGE);
		contig_folio_unlock_put(move->copy);
	}
}

/**
 * contig_remap() - move the pages of a batch that programs map
 * @zone:	the zone of all the pages
 * @batch:	folios that were isolated from their LRU lists, the last one by
 *		address first; those that do not move stay
 * @targets:	pages of the same zone to move them to; unused ones stay there
 *
 * Context: May sleep, but waits for no I/O and no page.
 * Return: number of pages that were moved.
 */
unsigned int contig_remap(struct zone *zone, struct list_head *batch,
			  struct list_head *targets)
{
	struct contig_move moves[RUN_PAGES_MAX];
	unsigned int nr, nr_moved;
	LIST_HEAD(unmapped);
	LIST_HEAD(copies);

	nr_moved = contig_replace(zone, batch, targets);
	unmap_batch_to_remap(batch, targets, &unmapped, &copies);
	try_to_unmap_flush();
	while (!list_empty(&unmapped)) {
		nr = copy_mapped_run(zone, moves, &unmapped, &copies, batch,
				     targets);
		contig_moves_add_to_lru(moves, nr);
		map_moved_copies(moves, nr);
		contig_moves_free(zone, moves, nr);
		nr_moved += nr;
		cond_resched();
	}
	count_vm_events(PGMIGRATE_SUCCESS, nr_moved);
	return nr_moved;
}
