// SPDX-License-Identifier: GPL-2.0
/*
 * Boot: where an area may lie.
 *
 * The device tree, the command line and the kernel image take memory that is
 * not for areas. Much of it is reserved in memblock later than the first area,
 * or never. So the callers first collect it in a table of claims. Each area,
 * however it was declared, is checked here against the claims and memblock
 * before anything is reserved.
 *
 * A claim in this file is on memory at boot, not on pageblocks as in
 * mm/contig/.
 *
 * No lock: one CPU runs, and nobody allocates yet. Addresses and sizes are
 * bytes.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/kmemleak.h>
#include <linux/limits.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "internal.h"
#include "place.h"

/**
 * struct cma_claim - memory that is taken, or will be
 * @base:	physical address of the first byte
 * @last:	physical address of the last byte
 * @owner:	name of the owner in the log
 * @for_area:	an area asks for this address: other areas avoid it unless they
 *		ask for an address, too
 */
struct cma_claim {
	phys_addr_t base;
	phys_addr_t last;
	const char *owner;
	bool for_area;
};

static struct cma_claim claims[256] __initdata;
static unsigned int nr_claims __initdata;
static bool claims_lost __initdata;

/* Return: the lowest claim that overlaps [@base, @last]; NULL if none does. */
static const struct cma_claim * __init
find_claim(phys_addr_t base, phys_addr_t last, bool with_areas)
{
	const struct cma_claim *lowest = NULL;

	for (unsigned int i = 0; i < nr_claims; i++) {
		const struct cma_claim *claim = &claims[i];

		if (claim->base > last || claim->last < base ||
		    (claim->for_area && !with_areas))
			continue;
		if (!lowest || claim->base < lowest->base)
			lowest = claim;
	}
	return lowest;
}

static bool __init is_all_memory(phys_addr_t base, phys_addr_t last)
{
	phys_addr_t start, end;
	u64 i;

	for_each_mem_range(i, &start, &end) {
		if (start > base || end - 1 < base)
			continue;
		if (end - 1 >= last)
			return true;
		base = end;
	}
	return false;
}

/**
 * cma_claim_memory() - keep areas away from memory
 * @base:	physical address; may be above what the kernel can address
 * @size:	bytes; nothing happens if it is 0
 * @owner:	name of the owner in the log; must stay valid
 * @for_area:	keep only areas away whose place the kernel chooses
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init cma_claim_memory(u64 base, u64 size, const char *owner,
			     bool for_area)
{
	u64 last = base + size - 1;

	if (!size || base > PHYS_ADDR_MAX)
		return;
	if (last < base || last > PHYS_ADDR_MAX)
		last = PHYS_ADDR_MAX;
	/* Ignore an area that will be refused. */
	if (for_area && (!is_all_memory(base, last) ||
			 find_claim(base, last, false)))
		return;
	if (nr_claims == ARRAY_SIZE(claims)) {
		if (!claims_lost)
			pr_err("the board reserves more than %zu ranges of memory, there will be no areas\n",
			       ARRAY_SIZE(claims));
		claims_lost = true;
		return;
	}
	claims[nr_claims++] = (struct cma_claim) {
		.base		= base,
		.last		= last,
		.owner		= owner,
		.for_area	= for_area,
	};
}

/**
 * cma_withdraw_claims() - drop all claims of an owner
 * @owner:	as passed to cma_claim_memory()
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init cma_withdraw_claims(const char *owner)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < nr_claims; i++)
		if (strcmp(claims[i].owner, owner))
			claims[nr++] = claims[i];
	nr_claims = nr;
}

/**
 * cma_is_claimed() - check whether memory is claimed
 * @base:	physical address
 * @size:	bytes, more than 0
 *
 * Context: Boot, while memblock hands out memory.
 * Return: true if any byte of it is claimed.
 */
bool __init cma_is_claimed(phys_addr_t base, phys_addr_t size)
{
	return find_claim(base, base + (size - 1), true);
}

