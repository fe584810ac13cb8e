// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that a board reserves for other purposes than areas: the kernel, the
 * initial RAM disk, the device tree and its reserved memory, the crash kernel.
 *
 * memblock learns of some of it only after the first area is declared. So all
 * of it is collected before that, and mm/cma/place.c checks every area against
 * it.
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

/* From "crashkernel="; a size of 0 needs no claim. */
static u64 crash_base __initdata;
static u64 crash_size __initdata;

/* Such options ask for more memory, which has no address. */
static bool __init dma_area_crashkernel_is_more(const char *text)
{
	static const char * const kinds[] __initconst = { "high", "low", "cma" };
	const char *comma = text ? strrchr(text, ',') : NULL;

	return comma && match_string(kinds, ARRAY_SIZE(kinds), comma + 1) >= 0;
}

/*
 * A crash kernel without an address goes where there is room, and so does one
 * at address 0. For "range:size,..." the largest size is safe. The last option
 * counts. A kernel that cannot load a crash kernel reserves the memory, too, as
 * the command line belongs to the board and not to one kernel.
 */
static int __init dma_area_parse_crashkernel(char *text)
{
	char *at = text ? strchr(text, '@') : NULL, *colon = text;

	if (dma_area_crashkernel_is_more(text))
		return 0;
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
early_param("crashkernel", dma_area_parse_crashkernel);

static void __init dma_area_claim_kernel(void)
{
	phys_addr_t start = __pa_symbol(_stext), end = __pa_symbol(_end);

	/*
	 * ARM maps the kernel, and its page tables below it, with sections. An
	 * area is mapped with pages, so it cannot share a section with them.
	 */
#ifdef CONFIG_ARM
	start = ALIGN_DOWN((phys_addr_t)kernel_sec_start, PMD_SIZE);
	end = ALIGN((phys_addr_t)kernel_sec_end, PMD_SIZE);
#endif
	cma_claim_memory(start, end - start, "the kernel", false);
}

static void __init dma_area_claim_initrd(void)
{
#ifdef CONFIG_BLK_DEV_INITRD
	cma_claim_memory(phys_initrd_start, phys_initrd_size,
			 "the initial RAM disk", false);
#endif
}

#ifdef CONFIG_CMA_OF_AREAS

static bool __init dma_area_cells_match(int node, const char *property,
					int wanted)
{
	const __be32 *cells = of_get_flat_dt_prop(node, property, NULL);

	return cells && be32_to_cpup(cells) == wanted;
}

static bool __init dma_area_node_is_enabled(unsigned long node)
{
	const char *status = of_get_flat_dt_prop(node, "status", NULL);

	return !status || !strcmp(status, "okay") || !strcmp(status, "ok");
}

static bool __init dma_area_may_become_area(unsigned long node)
{
	return dma_area_is_node(node) &&
	       !of_get_flat_dt_prop(node, "no-map", NULL);
}

static void __init dma_area_claim_wish(unsigned long node, const char *name)
{
	/* of_reserved_mem.c skips such a node without a message. */
	if (!of_get_flat_dt_prop(node, "reg", NULL) &&
	    !of_get_flat_dt_prop(node, "size", NULL))
		pr_err("%s: reg or size is missing\n", name);
	dma_area_claim_reg(node, name, true);
}

/* Areas come last: what they wish for yields to all other claims. */
static void __init dma_area_claim_nodes(const void *fdt)
{
	int parent = fdt_path_offset(fdt, "/reserved-memory"), node;

	/* of_reserved_mem.c ignores all nodes then, with a message. */
	if (parent < 0 ||
	    !dma_area_cells_match(parent, "#size-cells", dt_root_size_cells) ||
	    !dma_area_cells_match(parent, "#address-cells",
				  dt_root_addr_cells) ||
	    !of_get_flat_dt_prop(parent, "ranges", NULL))
		return;
	fdt_for_each_subnode(node, fdt, parent)
		if (dma_area_node_is_enabled(node) &&
		    !dma_area_may_become_area(node))
			dma_area_claim_reg(node,
					   fdt_get_name(fdt, node, NULL),
					   false);
	fdt_for_each_subnode(node, fdt, parent)
		if (dma_area_node_is_enabled(node) &&
		    dma_area_may_become_area(node))
			dma_area_claim_wish(node,
					    fdt_get_name(fdt, node, NULL));
}

static void __init dma_area_claim_tree(void)
{
	const void *fdt = initial_boot_params;
	u64 base, size;

	if (!fdt)
		return;
	/* ARM has reserved the tree by now; its address there is virtual. */
	if (!IS_ENABLED(CONFIG_ARM))
		cma_claim_memory(initial_boot_params_pa, fdt_totalsize(fdt),
				 "the device tree", false);
	for (int i = 0; i < fdt_num_mem_rsv(fdt); i++)
		if (!fdt_get_mem_rsv(fdt, i, &base, &size))
			cma_claim_memory(base, size, "/memreserve/", false);
	dma_area_claim_nodes(fdt);
}

#else

static void __init dma_area_claim_tree(void)
{
}

#endif /* CONFIG_CMA_OF_AREAS */

/**
 * dma_area_note_board() - collect the memory that the board reserves
 *
 * Code that declares an area calls this first. Only the first call counts.
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init dma_area_note_board(void)
{
	static bool done __initdata;

	if (done)
		return;
	done = true;
	dma_area_claim_kernel();
	dma_area_claim_initrd();
	dma_area_claim_tree();
	cma_claim_memory(crash_base, crash_size, "crashkernel=", false);
	dma_area_note_addresses();
}
