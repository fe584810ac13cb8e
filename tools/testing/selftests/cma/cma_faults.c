// SPDX-License-Identifier: GPL-2.0
/*
 * Every step of an allocation fails on purpose: the request fails or takes
 * another way, and nothing is lost either way. Needs CONFIG_FAIL_CMA.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_test_lib.h"

#define TIMEOUT_S	300
#define FAIL_DIR	"/sys/kernel/debug/fail_cma/"
#define BUF_SIZE	(8 * MIB)
#define NR_TIMES	"2"	/* that a step fails at first */

/* The order of enum cma_fail_point in mm/cma/internal.h. */
enum fail_point {
	FAIL_BUFFER,
	FAIL_TAKE,
	FAIL_CLAIM,
	FAIL_ISOLATE,
	FAIL_EVACUATE,
	FAIL_TARGET,
	FAIL_COPY,
};

FIXTURE(cma_faults) {
	struct ct_area area;
	struct ct_mem program;
	long used;
	int fd;
};

/*
 * @always: the step fails each time, and with it the request
 * @reason: the error of the request, which the DMA API does not tell
 */
FIXTURE_VARIANT(cma_faults) {
	enum fail_point point;
	bool always;
	bool full;
	int reason;
};

FIXTURE_VARIANT_ADD(cma_faults, buffer) {
	.point = FAIL_BUFFER, .always = true, .reason = -ENOMEM,
};

FIXTURE_VARIANT_ADD(cma_faults, take_at_first) {
	.point = FAIL_TAKE,
};

FIXTURE_VARIANT_ADD(cma_faults, claim) {
	.point = FAIL_CLAIM, .always = true, .full = true, .reason = -EINTR,
};

FIXTURE_VARIANT_ADD(cma_faults, isolate_at_first) {
	.point = FAIL_ISOLATE, .full = true,
};

FIXTURE_VARIANT_ADD(cma_faults, isolate) {
	.point = FAIL_ISOLATE, .always = true, .full = true, .reason = -EBUSY,
};

FIXTURE_VARIANT_ADD(cma_faults, evacuate_at_first) {
	.point = FAIL_EVACUATE, .full = true,
};

FIXTURE_VARIANT_ADD(cma_faults, evacuate) {
	.point = FAIL_EVACUATE, .always = true, .full = true, .reason = -EBUSY,
};

FIXTURE_VARIANT_ADD(cma_faults, target_at_first) {
	.point = FAIL_TARGET, .full = true,
};

FIXTURE_VARIANT_ADD(cma_faults, target) {
	.point = FAIL_TARGET, .always = true, .full = true, .reason = -ENOMEM,
};

FIXTURE_VARIANT_ADD(cma_faults, copy_at_first) {
	.point = FAIL_COPY, .full = true,
};

static void set(const char *file, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), FAIL_DIR "%s", file);
	if (ct_write(path, value))
		ksft_exit_fail_msg("cannot write %s to %s\n", value, path);
}

static void fail_at(enum fail_point point, const char *times)
{
	char mask[16];

	snprintf(mask, sizeof(mask), "%#x", 1U << point);
	set("points", mask);
	set("verbose", "0");
	set("interval", "1");
	set("times", times);
	set("probability", "100");
}

FIXTURE_SETUP(cma_faults)
{
	if (access(FAIL_DIR "points", W_OK))
		SKIP(return, "no CONFIG_FAIL_CMA");
	ct_init(&self->area);
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
	self->used = ct_area_debugfs(&self->area, "used");
	if (variant->full)
		ASSERT_GT(ct_mem_fill_area(&self->program, CT_ANON,
					   &self->area), 0);
}

FIXTURE_TEARDOWN(cma_faults)
{
	close(self->fd);
}

TEST_F_TIMEOUT(cma_faults, step, TIMEOUT_S)
{
	struct dma_test_alloc buf = {};
	int error;

	fail_at(variant->point, variant->always ? "-1" : NR_TIMES);
	error = ct_dma_alloc(self->fd, BUF_SIZE, DMA_TEST_KERNEL,
			     DMA_TEST_NO_WARN, &buf);
	set("probability", "0");
	if (variant->always) {
		EXPECT_EQ(-ENOMEM, error);
		EXPECT_EQ(variant->reason, ct_last_error());
	} else {
		EXPECT_EQ(0, error);
		/* It has been there, and has failed each time. */
		EXPECT_EQ(0, ct_read_long(FAIL_DIR "times"));
	}
	if (!error)
		EXPECT_EQ(0, ct_dma_free(self->fd, buf.id));
	EXPECT_EQ(self->used, ct_area_debugfs(&self->area, "used"));
	if (variant->full)
		EXPECT_EQ(0, ct_mem_verify(&self->program));

	/* Nothing stays behind: the same request is served again. */
	ASSERT_EQ(0, ct_dma_alloc(self->fd, BUF_SIZE, DMA_TEST_KERNEL, 0,
				  &buf));
	EXPECT_EQ(0, ct_dma_free(self->fd, buf.id));
	EXPECT_EQ(self->used, ct_area_debugfs(&self->area, "used"));
	if (variant->full) {
		EXPECT_EQ(0, ct_mem_verify(&self->program));
		ct_mem_exit(&self->program);
	}
}

TEST_HARNESS_MAIN
