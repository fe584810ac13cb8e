// SPDX-License-Identifier: GPL-2.0
/*
 * Options that "cma_areas=" has for areas which are declared elsewhere.
 *
 * No locks: boot only.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/init.h>
#include <linux/string.h>

#include "dma-areas.h"

/**
 * struct dma_area_named_policy - an entry without a size
 * @name:	name of the area
 * @policy:	options for it
 */
struct dma_area_named_policy {
	const char *name;
	struct dma_area_policy policy;
};

static struct dma_area_named_policy policies[MAX_CMA_AREAS + 1] __initdata;
static unsigned int nr_policies __initdata;

/**
 * dma_area_spec_mode() - mode that an entry of "cma_areas=" asks for
 * @spec:	the entry
 *
 * Context: Boot.
 * Return: the mode; guaranteed if the entry asks for exclusive, too.
 */
enum cma_mode __init dma_area_spec_mode(const struct cma_area_spec *spec)
{
	if (spec->guaranteed)
		return CMA_GUARANTEED;
	return spec->exclusive ? CMA_EXCLUSIVE : CMA_SHARED;
}

/**
 * dma_area_note_policy() - note the options of an entry without a size
 * @spec:	the entry; any other is left alone
 *
 * Context: Boot.
 */
void __init dma_area_note_policy(const struct cma_area_spec *spec)
{
	struct dma_area_named_policy *new = &policies[nr_policies];

	if (!spec->elsewhere)
		return;
	if (nr_policies == ARRAY_SIZE(policies)) {
		pr_err("%s: more than %zu areas with options in cma_areas=\n",
		       spec->type, ARRAY_SIZE(policies));
		return;
	}
	new->name = dma_area_copy_string(spec->type);
	if (!new->name)
		return;
	new->policy = (struct dma_area_policy) {
		.mode		= dma_area_spec_mode(spec),
		.fallback	= spec->fallback,
		.first_fit	= spec->first_fit,
		.heap		= spec->heap,
	};
	nr_policies++;
}

/* Names of areas are truncated, those of entries are not. */
static bool __init dma_area_name_matches(const char *name, const char *wanted)
{
	if (strlen(name) == CMA_MAX_NAME - 1)
		return !strncmp(name, wanted, CMA_MAX_NAME - 1);
	return !strcmp(name, wanted);
}

/**
 * dma_area_find_policy() - options for an area that is declared elsewhere
 * @name:	name of the area
 *
 * Context: Boot.
 * Return: the options of all its entries.
 */
struct dma_area_policy __init dma_area_find_policy(const char *name)
{
	struct dma_area_policy all = { };

	for (unsigned int i = 0; i < nr_policies; i++) {
		const struct dma_area_policy *one = &policies[i].policy;

		if (!dma_area_name_matches(name, policies[i].name))
			continue;
		all.mode = max(all.mode, one->mode);
		all.fallback |= one->fallback;
		all.first_fit |= one->first_fit;
		all.heap |= one->heap;
	}
	return all;
}

static int __init dma_area_is_named(struct cma *cma, void *name)
{
	return dma_area_name_matches(cma_get_name(cma), name);
}

/**
 * dma_area_settle_policies() - log the entries whose area does not exist
 *
 * The area may be a node that was refused: then "fallback" still holds for its
 * devices.
 *
 * Context: Boot, when all areas are declared.
 */
void __init dma_area_settle_policies(void)
{
	for (unsigned int i = 0; i < nr_policies; i++) {
		if (cma_for_each_area(dma_area_is_named,
				      (void *)policies[i].name))
			continue;
		pr_err("%s: there is no such area for cma_areas= to change\n",
		       policies[i].name);
		if (policies[i].policy.fallback)
			dma_area_register(NULL, policies[i].name, "", true);
	}
}
