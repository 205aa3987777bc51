/*
 * A V4L2 camera for tests, without a kernel device: load it with LD_PRELOAD, and /dev/video0 is
 * there for that process. Programs open it, ask for formats, map its buffers and wait for frames as
 * they do with a webcam; nothing in them is replaced.
 *
 * How it works: opening the device gives a memfd, so that mmap() of the buffers is the kernel's own.
 * ioctl() on such a descriptor is answered here, and poll() and select() wake up when a frame is due.
 *
 * Raw pictures are red on the left half and blue on the right, so that swapped colours show; they
 * may be YUYV, GREY, NV12, NM12, YM12, or grey of 16 bits: "Y16 ", "Y10 ", "Y12 " and "Y16B" for the
 * big-endian one. Compressed ones are the bytes of a file. Every picture carries its number, which grows as long as
 * the process lives: raw ones as 32 bits, the highest first, in the brightness of the first and of
 * the last 32 pixels (235 for 1, 16 for 0); JPEGs in a comment "picture N". Environment:
 *
 *   FAKEV4L2_PATH         the device (/dev/video0)
 *   FAKEV4L2_MODE         ok; absent, denied: open() fails; busy: another program has it;
 *                         no-capture: a device that captures no video; codec: one that takes
 *                         pictures too
 *   FAKEV4L2_FORMATS      formats on offer, separated by commas, the default first (YUYV)
 *   FAKEV4L2_SIZE         sizes on offer, WIDTHxHEIGHT separated by commas (640x480)
 *   FAKEV4L2_FPS          frames per second, raw (30); compressed pictures come at 30
 *   FAKEV4L2_BANDWIDTH    bytes a second that the bus carries: raw pictures come no faster (no limit)
 *   FAKEV4L2_UNLISTED     1: sizes and rates are not listed, as by some drivers
 *   FAKEV4L2_PADDING      bytes at the end of each row of raw pictures (0)
 *   FAKEV4L2_MULTI_PLANAR 1: the interface with several planes of memory, as of many boards' cameras
 *   FAKEV4L2_HEADER       with it: bytes in front of the picture in each plane (0)
 *   FAKEV4L2_NUM_PLANES   with it: how many planes are announced (as many as the format has)
 *   FAKEV4L2_ROW_BYTES    what is announced as the bytes of a row, whatever they are (the truth)
 *   FAKEV4L2_BUFFER_BYTES the size that is announced and that buffers have (enough)
 *   FAKEV4L2_ANSWER       WIDTHxHEIGHT: the size that the driver says it uses, whatever is asked for
 *   FAKEV4L2_RAW          LOW,HIGH: the values of 16-bit grey on the left and on the right (7000,9000)
 *   FAKEV4L2_JPEG         the file that is sent as MJPG; {size} in it stands for WIDTHxHEIGHT
 *   FAKEV4L2_LIE          1: MJPG is agreed to, but raw bytes are sent as if they were one
 *   FAKEV4L2_FAULT        what happens after FAKEV4L2_FAULT_AFTER frames (10); see below
 *   FAKEV4L2_OTHER_JPEG   a file: a picture of another size, or a truncated one
 *   FAKEV4L2_OTHER_PATH   a second camera of another make, which is always busy (none)
 *   FAKEV4L2_CONTROL      a file that steers faults while the process runs; steering.py writes it
 *
 * The control file is read again whenever it has changed: one line "PLUG FAULT PATH". PLUG is a
 * number; descriptors that were opened under another one are dead, as after an unplugging. FAULT
 * is "none" or a fault, PATH the device's path now or "-" for FAKEV4L2_PATH. Faults:
 *
 *   eio      taking a frame fails with EIO
 *   unplug   everything fails with ENODEV; open() finds nothing
 *   silent   no frame any more
 *   hang     taking a frame does not return, as in a driver that waits for dead hardware
 *   cut      the second half of a picture is missing
 *   damaged  as cut, with all its bytes, but the driver flags it
 *   short    buffers of a few bytes
 *   other    FAKEV4L2_OTHER_JPEG is sent
 *   size     the camera changes to 320x240 by itself: raw pictures of that many bytes
 *   repeat   the last buffer again and again, with its number and time
 *
 * One device, one process; calls are answered one at a time.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAX_DESCRIPTORS = 1024, MAX_BUFFERS = 32, COMPRESSED_FPS = 30, NUMBER_BITS = 32 };
enum { NOT_OURS, CAMERA, OTHER_CAMERA };
#define SECOND INT64_C(1000000000)
#define NAP (SECOND / 500) /* how often a wait looks at the control file */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char kind_of[MAX_DESCRIPTORS];
static int plug_of[MAX_DESCRIPTORS];
/* Which file it is: a thread may have its own table of descriptors, and others of that number. */
static ino_t file_of[MAX_DESCRIPTORS];

