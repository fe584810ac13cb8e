// SPDX-License-Identifier: GPL-2.0
/*
 * The report of a failed request names the page that was in the way, why it
 * stayed, and who uses it. Each test provokes another reason.
 *
 * The area is empty but for one page near its middle. A request for three
 * quarters of the area needs that page, wherever its window begins.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_kinds_lib.h"

#define FAILURES	"/proc/cma/failures"
#define HOLDERS		"/proc/cma/holders"
#define SLOW_DISK	"/dev/nullb0"
/* For each access; after 5 s null_blk says that the disk is broken. */
#define SLOW_MS		2500
#define SWAP_SIZE	(8 * MIB)

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#endif

FIXTURE(cma_report) {
	struct ct_area area;
	struct ct_mem mem;
	int fd;
	char *page;			/* in the area */
	char text[4096];
	struct dma_test_alloc buf;
};

static unsigned long far_from_middle(const struct ct_area *area,
				     unsigned long pfn)
{
	unsigned long middle = area->base_pfn + area->nr_pages / 2;

	return pfn > middle ? pfn - middle : middle - pfn;
}

/* Frees all pages but the one that is nearest to the middle of the area. */
static char *keep_one_page(struct ct_mem *mem, const struct ct_area *area)
{
	char *start = (char *)mem->addr, *best = NULL, *behind;
	char *end = start + mem->nr_pages * ct_page_size;
	char **by_pfn = ct_mem_by_pfn(mem, area);
	unsigned long middle = area->nr_pages / 2, far;

	for (far = 0; by_pfn && far < middle && !best; far++) {
		best = by_pfn[middle + far];
		if (!best)
			best = by_pfn[middle - far];
	}
	free(by_pfn);
	memset(mem->has_data, 0, mem->nr_pages);
	behind = best ? best + ct_page_size : start;
	if (best) {
		mem->has_data[(best - start) / ct_page_size] = 1;
		madvise(start, best - start, MADV_DONTNEED);
	}
	madvise(behind, end - behind, MADV_DONTNEED);
	return best;
}

/* Programs get pages of areas first, so there is no need to fill all memory. */
static char *put_page_in_middle(struct ct_mem *mem, const struct ct_area *area)
{
	char *page;

	if (ct_mem_init(mem, CT_ANON, area->nr_pages))
		return NULL;
	ct_mem_write(mem, 0, area->nr_pages);
	page = keep_one_page(mem, area);
	if (page && far_from_middle(area, ct_pfn(page)) < area->nr_pages / 8)
		return page;
	ct_mem_exit(mem);
	if (!ct_mem_fill_area(mem, CT_ANON, area))
		return NULL;
	return keep_one_page(mem, area);
}

FIXTURE_SETUP(cma_report)
{
	ct_init(&self->area);
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
	ct_drop_caches();
	self->page = put_page_in_middle(&self->mem, &self->area);
	ASSERT_TRUE(!!self->page);
}

FIXTURE_TEARDOWN(cma_report)
{
	EXPECT_EQ(0, ct_mem_verify(&self->mem));
	ct_mem_exit(&self->mem);
	close(self->fd);
}

/* Asks for so much that each window has the page in it. */
static int take_most(FIXTURE_DATA(cma_report) *self)
{
	int err;

	ct_flush_cache(&self->area);
	err = ct_dma_alloc(self->fd, self->area.nr_pages / 4 * 3 *
			   ct_page_size, DMA_TEST_KERNEL, DMA_TEST_NO_WARN,
			   &self->buf);
	if (!err)
		ct_dma_free(self->fd, self->buf.id);
	return err;
}

static bool report_has(FIXTURE_DATA(cma_report) *self, const char *wanted)
{
	return strstr(self->text, wanted);
}

static void expect_text(struct __test_metadata *_metadata,
			FIXTURE_DATA(cma_report) *self,
			const char *format, ...)
{
	char wanted[256];
	va_list args;

	va_start(args, format);
	vsnprintf(wanted, sizeof(wanted), format, args);
	va_end(args);
	EXPECT_TRUE(report_has(self, wanted)) {
		TH_LOG("\"%s\" is not in \"%s\"", wanted, self->text);
	}
}

#define EXPECT_REPORT(...)	expect_text(_metadata, self, __VA_ARGS__)

