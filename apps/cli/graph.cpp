// splot graph: the calls that a network makes, and what the passes make of them.
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "splot/autodiff/autodiff.h"
#include "splot/compiler/passes.h"
#include "splot/core/error.h"
#include "splot/core/file.h"
#include "splot/graph/trace.h"
#include "splot/nn/parameters.h"
#include "splot/optim/clip.h"
#include "splot/recipe/build.h"
#include "splot/report/graph_drawing.h"
#include "splot/train/slots.h"

#include "apps/cli/command.h"
#include "apps/cli/model_argument.h"
#include "apps/cli/recipes.h"

namespace splot::cli {
namespace {

struct GraphOptions {
  std::string subject;
  std::vector<std::string> set;
  bool step = false;
  bool frozen = false;
  Index batch = 0;
  std::string svg;
  bool text = false;
  bool before = false;
  std::string passes;
  std::string without;
  std::string show;
  bool list = false;
  bool json = false;
};

std::vector<std::string> pass_names() {
  std::vector<std::string> out;
  for (const GraphPass& pass : all_passes()) out.emplace_back(pass.name);
  return out;
}

// "dead-code,identities"; each has to be a pass.
std::vector<std::string> passes_in(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    out.push_back(text.substr(at, end - at));
    if (find_pass(out.back()) == nullptr) {
      throw UsageError(say(Message::graph_no_pass, out.back(), list_of(pass_names())));
    }
    at = end + 1;
  }
  return out;
}

std::vector<std::string> left_out(const GraphOptions& options) {
  if (!options.passes.empty() && !options.without.empty()) throw UsageError(say(Message::graph_either));
  if (options.passes.empty()) return passes_in(options.without);
  const std::vector<std::string> wanted = passes_in(options.passes);
  std::vector<std::string> out = pass_names();
  std::erase_if(out, [&](const std::string& name) {
    return std::find(wanted.begin(), wanted.end(), name) != wanted.end();
  });
  return out;
}

// Whether an option asks for a pass by name that is for networks that only answer.
bool names_frozen_pass(const GraphOptions& options) {
  std::vector<std::string> names = passes_in(options.passes);
  if (!options.show.empty()) names.push_back(options.show);
  return std::any_of(names.begin(), names.end(), [](const std::string& name) {
    const GraphPass* pass = find_pass(name);
    return pass != nullptr && pass->frozen;
  });
}

Shape batch_of(Index examples, const Shape& sample) {
  Ints sizes = {examples};
  for (const Index size : sample) sizes.push_back(size);
  return Shape(sizes);
}

// With what the slots of the graph refer to.
struct Traced {
  LayerPtr model;
  std::unique_ptr<Optimizer> optimizer;
  Graph graph;
};

Traced trace_prediction(const GraphOptions& options) {
  const Subject subject = find_subject(options.subject, options.set);
  Layer& model = *subject.file.model;
  const Index examples = options.batch == 0 ? 1 : options.batch;
  const Tensor x = Tensor::without_elements(batch_of(examples, subject.file.info.sample), subject.file.dtype);
  Graph graph = trace(
      [&](std::span<const Tensor> in, std::uint64_t) {
        const NoGrad off;
        Context context;
        return TensorList{model(in[0], context)};
      },
      {&x, 1}, {.slots = slots_of(model)});
  return {subject.file.model, nullptr, std::move(graph)};
}

// As the Trainer makes a step: loss, derivatives, clipping, update.
Traced trace_step(const GraphOptions& options) {
  if (is_model_file(options.subject)) throw UsageError(say(Message::graph_needs_recipe, options.subject));
  const Recipe recipe = find_recipe(options.subject, options.set);
  const Shape sample = sample_shape(recipe);
  const LayerPtr model = build_model(recipe.model, sample, recipe.train.dtype, 1);
  const LossFunction loss_of = build_loss(recipe.loss);
  std::unique_ptr<Optimizer> optimizer = build_optimizer(recipe, *model, examples_to_learn_from(recipe));
  const Index examples = options.batch == 0 ? recipe.train.batch : options.batch;
  const bool classes = recipe.data.targets.empty();
  const Shape answer = classes ? Shape{} : Shape{static_cast<Index>(recipe.data.targets.front().size())};
  const Tensor batch[] = {
      Tensor::without_elements(batch_of(examples, sample), recipe.train.dtype),
      Tensor::without_elements(batch_of(examples, answer), classes ? kInt64 : recipe.train.dtype)};
  Graph graph = trace(
      [&](std::span<const Tensor> in, std::uint64_t counter) {
        Context context{.training = true, .key = {.seed = 1, .counter = counter}};
        optimizer->zero_grad();
        const Tensor loss = loss_of((*model)(in[0], context), in[1]);
        backward(loss);
        const NamedParameters parameters = named_parameters(*model);
        if (recipe.train.clip_value > 0.0) clip_grad_value(parameters, recipe.train.clip_value);
        if (recipe.train.clip_norm > 0.0) clip_grad_norm_traceable(parameters, recipe.train.clip_norm);
        optimizer->step();
        return TensorList{loss.detach()};
      },
      batch, {.slots = slots_of(*model, *optimizer)});
  return {model, std::move(optimizer), std::move(graph)};
}

std::string table_of(const OptimizedGraph& optimized, const PassOptions& passes) {
  const auto line = [](std::string_view pass, std::string_view places, std::string_view before,
                       std::string_view after) {
    return fmt::format("{:<26}{:>9}{:>14}{:>8}\n", pass, places, before, after);
  };
  std::string out = line(say(Message::graph_pass), say(Message::graph_places),
                         say(Message::graph_calls_before), say(Message::graph_calls_after));
  for (const PassStep& step : optimized.steps) {
    out += line(step.pass->name, std::to_string(step.places), std::to_string(step.before),
                std::to_string(step.after));
  }
  for (const GraphPass& pass : all_passes()) {
    const auto is_this = [&](const PassStep& step) { return step.pass == &pass; };
    if (std::any_of(optimized.steps.begin(), optimized.steps.end(), is_this)) continue;
    const bool off =
        (pass.frozen && !passes.frozen) ||
        std::find(passes.without.begin(), passes.without.end(), pass.name) != passes.without.end();
    out += line(pass.name, off ? say(Message::graph_off) : "0", "", "");
  }
  return out;
}

nlohmann::ordered_json graph_json(const OptimizedGraph& optimized, const Graph& traced) {
  nlohmann::ordered_json steps = nlohmann::ordered_json::array();
  for (const PassStep& step : optimized.steps) {
    steps.push_back({{"pass", step.pass->name},
                     {"changes", step.places},
                     {"before", step.before},
                     {"after", step.after}});
  }
  return {{"calls_before", traced.calls.size()},
          {"calls_after", optimized.graph.calls.size()},
          {"passes", steps},
          {"before", traced.to_string()},
          {"after", optimized.graph.to_string()}};
}

std::string list_text(bool json) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  std::string out;
  for (const GraphPass& pass : all_passes()) {
    list.push_back(
        {{"pass", pass.name}, {"does", say(pass.summary)}, {"exact", pass.exact}, {"frozen", pass.frozen}});
    out += fmt::format("{:<24}{}\n", pass.name, say(pass.summary));
  }
  return json ? list.dump(2) + '\n' : out;
}

