// SPDX-License-Identifier: GPL-2.0
/*
 * Lookups in all areas; see cma_areas.h.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "cma_areas.h"

#define DEBUGFS_CMA	"/sys/kernel/debug/cma"

unsigned int ca_areas(struct ct_area areas[CA_AREAS_MAX])
{
	DIR *dir = opendir(DEBUGFS_CMA);
	struct dirent *entry;
	unsigned int nr = 0;

	while (dir && nr < CA_AREAS_MAX && (entry = readdir(dir))) {
		struct ct_area *area = &areas[nr];

		if (entry->d_name[0] == '.' || entry->d_type != DT_DIR)
			continue;
		snprintf(area->name, sizeof(area->name), "%s", entry->d_name);
		area->base_pfn = ct_area_debugfs(area, "base_pfn");
		area->nr_pages = ct_area_debugfs(area, "count");
		nr++;
	}
	if (dir)
		closedir(dir);
	return nr;
}

bool ca_serves_pages(const struct ct_area *area)
{
	return area->nr_pages && !ct_area_debugfs(area, "order_per_bit");
}

static bool range_holds(unsigned long base, unsigned long count,
			unsigned long pfn, unsigned long nr_pages)
{
	return pfn >= base && nr_pages <= count && pfn - base <= count - nr_pages;
}

bool ca_holds(const struct ct_area *area, unsigned long pfn,
	      unsigned long nr_pages)
{
	unsigned int range = 0;

	while (true) {
		char path[64];
		long base, count;

		snprintf(path, sizeof(path), "ranges/%u/base_pfn", range);
		base = ct_area_debugfs(area, path);
		if (base < 0 && range)
			return false;
		if (base < 0)
			return range_holds(area->base_pfn, area->nr_pages, pfn,
					   nr_pages);
		snprintf(path, sizeof(path), "ranges/%u/count", range++);
		count = ct_area_debugfs(area, path);
		if (count > 0 && range_holds(base, count, pfn, nr_pages))
			return true;
	}
}

bool ca_area_at(unsigned long pfn, unsigned long nr_pages,
		struct ct_area *area)
{
	struct ct_area areas[CA_AREAS_MAX];
	unsigned int i, nr = ca_areas(areas);

	for (i = 0; i < nr; i++) {
		if (!ca_holds(&areas[i], pfn, nr_pages))
			continue;
		*area = areas[i];
		return true;
	}
	return false;
}

bool ca_owner(const struct ct_area *area, unsigned long pfn, char owner[64])
{
	unsigned long first = 0;
	FILE *file = ct_area_open(area, "buffers");
	char line[512];

	while (file && first != pfn && fgets(line, sizeof(line), file))
		if (sscanf(line, "%lx %*u %63s", &first, owner) != 2)
			first = 0;
	if (file)
		fclose(file);
	return first == pfn;
}

void ca_buffers(const struct ct_area *area, unsigned long nr_pages,
		struct ca_buffers *buffers)
{
	FILE *file = ct_area_open(area, "buffers");
	unsigned long first, nr;
	char line[512];

	buffers->nr = 0;
	while (file && buffers->nr < CA_BUFFERS_MAX &&
	       fgets(line, sizeof(line), file))
		if (sscanf(line, "%lx %lu", &first, &nr) == 2 && nr == nr_pages)
			buffers->first_pfns[buffers->nr++] = first;
	if (file)
		fclose(file);
}

static bool has_buffer(const struct ca_buffers *buffers, unsigned long pfn)
{
	unsigned int i;

	for (i = 0; i < buffers->nr; i++)
		if (buffers->first_pfns[i] == pfn)
			return true;
	return false;
}

unsigned long ca_new_buffer(const struct ca_buffers *before,
			    const struct ca_buffers *after)
{
	unsigned long pfn = 0;
	unsigned int i;

	for (i = 0; i < after->nr; i++) {
		if (has_buffer(before, after->first_pfns[i]))
			continue;
		if (pfn)
			return 0;
		pfn = after->first_pfns[i];
	}
	return pfn;
}
