/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interface between the files of the measuring program. bench.c runs a case and
 * reports; each case is a struct kind in one of the other files.
 */
#ifndef BENCH_H
#define BENCH_H

#include <time.h>

#include "cma_test_lib.h"

/**
 * struct kind - a state of memory in which buffers are requested
 * @name:	name on the command line
 * @prepare:	called once before the first sample
 * @refill:	called before each row of samples; restores the state
 * @again:	called after a request: other programs use their memory again;
 *		returns how long that takes
 * @nr_windows:	called before a row: returns how many buffers of a size there is
 *		room for if some pages cannot move
 * @run:	called instead of taking samples
 * @nr_sizes:	number of sizes that it takes; 0 stands for any
 * @context:	the flags of its requests, if not those of most drivers
 * @attrs:	the attributes of its requests
 * @no_area:	needs neither an area nor the driver
 * @in_turn:	takes one sample of each size in turn, not size by size
 * @in_row:	frees buffers at the end of a row only, so that pages that
 *		happen to be free serve the first request only
 * @to_the_end:	like @in_row, until there is no room for one more
 */
struct kind {
	const char *name;
	void (*prepare)(void);
	void (*refill)(void);
	uint64_t (*again)(void);
	unsigned long (*nr_windows)(size_t size);
	void (*run)(const size_t *sizes, int nr_sizes);
	int nr_sizes;
	uint32_t context;
	uint32_t attrs;
	bool no_area;
	bool in_turn;
	bool in_row;
	bool to_the_end;
};

#define NS_PER_S	1000000000ULL

extern const struct kind beside_kinds[]; /* bench_beside.c: drivers beside */
extern const struct kind fault_kinds[];	/* bench_fault.c: page faults */
extern const struct kind fill_kinds[];	/* bench_fill.c: pages of other users */
extern const struct kind grow_kinds[];	/* bench_grow.c: unmovable memory */
extern const struct kind held_kinds[];	/* bench_held.c: buffers of drivers */
extern const struct kind large_kinds[];	/* bench_large.c: much at once */
extern const struct kind load_kinds[];	/* bench_load.c: running programs */
extern const struct kind pin_kinds[];	/* bench_pin.c: pinned for long */
extern const struct kind soak_kinds[];	/* bench_soak.c: all at once, compared */
extern const struct kind stress_kinds[]; /* bench_stress.c: all at once */

extern struct ct_area area;
extern const char *label;		/* in all lines of this run */
extern unsigned long number;		/* NUMBER of the command line */
extern int driver;			/* open file of the DMA test driver */

/* Prints an error and ends the program. */
__attribute__((format(printf, 1, 2), noreturn))
void die(const char *format, ...);

/* Returns a pseudorandom number with a fixed seed: figures must repeat. */
unsigned long random_below(unsigned long limit);

/* Returns the path of the large file on the disk. */
const char *open_disk(void);
/* Opens an empty file beside it, which ends with this program. */
int open_file(const char *name, int flags);
/* Returns new private memory. */
void *map_memory(size_t size);
/*
 * Keeps the CPU from idling. The clock counts instructions, and jumps when all
 * tasks wait for the disk.
 */
void keep_busy(bool on);
uint64_t clock_ns(clockid_t clock);
uint64_t now_ns(void);
/* Waits until the disk is idle. */
void wait_for_disk(void);

/* Fills all memory except for the area and @room_size outside of it. */
void leave_area(size_t room_size);
/*
 * Reads on in the large file until less than @kib are free in the area or @size
 * is read; 0 stands for twice the file.
 */
void read_cache(size_t size, long kib);

/* Reads and writes the disk without a pause, with pages that @pick returns. */
void direct_io(char *(*pick)(void));
/* Writes a page of which only an eighth, or half, does not compress. */
void write_compressible(uint32_t *words, uint32_t page);
/* Looks which pages of the area drivers hold; returns how many. */
unsigned long look_at_held(void);

/*
 * Enable swap on zram, of @size bytes if that is not 0, and reserve the memory
 * that zram needs.
 */
void swap_on(void);
void swap_on_size(size_t size);

/*
 * Pin memory for long, as RDMA does: all of it has to leave the area first. The
 * file is opened ahead of the measurement; its end ends the pin, too.
 */
int open_gup(void);
void pin_longterm(int gup, const void *addr, size_t size);
void unpin_longterm(int gup);

/* Starts processes that work like a build until this program ends. */
void start_jobs(unsigned long nr);

/* get_buffer() returns 0 or -ENOMEM. @time_ns may be NULL. */
int get_buffer(int fd, size_t size, uint32_t *id, uint64_t *time_ns);
void put_buffer(int fd, uint32_t id, uint64_t *time_ns);

#endif /* BENCH_H */
