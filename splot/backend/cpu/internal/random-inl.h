// Tiles of Philox and their conversion to floats for one instruction set. Included once for each by
// random.cpp.
#if defined(SPLOT_RANDOM_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_RANDOM_INL_H
#undef SPLOT_RANDOM_INL_H
#else
#define SPLOT_RANDOM_INL_H
#endif

#include <cstring>

#include "splot/backend/cpu/internal/simd-inl.h"
#include "splot/core/random.h"

HWY_BEFORE_NAMESPACE();
namespace splot {
namespace HWY_NAMESPACE {

constexpr Index kTileBlocks = 8;
constexpr Index kTileWords = 4 * kTileBlocks;
// Made at once, and converted while they are in the first cache.
constexpr Index kBatchTiles = 16;

// The words of tiles first .. first + tiles - 1 of the key's sequence.
inline void tile_words(const RandomKey& key, Index first, Index tiles, std::uint32_t* words) {
#if HWY_TARGET == HWY_SCALAR
  for (Index block = 0; block < tiles * kTileBlocks; ++block) {
    const PhiloxBlock numbers = random_block(key, static_cast<std::uint64_t>(first * kTileBlocks + block));
    std::uint32_t* out = words + block / kTileBlocks * kTileWords + 2 * (block % kTileBlocks);
    out[0] = numbers[0];
    out[1] = numbers[1];
    out[2 * kTileBlocks] = numbers[2];
    out[2 * kTileBlocks + 1] = numbers[3];
  }
#else
  // One block in each 64-bit lane: the 32 x 32 bit products need that much, and what stands in the upper half
  // of a factor is not looked at.
  const hn::CappedTag<std::uint64_t, kTileBlocks> wide;
  const hn::Repartition<std::uint32_t, decltype(wide)> narrow;
  const auto lanes = static_cast<Index>(hn::Lanes(wide));
  const auto [key0, key1] = philox_key(key);
  const auto multiplier0 = hn::BitCast(narrow, hn::Set(wide, 0xD2511F53));
  const auto multiplier1 = hn::BitCast(narrow, hn::Set(wide, 0xCD9E8D57));
  const auto low_half = hn::Set(wide, 0xffffffffu);
  for (Index block = 0; block < tiles * kTileBlocks; block += lanes) {
    auto c0 = hn::Iota(wide, static_cast<std::uint64_t>(first * kTileBlocks + block));
    auto c1 = hn::ShiftRight<32>(c0);
    auto c2 = hn::Set(wide, key.counter & 0xffffffffu);
    auto c3 = hn::Set(wide, key.counter >> 32);
    std::uint32_t k0 = key0, k1 = key1;
    for (int round = 0; round < 10; ++round) {
      const auto a = hn::MulEven(multiplier0, hn::BitCast(narrow, c0));
      const auto b = hn::MulEven(multiplier1, hn::BitCast(narrow, c2));
      c0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(b), c1), hn::Set(wide, k0));
      c1 = b;
      c2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(a), c3), hn::Set(wide, k1));
      c3 = a;
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    std::uint32_t* out = words + block / kTileBlocks * kTileWords + 2 * (block % kTileBlocks);
    const auto front = hn::Or(hn::And(c0, low_half), hn::ShiftLeft<32>(c1));
    const auto back = hn::Or(hn::And(c2, low_half), hn::ShiftLeft<32>(c3));
    hn::StoreU(hn::BitCast(narrow, front), narrow, out);
    hn::StoreU(hn::BitCast(narrow, back), narrow, out + 2 * kTileBlocks);
  }
#endif
}

// From words to numbers in [0, 1) and in (0, 1].
template <typename T>
struct FromWords;

template <>
struct FromWords<float> {
  static HWY_INLINE auto bits(const std::uint32_t* words) {
    return hn::LoadU(hn::ScalableTag<std::uint32_t>(), words);
  }
  static HWY_INLINE Simd<float> from_zero(const std::uint32_t* words) {
    const hn::ScalableTag<std::int32_t> integers;
    const auto whole = hn::BitCast(integers, hn::ShiftRight<8>(bits(words)));
    return Simd<float>::of(hn::ConvertTo(hn::ScalableTag<float>(), whole)) * Simd<float>(0x1p-24);
  }
  // 31 bits: the smallest numbers, which become the largest radii, are known more finely than 24 bits.
  static HWY_INLINE Simd<float> to_one(const std::uint32_t* words) {
    const hn::ScalableTag<std::int32_t> integers;
    const auto whole = hn::BitCast(integers, hn::ShiftRight<1>(bits(words)));
    const Simd<float> number = Simd<float>::of(hn::ConvertTo(hn::ScalableTag<float>(), whole));
    return (number + Simd<float>(1.0)) * Simd<float>(0x1p-31);
  }
};

