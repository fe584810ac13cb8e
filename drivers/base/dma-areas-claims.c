// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that a board keeps for others than areas: the kernel, the initial RAM
 * disk, the device tree itself and what is reserved in it, the crash kernel.
 *
 * Some of it is reserved only after the first area is declared, and memblock
 * knows nothing of it by then. So all of it is collected before that, and
 * mm/cma/place.c checks every area against it.
 *
 * No locks: boot only. Addresses and sizes are bytes.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/init.h>
#include <linux/initrd.h>
#include <linux/kernel.h>
#include <linux/libfdt.h>
#include <linux/memblock.h>
#include <linux/of_fdt.h>
#include <linux/pgtable.h>
#include <linux/string.h>
#include <asm/sections.h>

#include "dma-areas.h"

/* As the command line has it. */
static u64 crash_base __initdata;
static u64 crash_size __initdata;

/*
 * Only an address matters: without one, the crash kernel goes where there is
 * room. With "range:size,..." the largest size is as safe as any. A kernel that
 * cannot load a crash kernel keeps the memory for it as well: the line is the
 * board's.
 */
static int __init note_crashkernel(char *text)
{
	char *at = text ? strchr(text, '@') : NULL, *colon = text;

	/* The last one counts, and at 0 there is room anywhere. */
	crash_base = 0;
	crash_size = 0;
	if (!at)
		return 0;
	crash_base = memparse(at + 1, NULL);
	if (!crash_base)
		return 0;
	crash_size = memparse(text, NULL);
	if (strchr(text, ':'))
		crash_size = 0;
	while ((colon = strchr(colon, ':')) && colon < at)
		crash_size = max(crash_size, memparse(++colon, NULL));
	return 0;
}
early_param("crashkernel", note_crashkernel);

static void __init claim_kernel(void)
{
	phys_addr_t start = __pa_symbol(_stext), end = __pa_symbol(_end);

	/*
	 * The mapping of the kernel and of its page tables, which lie below it,
	 * is of sections, an area's is of pages.
	 */
#ifdef CONFIG_ARM
	start = ALIGN_DOWN((phys_addr_t)kernel_sec_start, PMD_SIZE);
	end = ALIGN((phys_addr_t)kernel_sec_end, PMD_SIZE);
#endif
	cma_claim_memory(start, end - start, "the kernel", false);
}

static void __init claim_initrd(void)
{
#ifdef CONFIG_BLK_DEV_INITRD
	cma_claim_memory(phys_initrd_start, phys_initrd_size,
			 "the initial RAM disk", false);
#endif
}

#ifdef CONFIG_OF_EARLY_FLATTREE

static void __init claim_reg(unsigned long node, const char *name, bool is_wish)
{
	int cells = dt_root_addr_cells + dt_root_size_cells, length;
	const __be32 *reg = of_get_flat_dt_prop(node, "reg", &length);

	if (!reg)
		return;
	for (; length >= cells * (int)sizeof(*reg);
	     length -= cells * sizeof(*reg)) {
		u64 base = dt_mem_next_cell(dt_root_addr_cells, &reg);
		u64 size = dt_mem_next_cell(dt_root_size_cells, &reg);

		cma_claim_memory(base, size, name, is_wish);
	}
}

static bool __init has_cells(int node, const char *property, int wanted)
{
	const __be32 *cells = of_get_flat_dt_prop(node, property, NULL);

	return cells && be32_to_cpup(cells) == wanted;
}

static bool __init is_enabled(unsigned long node)
{
	const char *status = of_get_flat_dt_prop(node, "status", NULL);

	return !status || !strcmp(status, "okay") || !strcmp(status, "ok");
}

static bool __init may_be_area(unsigned long node)
{
	return dma_area_is_node(node) &&
	       !of_get_flat_dt_prop(node, "no-map", NULL);
}

/* No other code reads a node that has neither "reg" nor "size". */
static void __init claim_wish(unsigned long node, const char *name)
{
	if (!of_get_flat_dt_prop(node, "reg", NULL) &&
	    !of_get_flat_dt_prop(node, "size", NULL))
		pr_err("%s: reg or size is missing\n", name);
	claim_reg(node, name, true);
}

/* Claims memory of all nodes, in any order: that of areas last. */
static void __init claim_nodes(const void *fdt)
{
	int parent = fdt_path_offset(fdt, "/reserved-memory"), node;

	/* The kernel does without all of it otherwise, and says so. */
	if (parent < 0 ||
	    !has_cells(parent, "#size-cells", dt_root_size_cells) ||
	    !has_cells(parent, "#address-cells", dt_root_addr_cells) ||
	    !of_get_flat_dt_prop(parent, "ranges", NULL))
		return;
	fdt_for_each_subnode(node, fdt, parent)
		if (is_enabled(node) && !may_be_area(node))
			claim_reg(node, fdt_get_name(fdt, node, NULL), false);
	fdt_for_each_subnode(node, fdt, parent)
		if (is_enabled(node) && may_be_area(node))
			claim_wish(node, fdt_get_name(fdt, node, NULL));
}

static void __init claim_device_tree(void)
{
	const void *fdt = initial_boot_params;
	u64 base, size;

	if (!fdt)
		return;
	/* ARM has reserved it by now, and calls it by a virtual address. */
	if (!IS_ENABLED(CONFIG_ARM))
		cma_claim_memory(initial_boot_params_pa, fdt_totalsize(fdt),
				 "the device tree", false);
	for (int i = 0; i < fdt_num_mem_rsv(fdt); i++)
		if (!fdt_get_mem_rsv(fdt, i, &base, &size))
			cma_claim_memory(base, size, "/memreserve/", false);
	claim_nodes(fdt);
}

#else

static void __init claim_device_tree(void)
{
}

#endif /* CONFIG_OF_EARLY_FLATTREE */

/**
 * dma_areas_note_board() - collect what a board keeps for others than areas
 *
 * Everybody who declares an area calls it first; only the first call counts.
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init dma_areas_note_board(void)
{
	static bool done __initdata;

	if (done)
		return;
	done = true;
	claim_kernel();
	claim_initrd();
	claim_device_tree();
	cma_claim_memory(crash_base, crash_size, "crashkernel=", false);
	dma_areas_note_addresses();
}
