// Separable fixed-point resampling; the arithmetic is PreprocessSpec's.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "edgeinfer_kernels.h"

namespace {

constexpr int kWeightBits = 14;
constexpr int kFractionBits = 7;
constexpr int kRowShift = kWeightBits - kFractionBits;
constexpr int kColumnShift = kWeightBits + kFractionBits;

// Python hands the tables over; a wrong one must not read outside the image.
bool StaysInside(const int32_t* start, const int32_t* offset, int32_t count, int32_t size) {
  for (int32_t i = 0; i < count; ++i) {
    const int64_t taps = static_cast<int64_t>(offset[i + 1]) - offset[i];
    if (taps < 1 || start[i] < 0 || start[i] + taps > size) return false;
  }
  return true;
}

// Combines `taps` source rows into one row of 15-bit values with 7 fractional bits.
void CombineRows(const uint8_t* first, ptrdiff_t stride, const int16_t* weights, int32_t taps,
                 int32_t length, int32_t* total, int16_t* result) {
  for (int32_t x = 0; x < length; ++x) total[x] = 1 << (kRowShift - 1);
  for (int32_t k = 0; k < taps; ++k) {
    const uint8_t* row = first + k * stride;
    const int32_t weight = weights[k];
    for (int32_t x = 0; x < length; ++x) total[x] += weight * row[x];
  }
  for (int32_t x = 0; x < length; ++x) result[x] = static_cast<int16_t>(total[x] >> kRowShift);
}

void CombineColumns(const int16_t* row, int32_t depth, const int32_t* start, const int32_t* offset,
                    const int16_t* weights, int32_t count, uint8_t* output) {
  for (int32_t i = 0; i < count; ++i) {
    const int16_t* pixel = row + static_cast<ptrdiff_t>(start[i]) * depth;
    const int32_t taps = offset[i + 1] - offset[i];
    for (int32_t c = 0; c < depth; ++c) {
      int32_t total = 1 << (kColumnShift - 1);
      for (int32_t k = 0; k < taps; ++k) total += weights[offset[i] + k] * pixel[k * depth + c];
      *output++ = static_cast<uint8_t>(total >> kColumnShift);
    }
  }
}

}  // namespace

extern "C" int32_t edgeinfer_interface_version(void) { return 1; }

extern "C" int edgeinfer_resample_u8(const uint8_t* source, ptrdiff_t source_stride, int32_t width,
                                     int32_t height, int32_t depth, const int32_t* row_start,
                                     const int32_t* row_offset, const int16_t* row_weights,
                                     int32_t row_count, const int32_t* column_start,
                                     const int32_t* column_offset, const int16_t* column_weights,
                                     int32_t column_count, int16_t* scratch, uint8_t* output) {
  if (!StaysInside(row_start, row_offset, row_count, height) ||
      !StaysInside(column_start, column_offset, column_count, width)) {
    return 1;
  }
  const int32_t length = width * depth;
  std::vector<int32_t> total(length);
  for (int32_t y = 0; y < row_count; ++y) {
    CombineRows(source + row_start[y] * source_stride, source_stride, row_weights + row_offset[y],
                row_offset[y + 1] - row_offset[y], length, total.data(), scratch);
    CombineColumns(scratch, depth, column_start, column_offset, column_weights, column_count,
                   output + static_cast<ptrdiff_t>(y) * column_count * depth);
  }
  return 0;
}
