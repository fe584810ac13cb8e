// SPDX-License-Identifier: GPL-2.0
/*
 * Measurements in an area that is full of other users' pages: page cache, data
 * of programs, and pinned pages.
 *
 * Before each sample the area is full again, and there is as much room outside
 * of it as before the first one.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"

/* An area counts as full if at most this much of it is free. */
#define CACHE_FULL_KIB	4096
#define CACHE_ROUNDS	256		/* reads until the area is full: the file, and more */
#define QUIET_US	20000		/* time without a change of MemFree */
#define MEM_FULL_KIB	1024
#define SWAP_FULL_KIB	13312		/* kswapd frees as much */
#define SWAP_STEP	64		/* pages between two looks */

#define LAST_KIB	768		/* free memory and min_free_kbytes */
#define TEXT_PFNS	1024		/* looked up at a time */
#define TURNOVER_SIZE	(32 * MIB)	/* read between two samples */
#define ROOM_SIZE	(32 * MIB)	/* outside, for pages that must move */
#define CACHE_ROOM_SIZE	(64 * MIB)	/* at most, see prepare_cache() */
#define CACHE_LESS_SIZE	(8 * MIB)
#define DIRTY_ROOM_SIZE	(16 * MIB)	/* outside, for dirty pages */
#define DIRTY_MAX_SIZE	(80 * MIB)	/* fits on the disk */
#define CHUNK_SIZE	(64 * KIB)
#define PIPE_PAGES	16		/* a pipe holds this many */
#define MAX_PIPES	64
#define ALIGN_MAX	256		/* pages: CONFIG_CMA_ALIGNMENT is 8 */
#define LONGTERM_SIZE	(16 * MIB)
#define SWAP_SIZE	(128 * MIB)
#define LARGE_SWAP_SIZE	(512 * MIB)
#define MAX_EXHAUST	256		/* more buffers than room */
#define SWAP_ROUNDS	4		/* until the area is full again */
#define SWAP_RESERVE_KIB	8192	/* zram needs some to go on */

static struct ct_mem mem;
static const char *big_file;
static off_t offset;
static int dirty = -1;
static const char *text;
static size_t text_size;
static const char **text_in_area;	/* pages of text in the area */
static unsigned long nr_text_in_area;
static int text_file;
static int pipes[MAX_PIPES][2];
static char *fixed;			/* 1 for pages that cannot move */
static unsigned int noise_part = 8;	/* 1/8 of a page does not compress */

static char *page_addr(unsigned long page)
{
	return (char *)mem.addr + page * ct_page_size;
}

static void check_full(long max_kib)
{
	long free_kib = ct_meminfo_kib("CmaFree");

	if (free_kib > max_kib)
		die("the area is not full, %ld KiB are free", free_kib);
}

static void touch(enum ct_kind kind)
{
	unsigned long nr = ct_meminfo_kib("MemTotal") * KIB / ct_page_size;
	int err;

	ct_drop_caches();
	err = ct_mem_init(&mem, kind, nr);
	if (err)
		die("cannot map memory: %s", strerror(-err));
	ct_mem_touch(&mem, CT_HEADROOM_KIB);
}

void leave_area(size_t room_size)
{
	touch(CT_ANON);
	ct_mem_drop(&mem, &area, true, area.nr_pages);
	ct_mem_drop(&mem, &area, false, room_size / ct_page_size);
	big_file = open_disk();
}

/* Outside and in the area together there is less room than the file wants. */
static void prepare_cache(void)
{
	size_t used_size = area.nr_pages * ct_page_size + CACHE_LESS_SIZE;
	size_t outside_size = CACHE_ROOM_SIZE;
	struct stat st;

	if (stat(open_disk(), &st) || (size_t)st.st_size <= used_size)
		die("the file on the disk is too small for this area");
	if (outside_size > st.st_size - used_size)
		outside_size = st.st_size - used_size;
	leave_area(outside_size);
}

/* kswapd runs on after the last allocation, and frees many pages at a time. */
static void wait_for_reclaim(void)
{
	long free_kib;

	do {
		free_kib = ct_meminfo_kib("MemFree");
		usleep(QUIET_US);
		if (big_file)
			wait_for_disk();
	} while (ct_meminfo_kib("MemFree") != free_kib);
}

