#include "splot/ops/internal/reduce.h"

#include <limits>

#include "splot/core/strided.h"
#include "splot/ops/ops.h"

namespace splot {

Shape reduced_shape(const Shape& shape, const Axes& axes, bool keepdim) {
  Ints sizes;
  for (int i = 0; i < shape.rank(); ++i) {
    if (!axes.contains(i)) {
      sizes.push_back(shape[i]);
    } else if (keepdim) {
      sizes.push_back(1);
    }
  }
  return Shape(sizes);
}

Index reduced_count(const Shape& shape, const Axes& axes) {
  Index count = 1;
  for (const Index axis : axes) count *= shape[static_cast<int>(axis)];
  return count;
}

Tensor axes_put_back(const Tensor& dy, const VjpArgs& v) {
  return reshape(dy, reduced_shape(v.shape(0), v.attrs().ints("axes"), true).ints());
}

void reduction_rule(RuleArgs& r) {
  require<DTypeError>(r.dtype(0) != kBFloat16, r.op(),
                      "bfloat16 can only be cast, copied and stored; cast to float32 first");
  r.output(reduced_shape(r.shape(0), r.attrs.ints("axes"), r.attrs.flag("keepdim")), r.dtype(0));
}

namespace {

using cpu::Reduce;
using cpu::ReduceSizes;

// Neighbouring axes that are all kept or all reduced, as one, in the order of memory.
struct Segment {
  Index size;
  bool reduced;
};
using Segments = SmallVector<Segment, kMaxRank>;

void append(Segments& segments, Segment next) {
  if (!segments.empty() && segments.back().reduced == next.reduced) {
    segments.back().size *= next.size;
  } else {
    segments.push_back(next);
  }
}

// True when x is dense under some order of its axes that leaves the kept ones in theirs: then the elements
// can be read as they lie, because the order of the reduced axes does not matter.
bool segments_in_memory(const Tensor& x, const Axes& axes, Segments& segments) {
  int order[kMaxRank];
  int count = 0;
  for (int i = 0; i < x.rank(); ++i) {
    if (x.shape()[i] == 1) continue;
    int at = count++;
    for (; at > 0 && x.strides()[order[at - 1]] < x.strides()[i]; --at) order[at] = order[at - 1];
    order[at] = i;
  }
  Index expected = 1;
  int last_kept = kMaxRank;
  for (int at = count - 1; at >= 0; --at) {
    const int axis = order[at];
    if (x.strides()[axis] != expected) return false;
    expected *= x.shape()[axis];
    if (axes.contains(axis)) continue;
    if (axis > last_kept) return false;
    last_kept = axis;
  }
  for (int at = 0; at < count; ++at) append(segments, {x.shape()[order[at]], axes.contains(order[at])});
  return true;
}

// Integers and bool: plain loops.
template <typename Out>
Out combined(Reduce reduction, Out a, Out b) {
  switch (reduction) {
    case Reduce::prod:
      // Through unsigned numbers, where overflow wraps around as in NumPy instead of being undefined.
      return static_cast<Out>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
    case Reduce::max:
      return a < b ? b : a;
    case Reduce::min:
      return b < a ? b : a;
    default:
      return static_cast<Out>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  }
}

template <typename Out>
Out identity_of(Reduce reduction) {
  if (reduction == Reduce::max) return std::numeric_limits<Out>::lowest();
  if (reduction == Reduce::min) return std::numeric_limits<Out>::max();
  return reduction == Reduce::prod ? Out(1) : Out(0);
}

template <typename In, typename Out>
void reduce_plain(Reduce reduction, const In* x, const ReduceSizes& s, Out* out) {
  std::fill_n(out, s.outer * s.inner, identity_of<Out>(reduction));
  for (Index o = 0; o < s.outer; ++o) {
    for (Index l = 0; l < s.length; ++l) {
      const In* row = x + (o * s.length + l) * s.inner;
      Out* into = out + o * s.inner;
      for (Index i = 0; i < s.inner; ++i) into[i] = combined(reduction, into[i], convert<Out>(row[i]));
    }
  }
}

// What one call out of others that run together makes, in place of elements in memory.
struct MadeByCall {
  cpu::PreparedCalls& prepared;
  std::span<const cpu::FusedCall> calls;
  std::size_t wanted;
};

template <typename In, typename Out>
void reduce_step(Reduce reduction, const MadeByCall& x, const ReduceSizes& sizes, const Out*, Out* out) {
  x.prepared.reduce<Out>(x.calls, x.wanted, reduction, sizes, out);
}

template <typename In, typename Out>
void reduce_step(Reduce reduction, const In* x, const ReduceSizes& sizes, const Out* centre, Out* out) {
  if constexpr (std::is_same_v<In, Out> && std::is_floating_point_v<In>) {
    cpu::reduce<Out>(reduction, x, sizes, centre, out);
  } else if constexpr (std::is_integral_v<Out>) {
    reduce_plain<In, Out>(reduction, x, sizes, out);
  }
}

ReduceSizes sizes_around(const Segments& segments, std::size_t at) {
  ReduceSizes sizes;
  for (std::size_t i = 0; i < at; ++i) sizes.outer *= segments[i].size;
  sizes.length = segments[at].size;
  for (std::size_t i = at + 1; i < segments.size(); ++i) sizes.inner *= segments[i].size;
  return sizes;
}

std::size_t last_reduced(const Segments& segments) {
  std::size_t at = segments.size();
  while (at > 0 && !segments[at - 1].reduced) --at;
  return at;  // one behind it; 0: there is none
}

// Of the step that goes over the elements themselves.
ReduceSizes first_sizes(const Segments& segments) {
  const std::size_t last = last_reduced(segments);
  if (last == 0) return {.outer = sizes_around(segments, 0).length, .length = 1, .inner = 1};
  return sizes_around(segments, last - 1);
}

Segments without(const Segments& segments, std::size_t at) {
  Segments out;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (i != at) append(out, segments[i]);
  }
  return out;
}

// The centre of each result, repeated for every partial result that goes into it.
template <typename Out>
Ref<Storage> spread_centre(const Out* centre, const Segments& partial, Index count) {
  MergedAxes axes;
  Strides strides;
  Index stride = 1;
  for (std::size_t i = 0; i < partial.size(); ++i) {
    axes.sizes.push_back(partial[i].size);
    strides.push_back(0);
  }
  for (std::size_t i = partial.size(); i-- > 0;) {
    if (partial[i].reduced) continue;
    strides[static_cast<int>(i)] = stride;
    stride *= partial[i].size;
  }
  axes.strides.push_back(strides);
  Ref<Storage> out = Storage::allocate(static_cast<std::size_t>(count) * sizeof(Out));
  gather_run(centre, sizeof(Out), axes, 0, 0, count, out->data());
  return out;
}

// The innermost reduced segment first, then the partial results, until one reduced segment is left. Nothing
// is transposed: [batch, channel, pixel] over batch and pixel is rows, then columns.
template <typename In, typename Out, typename Elements>
void reduce_segments(Reduce reduction, const Elements& x, const Segments& segments, const Out* centre,
                     Out* out) {
  const std::size_t last = last_reduced(segments);
  if (last == 0) {  // only axes of size 1 are reduced
    return reduce_step<In, Out>(reduction, x, first_sizes(segments), centre, out);
  }
  const std::size_t at = last - 1;
  const ReduceSizes sizes = first_sizes(segments);
  const Segments rest = without(segments, at);
  if (last_reduced(rest) == 0) return reduce_step<In, Out>(reduction, x, sizes, centre, out);
  const Index count = sizes.outer * sizes.inner;
  const Ref<Storage> partial = Storage::allocate(static_cast<std::size_t>(count) * sizeof(Out));
  auto* typed = static_cast<Out*>(partial->data());
  Ref<Storage> spread;
  if (centre != nullptr) {
    spread = spread_centre(centre, rest, count);
    centre = static_cast<const Out*>(spread->data());
  }
  reduce_step<In, Out>(reduction, x, sizes, centre, typed);
  const bool adds = reduction == Reduce::squares || reduction == Reduce::exps;
  reduce_segments<Out, Out>(adds ? Reduce::sum : reduction, typed, rest, nullptr, out);
}

}  // namespace

