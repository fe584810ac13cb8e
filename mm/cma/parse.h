/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the words of the command line to what is to be reserved.
 *
 * Pure: strings in, numbers out. Sizes and addresses are bytes.
 */
#ifndef _MM_CMA_PARSE_H
#define _MM_CMA_PARSE_H

#include <linux/types.h>

/* Longest type and list of devices, with the NUL. */
#define CMA_PARSE_NAME	128

/**
 * struct cma_spec - one "size[@base[-[limit]]]"
 * @size:	bytes; 0 asks for no area
 * @base:	lowest address, meaningful if @has_base
 * @limit:	first address behind; 0 for no limit, or one that no address is
 *		above
 * @has_base:	a base was given
 * @has_limit:	a limit was given
 * @rest:	what of the text was not read, for the whole text of "cma=" only
 */
struct cma_spec {
	phys_addr_t size;
	phys_addr_t base;
	phys_addr_t limit;
	bool has_base;
	bool has_limit;
	const char *rest;
};

/**
 * struct cma_area_spec - one "type[/device,...]=size[@base[-limit]][/align]" with
 * ":exclusive", ":fallback", ":first" and ":heap" behind it; or one
 * "area:exclusive", with these options for an area that is declared elsewhere
 * @elsewhere:	the latter: @type is the area's name, there is no size or place
 * @spec:	size and place
 * @alignment:	bytes, a power of two; 0 if none was given
 * @exclusive:	for its devices alone
 * @fallback:	other memory does as well
 * @first_fit:	requests go to the lowest hole that takes them
 * @heap:	programs may take buffers from it, too
 * @type:	memory type; or name, if @elsewhere
 * @devices:	globs with commas between; empty for a common area
 */
struct cma_area_spec {
	struct cma_spec spec;
	phys_addr_t alignment;
	bool elsewhere;
	bool exclusive;
	bool fallback;
	bool first_fit;
	bool heap;
	char type[CMA_PARSE_NAME];
	char devices[CMA_PARSE_NAME];
};

const char *cma_parse_area(const char *text, struct cma_area_spec *area);
const char *cma_parse_spec(const char *text, struct cma_spec *spec);
const char *cma_parse_nodes(const char *text, phys_addr_t *size_of_node,
			    int nr_nodes);

/* true if [@base, @base + @size) does not reach past what @phys_addr_t holds */
static inline bool cma_span_ok(phys_addr_t base, phys_addr_t size)
{
	return !size || base <= (phys_addr_t)~0ULL - (size - 1);
}

#endif /* _MM_CMA_PARSE_H */
