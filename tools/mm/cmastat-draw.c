// SPDX-License-Identifier: GPL-2.0
/*
 * cmastat: the map of an area in a terminal, as a picture and as JSON.
 *
 * The area is read twice: to find out where it begins and ends, which says how
 * many pages a cell must have, then to draw it. One row of cells is kept at a
 * time. A change in between can leave cells empty and does no other harm.
 */
#include "cmastat.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SVG_CELLS	64	/* in a row, and rows */
#define ADDRESS_WIDTH	16
#define NR_LETTERS	26

struct range {
	uint64_t pfn;
	uint64_t nr_pages;
};

/* The look of a cell. */
struct look {
	int kind;		/* NR_KINDS: no page of the area is here */
	int owner;
};

struct cell {
	uint64_t nr_pages[NR_KINDS];
	uint64_t owner_pages;
	int owner;		/* of the most held pages */
};

struct picture;
typedef void row_fn(struct picture *picture, const struct look *looks,
		    unsigned int nr);

struct picture {
	const char *area;
	struct owners owners;
	struct holders holders;

	struct range *ranges;
	size_t nr_ranges;
	uint64_t total;
	uint64_t nr_kind[NR_KINDS];

	uint64_t cell_pages;
	unsigned int row_cells;
	uint64_t nr_rows;

	/* The row that is being filled. */
	size_t range;
	uint64_t row_pfn;
	uint64_t row_index;
	struct cell *cells;
	struct look *looks;
	row_fn *draw_row;
	FILE *svg;
	int labelled;		/* the owner that the picture named last */
};

static void picture_add_range(const struct run *run, void *data)
{
	struct picture *picture = data;
	struct range *last = NULL;

	if (picture->nr_ranges)
		last = &picture->ranges[picture->nr_ranges - 1];
	/* Runs are in order, unless a file was damaged. */
	if (last && run->pfn < last->pfn + last->nr_pages)
		return;
	picture->total += run->nr_pages;
	if (last && run->pfn == last->pfn + last->nr_pages) {
		last->nr_pages += run->nr_pages;
		return;
	}
	picture->ranges = more_memory(picture->ranges, picture->nr_ranges,
				      sizeof(*picture->ranges));
	picture->ranges[picture->nr_ranges++] = (struct range) {
		run->pfn, run->nr_pages
	};
}

static uint64_t picture_count_rows(const struct picture *picture)
{
	uint64_t row = picture->cell_pages * picture->row_cells, nr = 0;

	for (size_t i = 0; i < picture->nr_ranges; i++)
		nr += (picture->ranges[i].nr_pages + row - 1) / row;
	return nr;
}

/* Makes cells as small as @max_rows allows. Each range begins a new row. */
static void picture_layout(struct picture *picture, unsigned int row_cells,
			   uint64_t max_rows)
{
	if (max_rows < picture->nr_ranges)
		max_rows = picture->nr_ranges;
	picture->row_cells = row_cells;
	picture->cell_pages = 1;
	while (picture_count_rows(picture) > max_rows)
		picture->cell_pages *= 2;
	picture->nr_rows = picture_count_rows(picture);
	for (unsigned int i = 0; i < row_cells; i++)
		picture->cells = more_memory(picture->cells, i,
					     sizeof(*picture->cells));
	for (unsigned int i = 0; i < row_cells; i++)
		picture->looks = more_memory(picture->looks, i,
					     sizeof(*picture->looks));
	memset(picture->cells, 0, row_cells * sizeof(*picture->cells));
}

/* A cell shows the kind of most pages; a broken or pinned page always wins. */
static struct look cell_look(const struct cell *cell)
{
	struct look look = { .kind = NR_KINDS, .owner = NO_OWNER };
	uint64_t most = 0;

	for (int kind = 0; kind < NR_KINDS; kind++)
		if (cell->nr_pages[kind] > most) {
			most = cell->nr_pages[kind];
			look.kind = kind;
		}
	if (cell->nr_pages[KIND_PINNED])
		look.kind = KIND_PINNED;
	if (cell->nr_pages[KIND_POISONED])
		look.kind = KIND_POISONED;
	if (look.kind == KIND_HELD && cell->owner_pages)
		look.owner = cell->owner;
	return look;
}

static uint64_t row_end_cells(const struct picture *picture)
{
	const struct range *range = &picture->ranges[picture->range];
	uint64_t left = range->pfn + range->nr_pages - picture->row_pfn;
	uint64_t nr = (left + picture->cell_pages - 1) / picture->cell_pages;

	return nr < picture->row_cells ? nr : picture->row_cells;
}

