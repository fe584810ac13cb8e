// SPDX-License-Identifier: GPL-2.0
/*
 * Measurements of programs that nearly fill memory, or more than fill it: a
 * build, and programs beside a camera and a network card. NUMBER is the seed.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_place.h"

#define BUILD_JOBS	8		/* at a time */
#define NR_JOBS		48
#define JOB_USES	3		/* of all data of a job */
#define CHUNK_SIZE	(64 * KIB)

#define STEPS		200		/* of the programs beside a camera */
#define RENEW_SIZE	(8 * MIB)	/* allocated anew in each step */
#define CAMERA_US	100000		/* with and without buffers */
#define MAX_BUFFERS	64
#define MAX_REQUESTS	8192
#define BURST_US	50000		/* between two bursts */
#define MAX_BURST	2048		/* pages */

struct camera {
	pthread_t thread;
	size_t size;			/* of all buffers */
	size_t buffer_size;
	uint64_t times_ns[MAX_REQUESTS];
	uint64_t worst_own_ns;		/* without the time of other tasks */
	unsigned int nr_requests;
	unsigned int nr_failed;
};

struct network {
	pthread_t thread;
	unsigned int nr_pages;		/* of a burst */
	unsigned int nr_bursts;
	unsigned int nr_failed;
};

static bool stop;

static void seed_random(void)
{
	unsigned long i;

	for (i = 0; i < number; i++)
		random_below(2);
}

/* Reads a part of the file, uses memory, and ends. */
static void do_job(const char *path, size_t at, size_t read_size, size_t size)
{
	static char data[CHUNK_SIZE];
	int fd = open(path, O_RDONLY);
	char *work;
	size_t done;
	int i;

	for (done = 0; done < read_size; done += sizeof(data))
		if (pread(fd, data, sizeof(data), at + done) < 0)
			_exit(1);
	work = program_map(size);
	for (i = 0; i < JOB_USES; i++)
		program_use(work, size);
	execl("/bin/busybox", "true", NULL);
	_exit(1);
}

/*
 * sizes: swap, files, what a job reads of them, memory of the smallest job, and
 * of the largest.
 */
static void run_jobs(const size_t *sizes, int nr_sizes)
{
	unsigned int nr, nr_bad = 0;
	const char *path;
	size_t at, size;
	int status;

	place_prepare(sizes[0]);
	path = make_file(sizes[1]);
	seed_random();
	place_start();
	for (nr = 0; nr < NR_JOBS + BUILD_JOBS; nr++) {
		if (nr >= BUILD_JOBS) {
			wait(&status);
			nr_bad += !!status;
		}
		at = random_below((sizes[1] - sizes[2]) / ct_page_size);
		size = sizes[3] / ct_page_size +
		       random_below((sizes[4] - sizes[3]) / ct_page_size);
		if (nr < NR_JOBS && !fork())
			do_job(path, at * ct_page_size, sizes[2],
			       size * ct_page_size);
	}
	place_end();
	place_report();
	report("jobs_failed", nr_bad);
}

static void camera_take(struct camera *camera, uint32_t *ids, unsigned int nr,
			int (*pipes)[2])
{
	unsigned int i, j, nr_mib = camera->buffer_size / MIB;
	uint64_t time_ns, own_ns;
	bool got = true;

	for (i = 0; i < nr && camera->nr_requests < MAX_REQUESTS; i++) {
		time_ns = now_ns();
		own_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		if (pipes)
			for (j = 0; j < nr_mib; j++)
				got = take_unmovable(pipes[i * nr_mib + j]);
		else
			got = !get_buffer(driver, camera->buffer_size, &ids[i],
					  NULL);
		own_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - own_ns;
		if (own_ns > camera->worst_own_ns)
			camera->worst_own_ns = own_ns;
		camera->times_ns[camera->nr_requests++] = now_ns() - time_ns;
		camera->nr_failed += !got;
		if (!got)
			ids[i] = 0;
	}
}

