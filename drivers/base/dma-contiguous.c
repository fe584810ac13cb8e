// SPDX-License-Identifier: GPL-2.0
/*
 * From a device to an area to pages: contiguous memory for the DMA API.
 *
 * A device takes from the areas that are its own (dma-areas.c), else from one of
 * its NUMA node, else from the default area. Which areas there are is settled at
 * boot.
 *
 * A device that asked for certain memory gets that or an error. One that does
 * not reach the default area is served as if there was none.
 *
 * No locks: everything here is set up before the first device exists. Sizes are
 * bytes unless named pages.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/device.h>
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/iommu-dma.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "../../mm/cma/parse.h"
#include "dma-areas.h"

#ifdef CONFIG_DMA_NUMA_CMA

static struct cma *node_area[MAX_NUMNODES];
static struct cma *every_node_area[MAX_NUMNODES];
static phys_addr_t node_size[MAX_NUMNODES] __initdata;
static phys_addr_t every_node_size __initdata;

static int __init parse_numa_option(char *text)
{
	const char *wrong = text ? cma_parse_nodes(text, node_size,
						   MAX_NUMNODES) :
				   "a node is missing";

	if (wrong)
		pr_err("\"numa_cma=%s\": %s, that and what follows is ignored\n",
		       text ?: "", wrong);
	return 0;
}
early_param("numa_cma", parse_numa_option);

static int __init parse_every_node_option(char *text)
{
	struct cma_spec spec = { };
	const char *wrong = text ? cma_parse_spec(text, &spec) :
				   "a size is missing";

	if (wrong) {
		pr_err("\"cma_pernuma=%s\" ignored: %s\n", text ?: "", wrong);
		return 0;
	}
	if (spec.has_base || *spec.rest)
		pr_warn("\"cma_pernuma=%s\": what is behind the size is ignored\n",
			text);
	every_node_size = spec.size;
	return 0;
}
early_param("cma_pernuma", parse_every_node_option);

/* What went wrong is said where it did. */
static void __init reserve_on_node(int nid, phys_addr_t size,
				   const char *prefix, struct cma **area)
{
	char name[CMA_MAX_NAME];

	if (!size)
		return;
	snprintf(name, sizeof(name), "%s%d", prefix, nid);
	if (cma_declare_contiguous_nid(0, size, 0, 0, 0, false, name, area,
				       nid))
		return;
	cma_set_users(*area, CMA_FOR_NODE, NULL);
	cma_set_source(*area, "the command line");
}

static void __init reserve_on_nodes(void)
{
	int nid;

	for (nid = 0; nid < MAX_NUMNODES; nid++) {
		if (node_online(nid))
			reserve_on_node(nid, every_node_size, "pernuma",
					&every_node_area[nid]);
		else if (node_size[nid])
			pr_err("numa_cma: there is no node %d\n", nid);
		if (node_online(nid))
			reserve_on_node(nid, node_size[nid], "numa",
					&node_area[nid]);
	}
}

/**
 * dma_area_add_node() - add the areas of the node of a device
 * @dev:	the device; NULL for none
 * @areas:	where to, in order of preference
 *
 * Context: Any.
 */
void dma_area_add_node(struct device *dev, struct dma_area_snapshot *areas)
{
	int nid = dev ? dev_to_node(dev) : NUMA_NO_NODE;

	if (nid == NUMA_NO_NODE)
		return;
	if (every_node_area[nid])
		areas->area[areas->nr++] = every_node_area[nid];
	if (node_area[nid])
		areas->area[areas->nr++] = node_area[nid];
}

#else

static inline void reserve_on_nodes(void)
{
}

void dma_area_add_node(struct device *dev, struct dma_area_snapshot *areas)
{
}

#endif /* CONFIG_DMA_NUMA_CMA */

