/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contiguous memory areas: declare them at boot, allocate from them later.
 *
 * Drivers do not need this header: they call dma_alloc_coherent(). It is for
 * code that owns an area. Sizes are bytes in functions for boot code, and pages
 * in functions that allocate. See Documentation/mm/cma.rst.
 */
#ifndef __CMA_H__
#define __CMA_H__

#include <linux/alloc_tag.h>
#include <linux/gfp_types.h>
#include <linux/init.h>
#include <linux/jump_label.h>
#include <linux/numa.h>
#include <linux/page-flags.h>
#include <linux/cma-huge.h>
#include <linux/types.h>

#ifdef CONFIG_CMA_AREAS
#define MAX_CMA_AREAS		CONFIG_CMA_AREAS
#endif

/* Longest name of an area, with the NUL. */
#define CMA_MAX_NAME		64

/* Longest time budget that cma_set_patience() accepts. */
#define CMA_PATIENCE_MAX_MS	(60 * MSEC_PER_SEC)

/* A pageblock has one migrate type, so areas are rounded to whole ones. */
#define CMA_MIN_ALIGNMENT_PAGES	pageblock_nr_pages
#define CMA_MIN_ALIGNMENT_BYTES	(PAGE_SIZE * CMA_MIN_ALIGNMENT_PAGES)

struct cma;
struct folio;
struct page;
struct seq_file;

/**
 * enum cma_mode - who uses the pages of an area that nobody holds
 * @CMA_SHARED:	the page allocator, for pages that can be moved or dropped
 * @CMA_EXCLUSIVE: nobody, so an allocation never waits for pages to move
 * @CMA_GUARANTEED: copies of evicted page cache, which an allocation forgets; the
 *		same as %CMA_EXCLUSIVE without CONFIG_CMA_GUARANTEED
 */
enum cma_mode {
	CMA_SHARED,
	CMA_EXCLUSIVE,
	CMA_GUARANTEED,
};

/**
 * enum cma_users - who takes buffers from an area
 * @CMA_FOR_OWNER: the code that made it
 * @CMA_FOR_ALL: all devices that have no area of their own
 * @CMA_FOR_TYPE: drivers that ask for its memory type
 * @CMA_FOR_REFERRERS: devices whose node in the device tree refers to it
 * @CMA_FOR_DEVICES: devices that its declaration names
 * @CMA_FOR_NODE: devices of its NUMA node
 */
enum cma_users {
	CMA_FOR_OWNER,
	CMA_FOR_ALL,
	CMA_FOR_TYPE,
	CMA_FOR_REFERRERS,
	CMA_FOR_DEVICES,
	CMA_FOR_NODE,
};

/**
 * struct cma_area_desc - description of an area to declare
 * @base:	lowest physical address; if @fixed, the address of the area
 * @size:	bytes; rounded up to whole pageblocks if the area is shared,
 *		there is room, and the machine can spare them
 * @limit:	first physical address past the area; 0 for the end of memory
 * @alignment:	alignment of the area in bytes, a power of two; 0 for that of a
 *		pageblock
 * @order_per_bit: buffers are multiples of 1 << this many pages
 * @fixed:	fail rather than place the area elsewhere than at @base
 * @one_piece:	fail rather than make an area of several pieces
 * @quiet:	do not log a lack of room: the caller has another place to try
 * @mode:	shared, exclusive or guaranteed
 * @name:	name of the area; NULL to derive one from its number
 * @nid:	NUMA node of the memory; NUMA_NO_NODE for any
 */
struct cma_area_desc {
	phys_addr_t base;
	phys_addr_t size;
	phys_addr_t limit;
	phys_addr_t alignment;
	unsigned int order_per_bit;
	bool fixed;
	bool one_piece;
	bool quiet;
	enum cma_mode mode;
	const char *name;
	int nid;
};

/* Pages in all areas, for /proc/meminfo. */
extern unsigned long totalcma_pages;

#ifdef CONFIG_CMA

/* Enabled once the first area is active. */
DECLARE_STATIC_KEY_FALSE(cma_areas_active);

/*
 * For pages that are movable but often held for long, such as the buffers of a
 * journal: make the request reclaimable instead of movable, which keeps it out
 * of areas.
 */
static inline gfp_t cma_gfp_not_in_area(gfp_t gfp)
{
	if (static_branch_unlikely(&cma_areas_active) && gfp & __GFP_MOVABLE)
		gfp ^= __GFP_MOVABLE | __GFP_RECLAIMABLE;
	return gfp;
}

/* Areas do not serve what the task allocates until cma_not_in_area_end(). */
unsigned int cma_not_in_area_start(void);
void cma_not_in_area_end(unsigned int saved);

#else

static inline gfp_t cma_gfp_not_in_area(gfp_t gfp)
{
	return gfp;
}

static inline unsigned int cma_not_in_area_start(void)
{
	return 0;
}