/*
 * @read_on(size, kib) fills memory from a file until less than @kib are free in
 * the area. It reads at most @size; 0 stands for no limit.
 */
static void fill_from_file(void (*read_on)(size_t size, long kib))
{
	int round;

	keep_busy(true);
	read_on(0, CACHE_FULL_KIB);
	read_on(TURNOVER_SIZE, 0);
	for (round = 0; round < CACHE_ROUNDS; round++) {
		wait_for_reclaim();
		if (ct_meminfo_kib("CmaFree") <= CACHE_FULL_KIB)
			break;
		read_on(MIB, 0);
	}
	keep_busy(false);
	check_full(CACHE_FULL_KIB);
}

void read_cache(size_t size, long kib)
{
	int err = ct_read_on(big_file, &offset, size, kib);

	if (err)
		die("%s: %s", big_file, strerror(-err));
}

static void refill_cache(void)
{
	fill_from_file(read_cache);
}

/* The file is not written back before memory is full. */
static void prepare_dirty(void)
{
	leave_area(DIRTY_ROOM_SIZE);
	ct_write_long("/proc/sys/vm/dirty_ratio", 95);
	ct_write_long("/proc/sys/vm/dirty_background_ratio", 94);
	ct_write_long("/proc/sys/vm/dirty_writeback_centisecs", 0);
	dirty = open_file("dirty", 0);
}

static void refill_dirty(void)
{
	static char data[CHUNK_SIZE];
	size_t done;

	keep_busy(true);
	if (ftruncate(dirty, 0))
		die("truncate: %s", strerror(errno));
	for (done = 0; done < DIRTY_MAX_SIZE; done += sizeof(data)) {
		if (ct_meminfo_kib("CmaFree") <= CACHE_FULL_KIB)
			break;
		if (pwrite(dirty, data, sizeof(data), done) != sizeof(data))
			die("write: %s", strerror(errno));
	}
	wait_for_reclaim();
	keep_busy(false);
	check_full(CACHE_FULL_KIB);
}