static void expect_request(struct __test_metadata *_metadata,
			   FIXTURE_DATA(cma_report) *self)
{
	ASSERT_TRUE(ct_last_report(self->text, sizeof(self->text)));
	EXPECT_REPORT("area: %s\n", self->area.name);
	EXPECT_REPORT("task: %s %d\n", program_invocation_short_name, getpid());
	EXPECT_REPORT("for: ");
	EXPECT_REPORT(" KiB, align ");
	EXPECT_REPORT("advice: ");
}

/* A reference from a pipe keeps the page of a program where it is. */
TEST_F(cma_report, page_in_a_pipe)
{
	struct iovec page = { self->page, ct_page_size };
	int pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ((ssize_t)ct_page_size, vmsplice(pipes[1], &page, 1, 0));
	ASSERT_EQ(-ENOMEM, take_most(self));
	expect_request(_metadata, self);
	EXPECT_REPORT("error: -16 busy\n");
	EXPECT_REPORT("cause: page at pfn %#lx is referenced",
		      ct_held_pfn(self->page));
	EXPECT_REPORT("blocker: %#lx referenced: memory of a program, ",
		      ct_held_pfn(self->page));
	EXPECT_REPORT(" mapped by %s (pid %d), ",
		      program_invocation_short_name, getpid());
	EXPECT_REPORT(" tried\n");
	EXPECT_REPORT("advice: somebody holds the page");
	close(pipes[0]);
	close(pipes[1]);
	EXPECT_EQ(0, take_most(self));
}

/* The report tells that the page is locked, which is not the reason. */
TEST_F(cma_report, locked_page_in_a_pipe)
{
	struct iovec page = { self->page, ct_page_size };
	int pipes[2];

	ASSERT_EQ(0, mlock(self->page, ct_page_size));
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ((ssize_t)ct_page_size, vmsplice(pipes[1], &page, 1, 0));
	ASSERT_EQ(-ENOMEM, take_most(self));
	expect_request(_metadata, self);
	EXPECT_REPORT(" referenced: memory of a program, ");
	EXPECT_REPORT(" locked in memory, ");
	close(pipes[0]);
	close(pipes[1]);
	EXPECT_EQ(0, take_most(self));
}

/* Copies the name of a file system and its disk from /proc/mounts. */
static bool mount_of(const char *path, char *type, char *disk)
{
	FILE *mounts = fopen("/proc/mounts", "re");
	char device[128], folder[128], name[32];
	size_t best = 0;

	if (!mounts)
		return false;
	while (fscanf(mounts, "%127s %127s %31s %*[^\n]", device, folder,
		      name) == 3) {
		size_t length = strlen(folder);

		if (length < best || strncmp(path, folder, length))
			continue;
		best = length;
		strcpy(type, name);
		strcpy(disk, strrchr(device, '/') ?
		       strrchr(device, '/') + 1 : device);
	}
	fclose(mounts);
	return best;
}

/* Finds a page of a file that every window of take_most() needs. */
static off_t find_in_middle(const struct ct_area *area, char *data, off_t size)
{
	const size_t step = 64 * ct_page_size;
	uint64_t pfns[64];
	off_t at;

	for (at = 0; at + (off_t)step <= size; at += step) {
		if (madvise(data + at, step, MADV_POPULATE_READ))
			return -1;
		ct_pfns(data + at, ARRAY_SIZE(pfns), pfns);
		for (unsigned int i = 0; i < ARRAY_SIZE(pfns); i++)
			if (far_from_middle(area, pfns[i]) < area->nr_pages / 8)
				return at + i * ct_page_size;
	}
	return -1;
}

