// splot check: every layer's derivatives against differences; --step is in check_step.h.
#include <algorithm>
#include <cmath>
#include <functional>

#include <nlohmann/json.hpp>

#include "splot/autodiff/autodiff.h"
#include "splot/core/error.h"
#include "splot/core/random.h"
#include "splot/nn/parameters.h"
#include "splot/nn/registry.h"
#include "splot/ops/ops.h"

#include "apps/cli/check_step.h"
#include "apps/cli/command.h"
#include "apps/cli/model_argument.h"

namespace splot::cli {
namespace {

struct CheckOptions {
  std::vector<std::string> subjects;
  std::vector<std::string> set;
  bool step = false;
  Index states = 0;
  bool json = false;
};

// Away from 0, where relu and its kind have a kink that differences would step over.
Tensor random_tensor(const Shape& shape, RandomStream& random) {
  std::vector<double> values(static_cast<std::size_t>(shape.numel()));
  for (double& value : values) value = random.uniform(0.1, 1.0) * (random.below(2) == 0 ? -1.0 : 1.0);
  return Tensor::from(values, shape);
}

// A layer that holds no others, and the shape of its input for a few examples.
struct Stage {
  std::string path;
  Layer* layer;
  Shape input;
};

std::vector<Stage> stages(Layer& model, const Shape& sample, RandomStream& random) {
  Ints sizes{3};
  for (const Index size : sample) sizes.push_back(size);
  std::vector<Stage> out;
  Context context;
  context.observer = [&](std::string_view path, Layer& layer, const Tensor& x, const Tensor&) {
    if (&layer != &model) out.push_back({std::string(path), &layer, x.shape()});
  };
  const NoGrad off;
  model(random_tensor(Shape(sizes), random), context);
  return out;
}

struct Row {
  std::string layer;
  std::string type;
  std::string of;
  double error = 0.0;
};

// One derivative along a random direction: by backward(), and by a difference of fourth order over `at`,
// which evaluates with the checked tensor moved by h times the direction.
double relative_error(const Tensor& gradient, const Tensor& direction,
                      const std::function<double(double h)>& at) {
  constexpr double kStep = 1e-3;
  const double numeric =
      (8.0 * (at(kStep) - at(-kStep)) - (at(2.0 * kStep) - at(-2.0 * kStep))) / (12.0 * kStep);
  const double analytic = sum(gradient * direction).item<double>();
  const double size = std::max({std::abs(numeric), std::abs(analytic), 1e-12});
  return std::abs(numeric - analytic) / size;
}

void check_layer(const Stage& stage, RandomStream& random, std::vector<Row>& rows) {
  Layer& layer = *stage.layer;
  const Tensor input = random_tensor(stage.input, random);
  const auto output = [&](const Tensor& x) {
    Context context;
    return layer.forward(x, context);
  };
  // Random weights for the outputs: with equal ones, errors that cancel would not be seen.
  const Tensor cotangent = random_tensor(output(input).shape(), random);
  const auto value = [&](const Tensor& x) {
    const NoGrad off;
    return sum(output(x) * cotangent).item<double>();
  };
  const Tensor x = input.variable("input");
  NamedParameters parameters = named_parameters(layer);
  for (NamedParameter& entry : parameters) {
    entry.parameter.set_frozen(false);
    entry.parameter.zero_grad();
  }
  backward(sum(output(x) * cotangent));

  const auto add = [&](const std::string& of, const Tensor& gradient, const Tensor& direction,
                       const std::function<double(double)>& at) {
    rows.push_back({stage.path, type_name(layer), of, relative_error(gradient, direction, at)});
  };
  const Tensor along = random_tensor(stage.input, random);
  add("input", x.grad(), along, [&](double h) { return value(input + h * along); });
  for (NamedParameter& entry : parameters) {
    const Tensor start = entry.parameter.value().detach();
    const Tensor direction = random_tensor(start.shape(), random);
    const Tensor gradient = entry.parameter.grad();
    add(entry.name, gradient.defined() ? gradient : zeros(start.shape(), kFloat64), direction, [&](double h) {
      entry.parameter.assign(start + h * direction);
      return value(input);
    });
    entry.parameter.assign(start);
  }
}

int run_check(const CheckOptions& options) {
  constexpr double kTolerance = 1e-6;
  if (options.states > 0 && !options.step) throw UsageError(say(Message::check_states_alone));
  if (options.step) {
    return run_check_step(
        {.recipes = options.subjects, .set = options.set, .states = options.states, .json = options.json});
  }
  if (options.subjects.size() != 1) {
    throw UsageError(say(Message::wrong_usage, say(Message::check_needs_subject)));
  }
  Subject subject = find_subject(options.subjects.front(), options.set);
  Layer& model = *subject.file.model;
  convert(model, kFloat64);
  RandomStream random({.seed = 1, .stream = stream_of("splot.check"), .counter = 0});
  std::vector<Row> rows;
  for (const Stage& stage : stages(model, subject.file.info.sample, random)) check_layer(stage, random, rows);

  bool passed = true;
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  std::string table = fmt::format("{:<28}{:<12}{:>16}\n", say(Message::summary_layer), say(Message::check_by),
                                  say(Message::check_error));
  for (const Row& row : rows) {
    const bool good = row.error <= kTolerance;  // false for NaN
    passed = passed && good;
    json.push_back(
        {{"layer", row.layer}, {"type", row.type}, {"by", row.of}, {"error", row.error}, {"pass", good}});
    table += fmt::format("{:<28}{:<12}{:>16.2e}  {}\n", fmt::format("{} ({})", row.layer, row.type), row.of,
                         row.error, say(good ? Message::check_good : Message::check_wrong));
  }
  if (options.json) {
    print(nlohmann::ordered_json{{"checks", json}, {"tolerance", kTolerance}, {"pass", passed}}.dump(2) +
          '\n');
  } else {
    print(table + say(passed ? Message::check_passed : Message::check_failed, rows.size(), kTolerance) +
          '\n');
  }
  return passed ? kOk : kFailed;
}

}  // namespace

void add_check(Command root) {
  Command command = root.add("check", Message::check_help, Message::check_example);
  const auto options = std::make_shared<CheckOptions>();
  command.option("subject", options->subjects, Message::check_subject, "MODEL|RECIPE");
  command.flag("--step", options->step, Message::check_step);
  command.option("--states", options->states, Message::check_states, "N").positive();
  command.add_set(options->set);
  command.add_threads();
  command.add_json(options->json);
  command.runs([options] { return run_check(*options); });
}

}  // namespace splot::cli
