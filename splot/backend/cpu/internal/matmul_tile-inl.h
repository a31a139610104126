// What both families of matrix kernels share: the last step of a register tile.
// Included once per instruction set; no include guard that would outlive a target.
#if defined(SPLOT_MATMUL_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_MATMUL_TILE_INL_H
#undef SPLOT_MATMUL_TILE_INL_H
#else
#define SPLOT_MATMUL_TILE_INL_H
#endif

#include <algorithm>

#include <hwy/highway.h>

#include "splot/backend/cpu/internal/matmul_plan.h"

HWY_BEFORE_NAMESPACE();
namespace splot::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The part of the epilogue that is done in registers. A sum over k in several parts is collected in C: all
// but the first part add to it, and only the last gets bias and activation.
template <typename T>
struct TileEpilogue {
  bool add = false;
  bool relu = false;
  const T* bias = nullptr;  // of the tile's first column

  bool any() const { return add || relu || bias != nullptr; }
};

template <typename T>
TileEpilogue<T> tile_epilogue(const Epilogue<T>& whole, bool first_part, bool last_part) {
  return {.add = whole.accumulate || !first_part,
          .relu = whole.relu && last_part,
          .bias = last_part ? whole.bias : nullptr};
}

// Not Max(v, 0), which turns NaN into 0 on some processors.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V relu(D d, V v) {
  return hn::IfThenZeroElse(hn::Le(v, hn::Zero(d)), v);
}

// Columns of a piece: whole tiles of every width, and rows of it that stay in the first cache, together with
// as much of what they go into.
inline constexpr Index kPieceCols = 128;
inline constexpr Index kPieceBytes = 16 * 1024;

// Goes over a chunk of a C that is kept nowhere: compute(piece, memory) writes a piece of whole tiles into
// memory, its rows behind each other, and `finish` gets it.
template <typename T, class Compute>
void in_pieces(const Product<T>& p, const MatmulPlan& plan, const ChunkOfC& chunk, const Compute& compute) {
  constexpr Index kPiece = kPieceBytes / static_cast<Index>(sizeof(T));
  HWY_ALIGN T memory[kPiece];
  const Index most_cols = std::min(chunk.cols, kPieceCols);
  const Index most_rows = std::max<Index>(1, kPiece / most_cols / plan.tile_rows) * plan.tile_rows;
  for (Index col = 0; col < chunk.cols; col += most_cols) {
    const Index cols = std::min(most_cols, chunk.cols - col);
    for (Index row = 0; row < chunk.rows; row += most_rows) {
      const ChunkOfC piece{chunk.row + row, std::min(most_rows, chunk.rows - row), chunk.col + col, cols};
      compute(piece, memory);
      p.epilogue.finish(p.epilogue.context, {memory, cols, 0, piece.row, piece.col, piece.rows, piece.cols});
    }
  }
}

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
