#include "splot/recipe/internal/recipe_keys.h"

#include "splot/core/error.h"
#include "splot/nn/init.h"
#include "splot/recipe/internal/layer_types.h"

namespace splot {
namespace recipe_detail {
namespace {

constexpr Index kMostExamples = 1'000'000'000;

// member(T&) -> the value; further arguments are the limits read() takes.
template <typename T, typename Member, typename... Limits>
Key<T> key(std::string name, Member member, Limits... limits) {
  return {std::move(name), [=](T& out, const Reading& from) { read(member(out), from, limits...); },
          [=](const T& in) { return write(member(const_cast<T&>(in))); }};
}

template <typename T, typename Member>
Key<T> word(std::string name, Member member, std::vector<std::string> choices) {
  return {std::move(name), [=](T& out, const Reading& from) { read_choice(member(out), from, choices); },
          [=](const T& in) {
            const std::string& value = member(const_cast<T&>(in));
            return value.empty() ? std::string() : write(value);
          }};
}

// "he_uniform", "normal(0, 0.1)"; empty: the layer's own way.
template <typename T, typename Member>
Key<T> initialiser(std::string name, Member member) {
  return {std::move(name),
          [=](T& out, const Reading& from) {
            read(member(out), from);
            if (member(out).empty()) return;
            try {
              Initializer::parse(member(out));
            } catch (const Error& error) {
              from.refuse(join("is not an initialiser: ", error.what()));
            }
          },
          [=](const T& in) { return write(member(const_cast<T&>(in))); }};
}

// Every one of a few words.
template <typename T, typename Member>
Key<T> words(std::string name, Member member, std::vector<std::string> choices) {
  return {std::move(name),
          [=](T& out, const Reading& from) {
            read(member(out), from);
            for (const toml::node& child : *from.node.as_array()) {
              std::string one;
              read_choice(one, from.element(child), choices);
            }
          },
          [=](const T& in) { return write(member(const_cast<T&>(in))); }};
}

// Each text is a Bound.
template <typename T, typename Member>
Key<T> bounds(std::string name, Member member) {
  return {std::move(name),
          [=](T& out, const Reading& from) {
            read(member(out), from);
            try {
              for (const std::string& text : member(out)) Bound::parse(text);
            } catch (const Error& error) {
              from.refuse(join("is no list of bounds: ", error.what()));
            }
          },
          [=](const T& in) { return write(member(const_cast<T&>(in))); }};
}

// Rows of any lengths.
template <typename T, typename Member>
Key<T> ragged_rows(std::string name, Member member) {
  return {std::move(name), [=](T& out, const Reading& from) { read_ragged(member(out), from); },
          [=](const T& in) { return write(member(const_cast<T&>(in))); }};
}

// The keys of a part are those of [schedule] too, but for how long it lasts.
void append_schedule(std::vector<Key<Recipe>>& out) {
  for (const Key<SchedulePart>& part : part_table()) {
    if (part.name == "epochs" || part.name == "steps") continue;
    out.push_back({"schedule." + part.name,
                   [read = part.read_into](Recipe& r, const Reading& from) { read(r.schedule, from); },
                   [write = part.write_from](const Recipe& r) { return write(r.schedule); }});
  }
}

}  // namespace

#define SPLOT_MEMBER(path) \
  [](auto& r) -> auto& { return r.path; }

const std::vector<Key<SchedulePart>>& part_table() {
  using P = SchedulePart;
  static const std::vector<Key<P>> table = {
      word<P>("name", SPLOT_MEMBER(name),
              {"constant", "step", "exponential", "cosine", "linear", "cyclic", "one_cycle"}),
      key<P>("epochs", SPLOT_MEMBER(epochs), Index{0}, Index{10'000'000}),
      key<P>("steps", SPLOT_MEMBER(steps), Index{0}, kMostExamples),
      key<P>("every", SPLOT_MEMBER(every), Index{1}, kMostExamples),
      key<P>("factor", SPLOT_MEMBER(factor), kPositive),
      key<P>("start", SPLOT_MEMBER(start), kNotNegative),
      key<P>("final", SPLOT_MEMBER(final), Range{0.0, 1.0}),
      key<P>("rise", SPLOT_MEMBER(rise), Range{0.0, 1.0, true, true}),
      word<P>("anneal", SPLOT_MEMBER(anneal), {"cosine", "linear"}),
      key<P>("up", SPLOT_MEMBER(up), Index{1}, kMostExamples),
      key<P>("down", SPLOT_MEMBER(down), Index{0}, kMostExamples),
      word<P>("mode", SPLOT_MEMBER(mode), {"triangular", "triangular2", "exp_range"}),
      key<P>("gamma", SPLOT_MEMBER(gamma), kPositive),
  };
  return table;
}

const std::vector<Key<Transform>>& transform_table() {
  using T = Transform;
  static const std::vector<Key<T>> table = {
      word<T>("name", SPLOT_MEMBER(name), transform_names()),
      key<T>("p", SPLOT_MEMBER(p), Range{0.0, 1.0}),
      key<T>("padding", SPLOT_MEMBER(padding), Index{0}, Index{10'000}),
      key<T>("x", SPLOT_MEMBER(x), Range{0.0, 1e4}),
      key<T>("y", SPLOT_MEMBER(y), Range{0.0, 1e4}),
      key<T>("low", SPLOT_MEMBER(low), Range{0.01, 100.0}),
      key<T>("high", SPLOT_MEMBER(high), Range{0.01, 100.0}),
      key<T>("degrees", SPLOT_MEMBER(degrees), Range{0.0, 180.0}),
      key<T>("sigma", SPLOT_MEMBER(sigma), Range{0.1, 100.0}),
      key<T>("alpha", SPLOT_MEMBER(alpha), Range{0.0, 1e4}),
      key<T>("fill", SPLOT_MEMBER(fill), Index{0}, Index{255}),
  };
  return table;
}

const std::vector<Key<Recipe>>& recipe_table() {
  using R = Recipe;
  static const std::vector<Key<R>> table = [] {
    std::vector<Key<R>> out = {
        key<R>("title", SPLOT_MEMBER(title)),
        key<R>("seeds", SPLOT_MEMBER(seeds), Index{1}, Index{1000}),
        word<R>("data.name", SPLOT_MEMBER(data.name), data_names()),
        key<R>("data.train", SPLOT_MEMBER(data.train), Index{0}, kMostExamples),
        key<R>("data.validation", SPLOT_MEMBER(data.validation), Index{0}, kMostExamples),
        word<R>("data.normalise", SPLOT_MEMBER(data.normalise),
                {"unit", "symmetric", "standard", "channels", "features", "none"}),
        key<R>("data.divisor", SPLOT_MEMBER(data.divisor), kNotNegative),
        key<R>("data.mean", SPLOT_MEMBER(data.mean)),
        key<R>("data.std", SPLOT_MEMBER(data.std)),
        key<R>("data.folder", SPLOT_MEMBER(data.folder)),
        key<R>("data.size", SPLOT_MEMBER(data.size), Index{0}, Index{4096}),
        key<R>("data.channels", SPLOT_MEMBER(data.channels), Index{1}, Index{3}),
        word<R>("data.fit", SPLOT_MEMBER(data.fit), {"crop", "stretch"}),
        key<R>("data.test", SPLOT_MEMBER(data.test), kShare),
        key<R>("data.split_seed", SPLOT_MEMBER(data.split_seed), Index{0}, kMostExamples),
        key<R>("data.memory", SPLOT_MEMBER(data.memory), Index{0}, Index{1} << 30),
        key<R>("data.crop", SPLOT_MEMBER(data.crop), Index{0}, Index{4096}),
        key<R>("data.displaced", SPLOT_MEMBER(data.displaced), Index{0}, Index{10'000}),
        key<R>("data.inputs", SPLOT_MEMBER(data.inputs)),
        key<R>("data.targets", SPLOT_MEMBER(data.targets)),
        key<R>("model.dense", SPLOT_MEMBER(model.dense), Index{1}, kWidest),
        word<R>("model.activation", SPLOT_MEMBER(model.activation), activation_types()),
        word<R>("model.output", SPLOT_MEMBER(model.output), activation_types()),
        initialiser<R>("model.init", SPLOT_MEMBER(model.init)),
        initialiser<R>("model.bias_init", SPLOT_MEMBER(model.bias_init)),
        key<R>("model.dropout", SPLOT_MEMBER(model.dropout), kShare),
        word<R>("model.name", SPLOT_MEMBER(model.name), model_names()),
        key<R>("model.depth", SPLOT_MEMBER(model.depth), Index{0}, Index{2000}),
        key<R>("model.skip", SPLOT_MEMBER(model.skip)),
        key<R>("model.growth", SPLOT_MEMBER(model.growth), Index{1}, Index{1000}),
        key<R>("model.classes", SPLOT_MEMBER(model.classes), Index{1}, kWidest),
        word<R>("loss.name", SPLOT_MEMBER(loss.name), loss_names()),
        key<R>("loss.label_smoothing", SPLOT_MEMBER(loss.label_smoothing), Range{0.0, 1.0}),
        key<R>("loss.class_weights", SPLOT_MEMBER(loss.class_weights)),
        key<R>("loss.delta", SPLOT_MEMBER(loss.delta), kPositive),
        key<R>("loss.l1", SPLOT_MEMBER(loss.l1), kNotNegative),
        key<R>("loss.l2", SPLOT_MEMBER(loss.l2), kNotNegative),
        key<R>("loss.penalize_biases", SPLOT_MEMBER(loss.penalize_biases)),
        key<R>("loss.penalty_over_n", SPLOT_MEMBER(loss.penalty_over_n)),
        word<R>("optimizer.name", SPLOT_MEMBER(optimizer.name), optimizer_names()),
        key<R>("optimizer.lr", SPLOT_MEMBER(optimizer.lr), kPositive),
        key<R>("optimizer.momentum", SPLOT_MEMBER(optimizer.momentum), kShare),
        key<R>("optimizer.nesterov", SPLOT_MEMBER(optimizer.nesterov)),
        word<R>("optimizer.momentum_form", SPLOT_MEMBER(optimizer.momentum_form), {"velocity", "increment"}),
        key<R>("optimizer.beta1", SPLOT_MEMBER(optimizer.beta1), kShare),
        key<R>("optimizer.beta2", SPLOT_MEMBER(optimizer.beta2), kShare),
        key<R>("optimizer.alpha", SPLOT_MEMBER(optimizer.alpha), kShare),
        key<R>("optimizer.centered", SPLOT_MEMBER(optimizer.centered)),
        key<R>("optimizer.lr_decay", SPLOT_MEMBER(optimizer.lr_decay), kNotNegative),
        key<R>("optimizer.initial", SPLOT_MEMBER(optimizer.initial), kNotNegative),
        key<R>("optimizer.history", SPLOT_MEMBER(optimizer.history), Index{1}, Index{10'000}),
        key<R>("optimizer.max_iter", SPLOT_MEMBER(optimizer.max_iter), Index{1}, Index{1'000'000}),
        key<R>("optimizer.max_eval", SPLOT_MEMBER(optimizer.max_eval), Index{0}, Index{1'000'000}),
        key<R>("optimizer.tolerance_grad", SPLOT_MEMBER(optimizer.tolerance_grad), kNotNegative),
        key<R>("optimizer.tolerance_change", SPLOT_MEMBER(optimizer.tolerance_change), kNotNegative),
        key<R>("optimizer.eps", SPLOT_MEMBER(optimizer.eps), kPositive),
        key<R>("optimizer.weight_decay", SPLOT_MEMBER(optimizer.weight_decay), kNotNegative),
        key<R>("optimizer.maximize", SPLOT_MEMBER(optimizer.maximize)),
    };
    append_schedule(out);
    const std::vector<Key<R>> rest = {
        key<R>("schedule.warmup", SPLOT_MEMBER(schedule.warmup), Index{0}, kMostExamples),
        key<R>("train.epochs", SPLOT_MEMBER(train.epochs), Index{1}, Index{10'000'000}),
        key<R>("train.batch", SPLOT_MEMBER(train.batch), Index{0}, kMostExamples),
        key<R>("train.shuffle", SPLOT_MEMBER(train.shuffle)),
        word<R>("train.keep", SPLOT_MEMBER(train.keep), {"best", "last"}),
        word<R>("train.watch", SPLOT_MEMBER(train.watch), {"val", "test"}),
        words<R>("train.metrics", SPLOT_MEMBER(train.metrics), metric_names()),
        key<R>("train.monitor", SPLOT_MEMBER(train.monitor)),
        key<R>("train.patience", SPLOT_MEMBER(train.patience), Index{0}, Index{10'000'000}),
        key<R>("train.min_delta", SPLOT_MEMBER(train.min_delta), kNotNegative),
        key<R>("train.accumulate", SPLOT_MEMBER(train.accumulate), Index{1}, kMostExamples),
        key<R>("train.clip_norm", SPLOT_MEMBER(train.clip_norm), kNotNegative),
        key<R>("train.clip_value", SPLOT_MEMBER(train.clip_value), kNotNegative),
        word<R>("train.average", SPLOT_MEMBER(train.average), {"none", "ema", "mean"}),
        key<R>("train.average_decay", SPLOT_MEMBER(train.average_decay), kShare),
        key<R>("train.average_start", SPLOT_MEMBER(train.average_start), Index{1}, Index{10'000'000}),
        key<R>("train.checkpoint_every", SPLOT_MEMBER(train.checkpoint_every), Index{0}, kMostExamples),
        key<R>("train.compiled", SPLOT_MEMBER(train.compiled)),
        key<R>("train.dtype", SPLOT_MEMBER(train.dtype)),
        key<R>("published.source", SPLOT_MEMBER(published.source)),
        key<R>("published.value", SPLOT_MEMBER(published.value)),
        key<R>("published.metric", SPLOT_MEMBER(published.metric)),
        word<R>("published.epoch", SPLOT_MEMBER(published.epoch), {"best", "last", "kept"}),
        word<R>("published.statistic", SPLOT_MEMBER(published.statistic), {"mean", "median", "min", "max"}),
        key<R>("published.stuck", SPLOT_MEMBER(published.stuck)),
        key<R>("published.leave_out_stuck", SPLOT_MEMBER(published.leave_out_stuck)),
        bounds<R>("published.bounds", SPLOT_MEMBER(published.bounds)),
        key<R>("published.reason", SPLOT_MEMBER(published.reason)),
        key<R>("published.minutes", SPLOT_MEMBER(published.minutes), kNotNegative),
        ragged_rows<R>("published.norms", SPLOT_MEMBER(published.norms)),
    };
    out.insert(out.end(), rest.begin(), rest.end());
    return out;
  }();
  return table;
}

const std::vector<Key<LayerRecipe>>& layer_table() {
  using L = LayerRecipe;
  static const std::vector<Key<L>> table = {
      word<L>("type", SPLOT_MEMBER(type), recipe_layer_types()),
      key<L>("name", SPLOT_MEMBER(name)),
      key<L>("inputs", SPLOT_MEMBER(inputs)),
      key<L>("weight_values", SPLOT_MEMBER(weight_values)),
      key<L>("bias_values", SPLOT_MEMBER(bias_values)),
      key<L>("frozen", SPLOT_MEMBER(frozen)),
  };
  return table;
}

#undef SPLOT_MEMBER

}  // namespace recipe_detail

const std::vector<std::string>& loss_names() {
  static const std::vector<std::string> names = {"cross_entropy",
                                                 "nll",
                                                 "binary_cross_entropy",
                                                 "binary_cross_entropy_of_probabilities",
                                                 "categorical_cross_entropy",
                                                 "categorical_cross_entropy_from_sigmoid",
                                                 "mse",
                                                 "mae",
                                                 "rmse",
                                                 "huber",
                                                 "smooth_l1",
                                                 "half_squared_error",
                                                 "cross_entropy_cost",
                                                 "quadratic_cost"};
  return names;
}

const std::vector<std::string>& optimizer_names() {
  static const std::vector<std::string> names = {"sgd", "adam", "adamw", "rmsprop", "adagrad", "lbfgs"};
  return names;
}

const std::vector<std::string>& metric_names() {
  static const std::vector<std::string> names = {
      "accuracy", "top_3_accuracy", "top_5_accuracy", "mse", "mae", "rmse", "r2"};
  return names;
}

}  // namespace splot
