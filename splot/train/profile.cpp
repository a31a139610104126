#include "splot/train/profile.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>

#include "splot/backend/cpu/fma_peak.h"
#include "splot/backend/cpu/thread_pool.h"
#include "splot/compiler/cost.h"
#include "splot/core/storage.h"
#include "splot/train/internal/profile_plan.h"

namespace splot::train_detail {
namespace {

constexpr double kMilliseconds = 20.0;  // of each measurement
constexpr std::size_t kLeastBytes = std::size_t{1} << 16;
constexpr std::size_t kMostBytes = std::size_t{1} << 27;

double peak_flops() { return 1e9 * cpu::fma_peak(cpu::num_threads(), kMilliseconds); }

// Half of the memory is copied onto the other half, by all threads, each its own part: bytes that are read
// and bytes that are written, as the operands and results of a call.
double copy_bandwidth(std::size_t bytes) {
  using Clock = std::chrono::steady_clock;
  const auto threads = static_cast<std::size_t>(cpu::num_threads());
  const std::size_t part = std::clamp(bytes, kLeastBytes, kMostBytes) / 2 / threads;
  const Ref<Storage> memory = Storage::allocate(2 * part * threads);
  auto* const begin = static_cast<std::byte*>(memory->data());
  std::memset(begin, 1, 2 * part * threads);
  double best = 0.0;
  const Clock::time_point since = Clock::now();
  do {
    const Clock::time_point start = Clock::now();
    // Several times, so that a cache's speed is seen and not the time that it takes to wake threads.
    constexpr int kTimes = 8;
    cpu::parallel_for(static_cast<Index>(threads), [&](Index thread) {
      std::byte* const mine = begin + static_cast<std::size_t>(thread) * 2 * part;
      for (int i = 0; i < kTimes; ++i) std::memcpy(mine + part * (i % 2), mine + part * ((i + 1) % 2), part);
    });
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, static_cast<double>(kTimes * 2 * part * threads) / seconds);
  } while (std::chrono::duration<double>(Clock::now() - since).count() * 1e3 < kMilliseconds);
  return best;
}

}  // namespace

void add_plan(TrainingProfile& profile, const Plan& plan, std::string why) {
  PlanProfile out{.why = std::move(why)};
  out.memory = plan.memory();
  out.calls = plan.graph().calls.size();
  if (profile.flops == 0.0) profile.flops = peak_flops();
  const double bandwidth = copy_bandwidth(out.memory.planned + profile.state);
  profile.bandwidth = profile.bandwidth == 0.0 ? bandwidth : std::min(profile.bandwidth, bandwidth);
  for (const CallTime& time : plan.times()) {
    std::string name;
    for (std::size_t i = time.call; i < time.call + time.calls; ++i) {
      name += (name.empty() ? "" : "+") + std::string(plan.graph().calls[i].op->name);
    }
    const Cost cost = cost_of(plan.graph(), time.call, time.calls);
    const double floor =
        static_cast<double>(time.runs) * std::max(cost.flops / profile.flops, cost.bytes / bandwidth);
    out.runs = std::max(out.runs, time.runs);
    out.seconds += time.seconds;
    out.floor += floor;
    auto found = std::find_if(profile.ops.begin(), profile.ops.end(),
                              [&](const OpProfile& entry) { return entry.op == name; });
    if (found == profile.ops.end()) found = profile.ops.insert(found, {.op = name});
    found->calls += time.runs;
    found->seconds += time.seconds;
    found->floor += floor;
  }
  std::stable_sort(profile.ops.begin(), profile.ops.end(),
                   [](const OpProfile& a, const OpProfile& b) { return a.seconds > b.seconds; });
  profile.plans.push_back(std::move(out));
}

}  // namespace splot::train_detail
