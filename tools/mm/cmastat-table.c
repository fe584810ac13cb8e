// SPDX-License-Identifier: GPL-2.0
/*
 * cmastat: the table of areas, and top, which shows how it changes.
 */
#include "cmastat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum table_column {
	COL_NAME,
	COL_MODE,
	COL_TOTAL,
	COL_HELD,
	COL_CACHED,
	COL_IN_USE,
	COL_FREE,
	COL_HOLE,
	COL_FAILED,
	COL_FRAGMENTATION,
	NR_COLS
};

/* Some kernels count refused pages, not requests: mark these with a p. */
static struct text failed_text(const int64_t *stats)
{
	struct text text = number_text(stats[STAT_FAILED]);

	if (stats[STAT_FAILED] == UNKNOWN && stats[STAT_REFUSED] != UNKNOWN)
		snprintf(text.s, MAX_TEXT, "%lldp",
			 (long long)stats[STAT_REFUSED]);
	return text;
}

static void table_cells(const struct area *area, struct text *cells)
{
	const int64_t *stats = area->stats;

	cells[COL_NAME] = plain_text(area->name, MAX_TEXT);
	cells[COL_MODE] = area->mode;
	cells[COL_TOTAL] = size_text(stats[STAT_TOTAL]);
	cells[COL_HELD] = size_text(stats[STAT_HELD]);
	cells[COL_CACHED] = size_text(stats[STAT_CACHED]);
	cells[COL_IN_USE] = size_text(stats[STAT_IN_USE]);
	cells[COL_FREE] = size_text(stats[STAT_FREE]);
	cells[COL_HOLE] = size_text(stats[STAT_HOLE]);
	cells[COL_FAILED] = failed_text(stats);
	cells[COL_FRAGMENTATION] = number_text(stats[STAT_FRAGMENTATION]);
}

static void table_row(const struct column *columns, const struct area *area)
{
	struct text cells[NR_COLS];

	table_cells(area, cells);
	columns_row(columns, NR_COLS, cells);
}

static int64_t stat_sum(const struct areas *areas, enum area_stat stat)
{
	int64_t sum = 0;

	for (size_t i = 0; i < areas->nr; i++) {
		int64_t value = areas->area[i].stats[stat];

		if (value == UNKNOWN || value > INT64_MAX / 1024 - sum)
			return UNKNOWN;
		sum += value;
	}
	return sum;
}

/* No buffer spans two areas, so the widest hole is a maximum, not a sum. */
static void table_totals(const struct column *columns,
			 const struct areas *areas)
{
	struct area all = { .name = "total", .mode = { "" } };

	for (int i = 0; i < NR_STATS; i++)
		all.stats[i] = stat_sum(areas, i);
	all.stats[STAT_HOLE] = UNKNOWN;
	all.stats[STAT_FRAGMENTATION] = UNKNOWN;
	for (size_t i = 0; i < areas->nr; i++)
		if (areas->area[i].stats[STAT_HOLE] > all.stats[STAT_HOLE])
			all.stats[STAT_HOLE] = areas->area[i].stats[STAT_HOLE];
	table_row(columns, &all);
}

static bool table_has_gaps(const struct areas *areas)
{
	for (size_t i = 0; i < areas->nr; i++) {
		const int64_t *stats = areas->area[i].stats;

		if (stats[STAT_HELD] == UNKNOWN ||
		    stats[STAT_FREE] == UNKNOWN || stats[STAT_HOLE] == UNKNOWN)
			return true;
	}
	return false;
}

static void table_show(const struct areas *areas)
{
	struct column columns[NR_COLS] = {
		[COL_NAME]	= { "area", 11, 32, 0, true, 0 },
		[COL_MODE]	= { "mode", 9, 9, 7, true, 0 },
		[COL_TOTAL]	= { "total", 8, 8, 2, false, 0 },
		[COL_HELD]	= { "held", 8, 8, 1, false, 0 },
		[COL_CACHED]	= { "cached", 8, 8, 9, false, 0 },
		[COL_IN_USE]	= { "in use", 8, 8, 3, false, 0 },
		[COL_FREE]	= { "free", 8, 8, 4, false, 0 },
		[COL_HOLE]	= { "hole", 8, 8, 5, false, 0 },
		[COL_FAILED]	= { "failed", 6, 12, 6, false, 0 },
		[COL_FRAGMENTATION] = { "frag", 4, 4, 8, false, 0 },
	};

	struct text cells[NR_COLS];

	if (!areas->nr) {
		puts("There are no areas.");
		return;
	}
	for (size_t i = 0; i < areas->nr; i++) {
		table_cells(&areas->area[i], cells);
		columns_need(columns, NR_COLS, cells);
	}
	columns_fit(columns, NR_COLS);
	columns_titles(columns, NR_COLS);
	for (size_t i = 0; i < areas->nr; i++)
		table_row(columns, &areas->area[i]);
	if (areas->nr > 1)
		table_totals(columns, areas);
	if (table_has_gaps(areas)) {
		putchar('\n');
		wrap_begin(0, 0);
		wrap_add("A dash: this kernel does not show it, or not to");
		wrap_add("this user. More is in sysfs (CONFIG_CMA_SYSFS) and");
		wrap_add("in debugfs (CONFIG_CMA_DEBUGFS, root).");
		wrap_end();
	}
}