/* Takes all buffers and gives them back, until it is told to stop. */
static void *run_camera(void *arg)
{
	static int pipes[MAX_BUFFERS * 8][2];
	struct camera *camera = arg;
	unsigned int i, nr = camera->size / camera->buffer_size;
	bool in_area = ct_meminfo_kib("CmaTotal") > 0;
	uint32_t ids[MAX_BUFFERS];

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		memset(ids, 0xff, sizeof(ids));
		camera_take(camera, ids, nr, in_area ? NULL : pipes);
		usleep(CAMERA_US);
		for (i = 0; in_area && i < nr; i++)
			if (ids[i] && ids[i] != UINT32_MAX)
				put_buffer(driver, ids[i], NULL);
		for (i = 0; !in_area && i < camera->size / MIB; i++)
			put_unmovable(pipes[i]);
		usleep(CAMERA_US);
	}
	return NULL;
}

/* Takes single pages as a driver does that cannot wait. */
static void do_burst(struct network *network, int fd)
{
	static uint32_t ids[MAX_BURST];
	struct dma_test_alloc buf;
	unsigned int nr;

	for (nr = 0; nr < network->nr_pages; nr++) {
		buf = (struct dma_test_alloc){
			.size = ct_page_size, .context = DMA_TEST_ATOMIC,
			.kind = DMA_TEST_PAGES,
		};
		if (ioctl(fd, DMA_TEST_IOC_ALLOC, &buf))
			break;
		ids[nr] = buf.id;
	}
	network->nr_bursts++;
	network->nr_failed += nr < network->nr_pages;
	while (nr)
		put_buffer(fd, ids[--nr], NULL);
}

/* A burst comes before kswapd has a chance to run. */
static void *run_network(void *arg)
{
	const struct sched_param param = { .sched_priority = 1 };
	struct network *network = arg;
	int fd = ct_dma_open();

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		die("no priority: %s", strerror(errno));
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		do_burst(network, fd);
		usleep(BURST_US);
	}
	return NULL;
}

/* Uses all data, and allocates a part of them anew, @STEPS times. */
static void run_programs(char *data, size_t size)
{
	unsigned int step;
	char *part;

	for (step = 0; step < STEPS; step++) {
		program_use(data, size);
		part = data + random_below((size - RENEW_SIZE) / ct_page_size) *
			      ct_page_size;
		madvise(part, RENEW_SIZE, MADV_DONTNEED);
		program_write(part, RENEW_SIZE);
	}
}

static int compare_times(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void report_camera(struct camera *camera)
{
	unsigned int nr = camera->nr_requests;

	if (!nr)
		die("no request");
	qsort(camera->times_ns, nr, sizeof(*camera->times_ns), compare_times);
	report("request_p50", camera->times_ns[nr / 2]);
	report("request_worst", camera->times_ns[nr - 1]);
	report("request_own", camera->worst_own_ns);
	report("requests", nr);
	report("requests_failed", camera->nr_failed);
}

/*
 * sizes: swap, data of programs, all buffers of the camera, each of them, pages
 * of a burst.
 */
static void run_beside(const size_t *sizes, int nr_sizes)
{
	static struct network network;
	static struct camera camera;
	char *data;

	place_prepare(sizes[0]);
	driver = ct_dma_open();
	if (driver < 0)
		die("%s: %s", DMA_TEST_DEVICE, strerror(errno));
	camera.size = sizes[2];
	camera.buffer_size = sizes[3];
	network.nr_pages = sizes[4] / ct_page_size;
	seed_random();
	data = program_map(sizes[1]);
	/* A message takes more instructions than what it is about. */
	ct_write("/proc/sys/kernel/printk", "1");

	place_start();
	if (pthread_create(&camera.thread, NULL, run_camera, &camera))
		die("no thread");
	if (network.nr_pages &&
	    pthread_create(&network.thread, NULL, run_network, &network))
		die("no thread");
	run_programs(data, sizes[1]);
	place_end();
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(camera.thread, NULL);
	if (network.nr_pages)
		pthread_join(network.thread, NULL);
	ct_write("/proc/sys/kernel/printk", "8");
	place_report();
	report_camera(&camera);
	report("bursts", network.nr_bursts);
	report("bursts_failed", network.nr_failed);
}

const struct kind beside_kinds[] = {
	{ .name = "jobs", .run = run_jobs, .nr_sizes = 5, .no_area = true },
	{ .name = "camera", .run = run_beside, .nr_sizes = 5, .no_area = true },
	{}
};
