// SPDX-License-Identifier: GPL-2.0
/*
 * What lives in memory during a soak: data of programs, files, pages that are
 * pinned for a moment or for long, and unmovable pages. Each load knows what its
 * data have to be, and compares all of it.
 *
 * All loads and all drivers together fit into memory and swap, see
 * scripts/cma/soak.py. So nothing may fail for want of memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../../mm/gup_test.h"
#include "bench_place.h"
#include "bench_soak.h"
#include "cma_kinds_lib.h"

#define PROGRAM_SIZE	(80 * MIB)
#define PROGRAM_STEP	128		/* pages from pause to pause */
#define PROGRAM_US	2000
#define REWRITE		4		/* one of so many pages is written anew */
#define JOB_SIZE	(8 * MIB)	/* largest memory, and file, of a job */
#define JOB_PROGRAM	"/mnt/bin/true"	/* its text is read from the disk */
#define SYNC		4		/* one of so many files goes to the disk */
#define FILE_SIZE	(16 * MIB)
#define FILE_US		20000		/* longest pause between two blocks */
#define BLOCK_SIZE	(256 * KIB)
#define NR_BLOCKS	(FILE_SIZE / BLOCK_SIZE)
#define PIPE_SIZE	(8 * MIB)	/* memory whose pages go into a pipe */
#define PIPE_PAGES	16		/* pages in the pipe at a time */
#define PIPE_US		50000		/* longest stay in the pipe */
#define LOCK		64		/* locked, or not, so many pipes long */
#define DIRECT_SIZE	(4 * MIB)
#define DIRECT_US	5000
#define LONGTERM_SIZE	(8 * MIB)
#define LONGTERM_US	10000000	/* longest pin, and longest time without */
#define UNMOVABLE_MAX	96		/* MiB */
#define UNMOVABLE_US	20000		/* from one MiB to the next */
#define MAX_FILES	1024

static uint32_t any_word(void)
{
	return random_below(UINT32_MAX);
}

/* Compares noise from word @first on. */
static void compare_noise(uint32_t *data, size_t size, uint32_t first)
{
	spoil(data);
	compared(size, !ct_noise_wrong(data, size, first));
}

static void write_file(int fd, const void *data, size_t size, off_t at)
{
	if (pwrite(fd, data, size, at) != (ssize_t)size)
		die("write: %s", strerror(errno));
}

static void read_file(int fd, void *data, size_t size, off_t at)
{
	if (pread(fd, data, size, at) != (ssize_t)size)
		die("read: %s", strerror(errno));
}

