#include "splot/nn/internal/builtin_layers.h"

#include <algorithm>
#include <span>

#include "splot/nn/activation_layers.h"
#include "splot/nn/conv.h"
#include "splot/nn/dropout.h"
#include "splot/nn/flatten.h"
#include "splot/nn/internal/mode_names.h"
#include "splot/nn/layer_graph.h"
#include "splot/nn/linear.h"
#include "splot/nn/normalization_layers.h"
#include "splot/nn/pooling_layers.h"
#include "splot/nn/resize_layers.h"
#include "splot/nn/sequential.h"

namespace splot {
namespace {

using Children = std::vector<NamedLayer>;

LayerPtr make_sequential(const Arguments&, Children children) {
  return std::make_shared<Sequential>(std::move(children));
}

LayerPtr make_graph(const Arguments&, Children children) {
  return std::make_shared<LayerGraph>(std::move(children));
}

LayerPtr make_concat(const Arguments& a, const Children&) {
  return std::make_shared<Concat>(ConcatOptions{.axis = a.integer("axis", ConcatOptions().axis)});
}

LayerPtr make_pad_shortcut(const Arguments& a, const Children&) {
  const PadShortcutOptions defaults;
  return std::make_shared<PadShortcut>(PadShortcutOptions{
      .stride = a.integer("stride", defaults.stride), .channels = a.integer("channels", defaults.channels)});
}

LayerPtr make_linear(const Arguments& a, const Children&) {
  const LinearOptions defaults;
  const Index in = a.integer("in"), out = a.integer("out");
  return std::make_shared<Linear>(
      in, out,
      LinearOptions{.bias = a.flag("bias", defaults.bias),
                    .weight_init = a.initializer("weight_init", defaults.weight_init),
                    .bias_init = a.initializer("bias_init", defaults.bias_init),
                    .dtype = a.dtype("dtype", defaults.dtype)});
}

template <typename Options>
Options conv_options(const Arguments& a) {
  Options o;
  o.stride = a.ints("stride", o.stride);
  o.padding = a.ints("padding", o.padding);
  o.dilation = a.ints("dilation", o.dilation);
  o.groups = a.integer("groups", o.groups);
  o.bias = a.flag("bias", o.bias);
  o.weight_init = a.initializer("weight_init", o.weight_init);
  o.bias_init = a.initializer("bias_init", o.bias_init);
  o.dtype = a.dtype("dtype", o.dtype);
  if constexpr (requires { o.same; }) o.same = a.flag("same", o.same);
  if constexpr (requires { o.output_padding; }) o.output_padding = a.ints("output_padding", o.output_padding);
  return o;
}

LayerPtr make_conv1d(const Arguments& a, const Children&) {
  const Index in = a.integer("in"), out = a.integer("out"), kernel = a.integer("kernel");
  return std::make_shared<Conv1d>(in, out, kernel, conv_options<ConvLayerOptions>(a));
}

LayerPtr make_conv2d(const Arguments& a, const Children&) {
  const Index in = a.integer("in"), out = a.integer("out");
  const Ints kernel = a.ints("kernel");
  return std::make_shared<Conv2d>(in, out, kernel, conv_options<ConvLayerOptions>(a));
}

LayerPtr make_conv_transpose2d(const Arguments& a, const Children&) {
  const Index in = a.integer("in"), out = a.integer("out");
  const Ints kernel = a.ints("kernel");
  return std::make_shared<ConvTranspose2d>(in, out, kernel, conv_options<ConvTransposeLayerOptions>(a));
}

template <typename L>
LayerPtr make_plain(const Arguments&, const Children&) {
  return std::make_shared<L>();
}

LayerPtr make_flatten(const Arguments& a, const Children&) {
  return std::make_shared<Flatten>(FlattenOptions{.first = a.integer("first", FlattenOptions().first),
                                                  .last = a.integer("last", FlattenOptions().last)});
}

LayerPtr make_dropout(const Arguments& a, const Children&) {
  return std::make_shared<Dropout>(DropoutOptions{.p = a.number("p", DropoutOptions().p)});
}

LayerPtr make_prelu(const Arguments& a, const Children&) {
  const PReLUOptions defaults;
  return std::make_shared<PReLU>(PReLUOptions{.channels = a.integer("channels", defaults.channels),
                                              .slope = a.number("slope", defaults.slope),
                                              .dtype = a.dtype("dtype", defaults.dtype)});
}

LayerPtr make_leaky_relu(const Arguments& a, const Children&) {
  return std::make_shared<LeakyReLU>(LeakyReLUOptions{.slope = a.number("slope", LeakyReLUOptions().slope)});
}

LayerPtr make_elu(const Arguments& a, const Children&) {
  return std::make_shared<ELU>(ELUOptions{.alpha = a.number("alpha", ELUOptions().alpha)});
}

LayerPtr make_gelu(const Arguments& a, const Children&) {
  return std::make_shared<GELU>(GELUOptions{.tanh = a.flag("tanh", GELUOptions().tanh)});
}

template <typename L>
LayerPtr make_batch_norm(const Arguments& a, const Children&) {
  const BatchNormOptions defaults;
  return std::make_shared<L>(
      a.integer("channels"),
      BatchNormOptions{.eps = a.number("eps", defaults.eps),
                       .momentum = a.number("momentum", defaults.momentum),
                       .affine = a.flag("affine", defaults.affine),
                       .track_running_stats = a.flag("track_running_stats", defaults.track_running_stats),
                       .dtype = a.dtype("dtype", defaults.dtype)});
}

NormLayerOptions norm_options(const Arguments& a) {
  const NormLayerOptions defaults;
  return {.eps = a.number("eps", defaults.eps),
          .affine = a.flag("affine", defaults.affine),
          .dtype = a.dtype("dtype", defaults.dtype)};
}

LayerPtr make_layer_norm(const Arguments& a, const Children&) {
  const Ints sizes = a.ints("sizes");
  return std::make_shared<LayerNorm>(sizes, norm_options(a));
}

LayerPtr make_group_norm(const Arguments& a, const Children&) {
  const Index groups = a.integer("groups"), channels = a.integer("channels");
  return std::make_shared<GroupNorm>(groups, channels, norm_options(a));
}

MaxPoolOptions max_pool_options(const Arguments& a) {
  const MaxPoolOptions defaults;
  return {.stride = a.ints("stride", defaults.stride),
          .padding = a.ints("padding", defaults.padding),
          .dilation = a.ints("dilation", defaults.dilation),
          .ceil_mode = a.flag("ceil_mode", defaults.ceil_mode)};
}

AvgPoolOptions avg_pool_options(const Arguments& a) {
  const AvgPoolOptions defaults;
  return {.stride = a.ints("stride", defaults.stride),
          .padding = a.ints("padding", defaults.padding),
          .ceil_mode = a.flag("ceil_mode", defaults.ceil_mode),
          .count_include_pad = a.flag("count_include_pad", defaults.count_include_pad),
          .divisor = a.integer("divisor", defaults.divisor)};
}

LayerPtr make_max_pool1d(const Arguments& a, const Children&) {
  const Index kernel = a.integer("kernel");
  return std::make_shared<MaxPool1d>(kernel, max_pool_options(a));
}
LayerPtr make_max_pool2d(const Arguments& a, const Children&) {
  const Ints kernel = a.ints("kernel");
  return std::make_shared<MaxPool2d>(kernel, max_pool_options(a));
}
LayerPtr make_avg_pool1d(const Arguments& a, const Children&) {
  const Index kernel = a.integer("kernel");
  return std::make_shared<AvgPool1d>(kernel, avg_pool_options(a));
}
LayerPtr make_avg_pool2d(const Arguments& a, const Children&) {
  const Ints kernel = a.ints("kernel");
  return std::make_shared<AvgPool2d>(kernel, avg_pool_options(a));
}
template <typename L>
LayerPtr make_adaptive_pool(const Arguments& a, const Children&) {
  return std::make_shared<L>(a.ints("size"));
}
template <typename L>
LayerPtr make_adaptive_pool1d(const Arguments& a, const Children&) {
  return std::make_shared<L>(a.integer("size"));
}

// The enumerator whose name the argument "mode" is.
template <typename Mode>
Mode mode(const Arguments& a, std::span<const char* const> names, Mode fallback) {
  const std::string given = a.text("mode", names[static_cast<std::size_t>(fallback)]);
  const auto found = std::find(names.begin(), names.end(), given);
  if (found == names.end()) {
    std::string list;
    for (const char* name : names) list += join(list.empty() ? "" : ", ", name);
    fail<ValueError>("layer", "the mode \"", given, "\" is none of ", list);
  }
  return static_cast<Mode>(found - names.begin());
}

LayerPtr make_pad2d(const Arguments& a, const Children&) {
  const Pad2dOptions defaults;
  const Ints padding = a.ints("padding");
  return std::make_shared<Pad2d>(padding, Pad2dOptions{.mode = mode(a, kPadModeNames, defaults.mode),
                                                       .value = a.number("value", defaults.value)});
}

ResizeOptions resize_options(const Arguments& a) {
  const ResizeOptions defaults;
  return {.mode = mode(a, kResizeModeNames, defaults.mode),
          .align_corners = a.flag("align_corners", defaults.align_corners)};
}

LayerPtr make_resize(const Arguments& a, const Children&) {
  const Ints size = a.ints("size");
  return std::make_shared<Resize>(size, resize_options(a));
}

LayerPtr make_upsample(const Arguments& a, const Children&) {
  const Ints scale = a.ints("scale");
  return std::make_shared<Upsample>(scale, resize_options(a));
}

template <typename L>
LayerPtr make_softmax(const Arguments& a, const Children&) {
  return std::make_shared<L>(SoftmaxOptions{.axis = a.integer("axis", SoftmaxOptions().axis)});
}

}  // namespace

void for_each_builtin_layer(const RegisterLayer& add) {
  add("sequential", typeid(Sequential), make_sequential, true);
  add("graph", typeid(LayerGraph), make_graph, true);
  add("add", typeid(Add), make_plain<Add>, false);
  add("concat", typeid(Concat), make_concat, false);
  add("pad_shortcut", typeid(PadShortcut), make_pad_shortcut, false);
  add("linear", typeid(Linear), make_linear, false);
  add("conv1d", typeid(Conv1d), make_conv1d, false);
  add("conv2d", typeid(Conv2d), make_conv2d, false);
  add("conv_transpose2d", typeid(ConvTranspose2d), make_conv_transpose2d, false);
  add("flatten", typeid(Flatten), make_flatten, false);
  add("dropout", typeid(Dropout), make_dropout, false);
  add("max_pool1d", typeid(MaxPool1d), make_max_pool1d, false);
  add("max_pool2d", typeid(MaxPool2d), make_max_pool2d, false);
  add("avg_pool1d", typeid(AvgPool1d), make_avg_pool1d, false);
  add("avg_pool2d", typeid(AvgPool2d), make_avg_pool2d, false);
  add("adaptive_avg_pool2d", typeid(AdaptiveAvgPool2d), make_adaptive_pool<AdaptiveAvgPool2d>, false);
  add("adaptive_max_pool2d", typeid(AdaptiveMaxPool2d), make_adaptive_pool<AdaptiveMaxPool2d>, false);
  add("adaptive_avg_pool1d", typeid(AdaptiveAvgPool1d), make_adaptive_pool1d<AdaptiveAvgPool1d>, false);
  add("adaptive_max_pool1d", typeid(AdaptiveMaxPool1d), make_adaptive_pool1d<AdaptiveMaxPool1d>, false);
  add("global_avg_pool", typeid(GlobalAvgPool), make_plain<GlobalAvgPool>, false);
  add("global_max_pool", typeid(GlobalMaxPool), make_plain<GlobalMaxPool>, false);
  add("pad2d", typeid(Pad2d), make_pad2d, false);
  add("resize", typeid(Resize), make_resize, false);
  add("upsample", typeid(Upsample), make_upsample, false);
  add("batch_norm1d", typeid(BatchNorm1d), make_batch_norm<BatchNorm1d>, false);
  add("batch_norm2d", typeid(BatchNorm2d), make_batch_norm<BatchNorm2d>, false);
  add("layer_norm", typeid(LayerNorm), make_layer_norm, false);
  add("group_norm", typeid(GroupNorm), make_group_norm, false);
  add("identity", typeid(Identity), make_plain<Identity>, false);
  add("binary_step", typeid(BinaryStep), make_plain<BinaryStep>, false);
  add("sigmoid", typeid(Sigmoid), make_plain<Sigmoid>, false);
  add("tanh", typeid(Tanh), make_plain<Tanh>, false);
  add("arctan", typeid(Arctan), make_plain<Arctan>, false);
  add("relu", typeid(ReLU), make_plain<ReLU>, false);
  add("softplus", typeid(Softplus), make_plain<Softplus>, false);
  add("silu", typeid(SiLU), make_plain<SiLU>, false);
  add("softsign", typeid(Softsign), make_plain<Softsign>, false);
  add("prelu", typeid(PReLU), make_prelu, false);
  add("leaky_relu", typeid(LeakyReLU), make_leaky_relu, false);
  add("elu", typeid(ELU), make_elu, false);
  add("gelu", typeid(GELU), make_gelu, false);
  add("softmax", typeid(Softmax), make_softmax<Softmax>, false);
  add("log_softmax", typeid(LogSoftmax), make_softmax<LogSoftmax>, false);
}

}  // namespace splot
