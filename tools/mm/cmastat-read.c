// SPDX-License-Identifier: GPL-2.0
/*
 * cmastat: files of the kernel, areas and their numbers.
 *
 * A number is UNKNOWN if its file is missing or makes no sense, or if its area
 * vanishes between two reads.
 */
#include "cmastat.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SYSFS		"/sys/kernel/mm/cma"
#define DEBUGFS		"/sys/kernel/debug/cma"

/* Names of files in sysfs and in debugfs. The first ones are keys in JSON. */
static const struct {
	const char *sysfs;
	const char *debugfs;
} stat_files[NR_STATS] = {
	[STAT_TOTAL]		= { "total_pages", "count" },
	[STAT_AVAILABLE]	= { "available_pages", NULL },
	[STAT_HELD]		= { "held_pages", "used" },
	[STAT_CACHED]		= { "cached_pages", "cached" },
	[STAT_LENT]		= { "lent_pages", NULL },
	[STAT_FREE]		= { "free_pages", NULL },
	[STAT_IN_USE]		= { "in_use_pages", NULL },
	[STAT_HOLE]		= { "widest_hole_pages", "maxchunk" },
	[STAT_FRAGMENTATION]	= { "fragmentation_index", NULL },
	[STAT_TAKEN]		= { "alloc_pages_success", NULL },
	[STAT_REFUSED]		= { "alloc_pages_fail", NULL },
	[STAT_RELEASED]		= { "release_pages_success", NULL },
	[STAT_SUCCEEDED]	= { "requests_succeeded", NULL },
	[STAT_FAILED]		= { "requests_failed", NULL },
	[STAT_FAILED_ROOM]	= { "requests_failed_no_room", NULL },
	[STAT_FAILED_BUSY]	= { "requests_failed_busy", NULL },
	[STAT_FAILED_MEMORY]	= { "requests_failed_no_memory", NULL },
	[STAT_FAILED_KILLED]	= { "requests_failed_killed", NULL },
	[STAT_FAILED_INVALID]	= { "requests_failed_invalid", NULL },
};

const char *stat_name(enum area_stat stat)
{
	return stat_files[stat].sysfs;
}

static FILE *kernel_open_args(const char *fmt, va_list args)
{
	char *name = format_args(fmt, args);
	char *path = format("%s%s", opt.root, name);
	FILE *file = fopen(path, "re");
	int error = errno;

	free(path);
	free(name);
	errno = error;
	return file;
}

/* NULL if the kernel has no such file or does not let this user read it. */
FILE *kernel_open(const char *fmt, ...)
{
	va_list args;
	FILE *file;

	va_start(args, fmt);
	file = kernel_open_args(fmt, args);
	va_end(args);
	return file;
}

