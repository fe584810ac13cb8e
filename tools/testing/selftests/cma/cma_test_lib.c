// SPDX-License-Identifier: GPL-2.0
/*
 * What the programs of this directory share; see cma_test_lib.h.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../kselftest.h"
#include "cma_test_lib.h"

#define DEBUGFS		"/sys/kernel/debug"
#define TRACEFS		"/sys/kernel/tracing"
#define SYSFS_CMA	"/sys/kernel/mm/cma"

#define LOOK_PAGES	64	/* touched between two looks at MemFree */
#define CPU_PAGES	1024	/* touched by one CPU before the next */

size_t ct_page_size;

unsigned int ct_scale(unsigned int nr)
{
	const char *quick = getenv("CMA_TEST_QUICK");

	return quick && *quick == '1' && nr > 10 ? nr / 10 : nr;
}

long ct_read_long(const char *path)
{
	FILE *file = fopen(path, "r");
	long value;

	if (!file)
		return -1;
	if (fscanf(file, "%li", &value) != 1)
		value = -1;
	fclose(file);
	return value;
}

int ct_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int ct_write_long(const char *path, long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", value);
	return ct_write(path, text);
}

long ct_read_field(const char *path, const char *name)
{
	FILE *file = fopen(path, "r");
	size_t len = strlen(name);
	long value = -1;
	char line[256];

	if (!file)
		return -1;
	while (value < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, len) && strchr(": ", line[len]))
			value = strtol(line + len + 1, NULL, 0);
	fclose(file);
	return value;
}

long ct_meminfo_kib(const char *name)
{
	return ct_read_field("/proc/meminfo", name);
}

long ct_vmstat(const char *name)
{
	return ct_read_field("/proc/vmstat", name);
}

bool ct_trace_start(void)
{
	static const char *const events[] = {
		"cma/cma_alloc_start", "cma/cma_alloc_finish",
		"cma/cma_alloc_busy_retry", "cma/cma_release",
		"kmem/mm_alloc_contig_migrate_range_info",
	};
	unsigned int i;
	char path[256];

	if (access(TRACEFS "/trace", F_OK))
		mount("tracefs", TRACEFS, "tracefs", 0, NULL);
	for (i = 0; i < sizeof(events) / sizeof(*events); i++) {
		snprintf(path, sizeof(path), TRACEFS "/events/%s/enable",
			 events[i]);
		if (ct_write(path, "1"))
			return false;
	}
	/* Opening the file for writing from its start empties the buffer. */
	close(open(TRACEFS "/trace", O_WRONLY | O_TRUNC));
	return !ct_write(TRACEFS "/tracing_on", "1");
}

void ct_trace_stop(void)
{
	ct_write(TRACEFS "/events/cma/enable", "0");
	ct_write(TRACEFS "/events/kmem/enable", "0");
}

int ct_trace_count(const char *event, const char *text)
{
	FILE *file = fopen(TRACEFS "/trace", "r");
	char line[512];
	int count = 0;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (line[0] != '#' && strstr(line, event) && strstr(line, text))
			count++;
	fclose(file);
	return count;
}

long ct_zone_sum(const char *name)
{
	char line[256], word[64];
	long sum = 0, value;
	FILE *file;

	file = fopen("/proc/zoneinfo", "r");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " %63s %ld", word, &value) == 2 &&
		    !strcmp(word, name))
			sum += value;
	fclose(file);
	return sum;
}

long ct_area_debugfs(const struct ct_area *area, const char *file)
{
	char path[256];

	snprintf(path, sizeof(path), DEBUGFS "/cma/%s/%s", area->name, file);
	return ct_read_long(path);
}

long ct_area_sysfs(const struct ct_area *area, const char *file)
{
	char path[256];

	snprintf(path, sizeof(path), SYSFS_CMA "/%s/%s", area->name, file);
	return ct_read_long(path);
}

int ct_area_write(const struct ct_area *area, const char *file, long value)
{
	char path[256];

	snprintf(path, sizeof(path), DEBUGFS "/cma/%s/%s", area->name, file);
	return ct_write_long(path, value);
}

int ct_area_get(const struct ct_area *area, const char *file, char *text,
		size_t size)
{
	char path[256];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), SYSFS_CMA "/%s/%s", area->name, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, text, size - 1);
	close(fd);
	if (len < 0)
		return -EIO;
	text[len] = 0;
	text[strcspn(text, "\n")] = 0;
	return 0;
}

int ct_area_set(const struct ct_area *area, const char *file, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), SYSFS_CMA "/%s/%s", area->name, file);
	return ct_write(path, text);
}

bool ct_area_holds(const struct ct_area *area, unsigned long pfn)
{
	return pfn >= area->base_pfn && pfn - area->base_pfn < area->nr_pages;
}

