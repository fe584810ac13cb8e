// SPDX-License-Identifier: GPL-2.0
/*
 * Areas that programs may allocate from, as dma-buf heaps.
 *
 * An area is for its devices unless it says otherwise, or the command line does
 * by cma_heap.areas=. The default area always has a heap.
 */
#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/export.h>
#include <linux/moduleparam.h>

#include "dma-areas.h"

/* The driver of the heaps may be a module; this is read without it. */
#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX	"cma_heap."

static char *areas = "";
module_param(areas, charp, 0);
MODULE_PARM_DESC(areas, "Areas that programs may take from beside the default one: names, globs, with commas between");

/**
 * struct dma_area_heap_search - which area to find
 * @nr_before:	how many that have a heap come before it
 * @area:	the area, NULL until it is found
 */
struct dma_area_heap_search {
	unsigned int nr_before;
	struct cma *area;
};

static int dma_area_find_heap(struct cma *cma, void *data)
{
	struct dma_area_heap_search *search = data;

	if (!cma_serves_pages(cma) ||
	    (cma != dma_contiguous_default_area && !cma_has_heap(cma) &&
	     !dma_area_globs_match(areas, cma_get_name(cma))))
		return 0;
	if (search->nr_before--)
		return 0;
	search->area = cma;
	return 1;
}

/**
 * dma_contiguous_get_area_by_idx() - find an area that programs may take from
 * @idx:	number of the area, from 0 on
 *
 * Context: Any, once areas are active.
 * Return: the area, or NULL if there are no more.
 */
struct cma *dma_contiguous_get_area_by_idx(unsigned int idx)
{
	struct dma_area_heap_search search = { .nr_before = idx };

	cma_for_each_area(dma_area_find_heap, &search);
	return search.area;
}
EXPORT_SYMBOL_GPL(dma_contiguous_get_area_by_idx);