static void table_json(const struct areas *areas)
{
	json_open(NULL, '{');
	json_number("page_kib", opt.page_kib);
	json_open("areas", '[');
	for (size_t i = 0; i < areas->nr; i++) {
		const struct area *area = &areas->area[i];

		json_open(NULL, '{');
		json_text("area", area->name);
		json_text("mode", strcmp(area->mode.s, "-") ? area->mode.s :
			  NULL);
		for (int stat = 0; stat < NR_STATS; stat++)
			json_number(stat_name(stat), area->stats[stat]);
		json_close();
	}
	json_close();
	json_close();
}

enum exit_code show_table(const char *unused)
{
	struct areas areas;

	(void)unused;
	if (!areas_read(&areas))
		return no_areas();
	for (size_t i = 0; i < areas.nr; i++)
		area_read_stats(&areas.area[i], true);
	if (opt.json)
		table_json(&areas);
	else
		table_show(&areas);
	areas_free(&areas);
	return EXIT_OK;
}

/* Changes of an area between two intervals. Negative: unknown. */
struct rates {
	double taken;		/* pages per second */
	double released;
	double failed;		/* requests per second */
	double mean_s;		/* how long requests took */
	double most_s;
};

static double rate_of(const struct area *old, const struct area *now,
		      enum area_stat stat, double elapsed_s)
{
	if (old->stats[stat] == UNKNOWN ||
	    now->stats[stat] < old->stats[stat])
		return UNKNOWN;
	return (now->stats[stat] - old->stats[stat]) / elapsed_s;
}

/*
 * Bucket n counts requests of more than 2^(n-1) and at most 2^n microseconds.
 * The mean assumes the middle of the bucket for each.
 */
static void rates_add_latency(struct rates *rates, const struct area *old,
			      const struct area *now)
{
	double sum = 0, nr = 0, bound_s = 0.000001;

	for (int n = 0; n < NR_LATENCIES; n++, bound_s *= 2) {
		uint64_t hits;

		if (now->latency[n] <= old->latency[n])
			continue;
		hits = now->latency[n] - old->latency[n];
		nr += hits;
		sum += hits * bound_s * 0.75;
		rates->most_s = bound_s;
	}
	if (nr)
		rates->mean_s = sum / nr;
}

static struct rates rates_between(const struct area *old,
				  const struct area *now, double elapsed_s)
{
	struct rates rates = {
		.taken = rate_of(old, now, STAT_TAKEN, elapsed_s),
		.released = rate_of(old, now, STAT_RELEASED, elapsed_s),
		.failed = rate_of(old, now, STAT_FAILED, elapsed_s),
		.mean_s = UNKNOWN,
		.most_s = UNKNOWN,
	};

	rates_add_latency(&rates, old, now);
	return rates;
}

static struct text rate_text(double rate)
{
	struct text text = { "-" };

	if (rate >= 0)
		snprintf(text.s, MAX_TEXT, "%.*f", rate > 0 && rate < 99.95,
			 rate);
	return text;
}

static const struct area *areas_find(const struct areas *areas,
				     const char *name)
{
	for (size_t i = 0; i < areas->nr; i++)
		if (!strcmp(areas->area[i].name, name))
			return &areas->area[i];
	return NULL;
}

enum top_column {
	TOP_NAME,
	TOP_HELD,
	TOP_FREE,
	TOP_HOLE,
	TOP_TAKEN,
	TOP_RELEASED,
	TOP_FAILED,
	TOP_MEAN,
	TOP_MOST,
	NR_TOP
};

