// SPDX-License-Identifier: GPL-2.0
/*
 * Boot: from a wish to MIGRATE_CMA pageblocks.
 *
 * An area is reserved in memblock while that still hands out memory, so that
 * nothing unmovable ever gets there, and is given to the page allocator at
 * core_initcall time. No lock: one CPU runs, and nobody allocates yet.
 *
 * Addresses and sizes are bytes until an area is made of them, pages after.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/kmemleak.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/page-isolation.h>
#include <linux/pgalloc_tag.h>
#include <linux/sizes.h>

#include "../internal.h"
#include "internal.h"
#include "parse.h"
#include "placement.h"

DEFINE_STATIC_KEY_FALSE(cma_areas_active);

static phys_addr_t __init first_highmem_address(void)
{
	/* high_memory itself need not be an address that __pa() takes. */
	return __pa(high_memory - 1) + 1;
}

/*
 * Places worth a try for an area that may lie anywhere in [base, limit), the
 * best first: far from what devices of limited reach and unmovable kernel
 * memory compete for. An area never straddles the end of low memory, because
 * it must be of one zone.
 */
static phys_addr_t __init find_place(phys_addr_t size, phys_addr_t align,
				     phys_addr_t base, phys_addr_t limit,
				     int nid)
{
	phys_addr_t highmem = first_highmem_address();
	u64 above_4g = max_t(u64, base, SZ_4G);
	phys_addr_t place = 0;

	if (above_4g < limit && !memblock_bottom_up()) {
		memblock_set_bottom_up(true);
		place = memblock_alloc_range_nid(size, align, above_4g, limit,
						 nid, true);
		memblock_set_bottom_up(false);
	}
	if (!place && highmem < limit)
		place = memblock_alloc_range_nid(size, align,
						 max(base, highmem), limit,
						 nid, true);
	if (!place && base < highmem)
		place = memblock_alloc_range_nid(size, align, base,
						 min(limit, highmem), nid,
						 true);
	/* Never mapped by kmemleak, never scanned: it holds no pointers. */
	if (place)
		kmemleak_ignore_phys(place);
	return place;
}

static int __init take_place(phys_addr_t base, phys_addr_t size,
			     const char *name)
{
	phys_addr_t highmem = first_highmem_address();
	phys_addr_t end = base + size;

	if (!memblock_is_region_memory(base, size)) {
		pr_err("%s: %pa..%pa is not all memory\n", name, &base, &end);
		return -EINVAL;
	}
	if (base < highmem && end > highmem) {
		pr_err("%s: %pa..%pa crosses the end of low memory at %pa\n",
		       name, &base, &end, &highmem);
		return -EINVAL;
	}
	if (memblock_is_region_reserved(base, size)) {
		pr_err("%s: %pa..%pa overlaps memory that is in use\n", name,
		       &base, &end);
		return -EBUSY;
	}
	return memblock_reserve(base, size) ? -ENOMEM : 0;
}

/**
 * cma_init_reserved_mem() - make an area of memory that is reserved already
 * @base:	physical address, aligned to CMA_MIN_ALIGNMENT_BYTES
 * @size:	bytes, aligned to CMA_MIN_ALIGNMENT_BYTES
 * @order_per_bit: buffers are multiples of 1 << this many pages
 * @name:	name of the area; NULL for one made from its number
 * @res_cma:	the area
 *
 * Context: Boot, before core_initcall.
 * Return: 0; -EINVAL if the memory is not reserved, or is empty, not aligned or
 * of another area; -ENOSPC if there are CONFIG_CMA_AREAS areas already.
 */
int __init cma_init_reserved_mem(phys_addr_t base, phys_addr_t size,
				 unsigned int order_per_bit, const char *name,
				 struct cma **res_cma)
{
	const char *shown = name ?: "area";
	phys_addr_t end = base + size;
	struct cma *cma;

