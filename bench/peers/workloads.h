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

/// The answer of a workload that only infers, with the weights that its network has at the first.
splot::Tensor infer(Workload& w, const splot::Tensor& x);

/// Step number i on its batch: what train_step or the network returns. The data of MNIST's size are read from
/// `folder`; random ones are made here.
std::function<splot::Tensor(std::uint64_t i)> steps(Workload& w, const std::string& folder);

}  // namespace peers
