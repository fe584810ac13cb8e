/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private interface of the files that give devices their areas.
 *
 * Addresses and sizes are bytes. Each file names its own locks.
 */
#ifndef _BASE_DMA_AREAS_H
#define _BASE_DMA_AREAS_H

#include <linux/dma-contiguous.h>
#include <linux/init.h>
#include <linux/types.h>

#include "../../mm/cma/parse.h"

struct cma;
struct device;
struct reserved_mem;

/**
 * struct dma_area_list - areas of one device
 * @rcu:	frees the list after its last reader
 * @nr:		number of areas
 * @refused:	an area of this device does not exist, so it gets no memory
 * @spare_lost:	the last area of this device does not exist, but other memory
 *		stands in for it
 * @choices:	the areas, the preferred one first
 *
 * A published list does not change: a writer publishes a copy.
 */
struct dma_area_list {
	struct rcu_head rcu;
	unsigned int nr;
	bool refused;
	bool spare_lost;
	struct dma_area_choice {
		struct cma *area;
		const char *type;	/* name that drivers use, or NULL */
		bool bound;		/* removed when the driver is unbound */
	} choices[DMA_AREAS_MAX];
};

/**
 * struct dma_area_policy - options that "cma_areas=" has for an area which is
 * declared elsewhere
 * @mode:	who uses pages of the area that no device holds
 * @fallback:	other memory serves requests once the area is used up
 * @first_fit:	requests go to the lowest hole that fits
 * @heap:	programs may take buffers through a dma-buf heap
 */
struct dma_area_policy {
	enum cma_mode mode;
	bool fallback;
	bool first_fit;
	bool heap;
};

/**
 * struct dma_area_declared - users of an area
 * @area:	the area; NULL for a type without memory and for a lost area
 * @type:	memory type, or name, that drivers ask for
 * @devices:	globs of devices or drivers that own the area, with commas
 *		between; NULL for a common area, empty for a node of the device
 *		tree
 * @fallback:	other memory serves requests once the area is used up
 */
struct dma_area_declared {
	struct cma *area;
	const char *type;
	const char *devices;
	bool fallback;
};

/* dma-areas-declared.c: all areas that are declared, and who uses them */
const char *dma_area_copy_string(const char *text);
bool dma_area_globs_match(const char *globs, const char *name);
int dma_area_register(struct cma *cma, const char *type, const char *devices,
		      bool fallback);
const struct dma_area_declared *dma_area_declared_at(unsigned int at);
const struct dma_area_declared *dma_area_find_declared(const struct cma *cma);
bool dma_area_lost_falls_back(const char *name);
struct cma *dma_area_by_node_name(const char *name);

/* dma-areas.c: which areas serve a device, in which order */
void dma_area_snapshot(struct device *dev, const char *type,
		       struct dma_area_snapshot *areas);
struct cma *dma_area_next(struct device *dev,
			  const struct dma_area_snapshot *areas,
			  unsigned int *at, bool highmem);
struct cma *dma_area_of_type(struct device *dev, const char *type);
bool dma_area_knows_type(struct device *dev, const char *type);

/* dma-areas-list.c: the list of one device */
bool dma_area_is_logged(struct device *dev);
int dma_area_put_first(struct device *dev, struct cma *cma, const char *type);
void dma_area_bind(struct device *dev, struct cma *cma, const char *type);
void dma_area_refuse(struct device *dev, bool fallback);

/* dma-areas-reach.c: which memory a device can address */
bool dma_area_behind_iommu(struct device *dev);
u64 dma_area_reach_mask(struct device *dev);
bool dma_area_reached(struct device *dev, const struct cma *area);

/* dma-areas-request.c: the memory type of the current request */
const char *dma_area_requested_type(struct device *dev);

/* dma-areas-show.c: areas of a device in the log and in debugfs */
void dma_area_log(struct device *dev, bool missing);

/* dma-areas-default.c: the default area */
bool dma_area_cmdline_has_default(void);
bool dma_area_set_default(struct cma *cma);
void dma_area_note_addresses(void);
void dma_area_reserve_cma(phys_addr_t addr_limit, bool with_address);
void dma_area_reserve_configured(phys_addr_t addr_limit);

