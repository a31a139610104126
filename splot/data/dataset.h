// Dataset: examples with their targets; Loader: the same as shuffled batches.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/core/tensor.h"
#include "splot/data/batch_source.h"
#include "splot/data/preprocessing.h"
#include "splot/data/transforms.h"

namespace splot {

namespace data_detail {
class OnDemand;
struct Place;
}  // namespace data_detail

/// Examples along axis 0 of two tensors, or read on demand from a BatchSource. Inputs stay as they are stored
/// (MNIST's pixels take one byte each) and are converted batch by batch. A value, like the tensors in it;
/// copies and slices share memory, or the source.
///
///   Dataset data("points", tensor({{0.0f, 1.0f}, {1.0f, 0.0f}}), tensor({0, 1}), {"up", "right"});
///   Batch first = data.batch(0, 1);   // inputs [1, 2] float32, targets [1] int64
///
/// Threads: a value; many may read one object, or one change it.
class SPLOT_API Dataset {
 public:
  /// Throws ShapeError unless both tensors have as many examples, and ValueError when integer targets are
  /// outside 0 .. classes.size() - 1; without class names that is not checked.
  Dataset(std::string name, const Tensor& inputs, const Tensor& targets,
          std::vector<std::string> classes = {}, Preprocessing preprocessing = {});
  /// Examples that are read when a batch is asked for; the first one at once, to know shapes and dtypes. What
  /// comes later is checked against it: reading throws ShapeError and DTypeError where it differs, and
  /// ValueError for a class that there is not. ValueError when there is no example.
  Dataset(std::string name, std::shared_ptr<BatchSource> source, std::vector<std::string> classes = {},
          Preprocessing preprocessing = {});

  const std::string& name() const { return name_; }
  Index size() const { return on_demand_ ? count_ : inputs_.shape()[0]; }
  /// Whether inputs() and targets() are there.
  bool in_memory() const { return on_demand_ == nullptr; }
  /// As stored: dense, row-major, not preprocessed, not cut. ValueError when examples are read on demand.
  const Tensor& inputs() const { return whole(inputs_); }
  /// Class numbers are int64 whatever integer type they came as. ValueError when read on demand.
  const Tensor& targets() const { return whole(targets_); }
  /// Of the inputs as they are stored, wherever they are.
  DType input_dtype() const { return inputs_.dtype(); }
  /// One name for each class; empty for regression.
  const std::vector<std::string>& classes() const { return classes_; }
  const Preprocessing& preprocessing() const { return preprocessing_; }
  /// Of one example: [1, 28, 28].
  Shape sample_shape() const;
  /// Of one example as it is stored: other than sample_shape() where pictures are cut (with_crop).
  Shape uncut_shape() const;

  /// The same examples seen with another shape: data.with_sample_shape({784}). Throws ShapeError when it has
  /// another number of elements, or pictures are cut.
  Dataset with_sample_shape(const Shape& shape) const;
  /// The same examples under another preprocessing: that of a model file, or standardised(). ValueError when
  /// it does not fit (Preprocessing::check).
  Dataset with_preprocessing(const Preprocessing& preprocessing) const;
  /// The same examples, which a Loader changes by chance each time it gives them out (transforms.h): pictures
  /// of bytes [channels, height, width]. What is drawn for an example is a function of the loader's seed, the
  /// epoch and the example's number, so that neither batches nor threads change it; `threads` do the work, 0:
  /// as many as the machine runs at once, where there is enough of it. Batches asked for by batch() are not
  /// changed: that is how a network is judged. ShapeError or DTypeError for other inputs, ValueError for a
  /// transform with a problem.
  ///
  ///   Dataset train = data.train.with_transforms({{.name = "flip"}, {.name = "crop", .padding = 4}});
  Dataset with_transforms(std::vector<Transform> transforms, int threads = 0) const;
  const std::vector<Transform>& transforms() const { return transforms_; }
  /// Pictures [channels, height, width] of which a smaller piece is an example. A Loader gives out a piece
  /// from anywhere inside, after the transforms, which change the whole picture; its place is a function of
  /// the loader's seed, the epoch and the example's number. All others - batch(), stored(), and so everything
  /// that judges a network - see the piece in the middle, with half a pixel to the even number as in
  /// torchvision's CenterCrop. Preprocessing by channel stays. Pieces are always of the stored pictures: a
  /// second call replaces the first. ShapeError for examples of another shape or smaller than the piece,
  /// ValueError unless height and width are positive, or for preprocessing by feature, which does not fit.
  ///
  ///   Dataset train = data.train.with_crop(64, 64);   // [3, 72, 72] -> sample_shape() [3, 64, 64]
  Dataset with_crop(Index height, Index width) const;
  /// Whether a Loader gives out examples changed by chance, by transforms or cutting.
  bool changes_by_chance() const { return !transforms_.empty() || crop_.has_value(); }
  /// Preprocessed examples as a Loader with this seed gives them out in this epoch.
  Batch transformed(std::span<const Index> indices, std::uint64_t seed, std::uint64_t epoch) const;
  /// Examples first .. first + count - 1, without copying. Throws IndexError outside the data.
  Dataset slice(Index first, Index count) const;
  /// The named examples, copied unless they are read on demand, in that order.
  Dataset subset(std::span<const Index> indices) const;
  /// Consecutive parts with these sizes, which may leave a rest; ValueError when they exceed the data.
  ///
  ///   std::vector<Dataset> parts = data.split({50000, 10000});
  std::vector<Dataset> split(const std::vector<Index>& sizes) const;

