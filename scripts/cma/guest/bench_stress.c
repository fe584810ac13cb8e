// SPDX-License-Identifier: GPL-2.0
/*
 * Simulates hours of a busy device. Programs run as in a build, files are read,
 * and data are swapped to zram. Pipes and direct I/O hold pages for a moment.
 * Drivers take and free buffers of all sizes. bench_busy.h describes the lines
 * that are printed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench_busy.h"

#define NR_JOBS		4
#define ANON_SIZE	(112 * MIB)
#define ANON_STEP	128		/* pages from pause to pause */
#define ANON_PAUSE_US	2000
#define PIPE_SIZE	(8 * MIB)	/* memory whose pages go into a pipe */
#define PIPE_PAGES	16		/* pages in the pipe at a time */
#define PIPE_US		50000		/* longest stay in the pipe */
#define DIRECT_SIZE	(4 * MIB)

/* Starts a process that ends with this one. */
static void start(void (*function)(void))
{
	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	function();
	_exit(1);
}

static void read_files(void)
{
	off_t offset = 0;

	while (!ct_read_on(ct_big_file(), &offset, 16 * MIB, 0))
		;
}

/* An eighth of the page does not compress; word 1 depends on word 0. */
static bool page_is_right(const uint32_t *words, uint32_t page)
{
	size_t nr = ct_page_size / sizeof(*words);

	return words[nr / 8] == page && words[nr / 2] == page &&
	       words[nr - 1] == page && words[1] == (words[0] ^ page);
}

static void swap_data(void)
{
	size_t nr_words = ct_page_size / sizeof(uint32_t);
	uint32_t *data = map_memory(ANON_SIZE), *words;
	uint32_t page;

	for (page = 0; page < ANON_SIZE / ct_page_size; page++) {
		words = data + page * nr_words;
		write_compressible(words, page);
		words[1] = words[0] ^ page;
	}
	for (;;) {
		for (page = 0; page < ANON_SIZE / ct_page_size; page++) {
			words = data + page * nr_words;
			if (!page_is_right(words, page))
				printf("bench: bad %s data of a program\n",
				       label);
			words[0] = random_below(UINT32_MAX);
			words[1] = words[0] ^ page;
			if (!(page % ANON_STEP))
				usleep(ANON_PAUSE_US);
		}
	}
}

static void fill_pipes(void)
{
	static char data[PIPE_PAGES * 65536];
	char *memory = map_memory(PIPE_SIZE);
	struct iovec iov[PIPE_PAGES];
	int fds[2], i;

	if (pipe(fds))
		die("pipe: %s", strerror(errno));
	memset(memory, 1, PIPE_SIZE);
	for (;;) {
		for (i = 0; i < PIPE_PAGES; i++)
			iov[i] = (struct iovec){
				memory + random_below(PIPE_SIZE / ct_page_size)
					 * ct_page_size,
				ct_page_size,
			};
		if (vmsplice(fds[1], iov, PIPE_PAGES, 0) < 0)
			die("vmsplice: %s", strerror(errno));
		usleep(random_below(PIPE_US));
		if (read(fds[0], data, sizeof(data)) < 0)
			die("pipe: %s", strerror(errno));
	}
}

static char *direct_page(void)
{
	static char *memory;

	if (!memory)
		memory = map_memory(DIRECT_SIZE);
	return memory + random_below(DIRECT_SIZE / ct_page_size) * ct_page_size;
}

static void do_direct(void)
{
	direct_io(direct_page);
}

/* Runs for @number minutes. */
static void run_stress(const size_t *sizes, int nr_sizes)
{
	unsigned long minute;

	/* Print each line at once, not all of them at the end. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	watch_events();
	open_disk();
	swap_on();
	start_jobs(NR_JOBS);
	start(read_files);
	start(swap_data);
	start(fill_pipes);
	start(do_direct);
	start_clients(sizes, nr_sizes);
	for (minute = 1; minute <= number; minute++) {
		sleep(60);
		report_clients(minute);
	}
	/* Memory is full: the processes must end before others start. */
	exit(0);
}

const struct kind stress_kinds[] = {
	{ .name = "stress", .run = run_stress },
	{}
};
