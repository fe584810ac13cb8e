/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cmastat shows contiguous memory areas.
 *
 * cmastat.c		options and commands
 * cmastat-text.c	sizes, names, columns, wrapped lines, JSON
 * cmastat-read.c	files of the kernel, areas and their numbers
 * cmastat-map.c	runs of pages of one kind
 * cmastat-owners.c	devices that hold the pages of an area
 * cmastat-draw.c	the map in a terminal, as a picture and as JSON
 * cmastat-table.c	the table and top
 * cmastat-holders.c	buffers and devices
 * cmastat-why.c	failed requests
 *
 * Numbers of pages are int64_t, page frame numbers uint64_t: the files may come
 * from a machine with wider addresses than those of this program. Every number
 * that is read is MAX_NUMBER at most, so sums and sizes do not overflow.
 */
#ifndef CMASTAT_H
#define CMASTAT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
/* An index into /proc/kpageflags does not fit into 32 bits. */
#define _FILE_OFFSET_BITS 64

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MAX_NUMBER	(UINT64_MAX >> 12)
#define UNKNOWN		(-1LL)

#define __printf(fmt, args)	__attribute__((format(printf, fmt, args)))

enum exit_code { EXIT_OK, EXIT_NOTHING, EXIT_USAGE, EXIT_NO_AREA };

struct options {
	const char *root;	/* the files are below this folder */
	const char *output;	/* NULL: standard output */
	unsigned int interval_ms;
	unsigned long count;	/* of intervals; 0: no end */
	unsigned int width;	/* columns of a line */
	unsigned int rows;	/* of a map, unless it has more banks */
	unsigned int page_kib;
	bool json;
	bool colour;
	bool clear;		/* top has a screen of its own */
};

extern struct options opt;

/* cmastat-text.c */
#define MAX_TEXT	160

struct text {
	char s[MAX_TEXT];
};

struct column {
	const char *title;
	unsigned int width;	/* at least; 0 once it is dropped */
	unsigned int most;	/* it grows to this on a wide terminal */
	unsigned int drop;	/* the highest goes first; 0 never goes */
	bool left;
	unsigned int need;	/* the widest cell; 0: not known */
};

void complain(const char *fmt, ...) __printf(1, 2);
void *more_memory(void *old, size_t nr, size_t size);
char *format(const char *fmt, ...) __printf(1, 2);
char *format_args(const char *fmt, va_list args);
struct text plain_text(const char *name, unsigned int width);
struct text size_text(int64_t nr_pages);
struct text pages_text(int64_t nr_pages);
struct text number_text(int64_t value);
uint64_t address_of(uint64_t pfn);
struct text hex_text(uint64_t value);
struct text duration_text(double seconds);

void columns_need(struct column *columns, size_t nr, const struct text *cells);
void columns_fit(struct column *columns, size_t nr);
void columns_titles(const struct column *columns, size_t nr);
void columns_row(const struct column *columns, size_t nr,
		 const struct text *cells);

void wrap_begin(unsigned int first, unsigned int rest);
void wrap_add(const char *fmt, ...) __printf(1, 2);
void wrap_end(void);

void json_open(const char *key, char bracket);
void json_close(void);
void json_text(const char *key, const char *value);
void json_number(const char *key, int64_t value);
void json_decimal(const char *key, double value);
void json_pages(const char *what, int64_t nr_pages);

/* cmastat-read.c */
enum area_stat {
	STAT_TOTAL,
	STAT_AVAILABLE,
	STAT_HELD,
	STAT_CACHED,
	STAT_LENT,
	STAT_FREE,
	STAT_IN_USE,
	STAT_HOLE,
	STAT_FRAGMENTATION,
	STAT_TAKEN,
	STAT_REFUSED,
	STAT_RELEASED,
	STAT_SUCCEEDED,
	STAT_FAILED,
	STAT_FAILED_ROOM,
	STAT_FAILED_BUSY,
	STAT_FAILED_MEMORY,
	STAT_FAILED_KILLED,
	STAT_FAILED_INVALID,
	NR_STATS
};

#define NR_LATENCIES	64

