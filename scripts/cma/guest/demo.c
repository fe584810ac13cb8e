// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's half of the demonstration: fills memory with page cache and data
 * of programs, lets a driver take buffers, and reports.
 *
 * Each line it prints begins with "demo:" and a word for scripts/cma/demo.py:
 *   head, say, map (a row of the picture), row (of a table), good, bad
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cma_test_lib.h"

#define NR_PROGRAMS	3
#define PROGRAM_SIZE	(24 * MIB)
#define MAP_ROWS	4
#define FULL_KIB	4096	/* free in the area when it counts as full */
#define FRAME_MIB	23	/* of the camera, rounded down */

struct program {
	int ask;	/* any word asks the program to verify its data */
	int answer;	/* number of pages with wrong data */
};

static struct ct_area area;
static struct program programs[NR_PROGRAMS];
static const char *file;
static off_t file_offset;
static int nr_bad;

__attribute__((format(printf, 2, 3)))
static void put(const char *kind, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("demo: %s ", kind);
	vprintf(format, args);
	printf("\n");
	va_end(args);
	nr_bad += !strcmp(kind, "bad");
}

static double mib(unsigned long nr_pages)
{
	return nr_pages * (double)ct_page_size / MIB;
}

/* Draws the area, with the program that everybody has for this. */
static void draw(void)
{
	char command[128], line[256];
	FILE *picture;

	fflush(stdout);
	snprintf(command, sizeof(command),
		 "/cmastat --color=always --width=80 --rows=%d map %s 2>&1",
		 MAP_ROWS, area.name);
	picture = popen(command, "r");
	while (picture && fgets(line, sizeof(line), picture))
		put("map", "%.*s", (int)strcspn(line, "\n"), line);
	if (!picture || pclose(picture))
		put("bad", "cmastat cannot look at the area");
}

static void say_usage(void)
{
	long nr_anon = ct_area_count(&area, CT_KPF_ANON, 0);
	long nr_file = ct_area_count(&area, CT_KPF_LRU, CT_KPF_ANON);
	long nr_held = ct_area_debugfs(&area, "used");

	put("say", "In the area: %.1f MiB of files, %.1f MiB of programs, "
	    "%.1f MiB held by drivers.", mib(nr_file), mib(nr_anon),
	    mib(nr_held));
	put("say", "Free on the whole board: %.1f MiB of %.0f MiB.",
	    ct_meminfo_kib("MemFree") / 1024.0,
	    ct_meminfo_kib("MemTotal") / 1024.0);
}

/* Runs a program that writes data, and verifies them when it is asked to. */
static void run_program(int ask, int answer_to)
{
	struct ct_mem mem;
	unsigned long answer = ct_mem_init(&mem, CT_ANON,
					   PROGRAM_SIZE / ct_page_size);

	if (!answer)
		ct_mem_write(&mem, 0, mem.nr_pages);
	while (write(answer_to, &answer, sizeof(answer)) == sizeof(answer) &&
	       read(ask, &answer, sizeof(answer)) == sizeof(answer))
		answer = ct_mem_verify(&mem);
	exit(0);
}

/* Returns the answer of a program: 0 is good, -1 means that it died. */
static unsigned long listen_to(const struct program *program)
{
	unsigned long answer;

	if (read(program->answer, &answer, sizeof(answer)) != sizeof(answer))
		return -1UL;
	return answer;
}

static void start_programs(void)
{
	int i, to[2], from[2];

	for (i = 0; i < NR_PROGRAMS; i++) {
		if (pipe(to) || pipe(from))
			put("bad", "pipe: %s", strerror(errno));
		fflush(stdout);
		if (!fork()) {
			close(to[1]);
			close(from[0]);
			run_program(to[0], from[1]);
		}
		close(to[0]);
		close(from[1]);
		programs[i].ask = to[1];
		programs[i].answer = from[0];
		if (listen_to(&programs[i]))
			put("bad", "program %d could not start", i + 1);
	}
}

static void verify_programs(void)
{
	unsigned long answer = 0;
	bool good = true;
	int i;

	for (i = 0; i < NR_PROGRAMS; i++) {
		if (write(programs[i].ask, &answer, sizeof(answer)) < 0 ||
		    listen_to(&programs[i])) {
			put("bad", "program %d lost data", i + 1);
			good = false;
		}
	}
	if (good)
		put("good", "The programs compared their %lu MiB byte for "
		    "byte: nothing changed.",
		    NR_PROGRAMS * PROGRAM_SIZE / MIB);
}

static void fill_from_file(void)
{
	int err = ct_read_on(file, &file_offset, 0, FULL_KIB);

	if (err)
		put("bad", "%s: %s", file, strerror(-err));
	if (ct_meminfo_kib("CmaFree") > 2 * FULL_KIB)
		put("bad", "the area is not full: %ld KiB free",
		    ct_meminfo_kib("CmaFree"));
}

static const char *mark(const struct dma_test_check *check, uint32_t property)
{
	if (!(check->tested & property))
		return "?";
	return check->found & property ? "yes" : "NO";
}

