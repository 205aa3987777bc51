// The inner loops for ARM with NEON: always there on 64-bit ARM, asked for on 32-bit. Only
// instructions that both have are used. On 32-bit ARM this file is compiled for NEON whatever the
// rest is compiled for.

#include "rows.h"

#if defined(EDGEINFER_WITH_NEON) && !defined(__ARM_NEON)
#error "expected to be compiled for NEON; this compiler ignored the option in CMakeLists.txt"
#endif

#if defined(__ARM_NEON)

#include <arm_neon.h>

#include <cstddef>
#include <cstring>

#if !defined(__aarch64__)
#include <sys/auxv.h>
#endif

#include "fixed_point.h"

namespace edgeinfer {
namespace {

inline void CombineBlock(const uint8_t* const* rows, const int16_t* weights, int32_t taps, int32_t x,
                         int16_t* result) {
  int32x4_t sum0 = vdupq_n_s32(1 << (kRowShift - 1));
  int32x4_t sum1 = sum0, sum2 = sum0, sum3 = sum0;
  for (int32_t k = 0; k < taps; ++k) {
    const int16_t weight = weights[k];
    if (weight == 0) continue;
    const uint8x16_t bytes = vld1q_u8(rows[k] + x);
    const int16x8_t low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(bytes)));
    const int16x8_t high = vreinterpretq_s16_u16(vmovl_u8(vget_high_u8(bytes)));
    sum0 = vmlal_n_s16(sum0, vget_low_s16(low), weight);
    sum1 = vmlal_n_s16(sum1, vget_high_s16(low), weight);
    sum2 = vmlal_n_s16(sum2, vget_low_s16(high), weight);
    sum3 = vmlal_n_s16(sum3, vget_high_s16(high), weight);
  }
  vst1q_s16(result + x, vcombine_s16(vshrn_n_s32(sum0, kRowShift), vshrn_n_s32(sum1, kRowShift)));
  vst1q_s16(result + x + 8,
            vcombine_s16(vshrn_n_s32(sum2, kRowShift), vshrn_n_s32(sum3, kRowShift)));
}

void CombineRows(const uint8_t* const* rows, const int16_t* weights, int32_t taps, int32_t length,
                 int16_t* result) {
  if (length < 16) {
    kPortableRows.combine_rows(rows, weights, taps, length, result);
    return;
  }
  for (int32_t x = 0; x + 16 <= length; x += 16) CombineBlock(rows, weights, taps, x, result);
  // The last block overlaps the one before, so that nothing past the rows' ends is read.
  if (length % 16) CombineBlock(rows, weights, taps, length - 16, result);
}

void CombineColumns3(const int16_t* row, bool reverse, const Columns& columns, uint8_t* result) {
  const int32_t first = reverse ? 2 : 0, last = 2 - first;
  const int16_t* weights = columns.weights;
  for (int32_t i = 0; i < columns.count; ++i, weights += columns.taps, result += 3) {
    const int16_t* pixel = row + static_cast<ptrdiff_t>(columns.start[i]) * 3;
    int32x4_t sum = vdupq_n_s32(1 << (kColumnShift - 1));
    for (int32_t k = 0; k < columns.taps; ++k) {
      sum = vmlal_n_s16(sum, vld1_s16(pixel + 3 * k), weights[k]);
    }
    const int16x4_t shifted = vmovn_s32(vshrq_n_s32(sum, kColumnShift));
    result[first] = static_cast<uint8_t>(vget_lane_s16(shifted, 0));
    result[1] = static_cast<uint8_t>(vget_lane_s16(shifted, 1));
    result[last] = static_cast<uint8_t>(vget_lane_s16(shifted, 2));
  }
}

void CombineColumns(const int16_t* row, int32_t depth, bool reverse, const Columns& columns,
                    uint8_t* result) {
  if (depth == 3) {
    CombineColumns3(row, reverse, columns, result);
  } else {
    kPortableRows.combine_columns(row, depth, reverse, columns, result);
  }
}

