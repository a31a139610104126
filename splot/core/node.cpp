#include "splot/core/node.h"

#include <atomic>
#include <vector>

namespace splot {
namespace {

std::uint64_t next_sequence() {
  static std::atomic<std::uint64_t> counter{0};
  return counter.fetch_add(1, std::memory_order_relaxed);
}

thread_local bool recording __attribute__((tls_model("initial-exec"))) = true;

}  // namespace

Node::Node() : sequence(next_sequence()) {}

void Node::release_kept() {
  for (Tensor& tensor : kept_inputs) tensor = Tensor();
  for (Tensor& tensor : kept_outputs) tensor = Tensor();
  released = true;
}

// Deleting a node drops its edges and kept tensors, which may drop the last reference to further nodes. Those
// land here again, are put on the list, and the outermost call works it off: the depth stays at two.
void Node::destroy(Node* node) {
  thread_local std::vector<Node*>* pending = nullptr;
  if (pending != nullptr) {
    pending->push_back(node);
    return;
  }
  std::vector<Node*> list{node};
  pending = &list;
  while (!list.empty()) {
    Node* last = list.back();
    list.pop_back();
    delete last;
  }
  pending = nullptr;
}

bool grad_enabled() { return recording; }

NoGrad::NoGrad(bool off) : before_(recording) {
  if (off) recording = false;
}
NoGrad::~NoGrad() { recording = before_; }

}  // namespace splot
