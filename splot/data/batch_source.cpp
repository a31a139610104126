#include "splot/data/batch_source.h"

#include <utility>

#include "splot/core/error.h"
#include "splot/data/internal/on_demand.h"

namespace splot {

BatchSource::~BatchSource() = default;

namespace data_detail {

Tensor as_targets(const Tensor& targets) {
  if (!targets.dtype().is_integral() || targets.dtype() == kInt64) return contiguous(targets).detach();
  const Tensor out = Tensor::empty(targets.shape(), kInt64);
  targets.copy_to(std::span<std::int64_t>(static_cast<std::int64_t*>(out.impl()->storage->data()),
                                          static_cast<std::size_t>(targets.numel())));
  return out;
}

OnDemand::OnDemand(std::string name, std::shared_ptr<BatchSource> source)
    : name_(std::move(name)), source_(std::move(source)) {
  require<ValueError>(source_ != nullptr, "Dataset", name_, ": the source is null");
  size_ = source_->size();
  require<ValueError>(size_ > 0, "Dataset", name_, " has no examples");
  const Index first = 0;
  const Batch one = ask(std::span(&first, 1));
  none_ = {Tensor::empty(one.inputs.shape().with(0, 0), one.inputs.dtype()),
           Tensor::empty(one.targets.shape().with(0, 0), one.targets.dtype())};
}

Batch OnDemand::ask(std::span<const Index> indices) {
  Batch out = [&] {
    const std::lock_guard lock(mutex_);
    return source_->read(indices);
  }();
  require<ValueError>(out.inputs.defined() && out.targets.defined(), "Dataset", name_,
                      ": inputs or targets are undefined");
  const auto n = static_cast<Index>(indices.size());
  require(out.inputs.rank() >= 1 && out.targets.rank() >= 1 && out.inputs.shape()[0] == n &&
              out.targets.shape()[0] == n,
          "Dataset", name_, ": ", n, " examples were asked for, inputs", out.inputs, " and targets",
          out.targets, " came");
  out.inputs = contiguous(out.inputs).detach();
  out.targets = as_targets(out.targets);
  return out;
}

Batch OnDemand::read(std::span<const Index> indices) {
  if (indices.empty()) return none_;
  Batch out = ask(indices);
  const auto check = [&](const char* what, const Tensor& is, const Tensor& like) {
    require(is.shape() == like.shape().with(0, is.shape()[0]), "Dataset", name_, ": ", what, is,
            " are not like those of the first example, which have the shape ", like.shape().with(0, 1));
    require<DTypeError>(is.dtype() == like.dtype(), "Dataset", name_, ": ", what, " are ", is.dtype(),
                        ", those of the first example ", like.dtype());
  };
  check("inputs", out.inputs, none_.inputs);
  check("targets", out.targets, none_.targets);
  return out;
}

}  // namespace data_detail
}  // namespace splot
