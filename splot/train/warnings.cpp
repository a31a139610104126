#include "splot/train/warnings.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "splot/core/error.h"
#include "splot/core/messages.h"
#include "splot/core/node.h"
#include "splot/core/sum.h"
#include "splot/nn/activation_layers.h"
#include "splot/nn/normalization_layers.h"
#include "splot/nn/parameters.h"
#include "splot/ops/ops.h"
#include "splot/train/internal/class_rows.h"
#include "splot/train/internal/state.h"

namespace splot {
namespace {

constexpr double kLargeInputs = 10.0;
constexpr double kSmallInputs = 0.005;
constexpr double kSoftmaxSlack = 1e-3;  // how far a row of float32 probabilities may be from summing to 1
constexpr Index kDirectionSteps = 16;   // whose direction is compared with the gradient
constexpr double kUphillShare = 0.9;
constexpr double kEnoughExamples = 10.0;  // for a mean that chance cannot make too small
constexpr Index kEnoughSteps = 10;        // in which a gradient may be zero by chance
constexpr double kGrown = 1.5;            // times the first loss
constexpr double kJumped = 2.0;           // times the lowest loss so far
constexpr double kDeadShare = 0.5;
constexpr double kSaturatedShare = 0.5;
constexpr double kTail = 0.01;  // a sigmoid is saturated below it and above 1 - it
constexpr Index kEnoughOfAClass = 5;
constexpr double kDepthRatio = 50.0;

std::string number(double value) { return fmt::format("{:.3g}", value); }

// Paths of layers that hold no others, in the order of visit().
std::vector<std::string> leaves(Layer& model) {
  std::vector<std::string> paths;
  walk(model, {.layer = [&](const std::string& path, Layer&) {
         // A layer comes right after those it is inside of.
         const bool inside_last =
             !paths.empty() && (paths.back().empty() || path.starts_with(paths.back() + '.'));
         if (inside_last) paths.pop_back();
         paths.push_back(path);
       }});
  return paths;
}

// Calls visit(path, layer, y) for every layer that holds no others, in the order in which they run.
template <typename Visit>
Tensor run_watched(Layer& model, const Tensor& x, const Visit& visit) {
  const std::vector<std::string> all = leaves(model);
  const std::set<std::string, std::less<>> paths(all.begin(), all.end());
  Context context;
  context.observer = [&](std::string_view path, Layer& layer, const Tensor&, const Tensor& y) {
    if (paths.contains(path)) visit(std::string(path), layer, y);
  };
  const NoGrad off;
  return model(x, context);
}

template <typename Test>
Index count_if(const Tensor& x, const Test& test) {
  const Tensor dense = contiguous(x.detach());
  return visit_floats(x.dtype(), "MistakeWatch", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* values = dense.data<T>();
    return static_cast<Index>(std::count_if(values, values + dense.numel(), test));
  });
}

// Units - columns, or channels of pictures - that are 0 for every example.
Index dead_units(const Tensor& y) {
  const std::vector<double> values = y.to_vector<double>();
  const Index n = y.shape()[0];
  const Index units = y.shape()[1];
  const Index each = y.numel() / (n * units);
  Index dead = 0;
  for (Index u = 0; u < units; ++u) {
    bool silent = true;
    for (Index i = 0; i < n && silent; ++i) {
      const double* first = values.data() + (i * units + u) * each;
      silent = std::all_of(first, first + each, [](double v) { return v == 0.0; });
    }
    dead += silent ? 1 : 0;
  }
  return dead;
}

bool rows_are_probabilities(const Tensor& y) {
  if (y.rank() != 2 || y.shape()[0] == 0 || y.shape()[1] < 2) return false;
  const std::vector<double> values = y.to_vector<double>();
  const auto width = static_cast<std::ptrdiff_t>(y.shape()[1]);
  for (auto row = values.begin(); row != values.end(); row += width) {
    const double sum = std::accumulate(row, row + width, 0.0);
    if (std::abs(sum - 1.0) > kSoftmaxSlack || *std::min_element(row, row + width) < 0.0) return false;
  }
  return true;
}

// The sum of (now - before) * gradient: positive when a step goes up.
double rise(const Tensor& now, const Tensor& before, const Tensor& gradient) {
  const Tensor a = contiguous(now.detach());
  const Tensor b = contiguous(before.detach());
  const Tensor g = contiguous(gradient.detach());
  return visit_floats(a.dtype(), "MistakeWatch", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* to = a.data<T>();
    const T* from = b.data<T>();
    const T* slope = g.data<T>();
    return sum_of(a.numel(), [&](Index i) {
      return (static_cast<double>(to[i]) - static_cast<double>(from[i])) * static_cast<double>(slope[i]);
    });
  });
}

