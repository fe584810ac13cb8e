// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of further kinds fill the area: zsmalloc pages, pages that KSM has
 * merged, pages in pipes, arguments of a program that is being started. A driver
 * gets its buffers, and no data are lost.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_kinds_lib.h"

#define NR_HELD		256		/* pages in pipes */
#define KPF_KSM		(1ULL << 21)
#define KSM		"/sys/kernel/mm/ksm/"
#define ZRAM		"/sys/block/zram0/"
#define MIN_FREE	"/proc/sys/vm/min_free_kbytes"
#define SCRIPT		"/tmp/cma_kinds.script"
#define INTERPRETER	"/tmp/cma_kinds.interpreter"
#define NR_ARGS		8
#define ARG_SIZE	(64 * KIB)

FIXTURE(cma_kinds) {
	struct ct_area area;
	int fd;
	const char *big_file;
	char path[256];
	int file;
	bool swap;
	long min_free_kib, ksm_run, ksm_pages, ksm_sleep;
};

FIXTURE_SETUP(cma_kinds)
{
	ct_init(&self->area);
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
	self->file = -1;
	self->swap = false;
	self->min_free_kib = ct_read_long(MIN_FREE);
	self->ksm_run = ct_read_long(KSM "run");
	self->ksm_pages = ct_read_long(KSM "pages_to_scan");
	self->ksm_sleep = ct_read_long(KSM "sleep_millisecs");
	self->big_file = ct_big_file();
	if (self->big_file)
		snprintf(self->path, sizeof(self->path), "%s.tmp",
			 self->big_file);
	ct_drop_caches();
}

FIXTURE_TEARDOWN(cma_kinds)
{
	if (self->swap) {
		EXPECT_EQ(0, swapoff("/dev/zram0"));
		EXPECT_EQ(0, ct_write(ZRAM "reset", "1"));
	}
	if (self->file >= 0)
		unlink(self->path);
	if (self->ksm_run >= 0) {
		ct_write_long(KSM "run", self->ksm_run);
		ct_write_long(KSM "pages_to_scan", self->ksm_pages);
		ct_write_long(KSM "sleep_millisecs", self->ksm_sleep);
	}
	ct_write_long(MIN_FREE, self->min_free_kib);
	close(self->fd);
}

static size_t half_of(const struct ct_area *area)
{
	return area->nr_pages / 2 * ct_page_size;
}

static int swap_to_zram(size_t size)
{
	union {
		uint32_t words[16384];
		char bytes[65536];
	} header = {};
	int fd, err = ct_write_long(ZRAM "disksize", size);

	if (err)
		return err;
	fd = open("/dev/zram0", O_WRONLY);
	if (fd < 0)
		return -errno;
	header.words[256] = 1;
	header.words[257] = size / ct_page_size - 1;
	memcpy(header.bytes + ct_page_size - 10, "SWAPSPACE2", 10);
	if (write(fd, &header, ct_page_size) != (ssize_t)ct_page_size ||
	    fsync(fd))
		err = -errno;
	close(fd);
	return err ?: swapon("/dev/zram0", 0) ? -errno : 0;
}

/* Counts used pages that are neither a driver's nor on an LRU list. */
static long nr_other_pages(const struct ct_area *area)
{
	return ct_area_count(area, 0, CT_KPF_BUDDY | CT_KPF_LRU | CT_KPF_ANON) -
	       ct_area_debugfs(area, "used") - ct_area_debugfs(area, "cached");
}

/* zsmalloc pages are on no LRU list and have their own functions to move. */
TEST_F(cma_kinds, zsmalloc)
{
	size_t size = half_of(&self->area);
	struct ct_mem mem;
	uint32_t *data;

	ASSERT_EQ(0, access(ZRAM "disksize", W_OK));
	ASSERT_EQ(0, ct_mem_fill_outside(&mem, CT_ANON, &self->area));
	data = ct_map(size);
	ASSERT_TRUE(!!data);
	ct_noise_make(data, size, 1);
	ASSERT_EQ(0, swap_to_zram(2 * size));
	self->swap = true;
	/* Page tables and swap tables cannot lie in the area; reserve some. */
	ct_write_long(MIN_FREE, 8 * 1024);
	ASSERT_EQ(0, madvise(data, size, MADV_PAGEOUT));
	EXPECT_EQ(0, ct_map_in_area(data, size / 16, &self->area));
	ASSERT_GT(nr_other_pages(&self->area), self->area.nr_pages / 8) {
		TH_LOG("%ld pages, SwapFree %ld KiB",
		       nr_other_pages(&self->area), ct_meminfo_kib("SwapFree"));
	}
	EXPECT_GT(ct_area_map(&self->area, "compressed"),
		  (long)self->area.nr_pages / 8);
	EXPECT_EQ(0, ct_mem_verify(&mem));
	ct_mem_exit(&mem);

	ASSERT_EQ(0, ct_dma_take_most(self->fd, &self->area));
	EXPECT_EQ(0, ct_noise_wrong(data, size, 1));
}

/*
 * All that was swapped out comes back at once, some of it into the area, while a
 * driver takes the area again and again. Then the same swap is used once more.
 */