  /// Preprocessed examples in the order of the indices; IndexError for one outside the data.
  Batch batch(std::span<const Index> indices) const;
  /// Preprocessed consecutive examples; floating inputs without preprocessing are not copied.
  Batch batch(Index first, Index count) const;
  /// Consecutive examples as they are stored, not preprocessed; copied from a source and where they are cut,
  /// else not.
  Batch stored(Index first, Index count) const;

 private:
  friend class Loader;
  Dataset() = default;
  void check_range(Index first, Index count, const char* what) const;
  void check_classes(const Tensor& targets, std::span<const Index> indices) const;
  void set_preprocessing(Preprocessing preprocessing);
  const Tensor& whole(const Tensor& tensor) const;
  std::vector<Index> in_source(std::span<const Index> indices) const;
  Batch read(std::span<const Index> indices) const;
  Tensor prepare(const Tensor& from, std::span<const Index> indices) const;
  Tensor cut_out(const Tensor& pictures, std::span<const Index> rows,
                 const std::function<data_detail::Place(std::size_t)>& place) const;
  Batch middles(std::span<const Index> indices) const;
  void transform(const Tensor& pictures, std::span<const Index> indices, std::uint64_t seed,
                 std::uint64_t epoch) const;
  // Examples that will be asked for soon: the memory is told to bring them near.
  void expect(std::span<const Index> indices) const;

  std::string name_;
  Tensor inputs_;  // on demand: of no example, as targets_
  Tensor targets_;
  std::vector<std::string> classes_;
  std::shared_ptr<data_detail::OnDemand> on_demand_;
  std::shared_ptr<const std::vector<Index>> chosen_;  // of its examples; null: first_ and those after it
  Index first_ = 0;
  Index count_ = 0;
  Preprocessing preprocessing_;
  std::vector<Transform> transforms_;
  int transform_threads_ = 0;
  std::optional<std::array<Index, 2>> crop_;  // height and width
  // Preprocessed bytes: one table, or one for each channel. Null where every number has a mean of its own.
  std::shared_ptr<const std::vector<std::array<float, 256>>> pixels_;
};

/// Training data, data for choosing hyper-parameters, and data for the figure that is reported.
struct DataSplits {
  Dataset train;
  Dataset validation;
  Dataset test;
};

/// 0 .. n - 1 in an order that depends on n, seed and epoch alone.
SPLOT_API std::vector<Index> shuffled_indices(Index n, std::uint64_t seed, std::uint64_t epoch);

struct LoaderOptions {
  Index batch_size = 32;
  bool shuffle = true;
  std::uint64_t seed = 1;
  bool drop_last = false;  ///< leave out the last batch when it is smaller
};

/// A data set cut into batches; the last one may be smaller. Which examples batch i of epoch e holds is a
/// function of (seed, e, i), and so are the transforms of the data, so a run can be resumed in the middle and
/// gives the same bits on any number of threads.
///
///   Loader loader(data, {.batch_size = 10, .seed = 1});
///   for (int epoch = 0; epoch < 30; ++epoch) {
///     for (const Batch& batch : loader.epoch(epoch)) { ... }
///   }
///
/// Threads: several may read it; each epoch is walked by one.
class SPLOT_API Loader {
 public:
  /// Throws ValueError unless batch_size is positive.
  Loader(Dataset data, LoaderOptions options = {});

  const Dataset& data() const { return data_; }
  const LoaderOptions& options() const { return options_; }
  Index batch_count() const { return batches_; }

  /// The batches of one epoch, to be walked once or asked for by number.
  class SPLOT_API Epoch {
   public:
    Index size() const { return loader_->batches_; }
    /// Batch i; IndexError when there is none.
    Batch operator[](Index i) const;

    class Iterator {
     public:
      Iterator(const Epoch* epoch, Index at) : epoch_(epoch), at_(at) {}
      Batch operator*() const { return (*epoch_)[at_]; }
      Iterator& operator++() {
        ++at_;
        return *this;
      }
      bool operator!=(const Iterator& other) const { return at_ != other.at_; }

     private:
      const Epoch* epoch_;
      Index at_;
    };
    Iterator begin() const { return {this, 0}; }
    Iterator end() const { return {this, size()}; }

   private:
    friend class Loader;
    const Loader* loader_;
    std::uint64_t number_ = 0;
    std::vector<Index> order_;  // empty: as stored
  };
  /// The loader must outlive it, so that one without a name cannot be asked.
  Epoch epoch(std::uint64_t number) const&;
  Epoch epoch(std::uint64_t number) && = delete;

 private:
  Dataset data_;
  LoaderOptions options_;
  Index batches_ = 0;
};

}  // namespace splot
