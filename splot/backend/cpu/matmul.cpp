#include "splot/backend/cpu/matmul.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <new>

#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/internal/matmul_plan.h"
#include "splot/backend/cpu/thread_pool.h"
#include "splot/core/storage.h"

// Kernels, each of which must agree with the last:
//   dot        internal/matmul_dot-inl.h    both operands contiguous along k; nothing is packed
//   outer      internal/matmul_outer-inl.h  broadcasts A against rows of B, packed or as they are
//   short sums internal/matmul_short-inl.h  the same for few rows of B, which stay in the registers
//   reference  below                        three loops; the definition
namespace splot::cpu {
namespace {

struct AlignedDelete {
  void operator()(void* memory) const { ::operator delete (memory, std::align_val_t{kAlignment}); }
};

}  // namespace

void* pack_buffer(PackBuffer which, Index bytes) {
  struct Buffer {
    std::unique_ptr<void, AlignedDelete> memory;
    Index size = 0;
  };
  thread_local Buffer buffers[2];
  Buffer& buffer = buffers[static_cast<int>(which)];
  if (buffer.size < bytes) {
    buffer.memory.reset();
    buffer.size = 0;
    buffer.memory.reset(::operator new (static_cast<std::size_t>(bytes), std::align_val_t{kAlignment}));
    buffer.size = bytes;
  }
  return buffer.memory.get();
}

template <typename T>
void matmul(const Product<T>& product) {
  if (product.m <= 0 || product.n <= 0 || product.batch <= 0) return;
  const MatmulKernels<T>& kernels = matmul_kernels(instruction_set(), T{});
  const MatmulPlan plan = kernels.plan(product);
  if (product.epilogue.descent != nullptr && plan.k_block < product.k) {
    // Sums made in parts are collected somewhere.
    const Ref<Storage> c = Storage::allocate(static_cast<std::size_t>(product.m * product.n) * sizeof(T));
    Product<T> collected = product;
    collected.c = static_cast<T*>(c->data());
    collected.ldc = product.n;
    kernels.run(collected, plan, 0);
    return;
  }
  if (product.batch < 4 || plan.microseconds > 200.0) {
    // Each product is shared among the threads.
    for (Index batch = 0; batch < product.batch; ++batch) kernels.run(product, plan, batch);
    return;
  }
  // The products are shared among the threads, small ones by the handful.
  const double total = plan.microseconds * static_cast<double>(product.batch);
  const Index parts = std::clamp<Index>(static_cast<Index>(total / 5.0), 1, product.batch);
  const Index size = (product.batch + parts - 1) / parts;
  parallel_for((product.batch + size - 1) / size, total, [&](Index part) {
    const Index end = std::min(product.batch, (part + 1) * size);
    for (Index batch = part * size; batch < end; ++batch) kernels.run(product, plan, batch);
  });
}

template <typename T>
void matmul_reference(const Product<T>& p) {
  for (Index batch = 0; batch < p.batch; ++batch) {
    const Matrix<T> a = {p.a.data + batch * p.a_batch_stride, p.a.row_stride, p.a.col_stride};
    const Matrix<T> b = {p.b.data + batch * p.b_batch_stride, p.b.row_stride, p.b.col_stride};
    T* c = p.c + batch * p.c_batch_stride;
    for (Index i = 0; i < p.m; ++i) {
      for (Index j = 0; j < p.n; ++j) {
        T sum = 0;
        for (Index s = 0; s < p.k; ++s) sum = std::fma(*a.at(i, s), *b.at(s, j), sum);
        if (p.epilogue.descent != nullptr) {
          const Descent<T>& step = *p.epilogue.descent;
          const T w = step.w[i * p.n + j];
          T gradient = sum;
          if (step.weight_decay != 0.0 || step.l1 != 0.0) {
            const T sign = static_cast<T>((w > T(0)) - (w < T(0)));
            gradient = std::fma(static_cast<T>(step.weight_decay), w, sum) + static_cast<T>(step.l1) * sign;
          }
          step.out[i * p.n + j] = std::fma(static_cast<T>(-step.lr), gradient, w);
          continue;
        }
        T& y = c[i * p.ldc + j];
        if (p.epilogue.accumulate) sum += y;
        if (p.epilogue.bias != nullptr) sum += p.epilogue.bias[j];
        y = p.epilogue.relu && sum <= T(0) ? T(0) : sum;
      }
    }
  }
}

template void matmul(const Product<float>&);
template void matmul(const Product<double>&);
template void matmul_reference(const Product<float>&);
template void matmul_reference(const Product<double>&);

}  // namespace splot::cpu
