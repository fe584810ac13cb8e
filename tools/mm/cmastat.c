// SPDX-License-Identifier: GPL-2.0
/*
 * cmastat: shows contiguous memory areas, who holds their pages, and why
 * requests failed. cmastat.8 is its manual.
 */
#include "cmastat.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MIN_WIDTH	20
#define MAX_WIDTH	1000
#define MAP_ROWS	16
#define MAX_ROWS	1000
#define MAX_PAGE_KIB	1024
#define MAX_INTERVAL_S	86400

struct options opt = {
	.root = "",
	.interval_ms = 1000,
	.width = 80,
};

enum long_option {
	OPT_JSON = 256,
	OPT_COLOUR,
	OPT_WIDTH,
	OPT_ROWS,
	OPT_ROOT,
	OPT_PAGE_KIB
};

struct command {
	const char *name;
	unsigned int min_args;
	unsigned int max_args;
	enum exit_code (*run)(const char *arg);
};

static const char usage_text[] =
"Usage: cmastat [OPTION]... [COMMAND]\n"
"\n"
"Shows contiguous memory areas. Most of it takes root.\n"
"\n"
"  table            areas, their sizes and failures; also without a COMMAND\n"
"  map AREA         what each part of an area holds\n"
"  top              how areas change, until it is interrupted\n"
"  why [AREA]       the last failed requests, and what helps\n"
"  holders [AREA]   who holds buffers, the largest first\n"
"  devices [DEVICE] areas of devices, in the order in which they are tried\n"
"  svg AREA         the map as a picture for a report\n"
"  help             this text\n"
"\n"
"  -h, --help              this text\n"
"      --json              for programs; not with svg\n"
"  -i, --interval=SECONDS  of top: time between two looks, 1 if not given\n"
"  -n, --count=N           of top: end after N intervals\n"
"  -o, --output=FILE       of svg: where the picture goes\n"
"      --color=WHEN        auto, always or never\n"
"      --width=COLUMNS     of a line, 20 to 1000\n"
"      --rows=N            of map: at most so many, 16 if not given\n"
"      --root=DIR          read DIR/sys and DIR/proc, of another machine\n"
"      --page-kib=N        size of a page on that machine\n"
"\n"
"Exit status: 0; 1 if the kernel shows nothing that the command needs; 2 if\n"
"the command line is wrong; 3 if no area or device has that name.\n";

static enum exit_code show_help(const char *unused)
{
	(void)unused;
	fputs(usage_text, stdout);
	return EXIT_OK;
}

static const struct command commands[] = {
	{ "table", 0, 0, show_table },
	{ "map", 1, 1, show_map },
	{ "top", 0, 0, show_top },
	{ "why", 0, 1, show_why },
	{ "holders", 0, 1, show_holders },
	{ "devices", 0, 1, show_devices },
	{ "svg", 1, 1, show_svg },
	{ "help", 0, 0, show_help },
	{ NULL, 0, 0, NULL },
};

static void wrong_usage(const char *fmt, ...) __printf(1, 2);

static void wrong_usage(const char *fmt, ...)
{
	va_list args;
	char *said;

	va_start(args, fmt);
	said = format_args(fmt, args);
	va_end(args);
	complain("%s; see cmastat --help", said);
	free(said);
	exit(EXIT_USAGE);
}

static unsigned long number_option(const char *name, const char *value,
				   unsigned long min, unsigned long max)
{
	uint64_t number;

	if (!parse_number(value, &number) || number < min || number > max)
		wrong_usage("--%s is a number from %lu to %lu, not %s", name,
			    min, max, value);
	return number;
}

static unsigned int interval_option(const char *value)
{
	double seconds;

	if (!parse_seconds(value, &seconds) || seconds < 0.001 ||
	    seconds > MAX_INTERVAL_S)
		wrong_usage("--interval is seconds from 0.001 to %d, not %s",
			    MAX_INTERVAL_S, value);
	return seconds * 1000 + 0.5;
}

/* True if escape sequences make sense. */
static bool is_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb");
}

