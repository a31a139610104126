// Reading back what a callback has written into a checkpoint.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "splot/core/error.h"
#include "splot/core/parameter.h"

namespace splot::train_detail {

/// The one-dimensional tensor of that name; ValueError when there is none.
inline const Tensor& state_list(std::span<const NamedTensor> state, std::string_view name, const char* who) {
  for (const NamedTensor& entry : state) {
    if (entry.name == name && entry.value.defined() && entry.value.rank() == 1) return entry.value;
  }
  fail<ValueError>("load_state_dict", "this is not the state of a ", who, ": there is no list ", name);
}

inline Tensor state_of(const std::vector<double>& values) {
  return Tensor::from(values, {static_cast<Index>(values.size())});
}

}  // namespace splot::train_detail
