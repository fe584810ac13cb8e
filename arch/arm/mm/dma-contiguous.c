// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers of contiguous memory areas, as the DMA API of ARM hands them out:
 * zeroed, out of the caches, with one mapping at most (dma-map.c).
 *
 * All of this is for devices that do not see the caches. The others are served
 * by kernel/dma/direct.c.
 *
 * No locks: the pages belong to the caller. Sizes are bytes.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>

#include "dma-contiguous.h"
#include "mm.h"

#define DEFAULT_POOL_SIZE	SZ_256K

/**
 * struct arm_dma_req - a request for a buffer
 * @dev:	the device; NULL for the atomic pool
 * @size:	bytes, whole pages
 * @gfp:	flags of the request
 * @prot:	how to map the buffer
 * @want_vaddr:	the caller needs its address
 * @caller:	for /proc/vmallocinfo
 * @areas:	areas that may serve the request
 */
struct arm_dma_req {
	struct device *dev;
	size_t size;
	gfp_t gfp;
	pgprot_t prot;
	bool want_vaddr;
	const void *caller;
	const struct dma_area_snapshot *areas;
};

static unsigned long arm_dma_memory_type(pteval_t entry)
{
	return entry & L_PTE_MT_MASK;
}

/* @addr is mapped with pages. */
static unsigned long arm_dma_memory_type_at(void *addr)
{
	unsigned long virt = (unsigned long)addr;
	pte_t *pte = pte_offset_kernel(pmd_off_k(virt), virt);

	return arm_dma_memory_type(pte_val(*pte));
}

static void arm_dma_teardown_cached(struct page *page, unsigned long nr_pages,
				    void *mapped)
{
	arm_dma_unmap(page, mapped, nr_pages << PAGE_SHIFT);
}

/* A cached buffer is mapped for devices, so no cache has a line of it. */
static bool arm_dma_take_cached(const struct arm_dma_req *req,
				struct cma *area, struct arm_dma_buffer *buf)
{
	bool zeroed;

	buf->page = cma_cache_get(area, req->size >> PAGE_SHIFT,
				  arm_dma_memory_type(pgprot_val(req->prot)),
				  req->dev ? dev_name(req->dev) : NULL,
				  &buf->mapped, &zeroed);
	if (!buf->page)
		return false;
	if (!zeroed) {
		memset(buf->mapped, 0, req->size);
		/* The zeroes must not overwrite what the device writes. */
		wmb();
	}
	return true;
}

/* Return: false if there is no room, of memory or of addresses. */
static bool arm_dma_take(const struct arm_dma_req *req,
			 struct arm_dma_buffer *buf)
{
	size_t nr_pages = req->size >> PAGE_SHIFT;

	buf->page = dma_contiguous_take(req->dev, req->areas, nr_pages,
					get_order(req->size), req->gfp);
	if (!buf->page)
		return false;
	buf->mapped = arm_dma_map(buf->page, req->size, req->prot,
				  req->want_vaddr, req->caller);
	if (!IS_ERR(buf->mapped))
		return true;
	if (PTR_ERR(buf->mapped) == -ENOMEM && !(req->gfp & __GFP_NOWARN))
		pr_err_ratelimited("alloc failed, no %zu KiB of addresses for a buffer in high memory, see vmalloc=\n",
				   req->size / SZ_1K);
	dma_release_from_contiguous(req->dev, buf->page, nr_pages);
	return false;
}

/*
 * Ordinary pages may serve a request that the areas have no room for. If the
 * device has an area of its own, the area's declaration has to allow it. If
 * not, they serve small requests only: for large ones the page allocator would
 * have to evacuate memory, which is what areas are for.
 */
static bool arm_dma_may_fall_back(const struct arm_dma_req *req)
{
	unsigned int order = get_order(req->size);

	return req->areas->falls_back && order <= MAX_PAGE_ORDER &&
	       (req->dev->cma_area || order <= PAGE_ALLOC_COSTLY_ORDER);
}

