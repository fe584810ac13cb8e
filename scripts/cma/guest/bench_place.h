/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interface between the loads that show what a large area does to memory in
 * general: bench_grow.c, bench_large.c and bench_beside.c; and bench_fault.c. Each
 * figure is a line for scripts/cma/measure/placement.py:
 *   bench: place LABEL NAME VALUE
 */
#ifndef BENCH_PLACE_H
#define BENCH_PLACE_H

#include "bench.h"

/* Prints a figure. */
void report(const char *name, unsigned long long value);

/* Enables swap on zram, if it has a size, and sets min_free_kbytes. */
void place_prepare(size_t swap_size);
/* Start and end the time and the counters that place_report() prints. */
void place_start(void);
void place_end(void);
void place_report(void);

/*
 * Takes 1 MiB of pages that cannot move; returns false if there are none. These
 * are pages of a pipe, which are neither movable nor reclaimable. The data are
 * written to it again and again.
 */
#define UNMOVABLE_DATA	(64 * KIB)
bool take_unmovable_data(int *fds, const char *data);
bool take_unmovable(int *fds);
void put_unmovable(const int *fds);

/* Write data that compress to a quarter, map them, use all pages, compare. */
void program_write(char *data, size_t size);
char *program_map(size_t size);
void program_use(char *data, size_t size);
void program_verify(const char *data, size_t size);

/*
 * Returns the path of a file of @size bytes, all holes: page cache without waits
 * for a disk.
 */
const char *make_file(size_t size);

#endif /* BENCH_PLACE_H */
