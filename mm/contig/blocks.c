// SPDX-License-Identifier: GPL-2.0
/*
 * Remembers which pageblocks are those of areas.
 *
 * The type of a pageblock does not tell this while the block is isolated. The
 * counters of LRU pages in areas need it at each such moment, too, and a page
 * must not be counted in and not out again. So there is a bit for each
 * pageblock. It is set before the first page of the block goes to the page
 * allocator, and stays.
 *
 * No lock: boot sets the bits, before other CPUs allocate from the blocks.
 */
#include <linux/bitmap.h>
#include <linux/cma-lru.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "kernel.h"
#include "contig.h"

unsigned long *contig_area_blocks __ro_after_init;
unsigned long contig_nr_area_blocks __ro_after_init;

static void __init remember_area_block(unsigned long pfn)
{
	unsigned long block = pfn >> pageblock_order;

	if (block < contig_nr_area_blocks)
		__set_bit(block, contig_area_blocks);
}

/**
 * contig_area_add_block() - make a pageblock one of an area
 * @pfn:	its first page
 *
 * Context: Boot; the page allocator has no page of it.
 */
void __init contig_area_add_block(unsigned long pfn)
{
	init_pageblock_migratetype(pfn_to_page(pfn), MIGRATE_CMA, false);
	remember_area_block(pfn);
}

/**
 * contig_areas_init() - make room for the bits, and set those of blocks that
 * are MIGRATE_CMA already
 *
 * Without memory for them nothing is counted: all pages then pass for such that
 * do not lie in areas.
 *
 * Context: Boot, process context.
 */
void __init contig_areas_init(void)
{
	unsigned long nr_blocks = (max_pfn >> pageblock_order) + 1;
	struct zone *zone;

	contig_area_blocks = kvcalloc(BITS_TO_LONGS(nr_blocks), sizeof(long),
				      GFP_KERNEL);
	if (!contig_area_blocks)
		return;
	contig_nr_area_blocks = nr_blocks;
	for_each_populated_zone(zone) {
		unsigned long pfn = zone->zone_start_pfn;

		for (; pfn < zone_end_pfn(zone);
		     pfn = pageblock_end_pfn(pfn)) {
			struct page *page = pfn_to_online_page(pfn);

			if (page && is_migrate_cma_page(page))
				remember_area_block(pfn);
		}
	}
}

