// SPDX-License-Identifier: GPL-2.0
/*
 * A board whose code asks for what makes no sense. The log says so, and the
 * board boots on with what does make sense; samples/cma/board.c is the one to
 * learn from.
 *
 * The machine is found by its compatible string, "linux,cma-test-board".
 */
#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <asm/mach/arch.h>

/* One more than there can be, and the last one is missed. */
static void __init define_types(void)
{
	static const char * const names[] __initconst = {
		"type1", "type2", "type3", "type4", "type5", "type6", "type7",
		"type8", "type9",
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		const struct dma_contiguous_area_desc type = {
			.type		= names[i],
			.base		= 0x44000000,
			.limit		= 0x46000000,
		};

		dma_contiguous_define_type(&type);
	}
}

/* Memory that memblock knows of and nobody has named. */
#define UNMAPPED	0x46000000
#define USED		0x46400000

static void __init declare_in_the_way(void)
{
	static struct dma_contiguous_area_desc area __initdata = {
		.type		= "unmapped",
		.size		= SZ_4M,
		.base		= UNMAPPED,
		.fixed		= true,
	};

	memblock_mark_nomap(UNMAPPED, SZ_64K);
	dma_contiguous_declare(&area, NULL);
	memblock_reserve(USED, SZ_64K);
	area.type = "used";
	area.base = USED;
	dma_contiguous_declare(&area, NULL);
}

/* Code of the kernel's own that makes an area of what is none. */
static void __init make_of_nothing(void)
{
	struct cma *cma;

	cma_init_reserved_mem(0x46800000, SZ_1M, 0, "unreserved", &cma);
	memblock_reserve(0x46800000, SZ_4M);
	cma_init_reserved_mem(0x46800000, SZ_1M, 20, "coarse", &cma);
	cma_init_reserved_mem(0x46801000, SZ_1M, 4, "slanted", &cma);
	cma_init_reserved_mem(0x46800000, SZ_4M, 0, "made", &cma);
	cma_init_reserved_mem(0x46900000, SZ_1M, 0, "twice", &cma);
	memblock_mark_nomap(0x46c00000, SZ_4M);
	memblock_reserve(0x46c00000, SZ_4M);
	cma_init_reserved_mem(0x46c00000, SZ_4M, 0, "hollow", &cma);
	memblock_reserve(0x90000000, SZ_4M);
	cma_init_reserved_mem(0x90000000, SZ_4M, 0, "beyond", &cma);
}

/* More than there is room for: of areas, and of their names. */
static void __init declare_too_many(void)
{
	static char name[100] __initdata;
	const struct dma_contiguous_area_desc area = { .type = name };

	memset(name, 'n', sizeof(name) - 1);
	for (unsigned int i = 0; i < 40; i++)
		dma_contiguous_declare(&area, NULL);
}

static void __init test_reserve(void)
{
	static const struct dma_contiguous_area_desc odd __initconst = {
		.type		= "odd",
		.devices	= "camera",
		.size		= SZ_4M,
		.fit		= "worst",
	};
	static const struct dma_contiguous_area_desc uneven __initconst = {
		.type		= "uneven",
		.size		= SZ_4M,
		.alignment	= 3 * SZ_4M,
	};
	static const struct dma_contiguous_area_desc placed __initconst = {
		.type		= "type8",
		.size		= SZ_4M,
	};
	/* An address is had though others were asked for first. */
	static const struct dma_contiguous_area_desc told __initconst = {
		.type		= "told",
		.size		= SZ_4M,
		.base		= 0x4ec00000,
		.fixed		= true,
	};

	define_types();
	dma_contiguous_declare(&odd, NULL);
	dma_contiguous_declare(&uneven, NULL);
	dma_contiguous_declare(&placed, NULL);
	dma_contiguous_declare(&told, NULL);
	declare_in_the_way();
	make_of_nothing();
	declare_too_many();
}

static const char * const test_compatible[] __initconst = {
	"linux,cma-test-board",
	NULL
};

DT_MACHINE_START(CMA_TEST, "Test board with areas that make no sense")
	.dt_compat	= test_compatible,
	.reserve	= test_reserve,
MACHINE_END
