#include "bench/peers/workloads.h"

#include <fstream>
#include <stdexcept>

namespace peers {
namespace {

using namespace splot;  // NOLINT(google-build-using-namespace): a source file's own names

Tensor mean_cross_entropy(const Tensor& out, const Tensor& target) { return cross_entropy(out, target); }

Sequential dense_classifier(const std::string& name) {
  if (name == "keras_mlp") return Sequential(Linear(kPixels, 16), ReLU(), Linear(16, 10));
  return Sequential(Linear(kPixels, 512), ReLU(), Linear(512, 512), ReLU(), Linear(512, 10));
}

// Named as in torch_peer.py, so that weights travel by name; exchange.py translates those of splot/models.
Sequential lenet_like() {
  Sequential net;
  net.add("c1", Conv2d(1, 32, {3})).add("r1", ReLU()).add("c2", Conv2d(32, 64, {3})).add("r2", ReLU());
  net.add("p", MaxPool2d({2})).add("flat", Flatten());
  net.add("f1", Linear(9216, 128)).add("r3", ReLU()).add("f2", Linear(128, 10));
  return net;
}

std::unique_ptr<Sequential> owned(Sequential net) { return std::make_unique<Sequential>(std::move(net)); }

template <typename O, typename Options>
void train_with(Workload& w, const Options& options) {
  w.optimizer = std::make_unique<O>(named_parameters(*w.net), options);
}

template <typename T>
Tensor read_raw(const std::string& path, const Shape& shape) {
  std::ifstream in(path, std::ios::binary);
  Tensor out = Tensor::build<T>(shape, [&](std::span<T> values) {
    in.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size_bytes()));
  });
  if (!in) throw std::runtime_error("cannot read " + path);
  return out;
}

Tensor corrupted(const Tensor& x, std::uint64_t step) {
  return x * bernoulli(x.shape(), 0.7, RandomKey{.seed = 1, .stream = stream_of("mask"), .counter = step});
}

double mib(const Tensor& x) { return static_cast<double>(x.numel()) * 4 / (1 << 20); }

}  // namespace

Tensor infer(Workload& w, const Tensor& x, Mode mode) {
  if (mode == Mode::eager) {
    const NoGrad off;
    return (*w.net)(x);
  }
  if (w.session == nullptr) w.session = std::make_unique<InferenceSession>(*w.net);
  return w.session->run(x);
}

const std::vector<std::string>& names() {
  static const std::vector<std::string> all = {
      "nielsen_mlp", "keras_mlp", "mlp512",          "ourcnn_b16",   "ourcnn_b64",  "lenet_like",
      "autoencoder", "resnet20",  "infer_keras_mlp", "infer_ourcnn", "infer_lenet", "infer_resnet20"};
  return all;
}

Workload make(const std::string& name) {
  Workload w;
  w.loss = mean_cross_entropy;
  if (name == "nielsen_mlp") {
    const LinearOptions weights = {.weight_init = init::inverse_sqrt_normal(), .bias_init = init::normal()};
    w.batch = 10;
    w.net = owned(Sequential(Linear(kPixels, 30, weights), Sigmoid(), Linear(30, 10, weights), Sigmoid()));
    train_with<SGD>(w, SGDOptions{.lr = 3.0});
    w.loss = [](const Tensor& out, const Tensor& target) { return quadratic_cost(out, target); };
    w.target = Workload::Target::one_hot;
  } else if (name == "keras_mlp" || name == "mlp512") {
    w.batch = name == "keras_mlp" ? 64 : 128;
    w.net = owned(dense_classifier(name));
    train_with<Adam>(w, AdamOptions{.lr = 1e-3});
  } else if (name == "autoencoder") {
    w.batch = 64;
    w.net = owned(Sequential(Linear(kPixels, 500), Sigmoid(), Linear(500, kPixels)));
    train_with<SGD>(w, SGDOptions{.lr = 0.1});
    w.loss = [](const Tensor& out, const Tensor& target) {
      return binary_cross_entropy_with_logits(out, target, {.reduction = Reduction::sum}) /
             static_cast<double>(out.shape()[0]);
    };
    w.target = Workload::Target::input;
    w.corrupted = true;
  } else if (name == "ourcnn_b16" || name == "ourcnn_b64") {
    w.batch = name == "ourcnn_b16" ? 16 : 64;
    w.net = owned(models::our_cnn());
    train_with<SGD>(w, SGDOptions{.lr = 0.01});
    w.image = {3, 32, 32};
    w.pool = 16;
  } else if (name == "lenet_like") {
    w.batch = 64;
    w.net = owned(lenet_like());
    train_with<Adam>(w, AdamOptions{.lr = 1e-3});
    w.image = {1, 28, 28};
    w.pool = 16;
  } else if (name == "resnet20") {
    w.batch = 64;
    w.net = owned(models::resnet());
    train_with<SGD>(w, SGDOptions{.lr = 0.1, .momentum = 0.9, .weight_decay = 1e-4});
    w.image = {3, 32, 32};
    w.pool = 8;
  } else if (name.starts_with("infer_")) {
    w.batch = 1;
    w.pool = 16;
    if (name == "infer_keras_mlp") {
      w.net = owned(dense_classifier("keras_mlp"));
      w.image = {kPixels};
    } else if (name == "infer_ourcnn") {
      w.net = owned(models::our_cnn());
      w.image = {3, 32, 32};
    } else if (name == "infer_lenet") {
      w.net = owned(lenet_like());
      w.image = {1, 28, 28};
    } else if (name == "infer_resnet20") {
      w.net = owned(models::resnet());
      w.image = {3, 32, 32};
    }
  }
  if (w.net == nullptr) throw std::invalid_argument("unknown workload " + name);
  return w;
}

