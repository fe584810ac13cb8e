// SPDX-License-Identifier: GPL-2.0
/*
 * A pipeline of devices shares a buffer without a copy: the first device
 * exports its capture buffer and the others import it into their queues. The
 * devices are two vivid devices that use videobuf2's allocator for contiguous
 * memory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_areas.h"
#include "cma_test_lib.h"

/* Loads two devices with a capture and an output queue each. */
#define LOAD	"modprobe vivid n_devs=2 allocators=1,1 node_types=0x101,0x101"
#define UNLOAD	"modprobe -r vivid"

/* Controls of vivid, and their values. */
#define PATTERN_CONTROL	"Test Pattern"
#define PATTERN_BLACK	5
#define PATTERN_WHITE	6
#define TEXT_CONTROL	"OSD Text Mode"
#define TEXT_NONE	2

#define NR_BUFFERS	2
#define FRAMES_MAX	20	/* one of these has the new pattern */
#define FRAME_MS	20000	/* emulated boards are slow */

FIXTURE(cma_share) {
	struct ct_area area;
	long used;
	int camera, scaler, display;
};

static int find_device(const char *bus_info, uint32_t type)
{
	struct v4l2_capability cap;
	struct dirent *entry;
	DIR *dir = opendir("/dev");
	char path[300];
	int fd = -1;

	while (dir && fd < 0 && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "video", 5))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!ioctl(fd, VIDIOC_QUERYCAP, &cap) &&
		    !strcmp((char *)cap.bus_info, bus_info) &&
		    cap.device_caps & type)
			break;
		close(fd);
		fd = -1;
	}
	if (dir)
		closedir(dir);
	return fd;
}

static int set_control(int fd, const char *name, int value)
{
	struct v4l2_queryctrl query = { .id = V4L2_CTRL_FLAG_NEXT_CTRL };

	while (!ioctl(fd, VIDIOC_QUERYCTRL, &query)) {
		struct v4l2_control control = {
			.id = query.id, .value = value,
		};

		if (!strcmp((char *)query.name, name))
			return ioctl(fd, VIDIOC_S_CTRL, &control);
		query.id |= V4L2_CTRL_FLAG_NEXT_CTRL;
	}
	return -1;
}

/* vivid has a DMA mask of 32 bits. */
#define FAR_PFN(page_size)	((1ULL << 32) / (page_size))

FIXTURE_SETUP(cma_share)
{
	ct_init(&self->area);
	if (self->area.base_pfn + self->area.nr_pages > FAR_PFN(ct_page_size))
		SKIP(return, "vivid does not reach the area");
	if (system(LOAD " 2>/dev/null"))
		SKIP(return, "no vivid");
	self->used = ct_area_debugfs(&self->area, "used");
	self->camera = find_device("platform:vivid-000",
				   V4L2_CAP_VIDEO_CAPTURE);
	self->scaler = find_device("platform:vivid-001",
				   V4L2_CAP_VIDEO_CAPTURE);
	self->display = find_device("platform:vivid-001",
				    V4L2_CAP_VIDEO_OUTPUT);
	ASSERT_GE(self->camera, 0);
	ASSERT_GE(self->scaler, 0);
	ASSERT_GE(self->display, 0);
	ASSERT_EQ(0, set_control(self->camera, PATTERN_CONTROL, PATTERN_BLACK));
	ASSERT_EQ(0, set_control(self->scaler, PATTERN_CONTROL, PATTERN_WHITE));
	ASSERT_EQ(0, set_control(self->camera, TEXT_CONTROL, TEXT_NONE));
	ASSERT_EQ(0, set_control(self->scaler, TEXT_CONTROL, TEXT_NONE));
}

FIXTURE_TEARDOWN(cma_share)
{
	close(self->camera);
	close(self->scaler);
	close(self->display);
	EXPECT_EQ(self->used, ct_area_debugfs(&self->area, "used"));
	system(UNLOAD);
}

/* Sets the format of all devices; returns the size of a frame, 0 on failure. */
static size_t set_format(int fd, uint32_t type)
{
	struct v4l2_format format = { .type = type };

	if (ioctl(fd, VIDIOC_G_FMT, &format))
		return 0;
	format.fmt.pix.width = 640;
	format.fmt.pix.height = 360;
	format.fmt.pix.pixelformat = V4L2_PIX_FMT_YUYV;
	format.fmt.pix.bytesperline = 0;
	format.fmt.pix.sizeimage = 0;
	if (ioctl(fd, VIDIOC_S_FMT, &format))
		return 0;
	return format.fmt.pix.sizeimage;
}

static int request(int fd, uint32_t type, uint32_t memory, unsigned int nr)
{
	struct v4l2_requestbuffers req = {
		.count = nr, .type = type, .memory = memory,
	};

	if (ioctl(fd, VIDIOC_REQBUFS, &req))
		return -errno;
	return req.count >= nr ? 0 : -ENOMEM;
}

static int export(int fd, unsigned int index)
{
	struct v4l2_exportbuffer exp = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .index = index,
		.flags = O_RDWR | O_CLOEXEC,
	};

	return ioctl(fd, VIDIOC_EXPBUF, &exp) ? -errno : exp.fd;
}

/* @dmabuf is the buffer to use, or -1 for the device's own. */
static int queue(int fd, uint32_t type, unsigned int index, int dmabuf,
		 size_t size)
{
	struct v4l2_buffer buf = {
		.type = type, .index = index,
		.memory = dmabuf < 0 ? V4L2_MEMORY_MMAP : V4L2_MEMORY_DMABUF,
	};

	if (dmabuf >= 0)
		buf.m.fd = dmabuf;
	if (type == V4L2_BUF_TYPE_VIDEO_OUTPUT)
		buf.bytesused = size;
	return ioctl(fd, VIDIOC_QBUF, &buf) ? -errno : 0;
}

