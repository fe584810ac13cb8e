// SPDX-License-Identifier: GPL-2.0
/*
 * cmastat: who holds buffers, and the areas of each device.
 */
#include "cmastat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FIELDS	9

/* A dash means that there is none: return NULL. */
static const char *field_text(const char *field)
{
	return strcmp(field, "-") ? field : NULL;
}

/* buffer|cached|search <area> <pfn> <nr_pages> [<device> <task> ...] */
static bool holder_parse(struct holder *holder, char **fields, size_t nr)
{
	uint64_t pid;

	*holder = (struct holder) { .pid = UNKNOWN, .taken_s = UNKNOWN };
	if (nr < 4 || !parse_number(fields[2], &holder->pfn) ||
	    !parse_number(fields[3], &holder->nr_pages))
		return false;
	holder->area = fields[1];
	if (!strcmp(fields[0], "cached"))
		holder->state = HOLDER_CACHED;
	else if (!strcmp(fields[0], "search"))
		holder->state = HOLDER_SEARCH;
	else if (strcmp(fields[0], "buffer"))
		return false;
	if (nr > 4)
		holder->device = field_text(fields[4]);
	if (nr > 5)
		holder->task = field_text(fields[5]);
	if (nr > 6 && parse_number(fields[6], &pid))
		holder->pid = pid;
	if (nr > 7)
		parse_seconds(fields[7], &holder->taken_s);
	if (nr > 8)
		holder->caller = field_text(fields[8]);
	return true;
}

/* device <device> <index> <area> <state> */
static bool preference_parse(struct preference *preference, char **fields,
			     size_t nr)
{
	if (nr < 5 || strcmp(fields[0], "device") ||
	    !parse_number(fields[2], &preference->index))
		return false;
	preference->device = fields[1];
	preference->area = field_text(fields[3]);
	preference->state = fields[4];
	return true;
}

/* Parses @line in place. False if it makes no sense. */
static bool holders_add_line(struct holders *holders, char *line)
{
	char *fields[MAX_FIELDS];
	size_t nr = split_fields(line, fields, MAX_FIELDS);
	struct preference preference;
	struct holder holder;

	if (holder_parse(&holder, fields, nr)) {
		holders->holder = more_memory(holders->holder, holders->nr,
					      sizeof(holder));
		holders->holder[holders->nr++] = holder;
		return true;
	}
	if (preference_parse(&preference, fields, nr)) {
		holders->preference = more_memory(holders->preference,
						  holders->nr_preferences,
						  sizeof(preference));
		holders->preference[holders->nr_preferences++] = preference;
		return true;
	}
	return false;
}

/* Returns false and sets errno if the file cannot be read. */
bool holders_read(struct holders *holders)
{
	FILE *file = kernel_open("/proc/cma/holders");
	char *line = NULL;
	size_t size = 0;

	*holders = (struct holders) { 0 };
	if (!file)
		return false;
	while (getline(&line, &size, file) > 0) {
		char *copy = format("%s", line);

		if (!holders_add_line(holders, copy)) {
			free(copy);
			continue;
		}
		holders->lines = more_memory(holders->lines, holders->nr_lines,
					     sizeof(copy));
		holders->lines[holders->nr_lines++] = copy;
	}
	free(line);
	fclose(file);
	return true;
}

void holders_free(struct holders *holders)
{
	for (size_t i = 0; i < holders->nr_lines; i++)
		free(holders->lines[i]);
	free(holders->lines);
	free(holders->holder);
	free(holders->preference);
}

static int holder_compare(const void *a, const void *b)
{
	const struct holder *one = a, *other = b;
	int order = strcmp(one->area, other->area);

	if (one->nr_pages != other->nr_pages)
		return one->nr_pages > other->nr_pages ? -1 : 1;
	return order ?: (one->pfn < other->pfn ? -1 : one->pfn > other->pfn);
}

static const char *holder_name(const struct holder *holder)
{
	static const char * const names[] = {
		[HOLDER_BUFFER]	= NO_DEVICE,
		[HOLDER_CACHED]	= "(cached)",
		[HOLDER_SEARCH]	= "(a request)",
	};

	return holder->device ?: names[holder->state];
}

