#include "splot/data/split.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "splot/core/error.h"
#include "splot/core/random.h"

namespace splot {
namespace {

void shuffle(std::vector<Index>& order, RandomStream& random) {
  for (std::size_t left = order.size(); left > 1; --left) {  // Fisher and Yates
    std::swap(order[left - 1], order[static_cast<std::size_t>(random.below(left))]);
  }
}

// The first of `all` are for testing, the next for validation.
void deal(const std::vector<Index>& all, const SplitOptions& options, SplitIndices& out) {
  const auto count = [&](double share) {
    return static_cast<std::ptrdiff_t>(std::llround(share * static_cast<double>(all.size())));
  };
  const auto size = static_cast<std::ptrdiff_t>(all.size());
  const std::ptrdiff_t most = std::max<std::ptrdiff_t>(size - 1, 0);  // one is left to learn from
  const std::ptrdiff_t test = std::min(count(options.test), most);
  const std::ptrdiff_t validation = std::min(count(options.validation), most - test);
  out.test.insert(out.test.end(), all.begin(), all.begin() + test);
  out.validation.insert(out.validation.end(), all.begin() + test, all.begin() + test + validation);
  out.train.insert(out.train.end(), all.begin() + test + validation, all.end());
}

}  // namespace

SplitIndices split_indices(std::span<const Index> labels, const SplitOptions& options) {
  require<ValueError>(
      options.test >= 0.0 && options.validation >= 0.0 && options.test + options.validation < 1.0,
      "split_indices", "the shares ", options.validation, " for validation and ", options.test,
      " for testing leave nothing to learn from");
  std::map<Index, std::vector<Index>> groups;  // one where they are not told apart
  for (std::size_t i = 0; i < labels.size(); ++i) {
    groups[options.stratified ? labels[i] : 0].push_back(static_cast<Index>(i));
  }
  RandomStream random({.seed = options.seed, .stream = stream_of("data.split")});
  SplitIndices out;
  for (auto& [label, members] : groups) {
    shuffle(members, random);
    deal(members, options, out);
  }
  for (std::vector<Index>* part : {&out.train, &out.validation, &out.test}) shuffle(*part, random);
  return out;
}

}  // namespace splot
