#include "splot/train/internal/divergence.h"

#include <cmath>
#include <string_view>

#include "splot/autodiff/autodiff.h"
#include "splot/backend/cpu/finite.h"
#include "splot/core/error.h"
#include "splot/core/node.h"

namespace splot::train_detail {
namespace {

// "nan", "inf" or "-inf"; the sign of a NaN says nothing.
std::string word(double value) { return std::isnan(value) ? "nan" : join(value); }

// Of the first that is there.
std::string first_bad(const Tensor& x) {
  for (const double value : x.detach().to_vector<double>()) {
    if (!std::isfinite(value)) return word(value);
  }
  return "no number";
}

std::string layer_named(std::string_view path) {
  return path.empty() ? "the network itself" : join("layer ", path);
}

// "weight of layer 0" for "0.weight"
std::string parameter_named(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  if (dot == std::string::npos) return join("parameter ", path, " of the network itself");
  return join("parameter ", path.substr(dot + 1), " of layer ", path.substr(0, dot));
}

// A layer that has run: tensors with their history.
struct Ran {
  std::string path;
  Tensor x;
  Tensor y;
};

bool is_inside(const std::string& path, const std::string& outer) {
  return path != outer && (outer.empty() || path.starts_with(outer + '.'));
}

}  // namespace

bool all_finite(const Tensor& x) {
  if (!x.defined() || !x.dtype().is_floating()) return true;
  const Tensor dense = contiguous(x);
  return visit_floats(x.dtype(), "train", [&](auto tag) {
    using T = typename decltype(tag)::type;
    return cpu::all_finite(dense.data<T>(), dense.numel());
  });
}

Watch::Watch(Layer& model, const LossFunction& loss)
    : model_(model), loss_(loss), parameters_(named_parameters(model)), seen_(parameters_.size(), 0) {
  // A value has been assigned to each, so no version is 0: all will be looked at.
}

std::string Watch::complaint_about_batch(const Pass& pass, bool look_at_inputs) {
  if (look_at_inputs && !all_finite(pass.inputs))
    return join("the inputs of this batch hold ", first_bad(pass.inputs));
  if (!all_finite(pass.targets)) return join("the targets of this batch hold ", first_bad(pass.targets));
  return {};
}

bool Watch::have_weights_changed() const {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (seen_[i] != parameters_[i].parameter.version()) return true;
  }
  return false;
}

std::string Watch::complaint_about_weights(const char* when) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto& [name, parameter] = parameters_[i];
    if (seen_[i] == parameter.version()) continue;
    if (!all_finite(parameter.value())) {
      return join(parameter_named(name), " holds ", first_bad(parameter.value()), ' ', when);
    }
    seen_[i] = parameter.version();
  }
  return {};
}

std::string Watch::where_loss_diverges(const Pass& pass, double loss) {
  std::string found = "the outputs are finite, the loss of them is not";
  bool is_found = false;
  Context context = pass.context;
  context.observer = [&](std::string_view path, Layer&, const Tensor&, const Tensor& y) {
    if (is_found || all_finite(y)) return;
    is_found = true;
    found = join("it first appears in the output of ", layer_named(path));
  };
  const NoGrad off;
  const Tensor output = model_(pass.inputs, context);
  // A loss that refuses such outputs says so itself: a plan could not.
  loss_(output, pass.targets);
  return join("the loss is ", word(loss), ": ", found);
}

std::string Watch::complaint_about_gradients(const Pass& pass) {
  const NamedParameter* bad = nullptr;
  for (const NamedParameter& entry : parameters_) {
    // The last in order is the nearest to the loss, where derivatives begin.
    if (!entry.parameter.frozen() && !all_finite(entry.parameter.grad())) bad = &entry;
  }
  if (bad == nullptr) return {};
  return join("the gradient of ", parameter_named(bad->name), " holds ", first_bad(bad->parameter.grad()),
              "; ", first_layer_backwards(pass));
}

// The pass is made again, this time with the derivatives by what every layer takes and gives. Where the
// derivative by the output is finite and the next one is not, the layer's own derivative is at fault.
std::string Watch::first_layer_backwards(const Pass& pass) {
  std::vector<Ran> ran;
  Context context = pass.context;
  context.observer = [&](std::string_view path, Layer&, const Tensor& x, const Tensor& y) {
    ran.push_back({std::string(path), x, y});
  };
  const Tensor loss = loss_(model_(pass.inputs, context), pass.targets);
  const auto finite_derivative = [&](const Tensor& x) {
    if (!x.requires_grad()) return true;
    const GradOptions options{.retain_graph = true, .allow_unused = true};
    return all_finite(grad(loss, {x}, options)[0]);
  };
  if (!finite_derivative(ran.back().y)) return "it first appears in the derivative of the loss";
  const Ran* found = nullptr;
  for (std::size_t i = ran.size(); i-- > 0;) {
    const Ran& layer = ran[i];
    // Among layers inside each other the innermost is meant.
    if (found != nullptr && !is_inside(layer.path, found->path)) continue;
    bool finite = finite_derivative(layer.x);
    for (const NamedParameter& entry : parameters_) {
      const bool inside = is_inside(entry.name, layer.path);
      if (finite && inside && !entry.parameter.frozen()) finite = finite_derivative(entry.parameter.value());
    }
    if (!finite && finite_derivative(layer.y)) found = &layer;
  }
  if (found == nullptr) return "the derivatives themselves are finite: it was put there after backward()";
  return join("it first appears in the derivative of ", layer_named(found->path));
}

}  // namespace splot::train_detail
