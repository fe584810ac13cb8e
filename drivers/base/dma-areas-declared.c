// SPDX-License-Identifier: GPL-2.0
/*
 * All areas that are declared, and who uses them.
 *
 * An area that could not be reserved is here, too, so that its devices do not
 * get other memory in its place.
 *
 * Areas are registered at boot, while one CPU runs, and only read from then on.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/glob.h>
#include <linux/init.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <asm/setup.h>

#include "dma-areas.h"

/*
 * Lost areas are registered, too, so there is an entry for each area that
 * "cma_areas=" can name, besides those of board code and of the device tree.
 */
#ifdef CONFIG_CMA_CMDLINE_AREAS
#define NR_DECLARED	(2 * MAX_CMA_AREAS + COMMAND_LINE_SIZE / sizeof("a/b=1"))
#else
#define NR_DECLARED	(2 * MAX_CMA_AREAS)
#endif

static struct dma_area_declared declared[NR_DECLARED];
static unsigned int nr_declared;

/**
 * dma_area_copy_string() - copy a string that is needed for ever
 * @text:	the string
 *
 * Memory of memblock is not mapped yet, so the copies have a buffer. It has
 * room for all that the command line can say.
 *
 * Context: Boot.
 * Return: the copy; NULL if there is no room, which the log says.
 */
const char * __init dma_area_copy_string(const char *text)
{
	static char strings[COMMAND_LINE_SIZE + SZ_2K];
	static size_t used;
	size_t size = strlen(text) + 1;
	char *copy = strings + used;

	if (size > sizeof(strings) - used) {
		pr_err("%s: no room for more names\n", text);
		return NULL;
	}
	used += size;
	return memcpy(copy, text, size);
}

/**
 * dma_area_globs_match() - is a name one of those that are given by globs
 * @globs:	globs with commas between; one of 256 bytes or more matches nothing
 * @name:	the name
 *
 * Context: Any.
 * Return: true if a glob matches the whole name.
 */
bool dma_area_globs_match(const char *globs, const char *name)
{
	char glob[256];

	while (*globs) {
		size_t length = strcspn(globs, ",");

		if (length < sizeof(glob)) {
			strscpy(glob, globs, length + 1);
			if (glob_match(glob, name))
				return true;
		}
		globs += length + !!globs[length];
	}
	return false;
}

/**
 * dma_area_register() - record who uses an area
 * @cma:	the area; NULL for a type without memory and for a lost area
 * @type:	memory type; the caller keeps the string
 * @devices:	globs of devices or drivers that own the area, with commas
 *		between; NULL for all that ask for the type. The caller keeps
 *		the string
 * @fallback:	the default area and ordinary pages serve requests once the area
 *		is used up
 *
 * Context: Boot.
 * Return: 0; -ENOSPC if there are too many areas.
 */
int __init dma_area_register(struct cma *cma, const char *type,
			     const char *devices, bool fallback)
{
	if (nr_declared == ARRAY_SIZE(declared)) {
		pr_err("%s: too many areas, see CONFIG_CMA_AREAS\n", type);
		return -ENOSPC;
	}
	declared[nr_declared++] = (struct dma_area_declared) {
		.area		= cma,
		.type		= type,
		.devices	= devices,
		.fallback	= fallback,
	};
	return 0;
}

/**
 * dma_area_declared_at() - one of all areas that are declared
 * @at:		its number, from 0 on
 *
 * Context: Any.
 * Return: its entry; NULL if there are no more.
 */
const struct dma_area_declared *dma_area_declared_at(unsigned int at)
{
	return at < nr_declared ? &declared[at] : NULL;
}

/**
 * dma_area_find_declared() - who uses an area
 * @cma:	the area
 *
 * Context: Any.
 * Return: the entry of the area; NULL if there is none.
 */
const struct dma_area_declared *dma_area_find_declared(const struct cma *cma)
{
	for (unsigned int i = 0; i < nr_declared; i++)
		if (declared[i].area == cma)
			return &declared[i];
	return NULL;
}

static bool dma_area_is_of_node(const struct dma_area_declared *area,
				const char *name)
{
	return area->devices && !area->devices[0] && !strcmp(area->type, name);
}

/**
 * dma_area_lost_falls_back() - does other memory stand in for a lost node
 * @name:	name of the node of the device tree, with its unit address
 *
 * Context: Any.
 * Return: true if "cma_areas=" says so.
 */
bool dma_area_lost_falls_back(const char *name)
{
	for (unsigned int i = 0; i < nr_declared; i++)
		if (!declared[i].area && declared[i].fallback &&
		    dma_area_is_of_node(&declared[i], name))
			return true;
	return false;
}

/**
 * dma_area_by_node_name() - the area of a node of the device tree
 * @name:	name of the node, with its unit address
 *
 * Context: Any.
 * Return: the area; NULL if there is none.
 */
struct cma *dma_area_by_node_name(const char *name)
{
	for (unsigned int i = 0; i < nr_declared; i++)
		if (declared[i].area && dma_area_is_of_node(&declared[i], name))
			return declared[i].area;
	return NULL;
}
