// The integers that the C of a network in 8 bits computes, for many examples at once.
#include <algorithm>
#include <utility>

#include "splot/compiler/c/internal/int8_program.h"
#include "splot/compiler/c/internal/int8_ranges.h"
#include "splot/compiler/plan.h"
#include "splot/core/error.h"
#include "splot/core/node.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot::compiler {
namespace {

std::size_t unsigned_of(Index i) { return static_cast<std::size_t>(i); }

// Calls body(from, to) for each element that is moved.
template <typename Body>
void walk(const Int8Move& move, Body&& body) {
  if (move.shape.numel() == 0) return;
  Ints at(move.shape.rank(), 0);
  Index from = move.from_offset, to = move.to_offset;
  for (;;) {
    body(unsigned_of(from), unsigned_of(to));
    int axis = move.shape.rank() - 1;
    for (; axis >= 0; --axis) {
      from += move.from[axis];
      to += move.to[axis];
      if (++at[axis] < move.shape[axis]) break;
      from -= move.from[axis] * at[axis];
      to -= move.to[axis] * at[axis];
      at[axis] = 0;
    }
    if (axis < 0) return;
  }
}

/// Does the work of run_int8(), step by step.
class Int8Run {
 public:
  Int8Run(const Int8Program& program, const Tensor& inputs)
      : program_(program), n_(inputs.shape()[0]), bytes_(program.values.size()) {
    floats_ = inputs.to_vector<float>();
  }

  Tensor run() {
    for (const Int8Step& step : program_.steps) {
      std::visit([&](const auto& kind) { take(step, kind); }, step.kind);
    }
    Ints sizes = {n_};
    for (int axis = 0; axis < program_.output.rank(); ++axis) {
      if (axis > 0 || program_.output[0] != 1) sizes.push_back(program_.output[axis]);
    }
    if (program_.tail) run_tail();
    return Tensor::from(floats_, Shape(sizes));
  }

 private:
  const Int8Value& value(int id) const { return program_.values[static_cast<std::size_t>(id)]; }
  const Quantisation& q_of(int id) const { return value(id).q; }
  const Int8Bytes& bytes(int id) const { return bytes_[static_cast<std::size_t>(value(id).memory)]; }
  // Of a step's result, for all examples.
  Int8Bytes& result(const Int8Step& step) {
    Int8Bytes& out = bytes_[static_cast<std::size_t>(step.output)];
    out.resize(unsigned_of(n_ * value(step.output).shape.numel()));
    return out;
  }

  void take(const Int8Step& step, const Int8Input&) {
    const Quantisation& q = q_of(step.output);
    Int8Bytes& y = result(step);
    std::transform(floats_.begin(), floats_.end(), y.begin(),
                   [&](float x) { return static_cast<std::int8_t>(step_of_float(q, x)); });
  }

  void take(const Int8Step& step, const Int8Output&) {
    const Quantisation& q = q_of(step.inputs[0]);
    const Int8Bytes& x = bytes(step.inputs[0]);
    floats_.resize(x.size());
    for (std::size_t i = 0; i < x.size(); ++i)
      floats_[i] = static_cast<float>(x[i] - q.zero) * static_cast<float>(q.scale);
  }

  // In float64, where sums of integers below 2^53 are exact in any order: these stay below 2^31.
  std::vector<double> sums_of(const Int8Step& step, const Int8Product& p) const {
    const Int8Bytes& from = bytes(step.inputs[0]);
    const int zero = q_of(step.inputs[0]).zero;
    const Tensor x = Tensor::build<double>(p.x.with(0, n_ * p.x[0]), [&](std::span<double> out) {
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<double>(from[i] - zero);
    });
    const Tensor weights = cast(p.weights, kFloat64);
    if (p.linear) return linear(x, weights).to_vector<double>();
    const Tensor operands[] = {x, weights};
    return apply_all(conv2d_op, operands, p.attrs)[0].to_vector<double>();
  }

  void take(const Int8Step& step, const Int8Product& p) {
    const std::vector<double> sums = sums_of(step, p);
    const std::size_t channels = unsigned_of(p.channels());
    const std::size_t each = unsigned_of(p.linear ? 1 : p.y[2] * p.y[3]);
    const auto channel = [&](std::size_t i) { return i / each % channels; };
    const auto sum = [&](std::size_t i) { return static_cast<std::int32_t>(sums[i]) + p.biases[channel(i)]; };
    if (step.output == -1) {
      floats_.resize(sums.size());
      for (std::size_t i = 0; i < sums.size(); ++i)
        floats_[i] = static_cast<float>(sum(i)) * p.scales[channel(i)];
      return;
    }
    const std::int32_t low = p.relu ? p.q.zero : -128;
    Int8Bytes& y = result(step);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      y[i] = saturated(rescaled(sum(i), p.multipliers[channel(i)]) + p.q.zero, low);
      if (!p.table.empty()) y[i] = p.table[static_cast<std::size_t>(y[i] + 128)];
    }
  }

