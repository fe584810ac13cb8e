/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Library of programs that compare counters of the kernel with the pages that
 * they count.
 */
#ifndef CMA_COUNTERS_H
#define CMA_COUNTERS_H

#include "cma_test_lib.h"

/**
 * struct ct_counter - a counter of the kernel, and the pages that it counts
 * @name:	its name in /proc/zoneinfo; it is summed over all zones
 * @lists:	the file that shows these pages
 * @count:	counts them there
 * @of_areas:	it counts pages of all areas, so @count needs a single area
 */
struct ct_counter {
	const char *name;
	const char *lists;
	long (*count)(const struct ct_area *area);
	bool of_areas;
};

#define CT_NR_COUNTERS	6
extern const struct ct_counter ct_counters[CT_NR_COUNTERS];

/*
 * Compares a counter with the pages at most @nr_tries times, until they agree
 * while nothing changes; false if that never happens.
 */
bool ct_counter_is_exact(const struct ct_counter *counter,
			 const struct ct_area *area, int nr_tries, long *value,
			 long *counted);

#endif /* CMA_COUNTERS_H */
