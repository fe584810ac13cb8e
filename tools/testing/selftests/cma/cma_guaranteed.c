// SPDX-License-Identifier: GPL-2.0
/*
 * The mode guaranteed: pages of files that reclaim evicted come back from the
 * area, as they were, until a device takes their place.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_test_lib.h"

#define FILE_PAGES	256	/* of the file that changes */
#define BIG_PAGES	2048	/* of the file that does not */
#define NR_CHANGES	ct_scale(2000)
#define NR_TAKES	ct_scale(50)
#define NR_DIRECT	ct_scale(200)
#define NR_HOLES	16
#define ALIGN_PAGES	256	/* largest alignment of a buffer */
#define DIRECT_ALIGN	4096
#define GROUP_MAX	(4 * MIB)
#define GROUP_READS	4

FIXTURE(cma_guaranteed) {
	struct ct_area area;
	char path[256];		/* of a file that may change */
	int fd, file;
	char *model;		/* what the file has to have */
	char *data;		/* aligned, as large as the model */
	size_t size;		/* of the file */
	unsigned long sum;	/* of bytes that were read for nothing else */
	bool stop;		/* tells a thread to end */
};

static long stored_count(FIXTURE_DATA(cma_guaranteed) *self, const char *name)
{
	char file[64];

	snprintf(file, sizeof(file), "stored/%s", name);
	return ct_area_sysfs(&self->area, file);
}

FIXTURE_SETUP(cma_guaranteed)
{
	size_t max;

	ct_init(&self->area);
	max = FILE_PAGES * ct_page_size;
	self->file = -1;
	self->model = NULL;
	self->data = NULL;
	self->size = 0;
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
	if (stored_count(self, "pages") < 0)
		SKIP(return, "no CONFIG_CMA_GUARANTEED");
	if (!ct_big_file())
		SKIP(return, "no file on a disk in $CMA_TEST_FILE");
	snprintf(self->path, sizeof(self->path), "%s.tmp", ct_big_file());
	self->file = open(self->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
			  0600);
	ASSERT_TRUE(self->file >= 0 || errno == EROFS);
	self->model = calloc(1, max);
	ASSERT_EQ(0, posix_memalign((void **)&self->data, DIRECT_ALIGN, max));
	ASSERT_FALSE(!self->model);
	ASSERT_EQ(0, ct_area_set(&self->area, "mode", "guaranteed"));
}

FIXTURE_TEARDOWN(cma_guaranteed)
{
	if (self->model)
		EXPECT_EQ(0, ct_area_set(&self->area, "mode", "shared"));
	free(self->model);
	free(self->data);
	if (self->file >= 0) {
		close(self->file);
		unlink(self->path);
	}
	close(self->fd);
}

/* Reclaim evicts what is clean in the file, and stores it. */
static int evict(FIXTURE_DATA(cma_guaranteed) *self)
{
	size_t size = FILE_PAGES * ct_page_size;
	char *addr;
	int err;

	if (fsync(self->file))
		return -errno;
	addr = mmap(NULL, size, PROT_READ, MAP_SHARED, self->file, 0);
	if (addr == MAP_FAILED)
		return -errno;
	/* Only pages that are mapped are paged out. */
	for (size_t at = 0; at < self->size; at += ct_page_size)
		self->sum += addr[at];
	err = madvise(addr, size, MADV_PAGEOUT) ? -errno : 0;
	munmap(addr, size);
	return err;
}

/* Return: the first byte that differs from the model; -1 if none does. */
static long first_wrong(FIXTURE_DATA(cma_guaranteed) *self)
{
	ssize_t size = pread(self->file, self->data,
			     FILE_PAGES * ct_page_size, 0);

	if (size != (ssize_t)self->size)
		return -2;
	for (ssize_t at = 0; at < size; at++)
		if (self->data[at] != self->model[at])
			return at;
	return -1;
}

static void grow_to(FIXTURE_DATA(cma_guaranteed) *self, size_t size)
{
	if (size > self->size)
		self->size = size;
}

static unsigned int pick(unsigned int *seed, unsigned int limit)
{
	return rand_r(seed) % limit;
}

static void model_write(FIXTURE_DATA(cma_guaranteed) *self, size_t at,
			size_t size, unsigned int *seed)
{
	char first = rand_r(seed);

	for (size_t i = 0; i < size; i++)
		self->model[at + i] = first + i / 7;
}

