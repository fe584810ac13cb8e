// SPDX-License-Identifier: GPL-2.0
/*
 * Loads the kernel that is to run next, or drops the one that was loaded.
 *
 *	kexec IMAGE		its segments may lie in the default area
 *	kexec IMAGE elsewhere	they may not
 *	kexec			drops it
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The headers of user space may be those of an older kernel. */
#ifndef KEXEC_FILE_NO_CMA
#define KEXEC_FILE_NO_CMA	0x10
#endif

int main(int argc, char **argv)
{
	unsigned long flags = argc > 1 ? KEXEC_FILE_NO_INITRAMFS :
					 KEXEC_FILE_UNLOAD;
	int fd = -1;

	if (argc > 1) {
		fd = open(argv[1], O_RDONLY);
		if (fd < 0)
			err(1, "%s", argv[1]);
	}
	if (argc > 2)
		flags |= KEXEC_FILE_NO_CMA;
	if (syscall(SYS_kexec_file_load, fd, -1, 1UL, "", flags))
		err(1, "kexec_file_load");
	return 0;
}
