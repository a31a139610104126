// Reading and adding at positions given by index tensors. gather and scatter_add are each other's derivative,
// index_select and index_add as well.
#include "splot/ops/indexing.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "splot/backend/cpu/thread_pool.h"
#include "splot/core/node.h"
#include "splot/core/strided.h"
#include "splot/ops/internal/index_check.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/internal/view.h"
#include "splot/ops/internal/window.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {

void require_index(const RuleArgs& r, std::size_t i) {
  require<DTypeError>(r.dtype(i) == kInt64 || r.dtype(i) == kInt32, r.op(),
                      "indices must be int64 or int32, got ", r.dtype(i));
}

Tensor checked_indices(const Tensor& index, Index size, std::string_view op) {
  const NoGrad off;
  Tensor dense = contiguous(cast(index, kInt64));
  const Index* values = dense.data<Index>();
  bool outside = false;
  for (Index i = 0; i < dense.numel(); ++i) outside |= values[i] < 0 || values[i] >= size;
  if (outside) {
    const Index* bad =
        std::find_if(values, values + dense.numel(), [&](Index v) { return v < 0 || v >= size; });
    fail<IndexError>(op, "index ", *bad, " is outside an axis of size ", size);
  }
  return dense;
}

namespace {

// The unit of work of a thread, in elements.
constexpr Index kChunk = 16 * 1024;
// Adding or fetching one element somewhere in memory, in microseconds.
constexpr double kElementMicroseconds = 0.001;

/// Where walks over all axes but `axis` and the last one begin, in each of several tensors.
template <std::size_t kTensors>
class Walks {
 public:
  Walks(const Shape& shape, int axis, const std::array<Strides, kTensors>& strides) : strides_(strides) {
    for (int i = 0; i + 1 < shape.rank(); ++i) {
      if (i == axis) continue;
      axes_.push_back(i);
      sizes_.push_back(shape[i]);
      count_ *= shape[i];
    }
  }
  Index count() const { return count_; }
  std::array<Index, kTensors> offsets(Index walk) const {
    std::array<Index, kTensors> out{};
    for (int i = axes_.size() - 1; i >= 0; --i) {
      const Index position = walk % sizes_[i];
      walk /= sizes_[i];
      for (std::size_t t = 0; t < kTensors; ++t) out[t] += position * strides_[t][static_cast<int>(axes_[i])];
    }
    return out;
  }