/* Draws the row, then goes on to the next one, maybe of the next range. */
static void picture_end_row(struct picture *picture)
{
	const struct range *range = &picture->ranges[picture->range];
	unsigned int nr = row_end_cells(picture);

	for (unsigned int i = 0; i < nr; i++)
		picture->looks[i] = cell_look(&picture->cells[i]);
	picture->draw_row(picture, picture->looks, nr);
	memset(picture->cells, 0,
	       picture->row_cells * sizeof(*picture->cells));
	picture->row_index++;
	picture->row_pfn += picture->cell_pages * picture->row_cells;
	if (picture->row_pfn - range->pfn >= range->nr_pages &&
	    ++picture->range < picture->nr_ranges)
		picture->row_pfn = picture->ranges[picture->range].pfn;
}

static void cell_add(struct cell *cell, enum kind kind, uint64_t nr_pages,
		     int owner)
{
	cell->nr_pages[kind] += nr_pages;
	if (owner == NO_OWNER)
		return;
	if (cell->owner_pages && cell->owner == owner) {
		cell->owner_pages += nr_pages;
	} else if (nr_pages > cell->owner_pages) {
		cell->owner = owner;
		cell->owner_pages = nr_pages;
	}
}

/* Returns how many pages the cell of @pfn takes; 0 if it is in a later row. */
static uint64_t picture_add_pages(struct picture *picture, uint64_t pfn,
				  uint64_t nr_pages, enum kind kind, int owner)
{
	const struct range *range = &picture->ranges[picture->range];
	uint64_t range_end = range->pfn + range->nr_pages;
	uint64_t index = (pfn - picture->row_pfn) / picture->cell_pages;
	uint64_t end;

	if (pfn >= range_end || index >= picture->row_cells)
		return 0;
	end = picture->row_pfn + (index + 1) * picture->cell_pages;
	if (end > range_end)
		end = range_end;
	if (nr_pages > end - pfn)
		nr_pages = end - pfn;
	cell_add(&picture->cells[index], kind, nr_pages, owner);
	picture->nr_kind[kind] += nr_pages;
	return nr_pages;
}

static void picture_add_owned(const struct run *run, int owner, void *data)
{
	struct picture *picture = data;
	uint64_t pfn = run->pfn, end = run->pfn + run->nr_pages, nr;

	while (pfn < end && picture->range < picture->nr_ranges) {
		if (pfn < picture->row_pfn) {
			pfn = picture->row_pfn;
			continue;
		}
		nr = picture_add_pages(picture, pfn, end - pfn, run->kind,
				       owner);
		if (!nr)
			picture_end_row(picture);
		pfn += nr;
	}
}

static void picture_add_run(const struct run *run, void *data)
{
	struct picture *picture = data;

	owners_split(&picture->owners, run, picture_add_owned, picture);
}

static void picture_draw(struct picture *picture, row_fn *draw_row)
{
	picture->draw_row = draw_row;
	picture->row_pfn = picture->ranges[0].pfn;
	map_walk(picture->area, picture_add_run, picture);
	while (picture->range < picture->nr_ranges)
		picture_end_row(picture);
}

/* Finds out where the area is. */
static enum exit_code picture_open(struct picture *picture, const char *area)
{
	*picture = (struct picture) { .area = area, .labelled = NO_OWNER };
	if (!map_walk(area, picture_add_range, picture) ||
	    !picture->nr_ranges) {
		if (!area_is_known(area))
			return no_such_area(area);
		complain("the kernel shows no pages of %s, or not to this user",
			 area);
		complain("%s/proc/cma/map has none of them, and there is no",
			 opt.root);
		complain("bitmap in %s/sys/kernel/debug/cma (%s)", opt.root,
			 "CONFIG_CMA_DEBUGFS");
		return EXIT_NOTHING;
	}
	holders_read(&picture->holders);
	owners_make(&picture->owners, &picture->holders, area);
	return EXIT_OK;
}

static void picture_close(struct picture *picture)
{
	owners_free(&picture->owners);
	holders_free(&picture->holders);
	free(picture->ranges);
	free(picture->cells);
	free(picture->looks);
}

static char look_sign(const struct look *look)
{
	if (look->kind == NR_KINDS)
		return ' ';
	if (look->owner >= 0 && look->owner < NR_LETTERS)
		return 'A' + look->owner;
	return kind_looks[look->kind].sign;
}

