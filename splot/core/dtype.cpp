#include "splot/core/dtype.h"

#include <algorithm>
#include <array>

namespace splot {
namespace {

constexpr std::array<std::string_view, kDTypeCount> kNames = {"bool",     "uint8",   "int32",  "int64",
                                                              "bfloat16", "float32", "float64"};

}  // namespace

std::string_view DType::name() const { return kNames[static_cast<std::size_t>(code_)]; }

std::optional<DType> DType::parse(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return DType(static_cast<DTypeCode>(found - kNames.begin()));
}

// The codes are ordered so that the later of two types is the one both convert to.
DType promote(DType a, DType b) { return std::max(a.code(), b.code()); }

}  // namespace splot
