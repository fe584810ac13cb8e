// SPDX-License-Identifier: GPL-2.0
/*
 * Remembers which pageblocks are those of areas, and sums up the LRU pages in
 * them.
 *
 * The type of a pageblock does not tell this while the block is isolated. The
 * counters of LRU pages in areas need it at each such moment, too, and a page
 * must not be counted in and not out again. So boot sets a bit for each pageblock
 * of an area. When all areas are up, it finds the span of their pageblocks, and
 * forgets the bits if no others are among them. Only then do movable
 * allocations use areas.
 *
 * No lock: only boot writes, and before anybody reads.
 */
#include <linux/bitmap.h>
#include <linux/cma-lru.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "kernel.h"
#include "contig.h"

struct contig_area_span contig_area_span __ro_after_init;

static unsigned long *area_blocks __initdata;
static unsigned long nr_area_blocks __initdata;

static void __init remember_area_block(unsigned long pfn)
{
	unsigned long block = pfn >> pageblock_order;

	if (block < nr_area_blocks)
		__set_bit(block, area_blocks);
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
	struct zone *zone;

	nr_area_blocks = (max_pfn >> pageblock_order) + 1;
	area_blocks = kvcalloc(BITS_TO_LONGS(nr_area_blocks), sizeof(long),
			       GFP_KERNEL);
	if (!area_blocks) {
		nr_area_blocks = 0;
		return;
	}
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

/**
 * contig_areas_ready() - find the span of all areas
 *
 * Context: Boot, process context; after the last contig_area_add_block(), and
 * before a page of an area goes to an LRU list.
 */
void __init contig_areas_ready(void)
{
	struct contig_area_span *span = &contig_area_span;
	unsigned long start, end;

	start = find_first_bit(area_blocks, nr_area_blocks);
	if (start < nr_area_blocks) {
		const struct page *first, *last;

		end = find_last_bit(area_blocks, nr_area_blocks) + 1;
		first = pfn_to_page(start << pageblock_order);
		last = pfn_to_page((end << pageblock_order) - 1);
		span->start = contig_area_unit(first);
		span->size = contig_area_unit(last) - span->start + 1;
		if (find_next_zero_bit(area_blocks, end, start) < end)
			span->blocks = area_blocks;
	}
	if (!span->blocks)
		kvfree(area_blocks);
}

/**
 * contig_zone_lru() - count LRU pages of a zone that lie in areas
 * @zone:	the zone
 * @lru:	inactive anonymous or file pages, which stands for active ones as
 *		well, or unevictable pages
 *
 * Context: Any.
 * Return: number of pages.
 */
unsigned long contig_zone_lru(const struct zone *zone, enum lru_list lru)
{
	long nr_pages = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		nr_pages += READ_ONCE(per_cpu_ptr(zone->per_cpu_zonestats,
						  cpu)->cma_lru[lru / LRU_FILE]);
	return max(0L, nr_pages);
}

/**
 * contig_show_zone_lru() - print these counters, for /proc/zoneinfo
 * @m:		the file
 * @zone:	of this zone
 *
 * Context: Process.
 */
void contig_show_zone_lru(struct seq_file *m, const struct zone *zone)
{
	seq_printf(m, "\n      nr_zone_cma_anon %lu",
		   contig_zone_lru(zone, LRU_INACTIVE_ANON));
	seq_printf(m, "\n      nr_zone_cma_file %lu",
		   contig_zone_lru(zone, LRU_INACTIVE_FILE));
	seq_printf(m, "\n      nr_zone_cma_unevictable %lu",
		   contig_zone_lru(zone, LRU_UNEVICTABLE));
}