enum holder_column {
	COL_AREA,
	COL_DEVICE,
	COL_SIZE,
	COL_ADDRESS,
	COL_TASK,
	COL_AGE,
	COL_CALLER,
	NR_COLS
};

static struct text holder_task(const struct holder *holder)
{
	char *task = holder->pid == UNKNOWN ?
		format("%s", holder->task ?: "-") :
		format("%s %lld", holder->task ?: "-", (long long)holder->pid);
	struct text text = plain_text(task, MAX_TEXT);

	free(task);
	return text;
}

/* Seconds since it was handed out; negative if unknown. */
static double holder_age(const struct holder *holder, double uptime)
{
	if (holder->taken_s < 0 || uptime < holder->taken_s)
		return UNKNOWN;
	return uptime - holder->taken_s;
}

static void holder_cells(const struct holder *holder, double uptime,
			 struct text *cells)
{
	cells[COL_AREA] = plain_text(holder->area, MAX_TEXT);
	cells[COL_DEVICE] = plain_text(holder_name(holder), MAX_TEXT);
	cells[COL_SIZE] = size_text(holder->nr_pages);
	cells[COL_ADDRESS] = hex_text(address_of(holder->pfn));
	cells[COL_TASK] = holder_task(holder);
	cells[COL_AGE] = duration_text(holder_age(holder, uptime));
	cells[COL_CALLER] = plain_text(holder->caller ?: "-", MAX_TEXT);
}

static void holders_rows(const struct holders *holders)
{
	struct column columns[NR_COLS] = {
		[COL_AREA]	= { "area", 8, 32, 2, true, 0 },
		[COL_DEVICE]	= { "device", 12, 40, 0, true, 0 },
		[COL_SIZE]	= { "size", 8, 8, 0, false, 0 },
		[COL_ADDRESS]	= { "address", 11, 14, 5, false, 0 },
		[COL_TASK]	= { "task", 10, 24, 1, true, 0 },
		[COL_AGE]	= { "held", 6, 7, 3, false, 0 },
		[COL_CALLER]	= { "caller", 24, 80, 4, true, 0 },
	};
	struct text cells[NR_COLS];
	double uptime = kernel_uptime();

	for (size_t i = 0; i < holders->nr; i++) {
		holder_cells(&holders->holder[i], uptime, cells);
		columns_need(columns, NR_COLS, cells);
	}
	columns_fit(columns, NR_COLS);
	columns_titles(columns, NR_COLS);
	for (size_t i = 0; i < holders->nr; i++) {
		holder_cells(&holders->holder[i], uptime, cells);
		columns_row(columns, NR_COLS, cells);
	}
}

/* The sum of what one device holds. Cached and tried pages count apart. */
struct total {
	const char *name;
	int64_t nr;
	int64_t nr_pages;
};

static int holder_compare_names(const void *a, const void *b)
{
	return strcmp(holder_name(a), holder_name(b));
}

static int total_compare(const void *a, const void *b)
{
	const struct total *one = a, *other = b;

	if (one->nr_pages != other->nr_pages)
		return one->nr_pages > other->nr_pages ? -1 : 1;
	return strcmp(one->name, other->name);
}

/* Sorts the holders by name on the way. Returns the number of totals. */
static size_t totals_make(struct total **totals, struct holders *holders)
{
	size_t nr = 0;

	*totals = NULL;
	if (!holders->nr)
		return 0;
	qsort(holders->holder, holders->nr, sizeof(*holders->holder),
	      holder_compare_names);
	for (size_t i = 0; i < holders->nr; i++) {
		const struct holder *holder = &holders->holder[i];
		const char *name = holder_name(holder);

		if (!nr || strcmp((*totals)[nr - 1].name, name)) {
			*totals = more_memory(*totals, nr, sizeof(**totals));
			(*totals)[nr++] = (struct total) { .name = name };
		}
		(*totals)[nr - 1].nr++;
		(*totals)[nr - 1].nr_pages += holder->nr_pages;
	}
	qsort(*totals, nr, sizeof(**totals), total_compare);
	qsort(holders->holder, holders->nr, sizeof(*holders->holder),
	      holder_compare);
	return nr;
}

