// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the command line of the contiguous memory allocator.
 */
#include <kunit/test.h>
#include <linux/init.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/prandom.h>
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
	{ "64M@zz", .wrong = "a number is missing" },
	{ "64M@1G-", { .size = SZ_64M, .base = SZ_1G, .has_base = true,
		       .has_limit = true, .rest = "" } },
	{ "64M@0-", { .size = SZ_64M, .has_base = true, .has_limit = true,
		      .rest = "" } },
	{ "64X", { .size = 64, .rest = "X" } },
	{ "0xg", .wrong = "not a number" },
	{ "08", .wrong = "not a number" },
	{ "1K1", { .size = SZ_1K, .rest = "1" } },
	{ "0100M", { .size = SZ_64M } },
	{ "00000000000000000000000000064M", { .size = 52 * SZ_1M } },
	{ "64m@0X40000000", { .size = SZ_64M, .base = SZ_1G,
			      .has_base = true } },
	{ "99999999999999999999", .wrong = "number is too large" },
	{ "18446744073709551616M", .wrong = "number is too large" },
	{ "99999999E", .wrong = "number is too large" },
	{ "64M,", { .size = SZ_64M, .rest = "," } },
	{ "128MB", { .size = SZ_128M, .rest = "B" } },
	{ "64MiB@1G", { .size = SZ_64M, .rest = "iB@1G" } },
	{ "64M@1G+2G", { .size = SZ_64M, .base = SZ_1G, .has_base = true,
			 .rest = "+2G" } },
	{ "64M-1G", { .size = SZ_64M, .rest = "-1G" } },
	{ "64M@2G-1G", .wrong = "limit is not above the base" },
	{ "64M@1G-1G", .wrong = "limit is not above the base" },
	{ "64M@1G-1056M", .wrong = "area does not fit between base and limit" },
#ifndef CONFIG_PHYS_ADDR_T_64BIT
	{ "64M@0-4G", { .size = SZ_64M, .has_base = true, .has_limit = true } },
	{ "64M@1G-6G", { .size = SZ_64M, .base = SZ_1G, .has_base = true,
			 .has_limit = true } },
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
		KUNIT_EXPECT_STREQ_MSG(test, spec.rest, c->spec.rest ?: "",
				       "%s", c->text);
	}
}

/*
 * Values of "cma=" as boards and distributions use them, and some more.
 * @differs tells why the result differs from the parser of Linux 6.12; NULL if
 * it must be the same.
 */
struct corpus_case {
	const char *text;
	const char *differs;
};

static const struct corpus_case corpus[] __initconst = {
	{ "0" }, { "0M" }, { "0,64M" }, { "1" }, { "4096" }, { "64M" },
	{ "64m" }, { "65536k" }, { "65536K" }, { "0x4000000" }, { "0X4000000" },
	{ "0400000000" }, { "0100M" }, { "0x40M" }, { "1G" }, { "1g" },
	{ "128MB" }, { "128Mb" }, { "64MiB" }, { "64X" }, { "64M,64M" },
	{ "64M;foo" }, { "64M 32M" }, { "64M-1G" }, { "64M:1" }, { "64MM" },
	{ "64M@0" }, { "64M@0-" }, { "64M@0-256M" }, { "64M@1G" },
	{ "64M@1G-" }, { "64M@1G-2G" }, { "64M@0x40000000-0x50000000" },
	{ "64M@1GB" }, { "64M@1G-2G,32M" }, { "64M@1G-x" },
	{ "16M@0x40000000-0x41000000" }, { "64M@010000000000" },
	{ "256M@0x70000000-0x80000000" }, { "256M@0x30000000-0x40000000" },
	{ "64M@0-4G" },
#ifdef CONFIG_PHYS_ADDR_T_64BIT
	{ "64M@4G" }, { "64M@4G-8G" }, { "1T" }, { "1P@1P" }, { "64M@0-1E" },
	{ "4G@4G" }, { "1t" }, { "1p" }, { "1e" },
#else
	{ "64M@0-6G", "6.12 takes the lower 32 bits of the limit" },
	{ "4160M", "6.12 takes the lower 32 bits of the size" },
	{ "64M@5G", "6.12 takes the lower 32 bits of the base" },
	{ "1T", "6.12 takes the lower 32 bits of the size" },
#endif
	{ "", "an empty size is a mistake, not the wish for no area" },
	{ "foo", "an empty size is a mistake, not the wish for no area" },
	{ "-64M", "an empty size is a mistake, not the wish for no area" },
	{ "M", "an empty size is a mistake, not the wish for no area" },
	{ "@1G", "an empty size is a mistake, not the wish for no area" },
	{ "08M", "6.12 stops at the 8 and makes no area" },
	{ "0xM", "6.12 stops at the x and makes no area" },
	{ "64M@", "6.12 looks between 0 and 64M, and finds nothing" },
	{ "64M@zz", "6.12 looks between 0 and 64M, and finds nothing" },
	{ "18446744073709551616M", "6.12 wraps round" },
	{ "17179869184G", "6.12 wraps round" },
	{ "16E", "6.12 wraps round" },
	{ "64M@2G-1G", "6.12 reserves nothing, the new parser says why" },
};

