// SPDX-License-Identifier: GPL-2.0
/*
 * Measurements in an area that only drivers use: the time that a request takes
 * beside the buffers they hold, and the room that these leave.
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

#define CACHED_IDLE_US	100000
#define SMALL_MAX	16		/* pages of a small buffer */
#define MAX_SMALL	8192
#define THREADS_S	3

/* Holds @number buffers of a page. */
static void prepare_held(void)
{
	unsigned long i;
	uint32_t id;

	ct_drop_caches();
	for (i = 0; i < number; i++)
		if (get_buffer(driver, ct_page_size, &id, NULL))
			die("only %lu of %lu buffers to hold", i, number);
}

static uint32_t small_buffer(size_t *size)
{
	uint32_t id;

	*size = (1 + random_below(SMALL_MAX)) * ct_page_size;
	if (get_buffer(driver, *size, &id, NULL))
		die("no small buffer of %lu KiB", *size / KIB);
	return id;
}

static void shuffle(uint32_t *ids, unsigned int nr)
{
	unsigned int i, other;
	uint32_t id;

	for (i = nr - 1; i > 0; i--) {
		other = random_below(i + 1);
		id = ids[i];
		ids[i] = ids[other];
		ids[other] = id;
	}
}

/* Counts the buffers of each size that there is room for, and frees them. */
static void count_buffers(const size_t *sizes, int nr_sizes)
{
	static uint32_t ids[65536];
	unsigned int nr;
	int i;

	for (i = 0; i < nr_sizes; i++) {
		for (nr = 0; nr < 65536; nr++)
			if (get_buffer(driver, sizes[i], &ids[nr], NULL))
				break;
		printf("bench: count %s %zu %u\n", label, sizes[i], nr);
		while (nr)
			put_buffer(driver, ids[--nr], NULL);
	}
}

/*
 * Takes small buffers until @number percent of the area are held, then frees a
 * random half of them.
 */
static void run_halves(const size_t *sizes, int nr_sizes)
{
	size_t want = area.nr_pages * ct_page_size / 100 * number, held = 0;
	static uint32_t ids[MAX_SMALL];
	unsigned int nr, i;
	size_t size;

	ct_drop_caches();
	for (nr = 0; nr < MAX_SMALL && held < want; nr++) {
		ids[nr] = small_buffer(&size);
		held += size;
	}
	shuffle(ids, nr);
	for (i = 0; i < nr / 2; i++)
		put_buffer(driver, ids[i], NULL);
	count_buffers(sizes, nr_sizes);
}

/*
 * Takes small buffers until @number percent of the area are held. Large buffers
 * come and go meanwhile, as when drivers start.
 */
static void run_mixed(const size_t *sizes, int nr_sizes)
{
	static const size_t large[] = { 1 * MIB, 4 * MIB, 2 * MIB, 8 * MIB };
	size_t want = area.nr_pages * ct_page_size / 100 * number, held = 0;
	bool have[4] = {};
	uint32_t ids[4];
	size_t size;
	unsigned int i;

	ct_drop_caches();
	while (held < want) {
		i = random_below(4);
		if (have[i])
			put_buffer(driver, ids[i], NULL);
		have[i] = !get_buffer(driver, large[i], &ids[i], NULL);
		small_buffer(&size);
		held += size;
	}
	for (i = 0; i < 4; i++)
		if (have[i])
			put_buffer(driver, ids[i], NULL);
	count_buffers(sizes, nr_sizes);
}

struct worker {
	pthread_t thread;
	size_t size;
	unsigned long nr_pairs;
	unsigned long nr_failed;
};

/* Uses its own open file, as a lock protects the ids of each open file. */
static void *work(void *arg)
{
	struct worker *worker = arg;
	uint64_t end_ns = now_ns() + THREADS_S * NS_PER_S;
	int fd = ct_dma_open();
	uint32_t id;

	while (now_ns() < end_ns) {
		if (get_buffer(fd, worker->size, &id, NULL)) {
			worker->nr_failed++;
			continue;
		}
		put_buffer(fd, id, NULL);
		worker->nr_pairs++;
	}
	return NULL;
}

/* Runs @number threads that take and free buffers without a pause. */
static void run_threads(const size_t *sizes, int nr_sizes)
{
	struct worker *workers = calloc(number, sizeof(*workers));
	unsigned long i, nr_pairs = 0, nr_failed = 0;
	uint64_t time_ns;

	if (!workers)
		die("no memory");
	ct_drop_caches();
	time_ns = now_ns();
	for (i = 0; i < number; i++) {
		workers[i].size = sizes[0];
		if (pthread_create(&workers[i].thread, NULL, work, workers + i))
			die("no thread");
	}
	for (i = 0; i < number; i++) {
		pthread_join(workers[i].thread, NULL);
		nr_pairs += workers[i].nr_pairs;
		nr_failed += workers[i].nr_failed;
	}
	time_ns = now_ns() - time_ns;
	printf("bench: rate %s %zu %lu %lu %llu\n", label, sizes[0], nr_pairs,
	       nr_failed, (unsigned long long)time_ns);
}

/* Allows all buffers to be cached, if the kernel can do that. */
static void prepare_cached(void)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", area.nr_pages * ct_page_size / KIB);
	ct_area_set(&area, "cache_kib", text);
}

/* Leaves time for the kernel to zero cached buffers. */
static void idle(void)
{
	usleep(CACHED_IDLE_US);
}

const struct kind held_kinds[] = {
	{ .name = "free", .prepare = ct_drop_caches },
	{ .name = "write-combine", .attrs = DMA_TEST_WRITE_COMBINE },
	{ .name = "unmapped", .attrs = DMA_TEST_NO_KERNEL_MAPPING },
	{ .name = "atomic", .context = DMA_TEST_ATOMIC },
	{ .name = "kept", .prepare = prepare_cached, .refill = idle },
	{ .name = "held", .prepare = prepare_held },
	{ .name = "halves", .run = run_halves },
	{ .name = "mixed", .run = run_mixed },
	{ .name = "threads", .run = run_threads, .nr_sizes = 1 },
	{}
};
