#include "splot/data/dataset.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>

#include "splot/core/random.h"
#include "splot/data/internal/cut.h"
#include "splot/data/internal/on_demand.h"
#include "splot/data/internal/workers.h"

namespace splot {
namespace {

std::vector<Index> numbers_from(Index first, Index count) {
  std::vector<Index> out(static_cast<std::size_t>(count));
  std::iota(out.begin(), out.end(), first);
  return out;
}

// Examples first .. first + count - 1 of a dense tensor, seen in place.
Tensor window(const Tensor& x, Index first, const Shape& shape) {
  Ref<TensorImpl> impl = x.impl()->window();
  const Index per_example = x.shape()[0] == 0 ? 0 : x.numel() / x.shape()[0];
  impl->offset += first * per_example;
  impl->shape = shape;
  impl->strides = shape.row_major();
  impl->contiguous = true;
  return Tensor(std::move(impl));
}

// Shuffled rows lie anywhere in memory: asking for all of them first makes one wait of many. Always inline:
// GCC takes a function that does nothing but ask for one without an effect, and leaves its calls out.
[[gnu::always_inline]] inline void ask_for_rows(const void* from, std::span<const Index> indices,
                                                std::size_t bytes) {
  constexpr std::size_t kLine = 64;
  constexpr std::size_t kMost = 256 * 1024;  // more would push the first rows out of the cache again
  if (bytes * indices.size() > kMost) return;
  for (const Index i : indices) {
    const char* row = static_cast<const char*>(from) + static_cast<std::size_t>(i) * bytes;
    for (std::size_t at = 0; at < bytes; at += kLine) __builtin_prefetch(row + at);
  }
}

std::size_t row_bytes(const Tensor& x) {
  return x.shape()[0] == 0 ? 0 : static_cast<std::size_t>(x.numel() / x.shape()[0]) * x.dtype().size();
}

// Rows of x in the order of the indices.
Tensor gather_rows(const Tensor& x, std::span<const Index> indices) {
  const Tensor out = Tensor::empty(x.shape().with(0, static_cast<Index>(indices.size())), x.dtype());
  const std::size_t row = row_bytes(x);
  const auto* from = static_cast<const std::byte*>(x.raw());
  auto* to = static_cast<std::byte*>(out.impl()->storage->data());
  ask_for_rows(from, indices, row);
  for (const Index i : indices) {
    if (row != 0) std::memcpy(to, from + static_cast<std::size_t>(i) * row, row);
    to += row;
  }
  return out;
}

// A stored number as the network sees it; `feature` is its place in its example.
template <typename T>
T prepared(double x, const Preprocessing& p, std::size_t feature) {
  return static_cast<T>((x / p.divisor - p.mean_of(feature)) / p.deviation_of(feature));
}

// Four are looked up before one is stored: a store might change the table, for all the compiler knows.
void look_up(const std::uint8_t* pixels, std::size_t n, const std::array<float, 256>& table, float* to) {
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    const float a = table[pixels[i]];
    const float b = table[pixels[i + 1]];
    const float c = table[pixels[i + 2]];
    const float d = table[pixels[i + 3]];
    to[i] = a;
    to[i + 1] = b;
    to[i + 2] = c;
    to[i + 3] = d;
  }
  for (; i < n; ++i) to[i] = table[pixels[i]];
}

using PixelTables = std::vector<std::array<float, 256>>;

// Where many pixels are treated alike `tables` has the 256 possible ones, of all or of each channel, and what
// is left is a look-up.
void gather_pixels(const Tensor& x, std::span<const Index> indices, const Preprocessing& p,
                   const PixelTables* tables, float* to) {
  const auto row = static_cast<std::size_t>(x.numel() / x.shape()[0]);
  const auto* from = x.data<std::uint8_t>();
  ask_for_rows(from, indices, row);
  for (const Index i : indices) {
    const std::uint8_t* pixel = from + static_cast<std::size_t>(i) * row;
    if (tables == nullptr) {
      for (std::size_t j = 0; j < row; ++j) to[j] = prepared<float>(pixel[j], p, j);
    } else {
      const std::size_t each = row / tables->size();
      for (std::size_t c = 0; c < tables->size(); ++c)
        look_up(pixel + c * each, each, (*tables)[c], to + c * each);
    }
    to += row;
  }
}

}  // namespace

