/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs of this directory share: reading what the kernel tells
 * about an area (ct_area_*), filling memory with data that can be verified
 * (ct_mem_*) and talking to the DMA test driver (ct_dma_*).
 *
 * Units: pages where a name says nr_pages or pfn, bytes where it says size,
 * KiB where it says kib.
 */
#ifndef CMA_TEST_LIB_H
#define CMA_TEST_LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../../../../mm/cma/tests/dma_test.h"

#define KIB	1024UL
#define MIB	(1024UL * KIB)

/*
 * How long a test may take. Boards are emulated, debug kernels are slower, and
 * others may run beside: the limit is there for what hangs, and for nothing
 * else. kselftest_harness.h comes before this file.
 */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	600

/* Enough above the watermarks for the kernel and a program to go on. */
#define CT_HEADROOM_KIB	(4 * 1024)

/* Bits of /proc/kpageflags. */
#define CT_KPF_DIRTY	(1ULL << 4)
#define CT_KPF_LRU	(1ULL << 5)
#define CT_KPF_BUDDY	(1ULL << 10)
#define CT_KPF_ANON	(1ULL << 12)

/**
 * struct ct_area - the area that ordinary devices allocate from
 * @name:	its folder in debugfs and sysfs
 * @base_pfn:	the first page
 * @nr_pages:	how many there are
 */
struct ct_area {
	char name[64];
	unsigned long base_pfn;
	unsigned long nr_pages;
};

enum ct_kind {
	CT_ANON,		/* program data */
	CT_MLOCKED,		/* program data, locked */
	CT_SHMEM,		/* tmpfs and shared memory */
};

/**
 * struct ct_mem - memory with verifiable data in it
 * @kind:	what it is
 * @addr:	where it is mapped
 * @nr_pages:	the size of the mapping
 * @kept:	one byte a page: whether it holds data
 * @seed:	the data are a function of this and the offset
 * @fd:		CT_SHMEM: the file
 */
struct ct_mem {
	enum ct_kind kind;
	uint32_t *addr;
	unsigned long nr_pages;
	unsigned char *kept;
	uint32_t seed;
	int fd;
};

extern size_t ct_page_size;

/* 1, or less when CMA_TEST_QUICK=1 asks for shorter runs. */
unsigned int ct_scale(unsigned int nr);

/* Makes sure that there is an area, its files and the driver; exits if not. */
void ct_init(struct ct_area *area);

/* One number from a file; -1 when it cannot be read. */
long ct_read_long(const char *path);
int ct_write(const char *path, const char *text);
int ct_write_long(const char *path, long value);
/* The number behind a word at the start of a line; -1 when missing. */
long ct_read_field(const char *path, const char *name);
long ct_meminfo_kib(const char *name);
long ct_vmstat(const char *name);
/* A counter of /proc/zoneinfo, added up over all zones. */
long ct_zone_sum(const char *name);

/* Starts tracing the allocator's events anew; false when one is missing. */
bool ct_trace_start(void);
void ct_trace_stop(void);
/* The number of recorded events that contain both texts. */
int ct_trace_count(const char *event, const char *text);

/* A file of an area's in debugfs to read from: its lines, or one number. */
FILE *ct_area_open(const struct ct_area *area, const char *file);
long ct_area_debugfs(const struct ct_area *area, const char *file);
/* All that is held, for whoever: debugfs' used, and what is kept. */
long ct_area_held(const struct ct_area *area);
/* The latest line of debugfs' failures, of any area; false if there is none. */
bool ct_last_failure(char *line, size_t size);
/* The error in it, as a negative errno; 0 if there is none. */
int ct_last_error(void);
long ct_area_sysfs(const struct ct_area *area, const char *file);
/* A line of text out of an area's file in sysfs, and into it; 0 or -errno. */
int ct_area_get(const struct ct_area *area, const char *file, char *text,
		size_t size);
int ct_area_set(const struct ct_area *area, const char *file,
		const char *text);
