#include "splot/nn/parameters.h"

#include <algorithm>
#include <unordered_map>

#include "splot/core/node.h"
#include "splot/core/strided.h"

namespace splot {
namespace {

std::string inside(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : join(path, '.', name);
}

class Walker final : public Visitor {
 public:
  explicit Walker(const Walk& handlers) : handlers_(handlers) {}

  void enter(Layer& layer) {
    if (handlers_.layer) handlers_.layer(path_, layer);
    layer.visit(*this);
  }
  void parameter(std::string_view name, Parameter& parameter, const Initializer& init) override {
    if (handlers_.parameter && parameter.defined()) handlers_.parameter(inside(path_, name), parameter, init);
  }
  void buffer(std::string_view name, Tensor& buffer) override {
    if (handlers_.buffer && buffer.defined()) handlers_.buffer(inside(path_, name), buffer);
  }
  void child(std::string_view name, Layer& layer) override {
    std::string outer = inside(path_, name);
    outer.swap(path_);
    enter(layer);
    path_.swap(outer);
  }

 private:
  const Walk& handlers_;
  std::string path_;
};

// Each parameter under the first of its paths.
void for_each_once(Layer& layer,
                   const std::function<void(const std::string&, Parameter&, const Initializer&)>& body) {
  std::vector<Parameter> seen;
  walk(layer, {.parameter = [&](const std::string& path, Parameter& parameter, const Initializer& init) {
         if (std::find(seen.begin(), seen.end(), parameter) != seen.end()) return;
         seen.push_back(parameter);
         body(path, parameter, init);
       }});
}

Tensor first_value(const std::string& path, const Parameter& parameter, const Initializer& init,
                   std::uint64_t seed) {
  return init.draw(parameter.shape(), parameter.dtype(), {.seed = seed, .stream = stream_of(path)});
}

std::string listed(const char* title, const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += join(out.empty() ? title : ", ", name);
  return out;
}

}  // namespace

void walk(Layer& layer, const Walk& handlers) { Walker(handlers).enter(layer); }

void prepare(Layer& layer) {
  class Names final : public Visitor {
   public:
    void child(std::string_view name, Layer& inner) override {
      inner.name_ = name;
      inner.visit(*this);
    }
  };
  Names names;
  layer.visit(names);
  for_each_once(layer, [](const std::string& path, Parameter& parameter, const Initializer& init) {
    parameter.set_name(path);
    if (!parameter.has_value()) parameter.assign(first_value(path, parameter, init, 0));
  });
  layer.prepared_ = true;
}

void initialize(Layer& layer, std::uint64_t seed) {
  for_each_once(layer, [&](const std::string& path, Parameter& parameter, const Initializer& init) {
    parameter.assign(first_value(path, parameter, init, seed));
  });
  prepare(layer);
}

NamedParameters named_parameters(Layer& layer) {
  prepare(layer);
  NamedParameters out;
  for_each_once(layer, [&](const std::string& path, Parameter& parameter, const Initializer&) {
    out.push_back({path, parameter});
  });
  return out;
}

NamedTensors state_dict(Layer& layer) {
  prepare(layer);
  NamedTensors out;
  walk(layer, {.parameter =
                   [&](const std::string& path, Parameter& parameter, const Initializer&) {
                     out.push_back({path, parameter.value().detach()});
                   },
               .buffer =
                   [&](const std::string& path, Tensor& buffer) {
                     out.push_back({path, buffer});
                   }});
  return out;
}

void load_state_dict(Layer& layer, std::span<const NamedTensor> state) {
  std::unordered_map<std::string_view, const Tensor*> given;
  std::vector<std::string> missing, unexpected, misfit;
  for (const NamedTensor& entry : state) {
    require<ValueError>(entry.value.defined(), "load_state_dict", entry.name, " is an undefined tensor");
    require<ValueError>(given.emplace(entry.name, &entry.value).second, "load_state_dict", entry.name,
                        " is there twice");
  }
  std::vector<std::function<void()>> assignments;
  const auto take = [&](const std::string& path, const Shape& shape, DType dtype) -> const Tensor* {
    const auto found = given.find(path);
    if (found == given.end()) {
      missing.push_back(path);
      return nullptr;
    }
    const Tensor* value = found->second;
    given.erase(found);
    if (value->shape() == shape && value->dtype() == dtype) return value;
    misfit.push_back(
        join(path, " is ", dtype, shape, ", the given value is ", value->dtype(), value->shape()));
    return nullptr;
  };
  walk(layer, {.parameter =
                   [&](const std::string& path, Parameter& parameter, const Initializer&) {
                     const Tensor* value = take(path, parameter.shape(), parameter.dtype());
                     if (value != nullptr)
                       assignments.push_back([&parameter, value] { parameter.assign(*value); });
                   },
               .buffer =
                   [&](const std::string& path, Tensor& buffer) {
                     const Tensor* value = take(path, buffer.shape(), buffer.dtype());
                     if (value != nullptr)
                       assignments.push_back([&buffer, value] { buffer = value->detach(); });
                   }});
  for (const NamedTensor& entry : state) {
    if (given.count(entry.name) != 0) unexpected.push_back(entry.name);
  }
  std::string problems;
  for (const std::string& part :
       {listed("missing: ", missing), listed("unexpected: ", unexpected), listed("", misfit)}) {
    if (!part.empty()) problems += join(problems.empty() ? "" : "; ", part);
  }
  require<ValueError>(problems.empty(), "load_state_dict", problems);
  for (const auto& assign : assignments) assign();
  prepare(layer);
}

void freeze(Layer& layer, bool frozen) {
  walk(layer, {.parameter = [&](const std::string&, Parameter& parameter, const Initializer&) {
         parameter.set_frozen(frozen);
       }});
}

void zero_grad(Layer& layer) {
  walk(layer, {.parameter = [](const std::string&, Parameter& parameter, const Initializer&) {
         parameter.zero_grad();
       }});
}

void convert(Layer& layer, DType dtype) {
  walk(layer, {.parameter = [&](const std::string&, Parameter& parameter,
                                const Initializer&) { parameter.convert(dtype); },
               .buffer =
                   [&](const std::string&, Tensor& buffer) {
                     if (!buffer.dtype().is_floating() || buffer.dtype() == dtype) return;
                     Tensor converted = Tensor::empty(buffer.shape(), dtype);
                     copy_dense(buffer, dtype, converted.impl()->storage->data());
                     buffer = converted;
                   }});
}

Index parameter_count(Layer& layer) {
  Index count = 0;
  for_each_once(layer, [&](const std::string&, Parameter& parameter, const Initializer&) {
    count += parameter.shape().numel();
  });
  return count;
}

}  // namespace splot
