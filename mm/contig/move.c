// SPDX-License-Identifier: GPL-2.0
/*
 * The steps of moving a page that replace.c and remap.c share: copy, add the
 * copies to the LRU lists under one lock, free the pages by the run.
 *
 * Locks: the folios, which the caller has locked; then, for a moment, those of
 * the file or the swap cache, of an LRU list, or zone->lock.
 */
#include <linux/memcontrol.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/pagemap.h>
#include <linux/vmstat.h>

#include "kernel.h"
#include "contig.h"
#include "folio.h"

/**
 * contig_move_copy() - copy a page and what the kernel knows of it
 * @move:	the page, which is locked and not mapped, and its copy
 *
 * Context: Any but interrupts, if the page is anonymous.
 * Return: 0; or an error if somebody holds the page.
 */
int contig_move_copy(const struct contig_move *move)
{
	struct address_space *mapping = folio_mapping(move->folio);
	const struct address_space_operations *ops;

	if (contig_should_fail(CONTIG_FAIL_COPY))
		return -EAGAIN;
	if (!mapping)
		return migrate_folio(NULL, move->copy, move->folio,
				     MIGRATE_ASYNC);
	/* A locked page stays in its file, but a_ops of the file may change. */
	ops = READ_ONCE(mapping->a_ops);
	return ops->migrate_folio ?
	       ops->migrate_folio(mapping, move->copy, move->folio,
				  MIGRATE_ASYNC) : -EOPNOTSUPP;
}

/**
 * contig_moves_add_to_lru() - add copies to their LRU lists
 * @moves:	the pages
 * @nr:		number of pages
 *
 * Before a copy is mapped: mlock() of it counts right only on its list.
 *
 * Context: Any but interrupts; takes locks of LRU lists.
 */
void contig_moves_add_to_lru(const struct contig_move *moves, unsigned int nr)
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
		lruvec_unlock_irq(lruvec);
}

/* Return: true if the page can be freed together with others. */
static bool freeze_unmapped(struct folio *folio)
{
	if (folio_test_mlocked(folio) || folio_test_hwpoison(folio) ||
	    !folio_ref_freeze(folio, CONTIG_BATCH_REFS))
		return false;
	folio->mapping = NULL;
	return true;
}

/**
 * contig_moves_free() - free pages that were moved
 * @zone:	their zone
 * @moves:	the pages, which are locked and not mapped
 * @nr:		number of pages
 *
 * Context: Process; takes zone->lock.
 */
void contig_moves_free(struct zone *zone, const struct contig_move *moves,
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