/* Parses with memparse(), as Linux 6.12 does. */
static void __init parse_test_memparse(const char *text, phys_addr_t value[3])
{
	static const char separators[] __initconst = "@-";
	char *at = (char *)text;

	memset(value, 0, 3 * sizeof(*value));
	for (unsigned int i = 0; i < 3; i++) {
		value[i] = memparse(at, &at);
		if (*at != separators[i]) {
			/* An address alone ends where the area does. */
			if (i == 1)
				value[2] = value[1] + value[0];
			break;
		}
		at++;
	}
}

static void __init parse_like_memparse(struct kunit *test)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(corpus); i++) {
		const char *text = corpus[i].text;
		phys_addr_t peer[3], limit;
		struct cma_spec spec = { };
		const char *wrong = cma_parse_spec(text, &spec);
		bool same;

		parse_test_memparse(text, peer);
		limit = spec.has_base && !spec.has_limit ?
			spec.base + spec.size : spec.limit;
		same = !wrong && spec.size == peer[0] &&
		       spec.base == peer[1] && limit == peer[2];
		KUNIT_EXPECT_EQ_MSG(test, same, !corpus[i].differs,
				    "\"%s\": %s", text,
				    wrong ?: corpus[i].differs ?: "differs");
	}
}

static void __init parse_nodes(struct kunit *test)
{
	phys_addr_t sizes[4] = { };

	KUNIT_EXPECT_NULL(test, cma_parse_nodes("0:16M,3:1M", sizes, 4));
	KUNIT_EXPECT_EQ(test, sizes[0], (phys_addr_t)SZ_16M);
	KUNIT_EXPECT_EQ(test, sizes[1], (phys_addr_t)0);
	KUNIT_EXPECT_EQ(test, sizes[3], (phys_addr_t)SZ_1M);

	/* Sizes before a mistake take effect, as in Linux 6.12. */
	KUNIT_EXPECT_NULL(test, cma_parse_nodes("2:4M,", sizes, 4));
	KUNIT_EXPECT_EQ(test, sizes[2], (phys_addr_t)SZ_4M);
	KUNIT_EXPECT_STREQ(test, cma_parse_nodes("1:8MB,2:1M", sizes, 4),
			   "garbage behind the size");
	KUNIT_EXPECT_EQ(test, sizes[1], (phys_addr_t)SZ_8M);
	KUNIT_EXPECT_EQ(test, sizes[2], (phys_addr_t)SZ_4M);
	KUNIT_EXPECT_NULL(test, cma_parse_nodes("03:2M", sizes, 4));
	KUNIT_EXPECT_EQ(test, sizes[3], (phys_addr_t)SZ_2M);

	/* The last size of a node counts; 0 is a size, too. */
	KUNIT_EXPECT_NULL(test, cma_parse_nodes("1:1M,0:0,1:2M", sizes, 4));
	KUNIT_EXPECT_EQ(test, sizes[0], (phys_addr_t)0);
	KUNIT_EXPECT_EQ(test, sizes[1], (phys_addr_t)SZ_2M);
}

static void __init parse_bad_nodes(struct kunit *test)
{
	static const char * const bad[][2] = {
		{ "", "a number is missing" },
		{ "4:1M", "no such node" },
		{ "99999999999:1M", "no such node" },
		{ "1", "a colon is missing behind the node" },
		{ "1=1M", "a colon is missing behind the node" },
		{ "1:", "a number is missing" },
		{ "0x1:1M", "a colon is missing behind the node" },
		{ "1:x", "a number is missing" },
	};
	phys_addr_t sizes[4] = { };

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_STREQ_MSG(test,
				       cma_parse_nodes(bad[i][0], sizes, 4) ?:
				       "nothing", bad[i][1], "%s", bad[i][0]);
		KUNIT_EXPECT_NULL(test, memchr_inv(sizes, 0, sizeof(sizes)));
	}
}

#define TEN_LETTERS	"abcdefghij"

