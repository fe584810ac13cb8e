// SPDX-License-Identifier: GPL-2.0
/*
 * Pinned pages cannot move. Pages that are pinned for long leave the area
 * before they are pinned. Pages that are pinned for a moment must not stop a
 * request that fits elsewhere.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/udmabuf.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../../../../mm/gup_test.h"
#include "../kselftest_harness.h"
#include "cma_test_lib.h"

#define NR_FILES	500
#define PIN_SIZE	(8 * MIB)
#define NR_PINNERS	4
#define NR_CALLS	40		/* of each pinner */

FIXTURE(cma_pinned) {
	struct ct_area area;
	struct ct_mem mem;	/* fills the area */
	char *pinned;		/* PIN_SIZE of mem, much of it in the area */
	int fd;
};

static char *page_addr(FIXTURE_DATA(cma_pinned) *self, unsigned long page)
{
	return (char *)self->mem.addr + page * ct_page_size;
}

/* Finds the part with the most data; all pages with data lie in the area. */
static char *find_pinned(FIXTURE_DATA(cma_pinned) *self)
{
	const unsigned long nr_pinned = PIN_SIZE / ct_page_size;
	unsigned long end, nr = 0, best = 0, best_nr = 0;

	for (end = 1; end <= self->mem.nr_pages; end++) {
		nr += self->mem.has_data[end - 1];
		if (end > nr_pinned)
			nr -= self->mem.has_data[end - nr_pinned - 1];
		if (end >= nr_pinned && nr > best_nr) {
			best_nr = nr;
			best = end - nr_pinned;
		}
	}
	return page_addr(self, best);
}

/* Counts the blocks of 4 MiB that these pages lie in. */
static unsigned int nr_blocks(const unsigned long *pfns, unsigned int nr)
{
	const unsigned long block = 4 * MIB / ct_page_size;
	unsigned int i, k, found = 0;

	for (i = 0; i < nr; i++) {
		for (k = 0; k < i; k++)
			if (pfns[k] / block == pfns[i] / block)
				break;
		found += k == i;
	}
	return found;
}

/* Finds four pages in a row that all lie in the area. */
static char *find_four(FIXTURE_DATA(cma_pinned) *self)
{
	unsigned long page;

	for (page = 0; page + 4 <= self->mem.nr_pages; page++)
		if (!memcmp(self->mem.has_data + page, "\1\1\1\1", 4))
			return page_addr(self, page);
	return NULL;
}

static unsigned long nr_in_area(FIXTURE_DATA(cma_pinned) *self)
{
	unsigned long i, nr = 0;

	for (i = 0; i < PIN_SIZE; i += ct_page_size)
		nr += ct_area_holds(&self->area,
				    ct_held_pfn(self->pinned + i));
	return nr;
}

FIXTURE_SETUP(cma_pinned)
{
	ct_init(&self->area);
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
	ASSERT_GT(ct_mem_fill_area(&self->mem, CT_SHMEM, &self->area), 0);
	self->pinned = find_pinned(self);
	ASSERT_GT(nr_in_area(self), 256);
}

FIXTURE_TEARDOWN(cma_pinned)
{
	EXPECT_EQ(0, ct_mem_verify(&self->mem));
	ct_mem_exit(&self->mem);
	close(self->fd);
}

/* May a buffer lie elsewhere? Then bus addresses are those of pages. */
static bool lies_elsewhere(FIXTURE_DATA(cma_pinned) *self,
			   const struct dma_test_alloc *buf)
{
	return ct_dma_generic(self->fd) &&
	       !ct_area_holds(&self->area, buf->dma_addr / ct_page_size);
}

/* Counts the buffers of 4 MiB that the area has room for. */
static unsigned int count_buffers(struct __test_metadata *_metadata,
				  FIXTURE_DATA(cma_pinned) *self)
{
	struct dma_test_alloc buf;
	unsigned int nr = 0, i;
	uint32_t ids[1024];
	int err;

	do {
		err = ct_dma_alloc(self->fd, 4 * MIB, DMA_TEST_KERNEL,
				   DMA_TEST_NO_WARN, &buf);
		if (!err && lies_elsewhere(self, &buf)) {
			EXPECT_EQ(0, ct_dma_free(self->fd, buf.id));
			err = -ENOMEM;
		}
		ids[nr] = buf.id;
	} while (!err && ++nr < 1024);
	EXPECT_EQ(-ENOMEM, err);
	for (i = 0; i < nr; i++)
		EXPECT_EQ(0, ct_dma_free(self->fd, ids[i]));
	return nr;
}

