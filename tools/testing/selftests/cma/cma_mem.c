// SPDX-License-Identifier: GPL-2.0
/*
 * Fills memory with data that can be verified, and finds out where it lies; see
 * cma_test_lib.h.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cma_test_lib.h"

#define LOOK_PAGES	64	/* populated between two looks at MemFree */
#define CPU_PAGES	1024	/* populated by one CPU before the next */
#define PFNS_AT_ONCE	512	/* of a program, read by one call */

void ct_pfns(const void *addr, unsigned long nr, uint64_t *pfns)
{
	off_t offset = (uintptr_t)addr / ct_page_size * sizeof(*pfns);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	unsigned long i;

	memset(pfns, 0, nr * sizeof(*pfns));
	if (pread(fd, pfns, nr * sizeof(*pfns), offset) < 0)
		perror("/proc/self/pagemap");
	for (i = 0; i < nr; i++)
		pfns[i] = pfns[i] >> 63 ? pfns[i] & ((1ULL << 55) - 1) : 0;
	close(fd);
}

unsigned long ct_pfn(const void *addr)
{
	uint64_t pfn;

	ct_pfns(addr, 1, &pfn);
	return pfn;
}

unsigned long ct_held_pfn(const void *addr)
{
	uintptr_t page = (uintptr_t)addr & ~(uintptr_t)(ct_page_size - 1);

	if (madvise((void *)page, ct_page_size, MADV_POPULATE_READ))
		perror("madvise");
	return ct_pfn(addr);
}

static uint32_t *mem_page(const struct ct_mem *mem, unsigned long page)
{
	return mem->addr + page * ct_page_size / sizeof(*mem->addr);
}

static uint32_t mem_word(const struct ct_mem *mem, unsigned long page, size_t i)
{
	return mem->seed * 0x9e3779b1u ^
	       (uint32_t)(page * ct_page_size / sizeof(*mem->addr) + i);
}

int ct_mem_init(struct ct_mem *mem, enum ct_kind kind, unsigned long nr_pages)
{
	static uint32_t seed;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

	memset(mem, 0, sizeof(*mem));
	mem->kind = kind;
	mem->nr_pages = nr_pages;
	mem->seed = getpid() + (++seed << 16);
	mem->fd = -1;
	mem->has_data = calloc(nr_pages, 1);
	if (kind == CT_SHMEM) {
		flags = MAP_SHARED;
		mem->fd = memfd_create("cma_test", MFD_CLOEXEC |
						   MFD_ALLOW_SEALING);
		if (mem->fd < 0 ||
		    ftruncate(mem->fd, (off_t)nr_pages * ct_page_size))
			return -errno;
	}
	mem->addr = mmap(NULL, nr_pages * ct_page_size, PROT_READ | PROT_WRITE,
			 flags, mem->fd, 0);
	if (!mem->has_data || mem->addr == MAP_FAILED)
		return -ENOMEM;
	if (kind == CT_MLOCKED &&
	    mlock2(mem->addr, nr_pages * ct_page_size, MLOCK_ONFAULT))
		return -errno;
	return 0;
}

void ct_mem_write(struct ct_mem *mem, unsigned long first, unsigned long nr)
{
	unsigned long page;
	size_t i;

	for (page = first; page < first + nr && page < mem->nr_pages; page++) {
		for (i = 0; i < ct_page_size / sizeof(*mem->addr); i++)
			mem_page(mem, page)[i] = mem_word(mem, page, i);
		mem->has_data[page] = 1;
	}
}

static void mem_drop(struct ct_mem *mem, unsigned long first, unsigned long nr)
{
	void *addr = mem_page(mem, first);

	if (mem->kind == CT_MLOCKED)
		munlock(addr, nr * ct_page_size);
	madvise(addr, nr * ct_page_size,
		mem->kind == CT_SHMEM ? MADV_REMOVE : MADV_DONTNEED);
	memset(mem->has_data + first, 0, nr);
}