Tensor as_text(const std::set<std::string>& lines) {
  std::vector<std::uint8_t> bytes;
  for (const std::string& line : lines) {
    bytes.insert(bytes.end(), line.begin(), line.end());
    bytes.push_back('\n');
  }
  return Tensor::from(bytes, {static_cast<Index>(bytes.size())});
}

std::set<std::string> as_lines(const Tensor& text) {
  std::set<std::string> out;
  std::string line;
  for (const std::uint8_t byte : text.to_vector<std::uint8_t>()) {
    if (byte != '\n') {
      line += static_cast<char>(byte);
    } else {
      out.insert(std::exchange(line, {}));
    }
  }
  return out;
}

}  // namespace

MistakeWatch::MistakeWatch(MistakeOptions options) : options_(std::move(options)) {
  require<ValueError>(options_.examples > 0, "MistakeWatch", "examples must be positive, got ",
                      options_.examples);
}

void MistakeWatch::warn(TrainingView& view, const char* code, const std::string& where, std::string text) {
  if (!said_.insert(join(code, ' ', where)).second) return;
  view.warn({.code = code, .where = where, .text = std::move(text)});
}

void MistakeWatch::on_train_begin(TrainingView& view) {
  if (!std::exchange(loaded_, false)) *this = MistakeWatch(options_);
  parameters_ = named_parameters(view.model);
  const std::vector<std::string> paths = leaves(view.model);
  last_layer_ = paths.empty() ? "" : paths.back();
  const Index n = std::min(options_.examples, view.train.size());
  std::vector<Index> spread;
  for (Index i = 0; i < n; ++i) spread.push_back(i * view.train.size() / n);
  sample_ = view.train.batch(spread);
  if (!parameters_.empty() && sample_.inputs.dtype().is_floating()) {
    sample_.inputs = cast(sample_.inputs, parameters_.front().parameter.dtype());
  }

  const std::vector<double> inputs = sample_.inputs.to_vector<double>();
  const double squares = std::inner_product(inputs.begin(), inputs.end(), inputs.begin(), 0.0);
  const double size = inputs.empty() ? 1.0 : std::sqrt(squares / static_cast<double>(inputs.size()));
  if (size > kLargeInputs)
    warn(view, "unnormalised-inputs", "", say(Message::warn_inputs_large, number(size)));
  if (size < kSmallInputs)
    warn(view, "unnormalised-inputs", "", say(Message::warn_inputs_small, number(size)));

  check_classes(view, view.train, say(Message::warn_part_train));
  if (view.validation == nullptr) return;
  const bool test = view.watch == "test";
  check_classes(view, *view.validation, say(test ? Message::warn_part_test : Message::warn_part_val));
  if (test) warn(view, "test-watched", "", say(Message::warn_test));
}

