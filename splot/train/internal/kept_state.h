// KeptState: the values of slots, copied, to go back to.
#pragma once

#include <cstddef>
#include <vector>

#include "splot/graph/graph.h"

namespace splot::train_detail {

/// A copy of its own, so that whoever writes into the slots' memory may go on doing so.
class KeptState {
 public:
  void take(const std::vector<Slot>& slots);
  /// Of the same slots. Those that held the same tensor hold the same again.
  void put_back(std::vector<Slot>& slots) const;

 private:
  struct Kept {
    std::vector<std::byte> bytes;
    Shape shape;
    DType dtype;
    std::size_t same_as = 0;  // an earlier one, or itself
    bool defined = false;
  };
  std::vector<Kept> kept_;
};

}  // namespace splot::train_detail
