// SPDX-License-Identifier: GPL-2.0
/*
 * cmastat: sizes, names, columns, wrapped lines, JSON.
 *
 * Output for people is ASCII without control characters: a serial line may have
 * no more, and the name of a task must not move the cursor.
 */
#include "cmastat.h"

#include <stdlib.h>
#include <string.h>

void complain(const char *fmt, ...)
{
	va_list args;
	char *said;

	va_start(args, fmt);
	said = format_args(fmt, args);
	va_end(args);
	for (char *c = said; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	fprintf(stderr, "cmastat: %s\n", said);
	free(said);
}

/* Nothing useful can be shown without memory, so callers need no check. */
static void *have_memory(void *memory)
{
	if (!memory) {
		fputs("cmastat: out of memory\n", stderr);
		exit(EXIT_NOTHING);
	}
	return memory;
}

/* Makes room for element @nr. The array doubles when @nr is a power of two. */
void *more_memory(void *old, size_t nr, size_t size)
{
	if (nr & (nr - 1))
		return old;
	return have_memory(reallocarray(old, nr ? 2 * nr : 1, size));
}

char *format_args(const char *fmt, va_list args)
{
	char *text;

	return have_memory(vasprintf(&text, fmt, args) < 0 ? NULL : text);
}

char *format(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = format_args(fmt, args);
	va_end(args);
	return text;
}

/* Cuts @name to @width columns; "..." stands for the rest of a long one. */
struct text plain_text(const char *name, unsigned int width)
{
	struct text text = { "" };
	size_t len = strlen(name);

	if (width >= MAX_TEXT)
		width = MAX_TEXT - 1;
	for (size_t i = 0; i < len && i < width; i++)
		text.s[i] = name[i] < ' ' || name[i] > '~' ? '?' : name[i];
	if (len > width)
		for (unsigned int i = 1; i <= 3 && i < width; i++)
			text.s[width - i] = '.';
	return text;
}

static struct text print_text(const char *fmt, ...) __printf(1, 2);

static struct text print_text(const char *fmt, ...)
{
	struct text text;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text.s, sizeof(text.s), fmt, args);
	va_end(args);
	return text;
}

/* At most eight columns. */
struct text size_text(int64_t nr_pages)
{
	static const char units[][4] = { "KiB", "MiB", "GiB", "TiB", "PiB" };
	double size = (double)nr_pages * opt.page_kib;
	unsigned int unit = 0;
	bool whole;

	if (nr_pages == UNKNOWN)
		return print_text("-");
	for (; size >= 1024 && unit < 4; unit++)
		size /= 1024;
	whole = size >= 99.95 || size == (double)(int64_t)size;
	return print_text("%.*f %s", !whole, size, units[unit]);
}

struct text pages_text(int64_t nr_pages)
{
	if (nr_pages == UNKNOWN)
		return print_text("an unknown number of pages");
	return print_text("%lld page%s (%s)", (long long)nr_pages,
			  nr_pages == 1 ? "" : "s", size_text(nr_pages).s);
}

struct text number_text(int64_t value)
{
	if (value == UNKNOWN)
		return print_text("-");
	return print_text("%lld", (long long)value);
}

uint64_t address_of(uint64_t pfn)
{
	return pfn * opt.page_kib * 1024;
}

struct text hex_text(uint64_t value)
{
	return print_text("0x%llx", (unsigned long long)value);
}

/* At most eight columns. */
struct text duration_text(double seconds)
{
	if (seconds < 0)
		return print_text("-");
	if (seconds < 0.0009995)
		return print_text("%.0f us", seconds * 1e6);
	if (seconds < 0.9995)
		return print_text("%.*f ms", seconds < 0.09995, seconds * 1e3);
	if (seconds < 600)
		return print_text("%.*f s", seconds < 99.95, seconds);
	if (seconds < 2 * 86400)
		return print_text("%.0f min", seconds / 60);
	return print_text("%.0f d", seconds / 86400);
}

static unsigned int columns_width(const struct column *columns, size_t nr)
{
	unsigned int width = 0;

	for (size_t i = 0; i < nr; i++)
		if (columns[i].width)
			width += columns[i].width + !!width;
	return width;
}

/* Returns the column to drop next; NULL if all of them have to stay. */
static struct column *least_important(struct column *columns, size_t nr)
{
	struct column *found = NULL;

	for (size_t i = 0; i < nr; i++)
		if (columns[i].width && columns[i].drop &&
		    (!found || columns[i].drop > found->drop))
			found = &columns[i];
	return found;
}

/* Makes columns_fit() consider the cells of one row. */
void columns_need(struct column *columns, size_t nr, const struct text *cells)
{
	for (size_t i = 0; i < nr; i++) {
		unsigned int need = strlen(cells[i].s);

		if (columns[i].need < strlen(columns[i].title))
			columns[i].need = strlen(columns[i].title);
		if (columns[i].need < need)
			columns[i].need = need;
	}
}

/* Columns need not be wider than their cells. Numbers keep their places. */
static void columns_trim(struct column *columns, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (!columns[i].need)
			continue;
		if (columns[i].left && columns[i].width > columns[i].need)
			columns[i].width = columns[i].need;
		if (columns[i].most > columns[i].need)
			columns[i].most = columns[i].need;
	}
}

static struct column *columns_widest(struct column *columns, size_t nr)
{
	struct column *found = columns;

	for (size_t i = 0; i < nr; i++)
		if (columns[i].width > found->width)
			found = &columns[i];
	return found;
}

/* Drops columns until the rest fits into a line, and cuts what must stay. */
static void columns_drop(struct column *columns, size_t nr)
{
	struct column *column;

	while (columns_width(columns, nr) > opt.width) {
		column = least_important(columns, nr);
		if (column)
			column->width = 0;
		else
			columns_widest(columns, nr)->width--;
	}
}

