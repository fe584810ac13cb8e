// SPDX-License-Identifier: GPL-2.0
/*
 * A program that is killed while it waits for an area ends at once, and leaves
 * the area as it was.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_test_lib.h"

#define PATIENCE_MS	"60000"
#define BEGIN_MS	1500		/* the child waits by then */
#define END_MS		5000		/* far shorter than any wait */
#define LOOK_MS		10

FIXTURE(cma_signal) {
	struct ct_area area;
	struct ct_mem mem;		/* fills the area */
	char *pinned;			/* page of mem in the area's middle */
	int fds[2];			/* pipe that has this page */
	size_t size;			/* every window of it has this page */
	char patience_ms[32];
	long used, total_kib;
	int fd;
};

/* Pins a page that lies in every window of three quarters of the area. */
static void pin_middle(struct __test_metadata *_metadata,
		       FIXTURE_DATA(cma_signal) *self)
{
	unsigned long middle = self->area.nr_pages / 2;
	unsigned long near = self->area.nr_pages / 16, page;
	char **by_pfn = ct_mem_by_pfn(&self->mem, &self->area);
	struct iovec iov = { .iov_len = ct_page_size };

	ASSERT_TRUE(!!by_pfn);
	for (page = middle - near; page < middle + near && !iov.iov_base; page++)
		iov.iov_base = by_pfn[page];
	free(by_pfn);
	ASSERT_TRUE(!!iov.iov_base);
	ASSERT_EQ((ssize_t)ct_page_size, vmsplice(self->fds[1], &iov, 1, 0));
	self->pinned = iov.iov_base;
}

static void unpin(struct __test_metadata *_metadata,
		  FIXTURE_DATA(cma_signal) *self)
{
	char *data = ct_map(ct_page_size);

	ASSERT_TRUE(!!data);
	ASSERT_EQ((ssize_t)ct_page_size,
		  read(self->fds[0], data, ct_page_size));
	EXPECT_EQ(0, memcmp(data, self->pinned, ct_page_size));
}

FIXTURE_SETUP(cma_signal)
{
	struct dma_test_alloc buf;

	ct_init(&self->area);
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
	if (ct_dma_generic(self->fd))
		SKIP(return, "what the area cannot give comes from elsewhere");
	self->used = ct_area_debugfs(&self->area, "used");
	self->total_kib = ct_meminfo_kib("MemTotal");
	self->size = self->area.nr_pages * 3 / 4 * ct_page_size;
	ASSERT_EQ(0, ct_area_get(&self->area, "patience_ms", self->patience_ms,
				 sizeof(self->patience_ms)));
	ASSERT_EQ(0, pipe(self->fds));
	ASSERT_GT(ct_mem_fill_area(&self->mem, CT_SHMEM, &self->area), 0);
	pin_middle(_metadata, self);

	/* Make sure that this page is in the way. */
	ASSERT_EQ(0, ct_area_set(&self->area, "patience_ms", "0"));
	ASSERT_EQ(-ENOMEM, ct_dma_alloc(self->fd, self->size, DMA_TEST_KERNEL,
					DMA_TEST_NO_WARN, &buf));
	ASSERT_EQ(-EBUSY, ct_last_error());
	ASSERT_EQ(0, ct_area_set(&self->area, "patience_ms", PATIENCE_MS));
}

FIXTURE_TEARDOWN(cma_signal)
{
	EXPECT_EQ(0, ct_area_set(&self->area, "patience_ms",
				 self->patience_ms));
	EXPECT_EQ(self->used, ct_area_debugfs(&self->area, "used"));
	EXPECT_EQ(self->total_kib, ct_meminfo_kib("MemTotal"));
	EXPECT_EQ(0, ct_mem_verify(&self->mem));
	ct_mem_exit(&self->mem);
	close(self->fds[0]);
	close(self->fds[1]);
	close(self->fd);
}

/*
 * Starts a child that requests a buffer and ends. The log must not report a
 * request that fails because the child is killed.
 */
static pid_t start_request(FIXTURE_DATA(cma_signal) *self)
{
	pid_t pid = fork();
	struct dma_test_alloc buf;

	if (pid)
		return pid;
	_exit(ct_dma_alloc(ct_dma_open(), self->size, DMA_TEST_KERNEL, 0,
			   &buf) ? 1 : 0);
}

static pid_t start_switch(FIXTURE_DATA(cma_signal) *self)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	_exit(ct_area_set(&self->area, "mode", "exclusive") ? 1 : 0);
}

static bool ends_within(pid_t pid, int ms, int *status)
{
	for (; ms > 0; ms -= LOOK_MS) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		usleep(LOOK_MS * 1000);
	}
	return false;
}

/* Kills the child once it waits; it must die of the signal, and soon. */
static void kill_waiting(struct __test_metadata *_metadata, pid_t pid)
{
	int status = 0;

	ASSERT_GT(pid, 0);
	EXPECT_FALSE(ends_within(pid, BEGIN_MS, &status)) {
		TH_LOG("status %#x: it did not wait", status);
		return;
	}
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_TRUE(ends_within(pid, END_MS, &status)) {
		TH_LOG("%d ms after SIGKILL the child is still there", END_MS);
		waitpid(pid, &status, 0);
	}
	EXPECT_TRUE(WIFSIGNALED(status));
}

/* The killed child holds no pages; its request succeeds after unpin(). */
static void expect_whole(struct __test_metadata *_metadata,
			 FIXTURE_DATA(cma_signal) *self)
{
	struct dma_test_check check;
	struct dma_test_alloc buf;

	EXPECT_EQ(self->used, ct_area_debugfs(&self->area, "used"));
	EXPECT_EQ(0, ct_mem_verify(&self->mem));
	unpin(_metadata, self);
	ASSERT_EQ(0, ct_dma_alloc(self->fd, self->size, DMA_TEST_KERNEL, 0,
				  &buf));
	EXPECT_EQ(0, ct_dma_check(self->fd, buf.id, &check));
	EXPECT_EQ(check.tested, check.found);
	EXPECT_EQ(0, ct_dma_free(self->fd, buf.id));
	ct_flush_cache(&self->area);
	EXPECT_EQ(self->used, ct_area_held(&self->area));
}

/* The pinned page lies in every window, so the request waits. */
TEST_F(cma_signal, request)
{
	kill_waiting(_metadata, start_request(self));
	EXPECT_EQ(-EINTR, ct_last_error());
	expect_whole(_metadata, self);
}

/* The switch to exclusive retries for ten seconds. */
TEST_F(cma_signal, switch_of_mode)
{
	char mode[32];

	kill_waiting(_metadata, start_switch(self));
	ASSERT_EQ(0, ct_area_get(&self->area, "mode", mode, sizeof(mode)));
	EXPECT_STREQ("shared", mode);
	EXPECT_EQ(self->total_kib, ct_meminfo_kib("MemTotal"));
	expect_whole(_metadata, self);

	EXPECT_EQ(0, ct_area_set(&self->area, "mode", "exclusive"));
	EXPECT_EQ(0, ct_area_set(&self->area, "mode", "shared"));
}

TEST_HARNESS_MAIN