long ct_area_count(const struct ct_area *area, uint64_t set, uint64_t clear)
{
	uint64_t flags[1024];
	unsigned long done = 0, i;
	long count = 0;
	int fd = open("/proc/kpageflags", O_RDONLY);

	if (fd < 0)
		return -1;
	while (done < area->nr_pages) {
		ssize_t size = pread(fd, flags, sizeof(flags),
				     (area->base_pfn + done) * 8LL);

		if (size <= 0)
			break;
		for (i = 0; i < size / 8UL && done < area->nr_pages; i++, done++)
			if ((flags[i] & set) == set && !(flags[i] & clear))
				count++;
	}
	close(fd);
	return done == area->nr_pages ? count : -1;
}

/* The area of devices without one of their own, or else the largest. */
static bool find_area(struct ct_area *area)
{
	struct ct_area found;
	struct dirent *entry;
	DIR *dir = opendir(DEBUGFS "/cma");

	area->nr_pages = 0;
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' ||
		    strlen(entry->d_name) >= sizeof(found.name))
			continue;
		strcpy(found.name, entry->d_name);
		found.base_pfn = ct_area_debugfs(&found, "base_pfn");
		found.nr_pages = ct_area_debugfs(&found, "count");
		if (found.nr_pages > area->nr_pages ||
		    !strcmp(found.name, "reserved"))
			*area = found;
		if (!strcmp(area->name, "reserved"))
			break;
	}
	if (dir)
		closedir(dir);
	return area->nr_pages;
}

static void load_driver(void)
{
	const char *module = getenv("CMA_TEST_MODULE");
	char path[256];
	struct utsname uts;
	int fd;

	if (!access(DMA_TEST_DEVICE, F_OK))
		return;
	uname(&uts);
	snprintf(path, sizeof(path),
		 "/lib/modules/%s/kernel/mm/cma/tests/dma_test.ko",
		 uts.release);
	fd = open(module ? module : path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	syscall(__NR_finit_module, fd, "", 0);
	close(fd);
}

void ct_give_back_kept(const struct ct_area *area)
{
	char ready_kib[32];

	if (!ct_area_get(area, "ready_kib", ready_kib, sizeof(ready_kib)))
		ct_area_set(area, "ready_kib", ready_kib);
}

void ct_init(struct ct_area *area)
{
	ct_page_size = sysconf(_SC_PAGESIZE);
	if (access(DEBUGFS "/cma", F_OK))
		mount("debugfs", DEBUGFS, "debugfs", 0, NULL);
	if (!find_area(area))
		ksft_exit_fail_msg("no area in " DEBUGFS "/cma\n");
	ct_give_back_kept(area);
	load_driver();
	if (access(DMA_TEST_DEVICE, R_OK | W_OK))
		ksft_exit_fail_msg("no " DMA_TEST_DEVICE ": %s\n",
				   strerror(errno));
}

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
	mem->kept = calloc(nr_pages, 1);
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
	if (!mem->kept || mem->addr == MAP_FAILED)
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
		mem->kept[page] = 1;
	}
}

static void mem_drop(struct ct_mem *mem, unsigned long first, unsigned long nr)
{
	void *addr = mem_page(mem, first);

	if (mem->kind == CT_MLOCKED)
		munlock(addr, nr * ct_page_size);
	madvise(addr, nr * ct_page_size,
		mem->kind == CT_SHMEM ? MADV_REMOVE : MADV_DONTNEED);
	memset(mem->kept + first, 0, nr);
}

