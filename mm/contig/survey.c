// SPDX-License-Identifier: GPL-2.0
/*
 * Prices a window: what lies in it, and what rules it out.
 *
 * Takes no lock and no reference, and isolates nothing. So each answer is a
 * guess that may be wrong a moment later: good enough to choose between
 * windows, and to avoid pages that are held.
 *
 * The unit of a price is the cost of dropping a page of cold cache. Measured
 * under -icount (make bench), in thousands of instructions: 0.6 to drop a page,
 * 3.2 to move one of a program's data, 2.4 to move one of a file, which then
 * has to be mapped again. A look at a page takes some 50 instructions.
 *
 * Units are pages; ranges are [start, end).
 */
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/page-flags.h>

#include "kernel.h"
#include "contig.h"
#include "describe.h"
#include "folio.h"

#define PRICE_DROP	1
#define PRICE_COPY	3	/* not mapped */
#define PRICE_MOVE	6
#define PRICE_WRITE	12	/* dirty: its buffers are locked, too */
#define PRICE_WAIT	40	/* I/O under way */

/*
 * A folio as it looks without a reference. It may become the tail of another
 * one meanwhile, and debug kernels warn when the accessors of folios are used
 * on a tail. So plain fields are read.
 */
struct view {
	unsigned long flags;
	unsigned long mapping;
	bool is_large;
	int refs;
	int maps;
	long nr_pages;
};

static struct view survey_view(const struct page *page)
{
	const struct folio *folio = page_folio(page);
	struct view view = {
		.flags	 = READ_ONCE(contig_flags_of(folio)),
		.mapping = (unsigned long)READ_ONCE(folio->mapping),
		.refs	 = folio_ref_count(folio),
		.maps	 = contig_guess_maps(folio),
		.nr_pages = 1,
	};

	view.is_large = view.flags & BIT(PG_head);
	if (view.is_large)
		view.nr_pages = 1L << (READ_ONCE(folio->_flags_1) & 0xff);
	return view;
}

/*
 * References that migration expects: mappings, caches, private data. A page on
 * an LRU list with more references than that cannot be migrated now.
 */
static int accounted_refs(const struct view *view)
{
	const unsigned long swapped = BIT(PG_swapcache) | BIT(PG_swapbacked);
	bool is_file = view->mapping && !(view->mapping & FOLIO_MAPPING_FLAGS);
	int refs = view->maps;

	if (is_file || (view->flags & swapped) == swapped)
		refs += view->nr_pages;
	if (is_file && view->flags & BIT(PG_private))
		refs++;
	return refs;
}

/**
 * contig_foreign_refs() - references that migration does not expect
 * @page:	a page; no reference is needed
 *
 * Context: Any.
 * Return: how many there seem to be, the caller's among them.
 */
int contig_foreign_refs(const struct page *page)
{
	struct view view = survey_view(page);

	return view.refs - accounted_refs(&view);
}

static unsigned int survey_price(const struct view *view)
{
	if (view->flags & (BIT(PG_writeback) | BIT(PG_locked)))
		return PRICE_WAIT;
	if (view->flags & BIT(PG_dirty) && !(view->flags & BIT(PG_swapbacked)))
		return PRICE_WRITE;
	if (!view->maps && !contig_is_warm(view->flags) &&
	    contig_fields_are_clean(view->flags, view->mapping, 0))
		return PRICE_DROP;
	return PRICE_MOVE;
}

/*
 * For pages that are not plain ones on an LRU list. A page that is on no list
 * may be in a per-CPU batch, which has a reference, and can be drained.
 */
static enum contig_block_reason survey_look_closer(const struct page *page,
						   unsigned int *price)
{
	struct view view = survey_view(page);
	int refs = view.refs - accounted_refs(&view);

	*price = survey_price(&view);
	if (PageHuge(page) || page_has_movable_ops(page))
		return CONTIG_BLOCK_NONE;
	if (view.flags & BIT(PG_lru))
		return refs > 0 ? CONTIG_BLOCK_REFERENCED : CONTIG_BLOCK_NONE;
	*price = PRICE_WRITE;
	return refs > 1 ? CONTIG_BLOCK_OFF_LRU : CONTIG_BLOCK_NONE;
}

