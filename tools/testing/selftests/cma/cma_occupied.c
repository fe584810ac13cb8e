// SPDX-License-Identifier: GPL-2.0
/*
 * The area is full of pages of other users, of every kind that may lie there. A
 * driver still gets its buffer, and no data are lost.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_test_lib.h"

#define BUF_SIZE	(16 * MIB)
#define FILE_SIZE	(40 * MIB)	/* of the files written here */
#define NR_TIMES	100
#define SPARE_SIZE	(8 * MIB)	/* enough for kswapd to stay asleep */
#define ROOM_SIZE	(96 * MIB)	/* for the big file, which is larger */

static unsigned long sum_ms;		/* spent in the DMA API so far */

/* Takes a buffer and checks it. */
static uint32_t take(struct __test_metadata *_metadata, int fd, size_t size)
{
	struct dma_test_check check;
	struct dma_test_alloc buf = {};

	EXPECT_EQ(0, ct_dma_alloc(fd, size, DMA_TEST_KERNEL, 0, &buf)) {
		TH_LOG("%lu KiB, CmaFree %ld KiB, MemFree %ld KiB", size / KIB,
		       ct_meminfo_kib("CmaFree"), ct_meminfo_kib("MemFree"));
		return 0;
	}
	EXPECT_EQ(0, ct_dma_check(fd, buf.id, &check));
	EXPECT_EQ(check.tested, check.found);
	sum_ms += buf.time_ns / 1000000;
	return buf.id;
}

FIXTURE(cma_occupied) {
	struct ct_area area;
	int fd;
};

FIXTURE_VARIANT(cma_occupied) {
	enum ct_kind kind;
};

FIXTURE_VARIANT_ADD(cma_occupied, anonymous) { .kind = CT_ANON };
FIXTURE_VARIANT_ADD(cma_occupied, mlocked) { .kind = CT_MLOCKED };
FIXTURE_VARIANT_ADD(cma_occupied, shmem) { .kind = CT_SHMEM };

FIXTURE_SETUP(cma_occupied)
{
	ct_init(&self->area);
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
}

FIXTURE_TEARDOWN(cma_occupied)
{
	close(self->fd);
}

/* The data of programs move out of the way. */
TEST_F(cma_occupied, moves)
{
	unsigned long nr_usable, nr_in;
	struct ct_mem mem;
	uint32_t id;

	/* Files of the root file system stay if that is in memory. */
	ct_drop_caches();
	nr_usable = self->area.nr_pages -
		    ct_area_debugfs(&self->area, "used") -
		    ct_area_count(&self->area, CT_KPF_LRU, 0);
	nr_in = ct_mem_fill_area(&mem, variant->kind, &self->area);
	ASSERT_GT(nr_in, nr_usable * 9 / 10);

	id = take(_metadata, self->fd, BUF_SIZE);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, ct_dma_fill(self->fd, id, 3));
	EXPECT_EQ(0, ct_mem_verify(&mem));
	EXPECT_EQ(0, ct_dma_verify(self->fd, id, 3));
	EXPECT_EQ(0, ct_dma_free(self->fd, id));
	EXPECT_EQ(0, ct_mem_verify(&mem));
	ct_mem_exit(&mem);
}

FIXTURE(cma_files) {
	struct ct_area area;
	const char *big_file;
	char path[256];
	off_t offset;
	int fd, file;
	long full_kib;			/* more than CmaFree in a full area */
	struct ct_mem program;
	long dirty_ratio, dirty_background_ratio, dirty_expire;
};

FIXTURE_SETUP(cma_files)
{
	ct_init(&self->area);
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
	self->file = -1;
	self->full_kib = self->area.nr_pages * ct_page_size / 8 / KIB;
	self->dirty_ratio = ct_read_long("/proc/sys/vm/dirty_ratio");
	self->dirty_background_ratio =
		ct_read_long("/proc/sys/vm/dirty_background_ratio");
	self->dirty_expire =
		ct_read_long("/proc/sys/vm/dirty_expire_centisecs");
	self->big_file = ct_big_file();
	if (!self->big_file)
		SKIP(return, "no file on a disk in $CMA_TEST_FILE");
	snprintf(self->path, sizeof(self->path), "%s.tmp", self->big_file);
}

FIXTURE_TEARDOWN(cma_files)
{
	if (self->program.addr) {
		EXPECT_EQ(0, ct_mem_verify(&self->program));
		ct_mem_exit(&self->program);
	}
	if (self->file >= 0)
		unlink(self->path);
	ct_write_long("/proc/sys/vm/dirty_ratio", self->dirty_ratio);
	ct_write_long("/proc/sys/vm/dirty_background_ratio",
		      self->dirty_background_ratio);
	ct_write_long("/proc/sys/vm/dirty_expire_centisecs",
		      self->dirty_expire);
	close(self->fd);
}

