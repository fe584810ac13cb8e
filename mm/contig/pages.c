// SPDX-License-Identifier: GPL-2.0
/*
 * Looks for a range of pages outside of areas, wherever it lies.
 *
 * A window is looked at without a lock, so the answer may be old: the range
 * allocator decides. Units are pages; ranges are [start, end).
 */
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/sched.h>

#include "kernel.h"
#include "contig.h"

/**
 * struct contig_quest - what is looked for
 * @nr_pages:	size of the range
 * @gfp:	as for alloc_contig_range()
 * @frozen:	hand the pages out without references
 * @move_huge:	accept windows with huge pages of hugetlb
 * @saw_huge:	result: there was such a window
 */
struct contig_quest {
	unsigned long nr_pages;
	gfp_t gfp;
	bool frozen;
	bool move_huge;
	bool saw_huge;
};

/*
 * Moving huge pages that are smaller than the range makes room; moving one that
 * is not would only trade places with it. The folio may be freed meanwhile, so
 * its order may be anything.
 *
 * Return: the first page behind the huge page; @pfn if it rules the window out.
 */
static unsigned long skip_huge_page(struct contig_quest *quest,
				    unsigned long pfn)
{
	struct page *head = compound_head(pfn_to_page(pfn));
	unsigned int order = compound_order(head);

	if (order >= BITS_PER_LONG || quest->nr_pages <= 1UL << order)
		return pfn;
	quest->saw_huge = true;
	return quest->move_huge ? ALIGN(pfn + 1, 1UL << order) : pfn;
}

/* The first page of the window that rules it out, or a page behind it. */
static unsigned long first_unfit_page(struct contig_quest *quest,
				      const struct zone *zone,
				      unsigned long pfn, unsigned long end_pfn)
{
	while (pfn < end_pfn) {
		struct page *page = pfn_to_online_page(pfn);
		unsigned long next = pfn + 1;

		if (!page || page_zone(page) != zone || PageReserved(page) ||
		    is_migrate_cma_page(page))
			break;
		if (PageHuge(page))
			next = skip_huge_page(quest, pfn);
		if (next == pfn)
			break;
		pfn = next;
	}
	return pfn;
}

static struct page *alloc_contig_from_zone(struct contig_quest *quest,
					   struct zone *zone)
{
	unsigned long step = rounddown_pow_of_two(quest->nr_pages);
	unsigned long pfn = ALIGN(zone->zone_start_pfn, step);

	while (pfn + quest->nr_pages <= zone_end_pfn(zone)) {
		unsigned long end_pfn = pfn + quest->nr_pages;
		unsigned long unfit = first_unfit_page(quest, zone, pfn,
						       end_pfn);
		int error;

		cond_resched();
		if (unfit < end_pfn) {
			pfn = ALIGN(unfit + 1, step);
			continue;
		}
		error = contig_alloc_range(pfn, end_pfn, false, quest->gfp,
					   quest->frozen);
		if (!error)
			return pfn_to_page(pfn);
		if (error == -EINTR || error == -EINVAL)
			break;
		pfn += step;
	}
	return NULL;
}

static struct page *alloc_contig_from_nodes(struct contig_quest *quest, int nid,
					    nodemask_t *nodemask)
{
	struct zonelist *zonelist = node_zonelist(nid, quest->gfp);
	struct page *page;
	struct zoneref *z;
	struct zone *zone;

	for_each_zone_zonelist_nodemask(zone, z, zonelist, gfp_zone(quest->gfp),
					nodemask) {
		page = alloc_contig_from_zone(quest, zone);
		if (page)
			return page;
	}
	return NULL;
}

/**
 * contig_alloc_pages() - take contiguous pages, wherever they are
 * @nr_pages:	number of pages, more than 0
 * @gfp:	as for alloc_contig_pages()
 * @nid:	node to begin with
 * @nodemask:	nodes to search, NULL for all
 * @frozen:	hand the pages out without references
 *
 * Huge pages are moved only if nothing else helps: there may be no room for
 * them.
 *
 * Context: May sleep.
 * Return: the first page, or NULL.
 */
struct page *contig_alloc_pages(unsigned long nr_pages, gfp_t gfp, int nid,
				nodemask_t *nodemask, bool frozen)
{
	struct contig_quest quest = {
		.nr_pages	= nr_pages,
		.gfp		= gfp,
		.frozen		= frozen,
	};
	struct page *page;

	if (!nr_pages)
		return NULL;

	page = alloc_contig_from_nodes(&quest, nid, nodemask);
	if (!page && quest.saw_huge) {
		quest.move_huge = true;
		page = alloc_contig_from_nodes(&quest, nid, nodemask);
	}
	return page;
}

/**
 * alloc_contig_pages() - take contiguous pages, wherever they are
 * @nr_pages:	number of pages, more than 0
 * @gfp_mask:	as for alloc_contig_range(), and the zones to search
 * @nid:	node to begin with
 * @nodemask:	nodes to search, NULL for all
 *
 * For sizes the buddy allocator does not have. A power of two is aligned to its
 * size. Areas are left alone. Free the pages with free_contig_range(), or one
 * by one.
 *
 * Context: May sleep.
 * Return: the first page, or NULL.
 */
struct page *alloc_contig_pages_noprof(unsigned long nr_pages, gfp_t gfp_mask,
				       int nid, nodemask_t *nodemask)
{
	return contig_alloc_pages(nr_pages, gfp_mask, nid, nodemask, false);
}
EXPORT_SYMBOL(alloc_contig_pages_noprof);
