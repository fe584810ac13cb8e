// SPDX-License-Identifier: GPL-2.0
/*
 * Pages in use fill the area: program text that is executed, and memory that a
 * disk writes to and reads from. A driver gets its buffers, and the programs do
 * not notice.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_kinds_lib.h"

#define NR_TURNS	10
#define CHUNK_SIZE	(256 * KIB)	/* of direct I/O */
#define IO_SIZE		(12 * MIB)	/* memory of each thread */

/**
 * struct runner - a thread that uses memory
 * @thread:	the thread
 * @addr:	memory that it uses
 * @size:	size of the memory in bytes
 * @stop:	tells the thread to end
 * @nr_runs:	number of passes through all of the memory
 * @nr_wrong:	number of errors it found
 * @file:	for direct I/O
 * @writes:	the thread writes the file, else it reads it
 */
struct runner {
	pthread_t thread;
	char *addr;
	size_t size;
	bool stop;
	unsigned long nr_runs;
	unsigned long nr_wrong;
	int file;
	bool writes;
};

FIXTURE(cma_running) {
	struct ct_area area;
	char path[256];
	int fd, file;
};

FIXTURE_SETUP(cma_running)
{
	ct_init(&self->area);
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
	self->file = -1;
	if (!ct_big_file())
		SKIP(return, "no file on a disk in $CMA_TEST_FILE");
	snprintf(self->path, sizeof(self->path), "%s.tmp", ct_big_file());
	self->file = open(self->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
			  0600);
	ASSERT_GE(self->file, 0);
}

FIXTURE_TEARDOWN(cma_running)
{
	if (self->file >= 0)
		unlink(self->path);
	close(self->fd);
}

static void start(struct __test_metadata *_metadata, struct runner *runner,
		  void *(*function)(void *arg))
{
	ASSERT_EQ(0, pthread_create(&runner->thread, NULL, function, runner));
	/* After the first pass, all pages are in memory. */
	while (!__atomic_load_n(&runner->nr_runs, __ATOMIC_RELAXED))
		usleep(1000);
}

static void stop(struct __test_metadata *_metadata, struct runner *runner)
{
	__atomic_store_n(&runner->stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(runner->thread, NULL));
	EXPECT_EQ(0, runner->nr_wrong);
	EXPECT_GT(runner->nr_runs, 1);
}

/* Returns false when told to end. */
static bool next_run(struct runner *runner)
{
	__atomic_add_fetch(&runner->nr_runs, 1, __ATOMIC_RELAXED);
	return !__atomic_load_n(&runner->stop, __ATOMIC_RELAXED);
}

typedef uint32_t (*text_t)(const uint32_t *data, uint32_t nr);

/* This machine code is copied together with its surroundings and runs there. */
static uint32_t run_text(const uint32_t *data, uint32_t nr)
{
	uint32_t sum = 1;

	while (nr--)
		sum = sum * 31 + *data++;
	return sum;
}

#define TEXT_ALIGN	64
#define TEXT_SIZE	512	/* more than the size of the code */
#define TEXT_DATA	2048	/* offset of the data in a page of text */
#define TEXT_WORDS	64	/* words of data that are added up */

/* Returns the offset of run_text() in the copy, with the Thumb bit, if set. */
static size_t text_entry(void)
{
	return (uintptr_t)run_text % TEXT_ALIGN;
}

/* Every page starts with the code, and has its own data behind it. */
static void write_file(struct __test_metadata *_metadata, int file,
		       size_t size, size_t code_size)
{
	uint32_t *page = ct_map(ct_page_size);
	size_t offset;

	for (offset = 0; offset < size; offset += ct_page_size) {
		ct_noise_make(page, ct_page_size, offset / sizeof(*page));
		memcpy(page, (void *)((uintptr_t)run_text - text_entry()),
		       code_size);
		ASSERT_EQ((ssize_t)ct_page_size,
			  pwrite(file, page, ct_page_size, offset));
	}
	ASSERT_EQ(0, fsync(file));
	munmap(page, ct_page_size);
}

static uint32_t text_result(size_t offset)
{
	uint32_t data[TEXT_WORDS];

	ct_noise_make(data, sizeof(data), (offset + TEXT_DATA) / sizeof(*data));
	return run_text(data, TEXT_WORDS);
}