/* The one stream; `owner` is the descriptor that asked for its buffers, or -1. */
static struct {
  int owner;
  bool running;
  uint32_t fourcc, width, height, fps;
  uint32_t buffer_count;
  bool queued[MAX_BUFFERS];
  uint32_t order[MAX_BUFFERS]; /* buffers in the order in which they were queued */
  uint32_t order_length;
  uint32_t sequence;
  struct timeval stamp;
  int64_t due_ns;
} stream = {.owner = -1};

/* Names of the memory behind descriptors: a device is in use as long as its buffers are mapped. */
static char memory_of[MAX_DESCRIPTORS][32], mapped_memory[32];

static uint32_t pictures; /* sent so far, over all streams */

/* What the control file says. */
static struct {
  int plug;
  char fault[16];
  char path[64];
} control = {0, "", "-"};

/* ---- what the environment says ---- */

static const char *setting(const char *name, const char *fallback) {
  const char *value = getenv(name);
  return value && *value ? value : fallback;
}

static bool setting_is(const char *name, const char *value) {
  return strcmp(setting(name, ""), value) == 0;
}

static long number(const char *name, long fallback) {
  const char *value = getenv(name);
  return value && *value ? atol(value) : fallback;
}

/* The size number `index` on offer; false after the last. */
static bool size_on_offer(uint32_t index, uint32_t *width, uint32_t *height) {
  const char *sizes = setting("FAKEV4L2_SIZE", "640x480");
  while (index--)
    if (!(sizes = strchr(sizes, ',')) || !*++sizes) return false;
  if (sscanf(sizes, "%ux%u", width, height) != 2) abort();
  return true;
}

/* The fourcc number `index` on offer, 0 after the last. */
static uint32_t format_on_offer(uint32_t index) {
  const char *formats = setting("FAKEV4L2_FORMATS", "YUYV");
  if (strlen(formats) < 5 * index + 4) return 0;
  const char *name = formats + 5 * index;
  if (!strncmp(name, "Y16B", 4)) return V4L2_PIX_FMT_Y16_BE;
  return v4l2_fourcc(name[0], name[1], name[2], name[3]);
}

static bool is_on_offer(uint32_t fourcc) {
  for (uint32_t i = 0; format_on_offer(i); i++)
    if (format_on_offer(i) == fourcc) return true;
  return false;
}

static void read_control(void) {
  static struct timespec seen;
  const char *path = getenv("FAKEV4L2_CONTROL");
  struct stat status;
  if (!path || stat(path, &status) < 0 || !memcmp(&status.st_mtim, &seen, sizeof seen)) return;
  FILE *file = fopen(path, "r");
  if (!file) return;
  if (fscanf(file, "%d %15s %63s", &control.plug, control.fault, control.path) == 3)
    seen = status.st_mtim;
  fclose(file);
}

static bool fault_is(const char *fault) {
  if (*control.fault) return strcmp(control.fault, fault) == 0;
  return setting_is("FAKEV4L2_FAULT", fault) &&
         stream.sequence >= (uint32_t)number("FAKEV4L2_FAULT_AFTER", 10);
}

static int kind_of_path(const char *path) {
  if (!path || strncmp(path, "/dev/", 5)) return NOT_OURS;
  read_control();
  const char *own = setting("FAKEV4L2_PATH", "/dev/video0");
  if (strcmp(control.path, "-")) own = control.path;
  if (!strcmp(path, own)) return CAMERA;
  return strcmp(path, setting("FAKEV4L2_OTHER_PATH", "")) ? NOT_OURS : OTHER_CAMERA;
}

static int fail(int reason) {
  errno = reason;
  return -1;
}

static bool is_compressed(void) { return stream.fourcc == V4L2_PIX_FMT_MJPEG; }

/* ---- pictures ---- */

static bool has_planes(uint32_t fourcc) {
  return fourcc == V4L2_PIX_FMT_NV12 || fourcc == V4L2_PIX_FMT_NV12M ||
         fourcc == V4L2_PIX_FMT_YUV420M;
}

/* Memories of a picture. */
static uint32_t memory_count(uint32_t fourcc) {
  return fourcc == V4L2_PIX_FMT_YUV420M ? 3 : fourcc == V4L2_PIX_FMT_NV12M ? 2 : 1;
}

static bool is_wide_grey(uint32_t fourcc) {
  return fourcc == V4L2_PIX_FMT_Y16 || fourcc == V4L2_PIX_FMT_Y16_BE ||
         fourcc == V4L2_PIX_FMT_Y10 || fourcc == V4L2_PIX_FMT_Y12;
}

static uint32_t pixel_bytes(uint32_t fourcc) {
  return fourcc == V4L2_PIX_FMT_GREY || has_planes(fourcc) ? 1 : 2;
}

/* Of a memory of a picture `width` wide: from one row to the next, its padding included. */
static size_t row_bytes_of(uint32_t fourcc, uint32_t width, uint32_t memory) {
  size_t row = (size_t)width * pixel_bytes(fourcc);
  if (memory) row = (width + 1) / 2 * (fourcc == V4L2_PIX_FMT_NV12M ? 2 : 1);
  return row + (size_t)number("FAKEV4L2_PADDING", 0);
}