static uint32_t take_buffer(int fd, const char *name, size_t size)
{
	struct dma_test_check check;
	struct dma_test_alloc buf;
	int err = ct_dma_alloc(fd, size, DMA_TEST_KERNEL, 0, &buf);

	if (!err)
		err = ct_dma_check(fd, buf.id, &check);
	if (err) {
		put("bad", "%s: %s", name, strerror(-err));
		return 0;
	}
	put("row", "%-8s  0x%08llx  %-10s  %-7s  %-8s  %-8s  %6.1f ms", name,
	    (unsigned long long)buf.dma_addr,
	    mark(&check, DMA_TEST_CONTIGUOUS), mark(&check, DMA_TEST_ZEROED),
	    mark(&check, DMA_TEST_WRITABLE),
	    mark(&check, DMA_TEST_UNCACHED | DMA_TEST_UNALIASED),
	    buf.time_ns / 1e6);
	if (check.found != check.tested)
		put("bad", "%s is not what a driver was promised", name);
	if (ct_dma_fill(fd, buf.id, buf.id))
		put("bad", "%s cannot be filled", name);
	return buf.id;
}

static void use_driver(void)
{
	static const struct {
		const char *name;
		size_t size;
	} wants[] = {
		{ "16 MiB", 16 * MIB }, { "4 MiB", 4 * MIB },
		{ "300 KiB", 300 * KIB },
	};
	long nr_moved = ct_vmstat("pgmigrate_success");
	long used = ct_area_debugfs(&area, "used");
	int fd = ct_dma_open(), i;
	uint32_t ids[3];

	put("head",
	    "A driver asks for memory: three times dma_alloc_coherent()");
	put("row", "%-8s  %-10s  %-10s  %-7s  %-8s  %-8s  %9s", "size",
	    "address", "contiguous", "zeroed", "writable", "uncached", "took");
	for (i = 0; i < 3; i++)
		ids[i] = take_buffer(fd, wants[i].name, wants[i].size);
	put("say", "%.1f MiB of other users' pages moved out of the way, "
	    "clean file pages were dropped.",
	    mib(ct_vmstat("pgmigrate_success") - nr_moved));
	draw();
	verify_programs();
	for (i = 0; i < 3; i++)
		if (ct_dma_verify(fd, ids[i], ids[i]))
			put("bad", "%s: its contents changed", wants[i].name);

	put("head", "The buffers go back, and the memory is used again");
	for (i = 0; i < 3; i++)
		if (ct_dma_free(fd, ids[i]))
			put("bad", "%s does not go back", wants[i].name);
	close(fd);
	if (ct_area_debugfs(&area, "used") != used)
		put("bad", "drivers still hold %ld pages more than before",
		    ct_area_debugfs(&area, "used") - used);
	put("say", "Free in the area now: %.1f MiB. The file is read on.",
	    ct_meminfo_kib("CmaFree") / 1024.0);
	fill_from_file();
	draw();
	say_usage();
	verify_programs();
}

/* Runs a command; gets the last line of its output, returns its status. */
static int run_command(const char *command, char *line, size_t size)
{
	FILE *pipe = popen(command, "r");

	line[0] = '\0';
	while (pipe && fgets(line, size, pipe))
		;
	line[strcspn(line, "\n")] = '\0';
	return pipe ? pclose(pipe) : -1;
}

/*
 * Two frames of 23.7 MiB fit. With four bytes a pixel, two frames would need
 * all of the 64 MiB, and 256 KiB of these are the kernel's atomic pool.
 */
static void use_camera(void)
{
	long used = ct_area_debugfs(&area, "used"), now;
	bool seen = false;
	char line[256];
	int status;
	pid_t pid;

	put("head",
	    "A real client: the vivid camera driver, memory still full");
	status = run_command("modprobe vivid allocators=1 n_devs=1 && v4l2-ctl "
		"-d /dev/video0 --set-fmt-video=width=3840,height=2160,"
		"pixelformat=RGB3 --set-parm=15 2>&1", line, sizeof(line));
	if (status) {
		put("bad", "vivid: %s", line);
		return;
	}
	run_command("v4l2-ctl -d /dev/video0 --get-fmt-video | "
		    "awk '/Width/ {w = $3} /Pixel/ {p = $4} /Size Image/ "
		    "{print w, p, $4}'", line, sizeof(line));
	put("say", "It streams 60 frames (size, format, bytes of one: %s).",
	    line);
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(!!run_command("v4l2-ctl -d /dev/video0 --stream-mmap=2 "
				    "--stream-count=60 2>&1", line,
				    sizeof(line)));
	while (!waitpid(pid, &status, WNOHANG)) {
		now = ct_area_debugfs(&area, "used");
		if (!seen && mib(now - used) > 2 * FRAME_MIB) {
			seen = true;
			draw();
		}
		usleep(100000);
	}
	if (status)
		put("bad", "v4l2-ctl failed, status %d", WEXITSTATUS(status));
	else if (!seen)
		put("bad", "the frames did not come from the area");
	else
		put("good", "60 frames, through two buffers in the area.");
	if (ct_area_debugfs(&area, "used") != used)
		put("bad", "the camera's buffers did not go back");
	verify_programs();
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	ct_init(&area);
	file = ct_big_file();
	if (!file) {
		put("bad", "no disk");
		return 1;
	}

	put("head", "Before: %.0f MiB are set aside for devices",
	    mib(area.nr_pages));
	draw();
	put("head", "Memory fills up: a file on ext4 is read, %d programs run",
	    NR_PROGRAMS);
	ct_read_on(file, &file_offset, 96 * MIB, 0);
	start_programs();
	fill_from_file();
	draw();
	say_usage();
	use_driver();
	use_camera();
	return nr_bad ? 1 : 0;
}
