// SPDX-License-Identifier: GPL-2.0
/*
 * Program text fills the area: clean, mapped pages of files. They stay in
 * memory while there is room, otherwise they are read again. The data that
 * programs see must not change.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_kinds_lib.h"

#define CHUNK_SIZE	(64 * KIB)
#define NR_TURNS	5
#define NR_COPIES	20	/* copies that fail */
#define NR_BUFS		64

/**
 * struct text - a mapped file, most of it in the area
 * @area:	the area
 * @outside:	fills all other memory
 * @path:	path of the file, or of the image of its file system
 * @dir:	mount point of the image
 * @fd:		file of the DMA test driver
 * @file:	open file of @path
 * @loop:	open loop device of @path, or -1
 * @addr:	start of the mapping
 * @size:	size of the mapping in bytes
 * @nr_in:	pages that were in the area when the test began
 */
struct text {
	struct ct_area area;
	struct ct_mem outside;
	char path[256];
	char dir[300];
	int fd, file, loop;
	uint32_t *addr;
	size_t size;
	unsigned long nr_in;
};

#define ISO_SECTOR	2048
#define ISO_VOLUME	16	/* sector of the volume descriptor */
#define ISO_END		17	/* sector of the last descriptor */
#define ISO_ROOT	18	/* sector of the root directory */
#define ISO_DATA	20	/* first sector of the file */
#define ISO_IS_DIR	2
#define ISO_NAME	"TEXT.;1"

/* Numbers are stored in both byte orders, little endian first. */
struct iso_u16 {
	uint8_t bytes[2 * sizeof(uint16_t)];
};

struct iso_u32 {
	uint8_t bytes[2 * sizeof(uint32_t)];
};

struct iso_record {
	uint8_t length;
	uint8_t attributes_length;
	struct iso_u32 sector, size;
	uint8_t date[7];
	uint8_t flags, unit, gap;
	struct iso_u16 volume;
	uint8_t name_length;
	char name[9];
};

struct iso_volume {
	uint8_t type;
	char magic[5];
	uint8_t version;
	char unused_1[73];
	struct iso_u32 nr_sectors;
	char unused_2[32];
	struct iso_u16 nr_volumes, volume, sector_size;
	char unused_3[24];
	struct iso_record root;
};

static void put_both(uint8_t *bytes, size_t size, uint32_t value)
{
	size_t i;

	for (i = 0; i < size / 2; i++, value >>= 8) {
		bytes[i] = value;
		bytes[size - 1 - i] = value;
	}
}

static struct iso_u16 iso_u16(uint16_t value)
{
	struct iso_u16 both;

	put_both(both.bytes, sizeof(both.bytes), value);
	return both;
}

static struct iso_u32 iso_u32(uint32_t value)
{
	struct iso_u32 both;

	put_both(both.bytes, sizeof(both.bytes), value);
	return both;
}

static struct iso_record iso_record(uint32_t sector, uint32_t size,
				    const char *name, uint8_t name_length,
				    uint8_t flags)
{
	struct iso_record record = {
		.length		= offsetof(struct iso_record, name) +
				  (name_length | 1),
		.sector		= iso_u32(sector),
		.size		= iso_u32(size),
		.flags		= flags,
		.volume		= iso_u16(1),
		.name_length	= name_length,
	};

	memcpy(record.name, name, name_length);
	return record;
}

/* Makes all sectors before the data of a file of @size bytes. */
static void make_iso(uint8_t iso[ISO_DATA * ISO_SECTOR], uint32_t size)
{
	struct iso_record records[] = {
		iso_record(ISO_ROOT, ISO_SECTOR, "\0", 1, ISO_IS_DIR),
		iso_record(ISO_ROOT, ISO_SECTOR, "\1", 1, ISO_IS_DIR),
		iso_record(ISO_DATA, size, ISO_NAME, sizeof(ISO_NAME) - 1, 0),
	};
	struct iso_volume volume = {
		.type		= 1,
		.magic		= "CD001",
		.version	= 1,
		.nr_sectors	= iso_u32(ISO_DATA + size / ISO_SECTOR),
		.nr_volumes	= iso_u16(1),
		.volume		= iso_u16(1),
		.sector_size	= iso_u16(ISO_SECTOR),
		.root		= records[0],
	};
	uint8_t *at = iso + ISO_ROOT * ISO_SECTOR;
	size_t i;

	memset(iso, 0, ISO_DATA * ISO_SECTOR);
	memcpy(iso + ISO_VOLUME * ISO_SECTOR, &volume, sizeof(volume));
	volume.type = 255;
	memcpy(iso + ISO_END * ISO_SECTOR, &volume, 7);
	for (i = 0; i < sizeof(records) / sizeof(*records); i++) {
		memcpy(at, &records[i], records[i].length);
		at += records[i].length;
	}
}