static size_t row_bytes(void) { return row_bytes_of(stream.fourcc, stream.width, 0); }

/* Room for the largest picture on offer, so that buffers keep their place in the memfd. */
static size_t memory_size(void) {
  uint32_t width, height;
  size_t largest = 0;
  for (uint32_t i = 0; size_on_offer(i, &width, &height); i++) {
    size_t bytes = (size_t)(width * 2 + 2 + (uint32_t)number("FAKEV4L2_PADDING", 0)) * (height + 1);
    if (bytes > largest) largest = bytes;
  }
  largest += (size_t)number("FAKEV4L2_HEADER", 0);
  return (largest + 4095) & ~(size_t)4095;
}

/* Where a memory of a buffer begins in the memfd. */
static size_t memory_place(uint32_t index, uint32_t memory) {
  return (index * memory_count(stream.fourcc) + memory) * memory_size();
}

/* What a buffer is said to hold. */
static size_t buffer_size(void) {
  return (size_t)number("FAKEV4L2_BUFFER_BYTES", (long)memory_size());
}

static void draw_number(uint8_t *picture, uint32_t picture_number, uint32_t step) {
  uint32_t width = stream.width, height = stream.height;
  for (uint32_t bit = 0; bit < NUMBER_BITS && NUMBER_BITS <= width; bit++) {
    uint8_t luma = picture_number >> (NUMBER_BITS - 1 - bit) & 1 ? 235 : 16;
    picture[bit * step] = luma;
    picture[(height - 1) * row_bytes() + (width - NUMBER_BITS + bit) * step] = luma;
  }
}

/* Raw values, `low` on the left and `high` on the right; the lowest of them first. */
static size_t draw_wide_grey(uint8_t *picture) {
  unsigned low = 7000, high = 9000;
  sscanf(setting("FAKEV4L2_RAW", "7000,9000"), "%u,%u", &low, &high);
  bool big = stream.fourcc == V4L2_PIX_FMT_Y16_BE;
  for (uint32_t y = 0; y < stream.height; y++)
    for (uint32_t x = 0; x < stream.width; x++) {
      unsigned value = x < stream.width / 2 ? low : high;
      uint8_t *pixel = picture + y * row_bytes() + 2 * x;
      pixel[big] = (uint8_t)value, pixel[!big] = (uint8_t)(value >> 8);
    }
  return row_bytes() * stream.height;
}

/* BT.601: red is (81, 90, 240), blue (41, 240, 110). The memories follow one another. */
static size_t draw_planes(uint8_t *picture, uint32_t picture_number, size_t *lengths) {
  uint32_t width = stream.width, half = (width + 1) / 2, rows = (stream.height + 1) / 2;
  uint32_t memories = memory_count(stream.fourcc);
  uint8_t *row = picture;
  for (uint32_t y = 0; y < stream.height; y++, row += row_bytes())
    for (uint32_t x = 0; x < width; x++) row[x] = x < width / 2 ? 81 : 41;
  lengths[0] = (size_t)(row - picture);
  draw_number(picture, picture_number, 1);
  for (uint32_t plane = 1; plane < (memories == 3 ? 3 : 2); plane++) {
    uint8_t *begin = row;
    size_t stride = row_bytes_of(stream.fourcc, width, memories == 1 ? 0 : plane);
    if (memories == 1) stride += stride % 2;
    for (uint32_t y = 0; y < rows; y++, row += stride)
      for (uint32_t x = 0; x < half; x++) {
        uint8_t u = x < width / 4 ? 90 : 240, v = x < width / 4 ? 240 : 110;
        if (memories == 3) row[x] = plane == 1 ? u : v;
        else row[2 * x] = u, row[2 * x + 1] = v;
      }
    lengths[memories == 1 ? 0 : plane] += (size_t)(row - begin);
  }
  return (size_t)(row - picture);
}

/* Two pixels in YUYV, or grey. */
static size_t draw_raw(uint8_t *picture, uint32_t picture_number, size_t *lengths) {
  static const uint8_t red[4] = {81, 90, 81, 240}, blue[4] = {41, 240, 41, 110};
  uint32_t step = pixel_bytes(stream.fourcc), width = stream.width, height = stream.height;
  if (has_planes(stream.fourcc)) return draw_planes(picture, picture_number, lengths);
  if (is_wide_grey(stream.fourcc)) return lengths[0] = draw_wide_grey(picture);
  for (uint32_t y = 0; y < height; y++) {
    uint8_t *row = picture + y * row_bytes();
    for (uint32_t x = 0; x < width; x++)
      for (uint32_t i = 0; i < step; i++)
        row[x * step + i] = (x < width / 2 ? red : blue)[x % 2 * 2 + i];
  }
  draw_number(picture, picture_number, step);
  return lengths[0] = row_bytes() * height;
}

