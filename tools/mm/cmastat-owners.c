// SPDX-License-Identifier: GPL-2.0
/*
 * cmastat: devices that hold the pages of an area.
 *
 * A run of held pages in a map can cover several buffers. The list of holders
 * says which device has each of them, so runs are split here.
 */
#include "cmastat.h"

#include <stdlib.h>
#include <string.h>

static int owner_find(struct owners *owners, const char *device)
{
	size_t i;

	/* Neighbours often belong to the same device: begin with the last. */
	for (i = owners->nr; i; i--)
		if (!strcmp(owners->owner[i - 1].device, device))
			return i - 1;
	owners->owner = more_memory(owners->owner, owners->nr,
				    sizeof(*owners->owner));
	owners->owner[owners->nr] = (struct owner) { .device = device };
	return owners->nr++;
}

static int span_compare(const void *a, const void *b)
{
	const struct owner_span *one = a, *other = b;

	return one->pfn < other->pfn ? -1 : one->pfn > other->pfn;
}

static int owner_compare(const void *a, const void *b)
{
	const struct owner *one = a, *other = b;

	if (one->nr_pages != other->nr_pages)
		return one->nr_pages > other->nr_pages ? -1 : 1;
	return strcmp(one->device, other->device);
}

/* A map has letters for 26 devices: give them to the largest ones. */
static void owners_sort(struct owners *owners)
{
	struct owner *old = calloc(owners->nr + 1, sizeof(*old));
	size_t i;

	if (!old || !owners->nr) {
		free(old);
		return;
	}
	memcpy(old, owners->owner, owners->nr * sizeof(*old));
	qsort(owners->owner, owners->nr, sizeof(*old), owner_compare);
	for (i = 0; i < owners->nr_spans; i++)
		owners->span[i].owner =
			owner_find(owners, old[owners->span[i].owner].device);
	free(old);
}

void owners_make(struct owners *owners, const struct holders *holders,
		 const char *area)
{
	const struct holder *holder;
	struct owner_span *span;
	size_t i;

	*owners = (struct owners) { 0 };
	for (i = 0; i < holders->nr; i++) {
		holder = &holders->holder[i];
		if (holder->state != HOLDER_BUFFER ||
		    strcmp(holder->area, area))
			continue;
		owners->span = more_memory(owners->span, owners->nr_spans,
					   sizeof(*owners->span));
		span = &owners->span[owners->nr_spans++];
		span->pfn = holder->pfn;
		span->nr_pages = holder->nr_pages;
		span->owner = owner_find(owners,
					 holder->device ?: NO_DEVICE);
		owners->owner[span->owner].nr_pages += span->nr_pages;
	}
	owners_sort(owners);
	if (owners->nr_spans)
		qsort(owners->span, owners->nr_spans, sizeof(*owners->span),
		      span_compare);
}

void owners_free(struct owners *owners)
{
	free(owners->owner);
	free(owners->span);
}

/* Returns the index of the first span that ends behind @pfn. */
static size_t owners_first_span(const struct owners *owners, uint64_t pfn)
{
	size_t low = 0, high = owners->nr_spans;

	while (low < high) {
		size_t i = low + (high - low) / 2;

		if (owners->span[i].pfn + owners->span[i].nr_pages > pfn)
			high = i;
		else
			low = i + 1;
	}
	return low;
}

static uint64_t min_pages(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Splits a run so that each part has one owner or none. */
void owners_split(const struct owners *owners, const struct run *run,
		  owned_fn *fn, void *data)
{
	uint64_t pfn = run->pfn, end = run->pfn + run->nr_pages, stop;
	size_t i = owners->nr_spans;
	int owner;

	if (run->kind == KIND_HELD)
		i = owners_first_span(owners, pfn);
	while (pfn < end) {
		stop = end;
		owner = NO_OWNER;
		if (i < owners->nr_spans) {
			const struct owner_span *span = &owners->span[i];

			stop = span->pfn;
			if (span->pfn <= pfn) {
				owner = span->owner;
				stop += span->nr_pages;
				i++;
			}
		}
		/* Spans overlap if a file was damaged. */
		if (stop <= pfn)
			continue;
		stop = min_pages(stop, end);
		fn(&(struct run) { pfn, stop - pfn, run->kind }, owner, data);
		pfn = stop;
	}
}