void MistakeWatch::check_classes(TrainingView& view, const Dataset& data, const std::string& part) {
  const auto classes = static_cast<Index>(data.classes().size());
  // Examples on demand are not all read for this.
  if (!data.in_memory() || !data.targets().dtype().is_integral()) return;
  std::vector<bool> seen(static_cast<std::size_t>(classes));
  for (const std::int64_t c : data.targets().to_vector<std::int64_t>()) {
    if (c >= 0 && c < classes) seen[static_cast<std::size_t>(c)] = true;
  }
  constexpr Index kNamed = 5;
  std::string names;
  Index missing = 0;
  for (Index c = 0; c < classes; ++c) {
    if (seen[static_cast<std::size_t>(c)]) continue;
    if (++missing <= kNamed)
      names += join(missing == 1 ? "\"" : ", \"", data.classes()[static_cast<std::size_t>(c)], '"');
  }
  if (missing == 0) return;
  if (missing > kNamed) names = say(Message::warn_more_classes, names, missing - kNamed);
  warn(view, "missing-class", part, say(Message::warn_no_examples, part, names));
}

bool MistakeWatch::needs_gradients(const TrainingView& view) const {
  return view.total_steps == 0 || first_examples_ < kEnoughExamples ||
         with_gradient_.size() < parameters_.size() || static_cast<Index>(steps_seen_) < kDirectionSteps;
}

void MistakeWatch::on_update_begin(TrainingView& view, const StepRecord& record) {
  if (first_examples_ < kEnoughExamples) {
    const auto n = static_cast<double>(record.output.shape()[0]);
    first_loss_ = (first_loss_ * first_examples_ + record.loss * n) / (first_examples_ + n);
    first_examples_ += n;
  }
  if (view.total_steps == 0) {
    check_outputs(view, record);
    check_missing_gradients(view);
  }
  for (const NamedParameter& p : parameters_) {
    if (with_gradient_.size() == parameters_.size()) break;
    if (with_gradient_.contains(p.name)) continue;
    const Tensor gradient = p.parameter.frozen() ? Tensor() : p.parameter.grad();
    const bool moves = gradient.defined() && count_if(gradient, [](auto g) { return g != 0; }) > 0;
    // One that is frozen, or whose lack of a gradient has been told, is not waited for.
    if (moves || !gradient.defined()) with_gradient_.insert(p.name);
  }
  if (static_cast<Index>(steps_seen_) >= kDirectionSteps) return;
  for (const NamedParameter& p : parameters_) {
    weights_.push_back(p.parameter.value().detach());
    gradients_.push_back(p.parameter.frozen() ? Tensor() : p.parameter.grad());
  }
}

void MistakeWatch::check_outputs(TrainingView& view, const StepRecord& record) {
  if (options_.loss == "cross_entropy" && rows_are_probabilities(record.output)) {
    warn(view, "softmax-before-loss", last_layer_, say(Message::warn_softmax, last_layer_));
  }
  if (options_.loss != "binary_cross_entropy") return;
  bool ends_in_sigmoid = false;
  run_watched(view.model, sample_.inputs, [&](const std::string&, Layer& layer, const Tensor&) {
    ends_in_sigmoid = dynamic_cast<const Sigmoid*>(&layer) != nullptr;
  });
  if (ends_in_sigmoid)
    warn(view, "sigmoid-before-loss", last_layer_, say(Message::warn_sigmoid, last_layer_));
}

void MistakeWatch::check_missing_gradients(TrainingView& view) {
  for (const NamedParameter& p : parameters_) {
    if (p.parameter.frozen() || p.parameter.grad().defined()) continue;
    warn(view, "no-gradient", p.name, say(Message::warn_no_gradient, p.name));
  }
}

void MistakeWatch::on_step_end(TrainingView& view, const StepRecord&) {
  if (weights_.empty()) return;
  check_direction(view);
  weights_.clear();
  gradients_.clear();
}

