// splot train: runs a recipe and keeps what came of it.
#include <cmath>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "splot/core/error.h"
#include "splot/recipe/run.h"
#include "splot/train/model_file.h"
#include "splot/train/run_folder.h"

#include "apps/cli/command.h"
#include "apps/cli/model_argument.h"
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

ModelInfo info_of(const RecipeRun& run) {
  return {.sample = run.sample,
          .preprocessing = run.preprocessing,
          .classes = run.classes,
          .loss = run.recipe.loss.name,
          .data = run.recipe.data.name,
          .recipe = run.recipe.id};
}

nlohmann::ordered_json result_json(const RecipeRun& run, const std::string& folder) {
  nlohmann::ordered_json out = {{"run", folder},
                                {"recipe", run.recipe.id},
                                {"seed", run.seed},
                                {"metrics", nlohmann::ordered_json::object()},
                                {"best", nullptr},
                                {"weights_sha256", weights_sha256(*run.model)},
                                {"epochs", run.training.history.size()},
                                {"steps", run.training.steps},
                                {"seconds", run.training.seconds},
                                {"stopped", run.training.stopped},
                                {"warnings", nlohmann::ordered_json::array()}};
  for (const TrainingWarning& w : run.training.warnings) {
    out["warnings"].push_back({{"code", w.code}, {"where", w.where}, {"epoch", w.epoch}, {"text", w.text}});
  }
  const auto part = [&](const char* name, const std::vector<Metric>& metrics) {
    if (!metrics.empty()) out["metrics"][name] = as_json(metrics);
  };
  part("before", run.before);
  part("train", run.train);
  part("validation", run.validation);
  part("test", run.test);
  if (run.training.best_epoch > 0) {
    const auto at = static_cast<std::size_t>(run.training.best_epoch - 1);
    out["best"] = as_json(run.training.history[at].metrics);
    out["best"]["epoch"] = run.training.best_epoch;
  }
  return out;
}

void print_part(Message name, const std::vector<Metric>& metrics) {
  if (metrics.empty()) return;
  std::string line = fmt::format("{:<12}", say(name));
  for (const Metric& m : metrics) {
    line += m.name == "accuracy" ? fmt::format("  {} {}", m.name, percent(m.value))
                                 : fmt::format("  {} {:.9g}", m.name, m.value);
  }
  print(line + '\n');
}

void print_result(const RecipeRun& run, const std::string& folder) {
  print_part(Message::part_before, run.before);
  print_part(Message::part_train, run.train);
  print_part(Message::part_validation, run.validation);
  print_part(Message::part_test, run.test);
  if (run.training.best_epoch > 0 && run.recipe.train.keep == "best") {
    print(say(Message::best_epoch, run.training.best_epoch, run.training.history.size()) + '\n');
  }
  print(say(Message::run_kept, fmt::format("{:.1f}", run.training.seconds), folder) + '\n');
}

int run_train(const TrainOptions& options) {
  Recipe recipe = find_recipe(options.recipe, options.set);
  RunOptions run_options{.seed = options.seed, .progress = {}, .on_epoch = {}, .stop = interrupted};
  if (!options.quiet) {
    run_options.progress = ProgressLine(print_progress, {.live = is_terminal(STDERR_FILENO)});
  }
  interrupted();  // from here on Ctrl-C is a request
  // The data are looked for before a folder is made that nothing would be put into.
  const RecipeData data = load_data(recipe.data);
  RunFolder folder(options.folder.empty() ? new_run_folder(recipe.id) : options.folder);
  folder.write("recipe.toml", to_toml(recipe));
  run_options.on_epoch = [&](const EpochRecord& record) {
    folder.add(record);
    for (const TrainingWarning& w : record.warnings) print_progress(say(Message::warning, w.text) + '\n');
  };
  const RecipeRun run = run_recipe(recipe, data, run_options);
  folder.finish();
  save_model(folder.file("model.safetensors"), *run.model, info_of(run));
  if (options.json) {
    print(result_json(run, folder.path()).dump(2) + '\n');
  } else {
    print_result(run, folder.path());
  }
  if (run.training.stopped) {
    print_progress(say(Message::complaint, say(Message::interrupted_saved, folder.path())) + '\n');
    return kInterrupted;
  }
  return kOk;
}

}  // namespace

void add_train(CLI::App& app, int& status) {
  CLI::App* command = add_command(app, "train", Message::train_help, Message::train_example);
  const auto options = std::make_shared<TrainOptions>();
  command->add_option("recipe", options->recipe, say(Message::train_recipe))->required()->type_name("RECIPE");
  add_set(*command, options->set);
  command->add_option("-o,--output", options->folder, say(Message::train_folder))->type_name("FOLDER");
  command->add_option("--seed", options->seed, say(Message::seed_option))->type_name("N");
  command->add_flag("--quiet", options->quiet, say(Message::quiet_option));
  add_threads(*command);
  add_json(*command, options->json);
  command->callback([&status, options] { status = run_train(*options); });
}

}  // namespace splot::cli