static size_t load_file(const char *path, uint8_t *picture) {
  char name[4096];
  const char *mark = strstr(path, "{size}");
  snprintf(name, sizeof name, mark ? "%.*s%ux%u%s" : "%.*s",
           mark ? (int)(mark - path) : (int)strlen(path), path, stream.width, stream.height,
           mark ? mark + 6 : "");
  FILE *file = fopen(name, "rb");
  if (!file) abort();
  size_t length = fread(picture, 1, memory_size(), file);
  fclose(file);
  return length;
}

/* A comment behind the first marker, which every JPEG begins with. */
static size_t number_jpeg(uint8_t *picture, size_t length, uint32_t picture_number) {
  char comment[32];
  int text = snprintf(comment + 4, sizeof comment - 4, "picture %u", picture_number);
  comment[0] = (char)0xFF, comment[1] = (char)0xFE, comment[2] = 0, comment[3] = (char)(text + 2);
  size_t added = (size_t)text + 4;
  if (length + added > memory_size()) abort();
  memmove(picture + 2 + added, picture + 2, length - 2);
  memcpy(picture + 2, comment, added);
  return length + added;
}

/* Draw the next picture into a buffer; `lengths` says how many bytes it takes in each memory. */
static void deliver(uint32_t index, size_t *lengths) {
  static uint8_t *picture;
  if (!(picture = realloc(picture, 3 * memory_size()))) abort();
  bool compressed = is_compressed() && !setting_is("FAKEV4L2_LIE", "1");
  size_t header = (size_t)number("FAKEV4L2_HEADER", 0);
  uint32_t picture_number = pictures++;
  if (compressed || fault_is("other")) {
    const char *name = fault_is("other") ? "FAKEV4L2_OTHER_JPEG" : "FAKEV4L2_JPEG";
    lengths[0] = number_jpeg(picture, load_file(setting(name, ""), picture), picture_number);
  } else {
    draw_raw(picture, picture_number, lengths);
  }
  if (fault_is("cut") || fault_is("damaged")) lengths[0] /= 2;
  if (fault_is("short")) lengths[0] = 16;
  if (fault_is("size") && !compressed) lengths[0] = 320 * 240 * 2;
  const uint8_t *next = picture;
  for (uint32_t memory = 0; memory < memory_count(stream.fourcc); memory++) {
    size_t length = lengths[memory];
    if (length + header > buffer_size()) lengths[memory] = buffer_size() - header;
    off_t place = (off_t)(memory_place(index, memory) + header);
    if (pwrite(stream.owner, next, lengths[memory], place) < 0) abort();
    next += length;
    lengths[memory] += header;
  }
  if (fault_is("damaged") && !compressed) lengths[0] *= 2;
}

/* ---- time ---- */

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * SECOND + now.tv_nsec;
}

static uint32_t highest_fps(uint32_t fourcc, uint32_t width, uint32_t height) {
  if (fourcc == V4L2_PIX_FMT_MJPEG) return COMPRESSED_FPS;
  long fps = number("FAKEV4L2_FPS", 30), bandwidth = number("FAKEV4L2_BANDWIDTH", 0);
  if (bandwidth && bandwidth / (long)(width * height * 2) < fps)
    fps = bandwidth / (long)(width * height * 2);
  return fps < 1 ? 1 : (uint32_t)fps;
}

static void nap(int64_t duration) {
  struct timespec time = {duration / SECOND, duration % SECOND};
  if (duration > 0) nanosleep(&time, NULL);
}

/* ---- ioctl, one function for each request that needs more than a line ---- */

static bool is_planar(void) { return setting_is("FAKEV4L2_MULTI_PLANAR", "1"); }

static uint32_t buffer_type(void) {
  return is_planar() ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE : V4L2_BUF_TYPE_VIDEO_CAPTURE;
}

static int query_capability(int kind, struct v4l2_capability *capability) {
  memset(capability, 0, sizeof *capability);
  strcpy((char *)capability->driver, "fakev4l2");
  strcpy((char *)capability->card, kind == CAMERA ? "Test camera" : "Other camera");
  strcpy((char *)capability->bus_info, kind == CAMERA ? "platform:fakev4l2" : "platform:other");
  bool captures = !setting_is("FAKEV4L2_MODE", "no-capture");
  uint32_t video = is_planar() ? V4L2_CAP_VIDEO_CAPTURE_MPLANE : V4L2_CAP_VIDEO_CAPTURE;
  capability->device_caps = (captures ? video : V4L2_CAP_META_CAPTURE) | V4L2_CAP_STREAMING;
  /* As webcams do: the whole device captures video, though this node may not. */
  capability->capabilities = video | V4L2_CAP_STREAMING | V4L2_CAP_DEVICE_CAPS;
  /* As codecs do: another node of it takes pictures. */
  if (setting_is("FAKEV4L2_MODE", "codec")) capability->capabilities |= V4L2_CAP_VIDEO_M2M_MPLANE;
  return 0;
}

