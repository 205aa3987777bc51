// Fixed-point resampling weights of one axis; preprocess/taps.py is the same in numpy.
#ifndef EDGEINFER_NATIVE_AXIS_H_
#define EDGEINFER_NATIVE_AXIS_H_

#include <cstdint>

#include "buffer.h"

namespace edgeinfer {

// Output pixel i is the sum over k below taps of weights[i * taps + k] * source[start[i] + k].
// taps is even, the same for all: the kernels take two at a time. used[i] of an output pixel's weights
// count; those that fill its run up are 0 and may stand for pixels past the end.
//
// doubled, for vectors that hold two output pixels: for pixels 2j and 2j + 1 and each two taps, four
// times the first pixel's two weights, then four times the second's; 0 where there is no second.
struct Axis {
  int32_t source_size = 0;
  int32_t output_size = 0;
  int32_t taps = 0;
  bool identity = false;
  Buffer<int32_t> start;
  Buffer<int32_t> used;
  Buffer<int16_t> weights;
  Buffer<int16_t> doubled;
};

// Both return false where memory runs out.
bool MakeAxis(int32_t source_size, int32_t output_size, bool area, Axis* axis);

// Fills in `doubled`, which the horizontal axis needs.
bool DoubleWeights(Axis* axis);

}  // namespace edgeinfer
#endif