/**
 * dma_contiguous_reserve() - reserve the default area, those of "cma_areas=" and
 * those of NUMA nodes
 * @addr_limit:	first physical address that devices in general cannot reach,
 *		0 if there is no such limit
 *
 * Context: Boot; the architecture calls it while memblock hands out memory.
 */
void __init dma_contiguous_reserve(phys_addr_t addr_limit)
{
	/* An address that is said is taken before anything is put there. */
	dma_areas_reserve_addresses(addr_limit);
	dma_areas_reserve_others(addr_limit);
	reserve_on_nodes();
	dma_areas_reserve_default(addr_limit);
}

/* Before the first device: one that did not come up is no default. */
static int __init check_default_area(void)
{
	if (dma_contiguous_default_area &&
	    !cma_get_size(dma_contiguous_default_area))
		dma_contiguous_default_area = NULL;
	return 0;
}
core_initcall_sync(check_default_area);

/**
 * dma_contiguous_bind() - give a device its areas, before its driver starts
 * @dev:	the device; dev->driver is set
 *
 * Context: May sleep.
 */
void dma_contiguous_bind(struct device *dev)
{
	bool missing = dma_areas_bind_of(dev);

	missing |= dma_areas_bind_declared(dev);
	dma_areas_tell(dev, missing);
}

/* Its mask is about addresses that it is given, and not about pages. */
static bool is_behind_iommu(struct device *dev)
{
#ifdef to_dma_iommu_mapping
	if (to_dma_iommu_mapping(dev))
		return true;
#endif
	return use_dma_iommu(dev);
}

/*
 * A device without any mask was warned of by the DMA API, and has always got
 * memory all the same: what devices in general reach.
 */
static u64 reach_of(struct device *dev)
{
	return min_not_zero(dev->coherent_dma_mask, dev->bus_dma_limit) ?:
	       DMA_BIT_MASK(32);
}

static dma_addr_t address_for(struct device *dev, phys_addr_t phys)
{
	return force_dma_unencrypted(dev) ? phys_to_dma_unencrypted(dev, phys) :
					    phys_to_dma(dev, phys);
}

/* The part of memory that a bus shows which has this address in it. */
static const struct bus_dma_region *part_with(struct device *dev, u64 phys)
{
	const struct bus_dma_region *part = dev->dma_range_map;

	for (; part->size; part++)
		if (phys >= part->cpu_start &&
		    phys - part->cpu_start < part->size)
			return part;
	return NULL;
}

/* In one piece for the device as well, be it of several parts. */
static bool is_shown(struct device *dev, u64 start, u64 end)
{
	const struct bus_dma_region *part = part_with(dev, start);
	u64 offset = part ? part->dma_start - part->cpu_start : 0;

	while (part && start < end) {
		start = (u64)part->cpu_start + part->size;
		if (start < end)
			part = part_with(dev, start);
		if (part && part->dma_start - part->cpu_start != offset)
			part = NULL;
	}
	return part;
}

/**
 * dma_contiguous_reaches() - does a device reach memory
 * @dev:	the device; NULL for none in special, which does
 * @phys:	first address
 * @size:	bytes
 *
 * Context: Any.
 * Return: true if it reaches all of it, in one piece, with its mask for coherent
 * memory and through its bus; or if it is behind an IOMMU, which is told.
 */
bool dma_contiguous_reaches(struct device *dev, phys_addr_t phys, u64 size)
{
	dma_addr_t dma;

	if (!dev || is_behind_iommu(dev))
		return true;
	dma = address_for(dev, phys);
	return dma != DMA_MAPPING_ERROR && (u64)dma + size - 1 >= (u64)dma &&
	       (u64)dma + size - 1 <= reach_of(dev) &&
	       (!dev->dma_range_map || is_shown(dev, phys, phys + size));
}

