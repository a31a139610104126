#include "splot/recipe/run.h"

#include <utility>

#include "splot/train/norms.h"
#include "splot/train/warnings.h"

namespace splot {

RecipeRun run_recipe(const Recipe& recipe, const RunOptions& options) {
  return run_recipe(recipe, load_data(recipe.data), options);
}

RecipeRun run_recipe(const Recipe& recipe, const RecipeData& data, const RunOptions& options) {
  RecipeRun run;
  run.recipe = recipe;
  run.seed = options.seed;
  run.sample = sample_shape(recipe);
  run.layers = resolve_layers(recipe.model, run.sample);
  run.preprocessing = data.train.preprocessing();
  run.classes = data.train.classes();
  run.model = build_model(run.layers, recipe.train.dtype, options.seed);

  const LossFunction loss = build_loss(recipe.loss);
  const std::vector<MetricFunction> metrics = build_metrics(recipe.loss.name, !run.classes.empty());
  const Index batch =
      recipe.train.batch == 0 ? data.train.size() : std::min(recipe.train.batch, data.train.size());
  const std::unique_ptr<Optimizer> optimizer = build_optimizer(recipe, *run.model, data.train.size());
  // First, so that the others find the norms in the epoch's record.
  std::vector<std::shared_ptr<Callback>> callbacks{
      std::make_shared<NormRecorder>(),
      std::make_shared<MistakeWatch>(MistakeOptions{.loss = recipe.loss.name})};
  callbacks.insert(callbacks.end(), options.callbacks.begin(), options.callbacks.end());
  Trainer trainer(*run.model, loss, *optimizer,
                  {.epochs = recipe.train.epochs,
                   .batch_size = batch,
                   .shuffle = recipe.train.shuffle,
                   .seed = options.seed,
                   .keep_best = recipe.train.keep == "best",
                   .metrics = metrics,
                   .watch = recipe.train.watch,
                   .schedule = build_schedule(recipe, (data.train.size() + batch - 1) / batch),
                   .callbacks = std::move(callbacks),
                   .progress = options.progress,
                   .on_epoch = options.on_epoch,
                   .stop = options.stop});
  const bool table = recipe.data.name == "table";
  if (table) run.before = evaluate(*run.model, loss, data.train, metrics);
  const std::optional<Dataset>& watched = recipe.train.watch == "test" ? data.test : data.validation;
  run.training = trainer.fit(data.train, watched ? &*watched : nullptr);
  if (table) run.train = evaluate(*run.model, loss, data.train, metrics);
  if (data.validation) run.validation = evaluate(*run.model, loss, *data.validation, metrics);
  if (data.test && !run.training.stopped) run.test = evaluate(*run.model, loss, *data.test, metrics);
  return run;
}

}  // namespace splot