/* gup_test calls pin_user_pages() with FOLL_LONGTERM, as RDMA does. */
TEST_F(cma_pinned, longterm)
{
	struct pin_longterm_test pin = {
		.addr = (uintptr_t)self->pinned,
		.size = PIN_SIZE,
		.flags = PIN_LONGTERM_TEST_FLAG_USE_WRITE,
	};
	int gup = open("/sys/kernel/debug/gup_test", O_RDWR);

	if (gup < 0)
		SKIP(return, "no gup_test in debugfs");
	ASSERT_EQ(0, ioctl(gup, PIN_LONGTERM_TEST_START, &pin));
	EXPECT_EQ(0, nr_in_area(self));
	EXPECT_EQ(0, ct_mem_verify(&self->mem));
	ASSERT_EQ(0, ioctl(gup, PIN_LONGTERM_TEST_STOP));
	close(gup);
}

TEST_F(cma_pinned, io_uring_buffer)
{
	struct iovec iov = { self->pinned, PIN_SIZE };
	struct io_uring_params params = {};
	int ring;

	if (access("/proc/sys/kernel/io_uring_disabled", F_OK))
		SKIP(return, "no io_uring");
	ring = syscall(__NR_io_uring_setup, 1, &params);
	ASSERT_GE(ring, 0);
	ASSERT_EQ(0, syscall(__NR_io_uring_register, ring,
			     IORING_REGISTER_BUFFERS, &iov, 1));
	EXPECT_EQ(0, nr_in_area(self));
	EXPECT_EQ(0, ct_mem_verify(&self->mem));
	close(ring);
}

TEST_F(cma_pinned, udmabuf)
{
	struct udmabuf_create create = {
		.memfd = self->mem.fd,
		.offset = self->pinned - (char *)self->mem.addr,
		.size = PIN_SIZE,
	};
	int dev = open("/dev/udmabuf", O_RDWR), dmabuf;

	if (dev < 0)
		SKIP(return, "no /dev/udmabuf");
	ASSERT_EQ(0, fcntl(self->mem.fd, F_ADD_SEALS, F_SEAL_SHRINK));
	dmabuf = ioctl(dev, UDMABUF_CREATE, &create);
	ASSERT_GE(dmabuf, 0) {
		TH_LOG("%s", strerror(errno));
	}
	EXPECT_EQ(0, nr_in_area(self));
	EXPECT_EQ(0, ct_mem_verify(&self->mem));
	close(dmabuf);
	close(dev);
}

struct pinner {
	pthread_t thread;
	pthread_barrier_t *barrier;
	char *pinned;
	unsigned int nr_failed;
	int error;			/* of the last call that failed */
};

static int register_buffer(int ring, struct iovec *iov)
{
	if (!syscall(__NR_io_uring_register, ring, IORING_REGISTER_BUFFERS,
		     iov, 1))
		return 0;
	return -errno;
}

/* Pins one part after the other; all threads pin the same part at once. */
static void *pin_parts(void *arg)
{
	const size_t size = PIN_SIZE / NR_CALLS / ct_page_size * ct_page_size;
	struct io_uring_params params = {};
	int ring = syscall(__NR_io_uring_setup, 1, &params), call, err;
	struct pinner *me = arg;

	for (call = 0; call < NR_CALLS; call++) {
		struct iovec iov = { me->pinned + call * size, size };

		pthread_barrier_wait(me->barrier);
		err = register_buffer(ring, &iov);
		if (err) {
			me->nr_failed++;
			me->error = err;
		}
		/* No thread unpins before all threads have pinned. */
		pthread_barrier_wait(me->barrier);
		syscall(__NR_io_uring_register, ring,
			IORING_UNREGISTER_BUFFERS, NULL, 0);
	}
	close(ring);
	return NULL;
}

