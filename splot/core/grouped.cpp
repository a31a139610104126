#include "splot/core/grouped.h"

namespace splot {

std::string grouped(Index value) {
  std::string out = std::to_string(value);
  for (std::size_t at = out.size(); at > 3; at -= 3) out.insert(at - 3, 1, ',');
  return out;
}

}  // namespace splot
