// SPDX-License-Identifier: GPL-2.0
/*
 * Ordinary memory runs short while an area is free. Programs move into the
 * area, and none of their data go to swap or get lost.
 *
 * Pipes hold the memory that cannot use areas: the kernel does not move it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_kinds_lib.h"

#define PIPES_MAX	4000
#define STEP		(64 * KIB)
#define ROOM_KIB	(8 * 1024) /* room for more than a pageblock */
#define PIPE_COST	(16 * KIB) /* what the kernel needs for a pipe of 1 MiB */

#define GROUP_MAX	(8 * MIB)

/* Pipes that are full of data, 1 MiB each. */
struct pipes {
	int fds[PIPES_MAX][2];
	unsigned int nr;
};

static int pipe_create(struct pipes *pipes)
{
	if (pipes->nr == PIPES_MAX ||
	    pipe2(pipes->fds[pipes->nr], O_NONBLOCK | O_CLOEXEC))
		return -errno;
	pipes->nr++;
	return 0;
}

/*
 * Makes room for so many bytes: contiguous pages for a table, and none for data
 * until they are written.
 */
static int pipe_enlarge(struct pipes *pipes, unsigned int i, size_t size)
{
	return fcntl(pipes->fds[i][1], F_SETPIPE_SZ, size) < 0 ? -errno : 0;
}

static int pipes_open(struct pipes *pipes)
{
	int err = pipe_create(pipes);

	return err ? err : pipe_enlarge(pipes, pipes->nr - 1, MIB);
}

/* Writes @size bytes to the last pipe. */
static int pipes_write(struct pipes *pipes, size_t size)
{
	static char data[STEP];
	size_t written;

	for (written = 0; written < size; written += STEP)
		if (write(pipes->fds[pipes->nr - 1][1], data, STEP) != STEP)
			return -errno;
	return 0;
}

static int pipes_add(struct pipes *pipes)
{
	int err = pipes_open(pipes);

	return err ? err : pipes_write(pipes, MIB);
}

static void pipes_free(struct pipes *pipes)
{
	while (pipes->nr) {
		pipes->nr--;
		close(pipes->fds[pipes->nr][0]);
		close(pipes->fds[pipes->nr][1]);
	}
}

/* Free memory outside of areas. */
static long outside_kib(void)
{
	return ct_meminfo_kib("MemFree") - ct_meminfo_kib("CmaFree");
}

static long outside_mib(void)
{
	return outside_kib() / 1024;
}

/*
 * mem: a program; at first most of it lies outside of the area
 * nr_in: pages of it that lie in the area at first
 * nr_mib: when so much of ordinary memory is used, half of it has to move,
 *	or of what the area has room for
 * extra_mib: and so much more, if other pages move before it does, or if it does
 *	so only when memory is used up
 */
FIXTURE(cma_fill) {
	struct ct_area area;
	struct pipes pipes;
	struct ct_mem mem;
	struct ct_thp thp;
	unsigned long nr_in;
	long nr_mib, extra_mib, oom_kill;
};

/*
 * Starts a program outside of the area, which is free then. The filler keeps all
 * of it from the area until it is there.
 */
static int start_outside(struct ct_mem *mem, unsigned long nr_pages, int advice,
			 const struct ct_area *area)
{
	struct ct_mem filler;
	int err;

	if (!ct_mem_fill_area(&filler, CT_ANON, area))
		return -ENOMEM;
	err = ct_mem_init(mem, CT_ANON, nr_pages);
	if (!err && madvise(mem->addr, nr_pages * ct_page_size, advice))
		err = -errno;
	if (!err)
		ct_mem_write(mem, 0, nr_pages);
	ct_mem_limit_cpu_lists(true);
	ct_mem_exit(&filler);
	ct_mem_limit_cpu_lists(false);
	return err;
}