 private:
  Ints axes_, sizes_;
  Index count_ = 1;
  std::array<Strides, kTensors> strides_;
};

// --- gather and scatter_add

// Tensors of rank 0 are handled as if they had one axis.
Shape at_least_1d(const Shape& shape) { return shape.rank() == 0 ? Shape({1}) : shape; }
Strides at_least_1d(const Strides& strides) { return strides.empty() ? Strides{1} : strides; }

void check_gathered(const RuleArgs& r, const Shape& x, const Shape& index) {
  require_index(r, 1);
  require(index.rank() == x.rank(), r.op(), "index", index, " must have as many axes as x", x);
  const int axis = at_least_1d(x).axis(r.attrs.integer("axis"), r.op());
  for (int i = 0; i < x.rank(); ++i) {
    require(i == axis || index[i] <= x[i], r.op(), "index", index, " is longer than x", x, " on axis ", i);
  }
}

void gather_rule(RuleArgs& r) {
  check_gathered(r, r.shape(0), r.shape(1));
  r.output(r.shape(1), r.dtype(0));
}

template <typename T>
void gather_typed(const KernelArgs& k, const Tensor& index, int axis) {
  const Shape shape = at_least_1d(index.shape());
  Strides x = at_least_1d(k.inputs[0].strides());
  const int last = shape.rank() - 1;
  const Index step = x[axis];
  // On its own axis the position comes from the index.
  x[axis] = 0;
  const T* from = static_cast<const T*>(k.inputs[0].raw());
  const Index* positions = index.data<Index>();
  T* out = static_cast<T*>(k.raw_out());
  // Rows of the index, each with a place in x where it begins.
  const Walks<1> rows(shape, -1, {x});
  const Index columns = shape[last];
  const Index rows_per_chunk = std::max<Index>(1, kChunk / columns);
  const Index chunks = (rows.count() + rows_per_chunk - 1) / rows_per_chunk;
  cpu::parallel_for(chunks, static_cast<double>(shape.numel()) * kElementMicroseconds, [&](Index chunk) {
    const Index end = std::min(rows.count(), (chunk + 1) * rows_per_chunk);
    for (Index row = chunk * rows_per_chunk; row < end; ++row) {
      const T* base = from + rows.offsets(row)[0];
      const Index* at = positions + row * columns;
      T* to = out + row * columns;
      for (Index j = 0; j < columns; ++j) to[j] = base[at[j] * step + j * x[last]];
    }
  });
}

void gather_kernel(const KernelArgs& k) {
  const Tensor& x = k.inputs[0];
  const int axis = static_cast<int>(k.attrs.integer("axis"));
  const Tensor index = checked_indices(k.inputs[1], at_least_1d(x.shape())[axis], k.op.name);
  if (index.numel() == 0) return;
  switch (x.dtype().size()) {
    case 1:
      return gather_typed<std::uint8_t>(k, index, axis);
    case 2:
      return gather_typed<std::uint16_t>(k, index, axis);
    case 4:
      return gather_typed<std::uint32_t>(k, index, axis);
    default:
      return gather_typed<std::uint64_t>(k, index, axis);
  }
}

// y[i, j] = x[index[i, j], j]: dx[index[i, j], j] += dy[i, j]
TensorList gather_vjp(const VjpArgs& v) {
  return {scatter_add(zeros(v.shape(0), v.dtype(0)), v.attrs().integer("axis"), v.input(1), v.dy()),
          Tensor()};
}

void scatter_add_rule(RuleArgs& r) {
  check_gathered(r, r.shape(0), r.shape(1));
  const Shape& index = r.shape(1);
  const Shape& v = r.shape(2);
  require<DTypeError>(r.dtype(2) == r.dtype(0), r.op(), "x is ", r.dtype(0), ", v is ", r.dtype(2));
  require(v.rank() == index.rank(), r.op(), "v", v, " must have as many axes as index", index);
  for (int i = 0; i < index.rank(); ++i) {
    require(index[i] <= v[i], r.op(), "index", index, " is longer than v", v, " on axis ", i);
  }
  r.output(r.shape(0), r.dtype(0));
}

void start_from(const KernelArgs& k) {
  if (k.inputs[0].raw() != k.outputs[0].raw()) {
    copy_dense(k.inputs[0], k.inputs[0].dtype(), k.raw_out());
  }
}

// Elements that can meet in one place lie along the axis, so everything else can go to other threads.
template <typename T>
void scatter_add_typed(const KernelArgs& k, const Tensor& index, int axis) {
  const Shape shape = at_least_1d(index.shape());
  const int last = shape.rank() - 1;
  Strides to = at_least_1d(k.outputs[0].strides());
  const Strides from = at_least_1d(k.inputs[2].strides());
  const Strides own = shape.row_major();
  const Index step = to[axis];
  to[axis] = 0;
  const Index length = axis == last ? 1 : shape[axis];
  const Index columns = shape[last];
  const Index block = axis == last ? columns : std::max<Index>(64, kChunk / length);
  const Index blocks = (columns + block - 1) / block;
  const Walks<3> walks(shape, axis, {to, from, own});
  cpu::parallel_for(
      walks.count() * blocks, static_cast<double>(shape.numel()) * kElementMicroseconds, [&](Index task) {
        const auto [to_first, from_first, own_first] = walks.offsets(task / blocks);
        const Index begin = task % blocks * block;
        const Index end = std::min(columns, begin + block);
        for (Index i = 0; i < length; ++i) {
          T* out = k.out<T>() + to_first;
          const T* in = k.inputs[2].data<T>() + from_first + (axis == last ? 0 : i * from[axis]);
          const Index* at = index.data<Index>() + own_first + (axis == last ? 0 : i * own[axis]);
          for (Index j = begin; j < end; ++j) {
            T& sum = out[at[j] * step + j * to[last]];
            sum = static_cast<T>(sum + in[j * from[last]]);
          }
        }
      });
}

void scatter_add_kernel(const KernelArgs& k) {
  const int axis = static_cast<int>(k.attrs.integer("axis"));
  const Tensor index = checked_indices(k.inputs[1], at_least_1d(k.inputs[0].shape())[axis], k.op.name);
  start_from(k);
  if (index.numel() == 0) return;
  visit_numbers(k.inputs[0].dtype(), k.op.name,
                [&](auto tag) { scatter_add_typed<typename decltype(tag)::type>(k, index, axis); });
}

// y = x with v added at index: dx = dy, dv = dy at index, zero for what of v was left out
TensorList scatter_add_vjp(const VjpArgs& v) {
  TensorList out = {v.dy(), Tensor(), Tensor()};
  if (v.needs(2)) {
    const Tensor at_index = gather(v.dy(), v.attrs().integer("axis"), v.input(1));
    Ints left_out;
    for (int i = 0; i < v.shape(2).rank(); ++i) left_out.push_back(v.shape(2)[i] - v.shape(1)[i]);
    out[2] = v.shape(1) == v.shape(2) ? at_index : pad(at_index, Ints(left_out.size(), 0), left_out);
  }
  return out;
}

// --- index_select and index_add

void index_select_rule(RuleArgs& r) {
  require_index(r, 1);
  require(r.shape(1).rank() == 1, r.op(), "the index must have one axis, got ", r.shape(1));
  const int axis = r.shape(0).axis(r.attrs.integer("axis"), r.op());
  r.output(r.shape(0).with(axis, r.shape(1)[0]), r.dtype(0));
}

Shape without(const Shape& shape, int axis) {
  Ints sizes;
  for (int i = 0; i < shape.rank(); ++i) {
    if (i != axis) sizes.push_back(shape[i]);
  }
  return Shape(sizes);
}

Strides without(const Strides& strides, int axis) {
  Strides out;
  for (int i = 0; i < strides.size(); ++i) {
    if (i != axis) out.push_back(strides[i]);
  }
  return out;
}

void index_select_kernel(const KernelArgs& k) {
  const NoGrad off;
  const Tensor& x = k.inputs[0];
  const Tensor& y = k.outputs[0];
  const int axis = static_cast<int>(k.attrs.integer("axis"));
  const Tensor index = checked_indices(k.inputs[1], x.shape()[axis], k.op.name);
  if (y.numel() == 0) return;
  const Index* at = index.data<Index>();
  const auto bytes = static_cast<Index>(x.dtype().size());
  if (axis == 0 && x.is_contiguous()) {
    // Whole rows: the table of an embedding, the samples of a batch.
    const Index row = x.numel() / x.shape()[0] * bytes;
    const auto* from = static_cast<const std::byte*>(x.raw());
    auto* to = static_cast<std::byte*>(k.raw_out());
    const Index rows_per_chunk = std::max<Index>(1, 4 * kChunk / row);
    const Index chunks = (index.numel() + rows_per_chunk - 1) / rows_per_chunk;
    const double microseconds = 2.0 * static_cast<double>(index.numel() * row) / kBytesPerMicrosecond;
    cpu::parallel_for(chunks, microseconds, [&](Index chunk) {
      const Index end = std::min(index.numel(), (chunk + 1) * rows_per_chunk);
      for (Index i = chunk * rows_per_chunk; i < end; ++i) {
        std::memcpy(to + i * row, from + at[i] * row, static_cast<std::size_t>(row));
      }
    });
    return;
  }
  // A slice of x at a time; its elements keep their order, only the distances differ.
  const Shape shape = without(x.shape(), axis);
  const Strides from = without(x.strides(), axis);
  const Strides to = without(y.strides(), axis);
  for (Index i = 0; i < index.numel(); ++i) {
    const Tensor part = view_of(x, shape, from, x.impl()->offset + at[i] * x.strides()[axis]);
    copy_to_window(part, {static_cast<std::byte*>(k.raw_out()) + i * y.strides()[axis] * bytes, to});
  }
}

// y = x[index]: dx[index] += dy
TensorList index_select_vjp(const VjpArgs& v) {
  return {index_add(zeros(v.shape(0), v.dtype(0)), v.attrs().integer("axis"), v.input(1), v.dy()), Tensor()};
}

void index_add_rule(RuleArgs& r) {
  require_index(r, 1);
  require(r.shape(1).rank() == 1, r.op(), "the index must have one axis, got ", r.shape(1));
  require<DTypeError>(r.dtype(2) == r.dtype(0), r.op(), "x is ", r.dtype(0), ", v is ", r.dtype(2));
  const int axis = r.shape(0).axis(r.attrs.integer("axis"), r.op());
  const Shape part = r.shape(0).with(axis, r.shape(1)[0]);
  require(r.shape(2) == part, r.op(), "v", r.shape(2), " must have the shape ", part, " for x", r.shape(0),
          " and index", r.shape(1), " on axis ", axis);
  r.output(r.shape(0), r.dtype(0));
}

template <typename T>
void index_add_typed(const KernelArgs& k, const Tensor& index, int axis) {
  const Tensor& y = k.outputs[0];
  // [before, axis, inner]: y and v are both walked in runs of `inner` elements.
  const Tensor v = contiguous(k.inputs[2]);
  const Index inner = y.strides()[axis];
  const Index size = y.shape()[axis], count = index.numel();
  const Index before = v.numel() / (count * inner);
  const Index block = std::max<Index>(64, kChunk / count);
  const Index blocks = (inner + block - 1) / block;
  const Index* at = index.data<Index>();
  cpu::parallel_for(before * blocks, static_cast<double>(v.numel()) * kElementMicroseconds, [&](Index task) {
    const Index outer = task / blocks;
    const Index begin = task % blocks * block;
    const Index end = std::min(inner, begin + block);
    for (Index i = 0; i < count; ++i) {
      T* out = k.out<T>() + (outer * size + at[i]) * inner;
      const T* in = v.data<T>() + (outer * count + i) * inner;
      for (Index j = begin; j < end; ++j) out[j] = static_cast<T>(out[j] + in[j]);
    }
  });
}

void index_add_kernel(const KernelArgs& k) {
  const int axis = static_cast<int>(k.attrs.integer("axis"));
  const Tensor index = checked_indices(k.inputs[1], k.inputs[0].shape()[axis], k.op.name);
  start_from(k);
  if (k.inputs[2].numel() == 0) return;
  visit_numbers(k.inputs[0].dtype(), k.op.name,
                [&](auto tag) { index_add_typed<typename decltype(tag)::type>(k, index, axis); });
}

// y = x with v added at index: dx = dy, dv = dy[index]
TensorList index_add_vjp(const VjpArgs& v) {
  return {v.dy(), Tensor(),
          v.needs(2) ? index_select(v.dy(), v.attrs().integer("axis"), v.input(1)) : Tensor()};
}

// --- one_hot

void one_hot_rule(RuleArgs& r) {
  require_index(r, 0);
  const Index classes = r.attrs.integer("classes");
  require<ValueError>(classes >= 1, r.op(), "needs at least one class, got ", classes);
  Ints sizes = r.shape(0).ints();
  sizes.push_back(classes);
  r.output(Shape(sizes), r.attrs.dtype("dtype"));
}

void one_hot_kernel(const KernelArgs& k) {
  const Index classes = k.attrs.integer("classes");
  const Tensor index = checked_indices(k.inputs[0], classes, k.op.name);
  visit_any(k.outputs[0].dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* out = k.out<T>();
    std::fill_n(out, k.outputs[0].numel(), convert<T>(0));
    for (Index i = 0; i < index.numel(); ++i) out[i * classes + index.data<Index>()[i]] = convert<T>(1);
  });
}

}  // namespace

