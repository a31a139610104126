// splot reproduce: published experiments, run again.
#include "splot/recipe/reproduce.h"

#include <chrono>
#include <cmath>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "splot/core/error.h"
#include "splot/report/markup.h"
#include "splot/train/run_folder.h"

#include "apps/cli/command.h"
#include "apps/cli/recipes.h"

namespace splot::cli {
namespace {

struct ReproduceArguments {
  std::vector<std::string> ids;
  std::string folder;
  Index seeds = 0;
  Index minutes = 0;  // 0: as long as it takes
  bool all = false;
  bool list = false;
  bool json = false;
  bool quiet = false;
};

// "test_accuracy" -> "test accuracy"
std::string in_words(std::string metric) {
  if (metric.rfind("val_", 0) == 0) metric.replace(0, 4, "validation ");
  for (char& c : metric) c = c == '_' ? ' ' : c;
  return metric;
}

std::string describe_statistic(const Recipe& recipe) {
  const PublishedRecipe& published = recipe.published;
  const std::string metric = in_words(published.metric);
  std::string out;
  if (!published.norms.empty()) {
    out = say(Message::reproduce_norm_ratio, published.statistic, published.norms.size());
  } else if (published.epoch == "best") {
    out = say(Message::reproduce_best, published.statistic, metric);
  } else if (published.epoch == "last") {
    out = say(Message::reproduce_last, published.statistic, metric, recipe.train.epochs);
  } else {
    out = say(Message::reproduce_kept, published.statistic, metric);
  }
  if (published.leave_out_stuck) out += say(Message::reproduce_left_out);
  if (published.epoch == "best" && published.metric.rfind("test_", 0) == 0) {
    out += say(Message::reproduce_on_test);
  }
  return out;
}

std::string figure(const PublishedRecipe& published, double value) {
  if (std::isnan(value)) return "-";
  return in_per_cent(published) ? fmt::format("{:.2f} %", value) : fmt::format("{:.4g}", value);
}

nlohmann::ordered_json run_json(const ReproducedRun& run) {
  nlohmann::ordered_json out = {{"seed", run.seed},
                                {"value", run.figure},
                                {"epoch", nullptr},
                                {"seconds", run.seconds},
                                {"stuck", run.stuck}};
  if (run.epoch > 0) out["epoch"] = run.epoch;
  if (run.stuck) {
    out["saturated_low"] = run.saturated_low;
    out["saturated_high"] = run.saturated_high;
    out["never_answered"] = run.never_answered;
  }
  if (!run.norms.empty()) out["norms"] = run.norms;
  return out;
}

nlohmann::ordered_json spread_json(const Spread& spread) {
  return {{"mean", spread.mean},
          {"median", spread.median},
          {"min", spread.min},
          {"max", spread.max},
          {"sd", spread.sd}};
}

nlohmann::ordered_json reproduction_json(const Reproduction& result) {
  const PublishedRecipe& published = result.recipe.published;
  nlohmann::ordered_json out = {{"id", result.recipe.id},
                                {"published", published.value},
                                {"statistic", describe_statistic(result.recipe)},
                                {"obtained", result.obtained}};
  out.update(spread_json(result.spread));
  out["seeds"] = result.runs.size();
  out["stuck"] = result.stuck;
  out["pass"] = result.pass;
  out["interrupted"] = static_cast<Index>(result.runs.size()) < result.seeds;
  out["source"] = published.source;
  out["reason"] = published.reason;
  out["bounds"] = nlohmann::ordered_json::array();
  for (const BoundResult& bound : result.bounds) {
    out["bounds"].push_back(
        {{"bound", bound.bound.to_string()}, {"value", bound.value}, {"holds", bound.holds}});
  }
  if (!result.norms.empty()) out["norms"] = nlohmann::ordered_json::array();
  for (const NormResult& norm : result.norms) {
    nlohmann::ordered_json entry = {
        {"hidden_layers", norm.hidden}, {"layer", norm.layer}, {"published", norm.published}};
    entry.update(spread_json(norm.spread));
    entry["holds"] = norm.holds;
    out["norms"].push_back(entry);
  }
  out["runs"] = nlohmann::ordered_json::array();
  for (const ReproducedRun& run : result.runs) out["runs"].push_back(run_json(run));
  return out;
}

std::string run_line(const PublishedRecipe& published, const ReproducedRun& run) {
  std::string out = fmt::format("  {:>4}  {:>8}  {:>5}  {:>7.1f}", run.seed, figure(published, run.figure),
                                run.epoch > 0 ? std::to_string(run.epoch) : "-", run.seconds);
  if (run.stuck) out += say(Message::reproduce_is_stuck);
  if (!run.saturated_low.empty()) out += say(Message::reproduce_saturated_low, list_of(run.saturated_low));
  if (!run.saturated_high.empty()) out += say(Message::reproduce_saturated_high, list_of(run.saturated_high));
  if (!run.never_answered.empty()) out += say(Message::reproduce_never, list_of(run.never_answered));
  return out + '\n';
}

std::string norm_line(const NormResult& norm) {
  return fmt::format(
      "  {:>13}  {:>5}  {:>9}  {:>8.3f}  {:>8.3f}  {:>8.3f}  {:>8.3f}  {}\n", norm.hidden, norm.layer,
      std::isnan(norm.published) ? std::string("-") : fmt::format("{:.3f}", norm.published), norm.spread.mean,
      norm.spread.median, norm.spread.min, norm.spread.max,
      std::isnan(norm.published) ? std::string()
                                 : say(norm.holds ? Message::reproduce_holds : Message::reproduce_fails));
}

std::string row(Message name, const std::string& text) {
  return fmt::format("  {:<11}{}\n", say(name), text);
}

std::string as_text(const Reproduction& result) {
  const PublishedRecipe& published = result.recipe.published;
  const auto shown = [&](double value) { return figure(published, value); };
  std::string out = fmt::format("{}: {}\n", result.recipe.id, result.recipe.title);
  out += row(Message::reproduce_published, shown(published.value) + "  " + published.source);
  out += row(Message::reproduce_obtained, shown(result.obtained));
  out += row(Message::reproduce_statistic, describe_statistic(result.recipe));
  const Spread& spread = result.spread;
  out += row(Message::reproduce_spread,
             say(Message::reproduce_spread_line, shown(spread.mean), shown(spread.median), shown(spread.min),
                 shown(spread.max), std::isnan(spread.sd) ? "-" : fmt::format("{:.2g}", spread.sd)));
  if (published.stuck > 0.0) {
    out += row(Message::reproduce_stuck,
               say(Message::reproduce_stuck_line, result.stuck, result.runs.size(), shown(published.stuck)));
  }
  for (const BoundResult& bound : result.bounds) {
    const std::string holds = std::isnan(bound.value) ? "-"
                              : bound.holds           ? say(Message::reproduce_holds)
                                                      : say(Message::reproduce_fails);
    out += row(Message::reproduce_reason, bound.bound.to_string() + "  " + holds);
  }
  out += fmt::format("  {:<11}{}\n", "", published.reason);
  if (result.norms.empty()) {
    out += say(Message::reproduce_seed_head) + '\n';
    for (const ReproducedRun& run : result.runs) out += run_line(published, run);
  } else {
    out += say(Message::reproduce_norm_head) + '\n';
    for (const NormResult& norm : result.norms) out += norm_line(norm);
  }
  const auto finished = static_cast<Index>(result.runs.size());
  out += finished < result.seeds
             ? say(Message::reproduce_partly, result.recipe.id, finished, result.seeds)
             : say(result.pass ? Message::reproduce_pass : Message::reproduce_fail, result.recipe.id);
  return out + '\n';
}

// One line that is drawn over itself on a terminal, and one for every seed that has finished.
class Status {
 public:
  Status(const Recipe& recipe, Index seeds)
      : recipe_(recipe), seeds_(seeds), live_(is_terminal(STDERR_FILENO)) {}

