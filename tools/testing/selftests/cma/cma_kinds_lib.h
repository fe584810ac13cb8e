/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of kinds of pages share: getting such pages into the area,
 * data in them that can be verified, and taking the area from them.
 */
#ifndef CMA_KINDS_LIB_H
#define CMA_KINDS_LIB_H

#include "cma_test_lib.h"

/*
 * Fills all of memory, then gives back what lies in the area and a little
 * more, so that what is allocated next lies there.
 */
int ct_mem_fill_outside(struct ct_mem *mem, enum ct_kind kind,
			const struct ct_area *area);

unsigned long ct_map_in_area(const void *addr, size_t size,
			     const struct ct_area *area);

/* Data that do not compress: word @first of a sequence and those behind it. */
void ct_noise_make(uint32_t *data, size_t size, uint32_t first);
size_t ct_noise_wrong(const uint32_t *data, size_t size, uint32_t first);

/*
 * Takes three quarters of the area, in a buffer of 16 MiB and some of 4 MiB,
 * so that hardly a page of it stays where it is; tests and frees them.
 */
int ct_dma_take_most(int fd, const struct ct_area *area);

#endif /* CMA_KINDS_LIB_H */
