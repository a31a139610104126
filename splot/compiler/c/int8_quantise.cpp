// The integers of a program, from the numbers that the network makes of some inputs.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <span>

#include "splot/compiler/c/internal/int8_program.h"
#include "splot/compiler/c/internal/int8_ranges.h"
#include "splot/compiler/plan.h"
#include "splot/core/error.h"
#include "splot/core/node.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot::compiler {

std::vector<double> values_of(const Int8Program& program, const std::vector<GraphCall>& function,
                              const std::vector<double>& x) {
  const NoGrad off;
  Tensor y = Tensor::from(x, {static_cast<Index>(x.size())});
  for (const GraphCall& call : function) {
    if (call.op == &cast_op && call.attrs.dtype("dtype").is_floating()) continue;
    TensorList inputs;
    for (const ValueId id : call.inputs) {
      const Tensor& known = program.known[static_cast<std::size_t>(id)];
      inputs.push_back(
          known.defined() ? reshape(known.dtype().is_floating() ? cast(known, kFloat64) : known, {}) : y);
    }
    y = apply_all(*call.op, inputs, call.attrs)[0];
  }
  return y.to_vector<double>();
}

namespace {

// Sums of a product hold in 32 bits whatever the inputs are.
constexpr double kMostSum = 2147483647.0;
// A bias leaves room for the sums.
constexpr double kMostBias = 1073741824.0;
constexpr double kMostWeight = 127.0;

/// Does the work of quantise_int8() in its order.
class Int8Quantiser {
 public:
  Int8Quantiser(Int8Program& program, const Graph& traced) : program_(program), graph_(traced) {}

  void run(const Tensor& inputs) {
    list_observed();
    observe(inputs);
    for (Int8Value& value : program_.values) {
      if (&value == &owner_of(value)) value.q = seen_.at(value.traced).best();
    }
    for (Int8Value& value : program_.values) value.q = owner_of(value).q;
    for (Int8Step& step : program_.steps) {
      std::visit([&](auto& kind) { quantise(step, kind); }, step.kind);
    }
  }

 private:
  Int8Value& owner_of(const Int8Value& value) {
    return program_.values[static_cast<std::size_t>(value.scaled_as)];
  }
  const Quantisation& q_of(int value) const { return program_.values[static_cast<std::size_t>(value)].q; }

  // Each value with a scale of its own, and the sums that go through tables.
  void list_observed() {
    for (const Int8Value& value : program_.values) {
      if (&value == &owner_of(value)) seen_[value.traced];
    }
    for (const Int8Step& step : program_.steps) {
      const auto* product = std::get_if<Int8Product>(&step.kind);
      if (product != nullptr && !product->function.empty()) seen_[product->sums];
    }
  }

  // Twice over the data: for the ends of each range, and for what lies between.
  void observe(const Tensor& inputs) {
    const ValueId input = program_.values[0].traced;
    graph_.outputs.clear();
    for (const auto& [id, numbers] : seen_) {
      if (id != input) graph_.outputs.push_back(id);
    }
    Plan plan(graph_);
    const auto each = [&](auto&& look) {
      for (Index i = 0; i < inputs.shape()[0]; ++i) {
        const Tensor x = reshape(cast(select(inputs, 0, i), program_.dtype), program_.input.ints());
        look(seen_.at(input), x);
        const TensorList made = plan.run({contiguous(x)});
        for (std::size_t k = 0; k < made.size(); ++k) look(seen_.at(graph_.outputs[k]), made[k]);
      }
    };
    each([](SeenNumbers& seen, const Tensor& x) { seen.widen(x.to_vector<float>()); });
    each([](SeenNumbers& seen, const Tensor& x) { seen.count(x.to_vector<float>()); });
  }

  Int8Table table_of(const std::vector<GraphCall>& function, const Quantisation& from,
                     const Quantisation& to) const {
    std::vector<double> x;
    for (int step = -128; step <= 127; ++step) x.push_back(real_of(from, step));
    Int8Table out;
    for (const double y : values_of(program_, function, x)) {
      require<ValueError>(!std::isnan(y), "export", function[0].op->name,
                          " makes nan of numbers that it may meet");
      out.push_back(static_cast<std::int8_t>(nearest_step(to, y)));
    }
    return out;
  }

  void quantise(Int8Step&, Int8Input&) {}
  void quantise(Int8Step&, Int8Output&) {}
  void quantise(Int8Step&, Int8Largest&) {}

