#include "splot/recipe/run.h"

#include <exception>
#include <utility>

#include "splot/core/error.h"
#include "splot/train/norms.h"
#include "splot/train/warnings.h"

namespace splot {
namespace {

constexpr const char* kRecipeNote = "recipe";
constexpr const char* kNameNote = "recipe_name";

std::optional<AveragedWeightsOptions> average_of(const TrainRecipe& how) {
  if (how.average == "none") return std::nullopt;
  return AveragedWeightsOptions{
      .averaging = how.average == "mean" ? Averaging::equal : Averaging::exponential,
      .decay = how.average_decay};
}

struct StopAsked final : std::exception {};

// Figures of the parts of the data, asking after every batch whether to go on; true ends it there.
class Judge {
 public:
  Judge(RecipeRun& run, LossFunction loss, const std::vector<MetricFunction>& metrics,
        const std::function<bool()>& stop)
      : run_(run), metrics_(metrics) {
    // A training that was stopped has been asked already; what it is still judged by is let finish.
    const bool asks = stop && !run.training.stopped;
    loss_ = [loss = std::move(loss), stop = asks ? stop : nullptr](const Tensor& output,
                                                                   const Tensor& target) {
      if (stop && stop()) throw StopAsked();
      return loss(output, target);
    };
  }

  // None from the moment on when the run is stopped.
  std::vector<Metric> figures(const Dataset& part) {
    if (ended_) return {};
    try {
      return evaluate(*run_.model, loss_, part, metrics_);
    } catch (const StopAsked&) {
      ended_ = run_.training.stopped = true;
      return {};
    }
  }

 private:
  RecipeRun& run_;
  LossFunction loss_;
  const std::vector<MetricFunction>& metrics_;
  bool ended_ = false;
};

}  // namespace

RecipeRun run_recipe(const Recipe& recipe, const RunOptions& options) {
  return run_recipe(recipe, load_data(recipe.data), options);
}

RecipeRun run_recipe(const Recipe& recipe, const RecipeData& data, const RunOptions& options) {
  RecipeRun run;
  run.recipe = recipe;
  run.seed = options.seed;
  run.sample = sample_shape(recipe);
  run.preprocessing = data.train.preprocessing();
  run.classes = data.train.classes();
  run.model = build_model(recipe.model, run.sample, recipe.train.dtype, options.seed);

  const LossFunction loss = build_loss(recipe.loss);
  const std::vector<MetricFunction> metrics = build_metrics(recipe, !run.classes.empty());
  const Index batch =
      recipe.train.batch == 0 ? data.train.size() : std::min(recipe.train.batch, data.train.size());
  const std::unique_ptr<Optimizer> optimizer = build_optimizer(recipe, *run.model, data.train.size());
  const Index batches = (data.train.size() + batch - 1) / batch;
  const TrainRecipe& how = recipe.train;
  // First, so that the others find the norms in the epoch's record.
  std::vector<std::shared_ptr<Callback>> callbacks{
      std::make_shared<NormRecorder>(),
      std::make_shared<MistakeWatch>(MistakeOptions{.loss = recipe.loss.name})};
  callbacks.insert(callbacks.end(), options.callbacks.begin(), options.callbacks.end());
  Trainer trainer(*run.model, loss, *optimizer,
                  {.epochs = how.epochs,
                   .batch_size = batch,
                   .accumulate = how.accumulate,
                   .shuffle = how.shuffle,
                   .seed = options.seed,
                   .keep_best = how.keep == "best",
                   .monitor = how.monitor,
                   .patience = how.patience,
                   .min_delta = how.min_delta,
                   .clip_norm = how.clip_norm,
                   .clip_value = how.clip_value,
                   .compiled = how.compiled,
                   .profile = options.profile,
                   .average = average_of(how),
                   .average_start = how.average_start,
                   .metrics = metrics,
                   .watch = how.watch,
                   .schedule = build_schedule(recipe, (batches + how.accumulate - 1) / how.accumulate),
                   .checkpoint = {.path = options.checkpoint,
                                  .every = how.checkpoint_every,
                                  .notes = {{kRecipeNote, to_toml(recipe)}, {kNameNote, recipe.id}}},
                   .callbacks = std::move(callbacks),
                   .progress = options.progress,
                   .on_epoch = options.on_epoch,
                   .on_warning = options.on_warning,
                   .stop = options.stop});
  const bool table = recipe.data.name == "table";
  if (table) run.before = evaluate(*run.model, loss, data.train, metrics);
  const std::optional<Dataset>& watched = recipe.train.watch == "test" ? data.test : data.validation;
  const Dataset* second = watched ? &*watched : nullptr;
  try {
    if (options.resume.empty()) {
      trainer.fit(data.train, second);
    } else {
      trainer.resume(options.resume, data.train, second);
    }
  } catch (const DivergenceError& error) {
    if (!options.keep_diverged) throw;
    run.diverged = error.what();
  }
  run.training = trainer.result();
  // Without a best epoch the weights may be anything.
  if (!run.diverged.empty() && (run.training.best_epoch == 0 || how.keep != "best")) return run;
  Judge judge(run, loss, metrics, options.stop);
  if (table) run.train = judge.figures(data.train);
  if (data.validation) run.validation = judge.figures(*data.validation);
  if (data.test && !run.training.stopped) run.test = judge.figures(*data.test);
  return run;
}

Recipe recipe_of_checkpoint(const std::string& path) {
  const Metadata notes = checkpoint_info(path).notes;
  const auto text = notes.find(kRecipeNote);
  const auto name = notes.find(kNameNote);
  require<FormatError>(text != notes.end() && name != notes.end(), "checkpoint", '"', path,
                       "\" was not made from a recipe");
  Recipe recipe = parse_recipe(text->second, path);
  recipe.id = name->second;
  return recipe;
}

}  // namespace splot