template <>
struct FromWords<double> {
  static HWY_INLINE Simd<double> from_zero(const std::uint32_t* words) {
    const hn::ScalableTag<std::uint64_t> tag;
    const auto bits = hn::LoadU(tag, reinterpret_cast<const std::uint64_t*>(words));
    // 52 bits behind the exponent of 1 are a number in [1, 2).
    const auto number = hn::Or(hn::ShiftRight<12>(bits), hn::Set(tag, 0x3FF0000000000000u));
    return Simd<double>::of(hn::BitCast(hn::ScalableTag<double>(), number)) - Simd<double>(1.0);
  }
  static HWY_INLINE Simd<double> to_one(const std::uint32_t* words) {
    return Simd<double>(1.0) - from_zero(words);
  }
};

// A distribution turns the words of one tile into the numbers of a tile.
template <typename T>
constexpr Index kTileNumbers = kTileWords* static_cast<Index>(sizeof(std::uint32_t)) /
                               static_cast<Index>(sizeof(T));

template <typename T>
struct Uniform {
  T low, high;
  HWY_INLINE void operator()(const std::uint32_t* words, T* out) const {
    const Simd<T> base(static_cast<double>(low)), width(static_cast<double>(high - low));
    const auto lanes = static_cast<Index>(hn::Lanes(hn::ScalableTag<T>()));
    for (Index i = 0; i < kTileNumbers<T>; i += lanes) {
      const Simd<T> u = FromWords<T>::from_zero(words + i * static_cast<Index>(sizeof(T) / 4));
      hn::StoreU(fma(width, u, base).raw, hn::ScalableTag<T>(), out + i);
    }
  }
};

template <typename T>
struct Bernoulli {
  T p, value;
  HWY_INLINE void operator()(const std::uint32_t* words, T* out) const {
    const Simd<T> bound(static_cast<double>(p)), one(static_cast<double>(value));
    const auto lanes = static_cast<Index>(hn::Lanes(hn::ScalableTag<T>()));
    for (Index i = 0; i < kTileNumbers<T>; i += lanes) {
      const Simd<T> u = FromWords<T>::from_zero(words + i * static_cast<Index>(sizeof(T) / 4));
      hn::StoreU(select(u < bound, one, Simd<T>(0.0)).raw, hn::ScalableTag<T>(), out + i);
    }
  }
};

template <typename T>
struct Normal {
  T mean, deviation;
  HWY_INLINE void operator()(const std::uint32_t* words, T* out) const {
    const hn::ScalableTag<T> tag;
    const Simd<T> base(static_cast<double>(mean)), scale(static_cast<double>(deviation));
    const auto lanes = static_cast<Index>(hn::Lanes(tag));
    constexpr Index kHalf = kTileNumbers<T> / 2;
    for (Index i = 0; i < kHalf; i += lanes) {
      const Simd<T> u = FromWords<T>::to_one(words + i * static_cast<Index>(sizeof(T) / 4));
      const Simd<T> turn = FromWords<T>::from_zero(words + (i + kHalf) * static_cast<Index>(sizeof(T) / 4));
      // The logarithm of 1 may come out a little above 0.
      const Simd<T> squared = max(Simd<T>(-2.0) * Simd<T>::of(hn::Log(tag, u.raw)), Simd<T>(0.0));
      const Simd<T> radius = sqrt(squared) * scale;
      const Simd<T> angle = turn * Simd<T>(6.283185307179586);
      hn::StoreU(fma(radius, Simd<T>::of(hn::Cos(tag, angle.raw)), base).raw, tag, out + i);
      hn::StoreU(fma(radius, Simd<T>::of(hn::Sin(tag, angle.raw)), base).raw, tag, out + i + kHalf);
    }
  }
};

// Numbers of the tiles from `tile` on; the last tile may be cut short.
template <template <typename> typename Distribution, typename T>
void fill_tiles(const RandomKey& key, double a, double b, Index tile, Index n, T* out) {
  HWY_ALIGN std::uint32_t words[kBatchTiles * kTileWords];
  const Distribution<T> distribution{static_cast<T>(a), static_cast<T>(b)};
  while (n > 0) {
    const Index tiles = std::min(kBatchTiles, (n + kTileNumbers<T> - 1) / kTileNumbers<T>);
    tile_words(key, tile, tiles, words);
    for (Index t = 0; t < tiles; ++t) {
      if (n < kTileNumbers<T>) {
        HWY_ALIGN T last[kTileNumbers<T>];
        distribution(words + t * kTileWords, last);
        std::memcpy(out, last, static_cast<std::size_t>(n) * sizeof(T));
        return;
      }
      distribution(words + t * kTileWords, out);
      out += kTileNumbers<T>;
      n -= kTileNumbers<T>;
    }
    tile += tiles;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace splot
HWY_AFTER_NAMESPACE();

#endif