/* A page of a file is named by its file. */
TEST_F(cma_report, file_in_a_pipe)
{
	const char *big_file = ct_big_file();
	char type[32], disk[128];
	off_t offset = 0, at;
	struct stat status;
	int pipes[2], file;
	char *data;

	if (!big_file)
		SKIP(return, "no file on a disk in $CMA_TEST_FILE");
	ASSERT_TRUE(mount_of(big_file, type, disk));
	file = open(big_file, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(file, 0);
	ASSERT_EQ(0, fstat(file, &status));
	ASSERT_EQ(0, ct_read_on(big_file, &offset, 0,
				self->area.nr_pages * ct_page_size / 8 / KIB));
	data = mmap(NULL, status.st_size, PROT_READ, MAP_SHARED, file, 0);
	ASSERT_TRUE(data != MAP_FAILED);
	at = find_in_middle(&self->area, data, status.st_size);
	ASSERT_GE(at, 0);
	offset = at;
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ((ssize_t)ct_page_size,
		  splice(file, &offset, pipes[1], NULL, ct_page_size, 0));
	ASSERT_EQ(-ENOMEM, take_most(self));
	expect_request(_metadata, self);
	EXPECT_REPORT("error: -16 busy\n");
	EXPECT_REPORT(" referenced: ");
	EXPECT_REPORT(" file %s of %s on %s, inode %lu, page %lu, ",
		      strrchr(big_file, '/') + 1, type, disk,
		      (unsigned long)status.st_ino,
		      (unsigned long)(at / ct_page_size));
	munmap(data, status.st_size);
	close(pipes[0]);
	close(pipes[1]);
	close(file);
	EXPECT_EQ(0, take_most(self));
}

/* Buffers lie scattered: no page is in the way. */
TEST_F(cma_report, no_hole)
{
	long nr_pages = ct_area_debugfs(&self->area, "maxchunk");
	struct dma_test_alloc half;

	ASSERT_EQ(0, ct_dma_alloc(self->fd, nr_pages / 2 * ct_page_size,
				  DMA_TEST_KERNEL, 0, &half));
	EXPECT_EQ(-ENOMEM, ct_dma_alloc(self->fd,
					(nr_pages - 1) * ct_page_size,
					DMA_TEST_KERNEL, DMA_TEST_NO_WARN,
					&self->buf));
	expect_request(_metadata, self);
	EXPECT_REPORT("error: -12 no room\n");
	EXPECT_REPORT("cause: widest hole %ld, align order ",
		      ct_area_sysfs(&self->area, "widest_hole_pages"));
	EXPECT_REPORT("advice: buffers have the area");
	EXPECT_FALSE(report_has(self, "blocker: "));
	EXPECT_EQ(0, ct_dma_free(self->fd, half.id));
}

/* The text of the log, which people search, and the block behind it. */
TEST_F(cma_report, log)
{
	bool line = false, blocker = false, advice = false, owner = false;
	struct iovec page = { self->page, ct_page_size };
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	char text[1024], name[80];
	int pipes[2];
	ssize_t size;

	ASSERT_GE(kmsg, 0);
	lseek(kmsg, 0, SEEK_END);
	/* There are three blocks in five seconds, and other tests had some. */
	sleep(6);
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ((ssize_t)ct_page_size, vmsplice(pipes[1], &page, 1, 0));
	ct_flush_cache(&self->area);
	ksft_print_msg("expect-splat: cma: %s: alloc failed\n",
		       self->area.name);
	/* Not through the DMA API, which may ask the page allocator then. */
	EXPECT_EQ(-ENOMEM, ct_area_write(&self->area, "alloc",
					 self->area.nr_pages / 4 * 3));
	close(pipes[0]);
	close(pipes[1]);
	snprintf(name, sizeof(name), "cma: %s: ", self->area.name);
	while ((size = read(kmsg, text, sizeof(text) - 1)) > 0) {
		text[size] = 0;
		owner |= !!strstr(text,
				  "page_owner tracks the page as allocated");
		if (!strstr(text, name))
			continue;
		line |= strstr(text, "alloc failed, req-size: ") &&
			strstr(text, " pages, ret: -16, page at pfn ");
		blocker |= !!strstr(text, "  blocker: ");
		advice |= !!strstr(text, "  advice: ");
	}
	ASSERT_TRUE(ct_last_report(self->text, sizeof(self->text)));
	EXPECT_REPORT("pages: total %lu held ", self->area.nr_pages);
	EXPECT_TRUE(line);
	EXPECT_TRUE(blocker);
	EXPECT_TRUE(advice);
	EXPECT_EQ(!access("/sys/kernel/debug/page_owner", F_OK), owner);
	close(kmsg);
}

/* An area keeps sixteen reports. */
TEST_F(cma_report, sixteen)
{
	char line[512];
	int nr = 0, i;
	FILE *file;

	for (i = 0; i < 20; i++)
		EXPECT_EQ(-ENOMEM, ct_dma_alloc(self->fd, ct_page_size *
						(self->area.nr_pages + 1 + i),
						DMA_TEST_KERNEL,
						DMA_TEST_NO_WARN, &self->buf));
	file = fopen(FAILURES, "re");
	ASSERT_TRUE(!!file);
	while (fgets(line, sizeof(line), file)) {
		char name[80] = "";

		if (sscanf(line, "area: %79s", name) == 1)
			nr += !strcmp(name, self->area.name);
	}
	fclose(file);
	EXPECT_EQ(16, nr);
	ASSERT_TRUE(ct_last_report(self->text, sizeof(self->text)));
	EXPECT_REPORT("request: %lu pages, ", self->area.nr_pages + 20);
}

/* The map has each page once, and its sums are those of sysfs. */
TEST_F(cma_report, map)
{
	struct iovec page = { self->page, ct_page_size };
	struct ct_area *area = &self->area;
	long held = ct_area_map(area, "held"), pinned = ct_area_map(area, "pinned");
	int pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ((ssize_t)ct_page_size, vmsplice(pipes[1], &page, 1, 0));
	EXPECT_GE(ct_area_map(area, "pinned"), pinned + 1);
	close(pipes[0]);
	close(pipes[1]);

	EXPECT_EQ((long)area->nr_pages, ct_area_map(area, ""));
	EXPECT_EQ(ct_area_sysfs(area, "held_pages"), held);
	ASSERT_EQ(0, ct_dma_alloc(self->fd, 3 * MIB, DMA_TEST_KERNEL, 0,
				  &self->buf));
	EXPECT_EQ(held + (long)(3 * MIB / ct_page_size),
		  ct_area_map(area, "held"));
	EXPECT_EQ((long)area->nr_pages,
		  ct_area_sysfs(area, "held_pages") +
		  ct_area_sysfs(area, "cached_pages") +
		  ct_area_sysfs(area, "lent_pages") +
		  ct_area_map(area, "reserved"));
	ASSERT_EQ(0, ct_dma_free(self->fd, self->buf.id));
}

/* Holders have the buffer, its task, and the areas of devices. */
TEST_F(cma_report, holders)
{
	unsigned long nr_pages = 3 * MIB / ct_page_size;
	char line[512], wanted[256], task[64];
	bool found = false;
	FILE *file;

	ASSERT_EQ(0, ct_dma_alloc(self->fd, 3 * MIB, DMA_TEST_KERNEL, 0,
				  &self->buf));
	file = fopen(HOLDERS, "re");
	ASSERT_TRUE(!!file);
	snprintf(wanted, sizeof(wanted), "buffer %s %#lx %lu ",
		 self->area.name,
		 (unsigned long)(self->buf.dma_addr / ct_page_size), nr_pages);
	snprintf(task, sizeof(task), " %s ", program_invocation_short_name);
	while (fgets(line, sizeof(line), file))
		found |= !strncmp(line, wanted, strlen(wanted)) &&
			 strstr(line, task);
	fclose(file);
	EXPECT_TRUE(found) {
		TH_LOG("%s", wanted);
	}
	ASSERT_EQ(0, ct_dma_free(self->fd, self->buf.id));
}

/* Each request is counted once, by how it ended. */
TEST_F(cma_report, counters)
{
	struct ct_area *area = &self->area;
	long good = ct_area_sysfs(area, "requests_succeeded");
	long no_room = ct_area_sysfs(area, "requests_failed_no_room");
	int i;

	ASSERT_GE(good, 0);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, ct_dma_alloc(self->fd, 64 * KIB, DMA_TEST_KERNEL,
					  0, &self->buf));
		ASSERT_EQ(0, ct_dma_free(self->fd, self->buf.id));
	}
	EXPECT_EQ(good + 5, ct_area_sysfs(area, "requests_succeeded"));
	EXPECT_EQ(-ENOMEM, ct_dma_alloc(self->fd,
					(area->nr_pages + 1) * ct_page_size,
					DMA_TEST_KERNEL, DMA_TEST_NO_WARN,
					&self->buf));
	EXPECT_EQ(no_room + 1, ct_area_sysfs(area, "requests_failed_no_room"));
	EXPECT_GE(ct_area_sysfs(area, "fragmentation_index"), 0);
	EXPECT_LE(ct_area_sysfs(area, "fragmentation_index"), 1000);
}

