// Whether a page or picture is well-formed: for tests of what the report writes.
#pragma once

#include <string>
#include <string_view>

namespace splot::test {

/// Empty when every tag that is opened is closed in its order, every attribute is quoted, no "<" or ">"
/// stands outside of tags and every "&" begins an entity; else what is wrong and where. `br` and `img` need
/// no end.
std::string markup_fault(std::string_view text);

}  // namespace splot::test