static bool change_by_write(FIXTURE_DATA(cma_guaranteed) *self,
			    unsigned int *seed, size_t max)
{
	size_t at = pick(seed, max - 1), size = 1 + pick(seed, 3 * ct_page_size);

	if (size > max - at)
		size = max - at;
	model_write(self, at, size, seed);
	grow_to(self, at + size);
	return pwrite(self->file, self->model + at, size, at) == (ssize_t)size;
}

static bool change_directly(FIXTURE_DATA(cma_guaranteed) *self,
			    unsigned int *seed, size_t max)
{
	size_t nr = max / DIRECT_ALIGN, first = pick(seed, nr);
	size_t size = (1 + pick(seed, 4)) * DIRECT_ALIGN;
	size_t at = first * DIRECT_ALIGN;
	int file = open(self->path, O_RDWR | O_DIRECT | O_CLOEXEC);
	bool done;

	if (file < 0)
		return false;
	if (size > max - at)
		size = max - at;
	model_write(self, at, size, seed);
	grow_to(self, at + size);
	memcpy(self->data, self->model + at, size);
	done = pwrite(file, self->data, size, at) == (ssize_t)size;
	close(file);
	return done;
}

static bool change_size(FIXTURE_DATA(cma_guaranteed) *self, unsigned int *seed,
			size_t max)
{
	size_t size = pick(seed, max);

	if (size < self->size)
		memset(self->model + size, 0, self->size - size);
	self->size = size;
	return !ftruncate(self->file, size);
}

static bool change_by_hole(FIXTURE_DATA(cma_guaranteed) *self,
			   unsigned int *seed, size_t max)
{
	size_t at = pick(seed, max - 1), size = 1 + pick(seed, 3 * ct_page_size);

	if (size > max - at)
		size = max - at;
	if (fallocate(self->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      at, size))
		return errno == EOPNOTSUPP;
	memset(self->model + at, 0, size);
	return true;
}

static bool change_by_map(FIXTURE_DATA(cma_guaranteed) *self,
			  unsigned int *seed, size_t max)
{
	size_t at, size;
	char *addr;

	if (!self->size)
		return true;
	at = pick(seed, self->size);
	size = 1 + pick(seed, 2 * ct_page_size);
	if (size > self->size - at)
		size = self->size - at;
	model_write(self, at, size, seed);
	addr = mmap(NULL, max, PROT_READ | PROT_WRITE, MAP_SHARED, self->file,
		    0);
	if (addr == MAP_FAILED)
		return false;
	memcpy(addr + at, self->model + at, size);
	munmap(addr, max);
	return true;
}

static bool (*const changes[])(FIXTURE_DATA(cma_guaranteed) *self,
			       unsigned int *seed, size_t max) = {
	change_by_write, change_directly, change_size, change_by_hole,
	change_by_map,
};

static unsigned long sum_of(const char *addr, size_t size)
{
	unsigned long sum = 0;

	for (size_t at = 0; at < size; at += sizeof(sum))
		sum = sum * 31 + *(const unsigned long *)(addr + at);
	return sum;
}

/* A file that does not change is the same each time it is read. */
TEST_F(cma_guaranteed, a_file_is_read_again)
{
	int file = open(ct_big_file(), O_RDONLY | O_CLOEXEC);
	size_t size = BIG_PAGES * ct_page_size;
	unsigned long sums[BIG_PAGES];
	long nr_found;
	char *addr;

	ASSERT_GE(file, 0);
	ASSERT_EQ(0, fsync(file));
	addr = mmap(NULL, size, PROT_READ, MAP_SHARED, file, 0);
	ASSERT_TRUE(addr != MAP_FAILED);
	for (size_t i = 0; i < BIG_PAGES; i++)
		sums[i] = sum_of(addr + i * ct_page_size, ct_page_size);
	nr_found = stored_count(self, "pages_found");
	for (unsigned int turn = 0; turn < 3; turn++) {
		ASSERT_EQ(0, madvise(addr, size, MADV_PAGEOUT));
		for (size_t i = 0; i < BIG_PAGES; i++)
			ASSERT_EQ(sums[i], sum_of(addr + i * ct_page_size,
						  ct_page_size));
	}
	EXPECT_GE(stored_count(self, "pages_found") - nr_found, BIG_PAGES);
	munmap(addr, size);
	close(file);
}