/**
 * dma_area_reached() - does a device reach an area
 * @dev:	the device; NULL for none in special, which does
 * @area:	the area
 *
 * Any of its pages may come of a request, so the device has to reach all of each
 * piece. A bus may show memory from anywhere on, or parts of it only.
 *
 * Context: Any.
 * Return: true if so; false also for an area that did not come up.
 */
bool dma_area_reached(struct device *dev, const struct cma *area)
{
	phys_addr_t base;
	u64 size;

	if (!cma_get_size(area))
		return false;
	for (unsigned int i = 0; (size = cma_get_piece(area, i, &base)); i++)
		if (!dma_contiguous_reaches(dev, base, size))
			return false;
	return true;
}

/* Pieces are in order: if the first one is not, none of them has an address. */
static bool has_lowmem(const struct cma *area)
{
	return !PageHighMem(pfn_to_page(PHYS_PFN(cma_get_base(area))));
}

static void snapshot(struct device *dev, struct dma_area_snapshot *areas)
{
	dma_area_snapshot(dev, dma_area_requested_type(dev), areas);
}

/*
 * The first area that the device can use, from place @at on. A buffer from one
 * that is in low memory in part may turn out to be in high memory all the same.
 */
static struct cma *next_area(struct device *dev,
			     const struct dma_area_snapshot *areas,
			     unsigned int *at, bool highmem)
{
	while (*at < areas->nr) {
		struct cma *area = areas->area[(*at)++];

		if (dma_area_reached(dev, area) &&
		    (highmem || has_lowmem(area)))
			return area;
	}
	return NULL;
}

/**
 * dma_contiguous_first_area() - where a device takes from as long as it can
 * @dev:	the device; NULL for the default area
 *
 * Context: Any.
 * Return: the first of its areas that it reaches, or NULL.
 */
struct cma *dma_contiguous_first_area(struct device *dev)
{
	struct dma_area_snapshot areas;
	unsigned int at = 0;

	snapshot(dev, &areas);
	return next_area(dev, &areas, &at, true);
}

/**
 * dma_contiguous_falls_back() - may a device get other memory
 * @dev:	the device; NULL for none
 *
 * Context: Any.
 * Return: true if the default area and ordinary pages do as well, once the areas
 * that are the device's own are used up; also if it has none, and is to have
 * none.
 */
bool dma_contiguous_falls_back(struct device *dev)
{
	struct dma_area_snapshot areas;

	snapshot(dev, &areas);
	return areas.falls_back;
}

/**
 * dma_contiguous_refuses() - is there no memory for a device, whatever is free
 * @dev:	the device
 * @gfp:	what the caller of the DMA API said; __GFP_NOWARN is heeded
 *
 * An area that the device was to have could not be had; or it must not have any
 * other memory, and its areas are only for those who may wait. Asked before
 * anything else is tried, pools included.
 *
 * Context: Any.
 * Return: true if the request has to fail.
 */
bool dma_contiguous_refuses(struct device *dev, gfp_t gfp)
{
	struct dma_area_snapshot areas;

	if (likely(!rcu_access_pointer(dev->cma_areas) && !dev->cma_area &&
		   !dma_area_requested_type(dev)))
		return false;
	snapshot(dev, &areas);
	if (!areas.refused &&
	    (areas.falls_back || gfpflags_allow_blocking(gfp) ||
	     is_behind_iommu(dev)))
		return false;
	if (!(gfp & __GFP_NOWARN))
		dev_err_ratelimited(dev, "cma: alloc failed, %s\n",
				    areas.refused ?
				    "the device is to have an area that does not exist" :
				    "an area of its own is for requests that may sleep");
	return true;
}

/**
 * dma_contiguous_gfp_scope_save() - have what is done for a driver wait for what it may
 * @gfp:	what the driver said
 *
 * Pages that are in the way are moved and reclaimed, and tables for mappings
 * allocated, by functions that are not told: they ask the task.
 *
 * Context: Process.
 * Return: for memalloc_flags_restore(), which ends it.
 */