static char *kernel_line_args(const char *fmt, va_list args)
{
	FILE *file = kernel_open_args(fmt, args);
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (!file)
		return NULL;
	len = getline(&line, &size, file);
	fclose(file);
	if (len <= 0) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/* The first line of a file, to be freed. NULL if there is none. */
char *kernel_line(const char *fmt, ...)
{
	va_list args;
	char *line;

	va_start(args, fmt);
	line = kernel_line_args(fmt, args);
	va_end(args);
	return line;
}

/* A number is decimal, or begins with 0x. White space may follow. */
bool parse_number(const char *s, uint64_t *value)
{
	int base = strncmp(s, "0x", 2) ? 10 : 16;
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	*value = strtoull(s, &end, base);
	while (isspace((unsigned char)*end))
		end++;
	return !errno && !*end && *value <= MAX_NUMBER;
}

bool parse_seconds(const char *s, double *value)
{
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	*value = strtod(s, &end);
	return (!*end || isspace((unsigned char)*end)) &&
	       *value <= (double)MAX_NUMBER;
}

int64_t kernel_number(const char *fmt, ...)
{
	uint64_t value;
	va_list args;
	char *line;
	bool valid;

	va_start(args, fmt);
	line = kernel_line_args(fmt, args);
	va_end(args);
	valid = line && parse_number(line, &value);
	free(line);
	return valid ? (int64_t)value : UNKNOWN;
}

/* Seconds since boot; negative if unknown. */
double kernel_uptime(void)
{
	char *line = kernel_line("/proc/uptime");
	double uptime;

	if (!line || !parse_seconds(line, &uptime))
		uptime = UNKNOWN;
	free(line);
	return uptime;
}

/* Replaces \040 and its like by the bytes that they stand for. */
void unescape(char *s)
{
	char *to = s;

	while (*s) {
		unsigned int byte = 0;
		int len = 0;

		if (*s == '\\')
			for (len = 1; len <= 3; len++) {
				if (s[len] < '0' || s[len] > '7')
					break;
				byte = 8 * byte + s[len] - '0';
			}
		if (len == 4 && byte && byte < 256) {
			*to++ = byte;
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

/*
 * Divides @line at single spaces; the last of @max fields has the rest. Returns
 * the number of fields.
 */
size_t split_fields(char *line, char **fields, size_t max)
{
	size_t nr = 0;

	line[strcspn(line, "\n")] = '\0';
	while (line && *line && nr < max) {
		fields[nr] = line;
		line = strchr(line, ' ');
		if (line && nr + 1 < max)
			*line++ = '\0';
		unescape(fields[nr++]);
	}
	return nr;
}

static bool is_folder(const char *dir, const char *name)
{
	char *path = format("%s%s/%s", opt.root, dir, name);
	struct stat st;
	bool yes = !stat(path, &st) && S_ISDIR(st.st_mode);

	free(path);
	return yes;
}

static bool areas_have(const struct areas *areas, const char *name)
{
	for (size_t i = 0; i < areas->nr; i++)
		if (!strcmp(areas->area[i].name, name))
			return true;
	return false;
}

static void areas_add(struct areas *areas, const char *name)
{
	areas->area = more_memory(areas->area, areas->nr,
				  sizeof(*areas->area));
	areas->area[areas->nr++] = (struct area) { .name = format("%s", name) };
}

/* Adds the folders in @dir. False if there is no such folder. */
static bool areas_read_names(struct areas *areas, const char *dir)
{
	char *path = format("%s%s", opt.root, dir);
	DIR *folder = opendir(path);
	struct dirent *entry;

	free(path);
	if (!folder)
		return false;
	while ((entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
		    is_folder(dir, entry->d_name) &&
		    !areas_have(areas, entry->d_name))
			areas_add(areas, entry->d_name);
	closedir(folder);
	return true;
}

static int area_compare(const void *a, const void *b)
{
	return strcmp(((const struct area *)a)->name,
		      ((const struct area *)b)->name);
}

/* Converts a line of /proc/meminfo to pages. */
static int64_t meminfo_pages(const char *key)
{
	FILE *file = kernel_open("/proc/meminfo");
	int64_t nr_pages = UNKNOWN;
	size_t size = 0, len = strlen(key);
	char *line = NULL, *unit;
	uint64_t kib;

	while (file && getline(&line, &size, file) > 0) {
		unit = strstr(line, " kB");
		if (strncmp(line, key, len) || line[len] != ':' || !unit)
			continue;
		*unit = '\0';
		if (parse_number(line + len + 1 +
				 strspn(line + len + 1, " "), &kib))
			nr_pages = kib / opt.page_kib;
	}
	free(line);
	if (file)
		fclose(file);
	return nr_pages;
}

/* Without CMA_SYSFS and CMA_DEBUGFS, /proc/meminfo still has a sum. */
static void areas_read_meminfo(struct areas *areas, int64_t total)
{
	struct area *area;

	areas_add(areas, "(all areas)");
	area = &areas->area[0];
	for (int i = 0; i < NR_STATS; i++)
		area->stats[i] = UNKNOWN;
	area->mode = plain_text("-", 1);
	area->stats[STAT_TOTAL] = total;
	area->stats[STAT_FREE] = meminfo_pages("CmaFree");
}

/* All areas by name, without their numbers. False if the kernel shows none. */
bool areas_read(struct areas *areas)
{
	bool has_sysfs, has_debugfs;
	int64_t total;

	*areas = (struct areas) { 0 };
	has_sysfs = areas_read_names(areas, SYSFS);
	has_debugfs = areas_read_names(areas, DEBUGFS);
	if (areas->nr)
		qsort(areas->area, areas->nr, sizeof(*areas->area),
		      area_compare);
	if (has_sysfs || has_debugfs)
		return true;
	total = meminfo_pages("CmaTotal");
	if (total > 0)
		areas_read_meminfo(areas, total);
	return total != UNKNOWN;
}

void areas_free(struct areas *areas)
{
	for (size_t i = 0; i < areas->nr; i++)
		free(areas->area[i].name);
	free(areas->area);
}

/* Adds to bucket n the "hitcount" of each line that has "2^n". */
static void area_read_latency(struct area *area)
{
	FILE *file = kernel_open(SYSFS "/%s/latency_histogram", area->name);
	size_t size = 0;
	char *line = NULL;

	memset(area->latency, 0, sizeof(area->latency));
	while (file && getline(&line, &size, file) > 0) {
		const char *power = strstr(line, "2^");
		const char *count = strstr(line, "hitcount:");
		unsigned long n = power ? strtoul(power + 2, NULL, 10) : 0;
		uint64_t hits;

		if (!power || !count || n >= NR_LATENCIES)
			continue;
		count += strlen("hitcount:");
		count += strspn(count, " ");
		if (parse_number(count, &hits))
			area->latency[n] = hits;
	}
	free(line);
	if (file)
		fclose(file);
}

static int64_t area_read_stat(const struct area *area, enum area_stat stat)
{
	int64_t value = kernel_number(SYSFS "/%s/%s", area->name,
				      stat_files[stat].sysfs);

	if (value == UNKNOWN && stat_files[stat].debugfs)
		value = kernel_number(DEBUGFS "/%s/%s", area->name,
				      stat_files[stat].debugfs);
	return value;
}

/* Subtracts, unless a number is unknown or the result would be negative. */
static int64_t stat_less(int64_t from, int64_t less)
{
	return from == UNKNOWN || less == UNKNOWN || less > from ?
		UNKNOWN : from - less;
}

static int64_t stats_sum_failed(const int64_t *stats)
{
	int64_t sum = UNKNOWN;

	for (int i = STAT_FAILED_ROOM; i <= STAT_FAILED_INVALID; i++)
		if (stats[i] != UNKNOWN)
			sum = (sum == UNKNOWN ? 0 : sum) + stats[i];
	return sum;
}

/* Computes numbers that the kernel does not show from those that it shows. */
static void area_derive_stats(struct area *area, bool count_free)
{
	int64_t *stats = area->stats, nr_cached, unheld;

	if (stats[STAT_HELD] == UNKNOWN)
		stats[STAT_HELD] = stat_less(stats[STAT_TOTAL],
					     stats[STAT_AVAILABLE]);
	if (stats[STAT_HELD] == UNKNOWN)
		stats[STAT_HELD] = stat_less(stats[STAT_TAKEN],
					     stats[STAT_RELEASED]);
	if (stats[STAT_FREE] == UNKNOWN && count_free)
		stats[STAT_FREE] = map_count_free(area->name);
	nr_cached = stats[STAT_CACHED] == UNKNOWN ? 0 : stats[STAT_CACHED];
	unheld = stat_less(stat_less(stats[STAT_TOTAL], stats[STAT_HELD]),
			   nr_cached);
	stats[STAT_IN_USE] = stat_less(unheld, stats[STAT_FREE]);
	if (stats[STAT_FRAGMENTATION] == UNKNOWN && unheld != UNKNOWN &&
	    stats[STAT_HOLE] != UNKNOWN && stats[STAT_HOLE] <= unheld)
		stats[STAT_FRAGMENTATION] = unheld ?
			1000 - 1000 * stats[STAT_HOLE] / unheld : 0;
	if (stats[STAT_FAILED] == UNKNOWN)
		stats[STAT_FAILED] = stats_sum_failed(stats);
}

/* @count_free: read the flags of all pages if the kernel does not count. */
void area_read_stats(struct area *area, bool count_free)
{
	char *mode = kernel_line(SYSFS "/%s/mode", area->name);

	/* areas_read_meminfo() has set the numbers of this one. */
	if (area->name[0] == '(' && !is_folder(SYSFS, area->name) &&
	    !is_folder(DEBUGFS, area->name))
		return;
	area->mode = plain_text(mode && *mode ? mode : "-", MAX_TEXT);
	free(mode);
	for (int i = 0; i < NR_STATS; i++)
		area->stats[i] = area_read_stat(area, i);
	area_derive_stats(area, count_free);
	area_read_latency(area);
}

bool area_is_known(const char *name)
{
	struct areas areas;
	bool known;

	areas_read(&areas);
	known = areas_have(&areas, name);
	areas_free(&areas);
	return known;
}

enum exit_code no_areas(void)
{
	complain("the kernel shows no contiguous memory areas (CONFIG_CMA)");
	complain("there is no %s%s (CONFIG_CMA_SYSFS)", opt.root, SYSFS);
	complain("there is no %s%s (CONFIG_CMA_DEBUGFS), or only for root",
		 opt.root, DEBUGFS);
	complain("%s/proc/meminfo has no CmaTotal", opt.root);
	return EXIT_NOTHING;
}

enum exit_code no_such_area(const char *name)
{
	struct areas areas;
	char *names = format("%s", ""), *more;

	if (!areas_read(&areas)) {
		free(names);
		return no_areas();
	}
	for (size_t i = 0; i < areas.nr; i++) {
		more = format("%s%s%s", names, i ? ", " : "",
			      areas.area[i].name);
		free(names);
		names = more;
	}
	complain("no area has the name %s; the areas are: %s", name,
		 areas.nr ? names : "none");
	free(names);
	areas_free(&areas);
	return EXIT_NO_AREA;
}

/* Says why a file cannot be read; errno is that of kernel_open(). */
enum exit_code no_file(const char *path, const char *why)
{
	int error = errno;

	complain("cannot read %s%s: %s; %s", opt.root, path, strerror(error),
		 error == EACCES || error == EPERM ? "root may" : why);
	return EXIT_NOTHING;
}
