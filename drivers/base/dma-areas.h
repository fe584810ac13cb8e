/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of contiguous memory for the DMA API share among themselves.
 */
#ifndef _BASE_DMA_AREAS_H
#define _BASE_DMA_AREAS_H

#include <linux/dma-contiguous.h>
#include <linux/init.h>
#include <linux/types.h>

struct cma;
struct device;

#define DMA_AREAS_MAX	8	/* areas that a device can have of its own */

/**
 * struct dma_area_snapshot - where one request may take from
 * @nr:		number of areas
 * @own:	they are the device's own, or it is to have no other
 * @refused:	the device is to have no memory at all
 * @falls_back:	other memory does as well
 * @area:	the areas, the preferred one first; beside the device's own a
 *		common one, and the default one
 */
struct dma_area_snapshot {
	unsigned int nr;
	bool own;
	bool refused;
	bool falls_back;
	struct cma *area[DMA_AREAS_MAX + 4];
};

/**
 * struct dma_area_policy - what "cma_areas=" says of an area that is declared
 * elsewhere
 * @exclusive:	for its devices alone
 * @fallback:	other memory does as well
 * @first_fit:	requests go to the lowest hole that takes them
 * @heap:	programs may take buffers from it, too
 */
struct dma_area_policy {
	bool exclusive;
	bool fallback;
	bool first_fit;
	bool heap;
};

/* dma-areas.c: which areas a device takes from */
void dma_area_snapshot(struct device *dev, const char *type,
		       struct dma_area_snapshot *areas);
struct cma *dma_area_of_type(struct device *dev, const char *type);
bool dma_area_knows_type(struct device *dev, const char *type);
int dma_area_register(struct cma *cma, const char *type, const char *devices,
		      bool fallback);
int dma_area_put_first(struct device *dev, struct cma *cma, const char *type);
void dma_area_bind(struct device *dev, struct cma *cma, const char *type);
void dma_area_refuse(struct device *dev, bool fallback);
bool dma_areas_bind_declared(struct device *dev);
bool dma_area_was_spare(const char *name);
struct cma *dma_area_of_tree(const char *name);

/* dma-areas-request.c: what a buffer is for */
const char *dma_area_requested_type(struct device *dev);

/* dma-areas-show.c: what a device has, for people to read */
bool dma_areas_told(struct device *dev);
void dma_areas_tell(struct device *dev, bool missing);

/* dma-contiguous.c: areas of nodes, and what a device reaches */
void dma_area_add_node(struct device *dev, struct dma_area_snapshot *areas);
bool dma_area_reached(struct device *dev, const struct cma *area);

/* dma-areas-declare.c: the default area, and board code's */
bool dma_areas_default_on_cmdline(void);
void dma_area_declare_lost(const char *type, const char *devices,
			   bool fallback);
bool dma_areas_set_default(struct cma *cma);
struct dma_area_policy dma_area_set_policy(struct cma *cma);
const char *dma_areas_keep_string(const char *text);
void dma_areas_note_addresses(void);
phys_addr_t dma_areas_limit(phys_addr_t addr_limit);
int dma_areas_keep_strings(struct dma_contiguous_area_desc *area);
int dma_areas_declare(struct dma_contiguous_area_desc *wanted,
		      phys_addr_t addr_limit, const char *source,
		      struct cma **res_cma);
void dma_areas_reserve_addresses(phys_addr_t addr_limit);
void dma_areas_reserve_others(phys_addr_t addr_limit);
void dma_areas_reserve_default(phys_addr_t addr_limit);

/* dma-areas-claims.c: what the board keeps for others than areas */
void dma_areas_note_board(void);

/* dma-areas-fdt.c: the device tree, while memblock hands out memory */
#ifdef CONFIG_CMA_OF_AREAS
struct cma *dma_area_of_node(unsigned long node);
void dma_areas_settle_node(bool needed);
#else
static inline void dma_areas_settle_node(bool needed)
{
}
#endif

/* dma-areas-of.c: the device tree */
#ifdef CONFIG_OF_RESERVED_MEM
bool dma_areas_bind_of(struct device *dev);
#else
static inline bool dma_areas_bind_of(struct device *dev)
{
	return false;
}
#endif

/* dma-areas-cmdline.c: "cma_areas=" */
#ifdef CONFIG_CMA_CMDLINE_AREAS
void dma_areas_note_cmdline(void);
void dma_areas_reserve_cmdline(phys_addr_t addr_limit, bool with_address);
struct dma_area_policy dma_area_policy(const char *name);
void dma_areas_settle_policies(void);
#else
static inline void dma_areas_note_cmdline(void)
{
}

static inline void dma_areas_reserve_cmdline(phys_addr_t addr_limit,
					     bool with_address)
{
}

static inline struct dma_area_policy dma_area_policy(const char *name)
{
	return (struct dma_area_policy) { };
}

static inline void dma_areas_settle_policies(void)
{
}
#endif

#endif /* _BASE_DMA_AREAS_H */
