// The inner loops, one row at a time, for each instruction set. All give the same bits.
#ifndef EDGEINFER_NATIVE_ROWS_H_
#define EDGEINFER_NATIVE_ROWS_H_

#include <cstdint>

namespace edgeinfer {

// How many elements past its end a row of 16-bit values or of pixels may be read or written, after
// the pixels that spare weights stand for.
constexpr int32_t kRowMargin = 64;

// The weights of a row's pixels, see Axis.
struct Columns {
  int32_t count;
  int32_t taps;
  const int32_t* start;
  const int16_t* weights;
  const int16_t* doubled;
};

struct RowKernels {
  const char* name;

  // result[x] = (sum of weights[k] * rows[k][x], rounded) >> kRowShift, for x below length: 15-bit
  // values with kFractionBits. taps is even; a row whose weight is 0 must be readable.
  void (*combine_rows)(const uint8_t* const* rows, const int16_t* weights, int32_t taps,
                       int32_t length, int16_t* result);

  // From a row of combine_rows to columns.count 8-bit pixels of `depth` (1 or 3) interleaved
  // channels, in reverse order of channels if asked. Up to kRowMargin bytes past the result are
  // written.
  void (*combine_columns)(const int16_t* row, int32_t depth, bool reverse, const Columns& columns,
                          uint8_t* result);

  // Rows of YUV to RGB, for an even count of pixels; two neighbours share their chroma.
  void (*yuyv_to_rgb)(const uint8_t* yuyv, int32_t count, uint8_t* rgb);
  void (*nv12_to_rgb)(const uint8_t* luma, const uint8_t* chroma, int32_t count, uint8_t* rgb);
};

extern const RowKernels kPortableRows;

// NULL where this build or this processor lacks them.
const RowKernels* Avx2Rows();
const RowKernels* NeonRows();

}  // namespace edgeinfer
#endif