static int enumerate_format(struct v4l2_fmtdesc *description) {
  uint32_t fourcc = format_on_offer(description->index);
  if (!fourcc || description->type != buffer_type()) return fail(EINVAL);
  description->pixelformat = fourcc;
  return 0;
}

static int enumerate_size(struct v4l2_frmsizeenum *size) {
  if (setting_is("FAKEV4L2_UNLISTED", "1") || !is_on_offer(size->pixel_format)) return fail(EINVAL);
  size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
  bool there = size_on_offer(size->index, &size->discrete.width, &size->discrete.height);
  return there ? 0 : fail(EINVAL);
}

/* Two rates: the highest and half of it. */
static int enumerate_interval(struct v4l2_frmivalenum *interval) {
  if (setting_is("FAKEV4L2_UNLISTED", "1") || interval->index > 1) return fail(EINVAL);
  interval->type = V4L2_FRMIVAL_TYPE_DISCRETE;
  interval->discrete.numerator = 1 + interval->index;
  interval->discrete.denominator =
      highest_fps(interval->pixel_format, interval->width, interval->height);
  return 0;
}

static void set_defaults(void) {
  if (stream.fourcc) return;
  stream.fourcc = format_on_offer(0);
  size_on_offer(0, &stream.width, &stream.height);
  stream.fps = highest_fps(stream.fourcc, stream.width, stream.height);
}

/* A driver answers a wish for another format or size with the one that it will use. */
static int negotiate_format(struct v4l2_format *format, bool keep) {
  if (format->type != buffer_type()) return fail(EINVAL);
  struct v4l2_pix_format *pix = &format->fmt.pix; /* begins as that of planes does */
  set_defaults();
  bool lie = setting_is("FAKEV4L2_LIE", "1") && pix->pixelformat == V4L2_PIX_FMT_MJPEG;
  uint32_t fourcc = is_on_offer(pix->pixelformat) || lie ? pix->pixelformat : format_on_offer(0);
  uint32_t width, height, wanted_width = pix->width, wanted_height = pix->height;
  for (uint32_t i = 0;; i++) {
    if (!size_on_offer(i, &width, &height)) {
      size_on_offer(0, &width, &height);
      break;
    }
    if (width == wanted_width && height == wanted_height) break;
  }
  if (keep) {
    if (stream.owner >= 0) return fail(EBUSY);
    stream.fourcc = fourcc, stream.width = width, stream.height = height;
    stream.fps = highest_fps(fourcc, width, height);
  }
  memset(&format->fmt, 0, sizeof format->fmt);
  pix->width = width;
  pix->height = height;
  sscanf(setting("FAKEV4L2_ANSWER", ""), "%ux%u", &pix->width, &pix->height);
  pix->pixelformat = fourcc;
  pix->field = V4L2_FIELD_NONE;
  bool raw = fourcc != V4L2_PIX_FMT_MJPEG;
  if (is_planar()) {
    struct v4l2_pix_format_mplane *planes = &format->fmt.pix_mp;
    planes->num_planes = (uint8_t)number("FAKEV4L2_NUM_PLANES", memory_count(fourcc));
    for (uint32_t i = 0; i < memory_count(fourcc); i++) {
      long row = raw ? (long)row_bytes_of(fourcc, width, i) : 0;
      planes->plane_fmt[i].bytesperline = (uint32_t)number("FAKEV4L2_ROW_BYTES", row);
      planes->plane_fmt[i].sizeimage = (uint32_t)buffer_size();
    }
    return 0;
  }
  long row = raw ? (long)row_bytes_of(fourcc, width, 0) : 0;
  pix->bytesperline = (uint32_t)number("FAKEV4L2_ROW_BYTES", row);
  pix->sizeimage = (uint32_t)buffer_size();
  pix->colorspace = V4L2_COLORSPACE_SRGB;
  return 0;
}

static int current_format(struct v4l2_format *format) {
  set_defaults();
  format->fmt.pix.pixelformat = stream.fourcc;
  format->fmt.pix.width = stream.width;
  format->fmt.pix.height = stream.height;
  return negotiate_format(format, false);
}

static int frame_rate(struct v4l2_streamparm *parameters, bool keep) {
  struct v4l2_fract *interval = &parameters->parm.capture.timeperframe;
  set_defaults();
  if (keep && interval->numerator && interval->denominator) {
    uint32_t wish = interval->denominator / interval->numerator;
    uint32_t highest = highest_fps(stream.fourcc, stream.width, stream.height);
    stream.fps = wish && wish < highest ? wish : highest;
  }
  parameters->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
  interval->numerator = 1;
  interval->denominator = stream.fps;
  return 0;
}

/* Whether buffers of a descriptor that was closed are mapped still. */
static bool is_still_mapped(void) {
  if (!*mapped_memory) return false;
  FILE *maps = fopen("/proc/self/maps", "r");
  char line[512];
  bool found = false;
  while (maps && !found && fgets(line, sizeof line, maps)) found = strstr(line, mapped_memory);
  if (maps) fclose(maps);
  if (!found) *mapped_memory = 0;
  return found;
}