/* Drops or cuts columns if a line is narrow, and widens them if it is wide. */
void columns_fit(struct column *columns, size_t nr)
{
	columns_trim(columns, nr);
	columns_drop(columns, nr);
	for (bool grows = true; grows;) {
		grows = false;
		for (size_t i = 0; i < nr; i++)
			if (columns[i].width &&
			    columns[i].width < columns[i].most &&
			    columns_width(columns, nr) < opt.width) {
				columns[i].width++;
				grows = true;
			}
	}
}

static void columns_cell(const struct column *column, const char *s,
			 bool is_first, bool is_last)
{
	int width = column->width;
	struct text text = plain_text(s, width);

	if (!is_first)
		putchar(' ');
	if (!column->left)
		printf("%*s", width, text.s);
	else
		printf("%-*s", is_last ? 0 : width, text.s);
}

static bool column_is_last(const struct column *columns, size_t nr, size_t i)
{
	while (++i < nr)
		if (columns[i].width)
			return false;
	return true;
}

void columns_titles(const struct column *columns, size_t nr)
{
	bool is_first = true;

	for (size_t i = 0; i < nr; i++)
		if (columns[i].width) {
			columns_cell(&columns[i], columns[i].title, is_first,
				     column_is_last(columns, nr, i));
			is_first = false;
		}
	putchar('\n');
}

void columns_row(const struct column *columns, size_t nr,
		 const struct text *cells)
{
	bool is_first = true;

	for (size_t i = 0; i < nr; i++)
		if (columns[i].width) {
			columns_cell(&columns[i], cells[i].s, is_first,
				     column_is_last(columns, nr, i));
			is_first = false;
		}
	putchar('\n');
}

/* The paragraph: number of columns written, and the indentation of lines. */
static unsigned int wrap_column, wrap_rest;
static bool wrap_in_line;

void wrap_begin(unsigned int first, unsigned int rest)
{
	printf("%*s", (int)first, "");
	wrap_column = first;
	wrap_rest = rest;
	wrap_in_line = false;
}

static void wrap_break(void)
{
	printf("\n%*s", (int)wrap_rest, "");
	wrap_column = wrap_rest;
	wrap_in_line = false;
}

static void wrap_word(const char *word, size_t len)
{
	if (wrap_in_line && wrap_column + 1 + len > opt.width)
		wrap_break();
	if (wrap_in_line) {
		putchar(' ');
		wrap_column++;
	}
	for (size_t i = 0; i < len; i++) {
		if (wrap_column >= opt.width)
			wrap_break();
		putchar(word[i] < ' ' || word[i] > '~' ? '?' : word[i]);
		wrap_column++;
	}
	wrap_in_line = true;
}

/* Adds words to the paragraph; white space of any width divides them. */
void wrap_add(const char *fmt, ...)
{
	static const char white[] = " \t\n";
	va_list args;
	char *text;

	va_start(args, fmt);
	text = format_args(fmt, args);
	va_end(args);
	for (char *word = text + strspn(text, white); *word;) {
		size_t len = strcspn(word, white);

		wrap_word(word, len);
		word += len;
		word += strspn(word, white);
	}
	free(text);
}

void wrap_end(void)
{
	putchar('\n');
}

#define MAX_DEPTH	8

/* For each open bracket: the one that closes it, and if a comma is due. */
static char json_closes[MAX_DEPTH];
static bool json_comma[MAX_DEPTH];
static unsigned int json_depth;

/* Returns the length of the UTF-8 character at @s; 0 if it is invalid. */
static unsigned int utf8_bytes(const unsigned char *s)
{
	unsigned int len = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 :
			   s[0] < 0xf0 ? 3 : 4;

	if (s[0] >= 0x80 && (s[0] < 0xc2 || s[0] > 0xf4))
		return 0;
	for (unsigned int i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and code points above U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

static void json_string(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	putchar('"');
	while (*s) {
		unsigned int len = utf8_bytes(s);

		if (!len)
			printf("\\\\x%02x", *s);
		else if (*s < ' ' || *s == 0x7f)
			printf("\\u%04x", *s);
		else
			printf("%s%.*s", *s == '"' || *s == '\\' ? "\\" : "",
			       (int)len, (const char *)s);
		s += len ?: 1;
	}
	putchar('"');
}

static void json_key(const char *key)
{
	if (!json_depth)
		return;
	if (json_comma[json_depth])
		putchar(',');
	json_comma[json_depth] = true;
	if (key) {
		json_string(key);
		putchar(':');
	}
}

/* @key is NULL in a list. json_close() ends the outermost with a newline. */
void json_open(const char *key, char bracket)
{
	json_key(key);
	putchar(bracket);
	json_depth++;
	json_comma[json_depth] = false;
	json_closes[json_depth] = bracket == '{' ? '}' : ']';
}

void json_close(void)
{
	putchar(json_closes[json_depth--]);
	if (!json_depth)
		putchar('\n');
}

void json_text(const char *key, const char *value)
{
	json_key(key);
	if (value)
		json_string(value);
	else
		fputs("null", stdout);
}

void json_number(const char *key, int64_t value)
{
	json_key(key);
	if (value == UNKNOWN)
		fputs("null", stdout);
	else
		printf("%lld", (long long)value);
}

/* Negative values are unknown. */
void json_decimal(const char *key, double value)
{
	json_key(key);
	if (value < 0)
		fputs("null", stdout);
	else
		printf("%.3f", value);
}

void json_pages(const char *what, int64_t nr_pages)
{
	json_number(what, nr_pages);
	json_number("size_kib", nr_pages == UNKNOWN ? UNKNOWN :
		    nr_pages * opt.page_kib);
}
