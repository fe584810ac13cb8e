/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lookups in all areas, for programs that use more than the default area of
 * cma_test_lib.h.
 */
#ifndef CMA_AREAS_H
#define CMA_AREAS_H

#include <stdbool.h>

#include "cma_test_lib.h"

#define CA_AREAS_MAX	64	/* maximum of CONFIG_CMA_AREAS */
#define CA_BUFFERS_MAX	256

/* Fills in all areas and returns their number. */
unsigned int ca_areas(struct ct_area areas[CA_AREAS_MAX]);
/* Returns false for an area that serves only units larger than a page. */
bool ca_serves_pages(const struct ct_area *area);
/* Returns whether the pages lie in one range of the area, as buffers must. */
bool ca_holds(const struct ct_area *area, unsigned long pfn,
	      unsigned long nr_pages);
/* Gets the area of the pages; false if they lie in none. */
bool ca_area_at(unsigned long pfn, unsigned long nr_pages,
		struct ct_area *area);

/* Gets the device that owns the buffer at @pfn; false if there is no buffer. */
bool ca_owner(const struct ct_area *area, unsigned long pfn, char owner[64]);

/* The buffers of an area that have exactly the pages asked for. */
struct ca_buffers {
	unsigned int nr;
	unsigned long first_pfns[CA_BUFFERS_MAX];
};

void ca_buffers(const struct ct_area *area, unsigned long nr_pages,
		struct ca_buffers *buffers);
/* Returns the first page of the one buffer in @after only; 0 if not one. */
unsigned long ca_new_buffer(const struct ca_buffers *before,
			    const struct ca_buffers *after);

#endif /* CMA_AREAS_H */