/* A disk that takes SLOW_MS for each access. */
static bool load_slow_disk(void)
{
	char command[160];

	snprintf(command, sizeof(command),
		 "modprobe null_blk nr_devices=1 gb=1 bs=4096 irqmode=2 memory_backed=1 completion_nsec=%u000000",
		 SLOW_MS);
	return !system(command) && !access(SLOW_DISK, F_OK);
}

static unsigned long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000UL + now.tv_nsec / 1000000;
}

static void *write_directly(void *page)
{
	int disk = open(SLOW_DISK, O_WRONLY | O_DIRECT | O_CLOEXEC);
	long size = -1;

	if (disk >= 0) {
		size = pwrite(disk, page, ct_page_size, 0);
		close(disk);
	}
	return (void *)size;
}

/* A page is pinned as long as direct I/O of it is under way. */
TEST_F(cma_report, direct_io)
{
	unsigned long pfn = ct_pfn(self->page), start_ms = now_ms();
	pthread_t thread;
	void *size;
	int err;

	if (!load_slow_disk())
		SKIP(return, "no null_blk");
	ASSERT_EQ(0, pthread_create(&thread, NULL, write_directly, self->page));
	usleep(500000);
	err = take_most(self);
	/* An emulator may pause for as long as the disk takes. */
	if (now_ms() - start_ms < SLOW_MS) {
		EXPECT_EQ(-ENOMEM, err);
		expect_request(_metadata, self);
		EXPECT_REPORT("blocker: %#lx pinned for DMA: ", pfn);
		EXPECT_REPORT(" pinned for DMA: memory of a program, ");
		EXPECT_REPORT(" mapped by %s (pid %d), ",
			      program_invocation_short_name, getpid());
		EXPECT_REPORT("advice: wait until the transfer ends");
	}
	ASSERT_EQ(0, pthread_join(thread, &size));
	EXPECT_EQ((long)ct_page_size, (long)size);
	EXPECT_EQ(0, take_most(self));
	EXPECT_EQ(0, system("modprobe -r null_blk"));
}