/* Now and then, the next read has to come from the disk. */
static void sometimes_sync(int fd)
{
	if (random_below(SYNC))
		return;
	if (fsync(fd))
		die("fsync: %s", strerror(errno));
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

/* An eighth of a page does not compress, so that zram has something to do. */
static void write_page(uint32_t *words, uint32_t first)
{
	size_t nr = ct_page_size / sizeof(*words), i;

	ct_noise_make(words, ct_page_size / 8, first);
	for (i = nr / 8; i < nr; i++)
		words[i] = first;
}

static void compare_page(uint32_t *words, uint32_t first)
{
	size_t nr = ct_page_size / sizeof(*words), i;
	bool is_right;

	spoil(words);
	is_right = !ct_noise_wrong(words, ct_page_size / 8, first);
	for (i = nr / 8; i < nr; i++)
		is_right &= words[i] == first;
	compared(ct_page_size, is_right);
}

/* Data that are used all the time; some of them are in swap. */
static void run_program(void)
{
	const size_t nr_words = ct_page_size / sizeof(uint32_t);
	const unsigned long nr = PROGRAM_SIZE / ct_page_size;
	uint32_t *data = map_memory(PROGRAM_SIZE);
	uint32_t *firsts = map_memory(nr * sizeof(*firsts));
	unsigned long page;

	for (page = 0; page < nr; page++) {
		firsts[page] = any_word();
		write_page(data + page * nr_words, firsts[page]);
	}
	do {
		for (page = 0; page < nr; page++) {
			compare_page(data + page * nr_words, firsts[page]);
			if (!random_below(REWRITE)) {
				firsts[page] = any_word();
				write_page(data + page * nr_words,
					   firsts[page]);
			}
			if (!(page % PROGRAM_STEP))
				usleep(PROGRAM_US);
		}
	} while (!soak_stops());
}

/* Works like a compiler, compares what it wrote, and starts a program. */
static void do_job(void)
{
	static uint32_t chunk[BLOCK_SIZE / sizeof(uint32_t)];
	size_t size = (1 + random_below(JOB_SIZE / MIB)) * MIB, done;
	uint32_t first = any_word(), *data = map_memory(size);
	int fd = open_file("job", 0);

	ct_noise_make(data, size, first);
	write_file(fd, data, size, 0);
	sometimes_sync(fd);
	for (done = 0; done < size; done += sizeof(chunk)) {
		read_file(fd, chunk, sizeof(chunk), done);
		compare_noise(chunk, sizeof(chunk), first + done / 4);
	}
	compare_noise(data, size, first);
	execl(JOB_PROGRAM, "true", NULL);
	die("%s: %s", JOB_PROGRAM, strerror(errno));
}

static void run_jobs(void)
{
	int status;
	pid_t pid;

	do {
		any_word();		/* each job gets other data */
		pid = fork();
		if (pid < 0)
			die("fork: %s", strerror(errno));
		if (!pid)
			do_job();
		if (waitpid(pid, &status, 0) != pid || status)
			die("a job ended with status %#x", status);
	} while (!soak_stops());
}

/* A file changes, half by write() and half in memory that is mapped. */
static void change_file(int fd)
{
	static uint32_t chunk[BLOCK_SIZE / sizeof(uint32_t)];
	static uint32_t firsts[NR_BLOCKS];
	char *map;
	int i;

	for (i = 0; i < (int)NR_BLOCKS; i++) {
		firsts[i] = any_word();
		ct_noise_make(chunk, BLOCK_SIZE, firsts[i]);
		write_file(fd, chunk, BLOCK_SIZE, i * BLOCK_SIZE);
	}
	map = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	while (!soak_stops()) {
		i = random_below(NR_BLOCKS);
		read_file(fd, chunk, BLOCK_SIZE, i * BLOCK_SIZE);
		compare_noise(chunk, BLOCK_SIZE, firsts[i]);
		firsts[i] = any_word();
		if (random_below(2)) {
			ct_noise_make(chunk, BLOCK_SIZE, firsts[i]);
			write_file(fd, chunk, BLOCK_SIZE, i * BLOCK_SIZE);
		} else {
			ct_noise_make((uint32_t *)(map + i * BLOCK_SIZE),
				      BLOCK_SIZE, firsts[i]);
		}
		sometimes_sync(fd);
		usleep(random_below(FILE_US));
	}
	for (i = 0; i < (int)NR_BLOCKS; i++)
		compare_noise((uint32_t *)(map + i * BLOCK_SIZE), BLOCK_SIZE,
			      firsts[i]);
}

static void run_file(void)
{
	change_file(open_file("file", 0));
}

static void run_shmem(void)
{
	int fd = memfd_create("soak", MFD_CLOEXEC);

	if (fd < 0)
		die("memfd: %s", strerror(errno));
	change_file(fd);
}

/* Fills memory with page cache, and compares it with the disk. */
static void run_cache(void)
{
	char *cached = map_memory(BLOCK_SIZE), *direct = map_memory(BLOCK_SIZE);
	int fd = open(ct_big_file(), O_RDONLY | O_CLOEXEC);
	int disk = open(ct_big_file(), O_RDONLY | O_CLOEXEC | O_DIRECT);
	off_t at = 0;
	struct stat st;

	if (fd < 0 || disk < 0 || fstat(fd, &st))
		die("%s: %s", ct_big_file(), strerror(errno));
	do {
		read_file(fd, cached, BLOCK_SIZE, at);
		read_file(disk, direct, BLOCK_SIZE, at);
		spoil(cached);
		compared(BLOCK_SIZE, !memcmp(cached, direct, BLOCK_SIZE));
		at = (at + BLOCK_SIZE) % (st.st_size / BLOCK_SIZE * BLOCK_SIZE);
	} while (!soak_stops());
}

/* Locks the memory, or unlocks it, now and then. */
static void sometimes_lock(void *memory, size_t size)
{
	if (random_below(LOCK))
		return;
	if (random_below(2) ? mlock(memory, size) : munlock(memory, size))
		die("mlock: %s", strerror(errno));
}

/*
 * Pages of this process are in a pipe, and cannot move meanwhile. The memory is
 * locked half of the time.
 */
static void run_pipe(void)
{
	static uint32_t firsts[PIPE_SIZE / 4096], data[PIPE_PAGES * 65536 / 4];
	const unsigned long nr = PIPE_SIZE / ct_page_size;
	char *memory = map_memory(PIPE_SIZE);
	struct iovec iov[PIPE_PAGES];
	unsigned long page, pages[PIPE_PAGES];
	ssize_t size = PIPE_PAGES * ct_page_size;
	int fds[2], i;

	if (pipe(fds))
		die("pipe: %s", strerror(errno));
	for (page = 0; page < nr; page++)
		ct_noise_make((uint32_t *)(memory + page * ct_page_size),
			      ct_page_size, firsts[page] = any_word());
	do {
		for (i = 0; i < PIPE_PAGES; i++) {
			pages[i] = random_below(nr);
			iov[i].iov_base = memory + pages[i] * ct_page_size;
			iov[i].iov_len = ct_page_size;
		}
		if (vmsplice(fds[1], iov, PIPE_PAGES, 0) != size)
			die("vmsplice: %s", strerror(errno));
		usleep(random_below(PIPE_US));
		if (read(fds[0], data, sizeof(data)) != size)
			die("read: %s", strerror(errno));
		for (i = 0; i < PIPE_PAGES; i++)
			compare_noise(data + i * ct_page_size / 4, ct_page_size,
				      firsts[pages[i]]);
		ct_noise_make(iov[0].iov_base, ct_page_size,
			      firsts[pages[0]] = any_word());
		sometimes_lock(memory, PIPE_SIZE);
	} while (!soak_stops());
}

/* The disk reads and writes the pages of this process. */
static void run_direct(void)
{
	char *memory = map_memory(DIRECT_SIZE), *to, *from;
	const unsigned long half = DIRECT_SIZE / 2 / ct_page_size;
	int fd = open_file("direct", O_DIRECT);
	uint32_t first;
	size_t size;
	off_t at;

	do {
		size = 1 + random_below(64);
		from = memory + random_below(half - size) * ct_page_size;
		to = memory + (half + random_below(half - size)) * ct_page_size;
		at = random_below(half) * ct_page_size;
		size *= ct_page_size;
		first = any_word();
		ct_noise_make((uint32_t *)from, size, first);
		write_file(fd, from, size, at);
		compare_noise((uint32_t *)from, size, first);
		read_file(fd, to, size, at);
		compare_noise((uint32_t *)to, size, first);
		usleep(random_below(DIRECT_US));
	} while (!soak_stops());
}

static void compare_through_pins(int gup, void *copy, size_t size,
				 uint32_t first)
{
	uint64_t addr = (uintptr_t)copy;

	if (ioctl(gup, PIN_LONGTERM_TEST_READ, &addr))
		die("read through pins: %s", strerror(errno));
	compare_noise(copy, size, first);
}

/*
 * A device sees pages by their pins, the program by its page tables: both see
 * the same data as long as no pinned page moves. No such page lies in an area.
 */
static void run_longterm(void)
{
	void *memory = map_memory(LONGTERM_SIZE);
	void *copy = map_memory(LONGTERM_SIZE);
	int gup = open_gup();
	uint32_t first;

	do {
		first = any_word();
		ct_noise_make(memory, LONGTERM_SIZE, first);
		usleep(random_below(LONGTERM_US));
		pin_longterm(gup, memory, LONGTERM_SIZE);
		if (ct_map_in_area(memory, LONGTERM_SIZE, &area))
			die("memory that is pinned for long lies in the area");
		compare_through_pins(gup, copy, LONGTERM_SIZE, first);
		first = any_word();
		ct_noise_make(memory, LONGTERM_SIZE, first);
		usleep(random_below(LONGTERM_US));
		compare_through_pins(gup, copy, LONGTERM_SIZE, first);
		unpin_longterm(gup);
		compare_noise(memory, LONGTERM_SIZE, first);
		/* The next pages may lie in the area again. */
		madvise(memory, LONGTERM_SIZE, MADV_DONTNEED);
		madvise(copy, LONGTERM_SIZE, MADV_DONTNEED);
	} while (!soak_stops());
}

static void free_unmovable(const int *fds)
{
	static uint32_t data[UNMOVABLE_DATA / sizeof(uint32_t)];
	size_t done;

	for (done = 0; done < MIB; done += sizeof(data)) {
		if (read(fds[0], data, sizeof(data)) != (ssize_t)sizeof(data))
			die("read: %s", strerror(errno));
		compare_noise(data, sizeof(data), 0);
	}
	put_unmovable(fds);
}

/* Unmovable memory grows and shrinks. */
static void run_unmovable(void)
{
	static uint32_t data[UNMOVABLE_DATA / sizeof(uint32_t)];
	const struct rlimit files = { MAX_FILES, MAX_FILES };
	static int fds[UNMOVABLE_MAX][2];
	int nr = 0, goal;

	if (setrlimit(RLIMIT_NOFILE, &files))
		die("no files");
	ct_noise_make(data, sizeof(data), 0);
	do {
		goal = random_below(UNMOVABLE_MAX + 1);
		while (nr < goal && !soak_stops()) {
			if (!take_unmovable_data(fds[nr], (char *)data))
				die("%d MiB are unmovable, and no more: %s", nr,
				    strerror(errno));
			nr++;
			usleep(UNMOVABLE_US);
		}
		while (nr > goal) {
			free_unmovable(fds[--nr]);
			usleep(UNMOVABLE_US);
		}
	} while (!soak_stops());
	while (nr)
		free_unmovable(fds[--nr]);
}

const struct load loads[] = {
	{ "program", run_program, 2 },
	{ "job", run_jobs, 4 },
	{ "file", run_file, 1 },
	{ "shmem", run_shmem, 1 },
	{ "cache", run_cache, 1 },
	{ "pipe", run_pipe, 1 },
	{ "direct", run_direct, 1 },
	{ "longterm", run_longterm, 1 },
	{ "unmovable", run_unmovable, 1 },
	{}
};
