#include "splot/data/motion.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>

#include "splot/core/error.h"
#include "splot/data/internal/warp.h"
#include "splot/data/internal/workers.h"

namespace splot {
namespace {

using data_detail::Affine;

void check(const Motion& motion, Index fill, const Shape& sample) {
  require(sample.rank() == 3, "motion", "pictures are [channels, height, width], got ", sample);
  for (const double v : {motion.right, motion.down, motion.degrees}) {
    require<ValueError>(std::isfinite(v), "motion", "shifts and degrees must be finite, got ", v);
  }
  require<ValueError>(motion.scale >= 0.01 && motion.scale <= 100.0, "motion",
                      "scale must be 0.01 to 100, got ", motion.scale);
  require<ValueError>(fill >= 0 && fill <= 255, "motion", "fill must be 0 to 255, got ", fill);
}

Affine map_of(const Motion& motion) {
  Affine map;
  if (motion.scale != 1.0) map = map.after(Affine::enlarging(motion.scale));
  if (motion.degrees != 0.0) map = map.after(Affine::turning(motion.degrees));
  return map.after(Affine::shifting(motion.right, motion.down));
}

class Moved final : public BatchSource {
 public:
  Moved(Dataset data, const Motion& motion, Index fill)
      : data_(std::move(data)), map_(map_of(motion)), fill_(static_cast<double>(fill)) {}

  Index size() const override { return data_.size(); }

  Batch read(std::span<const Index> indices) override {
    const Batch from = data_.subset(indices).stored(0, static_cast<Index>(indices.size()));
    const Batch out{Tensor::empty(from.inputs.shape(), kUInt8), from.targets};
    auto* pixels = static_cast<std::uint8_t*>(out.inputs.impl()->storage->data());
    const Shape sample = data_.sample_shape();
    const auto each = static_cast<std::size_t>(sample.numel());
    std::memcpy(pixels, from.inputs.raw(), each * indices.size());
    if (map_.is_identity()) return out;
    data_detail::for_each_on_threads(static_cast<Index>(indices.size()), 0, [&](Index i) {
      const std::span<std::uint8_t> picture(pixels + static_cast<std::size_t>(i) * each, each);
      data_detail::warp({sample[0], sample[1], sample[2], picture}, map_, {}, fill_);
    });
    return out;
  }

 private:
  const Dataset data_;
  const Affine map_;
  const double fill_;
};

}  // namespace

void move_picture(const Motion& motion, Index fill, const Shape& sample, std::span<std::uint8_t> pixels) {
  check(motion, fill, sample);
  require(sample.numel() == static_cast<Index>(pixels.size()), "motion", "a picture ", sample, " has ",
          sample.numel(), " pixels, got ", pixels.size());
  data_detail::warp({sample[0], sample[1], sample[2], pixels}, map_of(motion), {}, static_cast<double>(fill));
}

Dataset with_motion(const Dataset& data, const Motion& motion, Index fill) {
  check(motion, fill, data.sample_shape());
  require<DTypeError>(data.input_dtype() == kUInt8, "motion", data.name(),
                      ": pictures of bytes are needed, these are ", data.input_dtype());
  return Dataset(data.name(), std::make_shared<Moved>(data, motion, fill), data.classes(),
                 data.preprocessing());
}

Index edge_level(const Dataset& data, Index most) {
  if (data.sample_shape().rank() != 3 || data.input_dtype() != kUInt8) return 0;
  const Index looked_at = std::min(most, data.size());
  const Index channels = data.sample_shape()[0], height = data.sample_shape()[1],
              width = data.sample_shape()[2];
  std::array<Index, 256> counts{};
  Index total = 0;
  for (Index i = 0; i < looked_at; ++i) {
    const Tensor picture = data.stored(i * data.size() / looked_at, 1).inputs;
    const auto* pixel = static_cast<const std::uint8_t*>(picture.raw());
    for (Index at = 0; at < channels * height * width; ++at) {
      const Index row = at / width % height, column = at % width;
      if (row > 0 && row + 1 < height && column > 0 && column + 1 < width) continue;
      ++counts[pixel[at]];
      ++total;
    }
  }
  Index seen = 0;
  for (std::size_t level = 0; level < counts.size(); ++level) {
    seen += counts[level];
    if (seen > 0 && 2 * seen >= total) return static_cast<Index>(level);
  }
  return 0;
}

}  // namespace splot