void ct_mem_rewrite(struct ct_mem *mem, unsigned long first, unsigned long nr)
{
	unsigned long page;

	for (page = first; page < first + nr && page < mem->nr_pages; page++) {
		if (!mem->has_data[page])
			continue;
		mem_drop(mem, page, 1);
		ct_mem_write(mem, page, 1);
	}
}

unsigned long ct_mem_verify(const struct ct_mem *mem)
{
	unsigned long page, nr_bad = 0;
	size_t i;

	for (page = 0; page < mem->nr_pages; page++) {
		if (!mem->has_data[page])
			continue;
		for (i = 0; i < ct_page_size / sizeof(*mem->addr); i++) {
			if (mem_page(mem, page)[i] != mem_word(mem, page, i)) {
				nr_bad++;
				break;
			}
		}
	}
	return nr_bad;
}

/*
 * Frees at most @nr_drop pages inside, or outside, the area. Returns the number
 * of pages that are left in the area.
 */
static unsigned long mem_scan(struct ct_mem *mem, const struct ct_area *area,
			      bool drop_inside, unsigned long nr_drop)
{
	unsigned long page, nr, i, nr_out = 0, nr_in = 0;
	uint64_t pfns[PFNS_AT_ONCE];
	bool inside;

	for (page = 0; page < mem->nr_pages; page += nr) {
		nr = mem->nr_pages - page;
		if (nr > PFNS_AT_ONCE)
			nr = PFNS_AT_ONCE;
		ct_pfns(mem_page(mem, page), nr, pfns);
		for (i = 0; i < nr; i++) {
			inside = ct_area_holds(area, pfns[i]);
			if (mem->has_data[page + i] && nr_drop &&
			    inside == drop_inside) {
				nr_drop--;
				nr_out++;
				continue;
			}
			nr_in += mem->has_data[page + i] && inside;
			if (nr_out)
				mem_drop(mem, page + i - nr_out, nr_out);
			nr_out = 0;
		}
	}
	if (nr_out)
		mem_drop(mem, mem->nr_pages - nr_out, nr_out);
	return nr_in;
}

unsigned long ct_mem_in_area(struct ct_mem *mem, const struct ct_area *area)
{
	return mem_scan(mem, area, false, 0);
}

char **ct_mem_by_pfn(const struct ct_mem *mem, const struct ct_area *area)
{
	char **by_pfn = calloc(area->nr_pages, sizeof(*by_pfn));
	uint64_t pfns[PFNS_AT_ONCE];
	unsigned long page, nr, i;

	for (page = 0; by_pfn && page < mem->nr_pages; page += nr) {
		nr = mem->nr_pages - page;
		if (nr > PFNS_AT_ONCE)
			nr = PFNS_AT_ONCE;
		ct_pfns(mem_page(mem, page), nr, pfns);
		for (i = 0; i < nr; i++)
			if (mem->has_data[page + i] &&
			    ct_area_holds(area, pfns[i]))
				by_pfn[pfns[i] - area->base_pfn] =
					(char *)mem_page(mem, page + i);
	}
	return by_pfn;
}

void ct_mem_limit_cpu_lists(bool on)
{
	ct_write_long("/proc/sys/vm/percpu_pagelist_high_fraction",
		      on ? 100000 : 0);
}

void ct_mem_drop(struct ct_mem *mem, const struct ct_area *area, bool inside,
		 unsigned long nr_max)
{
	ct_mem_limit_cpu_lists(true);
	mem_scan(mem, area, inside, nr_max);
	ct_mem_limit_cpu_lists(false);
}

void ct_mem_exit(struct ct_mem *mem)
{
	munmap(mem->addr, mem->nr_pages * ct_page_size);
	if (mem->fd >= 0)
		close(mem->fd);
	free(mem->has_data);
	memset(mem, 0, sizeof(*mem));
}