int ct_area_write(const struct ct_area *area, const char *file, long value);
/* Buffers that were given back, and cached ones, become free. */
void ct_give_back_kept(const struct ct_area *area);
/* How many pages of the area have all of @set and none of @clear. */
long ct_area_count(const struct ct_area *area, uint64_t set, uint64_t clear);
bool ct_area_holds(const struct ct_area *area, unsigned long pfn);

/* The page frame behind an address of this process; 0 when none is. */
unsigned long ct_pfn(const void *addr);
/* That of a page which is held: reclaim may unmap it, but not take it away. */
unsigned long ct_held_pfn(const void *addr);
/* Those behind @nr pages from there on. */
void ct_pfns(const void *addr, unsigned long nr, uint64_t *pfns);

int ct_mem_init(struct ct_mem *mem, enum ct_kind kind, unsigned long nr_pages);
void ct_mem_write(struct ct_mem *mem, unsigned long first, unsigned long nr);
/* Gives pages that hold data back, and writes the same data into new ones. */
void ct_mem_rewrite(struct ct_mem *mem, unsigned long first, unsigned long nr);
/* The number of pages whose data are not what was written. */
unsigned long ct_mem_verify(const struct ct_mem *mem);
unsigned long ct_mem_in_area(struct ct_mem *mem, const struct ct_area *area);
/* Gives back pages that lie in the area, or those that do not. */
void ct_mem_drop(struct ct_mem *mem, const struct ct_area *area, bool inside,
		 unsigned long nr_max);
/*
 * Puts pages, not yet written to, where there are none, until only
 * @headroom_kib are free above the watermarks.
 */
void ct_mem_touch(struct ct_mem *mem, long headroom_kib);
void ct_mem_exit(struct ct_mem *mem);
/* Fills all of memory, but for a little that the kernel needs to go on. */
int ct_mem_fill(struct ct_mem *mem, enum ct_kind kind);
/*
 * Fills all of memory, then gives back what lies outside the area, so that
 * the area is full while memory is not. Returns the pages in the area.
 */
unsigned long ct_mem_fill_area(struct ct_mem *mem, enum ct_kind kind,
			       const struct ct_area *area);

/* Fresh private memory of @size bytes; NULL if there is none. */
void *ct_map(size_t size);

/* A file larger than memory or nearly so, on a disk; NULL without a disk. */
const char *ct_big_file(void);
/*
 * Reads on from *offset, in a circle, until less than @kib of CmaFree is left
 * or @size_max bytes are read; 0 stands for twice the file.
 */
int ct_read_on(const char *path, off_t *offset, off_t size_max, long kib);
void ct_drop_caches(void);

/*
 * Steps of an allocation that can be made to fail, the order of enum
 * contig_fail_point in mm/cma/internal.h.
 */
enum ct_step {
	CT_STEP_BUFFER,
	CT_STEP_TAKE,
	CT_STEP_CLAIM,
	CT_STEP_ISOLATE,
	CT_STEP_EVACUATE,
	CT_STEP_TARGET,
	CT_STEP_COPY,
};

/* Whether there is CONFIG_FAIL_CMA, which the others need. */
bool ct_can_fail(void);
/* From now on a step fails so many times; -1 stands for always. */
void ct_fail_at(enum ct_step step, int times);
/* Until here. Returns how many times are left. */
int ct_fail_end(void);

int ct_dma_open(void);
/*
 * True where ordinary pages take the place of an area as far as they can: for
 * single pages always, for others when the area is used up.
 */
bool ct_dma_generic(int fd);
/* All return 0 or a negative errno. */
int ct_dma_alloc(int fd, size_t size, uint32_t context, uint32_t attrs,
		 struct dma_test_alloc *buf);
int ct_dma_free(int fd, uint32_t id);
int ct_dma_check(int fd, uint32_t id, struct dma_test_check *check);
int ct_dma_fill(int fd, uint32_t id, uint32_t seed);
int ct_dma_verify(int fd, uint32_t id, uint32_t seed);

#endif /* CMA_TEST_LIB_H */