static bool colour_option(const char *when)
{
	const char *no_color = getenv("NO_COLOR");

	if (!strcmp(when, "always"))
		return true;
	if (!strcmp(when, "never"))
		return false;
	if (strcmp(when, "auto"))
		wrong_usage("--color is auto, always or never, not %s", when);
	return is_terminal() && !(no_color && *no_color);
}

/* A serial line does not know its width: assume 80 columns. */
static unsigned int terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = { 0 };
	uint64_t width = 0;

	if (!isatty(STDOUT_FILENO))
		return 80;
	if ((!columns || !parse_number(columns, &width)) &&
	    !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		width = size.ws_col;
	if (width > MAX_WIDTH)
		return MAX_WIDTH;
	return width >= MIN_WIDTH ? width : 80;
}

static void read_option(int option, const char *value, const char **colour)
{
	switch (option) {
	case 'h':
		exit(show_help(NULL));
	case 'i':
		opt.interval_ms = interval_option(value);
		break;
	case 'n':
		opt.count = number_option("count", value, 1, 1000000000);
		break;
	case 'o':
		opt.output = value;
		break;
	case OPT_JSON:
		opt.json = true;
		break;
	case OPT_COLOUR:
		*colour = value;
		break;
	case OPT_WIDTH:
		opt.width = number_option("width", value, MIN_WIDTH,
					  MAX_WIDTH);
		break;
	case OPT_ROWS:
		opt.rows = number_option("rows", value, 1, MAX_ROWS);
		break;
	case OPT_ROOT:
		opt.root = value;
		break;
	case OPT_PAGE_KIB:
		opt.page_kib = number_option("page-kib", value, 1,
					     MAX_PAGE_KIB);
		break;
	}
}

static void read_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "interval", required_argument, NULL, 'i' },
		{ "count", required_argument, NULL, 'n' },
		{ "output", required_argument, NULL, 'o' },
		{ "color", required_argument, NULL, OPT_COLOUR },
		{ "width", required_argument, NULL, OPT_WIDTH },
		{ "rows", required_argument, NULL, OPT_ROWS },
		{ "root", required_argument, NULL, OPT_ROOT },
		{ "page-kib", required_argument, NULL, OPT_PAGE_KIB },
		{ NULL, 0, NULL, 0 },
	};
	const char *colour = "auto";
	int option;

	opterr = 0;
	opt.width = terminal_width();
	opt.rows = MAP_ROWS;
	opt.page_kib = sysconf(_SC_PAGESIZE) / 1024;
	while ((option = getopt_long(argc, argv, "hi:n:o:", options,
				     NULL)) != -1) {
		if (option == '?')
			wrong_usage("%s is no option, or its value is wrong",
				    argv[optind - 1]);
		read_option(option, optarg, &colour);
	}
	opt.colour = colour_option(colour);
	opt.clear = is_terminal() && !opt.json;
}

static const struct command *find_command(const char *name)
{
	const struct command *command = commands;

	while (command->name && strcmp(command->name, name))
		command++;
	if (!command->name)
		wrong_usage("no command has the name %s", name);
	return command;
}

static void check_usage(const struct command *command, unsigned int nr_args)
{
	if (nr_args < command->min_args)
		wrong_usage("%s needs the name of an area", command->name);
	if (nr_args > command->max_args)
		wrong_usage("too many words after %s", command->name);
	if (command->run == show_svg && opt.json)
		wrong_usage("a picture cannot be JSON, but a map can");
	if (command->run != show_svg && opt.output)
		wrong_usage("--output is for svg");
}

/* A broken pipe is no error: the reader has seen enough. */
static enum exit_code close_output(enum exit_code code)
{
	bool failed = ferror(stdout);

	if ((fflush(stdout) || failed) && errno != EPIPE) {
		complain("cannot write: %s", strerror(errno));
		return EXIT_NOTHING;
	}
	return code;
}

int main(int argc, char **argv)
{
	const struct command *command = commands;
	enum exit_code code;

	read_options(argc, argv);
	if (optind < argc)
		command = find_command(argv[optind++]);
	check_usage(command, argc - optind);
	code = command->run(argv[optind]);
	return close_output(code);
}
