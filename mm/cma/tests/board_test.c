// SPDX-License-Identifier: GPL-2.0
/*
 * A board whose code makes invalid requests. The kernel logs them and boots
 * with the valid ones. See samples/cma/board.c for an example to copy.
 *
 * The kernel finds the machine by its compatible string,
 * "linux,cma-test-board".
 */
#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <asm/mach/arch.h>

/* Defines one type more than a board may have; the kernel rejects the last. */
static void __init board_test_define_types(void)
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

/* Regions of memblock that no node names: one no-map, one reserved. */
#define UNMAPPED	0x46000000
#define USED		0x46400000

static void __init board_test_declare_overlaps(void)
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

/* Makes areas, as other kernel code may, of memory that cannot be an area. */
static void __init board_test_make_invalid(void)
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

/* Declares more areas than the kernel has room for, with too long a name. */
static void __init board_test_declare_too_many(void)
{
	static char name[100] __initdata;
	const struct dma_contiguous_area_desc area = { .type = name };

	memset(name, 'n', sizeof(name) - 1);
	for (unsigned int i = 0; i < 40; i++)
		dma_contiguous_declare(&area, NULL);
}

static void __init board_test_reserve(void)
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
	/* Areas with a fixed address are placed first, in whatever order. */
	static const struct dma_contiguous_area_desc told __initconst = {
		.type		= "told",
		.size		= SZ_4M,
		.base		= 0x4ec00000,
		.fixed		= true,
	};

	board_test_define_types();
	dma_contiguous_declare(&odd, NULL);
	dma_contiguous_declare(&uneven, NULL);
	dma_contiguous_declare(&placed, NULL);
	dma_contiguous_declare(&told, NULL);
	board_test_declare_overlaps();
	board_test_make_invalid();
	board_test_declare_too_many();
}

static const char * const board_test_compatible[] __initconst = {
	"linux,cma-test-board",
	NULL
};

DT_MACHINE_START(CMA_TEST, "Test board with areas that make no sense")
	.dt_compat	= board_test_compatible,
	.reserve	= board_test_reserve,
MACHINE_END
