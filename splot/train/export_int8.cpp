#include "splot/train/export_int8.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "splot/backend/cpu/thread_pool.h"
#include "splot/compiler/c/int8_network.h"
#include "splot/core/error.h"
#include "splot/ops/ops.h"
#include "splot/train/classification.h"
#include "splot/train/internal/c_inference.h"
#include "splot/train/outputs.h"

namespace splot {
namespace {

using train_detail::stored_in_c;

// Examples in pieces, each on a thread of its own; one does not depend on another.
Tensor answers(const Int8Network& net, const Tensor& inputs) {
  constexpr Index kPiece = 20;
  const Index n = inputs.shape()[0], pieces = (n + kPiece - 1) / kPiece;
  std::vector<Tensor> out(static_cast<std::size_t>(pieces));
  cpu::parallel_for(pieces, [&](Index i) {
    const Index first = i * kPiece;
    out[static_cast<std::size_t>(i)] = net.run(slice(inputs, 0, first, std::min(first + kPiece, n)));
  });
  return concat({out.begin(), out.end()}, 0);
}

double squares(const Tensor& x) {
  const Tensor y = cast(x, kFloat64);
  return sum(y * y).item<double>();
}

// Both over the whole set, batch by batch.
Int8Figures judge(const ModelFile& file, const Int8Network& net, const Dataset& data) {
  Int8Figures out;
  const auto classes = static_cast<Index>(file.info.classes.size());
  std::optional<ConfusionMatrix> floats, integers;
  double difference = 0.0, all = 0.0;
  visit_outputs(*file.model, data.with_preprocessing(file.info.preprocessing),
                [&](const Tensor& output, const Tensor& target) {
                  const Index n = output.shape()[0];
                  const Tensor stored = stored_in_c(file.info, data.slice(out.examples, n));
                  const CDescription description = train_detail::described(file.info, stored);
                  const Tensor answer = reshape(answers(net, Int8Network::prepared(description, stored)),
                                                output.shape().ints());
                  difference += squares(cast(output, kFloat32) - answer);
                  all += squares(output);
                  if (classes > 1 && output.rank() == 2 && output.shape()[1] == classes) {
                    if (!floats) {
                      floats.emplace(classes);
                      integers.emplace(classes);
                    }
                    floats->add(output, target);
                    integers->add(answer, target);
                  }
                  out.examples += n;
                });
  out.difference = all > 0.0 ? std::sqrt(difference / all) : 0.0;
  if (floats) {
    out.float_accuracy = floats->accuracy();
    out.int8_accuracy = integers->accuracy();
  }
  return out;
}

}  // namespace

Int8Export export_int8(const ModelFile& file, const Dataset& calibration, const Dataset& test,
                       const Int8ExportOptions& options) {
  require<ValueError>(options.calibrated_on >= 1, "export",
                      "int8 needs at least one example to calibrate on, got ", options.calibrated_on);
  require<ValueError>(options.examples >= 1, "export", "needs at least one example to test with, got ",
                      options.examples);
  const Tensor ranges = stored_in_c(file.info, train_detail::spread(calibration, options.calibrated_on));
  const Int8Network net(train_detail::trace_inference(file),
                        Int8Network::prepared(train_detail::described(file.info, ranges), ranges));
  CDescription description = train_detail::described(
      file.info, stored_in_c(file.info, train_detail::spread(test, options.examples)));
  description.expected = net.run(Int8Network::prepared(description, description.stored));
  Int8Export out{.program = net.write(description), .figures = judge(file, net, test)};
  out.figures.calibrated_on = ranges.shape()[0];
  return out;
}

}  // namespace splot
