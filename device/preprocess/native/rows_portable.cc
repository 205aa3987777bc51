// The inner loops in plain C++: for processors without AVX2 or NEON, and what those are held to.

#include <cstddef>

#include "fixed_point.h"
#include "rows.h"

namespace edgeinfer {
namespace {

constexpr int32_t kBlock = 256;

void CombineRows(const uint8_t* const* rows, const int16_t* weights, int32_t taps, int32_t length,
                 int16_t* result) {
  // Blocks keep the sums in the first cache level and let compilers use whatever vectors there are.
  int32_t total[kBlock];
  for (int32_t begin = 0; begin < length; begin += kBlock) {
    const int32_t size = length - begin < kBlock ? length - begin : kBlock;
    for (int32_t x = 0; x < size; ++x) total[x] = 1 << (kRowShift - 1);
    for (int32_t k = 0; k < taps; ++k) {
      const int32_t weight = weights[k];
      if (weight == 0) continue;
      const uint8_t* row = rows[k] + begin;
      for (int32_t x = 0; x < size; ++x) total[x] += weight * row[x];
    }
    for (int32_t x = 0; x < size; ++x) {
      result[begin + x] = static_cast<int16_t>(total[x] >> kRowShift);
    }
  }
}

void CombineColumns(const int16_t* row, int32_t depth, bool reverse, const Columns& columns,
                    uint8_t* result) {
  const int16_t* weights = columns.weights;
  for (int32_t i = 0; i < columns.count; ++i, weights += columns.taps, result += depth) {
    const int16_t* pixel = row + static_cast<ptrdiff_t>(columns.start[i]) * depth;
    for (int32_t c = 0; c < depth; ++c) {
      int32_t total = 1 << (kColumnShift - 1);
      for (int32_t k = 0; k < columns.taps; ++k) total += weights[k] * pixel[k * depth + c];
      result[reverse ? depth - 1 - c : c] = static_cast<uint8_t>(total >> kColumnShift);
    }
  }
}

int32_t Product(int32_t value, int32_t factor) {
  return (value * (1 << kOperandShift) * factor + (1 << 14)) >> 15;
}

uint8_t Clip(int32_t value) {
  const int32_t rounded = (value + (1 << (kYuvShift - 1))) >> kYuvShift;
  return static_cast<uint8_t>(rounded < 0 ? 0 : rounded > 255 ? 255 : rounded);
}

void ConvertPair(const uint8_t* luma, int32_t luma_step, int32_t u, int32_t v, uint8_t* rgb) {
  const int32_t red = Product(v - 128, kRedFromV), blue = Product(u - 128, kBlueFromU);
  const int32_t green = Product(u - 128, kGreenFromU) + Product(v - 128, kGreenFromV);
  for (int32_t i = 0; i < 2; ++i, rgb += 3) {
    const int32_t y = Product(luma[i * luma_step] - 16, kLumaFactor);
    rgb[0] = Clip(y + red);
    rgb[1] = Clip(y - green);
    rgb[2] = Clip(y + blue);
  }
}

void YuyvToRgb(const uint8_t* yuyv, int32_t count, uint8_t* rgb) {
  for (int32_t x = 0; x < count; x += 2, yuyv += 4, rgb += 6) {
    ConvertPair(yuyv, 2, yuyv[1], yuyv[3], rgb);
  }
}

void Nv12ToRgb(const uint8_t* luma, const uint8_t* chroma, int32_t count, uint8_t* rgb) {
  for (int32_t x = 0; x < count; x += 2, luma += 2, chroma += 2, rgb += 6) {
    ConvertPair(luma, 1, chroma[0], chroma[1], rgb);
  }
}

}  // namespace

const RowKernels kPortableRows = {"portable", CombineRows, CombineColumns, YuyvToRgb, Nv12ToRgb};

}  // namespace edgeinfer