/**
 * cma_highmem_start() - where low memory ends
 *
 * Context: Boot.
 * Return: first physical address of high memory; PHYS_ADDR_MAX if the kernel
 * has no high memory, or does not know yet.
 */
phys_addr_t __init cma_highmem_start(void)
{
	if (!IS_ENABLED(CONFIG_HIGHMEM) || !high_memory)
		return PHYS_ADDR_MAX;
	/* __pa() may not accept high_memory itself. */
	return __pa(high_memory - 1) + 1;
}

/* Find a MEMBLOCK_NOMAP range that overlaps [@base, @last]. */
static bool __init find_nomap_range(phys_addr_t base, phys_addr_t last,
				    phys_addr_t *found, phys_addr_t *found_last)
{
	struct memblock_region *region;

	for_each_mem_region(region) {
		phys_addr_t end = region->base + region->size - 1;

		if (!memblock_is_nomap(region) || region->base > last ||
		    end < base)
			continue;
		*found = region->base;
		*found_last = end;
		return true;
	}
	return false;
}

/* Find a reserved range that overlaps [@base, @last]. */
static bool __init find_reserved_range(phys_addr_t base, phys_addr_t last,
				       phys_addr_t *found,
				       phys_addr_t *found_last)
{
	phys_addr_t start, end;
	u64 i;

	for_each_reserved_mem_range(i, &start, &end) {
		if (start > last || end - 1 < base)
			continue;
		*found = start;
		*found_last = end - 1;
		return true;
	}
	return false;
}

/**
 * cma_is_mapped() - check that the kernel may map a range of memory
 * @base:	physical address
 * @size:	bytes, more than 0
 *
 * Context: Boot, while memblock hands out memory.
 * Return: true if all of the range is memory, and none is MEMBLOCK_NOMAP.
 */
bool __init cma_is_mapped(phys_addr_t base, phys_addr_t size)
{
	phys_addr_t last = base + (size - 1), found, found_last;

	return last >= base && is_all_memory(base, last) &&
	       !find_nomap_range(base, last, &found, &found_last);
}

/**
 * cma_check_mapped() - check and log whether memory must not be mapped
 * @base:	physical address
 * @last:	physical address of the last byte
 * @name:	name of the area, for the log
 *
 * Context: Boot, while memblock hands out memory.
 * Return: 0; -EBUSY if a part of it is MEMBLOCK_NOMAP.
 */
int __init cma_check_mapped(phys_addr_t base, phys_addr_t last,
			    const char *name)
{
	phys_addr_t found, found_last;

	if (!find_nomap_range(base, last, &found, &found_last))
		return 0;
	pr_err("%s: %pa-%pa overlaps memory that must not be mapped at %pa-%pa\n",
	       name, &base, &last, &found, &found_last);
	return -EBUSY;
}

static int __init check_area_range(phys_addr_t base, phys_addr_t last,
				   const char *name)
{
	const struct cma_claim *claim = find_claim(base, last, false);
	phys_addr_t found, found_last;
	int error;
	const struct cma *cma;

	if (claim) {
		pr_err("%s: %pa-%pa overlaps %s at %pa-%pa\n", name, &base,
		       &last, claim->owner, &claim->base, &claim->last);
		return -EBUSY;
	}
	error = cma_check_mapped(base, last, name);
	if (error)
		return error;
	if (!is_all_memory(base, last)) {
		pr_err("%s: %pa-%pa is not all memory\n", name, &base, &last);
		return -EINVAL;
	}
	cma = cma_area_intersecting(PFN_DOWN(base), PFN_DOWN(last) + 1);
	if (cma) {
		pr_err("%s: %pa-%pa overlaps area %s\n", name, &base, &last,
		       cma->name);
		return -EBUSY;
	}
	if (find_reserved_range(base, last, &found, &found_last)) {
		pr_err("%s: %pa-%pa overlaps memory that is in use at %pa-%pa\n",
		       name, &base, &last, &found, &found_last);
		return -EBUSY;
	}
	return 0;
}