static int request_buffers(int descriptor, struct v4l2_requestbuffers *request) {
  if (request->memory != V4L2_MEMORY_MMAP || request->type != buffer_type()) return fail(EINVAL);
  bool taken = stream.owner >= 0 && stream.owner != descriptor;
  if (taken || is_still_mapped() || setting_is("FAKEV4L2_MODE", "busy")) return fail(EBUSY);
  if (request->count > MAX_BUFFERS) request->count = MAX_BUFFERS;
  if (ftruncate(descriptor, (off_t)memory_place(request->count, 0)) < 0) return -1;
  stream.owner = request->count ? descriptor : -1;
  stream.buffer_count = request->count;
  stream.order_length = 0;
  memset(stream.queued, 0, sizeof stream.queued);
  return 0;
}

static int query_buffer(struct v4l2_buffer *buffer) {
  if (buffer->index >= stream.buffer_count || buffer->type != buffer_type()) return fail(EINVAL);
  uint32_t memories = memory_count(stream.fourcc);
  if (is_planar()) {
    if (!buffer->m.planes || buffer->length < memories) return fail(EINVAL);
    buffer->length = memories;
    for (uint32_t i = 0; i < memories; i++) {
      buffer->m.planes[i].length = (uint32_t)buffer_size();
      buffer->m.planes[i].m.mem_offset = (uint32_t)memory_place(buffer->index, i);
    }
  } else {
    buffer->length = (uint32_t)buffer_size();
    buffer->m.offset = (uint32_t)memory_place(buffer->index, 0);
  }
  buffer->flags = stream.queued[buffer->index] ? V4L2_BUF_FLAG_QUEUED : 0;
  return 0;
}

static int queue_buffer(const struct v4l2_buffer *buffer) {
  if (buffer->index >= stream.buffer_count || stream.queued[buffer->index]) return fail(EINVAL);
  if (is_planar() && (!buffer->m.planes || buffer->length < memory_count(stream.fourcc)))
    return fail(EINVAL);
  stream.queued[buffer->index] = true;
  stream.order[stream.order_length++] = buffer->index;
  return 0;
}

static int dequeue_buffer(struct v4l2_buffer *buffer) {
  if (!stream.running || buffer->type != buffer_type()) return fail(EINVAL);
  if (is_planar() && (!buffer->m.planes || buffer->length < memory_count(stream.fourcc)))
    return fail(EINVAL);
  if (fault_is("eio")) return fail(EIO);
  if (fault_is("unplug")) return fail(ENODEV);
  int64_t now = now_ns();
  if (fault_is("silent") || !stream.order_length || now < stream.due_ns) return fail(EAGAIN);
  uint32_t index = stream.order[0];
  memmove(stream.order, stream.order + 1, --stream.order_length * sizeof *stream.order);
  stream.queued[index] = false;
  stream.due_ns = now + SECOND / stream.fps;
  bool repeats = fault_is("repeat") && stream.sequence, damaged = fault_is("damaged");
  if (repeats) pictures--;
  buffer->index = index;
  size_t lengths[3] = {0};
  deliver(index, lengths);
  if (is_planar()) {
    buffer->length = memory_count(stream.fourcc);
    for (uint32_t i = 0; i < buffer->length; i++) {
      buffer->m.planes[i].bytesused = (uint32_t)lengths[i];
      buffer->m.planes[i].data_offset = (uint32_t)number("FAKEV4L2_HEADER", 0);
    }
  } else {
    buffer->bytesused = (uint32_t)lengths[0];
    buffer->length = (uint32_t)buffer_size();
  }
  if (!repeats) {
    stream.sequence++;
    stream.stamp.tv_sec = now / SECOND;
    stream.stamp.tv_usec = now % SECOND / 1000;
  }
  buffer->sequence = stream.sequence - 1;
  buffer->field = V4L2_FIELD_NONE;
  buffer->flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
  if (damaged) buffer->flags |= V4L2_BUF_FLAG_ERROR;
  buffer->timestamp = stream.stamp;
  return 0;
}

static int start_stream(int descriptor, bool running) {
  if (stream.owner != descriptor) return running ? fail(EINVAL) : 0;
  stream.running = running;
  stream.due_ns = now_ns();
  if (!running) {
    stream.order_length = 0;
    memset(stream.queued, 0, sizeof stream.queued);
  }
  return 0;
}

/* ---- controls ---- */

