// What each pixel value becomes in a tensor; preprocess/table.py is the same in numpy.
// Compiled without contraction of a * b + c, so that both round in the same way.

#include <cmath>
#include <cstdint>
#include <limits>

#include "edgeinfer/preprocess.h"

namespace {

template <typename T>
void Quantize(const double* real, double scale, int32_t zero_point, T* table) {
  for (int i = 0; i < 256; ++i) {
    // Not lrint: a value far outside of the range must be clipped, not undefined.
    double value = std::nearbyint(real[i] / scale) + zero_point;
    const double lowest = std::numeric_limits<T>::lowest(), highest = std::numeric_limits<T>::max();
    value = value < lowest ? lowest : value > highest ? highest : value;
    table[i] = static_cast<T>(value);
  }
}

}  // namespace

extern "C" edgeinfer_status edgeinfer_make_table(int32_t channel_count, const double* mean,
                                                 const double* std, edgeinfer_dtype dtype,
                                                 double scale, int32_t zero_point, void* table) {
  if ((channel_count != 1 && channel_count != 3 && channel_count != 4) || !mean || !std || !table) {
    return EDGEINFER_BAD_ARGUMENT;
  }
  const bool integer = dtype == EDGEINFER_UINT8 || dtype == EDGEINFER_INT8 || dtype == EDGEINFER_INT16;
  if (!integer && dtype != EDGEINFER_FLOAT32) return EDGEINFER_BAD_ARGUMENT;
  if (integer && !(scale > 0 && std::isfinite(scale))) return EDGEINFER_BAD_ARGUMENT;
  for (int32_t c = 0; c < channel_count; ++c) {
    if (!std::isfinite(mean[c]) || !(std[c] > 0) || !std::isfinite(std[c])) {
      return EDGEINFER_BAD_ARGUMENT;
    }
    double real[256];
    for (int i = 0; i < 256; ++i) real[i] = (i - mean[c]) / std[c];
    switch (dtype) {
      case EDGEINFER_UINT8:
        Quantize(real, scale, zero_point, static_cast<uint8_t*>(table) + 256 * c);
        break;
      case EDGEINFER_INT8:
        Quantize(real, scale, zero_point, static_cast<int8_t*>(table) + 256 * c);
        break;
      case EDGEINFER_INT16:
        Quantize(real, scale, zero_point, static_cast<int16_t*>(table) + 256 * c);
        break;
      case EDGEINFER_FLOAT32:
        for (int i = 0; i < 256; ++i) {
          static_cast<float*>(table)[256 * c + i] = static_cast<float>(real[i]);
        }
        break;
    }
  }
  return EDGEINFER_OK;
}
