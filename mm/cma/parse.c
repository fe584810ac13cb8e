// SPDX-License-Identifier: GPL-2.0
/*
 * Parse the command line: "cma=", "cma_areas=" and "numa_cma=".
 *
 * Pure: nothing is printed and nothing is reserved here. An error is returned
 * as a phrase for the message that the caller prints. Sizes and addresses are
 * bytes.
 */
#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/string.h>

#include "parse.h"

/*
 * Read the number at the start of @text. @base 0 accepts decimal, octal and
 * hexadecimal, like memparse(). But memparse() reads "08" and "0x" as 0; nobody
 * means that, so these are errors here.
 */
static const char * __init parse_number(const char **text, unsigned int base,
					unsigned long long *value)
{
	char number[24];
	size_t length;

	length = strspn(*text, "0123456789");
	if (!base && length == 1 && **text == '0' && tolower((*text)[1]) == 'x')
		length = 2 + strspn(*text + 2, "0123456789abcdefABCDEF");
	if (!length)
		return "a number is missing";
	/* Skip repeated leading zeroes: they might not fit in number[]. */
	for (; length > 2 && (*text)[0] == '0' && (*text)[1] == '0'; length--)
		(*text)++;
	if (length >= sizeof(number))
		return "number is too large";

	strscpy(number, *text, length + 1);
	switch (kstrtoull(number, base, value)) {
	case 0:
		*text += length;
		return NULL;
	case -ERANGE:
		return "number is too large";
	default:
		return "not a number";
	}
}

/* Like memparse(), but a number that is too large is an error. */
static const char * __init parse_size(const char **text,
				      unsigned long long *bytes)
{
	static const char suffixes[] __initconst = "KMGTPE";
	unsigned long long value;
	unsigned int shift = 0;
	const char *suffix, *wrong;

	wrong = parse_number(text, 0, &value);
	if (wrong)
		return wrong;
	suffix = **text ? strchr(suffixes, toupper(**text)) : NULL;
	if (suffix) {
		shift = 10 * (suffix - suffixes + 1);
		(*text)++;
	}
	if (value > (~0ULL >> shift))
		return "number is too large";
	*bytes = value << shift;
	return NULL;
}

static const char * __init parse_bytes(const char **text, phys_addr_t *bytes)
{
	unsigned long long value;
	const char *wrong = parse_size(text, &value);

	if (!wrong && value > (phys_addr_t)~0ULL)
		wrong = "number is too large";
	if (!wrong)
		*bytes = value;
	return wrong;
}

/* No number after the minus, or one above all addresses, means no limit. */
static const char * __init parse_area_limit(const char **text,
					    phys_addr_t *limit)
{
	unsigned long long value;
	const char *wrong;

	*limit = 0;
	if (!isdigit(**text))
		return NULL;
	wrong = parse_size(text, &value);
	if (!wrong && value <= (phys_addr_t)~0ULL)
		*limit = value;
	return wrong;
}

/* Read "size[@base[-[limit]]]" at the start of @text, and advance @text. */
static const char * __init parse_area_spec(const char **text,
					   struct cma_spec *spec)
{
	const char *wrong;

	wrong = parse_bytes(text, &spec->size);
	if (wrong || **text != '@')
		return wrong;

	(*text)++;
	spec->has_base = true;
	wrong = parse_bytes(text, &spec->base);
	if (wrong || **text != '-')
		return wrong;

	(*text)++;
	spec->has_limit = true;
	return parse_area_limit(text, &spec->limit);
}

static const char * __init check_area_spec(const struct cma_spec *spec)
{
	if (!cma_span_ok(spec->base, spec->size))
		return "area reaches past the end of the address space";
	if (!spec->limit)
		return NULL;
	if (spec->limit <= spec->base)
		return "limit is not above the base";
	if (spec->size > spec->limit - spec->base)
		return "area does not fit between base and limit";
	return NULL;
}

/**
 * cma_parse_spec() - read "size[@base[-[limit]]]"
 * @text:	the text, NUL terminated
 * @spec:	the result; not changed on error
 *
 * Existing boards rely on "128MB" being read as 128M. So this stops where the
 * text makes no sense, and sets @spec->rest to the rest.
 *
 * Context: Boot.
 * Return: NULL, or a phrase that says what is wrong.
 */
const char * __init cma_parse_spec(const char *text, struct cma_spec *spec)
{
	struct cma_spec new = { };
	const char *wrong;

	wrong = parse_area_spec(&text, &new);
	if (!wrong)
		wrong = check_area_spec(&new);
	if (wrong)
		return wrong;
	new.rest = text;
	*spec = new;
	return NULL;
}

/*
 * Read a name up to one of @ends, and advance @text. It must have none of
 * @banned: a colon would start options, and a glob is a mistake in a type.
 */
static const char * __init parse_area_name(const char **text, const char *ends,
					   const char *banned, char *name)
{
	size_t length = strcspn(*text, ends);

	if (!length)
		return "a name is missing";
	if (length >= CMA_PARSE_NAME)
		return "name is too long";
	/* The name becomes a file name; callers ban "%", as it may be a format. */
	for (size_t i = 0; i < length; i++)
		if (!isgraph((*text)[i]) || strchr(banned, (*text)[i]))
			return "a name has a character that cannot be in a name";
	strscpy(name, *text, length + 1);
	*text += length;
	return NULL;
}

