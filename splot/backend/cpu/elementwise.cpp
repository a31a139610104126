#include "splot/backend/cpu/elementwise.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "splot/backend/cpu/fused.h"
#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/thread_pool.h"
#include "splot/core/strided.h"

namespace splot::cpu {
namespace {

// Inputs that are not dense, and what steps hand to each other, are brought together in blocks of this many
// elements, which stay in the first cache.
constexpr Index kBlock = 512;
// The unit of work of a thread: fixed, so that results never depend on how many threads there are.
constexpr Index kChunk = 16 * 1024;

constexpr std::size_t kMaxInputs = kFormulaInputs;
constexpr std::array<int, kMaxInputs> kFromMemory = {-1, -1, -1, -1};
// Two lines longer than a page holds: what lies pages apart is taken for the same memory for a while.
using Buffer = std::array<std::byte, kBlock * sizeof(double) + 128>;

// What the loop over blocks needs to know of each input.
struct Operand {
  const std::byte* base = nullptr;
  std::size_t bytes = 0;  // of an element
  int made_by = -1;       // the step whose result it is
  bool dense = false;     // in the order of the output
  bool one = false;       // a single element, repeated
  bool widen = false;     // a bool among operands of another type
  int buffer = -1;        // where a block of it is brought together; -1: it is read where it lies
};

// A formula and what it is applied to.
struct Step {
  BlockFormula formula;
  MergedAxes axes;  // of inputs that are neither dense nor single elements
  std::array<Operand, kMaxInputs> operands;
  std::size_t count = 0;
  DType dtype;
  std::byte* out = nullptr;   // null: for later steps alone
  std::size_t out_bytes = 0;  // of an element
  int out_buffer = -1;
};

// A leading condition is bool, whatever it chooses between.
DType calculating_dtype(std::span<const Tensor> inputs) { return inputs[inputs.size() - 1].dtype(); }

bool repeats_one(const Tensor& x) {
  for (int i = 0; i < x.rank(); ++i) {
    if (x.shape()[i] != 1 && x.strides()[i] != 0) return false;
  }
  return true;
}

void arrange_axes(Step& step, std::span<const Tensor> inputs, const Tensor& output) {
  const Shape& shape = output.shape();
  SmallVector<Strides, 4> strides;
  for (const Tensor& input : inputs) strides.push_back(broadcast_strides(input, shape));
  if (output.is_contiguous()) {
    step.axes = merge_axes(shape, strides);
    return;
  }
  // In the order in which the output lies in memory.
  const Axes order = memory_order(shape, output.strides());
  for (Strides& s : strides) s = reordered(s, order);
  step.axes = merge_axes(Shape(reordered(shape.ints(), order)), strides);
}

// `made_by` says which step makes each input; numbers of buffers are taken from `buffers` on.
Step arrange(std::span<const Tensor> inputs, const std::array<int, kMaxInputs>& made_by, const Tensor& output,
             int& buffers) {
  Step out;
  out.count = inputs.size();
  out.dtype = calculating_dtype(inputs);
  out.out_bytes = output.dtype().size();
  const Shape& shape = output.shape();
  bool simple = true;
  for (std::size_t i = 0; i < out.count; ++i) {
    const Tensor& input = inputs[i];
    Operand& x = out.operands[i];
    x.made_by = made_by[i];
    x.bytes = input.dtype().size();
    x.widen = input.dtype() != out.dtype;
    x.dense = output.is_contiguous() ? input.is_contiguous() && input.numel() == shape.numel()
                                     : input.shape() == shape && input.strides() == output.strides();
    x.one = !x.dense && repeats_one(input);
    if (!x.dense || x.widen) x.buffer = buffers++;
    simple = simple && (x.dense || x.one);
  }
  if (!simple) arrange_axes(out, inputs, output);
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

// The blocks that a chunk is made with.
struct Buffers {
  alignas(64) std::array<Buffer, kFusedBuffers> blocks;
  std::array<Index, kFusedBuffers> row;  // whose repeated element the buffer holds; -1: other elements

  std::byte* operator[](int i) { return blocks[static_cast<std::size_t>(i)].data(); }
};

// A block of an operand that does not lie in memory as the kernel wants it. Where it repeats one element
// along the inner axis, a block of it serves the whole row.
void bring_together(const Step& step, std::size_t i, const std::byte* dense, Index first, Index n,
                    bool first_block, Buffers& buffers) {
  const Operand& x = step.operands[i];
  std::byte* const to = buffers[x.buffer];
  if (x.dense) {
    std::memcpy(to, dense, static_cast<std::size_t>(n) * x.bytes);
  } else if (x.one) {
    if (!first_block) return;
    fill_with_one(x.base, x.bytes, n, to);
  } else {
    const Index inner = step.axes.sizes[step.axes.sizes.size() - 1];
    const Strides& strides = step.axes.strides[i];
    const Index row = first / inner;
    const bool repeats = strides[strides.size() - 1] == 0 && (first + n - 1) / inner == row;
    Index& held = buffers.row[static_cast<std::size_t>(x.buffer)];
    if (repeats && held == row) return;
    held = repeats ? row : -1;
    gather_run(x.base, x.bytes, step.axes, i, first, n, to);
  }
  if (x.widen) widen_conditions(to, n, step.dtype);
}

// The step whose result a chunk writes to memory of its own, if any.
struct Wanted {
  const Step* step = nullptr;
  std::byte* to = nullptr;
};

// All steps on one block, then on the next: what they hand to each other never leaves the first cache.
void run_chunk(std::span<const Step> steps, Index first, Index n, Index block, Wanted wanted = {}) {
  Buffers buffers;
  buffers.row.fill(-1);
  for (Index at = 0; at < n; at += block) {
    const Index run = std::min(block, n - at);
    const auto begin = static_cast<std::size_t>(first + at);
    const auto place_of = [&](const Step& step) {
      if (&step == wanted.step) return wanted.to + static_cast<std::size_t>(at) * step.out_bytes;
      return step.out != nullptr ? step.out + begin * step.out_bytes : buffers[step.out_buffer];
    };
    for (const Step& step : steps) {
      const void* in[kMaxInputs];
      for (std::size_t i = 0; i < step.count; ++i) {
        const Operand& x = step.operands[i];
        const std::byte* dense = nullptr;
        if (x.made_by >= 0) {
          dense = place_of(steps[static_cast<std::size_t>(x.made_by)]);
        } else if (x.dense) {
          dense = x.base + begin * x.bytes;
        }
        if (x.buffer >= 0) bring_together(step, i, dense, first + at, run, at == 0, buffers);
        in[i] = x.buffer >= 0 ? buffers[x.buffer] : dense;
      }
      step.formula.run(step.formula.formula.data(), in, place_of(step), run);
    }
  }
}

void run_steps(std::span<const Step> steps, Index n, Index block) {
  const Index chunks = (n + kChunk - 1) / kChunk;
  if (chunks == 1) return run_chunk(steps, 0, n, block);
  parallel_for(chunks, [&](Index chunk) {
    const Index first = chunk * kChunk;
    run_chunk(steps, first, std::min(kChunk, n - first), block);
  });
}

using Steps = SmallVector<Step, kFusedSteps>;

// Where the operands and the result lie now.
void bind(Step& step, const FusedCall& call) {
  for (std::size_t i = 0; i < step.count; ++i) {
    Operand& x = step.operands[i];
    if (x.made_by < 0) x.base = static_cast<const std::byte*>(call.inputs[i].raw());
  }
  if (call.kept) step.out = static_cast<std::byte*>(const_cast<void*>(call.output->raw()));
}

// The result of call `wanted`, if any, is neither kept nor in a buffer.
Steps arrange_all(std::span<const FusedCall> calls, std::size_t wanted) {
  Steps steps;
  int buffers = 0;
  for (const FusedCall& call : calls) {
    Step step = arrange(call.inputs, call.made_by, *call.output, buffers);
    step.formula = call.op->elementwise->block(*call.attrs, step.dtype);
    require<DTypeError>(step.formula.run != nullptr, call.op->name, "cannot calculate with ", step.dtype);
    if (!call.kept && steps.size() != wanted) step.out_buffer = buffers++;
    bind(step, call);
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace

BlockKernel kernel_for(const BlockKernels& kernels, DType dtype) {
  return kernels.table[static_cast<std::size_t>(dtype.code())][static_cast<std::size_t>(instruction_set())];
}

void run_blocks(const KernelArgs& args, BlockFormula (*block)(const Attrs& attrs, DType dtype)) {
  const Tensor& output = args.outputs[0];
  if (output.numel() == 0) return;
  int buffers = 0;
  Step step = arrange(args.inputs, kFromMemory, output, buffers);
  step.formula = block(args.attrs, step.dtype);
  require<DTypeError>(step.formula.run != nullptr, args.op.name, "cannot calculate with ", step.dtype);
  bind(step, {.inputs = args.inputs, .output = &output});
  run_steps({&step, 1}, output.numel(), buffers == 0 ? kChunk : kBlock);
}

struct PreparedCalls::Arranged {
  Steps steps;
  Index block;
  InstructionSet set;
};

PreparedCalls::PreparedCalls() = default;
PreparedCalls::~PreparedCalls() = default;
PreparedCalls::PreparedCalls(PreparedCalls&&) noexcept = default;
PreparedCalls& PreparedCalls::operator=(PreparedCalls&&) noexcept = default;

PreparedCalls::Arranged& PreparedCalls::arranged(std::span<const FusedCall> calls, std::size_t wanted) {
  const InstructionSet set = instruction_set();
  if (arranged_ != nullptr && arranged_->set == set) {
    for (std::size_t i = 0; i < calls.size(); ++i) bind(arranged_->steps[i], calls[i]);
    return *arranged_;
  }
  Steps steps = arrange_all(calls, wanted);
  const Step& first = steps[0];
  const bool direct = std::all_of(first.operands.begin(), first.operands.begin() + first.count,
                                  [](const Operand& x) { return x.buffer < 0; });
  const Index block = calls.size() == 1 && direct ? kChunk : kBlock;
  arranged_ = std::make_unique<Arranged>(Arranged{std::move(steps), block, set});
  return *arranged_;
}

void PreparedCalls::run(std::span<const FusedCall> calls) {
  const Index n = calls[0].output->numel();
  if (n == 0) return;
  const Arranged& all = arranged(calls, calls.size());
  run_steps(all.steps, n, all.block);
}

template <typename T>
void PreparedCalls::reduce(std::span<const FusedCall> calls, std::size_t wanted, Reduce reduction,
                           const ReduceSizes& sizes, T* out) {
  // A formula takes about a tenth of a nanosecond for a float.
  const double each = 0.1 * sizeof(T) / sizeof(float) * static_cast<double>(calls.size());
  struct Context {
    const Steps& steps;
    std::size_t wanted;
  };
  const Context context = {arranged(calls, wanted).steps, wanted};
  const auto make = [](const void* from, Index first, Index n, T* to) {
    const auto& [steps, step] = *static_cast<const Context*>(from);
    run_chunk(steps, first, n, kBlock, {&steps[step], reinterpret_cast<std::byte*>(to)});
  };
  reduce_made<T>(reduction, {.make = make, .context = &context, .nanoseconds = each}, sizes, out);
}

template void PreparedCalls::reduce(std::span<const FusedCall>, std::size_t, Reduce, const ReduceSizes&,
                                    float*);
template void PreparedCalls::reduce(std::span<const FusedCall>, std::size_t, Reduce, const ReduceSizes&,
                                    double*);

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
