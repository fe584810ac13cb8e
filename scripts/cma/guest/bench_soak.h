/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interface between the loads of a soak (bench_soak_loads.c) and what starts,
 * pauses and checks them (bench_soak.c).
 */
#ifndef BENCH_SOAK_H
#define BENCH_SOAK_H

#include "bench_busy.h"

#define MAX_LOADS	16

/**
 * struct load - processes that use memory and compare their data
 * @name:	in the lines that are printed
 * @run:	what a process does until soak_stops(); compares all of its data at
 *		the end
 * @nr_processes:	how many of them run at a time
 */
struct load {
	const char *name;
	void (*run)(void);
	unsigned int nr_processes;
};

extern const struct load loads[];	/* the last one has no name */

bool soak_stops(void);
/* Changes a byte if somebody wants to see that this load finds it. */
void spoil(void *data);
/* Counts @size bytes that this load has compared; dies if some are wrong. */
void compared(size_t size, bool is_right);

#endif /* BENCH_SOAK_H */
