#include "axis.h"

#include <algorithm>
#include <cstddef>

#include "fixed_point.h"

namespace edgeinfer {
namespace {

struct Run {
  int32_t start;
  std::vector<int16_t> weights;
};

// The box filter. In units of 1/output source pixels, output pixel i covers [i * source,
// (i + 1) * source) and source pixel j covers [j * output, (j + 1) * output). Rounding the running
// sum rather than each weight keeps the total at exactly kOne.
Run AreaRun(int64_t i, int64_t source, int64_t output) {
  const int64_t begin = i * source, end = begin + source;
  const int64_t first = begin / output, last = (end - 1) / output;
  Run run{static_cast<int32_t>(first), {}};
  int64_t before = 0;
  for (int64_t j = first; j <= last; ++j) {
    const int64_t covered = std::min(end, (j + 1) * output) - begin;
    const int64_t total = (covered * kOne + source / 2) / source;
    run.weights.push_back(static_cast<int16_t>(total - before));
    before = total;
  }
  return run;
}

// Linear interpolation; the centre of output pixel i lies at (i + 1/2) * source / output - 1/2.
Run LinearRun(int64_t i, int64_t source, int64_t output) {
  const int64_t numerator = (2 * i + 1) * source - output, denominator = 2 * output;
  if (numerator < 0) return {0, {static_cast<int16_t>(kOne)}};
  const int64_t left = numerator / denominator, remainder = numerator % denominator;
  if (left >= source - 1) return {static_cast<int32_t>(source - 1), {static_cast<int16_t>(kOne)}};
  const int64_t right = (2 * remainder * kOne + denominator) / (2 * denominator);
  return {static_cast<int32_t>(left),
          {static_cast<int16_t>(kOne - right), static_cast<int16_t>(right)}};
}

}  // namespace

Axis MakeAxis(int32_t source_size, int32_t output_size, bool area) {
  Axis axis;
  axis.source_size = source_size;
  axis.output_size = output_size;
  axis.identity = source_size == output_size;
  std::vector<Run> runs;
  runs.reserve(output_size);
  size_t longest = 0;
  for (int32_t i = 0; i < output_size; ++i) {
    if (axis.identity) {
      runs.push_back({i, {static_cast<int16_t>(kOne)}});
    } else if (area && source_size > output_size) {
      runs.push_back(AreaRun(i, source_size, output_size));
    } else {
      runs.push_back(LinearRun(i, source_size, output_size));
    }
    longest = std::max(longest, runs.back().weights.size());
  }
  axis.taps = static_cast<int32_t>(longest + longest % 2);
  axis.weights.assign(static_cast<size_t>(output_size) * axis.taps, 0);
  axis.start.reserve(output_size);
  for (int32_t i = 0; i < output_size; ++i) {
    axis.start.push_back(runs[i].start);
    axis.used.push_back(static_cast<int32_t>(runs[i].weights.size()));
    std::copy(runs[i].weights.begin(), runs[i].weights.end(),
              axis.weights.begin() + static_cast<ptrdiff_t>(i) * axis.taps);
  }
  return axis;
}

void DoubleWeights(Axis* axis) {
  const int32_t steps = axis->taps / 2, pairs = (axis->output_size + 1) / 2;
  axis->doubled.assign(static_cast<size_t>(pairs) * steps * 16, 0);
  for (int32_t i = 0; i < axis->output_size; ++i) {
    for (int32_t step = 0; step < steps; ++step) {
      const int16_t* two = &axis->weights[static_cast<size_t>(i) * axis->taps + 2 * step];
      int16_t* lane = &axis->doubled[(static_cast<size_t>(i / 2) * steps + step) * 16 + i % 2 * 8];
      for (int32_t k = 0; k < 8; ++k) lane[k] = two[k % 2];
    }
  }
}

}  // namespace edgeinfer
