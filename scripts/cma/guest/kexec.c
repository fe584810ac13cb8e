// SPDX-License-Identifier: GPL-2.0
/*
 * Loads a kernel with kexec_file_load(), and starts it.
 *
 *	kexec load KERNEL INITRD COMMAND-LINE
 *	kexec elsewhere KERNEL INITRD COMMAND-LINE	not in the default area
 *	kexec crash KERNEL INITRD COMMAND-LINE	for when this one panics
 *	kexec start				the one that is loaded
 *	kexec unload
 *
 * INITRD may be empty.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The headers of user space may be those of an older kernel. */
#ifndef KEXEC_FILE_NO_CMA
#define KEXEC_FILE_NO_CMA	0x10
#endif

static int open_or_die(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static int load(unsigned long flags, char **args)
{
	int initrd = -1;

	if (*args[1])
		initrd = open_or_die(args[1]);
	else
		flags |= KEXEC_FILE_NO_INITRAMFS;
	return syscall(SYS_kexec_file_load, open_or_die(args[0]), initrd,
		       strlen(args[2]) + 1, args[2], flags);
}

int main(int argc, char **argv)
{
	int error;

	if (argc == 5 && !strcmp(argv[1], "load"))
		error = load(0, argv + 2);
	else if (argc == 5 && !strcmp(argv[1], "elsewhere"))
		error = load(KEXEC_FILE_NO_CMA, argv + 2);
	else if (argc == 5 && !strcmp(argv[1], "crash"))
		error = load(KEXEC_FILE_ON_CRASH, argv + 2);
	else if (argc == 2 && !strcmp(argv[1], "start"))
		error = reboot(RB_KEXEC);
	else if (argc == 2 && !strcmp(argv[1], "unload"))
		error = syscall(SYS_kexec_file_load, -1, -1, 0UL, NULL,
				KEXEC_FILE_UNLOAD);
	else
		errx(2, "load|elsewhere|crash KERNEL INITRD COMMAND-LINE, start or unload");
	if (error)
		err(1, "%s", argv[1]);
	return 0;
}