static struct fake_control {
  uint32_t id, type;
  const char *name;
  int32_t minimum, maximum, step, value;
} controls[] = {
    {V4L2_CID_BRIGHTNESS, V4L2_CTRL_TYPE_INTEGER, "Brightness", 0, 255, 5, 100},
    {V4L2_CID_AUTO_WHITE_BALANCE, V4L2_CTRL_TYPE_BOOLEAN, "White Balance, Automatic", 0, 1, 1, 1},
    {V4L2_CID_EXPOSURE_AUTO, V4L2_CTRL_TYPE_MENU, "Auto Exposure", 0, 3, 1, 3},
    {V4L2_CID_EXPOSURE_ABSOLUTE, V4L2_CTRL_TYPE_INTEGER, "Exposure Time, Absolute", 1, 5000, 1, 157},
};
enum { CONTROLS = sizeof controls / sizeof *controls, MANUAL = 1, AUTOMATIC = 3 };

static struct fake_control *find_control(uint32_t id) {
  for (size_t i = 0; i < CONTROLS; i++)
    if (controls[i].id == id) return &controls[i];
  return NULL;
}

static int query_control(struct v4l2_queryctrl *query) {
  struct fake_control *found = NULL;
  uint32_t after = query->id & ~V4L2_CTRL_FLAG_NEXT_CTRL;
  for (size_t i = 0; i < CONTROLS; i++)
    if (query->id & V4L2_CTRL_FLAG_NEXT_CTRL ? controls[i].id > after : controls[i].id == after) {
      if (!found || controls[i].id < found->id) found = &controls[i];
    }
  if (!found) return fail(EINVAL);
  memset(query, 0, sizeof *query);
  query->id = found->id, query->type = found->type;
  strcpy((char *)query->name, found->name);
  query->minimum = found->minimum, query->maximum = found->maximum, query->step = found->step;
  query->default_value = found->value;
  return 0;
}

static int query_menu(struct v4l2_querymenu *menu) {
  if (menu->id != V4L2_CID_EXPOSURE_AUTO || (menu->index != MANUAL && menu->index != AUTOMATIC))
    return fail(EINVAL);
  strcpy((char *)menu->name, menu->index == MANUAL ? "Manual Mode" : "Aperture Priority Mode");
  return 0;
}

static int get_control(struct v4l2_control *wanted) {
  struct fake_control *found = find_control(wanted->id);
  if (!found) return fail(EINVAL);
  wanted->value = found->value;
  return 0;
}

/* Exposure is set by hand only in the mode for that, as in real drivers. */
static int set_control(const struct v4l2_control *wanted) {
  struct fake_control *found = find_control(wanted->id);
  if (!found || wanted->value < found->minimum || wanted->value > found->maximum)
    return fail(EINVAL);
  bool by_hand = find_control(V4L2_CID_EXPOSURE_AUTO)->value == MANUAL;
  if (found->id == V4L2_CID_EXPOSURE_ABSOLUTE && !by_hand) return fail(EACCES);
  found->value = wanted->value;
  return 0;
}

/* ---- */

static int answer(int descriptor, unsigned long request, void *argument) {
  int kind = kind_of[descriptor];
  if (kind == CAMERA && (plug_of[descriptor] != control.plug || fault_is("unplug")))
    return fail(ENODEV);
  if (kind == OTHER_CAMERA && request != VIDIOC_QUERYCAP) return fail(EBUSY);
  switch ((unsigned)request) {
    case VIDIOC_QUERYCAP: return query_capability(kind, argument);
    case VIDIOC_ENUMINPUT:
      if (((struct v4l2_input *)argument)->index) return fail(EINVAL);
      ((struct v4l2_input *)argument)->type = V4L2_INPUT_TYPE_CAMERA;
      return 0;
    case VIDIOC_G_INPUT: *(int *)argument = 0; return 0;
    case VIDIOC_S_INPUT: return 0;
    case VIDIOC_ENUM_FMT: return enumerate_format(argument);
    case VIDIOC_ENUM_FRAMESIZES: return enumerate_size(argument);
    case VIDIOC_ENUM_FRAMEINTERVALS: return enumerate_interval(argument);
    case VIDIOC_G_FMT: return current_format(argument);
    case VIDIOC_TRY_FMT: return negotiate_format(argument, false);
    case VIDIOC_S_FMT: return negotiate_format(argument, true);
    case VIDIOC_G_PARM: return frame_rate(argument, false);
    case VIDIOC_S_PARM: return frame_rate(argument, true);
    case VIDIOC_REQBUFS: return request_buffers(descriptor, argument);
    case VIDIOC_QUERYBUF: return query_buffer(argument);
    case VIDIOC_QBUF: return queue_buffer(argument);
    case VIDIOC_DQBUF: return dequeue_buffer(argument);
    case VIDIOC_STREAMON: return start_stream(descriptor, true);
    case VIDIOC_STREAMOFF: return start_stream(descriptor, false);
    case VIDIOC_QUERYCTRL: return query_control(argument);
    case VIDIOC_QUERYMENU: return query_menu(argument);
    case VIDIOC_G_CTRL: return get_control(argument);
    case VIDIOC_S_CTRL: return set_control(argument);
    default: return fail(ENOTTY);
  }
}

/* ---- the C library's functions that programs call ---- */