/* Threads pin the same pages at once; the pages must still leave the area. */
static void pin_together(struct __test_metadata *_metadata,
			 FIXTURE_DATA(cma_pinned) *self, unsigned int nr)
{
	const long before = nr_in_area(self);
	struct pinner pinners[NR_PINNERS] = {};
	pthread_barrier_t barrier;
	unsigned int i;

	ASSERT_EQ(0, pthread_barrier_init(&barrier, NULL, nr));
	for (i = 0; i < nr; i++) {
		pinners[i].barrier = &barrier;
		pinners[i].pinned = self->pinned;
		ASSERT_EQ(0, pthread_create(&pinners[i].thread, NULL,
					    pin_parts, &pinners[i]));
	}
	for (i = 0; i < nr; i++) {
		ASSERT_EQ(0, pthread_join(pinners[i].thread, NULL));
		EXPECT_EQ(0, pinners[i].nr_failed) {
			TH_LOG("thread %u: %s", i, strerror(-pinners[i].error));
		}
	}
	/* More than half of the pages have left the area. */
	EXPECT_GT(before, (long)nr_in_area(self) + before / 2);
	EXPECT_EQ(0, ct_mem_verify(&self->mem));
}

TEST_F(cma_pinned, two_pin_at_once)
{
	if (access("/proc/sys/kernel/io_uring_disabled", F_OK))
		SKIP(return, "no io_uring");
	pin_together(_metadata, self, 2);
}

TEST_F(cma_pinned, four_pin_at_once)
{
	if (access("/proc/sys/kernel/io_uring_disabled", F_OK))
		SKIP(return, "no io_uring");
	pin_together(_metadata, self, NR_PINNERS);
}

/*
 * A pipe holds four pages: they keep their place and their data, and all
 * requests that fit beside them succeed.
 */
TEST_F(cma_pinned, pipe)
{
	struct iovec iov = { find_four(self), 4 * ct_page_size };
	unsigned long pfns[4], i;
	unsigned int nr_beside, nr_all;
	struct dma_test_alloc buf;
	int fds[2];
	char *data;

	ASSERT_TRUE(!!iov.iov_base);
	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ((ssize_t)iov.iov_len, vmsplice(fds[1], &iov, 1, 0));
	for (i = 0; i < 4; i++)
		pfns[i] = ct_held_pfn(iov.iov_base + i * ct_page_size);

	EXPECT_EQ(-ENOMEM, ct_dma_alloc(self->fd, self->area.nr_pages *
					ct_page_size, DMA_TEST_KERNEL,
					DMA_TEST_NO_WARN, &buf));
	ASSERT_EQ(0, ct_dma_alloc(self->fd, self->area.nr_pages / 4 *
				  ct_page_size, DMA_TEST_KERNEL, 0, &buf));
	ASSERT_EQ(0, ct_dma_free(self->fd, buf.id));
	nr_beside = count_buffers(_metadata, self);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(pfns[i],
			  ct_held_pfn(iov.iov_base + i * ct_page_size));

	data = malloc(iov.iov_len);
	ASSERT_EQ((ssize_t)iov.iov_len, read(fds[0], data, iov.iov_len));
	EXPECT_EQ(0, memcmp(data, iov.iov_base, iov.iov_len));
	free(data);

	/* The held pages cost at most one buffer for each block they lay in. */
	nr_all = count_buffers(_metadata, self);
	EXPECT_GE(nr_beside + nr_blocks(pfns, 4), nr_all);
	EXPECT_GE((nr_all + 1) * 4 * MIB / ct_page_size,
		  self->area.nr_pages - ct_area_debugfs(&self->area, "used"));
}

/*
 * A mounted file system holds pages, such as buffers of its journal. They must
 * not lie in the area, even if memory was full when they were read.
 */
TEST_F(cma_pinned, file_system)
{
	const char *big = ct_big_file();
	char path[300];
	off_t offset = 0;
	int i, file;

	if (!big)
		SKIP(return, "no file on a disk in $CMA_TEST_FILE");
	/* Fill memory with page cache instead, inside and outside the area. */
	ct_mem_exit(&self->mem);
	self->mem.fd = -1;
	ASSERT_EQ(0, ct_read_on(big, &offset, 0, self->area.nr_pages *
				ct_page_size / 8 / KIB));
	for (i = 0; i < NR_FILES; i++) {
		snprintf(path, sizeof(path), "%s.%d", big, i);
		file = open(path, O_CREAT | O_WRONLY, 0600);
		ASSERT_GE(file, 0);
		ASSERT_EQ(1, write(file, "x", 1));
		close(file);
	}
	sync();

	EXPECT_GE((count_buffers(_metadata, self) + 1) * 4 * MIB / ct_page_size,
		  self->area.nr_pages - ct_area_debugfs(&self->area, "used"));
	for (i = 0; i < NR_FILES; i++) {
		snprintf(path, sizeof(path), "%s.%d", big, i);
		EXPECT_EQ(0, unlink(path));
	}
}

TEST_HARNESS_MAIN
