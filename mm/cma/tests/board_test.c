// SPDX-License-Identifier: GPL-2.0
/*
 * A board whose code asks for what makes no sense. The log says so, and the
 * board boots on with what does make sense; samples/cma/board.c is the one to
 * learn from.
 *
 * The machine is found by its compatible string, "linux,cma-test-board".
 */
#include <linux/dma-map-ops.h>
#include <linux/init.h>
#include <linux/sizes.h>
#include <asm/mach/arch.h>

/* One more than there can be, and the last one is missed. */
static void __init define_types(void)
{
	static const char * const names[] __initconst = {
		"type1", "type2", "type3", "type4", "type5", "type6", "type7",
		"type8", "type9",
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		const struct dma_contiguous_area type = {
			.type		= names[i],
			.base		= 0x44000000,
			.limit		= 0x46000000,
		};

		dma_contiguous_define_type(&type);
	}
}

static void __init test_reserve(void)
{
	static const struct dma_contiguous_area odd __initconst = {
		.type		= "odd",
		.devices	= "camera",
		.size		= SZ_4M,
		.fit		= "worst",
	};
	static const struct dma_contiguous_area uneven __initconst = {
		.type		= "uneven",
		.size		= SZ_4M,
		.alignment	= 3 * SZ_4M,
	};
	static const struct dma_contiguous_area placed __initconst = {
		.type		= "type8",
		.size		= SZ_4M,
	};
	/* An address is had though others were asked for first. */
	static const struct dma_contiguous_area told __initconst = {
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
}

static const char * const test_compatible[] __initconst = {
	"linux,cma-test-board",
	NULL
};

DT_MACHINE_START(CMA_TEST, "Test board with areas that make no sense")
	.dt_compat	= test_compatible,
	.reserve	= test_reserve,
MACHINE_END
