// SPDX-License-Identifier: GPL-2.0
/*
 * A program that maps a buffer sees the same pages as the kernel, through page
 * table entries of the same memory type. The mapping is one of page frames,
 * which cannot be pinned. All mmap functions of the DMA API are tested.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_test_lib.h"

#define BUF_SIZE	(300 * KIB)
#define SEED		7

FIXTURE(cma_mapping) {
	struct ct_area area;
	long used;
	int fd;
};

/* @cached: the kernel and programs use the CPU caches */
FIXTURE_VARIANT(cma_mapping) {
	enum dma_test_kind kind;
	uint32_t attrs;
	bool cached;
};

FIXTURE_VARIANT_ADD(cma_mapping, coherent) {
	.kind = DMA_TEST_COHERENT,
};

FIXTURE_VARIANT_ADD(cma_mapping, write_combine) {
	.kind = DMA_TEST_COHERENT, .attrs = DMA_TEST_WRITE_COMBINE,
};

FIXTURE_VARIANT_ADD(cma_mapping, pages) {
	.kind = DMA_TEST_PAGES, .cached = true,
};

FIXTURE_VARIANT_ADD(cma_mapping, noncontiguous) {
	.kind = DMA_TEST_NONCONTIGUOUS, .cached = true,
};

FIXTURE_SETUP(cma_mapping)
{
	ct_init(&self->area);
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
	self->used = ct_area_debugfs(&self->area, "used");
}

FIXTURE_TEARDOWN(cma_mapping)
{
	close(self->fd);
	EXPECT_EQ(self->used, ct_area_debugfs(&self->area, "used"));
}

static uint32_t alloc(struct __test_metadata *_metadata, int fd,
		      enum dma_test_kind kind, uint32_t attrs)
{
	struct dma_test_alloc buf = {
		.size = BUF_SIZE, .kind = kind, .attrs = attrs,
	};

	ASSERT_EQ(0, ioctl(fd, DMA_TEST_IOC_ALLOC, &buf)) {
		TH_LOG("%s", strerror(errno));
	}
	return buf.id;
}

static uint32_t *map(int fd, uint32_t id)
{
	return mmap(NULL, BUF_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    (off_t)id * ct_page_size);
}

/* Returns whether smaps shows this flag for the mapping at @addr. */
static bool has_flag(const void *addr, const char *flag)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	char line[512], word[8];
	bool here = false, found = false;
	unsigned long start, end;

	snprintf(word, sizeof(word), " %s ", flag);
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = start == (unsigned long)addr;
		else if (here && !strncmp(line, "VmFlags:", 8))
			found = strstr(line, word);
	}
	if (file)
		fclose(file);
	return found;
}

/* Checks the entry of every page; the driver can read them on ARM only. */
static void check_entries(struct __test_metadata *_metadata, int fd,
			  uint32_t id, const uint32_t *data, bool cached)
{
	struct dma_test_mapping entry = { .id = id };

	for (; entry.offset < BUF_SIZE; entry.offset += ct_page_size) {
		entry.addr = (uintptr_t)data + entry.offset;
		if (ioctl(fd, DMA_TEST_IOC_MAPPING, &entry)) {
			ASSERT_EQ(EOPNOTSUPP, errno);
			ASSERT_TRUE(ct_dma_generic(fd));
			return;
		}
		ASSERT_TRUE(entry.same_page);
		/* The kernel's large entries lack some of the type bits. */
		if (!cached) {
			ASSERT_EQ(entry.kernel_type, entry.user_type) {
				TH_LOG("offset %#x", entry.offset);
			}
		}
	}
}

/* The program and the kernel see each other's writes. */
TEST_F(cma_mapping, as_the_kernel_has_it)
{
	uint32_t id = alloc(_metadata, self->fd, variant->kind, variant->attrs);
	uint32_t *data = map(self->fd, id), first;
	size_t i, nr_set = 0;

	ASSERT_TRUE(data != MAP_FAILED);
	for (i = 0; i < BUF_SIZE / sizeof(*data); i++)
		nr_set += data[i] != 0;
	EXPECT_EQ(0, nr_set);
	ASSERT_EQ(0, ct_dma_fill(self->fd, id, SEED));
	EXPECT_EQ(0, ct_dma_verify(self->fd, id, SEED));
	first = data[0];
	EXPECT_NE(first, data[1]);
	data[0] = ~first;
	EXPECT_EQ(-EILSEQ, ct_dma_verify(self->fd, id, SEED));
	data[0] = first;
	EXPECT_EQ(0, ct_dma_verify(self->fd, id, SEED));

	check_entries(_metadata, self->fd, id, data, variant->cached);
	EXPECT_TRUE(has_flag(data, "pf"));
	ASSERT_EQ(0, munmap(data, BUF_SIZE));
	EXPECT_EQ(0, ct_dma_free(self->fd, id));
}

/* Returns the memory type of a program's mapping of such a buffer. */
static uint32_t user_type(struct __test_metadata *_metadata, int fd,
			  enum dma_test_kind kind, uint32_t attrs)
{
	struct dma_test_mapping entry = {
		.id = alloc(_metadata, fd, kind, attrs),
	};
	uint32_t *data = map(fd, entry.id);

	ASSERT_TRUE(data != MAP_FAILED);
	ASSERT_EQ(0, data[0]);
	entry.addr = (uintptr_t)data;
	ASSERT_EQ(0, ioctl(fd, DMA_TEST_IOC_MAPPING, &entry));
	ASSERT_EQ(0, munmap(data, BUF_SIZE));
	EXPECT_EQ(0, ct_dma_free(fd, entry.id));
	return entry.user_type;
}

/* Cached and uncached buffers must have different memory types. */
TEST(cached_or_not)
{
	struct ct_area area;
	uint32_t cached;
	int fd;

	ct_init(&area);
	fd = ct_dma_open();
	ASSERT_GE(fd, 0);
	if (ct_dma_generic(fd))
		SKIP(return, "page table entries of another architecture");
	cached = user_type(_metadata, fd, DMA_TEST_PAGES, 0);
	EXPECT_EQ(cached, user_type(_metadata, fd, DMA_TEST_NONCONTIGUOUS, 0));
	EXPECT_NE(cached, user_type(_metadata, fd, DMA_TEST_COHERENT, 0));
	EXPECT_NE(cached, user_type(_metadata, fd, DMA_TEST_COHERENT,
				    DMA_TEST_WRITE_COMBINE));
	close(fd);
}

TEST_HARNESS_MAIN