	if (!size || !cma_span_ok(base, size) ||
	    !memblock_is_region_reserved(base, size)) {
		pr_err("%s: %pa..%pa is not reserved memory\n", shown, &base,
		       &end);
		return -EINVAL;
	}
	/* Only whole pageblocks have a type of their own. */
	if (!IS_ALIGNED(base | size, CMA_MIN_ALIGNMENT_BYTES)) {
		pr_err("%s: %pa..%pa is not aligned to %lu KiB\n", shown, &base,
		       &end, CMA_MIN_ALIGNMENT_BYTES / SZ_1K);
		return -EINVAL;
	}
	if (order_per_bit > pageblock_order) {
		pr_err("%s: buffers of order %u are more than a pageblock\n",
		       shown, order_per_bit);
		return -EINVAL;
	}
	cma = cma_area_intersecting(PFN_DOWN(base), PFN_UP(end));
	if (cma) {
		pr_err("%s: %pa..%pa overlaps area %s\n", shown, &base, &end,
		       cma->name);
		return -EINVAL;
	}
	cma = cma_area_new(name);
	if (!cma) {
		pr_err("%s: there are %u areas already, see CONFIG_CMA_AREAS\n",
		       shown, cma_area_count);
		return -ENOSPC;
	}

	cma->base_pfn = PFN_DOWN(base);
	cma->nr_pages = size >> PAGE_SHIFT;
	cma->order_per_bit = order_per_bit;
	cma_range_init(&cma->range, cma->base_pfn, cma->nr_pages);
	totalcma_pages += cma->nr_pages;
	*res_cma = cma;
	return 0;
}

/**
 * cma_declare_contiguous_nid() - reserve memory for an area
 * @base:	lowest physical address; the address if @fixed
 * @size:	bytes; rounded up to whole pageblocks
 * @limit:	first physical address behind the area, 0 for the end of memory
 * @alignment:	of the area, bytes, a power of two; 0 for that of a pageblock
 * @order_per_bit: buffers are multiples of 1 << this many pages
 * @fixed:	at @base or not at all
 * @name:	name of the area; NULL for one made from its number
 * @res_cma:	the area
 * @nid:	node the memory is to be on, NUMA_NO_NODE for any
 *
 * Context: Boot, while memblock hands out memory.
 * Return: 0; -EINVAL if what is asked for makes no sense; -ENOSPC if there are
 * CONFIG_CMA_AREAS areas already; -EBUSY if memory at a fixed address is in
 * use; -ENOMEM if there is no room. The log says what was wrong.
 */
int __init cma_declare_contiguous_nid(phys_addr_t base, phys_addr_t size,
				      phys_addr_t limit, phys_addr_t alignment,
				      unsigned int order_per_bit, bool fixed,
				      const char *name, struct cma **res_cma,
				      int nid)
{
	const char *shown = name ?: "area";
	phys_addr_t end_of_memory = memblock_end_of_DRAM();
	phys_addr_t place = base;
	int error;

	if (!size || size > end_of_memory) {
		pr_err("%s: cannot reserve %pa bytes, memory ends at %pa\n",
		       shown, &size, &end_of_memory);
		return -EINVAL;
	}
	if (alignment && !is_power_of_2(alignment)) {
		pr_err("%s: alignment %pa is not a power of two\n", shown,
		       &alignment);
		return -EINVAL;
	}
	if (!IS_ENABLED(CONFIG_NUMA))
		nid = NUMA_NO_NODE;

	alignment = max_t(phys_addr_t, alignment, CMA_MIN_ALIGNMENT_BYTES);
	if (fixed && !IS_ALIGNED(base, alignment)) {
		pr_err("%s: base %pa is not aligned to %pa\n", shown, &base,
		       &alignment);
		return -EINVAL;
	}
	base = ALIGN(base, alignment);
	size = ALIGN(size, alignment);
	if (!limit || limit > end_of_memory)
		limit = end_of_memory;
	limit = ALIGN_DOWN(limit, alignment);
	if (limit < base || limit - base < size) {
		pr_err("%s: %pa bytes do not fit between %pa and %pa\n", shown,
		       &size, &base, &limit);
		return -EINVAL;
	}

	if (fixed) {
		error = take_place(base, size, shown);
	} else {
		place = find_place(size, alignment, base, limit, nid);
		error = place ? 0 : -ENOMEM;
		if (error)
			pr_err("%s: no room for %pa bytes between %pa and %pa\n",
			       shown, &size, &base, &limit);
	}
	if (error)
		return error;

	error = cma_init_reserved_mem(place, size, order_per_bit, name,
				      res_cma);
	if (error) {
		memblock_phys_free(place, size);
		return error;
	}
	pr_info("Reserved %lu MiB at %pa for area %s\n",
		(unsigned long)(size / SZ_1M), &place, (*res_cma)->name);
	return 0;
}