TEST_F(cma_kinds, swap_goes_off)
{
	size_t size = half_of(&self->area);
	uint32_t *data = ct_map(size);
	int turn, status;
	long used_kib;
	pid_t pid;

	ASSERT_TRUE(!!data);
	ct_noise_make(data, size, 1);
	ct_write_long(MIN_FREE, 8 * 1024);
	for (turn = 0; turn < 2; turn++) {
		ASSERT_EQ(0, swap_to_zram(2 * size));
		self->swap = true;
		ASSERT_EQ(0, madvise(data, size, MADV_PAGEOUT));
		used_kib = ct_meminfo_kib("SwapTotal") -
			   ct_meminfo_kib("SwapFree");
		ASSERT_GT(used_kib, (long)(size / KIB / 2));

		pid = fork();
		if (!pid)
			_exit(swapoff("/dev/zram0") ? errno : 0);
		ASSERT_GT(pid, 0);
		do {
			EXPECT_EQ(0, ct_dma_take_most(self->fd, &self->area));
		} while (!waitpid(pid, &status, WNOHANG));
		ASSERT_EQ(0, status);
		self->swap = false;
		ASSERT_EQ(0, ct_write(ZRAM "reset", "1"));
		EXPECT_EQ(0, ct_noise_wrong(data, size, 1));
		EXPECT_EQ(0, ct_dma_take_most(self->fd, &self->area));
		EXPECT_EQ(0, ct_noise_wrong(data, size, 1));
	}
}

static bool wait_for_ksm(long nr_pages)
{
	int tries;

	for (tries = 0; tries < 1200; tries++) {
		if (ct_read_long(KSM "pages_shared") >= nr_pages)
			return true;
		usleep(100000);
	}
	return false;
}

static uint32_t pair_of(size_t offset)
{
	return offset / 2 / ct_page_size * ct_page_size;
}

/* Pairs of equal pages are merged into one page each. */
TEST_F(cma_kinds, ksm)
{
	size_t size = half_of(&self->area), offset, other;
	long nr_pages = size / ct_page_size;
	struct ct_mem mem;
	char *data;

	ASSERT_GE(self->ksm_run, 0);
	ASSERT_EQ(0, ct_mem_fill_outside(&mem, CT_ANON, &self->area));
	data = ct_map(size);
	ASSERT_TRUE(!!data);
	for (offset = 0; offset < size; offset += ct_page_size)
		ct_noise_make((uint32_t *)(data + offset), ct_page_size,
			      pair_of(offset));
	EXPECT_EQ(0, ct_mem_verify(&mem));
	ct_mem_exit(&mem);

	ASSERT_EQ(0, madvise(data, size, MADV_MERGEABLE));
	ct_write_long(KSM "pages_to_scan", 2000);
	ct_write_long(KSM "sleep_millisecs", 1);
	ASSERT_EQ(0, ct_write(KSM "run", "1"));
	ASSERT_TRUE(wait_for_ksm(nr_pages / 4));
	ASSERT_GT(ct_area_count(&self->area, KPF_KSM, 0), nr_pages / 8);

	/* ksmd continues to scan the pages meanwhile. */
	ASSERT_EQ(0, ct_dma_take_most(self->fd, &self->area));
	for (offset = 0; offset < size; offset += ct_page_size) {
		other = offset ^ ct_page_size;
		EXPECT_EQ(0, memcmp(data + offset, data + other, ct_page_size));
		EXPECT_EQ(0, ct_noise_wrong((uint32_t *)(data + offset),
					    ct_page_size, pair_of(offset)));
	}
	EXPECT_GT(ct_read_long(KSM "pages_shared"), nr_pages / 8);
	/* A write to one page of a pair must not change the other. */
	for (offset = 0; offset < size; offset += 2 * ct_page_size) {
		data[offset] ^= 1;
		EXPECT_NE(data[offset], data[offset + ct_page_size]);
	}
}

/* Picks random pages of the area; a third of all windows has none of them. */
static unsigned int pick_spread(const struct ct_area *area,
				const struct ct_mem *mem, struct iovec *iov)
{
	unsigned int nr = 0, nr_tries;
	char **by_pfn = ct_mem_by_pfn(mem, area);
	unsigned long page;

	srandom(1);
	for (nr_tries = 0; by_pfn && nr < NR_HELD && nr_tries < 4 * NR_HELD; nr_tries++) {
		page = random() % area->nr_pages;
		if (!by_pfn[page])
			continue;
		iov[nr].iov_base = by_pfn[page];
		iov[nr++].iov_len = ct_page_size;
		by_pfn[page] = NULL;
	}
	free(by_pfn);
	return nr;
}

