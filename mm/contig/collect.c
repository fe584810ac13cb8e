// SPDX-License-Identifier: GPL-2.0
/*
 * Takes runs of pages off their LRU lists, to be moved.
 *
 * No lock of our own; takes the locks of the LRU lists. Context: may sleep.
 */
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>

#include "kernel.h"
#include "contig.h"
#include "folio.h"

/**
 * contig_collect_run() - isolate neighbours together
 * @zone:	of the pages
 * @pfn:	first page
 * @end_pfn:	first page behind
 * @batch:	where to add the pages
 *
 * Ends at the first page that is none of its own on an LRU list, and after
 * %CONTIG_RUN_PAGES.
 *
 * Context: Any that may take the lock of an LRU list.
 * Return: the pfn to go on with.
 */
unsigned long contig_collect_run(const struct zone *zone, unsigned long pfn,
				 unsigned long end_pfn,
				 struct contig_batch *batch)
{
	struct folio *run[CONTIG_RUN_PAGES];
	struct lruvec *lruvec = NULL;
	unsigned int nr = 0, nr_file = 0;

	for (; nr < CONTIG_RUN_PAGES && pfn < end_pfn; pfn++) {
		struct folio *folio = contig_folio_at(pfn);

		if (!contig_is_plain(&folio->page) || !folio_try_get(folio))
			break;
		if (!folio_test_clear_lru(folio)) {
			folio_put(folio);
			break;
		}
		/* The page was freed and became part of a large folio. */
		if (unlikely(folio_test_large(folio))) {
			folio_set_lru(folio);
			folio_put(folio);
			break;
		}
		run[nr++] = folio;
	}
	for (unsigned int i = 0; i < nr; i++) {
		lruvec = folio_lruvec_relock_irq(run[i], lruvec);
		lruvec_del_folio(lruvec, run[i]);
	}
	if (lruvec)
		lruvec_unlock_irq(lruvec);
	for (unsigned int i = 0; i < nr; i++) {
		list_add(&run[i]->lru, &batch->folios);
		nr_file += folio_is_file_lru(run[i]);
	}
	mod_node_page_state(zone->zone_pgdat, NR_ISOLATED_FILE, nr_file);
	mod_node_page_state(zone->zone_pgdat, NR_ISOLATED_ANON, nr - nr_file);
	batch->nr_pages += nr;
	batch->has_file |= nr_file;
	batch->has_anon |= nr > nr_file;
	return pfn;
}
