// splot bench: how long a network takes to answer.
#include <algorithm>
#include <chrono>
#include <vector>

#include <nlohmann/json.hpp>

#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/thread_pool.h"
#include "splot/core/error.h"
#include "splot/core/grouped.h"
#include "splot/ops/random.h"
#include "splot/session/session.h"

#include "apps/cli/command.h"
#include "apps/cli/model_argument.h"

namespace splot::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct BenchOptions {
  std::string subject;
  std::vector<std::string> set;
  Index batch = 32;
  double seconds = 1.0;
  bool json = false;
};

// Of one size of batch; times are in microseconds for a run.
struct BatchTimes {
  Index batch = 0;
  std::size_t warm_up = 0;
  std::size_t runs = 0;
  double median = 0.0;
  double fastest = 0.0;
  SessionMemory memory = {};

  double examples_per_second() const { return static_cast<double>(batch) / (median * 1e-6); }
};

// A quarter of the time is spent before anything counts: plans are made, caches and clocks get warm.
constexpr double kWarmUpShare = 0.25;
constexpr std::size_t kFewestRuns = 5;
// So many runs are enough, and their times take no memory to speak of.
constexpr std::size_t kMostRuns = 1'000'000;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

Tensor drawn_batch(const ModelFile& file, Index examples) {
  Ints sizes = {examples};
  for (const Index size : file.info.sample) sizes.push_back(size);
  return normal(Shape(sizes), RandomKey{.seed = 1}, {.dtype = file.dtype});
}

BatchTimes measure(InferenceSession& session, const Tensor& x, double seconds) {
  BatchTimes out{.batch = x.shape()[0]};
  for (const Clock::time_point begin = Clock::now();
       out.warm_up == 0 || (seconds_since(begin) < kWarmUpShare * seconds && !interrupted()); ++out.warm_up) {
    session.run(x);
  }
  std::vector<double> times;
  for (const Clock::time_point begin = Clock::now();
       times.size() < kMostRuns && !interrupted() &&
       (times.size() < kFewestRuns || seconds_since(begin) < seconds);) {
    const Clock::time_point run = Clock::now();
    session.run(x);
    times.push_back(seconds_since(run) * 1e6);
  }
  if (times.empty()) return out;
  std::sort(times.begin(), times.end());
  out.runs = times.size();
  out.median = times[times.size() / 2];
  out.fastest = times.front();
  out.memory = session.memory_for(x.shape());
  return out;
}

std::string kilobytes(std::size_t bytes) {
  return fmt::format("{:.1f} kB", static_cast<double>(bytes) / 1e3);
}

std::string batch_row(const BatchTimes& t) {
  return fmt::format("{:<5}{:>10.2f} us{:>10.2f} us{:>14}{:>10}{:>14}\n", t.batch, t.median, t.fastest,
                     grouped(static_cast<Index>(t.examples_per_second())), t.runs,
                     kilobytes(t.memory.plan.planned));
}

nlohmann::ordered_json bench_json(const BenchOptions& options, const std::vector<BatchTimes>& all) {
  nlohmann::ordered_json batches = nlohmann::ordered_json::array();
  for (const BatchTimes& t : all) {
    batches.push_back({{"batch", t.batch},
                       {"median_us", t.median},
                       {"fastest_us", t.fastest},
                       {"examples_per_second", t.examples_per_second()},
                       {"runs", t.runs},
                       {"warm_up", t.warm_up},
                       {"plan_bytes", t.memory.plan.planned},
                       {"constant_bytes", t.memory.constants}});
  }
  return {{"model", options.subject},
          {"threads", cpu::num_threads()},
          {"instructions", cpu::name_of(cpu::instruction_set())},
          {"batches", batches}};
}

int run_bench(const BenchOptions& options) {
  if (!(options.seconds > 0.0 && options.seconds <= 600.0)) {
    throw UsageError(say(Message::bench_no_seconds, options.seconds));
  }
  const Subject subject = find_subject(options.subject, options.set);
  if (!subject.trained) print_progress(say(Message::bench_untrained, options.subject) + '\n');
  InferenceSession session(subject.file);
  std::vector<Index> sizes = {1};
  if (options.batch != 1) sizes.push_back(options.batch);
  std::vector<BatchTimes> all;
  for (const Index size : sizes) {
    all.push_back(measure(session, drawn_batch(subject.file, size), options.seconds));
    print_progress(say(Message::bench_status, size, all.back().runs) + '\n');
    if (interrupted()) return interrupted_status();
  }
  if (options.json) {
    print(bench_json(options, all).dump(2) + '\n');
    return kOk;
  }
  std::string out =
      say(Message::bench_title, options.subject, subject.file.info.sample, subject.file.dtype,
          say(Message::bench_threads, cpu::num_threads(), cpu::name_of(cpu::instruction_set()))) +
      '\n' + say(Message::bench_head) + '\n';
  for (const BatchTimes& t : all) out += batch_row(t);
  print(out + say(Message::bench_memory, kilobytes(all.front().memory.constants)) + '\n');
  return kOk;
}

}  // namespace

void add_bench(Command root) {
  Command command = root.add("bench", Message::bench_help, Message::bench_example);
  const auto options = std::make_shared<BenchOptions>();
  command.option("subject", options->subject, Message::subject_argument, "MODEL|RECIPE").required();
  command.option("--batch", options->batch, Message::bench_batch, "N").positive();
  command.option("--seconds", options->seconds, Message::bench_seconds, "SECONDS");
  command.add_threads();
  command.add_set(options->set);
  command.add_json(options->json);
  command.runs([options] { return run_bench(*options); });
}

}  // namespace splot::cli
