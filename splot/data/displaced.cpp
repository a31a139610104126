#include "splot/data/displaced.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "splot/core/error.h"

namespace splot {
namespace {

// How far copy j is moved: down, up, right, left.
struct Move {
  Index down, right;
};
constexpr Move kMoves[] = {{0, 0}, {1, 0}, {-1, 0}, {0, 1}, {0, -1}};
constexpr Index kCopies = static_cast<Index>(std::size(kMoves));

class Displaced final : public BatchSource {
 public:
  // Further than a picture is large there is nothing left of it.
  Displaced(Dataset data, Index pixels)
      : data_(std::move(data)),
        pixels_(std::min(pixels, std::max(data_.sample_shape()[1], data_.sample_shape()[2]))) {}

  Index size() const override { return kCopies * data_.size(); }

  Batch read(std::span<const Index> indices) override {
    std::vector<Index> originals(indices.begin(), indices.end());
    for (Index& i : originals) i /= kCopies;
    const auto n = static_cast<Index>(indices.size());
    const Batch from = data_.subset(originals).stored(0, n);
    const Batch out{Tensor::empty(from.inputs.shape(), from.inputs.dtype()), from.targets};
    const auto picture = static_cast<std::size_t>(data_.sample_shape().numel()) * from.inputs.dtype().size();
    const auto* read = static_cast<const std::byte*>(from.inputs.raw());
    auto* write = static_cast<std::byte*>(out.inputs.impl()->storage->data());
    std::memset(write, 0, picture * indices.size());
    for (const Index i : indices) {
      move(read, write, kMoves[i % kCopies], from.inputs.dtype().size());
      read += picture;
      write += picture;
    }
    return out;
  }

 private:
  // Row by row what stays inside; the rest of `to` is 0 before.
  void move(const std::byte* from, std::byte* to, const Move& by, std::size_t bytes) const {
    const Shape sample = data_.sample_shape();
    const Index height = sample[1], width = sample[2];
    const Index down = by.down * pixels_, right = by.right * pixels_;
    const Index begin = std::max<Index>(0, right), end = std::min(width, width + right);
    if (begin >= end) return;
    for (Index c = 0; c < sample[0]; ++c) {
      for (Index row = std::max<Index>(0, down); row < std::min(height, height + down); ++row) {
        const Index into = (c * height + row) * width + begin;
        const Index out_of = (c * height + row - down) * width + begin - right;
        std::memcpy(to + static_cast<std::size_t>(into) * bytes,
                    from + static_cast<std::size_t>(out_of) * bytes,
                    static_cast<std::size_t>(end - begin) * bytes);
      }
    }
  }

  const Dataset data_;
  const Index pixels_;
};

}  // namespace

Dataset with_displaced(const Dataset& data, Index pixels) {
  require<ValueError>(pixels > 0, "with_displaced", "pixels must be positive, got ", pixels);
  require(data.sample_shape().rank() == 3, "with_displaced", data.name(), ": examples have the shape ",
          data.sample_shape(), "; pictures [channels, height, width] are needed");
  require<ValueError>(!data.changes_by_chance(), "with_displaced", data.name(), ": has ",
                      data.transforms().empty() ? "a crop" : "transforms",
                      ", which would be lost; displace first");
  return Dataset(data.name(), std::make_shared<Displaced>(data, pixels), data.classes(),
                 data.preprocessing());
}

}  // namespace splot