/* dma-areas-declare.c: areas of memory types and of single devices */
phys_addr_t dma_area_default_limit(phys_addr_t addr_limit);
int dma_area_copy_names(struct dma_contiguous_area_desc *desc);
struct dma_area_policy dma_area_apply_policy(struct cma *cma);
int dma_area_declare_low_first(struct cma_area_desc *desc, phys_addr_t low,
			       phys_addr_t limit, struct cma **cma);
int dma_area_declare(struct dma_contiguous_area_desc *desc,
		     phys_addr_t addr_limit, const char *source,
		     struct cma **res_cma);
void dma_area_declare_lost(const char *type, const char *devices,
			   bool fallback);
struct cma *dma_area_of_dma_type(void);

/* dma-areas-types.c: memory types of board code */
void dma_area_inherit_type(struct dma_contiguous_area_desc *desc);

/* dma-areas-board.c: areas of board code */
void dma_area_reserve_board(phys_addr_t addr_limit, bool fixed);

/* dma-areas-claims.c: memory that the board reserves for other purposes */
void dma_area_note_board(void);

/**
 * struct dma_area_ranges - pairs of an address and a size that a property has
 * @cells:	the next pair
 * @nr:		number of pairs from there on
 * @is_wrong:	the property is missing, or is no list of pairs
 */
struct dma_area_ranges {
	const __be32 *cells;
	int nr;
	bool is_wrong;
};

/* dma-areas-reg.c: what a node of the device tree says */
#ifdef CONFIG_CMA_OF_AREAS
bool dma_area_node_has(unsigned long node, const char *property);
struct dma_area_ranges dma_area_get_ranges(unsigned long node,
					   const char *property);
bool dma_area_next_range(struct dma_area_ranges *ranges, u64 *base, u64 *size);
void dma_area_claim_reg(unsigned long node, const char *name, bool for_area);

/* dma-areas-of.c: areas of the device tree */
void dma_area_settle_node(bool needed);
bool dma_area_bind_of(struct device *dev);

/* for dma-areas-rmem.c */
int dma_area_setup_node(unsigned long node, struct reserved_mem *rmem);
int dma_area_node_device_init(struct reserved_mem *rmem, struct device *dev);
void dma_area_node_device_release(struct reserved_mem *rmem,
				  struct device *dev);
#else
static inline void dma_area_settle_node(bool needed)
{
}

static inline bool dma_area_bind_of(struct device *dev)
{
	return false;
}
#endif

/**
 * struct dma_area_numa - an area that a node may have
 * @prefix:	name of the area, without the number of the node
 * @size:	bytes; 0 for none
 */
struct dma_area_numa {
	const char *prefix;
	phys_addr_t size;
};

/* dma-areas-numa.c: "numa_cma=" and "cma_pernuma=" */
#ifdef CONFIG_DMA_NUMA_CMA
void dma_area_reserve_nodes(void);
void dma_area_add_node(struct device *dev, struct dma_area_snapshot *areas);
#else
static inline void dma_area_reserve_nodes(void)
{
}

static inline void dma_area_add_node(struct device *dev,
				     struct dma_area_snapshot *areas)
{
}
#endif

/* dma-areas-cmdline.c and dma-areas-policy.c: "cma_areas=" */
#ifdef CONFIG_CMA_CMDLINE_AREAS
void dma_area_note_cmdline(void);
void dma_area_reserve_cmdline(phys_addr_t addr_limit, bool with_address);
enum cma_mode dma_area_spec_mode(const struct cma_area_spec *spec);
void dma_area_note_policy(const struct cma_area_spec *spec);
struct dma_area_policy dma_area_find_policy(const char *name);
void dma_area_settle_policies(void);
#else
static inline void dma_area_note_cmdline(void)
{
}

static inline void dma_area_reserve_cmdline(phys_addr_t addr_limit,
					    bool with_address)
{
}

static inline struct dma_area_policy dma_area_find_policy(const char *name)
{
	return (struct dma_area_policy) { };
}

static inline void dma_area_settle_policies(void)
{
}
#endif

/**
 * dma_area_spec_has_address() - does an option of the command line fix an
 * address
 * @spec:	the parsed option
 *
 * "@base" does. "@base-limit" does only if the size fills that span.
 *
 * Context: Any.
 * Return: true if the area is at @spec->base or nowhere.
 */
static inline bool dma_area_spec_has_address(const struct cma_spec *spec)
{
	return spec->has_base &&
	       (!spec->has_limit || spec->limit - spec->base == spec->size);
}

#endif /* _BASE_DMA_AREAS_H */
