// SPDX-License-Identifier: GPL-2.0
/*
 * Library of the programs in this directory; see cma_test_lib.h.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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

bool ct_trace_counts_moved(void)
{
	return !access(TRACEFS "/events/" CT_TRACE_MOVED, F_OK);
}

bool ct_trace_start(void)
{
	static const char *const events[] = {
		"cma/cma_alloc_start", "cma/cma_alloc_finish",
		"cma/cma_alloc_busy_retry", "cma/cma_release",
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
	if (ct_trace_counts_moved() &&
	    ct_write(TRACEFS "/events/" CT_TRACE_MOVED "/enable", "1"))
		return false;
	/* Opening the file with O_TRUNC empties the trace buffer. */
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

#define HEADROOMS_MAX	64

static struct {
	char path[sizeof(SYSFS_CMA) + NAME_MAX + 32];
	long max_kib;
} headrooms[HEADROOMS_MAX];

/* Tests are children that end by _exit(), and do not come here. */
static void restore_headroom(void)
{
	for (int i = 0; i < HEADROOMS_MAX && headrooms[i].max_kib > 0; i++)
		ct_write_long(headrooms[i].path, headrooms[i].max_kib);
}

void ct_end_headroom(void)
{
	DIR *dir = opendir(SYSFS_CMA);
	struct dirent *entry;
	int i = 0;

	while (dir && i < HEADROOMS_MAX && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(headrooms[i].path, sizeof(headrooms[i].path),
			 SYSFS_CMA "/%s/headroom_max_kib", entry->d_name);
		headrooms[i].max_kib = ct_read_long(headrooms[i].path);
		if (headrooms[i].max_kib > 0 &&
		    !ct_write_long(headrooms[i].path, 0))
			i++;
	}
	if (dir)
		closedir(dir);
	atexit(restore_headroom);
}

FILE *ct_area_open(const struct ct_area *area, const char *file)
{
	char path[256];

	snprintf(path, sizeof(path), DEBUGFS "/cma/%s/%s", area->name, file);
	return fopen(path, "re");
}

long ct_area_held(const struct ct_area *area)
{
	FILE *file = ct_area_open(area, "buffers");
	unsigned long nr_pages;
	char line[512];
	long sum = 0;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%*x %lu", &nr_pages) == 1)
			sum += nr_pages;
	fclose(file);
	return sum;
}

bool ct_last_failure(char *line, size_t size)
{
	FILE *file = fopen(DEBUGFS "/cma/failures", "re");
	bool found = false;

	if (!file)
		return false;
	while (fgets(line, size, file))
		found = true;
	fclose(file);
	return found;
}

long ct_area_map(const struct ct_area *area, const char *kind)
{
	FILE *file = fopen("/proc/cma/map", "re");
	char name[80], found[32];
	unsigned long nr_pages;
	long sum = 0;

	if (!file)
		return -1;
	while (fscanf(file, "%79s %*x %lu %31s", name, &nr_pages, found) == 3)
		if (!strcmp(name, area->name) &&
		    (!kind[0] || !strcmp(kind, found)))
			sum += nr_pages;
	fclose(file);
	return sum;
}

bool ct_last_report(char *text, size_t size)
{
	FILE *file = fopen("/proc/cma/failures", "re");
	size_t length = 0;
	char line[512];

	text[0] = 0;
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		/* An empty line ends a report; the next one replaces it. */
		if (line[0] == '\n') {
			length = 0;
			continue;
		}
		if (length + strlen(line) < size)
			length += sprintf(text + length, "%s", line);
	}
	fclose(file);
	return text[0];
}

int ct_last_error(void)
{
	char line[256];
	int error;

	if (!ct_last_failure(line, sizeof(line)) ||
	    sscanf(line, "%*d %*[^:]: %*u pages, %*[^:]: %d", &error) != 1)
		return 0;
	return error;
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
		for (i = 0; i < size / 8UL && done < area->nr_pages; i++,
		     done++)
			if ((flags[i] & set) == set && !(flags[i] & clear))
				count++;
	}
	close(fd);
	return done == area->nr_pages ? count : -1;
}

/* Finds the default area, or else the largest one. */
static bool find_area(struct ct_area *area)
{
	struct ct_area found;
	struct dirent *entry;
	DIR *dir = opendir(DEBUGFS "/cma");

	area->nr_pages = 0;
	while (dir && (entry = readdir(dir))) {
		/* The folder has files beside the areas. */
		if (entry->d_name[0] == '.' || entry->d_type != DT_DIR ||
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

void ct_flush_cache(const struct ct_area *area)
{
	char cache_kib[32];

	if (!ct_area_get(area, "cache_kib", cache_kib, sizeof(cache_kib)))
		ct_area_set(area, "cache_kib", cache_kib);
}

void ct_init(struct ct_area *area)
{
	ct_page_size = sysconf(_SC_PAGESIZE);
	if (access(DEBUGFS "/cma", F_OK))
		mount("debugfs", DEBUGFS, "debugfs", 0, NULL);
	if (!find_area(area))
		ksft_exit_fail_msg("no area in " DEBUGFS "/cma\n");
	ct_flush_cache(area);
	load_driver();
	if (access(DMA_TEST_DEVICE, R_OK | W_OK))
		ksft_exit_fail_msg("no " DMA_TEST_DEVICE ": %s\n",
				   strerror(errno));
}

#define FAIL_DIR	"/sys/kernel/debug/fail_cma/"

bool ct_can_fail(void)
{
	return !access(FAIL_DIR "points", W_OK);
}

static void set_fail(const char *file, long value)
{
	char path[128];

	snprintf(path, sizeof(path), FAIL_DIR "%s", file);
	if (ct_write_long(path, value))
		ksft_exit_fail_msg("cannot write %ld to %s\n", value, path);
}

void ct_fail_at(enum ct_step step, int times)
{
	set_fail("points", 1 << step);
	set_fail("verbose", 0);
	set_fail("interval", 1);
	set_fail("times", times);
	set_fail("probability", 100);
}

int ct_fail_end(void)
{
	set_fail("probability", 0);
	return ct_read_long(FAIL_DIR "times");
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

bool ct_group_make(size_t max)
{
	mkdir(CT_GROUPS, 0755);
	if (!mount("none", CT_GROUPS, "cgroup2", 0, NULL) &&
	    !ct_write(CT_GROUPS "/cgroup.subtree_control", "+memory") &&
	    !mkdir(CT_GROUP, 0755) &&
	    !ct_write_long(CT_GROUP "/memory.max", max))
		return true;
	ct_group_remove();
	return false;
}

void ct_group_remove(void)
{
	rmdir(CT_GROUP);
	umount(CT_GROUPS);
	rmdir(CT_GROUPS);
}