/* Pages that reclaim evicted come from the area. */
TEST_F(cma_guaranteed, evicted_pages_come_back)
{
	size_t max = FILE_PAGES * ct_page_size;
	unsigned int seed = 1;
	long nr_found, nr_added;

	ASSERT_GE(self->file, 0);

	self->size = max;
	model_write(self, 0, max, &seed);
	ASSERT_EQ((ssize_t)max, pwrite(self->file, self->model, max, 0));
	nr_added = stored_count(self, "pages_added");
	ASSERT_EQ(0, evict(self));
	EXPECT_GE(stored_count(self, "pages_added") - nr_added, FILE_PAGES / 2);
	nr_found = stored_count(self, "pages_found");
	EXPECT_EQ(-1, first_wrong(self));
	EXPECT_GE(stored_count(self, "pages_found") - nr_found, FILE_PAGES / 2);
}

/* Reads much of the big file, in turns, as a member of the group. */
static int read_in_group(void)
{
	for (unsigned int turn = 0; turn < GROUP_READS; turn++) {
		off_t offset = 0;

		if (ct_write(CT_GROUP "/cgroup.procs", "0") ||
		    ct_read_on(ct_big_file(), &offset, 2 * GROUP_MAX, 0))
			return 1;
	}
	return 0;
}

/* A group whose files do not fit below its limit finds them, and is not charged. */
TEST_F(cma_guaranteed, groups_are_not_charged)
{
	long nr_found = stored_count(self, "pages_found");
	int status;
	pid_t pid;

	if (!ct_group_make(GROUP_MAX))
		SKIP(return, "no memory cgroups");
	ct_drop_caches();
	pid = fork();
	if (!pid)
		_exit(read_in_group());
	ASSERT_GT(pid, 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_GT(ct_read_field(CT_GROUP "/memory.events", "max"), 0);
	EXPECT_EQ(0, ct_read_field(CT_GROUP "/memory.events", "oom_kill"));
	EXPECT_LE(ct_read_long(CT_GROUP "/memory.current"), GROUP_MAX);
	EXPECT_GT(stored_count(self, "pages"),
		  GROUP_MAX / (long)ct_page_size / 2);
	EXPECT_GT(stored_count(self, "pages_found") - nr_found,
		  GROUP_MAX / (long)ct_page_size / 2);
	ct_group_remove();
}

/* Whatever changes a file, its pages are never those of before. */
TEST_F(cma_guaranteed, changes_are_seen)
{
	size_t max = FILE_PAGES * ct_page_size;
	long nr_found = stored_count(self, "pages_found");
	unsigned int seed = 1;

	ASSERT_GE(self->file, 0);
	for (unsigned int i = 0; i < NR_CHANGES; i++) {
		unsigned int kind = pick(&seed, ARRAY_SIZE(changes));

		ASSERT_TRUE(changes[kind](self, &seed, max))
			TH_LOG("change %u, kind %u: %s", i, kind,
			       strerror(errno));
		if (!pick(&seed, 3))
			ASSERT_EQ(0, evict(self));
		if (!pick(&seed, 4))
			ASSERT_EQ(-1, first_wrong(self))
				TH_LOG("change %u, kind %u", i, kind);
	}
	EXPECT_EQ(-1, first_wrong(self));
	EXPECT_LT(0, stored_count(self, "pages_found") - nr_found);
}

static void *read_and_evict(void *arg)
{
	FIXTURE_DATA(cma_guaranteed) *self = arg;
	size_t at = (FILE_PAGES - 1) * ct_page_size;
	unsigned long sum = 0;
	char *addr;

	addr = mmap(NULL, ct_page_size, PROT_READ, MAP_SHARED, self->file, at);
	if (addr == MAP_FAILED || madvise(addr, ct_page_size, MADV_RANDOM))
		return NULL;
	while (!__atomic_load_n(&self->stop, __ATOMIC_RELAXED)) {
		sum += addr[0];
		madvise(addr, ct_page_size, MADV_PAGEOUT);
	}
	munmap(addr, ct_page_size);
	return (void *)(sum | 1);
}

/* Submits a write, and waits for its end. */
static ssize_t write_by_aio(aio_context_t context, int file, const void *data,
			    size_t size)
{
	struct iocb cb = {
		.aio_lio_opcode	= IOCB_CMD_PWRITE,
		.aio_fildes	= file,
		.aio_buf	= (uintptr_t)data,
		.aio_nbytes	= size,
	}, *cbs[] = { &cb };
	struct io_event event;

	if (syscall(__NR_io_submit, context, 1, cbs) != 1 ||
	    syscall(__NR_io_getevents, context, 1, 1, &event, NULL) != 1)
		return -1;
	return event.res;
}

/*
 * While the disk writes, a page is read as it was before, and evicted. No folio
 * is left that would have to be invalidated after the write.
 */
TEST_F(cma_guaranteed, direct_writes_are_seen)
{
	size_t max = FILE_PAGES * ct_page_size;
	aio_context_t context = 0;
	unsigned int nr_wrong = 0, nr_writes = 0;
	pthread_t thread;
	void *result;
	int file;

	ASSERT_GE(self->file, 0);
	ASSERT_EQ((ssize_t)max, pwrite(self->file, self->model, max, 0));
	ASSERT_EQ(0, fsync(self->file));
	file = open(self->path, O_RDWR | O_DIRECT | O_CLOEXEC);
	ASSERT_GE(file, 0);
	ASSERT_EQ(0, syscall(__NR_io_setup, 1, &context));
	self->stop = false;
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_and_evict, self));
	for (unsigned int i = 0; i < NR_DIRECT; i++) {
		ssize_t size;
		char now;

		memset(self->data, i, max);
		size = i % 2 ? pwrite(file, self->data, max, 0) :
			       write_by_aio(context, file, self->data, max);
		if (size != (ssize_t)max ||
		    pread(self->file, &now, 1, max - 1) != 1)
			break;
		nr_wrong += now != (char)i;
		nr_writes++;
	}
	self->stop = true;
	ASSERT_EQ(0, pthread_join(thread, &result));
	EXPECT_NE(0, (long)result);
	EXPECT_EQ(0, nr_wrong);
	EXPECT_EQ(NR_DIRECT, nr_writes);
	syscall(__NR_io_destroy, context);
	close(file);
}