static const char * __init parse_area_devices(const char **text, char *devices)
{
	const char *wrong = parse_area_name(text, "=;/", "%+;", devices);

	if (wrong)
		return wrong;
	if (devices[0] == ',' || strstr(devices, ",,") ||
	    devices[strlen(devices) - 1] == ',')
		return "name of a device is missing";
	return NULL;
}

static const char * __init parse_area_alignment(const char **text,
						phys_addr_t *alignment)
{
	const char *wrong = parse_bytes(text, alignment);

	if (!wrong && (!*alignment || *alignment & (*alignment - 1)))
		return "alignment is not a power of two";
	return wrong;
}

#define UNKNOWN_OPTION \
	"unknown option, exclusive, guaranteed, fallback, first or heap expected"

static const char * __init parse_area_options(const char *text,
					      struct cma_area_spec *area)
{
	while (*text) {
		size_t length;

		if (*text++ != ':')
			return "garbage behind the area";
		length = strcspn(text, ":");
		if (length == 9 && !strncmp(text, "exclusive", length))
			area->exclusive = true;
		else if (length == 10 && !strncmp(text, "guaranteed", length))
			area->guaranteed = true;
		else if (length == 8 && !strncmp(text, "fallback", length))
			area->fallback = true;
		else if (length == 5 && !strncmp(text, "first", length))
			area->first_fit = true;
		else if (length == 4 && !strncmp(text, "heap", length))
			area->heap = true;
		else
			return UNKNOWN_OPTION;
		text += length;
	}
	return NULL;
}

/* Read "area:option...". Names of nodes may have commas: "linux,cma". */
static const char * __init parse_area_elsewhere(const char *text,
						struct cma_area_spec *area)
{
	const char *wrong = parse_area_name(&text, ":", "%+;*?/", area->type);

	area->elsewhere = true;
	return wrong ?: parse_area_options(text, area);
}

/* The name of an area keeps few other characters of the type than these. */
static const char * __init check_type_name(const char *type)
{
	for (; *type; type++)
		if (isalnum(*type))
			return NULL;
	return "a name has neither letter nor digit";
}

/* Read "type[/device,...]=size[@base[-limit]][/align][:option...]". */
static const char * __init parse_area(const char *text,
				      struct cma_area_spec *area)
{
	const char *wrong = parse_area_name(&text, "=;/,", "%+;:*?", area->type) ?:
			    check_type_name(area->type);

	if (!wrong && *text == '/') {
		text++;
		wrong = parse_area_devices(&text, area->devices);
	}
	if (wrong)
		return wrong;
	if (*text++ != '=')
		return "an equals sign is missing behind the name";

	wrong = parse_area_spec(&text, &area->spec);
	/* Accept "64MB", as "cma=" does. */
	if (!wrong && tolower(*text) == 'b' && isalpha(text[-1]))
		text++;
	if (!wrong && isalnum(*text))
		wrong = "unknown unit, K, M or G expected";
	if (!wrong && *text == '/') {
		text++;
		wrong = parse_area_alignment(&text, &area->alignment);
	}
	return wrong ?: parse_area_options(text, area) ?:
			check_area_spec(&area->spec);
}

/**
 * cma_parse_area() - read an area, or options for an area declared elsewhere
 * @text:	the text, NUL terminated
 * @area:	the result; not changed on error
 *
 * The text is "type[/device,...]=size[@base[-limit]][/align]", or the name of
 * an area. ":exclusive", ":guaranteed", ":fallback", ":first" and ":heap" may
 * follow in any order, and at least one must follow a name alone.
 *
 * Context: Boot; not reentrant.
 * Return: NULL, or a phrase that says what is wrong.
 */
const char * __init cma_parse_area(const char *text, struct cma_area_spec *area)
{
	static struct cma_area_spec new __initdata;
	const char *wrong;

	memset(&new, 0, sizeof(new));
	wrong = strchr(text, '=') || !strchr(text, ':') ?
		parse_area(text, &new) : parse_area_elsewhere(text, &new);
	if (!wrong)
		*area = new;
	return wrong;
}

static const char * __init parse_node(const char **text,
				      phys_addr_t *size_of_node, int nr_nodes)
{
	unsigned long long node;
	const char *wrong;
	phys_addr_t size;

	wrong = parse_number(text, 10, &node);
	if (wrong)
		return wrong;
	if (node >= nr_nodes)
		return "no such node";
	if (**text != ':')
		return "a colon is missing behind the node";
	(*text)++;
	wrong = parse_bytes(text, &size);
	if (!wrong)
		size_of_node[node] = size;
	return wrong;
}

/**
 * cma_parse_nodes() - read "node:size[,node:size]..."
 * @text:	the text, NUL terminated
 * @size_of_node: size in bytes by node number; set for the nodes in @text, up
 *		to the first error
 * @nr_nodes:	number of elements of @size_of_node
 *
 * Context: Boot.
 * Return: NULL, or a phrase that says what is wrong.
 */
const char * __init cma_parse_nodes(const char *text,
				    phys_addr_t *size_of_node, int nr_nodes)
{
	const char *wrong;

	do {
		wrong = parse_node(&text, size_of_node, nr_nodes);
		if (wrong)
			return wrong;
	} while (*text == ',' && *++text);
	return *text ? "garbage behind the size" : NULL;
}
