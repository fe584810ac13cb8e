/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contiguous memory for implementations of the DMA API: from a device to an
 * area to pages. Not for drivers. Included by <linux/dma-map-ops.h>.
 *
 * Sizes are bytes unless named pages.
 */
#ifndef _LINUX_DMA_CONTIGUOUS_H
#define _LINUX_DMA_CONTIGUOUS_H

#include <linux/cma.h>
#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

struct page;

#define DMA_AREAS_MAX	8	/* areas that a device may have of its own */

/**
 * struct dma_contiguous_area_desc - an area as board code declares it
 * @type:	memory type that drivers ask for
 * @devices:	globs of devices or drivers that own the area, with commas
 *		between; NULL for all that ask for the type
 * @size:	bytes; 0 for a type that has no memory of its own
 * @base:	lowest physical address; the address if @fixed
 * @limit:	first physical address behind the area; 0 for the end of memory
 * @alignment:	bytes, a power of two; 0 for that of a pageblock
 * @fixed:	at @base or not at all
 * @fallback:	other memory serves requests once the area is used up
 * @heap:	programs may take buffers through a dma-buf heap
 * @mode:	who uses the memory while no device does
 * @fit:	"best" or "first", as in sysfs; NULL for "best"
 *
 * This does not embed struct cma_area_desc: its @name is made of @type and
 * @devices, zeroed it means node 0 and not any node, and @quiet is no choice of
 * a board.
 */
struct dma_contiguous_area_desc {
	const char *type;
	const char *devices;
	phys_addr_t size;
	phys_addr_t base;
	phys_addr_t limit;
	phys_addr_t alignment;
	bool fixed;
	bool fallback;
	bool heap;
	enum cma_mode mode;
	const char *fit;
};

/**
 * struct dma_contiguous_request - a memory type that a task asks for
 * @node:	in the list of current requests
 * @task:	the task
 * @dev:	the device it allocates for
 * @type:	the memory type
 */
struct dma_contiguous_request {
	struct list_head node;
	struct task_struct *task;
	struct device *dev;
	const char *type;
};

/**
 * struct dma_area_snapshot - areas that may serve one request
 * @nr:		number of areas
 * @own:	the device has areas of its own, or is refused memory
 * @refused:	an area of the device does not exist, so the request fails
 * @falls_back:	other memory may serve the request
 * @area:	the areas, the preferred one first: those of the device, a
 *		common one, up to two of a node, the default area
 */
struct dma_area_snapshot {
	unsigned int nr;
	bool own;
	bool refused;
	bool falls_back;
	struct cma *area[DMA_AREAS_MAX + 4];
};

#ifdef CONFIG_DMA_CMA

/* Serves devices without an area of their own; NULL if there is none. */
extern struct cma *dma_contiguous_default_area;

static inline struct cma *dev_get_cma_area(struct device *dev)
{
	/* A device with a list never uses the default area in its place. */
	return dev && (dev->cma_area || rcu_access_pointer(dev->cma_areas)) ?
		dev->cma_area : dma_contiguous_default_area;
}

struct cma *dma_contiguous_get_area_by_idx(unsigned int idx);
void dma_contiguous_reserve(phys_addr_t addr_limit);
int dma_contiguous_reserve_area(phys_addr_t size, phys_addr_t base,
				phys_addr_t limit, struct cma **res_cma,
				bool fixed);
int dma_contiguous_declare(const struct dma_contiguous_area_desc *area,
			   struct cma **res_cma);
int dma_contiguous_define_type(const struct dma_contiguous_area_desc *type);

/* Which areas a device takes from. */
int dma_contiguous_assign(struct device *dev, struct cma *cma,
			  const char *type);
void dma_contiguous_unassign(struct device *dev, struct cma *cma);
int dma_contiguous_request_begin(struct dma_contiguous_request *request,
				 struct device *dev, const char *type);
void dma_contiguous_request_end(struct dma_contiguous_request *request);
void *dma_contiguous_alloc_attrs(struct device *dev, const char *type,
				 size_t size, dma_addr_t *handle, gfp_t gfp,
				 unsigned long attrs);
struct cma *dma_contiguous_area(struct device *dev, const char *type);
struct cma *dma_contiguous_first_area(struct device *dev);
struct cma *dma_contiguous_first_of(struct device *dev,
				    const struct dma_area_snapshot *areas);
void dma_contiguous_snapshot(struct device *dev,
			     struct dma_area_snapshot *areas);
bool dma_contiguous_falls_back(struct device *dev);
bool dma_contiguous_refuses(struct device *dev, gfp_t gfp);
bool dma_contiguous_reaches(struct device *dev, phys_addr_t phys, u64 size);

/* For the driver core. */
void dma_contiguous_bind(struct device *dev);
void dma_contiguous_unbind(struct device *dev);
void dma_contiguous_device_release(struct device *dev);

