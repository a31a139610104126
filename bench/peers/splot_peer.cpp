// Times the workloads of torch_peer.py in Splot. compare.py runs this program in turn with PyTorch; the
// definitions of a step and of how a time is taken are those of torch_peer.py.
//
//   splot_peer list
//   splot_peer limit --threads N
//   splot_peer check WORKLOAD --threads N --step FILE [--mode compiled|eager]
//   splot_peer time WORKLOAD --threads N --data FOLDER [--repeats N] [--min-time SECONDS]
//     [--mode compiled|eager]
//   splot_peer trainer WORKLOAD --threads N [--seconds SECONDS]
//
// Compiled, the default: training steps are plans, and answers come from an InferenceSession. Eager: call by
// call.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <splot/backend/cpu/fma_peak.h>
#include <splot/backend/cpu/thread_pool.h>
#include <splot/splot.h>
#include <sys/resource.h>

#include "bench/peers/workloads.h"

namespace {

using namespace splot;
using namespace peers;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// --- check: one step from PyTorch's weights on PyTorch's batch

// |ours - theirs| / |theirs|, in the Euclidean norm over the whole tensor. Not element by element: Adam's
// first step is g / (|g| + eps), so where a gradient is a rounding error around zero the updates of two right
// programs differ.
double relative_difference(const Tensor& ours, const Tensor& theirs) {
  const std::vector<double> a = ours.to_vector<double>();
  const std::vector<double> b = theirs.to_vector<double>();
  double difference = 0.0, norm = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    norm += b[i] * b[i];
  }
  return norm > 0.0 ? std::sqrt(difference / norm) : std::sqrt(difference);
}

// The loss, and the gradients in the order of named_parameters(), of a step that is made: the weights are new
// afterwards.
TensorList stepped(Workload& w, const Tensor& x, const Tensor& target, Mode mode) {
  TensorList out;
  if (mode == Mode::compiled) {
    out = compiled_gradients(w)({x, target});
    out[0] = compiled_step(w, /*mask=*/false)({x, target})[0];
    return out;
  }
  out = {train_step(w, x, target, 0)};
  for (const auto& [path, parameter] : named_parameters(*w.net)) out.push_back(parameter.grad());
  return out;
}

void check(const std::string& name, const std::string& file, Mode mode) {
  Workload w = make(name);
  const TensorFile step = load_safetensors(file);
  const auto at = [&](const std::string& key) -> const Tensor& { return step.tensors.at(key); };
  for (auto& [path, parameter] : named_parameters(*w.net)) parameter.assign(at("before." + path));
  const Tensor x = w.corrupted ? at("x") * at("mask") : at("x");
  double worst = 0.0;
  if (w.trains()) {
    const TensorList made = stepped(w, x, at("target"), mode);
    worst = relative_difference(made[0], at("loss"));
    fmt::print(stderr, "{}: loss {:.1e}\n", name, worst);
    std::size_t number = 0;
    for (const auto& [path, parameter] : named_parameters(*w.net)) {
      const double gradient = relative_difference(made[++number], at("grad." + path));
      const double updated = relative_difference(parameter.value(), at("after." + path));
      fmt::print(stderr, "{}: {} gradient {:.1e}, updated {:.1e}\n", name, path, gradient, updated);
      worst = std::max({worst, gradient, updated});
    }
  } else {
    worst = relative_difference(infer(w, x, mode), at("out"));
  }
  fmt::print("{{\"workload\": \"{}\", \"max_rel_diff\": {:.3g}}}\n", name, worst);
}

// --- time

double peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

struct Timing {
  std::size_t repeats = 5;
  double min_time = 0.5;
};

