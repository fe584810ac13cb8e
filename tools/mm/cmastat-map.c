// SPDX-License-Identifier: GPL-2.0
/*
 * cmastat: runs of pages of one kind, by address.
 *
 * This allocator has them in /proc/cma/map. The kernel's own allocator has a
 * bitmap of held pages in debugfs, and /proc/kpageflags tells the kind of other
 * pages. An area can have millions of pages, so only one run and a block of
 * flags are in memory.
 */
#include "cmastat.h"

#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEBUGFS		"/sys/kernel/debug/cma"

/* /proc/kpageflags has this bit, but the uapi header does not. */
#define KPF_MLOCKED	33

#define FLAGS_BLOCK	8192

const struct kind_look kind_looks[NR_KINDS] = {
	[KIND_FREE]	= { "free", "free", '.', "32", "#dfeedd" },
	[KIND_RESERVED]	= { "reserved", "reserved, in no buffer", '_', "2",
			    "#e4e4e4" },
	[KIND_STORED]	= { "stored", "copies of evicted page cache", 'e', "33",
			    "#f1d7c0" },
	[KIND_HELD]	= { "held", "held by an owner", '#', "1;34",
			    "#2f5fb3" },
	[KIND_CACHED]	= { "cached", "cached for the next request", '=', "36",
			    "#8fb4e3" },
	[KIND_SEARCH]	= { "search", "being tried by a request", '?', "35",
			    "#c9a6e4" },
	[KIND_CACHE]	= { "cache", "clean page cache", 'c', "33",
			    "#f6e3a1" },
	[KIND_DIRTY]	= { "dirty", "dirty page cache", 'd', "33",
			    "#e9b44c" },
	[KIND_WRITEBACK] = { "writeback", "under writeback", 'w', "33",
			    "#d98324" },
	[KIND_TEXT]	= { "text", "page cache that programs map", 't', "36",
			    "#9fd3c7" },
	[KIND_PROGRAM]	= { "program", "data of programs", 'p', "0",
			    "#b9c98b" },
	[KIND_SHMEM]	= { "shmem", "shared memory and tmpfs", 's', "0",
			    "#94a85e" },
	[KIND_LOCKED]	= { "locked", "locked by programs", 'l', "35",
			    "#a77bb5" },
	[KIND_PINNED]	= { "pinned", "pinned: does not move", '!', "1;31",
			    "#d62828" },
	[KIND_COMPRESSED] = { "compressed", "compressed swap", 'z', "36",
			    "#7fb7be" },
	[KIND_HUGE]	= { "huge", "huge pages", 'h', "34", "#5b7db1" },
	[KIND_POISONED]	= { "poisoned", "broken memory", '*', "1;31",
			    "#000000" },
	[KIND_LENT]	= { "lent", "not held: free or in use", '-', "33",
			    "#f1e9d2" },
	[KIND_OTHER]	= { "other", "other", 'o', "0", "#9a9a9a" },
};

static enum kind kind_from_name(const char *name)
{
	enum kind kind = 0;

	while (kind < KIND_OTHER && strcmp(name, kind_looks[kind].name))
		kind++;
	return kind;
}

/* Returns false if the file is missing or has no line about @area. */
static bool map_walk_proc(const char *area, run_fn *fn, void *data)
{
	FILE *file = kernel_open("/proc/cma/map");
	char *line = NULL, *fields[4];
	bool found = false;
	size_t size = 0;
	struct run run;

	while (file && getline(&line, &size, file) > 0) {
		if (split_fields(line, fields, 4) < 4 ||
		    strcmp(fields[0], area) ||
		    !parse_number(fields[1], &run.pfn) ||
		    !parse_number(fields[2], &run.nr_pages) || !run.nr_pages)
			continue;
		run.kind = kind_from_name(fields[3]);
		fn(&run, data);
		found = true;
	}
	free(line);
	if (file)
		fclose(file);
	return found;
}

/* The bitmap of an area as debugfs prints it: words of 32 bits in decimal. */
struct bitmap {
	FILE *file;
	uint32_t word;
	unsigned int nr_bits;	/* of @word that come next */
	uint64_t bit_pages;
	uint64_t nr_pages;	/* that have the last bit and come next */
	bool bit;
};

static void bitmap_start(struct bitmap *bitmap, FILE *file, const char *area)
{
	int64_t order = kernel_number(DEBUGFS "/%s/order_per_bit", area);

	*bitmap = (struct bitmap) {
		.file = file,
		.bit_pages = 1ULL << (order > 0 && order <= 20 ? order : 0),
	};
}

static bool bitmap_next_word(struct bitmap *bitmap)
{
	int c = getc(bitmap->file);

	while (c == ' ' || c == '\n')
		c = getc(bitmap->file);
	bitmap->word = 0;
	bitmap->nr_bits = 32;
	if (c < '0' || c > '9')
		return false;
	for (; c >= '0' && c <= '9'; c = getc(bitmap->file))
		bitmap->word = 10 * bitmap->word + (c - '0');
	return true;
}

/* Goes on to the next page; false at the end of the bitmap. */
static bool bitmap_next_page(struct bitmap *bitmap)
{
	if (!bitmap->nr_pages) {
		if (!bitmap->nr_bits && !bitmap_next_word(bitmap))
			return false;
		bitmap->bit = bitmap->word & 1;
		bitmap->word >>= 1;
		bitmap->nr_bits--;
		bitmap->nr_pages = bitmap->bit_pages;
	}
	bitmap->nr_pages--;
	return true;
}

