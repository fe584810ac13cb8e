// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of programs move while the page tables change in which they are: page
 * table entries mean the same afterwards, and no data are lost.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_test_lib.h"

#define PART_SIZE	(4 * MIB)
#define BUF_SIZE	(4 * MIB)
#define NR_PARTS_MAX	32
#define HOLD_SIZE	65536		/* what a pipe takes */
#define NR_REQUESTS	60

FIXTURE(cma_tables) {
	struct ct_area area;
	int fd;
};

FIXTURE_SETUP(cma_tables)
{
	ct_init(&self->area);
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
	ct_drop_caches();
}

FIXTURE_TEARDOWN(cma_tables)
{
	close(self->fd);
}

/* A window may have to start at a multiple of 1 MiB. */
#define UNALIGNED_PAGES	512

/* Nearly all that is free of the area goes to a driver, and comes back. */
static void empty_area(struct __test_metadata *_metadata,
		       FIXTURE_DATA(cma_tables) *self)
{
	size_t size = (ct_area_debugfs(&self->area, "maxchunk") -
		       UNALIGNED_PAGES) * ct_page_size;
	struct dma_test_alloc buf;

	ASSERT_GT(size, self->area.nr_pages * ct_page_size / 2);
	ASSERT_EQ(0, ct_dma_alloc(self->fd, size, DMA_TEST_KERNEL, 0, &buf));
	ASSERT_EQ(0, ct_dma_free(self->fd, buf.id));
}

static uint32_t *word_at(char *part, size_t page)
{
	return (uint32_t *)(part + page * ct_page_size);
}

static uint32_t read_word(char *part, size_t page)
{
	return __atomic_load_n(word_at(part, page), __ATOMIC_RELAXED);
}

static void write_word(char *part, size_t page, uint32_t value)
{
	__atomic_store_n(word_at(part, page), value, __ATOMIC_RELAXED);
}

static void write_part(char *part, uint32_t value)
{
	for (size_t page = 0; page < PART_SIZE / ct_page_size; page++)
		write_word(part, page, value + page);
}

static bool part_has(char *part, uint32_t value)
{
	for (size_t page = 0; page < PART_SIZE / ct_page_size; page++)
		if (read_word(part, page) != value + page)
			return false;
	return true;
}

static size_t nr_in_area(FIXTURE_DATA(cma_tables) *self, char *part)
{
	size_t page, nr_in = 0;

	for (page = 0; page < PART_SIZE / ct_page_size; page++)
		nr_in += ct_area_holds(&self->area,
				       ct_pfn(part + page * ct_page_size));
	return nr_in;
}

/* Maps a part in the area. Parts that lie elsewhere stay until the test ends. */
static char *map_part(struct __test_metadata *_metadata,
		      FIXTURE_DATA(cma_tables) *self)
{
	cpu_set_t cpus;
	char *part;
	int i;

	ASSERT_EQ(0, sched_getaffinity(0, sizeof(cpus), &cpus));
	for (i = 0; i < NR_PARTS_MAX; i++) {
		/* The area may lie on one node only. */
		ct_next_cpu();
		part = ct_map(PART_SIZE);
		ASSERT_TRUE(!!part);
		write_part(part, 1);
		if (nr_in_area(self, part) > PART_SIZE / ct_page_size / 2)
			break;
	}
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(cpus), &cpus));
	ASSERT_LT(i, NR_PARTS_MAX);
	return part;
}

/* The kernel writes on behalf of the program, so it needs no signal handler. */
static int write_by_kernel(int *fds, char *addr)
{
	if (write(fds[1], "x", 1) != 1 || read(fds[0], addr, 1) != 1)
		return -errno;
	return 0;
}

TEST_F(cma_tables, read_only_stays_read_only)
{
	char *part = map_part(_metadata, self);
	size_t page, nr_refused = 0;
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(0, mprotect(part, PART_SIZE, PROT_READ));
	empty_area(_metadata, self);
	EXPECT_LE(nr_in_area(self, part), UNALIGNED_PAGES);
	EXPECT_TRUE(part_has(part, 1));
	for (page = 0; page < PART_SIZE / ct_page_size; page++)
		nr_refused += write_by_kernel(fds, part + page *
					      ct_page_size) == -EFAULT;
	EXPECT_EQ(PART_SIZE / ct_page_size, nr_refused);
	ASSERT_EQ(0, mprotect(part, PART_SIZE, PROT_READ | PROT_WRITE));
	write_part(part, 2);
	EXPECT_TRUE(part_has(part, 2));
	munmap(part, PART_SIZE);
}

/*
 * A page that belongs to one program is written in place, although a pipe has a
 * reference. A page that may be another program's would be copied.
 */
TEST_F(cma_tables, exclusive_stays_exclusive)
{
	char *part = map_part(_metadata, self), byte;
	unsigned long pfn;
	struct iovec iov;
	int fds[2];
	size_t page;

	ASSERT_EQ(0, pipe(fds));
	empty_area(_metadata, self);
	ASSERT_EQ(0, mprotect(part, PART_SIZE, PROT_READ));
	for (page = 0; page < PART_SIZE / ct_page_size; page++) {
		iov = (struct iovec){ part + page * ct_page_size, 1 };
		ASSERT_EQ(1, vmsplice(fds[1], &iov, 1, 0));
		ASSERT_EQ(0, mprotect(iov.iov_base, ct_page_size,
				      PROT_READ | PROT_WRITE));
		pfn = ct_held_pfn(iov.iov_base);
		write_word(part, page, 3 + page);
		ASSERT_EQ(pfn, ct_held_pfn(iov.iov_base)) {
			TH_LOG("page %zu", page);
		}
		ASSERT_EQ(1, read(fds[0], &byte, 1));
	}
	EXPECT_TRUE(part_has(part, 3));
	close(fds[0]);
	close(fds[1]);
	munmap(part, PART_SIZE);
}