static void total_cells(const struct total *total, struct text *cells)
{
	cells[0] = plain_text(total->name, MAX_TEXT);
	cells[1] = size_text(total->nr_pages);
	cells[2] = number_text(total->nr_pages);
	cells[3] = number_text(total->nr);
}

static void holders_show(const struct holders *holders,
			 const struct total *totals, size_t nr_totals)
{
	struct column columns[] = {
		{ "total of", 12, 40, 0, true, 0 },
		{ "size", 8, 8, 0, false, 0 },
		{ "pages", 10, 10, 1, false, 0 },
		{ "buffers", 8, 8, 2, false, 0 },
	};
	const size_t nr_columns = 4;
	struct text cells[4];

	if (!holders->nr) {
		puts("No buffers are held.");
		return;
	}
	holders_rows(holders);
	putchar('\n');
	for (size_t i = 0; i < nr_totals; i++) {
		total_cells(&totals[i], cells);
		columns_need(columns, nr_columns, cells);
	}
	columns_fit(columns, nr_columns);
	columns_titles(columns, nr_columns);
	for (size_t i = 0; i < nr_totals; i++) {
		total_cells(&totals[i], cells);
		columns_row(columns, nr_columns, cells);
	}
}

static void holders_json(const struct holders *holders,
			 const struct total *totals, size_t nr_totals)
{
	static const char * const states[] = {
		[HOLDER_BUFFER]	= "buffer",
		[HOLDER_CACHED]	= "cached",
		[HOLDER_SEARCH]	= "search",
	};

	json_open(NULL, '{');
	json_decimal("uptime_s", kernel_uptime());
	json_open("holders", '[');
	for (size_t i = 0; i < holders->nr; i++) {
		const struct holder *holder = &holders->holder[i];

		json_open(NULL, '{');
		json_text("state", states[holder->state]);
		json_text("area", holder->area);
		json_number("first_pfn", holder->pfn);
		json_pages("nr_pages", holder->nr_pages);
		json_text("device", holder->device);
		json_text("task", holder->task);
		json_number("pid", holder->pid);
		json_decimal("taken_s", holder->taken_s);
		json_text("caller", holder->caller);
		json_close();
	}
	json_close();
	json_open("totals", '[');
	for (size_t i = 0; i < nr_totals; i++) {
		json_open(NULL, '{');
		json_text("holder", totals[i].name);
		json_number("nr_buffers", totals[i].nr);
		json_pages("nr_pages", totals[i].nr_pages);
		json_close();
	}
	json_close();
	json_close();
}

/* Keeps the holders of @area only. False if there are none. */
static bool holders_filter(struct holders *holders, const char *area)
{
	size_t nr = 0;

	for (size_t i = 0; i < holders->nr; i++)
		if (!strcmp(holders->holder[i].area, area))
			holders->holder[nr++] = holders->holder[i];
	holders->nr = nr;
	return nr;
}

/* Arguments of held_add_run(). */
struct held_runs {
	struct holders *holders;
	const char *area;
};

static void held_add_run(const struct run *run, void *data)
{
	struct held_runs *runs = data;
	char *line;

	if (run->kind != KIND_HELD)
		return;
	line = format("buffer - 0x%llx %llu", (unsigned long long)run->pfn,
		      (unsigned long long)run->nr_pages);
	holders_add_line(runs->holders, line);
	free(line);
	runs->holders->holder[runs->holders->nr - 1].area = runs->area;
}

/* The kernel's own allocator knows which pages are held, but not by whom. */
static bool holders_from_maps(struct holders *holders,
			      const struct areas *areas)
{
	bool found = false;

	for (size_t i = 0; i < areas->nr; i++)
		if (map_walk(areas->area[i].name, held_add_run,
			     &(struct held_runs) { holders,
						   areas->area[i].name }))
			found = true;
	if (found)
		complain("no names of holders; adjacent buffers are merged");
	return found;
}

/* Reads the holders, or derives them from the bitmaps of debugfs. */
static enum exit_code holders_collect(struct holders *holders,
				      const struct areas *areas)
{
	int error;

	if (holders_read(holders))
		return EXIT_OK;
	error = errno;
	if (error != EACCES && holders_from_maps(holders, areas))
		return EXIT_OK;
	errno = error;
	return no_file("/proc/cma/holders",
		       "this kernel names no holders");
}

