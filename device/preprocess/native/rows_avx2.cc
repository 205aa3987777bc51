// The inner loops for x86-64 with AVX2. This file is compiled for AVX2 whatever the rest is compiled
// for; nothing in it runs before the processor was asked.

#include "rows.h"

#if defined(EDGEINFER_WITH_AVX2) && !defined(__AVX2__)
#error "expected to be compiled for AVX2; this compiler ignored the option in CMakeLists.txt"
#endif

#if defined(__x86_64__) || defined(__i386__)

#include <cpuid.h>
#include <immintrin.h>

#include <cstddef>
#include <cstring>

#include "fixed_point.h"

namespace edgeinfer {
namespace {

int32_t LoadPair(const int16_t* weights) {
  int32_t pair;
  std::memcpy(&pair, weights, sizeof pair);
  return pair;
}

// 32 bytes of each row at x. Two rows at a time: their bytes are interleaved, widened to 16 bits and
// multiplied and added in pairs.
inline void CombineBlock(const uint8_t* const* rows, const int16_t* weights, int32_t taps, int32_t x,
                         int16_t* result) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i sum0 = _mm256_set1_epi32(1 << (kRowShift - 1));
  __m256i sum1 = sum0, sum2 = sum0, sum3 = sum0;
  for (int32_t k = 0; k < taps; k += 2) {
    const __m256i weight = _mm256_set1_epi32(LoadPair(weights + k));
    const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[k] + x));
    const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[k + 1] + x));
    const __m256i low = _mm256_unpacklo_epi8(a, b), high = _mm256_unpackhi_epi8(a, b);
    sum0 = _mm256_add_epi32(sum0, _mm256_madd_epi16(_mm256_unpacklo_epi8(low, zero), weight));
    sum1 = _mm256_add_epi32(sum1, _mm256_madd_epi16(_mm256_unpackhi_epi8(low, zero), weight));
    sum2 = _mm256_add_epi32(sum2, _mm256_madd_epi16(_mm256_unpacklo_epi8(high, zero), weight));
    sum3 = _mm256_add_epi32(sum3, _mm256_madd_epi16(_mm256_unpackhi_epi8(high, zero), weight));
  }
  // unpack and pack both work within 128-bit lanes; the permutation puts the lanes in order.
  const __m256i low = _mm256_packs_epi32(_mm256_srai_epi32(sum0, kRowShift),
                                         _mm256_srai_epi32(sum1, kRowShift));
  const __m256i high = _mm256_packs_epi32(_mm256_srai_epi32(sum2, kRowShift),
                                          _mm256_srai_epi32(sum3, kRowShift));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(result + x),
                      _mm256_permute2x128_si256(low, high, 0x20));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(result + x + 16),
                      _mm256_permute2x128_si256(low, high, 0x31));
}

void CombineRows(const uint8_t* const* rows, const int16_t* weights, int32_t taps, int32_t length,
                 int16_t* result) {
  if (length < 32) {
    kPortableRows.combine_rows(rows, weights, taps, length, result);
    return;
  }
  for (int32_t x = 0; x + 32 <= length; x += 32) CombineBlock(rows, weights, taps, x, result);
  // The last block overlaps the one before, so that nothing past the rows' ends is read.
  if (length % 32) CombineBlock(rows, weights, taps, length - 32, result);
}

inline __m128i Load(const int16_t* values) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(values));
}

inline void Store4(__m128i bytes, uint8_t* result) {
  const int32_t four = _mm_cvtsi128_si32(bytes);
  std::memcpy(result, &four, sizeof four);
}

// Three channels, two output pixels at a time, one in each lane: a load brings two source pixels
// (and a part of the third), a shuffle pairs their channels.
void CombineColumns3(const int16_t* row, bool reverse, const Columns& columns, uint8_t* result) {
  const __m256i pairs = _mm256_broadcastsi128_si256(
      reverse ? _mm_setr_epi8(4, 5, 10, 11, 2, 3, 8, 9, 0, 1, 6, 7, -1, -1, -1, -1)
              : _mm_setr_epi8(0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, -1, -1, -1, -1));
  const int16_t* weights = columns.doubled;
  const int32_t count = columns.count, taps = columns.taps;
  for (int32_t i = 0; i < count; i += 2, result += 6) {
    const int32_t next = i + 1 < count ? i + 1 : i;
    const int16_t* first = row + static_cast<ptrdiff_t>(columns.start[i]) * 3;
    const int16_t* second = row + static_cast<ptrdiff_t>(columns.start[next]) * 3;
    __m256i sum = _mm256_set1_epi32(1 << (kColumnShift - 1));
    for (int32_t k = 0; k < taps; k += 2, weights += 16) {
      const __m256i pixels = _mm256_inserti128_si256(
          _mm256_castsi128_si256(Load(first + 3 * k)), Load(second + 3 * k), 1);
      const __m256i weight = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights));
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_shuffle_epi8(pixels, pairs), weight));
    }
    sum = _mm256_srai_epi32(sum, kColumnShift);
    sum = _mm256_packs_epi32(sum, sum);
    sum = _mm256_packus_epi16(sum, sum);
    Store4(_mm256_castsi256_si128(sum), result);
    Store4(_mm256_extracti128_si256(sum, 1), result + 3);
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

inline __m256i Product(__m256i operand, int16_t factor) {
  return _mm256_mulhrs_epi16(operand, _mm256_set1_epi16(factor));
}

inline __m128i ToBytes(__m256i value) {
  const __m256i rounding = _mm256_set1_epi16(1 << (kYuvShift - 1));
  const __m256i shifted = _mm256_srai_epi16(_mm256_add_epi16(value, rounding), kYuvShift);
  return _mm_packus_epi16(_mm256_castsi256_si128(shifted), _mm256_extracti128_si256(shifted, 1));
}