void time(const std::string& name, const std::string& folder, const Timing& timing, Mode mode) {
  Workload w = make(name);
  const auto step = steps(w, folder, mode);

  std::uint64_t i = 0;
  for (const auto start = Clock::now(); i < 3 || seconds_since(start) < 0.3; ++i) step(i);
  const auto start = Clock::now();
  std::uint64_t trial = 0;
  for (; trial < 3 || seconds_since(start) < 0.1; ++trial) step(i + trial);
  const double estimate = seconds_since(start) / static_cast<double>(trial);
  const auto steps = std::max<std::uint64_t>(5, static_cast<std::uint64_t>(timing.min_time / estimate) + 1);
  std::vector<double> times;
  for (std::size_t repeat = 0; repeat < timing.repeats; ++repeat) {
    const auto begin = Clock::now();
    for (std::uint64_t k = 0; k < steps; ++k) step(k);
    times.push_back(seconds_since(begin) / static_cast<double>(steps) * 1e6);
  }
  std::sort(times.begin(), times.end());
  fmt::print(
      "{{\"workload\": \"{}\", \"mode\": \"{}\", \"steps\": {}, \"step_us_median\": {:.2f}, \"step_us_min\": "
      "{:.2f}, "
      "\"step_us_max\": {:.2f}, \"data_mib\": {:.1f}, \"peak_mib_beyond_data\": {:.1f}}}\n",
      name, name_of(mode), steps, times[times.size() / 2], times.front(), times.back(), w.data_mib,
      peak_mib() - w.data_mib);
}

// --- trainer

// A round of one way and a round of the other, so close together that whatever else the machine does meets
// both.
struct Rounds {
  struct Span {
    double wall = 0.0;  // seconds
    double processor = 0.0;
  };
  std::vector<Span> bare, trained;

  static double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  }
  static double median_wall(const std::vector<Span>& spans) {
    std::vector<double> walls;
    for (const Span& s : spans) walls.push_back(s.wall);
    return median(walls);
  }
  /// In per cent, the median over the rounds that stand beside each other.
  double overhead() const {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < bare.size(); ++i) ratios.push_back(trained[i].wall / bare[i].wall);
    return 100.0 * (median(ratios) - 1.0);
  }
  /// Of all rounds together, in time of the processor: with what is not in every round - shuffling, showing
  /// progress - and with what other threads do, but without what other programs take.
  double processor_overhead() const {
    const auto sum = [](const std::vector<Span>& spans) {
      double total = 0.0;
      for (const Span& s : spans) total += s.processor;
      return total;
    };
    return 100.0 * (sum(trained) / sum(bare) - 1.0);
  }
};

class Stopwatch {
 public:
  void start() {
    begin_ = Clock::now();
    processor_begin_ = processor();
  }
  Rounds::Span read() const { return {seconds_since(begin_), processor() - processor_begin_}; }

 private:
  static double processor() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

  Clock::time_point begin_;
  double processor_begin_ = 0.0;
};