static int open_device(int kind) {
  read_control();
  bool plugged = kind == OTHER_CAMERA || !fault_is("unplug");
  if (setting_is("FAKEV4L2_MODE", "absent") || !plugged) return fail(ENOENT);
  if (setting_is("FAKEV4L2_MODE", "denied")) return fail(EACCES);
  static unsigned count;
  char name[24];
  snprintf(name, sizeof name, "fakev4l2-%u", count++);
  int descriptor = memfd_create(name, MFD_CLOEXEC);
  if (descriptor >= MAX_DESCRIPTORS) abort();
  if (descriptor >= 0) {
    kind_of[descriptor] = (char)kind;
    plug_of[descriptor] = control.plug;
    struct stat status;
    if (fstat(descriptor, &status) < 0) abort();
    file_of[descriptor] = status.st_ino;
    snprintf(memory_of[descriptor], sizeof *memory_of, ":%s ", name);
  }
  return descriptor;
}

static bool ours(int descriptor) {
  if (descriptor < 0 || descriptor >= MAX_DESCRIPTORS || kind_of[descriptor] == NOT_OURS)
    return false;
  struct stat status;
  return fstat(descriptor, &status) == 0 && status.st_ino == file_of[descriptor];
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define INTERPOSE_OPEN(name)                                         \
  int name(const char *path, int flags, ...) {                       \
    va_list rest;                                                    \
    va_start(rest, flags);                                           \
    mode_t mode = va_arg(rest, mode_t);                              \
    va_end(rest);                                                    \
    pthread_mutex_lock(&lock);                                       \
    int kind = kind_of_path(path);                                   \
    int descriptor = kind == NOT_OURS ? -1 : open_device(kind);      \
    pthread_mutex_unlock(&lock);                                     \
    return kind == NOT_OURS ? NEXT(name)(path, flags, mode) : descriptor; \
  }

INTERPOSE_OPEN(open)
INTERPOSE_OPEN(open64)

int close(int descriptor) {
  if (ours(descriptor)) {
    pthread_mutex_lock(&lock);
    kind_of[descriptor] = NOT_OURS;
    if (stream.owner == descriptor) {
      stream.owner = -1;
      stream.running = false;
      strcpy(mapped_memory, memory_of[descriptor]);
    }
    pthread_mutex_unlock(&lock);
  }
  return NEXT(close)(descriptor);
}

/* Read the control file and say whether the fault is there. */
static bool fault_now(const char *fault) {
  pthread_mutex_lock(&lock);
  read_control();
  bool is = fault_is(fault);
  pthread_mutex_unlock(&lock);
  return is;
}

int ioctl(int descriptor, unsigned long request, ...) {
  va_list rest;
  va_start(rest, request);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  if (!ours(descriptor)) return NEXT(ioctl)(descriptor, request, argument);
  while (request == VIDIOC_DQBUF && fault_now("hang")) nap(NAP);
  pthread_mutex_lock(&lock);
  read_control();
  int result = answer(descriptor, request, argument);
  int reason = errno;
  pthread_mutex_unlock(&lock);
  errno = reason;
  return result;
}

/* Whether the stream's owner has something to say: a frame, or that it was unplugged. */
static bool is_ready(int descriptor) {
  pthread_mutex_lock(&lock);
  read_control();
  bool gone = plug_of[descriptor] != control.plug || fault_is("unplug") || fault_is("eio");
  bool due = stream.owner == descriptor && stream.running && !fault_is("silent") &&
             now_ns() >= stream.due_ns;
  pthread_mutex_unlock(&lock);
  return gone || due;
}

/* Wait for the camera until `until`; by short naps, for the control file may change. */
static bool wait_for_frame(int descriptor, int64_t until) {
  while (!is_ready(descriptor)) {
    int64_t left = until - now_ns();
    if (left <= 0) return false;
    nap(left < NAP ? left : NAP);
  }
  return true;
}

int select(int count, fd_set *reading, fd_set *writing, fd_set *failing, struct timeval *timeout) {
  int descriptor = stream.owner;
  bool waits = reading && descriptor >= 0 && descriptor < count &&
               FD_ISSET(descriptor, reading) && timeout;
  if (!waits) return NEXT(select)(count, reading, writing, failing, timeout);
  int64_t limit = timeout->tv_sec * SECOND + timeout->tv_usec * INT64_C(1000);
  if (wait_for_frame(descriptor, now_ns() + limit)) return 1;
  FD_ZERO(reading);
  return 0;
}

/* glibc declares that poll() only writes what it is given; it reads the descriptor, as we do. */
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
int poll(struct pollfd *waiting, nfds_t count, int timeout) {
  if (count != 1 || !ours(waiting->fd)) return NEXT(poll)(waiting, count, timeout);
  int64_t until = timeout < 0 ? INT64_MAX : now_ns() + timeout * (SECOND / 1000);
  bool ready = wait_for_frame(waiting->fd, until);
  waiting->revents = ready ? POLLIN : 0;
  return ready;
}