FIXTURE_SETUP(cma_fill)
{
	struct rlimit limit = { 4 * PIPES_MAX + 64, 4 * PIPES_MAX + 64 };
	long high_mib = ct_zone_sum("high") * ct_page_size / MIB;
	unsigned long nr_pages;
	long mem_mib, room_mib;

	ct_init(&self->area);
	ct_flush_cache(&self->area);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	if (ct_meminfo_kib("HighTotal") > 0)
		SKIP(return, "pipes use high memory, where no area is");
	if (outside_mib() > PIPES_MAX / 2)
		SKIP(return, "too much memory to use it up");
	if (ct_zone_sum("cma") >= 2 * (long)self->area.nr_pages)
		SKIP(return, "there are other areas to move to");

	nr_pages = self->area.nr_pages / 2;
	if ((long)(nr_pages * ct_page_size / MIB) > outside_mib() / 2)
		nr_pages = outside_mib() / 2 * MIB / ct_page_size;
	mem_mib = nr_pages * ct_page_size / MIB;
	ASSERT_EQ(0, start_outside(&self->mem, nr_pages, MADV_NORMAL,
				   &self->area));
	self->nr_in = ct_mem_in_area(&self->mem, &self->area);
	ASSERT_LT(self->nr_in, nr_pages / 2);
	/* Earlier tests left pages in the area. */
	room_mib = ct_meminfo_kib("CmaFree") / 1024;
	TH_LOG("%ld MiB of the area are free", room_mib);
	if (room_mib > mem_mib)
		room_mib = mem_mib;
	if (room_mib / 2 <= high_mib)
		SKIP(return, "the area is small beside the watermarks");
	self->nr_mib = outside_mib() + room_mib / 2 - high_mib;
	self->nr_mib -= self->nr_mib * PIPE_COST / MIB;
	self->extra_mib = 2 * room_mib;
	self->oom_kill = ct_vmstat("oom_kill");
}

FIXTURE_TEARDOWN(cma_fill)
{
	pipes_free(&self->pipes);
	ct_thp_end(&self->thp);
	if (!self->mem.addr)
		return;
	EXPECT_EQ(self->oom_kill, ct_vmstat("oom_kill"));
	EXPECT_EQ(0, ct_mem_verify(&self->mem));
	ct_mem_exit(&self->mem);
}

TEST_F(cma_fill, programs_move_in)
{
	long pswpout = ct_vmstat("pswpout"), moved = ct_vmstat("cma_fill_moved");

	while (self->nr_mib--)
		ASSERT_EQ(0, pipes_add(&self->pipes));
	while (ct_mem_in_area(&self->mem, &self->area) <= self->nr_in &&
	       self->extra_mib--)
		ASSERT_EQ(0, pipes_add(&self->pipes));
	EXPECT_GT(ct_mem_in_area(&self->mem, &self->area), self->nr_in);
	EXPECT_GT(ct_vmstat("cma_fill_moved"), moved);
	EXPECT_EQ(pswpout, ct_vmstat("pswpout"));
}

/*
 * The last requests are for several pages each, so they fail while a few single
 * pages are left. No program is killed for that.
 */
TEST_F(cma_fill, requests_for_several_pages)
{
	struct pipes later = { };
	unsigned int i, nr = self->extra_mib / 4 * MIB / (2 * PIPE_COST);

	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, pipe_create(&later));
	/* Three quarters of what the area has room for have to move in the end. */
	self->nr_mib -= self->extra_mib / 8;
	while (self->nr_mib-- > 0)
		ASSERT_EQ(0, pipes_add(&self->pipes));
	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, pipe_enlarge(&later, i, 2 * MIB));
	pipes_free(&later);
	EXPECT_GT(ct_mem_in_area(&self->mem, &self->area), self->nr_in);
}

/* A transparent huge page moves as one as long as the area has room for it. */
TEST_F(cma_fill, huge_pages_stay_huge)
{
	unsigned long nr_pages = self->mem.nr_pages;
	long nr_huge;

	if (ct_thp_start(&self->thp) < 0)
		SKIP(return, "a kernel without transparent huge pages");
	ct_mem_exit(&self->mem);
	ASSERT_EQ(0, start_outside(&self->mem, nr_pages, MADV_HUGEPAGE,
				   &self->area));
	self->nr_in = ct_mem_in_area(&self->mem, &self->area);
	nr_huge = ct_area_count(&self->area, CT_KPF_THP, 0);
	while (self->nr_mib-- &&
	       ct_mem_in_area(&self->mem, &self->area) < self->nr_in + nr_pages / 4)
		ASSERT_EQ(0, pipes_add(&self->pipes));
	TH_LOG("%ld and then %ld pages of huge pages are in the area", nr_huge,
	       ct_area_count(&self->area, CT_KPF_THP, 0));
	EXPECT_GT(ct_area_count(&self->area, CT_KPF_THP, 0),
		  nr_huge + (long)nr_pages / 8);
}