Dataset::Dataset(std::string name, const Tensor& inputs, const Tensor& targets,
                 std::vector<std::string> classes, Preprocessing preprocessing)
    : name_(std::move(name)), classes_(std::move(classes)) {
  require<ValueError>(inputs.defined() && targets.defined(), "Dataset", name_,
                      ": inputs or targets are undefined");
  require(inputs.rank() >= 1 && targets.rank() >= 1 && inputs.shape()[0] == targets.shape()[0], "Dataset",
          name_, ": inputs", inputs, " and targets", targets,
          " need the same number of examples along axis 0");
  inputs_ = contiguous(inputs).detach();
  set_preprocessing(std::move(preprocessing));
  targets_ = data_detail::as_targets(targets);
  check_classes(targets_, {});
}

Dataset::Dataset(std::string name, std::shared_ptr<BatchSource> source, std::vector<std::string> classes,
                 Preprocessing preprocessing)
    : name_(std::move(name)),
      classes_(std::move(classes)),
      on_demand_(std::make_shared<data_detail::OnDemand>(name_, std::move(source))),
      count_(on_demand_->size()) {
  inputs_ = on_demand_->none().inputs;
  targets_ = on_demand_->none().targets;
  set_preprocessing(std::move(preprocessing));
}

void Dataset::set_preprocessing(Preprocessing preprocessing) {
  const std::string problem = preprocessing.problem(sample_shape());
  require<ValueError>(problem.empty(), "Dataset", name_, ": ", problem);
  preprocessing_ = std::move(preprocessing);
  pixels_ = nullptr;
  const bool by_feature = preprocessing_.by_feature();
  if (inputs_.dtype() != kUInt8 || (by_feature && preprocessing_.shared < 16)) return;
  PixelTables tables(by_feature ? preprocessing_.means.size() : 1);
  for (std::size_t c = 0; c < tables.size(); ++c) {
    for (std::size_t i = 0; i < 256; ++i) {
      tables[c][i] = prepared<float>(static_cast<double>(i), preprocessing_, c * preprocessing_.shared);
    }
  }
  pixels_ = std::make_shared<const PixelTables>(std::move(tables));
}

// `indices` are the examples the targets belong to; empty: their places.
void Dataset::check_classes(const Tensor& targets, std::span<const Index> indices) const {
  if (classes_.empty() || !targets.dtype().is_integral()) return;
  const auto count = static_cast<std::int64_t>(classes_.size());
  const auto* target = targets.data<std::int64_t>();
  for (Index i = 0; i < targets.numel(); ++i) {
    if (target[i] >= 0 && target[i] < count) [[likely]] {
      continue;
    }
    const Index each = targets.numel() / targets.shape()[0];
    fail<ValueError>("Dataset", name_, ": target ",
                     indices.empty() ? i : indices[static_cast<std::size_t>(i / each)], " is class ",
                     target[i], ", there are classes 0 to ", count - 1);
  }
}

const Tensor& Dataset::whole(const Tensor& tensor) const {
  require<ValueError>(
      in_memory(), "Dataset", name_,
      ": examples are read on demand, there is no tensor of all; batch() and stored() give some");
  return tensor;
}

Shape Dataset::uncut_shape() const {
  return Shape(std::span<const Index>(inputs_.shape().begin() + 1, inputs_.shape().end()));
}

Shape Dataset::sample_shape() const {
  const Shape uncut = uncut_shape();
  return crop_ ? Shape{uncut[0], (*crop_)[0], (*crop_)[1]} : uncut;
}

Dataset Dataset::with_sample_shape(const Shape& shape) const {
  require(!crop_, "with_sample_shape", name_, ": examples are cut out of pictures ", uncut_shape(),
          " and keep their shape ", sample_shape());
  require(shape.numel() == sample_shape().numel(), "with_sample_shape", name_, ": examples of shape ",
          sample_shape(), " do not fit ", shape);
  Ints sizes{inputs_.shape()[0]};
  for (const Index s : shape) sizes.push_back(s);
  Dataset out = *this;
  out.inputs_ = window(inputs_, 0, Shape(sizes));
  return out;
}

Dataset Dataset::with_preprocessing(const Preprocessing& preprocessing) const {
  Dataset out = *this;
  out.set_preprocessing(preprocessing);
  return out;
}

void Dataset::check_range(Index first, Index count, const char* what) const {
  require<IndexError>(first >= 0 && count >= 0 && first <= size() && count <= size() - first, what, name_,
                      ": examples ", first, " to ", first + count - 1, " of ", size(), " were asked for");
}