/* Return: 0; -EAGAIN if ordinary pages serve the request with @gfp; -ENOMEM. */
static int arm_dma_take_or_fall_back(struct arm_dma_req *req, struct cma *area,
				     gfp_t *gfp, struct arm_dma_buffer *buf)
{
	bool ordinary, taken;
	unsigned int scope;

	if (area && arm_dma_take_cached(req, area, buf))
		return 0;

	ordinary = arm_dma_may_fall_back(req);
	/* Stay quiet while ordinary pages can still serve the request. */
	if (ordinary)
		req->gfp |= __GFP_NOWARN;
	scope = dma_contiguous_gfp_scope_save(*gfp);
	taken = arm_dma_take(req, buf);
	memalloc_flags_restore(scope);
	if (taken)
		return 0;
	/* Large ordinary pages must not cost reclaim. */
	if (get_order(req->size) > PAGE_ALLOC_COSTLY_ORDER)
		*gfp |= __GFP_NORETRY;
	return ordinary ? -EAGAIN : -ENOMEM;
}

/**
 * arm_dma_contiguous_alloc() - allocate a buffer from the areas of a device
 * @dev:	the device
 * @size:	bytes
 * @handle:	set to the address of the buffer for the device
 * @gfp:	flags of the request; changed for ordinary pages
 * @attrs:	DMA_ATTR_*; changed for ordinary pages
 * @prot:	how to map the buffer
 * @caller:	for /proc/vmallocinfo
 * @cpu_addr:	set to the address of the buffer, or to its first page with
 *		DMA_ATTR_NO_KERNEL_MAPPING; NULL if there is no buffer
 *
 * Context: May sleep if @gfp allows it.
 * Return: false if ordinary pages have to serve the request.
 */
bool arm_dma_contiguous_alloc(struct device *dev, size_t size,
			      dma_addr_t *handle, gfp_t *gfp,
			      unsigned long *attrs, pgprot_t prot,
			      const void *caller, void **cpu_addr)
{
	struct dma_area_snapshot areas;
	struct arm_dma_req req = {
		.dev		= dev,
		.size		= PAGE_ALIGN(size),
		.gfp		= *gfp,
		.prot		= prot,
		.want_vaddr	= !(*attrs & DMA_ATTR_NO_KERNEL_MAPPING),
		.caller		= caller,
		.areas		= &areas,
	};
	struct arm_dma_buffer *buf;
	struct cma *area;
	int error;

	if (!gfpflags_allow_blocking(*gfp)) {
		/* The pool finds its buffers by address. */
		*attrs &= ~DMA_ATTR_NO_KERNEL_MAPPING;
		return false;
	}
	dma_contiguous_snapshot(dev, &areas);
	area = dma_contiguous_first_of(dev, &areas);
	/* Without an area, ordinary pages serve whatever size they can. */
	if (!area && areas.falls_back &&
	    (get_order(size) <= MAX_PAGE_ORDER || !dev_get_cma_area(dev)))
		return false;

	*handle = DMA_MAPPING_ERROR;
	*cpu_addr = NULL;
	buf = arm_dma_buffer_new(*gfp);
	if (!buf)
		return true;

	error = arm_dma_take_or_fall_back(&req, area, gfp, buf);
	if (error) {
		arm_dma_buffer_free(buf);
		return error != -EAGAIN;
	}

	*handle = phys_to_dma(dev, page_to_phys(buf->page));
	*cpu_addr = req.want_vaddr ? buf->mapped : buf->page;
	buf->virt = *cpu_addr;
	arm_dma_buffer_add(buf, req.size, buf->page);
	return true;
}

/**
 * arm_dma_contiguous_free() - give a buffer back
 * @buf:	record of the buffer, from arm_dma_buffer_find()
 *
 * Context: Process; unmapping may sleep.
 */
void arm_dma_contiguous_free(struct arm_dma_buffer *buf)
{
	unsigned long nr_pages = buf->size >> PAGE_SHIFT;
	struct cma *area = cma_area_of(buf->page);

	if (buf->mapped) {
		if (cma_cache_put(area, buf->page, nr_pages,
				  arm_dma_memory_type_at(buf->mapped),
				  buf->mapped, arm_dma_teardown_cached))
			return;
		arm_dma_unmap(buf->page, buf->mapped, buf->size);
	}
	cma_release(area, buf->page, nr_pages);
}

/**
 * arm_dma_iommu_take() - take contiguous memory for a device behind an IOMMU
 * @dev:	the device
 * @size:	bytes, whole pages
 * @gfp:	flags of the request
 * @prot:	how the caller maps the buffer, if it does
 *
 * The linear mapping of low memory has this memory type, too, until the buffer
 * goes back. The IOMMU translates, so the device may reach any area.
 *
 * Context: May sleep.
 * Return: the first page, zeroed and out of the caches; NULL if there is none.
 */
