// splot eval: how well a trained network does.
#include <nlohmann/json.hpp>

#include "splot/core/error.h"
#include "splot/recipe/build.h"

#include "apps/cli/command.h"
#include "apps/cli/model_argument.h"

namespace splot::cli {
namespace {

struct EvalOptions {
  std::string model;
  std::string data;
  bool json = false;
};

int run_eval(const EvalOptions& options) {
  const ModelFile file = find_model(options.model);
  DataRecipe recipe;
  recipe.name = options.data.empty() ? file.info.data : options.data;
  if (recipe.name == "table") throw UsageError(say(Message::eval_table));
  const RecipeData data = load_data(recipe);
  const Dataset& test = *data.test;
  if (!(test.sample_shape() == file.info.sample)) {
    throw UsageError(say(Message::eval_shape, options.model, file.info.sample.to_string(), recipe.name,
                         test.sample_shape().to_string()));
  }
  const std::vector<Metric> metrics = evaluate(*file.model, build_loss(file.info.loss), test,
                                               build_metrics(file.info.loss, !test.classes().empty()));
  if (options.json) {
    print(nlohmann::ordered_json{{"model", options.model},
                                 {"data", recipe.name},
                                 {"part", "test"},
                                 {"examples", test.size()},
                                 {"metrics", as_json(metrics)}}
              .dump(2) +
          '\n');
    return kOk;
  }
  const double accuracy = metric(metrics, "accuracy");
  const auto right = static_cast<Index>(accuracy * static_cast<double>(test.size()) + 0.5);
  print(say(Message::eval_result, recipe.name, percent(accuracy), right, test.size(),
            fmt::format("{:.4f}", metric(metrics, "loss"))) +
        '\n');
  return kOk;
}

}  // namespace

void add_eval(CLI::App& app, int& status) {
  CLI::App* command = add_command(app, "eval", Message::eval_help, Message::eval_example);
  const auto options = std::make_shared<EvalOptions>();
  command->add_option("model", options->model, say(Message::model_argument))->required()->type_name("MODEL");
  command->add_option("--data", options->data, say(Message::eval_data))
      ->check(CLI::IsMember({"mnist", "fashion-mnist", "digits"}))
      ->type_name("NAME");
  add_threads(*command);
  add_json(*command, options->json);
  command->callback([&status, options] { status = run_eval(*options); });
}

}  // namespace splot::cli