static int dequeue(int fd, uint32_t type, bool own)
{
	struct v4l2_buffer buf = {
		.type = type,
		.memory = own ? V4L2_MEMORY_MMAP : V4L2_MEMORY_DMABUF,
	};
	struct pollfd wait = {
		.fd = fd,
		.events = type == V4L2_BUF_TYPE_VIDEO_OUTPUT ? POLLOUT : POLLIN,
	};

	if (poll(&wait, 1, FRAME_MS) != 1)
		return -ETIMEDOUT;
	if (ioctl(fd, VIDIOC_DQBUF, &buf))
		return -errno;
	return buf.flags & V4L2_BUF_FLAG_ERROR ? -EIO : (int)buf.index;
}

static int stream(int fd, uint32_t type, bool on)
{
	return ioctl(fd, on ? VIDIOC_STREAMON : VIDIOC_STREAMOFF, &type);
}

/* Every second byte of YUYV is luma. */
static unsigned int percent_white(const unsigned char *frame, size_t size)
{
	size_t i, nr = 0;

	for (i = 0; i < size; i += 2)
		nr += frame[i] >= 0x80;
	return nr * 200 / size;
}

/* Captures until each buffer has a frame. */
static int capture(int fd, const int *dmabufs)
{
	const uint32_t type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	unsigned int i, seen = 0;
	int index;

	for (i = 0; i < NR_BUFFERS; i++)
		if (queue(fd, type, i, dmabufs ? dmabufs[i] : -1, 0))
			return -errno;
	if (stream(fd, type, true))
		return -errno;
	for (i = 0; i < FRAMES_MAX && seen != (1U << NR_BUFFERS) - 1; i++) {
		index = dequeue(fd, type, !dmabufs);
		if (index < 0)
			return index;
		seen |= 1U << index;
	}
	stream(fd, type, false);
	return seen == (1U << NR_BUFFERS) - 1 ? 0 : -EIO;
}

TEST_F(cma_share, pipeline)
{
	const uint32_t in = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	const uint32_t out = V4L2_BUF_TYPE_VIDEO_OUTPUT;
	size_t size = set_format(self->camera, in);
	unsigned long nr_pages = (size + ct_page_size - 1) / ct_page_size;
	struct ca_buffers before, after;
	unsigned char *frames[NR_BUFFERS];
	int bufs[NR_BUFFERS];
	unsigned int i, nr_inside = 0;
	long used;

	ASSERT_LT(0, size);
	ASSERT_EQ(size, set_format(self->scaler, in));
	ASSERT_EQ(size, set_format(self->display, out));

	/* The first device allocates in the area. */
	ca_buffers(&self->area, nr_pages, &before);
	ASSERT_EQ(0, request(self->camera, in, V4L2_MEMORY_MMAP, NR_BUFFERS));
	ca_buffers(&self->area, nr_pages, &after);
	EXPECT_EQ(before.nr + NR_BUFFERS, after.nr);
	for (i = 0; i < after.nr; i++)
		nr_inside += ca_holds(&self->area, after.first_pfns[i],
				      nr_pages);
	EXPECT_EQ(after.nr, nr_inside);
	used = ct_area_debugfs(&self->area, "used");
	EXPECT_EQ(self->used + (long)(NR_BUFFERS * nr_pages), used);

	for (i = 0; i < NR_BUFFERS; i++) {
		bufs[i] = export(self->camera, i);
		ASSERT_GE(bufs[i], 0);
		frames[i] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
				 bufs[i], 0);
		ASSERT_TRUE(frames[i] != MAP_FAILED);
	}
	ASSERT_EQ(0, capture(self->camera, NULL));
	for (i = 0; i < NR_BUFFERS; i++)
		EXPECT_GT(10, percent_white(frames[i], size));

	/* The next device writes to the same memory. */
	ASSERT_EQ(0, request(self->scaler, in, V4L2_MEMORY_DMABUF, NR_BUFFERS));
	ASSERT_EQ(0, capture(self->scaler, bufs));
	for (i = 0; i < NR_BUFFERS; i++)
		EXPECT_LT(90, percent_white(frames[i], size));

	/* The last device reads the same memory. */
	ASSERT_EQ(0, request(self->display, out, V4L2_MEMORY_DMABUF,
			     NR_BUFFERS));
	for (i = 0; i < NR_BUFFERS; i++)
		ASSERT_EQ(0, queue(self->display, out, i, bufs[i], size));
	ASSERT_EQ(0, stream(self->display, out, true));
	EXPECT_LE(0, dequeue(self->display, out, false));
	EXPECT_EQ(0, stream(self->display, out, false));
	EXPECT_EQ(used, ct_area_debugfs(&self->area, "used"));

	/* The memory stays until the last user has released it. */
	for (i = 0; i < NR_BUFFERS; i++) {
		munmap(frames[i], size);
		close(bufs[i]);
	}
	EXPECT_EQ(0, request(self->camera, in, V4L2_MEMORY_MMAP, 0));
	EXPECT_EQ(used, ct_area_debugfs(&self->area, "used"));
	EXPECT_EQ(0, request(self->scaler, in, V4L2_MEMORY_DMABUF, 0));
	EXPECT_EQ(used, ct_area_debugfs(&self->area, "used"));
	EXPECT_EQ(0, request(self->display, out, V4L2_MEMORY_DMABUF, 0));
	EXPECT_EQ(self->used, ct_area_debugfs(&self->area, "used"));
}

TEST_HARNESS_MAIN