Dataset Dataset::slice(Index first, Index count) const {
  check_range(first, count, "slice");
  Dataset out = *this;
  if (on_demand_) {
    out.count_ = count;
    out.first_ += chosen_ ? 0 : first;
    if (chosen_) {
      const auto begin = chosen_->begin() + first;
      out.chosen_ = std::make_shared<const std::vector<Index>>(begin, begin + count);
    }
    return out;
  }
  out.inputs_ = window(inputs_, first, inputs_.shape().with(0, count));
  out.targets_ = window(targets_, first, targets_.shape().with(0, count));
  return out;
}

Dataset Dataset::subset(std::span<const Index> indices) const {
  for (const Index i : indices) check_range(i, 1, "subset");
  Dataset out = *this;
  if (on_demand_) {
    out.chosen_ = std::make_shared<const std::vector<Index>>(in_source(indices));
    out.count_ = static_cast<Index>(indices.size());
    return out;
  }
  out.inputs_ = gather_rows(inputs_, indices);
  out.targets_ = gather_rows(targets_, indices);
  return out;
}

std::vector<Dataset> Dataset::split(const std::vector<Index>& sizes) const {
  std::vector<Dataset> parts;
  Index first = 0;
  for (const Index count : sizes) {
    require<ValueError>(count >= 0 && count <= size() - first, "split", name_, ": part ", parts.size(),
                        " of ", count, " examples does not fit into the ", size() - first, " left of ",
                        size());
    parts.push_back(slice(first, count));
    first += count;
  }
  return parts;
}

// The numbers that examples have in the source.
std::vector<Index> Dataset::in_source(std::span<const Index> indices) const {
  std::vector<Index> out(indices.begin(), indices.end());
  for (Index& i : out) i = chosen_ ? (*chosen_)[static_cast<std::size_t>(i)] : first_ + i;
  return out;
}

Batch Dataset::read(std::span<const Index> indices) const {
  Batch out = on_demand_->read(in_source(indices));
  check_classes(out.targets, indices);
  out.inputs = window(out.inputs, 0, inputs_.shape().with(0, static_cast<Index>(indices.size())));
  return out;
}

// Rows of `from`, which are stored as inputs_ are.
Tensor Dataset::prepare(const Tensor& from, std::span<const Index> indices) const {
  const bool plain = preprocessing_ == Preprocessing{};
  if (plain && from.dtype().is_floating()) return gather_rows(from, indices);
  const bool is_double = from.dtype() == kFloat64;
  const Shape shape = from.shape().with(0, static_cast<Index>(indices.size()));
  const Tensor out = Tensor::empty(shape, is_double ? kFloat64 : kFloat32);
  void* to = out.impl()->storage->data();
  if (out.numel() == 0) return out;
  if (from.dtype() == kUInt8) {
    gather_pixels(from, indices, preprocessing_, pixels_.get(), static_cast<float*>(to));
    return out;
  }
  const Tensor rows = gather_rows(from, indices);
  visit_any(from.dtype(), [&](auto tag) {
    using From = typename decltype(tag)::type;
    const From* values = rows.data<From>();
    const auto features = static_cast<std::size_t>(sample_shape().numel());
    const auto numbers = static_cast<std::size_t>(rows.numel());
    for (std::size_t i = 0; i < numbers; ++i) {
      const double x = convert<double>(values[i]);
      if (is_double) {
        static_cast<double*>(to)[i] = prepared<double>(x, preprocessing_, i % features);
      } else {
        static_cast<float*>(to)[i] = prepared<float>(x, preprocessing_, i % features);
      }
    }
  });
  return out;
}

void Dataset::expect(std::span<const Index> indices) const {
  if (on_demand_) return;
  ask_for_rows(inputs_.raw(), indices, row_bytes(inputs_));
  ask_for_rows(targets_.raw(), indices, row_bytes(targets_));
}

Batch Dataset::batch(std::span<const Index> indices) const {
  for (const Index i : indices) check_range(i, 1, "batch");
  if (crop_) {
    Batch out = middles(indices);
    out.inputs = prepare(out.inputs, numbers_from(0, static_cast<Index>(indices.size())));
    return out;
  }
  if (!on_demand_) return {prepare(inputs_, indices), gather_rows(targets_, indices)};
  Batch out = read(indices);
  if (preprocessing_ == Preprocessing{} && out.inputs.dtype().is_floating()) return out;
  out.inputs = prepare(out.inputs, numbers_from(0, static_cast<Index>(indices.size())));
  return out;
}

