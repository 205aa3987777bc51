/* From what a camera gives to a model's input tensor, in one pass.
 *
 * The arithmetic is integer and fixed (edgeinfer's PreprocessSpec states it), so that AVX2, NEON,
 * portable C++ and edgeinfer's numpy code give the same bits. The library is C++ behind this plain C
 * interface; it throws nothing, keeps no global state but the choice of instruction set, and
 * allocates only while a preprocessor is made and when the frames' size or format changes. */
#ifndef EDGEINFER_PREPROCESS_H
#define EDGEINFER_PREPROCESS_H

#include <stddef.h>
#include <stdint.h>

#define EDGEINFER_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* Changes whenever something below changes; the Python side compares it. */
#define EDGEINFER_PREPROCESS_VERSION 4
EDGEINFER_EXPORT int32_t edgeinfer_preprocess_version(void);

typedef enum edgeinfer_status {
  EDGEINFER_OK = 0,
  EDGEINFER_BAD_ARGUMENT = 1, /* a size, enumeration or pointer that makes no sense, or a frame that
                                 is too small for the region */
  EDGEINFER_NO_MEMORY = 2
} edgeinfer_status;

/* How a frame's pixels are laid out in memory. */
typedef enum edgeinfer_format {
  EDGEINFER_FORMAT_RGB = 0,  /* 3 bytes a pixel */
  EDGEINFER_FORMAT_BGR = 1,  /* 3 bytes a pixel, OpenCV's order */
  EDGEINFER_FORMAT_GREY = 2, /* 1 byte a pixel */
  EDGEINFER_FORMAT_YUYV = 3, /* Y U Y V for each two pixels of a row; even width */
  EDGEINFER_FORMAT_NV12 = 4  /* a plane of Y, one of U V for each 2x2 pixels; even width, height */
} edgeinfer_format;

typedef enum edgeinfer_channels {
  EDGEINFER_CHANNELS_RGB = 0,
  EDGEINFER_CHANNELS_BGR = 1,
  EDGEINFER_CHANNELS_GREY = 2,
  EDGEINFER_CHANNELS_RGBA = 3 /* the fourth is 255 everywhere */
} edgeinfer_channels;

typedef enum edgeinfer_crop {
  EDGEINFER_CROP_STRETCH = 0,
  EDGEINFER_CROP_CENTER = 1,
  EDGEINFER_CROP_LETTERBOX = 2
} edgeinfer_crop;

typedef enum edgeinfer_resize {
  EDGEINFER_RESIZE_AREA = 0, /* antialiased */
  EDGEINFER_RESIZE_BILINEAR = 1
} edgeinfer_resize;

typedef enum edgeinfer_layout {
  EDGEINFER_LAYOUT_HWC = 0, /* pixel by pixel, each with its channels */
  EDGEINFER_LAYOUT_CHW = 1  /* a plane for each channel, one after another */
} edgeinfer_layout;

typedef enum edgeinfer_dtype {
  EDGEINFER_UINT8 = 0,
  EDGEINFER_INT8 = 1,
  EDGEINFER_INT16 = 2,
  EDGEINFER_FLOAT32 = 3
} edgeinfer_dtype;

/* The model's input: an image of width x height with 3 channels, 1 for grey or 4 for RGBA. */
typedef struct edgeinfer_spec {
  int32_t width, height; /* 1 to 4096 */
  int32_t channels;      /* edgeinfer_channels */
  int32_t crop;          /* edgeinfer_crop */
  int32_t resize;        /* edgeinfer_resize */
  int32_t pad_value;     /* the letterbox's border, 0 to 255 */
  int32_t layout;        /* edgeinfer_layout */
  /* The part of the frame that is taken, in millionths of its width and height; all 0 for the whole
   * frame. An edge at r millionths of n pixels is pixel (2 r n + 10^6) / (2 * 10^6), rounded down.
   * Frames of which it is fewer than 8 pixels wide or high are refused. */
  int32_t region_x, region_y, region_width, region_height;
} edgeinfer_spec;

typedef struct edgeinfer_frame {
  int32_t format; /* edgeinfer_format */
  int32_t width, height;
  const uint8_t* data; /* the first row; for NV12 of the Y plane */
  ptrdiff_t stride;    /* bytes from row to row */
  const uint8_t* chroma; /* NV12's U V plane; NULL otherwise */
  ptrdiff_t chroma_stride;
} edgeinfer_frame;

/* Where a frame's part is in the model's image: image = (frame - frame_origin) * scale +
 * image_origin, along each axis, in pixels measured from the corner. */
typedef struct edgeinfer_mapping {
  double frame_x, frame_y;
  double image_x, image_y;
  double scale_x, scale_y;
} edgeinfer_mapping;

typedef struct edgeinfer_preprocessor edgeinfer_preprocessor;

/* Fills `table` with what each pixel value becomes in the tensor: for each channel 256 elements of
 * `dtype`. real = (value - mean) / std; an integer element is rint(real / scale) + zero_point,
 * clipped to its range (rint rounds half to even). mean and std hold one value a channel, std above
 * 0; scale above 0 for integers and ignored for float32. */
EDGEINFER_EXPORT edgeinfer_status edgeinfer_make_table(int32_t channel_count, const double* mean,
                                                       const double* std, edgeinfer_dtype dtype,
                                                       double scale, int32_t zero_point,
                                                       void* table);

/* Makes a preprocessor. `table`, which is copied, has 256 elements of `element_bytes` (1, 2 or 4)
 * for each channel: what each pixel value becomes. One thread at a time may use a preprocessor. */
EDGEINFER_EXPORT edgeinfer_status edgeinfer_preprocessor_create(const edgeinfer_spec* spec,
                                                                const void* table,
                                                                int32_t element_bytes,
                                                                edgeinfer_preprocessor** created);

/* Prepares a frame. `tensor` takes height * width * channels elements, rows and planes without
 * gaps. */
EDGEINFER_EXPORT edgeinfer_status edgeinfer_preprocessor_run(edgeinfer_preprocessor* preprocessor,
                                                             const edgeinfer_frame* frame,
                                                             void* tensor);

/* Returns where frames of this size are in the model's image. */
EDGEINFER_EXPORT edgeinfer_status edgeinfer_map(const edgeinfer_spec* spec, int32_t frame_width,
                                                int32_t frame_height, edgeinfer_mapping* mapping);

/* NULL is allowed. */
EDGEINFER_EXPORT void edgeinfer_preprocessor_destroy(edgeinfer_preprocessor* preprocessor);

/* The instruction set in use: "avx2", "neon" or "portable"; the best that this processor has. */
EDGEINFER_EXPORT const char* edgeinfer_instruction_set(void);

/* Chooses another one, for tests and comparisons; EDGEINFER_BAD_ARGUMENT where this processor or
 * this build lacks it. Preprocessors that exist already keep theirs. */
EDGEINFER_EXPORT edgeinfer_status edgeinfer_use_instruction_set(const char* name);

#ifdef __cplusplus
}
#endif
#endif