struct area_case {
	const char *text;
	struct cma_area_spec area;
	const char *wrong;
};

static const struct area_case area_cases[] __initconst = {
	{ "banka=20M", { .type = "banka", .spec.size = 20 * SZ_1M } },
	{ "banka/foo,bar=30M", { .type = "banka", .devices = "foo,bar",
				 .spec.size = 30 * SZ_1M } },
	{ "banka=0", { .type = "banka" } },
	{ "banka=8MB", { .type = "banka", .spec.size = SZ_8M } },
	{ "banka=8mb/1M", { .type = "banka", .spec.size = SZ_8M,
			    .alignment = SZ_1M } },
	{ "banka=8M@1G-", { .type = "banka",
			    .spec = { .size = SZ_8M, .base = SZ_1G,
				      .has_base = true, .has_limit = true } } },
	{ "dma/10000000.video*,soc:isp@1=8M",
	  { .type = "dma", .devices = "10000000.video*,soc:isp@1",
	    .spec.size = SZ_8M } },
	{ "a=16M@1G", { .type = "a", .spec = { .size = SZ_16M, .base = SZ_1G,
					       .has_base = true } } },
	{ "a=16M@1G-2G/8M:exclusive",
	  { .type = "a", .exclusive = true, .alignment = SZ_8M,
	    .spec = { .size = SZ_16M, .base = SZ_1G, .limit = SZ_2G,
		      .has_base = true, .has_limit = true } } },
	{ "a=1M/1M:first:fallback",
	  { .type = "a", .first_fit = true, .fallback = true,
	    .alignment = SZ_1M, .spec.size = SZ_1M } },
	{ "a=1M:heap", { .type = "a", .heap = true, .spec.size = SZ_1M } },
	{ "frames@48000000:first",
	  { .type = "frames@48000000", .elsewhere = true, .first_fit = true } },
	{ "linux,cma:heap:exclusive:fallback",
	  { .type = "linux,cma", .elsewhere = true, .heap = true,
	    .exclusive = true, .fallback = true } },
	{ "vault=1M:guaranteed:heap",
	  { .type = "vault", .guaranteed = true, .heap = true,
	    .spec.size = SZ_1M } },
	{ "linux,cma:guaranteed",
	  { .type = "linux,cma", .elsewhere = true, .guaranteed = true } },
	{ ":first", .wrong = "a name is missing" },
	{ "a:", .wrong =
	  "unknown option, exclusive, guaranteed, fallback, first or heap expected" },
	{ "a:first:", .wrong =
	  "unknown option, exclusive, guaranteed, fallback, first or heap expected" },
	{ "a:1M", .wrong =
	  "unknown option, exclusive, guaranteed, fallback, first or heap expected" },
	{ "a/foo:first",
	  .wrong = "a name has a character that cannot be in a name" },
	{ "a*:first",
	  .wrong = "a name has a character that cannot be in a name" },
	{ "a:b=1M",
	  .wrong = "a name has a character that cannot be in a name" },
	{ "a*=1M",
	  .wrong = "a name has a character that cannot be in a name" },
	{ "", .wrong = "a name is missing" },
	{ "-=4M", .wrong = "a name has neither letter nor digit" },
	{ "../camera=4M", .wrong = "a name has neither letter nor digit" },
	{ "=1M", .wrong = "a name is missing" },
	{ "/foo=1M", .wrong = "a name is missing" },
	{ "banka", .wrong = "an equals sign is missing behind the name" },
	{ "banka,bankb=1M",
	  .wrong = "an equals sign is missing behind the name" },
	{ "banka/=1M", .wrong = "a name is missing" },
	{ "banka/,foo=1M", .wrong = "name of a device is missing" },
	{ "banka/foo,=1M", .wrong = "name of a device is missing" },
	{ "banka/foo,,bar=1M", .wrong = "name of a device is missing" },
	{ "banka/foo/bar=1M",
	  .wrong = "an equals sign is missing behind the name" },
	{ TEN_LETTERS TEN_LETTERS TEN_LETTERS TEN_LETTERS TEN_LETTERS
	  TEN_LETTERS TEN_LETTERS TEN_LETTERS TEN_LETTERS TEN_LETTERS
	  TEN_LETTERS TEN_LETTERS TEN_LETTERS "=1M",
	  .wrong = "name is too long" },
	{ "ban ka=1M",
	  .wrong = "a name has a character that cannot be in a name" },
	{ "bank%s=1M",
	  .wrong = "a name has a character that cannot be in a name" },
	{ "banka=", .wrong = "a number is missing" },
	{ "banka=1M@", .wrong = "a number is missing" },
	{ "banka=1M/", .wrong = "a number is missing" },
	{ "banka=1M/0", .wrong = "alignment is not a power of two" },
	{ "banka=1M/3M", .wrong = "alignment is not a power of two" },
	{ "banka=1M+1M", .wrong = "garbage behind the area" },
	{ "banka=8MB@1G/1MB", .wrong = "garbage behind the area" },
	{ "banka=3X", .wrong = "unknown unit, K, M or G expected" },
	{ "banka=1Mx", .wrong = "unknown unit, K, M or G expected" },
	{ "ban+ka=1M",
	  .wrong = "a name has a character that cannot be in a name" },
	{ "banka=1M:", .wrong =
	  "unknown option, exclusive, guaranteed, fallback, first or heap expected" },
	{ "banka=1M:exclusively", .wrong =
	  "unknown option, exclusive, guaranteed, fallback, first or heap expected" },
	{ "banka=1M@2G-1G", .wrong = "limit is not above the base" },
};