/* Fills the area with the page cache of the file, or else with data. */
static void fill_cache(struct __test_metadata *_metadata,
		       FIXTURE_DATA(cma_files) *self)
{
	ASSERT_EQ(0, ct_read_on(self->big_file, &self->offset, 0,
				self->full_kib));
	if (ct_meminfo_kib("CmaFree") >= self->full_kib &&
	    !self->program.addr)
		ASSERT_EQ(0, ct_mem_fill(&self->program, CT_ANON));
	ASSERT_LT(ct_meminfo_kib("CmaFree"), self->full_kib);
}

static uint32_t file_word(size_t index)
{
	return index * 2654435761u;
}

#define CHUNK_SIZE	(64 * KIB)

static void write_chunk(struct __test_metadata *_metadata, int file,
			size_t offset)
{
	uint32_t data[CHUNK_SIZE / sizeof(uint32_t)];
	size_t i;

	for (i = 0; i < CHUNK_SIZE / sizeof(*data); i++)
		data[i] = file_word(offset / sizeof(*data) + i);
	ASSERT_EQ(CHUNK_SIZE, pwrite(file, data, CHUNK_SIZE, offset));
}

static void write_file(struct __test_metadata *_metadata,
		       FIXTURE_DATA(cma_files) *self)
{
	size_t offset;

	self->file = open(self->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
			  0600);
	ASSERT_GE(self->file, 0);
	for (offset = 0; offset < FILE_SIZE; offset += CHUNK_SIZE)
		write_chunk(_metadata, self->file, offset);
}

static bool area_is_dirty(const struct ct_area *area)
{
	return ct_area_count(area, CT_KPF_DIRTY, CT_KPF_ANON) > 64;
}

static size_t wrong_words(const uint32_t *data)
{
	size_t i, nr = 0;

	for (i = 0; i < FILE_SIZE / sizeof(*data); i++)
		nr += data[i] != file_word(i);
	return nr;
}

/*
 * Takes most of the area, so that most pages in it have to move or go. Small
 * buffers succeed even while the file system holds pages of its metadata.
 */
static void take_most(struct __test_metadata *_metadata, int fd)
{
	uint32_t ids[9];
	int i;

	for (i = 0; i < 9; i++)
		ids[i] = take(_metadata, fd, i ? BUF_SIZE / 4 : BUF_SIZE);
	for (i = 0; i < 9; i++)
		EXPECT_EQ(0, ct_dma_free(fd, ids[i]));
}

static uint32_t sum_file(const char *path)
{
	static uint32_t data[64 * 1024];
	uint32_t sum = 1;
	int fd = open(path, O_RDONLY);
	ssize_t size, i;

	while ((size = read(fd, data, sizeof(data))) > 0)
		for (i = 0; i < size / 4; i++)
			sum = sum * 31 + data[i];
	close(fd);
	return sum;
}

/* Clean pages of a file are dropped or moved; the file reads the same. */
TEST_F(cma_files, clean_cache)
{
	uint32_t sum;

	ct_drop_caches();
	sum = sum_file(self->big_file);
	fill_cache(_metadata, self);
	take_most(_metadata, self->fd);
	EXPECT_EQ(sum, sum_file(self->big_file));
}

/* Counts the pages of the file that are in memory. */
static unsigned long nr_cached(void *data)
{
	static unsigned char in[FILE_SIZE / 4096];
	unsigned long i, nr = 0;

	if (mincore(data, FILE_SIZE, in))
		return 0;
	for (i = 0; i < FILE_SIZE / ct_page_size; i++)
		nr += in[i] & 1;
	return nr;
}

static void read_file(struct __test_metadata *_metadata, int file, int times)
{
	static char data[CHUNK_SIZE];
	size_t at;

	while (times--)
		for (at = 0; at < FILE_SIZE; at += sizeof(data))
			ASSERT_EQ(sizeof(data),
				  pread(file, data, sizeof(data), at));
}

/*
 * The file is clean, not mapped, and read often. It is worth a copy, and there
 * is room outside the area, so its pages stay in memory.
 */
TEST_F(cma_files, warm_cache)
{
	unsigned long nr_pages = FILE_SIZE / ct_page_size, nr_in, moved;
	void *data;

	write_file(_metadata, self);
	ASSERT_EQ(0, fsync(self->file));
	ct_drop_caches();
	ASSERT_EQ(0, ct_mem_fill(&self->program, CT_ANON));
	ct_mem_drop(&self->program, &self->area, true, self->area.nr_pages);
	/* The file is read into the area, as more is free there. */
	ct_mem_drop(&self->program, &self->area, false,
		    SPARE_SIZE / ct_page_size);
	read_file(_metadata, self->file, 4);
	ct_mem_drop(&self->program, &self->area, false, 2 * nr_pages);
	data = mmap(NULL, FILE_SIZE, PROT_READ, MAP_SHARED, self->file, 0);
	ASSERT_TRUE(data != MAP_FAILED);
	read_file(_metadata, self->file, 4);
	ASSERT_GE(nr_cached(data), nr_pages * 9 / 10);
	nr_in = ct_area_count(&self->area, CT_KPF_LRU, CT_KPF_ANON);
	ASSERT_GT(nr_in, nr_pages / 2);

	moved = ct_vmstat("pgmigrate_success");
	take_most(_metadata, self->fd);
	moved = ct_vmstat("pgmigrate_success") - moved;
	EXPECT_GE(moved, nr_in / 2);
	EXPECT_GE(nr_cached(data), nr_pages * 9 / 10);
	EXPECT_EQ(0, wrong_words(data));
}

