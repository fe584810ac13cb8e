/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Find and check memory for areas at boot. Addresses and sizes are bytes.
 */
#ifndef _MM_CMA_PLACE_H
#define _MM_CMA_PLACE_H

#include <linux/types.h>

#include "internal.h"
#include "parse.h"

/**
 * struct cma_place - memory that is reserved for an area
 * @base:	physical address of each piece
 * @size:	bytes of each piece
 * @nr:		number of pieces
 * @max:	most pieces that it may have
 */
struct cma_place {
	phys_addr_t base[CMA_MAX_BANKS];
	phys_addr_t size[CMA_MAX_BANKS];
	unsigned int nr;
	unsigned int max;
};

phys_addr_t cma_highmem_start(void);
int cma_check_mapped(phys_addr_t base, phys_addr_t last, const char *name);
bool cma_is_mapped(phys_addr_t base, phys_addr_t size);
int cma_check_memory(phys_addr_t base, phys_addr_t size, const char *name);
int cma_place_anywhere(phys_addr_t size, phys_addr_t align, phys_addr_t base,
		       phys_addr_t limit, int nid, const char *name,
		       struct cma_place *place);
void cma_place_free(const struct cma_place *place);

#endif /* _MM_CMA_PLACE_H */
