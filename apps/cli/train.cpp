// splot train: runs a recipe and keeps what came of it.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <sstream>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/thread_pool.h"
#include "splot/core/error.h"
#include "splot/core/storage.h"
#include "splot/recipe/choose.h"
#include "splot/recipe/pictures.h"
#include "splot/recipe/run.h"
#include "splot/recipe/run_report.h"
#include "splot/train/model_file.h"
#include "splot/train/run_folder.h"

#include "apps/cli/command.h"
#include "apps/cli/model_argument.h"
#include "apps/cli/profile.h"
#include "apps/cli/recipes.h"

namespace splot::cli {
namespace {

constexpr const char* kCheckpoint = "checkpoint.safetensors";

struct TrainOptions {
  std::string recipe;
  std::string images;
  std::vector<std::string> set;
  std::string folder;
  std::string resume;
  std::optional<std::uint64_t> seed;
  bool json = false;
  bool quiet = false;
  bool eager = false;
  bool profile = false;
};

ModelInfo info_of(const RecipeRun& run, const std::optional<PictureOrigin>& pictures) {
  return {.sample = run.sample,
          .preprocessing = run.preprocessing,
          .classes = run.classes,
          .loss = run.recipe.loss.name,
          .data = run.recipe.data.name,
          .recipe = run.recipe.id,
          .pictures = pictures,
          .uncut = uncut_shape(run.recipe)};
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
                                {"data_seconds", run.training.data_seconds},
                                {"stopped", run.training.stopped},
                                {"stop_reason", run.training.stop_reason},
                                {"diverged", run.diverged},
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

// What run.json says beside the result.
nlohmann::ordered_json run_json(const RecipeRun& run, const std::string& folder) {
  nlohmann::ordered_json out = result_json(run, folder);
  out["threads"] = cpu::num_threads();
  out["instruction_set"] = cpu::name_of(cpu::instruction_set());
  out["peak_memory_bytes"] = memory_use().peak;
  return out;
}

void print_part(Message name, const std::vector<Metric>& metrics) {
  if (metrics.empty()) return;
  std::string line = fmt::format("{:<12}", say(name));
  for (const Metric& m : metrics) {
    line += m.name.ends_with("accuracy") ? fmt::format("  {} {}", m.name, percent(m.value))
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
  if (!run.training.stop_reason.empty()) {
    print(say(Message::ended_early, run.training.history.size(), run.training.stop_reason) + '\n');
  }
  if (const double waited = run.training.data_seconds; waited > 0.05 * run.training.seconds) {
    print(say(Message::waited_for_data, fmt::format("{:.1f}", waited)) + '\n');
  }
  print(say(Message::run_kept, fmt::format("{:.1f}", run.training.seconds), folder) + '\n');
}

// Keys that may be other than they were when a run is gone on with: how long, and what nobody computes with.
bool may_change(std::string_view line) {
  for (const std::string_view key :
       {"title", "seeds", "epochs", "patience", "min_delta", "checkpoint_every", "compiled"}) {
    if (line.starts_with(join(key, " = "))) return true;
  }
  return false;
}

// Throws UsageError when the run was begun with another recipe.
void check_same_recipe(const Recipe& saved, const Recipe& asked, const std::string& folder) {
  std::istringstream was(to_toml(saved)), is(to_toml(asked));
  std::string line, now;
  while (true) {
    const bool more = static_cast<bool>(std::getline(was, line));
    const bool more_now = static_cast<bool>(std::getline(is, now));
    if (!more && !more_now) return;
    if (more && more_now && (line == now || (may_change(line) && may_change(now)))) continue;
    throw UsageError(say(Message::resume_changed, folder, more ? line : "", more_now ? now : ""));
  }
}

// What a run is made with: given on the command line, or found in the checkpoint it goes on from.
struct Plan {
  Recipe recipe;
  std::uint64_t seed = 1;
  std::string folder;
  std::string checkpoint;       // to go on from; empty: the run begins
  std::vector<Choice> choices;  // of a recipe that nobody wrote
};

// For pictures alone. What --set says was not chosen, so there is no reason to give.
ChosenRecipe choose_recipe(const TrainOptions& options) {
  std::error_code ignored;
  if (!std::filesystem::exists(options.images, ignored)) {
    throw UsageError(say(Message::train_no_folder, options.images));
  }
  ChosenRecipe chosen = recipe_for_images(ImageFolder(options.images), options.images);
  assign(chosen.recipe, options.images, options.set);
  std::erase_if(chosen.choices, [&](const Choice& choice) {
    return std::any_of(options.set.begin(), options.set.end(),
                       [&](const std::string& set) { return set.substr(0, set.find('=')) == choice.key; });
  });
  return chosen;
}

// What the command line asks for: a recipe, or pictures.
void take_recipe(Plan& plan, const TrainOptions& options) {
  if (options.images.empty()) {
    plan.recipe = find_recipe(options.recipe, options.set);
    return;
  }
  ChosenRecipe chosen = choose_recipe(options);
  plan.recipe = std::move(chosen.recipe);
  plan.choices = std::move(chosen.choices);
}

void explain(const Plan& plan) {
  print_progress(say(Message::train_chosen, plan.recipe.data.folder) + '\n');
  for (const Choice& choice : plan.choices) {
    print_progress(fmt::format("  {:<17}{}\n", choice.key, choice.reason));
  }
}

Plan plan_of(const TrainOptions& options) {
  if (std::filesystem::is_directory(options.recipe)) {
    throw UsageError(say(Message::train_is_folder, options.recipe, options.recipe));
  }
  const bool nothing = options.recipe.empty() && options.images.empty();
  if (nothing && options.resume.empty()) {
    throw UsageError(say(Message::wrong_usage, say(Message::train_needs_recipe)));
  }
  if (!options.recipe.empty() && !options.images.empty()) {
    throw UsageError(say(Message::train_recipe_or_images));
  }
  Plan plan{.recipe = {},
            .seed = options.seed.value_or(1),
            .folder = options.folder,
            .checkpoint = {},
            .choices = {}};
  if (options.resume.empty()) {
    take_recipe(plan, options);
    return plan;
  }
  if (!options.folder.empty()) throw UsageError(say(Message::resume_has_folder, options.resume));
  plan.folder = options.resume;
  plan.checkpoint = (std::filesystem::path(plan.folder) / kCheckpoint).string();
  if (!std::filesystem::exists(plan.checkpoint)) {
    if (nothing) throw UsageError(say(Message::resume_no_checkpoint, plan.folder, plan.folder));
    // The same command starts a run and, after a crash at any moment, goes on with it.
    plan.checkpoint.clear();
    take_recipe(plan, options);
    if (!options.quiet) print_progress(say(Message::resume_begins, plan.folder) + '\n');
    return plan;
  }
  const CheckpointInfo info = checkpoint_info(plan.checkpoint);
  const Recipe saved = recipe_of_checkpoint(plan.checkpoint);
  plan.recipe = saved;
  if (nothing) {
    assign(plan.recipe, plan.folder, options.set);
  } else {
    take_recipe(plan, options);
  }
  check_same_recipe(saved, plan.recipe, plan.folder);
  plan.seed = info.seed;
  if (options.seed.value_or(info.seed) != info.seed) {
    throw UsageError(say(Message::resume_seed, plan.folder, info.seed, *options.seed));
  }
  if (!options.quiet) print_progress(say(Message::resume_at, info.epoch, info.total_steps) + '\n');
  return plan;
}

bool is_same_recipe(const std::string& path, const Recipe& recipe) {
  try {
    return to_toml(load_recipe(path)) == to_toml(recipe);
  } catch (const Error&) {
    return false;  // not there, or damaged: it is written again
  }
}

// The folder of -o or --resume, if it is there already.
std::optional<RunFolder> lock_named_folder(const TrainOptions& options) {
  const std::string& path = options.resume.empty() ? options.folder : options.resume;
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) return std::nullopt;
  std::optional<RunFolder> out(path);
  out->lock();
  return out;
}

int run_train(const TrainOptions& options) {
  interrupted();  // from here on Ctrl-C is a request
  // Before anything is read that another process may be writing.
  std::optional<RunFolder> locked = lock_named_folder(options);
  Plan plan = plan_of(options);
  RunOptions run_options{
      .seed = plan.seed, .stop = interrupted, .resume = plan.checkpoint, .keep_diverged = true};
  const bool live = is_terminal(STDERR_FILENO);
  if (!options.quiet) {
    run_options.progress = ProgressLine(print_progress, {.live = live});
  }
  run_options.on_warning = [below = live && !options.quiet](const TrainingWarning& warning) {
    // On a terminal below the line of progress, which is drawn again.
    print_progress((below ? "\n" : "") + say(Message::warning, warning.text) + '\n');
  };
  if (options.profile) run_options.profile = std::make_shared<TrainingProfile>();
  const bool chosen = !plan.choices.empty();
  if (chosen && !options.quiet) explain(plan);
  // The data are looked for before a folder is made that nothing would be put into.
  const RecipeData data = load_data(plan.recipe.data);
  const std::optional<PictureOrigin> pictures = picture_origin(plan.recipe.data);
  if (!locked) {
    locked.emplace(plan.folder.empty() ? new_run_folder(plan.recipe.id) : plan.folder);
    locked->lock();
  }
  RunFolder& folder = *locked;
  folder.remove_leftovers();
  // A chosen recipe is kept with its reasons, also when the run is gone on with without naming it.
  const std::string recipe_file = folder.file("recipe.toml");
  if (chosen) {
    folder.write("recipe.toml", to_toml(ChosenRecipe{plan.recipe, plan.choices}));
    if (!options.quiet) print_progress(say(Message::train_edit, recipe_file) + '\n');
  } else if (plan.checkpoint.empty() || !is_same_recipe(recipe_file, plan.recipe)) {
    folder.write("recipe.toml", to_toml(plan.recipe));
  }
  run_options.checkpoint = folder.file(kCheckpoint);
  run_options.on_epoch = [&](const EpochRecord& record) { folder.add(record); };
  const RecipeRun run = run_recipe(plan.recipe, data, run_options);
  folder.finish();
  const bool has_model = run.diverged.empty() || run.training.best_epoch > 0;
  if (has_model) save_model(folder.file("model.safetensors"), *run.model, info_of(run, pictures));
  folder.write("run.json", run_json(run, folder.path()).dump(2) + '\n');
  // A run that ended in its first epoch has nothing to show.
  if (!run.training.history.empty()) {
    folder.write("report.html", report_html(collect_report(folder.path(), &data)));
  }
  if (!run.diverged.empty()) throw DivergenceError(run.diverged);
  if (options.json) {
    nlohmann::ordered_json json = result_json(run, folder.path());
    if (options.profile) json["profile"] = profile_json(*run_options.profile);
    print(json.dump(2) + '\n');
  } else {
    print_result(run, folder.path());
    if (options.profile) print('\n' + profile_text(*run_options.profile));
  }
  if (run.training.stopped) {
    const std::string saved = say(Message::interrupted_saved, folder.path(), folder.path());
    print_progress(say(Message::complaint, saved) + '\n');
    return interrupted_status();
  }
  return kOk;
}

}  // namespace

void add_train(Command root) {
  Command command = root.add("train", Message::train_help, Message::train_example);
  const auto options = std::make_shared<TrainOptions>();
  command.option("recipe", options->recipe, Message::train_recipe, "RECIPE");
  command.option("--images", options->images, Message::train_images, "FOLDER");
  command.add_set(options->set);
  command.option("-o,--output", options->folder, Message::train_folder, "FOLDER");
  command.option("--resume", options->resume, Message::train_resume, "FOLDER");
  command.option("--seed", options->seed, Message::seed_option, "N");
  command.flag("--eager", options->eager, Message::train_eager);
  command.flag("--profile", options->profile, Message::train_profile);
  command.flag("--quiet", options->quiet, Message::quiet_option);
  command.add_threads();
  command.add_json(options->json);
  command.runs([options] {
    if (options->eager) options->set.emplace_back("train.compiled=false");
    return run_train(*options);
  });
}

}  // namespace splot::cli
