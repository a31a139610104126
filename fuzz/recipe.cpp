// Recipes in TOML. What is read and written again reads the same.
#include "splot/recipe/recipe.h"

#include <string_view>

#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace splot;
  fuzz::accept_errors([&] {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::string written = to_toml(parse_recipe(text, "fuzz.toml"));
    fuzz::expect(to_toml(parse_recipe(written, "written.toml")) == written, "another recipe after writing");
  });
  return 0;
}
