// SPDX-License-Identifier: GPL-2.0
/*
 * Library of the tests of kinds of pages; see cma_kinds_lib.h.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cma_kinds_lib.h"

#define OUTSIDE_SIZE	(16 * MIB) /* free outside of the area */

#define THP	"/sys/kernel/mm/transparent_hugepage/"

/* A hash, so that words do not depend on each other. */
static uint32_t noise(uint32_t index)
{
	index = (index ^ index >> 16) * 0x7feb352du;
	index = (index ^ index >> 15) * 0x846ca68bu;
	return index ^ index >> 16;
}

void ct_noise_make(uint32_t *data, size_t size, uint32_t first)
{
	size_t i;

	for (i = 0; i < size / sizeof(*data); i++)
		data[i] = noise(first + i);
}

size_t ct_noise_wrong(const uint32_t *data, size_t size, uint32_t first)
{
	size_t i, nr = 0;

	for (i = 0; i < size / sizeof(*data); i++)
		nr += data[i] != noise(first + i);
	return nr;
}

unsigned long ct_map_in_area(const void *addr, size_t size,
			     const struct ct_area *area)
{
	unsigned long nr = 0, page, nr_pages = size / ct_page_size;
	uint64_t *pfns = calloc(nr_pages, sizeof(*pfns));

	if (pfns)
		ct_pfns(addr, nr_pages, pfns);
	for (page = 0; pfns && page < nr_pages; page++)
		nr += ct_area_holds(area, pfns[page]);
	free(pfns);
	return nr;
}

int ct_mem_fill_outside(struct ct_mem *mem, enum ct_kind kind,
			const struct ct_area *area)
{
	int err;

	ct_drop_caches();
	err = ct_mem_fill(mem, kind);
	if (err)
		return err;
	ct_mem_drop(mem, area, true, mem->nr_pages);
	/* The kernel's own allocations cannot use the area. */
	ct_mem_drop(mem, area, false, OUTSIDE_SIZE / ct_page_size);
	return 0;
}

int ct_dma_take_most(int fd, const struct ct_area *area)
{
	size_t most = area->nr_pages / 4 * 3 * ct_page_size, size, sum = 0;
	struct dma_test_alloc bufs[64];
	struct dma_test_check check;
	unsigned int nr, i;
	int err = 0;

	for (nr = 0; !err && nr < 64 && sum < most; nr++, sum += size) {
		size = nr ? 4 * MIB : 16 * MIB;
		err = ct_dma_alloc(fd, size, DMA_TEST_KERNEL, 0, &bufs[nr]);
		if (err)
			break;
		err = ct_dma_check(fd, bufs[nr].id, &check);
		if (!err && check.tested != check.found)
			err = -EILSEQ;
		if (!err)
			err = ct_dma_fill(fd, bufs[nr].id, nr);
	}
	for (i = 0; i < nr; i++) {
		if (!err)
			err = ct_dma_verify(fd, bufs[i].id, i);
		ct_dma_free(fd, bufs[i].id);
	}
	return err;
}

/* Gets the word in brackets. */
static void get_choice(const char *path, char *word, size_t size)
{
	FILE *file = fopen(path, "r");
	char line[128] = "", *start;

	word[0] = 0;
	if (!file)
		return;
	if (fgets(line, sizeof(line), file)) {
		start = strchr(line, '[');
		if (start)
			snprintf(word, size, "%.*s",
				 (int)strcspn(start + 1, "]"), start + 1);
	}
	fclose(file);
}

long ct_thp_start(struct ct_thp *thp)
{
	get_choice(THP "enabled", thp->enabled, sizeof(thp->enabled));
	get_choice(THP "defrag", thp->defrag, sizeof(thp->defrag));
	if (!thp->enabled[0] || ct_write(THP "enabled", "madvise") ||
	    ct_write(THP "defrag", "madvise"))
		return -1;
	return ct_read_long(THP "hpage_pmd_size");
}

void ct_thp_end(const struct ct_thp *thp)
{
	if (!thp->enabled[0])
		return;
	ct_write(THP "enabled", thp->enabled);
	ct_write(THP "defrag", thp->defrag);
}