struct page *arm_dma_iommu_take(struct device *dev, size_t size, gfp_t gfp,
				pgprot_t prot)
{
	struct dma_area_snapshot areas;
	struct arm_dma_req req = {
		.dev	= dev,
		.size	= size,
		.gfp	= gfp,
		.prot	= prot,
		.areas	= &areas,
	};
	struct arm_dma_buffer buf;

	dma_contiguous_snapshot(dev, &areas);
	return arm_dma_take(&req, &buf) ? buf.page : NULL;
}

/**
 * arm_dma_iommu_release() - give memory of arm_dma_iommu_take() back
 * @dev:	the device that had it
 * @page:	the first page
 * @size:	bytes, as in the request
 *
 * Context: Process, with interrupts enabled.
 */
void arm_dma_iommu_release(struct device *dev, struct page *page, size_t size)
{
	/* NULL: arm_dma_iommu_take() maps no high memory. */
	arm_dma_unmap(page, NULL, size);
	dma_release_from_contiguous(dev, page, size >> PAGE_SHIFT);
}

/**
 * arm_dma_contiguous_pool() - take the atomic pool from the default area
 * @size:	bytes; set to whole pages, and to a possible size
 * @prot:	how to map the pool
 * @caller:	for /proc/vmallocinfo
 * @page:	set to the first page
 *
 * All devices share the pool, and most of them reach 4 GiB.
 *
 * Context: Boot; may sleep.
 * Return: address of the pool; NULL if ordinary pages have to serve.
 */
void * __init arm_dma_contiguous_pool(size_t *size, pgprot_t prot,
				      const void *caller, struct page **page)
{
	u64 limit = min_t(u64, arm_dma_limit, DMA_BIT_MASK(32));
	struct cma *area = dev_get_cma_area(NULL);
	struct dma_area_snapshot areas;
	struct arm_dma_req req = {
		.size		= PAGE_ALIGN(*size),
		.gfp		= GFP_KERNEL | __GFP_NOWARN,
		.prot		= prot,
		.want_vaddr	= true,
		.caller		= caller,
		.areas		= &areas,
	};
	struct arm_dma_buffer buf;

	*size = req.size;
	dma_contiguous_snapshot(NULL, &areas);
	if (area && *size && cma_get_end(area) - 1 <= limit &&
	    arm_dma_take(&req, &buf)) {
		*page = buf.page;
		return buf.mapped;
	}
	if (!*size || get_order(*size) > MAX_PAGE_ORDER) {
		pr_err("coherent_pool= ignored: no %zu KiB to be had\n",
		       *size / SZ_1K);
		*size = DEFAULT_POOL_SIZE;
	}
	return NULL;
}

/**
 * arm_dma_check_reach() - free a buffer that its device does not reach
 * @dev:	the device
 * @cpu_addr:	a buffer of ordinary pages; NULL for none
 * @size:	bytes
 * @handle:	address of the buffer for the device; set to DMA_MAPPING_ERROR
 *		if the buffer is freed
 * @gfp:	flags of the request; __GFP_NOWARN is heeded
 * @attrs:	DMA_ATTR_*
 *
 * Context: As dma_free_attrs().
 * Return: @cpu_addr; NULL if the device does not reach the buffer.
 */
void *arm_dma_check_reach(struct device *dev, void *cpu_addr, size_t size,
			  dma_addr_t *handle, gfp_t gfp, unsigned long attrs)
{
	u64 mask = min_not_zero(dev->coherent_dma_mask, dev->bus_dma_limit);

	/* The DMA API has warned of a device without a mask. */
	if (!cpu_addr || (*handle != DMA_MAPPING_ERROR &&
			  (!mask || dma_contiguous_reaches(dev,
				dma_to_phys(dev, *handle), size))))
		return cpu_addr;
	if (!(gfp & __GFP_NOWARN) && *handle == DMA_MAPPING_ERROR)
		dev_err_ratelimited(dev, "cma: alloc failed, the bus does not show the memory that there is\n");
	else if (!(gfp & __GFP_NOWARN))
		dev_err_ratelimited(dev, "cma: alloc failed, memory at %pad is not within reach of mask %#llx\n",
				    handle, mask);
	arch_dma_free(dev, size, cpu_addr, *handle, attrs);
	*handle = DMA_MAPPING_ERROR;
	return NULL;
}