Tensor train_step(Workload& w, const Tensor& x, const Tensor& target, std::uint64_t number) {
  Context context{.training = true, .key = {.seed = 1, .counter = number}};
  w.optimizer->zero_grad();
  const Tensor loss = w.loss((*w.net)(x, context), target);
  backward(loss);
  w.optimizer->step();
  return loss;
}

Compiled compiled_step(Workload& w, bool mask) {
  return Compiled(
      [&w, mask](std::span<const Tensor> in, std::uint64_t number) {
        const Tensor x = mask && w.corrupted ? corrupted(in[0], number) : in[0];
        return TensorList{train_step(w, x, in[1], number).detach()};
      },
      {.slots = slots_of(*w.net, *w.optimizer)});
}

Compiled compiled_gradients(Workload& w) {
  return Compiled(
      [&w](std::span<const Tensor> in, std::uint64_t) {
        Context context{.training = true};
        w.optimizer->zero_grad();
        const Tensor loss = w.loss((*w.net)(in[0], context), in[1]);
        backward(loss);
        TensorList out = {loss.detach()};
        for (const auto& [path, parameter] : named_parameters(*w.net)) out.push_back(parameter.grad());
        return out;
      },
      {.slots = slots_of(*w.net, *w.optimizer)});
}

const char* name_of(Mode mode) { return mode == Mode::compiled ? "compiled" : "eager"; }

namespace {

struct Examples {
  Tensor x, target;
};

// A training step in that mode, with the input corrupted where the workload says so; plans are told what
// comes next.
std::function<Tensor(const Examples&, std::uint64_t i, const Examples& next)> trained(Workload& w,
                                                                                      Mode mode) {
  if (mode == Mode::eager) {
    return [&w](const Examples& batch, std::uint64_t i, const Examples&) {
      return train_step(w, w.corrupted ? corrupted(batch.x, i) : batch.x, batch.target, i);
    };
  }
  return [plans = std::make_shared<Compiled>(compiled_step(w, /*mask=*/true))](
             const Examples& batch, std::uint64_t i, const Examples& next) {
    return (*plans)({batch.x, batch.target}, i, {next.x, next.target})[0];
  };
}

}  // namespace

std::function<Tensor(std::uint64_t)> steps(Workload& w, const std::string& folder, Mode mode) {
  std::function<Tensor(const Examples&, std::uint64_t, const Examples&)> train;
  if (w.trains()) train = trained(w, mode);
  if (w.image.rank() == 0) {
    const Tensor x = read_raw<float>(folder + "/inputs.f32", {kImages, kPixels});
    const Tensor labels = read_raw<std::int64_t>(folder + "/labels.i64", {kImages});
    const Tensor target = w.target == Workload::Target::one_hot  ? one_hot(labels, 10, kFloat32)
                          : w.target == Workload::Target::labels ? labels
                                                                 : x;
    w.data_mib = mib(x);
    const auto batches = static_cast<std::uint64_t>((kImages + w.batch - 1) / w.batch);
    const auto batch = [x, target, batches, size = w.batch](std::uint64_t i) {
      const auto first = static_cast<Index>(i % batches) * size;
      const Index last = std::min(first + size, kImages);
      return Examples{slice(x, 0, first, last), slice(target, 0, first, last)};
    };
    return [train, batch, now = batch(0), at = std::uint64_t{0}](std::uint64_t i) mutable {
      if (i != at) now = batch(i);
      Examples next = batch(at = i + 1);
      const Tensor loss = train(now, i, next);
      now = std::move(next);
      return loss;
    };
  }
  Ints sizes = {w.batch};
  for (const Index size : w.image) sizes.push_back(size);
  std::vector<Tensor> images, labels;
  for (Index i = 0; i < w.pool; ++i) {
    const auto counter = static_cast<std::uint64_t>(i);
    images.push_back(normal(Shape(sizes), RandomKey{.seed = 1, .counter = counter}));
    labels.push_back(
        cast(floor(uniform({w.batch}, RandomKey{.seed = 2, .counter = counter}, {.high = 10.0})), kInt64));
    w.data_mib += mib(images.back());
  }
  return [&w, mode, train, images, labels](std::uint64_t i) {
    const std::size_t k = i % images.size();
    if (!w.trains()) return infer(w, images[k], mode);
    const std::size_t next = (k + 1) % images.size();
    return train({images[k], labels[k]}, i, {images[next], labels[next]});
  };
}

}  // namespace peers