/**
 * cma_check_memory() - check that memory can be reserved for an area
 * @base:	physical address
 * @size:	bytes
 * @name:	name of the area, for the log
 *
 * All areas pass this check, however they were declared.
 *
 * Context: Boot, while memblock hands out memory.
 * Return: 0; -EINVAL if the range is empty or not all memory; -EBUSY if a part
 * of it is reserved, claimed or MEMBLOCK_NOMAP, or belongs to another area, or
 * if claims were lost. The log says what is wrong.
 */
int __init cma_check_memory(phys_addr_t base, phys_addr_t size,
			    const char *name)
{
	if (claims_lost)
		return -EBUSY;
	if (!size || !cma_span_ok(base, size)) {
		pr_err("%s: %pa bytes at %pa make no sense\n", name, &size,
		       &base);
		return -EINVAL;
	}
	return check_area_range(base, base + (size - 1), name);
}

/**
 * cma_reserve_fixed() - reserve memory at a given address
 * @base:	physical address
 * @size:	bytes
 * @name:	name of the area, for the log
 *
 * Context: Boot, while memblock hands out memory.
 * Return: 0; -ENOMEM if memblock has no room to note it; -EINVAL and -EBUSY as
 * cma_check_memory().
 */
int __init cma_reserve_fixed(phys_addr_t base, phys_addr_t size,
			     const char *name)
{
	int error = cma_check_memory(base, size, name);

	if (error)
		return error;
	error = memblock_reserve(base, size);
	if (error)
		pr_err("%s: memblock has no room to note %pa bytes at %pa\n",
		       name, &size, &base);
	return error ? -ENOMEM : 0;
}

/* Let memblock choose in [@base, @limit), but avoid claims. 0 if none. */
static phys_addr_t __init place_area_between(phys_addr_t size,
					     phys_addr_t align,
					     phys_addr_t base,
					     phys_addr_t limit, int nid)
{
	const struct cma_claim *claim;
	phys_addr_t place;

	while (base < limit && limit - base >= size) {
		place = memblock_alloc_range_nid(size, align, base, limit, nid,
						 true);
		if (!place)
			break;
		claim = find_claim(place, place + (size - 1), true);
		if (!claim)
			return place;
		memblock_phys_free(place, size);
		/* Do not wrap around past the last address. */
		if (memblock_bottom_up())
			base = claim->last + (claim->last < PHYS_ADDR_MAX);
		else
			limit = claim->base;
	}
	return 0;
}

/*
 * Find a place in [@base, @limit), preferably where neither devices of limited
 * reach nor unmovable kernel memory need it: above 4 GiB, then in high memory.
 * The area does not cross the end of low memory: a buffer must lie in one zone.
 * Return: 0 if there is no place.
 */
static phys_addr_t __init find_area_place(phys_addr_t size, phys_addr_t align,
					  phys_addr_t base, phys_addr_t limit,
					  int nid)
{
	phys_addr_t highmem = cma_highmem_start();
	u64 above_4g = max_t(u64, base, SZ_4G);
	phys_addr_t place = 0;

	if (above_4g < limit && !memblock_bottom_up()) {
		memblock_set_bottom_up(true);
		place = place_area_between(size, align, above_4g, limit, nid);
		memblock_set_bottom_up(false);
	}
	if (!place && highmem < limit)
		place = place_area_between(size, align, max(base, highmem),
					   limit, nid);
	if (!place && base < highmem)
		place = place_area_between(size, align, base,
					   min(limit, highmem), nid);
	/* kmemleak must not scan it: no pointers, and perhaps no mapping. */
	if (place)
		kmemleak_ignore_phys(place);
	return place;
}