static void colour_begin(int kind)
{
	if (opt.colour && kind < NR_KINDS)
		printf("\033[%sm", kind_looks[kind].ansi);
}

static void colour_end(int kind)
{
	if (opt.colour && kind < NR_KINDS)
		printf("\033[0m");
}

static void terminal_row(struct picture *picture,
			 const struct look *looks, unsigned int nr)
{
	char address[24];
	unsigned int i;

	snprintf(address, sizeof(address), "0x%08llx",
		 (unsigned long long)address_of(picture->row_pfn));
	printf("%-*s", ADDRESS_WIDTH - 1, address);
	putchar(' ');
	for (i = 0; i < nr; i++) {
		if (!i || looks[i].kind != looks[i - 1].kind)
			colour_begin(looks[i].kind);
		putchar(look_sign(&looks[i]));
		if (i + 1 == nr || looks[i].kind != looks[i + 1].kind)
			colour_end(looks[i].kind);
	}
	putchar('\n');
}

static void terminal_legend_line(char sign, enum kind kind, const char *meaning,
				 uint64_t nr_pages)
{
	bool has_pages = opt.width > 64;
	unsigned int room = opt.width - (has_pages ? 31 : 14);

	if (room > 44)
		room = 44;
	printf("  ");
	colour_begin(kind);
	putchar(sign);
	colour_end(kind);
	printf("  %-*s %8s", (int)room, plain_text(meaning, room).s,
	       size_text(nr_pages).s);
	if (has_pages)
		printf(" %10llu pages", (unsigned long long)nr_pages);
	putchar('\n');
}

/* Returns the number of pages of devices that have a letter. */
static uint64_t terminal_legend_owners(const struct picture *picture)
{
	uint64_t nr_pages = 0;

	for (size_t i = 0; i < picture->owners.nr && i < NR_LETTERS; i++) {
		const struct owner *owner = &picture->owners.owner[i];
		char *meaning = format("held by %s", owner->device);

		terminal_legend_line('A' + i, KIND_HELD, meaning,
				     owner->nr_pages);
		nr_pages += owner->nr_pages;
		free(meaning);
	}
	return nr_pages;
}

static void terminal_legend(const struct picture *picture)
{
	for (int kind = 0; kind < NR_KINDS; kind++) {
		uint64_t nr_pages = picture->nr_kind[kind], nr_named = 0;

		if (kind == KIND_HELD && nr_pages)
			nr_named = terminal_legend_owners(picture);
		if (nr_pages > nr_named)
			terminal_legend_line(kind_looks[kind].sign, kind,
					     kind_looks[kind].meaning,
					     nr_pages - nr_named);
	}
}

static void terminal_map(struct picture *picture)
{
	unsigned int cells = 4;

	while (cells * 2 + ADDRESS_WIDTH <= opt.width && cells < 256)
		cells *= 2;
	picture_layout(picture, cells, opt.rows);
	wrap_begin(0, 0);
	wrap_add("%s: %s.", picture->area, size_text(picture->total).s);
	wrap_add("A cell is %s and shows what most of it is;",
		 size_text(picture->cell_pages).s);
	wrap_add("a pinned or broken page always shows.");
	wrap_end();
	putchar('\n');
	picture_draw(picture, terminal_row);
	putchar('\n');
	terminal_legend(picture);
	if (picture->nr_kind[KIND_LENT])
		complain("%s/proc/kpageflags (%s) would say what is free",
			 opt.root, "CONFIG_PROC_PAGE_MONITOR");
}

static void json_run(const struct run *run, int owner, void *data)
{
	struct picture *picture = data;
	const char *device = NULL;

	if (owner != NO_OWNER)
		device = picture->owners.owner[owner].device;

	json_open(NULL, '{');
	json_number("first_pfn", run->pfn);
	json_pages("nr_pages", run->nr_pages);
	json_text("kind", kind_looks[run->kind].name);
	json_text("device", device && strcmp(device, NO_DEVICE) ? device :
		  NULL);
	json_close();
	picture->nr_kind[run->kind] += run->nr_pages;
}

static void json_split_run(const struct run *run, void *data)
{
	struct picture *picture = data;

	owners_split(&picture->owners, run, json_run, picture);
}

