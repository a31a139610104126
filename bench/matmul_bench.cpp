// Times the matrix product beside its rivals, in turn, in one run.
//
//   matmul_bench [--json] [--threads LIST] [--rounds 9] [--only TEXT]
//
// Each round times every contender once; what is printed is the median over the rounds, in GFLOP/s, and how
// many times faster than the best rival Splot is. A result is compared with the reference before it is timed.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <time.h>

#include "splot/backend/cpu/fma_peak.h"
#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/matmul.h"
#include "splot/backend/cpu/thread_pool.h"

#include "bench/rivals/rivals.h"

namespace {

using splot::Index;
using Clock = std::chrono::steady_clock;

struct Shape {
  const char* name;
  const char* layout;  // NN, NT, TN, TT: is A, is B stored transposed
  Index m, n, k;
};

constexpr Shape kShapes[] = {
    {"nielsen forward 1", "NT", 10, 30, 784},
    {"nielsen forward 2", "NT", 10, 10, 30},
    {"nielsen dW1", "TN", 30, 784, 10},
    {"nielsen dW2", "TN", 10, 30, 10},
    {"nielsen dX", "NN", 10, 30, 10},
    {"keras forward 1", "NT", 64, 16, 784},
    {"keras forward 2", "NT", 64, 10, 16},
    {"keras dW1", "TN", 16, 784, 64},
    {"keras dX", "NN", 64, 16, 10},
    {"mlp512 forward 1", "NT", 128, 512, 784},
    {"mlp512 forward 2", "NT", 128, 512, 512},
    {"mlp512 forward 3", "NT", 128, 10, 512},
    {"mlp512 dW1", "TN", 512, 784, 128},
    {"mlp512 dW2", "TN", 512, 512, 128},
    {"mlp512 dW3", "TN", 10, 512, 128},
    {"mlp512 dX2", "NN", 128, 512, 512},
    {"mlp512 dX3", "NN", 128, 512, 10},
    {"autoencoder forward 1", "NT", 64, 500, 784},
    {"autoencoder forward 2", "NT", 64, 784, 500},
    {"autoencoder dW1", "TN", 500, 784, 64},
    {"autoencoder dW2", "TN", 784, 500, 64},
    {"autoencoder dX2", "NN", 64, 500, 784},
    {"skinny 16x128x128", "NT", 16, 128, 128},
    {"skinny 32x256x256", "NN", 32, 256, 256},
    {"skinny 100x100x100", "NN", 100, 100, 100},
    {"one row", "NT", 1, 512, 784},
    {"one row", "NN", 1, 512, 784},
    {"one column", "NN", 512, 1, 784},
    {"square 256", "NN", 256, 256, 256},
    {"square 512", "NN", 512, 512, 512},
    {"square 512", "NT", 512, 512, 512},
    {"square 1024", "NN", 1024, 1024, 1024},
    {"square 1024", "TT", 1024, 1024, 1024},
    {"square 2048", "NN", 2048, 2048, 2048},
    {"odd 333x555x777", "NN", 333, 555, 777},
    {"tall 10000x32x64", "NN", 10000, 32, 64},
    {"long k", "TN", 32, 32, 10000},
};

// As the library allocates them: on cache line boundaries.
template <typename T>
struct LineAllocator {
  using value_type = T;
  LineAllocator() = default;
  template <typename U>
  LineAllocator(const LineAllocator<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new (n * sizeof(T), std::align_val_t{64})); }
  void deallocate(T* p, std::size_t) { ::operator delete (p, std::align_val_t{64}); }
  bool operator==(const LineAllocator&) const { return true; }
};
using Floats = std::vector<float, LineAllocator<float>>;

struct Data {
  explicit Data(const Shape& s) : a(values(s.m * s.k, 1)), b(values(s.k * s.n, 2)), c(values(s.m * s.n, 3)) {}

