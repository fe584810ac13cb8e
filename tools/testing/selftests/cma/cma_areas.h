/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All areas that there are, and which one a page lies in; for programs that
 * look at more than the default area of cma_test_lib.h.
 */
#ifndef CMA_AREAS_H
#define CMA_AREAS_H

#include <stdbool.h>

#include "cma_test_lib.h"

#define CA_AREAS_MAX	64	/* the most that CONFIG_CMA_AREAS takes */
#define CA_BUFFERS_MAX	256

/* Fills in what there is and returns how many that is. */
unsigned int ca_areas(struct ct_area areas[CA_AREAS_MAX]);
/* False for areas of which only units larger than a page can be had. */
bool ca_serves_pages(const struct ct_area *area);
/* Are these pages of one range of the area, as those of a buffer must be? */
bool ca_holds(const struct ct_area *area, unsigned long pfn,
	      unsigned long nr_pages);
/* The area that they lie in; false if it is none. */
bool ca_area_at(unsigned long pfn, unsigned long nr_pages,
		struct ct_area *area);

/* The device that has the buffer which starts there; false if nobody has one. */
bool ca_owner(const struct ct_area *area, unsigned long pfn, char owner[64]);

/* The buffers of an area of which somebody has exactly @nr_pages. */
struct ca_buffers {
	unsigned int nr;
	unsigned long first_pfns[CA_BUFFERS_MAX];
};

void ca_buffers(const struct ct_area *area, unsigned long nr_pages,
		struct ca_buffers *buffers);
/* The first page of the one that is in @after only; 0 if that is not one. */
unsigned long ca_new_buffer(const struct ca_buffers *before,
			    const struct ca_buffers *after);

#endif /* CMA_AREAS_H */