static void *run_all_text(void *arg)
{
	struct runner *runner = arg;
	size_t offset;

	do {
		for (offset = 0; offset < runner->size; offset += ct_page_size) {
			char *page = runner->addr + offset;
			text_t run = (text_t)(page + text_entry());

			if (run((uint32_t *)(page + TEXT_DATA), TEXT_WORDS) !=
			    text_result(offset))
				runner->nr_wrong++;
		}
	} while (next_run(runner));
	return NULL;
}

/* A program continues to run while its text moves. */
TEST_F(cma_running, text)
{
	size_t size = self->area.nr_pages / 2 * ct_page_size;
	struct runner runner = { .size = size };
	unsigned long nr_in;
	struct ct_mem mem;
	int turn;

	write_file(_metadata, self->file, size, TEXT_SIZE);
	ASSERT_EQ(0, ct_mem_fill_outside(&mem, CT_ANON, &self->area));
	runner.addr = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_PRIVATE,
			   self->file, 0);
	ASSERT_NE(MAP_FAILED, (void *)runner.addr);
	start(_metadata, &runner, run_all_text);
	nr_in = ct_map_in_area(runner.addr, size, &self->area);
	ASSERT_GT(nr_in, self->area.nr_pages / 4);
	EXPECT_EQ(0, ct_mem_verify(&mem));
	ct_mem_exit(&mem);

	for (turn = 0; turn < NR_TURNS; turn++)
		ASSERT_EQ(0, ct_dma_take_most(self->fd, &self->area));
	EXPECT_LT(ct_map_in_area(runner.addr, size, &self->area), nr_in);
	stop(_metadata, &runner);
}

static void *run_io(void *arg)
{
	struct runner *runner = arg;
	off_t base = runner->writes ? IO_SIZE : 0;
	size_t offset;
	ssize_t size;

	do {
		for (offset = 0; offset < runner->size; offset += CHUNK_SIZE) {
			uint32_t *data = (uint32_t *)(runner->addr + offset);
			uint32_t first = (base + offset) / sizeof(*data);

			if (runner->writes)
				size = pwrite(runner->file, data, CHUNK_SIZE,
					      base + offset);
			else
				size = pread(runner->file, data, CHUNK_SIZE,
					     base + offset);
			if (size != CHUNK_SIZE ||
			    ct_noise_wrong(data, CHUNK_SIZE, first))
				runner->nr_wrong++;
			if (!runner->writes)
				memset(data, 0, CHUNK_SIZE);
		}
	} while (next_run(runner));
	return NULL;
}

/* Direct I/O holds pages for a moment only, so requests wait and succeed. */
TEST_F(cma_running, direct_io)
{
	struct runner reader = { .size = IO_SIZE };
	struct runner writer = { .size = IO_SIZE, .writes = true };
	uint32_t *data;
	struct ct_mem mem;
	int turn;

	write_file(_metadata, self->file, IO_SIZE, 0);
	ASSERT_EQ(0, ct_mem_fill_outside(&mem, CT_ANON, &self->area));
	reader.addr = ct_map(IO_SIZE);
	writer.addr = ct_map(IO_SIZE);
	ASSERT_TRUE(reader.addr && writer.addr);
	memset(reader.addr, 1, IO_SIZE);
	ct_noise_make((uint32_t *)writer.addr, IO_SIZE,
		      IO_SIZE / sizeof(uint32_t));
	ASSERT_GT(ct_map_in_area(reader.addr, IO_SIZE, &self->area), 256);
	ASSERT_GT(ct_map_in_area(writer.addr, IO_SIZE, &self->area), 256);
	EXPECT_EQ(0, ct_mem_verify(&mem));
	ct_mem_exit(&mem);

	reader.file = open(self->path, O_RDWR | O_DIRECT | O_CLOEXEC);
	ASSERT_GE(reader.file, 0);
	writer.file = reader.file;
	start(_metadata, &reader, run_io);
	start(_metadata, &writer, run_io);
	for (turn = 0; turn < NR_TURNS; turn++)
		ASSERT_EQ(0, ct_dma_take_most(self->fd, &self->area));
	stop(_metadata, &reader);
	stop(_metadata, &writer);
	close(reader.file);

	data = mmap(NULL, 2 * IO_SIZE, PROT_READ, MAP_SHARED, self->file, 0);
	ASSERT_NE(MAP_FAILED, (void *)data);
	EXPECT_EQ(0, ct_noise_wrong(data, 2 * IO_SIZE, 0));
}

TEST_HARNESS_MAIN
