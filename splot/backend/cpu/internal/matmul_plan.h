// What the matrix product's planner, its kernels and its scheduler say to each other.
#pragma once

#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/matmul.h"
#include "splot/core/index.h"

namespace splot::cpu {

inline Index divide_up(Index a, Index b) { return (a + b - 1) / b; }

/// How one product is computed. It follows from the shape, the strides and the instruction set; never from
/// the number of threads. The outer kernels take k in blocks and C in slabs of columns; either kernel takes C
/// in chunks, and a chunk in register tiles.
struct MatmulPlan {
  enum class Kernel {
    dot,         // both operands contiguous along k: vectors run along k and are summed at the end
    outer,       // vectors run along the columns of C; elements of A are broadcast
    short_sums,  // the same for a small k: vectors of B stay in the registers
  };
  Kernel kernel = Kernel::outer;
  bool pack_a = false;  // outer: each chunk first copies its rows of A so that they are compact
  // outer: B is copied into panels one register tile wide, ...
  enum class PackB {
    no,
    slab,   // ... a whole slab before the chunks that share it,
    chunk,  // ... or by each chunk for itself, where no other chunk needs the same columns
  };
  PackB pack_b = PackB::no;
  Index k_block = 1;  // a sum is formed in parts of this length
  Index slab_cols = 0;
  Index tile_rows = 0;
  Index tile_cols = 0;
  int width_log2 = 0;  // outer: log2 of the vectors in tile_cols
  Index chunk_rows = 0;
  Index chunk_cols = 0;
  double microseconds = 0;  // a rough estimate for one thread
};

/// A piece of C.
struct ChunkOfC {
  Index row, rows, col, cols;
};

template <typename T>
struct MatmulKernels {
  MatmulPlan (*plan)(const Product<T>&);
  /// Computes one product of the batch.
  void (*run)(const Product<T>&, const MatmulPlan&, Index batch);
};

/// The second argument only says for which type.
const MatmulKernels<float>& matmul_kernels(InstructionSet set, float);
const MatmulKernels<double>& matmul_kernels(InstructionSet set, double);

/// Memory of this thread for packed blocks, 64-byte aligned, kept for the next call.
enum class PackBuffer { a, b };
void* pack_buffer(PackBuffer which, Index bytes);

}  // namespace splot::cpu
