#include "splot/compiler/c/int8_network.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "splot/compiler/c/internal/int8_files.h"
#include "splot/compiler/c/internal/int8_ranges.h"
#include "splot/core/error.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

// Tables from stored bytes: one for each mean and deviation. More would be larger than the input as floats.
constexpr Index kMostStoredTables = 16;

void check_inputs(const Tensor& inputs, const Shape& input) {
  require(inputs.rank() >= 1 && inputs.numel() == inputs.shape()[0] * input.numel(), "int8", "inputs ",
          inputs.shape(), " do not fit the input ", input, " of the network");
}

void add_stored_tables(const CPreparation& p, const compiler::Quantisation& q, compiler::Int8Parts& own) {
  const auto groups = static_cast<Index>(p.means.size());
  if (!p.bytes || groups > kMostStoredTables) return;
  own.stored_groups = groups;
  own.stored_shared = p.shared;
  CPreparation by_table = p;
  by_table.shared = 256;
  const Tensor bytes = reshape(expand(cast(arange(256), kFloat32), Shape({groups, 256})), {groups * 256});
  const Tensor prepared = compiler::prepared_in_c(by_table, bytes);
  std::vector<std::int32_t> table;
  for (const float x : prepared.to_vector<float>()) table.push_back(compiler::step_of_float(q, x));
  own.constants.insert(own.constants.begin(), {"model_stored_table", "from stored bytes to 8 bits", "int8_t",
                                               Tensor::from(table, {groups * 256})});
}

}  // namespace

Int8Network::Int8Network(const Graph& graph, const Tensor& inputs) {
  auto program = std::make_shared<compiler::Int8Program>(compiler::int8_steps(graph));
  check_inputs(inputs, program->input);
  require<ValueError>(inputs.shape()[0] >= 1, "int8", "calibration needs at least one input");
  compiler::quantise_int8(*program, graph, inputs);
  program_ = std::move(program);
}

Tensor Int8Network::run(const Tensor& inputs) const {
  check_inputs(inputs, program_->input);
  return compiler::run_int8(*program_, inputs);
}

bool Int8Network::tail_in_floats() const { return program_->tail.has_value(); }

Tensor Int8Network::prepared(const CDescription& description, const Tensor& stored) {
  return description.preparation ? compiler::prepared_in_c(*description.preparation, stored)
                                 : cast(stored, kFloat32);
}

CProgram Int8Network::write(const CDescription& description) const {
  using namespace compiler;
  CParts parts{.description = description,
               .functions = {},
               .constants = {},
               .input = program_->input,
               .output = program_->output,
               .buffer = 0,
               .sizes = {},
               .tolerance = tail_in_floats() ? kInt8TailTolerance : 0.0};
  check_description(description, parts);
  Int8Parts own = int8_functions(*program_);
  if (description.preparation) add_stored_tables(*description.preparation, program_->values[0].q, own);
  parts.runs_stored = own.stored_groups > 0;
  for (const Int8Constant& c : own.constants) parts.sizes.weight_bytes += c.bytes();
  parts.sizes.buffer_bytes = own.bytes + 4 * (own.made + own.tail_buffer);
  parts.sizes.input_bytes = 4 * parts.input.numel();
  parts.sizes.output_bytes = 4 * parts.output.numel();
  parts.sizes.multiply_adds = own.multiply_adds;
  const Index most = std::max({parts.sizes.weight_bytes, parts.sizes.buffer_bytes, parts.sizes.input_bytes});
  require<ValueError>(most <= std::numeric_limits<std::int32_t>::max(), "export", "the network takes ", most,
                      " bytes in one piece; C can count to 2147483647 there");
  return {.files = int8_files(parts, own), .sizes = parts.sizes};
}

}  // namespace splot
