// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the command line of the contiguous memory allocator.
 */
#include <kunit/test.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "../parse.h"

struct spec_case {
	const char *text;
	struct cma_spec spec;
	const char *wrong;
};

static const struct spec_case spec_cases[] __initconst = {
	{ "64M", { .size = SZ_64M } },
	{ "0", { } },
	{ "16384K", { .size = SZ_16M } },
	{ "0x1000000", { .size = SZ_16M } },
	{ "1g", { .size = SZ_1G } },
	{ "64M@0x70000000",
	  { .size = SZ_64M, .base = 0x70000000, .has_base = true } },
	{ "64M@1G-2G", { .size = SZ_64M, .base = SZ_1G, .limit = SZ_2G,
			 .has_base = true, .has_limit = true } },
	{ "64M@0-256M", { .size = SZ_64M, .limit = SZ_256M,
			  .has_base = true, .has_limit = true } },
	{ "", .wrong = "a number is missing" },
	{ "M", .wrong = "a number is missing" },
	{ "-64M", .wrong = "a number is missing" },
	{ " 64M", .wrong = "a number is missing" },
	{ "64M@", .wrong = "a number is missing" },
	{ "64M@1G-", .wrong = "a number is missing" },
	{ "64X", .wrong = "unknown unit, K, M or G expected" },
	{ "0xg", .wrong = "not a number" },
	{ "08", .wrong = "not a number" },
	{ "1K1", .wrong = "garbage behind the area" },
	{ "99999999999999999999", .wrong = "number is too large" },
	{ "18446744073709551616M", .wrong = "number is too large" },
	{ "99999999E", .wrong = "number is too large" },
	{ "64M,", .wrong = "garbage behind the area" },
	{ "64MB", .wrong = "garbage behind the area" },
	{ "64M@1G+2G", .wrong = "garbage behind the area" },
	{ "64M-1G", .wrong = "garbage behind the area" },
	{ "64M@2G-1G", .wrong = "limit is not above the base" },
	{ "64M@1G-1G", .wrong = "limit is not above the base" },
	{ "64M@1G-1056M", .wrong = "area does not fit between base and limit" },
#ifndef CONFIG_PHYS_ADDR_T_64BIT
	{ "8G", .wrong = "number is too large" },
	{ "64M@0xfff00000",
	  .wrong = "area reaches past the end of the address space" },
#else
	{ "64M@0xfffffffffff00000",
	  .wrong = "area reaches past the end of the address space" },
#endif
};

static void __init parse_specs(struct kunit *test)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(spec_cases); i++) {
		const struct spec_case *c = &spec_cases[i];
		struct cma_spec spec, untouched;
		const char *wrong;

		memset(&spec, 0x5a, sizeof(spec));
		memset(&untouched, 0x5a, sizeof(untouched));
		wrong = cma_parse_spec(c->text, &spec);
		if (c->wrong) {
			KUNIT_EXPECT_STREQ_MSG(test, wrong ?: "nothing",
					       c->wrong, "%s", c->text);
			KUNIT_EXPECT_MEMEQ_MSG(test, &spec, &untouched,
					       sizeof(spec), "%s", c->text);
			continue;
		}
		KUNIT_ASSERT_NULL_MSG(test, wrong, "%s: %s", c->text, wrong);
		KUNIT_EXPECT_EQ_MSG(test, spec.size, c->spec.size, "%s",
				    c->text);
		KUNIT_EXPECT_EQ_MSG(test, spec.base, c->spec.base, "%s",
				    c->text);
		KUNIT_EXPECT_EQ_MSG(test, spec.limit, c->spec.limit, "%s",
				    c->text);
		KUNIT_EXPECT_EQ_MSG(test, spec.has_base, c->spec.has_base, "%s",
				    c->text);
		KUNIT_EXPECT_EQ_MSG(test, spec.has_limit, c->spec.has_limit,
				    "%s", c->text);
	}
}

static void __init parse_nodes(struct kunit *test)
{
	phys_addr_t sizes[4] = { };

	KUNIT_EXPECT_NULL(test, cma_parse_nodes("0:16M,3:1M", sizes, 4));
	KUNIT_EXPECT_EQ(test, sizes[0], (phys_addr_t)SZ_16M);
	KUNIT_EXPECT_EQ(test, sizes[1], (phys_addr_t)0);
	KUNIT_EXPECT_EQ(test, sizes[3], (phys_addr_t)SZ_1M);
}

static void __init parse_bad_nodes(struct kunit *test)
{
	static const char * const bad[][2] = {
		{ "", "a number is missing" },
		{ "1:2M,", "a number is missing" },
		{ "4:1M", "no such node" },
		{ "99999999999:1M", "no such node" },
		{ "1", "a colon is missing behind the node" },
		{ "1=1M", "a colon is missing behind the node" },
		{ "1:", "a number is missing" },
		{ "1:1M;2:1M", "garbage behind the size" },
		{ "0:1M,1:x", "a number is missing" },
	};
	phys_addr_t sizes[4] = { };

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_STREQ_MSG(test,
				       cma_parse_nodes(bad[i][0], sizes, 4) ?:
				       "nothing", bad[i][1], "%s", bad[i][0]);
		KUNIT_EXPECT_NULL(test, memchr_inv(sizes, 0, sizeof(sizes)));
	}
}

static struct kunit_case cma_parse_cases[] __refdata = {
	KUNIT_CASE(parse_specs),
	KUNIT_CASE(parse_nodes),
	KUNIT_CASE(parse_bad_nodes),
	{ }
};

static struct kunit_suite cma_parse_suite = {
	.name = "cma_parse",
	.test_cases = cma_parse_cases,
};

/* What is tested is there at boot only. */
kunit_test_init_section_suite(cma_parse_suite);

MODULE_DESCRIPTION("KUnit tests of the command line of contiguous memory");
MODULE_LICENSE("GPL");
