#include "splot/backend/cpu/elementwise.h"

#include <cmath>
#include <cstring>

#include "splot/backend/cpu/thread_pool.h"
#include "splot/core/strided.h"

namespace splot::cpu {
namespace {

// Inputs that are not dense are brought together in blocks of this many elements, which stay in the first
// cache.
constexpr Index kBlock = 512;
// The unit of work of a thread: fixed, so that results never depend on how many threads there are.
constexpr Index kChunk = 16 * 1024;

constexpr std::size_t kMaxInputs = 4;

// What the loop over blocks needs to know of each input.
struct Operands {
  MergedAxes axes;
  std::array<const std::byte*, kMaxInputs> base{};
  std::array<std::size_t, kMaxInputs> bytes{};  // of an element
  std::array<bool, kMaxInputs> dense{};         // in the order of the output
  std::array<bool, kMaxInputs> one{};           // a single element, repeated
  std::array<bool, kMaxInputs> widen{};         // a bool among operands of another type
  DType dtype;
  std::size_t count = 0;
};

// A leading condition is bool, whatever it chooses between.
DType calculating_dtype(const KernelArgs& args) { return args.inputs[args.inputs.size() - 1].dtype(); }

Operands arrange(const KernelArgs& args) {
  Operands out;
  out.count = args.inputs.size();
  out.dtype = calculating_dtype(args);
  const Tensor& output = args.outputs[0];
  const Shape& shape = output.shape();
  bool simple = true;
  for (std::size_t i = 0; i < out.count; ++i) {
    const Tensor& input = args.inputs[i];
    out.base[i] = static_cast<const std::byte*>(input.raw());
    out.bytes[i] = input.dtype().size();
    out.widen[i] = input.dtype() != out.dtype;
    const bool in_order = output.is_contiguous()
                              ? input.is_contiguous() && input.numel() == shape.numel()
                              : input.shape() == shape && input.strides() == output.strides();
    out.dense[i] = in_order && !out.widen[i];
    out.one[i] = input.numel() == 1 && !out.dense[i];
    simple = simple && (out.dense[i] || out.one[i]);
  }
  if (simple) return out;
  SmallVector<Strides, 4> strides;
  for (std::size_t i = 0; i < out.count; ++i) strides.push_back(broadcast_strides(args.inputs[i], shape));
  if (output.is_contiguous()) {
    out.axes = merge_axes(shape, strides);
    return out;
  }
  // In the order in which the output lies in memory.
  const Axes order = memory_order(shape, output.strides());
  for (Strides& s : strides) s = reordered(s, order);
  out.axes = merge_axes(Shape(reordered(shape.ints(), order)), strides);
  return out;
}

void fill_with_one(const std::byte* element, std::size_t bytes, Index n, std::byte* out) {
  const auto fill = [&]<typename T>(TypeTag<T>) {
    std::fill_n(reinterpret_cast<T*>(out), n, *reinterpret_cast<const T*>(element));
  };
  switch (bytes) {
    case 1:
      return fill(TypeTag<std::uint8_t>());
    case 4:
      return fill(TypeTag<std::uint32_t>());
    default:
      return fill(TypeTag<std::uint64_t>());
  }
}

// Conditions become ones and zeros of the type that calculates, in place and so from the back.
template <typename T>
void widen_to(std::byte* buffer, Index n) {
  for (Index i = n; i-- > 0;) {
    const T value = static_cast<T>(buffer[i] != std::byte{0});
    std::memcpy(buffer + static_cast<std::size_t>(i) * sizeof(T), &value, sizeof(T));
  }
}

void widen_conditions(std::byte* buffer, Index n, DType dtype) {
  visit_numbers(dtype, "elementwise", [&](auto tag) { widen_to<typename decltype(tag)::type>(buffer, n); });
}

void run_chunk(const Operands& operands, BlockKernel kernel, const void* formula, std::byte* out,
               std::size_t out_bytes, Index first, Index n) {
  bool all_dense = true;
  for (std::size_t i = 0; i < operands.count; ++i) all_dense = all_dense && operands.dense[i];
  alignas(64) std::byte buffers[kMaxInputs][kBlock * sizeof(double)];
  const Index step = all_dense ? n : kBlock;
  // Where an operand repeats one element along the inner axis, a block of it serves the whole row.
  const auto rank = operands.axes.sizes.size();
  const Index inner = rank == 0 ? 1 : operands.axes.sizes[rank - 1];
  std::array<Index, kMaxInputs> filled_row;
  filled_row.fill(-1);
  for (Index at = 0; at < n; at += step) {
    const Index run = std::min(step, n - at);
    const void* in[kMaxInputs];
    for (std::size_t i = 0; i < operands.count; ++i) {
      if (operands.dense[i]) {
        in[i] = operands.base[i] + static_cast<std::size_t>(first + at) * operands.bytes[i];
        continue;
      }
      in[i] = buffers[i];
      if (operands.one[i]) {
        if (at != 0) continue;
        fill_with_one(operands.base[i], operands.bytes[i], run, buffers[i]);
      } else {
        const Strides& strides = operands.axes.strides[i];
        const Index row = (first + at) / inner;
        const bool repeats = strides[strides.size() - 1] == 0 && (first + at + run - 1) / inner == row;
        if (repeats && filled_row[i] == row) continue;
        filled_row[i] = repeats ? row : -1;
        gather_run(operands.base[i], operands.bytes[i], operands.axes, i, first + at, run, buffers[i]);
      }
      if (operands.widen[i]) widen_conditions(buffers[i], run, operands.dtype);
    }
    kernel(formula, in, out + static_cast<std::size_t>(first + at) * out_bytes, run);
  }
}

}  // namespace

void run_blocks(const KernelArgs& args, const BlockKernels& kernels, const void* formula) {
  const Index n = args.outputs[0].numel();
  if (n == 0) return;
  const DType dtype = calculating_dtype(args);
  const BlockKernel kernel =
      kernels.table[static_cast<std::size_t>(dtype.code())][static_cast<std::size_t>(instruction_set())];
  require<DTypeError>(kernel != nullptr, args.op.name, "cannot calculate with ", dtype);
  const Operands operands = arrange(args);
  auto* out = static_cast<std::byte*>(args.raw_out());
  const std::size_t out_bytes = args.outputs[0].dtype().size();
  const Index chunks = (n + kChunk - 1) / kChunk;
  if (chunks == 1) {
    run_chunk(operands, kernel, formula, out, out_bytes, 0, n);
    return;
  }
  parallel_for(chunks, [&](Index chunk) {
    const Index first = chunk * kChunk;
    run_chunk(operands, kernel, formula, out, out_bytes, first, std::min(kChunk, n - first));
  });
}

}  // namespace splot::cpu

namespace splot {

Text::Text(double constant) {
  if (!std::isfinite(constant)) {  // as math.h calls them
    code = std::isnan(constant) ? "NAN" : constant > 0 ? "INFINITY" : "(-INFINITY)";
    return;
  }
  message::append(code, constant);
  if (code.find_first_of(".en") == std::string::npos) code += ".0";
  code += 'f';
}

}  // namespace splot
