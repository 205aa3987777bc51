/*
 * A V4L2 camera for tests, without a kernel device: load it with LD_PRELOAD, and /dev/video0 is
 * there for that process. Programs open it, ask for formats, map its buffers and wait for frames as
 * they do with a webcam; nothing in them is replaced.
 *
 * How it works: opening the device gives a memfd, so that mmap() of the buffers is the kernel's own.
 * ioctl() on such a descriptor is answered here, and select() wakes up when a frame is due.
 *
 * Raw pictures are red on the left half and blue on the right, so that swapped colours show;
 * compressed ones are the bytes of a file. Environment:
 *
 *   FAKEV4L2_PATH         the device (/dev/video0)
 *   FAKEV4L2_MODE         ok; absent, denied: open() fails; busy: another program has it;
 *                         no-capture: a device that captures no video
 *   FAKEV4L2_FORMATS      formats on offer, separated by commas, the default first (YUYV)
 *   FAKEV4L2_SIZE         WIDTHxHEIGHT (640x480)
 *   FAKEV4L2_FPS          frames per second, raw (30); compressed pictures come at 30
 *   FAKEV4L2_JPEG         the file that is sent as MJPG
 *   FAKEV4L2_LIE          1: MJPG is agreed to, but raw bytes are sent as if they were one
 *   FAKEV4L2_FAULT        what happens after FAKEV4L2_FAULT_AFTER frames (10): eio; unplug
 *                         (ENODEV); silent: no frame any more; other: FAKEV4L2_OTHER_JPEG is sent
 *   FAKEV4L2_OTHER_JPEG   a file: a picture of another size, or a torn one
 *
 * One device, one process; several threads may not use it at once.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

enum { MAX_DESCRIPTORS = 1024, MAX_BUFFERS = 32, COMPRESSED_FPS = 30 };

static bool is_ours[MAX_DESCRIPTORS];

/* The one stream; `owner` is the descriptor that asked for its buffers, or -1. */
static struct {
  int owner;
  bool running;
  uint32_t fourcc;
  uint32_t buffer_count;
  bool queued[MAX_BUFFERS];
  uint32_t order[MAX_BUFFERS]; /* buffers in the order in which they were queued */
  uint32_t order_length;
  uint32_t sequence;
  int64_t due_ns;
} stream = {.owner = -1};

/* ---- what the environment says ---- */

static const char *setting(const char *name, const char *fallback) {
  const char *value = getenv(name);
  return value && *value ? value : fallback;
}

static bool setting_is(const char *name, const char *value) {
  return strcmp(setting(name, ""), value) == 0;
}

static int number(const char *name, int fallback) {
  const char *value = getenv(name);
  return value && *value ? atoi(value) : fallback;
}

static void frame_size(uint32_t *width, uint32_t *height) {
  if (sscanf(setting("FAKEV4L2_SIZE", "640x480"), "%ux%u", width, height) != 2) abort();
}

/* The fourcc number `index` on offer, 0 after the last. */
static uint32_t format_on_offer(uint32_t index) {
  const char *formats = setting("FAKEV4L2_FORMATS", "YUYV");
  if (strlen(formats) < 5 * index + 4) return 0;
  const char *name = formats + 5 * index;
  return v4l2_fourcc(name[0], name[1], name[2], name[3]);
}

static bool is_on_offer(uint32_t fourcc) {
  for (uint32_t i = 0; format_on_offer(i); i++)
    if (format_on_offer(i) == fourcc) return true;
  return false;
}

static bool is_device(const char *path) {
  return path && strcmp(path, setting("FAKEV4L2_PATH", "/dev/video0")) == 0;
}

static int fail(int reason) {
  errno = reason;
  return -1;
}

/* ---- pictures ---- */

static size_t buffer_size(void) {
  uint32_t width, height;
  frame_size(&width, &height);
  return ((size_t)width * height * 2 + 4095) & ~(size_t)4095;
}

/* Two pixels in YUYV, BT.601: red is (81, 90, 240), blue (41, 240, 110). */
static size_t draw_raw(uint8_t *picture) {
  static const uint8_t red[4] = {81, 90, 81, 240}, blue[4] = {41, 240, 41, 110};
  uint32_t width, height;
  frame_size(&width, &height);
  for (uint32_t pair = 0; pair < width / 2 * height; pair++)
    memcpy(picture + 4 * pair, pair % (width / 2) < width / 4 ? red : blue, 4);
  return (size_t)width * height * 2;
}

static size_t load_file(const char *path, uint8_t *picture) {
  FILE *file = fopen(path, "rb");
  if (!file) abort();
  size_t length = fread(picture, 1, buffer_size(), file);
  fclose(file);
  return length;
}

static bool fault_is(const char *fault) {
  return setting_is("FAKEV4L2_FAULT", fault) &&
         stream.sequence >= (uint32_t)number("FAKEV4L2_FAULT_AFTER", 10);
}

