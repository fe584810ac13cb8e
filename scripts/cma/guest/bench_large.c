// SPDX-License-Identifier: GPL-2.0
/*
 * Measurements of what takes a large part of an area at once, while memory is
 * full of programs' data: a large buffer, and memory that is pinned for long.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_place.h"
#include "cma_kinds_lib.h"

#define MAX_LARGE	256
#define MAX_MIB		512

/* Takes a buffer, or single pages on a board without an area. */
static bool take_large(size_t size, uint32_t *id)
{
	int fds[2];
	size_t done;

	if (ct_meminfo_kib("CmaTotal") > 0)
		return !get_buffer(driver, size, id, NULL);
	for (done = 0; done < size; done += MIB)
		if (!take_unmovable(fds))
			return false;
	return true;
}

/* Writes data, says so, and compares them when it is told to. */
static void run_program(size_t size, const int *to_parent,
			const int *from_parent)
{
	char *data, go = 0;

	if (!size)
		size = ct_meminfo_kib("MemFree") * KIB;
	data = program_map(size);

	if (write(to_parent[1], &go, 1) != 1)
		die("write: %s", strerror(errno));
	if (read(from_parent[0], &go, 1) != 1)
		_exit(1);
	program_verify(data, size);
	_exit(0);
}

/*
 * sizes: swap, data of programs, the first buffer, each of those that follow. If
 * the programs have no size, they take all memory.
 */
static void run_big(const size_t *sizes, int nr_sizes)
{
	int to_parent[2], to_program[2], status = -1;
	static uint32_t ids[MAX_LARGE];
	unsigned int nr = 0, nr_first;
	bool alive;
	pid_t pid;
	char go = 0;

	place_prepare(sizes[0]);
	driver = ct_dma_open();
	if (driver < 0 || pipe(to_parent) || pipe(to_program))
		die("%s: %s", DMA_TEST_DEVICE, strerror(errno));
	pid = fork();
	if (!pid)
		run_program(sizes[1], to_parent, to_program);
	if (read(to_parent[0], &go, 1) != 1)
		die("no program");

	place_start();
	nr_first = take_large(sizes[2], &ids[0]);
	place_end();
	place_report();
	report("first", nr_first);
	fflush(stdout);
	nr = nr_first;
	while (nr < MAX_LARGE && !get_buffer(driver, sizes[3], &ids[nr], NULL))
		nr++;
	report("mib", (nr_first * sizes[2] + (nr - nr_first) * sizes[3]) / MIB);
	fflush(stdout);
	alive = !system("true") && !waitpid(pid, &status, WNOHANG);
	if (alive && write(to_program[1], &go, 1) == 1)
		alive = waitpid(pid, &status, 0) == pid && !status;
	report("alive", alive);
}

/* Tells how many of the pages lie in the area, if there is one. */
static void report_in_area(const char *data, size_t size)
{
	unsigned long nr = 0;

	if (ct_meminfo_kib("CmaTotal") > 0) {
		ct_init(&area);
		nr = ct_map_in_area(data, size, &area);
	}
	report("in_area", nr);
}

/*
 * sizes: swap, memory to pin, unmovable memory, data of programs. The memory to
 * pin is allocated while nothing is free outside of the area. Then all but the
 * unmovable memory becomes free there, and programs fill some of it.
 */
static void run_pin_large(const size_t *sizes, int nr_sizes)
{
	static int fds[MAX_MIB][2];
	char *data, *other = NULL;
	unsigned long nr = 0;
	int gup = open_gup();

	place_prepare(sizes[0]);
	while (ct_meminfo_kib("CmaTotal") > 0 && nr < MAX_MIB &&
	       ct_vmstat("nr_free_pages") - ct_vmstat("nr_free_cma") >=
	       ct_zone_sum("low"))
		nr += take_unmovable(fds[nr]);
	data = program_map(sizes[1]);
	while (nr > sizes[2] / MIB)
		put_unmovable(fds[--nr]);
	while (nr < sizes[2] / MIB)
		nr += take_unmovable(fds[nr]);
	if (sizes[3])
		other = program_map(sizes[3]);
	report_in_area(data, sizes[1]);

	place_start();
	pin_longterm(gup, data, sizes[1]);
	place_end();
	place_report();
	unpin_longterm(gup);
	program_verify(data, sizes[1]);
	if (other)
		program_verify(other, sizes[3]);
	close(gup);
}

const struct kind large_kinds[] = {
	{ .name = "big", .run = run_big, .nr_sizes = 4, .no_area = true },
	{ .name = "pin-large", .run = run_pin_large, .nr_sizes = 4,
	  .no_area = true },
	{}
};
