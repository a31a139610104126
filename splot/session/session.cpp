#include "splot/session/session.h"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "splot/core/error.h"
#include "splot/core/node.h"
#include "splot/graph/trace.h"
#include "splot/nn/parameters.h"
#include "splot/ops/ops.h"
#include "splot/train/slots.h"

namespace splot {
namespace {

// The first type that weights have.
DType dtype_of_weights(const std::vector<Slot>& slots) {
  for (const Slot& slot : slots) {
    if (slot.value().defined() && slot.value().dtype().is_floating()) return slot.value().dtype();
  }
  return kFloat32;
}

std::string expected_shape(const Shape& sample) {
  std::string out = "[n";
  for (const Index size : sample) out += join(", ", size);
  return out + ']';
}

Shape examples_of(const Shape& sample, Index count) {
  Ints sizes = {count};
  for (const Index size : sample) sizes.push_back(size);
  return Shape(sizes);
}

std::size_t bytes_of_constants(const Graph& graph) {
  std::size_t out = 0;
  for (const GraphInput& input : graph.inputs) {
    if (input.kind != GraphInput::Kind::constant) continue;
    out += static_cast<std::size_t>(input.constant.numel()) * input.constant.dtype().size();
  }
  return out;
}

}  // namespace

struct InferenceSession::State {
  // What there is for inputs of one shape.
  struct Entry {
    Shape shape;
    Graph graph;
    std::vector<std::unique_ptr<Plan>> idle;  // under `mutex`
  };
  using EntryRef = std::shared_ptr<Entry>;

  // A plan for one call. It goes back however the call ends, so that there are as many as there have been
  // calls at once.
  class Lease {
   public:
    Lease(State& state, const Shape& shape) : state_(state) {
      {
        const std::lock_guard lock(state.mutex);
        entry_ = state.known(shape);
        if (entry_ != nullptr && !entry_->idle.empty()) {
          plan_ = std::move(entry_->idle.back());
          entry_->idle.pop_back();
          return;
        }
      }
      if (entry_ == nullptr) entry_ = state.made_entry(shape);
      plan_ = std::make_unique<Plan>(entry_->graph);
    }
    ~Lease() {
      const std::lock_guard lock(state_.mutex);
      entry_->idle.push_back(std::move(plan_));
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    Plan& plan() { return *plan_; }

   private:
    State& state_;
    EntryRef entry_;
    std::unique_ptr<Plan> plan_;
  };

  State(Layer& network, const SessionOptions& o) : model(network), options(o) {
    require<ValueError>(o.shapes >= 1, "session", "needs room for one shape of inputs");
    options.passes.frozen = true;
    prepare(model);
    for (const Slot& slot : slots_of(model)) {
      weights.push_back(slot.value().defined() ? slot.value().detach() : Tensor());
    }
    dtype = dtype_of_weights(slots_of(model));
  }

  // The entry of that shape, to the front; under `mutex`.
  EntryRef known(const Shape& shape) {
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [&](const EntryRef& entry) { return entry->shape == shape; });
    if (found == entries.end()) return nullptr;
    std::rotate(entries.begin(), found, found + 1);
    return entries.front();
  }

  // The entry of a shape that was not known, unless another call has made it meanwhile.
  EntryRef made_entry(const Shape& shape) {
    // Tracing gives the layer's slots other tensors for a while: one at a time.
    const std::lock_guard tracing(trace_mutex);
    {
      const std::lock_guard lock(mutex);
      if (EntryRef entry = known(shape)) return entry;
    }
    EntryRef entry = std::make_shared<Entry>(Entry{shape, optimized(shape), {}});
    const std::lock_guard lock(mutex);
    if (entries.size() == options.shapes) entries.pop_back();
    entries.insert(entries.begin(), entry);
    ++made;
    return entry;
  }