/* Find the widest aligned part of [@start, @end) without a claim. */
static phys_addr_t __init widest_memory_gap(phys_addr_t start, phys_addr_t end,
					    phys_addr_t align,
					    phys_addr_t *size)
{
	phys_addr_t place = 0;

	*size = 0;
	while (start < end) {
		const struct cma_claim *claim = find_claim(start, end - 1,
							   true);
		phys_addr_t stop = claim ? max(claim->base, start) : end;
		phys_addr_t first = ALIGN(start, align);
		phys_addr_t last = ALIGN_DOWN(stop, align);

		/* Near the end of the address space, aligning wraps around. */
		if (first >= start && first < last && last - first > *size) {
			place = first;
			*size = last - first;
		}
		if (!claim || claim->last == PHYS_ADDR_MAX)
			break;
		start = claim->last + 1;
	}
	return place;
}

/*
 * Find the largest piece of free memory in [@base, @limit). Leave the lower
 * half of each free range in low memory to the kernel.
 */
static phys_addr_t __init largest_area_piece(phys_addr_t align,
					     phys_addr_t base,
					     phys_addr_t limit, int nid,
					     phys_addr_t *size)
{
	phys_addr_t highmem = cma_highmem_start();
	phys_addr_t start, end, place = 0;
	u64 i;

	*size = 0;
	for_each_free_mem_range(i, nid, MEMBLOCK_NONE, &start, &end, NULL) {
		phys_addr_t here, width;

		/* The sum of start and end might overflow phys_addr_t. */
		if (start < highmem)
			start += (min(end, highmem) - start) / 2;
		here = widest_memory_gap(max(start, base), min(end, limit),
					 align, &width);
		if (width > *size) {
			place = here;
			*size = width;
		}
	}
	return place;
}

/**
 * cma_place_free() - give back memory that was reserved for an area
 * @place:	the memory
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init cma_place_free(const struct cma_place *place)
{
	for (unsigned int i = 0; i < place->nr; i++)
		memblock_phys_free(place->base[i], place->size[i]);
}

/* Memory has holes, so it may be large enough only in several pieces. */
static int __init find_area_pieces(phys_addr_t size, phys_addr_t align,
				   phys_addr_t base, phys_addr_t limit, int nid,
				   const char *name, struct cma_place *place)
{
	while (size && place->nr < place->max) {
		phys_addr_t piece;
		phys_addr_t at = largest_area_piece(align, base, limit, nid,
						    &piece);

		if (!piece)
			break;
		/* Leave low addresses to devices of limited reach. */
		if (piece > size) {
			at += ALIGN_DOWN(piece - size, align);
			piece = size;
		}
		if (cma_reserve_fixed(at, piece, name))
			break;
		kmemleak_ignore_phys(at);
		place->base[place->nr] = at;
		place->size[place->nr++] = piece;
		size -= piece;
	}
	if (!size)
		return 0;
	cma_place_free(place);
	place->nr = 0;
	return -ENOMEM;
}

/**
 * cma_place_anywhere() - find and reserve memory for an area
 * @size:	bytes
 * @align:	alignment of each piece in bytes, a power of two
 * @base:	lowest physical address
 * @limit:	first physical address past the area
 * @nid:	NUMA node, NUMA_NO_NODE for any
 * @name:	name of the area, for the log
 * @place:	set to the memory: one piece if possible, otherwise up to
 *		@place->max
 *
 * Context: Boot, while memblock hands out memory.
 * Return: 0; -ENOMEM if there is no room or claims were lost, and nothing is
 * reserved.
 */
int __init cma_place_anywhere(phys_addr_t size, phys_addr_t align,
			      phys_addr_t base, phys_addr_t limit, int nid,
			      const char *name, struct cma_place *place)
{
	place->nr = 0;
	if (claims_lost)
		return -ENOMEM;
	place->base[0] = find_area_place(size, align, base, limit, nid);
	place->size[0] = size;
	if (!place->base[0])
		return find_area_pieces(size, align, base, limit, nid, name,
					place);
	place->nr = 1;
	return 0;
}
