// SPDX-License-Identifier: GPL-2.0
/*
 * Takes and frees a coherent buffer COUNT times and prints how long both took,
 * for scripts/cma/call_profile.py. The first round differs from the others, as it
 * fills caches and page tables.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cma_test_lib.h"

static int fail(const char *what)
{
	printf("dma_once: %s: %s\n", what, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	struct dma_test_alloc buf;
	long i, count = argc > 2 ? strtol(argv[2], NULL, 0) : 1;
	struct dma_test_free put;
	size_t size;
	int fd;

	if (argc < 2 || argc > 3) {
		printf("usage: dma_once SIZE_BYTES [COUNT]\n");
		return 2;
	}
	size = strtoul(argv[1], NULL, 0);
	if (access(DMA_TEST_DEVICE, F_OK) && system("modprobe dma_test"))
		printf("dma_once: the driver cannot be loaded\n");
	fd = ct_dma_open();
	if (fd < 0)
		return fail(DMA_TEST_DEVICE);

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 1; i <= count; i++) {
		if (ct_dma_alloc(fd, size, DMA_TEST_KERNEL, 0, &buf))
			return fail("alloc");
		put = (struct dma_test_free){ .id = buf.id };
		if (ioctl(fd, DMA_TEST_IOC_FREE, &put))
			return fail("free");
		printf("dma_once: %zu bytes, %ld: alloc %llu ns, free %llu ns\n",
		       size, i,
		       (unsigned long long)buf.time_ns,
		       (unsigned long long)put.time_ns);
	}
	return 0;
}