extern constinit const OpDef gather_op = {
    .name = "gather",
    .attrs = {{"axis", AttrKind::integer}},
    .inputs = 2,
    .rule = gather_rule,
    .kernel = gather_kernel,
    .vjp = gather_vjp,
    .keeps = {.inputs = keep(1)},
    .onnx = "GatherElements",
};

extern constinit const OpDef scatter_add_op = {
    .name = "scatter_add",
    .attrs = {{"axis", AttrKind::integer}},
    .inputs = 3,
    .rule = scatter_add_rule,
    .kernel = scatter_add_kernel,
    .vjp = scatter_add_vjp,
    .keeps = {.inputs = keep(1)},
    .reuses = {0, -1, -1, -1},
};

extern constinit const OpDef index_select_op = {
    .name = "index_select",
    .attrs = {{"axis", AttrKind::integer}},
    .inputs = 2,
    .rule = index_select_rule,
    .kernel = index_select_kernel,
    .vjp = index_select_vjp,
    .keeps = {.inputs = keep(1)},
    .onnx = "Gather",
};

extern constinit const OpDef index_add_op = {
    .name = "index_add",
    .attrs = {{"axis", AttrKind::integer}},
    .inputs = 3,
    .rule = index_add_rule,
    .kernel = index_add_kernel,
    .vjp = index_add_vjp,
    .keeps = {.inputs = keep(1)},
    .reuses = {0, -1, -1, -1},
};

