// splot train: runs a recipe and keeps what came of it.
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "splot/core/error.h"
#include "splot/recipe/run.h"

#include "apps/cli/command.h"
#include "apps/cli/recipes.h"

namespace splot::cli {
namespace {

struct TrainOptions {
  std::string recipe;
  std::vector<std::string> set;
  std::string folder;
  std::uint64_t seed = 1;
  bool json = false;
  bool quiet = false;
};

nlohmann::ordered_json as_json(const std::vector<Metric>& metrics) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const Metric& m : metrics) out[m.name] = m.value;
  return out;
}

int run_train(const TrainOptions& options) {
  const Recipe recipe = find_recipe(options.recipe, options.set);
  RunOptions run_options{.seed = options.seed, .progress = {}, .on_epoch = {}, .stop = interrupted};
  if (!options.quiet) {
    run_options.progress = ProgressLine(print_progress, {.live = is_terminal(STDERR_FILENO)});
  }
  const RecipeRun run = run_recipe(recipe, run_options);
  nlohmann::ordered_json out = {{"recipe", recipe.id},
                                {"seconds", run.training.seconds},
                                {"best_epoch", run.training.best_epoch},
                                {"before", as_json(run.before)},
                                {"train", as_json(run.train)},
                                {"validation", as_json(run.validation)},
                                {"test", as_json(run.test)}};
  print(out.dump(2) + '\n');
  return run.training.stopped ? kInterrupted : kOk;
}

}  // namespace

void add_train(CLI::App& app, int& status) {
  CLI::App* command = add_command(app, "train", Message::train_help, Message::train_example);
  const auto options = std::make_shared<TrainOptions>();
  command->add_option("recipe", options->recipe, say(Message::train_recipe))->required()->type_name("RECIPE");
  command->add_option("--set", options->set, say(Message::set_option))
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->add_option("-o,--output", options->folder, say(Message::train_folder))->type_name("FOLDER");
  command->add_option("--seed", options->seed, say(Message::seed_option))->type_name("N");
  command->add_flag("--quiet", options->quiet, say(Message::quiet_option));
  add_threads(*command);
  add_json(*command, options->json);
  command->callback([&status, options] { status = run_train(*options); });
}

}  // namespace splot::cli