static int swap_to_slow_disk(void)
{
	union {
		uint32_t words[16384];
		char bytes[65536];
	} header = {};
	int fd = open(SLOW_DISK, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	header.words[256] = 1;
	header.words[257] = SWAP_SIZE / ct_page_size - 1;
	memcpy(header.bytes + ct_page_size - 10, "SWAPSPACE2", 10);
	if (write(fd, &header, ct_page_size) != (ssize_t)ct_page_size ||
	    fsync(fd))
		err = -errno;
	close(fd);
	return err ?: swapon(SLOW_DISK, 0) ? -errno : 0;
}

/*
 * A disk has not yet taken a page. A caller that may wait for it does so and
 * gets its buffer; one in the path of I/O may not wait.
 */
TEST_F(cma_report, writeback)
{
	unsigned long pfn = ct_pfn(self->page), start_ms;
	int err;

	if (!load_slow_disk())
		SKIP(return, "no null_blk");
	ASSERT_EQ(0, swap_to_slow_disk());
	/* Reclaim finds no page that is in the batch of a CPU. */
	ct_drop_caches();
	start_ms = now_ms();
	ASSERT_EQ(0, madvise(self->page, ct_page_size, MADV_PAGEOUT));
	EXPECT_EQ(0, ct_pfn(self->page));
	ASSERT_EQ(0, prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0));
	err = take_most(self);
	ASSERT_EQ(0, prctl(PR_SET_IO_FLUSHER, 0, 0, 0, 0));
	/* An emulator may pause for as long as the disk takes. */
	if (now_ms() - start_ms < SLOW_MS) {
		EXPECT_EQ(-ENOMEM, err);
		expect_request(_metadata, self);
		EXPECT_REPORT("blocker: %#lx under writeback: ", pfn);
		EXPECT_REPORT(" under writeback: memory of a program, ");
		EXPECT_REPORT("advice: the disk has not taken the page in time");
	}
	EXPECT_EQ(0, take_most(self));
	EXPECT_EQ(0, swapoff(SLOW_DISK));
	EXPECT_EQ(0, system("modprobe -r null_blk"));
}

TEST_HARNESS_MAIN