/* Draw the next picture into a buffer and return how many bytes it takes. */
static size_t deliver(uint32_t index) {
  static uint8_t *picture;
  if (!picture && !(picture = malloc(buffer_size()))) abort();
  size_t length;
  if (fault_is("other"))
    length = load_file(setting("FAKEV4L2_OTHER_JPEG", ""), picture);
  else if (stream.fourcc == V4L2_PIX_FMT_MJPEG && !setting_is("FAKEV4L2_LIE", "1"))
    length = load_file(setting("FAKEV4L2_JPEG", ""), picture);
  else
    length = draw_raw(picture);
  if (pwrite(stream.owner, picture, length, (off_t)(index * buffer_size())) < 0) abort();
  return length;
}

/* ---- time ---- */

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int frames_per_second(void) {
  return stream.fourcc == V4L2_PIX_FMT_MJPEG ? COMPRESSED_FPS : number("FAKEV4L2_FPS", 30);
}

static void sleep_ns(int64_t duration) {
  struct timespec time = {duration / 1000000000, duration % 1000000000};
  while (duration > 0 && nanosleep(&time, &time) < 0) continue;
}

/* ---- ioctl, one function for each request that needs more than a line ---- */

static int query_capability(struct v4l2_capability *capability) {
  memset(capability, 0, sizeof *capability);
  strcpy((char *)capability->driver, "fakev4l2");
  strcpy((char *)capability->card, "Test camera");
  strcpy((char *)capability->bus_info, "platform:fakev4l2");
  bool captures = !setting_is("FAKEV4L2_MODE", "no-capture");
  capability->device_caps =
      (captures ? V4L2_CAP_VIDEO_CAPTURE : V4L2_CAP_META_CAPTURE) | V4L2_CAP_STREAMING;
  /* As webcams do: the whole device captures video, though this node may not. */
  capability->capabilities =
      V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING | V4L2_CAP_DEVICE_CAPS;
  return 0;
}

static int enumerate_format(struct v4l2_fmtdesc *description) {
  uint32_t fourcc = format_on_offer(description->index);
  if (!fourcc) return fail(EINVAL);
  description->pixelformat = fourcc;
  return 0;
}