Dataset Dataset::with_transforms(std::vector<Transform> transforms, int threads) const {
  if (!transforms.empty()) {
    require<DTypeError>(inputs_.dtype() == kUInt8, "with_transforms", name_, ": inputs are ", inputs_.dtype(),
                        "; pictures of bytes (uint8) are needed");
    require(sample_shape().rank() == 3, "with_transforms", name_, ": examples have the shape ",
            sample_shape(), "; pictures [channels, height, width] are needed");
  }
  for (const Transform& t : transforms) {
    const std::string problem = problem_of(t);
    require<ValueError>(problem.empty(), "with_transforms", name_, ": ", problem);
  }
  Dataset out = *this;
  out.transforms_ = std::move(transforms);
  out.transform_threads_ = threads;
  return out;
}

Dataset Dataset::with_crop(Index height, Index width) const {
  const Shape uncut = uncut_shape();
  require(uncut.rank() == 3, "with_crop", name_, ": examples have the shape ", uncut,
          "; pictures [channels, height, width] are needed");
  require<ValueError>(height > 0 && width > 0, "with_crop", "height and width must be positive, got ", height,
                      " x ", width);
  require(height <= uncut[1] && width <= uncut[2], "with_crop", name_, ": pictures of ", uncut[1], " x ",
          uncut[2], " have no piece of ", height, " x ", width);
  const auto area = [](const Shape& shape) { return static_cast<std::size_t>(shape[1] * shape[2]); };
  Dataset out = *this;
  out.crop_ = {height, width};
  Preprocessing same = preprocessing_;
  if (same.by_feature() && same.shared == area(sample_shape())) same.shared = area(out.sample_shape());
  out.set_preprocessing(std::move(same));
  return out;
}

// Piece i is cut out of picture rows[i], at place(i).
Tensor Dataset::cut_out(const Tensor& pictures, std::span<const Index> rows,
                        const std::function<data_detail::Place(std::size_t)>& place) const {
  const Shape uncut = uncut_shape(), piece = sample_shape();
  const std::size_t element = pictures.dtype().size();
  const std::size_t picture_bytes = row_bytes(pictures);
  const Tensor out =
      Tensor::empty({static_cast<Index>(rows.size()), piece[0], piece[1], piece[2]}, pictures.dtype());
  const auto* from = static_cast<const std::byte*>(pictures.raw());
  auto* to = static_cast<std::byte*>(out.impl()->storage->data());
  const std::size_t piece_bytes = static_cast<std::size_t>(piece.numel()) * element;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    data_detail::cut(from + static_cast<std::size_t>(rows[i]) * picture_bytes, uncut, place(i), piece,
                     element, to + i * piece_bytes);
  }
  return out;
}

// Middle pieces as they are stored, with their targets.
Batch Dataset::middles(std::span<const Index> indices) const {
  const data_detail::Place middle = data_detail::middle_place(uncut_shape(), sample_shape());
  const auto place = [&](std::size_t) { return middle; };
  if (!on_demand_) return {cut_out(inputs_, indices, place), gather_rows(targets_, indices)};
  Batch out = read(indices);
  out.inputs = cut_out(out.inputs, numbers_from(0, static_cast<Index>(indices.size())), place);
  return out;
}

namespace {

// What is drawn for an example: far more of them than there can be, times far more epochs.
RandomKey key_of(const char* stream, std::uint64_t seed, std::uint64_t epoch, Index example) {
  return {.seed = seed,
          .stream = stream_of(stream),
          .counter = epoch << 40 ^ static_cast<std::uint64_t>(example)};
}

}  // namespace

// Pictures in the order of their numbers, in place.
void Dataset::transform(const Tensor& pictures, std::span<const Index> indices, std::uint64_t seed,
                        std::uint64_t epoch) const {
  const Shape sample = uncut_shape();
  const auto each = static_cast<std::size_t>(sample.numel());
  auto* pixels = static_cast<std::uint8_t*>(pictures.impl()->storage->data());
  const auto n = static_cast<Index>(indices.size());
  // Some ten nanoseconds for each pixel and transform; a thread is begun in some ten thousand.
  constexpr std::size_t kWorthwhile = 20'000;
  const bool little = each * indices.size() * transforms_.size() < kWorthwhile;
  data_detail::for_each_on_threads(n, little ? 1 : transform_threads_, [&](Index i) {
    const auto at = static_cast<std::size_t>(i);
    const RandomKey key = key_of("data.transforms", seed, epoch, indices[at]);
    transform_picture(transforms_, key, sample, {pixels + at * each, each});
  });
}