  void epoch() {
    ++epochs_;
    const std::string now =
        say(Message::reproduce_status, recipe_.id, epochs_, seeds_ * recipe_.train.epochs);
    if (live_) {
      clear();
      line_ = now;
      print_progress(line_);
    } else if (Clock::now() - said_ >= kSilence) {
      print_progress(now + '\n');
      said_ = Clock::now();
    }
  }
  void run(const ReproducedRun& run) {
    if (!recipe_.published.norms.empty()) return;  // a hundred seeds in a second
    clear();
    print_progress(say(Message::reproduce_run_done, recipe_.id, run.seed, seeds_,
                       figure(recipe_.published, run.figure), run.epoch > 0 ? std::to_string(run.epoch) : "-",
                       fmt::format("{:.1f}", run.seconds)) +
                   '\n');
  }
  void clear() {
    if (!line_.empty()) print_progress('\r' + std::string(line_.size(), ' ') + '\r');
    line_.clear();
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kSilence{60};  // into a file, an epoch is told after so long

  const Recipe& recipe_;
  Index seeds_;
  bool live_;
  Clock::time_point said_ = Clock::now();
  Index epochs_ = 0;
  std::string line_;
};

// Of one core, for all runs of an experiment.
// "12 min", "9.8 h".
std::string duration_text(double minutes) {
  if (minutes < 120.0) return figure_text(minutes) + " min";
  return fmt::format("{:.{}f} h", minutes / 60.0, minutes < 1200.0 ? 1 : 0);
}

double whole_minutes(const Recipe& recipe, const ReproduceArguments& arguments) {
  return recipe.published.minutes * static_cast<double>(arguments.seeds > 0 ? arguments.seeds : recipe.seeds);
}

Reproduction reproduce_one(const Recipe& recipe, const ReproduceArguments& arguments) {
  Status status(recipe, arguments.seeds > 0 ? arguments.seeds : recipe.seeds);
  ReproduceOptions options{.seeds = arguments.seeds, .on_epoch = {}, .on_run = {}, .stop = interrupted};
  if (!arguments.quiet) {
    options.on_epoch = [&](std::uint64_t, const EpochRecord&) { status.epoch(); };
    options.on_run = [&](const ReproducedRun& run) { status.run(run); };
  }
  Reproduction result = reproduce(recipe, options);
  status.clear();
  return result;
}

std::vector<Recipe> published_recipes() {
  std::vector<Recipe> out;
  for (const BuiltinRecipe& builtin : builtin_recipes()) {
    Recipe recipe = find_recipe(std::string(builtin.id), {});
    if (!recipe.published.source.empty()) out.push_back(std::move(recipe));
  }
  return out;
}

std::vector<Recipe> all_within(const ReproduceArguments& arguments) {
  std::vector<Recipe> out;
  for (Recipe& recipe : published_recipes()) {
    const double minutes = whole_minutes(recipe, arguments);
    if (arguments.minutes > 0 && minutes > static_cast<double>(arguments.minutes)) {
      print_progress(say(Message::reproduce_too_long, recipe.id, duration_text(minutes)) + '\n');
    } else {
      out.push_back(std::move(recipe));
    }
  }
  return out;
}

int list_published(const ReproduceArguments& arguments) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  std::string text;
  for (const Recipe& recipe : published_recipes()) {
    const PublishedRecipe& published = recipe.published;
    all.push_back({{"id", recipe.id},
                   {"title", recipe.title},
                   {"published", published.value},
                   {"statistic", describe_statistic(recipe)},
                   {"seeds", recipe.seeds},
                   {"minutes", whole_minutes(recipe, arguments)},
                   {"bounds", published.bounds},
                   {"reason", published.reason},
                   {"source", published.source}});
    text += fmt::format("{:<22}{:>8}  {:>7}  {}\n", recipe.id, figure(published, published.value),
                        duration_text(whole_minutes(recipe, arguments)), published.source);
  }
  print(arguments.json ? all.dump(2) + '\n' : text);
  return kOk;
}

int run_reproduce(const ReproduceArguments& arguments) {
  if (static_cast<int>(arguments.all) + static_cast<int>(arguments.list) +
          static_cast<int>(!arguments.ids.empty()) !=
      1) {
    throw UsageError(say(Message::reproduce_what));
  }
  if (arguments.minutes > 0 && !arguments.all) throw UsageError(say(Message::reproduce_minutes_alone));
  if (arguments.list) return list_published(arguments);
  std::vector<Recipe> recipes;
  if (arguments.all) recipes = all_within(arguments);
  for (const std::string& id : arguments.ids) {
    recipes.push_back(find_recipe(id, {}));
    if (recipes.back().published.source.empty()) throw UsageError(say(Message::reproduce_unpublished, id));
  }
  interrupted();  // from here on Ctrl-C is a request
  bool pass = true;
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const Recipe& recipe : recipes) {
    const Reproduction result = reproduce_one(recipe, arguments);
    pass = pass && result.pass;
    all.push_back(reproduction_json(result));
    if (!arguments.folder.empty()) {
      RunFolder(arguments.folder).write(recipe.id + ".json", all.back().dump(2) + '\n');
    }
    if (!arguments.json) print(as_text(result));
    if (interrupted()) break;
  }
  if (arguments.json) print((all.size() == 1 ? all.front() : all).dump(2) + '\n');
  if (interrupted()) {
    print_progress(say(Message::complaint, say(Message::reproduce_interrupted)) + '\n');
    return interrupted_status();
  }
  return pass ? kOk : kFailed;
}

}  // namespace

void add_reproduce(Command root) {
  Command command = root.add("reproduce", Message::reproduce_help, Message::reproduce_example);
  const auto options = std::make_shared<ReproduceArguments>();
  command.option("id", options->ids, Message::reproduce_ids, "ID");
  command.flag("--all", options->all, Message::reproduce_all);
  command.option("--minutes", options->minutes, Message::reproduce_minutes, "N").positive();
  command.flag("--list", options->list, Message::reproduce_list);
  command.option("--seeds", options->seeds, Message::reproduce_seeds, "N").between(1, 1000);
  command.option("-o,--output", options->folder, Message::reproduce_folder, "FOLDER");
  command.flag("--quiet", options->quiet, Message::quiet_option);
  command.add_threads();
  command.add_json(options->json);
  command.runs([options] { return run_reproduce(*options); });
}

}  // namespace splot::cli