  static Floats values(Index count, unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
    Floats v(static_cast<std::size_t>(count));
    for (float& x : v) x = uniform(random);
    return v;
  }

  Floats a, b, c;
};

struct Contender {
  std::string name;
  const splot::bench::Rival* rival;  // null: Splot
  std::vector<double> microseconds;

  void set_threads(int threads) const {
    if (rival != nullptr) {
      rival->set_threads(threads);
    } else {
      splot::cpu::set_num_threads(threads);
    }
  }

  void run(const Shape& s, Data& data) const {
    const bool ta = s.layout[0] == 'T';
    const bool tb = s.layout[1] == 'T';
    const Index lda = ta ? s.m : s.k;
    const Index ldb = tb ? s.k : s.n;
    if (rival != nullptr) {
      rival->sgemm(ta, tb, s.m, s.n, s.k, data.a.data(), lda, data.b.data(), ldb, data.c.data(), s.n);
    } else {
      splot::cpu::matmul(product(s, data));
    }
  }

  static splot::cpu::Product<float> product(const Shape& s, Data& data) {
    splot::cpu::Product<float> p;
    p.m = s.m;
    p.n = s.n;
    p.k = s.k;
    p.a = s.layout[0] == 'T' ? splot::cpu::Matrix<float>{data.a.data(), 1, s.m}
                             : splot::cpu::Matrix<float>{data.a.data(), s.k, 1};
    p.b = s.layout[1] == 'T' ? splot::cpu::Matrix<float>{data.b.data(), 1, s.k}
                             : splot::cpu::Matrix<float>{data.b.data(), s.n, 1};
    p.c = data.c.data();
    p.ldc = s.n;
    return p;
  }
};

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

// A library's idle threads may spin for a while after its last call and would take the next contender's
// processors.
void let_others_fall_asleep(int threads) {
  if (threads > 1) std::this_thread::sleep_for(std::chrono::milliseconds(40));
}

// With one thread, the time this thread had a processor, which other programs disturb least; with more, time
// on the wall.
double seconds_now(int threads) {
  if (threads > 1) return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double time_once(const Contender& contender, const Shape& shape, Data& data, int threads) {
  const auto seconds_of = [&](Index repeats) {
    const double start = seconds_now(threads);
    for (Index i = 0; i < repeats; ++i) contender.run(shape, data);
    return seconds_now(threads) - start;
  };
  seconds_of(2);
  const double guess = std::max(seconds_of(1), 1e-8);
  const Index repeats = std::clamp<Index>(static_cast<Index>(0.003 / guess), 1, 100000);
  return seconds_of(repeats) / static_cast<double>(repeats) * 1e6;
}

double relative_difference(const Contender& contender, const Shape& shape) {
  Data data(shape);
  Data expected(shape);
  contender.run(shape, data);
  splot::cpu::matmul_reference(Contender::product(shape, expected));
  double largest = 0;
  double difference = 0;
  for (std::size_t i = 0; i < data.c.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(expected.c[i])));
    difference =
        std::max(difference, std::abs(static_cast<double>(expected.c[i]) - static_cast<double>(data.c[i])));
  }
  return difference / largest;
}

}  // namespace

