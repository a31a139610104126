#include "splot/backend/cpu/conv.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/internal/conv_choice.h"
#include "splot/backend/cpu/internal/conv_plan.h"
#include "splot/backend/cpu/internal/conv_planes.h"
#include "splot/backend/cpu/thread_pool.h"

// Kernels, each of which must agree with the last:
//   correlate    internal/conv_forward-inl.h   forward, and the input gradient as correlations of dy
//   winograd     internal/conv_winograd-inl.h  forward of one image by 3 x 3; conv_winograd_images-inl.h:
//                                              forward and input gradient of many; conv_choice.h: where
//   sum_weights  internal/conv_weights-inl.h   the weight gradient
//   reference    below                         the definitions, in plain loops
namespace splot::cpu {
namespace {

Taps taps_of(const ConvAxis& a) {
  return {
      .stride = a.stride, .first = -a.pad, .step = a.dilation, .count = a.kernel, .in = a.in, .out = a.out};
}

bool always_valid(const Taps& t) {
  const Taps::Range all{0, t.count};
  return t.out == 0 || (t.valid(0) == all && t.valid(t.out - 1) == all);
}

constexpr Taps single_tap(Index out) {
  return {.stride = 1, .first = 0, .step = 1, .count = 1, .in = out, .out = out};
}

// One phase of an input gradient along one axis: the inputs first + m stride, what they were read through,
// and the taps of dy that this makes.
struct Phase {
  Taps dy;
  Index first_tap, tap_step;
};

// Input i was read by output o through tap k where o stride = i + pad - k dilation; of inputs that leave the
// same rest on division by the stride, the same taps count.
Phase phase_of(const ConvAxis& a, Index first) {
  const Index common = std::gcd(a.stride, a.dilation);
  Phase p{.dy = {.stride = 1,
                 .first = 0,
                 .step = -(a.dilation / common),
                 .count = 0,
                 .in = a.out,
                 .out = (a.in - first + a.stride - 1) / a.stride},
          .first_tap = 0,
          .tap_step = a.stride / common};
  const auto divides = [&](Index k) { return (first + a.pad - k * a.dilation) % a.stride == 0; };
  while (p.first_tap < p.tap_step && !divides(p.first_tap)) ++p.first_tap;
  if (p.first_tap == p.tap_step || p.first_tap >= a.kernel) return p;
  p.dy.count = (a.kernel - p.first_tap + p.tap_step - 1) / p.tap_step;
  p.dy.first = (first + a.pad - p.first_tap * a.dilation) / a.stride;
  return p;
}

// What was computed, rows `row` numbers apart, to y: as it is, or the largest of each 2 x 2.
template <typename T>
void rows_to(const ConvKernels<T>& kernels, const ConvShape& s, Index channels, const T* from, Index row,
             Index plane, bool pool, T* y) {
  const Index rows = pool ? s.y.out / 2 : s.y.out, cols = pool ? s.x.out / 2 : s.x.out;
  const double microseconds = static_cast<double>(channels * plane) / 4000.0;
  parallel_for(channels, microseconds, [&](Index o) {
    T* to = y + o * rows * cols * s.images;
    for (Index i = 0; i < rows; ++i, to += cols * s.images) {
      const T* at = from + o * plane + (pool ? 2 * i : i) * row;
      if (pool) {
        kernels.pool_rows(at, at + row, cols, s.images, to);
      } else {
        copy_row(at, cols * s.images, to);
      }
    }
  });
}

// Row by row.
template <typename T>
void forward_by_rows(const ConvKernels<T>& kernels, const ConvShape& s, Correlation<T> c) {
  if (!c.epilogue.pool) return kernels.correlate(c);
  const Scratch<T> whole = scratch<T>(c.out_channels * c.out_plane);
  T* const y = c.out;
  c.out = whole.get();
  kernels.correlate(c);
  rows_to(kernels, s, c.out_channels, whole.get(), c.out_row, c.out_plane, /*pool=*/true, y);
}

// With strides along the rows: the columns of each tap behind each other, a plane for each.
template <typename T>
void forward_by_columns(const ConvKernels<T>& kernels, const ConvShape& s, Correlation<T> c) {
  const Scratch<T> columns = gathered_columns(c.in, c.in_channels, s.y.in, c.x, s.images);
  const Index plane = s.y.in * s.x.out;  // in pixels
  c.in = columns.get();
  c.in_row = s.x.out * s.images;
  c.in_plane = s.x.kernel * plane * s.images;
  c.x = {
      .stride = 1, .first = 0, .step = plane, .count = s.x.kernel, .in = s.x.kernel * plane, .out = s.x.out};
  forward_by_rows(kernels, s, c);
}

// All rows as one, the columns that are read beyond the end of a row included: full vectors where rows are
// short. What was computed for those columns is left out at the end. c reads no row and no column that does
// not exist.
template <typename T>
void forward_as_one_row(const ConvKernels<T>& kernels, const ConvShape& s, Correlation<T> c) {
  const Index positions = (s.y.out - 1) * c.in_row / c.in_pos + s.x.out;
  const Scratch<T> wide = scratch<T>(c.out_channels * positions * s.images);
  T* const y = c.out;
  c.y.out = 1;
  c.x.out = c.x.in = positions;
  c.x.in += (c.x.count - 1) * c.x.step;
  c.out = wide.get();
  c.out_plane = positions * s.images;
  kernels.correlate(c);
  rows_to(kernels, s, c.out_channels, wide.get(), c.in_row, c.out_plane, c.epilogue.pool, y);
}

// Whether that is faster than row by row.
template <typename T>
bool better_as_one_row(const ConvKernels<T>& kernels, const ConvShape& s, Index in_row) {
  const Index row = s.x.out * s.images;
  return s.y.stride == 1 && s.y.out > 1 &&
         row_cost(kernels.lanes, (s.y.out - 1) * in_row + row) <
             static_cast<double>(s.y.out) * row_cost(kernels.lanes, row);
}

template <typename T>
void forward_group(const ConvKernels<T>& kernels, const ConvShape& s, const T* x, const T* w,
                   const ConvEpilogue<T>& epilogue, T* y) {
  const Index in_channels = s.in_channels / s.groups;
  const Index window = s.y.kernel * s.x.kernel;
  Correlation<T> c{.images = s.images,
                   .in_channels = in_channels,
                   .out_channels = s.out_channels / s.groups,
                   .y = taps_of(s.y),
                   .x = taps_of(s.x),
                   .in = x,
                   .in_plane = s.y.in * s.x.in * s.images,
                   .in_row = s.x.in * s.images,
                   .in_pos = s.images,
                   .out = y,
                   .out_plane = s.y.out * s.x.out * s.images,
                   .out_row = s.x.out * s.images,
                   .out_pos = s.images,
                   .w = w,
                   .w_out = in_channels * window,
                   .w_in = window,
                   .w_row = s.x.kernel,
                   .w_col = 1,
                   .epilogue = epilogue};
  const WinogradConv<T> by_winograd{.images = s.images,
                                    .in_channels = in_channels,
                                    .out_channels = c.out_channels,
                                    .in_rows = s.y.in,
                                    .in_cols = s.x.in,
                                    .rows = s.y.out,
                                    .cols = s.x.out,
                                    .rows_before = s.y.pad,
                                    .cols_before = s.x.pad,
                                    .in = x,
                                    .w = w,
                                    .out = y,
                                    .epilogue = epilogue};
  if (better_by_winograd(kernels, s, by_winograd)) return kernels.winograd_images(by_winograd);
  if (!are_few(kernels, s.images)) return forward_by_rows(kernels, s, c);
  if (s.x.stride > 1) return forward_by_columns(kernels, s, c);
  const Ends cols = missing(s.x);
  const Ends rows = missing(s.y);
  const Index wide_row = (s.x.in + cols.before + cols.after) * s.images;
  if (better_by_winograd(kernels, s, in_channels, c.out_channels, wide_row)) {
    return kernels.winograd(by_winograd);
  }
  const bool as_one_row = better_as_one_row(kernels, s, wide_row);
  const bool columns_exist = cols.before == 0 && cols.after == 0;
  const bool rows_exist = rows.before == 0 && rows.after == 0;
  if (columns_exist && (rows_exist || !as_one_row)) {
    return as_one_row ? forward_as_one_row(kernels, s, c) : forward_by_rows(kernels, s, c);
  }
  const Bordered<T> bordered(x, in_channels, s.y.in, s.x.in, s.images, as_one_row ? rows : Ends(), cols);
  c.in = bordered.values.get();
  c.in_row = bordered.row;
  c.in_plane = bordered.plane;
  c.x.first += cols.before;
  c.x.in = bordered.width;
  if (!as_one_row) return forward_by_rows(kernels, s, c);
  c.y.first += rows.before;
  c.y.in = bordered.plane / bordered.row;
  forward_as_one_row(kernels, s, c);
}

template <typename T>
void input_gradient_group(const ConvKernels<T>& kernels, const ConvShape& s, const T* dy, const T* w, T* dx) {
  const Index in_channels = s.in_channels / s.groups;
  const Index out_channels = s.out_channels / s.groups;
  const WinogradConv<T> by_winograd{.images = s.images,
                                    .in_channels = out_channels,
                                    .out_channels = in_channels,
                                    .in_rows = s.y.out,
                                    .in_cols = s.x.out,
                                    .rows = s.y.in,
                                    .cols = s.x.in,
                                    .rows_before = 2 - s.y.pad,
                                    .cols_before = 2 - s.x.pad,
                                    .in = dy,
                                    .w = w,
                                    .backwards = true,
                                    .out = dx};
  if (better_by_winograd(kernels, s, by_winograd)) return kernels.winograd_images(by_winograd);
  Correlation<T> c{.images = s.images,
                   .in_channels = out_channels,
                   .out_channels = in_channels,
                   .y = {},
                   .x = {},
                   .in = dy,
                   .in_plane = s.y.out * s.x.out * s.images,
                   .in_row = s.x.out * s.images,
                   .in_pos = s.images,
                   .out = dx,
                   .out_plane = s.y.in * s.x.in * s.images,
                   .out_row = s.y.stride * s.x.in * s.images,
                   .out_pos = s.x.stride * s.images,
                   .w = nullptr,
                   .w_out = s.y.kernel * s.x.kernel,
                   .w_in = in_channels * s.y.kernel * s.x.kernel,
                   .epilogue = {}};
  Index phases = s.x.stride;
  Phase whole_row{};
  Scratch<T> spread_dy;
  if (are_few(kernels, s.images)) {
    // All of a row at once: dy with the zeros that strides leave out, and as many before and after as taps
    // reach.
    const Index reach = (s.x.kernel - 1) * s.x.dilation;
    const Index before = std::max<Index>(0, reach - s.x.pad);
    const Index last = s.x.in - 1 + s.x.pad;
    const Ends cols = {before, std::max<Index>(0, last - (s.x.out - 1) * s.x.stride)};
    Bordered<T> bordered(dy, out_channels, s.y.out, s.x.out, s.images, {}, cols, s.x.stride);
    phases = 1;
    whole_row = {.dy = {.stride = 1,
                        .first = s.x.pad + before,
                        .step = -s.x.dilation,
                        .count = s.x.kernel,
                        .in = bordered.width,
                        .out = s.x.in},
                 .first_tap = 0,
                 .tap_step = 1};
    c.in_row = bordered.row;
    c.in_plane = bordered.plane;
    c.out_pos = s.images;
    spread_dy = std::move(bordered.values);
    c.in = spread_dy.get();
  }
  for (Index py = 0; py < std::min(s.y.stride, s.y.in); ++py) {
    const Phase of_y = phase_of(s.y, py);
    for (Index px = 0; px < std::min(phases, s.x.in); ++px) {
      const Phase of_x = spread_dy.get() == nullptr ? phase_of(s.x, px) : whole_row;
      c.y = of_y.dy;
      c.x = of_x.dy;
      c.out = dx + (py * s.x.in + px) * s.images;
      c.w = w + of_y.first_tap * s.x.kernel + of_x.first_tap;
      c.w_row = of_y.tap_step * s.x.kernel;
      c.w_col = of_x.tap_step;
      kernels.correlate(c);
    }
  }
}

template <typename T>
void weight_gradient_group(const ConvKernels<T>& kernels, const ConvShape& s, const T* x, const T* dy,
                           T* dw) {
  const Index in_channels = s.in_channels / s.groups;
  WeightSums<T> sums{.images = s.images,
                     .in_channels = in_channels,
                     .out_channels = s.out_channels / s.groups,
                     .y = taps_of(s.y),
                     .x = taps_of(s.x),
                     .in = x,
                     .in_plane = s.y.in * s.x.in * s.images,
                     .in_row = s.x.in * s.images,
                     .in_pos = s.images,
                     .dy = dy,
                     .dy_plane = s.y.out * s.x.out * s.images,
                     .dy_row = s.x.out * s.images,
                     .dy_pos = s.images,
                     .dw = dw};
  if (!are_few(kernels, s.images) || (s.x.stride == 1 && always_valid(sums.x)))
    return kernels.sum_weights(sums);
  const Scratch<T> columns = gathered_columns(x, in_channels, s.y.in, sums.x, s.images);
  const Scratch<T> by_column = scratch<T>(s.weights() / s.groups);
  sums.in = columns.get();
  sums.in_row = s.x.out * s.images;
  sums.in_plane = s.y.in * sums.in_row;
  sums.in_channels = in_channels * s.x.kernel;
  sums.x = single_tap(s.x.out);
  sums.dw = by_column.get();
  kernels.sum_weights(sums);
  const T* from = by_column.get();  // [out][in][column][row]
  for (Index filter = 0; filter < sums.out_channels * in_channels; ++filter) {
    for (Index j = 0; j < s.x.kernel; ++j) {
      for (Index i = 0; i < s.y.kernel; ++i) dw[(filter * s.y.kernel + i) * s.x.kernel + j] = *from++;
    }
  }
}

Index numbers_per_channel(const ConvShape& s, bool pool) {
  return (pool ? (s.y.out / 2) * (s.x.out / 2) : s.y.out * s.x.out) * s.images;
}

// Calls body(x, w and y of the group, its first output channel).
template <typename X, typename W, typename Y, typename Body>
void for_each_group(const ConvShape& s, X* x, W* w, Y* y, Body&& body, bool pool = false) {
  const Index in = s.in_channels / s.groups * s.y.in * s.x.in * s.images;
  const Index out = s.out_channels / s.groups;
  for (Index g = 0; g < s.groups; ++g) {
    body(x + g * in, w + g * (s.weights() / s.groups), y + g * out * numbers_per_channel(s, pool), g * out);
  }
}

// Calls body(offset in x, offset in w, offset in y) for every product of the sums.
template <typename Body>
void for_each_product(const ConvShape& s, Body&& body) {
  const Index in_channels = s.in_channels / s.groups;
  const Index out_channels = s.out_channels / s.groups;
  const Taps rows = taps_of(s.y), cols = taps_of(s.x);
  for (Index o = 0; o < s.out_channels; ++o) {
    for (Index c = 0; c < in_channels; ++c) {
      for (Index i = 0; i < s.y.kernel; ++i) {
        for (Index j = 0; j < s.x.kernel; ++j) {
          for (Index oy = 0; oy < s.y.out; ++oy) {
            for (Index ox = 0; ox < s.x.out; ++ox) {
              const Index iy = rows.at(oy, i), ix = cols.at(ox, j);
              if (iy < 0 || iy >= s.y.in || ix < 0 || ix >= s.x.in) continue;
              const Index channel = o / out_channels * in_channels + c;
              for (Index n = 0; n < s.images; ++n) {
                body(((channel * s.y.in + iy) * s.x.in + ix) * s.images + n,
                     ((o * in_channels + c) * s.y.kernel + i) * s.x.kernel + j,
                     ((o * s.y.out + oy) * s.x.out + ox) * s.images + n);
              }
            }
          }
        }
      }
    }
  }
}

// The definition of ConvEpilogue::pool, for [channels, rows, cols, images].
template <typename T>
void pool_reference(Index channels, Index rows, Index cols, Index images, const T* from, T* to) {
  for (Index i = 0; i < channels * (rows / 2) * (cols / 2) * images; ++i) {
    const Index n = i % images, x = i / images % (cols / 2), y = i / images / (cols / 2) % (rows / 2);
    const Index channel = i / images / (cols / 2) / (rows / 2);
    T best = -std::numeric_limits<T>::infinity();
    for (const Index k : {0, 1, 2, 3}) {
      const T value = from[((channel * rows + 2 * y + k / 2) * cols + 2 * x + k % 2) * images + n];
      if (value > best || std::isnan(value)) best = value;
    }
    to[i] = best;
  }
}

Index numbers_out(const ConvShape& s) { return s.out_channels * s.y.out * s.x.out * s.images; }
Index numbers_in(const ConvShape& s) { return s.in_channels * s.y.in * s.x.in * s.images; }

}  // namespace

template <typename T>
void conv_forward(const ConvShape& shape, const T* x, const T* w, const ConvEpilogue<T>& epilogue, T* y) {
  if (numbers_out(shape) == 0) return;
  const ConvKernels<T>& kernels = conv_kernels(instruction_set(), T{});
  for_each_group(
      shape, x, w, y,
      [&](const T* gx, const T* gw, T* gy, Index first) {
        forward_group(kernels, shape, gx, gw, epilogue.from(first), gy);
      },
      epilogue.pool);
}

template <typename T>
bool conv_pools_with_winners(const ConvShape& s) {
  const WinogradConv<T> by_winograd{.images = s.images,
                                    .in_channels = s.in_channels,
                                    .out_channels = s.out_channels,
                                    .rows = s.y.out,
                                    .cols = s.x.out};
  return s.groups == 1 && better_by_winograd(conv_kernels(instruction_set(), T{}), s, by_winograd);
}

template <typename T>
void conv_input_gradient(const ConvShape& shape, const T* dy, const T* w, T* dx) {
  if (numbers_in(shape) == 0) return;
  const ConvKernels<T>& kernels = conv_kernels(instruction_set(), T{});
  for_each_group(shape, dx, w, dy, [&](T* gx, const T* gw, const T* gy, Index) {
    input_gradient_group(kernels, shape, gy, gw, gx);
  });
}

template <typename T>
void conv_weight_gradient(const ConvShape& shape, const T* x, const T* dy, T* dw) {
  std::fill_n(dw, shape.weights(), T(0));
  if (numbers_out(shape) == 0 || numbers_in(shape) == 0) return;
  const ConvKernels<T>& kernels = conv_kernels(instruction_set(), T{});
  for_each_group(shape, x, dw, dy, [&](const T* gx, T* gw, const T* gy, Index) {
    weight_gradient_group(kernels, shape, gx, gy, gw);
  });
}

template <typename T>
void conv_forward_reference(const ConvShape& shape, const T* x, const T* w, const ConvEpilogue<T>& epilogue,
                            T* y) {
  if (epilogue.pool) {
    ConvEpilogue<T> before = epilogue;
    before.pool = false;
    const Scratch<T> whole = scratch<T>(numbers_out(shape));
    conv_forward_reference(shape, x, w, before, whole.get());
    return pool_reference(shape.out_channels, shape.y.out, shape.x.out, shape.images, whole.get(), y);
  }
  std::fill_n(y, numbers_out(shape), T(0));
  for_each_product(shape, [&](Index in, Index weight, Index out) { y[out] += w[weight] * x[in]; });
  const Index plane = shape.y.out * shape.x.out * shape.images;
  for (Index o = 0; o < shape.out_channels; ++o) {
    const T scale = epilogue.scale == nullptr ? T(1) : epilogue.scale[o];
    const T bias = epilogue.bias == nullptr ? T(0) : epilogue.bias[o];
    for (T* at = y + o * plane; at != y + (o + 1) * plane; ++at) {
      *at = scale * *at + bias;
      if (epilogue.relu && *at <= T(0)) *at = T(0);
    }
  }
}

template <typename T>
void conv_input_gradient_reference(const ConvShape& shape, const T* dy, const T* w, T* dx) {
  std::fill_n(dx, numbers_in(shape), T(0));
  for_each_product(shape, [&](Index in, Index weight, Index out) { dx[in] += w[weight] * dy[out]; });
}

template <typename T>
void conv_weight_gradient_reference(const ConvShape& shape, const T* x, const T* dy, T* dw) {
  std::fill_n(dw, shape.weights(), T(0));
  for_each_product(shape, [&](Index in, Index weight, Index out) { dw[weight] += x[in] * dy[out]; });
}

template <typename T>
void transpose(Index rows, Index cols, const T* from, Index from_stride, T* to, Index to_stride) {
  constexpr Index kBlock = 16;
  const Index blocks = (rows + kBlock - 1) / kBlock;
  parallel_for(blocks, static_cast<double>(rows * cols) / 1000.0, [&](Index block) {
    const Index begin = block * kBlock, end = std::min(rows, begin + kBlock);
    for (Index col = 0; col < cols; col += kBlock) {
      const Index last = std::min(cols, col + kBlock);
      for (Index j = col; j < last; ++j) {
        for (Index i = begin; i < end; ++i) to[j * to_stride + i] = from[i * from_stride + j];
      }
    }
  });
}

template void conv_forward(const ConvShape&, const float*, const float*, const ConvEpilogue<float>&, float*);
template void conv_forward(const ConvShape&, const double*, const double*, const ConvEpilogue<double>&,
                           double*);
template bool conv_pools_with_winners<float>(const ConvShape&);
template bool conv_pools_with_winners<double>(const ConvShape&);
template void conv_input_gradient(const ConvShape&, const float*, const float*, float*);
template void conv_input_gradient(const ConvShape&, const double*, const double*, double*);
template void conv_weight_gradient(const ConvShape&, const float*, const float*, float*);
template void conv_weight_gradient(const ConvShape&, const double*, const double*, double*);
template void conv_forward_reference(const ConvShape&, const float*, const float*, const ConvEpilogue<float>&,
                                     float*);
template void conv_forward_reference(const ConvShape&, const double*, const double*,
                                     const ConvEpilogue<double>&, double*);
template void conv_input_gradient_reference(const ConvShape&, const float*, const float*, float*);
template void conv_input_gradient_reference(const ConvShape&, const double*, const double*, double*);
template void conv_weight_gradient_reference(const ConvShape&, const float*, const float*, float*);
template void conv_weight_gradient_reference(const ConvShape&, const double*, const double*, double*);
template void transpose(Index, Index, const float*, Index, float*, Index);
template void transpose(Index, Index, const double*, Index, double*, Index);

}  // namespace splot::cpu
