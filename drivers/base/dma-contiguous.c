// SPDX-License-Identifier: GPL-2.0
/*
 * From a device to an area to pages: contiguous memory for the DMA API.
 *
 * A device takes from the area that is its own (device tree, board code), else
 * from one of its NUMA node, else from the default area. Which areas there are
 * is settled at boot: the default one by "cma=", by the device tree or by the
 * kernel configuration, in this order.
 *
 * No locks: everything here is set up before the first device exists, but
 * dev->cma_area, which is the device's and changes while no driver is bound.
 * Sizes are bytes unless named pages.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/of.h>
#include <linux/of_fdt.h>
#include <linux/of_reserved_mem.h>
#include <linux/sizes.h>

#include "../../mm/cma/parse.h"

struct cma *dma_contiguous_default_area;

static struct cma_spec cmdline_area __initdata;
static bool cmdline_has_area __initdata;

static int __init parse_cma_option(char *text)
{
	const char *wrong;

	wrong = text ? cma_parse_spec(text, &cmdline_area) : "a size is missing";
	if (wrong) {
		pr_err("\"cma=%s\" ignored: %s\n", text ?: "", wrong);
		return 0;
	}
	cmdline_has_area = true;
	return 0;
}
early_param("cma", parse_cma_option);

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
		pr_err("\"numa_cma=%s\" ignored: %s\n", text ?: "", wrong);
	return 0;
}
early_param("numa_cma", parse_numa_option);

static int __init parse_every_node_option(char *text)
{
	struct cma_spec spec = { };
	const char *wrong = text ? cma_parse_spec(text, &spec) :
				   "a size is missing";

	if (!wrong && spec.has_base)
		wrong = "an address makes no sense here";
	if (wrong)
		pr_err("\"cma_pernuma=%s\" ignored: %s\n", text ?: "", wrong);
	else
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
	cma_declare_contiguous_nid(0, size, 0, 0, 0, false, name, area, nid);
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

/* The areas of the node of @dev, in order of preference; NULL ends them. */
static struct cma *area_of_node(struct device *dev, unsigned int choice,
				gfp_t gfp)
{
	int nid = dev_to_node(dev);

	/* These areas may lie anywhere, so not within the reach of GFP_DMA. */
	if (nid == NUMA_NO_NODE || gfp & (GFP_DMA | GFP_DMA32) || choice > 1)
		return NULL;
	return choice ? node_area[nid] : every_node_area[nid];
}

#else

static inline void reserve_on_nodes(void)
{
}

static inline struct cma *area_of_node(struct device *dev, unsigned int choice,
				       gfp_t gfp)
{
	return NULL;
}

#endif /* CONFIG_DMA_NUMA_CMA */

#ifdef CONFIG_CMA_SIZE_MBYTES
#define CONFIGURED_SIZE		((phys_addr_t)CONFIG_CMA_SIZE_MBYTES * SZ_1M)
#else
#define CONFIGURED_SIZE		((phys_addr_t)0)
#endif

#ifdef CONFIG_CMA_SIZE_PERCENTAGE
#define CONFIGURED_PERCENT	CONFIG_CMA_SIZE_PERCENTAGE
#else
#define CONFIGURED_PERCENT	0
#endif

static phys_addr_t __init configured_size(void)
{
	phys_addr_t share = memblock_phys_mem_size() / 100 * CONFIGURED_PERCENT;

	if (IS_ENABLED(CONFIG_CMA_SIZE_SEL_PERCENTAGE))
		return share;
	if (IS_ENABLED(CONFIG_CMA_SIZE_SEL_MIN))
		return min(CONFIGURED_SIZE, share);
	if (IS_ENABLED(CONFIG_CMA_SIZE_SEL_MAX))
		return max(CONFIGURED_SIZE, share);
	return CONFIGURED_SIZE;
}

/**
 * dma_contiguous_reserve() - reserve the default area and those of NUMA nodes
 * @addr_limit:	first physical address that devices in general cannot reach,
 *		0 if there is no such limit
 *
 * Context: Boot; the architecture calls it while memblock hands out memory.
 */
void __init dma_contiguous_reserve(phys_addr_t addr_limit)
{
	struct cma_spec spec = { .size = configured_size() };
	phys_addr_t limit = addr_limit;
	bool fixed = false;

	reserve_on_nodes();

	if (cmdline_has_area)
		spec = cmdline_area;
	/* "@base" is an address; "@base-limit" is one only if it fits tightly */
	if (spec.has_base && !spec.has_limit)
		limit = spec.base + spec.size;
	else if (spec.has_limit)
		limit = min_not_zero(spec.limit, addr_limit);
	if (spec.has_base)
		fixed = !spec.has_limit || spec.limit - spec.base == spec.size;

	if (!spec.size || dma_contiguous_default_area)
		return;
	dma_contiguous_reserve_area(spec.size, spec.base, limit,
				    &dma_contiguous_default_area, fixed);
}

