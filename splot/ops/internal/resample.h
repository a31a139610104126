// What the linear maps of images share: records whose kernel is one cpu::resample().
#pragma once

#include "splot/backend/cpu/resample.h"
#include "splot/core/op.h"

namespace splot {

/// For a kernel: its input of images through the map of rows and the map of columns.
void resample_images(const KernelArgs& k, const cpu::LinearAxis& rows, const cpu::LinearAxis& columns);

}  // namespace splot
