// Layer: named parameters and a forward. What every network is built from.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "splot/core/attributes.h"
#include "splot/core/export.h"
#include "splot/core/parameter.h"
#include "splot/core/random.h"
#include "splot/core/tensor.h"
#include "splot/nn/init.h"

namespace splot {

class Layer;

/// What one pass through a network needs to know beside its input.
///
///   Context context{.training = true, .key = {.seed = 1, .counter = step}};
///   Tensor y = net(x, context);
struct SPLOT_API Context {
  /// True while learning: dropout drops, batch norm looks at the batch.
  bool training = false;
  /// Where this pass draws its random numbers: the seed of the run, the number of the step in `counter`.
  RandomKey key = {};
  /// Called for every layer that has run, innermost first, with its path, its (first) input and its output.
  std::function<void(std::string_view path, Layer& layer, const Tensor& x, const Tensor& y)> observer = {};

  /// The path of the layer that is running: "encoder.0"; empty for the outermost.
  std::string path() const;
  /// A key for the running layer alone. Asked for again in the same pass, it is another one.
  RandomKey next_key();

  // The layers that are running, innermost first; kept by Layer::operator().
  struct Frame {
    const Layer* layer;
    const Frame* outer;
  };
  const Frame* running = nullptr;
  bool error_located = false;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> drawn = {};  // stream and how often
};

/// What a layer's visit() tells its parts to: the optimiser, save and load, the summary, the trace.
///
/// Threads: one at a time.
class SPLOT_API Visitor {
 public:
  virtual ~Visitor() = default;
  /// An argument of the constructor, by the name its registered factory knows.
  virtual void argument(std::string_view name, const AttrValue& value);
  /// A trainable value and where its first value comes from. One that is not defined is left out.
  virtual void parameter(std::string_view name, Parameter& parameter, const Initializer& init);
  /// A value that is saved but not trained, such as a running mean.
  virtual void buffer(std::string_view name, Tensor& buffer);
  /// A layer inside.
  virtual void child(std::string_view name, Layer& layer);
  /// Where the child that was named last takes its input from, in a container that is no chain.
  virtual void inputs(std::span<const std::string> names);
};

/// A function with parameters. A new one needs forward(), and visit() where it has anything to name:
///
///   class Scale final : public Layer {
///    public:
///     explicit Scale(Index size) : weight_({size}, kFloat32) {}
///     Tensor forward(const Tensor& x, Context&) override { return x * weight_; }
///     void visit(Visitor& v) override { v.parameter("weight", weight_, init::constant(1.0)); }
///
///    private:
///     Parameter weight_;  // [size]
///   };
///
/// Layers can be moved, not copied: a copy would share its parameters with the original.
///
/// Parameters get their first values when the outermost layer first runs or is first asked for them, by
/// initialize(net, 0), unless initialize() was called with another seed or values were loaded before.
///
/// Threads: several may run one layer at once, each with its own Context, while nobody trains, loads or
/// changes it and after the first run or initialize(); a layer of one's own keeps that promise if its
/// forward() writes no member.
class SPLOT_API Layer {
 public:
  Layer() = default;
  virtual ~Layer() = default;

  /// The layer as mathematics; called through operator().
  virtual Tensor forward(const Tensor& x, Context& context) = 0;
  /// The same of several inputs, for a layer that takes them, such as Add. All others throw ValueError unless
  /// there is one.
  virtual Tensor forward_all(std::span<const Tensor> xs, Context& context);
  /// Names all there is, always in the same order. Nothing else: it runs at any time.
  virtual void visit(Visitor& visitor);
  /// The multiplications with an addition in its matrix products and convolutions for one sample, whose
  /// output has this shape. What is done element by element, biases included, is not counted, as is usual.
  virtual Index multiply_adds(const Shape& output) const;

  /// Runs forward(). An error on the way out gets the path in front: "encoder.0: [linear] ...".
  Tensor operator()(const Tensor& x, Context& context);
  /// Runs forward_all().
  Tensor operator()(std::span<const Tensor> xs, Context& context);
  /// Runs body() in the place of forward(): for a container that makes one op of several layers.
  Tensor run_instead(const Tensor& x, Context& context, const std::function<Tensor()>& body);
  /// Runs forward() as in use, not in training.
  Tensor operator()(const Tensor& x);

  /// Its name inside the layer that holds it; empty for the outermost.
  const std::string& name() const { return name_; }

 protected:
  // Not public: assigned through a reference to Layer, only this part of the object would move.
  Layer(Layer&&) = default;
  Layer& operator=(Layer&&) = default;

  /// To be called where layers or parameters are added: what has to be done before the first run is done
  /// again.
  void changed() { prepared_ = false; }

 private:
  friend void prepare(Layer& layer);
  template <typename Body>
  Tensor located(const Tensor& x, Context& context, Body&& body);

  std::string name_;
  bool prepared_ = false;
};

using LayerPtr = std::shared_ptr<Layer>;

/// Tells the layers inside their names and gives first values to the parameters that have none. Runs by
/// itself when needed; call it after adding a layer to one that has run already.
SPLOT_API void prepare(Layer& layer);

}  // namespace splot
