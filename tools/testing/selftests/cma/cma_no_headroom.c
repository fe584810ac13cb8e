// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that are linked with this file run without headroom in any area.
 * Other tests had buffers a moment ago, and programs are to fill areas all the
 * same; cma_headroom tests what the kernel leaves to drivers. Programs that
 * measure are not linked with it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <limits.h>
#include <stdio.h>

#include "cma_test_lib.h"

#define HEADROOMS_MAX	64

static struct {
	char path[sizeof(SYSFS_CMA) + NAME_MAX + 32];
	long max_kib;
} headrooms[HEADROOMS_MAX];

static __attribute__((constructor)) void set_no_headroom(void)
{
	DIR *dir = opendir(SYSFS_CMA);
	struct dirent *entry;
	int i = 0;

	while (dir && i < HEADROOMS_MAX && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(headrooms[i].path, sizeof(headrooms[i].path),
			 SYSFS_CMA "/%s/headroom_max_kib", entry->d_name);
		headrooms[i].max_kib = ct_read_long(headrooms[i].path);
		if (headrooms[i].max_kib > 0 &&
		    !ct_write_long(headrooms[i].path, 0))
			i++;
	}
	if (dir)
		closedir(dir);
}

/* Tests are children that end by _exit(), and do not come here. */
static __attribute__((destructor)) void restore_headroom(void)
{
	for (int i = 0; i < HEADROOMS_MAX && headrooms[i].max_kib > 0; i++)
		ct_write_long(headrooms[i].path, headrooms[i].max_kib);
}
