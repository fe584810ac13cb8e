// SPDX-License-Identifier: GPL-2.0
/*
 * cmastat: the last failed requests in plain words.
 *
 * A record of /proc/cma/failures has lines "key: value" and ends with an empty
 * line. Unknown keys are for later versions of this program; any can be absent.
 */
#include "cmastat.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BLOCKERS	8

enum key {
	KEY_AREA,
	KEY_TIME,
	KEY_REQUEST,
	KEY_FOR,
	KEY_TASK,
	KEY_ERROR,
	KEY_CAUSE,
	KEY_PAGES,
	KEY_WINDOWS,
	KEY_ADVICE,
	NR_KEYS
};

static const char * const key_names[NR_KEYS] = {
	[KEY_AREA]	= "area",
	[KEY_TIME]	= "time",
	[KEY_REQUEST]	= "request",
	[KEY_FOR]	= "for",
	[KEY_TASK]	= "task",
	[KEY_ERROR]	= "error",
	[KEY_CAUSE]	= "cause",
	[KEY_PAGES]	= "pages",
	[KEY_WINDOWS]	= "windows",
	[KEY_ADVICE]	= "advice",
};

struct failure {
	char *values[NR_KEYS];
	char *blockers[MAX_BLOCKERS];
	size_t nr_blockers;
	size_t nr_lines;
};

static void failure_add_line(struct failure *failure, const char *line)
{
	const char *colon = strstr(line, ": ");
	size_t len = colon ? colon - line : 0;
	char **value = NULL;

	if (!colon)
		return;
	failure->nr_lines++;
	for (int key = 0; key < NR_KEYS; key++)
		if (strlen(key_names[key]) == len &&
		    !strncmp(line, key_names[key], len))
			value = &failure->values[key];
	if (len == strlen("blocker") && !strncmp(line, "blocker", len) &&
	    failure->nr_blockers < MAX_BLOCKERS)
		value = &failure->blockers[failure->nr_blockers++];
	if (!value)
		return;
	free(*value);
	*value = format("%s", colon + 2);
	unescape(*value);
}

static void failure_clear(struct failure *failure)
{
	for (int key = 0; key < NR_KEYS; key++)
		free(failure->values[key]);
	for (size_t i = 0; i < failure->nr_blockers; i++)
		free(failure->blockers[i]);
	*failure = (struct failure) { 0 };
}

/* Returns false at the end of the file. */
static bool failure_read(struct failure *failure, FILE *file)
{
	char *line = NULL;
	size_t size = 0;

	failure_clear(failure);
	while (getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (*line)
			failure_add_line(failure, line);
		else if (failure->nr_lines)
			break;
	}
	free(line);
	return failure->nr_lines;
}

/* Finds the number after @word; UNKNOWN if there is none. */
static int64_t number_after(const char *value, const char *word)
{
	const char *at = value ? strstr(value, word) : NULL;
	char *digits;
	uint64_t n;
	bool valid;

	if (!at)
		return UNKNOWN;
	at += strlen(word);
	digits = strndup(at, strspn(at, "0123456789"));
	valid = digits && parse_number(digits, &n);
	free(digits);
	return valid ? (int64_t)n : UNKNOWN;
}

/* Finds the number before @word; UNKNOWN if there is none. */
static int64_t number_before(const char *value, const char *word)
{
	const char *end = value ? strstr(value, word) : NULL, *start = end;
	char *digits;
	uint64_t n;
	bool valid;

	if (!end)
		return UNKNOWN;
	while (start > value && isdigit((unsigned char)start[-1]))
		start--;
	digits = strndup(start, end - start);
	valid = digits && parse_number(digits, &n);
	free(digits);
	return valid ? (int64_t)n : UNKNOWN;
}

static const char *or_unknown(const char *value)
{
	return value && *value ? value : "(unknown)";
}

/* Seconds since the failure; negative if unknown. */
static double failure_age(const struct failure *failure, double uptime)
{
	double when;

	if (!failure->values[KEY_TIME] || uptime < 0 ||
	    !parse_seconds(failure->values[KEY_TIME], &when) || when > uptime)
		return UNKNOWN;
	return uptime - when;
}

static bool failure_says(const struct failure *failure, const char *word)
{
	const char *cause = failure->values[KEY_CAUSE];
	const char *error = failure->values[KEY_ERROR];

	if ((cause && strstr(cause, word)) || (error && strstr(error, word)))
		return true;
	for (size_t i = 0; i < failure->nr_blockers; i++)
		if (strstr(failure->blockers[i], word))
			return true;
	return false;
}

