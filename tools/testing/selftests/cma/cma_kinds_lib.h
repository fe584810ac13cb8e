/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Library of the tests of kinds of pages. It brings such pages into the area,
 * makes data that can be verified, and takes most of the area for a driver.
 */
#ifndef CMA_KINDS_LIB_H
#define CMA_KINDS_LIB_H

#include "cma_test_lib.h"

/*
 * Fills all memory, then frees the pages in the area and a few others, so that
 * the next pages are allocated in the area.
 */
int ct_mem_fill_outside(struct ct_mem *mem, enum ct_kind kind,
			const struct ct_area *area);

/* Counts the mapped pages that lie in the area. */
unsigned long ct_map_in_area(const void *addr, size_t size,
			     const struct ct_area *area);

/* Make and check data that do not compress, from word @first of a sequence. */
void ct_noise_make(uint32_t *data, size_t size, uint32_t first);
size_t ct_noise_wrong(const uint32_t *data, size_t size, uint32_t first);

/*
 * Takes three quarters of the area in a buffer of 16 MiB and some of 4 MiB, so
 * that most other pages have to move. Checks and frees the buffers.
 */
int ct_dma_take_most(int fd, const struct ct_area *area);

/**
 * struct ct_thp - who gets transparent huge pages, to be set back
 * @enabled:	empty if nothing was changed
 * @defrag:	how hard the kernel tries
 */
struct ct_thp {
	char enabled[16], defrag[16];
};

/*
 * Gives huge pages to those who ask with madvise(): they are off by default with
 * less than 512 MiB of memory. Returns their size, or -1 if the kernel has none.
 */
long ct_thp_start(struct ct_thp *thp);
void ct_thp_end(const struct ct_thp *thp);

#endif /* CMA_KINDS_LIB_H */