  Graph optimized(const Shape& shape) {
    Graph graph = traced(shape);
    require<ValueError>(
        graph.writes.empty(), "session", "the network changes ",
        graph.writes.empty() ? "" : graph.slots[static_cast<std::size_t>(graph.writes[0].slot)].name(),
        " when it runs; a session runs what only answers");
    // From here on the weights are those that the session was made with.
    require<ValueError>(graph.slots.size() == weights.size(), "session",
                        "the layer has other parameters than when the session was made");
    for (std::size_t i = 0; i < weights.size(); ++i) {
      graph.slots[i] = Slot(graph.slots[i].name(), &weights[i]);
    }
    return optimize(std::move(graph), options.passes).graph;
  }

  Graph traced(const Shape& shape) {
    const Tensor x = Tensor::without_elements(shape, dtype);
    try {
      return trace(
          [&](In in, std::uint64_t) {
            const NoGrad off;
            Context context;
            return TensorList{model(in[0], context)};
          },
          {&x, 1}, {.slots = slots_of(model)});
    } catch (const ShapeError& error) {
      if (info.sample.rank() == 0 || shape == examples_of(info.sample, shape.rank() == 0 ? 0 : shape[0]))
        throw;
      fail("session", "x", shape, " does not fit, the network takes ", expected_shape(info.sample), ": ",
           error.what());
    }
  }

  using In = std::span<const Tensor>;

  Layer& model;
  LayerPtr owned;  // null for a layer that belongs to somebody else
  SessionOptions options;
  ModelInfo info;
  DType dtype = kFloat32;
  std::vector<Tensor> weights;  // what the slots held when the session was made

  std::mutex trace_mutex;  // before `mutex`
  mutable std::mutex mutex;
  std::vector<EntryRef> entries;  // the last used first
  std::size_t made = 0;
};

InferenceSession InferenceSession::open(const std::string& path, const SessionOptions& options) {
  return InferenceSession(load_model(path), options);
}

InferenceSession::InferenceSession(Layer& model, const SessionOptions& options)
    : state_(std::make_unique<State>(model, options)) {}

InferenceSession::InferenceSession(const ModelFile& file, const SessionOptions& options) {
  require<ValueError>(file.model != nullptr, "session", "the model file holds no network");
  state_ = std::make_unique<State>(*file.model, options);
  state_->owned = file.model;
  state_->info = file.info;
  state_->dtype = file.dtype;
}

InferenceSession::~InferenceSession() = default;
InferenceSession::InferenceSession(InferenceSession&&) noexcept = default;
InferenceSession& InferenceSession::operator=(InferenceSession&&) noexcept = default;

Tensor InferenceSession::run(const Tensor& x) {
  State& s = *state_;
  require<ValueError>(x.defined(), "session", "x is an undefined tensor");
  require<DTypeError>(x.dtype() == s.dtype, "session", "the network takes ", s.dtype, ", got ", x.dtype(), x,
                      s.info.sample.rank() == 0 ? "" : "; predict() takes examples as they are stored");
  State::Lease lease(s, x.shape());
  return lease.plan().run({contiguous(x)})[0];
}

Tensor InferenceSession::predict(const Tensor& stored) {
  const State& s = *state_;
  require<ValueError>(s.info.sample.rank() > 0, "session",
                      "only a model file says how examples are stored; use run()");
  const Shape& sample = s.info.uncut ? *s.info.uncut : s.info.sample;
  require<ValueError>(stored.defined(), "session", "the examples are an undefined tensor");
  require(stored.rank() >= 1 && stored.shape() == examples_of(sample, stored.shape()[0]), "session",
          "the network takes examples ", expected_shape(sample), ", got ", stored.shape());
  const Dataset data = prepared(s.info, stored);
  return run(cast(data.batch(0, data.size()).inputs, s.dtype));
}

const ModelInfo& InferenceSession::info() const { return state_->info; }
DType InferenceSession::dtype() const { return state_->dtype; }

Graph InferenceSession::graph_for(const Shape& x) { return State::Lease(*state_, x).plan().graph(); }

SessionMemory InferenceSession::memory_for(const Shape& x) {
  State::Lease lease(*state_, x);
  return {.plan = lease.plan().memory(), .constants = bytes_of_constants(lease.plan().graph())};
}

std::size_t InferenceSession::made() const {
  const std::lock_guard lock(state_->mutex);
  return state_->made;
}

}  // namespace splot