  void take(const Int8Step& step, const Int8Largest& largest) {
    const Shape& shape = value(step.inputs[0]).shape;
    const Int8Bytes& from = bytes(step.inputs[0]);
    const Tensor x = Tensor::build<float>(shape.with(0, n_ * shape[0]), [&](std::span<float> out) {
      std::copy(from.begin(), from.end(), out.begin());
    });
    const std::vector<float> y = apply_all(max_pool2d_op, {&x, 1}, largest.attrs)[0].to_vector<float>();
    Int8Bytes& to = result(step);
    std::transform(y.begin(), y.end(), to.begin(), [](float v) { return static_cast<std::int8_t>(v); });
  }

  void take(const Int8Step& step, const Int8Mean& m) {
    const Shape& shape = value(step.inputs[0]).shape;
    const Int8Bytes& x = bytes(step.inputs[0]);
    const int zero = q_of(step.inputs[0]).zero, out_zero = q_of(step.output).zero;
    const bool uniform = m.is_uniform();
    Int8Bytes& y = result(step);
    const std::size_t pixels = unsigned_of(shape[2] * shape[3]);
    std::size_t at = 0;
    for (std::size_t image = 0; image * pixels < x.size(); ++image) {
      std::size_t window = 0;
      for (const Int8Span& row : m.rows) {
        for (const Int8Span& column : m.columns) {
          std::int32_t sum = 0;
          for (Index i = row.begin; i < row.end; ++i) {
            for (Index j = column.begin; j < column.end; ++j)
              sum += x[image * pixels + unsigned_of(i * shape[3] + j)] - zero;
          }
          y[at++] = saturated(rescaled(sum, m.multipliers[uniform ? 0 : window]) + out_zero);
          ++window;
        }
      }
    }
  }

  void take(const Int8Step& step, const Int8Sum& s) {
    const Int8Bytes &a = bytes(step.inputs[0]), &b = bytes(step.inputs[1]);
    const int a_zero = q_of(step.inputs[0]).zero, b_zero = q_of(step.inputs[1]).zero,
              zero = q_of(step.output).zero;
    Int8Bytes& y = result(step);
    for (std::size_t i = 0; i < y.size(); ++i) {
      const std::int32_t first = rescaled(a[i] - a_zero, s.first), second = rescaled(b[i] - b_zero, s.second);
      const std::int32_t sum = s.minus ? first - second : first + second;
      y[i] = saturated(rescaled(sum, {1, kSumBits}) + zero, s.relu ? zero : -128);
    }
  }

  void take(const Int8Step& step, const Int8Lookup& lookup) {
    const Int8Bytes& x = bytes(step.inputs[0]);
    std::transform(x.begin(), x.end(), result(step).begin(),
                   [&](std::int8_t v) { return lookup.table[static_cast<std::size_t>(v + 128)]; });
  }

  void take(const Int8Step& step, const Int8Copy& copy) {
    const int zero = q_of(step.output).zero;
    Int8Bytes& y = result(step);
    std::fill(y.begin(), y.end(), copy.filled);
    const std::size_t made = y.size() / unsigned_of(n_);
    for (const Int8Move& move : copy.moves) {
      const int input = step.inputs[static_cast<std::size_t>(move.input)];
      const Int8Bytes& x = bytes(input);
      const std::size_t taken = x.size() / unsigned_of(n_);
      for (std::size_t n = 0; n < unsigned_of(n_); ++n) {
        walk(move, [&](std::size_t from, std::size_t to) {
          const std::int8_t v = x[n * taken + from];
          y[n * made + to] =
              move.multiplier ? saturated(rescaled(v - q_of(input).zero, *move.multiplier) + zero) : v;
        });
      }
    }
  }

  void run_tail() {
    Plan plan(*program_.tail);
    const std::size_t made = floats_.size() / unsigned_of(n_);
    std::vector<float> out;
    for (std::size_t n = 0; n < unsigned_of(n_); ++n) {
      const Tensor x = Tensor::from(std::span<const float>(floats_).subspan(n * made, made), program_.made);
      const std::vector<float> y = plan.run({cast(x, program_.dtype)})[0].to_vector<float>();
      out.insert(out.end(), y.begin(), y.end());
    }
    floats_ = std::move(out);
  }

  const Int8Program& program_;
  Index n_;
  std::vector<Int8Bytes> bytes_;
  std::vector<float> floats_;  // the input; then what the last step makes
};

}  // namespace

Tensor run_int8(const Int8Program& program, const Tensor& inputs) {
  const NoGrad off;
  return Int8Run(program, inputs).run();
}

}  // namespace splot::compiler