/* For most pages a look at flags and counters is enough. */
static enum contig_block_reason survey_look_at(const struct page *page,
					       unsigned int *price)
{
	const unsigned long slow = BIT(PG_locked) | BIT(PG_writeback) |
				   BIT(PG_dirty) | BIT(PG_private);
	const unsigned long swapped = BIT(PG_swapcache) | BIT(PG_swapbacked);
	const unsigned long flags = READ_ONCE(contig_flags_of(page));
	unsigned long mapping;
	int refs, maps;

	*price = 0;
	if (flags & __PG_HWPOISON)
		return CONTIG_BLOCK_POISONED;
	if (PageTail(page) || flags & BIT(PG_head))
		return survey_look_closer(page, price);
	refs = page_ref_count(page);
	if (!refs)
		return CONTIG_BLOCK_NONE;
	mapping = (unsigned long)READ_ONCE(page->mapping);
	if (!(flags & BIT(PG_lru)) ||
	    (flags & slow && !(mapping & FOLIO_MAPPING_ANON)))
		return survey_look_closer(page, price);

	maps = atomic_read(&page->_mapcount) + 1;
	refs -= maps;
	if (mapping & FOLIO_MAPPING_ANON ? (flags & swapped) == swapped :
					  mapping)
		refs--;
	if (maps || !contig_fields_are_clean(flags, mapping, 0))
		*price = PRICE_MOVE;
	else
		*price = contig_is_warm(flags) ? PRICE_COPY : PRICE_DROP;
	return refs > 0 ? CONTIG_BLOCK_REFERENCED : CONTIG_BLOCK_NONE;
}

/*
 * A page that rules a window out mostly stays longer than a request takes. So
 * the last one that was seen in each stretch of pages is looked at first. The
 * table only says where to look: an entry may be stale, or be that of another
 * stretch. No lock.
 */
#define HINT_ORDER	6
#define NR_HINTS	1024

static unsigned long hints[NR_HINTS];	/* pfns */

static unsigned long *survey_hint(unsigned long pfn)
{
	return &hints[(pfn >> HINT_ORDER) % NR_HINTS];
}

/* Return: true if a page that ruled out a window before is still in the way. */
static bool survey_hint_rules_out(unsigned long start_pfn,
				  unsigned long end_pfn,
				  struct contig_survey *survey)
{
	unsigned long pfn = end_pfn;
	enum contig_block_reason reason;
	unsigned long hint;
	unsigned int price;

	while (pfn > start_pfn) {
		pfn = ALIGN_DOWN(pfn - 1, 1UL << HINT_ORDER);
		hint = READ_ONCE(*survey_hint(pfn));
		if (hint < start_pfn || hint >= end_pfn)
			continue;
		survey->nr_looked++;
		reason = survey_look_at(pfn_to_page(hint), &price);
		if (reason == CONTIG_BLOCK_NONE)
			continue;
		contig_blocker_note(&survey->blocker, pfn_to_page(hint),
				    reason);
		return true;
	}
	return false;
}

/**
 * contig_survey_window() - look at a window
 * @start_pfn:	first page
 * @end_pfn:	first page behind, in the same zone
 * @survey:	result
 *
 * Goes from the end to the start and stops at the first page that will not
 * move: no window that contains it is worth a look, so the next one starts
 * behind it.
 *
 * Context: Any.
 */
void contig_survey_window(unsigned long start_pfn, unsigned long end_pfn,
			  struct contig_survey *survey)
{
	*survey = (struct contig_survey) { };
	if (contig_blocker_recall(start_pfn, end_pfn, &survey->blocker) ||
	    survey_hint_rules_out(start_pfn, end_pfn, survey))
		return;

	for (unsigned long pfn = end_pfn; pfn-- > start_pfn; ) {
		const struct page *page = pfn_to_page(pfn);
		enum contig_block_reason reason;
		unsigned int price;

		survey->nr_looked++;
		reason = survey_look_at(page, &price);
		if (reason != CONTIG_BLOCK_NONE) {
			contig_blocker_note(&survey->blocker, page, reason);
			WRITE_ONCE(*survey_hint(pfn), pfn);
			return;
		}
		survey->price += price;
	}
}

#ifdef CONFIG_CMA
static void count_content(struct contig_contents *contents, unsigned int price)
{
	contents->price += price;
	switch (price) {
	case 0:
		contents->nr_free++;
		break;
	case PRICE_DROP:
		contents->nr_cold++;
		break;
	case PRICE_COPY:
		contents->nr_warm++;
		break;
	case PRICE_WRITE:
		contents->nr_dirty++;
		break;
	case PRICE_WAIT:
		contents->nr_busy++;
		break;
	default:
		contents->nr_other++;
	}
}

/**
 * contig_survey_contents() - count the pages of a window by what they need
 * @start_pfn:	first page
 * @end_pfn:	first page behind, in the same zone
 * @contents:	result, zeroed by the caller
 *
 * For an event, so it looks at every page, and takes as long as that takes.
 *
 * Context: Any.
 */
void contig_survey_contents(unsigned long start_pfn, unsigned long end_pfn,
			    struct contig_contents *contents)
{
	for (unsigned long pfn = start_pfn; pfn < end_pfn; pfn++) {
		unsigned int price;

		if (survey_look_at(pfn_to_page(pfn), &price) ==
		    CONTIG_BLOCK_NONE)
			count_content(contents, price);
		else
			contents->nr_stuck++;
	}
}
#endif
