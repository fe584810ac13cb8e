// SPDX-License-Identifier: GPL-2.0
/*
 * Command line to numbers: "cma=", "cma_areas=" and "numa_cma=".
 *
 * Pure: nothing is printed and nothing is reserved here. What is wrong with a
 * text comes back as a phrase for the message that the caller prints. Every
 * function leaves its result alone unless the whole text is well formed.
 * Sizes and addresses are bytes.
 */
#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/string.h>

#include "parse.h"

/* The number at the start of @text, decimal, hexadecimal or octal. */
static const char * __init parse_number(const char **text,
					unsigned long long *value)
{
	char number[24];
	size_t length;

	length = strspn(*text, "0123456789");
	if (length == 1 && **text == '0' && tolower((*text)[1]) == 'x')
		length = 2 + strspn(*text + 2, "0123456789abcdefABCDEF");
	if (!length)
		return "a number is missing";
	if (length >= sizeof(number))
		return "number is too large";

	strscpy(number, *text, length + 1);
	switch (kstrtoull(number, 0, value)) {
	case 0:
		*text += length;
		return NULL;
	case -ERANGE:
		return "number is too large";
	default:
		return "not a number";
	}
}

/*
 * A number with the suffixes of memparse(), which by itself takes a missing
 * number for 0 and lets one that is too large wrap round.
 */
static const char * __init parse_bytes(const char **text, phys_addr_t *bytes)
{
	static const char suffixes[] __initconst = "KMGTPE";
	unsigned long long value;
	unsigned int shift = 0;
	const char *wrong;

	wrong = parse_number(text, &value);
	if (wrong)
		return wrong;
	if (isalnum(**text)) {
		const char *suffix = strchr(suffixes, toupper(**text));

		if (!suffix)
			return "unknown unit, K, M or G expected";
		shift = 10 * (suffix - suffixes + 1);
		(*text)++;
	}
	if (value > (~0ULL >> shift) || value << shift > (phys_addr_t)~0ULL)
		return "number is too large";

	*bytes = value << shift;
	return NULL;
}

/* "size[@base[-limit]]" at the start of @text, which then points behind it. */
static const char * __init parse_spec(const char **text, struct cma_spec *spec)
{
	const char *wrong;

	wrong = parse_bytes(text, &spec->size);
	if (wrong)
		return wrong;
	if (**text != '@')
		return NULL;

	(*text)++;
	spec->has_base = true;
	wrong = parse_bytes(text, &spec->base);
	if (wrong || **text != '-')
		return wrong;

	(*text)++;
	spec->has_limit = true;
	return parse_bytes(text, &spec->limit);
}

static const char * __init check_spec(const struct cma_spec *spec)
{
	if (!cma_span_ok(spec->base, spec->size))
		return "area reaches past the end of the address space";
	if (spec->has_limit && spec->limit <= spec->base)
		return "limit is not above the base";
	if (spec->has_limit && spec->size > spec->limit - spec->base)
		return "area does not fit between base and limit";
	return NULL;
}

/**
 * cma_parse_spec() - read "size[@base[-limit]]"
 * @text:	the text, NUL terminated
 * @spec:	the result; untouched on error
 *
 * Return: NULL, or what is wrong.
 */
const char * __init cma_parse_spec(const char *text, struct cma_spec *spec)
{
	struct cma_spec new = { };
	const char *wrong;

	wrong = parse_spec(&text, &new);
	if (!wrong && *text)
		wrong = "garbage behind the area";
	if (!wrong)
		wrong = check_spec(&new);
	if (!wrong)
		*spec = new;
	return wrong;
}

/* The characters up to one of @ends, which @text points to then. */
static const char * __init parse_name(const char **text, const char *ends,
				      char *name)
{
	size_t length = strcspn(*text, ends);

	if (!length)
		return "a name is missing";
	if (length >= CMA_PARSE_NAME)
		return "name is too long";
	/* Files are named after it, and a percent sign is a format for some. */
	for (size_t i = 0; i < length; i++)
		if (!isgraph((*text)[i]) || (*text)[i] == '%')
			return "a name has a character that cannot be in a name";
	strscpy(name, *text, length + 1);
	*text += length;
	return NULL;
}

