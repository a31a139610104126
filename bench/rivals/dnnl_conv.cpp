#include <memory>
#include <unordered_map>
#include <vector>

#include <dnnl.hpp>

#include "bench/rivals/conv_rivals.h"

namespace splot::bench {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;

// The memory that a primitive wants, filled with numbers.
memory filled(const memory::desc& desc, const dnnl::engine& engine) {
  memory out(desc, engine);
  float* values = static_cast<float*>(out.get_data_handle());
  for (std::size_t i = 0; i < desc.get_size() / sizeof(float); ++i)
    values[i] = 0.01f * static_cast<float>(i % 7);
  return out;
}

}  // namespace

std::function<void()> dnnl_conv(const cpu::ConvShape& s, ConvPart part, bool plain) {
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  const dnnl::stream stream(engine);
  const auto axis_end = [](const cpu::ConvAxis& a) {
    return (a.out - 1) * a.stride + (a.kernel - 1) * a.dilation + 1 - a.in - a.pad;
  };
  const memory::dims strides = {s.y.stride, s.x.stride};
  const memory::dims begin = {s.y.pad, s.x.pad}, end = {axis_end(s.y), axis_end(s.x)};
  const Tag images = plain ? Tag::nchw : Tag::any;
  const memory::desc x({s.images, s.in_channels, s.y.in, s.x.in}, memory::data_type::f32, images);
  const memory::desc y({s.images, s.out_channels, s.y.out, s.x.out}, memory::data_type::f32, images);
  const memory::desc w({s.out_channels, s.in_channels, s.y.kernel, s.x.kernel}, memory::data_type::f32,
                       Tag::any);
  const dnnl::convolution_forward::primitive_desc forward(
      {dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_auto, x, w, y, strides, begin, end},
      engine);
  const auto run = [stream](const dnnl::primitive& primitive,
                            const std::unordered_map<int, memory>& arguments) {
    return [=] {
      primitive.execute(stream, arguments);
      dnnl::stream(stream).wait();
    };
  };
  if (part == ConvPart::forward) {
    return run(dnnl::convolution_forward(forward),
               {{DNNL_ARG_SRC, filled(forward.src_desc(), engine)},
                {DNNL_ARG_WEIGHTS, filled(forward.weights_desc(), engine)},
                {DNNL_ARG_DST, filled(forward.dst_desc(), engine)}});
  }
  if (part == ConvPart::input_gradient) {
    const dnnl::convolution_backward_data::primitive_desc backward(
        {dnnl::algorithm::convolution_auto, x, w, y, strides, begin, end}, engine, forward);
    return run(dnnl::convolution_backward_data(backward),
               {{DNNL_ARG_DIFF_DST, filled(backward.diff_dst_desc(), engine)},
                {DNNL_ARG_WEIGHTS, filled(backward.weights_desc(), engine)},
                {DNNL_ARG_DIFF_SRC, filled(backward.diff_src_desc(), engine)}});
  }
  const dnnl::convolution_backward_weights::primitive_desc backward(
      {dnnl::algorithm::convolution_auto, x, w, y, strides, begin, end}, engine, forward);
  return run(dnnl::convolution_backward_weights(backward),
             {{DNNL_ARG_SRC, filled(backward.src_desc(), engine)},
              {DNNL_ARG_DIFF_DST, filled(backward.diff_dst_desc(), engine)},
              {DNNL_ARG_DIFF_WEIGHTS, filled(backward.diff_weights_desc(), engine)}});
}

}  // namespace splot::bench