/* Advice for kernels that give none. The first word that occurs counts. */
static const struct {
	const char *word;
	const char *text;
} advice[] = {
	{ "killed",
	  "The task was killed while it waited; the area needs nothing." },
	{ "no such request",
	  "Ask for one page at least and for no more than the area has." },
	{ "no memory",
	  "No memory was left to move pages to: add swap, or lower the load." },
	{ "no room",
	  "Enlarge the area, or give back buffers; see \"cmastat holders\"." },
	{ "pinned",
	  "Stop what pins pages, or make the area exclusive." },
	{ "writeback",
	  "Try again when data is on disk, or raise patience_ms of the area." },
	{ "busy",
	  "Try again, or raise patience_ms of the area." },
	{ NULL, "Look for \"cma:\" in the kernel log." },
};

static const char *failure_advice(const struct failure *failure)
{
	int i = 0;

	if (failure->values[KEY_ADVICE])
		return failure->values[KEY_ADVICE];
	while (advice[i].word && !failure_says(failure, advice[i].word))
		i++;
	return advice[i].text;
}

/* "-16 busy" */
static void failure_show_error(const char *error)
{
	const char *word = error ? strchr(error, ' ') : NULL;

	if (word)
		wrap_add("and got the error %.*s (%s).", (int)(word - error),
			 error, word + 1);
	else
		wrap_add("and got the error %s.", or_unknown(error));
}

static void failure_show_request(const struct failure *failure)
{
	const char *request = failure->values[KEY_REQUEST];
	const char *device = failure->values[KEY_FOR];
	int64_t nr_pages = number_before(request, " pages");
	int64_t align = number_after(request, "align ");

	wrap_begin(2, 2);
	if (!device || !strcmp(device, NO_DEVICE))
		wrap_add("A request for no device");
	else
		wrap_add("%s", device);
	if (failure->values[KEY_TASK])
		wrap_add("(task %s)", failure->values[KEY_TASK]);
	if (nr_pages == UNKNOWN)
		wrap_add("asked for %s", or_unknown(request));
	else
		wrap_add("asked for %s", pages_text(nr_pages).s);
	if (align > 1)
		wrap_add("at a multiple of %s", pages_text(align).s);
	failure_show_error(failure->values[KEY_ERROR]);
	if (failure->values[KEY_CAUSE])
		wrap_add("Cause: %s.", failure->values[KEY_CAUSE]);
	wrap_end();
}

static void failure_show_blockers(const struct failure *failure)
{
	if (failure->nr_blockers) {
		wrap_begin(2, 2);
		wrap_add("In the way:");
		wrap_end();
	}
	for (size_t i = 0; i < failure->nr_blockers; i++) {
		wrap_begin(4, 6);
		wrap_add("%s", failure->blockers[i]);
		wrap_end();
	}
}

static void failure_show_state(const struct failure *failure)
{
	const char *pages = failure->values[KEY_PAGES];
	const char *windows = failure->values[KEY_WINDOWS];
	static const struct {
		const char *key;
		const char *meaning;
	} parts[] = {
		{ "held ", "held" }, { "cached ", "cached" },
		{ "free ", "free" }, { "in-use ", "in use" },
		{ "movable ", "of it movable" }, { NULL, NULL },
	};

	if (!pages && !windows)
		return;
	wrap_begin(2, 2);
	if (pages)
		wrap_add("The area had %s:",
			 pages_text(number_after(pages, "total ")).s);
	for (int i = 0; pages && parts[i].key; i++) {
		int64_t nr = number_after(pages, parts[i].key);

		if (nr != UNKNOWN)
			wrap_add("%s %s,", size_text(nr).s, parts[i].meaning);
	}
	if (pages)
		wrap_add("widest hole %s.",
			 size_text(number_after(pages, "widest-hole ")).s);
	if (windows)
		wrap_add("Windows: %s.", windows);
	wrap_end();
}

static void failure_show(const struct failure *failure, double uptime)
{
	double age = failure_age(failure, uptime);

	wrap_begin(0, 2);
	wrap_add("%s,", or_unknown(failure->values[KEY_AREA]));
	if (age >= 0)
		wrap_add("%s ago:", duration_text(age).s);
	else
		wrap_add("%s s after boot:",
			 or_unknown(failure->values[KEY_TIME]));
	wrap_end();
	failure_show_request(failure);
	failure_show_blockers(failure);
	failure_show_state(failure);
	wrap_begin(2, 2);
	wrap_add("Advice: %s", failure_advice(failure));
	wrap_end();
}

