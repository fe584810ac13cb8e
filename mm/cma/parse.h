/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Parse the command line.
 *
 * Pure: strings in, numbers out. Sizes and addresses are bytes.
 */
#ifndef _MM_CMA_PARSE_H
#define _MM_CMA_PARSE_H

#include <linux/types.h>

/* Longest type and longest list of devices, with the NUL. */
#define CMA_PARSE_NAME	128

/**
 * struct cma_spec - one "size[@base[-[limit]]]"
 * @size:	bytes; 0 asks for no area
 * @base:	lowest address; valid if @has_base
 * @limit:	first address past the area; 0 if there is no limit, or if it is
 *		above all addresses
 * @has_base:	a base was given
 * @has_limit:	a minus was given, with or without a number
 * @rest:	the unread rest of the text; set by cma_parse_spec() only
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
 * struct cma_area_spec - an area, or options for an area declared elsewhere
 * @spec:	size and place
 * @alignment:	bytes, a power of two; 0 if none was given
 * @elsewhere:	@type is the name of an area that is declared elsewhere; size
 *		and place are not given
 * @exclusive:	the mode is exclusive
 * @guaranteed:	the mode is guaranteed
 * @fallback:	ordinary memory will do if the area is full
 * @first_fit:	requests go to the lowest hole that fits
 * @heap:	programs may allocate from it, too
 * @type:	memory type; if @elsewhere, name of the area
 * @devices:	globs, separated by commas; empty for a common area
 *
 * The text is "type[/device,...]=size[@base[-limit]][/align]", or the name of
 * an area. ":exclusive", ":guaranteed", ":fallback", ":first" and ":heap" may
 * follow.
 */
struct cma_area_spec {
	struct cma_spec spec;
	phys_addr_t alignment;
	bool elsewhere;
	bool exclusive;
	bool guaranteed;
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

/* Return: true if [@base, @base + @size) does not overflow phys_addr_t. */
static inline bool cma_span_ok(phys_addr_t base, phys_addr_t size)
{
	return !size || base <= (phys_addr_t)~0ULL - (size - 1);
}

#endif /* _MM_CMA_PARSE_H */