/* Pages that were shared with a child are copied when one of them writes. */
TEST_F(cma_tables, shared_stays_shared)
{
	char *part = map_part(_metadata, self);
	int status, go[2];
	pid_t pid;
	char byte;

	ASSERT_EQ(0, pipe(go));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		if (read(go[0], &byte, 1) != 1)
			_exit(2);
		_exit(!part_has(part, 1));
	}
	empty_area(_metadata, self);
	EXPECT_TRUE(part_has(part, 1));
	write_part(part, 4);
	empty_area(_metadata, self);
	ASSERT_EQ(1, write(go[1], "x", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(part_has(part, 4));
	/* Now this program has them alone again. */
	empty_area(_metadata, self);
	EXPECT_TRUE(part_has(part, 4));
	close(go[0]);
	close(go[1]);
	munmap(part, PART_SIZE);
}

enum change { WRITE, PROTECT, MOVE, FORK, DROP, HOLD, NR_CHANGES };

struct changer {
	pthread_t thread;
	enum change change;
	char *part, *spare;
	uint32_t value;
	bool stop, failed;
	int fds[2];
};

/* A pipe holds each page for a moment. */
static bool hold_part(struct changer *me)
{
	struct iovec iov = { me->part, HOLD_SIZE };

	for (; iov.iov_base < (void *)(me->part + PART_SIZE);
	     iov.iov_base += HOLD_SIZE) {
		if (vmsplice(me->fds[1], &iov, 1, 0) != HOLD_SIZE ||
		    read(me->fds[0], me->spare, HOLD_SIZE) != HOLD_SIZE ||
		    memcmp(me->spare, iov.iov_base, HOLD_SIZE))
			return false;
	}
	return true;
}

static void change_tables(struct changer *me)
{
	char *was = me->part;
	int status;
	pid_t pid;

	switch (me->change) {
	case PROTECT:
		me->failed |= mprotect(me->part, PART_SIZE, PROT_READ) ||
			      !part_has(me->part, me->value) ||
			      mprotect(me->part, PART_SIZE,
				       PROT_READ | PROT_WRITE);
		break;
	case MOVE:
		/* Another thread must not map something where it was. */
		me->failed |= mremap(was, PART_SIZE, PART_SIZE,
				     MREMAP_MAYMOVE | MREMAP_FIXED |
				     MREMAP_DONTUNMAP, me->spare) != me->spare;
		me->part = me->spare;
		me->spare = was;
		break;
	case FORK:
		pid = fork();
		if (!pid)
			_exit(!part_has(me->part, me->value));
		write_part(me->part, ++me->value);
		me->failed |= waitpid(pid, &status, 0) != pid || status;
		break;
	case DROP:
		me->failed |= madvise(me->part, PART_SIZE / 2, MADV_DONTNEED) ||
			      read_word(me->part, 0);
		write_part(me->part, me->value);
		break;
	case HOLD:
		me->failed |= !hold_part(me);
		break;
	default:
		break;
	}
}

static void *keep_changing(void *arg)
{
	struct changer *me = arg;

	while (!__atomic_load_n(&me->stop, __ATOMIC_RELAXED) && !me->failed) {
		me->failed = !part_has(me->part, me->value);
		write_part(me->part, ++me->value);
		change_tables(me);
	}
	return NULL;
}

TEST_F(cma_tables, while_they_change)
{
	struct changer changers[NR_CHANGES] = {};
	unsigned int i, nr_failed = 0;
	struct dma_test_alloc buf;

	for (i = 0; i < NR_CHANGES; i++) {
		changers[i].change = i;
		changers[i].part = ct_map(PART_SIZE);
		write_part(changers[i].part, 1);
		changers[i].spare = ct_map(PART_SIZE);
		changers[i].value = 1;
		ASSERT_EQ(0, pipe(changers[i].fds));
		ASSERT_EQ(0, pthread_create(&changers[i].thread, NULL,
					    keep_changing, &changers[i]));
	}
	for (i = 0; i < ct_scale(NR_REQUESTS); i++) {
		/* Most of the area, so that nothing can stay where it is. */
		size_t size = i % 4 ? BUF_SIZE : self->area.nr_pages *
			      ct_page_size * 3 / 4;

		if (ct_dma_alloc(self->fd, size, DMA_TEST_KERNEL,
				 DMA_TEST_NO_WARN, &buf)) {
			nr_failed++;
			continue;
		}
		EXPECT_EQ(0, ct_dma_free(self->fd, buf.id));
	}
	/* The holder may be off its CPU for long, with pages in the pipe. */
	EXPECT_LE(nr_failed, i / 4);
	for (i = 0; i < NR_CHANGES; i++)
		__atomic_store_n(&changers[i].stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < NR_CHANGES; i++) {
		ASSERT_EQ(0, pthread_join(changers[i].thread, NULL));
		EXPECT_FALSE(changers[i].failed) {
			TH_LOG("change %u", i);
		}
		EXPECT_TRUE(part_has(changers[i].part, changers[i].value));
		TH_LOG("change %u: %u rounds", i, changers[i].value);
		munmap(changers[i].part, PART_SIZE);
		munmap(changers[i].spare, PART_SIZE);
	}
}

TEST_HARNESS_MAIN
