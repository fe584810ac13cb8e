// SPDX-License-Identifier: GPL-2.0
/*
 * Every step of an allocation is made to fail. The request fails or succeeds in
 * another way, and nothing is lost. The test needs CONFIG_FAIL_CMA.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_test_lib.h"

#define BUF_SIZE	(8 * MIB)
#define NR_TIMES	2	/* failures of a step before it works */

FIXTURE(cma_faults) {
	struct ct_area area;
	struct ct_mem program;
	long used;
	int fd;
};

/*
 * @step: the step that fails
 * @always: the step fails each time, and so does the request
 * @full: the area is full of a program's data
 * @reason: the error of the request, which the DMA API does not return
 */
FIXTURE_VARIANT(cma_faults) {
	enum ct_step step;
	bool always;
	bool full;
	int reason;
};

FIXTURE_VARIANT_ADD(cma_faults, buffer) {
	.step = CT_STEP_BUFFER, .always = true, .reason = -ENOMEM,
};

FIXTURE_VARIANT_ADD(cma_faults, take_at_first) {
	.step = CT_STEP_TAKE,
};

FIXTURE_VARIANT_ADD(cma_faults, claim) {
	.step = CT_STEP_CLAIM, .always = true, .full = true, .reason = -EINTR,
};

FIXTURE_VARIANT_ADD(cma_faults, isolate_at_first) {
	.step = CT_STEP_ISOLATE, .full = true,
};

FIXTURE_VARIANT_ADD(cma_faults, isolate) {
	.step = CT_STEP_ISOLATE, .always = true, .full = true, .reason = -EBUSY,
};

FIXTURE_VARIANT_ADD(cma_faults, evacuate_at_first) {
	.step = CT_STEP_EVACUATE, .full = true,
};

FIXTURE_VARIANT_ADD(cma_faults, evacuate) {
	.step = CT_STEP_EVACUATE, .always = true, .full = true, .reason = -EBUSY,
};

FIXTURE_VARIANT_ADD(cma_faults, target_at_first) {
	.step = CT_STEP_TARGET, .full = true,
};

FIXTURE_VARIANT_ADD(cma_faults, target) {
	.step = CT_STEP_TARGET, .always = true, .full = true, .reason = -ENOMEM,
};

FIXTURE_VARIANT_ADD(cma_faults, copy_at_first) {
	.step = CT_STEP_COPY, .full = true,
};

FIXTURE_SETUP(cma_faults)
{
	if (!ct_can_fail())
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

TEST_F(cma_faults, step)
{
	struct dma_test_alloc buf = {};
	int error, times_left;

	ct_fail_at(variant->step, variant->always ? -1 : NR_TIMES);
	error = ct_dma_alloc(self->fd, BUF_SIZE, DMA_TEST_KERNEL,
			     DMA_TEST_NO_WARN, &buf);
	times_left = ct_fail_end();
	if (variant->always) {
		EXPECT_EQ(-ENOMEM, error);
		EXPECT_EQ(variant->reason, ct_last_error());
	} else {
		EXPECT_EQ(0, error);
		/* The request reached the step and failed there each time. */
		EXPECT_EQ(0, times_left);
	}
	if (!error)
		EXPECT_EQ(0, ct_dma_free(self->fd, buf.id));
	EXPECT_EQ(self->used, ct_area_debugfs(&self->area, "used"));
	if (variant->full)
		EXPECT_EQ(0, ct_mem_verify(&self->program));

	/* The failure leaves nothing behind: the same request succeeds. */
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
