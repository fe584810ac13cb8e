// SPDX-License-Identifier: GPL-2.0
/*
 * Measures page faults of anonymous memory, and their unmap, for
 * scripts/cma/measure/hot.py. Prints thousandths of a nanosecond a page.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

#include "bench_place.h"

#define NR_TURNS	8	/* interrupts are in some of them */

static uint64_t less(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void report_of_size(const char *what, size_t size, uint64_t ns)
{
	char name[32];

	snprintf(name, sizeof(name), "%s-%zu", what, size / (size_t)KIB);
	report(name, ns * 1000 / (size / ct_page_size));
}

/* A program uses @size bytes of memory for the first time. */
static void measure_faults(size_t size)
{
	uint64_t fault_ns = UINT64_MAX, unmap_ns = UINT64_MAX, start, middle;
	char *data;
	size_t at;
	int turn;

	for (turn = 0; turn < NR_TURNS; turn++) {
		data = map_memory(size);
		start = now_ns();
		for (at = 0; at < size; at += ct_page_size)
			data[at] = 1;
		middle = now_ns();
		munmap(data, size);
		unmap_ns = less(unmap_ns, now_ns() - middle);
		fault_ns = less(fault_ns, middle - start);
	}
	report_of_size("fault", size, fault_ns);
	report_of_size("unmap", size, unmap_ns);
}

static void run_fault(const size_t *sizes, int nr_sizes)
{
	for (int i = 0; i < nr_sizes; i++)
		measure_faults(sizes[i]);
}

const struct kind fault_kinds[] = {
	{ .name = "fault", .run = run_fault, .nr_sizes = 2, .no_area = true },
	{}
};