struct area {
	char *name;
	struct text mode;
	int64_t stats[NR_STATS];
	uint64_t latency[NR_LATENCIES];	/* requests of up to 2^n microseconds */
};

struct areas {
	struct area *area;
	size_t nr;
};

FILE *kernel_open(const char *fmt, ...) __printf(1, 2);
char *kernel_line(const char *fmt, ...) __printf(1, 2);
int64_t kernel_number(const char *fmt, ...) __printf(1, 2);
double kernel_uptime(void);
bool parse_number(const char *s, uint64_t *value);
bool parse_seconds(const char *s, double *value);
size_t split_fields(char *line, char **fields, size_t max);
void unescape(char *s);
bool areas_read(struct areas *areas);
void areas_free(struct areas *areas);
void area_read_stats(struct area *area, bool count_free);
const char *stat_name(enum area_stat stat);
bool area_is_known(const char *name);
enum exit_code no_such_area(const char *name);
enum exit_code no_areas(void);
enum exit_code no_file(const char *path, const char *why);

/* cmastat-map.c */
enum kind {
	KIND_FREE,
	KIND_RESERVED,
	KIND_STORED,
	KIND_HELD,
	KIND_CACHED,
	KIND_SEARCH,
	KIND_CACHE,
	KIND_DIRTY,
	KIND_WRITEBACK,
	KIND_TEXT,
	KIND_PROGRAM,
	KIND_SHMEM,
	KIND_LOCKED,
	KIND_PINNED,
	KIND_COMPRESSED,
	KIND_HUGE,
	KIND_POISONED,
	KIND_LENT,
	KIND_OTHER,
	NR_KINDS
};

struct kind_look {
	const char *name;	/* as the kernel says */
	const char *meaning;
	char sign;
	const char *ansi;	/* parameters of the escape sequence */
	const char *fill;
};

struct run {
	uint64_t pfn;
	uint64_t nr_pages;
	enum kind kind;
};

typedef void run_fn(const struct run *run, void *data);

extern const struct kind_look kind_looks[NR_KINDS];

bool map_walk(const char *area, run_fn *fn, void *data);
bool map_has_flags(void);
int64_t map_count_free(const char *area);

/* cmastat-owners.c */
#define NO_OWNER	(-1)
#define NO_DEVICE	"no device"

struct owner {
	const char *device;
	uint64_t nr_pages;
};

struct owner_span {
	uint64_t pfn;
	uint64_t nr_pages;
	int owner;
};

/* Devices that hold pages of one area, the largest first. */
struct owners {
	struct owner *owner;
	size_t nr;
	struct owner_span *span;	/* by address */
	size_t nr_spans;
};

typedef void owned_fn(const struct run *run, int owner, void *data);

struct holders;
void owners_make(struct owners *owners, const struct holders *holders,
		 const char *area);
void owners_free(struct owners *owners);
void owners_split(const struct owners *owners, const struct run *run,
		  owned_fn *fn, void *data);

/* cmastat-holders.c */
enum holder_state { HOLDER_BUFFER, HOLDER_CACHED, HOLDER_SEARCH };

struct holder {
	enum holder_state state;
	const char *area;
	uint64_t pfn;
	uint64_t nr_pages;
	const char *device;	/* NULL: none, as of a cached buffer */
	const char *task;	/* NULL: unknown */
	const char *caller;	/* NULL: unknown */
	int64_t pid;
	double taken_s;		/* since boot; negative: unknown */
};

/* The place of an area in the list of a device. */
struct preference {
	const char *device;
	uint64_t index;
	const char *area;	/* NULL: any memory, or none */
	const char *state;
};

struct holders {
	char **lines;		/* the texts are in these */
	size_t nr_lines;
	struct holder *holder;
	size_t nr;
	struct preference *preference;
	size_t nr_preferences;
};

bool holders_read(struct holders *holders);
void holders_free(struct holders *holders);
enum exit_code show_holders(const char *area);
enum exit_code show_devices(const char *device);

/* cmastat-draw.c, cmastat-table.c, cmastat-why.c */
enum exit_code show_map(const char *area);
enum exit_code show_svg(const char *area);
enum exit_code show_table(const char *unused);
enum exit_code show_top(const char *unused);
enum exit_code show_why(const char *area);

#endif