void ct_mem_rewrite(struct ct_mem *mem, unsigned long first, unsigned long nr)
{
	unsigned long page;

	for (page = first; page < first + nr && page < mem->nr_pages; page++) {
		if (!mem->kept[page])
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
		if (!mem->kept[page])
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
 * Gives at most @nr_drop pages back, those in the area or the others; returns
 * how many are left in the area.
 */
static unsigned long mem_scan(struct ct_mem *mem, const struct ct_area *area,
			      bool drop_inside, unsigned long nr_drop)
{
	unsigned long page, nr, i, nr_out = 0, nr_in = 0;
	uint64_t pfns[512];
	bool inside;

	for (page = 0; page < mem->nr_pages; page += nr) {
		nr = mem->nr_pages - page;
		if (nr > 512)
			nr = 512;
		ct_pfns(mem_page(mem, page), nr, pfns);
		for (i = 0; i < nr; i++) {
			inside = ct_area_holds(area, pfns[i]);
			if (mem->kept[page + i] && nr_drop &&
			    inside == drop_inside) {
				nr_drop--;
				nr_out++;
				continue;
			}
			nr_in += mem->kept[page + i] && inside;
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

void ct_mem_drop(struct ct_mem *mem, const struct ct_area *area, bool inside,
		 unsigned long nr_max)
{
	mem_scan(mem, area, inside, nr_max);
}

void ct_mem_exit(struct ct_mem *mem)
{
	munmap(mem->addr, mem->nr_pages * ct_page_size);
	if (mem->fd >= 0)
		close(mem->fd);
	free(mem->kept);
	memset(mem, 0, sizeof(*mem));
}

/* Each CPU in turn uses up the free pages on lists of its own. */
static void next_cpu(void)
{
	static int cpu;
	cpu_set_t set;

	cpu = (cpu + 1) % sysconf(_SC_NPROCESSORS_ONLN);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* What user pages never get: watermarks, and what zones keep for others. */
static long reserved_kib(void)
{
	FILE *file = fopen("/proc/zoneinfo", "r");
	long nr_pages = ct_zone_sum("min");
	char line[256], *at;

	while (file && fgets(line, sizeof(line), file)) {
		at = strstr(line, "protection: (");
		/* The last one is that for the highest zone. */
		if (at)
			nr_pages += atol(strrchr(at, ' ') + 1);
	}
	if (file)
		fclose(file);
	return nr_pages * ct_page_size / KIB;
}

/*
 * Up to the last free pages, and not beyond: the lists of CPUs are kept short
 * and the watermarks where they are.
 */
void ct_mem_touch(struct ct_mem *mem, long headroom_kib)
{
	long boost, limit_kib = 0;
	unsigned long page;
	cpu_set_t cpus;

	/* What was given back before is not locked any more. */
	if (mem->kind == CT_MLOCKED)
		mlock2(mem->addr, mem->nr_pages * ct_page_size, MLOCK_ONFAULT);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	boost = ct_read_long("/proc/sys/vm/watermark_boost_factor");
	ct_write_long("/proc/sys/vm/watermark_boost_factor", 0);
	ct_write_long("/proc/sys/vm/percpu_pagelist_high_fraction", 100000);
	for (page = 0; page + LOOK_PAGES <= mem->nr_pages; page += LOOK_PAGES) {
		if (!(page % CPU_PAGES)) {
			next_cpu();
			limit_kib = reserved_kib() + headroom_kib;
		}
		if (ct_meminfo_kib("MemFree") < limit_kib ||
		    madvise(mem_page(mem, page), LOOK_PAGES * ct_page_size,
			    MADV_POPULATE_WRITE))
			break;
		memset(mem->kept + page, 1, LOOK_PAGES);
	}
	ct_write_long("/proc/sys/vm/percpu_pagelist_high_fraction", 0);
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

static void mem_write_kept(struct ct_mem *mem)
{
	unsigned long page;

	for (page = 0; page < mem->nr_pages; page++)
		if (mem->kept[page])
			ct_mem_write(mem, page, 1);
}

int ct_mem_fill(struct ct_mem *mem, enum ct_kind kind)
{
	int err = mem_touch_all(mem, kind);

	if (!err)
		mem_write_kept(mem);
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
	mem_write_kept(mem);
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
	/* Twice around at most: what is cached already takes no memory. */
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

int ct_dma_open(void)
{
	return open(DMA_TEST_DEVICE, O_RDWR | O_CLOEXEC);
}

bool ct_dma_generic(int fd)
{
	struct dma_test_info info;

	return !ioctl(fd, DMA_TEST_IOC_INFO, &info) &&
	       info.path == DMA_TEST_PATH_GENERIC;
}

static int dma_ioctl(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) ? -errno : 0;
}

int ct_dma_alloc(int fd, size_t size, uint32_t context, uint32_t attrs,
		 struct dma_test_alloc *buf)
{
	*buf = (struct dma_test_alloc){
		.size = size, .context = context, .attrs = attrs,
	};
	return dma_ioctl(fd, DMA_TEST_IOC_ALLOC, buf);
}

int ct_dma_free(int fd, uint32_t id)
{
	struct dma_test_free arg = { .id = id };

	return dma_ioctl(fd, DMA_TEST_IOC_FREE, &arg);
}

int ct_dma_check(int fd, uint32_t id, struct dma_test_check *check)
{
	*check = (struct dma_test_check){ .id = id };
	return dma_ioctl(fd, DMA_TEST_IOC_CHECK, check);
}

int ct_dma_fill(int fd, uint32_t id, uint32_t seed)
{
	struct dma_test_fill arg = { .id = id, .seed = seed };

	return dma_ioctl(fd, DMA_TEST_IOC_FILL, &arg);
}

int ct_dma_verify(int fd, uint32_t id, uint32_t seed)
{
	struct dma_test_fill arg = { .id = id, .seed = seed };

	return dma_ioctl(fd, DMA_TEST_IOC_VERIFY, &arg);
}