bool reduces_in_runs(const Tensor& x, const Axes& axes) {
  Segments segments;
  const bool floats = x.dtype() == kFloat32 || x.dtype() == kFloat64;
  return floats && x.numel() > 0 && segments_in_memory(x, axes, segments) && !segments.empty() &&
         cpu::reduces_in_runs(first_sizes(segments));
}

void sum_fused(cpu::PreparedCalls& prepared, std::span<const cpu::FusedCall> calls, std::size_t wanted,
               const Tensor& like, const Axes& axes, void* out) {
  Segments segments;
  segments_in_memory(like, axes, segments);
  visit_floats(like.dtype(), "reduce", [&](auto tag) {
    using T = typename decltype(tag)::type;
    reduce_segments<T, T>(Reduce::sum, MadeByCall{prepared, calls, wanted}, segments,
                          static_cast<const T*>(nullptr), static_cast<T*>(out));
  });
}

void divide_all(const Tensor& x, double by) {
  visit_floats(x.dtype(), "reduce", [&](auto tag) {
    using T = typename decltype(tag)::type;
    auto* out = static_cast<T*>(const_cast<void*>(x.raw()));
    for (Index i = 0; i < x.numel(); ++i) out[i] /= static_cast<T>(by);
  });
}

void reduce_tensor(Reduce reduction, const Tensor& x, const Axes& axes, const void* centre, DType dtype,
                   void* out) {
  Segments segments;
  Tensor copy;
  const Tensor* dense = &x;
  if (x.numel() == 0) {
    // Only the sizes count; in front and behind the same.
    segments.push_back({reduced_shape(x.shape(), axes, false).numel(), false});
    segments.push_back({reduced_count(x.shape(), axes), true});
  } else if (!segments_in_memory(x, axes, segments)) {
    copy = contiguous(x);
    dense = &copy;
    segments.clear();
    segments_in_memory(copy, axes, segments);
  }
  if (segments.empty()) segments.push_back({1, false});
  visit_numbers(x.dtype(), "reduce", [&](auto from) {
    using In = typename decltype(from)::type;
    const In* elements = static_cast<const In*>(dense->raw());
    if (dtype == x.dtype()) {
      reduce_segments<In, In>(reduction, elements, segments, static_cast<const In*>(centre),
                              static_cast<In*>(out));
    } else if (dtype == kBool) {
      reduce_segments<In, bool>(reduction, elements, segments, nullptr, static_cast<bool*>(out));
    } else if constexpr (std::is_integral_v<In>) {
      reduce_segments<In, std::int64_t>(reduction, elements, segments, nullptr,
                                        static_cast<std::int64_t*>(out));
    }
  });
}

}  // namespace splot
