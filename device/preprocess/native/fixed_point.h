// The constants of PreprocessSpec's integer arithmetic.
#ifndef EDGEINFER_NATIVE_FIXED_POINT_H_
#define EDGEINFER_NATIVE_FIXED_POINT_H_

#include <cstdint>

namespace edgeinfer {

// Resampling: 14-bit weights; 7 fractional bits are kept between the vertical and the horizontal
// pass, so that 255 fits into 15 bits.
constexpr int kWeightBits = 14;
constexpr int kFractionBits = 7;
constexpr int kRowShift = kWeightBits - kFractionBits;
constexpr int kColumnShift = kWeightBits + kFractionBits;
constexpr int32_t kOne = 1 << kWeightBits;

// YUV (BT.601, studio range) to RGB: with products rounded to 5 fractional bits,
//   R = y + 1.596 v,  G = y - (0.392 u + 0.813 v),  B = y + 2.017 u,  y = 1.164 (Y - 16).
// A product is (operand * 2**7 * factor + 2**14) >> 15 with a 13-bit factor: what one instruction
// of SSSE3 (pmulhrsw) and of NEON (vqrdmulh) computes.
constexpr int kYuvShift = 5;
constexpr int kOperandShift = 7;
constexpr int16_t kLumaFactor = 9539;
constexpr int16_t kRedFromV = 13075;
constexpr int16_t kGreenFromU = 3209;
constexpr int16_t kGreenFromV = 6660;
constexpr int16_t kBlueFromU = 16525;

}  // namespace edgeinfer
#endif
