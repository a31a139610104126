// What resample.cpp tells resample-inl.h: LinearAxis with weights of the elements' type.
#pragma once

#include "splot/core/index.h"

namespace splot::cpu {

template <typename T>
struct WeightedTap {
  Index input;
  T weight;
};

template <typename T>
struct ResampleAxis {
  Index inputs = 0;
  Index outputs = 0;
  const Index* first = nullptr;
  const WeightedTap<T>* taps = nullptr;
};

template <typename T>
struct ResamplePlan {
  Index images = 0;
  ResampleAxis<T> rows, columns;
};

}  // namespace splot::cpu
