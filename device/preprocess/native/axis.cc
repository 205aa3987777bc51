#include "axis.h"

#include <algorithm>
#include <cstddef>

#include "fixed_point.h"

namespace edgeinfer {
namespace {

// An output pixel's source pixels: the first, and how many.
struct Run {
  int32_t start;
  int32_t used;
};

// The box filter. In units of 1/output source pixels, output pixel i covers [i * source,
// (i + 1) * source) and source pixel j covers [j * output, (j + 1) * output). Rounding the running
// sum rather than each weight keeps the total at exactly kOne.
Run AreaRun(int64_t i, int64_t source, int64_t output, int16_t* weights) {
  const int64_t begin = i * source, end = begin + source;
  const int64_t first = begin / output, last = (end - 1) / output;
  int64_t before = 0;
  for (int64_t j = first; weights && j <= last; ++j) {
    const int64_t covered = std::min(end, (j + 1) * output) - begin;
    const int64_t total = (covered * kOne + source / 2) / source;
    *weights++ = static_cast<int16_t>(total - before);
    before = total;
  }
  return {static_cast<int32_t>(first), static_cast<int32_t>(last - first + 1)};
}

Run SinglePixel(int64_t start, int16_t* weights) {
  if (weights) *weights = static_cast<int16_t>(kOne);
  return {static_cast<int32_t>(start), 1};
}

// Linear interpolation; the centre of output pixel i is at (i + 1/2) * source / output - 1/2.
Run LinearRun(int64_t i, int64_t source, int64_t output, int16_t* weights) {
  const int64_t numerator = (2 * i + 1) * source - output, denominator = 2 * output;
  if (numerator < 0) return SinglePixel(0, weights);
  const int64_t left = numerator / denominator, remainder = numerator % denominator;
  if (left >= source - 1) return SinglePixel(source - 1, weights);
  const int64_t right = (2 * remainder * kOne + denominator) / (2 * denominator);
  if (weights) {
    weights[0] = static_cast<int16_t>(kOne - right);
    weights[1] = static_cast<int16_t>(right);
  }
  return {static_cast<int32_t>(left), 2};
}

// Returns an output pixel's run and writes its weights, unless `weights` is null.
Run MakeRun(const Axis& axis, int32_t i, bool area, int16_t* weights) {
  if (axis.identity) return SinglePixel(i, weights);
  const bool shrinks = axis.source_size > axis.output_size;
  return (area && shrinks ? AreaRun : LinearRun)(i, axis.source_size, axis.output_size, weights);
}

}  // namespace

bool MakeAxis(int32_t source_size, int32_t output_size, bool area, Axis* axis) {
  axis->source_size = source_size;
  axis->output_size = output_size;
  axis->identity = source_size == output_size;
  int32_t longest = 0;
  for (int32_t i = 0; i < output_size; ++i) {
    longest = std::max(longest, MakeRun(*axis, i, area, nullptr).used);
  }
  axis->taps = longest + longest % 2;
  const size_t count = static_cast<size_t>(output_size);
  if (!axis->start.Reset(count) || !axis->used.Reset(count) ||
      !axis->weights.Reset(count * axis->taps)) {
    return false;
  }
  for (int32_t i = 0; i < output_size; ++i) {
    int16_t* weights = axis->weights.data() + static_cast<ptrdiff_t>(i) * axis->taps;
    const Run run = MakeRun(*axis, i, area, weights);
    axis->start[i] = run.start;
    axis->used[i] = run.used;
  }
  return true;
}

bool DoubleWeights(Axis* axis) {
  const int32_t steps = axis->taps / 2, pairs = (axis->output_size + 1) / 2;
  if (!axis->doubled.Reset(static_cast<size_t>(pairs) * steps * 16)) return false;
  for (int32_t i = 0; i < axis->output_size; ++i) {
    for (int32_t step = 0; step < steps; ++step) {
      const int16_t* two = &axis->weights[static_cast<size_t>(i) * axis->taps + 2 * step];
      int16_t* lane = &axis->doubled[(static_cast<size_t>(i / 2) * steps + step) * 16 + i % 2 * 8];
      for (int32_t k = 0; k < 8; ++k) lane[k] = two[k % 2];
    }
  }
  return true;
}

}  // namespace edgeinfer