static void __init parse_test_expect(struct kunit *test, const char *text,
				     const struct cma_area_spec *area,
				     const struct cma_area_spec *want)
{
	KUNIT_EXPECT_STREQ_MSG(test, area->type, want->type, "%s", text);
	KUNIT_EXPECT_STREQ_MSG(test, area->devices, want->devices, "%s", text);
	KUNIT_EXPECT_EQ_MSG(test, area->spec.size, want->spec.size, "%s", text);
	KUNIT_EXPECT_EQ_MSG(test, area->spec.base, want->spec.base, "%s", text);
	KUNIT_EXPECT_EQ_MSG(test, area->spec.limit, want->spec.limit, "%s",
			    text);
	KUNIT_EXPECT_EQ_MSG(test, area->alignment, want->alignment, "%s", text);
	KUNIT_EXPECT_EQ_MSG(test, area->exclusive, want->exclusive, "%s", text);
	KUNIT_EXPECT_EQ_MSG(test, area->guaranteed, want->guaranteed, "%s",
			    text);
	KUNIT_EXPECT_EQ_MSG(test, area->fallback, want->fallback, "%s", text);
	KUNIT_EXPECT_EQ_MSG(test, area->first_fit, want->first_fit, "%s", text);
	KUNIT_EXPECT_EQ_MSG(test, area->heap, want->heap, "%s", text);
	KUNIT_EXPECT_EQ_MSG(test, area->elsewhere, want->elsewhere, "%s", text);
}

static void __init parse_areas(struct kunit *test)
{
	struct cma_area_spec *area, *untouched;

	area = kunit_kmalloc(test, sizeof(*area), GFP_KERNEL);
	untouched = kunit_kmalloc(test, sizeof(*untouched), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, area);
	KUNIT_ASSERT_NOT_NULL(test, untouched);

	for (unsigned int i = 0; i < ARRAY_SIZE(area_cases); i++) {
		const struct area_case *c = &area_cases[i];
		const char *wrong;

		memset(area, 0x5a, sizeof(*area));
		memset(untouched, 0x5a, sizeof(*untouched));
		wrong = cma_parse_area(c->text, area);
		if (c->wrong) {
			KUNIT_EXPECT_STREQ_MSG(test, wrong ?: "nothing",
					       c->wrong, "%s", c->text);
			KUNIT_EXPECT_MEMEQ_MSG(test, area, untouched,
					       sizeof(*area), "%s", c->text);
			continue;
		}
		KUNIT_ASSERT_NULL_MSG(test, wrong, "%s: %s", c->text, wrong);
		parse_test_expect(test, c->text, area, &c->area);
	}
}

/* KASAN gets more texts, as it finds reads beyond a text. */
#define NR_RANDOM	(IS_ENABLED(CONFIG_KASAN) ? 1000000 : 50000)
#define RANDOM_SEED	20100803
#define RANDOM_MAX	72

/* Pieces of valid texts, so that some of the random texts are valid. */
static const char * const pieces[] __initconst = {
	"banka", "dma", "=", "=", "/", "foo", ",", "bar*", "64M", "0x1000",
	"0", "16K", "@", "1G", "-", "2G", ":", "exclusive", "fallback",
	"guaranteed", "first", ";", "18446744073709551615", "E", "08", "banka=64M",
	"banka/foo=8M", "a=1M@1G-2G", "/1M",
};