/* Dirty pages are not yet on the disk, and must get there in the end. */
TEST_F(cma_files, dirty_cache)
{
	uint32_t *data;

	/*
	 * Limits in bytes: a ratio is one of the memory that is left for page
	 * cache, which is little. On a slow board, pages would grow old.
	 */
	ct_write_long("/proc/sys/vm/dirty_bytes", 512 * MIB);
	ct_write_long("/proc/sys/vm/dirty_background_bytes", 256 * MIB);
	ct_write_long("/proc/sys/vm/dirty_expire_centisecs", 360000);
	/* With free memory left, reclaim does not wake those who write back. */
	ct_drop_caches();
	write_file(_metadata, self);
	ASSERT_TRUE(area_is_dirty(&self->area)) {
		TH_LOG("%ld pages of files, Dirty %ld KiB, Writeback %ld KiB",
		       ct_area_count(&self->area, CT_KPF_LRU, CT_KPF_ANON),
		       ct_meminfo_kib("Dirty"), ct_meminfo_kib("Writeback"));
	}
	take_most(_metadata, self->fd);

	ASSERT_EQ(0, fsync(self->file));
	ct_drop_caches();
	data = mmap(NULL, FILE_SIZE, PROT_READ, MAP_SHARED, self->file, 0);
	ASSERT_TRUE(data != MAP_FAILED);
	EXPECT_EQ(0, wrong_words(data));
}

/* A program has changed half of its private mapping of a file. */
TEST_F(cma_files, private_mapping)
{
	size_t i, words = ct_page_size / sizeof(uint32_t);
	unsigned long nr_in = 0;
	uint32_t *data;

	write_file(_metadata, self);
	ct_drop_caches();
	data = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE,
		    self->file, 0);
	ASSERT_TRUE(data != MAP_FAILED);
	fill_cache(_metadata, self);
	take_most(_metadata, self->fd);
	for (i = 0; i < FILE_SIZE / sizeof(*data); i += 2 * words) {
		data[i] = ~data[i];
		ASSERT_EQ(file_word(i + words), data[i + words]);
	}
	for (i = 0; i < FILE_SIZE / sizeof(*data); i += words)
		nr_in += ct_area_holds(&self->area, ct_pfn(&data[i]));
	ASSERT_GT(nr_in, 256);
	take_most(_metadata, self->fd);
	for (i = 0; i < FILE_SIZE / sizeof(*data); i += 2 * words)
		data[i] = ~data[i];
	EXPECT_EQ(0, wrong_words(data));
}

/*
 * The main test takes 16 MiB of a full area many times. No request may fail and
 * no data may change. After each turn the program rewrites a part of its data
 * and the file is read on, until the area is full again.
 */
TEST_F(cma_files, hundred_times)
{
	unsigned long slice = 4 * MIB / ct_page_size, at = 0;
	unsigned long room = ROOM_SIZE / ct_page_size, nr_other;
	unsigned int turn;
	struct ct_mem mem;
	uint32_t id;

	/* Two programs use memory; the file does not fit into the rest. */
	ASSERT_GT(ct_mem_fill_area(&mem, CT_ANON, &self->area), 0);
	nr_other = ct_meminfo_kib("MemFree") * KIB / ct_page_size;
	if (nr_other > room) {
		nr_other -= room;
		ASSERT_EQ(0, ct_mem_init(&self->program, CT_ANON, nr_other));
		ct_mem_write(&self->program, 0, nr_other);
	}
	for (turn = 0; turn < ct_scale(NR_TIMES); turn++) {
		fill_cache(_metadata, self);
		id = take(_metadata, self->fd, BUF_SIZE);
		ASSERT_NE(0, id) {
			TH_LOG("turn %u", turn);
		}
		ASSERT_EQ(0, ct_dma_free(self->fd, id));

		/* Only pages that have data are rewritten. */
		while (at < mem.nr_pages && !mem.has_data[at])
			at++;
		if (at + slice > mem.nr_pages)
			at = 0;
		ct_mem_rewrite(&mem, at, slice);
		at += slice;
		if (turn % 10 == 9)
			ASSERT_EQ(0, ct_mem_verify(&mem));
	}
	TH_LOG("%u turns, %lu ms in dma_alloc_coherent()", turn, sum_ms);
	EXPECT_EQ(0, ct_mem_verify(&mem));
	EXPECT_GT(ct_mem_in_area(&mem, &self->area), 0);
	ct_mem_exit(&mem);
}

TEST_HARNESS_MAIN