void ct_next_cpu(void)
{
	static int cpu;
	cpu_set_t set;

	cpu = (cpu + 1) % sysconf(_SC_NPROCESSORS_ONLN);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

long ct_mem_reserved_kib(void)
{
	FILE *file = fopen("/proc/zoneinfo", "r");
	long nr_pages = ct_zone_sum("min");
	char line[256], *at;

	while (file && fgets(line, sizeof(line), file)) {
		at = strstr(line, "protection: (");
		/* The last number is for the highest zone. */
		if (at)
			nr_pages += atol(strrchr(at, ' ') + 1);
	}
	if (file)
		fclose(file);
	return nr_pages * ct_page_size / KIB;
}

/* With short per-CPU lists and no watermark boost, MemFree is exact. */
void ct_mem_touch(struct ct_mem *mem, long headroom_kib)
{
	long boost, limit_kib = 0;
	unsigned long page;
	cpu_set_t cpus;

	/* mem_drop() has unlocked the pages that it freed. */
	if (mem->kind == CT_MLOCKED)
		mlock2(mem->addr, mem->nr_pages * ct_page_size, MLOCK_ONFAULT);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	boost = ct_read_long("/proc/sys/vm/watermark_boost_factor");
	ct_write_long("/proc/sys/vm/watermark_boost_factor", 0);
	ct_mem_limit_cpu_lists(true);
	for (page = 0; page + LOOK_PAGES <= mem->nr_pages; page += LOOK_PAGES) {
		if (!(page % CPU_PAGES)) {
			ct_next_cpu();
			limit_kib = ct_mem_reserved_kib() + headroom_kib;
		}
		if (ct_meminfo_kib("MemFree") < limit_kib ||
		    madvise(mem_page(mem, page), LOOK_PAGES * ct_page_size,
			    MADV_POPULATE_WRITE))
			break;
		memset(mem->has_data + page, 1, LOOK_PAGES);
	}
	ct_mem_limit_cpu_lists(false);
	ct_write_long("/proc/sys/vm/watermark_boost_factor", boost);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

static int mem_touch_all(struct ct_mem *mem, enum ct_kind kind)
{
	int err = ct_mem_init(mem, kind, ct_meminfo_kib("MemTotal") * KIB /
					 ct_page_size);

	if (!err)
		ct_mem_touch(mem, CT_HEADROOM_KIB);
	return err;
}

static void mem_write_data(struct ct_mem *mem)
{
	unsigned long page;

	for (page = 0; page < mem->nr_pages; page++)
		if (mem->has_data[page])
			ct_mem_write(mem, page, 1);
}

int ct_mem_fill(struct ct_mem *mem, enum ct_kind kind)
{
	int err = mem_touch_all(mem, kind);

	if (!err)
		mem_write_data(mem);
	return err;
}

unsigned long ct_mem_fill_area(struct ct_mem *mem, enum ct_kind kind,
			       const struct ct_area *area)
{
	unsigned long nr_in;

	ct_drop_caches();
	if (mem_touch_all(mem, kind))
		return 0;
	nr_in = mem_scan(mem, area, false, mem->nr_pages);
	mem_write_data(mem);
	return nr_in;
}

void *ct_map(size_t size)
{
	void *addr = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return addr == MAP_FAILED ? NULL : addr;
}

void ct_drop_caches(void)
{
	sync();
	ct_write("/proc/sys/vm/drop_caches", "3");
}

const char *ct_big_file(void)
{
	const char *path = getenv("CMA_TEST_FILE");

	return path && !access(path, R_OK) ? path : NULL;
}

int ct_read_on(const char *path, off_t *offset, off_t size_max, long kib)
{
	char data[64 * 1024];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t done = 0;
	struct stat st;
	ssize_t size;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	/* Reading more than twice is useless: cached pages take no memory. */
	if (!size_max)
		size_max = 2 * st.st_size;
	while (done < size_max && ct_meminfo_kib("CmaFree") >= kib) {
		if (*offset >= st.st_size)
			*offset = 0;
		size = pread(fd, data, sizeof(data), *offset);
		if (size <= 0)
			break;
		*offset += size;
		done += size;
	}
	close(fd);
	return 0;
}
