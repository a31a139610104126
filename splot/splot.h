// All of Splot's public interface.
#pragma once

#include "splot/autodiff/autodiff.h"
#include "splot/core/error.h"
#include "splot/core/parameter.h"
#include "splot/core/random.h"
#include "splot/core/tensor.h"
#include "splot/core/version.h"
#include "splot/ops/ops.h"