Batch Dataset::transformed(std::span<const Index> indices, std::uint64_t seed, std::uint64_t epoch) const {
  if (!changes_by_chance()) return batch(indices);
  for (const Index i : indices) check_range(i, 1, "transformed");
  const std::vector<Index> all = numbers_from(0, static_cast<Index>(indices.size()));
  Batch out = on_demand_ ? read(indices) : Batch{inputs_, gather_rows(targets_, indices)};
  std::span<const Index> rows = on_demand_ ? all : indices;
  if (!transforms_.empty()) {
    out.inputs = gather_rows(out.inputs, rows);  // the source may keep its own
    rows = all;
    transform(out.inputs, indices, seed, epoch);
  }
  if (crop_) {
    out.inputs = cut_out(out.inputs, rows, [&](std::size_t i) {
      return data_detail::place_by_chance(uncut_shape(), sample_shape(),
                                          key_of("data.crop", seed, epoch, indices[i]));
    });
  }
  out.inputs = prepare(out.inputs, all);
  return out;
}

Batch Dataset::batch(Index first, Index count) const {
  check_range(first, count, "batch");
  if (!on_demand_ && inputs_.dtype().is_floating() && preprocessing_ == Preprocessing{}) {
    return stored(first, count);
  }
  return batch(numbers_from(first, count));
}

Batch Dataset::stored(Index first, Index count) const {
  check_range(first, count, "stored");
  if (crop_) return middles(numbers_from(first, count));
  if (on_demand_) return read(numbers_from(first, count));
  return {window(inputs_, first, inputs_.shape().with(0, count)),
          window(targets_, first, targets_.shape().with(0, count))};
}

std::vector<Index> shuffled_indices(Index n, std::uint64_t seed, std::uint64_t epoch) {
  require<ValueError>(n >= 0, "shuffled_indices", "cannot order ", n, " examples");
  std::vector<Index> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), Index{0});
  RandomStream random({.seed = seed, .stream = stream_of("data.shuffle"), .counter = epoch});
  for (std::size_t left = order.size(); left > 1; --left) {  // Fisher and Yates
    std::swap(order[left - 1], order[static_cast<std::size_t>(random.below(left))]);
  }
  return order;
}

Loader::Loader(Dataset data, LoaderOptions options) : data_(std::move(data)), options_(options) {
  const Index size = options_.batch_size;
  require<ValueError>(size > 0, "Loader", "batch_size must be positive, got ", size);
  batches_ = data_.size() / size + (!options_.drop_last && data_.size() % size != 0 ? 1 : 0);
}

Loader::Epoch Loader::epoch(std::uint64_t number) const& {
  Epoch out;
  out.loader_ = this;
  out.number_ = number;
  if (options_.shuffle) out.order_ = shuffled_indices(data_.size(), options_.seed, number);
  return out;
}

Batch Loader::Epoch::operator[](Index i) const {
  require<IndexError>(i >= 0 && i < size(), "Loader", "there is no batch ", i, " of ", size());
  const Index first = i * loader_->options_.batch_size;
  const Index count = std::min(loader_->options_.batch_size, loader_->data_.size() - first);
  const bool transforms = loader_->data_.changes_by_chance();
  const std::uint64_t seed = loader_->options_.seed;
  if (order_.empty() && transforms)
    return loader_->data_.transformed(numbers_from(first, count), seed, number_);
  if (order_.empty()) return loader_->data_.batch(first, count);
  const auto indices = std::span<const Index>(order_).subspan(static_cast<std::size_t>(first));
  const auto now = indices.first(static_cast<std::size_t>(count));
  if (transforms) return loader_->data_.transformed(now, seed, number_);
  Batch out = loader_->data_.batch(now);
  // The memory brings what comes next while the network calculates.
  const auto next = indices.subspan(static_cast<std::size_t>(count));
  loader_->data_.expect(next.first(std::min(static_cast<std::size_t>(count), next.size())));
  return out;
}

}  // namespace splot