/* While others take the free pages of the area, no page counts as stuck. */
TEST_F(cma_fill, targets_are_missing)
{
	long scanned = ct_vmstat("cma_fill_scanned"), seen = 0;
	size_t at;

	if (!ct_can_fail())
		SKIP(return, "no CONFIG_FAIL_CMA");
	ct_fail_at(CT_STEP_TARGET, -1);
	while (!seen && self->nr_mib--) {
		ASSERT_EQ(0, pipes_open(&self->pipes));
		for (at = 0; at < MIB; at += STEP) {
			ASSERT_EQ(0, pipes_write(&self->pipes, STEP));
			/* kswapd is to run. */
			usleep(1000);
			if (!seen)
				seen = ct_vmstat("cma_fill_scanned") - scanned;
			if (seen)
				ct_fail_end();
		}
	}
	ct_fail_end();
	EXPECT_GT(seen, 0);
	while (self->nr_mib-- > 0)
		ASSERT_EQ(0, pipes_add(&self->pipes));
	EXPECT_GT(ct_mem_in_area(&self->mem, &self->area), self->nr_in);
}

/* Returns how many allocations had to reclaim. */
static long nr_stalled(void)
{
	const char *const zones[] = { "dma", "dma32", "normal", "high", "movable" };
	char name[32];
	long nr = 0, value;

	for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
		snprintf(name, sizeof(name), "allocstall_%s", zones[i]);
		value = ct_vmstat(name);
		if (value > 0)
			nr += value;
	}
	return nr;
}

/* Returns how many pages the largest zone spans. */
static long largest_zone(void)
{
	long largest = 0, value;
	char line[256];
	FILE *file;

	file = fopen("/proc/zoneinfo", "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, " spanned %ld", &value) == 1 &&
		    value > largest)
			largest = value;
	if (file)
		fclose(file);
	return largest;
}

/* Returns the NUMA node of the area, or -1. */
static int node_of(const struct ct_area *area)
{
	unsigned long spanned = 0, start;
	int node = -1, found = -1;
	char line[256];
	FILE *file;

	file = fopen("/proc/zoneinfo", "r");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Node %d,", &node) == 1 ||
		    sscanf(line, " spanned %lu", &spanned) == 1)
			continue;
		if (sscanf(line, " start_pfn: %lu", &start) == 1 &&
		    area->base_pfn >= start &&
		    area->base_pfn - start < spanned)
			found = node;
	}
	if (file)
		fclose(file);
	return found;
}

/* Runs on a CPU of the area's node from now on, if the kernel has nodes. */
static int go_to_node_of(const struct ct_area *area)
{
	char path[64];
	cpu_set_t set;
	long cpu;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/cpulist",
		 node_of(area));
	cpu = ct_read_long(path);
	if (cpu < 0)
		return 0;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

/* Uses up some memory; kswapd has time to move pages before it is used up. */
static int use_memory_slowly(struct pipes *pipes, size_t *written)
{
	const int pause_ms = outside_kib() < 2 * ct_mem_reserved_kib() ? 100 : 1;
	int err = 0;

	if (*written % MIB == 0)
		err = pipes_open(pipes);
	if (!err)
		err = pipes_write(pipes, STEP);
	*written += STEP;
	usleep(pause_ms * 1000);
	return err;
}

/*
 * Pages that somebody holds for a while are stuck, but not for ever. They move
 * before anybody has to reclaim, and before a program would be killed.
 */
