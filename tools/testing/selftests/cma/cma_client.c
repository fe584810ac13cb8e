// SPDX-License-Identifier: GPL-2.0
/*
 * Takes buffers for a device of the device tree and checks where they lie:
 *
 *	cma_client DEVICE STEP...
 *
 * DEVICE is the name behind "cma_test." in /dev, or "-" for the driver's own
 * device. Each step is a test:
 *
 *	[N*]SIZE=AREA	take a buffer, or N of them, and expect it in the area
 *	use=TYPE	set the type of the next buffers; "use=" for none
 *	unknown=TYPE	expect that the device has no such type
 *	idle=AREA	expect that the page allocator has no page of the area
 *	lent=AREA	expect that the page allocator has pages of the area
 *	hibernate	fill the buffers, hibernate to swap, verify the buffers
 *
 * SIZE is in bytes, or in KiB or MiB with K or M behind it. All buffers are
 * held until the end, so that areas fill up. AREA is one of these:
 *
 *	NAME		name of an area
 *	none		memory outside of all areas
 *	declared	memory that the device tree declares for this device
 *	nothing		the request must fail
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../kselftest.h"
#include "cma_areas.h"
#include "cma_test_lib.h"

#define OUTSIDE	"none"
#define DECLARED "declared"
#define NOTHING	"nothing"

#define LOOK_PAGES	64	/* every area has at least as many */

#define HELD_MAX	64
#define SEED		0x51ee9

static const char *device_name;
static uint32_t held[HELD_MAX];
static unsigned int nr_held;

struct step {
	unsigned long nr;	/* number of buffers */
	size_t size;
	const char *area;
};

static int parse(const char *text, struct step *step)
{
	char *at;

	step->nr = 1;
	step->size = strtoul(text, &at, 0);
	if (*at == '*') {
		step->nr = step->size;
		step->size = strtoul(at + 1, &at, 0);
	}
	if (*at == 'K' || *at == 'M')
		step->size *= *at++ == 'K' ? KIB : MIB;
	step->area = at + 1;
	return *at == '=' && step->size && step->nr ? 0 : -EINVAL;
}

static bool is_where(const struct step *step, unsigned long pfn)
{
	unsigned long i, nr_pages = (step->size - 1) / ct_page_size + 1;
	unsigned long nr_inside = 0;
	char owner[64] = "nobody";
	struct ct_area area;

	if (ca_area_at(pfn, nr_pages, &area)) {
		ca_owner(&area, pfn, owner);
		ksft_print_msg("in area %s, owner %s\n", area.name, owner);
		return !strcmp(area.name, step->area) &&
		       !strcmp(owner, device_name);
	}
	for (i = 0; i < nr_pages; i += LOOK_PAGES)
		nr_inside += ca_area_at(pfn + i, 1, &area);
	ksft_print_msg("%s areas\n",
		       nr_inside ? "partly in" : "outside of all");
	return !nr_inside && (!strcmp(step->area, OUTSIDE) ||
			      !strcmp(step->area, DECLARED));
}

static bool take(int fd, const struct step *step)
{
	struct dma_test_check check;
	struct dma_test_alloc buf;
	int err;

	if (!strcmp(step->area, NOTHING))
		ksft_print_msg("expect-splat: alloc failed\n");
	err = ct_dma_alloc(fd, step->size, DMA_TEST_KERNEL, 0, &buf);
	if (err) {
		ksft_print_msg("no buffer: %s\n", strerror(-err));
		return err == -ENOMEM && !strcmp(step->area, NOTHING);
	}
	ksft_print_msg("%zu KiB at %#llx\n", step->size / KIB, buf.dma_addr);
	if (nr_held < HELD_MAX)
		held[nr_held++] = buf.id;
	err = ct_dma_check(fd, buf.id, &check);
	/*
	 * Ordinary memory has the kernel's cached mapping, too; see
	 * Documentation/mm/cma-arm.rst. Declared memory is mapped as a device.
	 */
	if (!strcmp(step->area, DECLARED))
		check.tested &= ~DMA_TEST_UNCACHED;
	else if (!strcmp(step->area, OUTSIDE))
		check.found ^= check.tested & DMA_TEST_UNALIASED;
	if (err || check.tested & ~check.found) {
		ksft_print_msg("tested %#x, found %#x\n", check.tested,
			       check.found);
		return false;
	}
	return is_where(step, buf.dma_addr / ct_page_size);
}

/* The page allocator has the area if some pages are free or on an LRU list. */
static bool is_lent(const char *name)
{
	unsigned int i, nr;
	static struct ct_area areas[CA_AREAS_MAX];
	long nr_free, nr_used;

	nr = ca_areas(areas);
	for (i = 0; i < nr && strcmp(areas[i].name, name); i++)
		;
	if (i == nr)
		ksft_exit_fail_msg("no area %s\n", name);
	nr_free = ct_area_count(&areas[i], CT_KPF_BUDDY, 0);
	nr_used = ct_area_count(&areas[i], CT_KPF_LRU, 0);
	ksft_print_msg("%s: %ld free, %ld in use\n", name, nr_free, nr_used);
	return nr_free || nr_used;
}

static int use(int fd, const char *type)
{
	struct dma_test_use arg = { };

	snprintf(arg.type, sizeof(arg.type), "%s", type);
	return ioctl(fd, DMA_TEST_IOC_USE, &arg) ? -errno : 0;
}

static bool hibernate(int fd)
{
	unsigned int i, nr_wrong = 0;
	int err;

	for (i = 0; i < nr_held; i++)
		if (ct_dma_fill(fd, held[i], SEED + i))
			return false;
	err = ct_write("/sys/power/state", "disk");
	for (i = 0; i < nr_held; i++)
		nr_wrong += !!ct_dma_verify(fd, held[i], SEED + i);
	ksft_print_msg("back: %s; %u of %u buffers wrong\n", strerror(-err),
		       nr_wrong, nr_held);
	return !err && nr_held && !nr_wrong;
}

static bool run_step(int fd, const char *text)
{
	struct step step;
	bool ok = true;

	if (!strncmp(text, "use=", 4))
		return !use(fd, text + 4);
	if (!strncmp(text, "unknown=", 8))
		return use(fd, text + 8) == -ENOENT;
	if (!strncmp(text, "idle=", 5))
		return !is_lent(text + 5);
	if (!strncmp(text, "lent=", 5))
		return is_lent(text + 5);
	if (!strcmp(text, "hibernate"))
		return hibernate(fd);
	if (parse(text, &step))
		ksft_exit_fail_msg("%s: not a step\n", text);
	for (; ok && step.nr; step.nr--)
		ok = take(fd, &step);
	return ok;
}

int main(int argc, char **argv)
{
	struct ct_area area;
	char path[128];
	int i, fd;

	if (argc < 3) {
		printf("usage: %s DEVICE [N*]SIZE=AREA...\n", argv[0]);
		return KSFT_FAIL;
	}
	ksft_print_header();
	ct_init(&area);
	snprintf(path, sizeof(path), DMA_TEST_DEVICE "%s%s",
		 strcmp(argv[1], "-") ? "." : "",
		 strcmp(argv[1], "-") ? argv[1] : "");
	device_name = strcmp(argv[1], "-") ? argv[1] : DMA_TEST_NAME;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));

	ksft_set_plan(argc - 2);
	for (i = 2; i < argc; i++)
		ksft_test_result(run_step(fd, argv[i]), "%s %s\n", argv[1],
				 argv[i]);
	close(fd);
	ksft_finished();
}