unsigned int dma_contiguous_gfp_scope_save(gfp_t gfp)
{
	if (!(gfp & __GFP_IO))
		return memalloc_noio_save();
	return gfp & __GFP_FS ? 0 : memalloc_nofs_save();
}

/**
 * dma_contiguous_area() - an area of a device, for direct use
 * @dev:	the device
 * @type:	as for dma_contiguous_request_begin(); NULL for none in special
 *
 * For a driver that needs pages of its own, for firmware say, and takes them
 * with cma_alloc().
 *
 * Context: Any.
 * Return: the area that the device prefers for this; NULL if there is none.
 */
struct cma *dma_contiguous_area(struct device *dev, const char *type)
{
	return type ? dma_area_of_type(dev, type) :
		      dma_contiguous_first_area(dev);
}
EXPORT_SYMBOL_GPL(dma_contiguous_area);

static void say_out_of_reach(struct device *dev, bool highmem)
{
	dev_err_ratelimited(dev, "cma: alloc failed, no area within reach of mask %#llx%s\n",
			    reach_of(dev), highmem ? "" : " in low memory");
}

static struct page *take(struct device *dev, unsigned long nr_pages,
			 unsigned int order, gfp_t gfp, bool highmem)
{
	unsigned int align = min_t(unsigned int, order, CONFIG_CMA_ALIGNMENT);
	const char *owner = dev ? dev_name(dev) : NULL;
	struct dma_area_snapshot areas;
	struct page *page = NULL;
	unsigned int at = 0;
	struct cma *area;
	unsigned int scope;
	bool quiet;

	snapshot(dev, &areas);
	quiet = gfp & __GFP_NOWARN || (areas.own && areas.falls_back);
	area = next_area(dev, &areas, &at, highmem);
	/* An area of others that it does not reach is none. */
	if (!area && !quiet && dev && areas.nr &&
	    (areas.own || order > MAX_PAGE_ORDER))
		say_out_of_reach(dev, highmem);
	scope = dma_contiguous_gfp_scope_save(gfp);
	while (area && !page) {
		struct cma *next = next_area(dev, &areas, &at, highmem);

		/* It is not for the log if there is another one. */
		page = cma_alloc_for(area, nr_pages, align, next || quiet,
				     owner);
		if (page && !dma_contiguous_reaches(dev, page_to_phys(page),
						    nr_pages << PAGE_SHIFT)) {
			cma_release(area, page, nr_pages);
			page = NULL;
		}
		area = next;
	}
	memalloc_flags_restore(scope);
	return page;
}

/**
 * dma_contiguous_take() - take pages from the areas of a device
 * @dev:	the device; NULL for the default area
 * @nr_pages:	number of pages
 * @order:	wanted alignment, as an order of pages; CONFIG_CMA_ALIGNMENT at
 *		most is given
 * @gfp:	what to wait for: GFP_KERNEL, GFP_NOFS or GFP_NOIO; __GFP_NOWARN
 *		is heeded
 *
 * Context: May sleep.
 * Return: as dma_alloc_from_contiguous().
 */
struct page *dma_contiguous_take(struct device *dev, unsigned long nr_pages,
				 unsigned int order, gfp_t gfp)
{
	return take(dev, nr_pages, order, gfp, true);
}

/**
 * dma_alloc_from_contiguous() - take pages from the areas of a device
 * @dev:	the device; NULL for the default area
 * @count:	number of pages
 * @order:	wanted alignment, as an order of pages; CONFIG_CMA_ALIGNMENT at
 *		most is given
 * @no_warn:	say nothing in the log on failure
 *
 * Context: May sleep.
 * Return: the first page, its contents undefined; NULL if none of the areas that
 * the device can use and reach had them.
 */
struct page *dma_alloc_from_contiguous(struct device *dev, size_t count,
				       unsigned int order, bool no_warn)
{
	return dma_contiguous_take(dev, count, order,
				   GFP_KERNEL | (no_warn ? __GFP_NOWARN : 0));
}