static enum kind kind_from_flags(uint64_t flags)
{
	static const struct {
		uint64_t flag;
		enum kind kind;
	} kinds[] = {
		{ 1ULL << KPF_HWPOISON, KIND_POISONED },
		{ 1ULL << KPF_BUDDY, KIND_FREE },
		{ 1ULL << KPF_HUGE, KIND_HUGE },
		{ 1ULL << KPF_WRITEBACK, KIND_WRITEBACK },
		{ 1ULL << KPF_MLOCKED | 1ULL << KPF_UNEVICTABLE, KIND_LOCKED },
		{ 1ULL << KPF_ANON, KIND_PROGRAM },
		{ 1ULL << KPF_SWAPBACKED, KIND_SHMEM },
		{ 1ULL << KPF_DIRTY, KIND_DIRTY },
		{ 1ULL << KPF_MMAP, KIND_TEXT },
		{ 1ULL << KPF_LRU | 1ULL << KPF_UPTODATE, KIND_CACHE },
		{ ~0ULL, KIND_OTHER },
		{ 0, KIND_OTHER },
	};
	int i = 0;

	while (kinds[i].flag && !(flags & kinds[i].flag))
		i++;
	return kinds[i].kind;
}

/* A block of /proc/kpageflags; page frames that it lacks have no flags. */
struct page_flags {
	int fd;			/* negative: there is no such file */
	uint64_t pfn;
	uint64_t nr_pages;
	uint64_t flags[FLAGS_BLOCK];
};

static struct page_flags page_flags;

static int page_flags_open(void)
{
	char *path = format("%s/proc/kpageflags", opt.root);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	free(path);
	return fd;
}

bool map_has_flags(void)
{
	int fd = page_flags_open();

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void page_flags_fill(uint64_t pfn)
{
	ssize_t size;

	pfn -= pfn % FLAGS_BLOCK;
	size = pread(page_flags.fd, page_flags.flags, sizeof(page_flags.flags),
		     pfn * sizeof(uint64_t));
	size = size < 0 ? 0 : size;
	memset((char *)page_flags.flags + size, 0,
	       sizeof(page_flags.flags) - size);
	page_flags.pfn = pfn;
	page_flags.nr_pages = FLAGS_BLOCK;
}

static enum kind kind_of_page(uint64_t pfn, bool is_held)
{
	enum kind kind = KIND_LENT;

	if (page_flags.fd >= 0) {
		if (pfn - page_flags.pfn >= page_flags.nr_pages)
			page_flags_fill(pfn);
		kind = kind_from_flags(page_flags.flags[pfn - page_flags.pfn]);
	}
	return is_held && kind != KIND_POISONED ? KIND_HELD : kind;
}

/*
 * Calls @fn for the runs of one bank. Stop at the end of the bitmap, so that a
 * damaged count does not take hours.
 */
static void map_walk_bank(struct bitmap *bitmap, uint64_t pfn,
			  uint64_t nr_pages, run_fn *fn, void *data)
{
	struct run run = { .pfn = pfn };

	for (; nr_pages-- && bitmap_next_page(bitmap); pfn++) {
		enum kind kind = kind_of_page(pfn, bitmap->bit);

		if (run.nr_pages && run.kind != kind) {
			fn(&run, data);
			run = (struct run) { .pfn = pfn };
		}
		run.kind = kind;
		run.nr_pages++;
	}
	if (run.nr_pages)
		fn(&run, data);
}

/* Returns false if debugfs has no bank in the folder @dir of @area. */
static bool map_walk_dir(const char *area, const char *dir,
			 struct bitmap *common, run_fn *fn, void *data)
{
	int64_t pfn = kernel_number(DEBUGFS "/%s%s/base_pfn", area, dir);
	int64_t nr_pages = kernel_number(DEBUGFS "/%s%s/count", area, dir);
	struct bitmap own;
	FILE *file;

	if (pfn == UNKNOWN || nr_pages == UNKNOWN)
		return false;
	file = kernel_open(DEBUGFS "/%s%s/bitmap", area, dir);
	if (file && *dir) {
		bitmap_start(&own, file, area);
		map_walk_bank(&own, pfn, nr_pages, fn, data);
	} else if (common->file) {
		map_walk_bank(common, pfn, nr_pages, fn, data);
	}
	if (file)
		fclose(file);
	return true;
}

/*
 * Newer kernels have a folder ranges/N for each bank; older ones have one bank
 * in the folder of the area. Each bank has a bitmap, or the area has one for
 * all banks, without the gaps between them.
 */
static bool map_walk_debugfs(const char *area, run_fn *fn, void *data)
{
	struct bitmap common;
	unsigned int nr = 0;
	bool more = true;
	char dir[32];

	bitmap_start(&common, kernel_open(DEBUGFS "/%s/bitmap", area), area);
	page_flags.fd = page_flags_open();
	page_flags.nr_pages = 0;
	for (; more; nr++) {
		snprintf(dir, sizeof(dir), "/ranges/%u", nr);
		more = map_walk_dir(area, dir, &common, fn, data);
	}
	more = nr > 1 || map_walk_dir(area, "", &common, fn, data);
	if (page_flags.fd >= 0)
		close(page_flags.fd);
	if (common.file)
		fclose(common.file);
	return more;
}

/* Calls @fn for all runs of @area. False if the kernel shows no pages of it. */
bool map_walk(const char *area, run_fn *fn, void *data)
{
	return map_walk_proc(area, fn, data) ||
	       map_walk_debugfs(area, fn, data);
}

static void count_free_run(const struct run *run, void *data)
{
	int64_t *nr_free = data;

	if (run->kind == KIND_FREE)
		*nr_free += run->nr_pages;
}

/* Counts free pages by their flags; UNKNOWN if the kernel shows no flags. */
int64_t map_count_free(const char *area)
{
	int64_t nr_free = 0;

	if (!map_has_flags() ||
	    !map_walk_debugfs(area, count_free_run, &nr_free))
		return UNKNOWN;
	return nr_free;
}