/* Maps a file like that of a running program. */
static void prepare_text(void)
{
	struct stat st;
	int fd;

	leave_area(CACHE_ROOM_SIZE);
	fd = open(big_file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		die("%s: %s", big_file, strerror(errno));
	text_file = fd;
	text_size = st.st_size;
	text = mmap(NULL, text_size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		die("mmap: %s", strerror(errno));
}

static void read_text(size_t size, long kib)
{
	size_t done;

	if (!size)
		size = 2 * text_size;
	for (done = 0; done < size; done += ct_page_size) {
		if (!(done % CHUNK_SIZE) && ct_meminfo_kib("CmaFree") < kib)
			break;
		__atomic_load_n(text + offset, __ATOMIC_RELAXED);
		offset = (offset + ct_page_size) % text_size;
	}
}

static void refill_text(void)
{
	fill_from_file(read_text);
}

/*
 * Lists the text that lies in the area. Frees some of the other text, so that
 * there is room to move text to or to read it into.
 */
static void sort_text(void)
{
	size_t at, room = 0;
	uint64_t pfns[TEXT_PFNS];
	unsigned long i;

	nr_text_in_area = 0;
	for (at = 0; at + sizeof(pfns) / 8 * ct_page_size <= text_size;
	     at += TEXT_PFNS * ct_page_size) {
		ct_pfns(text + at, TEXT_PFNS, pfns);
		for (i = 0; i < TEXT_PFNS; i++) {
			size_t page = at + i * ct_page_size;

			if (ct_area_holds(&area, pfns[i])) {
				text_in_area[nr_text_in_area++] = text + page;
			} else if (pfns[i] && room < ROOM_SIZE) {
				madvise((void *)(text + page), ct_page_size,
					MADV_DONTNEED);
				posix_fadvise(text_file, page, ct_page_size,
					      POSIX_FADV_DONTNEED);
				room += ct_page_size;
			}
		}
	}
}

static void prepare_text_again(void)
{
	prepare_text();
	text_in_area = calloc(area.nr_pages, sizeof(*text_in_area));
	if (!text_in_area)
		die("no memory");
	memset(text_in_area, 0xff, area.nr_pages * sizeof(*text_in_area));
}

/* Uses the text again; returns the CPU time, without waits for the disk. */
static uint64_t touch_text_again(void)
{
	uint64_t start_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	unsigned long i;

	for (i = 0; i < nr_text_in_area; i++)
		__atomic_load_n(text_in_area[i], __ATOMIC_RELAXED);
	return clock_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns;
}

/* Reads text again that reclaim has dropped, so that all of it is in use. */
static void refill_text_again(void)
{
	refill_text();
	sort_text();
	wait_for_reclaim();
	touch_text_again();
}

static size_t room_size = ROOM_SIZE;

/*
 * Populates all free memory, with a low min_free_kbytes, or some MiB of the
 * area would stay free. Then frees some memory outside. Cached buffers are
 * freed first, or their pages would become free later.
 */
static void refill_mem(void)
{
	long reserve_kib = ct_read_long("/proc/sys/vm/min_free_kbytes");

	ct_flush_cache(&area);
	ct_write_long("/proc/sys/vm/min_free_kbytes", LAST_KIB);
	ct_mem_touch(&mem, LAST_KIB);
	ct_mem_drop(&mem, &area, false, room_size / ct_page_size);
	ct_write_long("/proc/sys/vm/min_free_kbytes", reserve_kib);
	check_full(MEM_FULL_KIB);
}

static void prepare_anon(void)
{
	touch(CT_ANON);
}

/* Requests end when no window is left, and not for want of memory to move to. */
static void prepare_anon_with_room(void)
{
	room_size = area.nr_pages * ct_page_size;
	touch(CT_ANON);
}

static void prepare_shmem(void)
{
	touch(CT_SHMEM);
}

static void prepare_mlocked(void)
{
	touch(CT_MLOCKED);
}

/* Returns a random page that has data and lies in the area. */
static char *random_page(void)
{
	unsigned long page;

	do {
		page = random_below(mem.nr_pages);
	} while (!mem.has_data[page] ||
		 !ct_area_holds(&area, ct_pfn(page_addr(page))));
	return page_addr(page);
}

/* Marks held pages in @fixed, as they cannot move; see the bitmap in debugfs. */
unsigned long look_at_held(void)
{
	FILE *file = ct_area_open(&area, "bitmap");
	long order = ct_area_debugfs(&area, "order_per_bit");
	unsigned long i, page = 0, nr = 0;
	unsigned int word;

	if (!fixed)
		fixed = malloc(area.nr_pages);
	if (!file || order || !fixed)
		die("cannot tell what is held in the area");
	memset(fixed, 0, area.nr_pages);
	while (fscanf(file, "%u", &word) == 1)
		for (i = 0; i < 32 && page < area.nr_pages; i++)
			nr += fixed[page++] = word >> i & 1;
	fclose(file);
	return nr;
}

/* Counts adjacent aligned windows without a page that cannot move. */
static unsigned long nr_free_of_fixed(size_t size)
{
	unsigned long nr_pages = size / ct_page_size, nr = 0, page, step;
	unsigned long align = nr_pages < ALIGN_MAX ? nr_pages : ALIGN_MAX;

	for (page = -area.base_pfn % align; page + nr_pages <= area.nr_pages;
	     page += step) {
		bool in_the_way = memchr(fixed + page, 1, nr_pages);

		nr += !in_the_way;
		step = in_the_way ? align : nr_pages;
	}
	return nr;
}

/* Pins @number random pages of the area by pipes. */
static void pin(void)
{
	unsigned long i;

	look_at_held();
	for (i = 0; i < number; i++) {
		struct iovec iov = { random_page(), ct_page_size };
		int *pipe_fds = pipes[i / PIPE_PAGES];

		if (!(i % PIPE_PAGES) && pipe(pipe_fds))
			die("pipe: %s", strerror(errno));
		if (vmsplice(pipe_fds[1], &iov, 1, 0) != (ssize_t)iov.iov_len)
			die("vmsplice: %s", strerror(errno));
		fixed[ct_pfn(iov.iov_base) - area.base_pfn] = 1;
	}
}

static void unpin(void)
{
	unsigned long i;

	for (i = 0; i < number; i += PIPE_PAGES) {
		close(pipes[i / PIPE_PAGES][0]);
		close(pipes[i / PIPE_PAGES][1]);
	}
}

/* Pins other pages for each row, as a single choice may be a lucky one. */
static void pin_others(void (*refill)(void))
{
	static unsigned int nr_rows;

	if (number > MAX_PIPES * PIPE_PAGES)
		die("too many pages to pin");
	if (nr_rows++)
		unpin();
	refill();
	pin();
}

static void refill_pinned(void)
{
	pin_others(refill_mem);
}

static void prepare_longterm(void)
{
	unsigned long page, first = 0;

	touch(CT_ANON);
	ct_mem_drop(&mem, &area, false, ROOM_SIZE / ct_page_size);
	for (page = 0; page - first < LONGTERM_SIZE / ct_page_size; page++)
		if (!mem.has_data[page])
			first = page + 1;
	pin_longterm(open_gup(), page_addr(first), LONGTERM_SIZE);
}

void direct_io(char *(*pick)(void))
{
	int in = open(open_disk(), O_RDONLY | O_DIRECT);
	int out = open_file("direct", O_DIRECT);
	off_t at = 0;
	char *page;

	if (in < 0)
		die("direct: %s", strerror(errno));
	for (;;) {
		page = pick();
		if (pread(in, page, ct_page_size, at) < 0 ||
		    pwrite(out, page, ct_page_size, at) < 0)
			die("direct: %s", strerror(errno));
		at = (at + ct_page_size) % (8 * MIB);
	}
}

static void *do_direct(void *unused)
{
	direct_io(random_page);
	return unused;
}

static void prepare_direct(void)
{
	pthread_t thread;

	big_file = open_disk();
	keep_busy(true);
	touch(CT_ANON);
	if (pthread_create(&thread, NULL, do_direct, NULL))
		die("no thread");
}

void write_compressible(uint32_t *words, uint32_t page)
{
	size_t i, nr_words = ct_page_size / sizeof(*words);

	for (i = 0; i < nr_words; i++)
		words[i] = i < nr_words / noise_part ? random_below(UINT32_MAX) : page;
}

void swap_on_size(size_t size)
{
	int err;

	ct_write_long("/proc/sys/vm/min_free_kbytes", SWAP_RESERVE_KIB);
	if (!size)
		return;
	err = ct_write_long("/sys/block/zram0/disksize", size);
	if (err || system("mkswap /dev/zram0 >/dev/null && swapon /dev/zram0"))
		die("no swap: %s", strerror(-err));
}

void swap_on(void)
{
	swap_on_size(SWAP_SIZE);
}

/* MemFree does not count pages on per-CPU lists. */
static unsigned long nr_free(void)
{
	return ct_meminfo_kib("MemFree") * KIB / ct_page_size +
	       ct_zone_sum("count:");
}

/* Writes a little more data than fits into memory, so that some is swapped. */
static void fill_and_swap(void)
{
	unsigned long nr, page;
	int err;

	nr = nr_free();
	err = ct_mem_init(&mem, CT_ANON, nr);
	if (err)
		die("cannot map memory: %s", strerror(-err));
	for (page = 0; page < nr; page++)
		write_compressible((uint32_t *)page_addr(page), page);
	memset(mem.has_data, 1, nr);
	if (ct_vmstat("pswpout") <= 0)
		die("nothing was swapped out");
}

static void prepare_swap(void)
{
	ct_drop_caches();
	swap_on();
	fill_and_swap();
}

/*
 * Pins @number MiB for long, so they lie outside of the area; data of programs
 * fill the rest and swap. A driver takes buffers until a request fails.
 * Programs must still start, and no data may be lost.
 */
static void run_exhaust(const size_t *sizes, int nr_sizes)
{
	static uint32_t ids[MAX_EXHAUST];
	unsigned int nr = 0;
	unsigned long page;
	char *pinned;

	ct_drop_caches();
	swap_on_size(LARGE_SWAP_SIZE);
	pinned = memset(map_memory(number * MIB), 0, number * MIB);
	pin_longterm(open_gup(), pinned, number * MIB);
	fill_and_swap();

	while (nr < MAX_EXHAUST && !get_buffer(driver, sizes[0], &ids[nr],
					       NULL))
		nr++;
	printf("bench: count %s %zu %u\n", label, sizes[0], nr);
	fflush(stdout);
	if (system("true"))
		die("no program starts after %u buffers", nr);
	for (page = 0; page < mem.nr_pages; page++)
		if (*(uint32_t *)(page_addr(page) + ct_page_size / 2) != page)
			die("data of programs are lost");
	while (nr)
		put_buffer(driver, ids[--nr], NULL);
}

/* The data compress less, so swap cannot hold all pages of the area. */
static void run_exhaust_noise(const size_t *sizes, int nr_sizes)
{
	noise_part = 2;
	run_exhaust(sizes, nr_sizes);
}

/* Data come back from swap until @kib are free, or until all are in memory. */
static void swap_in(long kib)
{
	unsigned char *in_memory = calloc(mem.nr_pages, 1);
	unsigned long page, nr = 0;

	if (!in_memory ||
	    mincore(mem.addr, mem.nr_pages * ct_page_size, in_memory))
		die("cannot tell what is in memory");
	for (page = 0; page < mem.nr_pages; page++) {
		if (in_memory[page] & 1)
			continue;
		if (nr++ % SWAP_STEP == 0 && ct_meminfo_kib("MemFree") <= kib)
			break;
		__atomic_fetch_add(page_addr(page), 1, __ATOMIC_RELAXED);
	}
	free(in_memory);
}

/*
 * Touches all data, in alternating directions: the data touched last are still
 * in memory, and the rest comes back from swap. kswapd frees more than it has
 * to, and not the same each time: make it the same.
 */
static void touch_back(void)
{
	static bool backwards;
	unsigned long i, page;

	backwards = !backwards;
	for (i = 0; i < mem.nr_pages; i++) {
		page = backwards ? mem.nr_pages - 1 - i : i;
		__atomic_fetch_add(page_addr(page), 1, __ATOMIC_RELAXED);
	}
	wait_for_reclaim();
	swap_in(SWAP_FULL_KIB);
	wait_for_reclaim();
}

static void refill_swap(void)
{
	int round;

	for (round = 0; round < SWAP_ROUNDS; round++) {
		touch_back();
		if (ct_meminfo_kib("CmaFree") <= SWAP_FULL_KIB)
			break;
	}
	check_full(SWAP_FULL_KIB);
}

static void refill_pinned_swap(void)
{
	pin_others(refill_swap);
}

#define FILL(_name, _prepare, _refill) \
	{ .name = _name, .prepare = _prepare, .refill = _refill, .in_row = true }

const struct kind fill_kinds[] = {
	FILL("cache", prepare_cache, refill_cache),
	FILL("dirty", prepare_dirty, refill_dirty),
	FILL("text", prepare_text, refill_text),
	{ .name = "text-again", .prepare = prepare_text_again,
	  .refill = refill_text_again, .again = touch_text_again,
	  .in_row = true },
	FILL("anon", prepare_anon, refill_mem),
	FILL("shmem", prepare_shmem, refill_mem),
	FILL("mlocked", prepare_mlocked, refill_mem),
	{ .name = "pinned", .prepare = prepare_anon, .refill = refill_pinned,
	  .nr_windows = nr_free_of_fixed, .in_row = true },
	{ .name = "pinned-end", .prepare = prepare_anon_with_room,
	  .refill = refill_pinned, .nr_windows = nr_free_of_fixed,
	  .to_the_end = true },
	FILL("longterm", prepare_longterm, refill_mem),
	FILL("direct", prepare_direct, refill_mem),
	FILL("swap", prepare_swap, refill_swap),
	{ .name = "exhaust", .run = run_exhaust, .nr_sizes = 1 },
	{ .name = "exhaust-noise", .run = run_exhaust_noise, .nr_sizes = 1 },
	{ .name = "cache-one", .prepare = prepare_cache, .refill = refill_cache },
	{ .name = "swap-one", .prepare = prepare_swap, .refill = refill_swap },
	{ .name = "pinned-swap-one", .prepare = prepare_swap,
	  .refill = refill_pinned_swap, .nr_windows = nr_free_of_fixed },
	{ .name = "pinned-swap", .prepare = prepare_swap,
	  .refill = refill_pinned_swap, .nr_windows = nr_free_of_fixed,
	  .in_row = true },
	{}
};