int main(int argc, char** argv) {
  bool as_json = false;
  std::vector<int> thread_counts = {1, 2};
  int rounds = 9;
  std::string only;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--json") {
      as_json = true;
    } else if (option == "--rounds" && i + 1 < argc) {
      rounds = std::max(1, std::atoi(argv[++i]));
    } else if (option == "--only" && i + 1 < argc) {
      only = argv[++i];
    } else if (option == "--threads" && i + 1 < argc) {
      thread_counts.clear();
      for (const char* text = argv[++i]; *text != '\0';) {
        char* end = nullptr;
        thread_counts.push_back(static_cast<int>(std::strtol(text, &end, 10)));
        text = *end == ',' ? end + 1 : end;
        if (end == text) break;
      }
    } else {
      fmt::print(stderr, "matmul_bench [--json] [--threads 1,2] [--rounds 9] [--only TEXT]\n");
      return 2;
    }
  }

  std::vector<Contender> contenders = {{"Splot", nullptr, {}}};
  for (const splot::bench::Rival* rival : {splot::bench::dnnl(), splot::bench::openblas()}) {
    if (rival != nullptr) contenders.push_back({rival->name, rival, {}});
  }
  double peak = 0;
  for (int i = 0; i < 20; ++i) peak = std::max(peak, splot::cpu::fma_peak(5));
  if (!as_json) {
    fmt::print("{}; multiply-adds alone: {:.1f} GFLOP/s per thread\n", name_of(splot::cpu::instruction_set()),
               peak);
    fmt::print("{:<24}{:<4}{:<16}{:>2}", "product", "", "m x n x k", "T");
    for (const Contender& c : contenders) fmt::print("{:>10}", c.name);
    fmt::print("{:>10}{:>8}{:>8}{:>8}\n", "us", "% peak", "ratio", "minima");
  }

  nlohmann::json rows = nlohmann::json::array();
  for (const int threads : thread_counts) {
    for (const Shape& shape : kShapes) {
      if (std::string_view(shape.name).find(only) == std::string_view::npos) continue;
      Data data(shape);
      double worst = 0;
      for (Contender& c : contenders) {
        c.microseconds.clear();
        c.set_threads(threads);
        worst = std::max(worst, relative_difference(c, shape));
      }
      if (worst > 1e-4) {
        fmt::print(stderr, "{}: results differ by {}\n", shape.name, worst);
        return 1;
      }
      for (int round = 0; round < rounds; ++round) {
        for (Contender& c : contenders) {
          let_others_fall_asleep(threads);
          c.microseconds.push_back(time_once(c, shape, data, threads));
        }
      }
      const double flops = 2.0 * static_cast<double>(shape.m * shape.n * shape.k);
      const double ours = median(contenders[0].microseconds);
      double best_rival = 0;
      double quickest_rival = 0;
      const std::string size = fmt::format("{}x{}x{}", shape.m, shape.n, shape.k);
      nlohmann::json row = {{"product", shape.name}, {"layout", shape.layout}, {"m", shape.m},
                            {"n", shape.n},          {"k", shape.k},           {"threads", threads}};
      if (!as_json) fmt::print("{:<24}{:<4}{:<16}{:>2}", shape.name, shape.layout, size, threads);
      for (const Contender& c : contenders) {
        const double us = median(c.microseconds);
        if (c.rival != nullptr && (best_rival == 0 || us < best_rival)) best_rival = us;
        const double quickest = *std::min_element(c.microseconds.begin(), c.microseconds.end());
        if (c.rival != nullptr && (quickest_rival == 0 || quickest < quickest_rival))
          quickest_rival = quickest;
        row[c.name] = {{"us", us},
                       {"min_us", quickest},
                       {"max_us", *std::max_element(c.microseconds.begin(), c.microseconds.end())},
                       {"gflops", flops / us / 1e3}};
        if (!as_json) fmt::print("{:>10.1f}", flops / us / 1e3);
      }
      const double percent = flops / ours / 1e3 / (peak * threads) * 100.0;
      const double our_quickest =
          *std::min_element(contenders[0].microseconds.begin(), contenders[0].microseconds.end());
      row["ratio_of_minima"] = quickest_rival / our_quickest;
      row["percent_of_peak"] = percent;
      row["ratio_over_best_rival"] = best_rival / ours;
      rows.push_back(std::move(row));
      if (!as_json)
        fmt::print("{:>10.2f}{:>8.0f}{:>8.2f}{:>8.2f}\n", ours, percent, best_rival / ours,
                   quickest_rival / our_quickest);
      std::fflush(stdout);
    }
  }
  if (as_json) fmt::print("{}\n", rows.dump(1));
  return 0;
}
