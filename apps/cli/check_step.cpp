#include "apps/cli/check_step.h"

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

#include "splot/core/error.h"
#include "splot/recipe/compare_steps.h"

#include "apps/cli/command.h"
#include "apps/cli/recipes.h"

namespace splot::cli {
namespace {

struct StepRow {
  std::string recipe;
  StepComparison found;
  std::string no_data;  // where the data are not there
};

// Data that are not there are an error only for a recipe that was asked for.
StepRow compare(const std::string& name, const CheckStepOptions& options) {
  StepRow row{name, {}, {}};
  try {
    row.found =
        compare_steps(find_recipe(name, options.set), {.states = options.states, .stop = interrupted});
  } catch (const IoError& error) {
    if (!options.recipes.empty()) throw;
    row.no_data = error.what();
  }
  return row;
}

std::string differences(const StepComparison& found) {
  if (found.equal == found.states) return say(Message::check_step_equal, found.states);
  const std::string where = found.tensor.empty() ? "-" : found.tensor;
  return say(Message::check_step_differs, found.states, found.equal, fmt::format("{:.1e}", found.loss),
             fmt::format("{:.1e}", found.tensors), where) +
         (found.is_within_bounds() ? "" : "  " + say(Message::check_wrong));
}

std::string outcome(const StepRow& row) {
  const StepComparison& found = row.found;
  if (!row.no_data.empty()) return say(Message::check_step_no_data, row.no_data);
  if (!found.no_plan.empty()) return say(Message::check_step_no_plan, found.no_plan);
  return differences(found) + "; " +
         say(Message::check_step_memory, bytes_text(found.eager_bytes), bytes_text(found.plan_bytes));
}

nlohmann::ordered_json step_json(const StepRow& row) {
  const StepComparison& found = row.found;
  nlohmann::ordered_json out = {{"recipe", row.recipe}};
  if (!row.no_data.empty()) {
    out["no_data"] = row.no_data;
    return out;
  }
  if (!found.no_plan.empty()) {
    out["no_plan"] = found.no_plan;
    return out;
  }
  out["states"] = found.states;
  out["equal"] = found.equal;
  out["loss"] = found.loss;
  out["tensors"] = found.tensors;
  out["tensor"] = found.tensor;
  out["eager_bytes"] = found.eager_bytes;
  out["plan_bytes"] = found.plan_bytes;
  out["pass"] = found.is_within_bounds();
  return out;
}

}  // namespace

int run_check_step(const CheckStepOptions& options) {
  std::vector<std::string> names = options.recipes;
  if (names.empty()) {
    for (const BuiltinRecipe& builtin : builtin_recipes()) names.emplace_back(builtin.id);
  }
  interrupted();  // from here on Ctrl-C is a request
  std::size_t width = 0, compared = 0, outside = 0;
  for (const std::string& name : names) width = std::max(width, name.size());
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const std::string& name : names) {
    const StepRow row = compare(name, options);
    if (row.found.states > 0) ++compared;
    if (!row.found.is_within_bounds()) ++outside;
    if (options.json) {
      json.push_back(step_json(row));
    } else {
      print(fmt::format("{:<{}}  {}\n", row.recipe, width, outcome(row)));
    }
    if (interrupted()) return interrupted_status();
  }
  if (options.json) {
    print(nlohmann::ordered_json{{"steps", json},
                                 {"loss_bound", StepComparison::kLossBound},
                                 {"tensor_bound", StepComparison::kTensorBound},
                                 {"pass", outside == 0}}
              .dump(2) +
          '\n');
  } else {
    print(say(outside == 0 ? Message::check_step_passed : Message::check_step_failed, compared,
              fmt::format("{:g}", StepComparison::kLossBound),
              fmt::format("{:g}", StepComparison::kTensorBound), outside) +
          '\n');
  }
  return outside == 0 ? kOk : kFailed;
}

}  // namespace splot::cli
