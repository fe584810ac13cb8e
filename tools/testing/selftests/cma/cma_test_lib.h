/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Library of the programs in this directory. It reads the kernel's files about
 * an area (ct_area_*), fills memory with data that can be verified (ct_mem_*)
 * and calls the DMA test driver (ct_dma_*).
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
 * Seconds that a test may take. The limit only ends tests that hang: emulated
 * boards and debug kernels are slow. Include kselftest_harness.h before.
 */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	600

/* The kernel and a program can go on with this much above the watermarks. */
#define CT_HEADROOM_KIB	(4 * 1024)

/* Bits of /proc/kpageflags. */
#define CT_KPF_DIRTY	(1ULL << 4)
#define CT_KPF_LRU	(1ULL << 5)
#define CT_KPF_BUDDY	(1ULL << 10)
#define CT_KPF_ANON	(1ULL << 12)
#define CT_KPF_SWAPBACKED	(1ULL << 14)
#define CT_KPF_UNEVICTABLE	(1ULL << 18)
#define CT_KPF_THP	(1ULL << 22)

/**
 * struct ct_area - an area
 * @name:	its folder in debugfs and sysfs
 * @base_pfn:	first page
 * @nr_pages:	number of pages
 */
struct ct_area {
	char name[64];
	unsigned long base_pfn;
	unsigned long nr_pages;
};

enum ct_kind {
	CT_ANON,		/* anonymous memory */
	CT_MLOCKED,		/* anonymous memory, locked */
	CT_SHMEM,		/* tmpfs and shared memory */
};

/**
 * struct ct_mem - memory with verifiable data in it
 * @kind:	kind of memory
 * @addr:	start of the mapping
 * @nr_pages:	size of the mapping
 * @has_data:	one byte a page: whether it has data
 * @seed:	the data are a function of the seed and the offset
 * @fd:		file of CT_SHMEM
 */
struct ct_mem {
	enum ct_kind kind;
	uint32_t *addr;
	unsigned long nr_pages;
	unsigned char *has_data;
	uint32_t seed;
	int fd;
};

extern size_t ct_page_size;

/* Lets programs fill areas to the last page, until this program ends. */
void ct_end_headroom(void);

/* Returns @nr, or a tenth of it if CMA_TEST_QUICK=1 asks for shorter runs. */
unsigned int ct_scale(unsigned int nr);

/* Finds the default area and loads the driver; exits if one is missing. */
void ct_init(struct ct_area *area);

/* Returns the number in a file, or -1. */
long ct_read_long(const char *path);
int ct_write(const char *path, const char *text);
int ct_write_long(const char *path, long value);
/* Returns the number after @name at the start of a line, or -1. */
long ct_read_field(const char *path, const char *name);
long ct_meminfo_kib(const char *name);
long ct_vmstat(const char *name);
/* Returns the sum of a counter of /proc/zoneinfo over all zones. */
long ct_zone_sum(const char *name);

/* Tells how many pages a request moved; Linux 7.3 has no such event. */
#define CT_TRACE_MOVED	"kmem/mm_alloc_contig_migrate_range_info"
bool ct_trace_counts_moved(void);

/* Empties the trace and enables the allocator's events; false if one fails. */
bool ct_trace_start(void);
void ct_trace_stop(void);
/* Returns the number of traced lines that contain both texts. */
int ct_trace_count(const char *event, const char *text);

/* Open a file of the area in debugfs, or return the number in it. */
FILE *ct_area_open(const struct ct_area *area, const char *file);
long ct_area_debugfs(const struct ct_area *area, const char *file);
/* Returns the pages of all buffers in use and of all cached ones. */
long ct_area_held(const struct ct_area *area);
/* Gets the last line of failures in debugfs; false if there is none. */
bool ct_last_failure(char *line, size_t size);
/* Returns the negative errno in that line, or 0. */
int ct_last_error(void);
/* Gets the last report of a failure, for root; false if there is none. */
bool ct_last_report(char *text, size_t size);
long ct_area_sysfs(const struct ct_area *area, const char *file);
/* Read or write a line of a file of the area in sysfs; return 0 or -errno. */
int ct_area_get(const struct ct_area *area, const char *file, char *text,
		size_t size);
int ct_area_set(const struct ct_area *area, const char *file,
		const char *text);
int ct_area_write(const struct ct_area *area, const char *file, long value);
/* Frees all cached buffers of the area. */
void ct_flush_cache(const struct ct_area *area);
/* Counts the pages of the area with all flags of @set and none of @clear. */
long ct_area_count(const struct ct_area *area, uint64_t set, uint64_t clear);
/*
 * Sums the pages of a kind in the map of the area, for root; an empty kind stands
 * for all.
 */