  void quantise(Int8Step& step, Int8Product& p) {
    const Quantisation x = q_of(step.inputs[0]);
    if (!p.function.empty()) {
      const auto function = [&](const std::vector<double>& v) { return values_of(program_, p.function, v); };
      p.q = seen_.at(p.sums).best(function);
      p.table = table_of(p.function, p.q, q_of(step.output));
    } else if (step.output != -1) {
      p.q = q_of(step.output);
    }
    const std::vector<double> weights = p.weight.to_vector<double>(), biases = p.bias.to_vector<double>();
    std::vector<std::int32_t> integers;
    const auto terms = static_cast<std::size_t>(p.terms());
    for (std::size_t o = 0; o < biases.size(); ++o) {
      require<ValueError>(std::isfinite(biases[o]), "export", where_in(step), " has a bias that is ",
                          biases[o]);
      const std::span<const double> row(weights.data() + o * terms, terms);
      const double scale = quantise_row(step, x, row, biases[o], p, integers);
      p.multipliers.push_back(multiplier_of(x.scale * scale / p.q.scale));
      p.scales.push_back(static_cast<float>(x.scale * scale));
      require<ValueError>(std::isfinite(p.scales.back()), "export", where_in(step),
                          " has sums that no float holds");
    }
    p.weights = Tensor::from(integers, p.weight.shape());
  }

  // The scale of one row, as fine as 8 bits of weights and 32 of bias and sums allow.
  static double quantise_row(const Int8Step& step, const Quantisation& x, std::span<const double> row,
                             double bias, Int8Product& p, std::vector<std::int32_t>& integers) {
    double largest = 0.0;
    for (const double w : row) {
      require<ValueError>(std::isfinite(w), "export", where_in(step), " has weights that are ", w,
                          "; a network that computes nothing cannot be exported");
      largest = std::max(largest, std::abs(w));
    }
    double scale = std::max(largest / kMostWeight, std::abs(bias) / (x.scale * kMostBias));
    if (scale == 0.0) scale = 1.0;
    const std::size_t before = integers.size();
    for (;; scale *= 2.0) {
      integers.resize(before);
      const double b = std::round(bias / (x.scale * scale));
      // Of inputs with the zero taken off, and without.
      double most = std::abs(b);
      for (const double w : row) {
        const double integer = std::round(w / scale);
        integers.push_back(static_cast<std::int32_t>(integer));
        most += std::abs(integer) * (128.0 + std::abs(x.zero)) + std::abs(integer * x.zero);
      }
      if (most > kMostSum) continue;
      p.biases.push_back(static_cast<std::int32_t>(b));
      return scale;
    }
  }

  void quantise(Int8Step& step, Int8Mean& m) {
    const double ratio = q_of(step.inputs[0]).scale / q_of(step.output).scale;
    if (m.is_uniform()) {
      const Index count = m.divisor != 0 ? m.divisor : m.rows[0].count * m.columns[0].count;
      m.multipliers = {multiplier_of(ratio / static_cast<double>(count))};
      return;
    }
    for (const Int8Span& row : m.rows) {
      for (const Int8Span& column : m.columns)
        m.multipliers.push_back(multiplier_of(ratio / static_cast<double>(row.count * column.count)));
    }
  }

  void quantise(Int8Step& step, Int8Sum& s) {
    const double to = std::ldexp(1.0 / q_of(step.output).scale, kSumBits);
    s.first = multiplier_of(q_of(step.inputs[0]).scale * to);
    s.second = multiplier_of(q_of(step.inputs[1]).scale * to);
  }

  void quantise(Int8Step& step, Int8Lookup& lookup) {
    lookup.table = table_of(lookup.function, q_of(step.inputs[0]), q_of(step.output));
  }

  void quantise(Int8Step& step, Int8Copy& copy) {
    const Quantisation& y = q_of(step.output);
    for (Int8Move& move : copy.moves) {
      const Quantisation& x = q_of(step.inputs[static_cast<std::size_t>(move.input)]);
      if (!(x == y)) move.multiplier = multiplier_of(x.scale / y.scale);
    }
    if (copy.fill) copy.filled = static_cast<std::int8_t>(nearest_step(y, *copy.fill));
  }

  Int8Program& program_;
  Graph graph_;
  std::map<ValueId, SeenNumbers> seen_;
};

}  // namespace

void quantise_int8(Int8Program& program, const Graph& traced, const Tensor& inputs) {
  const NoGrad off;
  Int8Quantiser(program, traced).run(inputs);
}

}  // namespace splot::compiler
