// SPDX-License-Identifier: GPL-2.0
/*
 * Library of programs that compare counters of the kernel with the pages that
 * they count; see cma_counters.h.
 */
#include <unistd.h>

#include "cma_counters.h"

#define TRY_US		10000	/* between two comparisons */

/*
 * Returns the pages on the free lists that are described by all lines of a file
 * which begin with @format, the format of a scanf() that ends with %n. The lines
 * have a number of blocks for each order.
 */
static long free_lists_sum(const char *path, const char *format)
{
	FILE *file = fopen(path, "r");
	unsigned long nr;
	char line[512], *at;
	long sum = 0;
	int order, len;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		len = 0;
		if (sscanf(line, format, &len) < 0 || !len)
			continue;
		at = line + len;
		for (order = 0; sscanf(at, "%lu%n", &nr, &len) == 1; order++) {
			sum += (long)nr << order;
			at += len;
		}
	}
	fclose(file);
	return sum;
}

static long all_free(const struct ct_area *unused)
{
	return free_lists_sum("/proc/buddyinfo", "Node %*d, zone %*s%n");
}

static long listed_as_cma(const struct ct_area *unused)
{
	return free_lists_sum("/proc/pagetypeinfo",
			      "Node %*d, zone %*[^,], type CMA%n");
}

static long free_in_area(const struct ct_area *area)
{
	return ct_area_count(area, CT_KPF_BUDDY, 0);
}

static long anon_in_area(const struct ct_area *area)
{
	return ct_area_count(area, CT_KPF_LRU | CT_KPF_SWAPBACKED,
			     CT_KPF_UNEVICTABLE);
}

static long file_in_area(const struct ct_area *area)
{
	return ct_area_count(area, CT_KPF_LRU,
			     CT_KPF_SWAPBACKED | CT_KPF_UNEVICTABLE);
}

static long unevictable_in_area(const struct ct_area *area)
{
	return ct_area_count(area, CT_KPF_LRU | CT_KPF_UNEVICTABLE, 0);
}

const struct ct_counter ct_counters[CT_NR_COUNTERS] = {
	{ "nr_free_pages", "buddyinfo", all_free, false },
	{ "nr_free_cma", "pagetypeinfo", listed_as_cma, false },
	{ "nr_free_cma", "kpageflags", free_in_area, true },
	{ "nr_zone_cma_anon", "kpageflags", anon_in_area, true },
	{ "nr_zone_cma_file", "kpageflags", file_in_area, true },
	{ "nr_zone_cma_unevictable", "kpageflags", unevictable_in_area, true },
};

bool ct_counter_is_exact(const struct ct_counter *counter,
			 const struct ct_area *area, int nr_tries, long *value,
			 long *counted)
{
	long before;
	int i;

	for (i = 0; i < nr_tries; i++) {
		if (i)
			usleep(TRY_US);
		/* Add the differences that CPUs have not reported yet. */
		ct_write("/proc/sys/vm/stat_refresh", "1");
		before = ct_zone_sum(counter->name);
		*counted = counter->count(area);
		ct_write("/proc/sys/vm/stat_refresh", "1");
		*value = ct_zone_sum(counter->name);
		if (before == *value && *counted == *value)
			return true;
	}
	return false;
}
