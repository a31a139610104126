#include "splot/train/internal/kept_state.h"

#include <cstring>

namespace splot::train_detail {

void KeptState::take(const std::vector<Slot>& slots) {
  kept_.resize(slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Kept& kept = kept_[i];
    const Tensor& value = slots[i].value();
    kept.defined = value.defined();
    kept.same_as = i;
    if (!kept.defined) continue;
    for (std::size_t j = 0; j < i && kept.same_as == i; ++j) {
      const Tensor& other = slots[j].value();
      if (other.defined() && other.impl() == value.impl()) kept.same_as = j;
    }
    if (kept.same_as != i) continue;
    const Tensor dense = contiguous(value.detach());
    kept.shape = dense.shape();
    kept.dtype = dense.dtype();
    kept.bytes.resize(static_cast<std::size_t>(dense.numel()) * dense.dtype().size());
    if (!kept.bytes.empty()) std::memcpy(kept.bytes.data(), dense.raw(), kept.bytes.size());
  }
}

void KeptState::put_back(std::vector<Slot>& slots) const {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const Kept& kept = kept_[i];
    if (!kept.defined) continue;
    if (kept.same_as != i) {
      slots[i].set(slots[kept.same_as].value());
      continue;
    }
    Tensor value = Tensor::empty(kept.shape, kept.dtype);
    if (!kept.bytes.empty()) std::memcpy(value.impl()->storage->data(), kept.bytes.data(), kept.bytes.size());
    slots[i].set(std::move(value));
  }
}

}  // namespace splot::train_detail
