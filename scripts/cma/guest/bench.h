/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the measuring program share. bench.c runs a case and
 * reports; each case is a struct kind in one of the other files.
 */
#ifndef BENCH_H
#define BENCH_H

#include "cma_test_lib.h"

/**
 * struct kind - a state of memory in which buffers are asked for
 * @name:	on the command line
 * @prepare:	once, before the first sample
 * @refill:	before each row of samples; brings the state back
 * @again:	after a request: others do once more what they did before; the
 *		time it takes them
 * @nr_windows:	before a row: how many buffers of a size there is room for, if
 *		something cannot move
 * @run:	instead of samples, for cases that measure something else
 * @no_area:	needs neither an area nor the driver
 * @in_turn:	one sample of each size after the other, not size by size
 * @in_row:	buffers are asked for in a row, and only then given back, so
 *		that what happens to be free serves the first of them only
 * @to_the_end:	the same, until there is no room for one more
 */
struct kind {
	const char *name;
	void (*prepare)(void);
	void (*refill)(void);
	uint64_t (*again)(void);
	unsigned long (*nr_windows)(size_t size);
	void (*run)(const size_t *sizes, int nr_sizes);
	bool no_area;
	bool in_turn;
	bool in_row;
	bool to_the_end;
};

#define NS_PER_S	1000000000ULL

extern const struct kind fill_kinds[];	/* bench_fill.c: other people's pages */
extern const struct kind held_kinds[];	/* bench_held.c: buffers of drivers */
extern const struct kind load_kinds[];	/* bench_load.c: running programs */
extern const struct kind pin_kinds[];	/* bench_pin.c: pinned for long */
extern const struct kind stress_kinds[]; /* bench_stress.c: all at once */

extern struct ct_area area;
extern const char *label;		/* of all lines of this run */
extern unsigned long number;		/* that came with the kind */
extern int driver;			/* an open DMA test driver */

/* Prints what went wrong, and ends the program. */
__attribute__((format(printf, 1, 2), noreturn))
void die(const char *format, ...);

/* The same for everybody who starts alike: figures must repeat. */
unsigned long random_below(unsigned long limit);

/* The large file on the disk. */
const char *open_disk(void);
/*
 * Whether the processor has always something to do. The clock counts
 * instructions, and jumps when all wait for the disk.
 */
void keep_busy(bool on);
uint64_t now_ns(void);
/* Until the disk has nothing to do. */
void wait_for_disk(void);

/* Anonymous memory everywhere but in the area and in some room outside. */
void leave_area(size_t room_size);
/*
 * Reads on in the large file, until less than @kib are free in the area or
 * @size is read; 0 stands for twice the file.
 */
void read_cache(size_t size, long kib);

/* Swap on zram, and what it takes to go on. */
void swap_on(void);
/* Processes that do what a build does, until this one ends. */
void start_jobs(unsigned long nr);

/* How buffers are asked for from now on; at first like most drivers do. */
void set_request(uint32_t context, uint32_t attrs);
/* 0, or a negative errno; the times of the calls, if they are wanted. */
int get_buffer(int fd, size_t size, uint32_t *id, uint64_t *time_ns);
void put_buffer(int fd, uint32_t id, uint64_t *time_ns);

#endif /* BENCH_H */