static const char * __init parse_devices(const char **text, char *devices)
{
	const char *wrong = parse_name(text, "=;/", devices);

	if (wrong)
		return wrong;
	if (devices[0] == ',' || strstr(devices, ",,") ||
	    devices[strlen(devices) - 1] == ',')
		return "name of a device is missing";
	return NULL;
}

static const char * __init parse_alignment(const char **text,
					   phys_addr_t *alignment)
{
	const char *wrong = parse_bytes(text, alignment);

	if (!wrong && (!*alignment || *alignment & (*alignment - 1)))
		return "alignment is not a power of two";
	return wrong;
}

static const char * __init parse_options(const char *text,
					 struct cma_area_spec *area)
{
	while (*text) {
		size_t length;

		if (*text++ != ':')
			return "garbage behind the area";
		length = strcspn(text, ":");
		if (length == 9 && !strncmp(text, "exclusive", length))
			area->exclusive = true;
		else if (length == 8 && !strncmp(text, "fallback", length))
			area->fallback = true;
		else if (length == 5 && !strncmp(text, "first", length))
			area->first_fit = true;
		else if (length == 4 && !strncmp(text, "heap", length))
			area->heap = true;
		else
			return "unknown option, exclusive, fallback, first or heap expected";
		text += length;
	}
	return NULL;
}

/**
 * cma_parse_area() - read "type[/device,...]=size[@base[-limit]][/align]", with
 * ":exclusive", ":fallback", ":first" and ":heap" behind it in any order
 * @text:	the text, NUL terminated
 * @area:	the result; untouched on error
 *
 * Return: NULL, or what is wrong.
 */
const char * __init cma_parse_area(const char *text, struct cma_area_spec *area)
{
	static struct cma_area_spec new __initdata;
	const char *wrong;

	memset(&new, 0, sizeof(new));
	wrong = parse_name(&text, "=;/,", new.type);
	if (!wrong && *text == '/') {
		text++;
		wrong = parse_devices(&text, new.devices);
	}
	if (wrong)
		return wrong;
	if (*text++ != '=')
		return "an equals sign is missing behind the name";

	wrong = parse_spec(&text, &new.spec);
	if (!wrong && *text == '/') {
		text++;
		wrong = parse_alignment(&text, &new.alignment);
	}
	if (!wrong)
		wrong = parse_options(text, &new);
	if (!wrong)
		wrong = check_spec(&new.spec);
	if (!wrong)
		*area = new;
	return wrong;
}

/**
 * cma_parse_nodes() - read "node:size[,node:size]..."
 * @text:	the text, NUL terminated
 * @size_of_node: size in bytes by node number; only the nodes named are set,
 *		and none of them on error
 * @nr_nodes:	number of elements of @size_of_node
 *
 * Return: NULL, or what is wrong.
 */
const char * __init cma_parse_nodes(const char *text,
				    phys_addr_t *size_of_node, int nr_nodes)
{
	/* First time round only to see that all of it is well formed. */
	for (int store = 0; store <= 1; store++) {
		const char *at = text;

		while (true) {
			unsigned long long node;
			const char *wrong;
			phys_addr_t size;

			wrong = parse_number(&at, &node);
			if (wrong)
				return wrong;
			if (node >= nr_nodes)
				return "no such node";
			if (*at++ != ':')
				return "a colon is missing behind the node";
			wrong = parse_bytes(&at, &size);
			if (wrong)
				return wrong;
			if (store)
				size_of_node[node] = size;
			if (!*at)
				break;
			if (*at++ != ',')
				return "garbage behind the size";
		}
	}
	return NULL;
}
