// Steps of exported C beside those of the library.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <utility>

#include "splot/core/error.h"
#include "splot/ops/ops.h"
#include "splot/recipe/export_training.h"
#include "splot/recipe/internal/learner.h"

namespace splot {
namespace {

using recipe_detail::Learner;

template <typename Number>
void append(std::string& to, const std::vector<Number>& numbers) {
  const std::size_t at = to.size(), bytes = numbers.size() * sizeof(Number);
  to.resize(at + bytes);
  if (bytes != 0) std::memcpy(to.data() + at, numbers.data(), bytes);
}

// Inputs and targets of a step as step_driver() reads them, behind the rate.
std::string step_bytes(const CTrainingProgram& program, double rate, const Batch& batch) {
  std::string out;
  append<float>(out, {static_cast<float>(rate)});
  append(out, batch.inputs.to_vector<float>());
  if (program.class_numbers) {
    append(out, batch.targets.to_vector<std::int32_t>());
  } else {
    append(out, batch.targets.to_vector<float>());
  }
  return out;
}

// What C came to.
struct Answer {
  std::vector<float> losses;
  std::map<std::string, std::vector<float>> state;
};

/// The state of a learner, in the order of the program.
class States {
 public:
  States(const CTrainingProgram& program, Learner& learner) : program_(program) {
    for (const CStateArray& array : program.state) {
      const auto found = std::find_if(learner.slots().begin(), learner.slots().end(),
                                      [&](const Slot& slot) { return slot.name() == array.slot; });
      require<ValueError>(found != learner.slots().end(), "verify", "the training has no ", array.slot);
      slots_.push_back(&*found);
    }
  }

  std::string input(Index steps, Index before, const std::string& batches) const {
    std::string out;
    append<std::uint32_t>(out, {static_cast<std::uint32_t>(steps), static_cast<std::uint32_t>(before)});
    for (const Slot* slot : slots_) append(out, slot->value().to_vector<float>());
    return out + batches;
  }

  Answer read(const std::string& output, Index steps) const {
    std::size_t numbers = static_cast<std::size_t>(steps);
    for (const CStateArray& array : program_.state) numbers += static_cast<std::size_t>(array.size);
    require<ValueError>(output.size() == numbers * sizeof(float), "verify", "the program answered with ",
                        output.size(), " bytes in place of ", numbers * sizeof(float));
    Answer out;
    std::size_t at = 0;
    const auto take = [&](std::size_t count) {
      std::vector<float> part(count);
      std::memcpy(part.data(), output.data() + at, count * sizeof(float));
      at += count * sizeof(float);
      return part;
    };
    out.losses = take(static_cast<std::size_t>(steps));
    for (const CStateArray& array : program_.state)
      out.state[array.slot] = take(static_cast<std::size_t>(array.size));
    return out;
  }

  void compare(const Answer& answer, CTrainingCheck& found) const {
    for (const Slot* slot : slots_)
      compare(slot->name(), slot->value(), answer.state.at(slot->name()), found);
  }

 private:
  static void compare(const std::string& name, const Tensor& wanted, const std::vector<float>& got,
                      CTrainingCheck& found) {
    const std::vector<double> right = wanted.to_vector<double>();
    double largest = 0.0, difference = 0.0;
    for (const double v : right) largest = std::max(largest, std::abs(v));
    for (std::size_t i = 0; i < right.size(); ++i) {
      const double d = std::abs(static_cast<double>(got[i]) - right[i]);
      const bool within = d <= kCTensorTolerance * largest;  // also no number is outside
      if (!within) {
        ++found.outside;
        ++found.outside_of[name];
      }
      difference = std::isnan(d) ? std::numeric_limits<double>::infinity() : std::max(difference, d);
    }
    found.elements += static_cast<Index>(right.size());
    const double by = difference == 0.0 ? 0.0 : difference / largest;
    if (by > found.tensors) found.tensor = name;
    found.tensors = std::max(found.tensors, by);
  }

  const CTrainingProgram& program_;
  std::vector<Slot*> slots_;
};

double loss_difference(double got, double wanted) {
  if (got == wanted) return 0.0;
  const double d = std::abs(got - wanted) / std::max(std::abs(wanted), kCLeastLoss);
  return std::isnan(d) ? std::numeric_limits<double>::infinity() : d;
}

}  // namespace

CTrainingCheck check_c_training(const ModelFile& file, const Recipe& recipe, const CTrainingProgram& program,
                                const Dataset& data, const CStepRunner& run,
                                const CTrainingCheckOptions& options) {
  require<ValueError>(options.steps >= 1, "verify", "needs at least one step, got ", options.steps);
  require<ValueError>(data.size() >= program.batch, "verify", "the data have ", data.size(),
                      " examples; a step of the export learns from ", program.batch);
  Learner learner(file, recipe);
  const States states(program, learner);
  const Loader loader(data, {.batch_size = program.batch,
                             .shuffle = recipe.train.shuffle,
                             .seed = options.seed,
                             .drop_last = true});
  const Schedule schedule = build_schedule(recipe, loader.batch_count());
  const double rate = learner.optimizer().lr();
  const std::string first = states.input(0, 0, {}).substr(2 * sizeof(std::uint32_t));
  std::string all;
  std::vector<double> losses;
  CTrainingCheck found;
  for (Index step = 0; step < options.steps && !(options.stop && options.stop()); ++step) {
    const Loader::Epoch epoch = loader.epoch(static_cast<std::uint64_t>(step / loader.batch_count()) + 1);
    const Batch batch = epoch[step % loader.batch_count()];
    const double now = static_cast<double>(static_cast<float>(rate * schedule(step)));
    learner.optimizer().set_lr(now);
    const std::string bytes = step_bytes(program, now, batch);
    const Answer answer = states.read(run(states.input(1, step, bytes)), 1);
    losses.push_back(learner.step(learner.in_dtype(batch.inputs), learner.in_dtype(batch.targets),
                                  static_cast<std::uint64_t>(step)));
    found.loss = std::max(found.loss, loss_difference(static_cast<double>(answer.losses[0]), losses.back()));
    const Index outside = found.outside;
    states.compare(answer, found);
    if (found.outside > outside) found.last_outside = step + 1;
    all += bytes;
    ++found.steps;
  }
  std::string input;
  append<std::uint32_t>(input, {static_cast<std::uint32_t>(found.steps), 0});
  const Answer free = states.read(run(input + first + all), found.steps);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    found.free_loss =
        std::max(found.free_loss, loss_difference(static_cast<double>(free.losses[i]), losses[i]));
  }
  return found;
}

}  // namespace splot