static void *take_often(void *arg)
{
	FIXTURE_DATA(cma_guaranteed) *self = arg;
	long nr_failed = 0;

	for (unsigned int i = 0; i < NR_TAKES; i++) {
		size_t size = (1 + i % 40) * MIB;
		struct dma_test_alloc buf;

		if (ct_dma_alloc(self->fd, size, DMA_TEST_KERNEL, 0, &buf)) {
			nr_failed++;
			continue;
		}
		nr_failed += ct_dma_fill(self->fd, buf.id, i) != 0;
		nr_failed += ct_dma_verify(self->fd, buf.id, i) != 0;
		ct_dma_free(self->fd, buf.id);
	}
	return (void *)nr_failed;
}

/* Takes nearly all that is idle, hole by hole, and gives it back. */
static void take_all(FIXTURE_DATA(cma_guaranteed) *self)
{
	struct dma_test_alloc bufs[NR_HOLES];
	unsigned int nr = 0;

	while (nr < NR_HOLES) {
		long nr_pages = ct_area_sysfs(&self->area, "widest_hole_pages") -
				ALIGN_PAGES;

		if (nr_pages <= 0 ||
		    ct_dma_alloc(self->fd, nr_pages * ct_page_size,
				 DMA_TEST_KERNEL, 0, &bufs[nr]))
			break;
		nr++;
	}
	while (nr--)
		ct_dma_free(self->fd, bufs[nr].id);
}

/* Buffers come and go meanwhile, and none of them fails or is written to. */
TEST_F(cma_guaranteed, buffers_take_their_place)
{
	size_t max = FILE_PAGES * ct_page_size;
	unsigned int seed = 2;
	pthread_t thread;
	void *nr_failed;

	ASSERT_GE(self->file, 0);
	ASSERT_EQ(0, pthread_create(&thread, NULL, take_often, self));
	for (unsigned int i = 0; i < NR_CHANGES / 2; i++) {
		unsigned int kind = pick(&seed, ARRAY_SIZE(changes));

		ASSERT_TRUE(changes[kind](self, &seed, max));
		if (!pick(&seed, 3))
			ASSERT_EQ(0, evict(self));
		if (!pick(&seed, 4))
			ASSERT_EQ(-1, first_wrong(self))
				TH_LOG("change %u, kind %u", i, kind);
	}
	ASSERT_EQ(0, pthread_join(thread, &nr_failed));
	EXPECT_EQ(0, (long)nr_failed);

	ASSERT_EQ(0, evict(self));
	EXPECT_LT(0, stored_count(self, "pages"));
	take_all(self);
	EXPECT_LT(0, stored_count(self, "pages_forgotten"));
	EXPECT_EQ(-1, first_wrong(self));
}

TEST_HARNESS_MAIN
