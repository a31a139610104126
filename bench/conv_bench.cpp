// Times convolutions beside oneDNN, in turn, in one run, on one thread.
//
//   conv_bench [--rounds 9] [--only TEXT]
//
// For each shape and each part - forward, input gradient, weight gradient - GFLOP/s of Splot, of oneDNN in
// the order of memory that it likes best, and of oneDNN on plain NCHW; medians over the rounds, in time of
// the processor. Results are compared with plain loops by tests/ops/conv_test.cpp.
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <time.h>

#include "splot/backend/cpu/conv.h"
#include "splot/backend/cpu/fma_peak.h"
#include "splot/backend/cpu/thread_pool.h"

#include "bench/rivals/conv_rivals.h"
#include "bench/rivals/rivals.h"

namespace {

using splot::Index;
using splot::bench::ConvPart;
using splot::cpu::ConvShape;

struct Case {
  const char* name;
  Index images, in, out, size, kernel, stride, pad;
};

constexpr Case kCases[] = {
    {"ourcnn 1, 16 images", 16, 3, 18, 32, 5, 1, 0},
    {"ourcnn 2, 16 images", 16, 18, 32, 14, 3, 1, 0},
    {"ourcnn 1, 64 images", 64, 3, 18, 32, 5, 1, 0},
    {"ourcnn 2, 64 images", 64, 18, 32, 14, 3, 1, 0},
    {"lenet 1, 64 images", 64, 1, 32, 28, 3, 1, 0},
    {"lenet 2, 64 images", 64, 32, 64, 26, 3, 1, 0},
    {"resnet 3-16", 64, 3, 16, 32, 3, 1, 1},
    {"resnet 16-16", 64, 16, 16, 32, 3, 1, 1},
    {"resnet 16-32, stride 2", 64, 16, 32, 32, 3, 2, 1},
    {"resnet 32-32", 64, 32, 32, 16, 3, 1, 1},
    {"resnet 32-64, stride 2", 64, 32, 64, 16, 3, 2, 1},
    {"resnet 64-64", 64, 64, 64, 8, 3, 1, 1},
    {"network3 1, 10 images", 10, 1, 20, 28, 5, 1, 0},
    {"network3 2, 10 images", 10, 20, 40, 12, 5, 1, 0},
    {"ourcnn 1, 1 image", 1, 3, 18, 32, 5, 1, 0},
    {"ourcnn 2, 1 image", 1, 18, 32, 14, 3, 1, 0},
    {"lenet 2, 1 image", 1, 32, 64, 26, 3, 1, 0},
    {"resnet 16-16, 1 image", 1, 16, 16, 32, 3, 1, 1},
    {"resnet 64-64, 1 image", 1, 64, 64, 8, 3, 1, 1},
};

ConvShape shape_of(const Case& c) {
  const splot::cpu::ConvAxis axis{.in = c.size,
                                  .out = (c.size + 2 * c.pad - c.kernel) / c.stride + 1,
                                  .kernel = c.kernel,
                                  .stride = c.stride,
                                  .dilation = 1,
                                  .pad = c.pad};
  return {.images = c.images, .groups = 1, .in_channels = c.in, .out_channels = c.out, .y = axis, .x = axis};
}

double seconds_of(const std::function<void()>& run) {
  timespec begin{}, end{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
  run();
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
  return static_cast<double>(end.tv_sec - begin.tv_sec) +
         1e-9 * static_cast<double>(end.tv_nsec - begin.tv_nsec);
}

// Of each contender the median over the rounds, in which they take turns; 0 for one that is not there.
std::vector<double> medians(const std::vector<std::function<void()>>& contenders, int rounds) {
  std::vector<std::vector<double>> times(contenders.size());
  for (int round = 0; round <= rounds; ++round) {  // the first warms up
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      if (!contenders[i]) continue;
      const double t = seconds_of(contenders[i]);
      if (round > 0) times[i].push_back(t);
    }
  }
  std::vector<double> out;
  for (std::vector<double>& t : times) {
    std::sort(t.begin(), t.end());
    out.push_back(t.empty() ? 0.0 : t[t.size() / 2]);
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  int rounds = 9;
  std::string_view only;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--rounds") {
      rounds = std::max(1, std::atoi(argv[i + 1]));
    } else if (option == "--only") {
      only = argv[i + 1];
    } else {
      fmt::print(stderr, "usage: conv_bench [--rounds N] [--only TEXT]\n");
      return 2;
    }
  }
  splot::cpu::set_num_threads(1);
  if (const splot::bench::Rival* rival = splot::bench::dnnl()) rival->set_threads(1);
  fmt::print("the limit of this processor: {:.0f} GFLOP/s\n", splot::cpu::fma_peak(200.0));
  fmt::print("{:<24} {:<16} {:>7} {:>7} {:>7} {:>6}\n", "convolution", "part", "Splot", "oneDNN", "NCHW",
             "ratio");
  for (const Case& c : kCases) {
    if (std::string_view(c.name).find(only) == std::string_view::npos) continue;
    const ConvShape s = shape_of(c);
    std::vector<float> x(static_cast<std::size_t>(s.in_channels * s.y.in * s.x.in * s.images), 0.5f);
    std::vector<float> y(static_cast<std::size_t>(s.out_channels * s.y.out * s.x.out * s.images), 0.1f);
    std::vector<float> w(static_cast<std::size_t>(s.weights()), 0.1f), dx(x.size()), dy(y.size(), 0.1f),
        dw(w.size());
    const double flops = 2.0 * static_cast<double>(s.weights() * s.y.out * s.x.out * s.images);
    const struct {
      const char* name;
      ConvPart part;
      std::function<void()> ours;
    } parts[] = {
        {"forward", ConvPart::forward,
         [&] { splot::cpu::conv_forward<float>(s, x.data(), w.data(), {}, y.data()); }},
        {"input gradient", ConvPart::input_gradient,
         [&] { splot::cpu::conv_input_gradient<float>(s, dy.data(), w.data(), dx.data()); }},
        {"weight gradient", ConvPart::weight_gradient,
         [&] { splot::cpu::conv_weight_gradient<float>(s, x.data(), dy.data(), dw.data()); }},
    };
    for (const auto& part : parts) {
      const std::vector<double> t =
          medians({part.ours, dnnl_conv(s, part.part, false), dnnl_conv(s, part.part, true)}, rounds);
      const auto gflops = [&](double seconds) { return seconds > 0.0 ? flops / seconds * 1e-9 : 0.0; };
      fmt::print("{:<24} {:<16} {:>7.1f} {:>7.1f} {:>7.1f} {:>6.2f}\n", c.name, part.name, gflops(t[0]),
                 gflops(t[1]), gflops(t[2]), t[0] > 0.0 ? t[1] / t[0] : 0.0);
    }
  }
  return 0;
}