void MistakeWatch::check_direction(TrainingView& view) {
  double up = 0.0;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (gradients_[i].defined()) up += rise(parameters_[i].parameter.value(), weights_[i], gradients_[i]);
  }
  steps_seen_ += 1.0;
  steps_uphill_ += up > 0.0 ? 1.0 : 0.0;
  // Every optimiser's first step goes down, whatever its momentum does later: four upward are no accident.
  const bool surely = steps_seen_ == 4.0 && steps_uphill_ == 4.0;
  const bool mostly = steps_seen_ >= kDirectionSteps && steps_uphill_ >= kUphillShare * steps_seen_;
  if (surely || mostly) warn(view, "sign-slip", "", say(Message::warn_sign_slip));
}

void MistakeWatch::on_epoch_end(TrainingView& view, EpochRecord& record) {
  const double loss = metric(record.metrics, "loss");
  const bool learns = loss <= 0.5 * first_loss_;
  check_zero_gradients(view);
  check_loss(view, loss);
  check_layers(view, learns);
  if (!learns) check_depth(view, record);
}

void MistakeWatch::check_zero_gradients(TrainingView& view) {
  if (view.total_steps < kEnoughSteps) return;
  for (const NamedParameter& p : parameters_) {
    if (!with_gradient_.insert(p.name).second) continue;
    warn(view, "no-gradient", p.name, say(Message::warn_zero_gradient, p.name, view.total_steps));
  }
}

void MistakeWatch::check_loss(TrainingView& view, double loss) {
  const bool first = lowest_loss_ == 0.0;
  const bool jumped = !first && loss > kJumped * lowest_loss_ && loss > 0.2 * first_loss_;
  if (!said_.contains("sign-slip ") && (loss > kGrown * first_loss_ || jumped)) {
    warn(view, "learning-rate", "",
         say(Message::warn_rate, number(loss), number(jumped ? lowest_loss_ : first_loss_),
             number(view.optimizer.lr())));
  }
  lowest_loss_ = first ? loss : std::min(lowest_loss_, loss);
}

void MistakeWatch::check_layers(TrainingView& view, bool learns) {
  const Layer* last = nullptr;
  const Tensor output =
      run_watched(view.model, sample_.inputs, [&](const std::string& path, Layer& layer, const Tensor& y) {
        last = &layer;
        if (y.rank() < 2 || y.numel() == 0) return;
        if (dynamic_cast<const ReLU*>(&layer) != nullptr) {
          const Index dead = dead_units(y);
          if (static_cast<double>(dead) > kDeadShare * static_cast<double>(y.shape()[1])) {
            warn(view, "dead-relu", path,
                 say(Message::warn_dead_relu, dead, y.shape()[1], path, y.shape()[0]));
          }
        }
        const bool sigmoid = dynamic_cast<const Sigmoid*>(&layer) != nullptr;
        const bool tanh = dynamic_cast<const Tanh*>(&layer) != nullptr;
        if (learns || path == last_layer_ || !(sigmoid || tanh)) return;
        // tanh(x) = 2 sigmoid(2 x) - 1
        const double low = sigmoid ? kTail : 2.0 * kTail - 1.0;
        const double high = sigmoid ? 1.0 - kTail : 1.0 - 2.0 * kTail;
        const Index at_ends = count_if(y, [=](double v) { return v < low || v > high; });
        const double share = static_cast<double>(at_ends) / static_cast<double>(y.numel());
        if (share > kSaturatedShare) {
          warn(view, "saturated", path,
               say(Message::warn_saturated, fmt::format("{:.0f} %", 100.0 * share), path));
        }
      });
  if (dynamic_cast<const Sigmoid*>(last) != nullptr) check_stuck_outputs(view, output);
}

