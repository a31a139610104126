// Where the largest and the smallest element are.
#include <algorithm>
#include <vector>

#include "splot/backend/cpu/reduce.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

void arg_rule(RuleArgs& r) {
  require<DTypeError>(r.dtype(0) != kBFloat16, r.op(),
                      "bfloat16 can only be cast, copied and stored; cast to float32 first");
  const auto axis = static_cast<int>(r.attrs.integer("axis"));
  require(r.shape(0)[axis] != 0, r.op(), "has no value over axis ", axis, " of ", r.shape(0),
          ", whose size is 0");
  Ints sizes;
  for (int i = 0; i < r.shape(0).rank(); ++i) {
    if (i != axis) sizes.push_back(r.shape(0)[i]);
  }
  r.output(Shape(sizes), kInt64);
}

// NaN beats everything, and the first of several NaN the rest.
template <bool kLargest, typename T>
bool beats(T challenger, T best) {
  if constexpr (std::is_floating_point_v<T>) {
    if (best != best) return false;
    if (challenger != challenger) return true;
  }
  return kLargest ? challenger > best : challenger < best;
}

// Rows of floats: the extreme itself in vectors, then the first place where it stands.
template <bool kLargest, typename T>
void find_in_rows(const T* x, Index rows, Index n, std::int64_t* out) {
  std::vector<T> extremes(static_cast<std::size_t>(rows));
  cpu::reduce<T>(kLargest ? cpu::Reduce::max : cpu::Reduce::min, x, {rows, n, 1}, nullptr, extremes.data());
  for (Index r = 0; r < rows; ++r) {
    const T* row = x + r * n;
    const T extreme = extremes[static_cast<std::size_t>(r)];
    Index at = 0;
    if (extreme != extreme) {
      while (row[at] == row[at]) ++at;
    } else {
      while (row[at] != extreme) ++at;
    }
    out[r] = at;
  }
}

template <bool kLargest, typename T>
void find_in_columns(const T* x, const cpu::ReduceSizes& s, std::int64_t* out) {
  std::vector<T> best(static_cast<std::size_t>(s.inner));
  for (Index o = 0; o < s.outer; ++o) {
    const T* rows = x + o * s.length * s.inner;
    std::int64_t* found = out + o * s.inner;
    std::copy_n(rows, s.inner, best.begin());
    std::fill_n(found, s.inner, 0);
    for (Index l = 1; l < s.length; ++l) {
      for (Index i = 0; i < s.inner; ++i) {
        T& leader = best[static_cast<std::size_t>(i)];
        if (beats<kLargest>(rows[l * s.inner + i], leader)) {
          leader = rows[l * s.inner + i];
          found[i] = l;
        }
      }
    }
  }
}

template <bool kLargest>
void arg_kernel(const KernelArgs& k) {
  const Tensor x = contiguous(k.inputs[0]);
  if (x.numel() == 0) return;
  const auto axis = static_cast<int>(k.attrs.integer("axis"));
  cpu::ReduceSizes sizes;
  for (int i = 0; i < x.rank(); ++i) {
    (i < axis ? sizes.outer : i == axis ? sizes.length : sizes.inner) *= x.shape()[i];
  }
  visit_any(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_floating_point_v<T>) {
      if (sizes.inner == 1) {
        return find_in_rows<kLargest, T>(x.data<T>(), sizes.outer, sizes.length, k.out<std::int64_t>());
      }
    }
    if constexpr (!std::is_same_v<T, bfloat16>) {
      // std::vector<bool> has no elements to refer to.
      using Element = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;
      find_in_columns<kLargest, Element>(static_cast<const Element*>(x.raw()), sizes, k.out<std::int64_t>());
    }
  });
}

}  // namespace

extern constinit const OpDef argmax_op = {
    .name = "argmax",
    .attrs = {{"axis", AttrKind::integer}},
    .rule = arg_rule,
    .kernel = arg_kernel<true>,
    .differentiable = false,
};

extern constinit const OpDef argmin_op = {
    .name = "argmin",
    .attrs = {{"axis", AttrKind::integer}},
    .rule = arg_rule,
    .kernel = arg_kernel<false>,
    .differentiable = false,
};

namespace {

Tensor find(const OpDef& op, const Tensor& x, std::optional<Index> axis, bool keepdim) {
  const bool flat = !axis.has_value() || x.rank() == 0;
  if (axis.has_value() && x.rank() == 0) {
    require(*axis == 0 || *axis == -1, op.name, "there is no axis ", *axis, " in []: it is 0-d");
  }
  const Tensor values = flat ? reshape(x, {x.numel()}) : x;
  const int along = flat ? 0 : x.shape().axis(*axis, op.name);
  const Tensor found = apply(op, {values}, {op.attrs, {Index{along}}});
  if (!keepdim) return found;
  return reshape(found, flat ? Ints(x.rank(), 1) : x.shape().with(along, 1).ints());
}

}  // namespace

Tensor argmax(const Tensor& x, std::optional<Index> axis, bool keepdim) {
  return find(argmax_op, x, axis, keepdim);
}
Tensor argmin(const Tensor& x, std::optional<Index> axis, bool keepdim) {
  return find(argmin_op, x, axis, keepdim);
}

}  // namespace splot