static void json_map(struct picture *picture)
{
	json_open(NULL, '{');
	json_text("area", picture->area);
	json_number("page_kib", opt.page_kib);
	json_pages("nr_pages", picture->total);
	json_open("runs", '[');
	map_walk(picture->area, json_split_run, picture);
	json_close();
	json_open("kinds", '[');
	for (int kind = 0; kind < NR_KINDS; kind++)
		if (picture->nr_kind[kind]) {
			json_open(NULL, '{');
			json_text("kind", kind_looks[kind].name);
			json_pages("nr_pages", picture->nr_kind[kind]);
			json_close();
		}
	json_close();
	json_close();
}

enum exit_code show_map(const char *area)
{
	struct picture picture;
	enum exit_code code = picture_open(&picture, area);

	if (code == EXIT_OK) {
		if (opt.json)
			json_map(&picture);
		else
			terminal_map(&picture);
	}
	picture_close(&picture);
	return code;
}

#define SVG_LEFT	96
#define SVG_TOP		64
#define SVG_CELL	10	/* pixels of a cell from left to right */
#define SVG_ROW		14
#define SVG_PITCH	16
#define SVG_LETTER	7	/* at most, for labels of 11 pixels */
#define SVG_LEGEND	18
#define SVG_WIDTH	(SVG_LEFT + SVG_CELLS * SVG_CELL + 16)

static struct text xml_text(const char *name, unsigned int width)
{
	struct text plain = plain_text(name, width < 24 ? width : 24), text;
	size_t len = 0;

	for (const char *c = plain.s; *c; c++) {
		if (strchr("<>&\"'", *c))
			len += sprintf(text.s + len, "&#%d;", *c);
		else
			text.s[len++] = *c;
	}
	text.s[len] = '\0';
	return text;
}

static void svg_label(FILE *svg, unsigned int x, unsigned int y, const char *s)
{
	fprintf(svg, "<text x=\"%u\" y=\"%u\" class=\"label\">%s</text>\n", x,
		y, s);
}

/* Adjacent buffers of different devices have different shades. */
static const char *owner_fill(size_t owner)
{
	static const char * const fills[] = {
		"#2f5fb3", "#5584cf", "#1d3f7d", "#3f86a8",
	};

	return fills[owner % 4];
}

static const char *look_fill(const struct look *look)
{
	if (look->owner != NO_OWNER)
		return owner_fill(look->owner);
	return kind_looks[look->kind].fill;
}

/* Draws cells that look alike, and the name of their owner if it fits. */
static void svg_cells(struct picture *picture, const struct look *look,
		      unsigned int first, unsigned int nr)
{
	unsigned int width = nr * SVG_CELL;
	unsigned int y = SVG_TOP + picture->row_index * SVG_PITCH;
	struct text name;

	if (look->kind == NR_KINDS)
		return;
	fprintf(picture->svg,
		"<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" ",
		SVG_LEFT + first * SVG_CELL, y, width, SVG_ROW);
	fprintf(picture->svg, "fill=\"%s\"/>\n", look_fill(look));
	if (look->owner == NO_OWNER || look->owner == picture->labelled)
		return;
	name = xml_text(picture->owners.owner[look->owner].device, MAX_TEXT);
	if (strlen(name.s) * SVG_LETTER > width)
		return;
	svg_label(picture->svg, SVG_LEFT + first * SVG_CELL + width / 2,
		  y + SVG_ROW - 3, name.s);
	picture->labelled = look->owner;
}

static void svg_row(struct picture *picture, const struct look *looks,
		    unsigned int nr)
{
	unsigned int first = 0;

	fprintf(picture->svg,
		"<text x=\"%u\" y=\"%u\" class=\"address\">0x%08llx</text>\n",
		SVG_LEFT - 8,
		(unsigned int)(SVG_TOP + picture->row_index * SVG_PITCH +
			       SVG_ROW - 3),
		(unsigned long long)address_of(picture->row_pfn));
	for (unsigned int i = 1; i <= nr; i++) {
		if (i < nr && looks[i].kind == looks[first].kind &&
		    looks[i].owner == looks[first].owner)
			continue;
		svg_cells(picture, &looks[first], first, i - first);
		if (looks[first].owner != picture->labelled)
			picture->labelled = NO_OWNER;
		first = i;
	}
}

