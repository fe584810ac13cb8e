// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of headroom for drivers: which peak counts, for how long, and
 * within which bounds. Units are pages.
 */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/module.h>

#include "../../contig/kernel.h"
#include "../internal.h"

static const struct cma_headroom no_bounds = { .max_pages = ULONG_MAX };

static void peaks_count_for_a_minute(struct kunit *test)
{
	struct cma_headroom headroom = no_bounds;

	cma_headroom_count(&headroom, 100);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 0);
	cma_headroom_count(&headroom, -100);
	for (unsigned int i = 1; i < CMA_HEADROOM_PERIODS; i++) {
		KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 100);
		cma_headroom_begin_period(&headroom);
	}
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 100);
	cma_headroom_begin_period(&headroom);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 0);
}

static void lower_peaks_follow(struct kunit *test)
{
	struct cma_headroom headroom = no_bounds;

	cma_headroom_count(&headroom, 100);
	cma_headroom_count(&headroom, -100);
	cma_headroom_begin_period(&headroom);
	cma_headroom_count(&headroom, 30);
	cma_headroom_count(&headroom, -30);
	for (unsigned int i = 2; i < CMA_HEADROOM_PERIODS; i++)
		cma_headroom_begin_period(&headroom);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 100);
	cma_headroom_begin_period(&headroom);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 30);
}

static void used_pages_are_no_headroom(struct kunit *test)
{
	struct cma_headroom headroom = no_bounds;

	cma_headroom_count(&headroom, 100);
	cma_headroom_count(&headroom, -40);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 40);
	cma_headroom_count(&headroom, 30);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 10);
	/* Pages in use are a peak of each later minute. */
	for (unsigned int i = 0; i < 2 * CMA_HEADROOM_PERIODS; i++)
		cma_headroom_begin_period(&headroom);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 0);
	cma_headroom_count(&headroom, -90);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 90);
}

static void needs_have_bounds(struct kunit *test)
{
	struct cma_headroom headroom = no_bounds;

	headroom.min_pages = 50;
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 50);
	cma_headroom_count(&headroom, 20);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 30);
	cma_headroom_count(&headroom, 80);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 0);
	cma_headroom_count(&headroom, -100);
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 100);
	/* A peak between the bounds, should they be the wrong way round. */
	headroom.max_pages = 60;
	headroom.min_pages = 100;
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 60);
	headroom.max_pages = 0;
	KUNIT_EXPECT_EQ(test, cma_headroom_wanted(&headroom), 0);
}

static struct kunit_case headroom_test_cases[] = {
	KUNIT_CASE(peaks_count_for_a_minute),
	KUNIT_CASE(lower_peaks_follow),
	KUNIT_CASE(used_pages_are_no_headroom),
	KUNIT_CASE(needs_have_bounds),
	{}
};

static struct kunit_suite headroom_test_suite = {
	.name = "cma_headroom",
	.test_cases = headroom_test_cases,
};

kunit_test_suite(headroom_test_suite);

MODULE_DESCRIPTION("KUnit tests of headroom for drivers");
MODULE_LICENSE("GPL");