inline int16x8_t Offset(uint8x8_t bytes, int16_t centre) {
  const int16x8_t wide = vreinterpretq_s16_u16(vmovl_u8(bytes));
  return vshlq_n_s16(vsubq_s16(wide, vdupq_n_s16(centre)), kOperandShift);
}

inline int16x8_t Product(int16x8_t operand, int16_t factor) {
  return vqrdmulhq_s16(operand, vdupq_n_s16(factor));
}

// Values stay below 2**15 in size, so the rounding shift and the saturation see no overflow.
inline uint8x8_t ToBytes(int16x8_t value) {
  return vqmovun_s16(vshrq_n_s16(vaddq_s16(value, vdupq_n_s16(1 << (kYuvShift - 1))), kYuvShift));
}

// 16 pixels: the even and odd Y of 8 pairs, and each pair's U and V.
inline void ConvertBlock(uint8x8_t even, uint8x8_t odd, uint8x8_t u, uint8x8_t v, uint8_t* rgb) {
  const int16x8_t du = Offset(u, 128), dv = Offset(v, 128);
  const int16x8_t red = Product(dv, kRedFromV), blue = Product(du, kBlueFromU);
  const int16x8_t green = vaddq_s16(Product(du, kGreenFromU), Product(dv, kGreenFromV));
  const int16x8_t y0 = Product(Offset(even, 16), kLumaFactor);
  const int16x8_t y1 = Product(Offset(odd, 16), kLumaFactor);
  const uint8x8x2_t r = vzip_u8(ToBytes(vaddq_s16(y0, red)), ToBytes(vaddq_s16(y1, red)));
  const uint8x8x2_t g = vzip_u8(ToBytes(vsubq_s16(y0, green)), ToBytes(vsubq_s16(y1, green)));
  const uint8x8x2_t b = vzip_u8(ToBytes(vaddq_s16(y0, blue)), ToBytes(vaddq_s16(y1, blue)));
  const uint8x16x3_t pixels = {{vcombine_u8(r.val[0], r.val[1]), vcombine_u8(g.val[0], g.val[1]),
                                vcombine_u8(b.val[0], b.val[1])}};
  vst3q_u8(rgb, pixels);
}

void YuyvToRgb(const uint8_t* yuyv, int32_t count, uint8_t* rgb) {
  int32_t x = 0;
  for (; x + 16 <= count; x += 16) {
    const uint8x8x4_t parts = vld4_u8(yuyv + 2 * x);
    ConvertBlock(parts.val[0], parts.val[2], parts.val[1], parts.val[3], rgb + 3 * x);
  }
  kPortableRows.yuyv_to_rgb(yuyv + 2 * x, count - x, rgb + 3 * x);
}

void Nv12ToRgb(const uint8_t* luma, const uint8_t* chroma, int32_t count, uint8_t* rgb) {
  int32_t x = 0;
  for (; x + 16 <= count; x += 16) {
    const uint8x8x2_t y = vld2_u8(luma + x), uv = vld2_u8(chroma + x);
    ConvertBlock(y.val[0], y.val[1], uv.val[0], uv.val[1], rgb + 3 * x);
  }
  kPortableRows.nv12_to_rgb(luma + x, chroma + x, count - x, rgb + 3 * x);
}

const RowKernels kNeonRows = {"neon", CombineRows, CombineColumns, YuyvToRgb, Nv12ToRgb};

}  // namespace

const RowKernels* NeonRows() {
#if defined(__aarch64__)
  return &kNeonRows;
#else
  constexpr unsigned long kHwcapNeon = 1 << 12;  // HWCAP_NEON of 32-bit ARM's asm/hwcap.h
  return getauxval(AT_HWCAP) & kHwcapNeon ? &kNeonRows : nullptr;
#endif
}

}  // namespace edgeinfer

#else

namespace edgeinfer {
const RowKernels* NeonRows() { return nullptr; }
}  // namespace edgeinfer

#endif