/**
 * dma_release_from_contiguous() - give back pages of an area
 * @dev:	not needed: the pages tell of which area they are
 * @pages:	the first page
 * @count:	number of pages, as they were asked for
 *
 * Context: Any but NMI.
 * Return: false if the pages are of no area.
 */
bool dma_release_from_contiguous(struct device *dev, struct page *pages,
				 int count)
{
	return cma_release(cma_area_of(pages), pages, count);
}

/* Stay quiet while the page allocator can still serve it. */
static struct page *alloc_quietly(struct device *dev, size_t size, gfp_t gfp,
				  bool highmem)
{
	unsigned long nr_pages = PFN_UP(size);

	if (!gfpflags_allow_blocking(gfp))
		return NULL;
	if (nr_pages <= 1 && !rcu_access_pointer(dev->cma_areas) &&
	    !dev->cma_area && !dma_area_requested_type(dev))
		return NULL;
	if (get_order(size) <= MAX_PAGE_ORDER && dma_contiguous_falls_back(dev))
		gfp |= __GFP_NOWARN;
	return take(dev, nr_pages, get_order(size), gfp, highmem);
}

/**
 * dma_alloc_contiguous() - take memory from the first area that has it
 * @dev:	the device
 * @size:	bytes
 * @gfp:	what the caller of the DMA API said
 *
 * A single page is for the page allocator, unless the device has an area of
 * its own: there is nothing contiguous about it.
 *
 * Context: Does nothing unless @gfp allows to sleep.
 * Return: the first page, its contents undefined, or NULL: the caller goes on to
 * ordinary pages if dma_contiguous_falls_back().
 */
struct page *dma_alloc_contiguous(struct device *dev, size_t size, gfp_t gfp)
{
	return alloc_quietly(dev, size, gfp, true);
}

/**
 * dma_alloc_contiguous_lowmem() - the same for what needs an address
 * @dev:	the device
 * @size:	bytes
 * @gfp:	what the caller of the DMA API said
 *
 * Areas in high memory are passed over. Of one that has a piece in each a buffer
 * may come from either: see PageHighMem().
 *
 * Context: As dma_alloc_contiguous().
 * Return: as dma_alloc_contiguous().
 */
struct page *dma_alloc_contiguous_lowmem(struct device *dev, size_t size,
					 gfp_t gfp)
{
	return alloc_quietly(dev, size, gfp, false);
}

/**
 * dma_contiguous_clear() - clear a buffer that the kernel is not to map
 * @dev:	the device that it is for
 * @page:	the first page, of an area or not
 * @size:	bytes
 *
 * It goes to a device, and from there to programs: what was in it belongs to
 * others. If the device does not see the caches, the caller flushes what has an
 * address. High memory has none, so it is flushed here: a dirty line of zeroes
 * would be written back over what the device writes.
 *
 * Context: May sleep.
 */
void dma_contiguous_clear(struct device *dev, struct page *page, size_t size)
{
	for (unsigned long i = 0; i < PFN_UP(size); i++)
		clear_highpage(nth_page(page, i));
	if (PageHighMem(page) && !dev_is_dma_coherent(dev))
		arch_sync_dma_for_device(page_to_phys(page), size,
					 DMA_BIDIRECTIONAL);
}

/**
 * dma_free_contiguous() - give back what dma_alloc_contiguous() gave
 * @dev:	not needed: the pages tell of which area they are
 * @page:	the first page
 * @size:	bytes, as they were asked for
 *
 * Takes back ordinary pages as well, those of alloc_pages() and the like.
 *
 * Context: Any but NMI.
 */
void dma_free_contiguous(struct device *dev, struct page *page, size_t size)
{
	if (!cma_release(cma_area_of(page), page, PFN_UP(size)))
		__free_pages(page, get_order(size));
}
