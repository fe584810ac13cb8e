/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interface between the loads that keep a board busy: drivers that take and free
 * buffers (bench_clients.c), and what runs beside them (bench_stress.c,
 * bench_soak.c). The drivers print these lines, with cumulative numbers:
 *   bench: stress LABEL MINUTES REQUESTS FAILED CORRUPT WORST_NS
 *   bench: stress-errno LABEL ERRNO COUNT
 *   bench: stress-throttled LABEL TIMES US
 *	direct reclaimers that had to wait
 *   bench: stress-atomic LABEL COUNT
 *	atomic requests for a single page that failed
 */
#ifndef BENCH_BUSY_H
#define BENCH_BUSY_H

#include "bench.h"

/* Counts the events of failed requests. Memory must not be full yet. */
void watch_events(void);

void start_clients(const size_t *sizes, int nr_sizes);
/* On: returns when no request is under way, and none begins until off. */
void pause_clients(bool on);
/* Lets all drivers compare and free their buffers, and ends them. */
void end_clients(void);
/* Return the pages of all buffers, and all pages that were compared. */
unsigned long clients_held(void);
unsigned long clients_compared(void);
void report_clients(unsigned long minutes);

/*
 * Returns whether the environment variable SOAK_BREAK has this word: somebody
 * wants to see that a comparison can fail.
 */
bool is_broken(const char *what);

#endif /* BENCH_BUSY_H */
