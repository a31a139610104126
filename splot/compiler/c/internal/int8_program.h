// A network in 8 bits: the steps of a traced inference, each with its numbers as integers. What runs it
// (int8_run.cpp) and what writes it as C (int8_write.cpp) read the same steps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "splot/core/tensor.h"
#include "splot/graph/graph.h"

namespace splot::compiler {

/// Which real numbers 8-bit ones stand for: scale (q - zero).
struct Quantisation {
  double scale = 1.0;
  int zero = 0;

  friend bool operator==(const Quantisation&, const Quantisation&) = default;
};

/// What floats are multiplied by on their way to 8 bits.
inline float inverse_of(const Quantisation& q) { return static_cast<float>(1.0 / q.scale); }

/// factor / 2^shift, a ratio of scales as integers.
struct Multiplier {
  std::int32_t factor = 0;
  int shift = 1;  ///< 1 .. 62
};
/// The nearest one with a factor of 31 bits. Ratios below 2^-32 are 0, for no number of 32 bits has a share
/// of one half; 2^30 is the largest.
Multiplier multiplier_of(double ratio);

/// Of what is rescaled: two may be added.
inline constexpr std::int32_t kMostRescaled = 1073741823;

/// value * factor / 2^shift, rounded to the nearest integer, halves away from zero, within +-kMostRescaled.
/// The C of a program does the same in the same integers.
inline std::int32_t rescaled(std::int32_t value, Multiplier m) {
  const std::int64_t product = std::int64_t{value} * m.factor;
  const std::int64_t size =
      ((product < 0 ? -product : product) + (std::int64_t{1} << (m.shift - 1))) >> m.shift;
  const auto kept = static_cast<std::int32_t>(size < kMostRescaled ? size : kMostRescaled);
  return product < 0 ? -kept : kept;
}

/// The nearest number of low .. 127.
inline std::int8_t saturated(std::int32_t value, std::int32_t low = -128) {
  return static_cast<std::int8_t>(value < low ? low : value > 127 ? 127 : value);
}

using Int8Bytes = std::vector<std::int8_t>;
/// What 8-bit number q becomes stands at q + 128.
using Int8Table = Int8Bytes;

/// A value of the network while the program runs.
struct Int8Value {
  ValueId traced = 0;  ///< whose real numbers it stands for
  Shape shape;
  int memory = 0;     ///< the value in whose memory it lies: itself, or what it is a reshaped view of
  int scaled_as = 0;  ///< the value whose quantisation it has: itself, or what its numbers are taken from
  Quantisation q = {};
};

/// The network's input, from floats.
struct Int8Input {};
/// The network's output as floats, where no product makes it.
struct Int8Output {};

/// A linear layer, a convolution, or a factor for each channel, with what is joined to it.
struct Int8Product {
  bool linear = false;
  Shape x, y;     ///< as batches of images; of a linear layer [rows, numbers]
  Attrs attrs;    ///< of conv2d
  Tensor weight;  ///< float64 [O, C / groups, KH, KW], or [O, K]
  Tensor bias;    ///< float64 [O]
  bool relu = false;
  /// Ops of one number that follow, looked up in a table; `sums` is what they take.
  std::vector<GraphCall> function = {};
  ValueId sums = 0;

  // From the scales of inputs and output.
  Tensor weights = {};  ///< int32, -127 .. 127, of the shape of `weight`
  std::vector<std::int32_t> biases = {};
  std::vector<Multiplier> multipliers = {};  ///< for each output channel
  std::vector<float> scales = {};            ///< of the sums, where they become floats
  Quantisation q = {};                       ///< of the sums, where a table takes them
  Int8Table table = {};

  Index channels() const { return weight.shape()[0]; }
  /// What one output channel is the sum of.
  Index terms() const { return weight.numel() / channels(); }
};

/// The elements that a window covers along one axis, and how many its mean is over.
struct Int8Span {
  Index begin = 0, end = 0, count = 0;
};

/// The largest number of windows of images.
struct Int8Largest {
  Attrs attrs;  ///< of max_pool2d
};

/// Means over windows of images.
struct Int8Mean {
  std::vector<Int8Span> rows = {}, columns = {};
  Index divisor = 0;                         ///< 0: the number of elements counted
  std::vector<Multiplier> multipliers = {};  ///< one, or one for each window

  /// Whether all are over as many elements.
  bool is_uniform() const;
  /// Whether each is over one element, and so is that element.
  bool takes_pixels() const;
};

/// a + b or a - b, of one shape.
struct Int8Sum {
  bool minus = false;
  bool relu = false;
  Multiplier first, second;  ///< to steps of the result / 2^kSumBits
};
inline constexpr int kSumBits = 12;

/// Ops of one number.
struct Int8Lookup {
  std::vector<GraphCall> function = {};
  Int8Table table = {};
};

/// Elements on their way from one place to another: from[offset + i strides[0] + ...].
struct Int8Move {
  int input = 0;  ///< of the step's inputs
  Shape shape;
  Strides from, to;
  Index from_offset = 0, to_offset = 0;
  std::optional<Multiplier> multiplier = {};  ///< none: they stay what they are
};
/// Views that are copied, concatenation, padding.
struct Int8Copy {
  std::vector<Int8Move> moves = {};
  std::optional<double> fill = {};  ///< of what no move writes
  std::int8_t filled = 0;
};

struct Int8Step {
  std::variant<Int8Input, Int8Output, Int8Product, Int8Largest, Int8Mean, Int8Sum, Int8Lookup, Int8Copy> kind;
  std::vector<int> inputs;          ///< of Int8Program::values
  int output = -1;                  ///< of the values; -1: floats, at the end
  std::vector<std::string> layers;  ///< whose weights it has
  std::vector<std::string> ops;     ///< "conv2d", "relu"
};

struct Int8Program {
  std::vector<Int8Value> values;
  std::vector<Int8Step> steps;  ///< the first takes the input, the last makes the floats
  Shape input, output;
  DType dtype;  ///< of the traced network
  Shape made;   ///< of the floats that the last step makes
  /// What is computed of them in floats: softmax and the like. None: they are the output.
  std::optional<Graph> tail;
  /// Constants of the functions of one number.
  std::vector<Tensor> known;
};

/// The steps of a traced inference, as yet without scales. Throws what lower_for_c() throws, and ValueError,
/// naming op and layer, for an op that has no form in 8 bits.
Int8Program int8_steps(const Graph& traced);

/// Finds ranges by running the traced network on the inputs [n, ...], and from them all integers.
void quantise_int8(Int8Program& program, const Graph& traced, const Tensor& inputs);

/// What the C of the program answers to inputs [n, ...], float32 [n, ...]; all integers are the same, and so
/// are the floats but for those of the tail.
///
/// Threads: several may run one program.
Tensor run_int8(const Int8Program& program, const Tensor& inputs);

/// The ops one after the other for each of these numbers.
std::vector<double> values_of(const Int8Program& program, const std::vector<GraphCall>& function,
                              const std::vector<double>& x);

/// "conv1 (conv2d)", or "conv2d".
std::string where_in(const Int8Step& step);

}  // namespace splot::compiler