TEST_F(cma_fill, stuck_pages_get_free)
{
	long nr_mib = self->mem.nr_pages * ct_page_size / MIB, i, held = 0;
	long scanned = ct_vmstat("cma_fill_scanned"), moved = 0, stalled;
	unsigned long nr_in;
	struct iovec data = { .iov_len = MIB };
	struct pipes holders = { };
	size_t written = 0;

	/* Areas of another node are filled only before a program is killed. */
	ct_mem_exit(&self->mem);
	ASSERT_EQ(0, go_to_node_of(&self->area));
	ASSERT_EQ(0, start_outside(&self->mem, nr_mib * MIB / ct_page_size,
				   MADV_NORMAL, &self->area));
	self->nr_in = ct_mem_in_area(&self->mem, &self->area);
	for (i = 0; i < nr_mib; i++) {
		ASSERT_EQ(0, pipes_open(&holders));
		data.iov_base = (char *)self->mem.addr + i * MIB;
		held += vmsplice(holders.fds[i][1], &data, 1, 0);
	}
	ASSERT_EQ(nr_mib * MIB, held);
	/* The pages count as stuck after a round over all of the zone, in vain. */
	while (ct_vmstat("cma_fill_scanned") - scanned < largest_zone() &&
	       outside_kib() > ct_mem_reserved_kib() + 2 * STEP / KIB) {
		ASSERT_EQ(0, use_memory_slowly(&self->pipes, &written));
		if (moved == ct_vmstat("cma_fill_moved"))
			continue;
		moved = ct_vmstat("cma_fill_moved");
		scanned = ct_vmstat("cma_fill_scanned");
	}
	nr_in = ct_mem_in_area(&self->mem, &self->area);
	EXPECT_LT(nr_in, self->nr_in + self->mem.nr_pages / 4);
	pipes_free(&holders);

	sleep(2);
	stalled = nr_stalled();
	nr_mib += written / MIB;
	/* Other pages, which earlier tests left, may move or go before. */
	while (ct_mem_in_area(&self->mem, &self->area) <= nr_in &&
	       (long)(written / MIB) < nr_mib)
		ASSERT_EQ(0, use_memory_slowly(&self->pipes, &written));
	EXPECT_GT(ct_mem_in_area(&self->mem, &self->area), nr_in);
	EXPECT_EQ(stalled, nr_stalled());
}

/* By how many pages the watermarks of zones with areas are boosted. */
static long boost_of_areas(void)
{
	long boost = 0, sum = 0, value;
	char line[256], word[64];
	FILE *file;

	file = fopen("/proc/zoneinfo", "r");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %63s %ld", word, &value) != 2)
			continue;
		if (!strcmp(word, "boost"))
			boost = value;
		else if (!strcmp(word, "cma") && value > 0)
			sum += boost;
	}
	fclose(file);
	return sum;
}

/*
 * The area has room, so watermarks are not boosted to have kswapd reclaim. It
 * has no time to take a boost back meanwhile.
 */
TEST_F(cma_fill, watermarks_stay)
{
	const struct sched_param param = { .sched_priority = 1 };
	long nr_boosted = 0;
	size_t at;

	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &param));
	while (self->nr_mib--) {
		ASSERT_EQ(0, pipes_open(&self->pipes));
		for (at = 0; at < MIB; at += STEP) {
			ASSERT_EQ(0, pipes_write(&self->pipes, STEP));
			nr_boosted += ct_meminfo_kib("CmaFree") > ROOM_KIB &&
				      boost_of_areas() != 0;
		}
	}
	EXPECT_EQ(0, nr_boosted);
	EXPECT_GT(ct_mem_in_area(&self->mem, &self->area), self->nr_in);
}

/* Reclaim for a limit takes pages in areas, even if this helps nobody else. */
TEST_F(cma_fill, groups_stay_below_their_limit)
{
	const char *path = ct_big_file();
	off_t offset = 0;
	int status;
	pid_t pid;

	if (!path)
		SKIP(return, "no file on a disk in $CMA_TEST_FILE");
	if (!ct_group_make(GROUP_MAX))
		SKIP(return, "no memory cgroups");
	while (self->nr_mib--)
		ASSERT_EQ(0, pipes_add(&self->pipes));
	ct_drop_caches();
	pid = fork();
	if (!pid)
		_exit(ct_write(CT_GROUP "/cgroup.procs", "0") ||
		      ct_read_on(path, &offset, 4 * GROUP_MAX, 0));
	ASSERT_GT(pid, 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_GT(ct_read_field(CT_GROUP "/memory.events", "max"), 0);
	EXPECT_EQ(0, ct_read_field(CT_GROUP "/memory.events", "oom_kill"));
	ct_group_remove();
}

TEST_HARNESS_MAIN