static void write_noise(struct __test_metadata *_metadata, int file,
			size_t size)
{
	uint32_t data[CHUNK_SIZE / sizeof(uint32_t)];
	size_t offset;

	for (offset = 0; offset < size; offset += CHUNK_SIZE) {
		ct_noise_make(data, CHUNK_SIZE, offset / sizeof(*data));
		ASSERT_EQ(CHUNK_SIZE, write(file, data, CHUNK_SIZE));
	}
	ASSERT_EQ(0, fsync(file));
}

static bool has_iso(void)
{
	FILE *file = fopen("/proc/filesystems", "r");
	bool found = false;
	char line[80];

	while (file && fgets(line, sizeof(line), file))
		found |= !strcmp(line, "\tiso9660\n");
	if (file)
		fclose(file);
	return found && !access("/dev/loop-control", W_OK);
}

/* Mounts the image and returns the open file in it. */
static int mount_iso(struct __test_metadata *_metadata, struct text *text)
{
	struct loop_config config = {
		.fd = text->file,
		.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR,
	};
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	char loop[32], path[320];

	ASSERT_GE(control, 0);
	snprintf(loop, sizeof(loop), "/dev/loop%d",
		 ioctl(control, LOOP_CTL_GET_FREE));
	close(control);
	text->loop = open(loop, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(text->loop, 0);
	ASSERT_EQ(0, ioctl(text->loop, LOOP_CONFIGURE, &config));
	ASSERT_EQ(0, mkdir(text->dir, 0700));
	ASSERT_EQ(0, mount(loop, text->dir, "iso9660", MS_RDONLY, NULL));
	snprintf(path, sizeof(path), "%s/text", text->dir);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* With a loop device, the data would be in memory three times. */
static void drop_doubles(struct text *text)
{
	if (text->loop < 0)
		return;
	posix_fadvise(text->file, 0, 0, POSIX_FADV_DONTNEED);
	ioctl(text->loop, BLKFLSBUF);
}

static uint32_t *map_file(struct text *text, int prot, int flags, int file)
{
	uint32_t *addr = mmap(NULL, text->size, prot, flags, file, 0);
	size_t at;

	if (addr == MAP_FAILED)
		return NULL;
	for (at = 0; at < text->size; at += ct_page_size) {
		__atomic_load_n((char *)addr + at, __ATOMIC_RELAXED);
		if (!(at % MIB))
			drop_doubles(text);
	}
	drop_doubles(text);
	return addr;
}

/* Also removes files that an aborted test left behind. */
static void clean_up(struct text *text)
{
	umount2(text->dir, MNT_DETACH);
	rmdir(text->dir);
	unlink(text->path);
}

static void set_up(struct __test_metadata *_metadata, struct text *text,
		   bool iso9660)
{
	static uint8_t iso[ISO_DATA * ISO_SECTOR];
	int file;

	ct_init(&text->area);
	text->fd = ct_dma_open();
	ASSERT_GE(text->fd, 0);
	text->file = -1;
	text->loop = -1;
	if (!ct_big_file())
		SKIP(return, "no file on a disk in $CMA_TEST_FILE");
	if (iso9660 && !has_iso())
		SKIP(return, "no iso9660 or no loop device");
	/* A request of three quarters of the area meets some of the text. */
	text->size = text->area.nr_pages / 2 * ct_page_size;
	snprintf(text->path, sizeof(text->path), "%s.text", ct_big_file());
	snprintf(text->dir, sizeof(text->dir), "%s.dir", text->path);
	clean_up(text);
	text->file = open(text->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
			  0600);
	ASSERT_GE(text->file, 0);
	if (iso9660) {
		make_iso(iso, text->size);
		ASSERT_EQ(sizeof(iso), write(text->file, iso, sizeof(iso)));
	}
	write_noise(_metadata, text->file, text->size);
	file = iso9660 ? mount_iso(_metadata, text) : text->file;
	ASSERT_GE(file, 0);

	ASSERT_EQ(0, ct_mem_fill_outside(&text->outside, CT_ANON, &text->area));
	text->addr = map_file(text, PROT_READ | PROT_EXEC, MAP_PRIVATE, file);
	ASSERT_TRUE(!!text->addr);
	if (file != text->file)
		close(file);
	text->nr_in = ct_map_in_area(text->addr, text->size, &text->area);
	ASSERT_GT(text->nr_in, text->size / ct_page_size / 2);
}

static void tear_down(struct __test_metadata *_metadata, struct text *text)
{
	if (text->addr)
		munmap(text->addr, text->size);
	if (text->outside.addr) {
		EXPECT_EQ(0, ct_mem_verify(&text->outside));
		ct_mem_exit(&text->outside);
	}
	if (text->file >= 0)
		clean_up(text);
	close(text->fd);
}

static unsigned long nr_wrong(const struct text *text)
{
	return ct_noise_wrong(text->addr, text->size, 0);
}

static unsigned long nr_cached(const struct text *text)
{
	unsigned long nr_pages = text->size / ct_page_size, i, nr = 0;
	unsigned char *in = calloc(nr_pages, 1);

	if (!in || mincore(text->addr, text->size, in))
		perror("mincore");
	for (i = 0; in && i < nr_pages; i++)
		nr += in[i] & 1;
	free(in);
	return nr;
}

/* @iso9660: use a file system without a migrate_folio function */
FIXTURE(cma_text) {
	struct text text;
};

FIXTURE_VARIANT(cma_text) {
	bool iso9660;
};

FIXTURE_VARIANT_ADD(cma_text, disk) { };
FIXTURE_VARIANT_ADD(cma_text, iso9660) { .iso9660 = true };

FIXTURE_SETUP(cma_text)
{
	set_up(_metadata, &self->text, variant->iso9660);
}

FIXTURE_TEARDOWN(cma_text)
{
	tear_down(_metadata, &self->text);
}

/* With room outside the area, text is moved and not read again. */
TEST_F(cma_text, stays_in_memory)
{
	struct text *text = &self->text;
	unsigned long nr_pages = text->size / ct_page_size, moved;

	ct_mem_exit(&text->outside);
	moved = ct_vmstat("pgmigrate_success");
	ASSERT_EQ(0, ct_dma_take_most(text->fd, &text->area));
	moved = ct_vmstat("pgmigrate_success") - moved;
	EXPECT_GE(moved, text->nr_in / 4);
	EXPECT_GE(nr_cached(text), nr_pages * 9 / 10);
	EXPECT_EQ(0, nr_wrong(text));
	EXPECT_LT(ct_map_in_area(text->addr, text->size, &text->area),
		  text->nr_in / 4 * 3);
}

/* Without room, text is dropped, and memory that cannot be reread stays. */
TEST_F(cma_text, is_read_again)
{
	const long buf_pages = MIB / ct_page_size;
	struct text *text = &self->text;
	struct dma_test_alloc bufs[NR_BUFS];
	long nr_free, cached, missing;
	unsigned int nr_bufs, nr, i;
	struct ct_mem rest;

	ASSERT_EQ(0, ct_mem_fill(&rest, CT_ANON));
	/* Take all free memory and half of the memory of the text. */
	nr_free = ct_meminfo_kib("MemFree") * KIB / ct_page_size;
	cached = nr_cached(text);
	nr_bufs = (nr_free + cached / 2) / buf_pages;
	if (nr_bufs > NR_BUFS)
		nr_bufs = NR_BUFS;
	missing = nr_bufs * buf_pages - nr_free;
	ASSERT_GT(missing, buf_pages);
	for (nr = 0; nr < nr_bufs; nr++)
		if (ct_dma_alloc(text->fd, MIB, DMA_TEST_KERNEL, 0, &bufs[nr]))
			break;
	EXPECT_EQ(nr_bufs, nr);
	EXPECT_LT((long)nr_cached(text), cached - missing / 4);
	EXPECT_EQ(0, nr_wrong(text));
	for (i = 0; i < nr; i++)
		EXPECT_EQ(0, ct_dma_free(text->fd, bufs[i].id));
	EXPECT_EQ(0, ct_mem_verify(&rest));
	ct_mem_exit(&rest);
}

/* A reference that appears after the copy keeps the original page in use. */
TEST_F(cma_text, is_referenced_after_copy)
{
	struct text *text = &self->text;

	if (!ct_can_fail())
		SKIP(return, "no CONFIG_FAIL_CMA");
	ct_mem_exit(&text->outside);
	ct_fail_at(CT_STEP_COPY, NR_COPIES);
	EXPECT_EQ(0, ct_dma_take_most(text->fd, &text->area));
	EXPECT_EQ(0, ct_fail_end());
	EXPECT_EQ(0, nr_wrong(text));
	ASSERT_EQ(0, ct_dma_take_most(text->fd, &text->area));
	EXPECT_EQ(0, nr_wrong(text));
}

/**
 * struct writer - a thread that writes to each page of a file again and again
 * @thread:	the thread
 * @addr:	start of the mapping
 * @size:	size of the mapping in bytes
 * @nr_runs:	last value that it has written to all pages
 * @stop:	tells the thread to end
 */
struct writer {
	pthread_t thread;
	uint32_t *addr;
	size_t size;
	uint32_t nr_runs;
	bool stop;
};

/* Writes the first word of each page. */
static void *write_on(void *arg)
{
	struct writer *writer = arg;
	size_t i;

	do {
		for (i = 0; i < writer->size / sizeof(*writer->addr);
		     i += ct_page_size / sizeof(*writer->addr))
			writer->addr[i] = writer->nr_runs + 1;
		__atomic_add_fetch(&writer->nr_runs, 1, __ATOMIC_RELAXED);
	} while (!__atomic_load_n(&writer->stop, __ATOMIC_RELAXED));
	return NULL;
}

static unsigned long nr_lost(const struct writer *writer)
{
	const size_t words = ct_page_size / sizeof(*writer->addr);
	unsigned long page, nr = 0;

	for (page = 0; page < writer->size / ct_page_size; page++) {
		const uint32_t *word = writer->addr + page * words;

		nr += *word != writer->nr_runs ||
		      ct_noise_wrong(word + 1, ct_page_size - sizeof(*word),
				     page * words + 1);
	}
	return nr;
}

/* The file lies on the disk's own file system. */
FIXTURE(cma_writable) {
	struct text text;
};

FIXTURE_SETUP(cma_writable)
{
	set_up(_metadata, &self->text, false);
}

FIXTURE_TEARDOWN(cma_writable)
{
	tear_down(_metadata, &self->text);
}

/*
 * A thread writes through a mapping, so pages change between clean and dirty.
 * No word may be lost in memory or on the disk.
 */
TEST_F(cma_writable, is_written_to)
{
	struct text *text = &self->text;
	struct writer writer = { .size = text->size };
	int turn;

	ct_mem_exit(&text->outside);
	writer.addr = map_file(text, PROT_READ | PROT_WRITE, MAP_SHARED,
			       text->file);
	ASSERT_TRUE(!!writer.addr);
	ASSERT_EQ(0, pthread_create(&writer.thread, NULL, write_on, &writer));
	for (turn = 0; turn < NR_TURNS; turn++) {
		ASSERT_EQ(0, fsync(text->file));
		ASSERT_EQ(0, ct_dma_take_most(text->fd, &text->area));
	}
	__atomic_store_n(&writer.stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(writer.thread, NULL));
	EXPECT_GT(writer.nr_runs, 1);
	EXPECT_EQ(0, nr_lost(&writer));

	munmap(text->addr, text->size);
	text->addr = NULL;
	ASSERT_EQ(0, fsync(text->file));
	munmap(writer.addr, writer.size);
	ct_drop_caches();
	writer.addr = map_file(text, PROT_READ, MAP_SHARED, text->file);
	ASSERT_TRUE(!!writer.addr);
	EXPECT_EQ(0, nr_lost(&writer));
	munmap(writer.addr, writer.size);
}

TEST_HARNESS_MAIN