/* @area: NULL for all of them. */
enum exit_code show_holders(const char *area)
{
	struct holders holders;
	enum exit_code code;
	struct areas areas;
	struct total *totals;
	size_t nr_totals;

	areas_read(&areas);
	code = holders_collect(&holders, &areas);
	if (code == EXIT_OK && area && !holders_filter(&holders, area) &&
	    !area_is_known(area))
		code = no_such_area(area);
	nr_totals = totals_make(&totals, &holders);
	if (code == EXIT_OK && opt.json)
		holders_json(&holders, totals, nr_totals);
	else if (code == EXIT_OK)
		holders_show(&holders, totals, nr_totals);
	free(totals);
	holders_free(&holders);
	areas_free(&areas);
	return code;
}

static int preference_compare(const void *a, const void *b)
{
	const struct preference *one = a, *other = b;
	int order = strcmp(one->device, other->device);

	return order ?: (one->index < other->index ? -1 :
			 one->index > other->index);
}

static void device_show_preference(const struct preference *preference,
				   unsigned int number)
{
	static const struct {
		const char *state;
		const char *meaning;
	} meanings[] = {
		{ "reached", "the device takes buffers from it" },
		{ "out-of-reach", "left out: the device cannot address it" },
		{ "down", "left out: the area did not come up" },
		{ "any", "then any memory that the device can address" },
		{ "refused", "then the request fails" },
		{ NULL, NULL },
	};
	const char *meaning = preference->state;

	for (int i = 0; meanings[i].state; i++)
		if (!strcmp(meanings[i].state, preference->state))
			meaning = meanings[i].meaning;
	wrap_begin(2, 5);
	wrap_add("%u.", number);
	if (preference->area)
		wrap_add("%s:", preference->area);
	wrap_add("%s", meaning);
	wrap_end();
}

static void devices_show(const struct holders *holders, const char *device)
{
	const char *last = NULL;
	unsigned int number = 0;

	for (size_t i = 0; i < holders->nr_preferences; i++) {
		const struct preference *one = &holders->preference[i];

		if (device && strcmp(one->device, device))
			continue;
		if (!last || strcmp(last, one->device)) {
			number = 0;
			wrap_begin(0, 2);
			wrap_add("%s", one->device);
			wrap_end();
		}
		last = one->device;
		device_show_preference(one, ++number);
	}
	if (!last)
		puts("No device has an area of its own.");
}

static bool device_is_known(const struct holders *holders, const char *device)
{
	for (size_t i = 0; i < holders->nr_preferences; i++)
		if (!strcmp(holders->preference[i].device, device))
			return true;
	return false;
}

static void devices_json(const struct holders *holders, const char *device)
{
	const char *last = NULL;

	json_open(NULL, '{');
	json_open("devices", '[');
	for (size_t i = 0; i < holders->nr_preferences; i++) {
		const struct preference *one = &holders->preference[i];

		if (device && strcmp(one->device, device))
			continue;
		if (!last || strcmp(last, one->device)) {
			if (last) {
				json_close();
				json_close();
			}
			json_open(NULL, '{');
			json_text("device", one->device);
			json_open("areas", '[');
		}
		last = one->device;
		json_open(NULL, '{');
		json_text("area", one->area);
		json_text("state", one->state);
		json_close();
	}
	if (last) {
		json_close();
		json_close();
	}
	json_close();
	json_close();
}

/* @device: NULL for all of them. */
enum exit_code show_devices(const char *device)
{
	enum exit_code code = EXIT_OK;
	struct holders holders;

	if (!holders_read(&holders))
		return no_file("/proc/cma/holders",
			       "this kernel names no areas of devices");
	if (holders.nr_preferences)
		qsort(holders.preference, holders.nr_preferences,
		      sizeof(*holders.preference), preference_compare);
	if (device && !device_is_known(&holders, device)) {
		complain("the kernel knows no areas of the device %s", device);
		code = EXIT_NO_AREA;
	} else if (opt.json) {
		devices_json(&holders, device);
	} else {
		devices_show(&holders, device);
	}
	holders_free(&holders);
	return code;
}
