// The workloads of torch_peer.py in Splot's public API, as a user would write them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <splot/splot.h>

namespace peers {

inline constexpr splot::Index kPixels = 784;
inline constexpr splot::Index kImages = 60'000;

/// One workload: a network, its optimiser, and the loss of a batch. Those that only infer have no optimiser.
struct Workload {
  splot::Index batch = 0;
  std::unique_ptr<splot::Sequential> net;
  std::unique_ptr<splot::Optimizer> optimizer;
  std::unique_ptr<splot::InferenceSession> session;  ///< of one that only infers; made by its first step
  std::function<splot::Tensor(const splot::Tensor& out, const splot::Tensor& target)> loss;
  enum class Target { one_hot, labels, input } target = Target::labels;
  bool corrupted = false;  ///< the input is multiplied by a fresh Bernoulli(0.7) mask in every step
  splot::Shape image;      ///< of one example; without axes: the pixels of MNIST's size that compare.py makes
  splot::Index pool = 1;   ///< so many batches of random images, in turn
  double data_mib = 0.0;   ///< of the data, which are not the workload's memory

  bool trains() const { return optimizer != nullptr; }
};

/// The names that make() knows, in the order of torch_peer.py.
const std::vector<std::string>& names();
/// Throws std::invalid_argument for any other.
Workload make(const std::string& name);

/// Forward, loss, backward, update: what is timed. Returns the loss, left in memory.
splot::Tensor train_step(Workload& w, const splot::Tensor& x, const splot::Tensor& target,
                         std::uint64_t number);

/// train_step() as a plan, for {x, target} and the number of the step, to {loss}. With `mask` the input is
/// corrupted first, where the workload says so. w has to stay where it is.
splot::Compiled compiled_step(Workload& w, bool mask);
/// Loss and gradients as a plan, the latter in the order of named_parameters(): what compiled_step() updates
/// by, which leaves none behind.
splot::Compiled compiled_gradients(Workload& w);

/// Call by call, or as plans: a compiled step, an InferenceSession.
enum class Mode { eager, compiled };
const char* name_of(Mode mode);

/// The answer of a workload that only infers; a session keeps the weights of its first answer.
splot::Tensor infer(Workload& w, const splot::Tensor& x, Mode mode);

/// Step number i on its batch: what train_step or the network returns. The data of MNIST's size are read from
/// `folder`; random ones are made here.
std::function<splot::Tensor(std::uint64_t i)> steps(Workload& w, const std::string& folder, Mode mode);

}  // namespace peers
