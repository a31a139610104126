// All of Splot's public interface.
#pragma once

#include "splot/autodiff/autodiff.h"
#include "splot/core/error.h"
#include "splot/core/file.h"
#include "splot/core/parameter.h"
#include "splot/core/random.h"
#include "splot/core/tensor.h"
#include "splot/core/version.h"
#include "splot/data/dataset.h"
#include "splot/data/idx.h"
#include "splot/data/mnist.h"
#include "splot/ops/ops.h"