/* A driver answers a wish for another format with the one that it will use. */
static int negotiate_format(struct v4l2_format *format, bool keep) {
  if (format->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return fail(EINVAL);
  uint32_t wish = format->fmt.pix.pixelformat;
  if (!stream.fourcc) stream.fourcc = format_on_offer(0);
  bool lie = setting_is("FAKEV4L2_LIE", "1") && wish == V4L2_PIX_FMT_MJPEG;
  uint32_t fourcc = is_on_offer(wish) || lie ? wish : format_on_offer(0);
  if (keep) stream.fourcc = fourcc;
  struct v4l2_pix_format *pix = &format->fmt.pix;
  memset(pix, 0, sizeof *pix);
  frame_size(&pix->width, &pix->height);
  pix->pixelformat = fourcc;
  pix->field = V4L2_FIELD_NONE;
  pix->bytesperline = fourcc == V4L2_PIX_FMT_MJPEG ? 0 : pix->width * 2;
  pix->sizeimage = (uint32_t)buffer_size();
  pix->colorspace = V4L2_COLORSPACE_SRGB;
  return 0;
}

static int current_format(struct v4l2_format *format) {
  if (!stream.fourcc) stream.fourcc = format_on_offer(0);
  format->fmt.pix.pixelformat = stream.fourcc;
  return negotiate_format(format, false);
}

static int frame_rate(struct v4l2_streamparm *parameters) {
  parameters->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
  parameters->parm.capture.timeperframe.numerator = 1;
  parameters->parm.capture.timeperframe.denominator = (uint32_t)frames_per_second();
  return 0;
}

static int request_buffers(int descriptor, struct v4l2_requestbuffers *request) {
  if (request->memory != V4L2_MEMORY_MMAP) return fail(EINVAL);
  bool taken = stream.owner >= 0 && stream.owner != descriptor;
  if (taken || setting_is("FAKEV4L2_MODE", "busy")) return fail(EBUSY);
  if (request->count > MAX_BUFFERS) request->count = MAX_BUFFERS;
  if (ftruncate(descriptor, (off_t)(request->count * buffer_size())) < 0) return -1;
  stream.owner = request->count ? descriptor : -1;
  stream.buffer_count = request->count;
  stream.order_length = 0;
  memset(stream.queued, 0, sizeof stream.queued);
  return 0;
}

static int query_buffer(struct v4l2_buffer *buffer) {
  if (buffer->index >= stream.buffer_count) return fail(EINVAL);
  buffer->length = (uint32_t)buffer_size();
  buffer->m.offset = (uint32_t)(buffer->index * buffer_size());
  buffer->flags = stream.queued[buffer->index] ? V4L2_BUF_FLAG_QUEUED : 0;
  return 0;
}

static int queue_buffer(const struct v4l2_buffer *buffer) {
  if (buffer->index >= stream.buffer_count || stream.queued[buffer->index]) return fail(EINVAL);
  stream.queued[buffer->index] = true;
  stream.order[stream.order_length++] = buffer->index;
  return 0;
}

static int dequeue_buffer(struct v4l2_buffer *buffer) {
  if (!stream.running) return fail(EINVAL);
  if (fault_is("eio")) return fail(EIO);
  if (fault_is("unplug")) return fail(ENODEV);
  int64_t now = now_ns();
  if (fault_is("silent") || !stream.order_length || now < stream.due_ns) return fail(EAGAIN);
  uint32_t index = stream.order[0];
  memmove(stream.order, stream.order + 1, --stream.order_length * sizeof *stream.order);
  stream.queued[index] = false;
  stream.due_ns = now + 1000000000 / frames_per_second();
  buffer->index = index;
  buffer->bytesused = (uint32_t)deliver(index);
  buffer->length = (uint32_t)buffer_size();
  buffer->sequence = stream.sequence++;
  buffer->field = V4L2_FIELD_NONE;
  buffer->flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
  buffer->timestamp.tv_sec = now / 1000000000;
  buffer->timestamp.tv_usec = now % 1000000000 / 1000;
  return 0;
}

static int start_stream(bool running) {
  stream.running = running;
  stream.due_ns = now_ns();
  if (!running) {
    stream.order_length = 0;
    memset(stream.queued, 0, sizeof stream.queued);
  }
  return 0;
}

static int answer(int descriptor, unsigned long request, void *argument) {
  switch ((unsigned)request) {
    case VIDIOC_QUERYCAP: return query_capability(argument);
    case VIDIOC_ENUMINPUT:
      if (((struct v4l2_input *)argument)->index) return fail(EINVAL);
      ((struct v4l2_input *)argument)->type = V4L2_INPUT_TYPE_CAMERA;
      return 0;
    case VIDIOC_G_INPUT: *(int *)argument = 0; return 0;
    case VIDIOC_S_INPUT: return 0;
    case VIDIOC_ENUM_FMT: return enumerate_format(argument);
    case VIDIOC_G_FMT: return current_format(argument);
    case VIDIOC_TRY_FMT: return negotiate_format(argument, false);
    case VIDIOC_S_FMT: return negotiate_format(argument, true);
    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM: return frame_rate(argument);
    case VIDIOC_REQBUFS: return request_buffers(descriptor, argument);
    case VIDIOC_QUERYBUF: return query_buffer(argument);
    case VIDIOC_QBUF: return queue_buffer(argument);
    case VIDIOC_DQBUF: return dequeue_buffer(argument);
    case VIDIOC_STREAMON: return start_stream(true);
    case VIDIOC_STREAMOFF: return start_stream(false);
    default: return fail(EINVAL);
  }
}

/* ---- the C library's functions that programs call ---- */

static int open_device(void) {
  if (setting_is("FAKEV4L2_MODE", "absent")) return fail(ENOENT);
  if (setting_is("FAKEV4L2_MODE", "denied")) return fail(EACCES);
  int descriptor = memfd_create("fakev4l2", MFD_CLOEXEC);
  if (descriptor >= MAX_DESCRIPTORS) abort();
  if (descriptor >= 0) is_ours[descriptor] = true;
  return descriptor;
}

static bool ours(int descriptor) {
  return descriptor >= 0 && descriptor < MAX_DESCRIPTORS && is_ours[descriptor];
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define INTERPOSE_OPEN(name)                       \
  int name(const char *path, int flags, ...) {     \
    va_list rest;                                  \
    va_start(rest, flags);                         \
    mode_t mode = va_arg(rest, mode_t);            \
    va_end(rest);                                  \
    if (is_device(path)) return open_device();     \
    return NEXT(name)(path, flags, mode);          \
  }

INTERPOSE_OPEN(open)
INTERPOSE_OPEN(open64)

int close(int descriptor) {
  if (ours(descriptor)) {
    is_ours[descriptor] = false;
    if (stream.owner == descriptor) {
      stream.owner = -1;
      stream.running = false;
    }
  }
  return NEXT(close)(descriptor);
}

int ioctl(int descriptor, unsigned long request, ...) {
  va_list rest;
  va_start(rest, request);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  if (ours(descriptor)) return answer(descriptor, request, argument);
  return NEXT(ioctl)(descriptor, request, argument);
}

int select(int count, fd_set *reading, fd_set *writing, fd_set *failing, struct timeval *timeout) {
  bool waits = reading && stream.owner >= 0 && stream.owner < count &&
               FD_ISSET(stream.owner, reading) && timeout;
  if (!waits) return NEXT(select)(count, reading, writing, failing, timeout);
  int64_t limit = timeout->tv_sec * INT64_C(1000000000) + timeout->tv_usec * INT64_C(1000);
  int64_t until_due = stream.due_ns - now_ns();
  bool in_time = !fault_is("silent") && until_due <= limit;
  sleep_ns(in_time ? until_due : limit);
  if (!in_time) FD_ZERO(reading);
  return in_time ? 1 : 0;
}