/* Small buffers fit between pages that a pipe holds. */
TEST_F(cma_kinds, pipes)
{
	unsigned long pfns[NR_HELD];
	struct iovec iov[NR_HELD];
	struct dma_test_alloc bufs[16];
	char *data = ct_map(ct_page_size);
	unsigned int nr, i;
	struct ct_mem mem;
	int fds[2];

	ASSERT_GT(ct_mem_fill_area(&mem, CT_ANON, &self->area), 0);
	nr = pick_spread(&self->area, &mem, iov);
	ASSERT_EQ(NR_HELD, nr);
	ASSERT_EQ(0, pipe(fds));
	ASSERT_LE((int)(NR_HELD * ct_page_size),
		  fcntl(fds[1], F_SETPIPE_SZ, NR_HELD * ct_page_size));
	ASSERT_EQ((ssize_t)(nr * ct_page_size), vmsplice(fds[1], iov, nr, 0));
	for (i = 0; i < nr; i++) {
		pfns[i] = ct_held_pfn(iov[i].iov_base);
		ASSERT_TRUE(ct_area_holds(&self->area, pfns[i]));
	}

	for (i = 0; i < 16; i++) {
		ASSERT_EQ(0, ct_dma_alloc(self->fd, 256 * KIB, DMA_TEST_KERNEL,
					  0, &bufs[i])) {
			TH_LOG("buffer %u", i);
		}
		ASSERT_EQ(0, ct_dma_fill(self->fd, bufs[i].id, i));
	}
	for (i = 0; i < nr; i++) {
		EXPECT_EQ(pfns[i], ct_held_pfn(iov[i].iov_base));
		ASSERT_EQ((ssize_t)ct_page_size,
			  read(fds[0], data, ct_page_size));
		EXPECT_EQ(0, memcmp(data, iov[i].iov_base, ct_page_size));
	}
	for (i = 0; i < 16; i++) {
		EXPECT_EQ(0, ct_dma_verify(self->fd, bufs[i].id, i));
		EXPECT_EQ(0, ct_dma_free(self->fd, bufs[i].id));
	}
	EXPECT_EQ(0, ct_mem_verify(&mem));

	/* The pipe is empty, so all pages can move. */
	ASSERT_EQ(0, ct_dma_take_most(self->fd, &self->area));
	EXPECT_EQ(0, ct_mem_verify(&mem));
	ct_mem_exit(&mem);
}

/* Frees the middle of the area, which is full. */
static void free_middle(struct ct_mem *mem, const struct ct_area *area)
{
	char **by_pfn = ct_mem_by_pfn(mem, area);
	unsigned long page = area->nr_pages / 8 * 3;

	ct_mem_limit_cpu_lists(true);
	for (; by_pfn && page < area->nr_pages / 8 * 5; page++) {
		if (!by_pfn[page])
			continue;
		madvise(by_pfn[page], ct_page_size, MADV_DONTNEED);
		mem->has_data[(by_pfn[page] - (char *)mem->addr) /
			      ct_page_size] = 0;
	}
	ct_mem_limit_cpu_lists(false);
	free(by_pfn);
}

static int write_script(void)
{
	int fd = open(SCRIPT, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	bool written = fd >= 0 && dprintf(fd, "#!" INTERPRETER "\n") > 0;

	close(fd);
	return written ? 0 : -errno;
}

/* A lease of the interpreter stops whoever opens it. */
static int lease_interpreter(void)
{
	int fd = open(INTERPRETER, O_RDWR | O_CREAT | O_CLOEXEC, 0700);

	signal(SIGIO, SIG_IGN);
	if (fd < 0 || !fcntl(fd, F_SETLEASE, F_WRLCK))
		return fd;
	close(fd);
	return -1;
}

static pid_t start_script(void)
{
	char *argv[NR_ARGS + 2] = { SCRIPT };
	pid_t child = fork();

	if (child)
		return child;
	for (int i = 1; i <= NR_ARGS; i++) {
		argv[i] = calloc(ARG_SIZE, 1);
		memset(argv[i], 'a', ARG_SIZE - 1);
	}
	execv(SCRIPT, argv);
	_exit(1);
}

/*
 * A new program's arguments do not move before it runs. That may take long: its
 * interpreter is opened first.
 */
TEST_F(cma_kinds, arguments)
{
	int interpreter, status, tries;
	struct dma_test_alloc buf;
	struct ct_mem mem;
	pid_t child;

	ASSERT_EQ(0, write_script());
	interpreter = lease_interpreter();
	ASSERT_GE(interpreter, 0);
	ASSERT_GT(ct_mem_fill_area(&mem, CT_ANON, &self->area), 0);
	free_middle(&mem, &self->area);
	child = start_script();
	ASSERT_GT(child, 0);
	for (tries = 0; fcntl(interpreter, F_GETLEASE) == F_WRLCK; tries++) {
		ASSERT_LT(tries, 1000);
		usleep(10000);
	}

	EXPECT_EQ(0, ct_dma_alloc(self->fd, self->area.nr_pages / 4 * 3 *
				  ct_page_size, DMA_TEST_KERNEL, 0, &buf));
	EXPECT_EQ(0, ct_dma_free(self->fd, buf.id));
	EXPECT_EQ(0, waitpid(child, &status, WNOHANG));
	kill(child, SIGKILL);
	EXPECT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, ct_mem_verify(&mem));
	ct_mem_exit(&mem);
	close(interpreter);
	unlink(INTERPRETER);
	unlink(SCRIPT);
}

TEST_HARNESS_MAIN