/**
 * cma_reserve_pages_on_error() - keep the memory if the area does not come up
 * @cma:	the area
 *
 * For memory with contents to preserve. Without this, pages of an area that
 * cannot be activated become ordinary memory.
 *
 * Context: Boot, before core_initcall.
 */
void __init cma_reserve_pages_on_error(struct cma *cma)
{
	cma->reserve_pages_on_error = true;
}

/* Pageblocks and free lists belong to a zone, so an area must do so too. */
static bool __init is_of_one_zone(const struct cma *cma)
{
	unsigned long end_pfn = cma->base_pfn + cma->nr_pages;
	unsigned long pfn = cma->base_pfn;
	struct zone *zone;

	if (!pfn_valid(pfn))
		return false;
	zone = page_zone(pfn_to_page(pfn));
	for (; pfn < end_pfn; pfn += pageblock_nr_pages) {
		unsigned long last_pfn = pfn + pageblock_nr_pages - 1;

		if (!pfn_valid(pfn) || !pfn_valid(last_pfn) ||
		    page_zone(pfn_to_page(pfn)) != zone ||
		    page_zone(pfn_to_page(last_pfn)) != zone)
			return false;
	}
	return true;
}

static void __init give_up(struct cma *cma)
{
	unsigned long end_pfn = cma->base_pfn + cma->nr_pages;

	pr_err("%s: not of one zone, area not usable\n", cma->name);
	if (!cma->reserve_pages_on_error)
		for (unsigned long pfn = cma->base_pfn; pfn < end_pfn; pfn++)
			if (pfn_valid(pfn))
				free_reserved_page(pfn_to_page(pfn));
	totalcma_pages -= cma->nr_pages;
	cma->nr_pages = 0;
}

static void __init activate(struct cma *cma)
{
	unsigned long end_pfn = cma->base_pfn + cma->nr_pages;
	struct page *first = pfn_to_page(cma->base_pfn);
	unsigned long pfn;

	for (pfn = cma->base_pfn; pfn < end_pfn; pfn++) {
		struct page *page = pfn_to_page(pfn);

		if (pageblock_aligned(pfn))
			set_pageblock_migratetype(page, MIGRATE_CMA);
		__ClearPageReserved(page);
		set_page_count(page, 1);
		/* was reserved, never allocated */
		clear_page_tag_ref(page);
	}
	adjust_managed_page_count(first, cma->nr_pages);
	page_zone(first)->cma_pages += cma->nr_pages;
	contig_free(cma->base_pfn, cma->nr_pages);
	cma_ready_init_area(cma);
	cma->active = true;
}

static int __init cma_activate_areas(void)
{
	for (unsigned int i = 0; i < cma_area_count; i++) {
		if (!is_of_one_zone(&cma_areas[i])) {
			give_up(&cma_areas[i]);
			continue;
		}
		if (!static_key_enabled(&cma_areas_active))
			static_branch_enable(&cma_areas_active);
		activate(&cma_areas[i]);
	}
	return 0;
}
core_initcall(cma_activate_areas);
