// Every operation on tensors, by theme. Names and meanings are NumPy's and PyTorch's.
//
// Unless a comment says otherwise: inputs broadcast as in NumPy, dtypes promote as in PyTorch, any strides
// are accepted, no input is changed, and the result can be differentiated any number of times. Operands that
// do not fit raise ShapeError or DTypeError, naming the op.
#pragma once

#include "splot/ops/activations.h"
#include "splot/ops/arithmetic.h"
#include "splot/ops/comparison.h"
#include "splot/ops/conv.h"
#include "splot/ops/create.h"
#include "splot/ops/functions.h"
#include "splot/ops/indexing.h"
#include "splot/ops/linear.h"
#include "splot/ops/losses.h"
#include "splot/ops/matmul.h"
#include "splot/ops/normalization.h"
#include "splot/ops/packed.h"
#include "splot/ops/pooling.h"
#include "splot/ops/random.h"
#include "splot/ops/reductions.h"
#include "splot/ops/resize.h"
#include "splot/ops/shape.h"
#include "splot/ops/slice.h"
#include "splot/ops/softmax.h"
#include "splot/ops/update.h"
