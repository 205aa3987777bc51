/* The native kernels' C interface. Every kernel has a numpy twin that gives the same bits. */
#ifndef EDGEINFER_KERNELS_H
#define EDGEINFER_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#define EDGEINFER_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* Changes whenever a signature below changes; the Python side compares it. */
EDGEINFER_EXPORT int32_t edgeinfer_interface_version(void);

/* Resamples an interleaved 8-bit image with separable 14-bit weights (see preprocess/taps.py).
 *
 * source: height rows of width * depth bytes, source_stride bytes from row to row.
 * *_start, *_offset, *_weights: output pixel i is the sum of weights[offset[i] + k] times source
 *     pixel start[i] + k, for k below offset[i + 1] - offset[i].
 * scratch: width * depth values.
 * output: row_count * column_count * depth bytes, rows without gaps.
 *
 * Returns 0, or 1 where a weight would reach outside the source. */
EDGEINFER_EXPORT int edgeinfer_resample_u8(const uint8_t* source, ptrdiff_t source_stride, int32_t width,
                          int32_t height, int32_t depth, const int32_t* row_start,
                          const int32_t* row_offset, const int16_t* row_weights,
                          int32_t row_count, const int32_t* column_start,
                          const int32_t* column_offset, const int16_t* column_weights,
                          int32_t column_count, int16_t* scratch, uint8_t* output);

#ifdef __cplusplus
}
#endif
#endif