static void top_row(const struct column *columns, const struct area *area,
		    const struct rates *rates)
{
	struct text cells[NR_TOP] = {
		[TOP_NAME]	= plain_text(area->name, MAX_TEXT),
		[TOP_HELD]	= size_text(area->stats[STAT_HELD]),
		[TOP_FREE]	= size_text(area->stats[STAT_FREE]),
		[TOP_HOLE]	= size_text(area->stats[STAT_HOLE]),
		[TOP_TAKEN]	= rate_text(rates->taken),
		[TOP_RELEASED]	= rate_text(rates->released),
		[TOP_FAILED]	= rate_text(rates->failed),
		[TOP_MEAN]	= duration_text(rates->mean_s),
		[TOP_MOST]	= duration_text(rates->most_s),
	};

	columns_row(columns, NR_TOP, cells);
}

static void top_show(const struct areas *old, const struct areas *now,
		     double elapsed_s)
{
	struct column columns[NR_TOP] = {
		[TOP_NAME]	= { "area", 12, 32, 0, true, 0 },
		[TOP_HELD]	= { "held", 8, 8, 2, false, 0 },
		[TOP_FREE]	= { "free", 8, 8, 5, false, 0 },
		[TOP_HOLE]	= { "hole", 8, 8, 6, false, 0 },
		[TOP_TAKEN]	= { "taken/s", 8, 8, 1, false, 0 },
		[TOP_RELEASED]	= { "freed/s", 8, 8, 3, false, 0 },
		[TOP_FAILED]	= { "fail/s", 6, 6, 4, false, 0 },
		[TOP_MEAN]	= { "mean", 7, 8, 7, false, 0 },
		[TOP_MOST]	= { "most", 7, 8, 8, false, 0 },
	};

	if (opt.clear)
		fputs("\033[H\033[J", stdout);
	wrap_begin(0, 0);
	wrap_add("In the last %.1f s: pages taken and freed a second, requests",
		 elapsed_s);
	wrap_add("failed a second, and how long requests took.");
	wrap_end();
	columns_fit(columns, NR_TOP);
	columns_titles(columns, NR_TOP);
	for (size_t i = 0; i < now->nr; i++) {
		const struct area *area = &now->area[i];
		const struct area *before = areas_find(old, area->name);
		struct rates rates = rates_between(before ?: area, area,
						   elapsed_s);

		top_row(columns, area, &rates);
	}
	if (!opt.clear)
		putchar('\n');
}

static void top_json(const struct areas *old, const struct areas *now,
		     double elapsed_s)
{
	json_open(NULL, '{');
	json_number("interval_ms", elapsed_s * 1000);
	json_open("areas", '[');
	for (size_t i = 0; i < now->nr; i++) {
		const struct area *area = &now->area[i];
		const struct area *before = areas_find(old, area->name);
		struct rates rates = rates_between(before ?: area, area,
						   elapsed_s);

		json_open(NULL, '{');
		json_text("area", area->name);
		json_number("held_pages", area->stats[STAT_HELD]);
		json_number("free_pages", area->stats[STAT_FREE]);
		json_number("widest_hole_pages", area->stats[STAT_HOLE]);
		json_decimal("taken_pages_per_s", rates.taken);
		json_decimal("released_pages_per_s", rates.released);
		json_decimal("failed_requests_per_s", rates.failed);
		json_decimal("mean_latency_us", rates.mean_s * 1000000);
		json_decimal("most_latency_us", rates.most_s * 1000000);
		json_close();
	}
	json_close();
	json_close();
}

static bool top_read(struct areas *areas)
{
	if (!areas_read(areas))
		return false;
	for (size_t i = 0; i < areas->nr; i++)
		area_read_stats(&areas->area[i], false);
	return true;
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void sleep_ms(unsigned int ms)
{
	struct timespec rest = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&rest, &rest) && errno == EINTR)
		;
}

enum exit_code show_top(const char *unused)
{
	struct areas old, now;
	double start = now_s(), end;

	(void)unused;
	if (!top_read(&old))
		return no_areas();
	for (unsigned long i = 0; !opt.count || i < opt.count; i++) {
		sleep_ms(opt.interval_ms);
		if (!top_read(&now))
			break;
		end = now_s();
		if (opt.json)
			top_json(&old, &now, end - start);
		else
			top_show(&old, &now, end - start);
		if (fflush(stdout))
			break;
		areas_free(&old);
		old = now;
		start = end;
	}
	areas_free(&old);
	return EXIT_OK;
}