/* Puts a text at the end of @buffer, so that KASAN finds a read beyond it. */
static const char * __init parse_test_random(struct rnd_state *random,
					     char *buffer)
{
	char text[RANDOM_MAX];
	size_t length = 0;
	u32 nr = prandom_u32_state(random) % 8;

	while (nr--) {
		u32 number = prandom_u32_state(random);

		if (number % 16)
			length += scnprintf(text + length,
					    sizeof(text) - length, "%s",
					    pieces[(number >> 8) %
						   ARRAY_SIZE(pieces)]);
		else if (length < sizeof(text) - 1)
			text[length++] = (number >> 8) % 255 + 1;
	}
	text[length] = '\0';
	buffer += RANDOM_MAX - length - 1;
	memcpy(buffer, text, length + 1);
	return buffer;
}

/* Writes an area as text and parses it again; the result must be the same. */
static void __init parse_test_again(struct kunit *test,
				    const struct cma_area_spec *area,
				    struct cma_area_spec *again)
{
	const struct cma_spec *spec = &area->spec;
	char text[2 * CMA_PARSE_NAME + 128];
	int at;

	at = scnprintf(text, sizeof(text), "%s%s%s", area->type,
		       area->devices[0] ? "/" : "", area->devices);
	if (!area->elsewhere)
		at += scnprintf(text + at, sizeof(text) - at, "=%llu",
				(u64)spec->size);
	if (spec->has_base)
		at += scnprintf(text + at, sizeof(text) - at, "@%llu",
				(u64)spec->base);
	if (spec->has_limit)
		at += scnprintf(text + at, sizeof(text) - at, "-%llu",
				(u64)spec->limit);
	if (area->alignment)
		at += scnprintf(text + at, sizeof(text) - at, "/%llu",
				(u64)area->alignment);
	scnprintf(text + at, sizeof(text) - at, "%s%s%s%s%s",
		  area->exclusive ? ":exclusive" : "",
		  area->guaranteed ? ":guaranteed" : "",
		  area->fallback ? ":fallback" : "",
		  area->first_fit ? ":first" : "",
		  area->heap ? ":heap" : "");

	KUNIT_ASSERT_NULL_MSG(test, cma_parse_area(text, again), "%s", text);
	parse_test_expect(test, text, again, area);
}

static void __init parse_anything(struct kunit *test)
{
	struct cma_area_spec *area, *again;
	unsigned int nr_understood = 0;
	struct rnd_state random;
	struct cma_spec spec;
	phys_addr_t sizes[4];
	char *buffer;

	area = kunit_kmalloc(test, sizeof(*area), GFP_KERNEL);
	again = kunit_kmalloc(test, sizeof(*again), GFP_KERNEL);
	buffer = kunit_kmalloc(test, RANDOM_MAX, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, area);
	KUNIT_ASSERT_NOT_NULL(test, again);
	KUNIT_ASSERT_NOT_NULL(test, buffer);

	prandom_seed_state(&random, RANDOM_SEED);
	for (int i = 0; i < NR_RANDOM; i++) {
		const char *text = parse_test_random(&random, buffer);

		if (!cma_parse_spec(text, &spec) && spec.limit)
			KUNIT_ASSERT_LE_MSG(test, spec.size,
					    spec.limit - spec.base, "%s", text);
		cma_parse_nodes(text, sizes, ARRAY_SIZE(sizes));
		if (cma_parse_area(text, area))
			continue;
		nr_understood++;
		KUNIT_ASSERT_NE_MSG(test, area->type[0], '\0', "%s", text);
		KUNIT_ASSERT_TRUE_MSG(test, !area->alignment ||
				      is_power_of_2(area->alignment), "%s",
				      text);
		parse_test_again(test, area, again);
	}
	kunit_info(test, "%d texts, %u of them understood\n", NR_RANDOM,
		   nr_understood);
	/* Otherwise the test did not reach half of the parser. */
	KUNIT_EXPECT_GT(test, nr_understood, NR_RANDOM / 100);
}

static struct kunit_case cma_parse_cases[] __refdata = {
	KUNIT_CASE(parse_specs),
	KUNIT_CASE(parse_like_memparse),
	KUNIT_CASE(parse_areas),
	KUNIT_CASE(parse_nodes),
	KUNIT_CASE(parse_bad_nodes),
	KUNIT_CASE_SLOW(parse_anything),
	{ }
};

static struct kunit_suite cma_parse_suite = {
	.name = "cma_parse",
	.test_cases = cma_parse_cases,
};

/* The parser is __init code, so the tests run at boot. */
kunit_test_init_section_suite(cma_parse_suite);

MODULE_DESCRIPTION("KUnit tests of the command line of contiguous memory");
MODULE_LICENSE("GPL");