// What the Trainer costs: steps written by hand on batches that are tensors already, and the same steps by
// one long Trainer::fit() on bytes - loader, preprocessing, accuracy, progress, and the look for NaN. The
// Trainer asks after each step whether to stop: there it waits while a round is made by hand.
void time_trainer(const std::string& name, double seconds) {
  const Tensor pixels =
      cast(floor(uniform({kImages, kPixels}, RandomKey{.seed = 1}, {.low = 0.0, .high = 256.0})), kUInt8);
  const Tensor labels =
      cast(floor(uniform({kImages}, RandomKey{.seed = 2}, {.low = 0.0, .high = 10.0})), kInt64);
  Workload by_hand = make(name);
  Workload trained = make(name);
  const bool one_hot_targets = by_hand.target == Workload::Target::one_hot;
  const Tensor target = one_hot_targets ? one_hot(labels, 10, kFloat32) : labels;
  const Tensor x = cast(pixels, kFloat32) / 255.0f;
  const Dataset data("noise", pixels, target, {}, {.divisor = 255.0});
  initialize(*by_hand.net, 1);
  initialize(*trained.net, 1);

  const auto batches = static_cast<std::uint64_t>((kImages + by_hand.batch - 1) / by_hand.batch);
  std::uint64_t by_hand_done = 0;
  const auto run_by_hand = [&](std::uint64_t steps) {
    for (std::uint64_t i = 0; i < steps; ++i, ++by_hand_done) {
      const Index first = static_cast<Index>(by_hand_done % batches) * by_hand.batch;
      const Index last = std::min(first + by_hand.batch, kImages);
      train_step(by_hand, slice(x, 0, first, last), slice(target, 0, first, last), by_hand_done);
    }
  };
  run_by_hand(50);
  const auto start = Clock::now();
  run_by_hand(50);
  constexpr double kRound = 0.001;
  const std::uint64_t steps = static_cast<std::uint64_t>(kRound / (seconds_since(start) / 50.0)) + 1;

  Rounds rounds;
  Stopwatch watch;
  std::uint64_t done = 0;
  std::size_t shown = 0;
  const auto after_step = [&] {
    if (++done % steps != 0) return false;
    const Rounds::Span by_trainer = watch.read();
    watch.start();
    run_by_hand(steps);
    if (done > 10 * steps) {  // what comes before warms up
      rounds.bare.push_back(watch.read());
      rounds.trained.push_back(by_trainer);
    }
    const bool enough = seconds_since(start) > seconds && rounds.bare.size() >= 20;
    watch.start();
    return enough;
  };
  const TrainerOptions options{.epochs = 1'000'000,
                               .batch_size = trained.batch,
                               .metrics = {metrics::accuracy()},
                               .progress = [&](const Progress& p) { shown += ProgressLine::line(p).size(); },
                               .stop = after_step};
  watch.start();
  Trainer(*trained.net, trained.loss, *trained.optimizer, options).fit(data);
  const double microseconds = 1e6 / static_cast<double>(steps);
  fmt::print(
      "{{\"workload\": \"{}\", \"threads\": {}, \"rounds\": {}, \"bare_us\": {:.2f}, "
      "\"trainer_us\": {:.2f}, \"overhead_percent\": {:.1f}, \"processor_overhead_percent\": {:.1f}}}\n",
      name, cpu::num_threads(), rounds.bare.size(), Rounds::median_wall(rounds.bare) * microseconds,
      Rounds::median_wall(rounds.trained) * microseconds, rounds.overhead(), rounds.processor_overhead());
}

// --- limit

void print_limit(int threads) {
  fmt::print("{{\"threads\": {}, \"gflops\": {:.1f}}}\n", threads, cpu::fma_peak(threads, 500.0));
}

int run(const std::vector<std::string>& words) {
  std::map<std::string, std::string> options = {{"--threads", "1"},
                                                {"--repeats", "5"},
                                                {"--min-time", "0.5"},
                                                {"--seconds", "6"},
                                                {"--mode", "compiled"}};
  std::vector<std::string> names;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].starts_with("--") && i + 1 < words.size()) {
      options[words[i]] = words[i + 1];
      ++i;
    } else {
      names.push_back(words[i]);
    }
  }
  const int threads = std::stoi(options["--threads"]);
  const Mode mode = options["--mode"] == "eager" ? Mode::eager : Mode::compiled;
  if (options["--mode"] != name_of(mode)) throw std::invalid_argument("--mode is compiled or eager");
  cpu::set_num_threads(threads);
  if (names == std::vector<std::string>{"list"}) {
    std::string list;
    for (const std::string& name : peers::names()) list += (list.empty() ? "\"" : ", \"") + name + '"';
    fmt::print("[{}]\n", list);
  } else if (names == std::vector<std::string>{"limit"}) {
    print_limit(threads);
  } else if (names.size() == 2 && names[0] == "check") {
    check(names[1], options["--step"], mode);
  } else if (names.size() == 2 && names[0] == "time") {
    time(names[1], options["--data"], {std::stoul(options["--repeats"]), std::stod(options["--min-time"])},
         mode);
  } else if (names.size() == 2 && names[0] == "trainer") {
    time_trainer(names[1], std::stod(options["--seconds"]));
  } else {
    std::fputs(
        "usage: splot_peer list | limit | check WORKLOAD --step FILE | time WORKLOAD --data FOLDER | "
        "trainer WORKLOAD\n",
        stderr);
    return 2;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "splot_peer: %s\n", error.what());
    return 1;
  }
}
