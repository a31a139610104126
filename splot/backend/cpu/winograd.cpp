#include "splot/backend/cpu/winograd.h"

#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/internal/conv_choice.h"
#include "splot/backend/cpu/internal/conv_plan.h"

namespace splot::cpu {
namespace {

const ConvKernels<float>& float_kernels() { return conv_kernels(instruction_set(), float{}); }

WinogradConv<float> winograd_conv(const ConvShape& s) {
  return {.images = s.images,
          .in_channels = s.in_channels,
          .out_channels = s.out_channels,
          .in_rows = s.y.in,
          .in_cols = s.x.in,
          .rows = s.y.out,
          .cols = s.x.out,
          .rows_before = s.y.pad,
          .cols_before = s.x.pad};
}

}  // namespace

bool conv_goes_by_winograd(const ConvShape& s) {
  if (s.groups != 1) return false;
  const ConvKernels<float>& kernels = float_kernels();
  if (better_by_winograd(kernels, s, winograd_conv(s))) return true;
  if (!are_few(kernels, s.images) || s.x.stride > 1) return false;
  const Ends cols = missing(s.x);
  return better_by_winograd(kernels, s, s.in_channels, s.out_channels,
                            (s.x.in + cols.before + cols.after) * s.images);
}

void winograd_weights(Index out, Index in, const float* w, float* transformed) {
  float_kernels().winograd_weights(out, in, w, transformed);
}

void conv_winograd(const ConvShape& shape, const float* x, const float* transformed,
                   const ConvEpilogue<float>& epilogue, const float* shortcut, float* y) {
  if (shape.images == 0 || shape.y.out == 0 || shape.x.out == 0) return;
  WinogradConv<float> c = winograd_conv(shape);
  c.in = x;
  c.transformed = transformed;
  c.out = y;
  c.epilogue = epilogue;
  c.shortcut = shortcut;
  const ConvKernels<float>& kernels = float_kernels();
  shape.images == 1 ? kernels.winograd(c) : kernels.winograd_images(c);
}

}  // namespace splot::cpu