/**
 * dma_contiguous_reserve_area() - reserve an area for DMA
 * @size:	bytes
 * @base:	lowest physical address; the address if @fixed
 * @limit:	first physical address behind the area, 0 for the end of memory
 * @res_cma:	the area
 * @fixed:	at @base or not at all
 *
 * For board code, too: set dev->cma_area to give a device an area of its own.
 *
 * Context: Boot, while memblock hands out memory.
 * Return: 0, or the error of cma_declare_contiguous_nid().
 */
int __init dma_contiguous_reserve_area(phys_addr_t size, phys_addr_t base,
				       phys_addr_t limit, struct cma **res_cma,
				       bool fixed)
{
	int error;

	error = cma_declare_contiguous(base, size, limit, 0, 0, fixed,
				       "reserved", res_cma);
	if (error)
		return error;

	/* Nothing may be taken from it before it is mapped as it has to be. */
	dma_contiguous_early_fixup(cma_get_base(*res_cma),
				   cma_get_size(*res_cma));
	return 0;
}

void __init __weak dma_contiguous_early_fixup(phys_addr_t base,
					      unsigned long size)
{
}

/**
 * dma_alloc_from_contiguous() - take pages from the area of a device
 * @dev:	the device; NULL for the default area
 * @count:	number of pages
 * @order:	wanted alignment, as an order of pages; CONFIG_CMA_ALIGNMENT at
 *		most is given
 * @no_warn:	say nothing in the log on failure
 *
 * Context: May sleep.
 * Return: the first page, its contents undefined, or NULL.
 */
struct page *dma_alloc_from_contiguous(struct device *dev, size_t count,
				       unsigned int order, bool no_warn)
{
	return cma_alloc(dev_get_cma_area(dev), count,
			 min_t(unsigned int, order, CONFIG_CMA_ALIGNMENT),
			 no_warn);
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
 * Return: the first page, its contents undefined, or NULL: the caller falls
 * back to ordinary pages.
 */
struct page *dma_alloc_contiguous(struct device *dev, size_t size, gfp_t gfp)
{
	unsigned int order = min_t(unsigned int, get_order(size),
				   CONFIG_CMA_ALIGNMENT);
	unsigned long nr_pages = PFN_UP(size);
	bool no_warn = gfp & __GFP_NOWARN;
	unsigned int choice = 0;
	struct cma *area;
	struct page *page;

	if (!gfpflags_allow_blocking(gfp))
		return NULL;
	if (dev->cma_area)
		return cma_alloc(dev->cma_area, nr_pages, order, no_warn);
	if (nr_pages <= 1)
		return NULL;

	for (; choice < 2; choice++) {
		area = area_of_node(dev, choice, gfp);
		page = cma_alloc(area, nr_pages, order, no_warn);
		if (page)
			return page;
	}
	return cma_alloc(dma_contiguous_default_area, nr_pages, order, no_warn);
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

#ifdef CONFIG_OF_RESERVED_MEM

static int rmem_cma_device_init(struct reserved_mem *rmem, struct device *dev)
{
	dev->cma_area = rmem->priv;
	return 0;
}

static void rmem_cma_device_release(struct reserved_mem *rmem, struct device *dev)
{
	dev->cma_area = NULL;
}

static const struct reserved_mem_ops rmem_cma_ops = {
	.device_init	= rmem_cma_device_init,
	.device_release	= rmem_cma_device_release,
};

/* A "shared-dma-pool" node; without "reusable" it is somebody else's. */
static int __init rmem_cma_setup(struct reserved_mem *rmem)
{
	unsigned long node = rmem->fdt_node;
	bool is_default = of_get_flat_dt_prop(node, "linux,cma-default", NULL);
	struct cma *cma;
	int error;

	if (!of_get_flat_dt_prop(node, "reusable", NULL))
		return -EINVAL;
	if (of_get_flat_dt_prop(node, "no-map", NULL)) {
		pr_err("%s: \"reusable\" and \"no-map\" exclude each other\n",
		       rmem->name);
		return -EINVAL;
	}
	if (is_default && cmdline_has_area) {
		pr_info("%s: not used, the command line has cma=\n",
			rmem->name);
		return -EBUSY;
	}

	error = cma_init_reserved_mem(rmem->base, rmem->size, 0, rmem->name,
				      &cma);
	if (error)
		return error;

	pr_info("Reserved %lu MiB at %pa for area %s%s\n",
		(unsigned long)(rmem->size / SZ_1M), &rmem->base, rmem->name,
		is_default ? ", the default" : "");
	if (is_default)
		dma_contiguous_default_area = cma;
	rmem->ops = &rmem_cma_ops;
	rmem->priv = cma;
	return 0;
}

RESERVEDMEM_OF_DECLARE(cma, "shared-dma-pool", rmem_cma_setup);

#endif /* CONFIG_OF_RESERVED_MEM */