static inline void cma_not_in_area_end(unsigned int saved) { }

#endif

/* Boot: reserve memory for an area, or make one of reserved memory. */
int cma_declare_contiguous_nid(phys_addr_t base, phys_addr_t size,
			       phys_addr_t limit, phys_addr_t alignment,
			       unsigned int order_per_bit, bool fixed,
			       const char *name, struct cma **res_cma, int nid);
int cma_declare_contiguous_multi(phys_addr_t size, phys_addr_t align,
				 unsigned int order_per_bit, const char *name,
				 struct cma **res_cma, int nid);
int cma_declare(const struct cma_area_desc *desc, struct cma **res_cma);
void cma_claim_memory(u64 base, u64 size, const char *owner, bool for_area);
void cma_withdraw_claims(const char *owner);
bool cma_is_claimed(phys_addr_t base, phys_addr_t size);
int cma_reserve_fixed(phys_addr_t base, phys_addr_t size, const char *name);
int cma_init_reserved_mem(phys_addr_t base, phys_addr_t size,
			  unsigned int order_per_bit, const char *name,
			  struct cma **res_cma);
int cma_add_reserved_mem(struct cma *cma, phys_addr_t base, phys_addr_t size);
void cma_reserve_pages_on_error(struct cma *cma);
void cma_areas_open_last(void);
void cma_areas_close_last(void);
void cma_set_users(struct cma *cma, enum cma_users users, const char *devices);
void cma_set_source(struct cma *cma, const char *source);
void cma_for_each_piece(const struct cma *cma,
			void (*act)(phys_addr_t base, phys_addr_t size));

/* Call cma_declare_contiguous_nid() for any node. */
static inline int __init
cma_declare_contiguous(phys_addr_t base, phys_addr_t size, phys_addr_t limit,
		       phys_addr_t alignment, unsigned int order_per_bit,
		       bool fixed, const char *name, struct cma **res_cma)
{
	return cma_declare_contiguous_nid(base, size, limit, alignment,
					  order_per_bit, fixed, name, res_cma,
					  NUMA_NO_NODE);
}

/* Any time: settings and attributes of an area. */
int cma_set_mode(struct cma *cma, enum cma_mode mode);
int cma_set_fit(struct cma *cma, const char *fit);
int cma_set_patience(struct cma *cma, unsigned int ms);
phys_addr_t cma_get_base(const struct cma *cma);
phys_addr_t cma_get_end(const struct cma *cma);
unsigned long cma_get_size(const struct cma *cma);
u64 cma_get_piece(const struct cma *cma, unsigned int piece, phys_addr_t *base);
const char *cma_get_name(const struct cma *cma);
bool cma_serves_pages(const struct cma *cma);
void cma_set_heap(struct cma *cma);
bool cma_has_heap(const struct cma *cma);
struct cma *cma_area_of(const struct page *page);
int cma_for_each_area(int (*it)(struct cma *cma, void *data), void *data);
#ifdef CONFIG_PROC_FS
void cma_proc_set_devices(void (*show)(struct seq_file *seq));
#endif

/* Allocate and release. /proc/allocinfo names the caller. */
struct page *cma_alloc_noprof(struct cma *cma, unsigned long count,
			      unsigned int align, bool no_warn);
#define cma_alloc(...)		alloc_hooks(cma_alloc_noprof(__VA_ARGS__))
struct page *cma_alloc_for_noprof(struct cma *cma, unsigned long count,
				  unsigned int align, bool no_warn,
				  const char *owner);
#define cma_alloc_for(...)	alloc_hooks(cma_alloc_for_noprof(__VA_ARGS__))
bool cma_release(struct cma *cma, const struct page *pages,
		 unsigned long count);
bool cma_pages_valid(struct cma *cma, const struct page *pages,
		     unsigned long count);

/*
 * For an architecture: cache buffers for the next request in the state in which
 * they came back. @kind tells states apart, @mapped is where the buffer is
 * mapped, and @teardown ends the state.
 */
typedef void (*cma_teardown_t)(struct page *pages, unsigned long count,
			      void *mapped);
struct page *cma_cache_get(struct cma *cma, unsigned long count,
			   unsigned long kind, const char *owner,
			   void **mapped, bool *zeroed);
bool cma_cache_put(struct cma *cma, struct page *pages, unsigned long count,
		   unsigned long kind, void *mapped, cma_teardown_t teardown);

/**
 * cma_page_is_reserved() - check whether an area reserves a page for devices
 * @page:	the page
 *
 * Such a page is PageReserved, yet may have the data of a driver.
 *
 * Context: Any.
 * Return: true if the page is in an exclusive area, or in a partial pageblock
 * of any area.
 */
static inline bool cma_page_is_reserved(const struct page *page)
{
	return IS_ENABLED(CONFIG_CMA) && PageReserved(page) &&
	       cma_area_of(page);
}

#endif /* __CMA_H__ */
