#include "splot/backend/cpu/fma_peak.h"

// targets.h has to come before Highway.
// clang-format off
#include "splot/backend/cpu/internal/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "splot/backend/cpu/fma_peak.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include <ctime>
#include <thread>
#include <vector>

HWY_BEFORE_NAMESPACE();
namespace splot::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Twelve sums fit every register file and cover latency x throughput of every current multiplier.
double flops_of_loop(long iterations, float* out) {
  const hn::ScalableTag<float> d;
  // All different, or the compiler would see that some are the same and compute them once.
  auto s0 = hn::Set(d, 0.1f), s1 = hn::Set(d, 0.2f), s2 = hn::Set(d, 0.3f), s3 = hn::Set(d, 0.4f);
  auto s4 = hn::Set(d, 0.5f), s5 = hn::Set(d, 0.6f), s6 = hn::Set(d, 0.7f), s7 = hn::Set(d, 0.8f);
  auto s8 = hn::Set(d, 0.9f), s9 = hn::Set(d, 1.1f), s10 = hn::Set(d, 1.2f), s11 = hn::Set(d, 1.3f);
  const auto x = hn::Set(d, 0.999f);
  const auto y = hn::Set(d, 0.001f);
  for (long i = 0; i < iterations; ++i) {
    s0 = hn::MulAdd(s0, x, y);
    s1 = hn::MulAdd(s1, x, y);
    s2 = hn::MulAdd(s2, x, y);
    s3 = hn::MulAdd(s3, x, y);
    s4 = hn::MulAdd(s4, x, y);
    s5 = hn::MulAdd(s5, x, y);
    s6 = hn::MulAdd(s6, x, y);
    s7 = hn::MulAdd(s7, x, y);
    s8 = hn::MulAdd(s8, x, y);
    s9 = hn::MulAdd(s9, x, y);
    s10 = hn::MulAdd(s10, x, y);
    s11 = hn::MulAdd(s11, x, y);
  }
  const auto sum = hn::Add(
      hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)),
      hn::Add(hn::Add(hn::Add(s4, s5), hn::Add(s6, s7)), hn::Add(hn::Add(s8, s9), hn::Add(s10, s11))));
  *out = hn::GetLane(sum);  // so that the loop is not thrown away
  return 2.0 * 12.0 * static_cast<double>(hn::Lanes(d)) * static_cast<double>(iterations);
}

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace splot::cpu {

HWY_EXPORT(flops_of_loop);

namespace {

double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

double fma_peak(double milliseconds) {
  volatile float sink = 0;
  double flops = 0;
  const double start = processor_seconds();
  double seconds = 0;
  do {
    float out = 0;
    flops += HWY_DYNAMIC_DISPATCH(flops_of_loop)(100000, &out);
    sink = out;
    seconds = processor_seconds() - start;
  } while (seconds * 1e3 < milliseconds);
  static_cast<void>(sink);
  return flops / seconds / 1e9;
}

double fma_peak(int threads, double milliseconds) {
  std::vector<double> peaks(static_cast<std::size_t>(threads));
  std::vector<std::thread> workers;
  for (double& peak : peaks) workers.emplace_back([&] { peak = fma_peak(milliseconds); });
  for (std::thread& worker : workers) worker.join();
  double sum = 0.0;
  for (const double peak : peaks) sum += peak;
  return sum;
}

}  // namespace splot::cpu
#endif
