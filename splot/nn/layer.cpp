#include "splot/nn/layer.h"

#include <algorithm>

#include "splot/core/node.h"
#include "splot/nn/parameters.h"
#include "splot/nn/registry.h"

namespace splot {

std::string Context::path() const {
  std::vector<std::string_view> names;
  for (const Frame* frame = running; frame != nullptr && frame->outer != nullptr; frame = frame->outer) {
    names.push_back(frame->layer->name());
  }
  std::string out;
  for (std::size_t i = names.size(); i-- > 0;) {
    if (!out.empty()) out += '.';
    out += names[i];
  }
  return out;
}

RandomKey Context::next_key() {
  const std::string here = path();
  const std::uint64_t stream = stream_of(here);
  const auto found =
      std::find_if(drawn.begin(), drawn.end(), [&](const auto& entry) { return entry.first == stream; });
  if (found == drawn.end()) {
    drawn.emplace_back(stream, 1);
    return key.with_stream(stream);
  }
  return key.with_stream(stream_of(join(here, '#', found->second++)));
}

void Visitor::argument(std::string_view, const AttrValue&) {}
void Visitor::parameter(std::string_view, Parameter&, const Initializer&) {}
void Visitor::buffer(std::string_view, Tensor&) {}
void Visitor::child(std::string_view, Layer&) {}
void Visitor::inputs(std::span<const std::string>) {}

void Layer::visit(Visitor&) {}
Index Layer::multiply_adds(const Shape&) const { return 0; }

Tensor Layer::forward_all(std::span<const Tensor> xs, Context& context) {
  if (xs.size() == 1) return forward(xs[0], context);
  fail<ValueError>(type_name(*this), "takes one input, got ", xs.size());
}

namespace {

// The path in front of the message. What is caught by its own type keeps it.
[[noreturn]] void rethrow_with(const std::string& path) {
  try {
    throw;
  }
#define SPLOT_RETHROW(Type)                     \
  catch (const Type& error) {                   \
    throw Type(join(path, ": ", error.what())); \
  }
  SPLOT_RETHROW(ShapeError)
  SPLOT_RETHROW(DTypeError)
  SPLOT_RETHROW(ValueError)
  SPLOT_RETHROW(IndexError)
  SPLOT_RETHROW(GradientError)
  SPLOT_RETHROW(DivergenceError)
  SPLOT_RETHROW(TraceError)
#undef SPLOT_RETHROW
}

// Puts a layer on the list of running ones while it runs.
class Running {
 public:
  Running(Context& context, const Layer& layer) : context_(context), frame_{&layer, context.running} {
    context_.running = &frame_;
  }
  ~Running() { context_.running = frame_.outer; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  Context& context_;
  Context::Frame frame_;
};

}  // namespace

template <typename Body>
Tensor Layer::located(const Tensor& x, Context& context, Body&& body) {
  if (context.running == nullptr) {
    if (!prepared_) prepare(*this);
    context.error_located = false;
  }
  const Running here(context, *this);
  try {
    Tensor y = body();
    if (context.observer) context.observer(context.path(), *this, x, y);
    return y;
  } catch (const Error&) {
    // Only the innermost layer knows the whole path; the others pass the error on as it is.
    if (context.error_located) throw;
    context.error_located = true;
    const std::string path = context.path();
    if (path.empty()) throw;
    rethrow_with(path);
  }
}

Tensor Layer::operator()(const Tensor& x, Context& context) {
  return located(x, context, [&] { return forward_all(std::span(&x, 1), context); });
}

Tensor Layer::operator()(std::span<const Tensor> xs, Context& context) {
  return located(xs.empty() ? Tensor() : xs[0], context, [&] { return forward_all(xs, context); });
}

Tensor Layer::run_instead(const Tensor& x, Context& context, const std::function<Tensor()>& body) {
  return located(x, context, body);
}

Tensor Layer::operator()(const Tensor& x) {
  Context context;
  return (*this)(x, context);
}

}  // namespace splot