extern constinit const OpDef one_hot_op = {
    .name = "one_hot",
    .attrs = {{"classes", AttrKind::integer}, {"dtype", AttrKind::dtype}},
    .rule = one_hot_rule,
    .kernel = one_hot_kernel,
    .differentiable = false,
    .onnx = "OneHot",
};

namespace {

Attrs on_axis(const OpDef& op, int axis) { return {op.attrs, {Index{axis}}}; }

Tensor add_into(const OpDef& op, Tensor x, int axis, const Tensor& index, const Tensor& v) {
  TensorList inputs;
  const Tensor value = converted(v, x.dtype());
  inputs.push_back(std::move(x));
  inputs.push_back(index);
  inputs.push_back(value);
  return std::move(apply_consuming(op, std::move(inputs), on_axis(op, axis))[0]);
}

}  // namespace

Tensor index_select(const Tensor& x, Index axis, const Tensor& index) {
  const int at = x.shape().axis(axis, "index_select");
  return apply(index_select_op, {x, index}, on_axis(index_select_op, at));
}

Tensor index_add(Tensor x, Index axis, const Tensor& index, const Tensor& v) {
  const int at = x.shape().axis(axis, "index_add");
  return add_into(index_add_op, std::move(x), at, index, v);
}

Tensor gather(const Tensor& x, Index axis, const Tensor& index) {
  const int at = at_least_1d(x.shape()).axis(axis, "gather");
  return apply(gather_op, {x, index}, on_axis(gather_op, at));
}

Tensor scatter_add(Tensor x, Index axis, const Tensor& index, const Tensor& v) {
  const int at = at_least_1d(x.shape()).axis(axis, "scatter_add");
  return add_into(scatter_add_op, std::move(x), at, index, v);
}

Tensor one_hot(const Tensor& index, Index classes, DType dtype) {
  return apply(one_hot_op, {index}, {one_hot_op.attrs, {classes, dtype}});
}

}  // namespace splot