/* "0x4a2f3 pinned: program v4l2-ctl 312, ..." */
static void json_blocker(const char *blocker)
{
	size_t len = strcspn(blocker, " ");
	char *number = format("%.*s", (int)len, blocker);
	const char *reason = blocker + len + strspn(blocker + len, " ");
	const char *colon = strstr(reason, ": ");
	uint64_t pfn;

	json_open(NULL, '{');
	json_number("pfn", parse_number(number, &pfn) ? (int64_t)pfn :
		    UNKNOWN);
	free(number);
	number = format("%.*s", colon ? (int)(colon - reason) :
			(int)strlen(reason), reason);
	json_text("reason", number);
	json_text("page", colon ? colon + 2 : NULL);
	json_close();
	free(number);
}

/* "v4l2-ctl 312" */
static void json_task(const char *task)
{
	const char *pid = task ? strrchr(task, ' ') : NULL;
	uint64_t n;
	bool has_pid = pid && parse_number(pid + 1, &n);
	char *name = format("%.*s", has_pid ? (int)(pid - task) : INT_MAX,
			    task ?: "");

	json_text("task", task ? name : NULL);
	json_number("pid", has_pid ? (int64_t)n : UNKNOWN);
	free(name);
}

static void failure_json(const struct failure *failure, double uptime)
{
	static const struct {
		const char *key;
		const char *name;
	} parts[] = {
		{ "total ", "total_pages" }, { "held ", "held_pages" },
		{ "cached ", "cached_pages" }, { "free ", "free_pages" },
		{ "in-use ", "in_use_pages" }, { "movable ", "movable_pages" },
		{ "widest-hole ", "widest_hole_pages" }, { NULL, NULL },
	};
	char * const *values = failure->values;
	const char *device = values[KEY_FOR];
	double when;

	json_open(NULL, '{');
	json_text("area", values[KEY_AREA]);
	json_decimal("time_s", values[KEY_TIME] &&
		     parse_seconds(values[KEY_TIME], &when) ? when : UNKNOWN);
	json_decimal("age_s", failure_age(failure, uptime));
	json_pages("nr_pages", number_before(values[KEY_REQUEST], " pages"));
	json_number("align_pages", number_after(values[KEY_REQUEST],
						"align "));
	json_text("device", device && strcmp(device, NO_DEVICE) ? device :
		  NULL);
	json_task(values[KEY_TASK]);
	json_text("error", values[KEY_ERROR]);
	json_text("cause", values[KEY_CAUSE]);
	for (int i = 0; parts[i].key; i++)
		json_number(parts[i].name, number_after(values[KEY_PAGES],
							parts[i].key));
	json_number("surveyed_windows", number_before(values[KEY_WINDOWS],
						      " surveyed"));
	json_number("tried_windows", number_before(values[KEY_WINDOWS],
						   " tried"));
	json_open("blockers", '[');
	for (size_t i = 0; i < failure->nr_blockers; i++)
		json_blocker(failure->blockers[i]);
	json_close();
	json_text("advice", failure_advice(failure));
	json_close();
}

/* Shows the failures of @area, or all if it is NULL. Returns their number. */
static size_t failures_show(FILE *file, const char *area)
{
	struct failure failure = { 0 };
	double uptime = kernel_uptime();
	size_t nr = 0;

	while (failure_read(&failure, file)) {
		const char *name = failure.values[KEY_AREA];

		if (area && (!name || strcmp(name, area)))
			continue;
		if (opt.json) {
			failure_json(&failure, uptime);
		} else {
			if (nr)
				putchar('\n');
			failure_show(&failure, uptime);
		}
		nr++;
	}
	failure_clear(&failure);
	return nr;
}

/* True if there is a failure of @area. Leaves the file at its beginning. */
static bool failures_name(FILE *file, const char *area)
{
	struct failure failure = { 0 };
	bool found = false;

	while (!found && failure_read(&failure, file))
		found = failure.values[KEY_AREA] &&
			!strcmp(failure.values[KEY_AREA], area);
	failure_clear(&failure);
	rewind(file);
	return found;
}

enum exit_code show_why(const char *area)
{
	FILE *file = kernel_open("/proc/cma/failures");
	size_t nr;

	if (!file)
		return no_file("/proc/cma/failures",
			       "the kernel log may have lines with \"cma:\"");
	if (area && !failures_name(file, area) && !area_is_known(area)) {
		fclose(file);
		return no_such_area(area);
	}
	if (opt.json) {
		json_open(NULL, '{');
		json_open("failures", '[');
	}
	nr = failures_show(file, area);
	fclose(file);
	if (opt.json) {
		json_close();
		json_close();
	} else if (!nr) {
		puts("No request failed.");
	}
	return EXIT_OK;
}
