// What the matrix product's planner, its kernels and its scheduler say to each other.
#pragma once

#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/matmul.h"
#include "splot/core/index.h"

namespace splot::cpu {

/// How one product is computed. It follows from the shape, the strides and the instruction set; never from
/// the number of threads. C is cut into chunks of chunk_rows x chunk_cols, and a chunk into register tiles.
struct MatmulPlan {
  enum class Kernel {
    dot,    // both operands contiguous along k: vectors run along k and are summed at the end
    outer,  // vectors run along the columns of C; elements of A are broadcast
  };
  Kernel kernel = Kernel::outer;
  bool pack_a = false;  // outer: copy blocks of A so that they are compact
  bool pack_b = false;  // outer: copy blocks of B into panels one register tile wide
  Index k_block = 0;    // a sum is formed in parts of this length
  Index tile_rows = 0;  // rows of a register tile; the last ones may be shorter
  Index tile_cols = 0;  // columns of a register tile
  Index chunk_rows = 0;
  Index chunk_cols = 0;
  Index row_chunks = 0;
  Index chunks = 0;
  double microseconds = 0;  // a rough estimate for one thread
};

template <typename T>
struct MatmulKernels {
  MatmulPlan (*plan)(const Product<T>&);
  /// Computes one chunk of one product of the batch.
  void (*run)(const Product<T>&, const MatmulPlan&, Index batch, Index chunk);
};

/// The second argument only says for which type.
const MatmulKernels<float>& matmul_kernels(InstructionSet set, float);
const MatmulKernels<double>& matmul_kernels(InstructionSet set, double);

/// Memory of this thread for packed blocks, 64-byte aligned, kept for the next call.
void* pack_buffer(Index bytes);

}  // namespace splot::cpu
