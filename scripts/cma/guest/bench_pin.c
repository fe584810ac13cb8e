// SPDX-License-Identifier: GPL-2.0
/*
 * Measures how long a program waits that pins memory for long, as for RDMA: all
 * of the memory has to leave the area first.
 */
#include <unistd.h>

#include "bench.h"

#define ROUNDS		3

static struct ct_mem mem;

/* Finds the part with the most data; all pages with data lie in the area. */
static char *find_part(size_t size)
{
	const unsigned long nr_pages = size / ct_page_size;
	unsigned long end, nr = 0, best = 0, best_nr = 0;

	for (end = 1; end <= mem.nr_pages; end++) {
		nr += mem.has_data[end - 1];
		if (end > nr_pages)
			nr -= mem.has_data[end - nr_pages - 1];
		if (end >= nr_pages && nr > best_nr) {
			best_nr = nr;
			best = end - nr_pages;
		}
	}
	if (best_nr < nr_pages / 2)
		die("too little of %zu bytes lies in the area", size);
	return (char *)mem.addr + best * ct_page_size;
}

/* Pins a part of a full area while there is room outside. */
static void pin_part(size_t size)
{
	uint64_t start_ns, pinned_ns;
	int gup = open_gup();
	char *part;

	if (!ct_mem_fill_area(&mem, CT_ANON, &area))
		die("the area is not full");
	part = find_part(size);
	start_ns = now_ns();
	pin_longterm(gup, part, size);
	pinned_ns = now_ns();
	unpin_longterm(gup);
	printf("bench: sample %s %zu %llu %llu 0\n", label, size,
	       (unsigned long long)(pinned_ns - start_ns),
	       (unsigned long long)(now_ns() - pinned_ns));
	if (ct_mem_verify(&mem))
		die("data are lost");
	ct_mem_exit(&mem);
	close(gup);
}

static void run_pin(const size_t *sizes, int nr_sizes)
{
	int i, round;

	for (i = 0; i < nr_sizes; i++)
		for (round = 0; round < ROUNDS; round++)
			pin_part(sizes[i]);
}

const struct kind pin_kinds[] = {
	{ .name = "pin", .run = run_pin },
	{}
};