// 16 pixels. luma: 16 Y as 16-bit values; chroma: 8 pairs U V, 16-bit too.
inline void ConvertBlock(__m256i luma, __m256i chroma, uint8_t* rgb) {
  const __m256i centre = _mm256_set1_epi16(128);
  const __m256i offset =
      _mm256_slli_epi16(_mm256_sub_epi16(chroma, centre), kOperandShift);
  const __m256i take_u = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 1, 0, 1, 4, 5, 4, 5, 8, 9, 8, 9, 12, 13, 12, 13));
  const __m256i take_v = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(2, 3, 2, 3, 6, 7, 6, 7, 10, 11, 10, 11, 14, 15, 14, 15));
  const __m256i u = _mm256_shuffle_epi8(offset, take_u), v = _mm256_shuffle_epi8(offset, take_v);
  const __m256i y = Product(
      _mm256_slli_epi16(_mm256_sub_epi16(luma, _mm256_set1_epi16(16)), kOperandShift), kLumaFactor);
  const __m128i red = ToBytes(_mm256_add_epi16(y, Product(v, kRedFromV)));
  const __m128i green = ToBytes(_mm256_sub_epi16(
      y, _mm256_add_epi16(Product(u, kGreenFromU), Product(v, kGreenFromV))));
  const __m128i blue = ToBytes(_mm256_add_epi16(y, Product(u, kBlueFromU)));
  // Three planes of 16 bytes to 48 interleaved: where each output byte comes from, -1 for elsewhere.
  const char n = -1;
  const __m128i r0 = _mm_setr_epi8(0, n, n, 1, n, n, 2, n, n, 3, n, n, 4, n, n, 5);
  const __m128i g0 = _mm_setr_epi8(n, 0, n, n, 1, n, n, 2, n, n, 3, n, n, 4, n, n);
  const __m128i b0 = _mm_setr_epi8(n, n, 0, n, n, 1, n, n, 2, n, n, 3, n, n, 4, n);
  const __m128i r1 = _mm_setr_epi8(n, n, 6, n, n, 7, n, n, 8, n, n, 9, n, n, 10, n);
  const __m128i g1 = _mm_setr_epi8(5, n, n, 6, n, n, 7, n, n, 8, n, n, 9, n, n, 10);
  const __m128i b1 = _mm_setr_epi8(n, 5, n, n, 6, n, n, 7, n, n, 8, n, n, 9, n, n);
  const __m128i r2 = _mm_setr_epi8(n, 11, n, n, 12, n, n, 13, n, n, 14, n, n, 15, n, n);
  const __m128i g2 = _mm_setr_epi8(n, n, 11, n, n, 12, n, n, 13, n, n, 14, n, n, 15, n);
  const __m128i b2 = _mm_setr_epi8(10, n, n, 11, n, n, 12, n, n, 13, n, n, 14, n, n, 15);
  const auto merge = [&](__m128i from_red, __m128i from_green, __m128i from_blue, uint8_t* to) {
    const __m128i merged =
        _mm_or_si128(_mm_or_si128(_mm_shuffle_epi8(red, from_red),
                                  _mm_shuffle_epi8(green, from_green)),
                     _mm_shuffle_epi8(blue, from_blue));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), merged);
  };
  merge(r0, g0, b0, rgb);
  merge(r1, g1, b1, rgb + 16);
  merge(r2, g2, b2, rgb + 32);
}

void YuyvToRgb(const uint8_t* yuyv, int32_t count, uint8_t* rgb) {
  int32_t x = 0;
  for (; x + 16 <= count; x += 16) {
    const __m256i both = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(yuyv + 2 * x));
    ConvertBlock(_mm256_and_si256(both, _mm256_set1_epi16(255)), _mm256_srli_epi16(both, 8),
                 rgb + 3 * x);
  }
  kPortableRows.yuyv_to_rgb(yuyv + 2 * x, count - x, rgb + 3 * x);
}

void Nv12ToRgb(const uint8_t* luma, const uint8_t* chroma, int32_t count, uint8_t* rgb) {
  int32_t x = 0;
  for (; x + 16 <= count; x += 16) {
    const __m128i y = _mm_loadu_si128(reinterpret_cast<const __m128i*>(luma + x));
    const __m128i uv = _mm_loadu_si128(reinterpret_cast<const __m128i*>(chroma + x));
    ConvertBlock(_mm256_cvtepu8_epi16(y), _mm256_cvtepu8_epi16(uv), rgb + 3 * x);
  }
  kPortableRows.nv12_to_rgb(luma + x, chroma + x, count - x, rgb + 3 * x);
}

const RowKernels kAvx2Rows = {"avx2", CombineRows, CombineColumns, YuyvToRgb, Nv12ToRgb};

// What __builtin_cpu_supports("avx2") should tell: with zig's runtime library it always says no.
bool HasAvx2() {
  unsigned a, b, c, d;
  constexpr unsigned kOsxsaveAndAvx = 3u << 27, kAvx2 = 1u << 5, kSseAndAvxState = 6;
  if (!__get_cpuid(1, &a, &b, &c, &d) || (c & kOsxsaveAndAvx) != kOsxsaveAndAvx) return false;
  // The system must keep the registers' upper halves when it switches between programs.
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  if ((low & kSseAndAvxState) != kSseAndAvxState) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & kAvx2);
}

}  // namespace

const RowKernels* Avx2Rows() { return HasAvx2() ? &kAvx2Rows : nullptr; }

}  // namespace edgeinfer

#else

namespace edgeinfer {
const RowKernels* Avx2Rows() { return nullptr; }
}  // namespace edgeinfer

#endif