// The graph right before and right after the pass first changes it.
std::string shown(const Graph& traced, const std::string& name, PassOptions passes) {
  if (find_pass(name) == nullptr) throw UsageError(say(Message::graph_no_pass, name, list_of(pass_names())));
  std::erase(passes.without, name);
  std::string out;
  passes.watch = [&](const GraphPass& pass, const Graph& before, const Graph& after) {
    if (pass.name == name && out.empty()) out = before.to_string() + '\n' + after.to_string();
  };
  optimize(traced, passes);
  return out.empty() ? say(Message::graph_nothing, name) + '\n' : out;
}

int run_graph(const GraphOptions& options) {
  if (options.list != options.subject.empty()) throw UsageError(say(Message::graph_what));
  if (options.list) {
    print(list_text(options.json));
    return kOk;
  }
  const PassOptions passes{.without = left_out(options),
                           .frozen = options.frozen || names_frozen_pass(options)};
  if (options.step && passes.frozen) {
    throw UsageError(
        say(Message::graph_frozen_step, options.frozen ? "--frozen" : options.show + options.passes));
  }
  const Traced subject = options.step ? trace_step(options) : trace_prediction(options);
  const Graph& traced = subject.graph;
  if (!options.show.empty()) {
    print(shown(traced, options.show, passes));
    return kOk;
  }
  const OptimizedGraph optimized = optimize(traced, passes);
  const Graph& graph = options.before ? traced : optimized.graph;
  if (!options.svg.empty()) {
    const Message title = options.step ? Message::graph_step_title : Message::graph_prediction_title;
    write_file(options.svg, draw(graph, say(title, options.subject, graph.calls.size())).file());
  }
  if (options.json) {
    print(graph_json(optimized, traced).dump(2) + '\n');
    return kOk;
  }
  if (options.svg.empty() || options.text) print(graph.to_string() + '\n');
  print(table_of(optimized, passes));
  if (!options.svg.empty()) print_progress(say(Message::graph_kept, options.svg) + '\n');
  return kOk;
}

}  // namespace

void add_graph(Command root) {
  Command command = root.add("graph", Message::graph_help, Message::graph_example);
  const auto options = std::make_shared<GraphOptions>();
  command.option("subject", options->subject, Message::subject_argument, "MODEL|RECIPE");
  command.flag("--step", options->step, Message::graph_step);
  command.flag("--frozen", options->frozen, Message::graph_frozen);
  command.option("--batch", options->batch, Message::graph_batch, "N").positive();
  command.option("--svg", options->svg, Message::graph_svg, "FILE");
  command.flag("--text", options->text, Message::graph_text);
  command.flag("--before", options->before, Message::graph_before);
  command.option("--passes", options->passes, Message::graph_passes, "NAMES");
  command.option("--without", options->without, Message::graph_without, "NAMES");
  command.option("--show", options->show, Message::graph_show, "NAME");
  command.flag("--list", options->list, Message::graph_list);
  command.add_set(options->set);
  command.add_json(options->json);
  command.runs([options] { return run_graph(*options); });
}

}  // namespace splot::cli