static void svg_legend_line(struct picture *picture, unsigned int *y,
			    const char *fill, struct text meaning,
			    uint64_t nr_pages)
{
	fprintf(picture->svg,
		"<rect x=\"%u\" y=\"%u\" width=\"12\" height=\"12\" ",
		SVG_LEFT, *y - 10);
	fprintf(picture->svg, "fill=\"%s\"/>\n", fill);
	fprintf(picture->svg, "<text x=\"%u\" y=\"%u\">%s</text>\n",
		SVG_LEFT + 20, *y, meaning.s);
	fprintf(picture->svg,
		"<text x=\"%u\" y=\"%u\" class=\"address\">%llu KiB</text>\n",
		SVG_LEFT + 380, *y,
		(unsigned long long)nr_pages * opt.page_kib);
	*y += SVG_LEGEND;
}

/* Lists the kinds; devices come below the kind "held". */
static void svg_legend(struct picture *picture, unsigned int *y)
{
	const struct owners *owners = &picture->owners;

	for (int kind = 0; kind < NR_KINDS; kind++) {
		const struct kind_look *look = &kind_looks[kind];
		struct text meaning = plain_text(look->meaning, MAX_TEXT);

		if (!picture->nr_kind[kind])
			continue;
		svg_legend_line(picture, y, look->fill, meaning,
				picture->nr_kind[kind]);
		for (size_t i = 0; i < owners->nr && kind == KIND_HELD; i++) {
			if (i == NR_LETTERS)
				break;
			svg_legend_line(picture, y, owner_fill(i),
					xml_text(owners->owner[i].device,
						 MAX_TEXT),
					owners->owner[i].nr_pages);
		}
	}
}

static const char svg_style[] =
"<style>\n"
"text { font-family: sans-serif; font-size: 12px; }\n"
".title { font-size: 16px; }\n"
".address { font-family: monospace; font-size: 11px; text-anchor: end; }\n"
".label { font-size: 11px; text-anchor: middle; fill: #ffffff; }\n"
"</style>\n"
"<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";

static void svg_write(FILE *out, const struct picture *picture,
		      const char *body, unsigned int height)
{
	struct text name = xml_text(picture->area, MAX_TEXT);

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	      "<svg xmlns=\"http://www.w3.org/2000/svg\"", out);
	fprintf(out, " width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\">\n",
		SVG_WIDTH, height, SVG_WIDTH, height);
	fprintf(out, "<title>Contiguous memory area %s</title>\n", name.s);
	fputs(svg_style, out);
	fprintf(out, "<text x=\"%u\" y=\"24\" class=\"title\">", SVG_LEFT);
	fprintf(out, "Contiguous memory area %s, %s</text>\n", name.s,
		size_text(picture->total).s);
	fprintf(out, "<text x=\"%u\" y=\"44\">A cell is %s and shows what most",
		SVG_LEFT, size_text(picture->cell_pages).s);
	fputs(" of it is; a pinned or broken page always shows.</text>\n", out);
	fprintf(out, "%s</svg>\n", body);
}

static enum exit_code svg_save(const struct picture *picture, const char *body,
			       unsigned int height)
{
	FILE *out = opt.output ? fopen(opt.output, "we") : stdout;
	bool failed;

	if (!out) {
		complain("cannot write %s: %s", opt.output, strerror(errno));
		return EXIT_NOTHING;
	}
	svg_write(out, picture, body, height);
	if (out == stdout)
		return EXIT_OK;
	failed = ferror(out);
	if (fclose(out) || failed) {
		complain("cannot write %s: %s", opt.output, strerror(errno));
		return EXIT_NOTHING;
	}
	return EXIT_OK;
}

/* The height comes first in the file, so the body is drawn into memory. */
static enum exit_code svg_picture(struct picture *picture)
{
	enum exit_code code = EXIT_NOTHING;
	size_t size;
	char *body;
	unsigned int y;

	picture->svg = open_memstream(&body, &size);
	if (!picture->svg) {
		complain("no picture: %s", strerror(errno));
		return code;
	}
	picture_layout(picture, SVG_CELLS, SVG_CELLS);
	picture_draw(picture, svg_row);
	y = SVG_TOP + picture->nr_rows * SVG_PITCH + 2 * SVG_LEGEND;
	svg_legend(picture, &y);
	if (!fclose(picture->svg))
		code = svg_save(picture, body, y);
	free(body);
	return code;
}

enum exit_code show_svg(const char *area)
{
	struct picture picture;
	enum exit_code code = picture_open(&picture, area);

	if (code == EXIT_OK)
		code = svg_picture(&picture);
	picture_close(&picture);
	return code;
}