/* Nothing to do: an architecture visits areas with cma_for_each_area(). */
static inline void dma_contiguous_early_fixup(phys_addr_t base,
					      unsigned long size)
{
}

/* For drivers/of/of_reserved_mem.c: nodes that describe areas. */
bool dma_area_is_node(unsigned long node);
int dma_area_reserve_reg(unsigned long node, const char *name);
bool dma_area_refused(unsigned long node);
int dma_area_reserve_size(unsigned long node, const char *name,
			  phys_addr_t *base, phys_addr_t *size);

/* For the DMA API of an architecture. */
unsigned int dma_contiguous_gfp_scope_save(gfp_t gfp);
struct page *dma_contiguous_take(struct device *dev,
				 const struct dma_area_snapshot *areas,
				 unsigned long nr_pages, unsigned int order,
				 gfp_t gfp);

struct page *dma_alloc_from_contiguous(struct device *dev, size_t count,
				       unsigned int order, bool no_warn);
bool dma_release_from_contiguous(struct device *dev, struct page *pages,
				 int count);
struct page *dma_alloc_contiguous(struct device *dev, size_t size, gfp_t gfp);
struct page *dma_alloc_contiguous_lowmem(struct device *dev, size_t size,
					 gfp_t gfp);
void dma_free_contiguous(struct device *dev, struct page *page, size_t size);
void dma_contiguous_zero(struct device *dev, struct page *page, size_t size);

#else /* !CONFIG_DMA_CMA */

static inline void dma_contiguous_bind(struct device *dev)
{
}

static inline void dma_contiguous_unbind(struct device *dev)
{
}

static inline void dma_contiguous_device_release(struct device *dev)
{
}

static inline int dma_contiguous_assign(struct device *dev, struct cma *cma,
					const char *type)
{
	return -EOPNOTSUPP;
}

static inline void dma_contiguous_unassign(struct device *dev, struct cma *cma)
{
}

static inline int
dma_contiguous_request_begin(struct dma_contiguous_request *request,
			     struct device *dev, const char *type)
{
	return -EOPNOTSUPP;
}

static inline void
dma_contiguous_request_end(struct dma_contiguous_request *request)
{
}

static inline void *dma_contiguous_alloc_attrs(struct device *dev,
					       const char *type, size_t size,
					       dma_addr_t *handle, gfp_t gfp,
					       unsigned long attrs)
{
	return NULL;
}

static inline bool dma_contiguous_falls_back(struct device *dev)
{
	return true;
}

static inline bool dma_contiguous_refuses(struct device *dev, gfp_t gfp)
{
	return false;
}

static inline struct cma *dma_contiguous_area(struct device *dev,
					      const char *type)
{
	return NULL;
}

static inline struct cma *dev_get_cma_area(struct device *dev)
{
	return NULL;
}

static inline struct cma *dma_contiguous_get_area_by_idx(unsigned int idx)
{
	return NULL;
}

static inline void dma_contiguous_reserve(phys_addr_t addr_limit)
{
}

static inline int dma_contiguous_reserve_area(phys_addr_t size,
					      phys_addr_t base,
					      phys_addr_t limit,
					      struct cma **res_cma, bool fixed)
{
	return -EOPNOTSUPP;
}

static inline void dma_contiguous_early_fixup(phys_addr_t base,
					      unsigned long size)
{
}

static inline bool dma_area_is_node(unsigned long node)
{
	return false;
}

static inline int dma_area_reserve_reg(unsigned long node, const char *name)
{
	return -EOPNOTSUPP;
}

static inline bool dma_area_refused(unsigned long node)
{
	return false;
}

static inline int dma_area_reserve_size(unsigned long node, const char *name,
					phys_addr_t *base, phys_addr_t *size)
{
	return -EOPNOTSUPP;
}

static inline struct page *dma_alloc_from_contiguous(struct device *dev,
						     size_t count,
						     unsigned int order,
						     bool no_warn)
{
	return NULL;
}

static inline bool dma_release_from_contiguous(struct device *dev,
					       struct page *pages, int count)
{
	return false;
}

static inline struct page *dma_alloc_contiguous(struct device *dev,
						size_t size, gfp_t gfp)
{
	return NULL;
}

static inline struct page *dma_alloc_contiguous_lowmem(struct device *dev,
						       size_t size, gfp_t gfp)
{
	return NULL;
}

static inline void dma_free_contiguous(struct device *dev, struct page *page,
				       size_t size)
{
	__free_pages(page, get_order(size));
}

static inline void dma_contiguous_zero(struct device *dev, struct page *page,
				       size_t size)
{
}

#endif /* CONFIG_DMA_CMA */

#endif /* _LINUX_DMA_CONTIGUOUS_H */
