// All of Splot's public interface.
#pragma once

#include "splot/autodiff/autodiff.h"
#include "splot/core/error.h"
#include "splot/core/parameter.h"
#include "splot/core/random.h"
#include "splot/core/tensor.h"
#include "splot/core/version.h"
#include "splot/nn/activation_layers.h"
#include "splot/nn/init.h"
#include "splot/nn/layer.h"
#include "splot/nn/linear.h"
#include "splot/nn/losses.h"
#include "splot/nn/parameters.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"
#include "splot/optim/optimizer.h"
