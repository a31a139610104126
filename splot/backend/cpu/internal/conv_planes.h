// Images copied into another arrangement before a convolution, where they are few.
#pragma once

#include <algorithm>
#include <cstring>

#include "splot/backend/cpu/internal/conv_plan.h"
#include "splot/backend/cpu/thread_pool.h"
#include "splot/core/storage.h"

namespace splot::cpu {

// How many zeros go before and after something.
struct Ends {
  Index before = 0, after = 0;
};

// Memory for numbers that are all written before they are read: that of tensors, which is aligned, and kept
// for the next time.
template <typename T>
class Scratch {
 public:
  Scratch() = default;
  explicit Scratch(Index numbers)
      : memory_(Storage::allocate(static_cast<std::size_t>(numbers) * sizeof(T))) {}

  T* get() const { return memory_ ? static_cast<T*>(memory_->data()) : nullptr; }

 private:
  Ref<Storage> memory_;
};
template <typename T>
Scratch<T> scratch(Index numbers) {
  return Scratch<T>(numbers);
}

// Short rows, for which a call of memcpy or memset takes longer than what it does. Both return the end.
template <typename T>
T* copy_row(const T* from, Index numbers, T* to) {
  constexpr Index kBlock = 16 / sizeof(T);
  if (numbers < kBlock) {
    for (Index i = 0; i < numbers; ++i) to[i] = from[i];
  } else {
    // The last block may overlap the one before it.
    for (Index i = 0; i < numbers - kBlock; i += kBlock) std::memcpy(to + i, from + i, 16);
    std::memcpy(to + numbers - kBlock, from + numbers - kBlock, 16);
  }
  return to + numbers;
}
template <typename T>
T* zero_row(Index numbers, T* to) {
  if (numbers == 1) {
    *to = T(0);
    return to + 1;
  }
  return std::fill_n(to, numbers, T(0));
}

// Copies numbers that are `step` runs of `images` apart behind each other.
template <typename T>
void copy_every(const T* from, Index step, Index count, Index images, T* to) {
  if (step == 1) {
    copy_row(from, count * images, to);
  } else if (images == 1) {
    for (Index i = 0; i < count; ++i) to[i] = from[i * step];
  } else {
    for (Index i = 0; i < count; ++i) std::copy_n(from + i * step * images, images, to + i * images);
  }
}

// The planes of x with rows and columns of zeros around them, and spread - 1 columns of zeros between any
// two.
template <typename T>
struct Bordered {
  Index width, row, plane;
  Scratch<T> values;

  Bordered(const T* x, Index channels, Index height, Index columns, Index images, Ends rows, Ends cols,
           Index spread = 1)
      : width((columns - 1) * spread + 1 + cols.before + cols.after),
        row(width * images),
        plane((rows.before + height + rows.after) * row),
        values(scratch<T>(channels * plane)) {
    parallel_for(channels, static_cast<double>(channels * plane) / 8000.0, [&](Index c) {
      T* to = zero_row(rows.before * row, values.get() + c * plane);
      for (Index i = 0; i < height; ++i) {
        const T* from = x + (c * height + i) * columns * images;
        to = zero_row(cols.before * images, to);
        if (spread == 1) {
          to = copy_row(from, columns * images, to);
        } else {
          for (Index j = 0; j < columns; ++j) {
            to = copy_row(from + j * images, images, to);
            if (j + 1 < columns) to = zero_row((spread - 1) * images, to);
          }
        }
        to = zero_row(cols.after * images, to);
      }
      zero_row(rows.after * row, to);
    });
  }
};

// [channels][kernel][height][out][images]: for each tap of the columns what each output reads through it.
template <typename T>
Scratch<T> gathered_columns(const T* x, Index channels, Index height, const Taps& taps, Index images) {
  const Index row = taps.out * images;
  Scratch<T> out = scratch<T>(channels * taps.count * height * row);
  // Which outputs read something through a tap: begin <= o < end.
  const auto first_not_below = [&](Index k, Index limit) {
    const Index distance = limit - taps.first - k * taps.step;
    return std::clamp<Index>(distance <= 0 ? 0 : (distance + taps.stride - 1) / taps.stride, 0, taps.out);
  };
  parallel_for(channels, static_cast<double>(channels * taps.count * height * row) / 2000.0, [&](Index c) {
    T* to = out.get() + c * taps.count * height * row;
    for (Index k = 0; k < taps.count; ++k) {
      const Index begin = first_not_below(k, 0), end = std::max(begin, first_not_below(k, taps.in));
      for (Index i = 0; i < height; ++i, to += row) {
        std::fill_n(to, begin * images, T(0));
        const T* from = x + ((c * height + i) * taps.in + taps.at(begin, k)) * images;
        copy_every(from, taps.stride, end - begin, images, to + begin * images);
        std::fill_n(to + end * images, (taps.out - end) * images, T(0));
      }
    }
  });
  return out;
}

}  // namespace splot::cpu
