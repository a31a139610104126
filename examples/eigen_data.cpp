// Data from Eigen and back: a Map is a view of memory, and so is what Splot reads from.
#include <cstdio>

#include <Eigen/Core>
#include <splot/splot.h>

#include "expect.h"

using namespace splot;

namespace {

// Eigen stores columns first unless told otherwise; Splot reads rows first.
using RowMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Tensor to_tensor(const Eigen::Ref<const RowMatrix>& m) {
  const RowMatrix dense = m;  // a Ref may have gaps between its rows
  return Tensor::from(std::span<const float>(dense.data(), static_cast<std::size_t>(dense.size())),
                      {dense.rows(), dense.cols()});
}

// Valid as long as x is.
Eigen::Map<const RowMatrix> to_eigen(const Tensor& x) {
  return {x.data<float>(), x.shape()[0], x.shape()[1]};
}

}  // namespace

int main() {
  const RowMatrix a{{1.0f, 2.0f, 3.0f}, {4.0f, 5.0f, 6.0f}};
  const RowMatrix b{{1.0f, 0.0f}, {0.0f, 1.0f}, {2.0f, 2.0f}};
  const Tensor product = matmul(to_tensor(a), to_tensor(b));
  expect(to_eigen(product).isApprox(a * b), "both multiply alike");

  float memory[] = {1.0f, 2.0f, 3.0f, 4.0f};
  const Eigen::Map<const RowMatrix> map(memory, 2, 2);
  std::printf("%s\n", print(to_tensor(map)).c_str());
  expect(to_tensor(map.transpose()).to_vector<float>() == std::vector<float>{1.0f, 3.0f, 2.0f, 4.0f},
         "a column-major expression arrives in row-major order");
}