long ct_area_map(const struct ct_area *area, const char *kind);
bool ct_area_holds(const struct ct_area *area, unsigned long pfn);

/* Returns the page frame behind an address of this process, or 0. */
unsigned long ct_pfn(const void *addr);
/* The same for a pinned page, which reclaim may unmap but not free. */
unsigned long ct_held_pfn(const void *addr);
/* Gets the page frames of @nr pages from @addr on. */
void ct_pfns(const void *addr, unsigned long nr, uint64_t *pfns);

int ct_mem_init(struct ct_mem *mem, enum ct_kind kind, unsigned long nr_pages);
void ct_mem_write(struct ct_mem *mem, unsigned long first, unsigned long nr);
/* Frees pages with data and writes the same data into new pages. */
void ct_mem_rewrite(struct ct_mem *mem, unsigned long first, unsigned long nr);
/* Returns the number of pages with wrong data. */
unsigned long ct_mem_verify(const struct ct_mem *mem);
unsigned long ct_mem_in_area(struct ct_mem *mem, const struct ct_area *area);
/*
 * Where the program has each page of the area, or NULL: one pointer for each
 * page of it. Free it.
 */
char **ct_mem_by_pfn(const struct ct_mem *mem, const struct ct_area *area);
/*
 * Makes per-CPU lists short, so that freed pages become free for all CPUs, or as
 * long as they were. Long lists have some MiB, and a CPU would use these before
 * free pages of the area.
 */
void ct_mem_limit_cpu_lists(bool on);
/*
 * Moves to the next CPU, which may be on another node, and uses up its own
 * per-CPU lists.
 */
void ct_next_cpu(void);
/* Frees at most @nr_max pages that lie inside, or outside, the area. */
void ct_mem_drop(struct ct_mem *mem, const struct ct_area *area, bool inside,
		 unsigned long nr_max);
/* Returns what user pages never get: the watermarks and the reserves of zones. */
long ct_mem_reserved_kib(void);
/*
 * Populates the mapping, without data, until only @headroom_kib are free above
 * the watermarks.
 */
void ct_mem_touch(struct ct_mem *mem, long headroom_kib);
void ct_mem_exit(struct ct_mem *mem);
/* Fills all memory except for the little that the kernel needs to go on. */
int ct_mem_fill(struct ct_mem *mem, enum ct_kind kind);
/*
 * Fills all memory, then frees the pages outside the area: the area is full and
 * other memory is free. Returns the number of pages in the area.
 */
unsigned long ct_mem_fill_area(struct ct_mem *mem, enum ct_kind kind,
			       const struct ct_area *area);

/* Returns new private memory of @size bytes, or NULL. */
void *ct_map(size_t size);

/* Returns the path of a file about as large as memory; NULL without a disk. */
const char *ct_big_file(void);
/*
 * Reads on from *offset, and again from the start, until CmaFree is below @kib
 * or @size_max bytes are read; 0 stands for twice the file's size.
 */
int ct_read_on(const char *path, off_t *offset, off_t size_max, long kib);
void ct_drop_caches(void);

/*
 * Makes a group for programs, with a limit on their memory in bytes; false if the
 * kernel has no memory cgroups.
 */
#define CT_GROUPS	"/tmp/cma_groups"
#define CT_GROUP	CT_GROUPS "/limited"
bool ct_group_make(size_t max);
void ct_group_remove(void);

/* Fault injection points; the order is that of enum contig_fail_point. */
enum ct_step {
	CT_STEP_BUFFER,
	CT_STEP_TAKE,
	CT_STEP_CLAIM,
	CT_STEP_ISOLATE,
	CT_STEP_EVACUATE,
	CT_STEP_TARGET,
	CT_STEP_COPY,
};

/* Returns whether the kernel has CONFIG_FAIL_CMA. */
bool ct_can_fail(void);
/* Makes a step fail @times times; -1 stands for always. */
void ct_fail_at(enum ct_step step, int times);
/* Ends the failures; returns how many times are left. */
int ct_fail_end(void);

int ct_dma_open(void);
/*
 * Returns true on architectures with the generic DMA code: it takes single
 * pages from the page allocator, and others, too, when the area is full.
 */
bool ct_dma_generic(int fd);
/* These return 0 or a negative errno. */
int ct_dma_alloc(int fd, size_t size, uint32_t context, uint32_t attrs,
		 struct dma_test_alloc *buf);
int ct_dma_free(int fd, uint32_t id);
int ct_dma_check(int fd, uint32_t id, struct dma_test_check *check);
int ct_dma_fill(int fd, uint32_t id, uint32_t seed);
int ct_dma_verify(int fd, uint32_t id, uint32_t seed);

#endif /* CMA_TEST_LIB_H */