void MistakeWatch::check_stuck_outputs(TrainingView& view, const Tensor& output) {
  const std::vector<std::string>& classes = view.train.classes();
  if (!sample_.targets.dtype().is_integral() || output.rank() != 2 ||
      output.shape()[1] != static_cast<Index>(classes.size())) {
    return;
  }
  std::vector<Index> examples(classes.size(), 0);
  std::vector<bool> answered(classes.size());
  train_detail::for_each_row("MistakeWatch", output, sample_.targets,
                             [&](const auto* row, Index n, Index wanted) {
                               const auto c = static_cast<std::size_t>(wanted);
                               ++examples[c];
                               // A loss that looks at shares alone may let all outputs become small.
                               if (row[wanted] >= kTail || train_detail::largest(row, n) == wanted) {
                                 answered[c] = true;
                               }
                             });
  std::set<Index> silent;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    if (answered[c] || examples[c] < kEnoughOfAClass) continue;
    silent.insert(static_cast<Index>(c));
    if (!silent_.contains(static_cast<Index>(c))) continue;
    warn(view, "saturated-output", classes[c],
         say(Message::warn_saturated_output, classes[c], kTail, examples[c]));
  }
  silent_ = std::move(silent);
}

namespace {

// Batch norm takes away every number that is the same for a whole batch: a bias in front of it gets a
// gradient of nothing but rounding.
std::set<std::string> biases_without_effect(Layer& model) {
  std::set<std::string> out;
  std::string before;
  walk(model, {.layer = [&](const std::string& path, Layer& layer) {
         if (dynamic_cast<const BatchNorm*>(&layer) != nullptr) out.insert(before + ".bias");
         before = path;
       }});
  return out;
}

}  // namespace

void MistakeWatch::check_depth(TrainingView& view, const EpochRecord& record) {
  // One figure for each layer: the bias's gradient, which is what arrives at the layer (M. Nielsen, "Neural
  // Networks and Deep Learning", chapter 5, takes its norm for the speed of learning).
  const std::set<std::string> without_effect = biases_without_effect(view.model);
  std::vector<const ParameterNorms*> layers;
  for (std::size_t i = 0; i < record.norms.size() && i < parameters_.size(); ++i) {
    const auto& [name, parameter] = parameters_[i];
    if (parameter.frozen() || parameter.shape().rank() != 1 || !name.ends_with("bias")) continue;
    if (without_effect.contains(name)) continue;
    if (record.norms[i].name == name) layers.push_back(&record.norms[i]);
  }
  if (layers.size() < 3) return;
  const ParameterNorms& first = *layers.front();
  const ParameterNorms& last = *layers.back();
  const auto text = [&](Message message) {
    return say(message, number(first.gradient), first.name, number(last.gradient), last.name);
  };
  if (first.gradient * kDepthRatio < last.gradient) {
    warn(view, "vanishing-gradients", first.name, text(Message::warn_vanishing));
  } else if (first.gradient > kDepthRatio * last.gradient) {
    warn(view, "exploding-gradients", first.name, text(Message::warn_exploding));
  }
}

NamedTensors MistakeWatch::state_dict() const {
  return {{"said", as_text(said_)},
          {"with_gradient", as_text(with_gradient_)},
          {"silent", train_detail::state_of({silent_.begin(), silent_.end()})},
          {"numbers",
           train_detail::state_of({first_loss_, first_examples_, lowest_loss_, steps_seen_, steps_uphill_})}};
}

void MistakeWatch::load_state_dict(std::span<const NamedTensor> state) {
  const auto list = [&](const char* name) -> const Tensor& {
    return train_detail::state_list(state, name, "MistakeWatch");
  };
  const std::vector<double> numbers = list("numbers").to_vector<double>();
  require<ValueError>(numbers.size() == 5, "load_state_dict",
                      "this is not the state of a MistakeWatch: it has ", numbers.size(), " numbers, not 5");
  std::set<std::string> said = as_lines(list("said"));
  std::set<std::string> with_gradient = as_lines(list("with_gradient"));
  silent_.clear();
  for (const double c : list("silent").to_vector<double>()) silent_.insert(static_cast<Index>(c));
  said_ = std::move(said);
  with_gradient_ = std::move(with_gradient);
  first_loss_ = numbers[0];
  first_examples_ = numbers[1];
  lowest_loss_ = numbers[2];
  steps_seen_ = numbers[3];
  steps_uphill_ = numbers[4];
  loaded_ = true;
}

}  // namespace splot
