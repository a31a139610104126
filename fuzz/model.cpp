// Architectures in JSON, as model files hold them. What is read and written again reads the same.
#include <string_view>

#include "splot/nn/registry.h"

#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace splot;
  fuzz::accept_errors([&] {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::string written = to_json(*layer_from_json(text));
    fuzz::expect(to_json(*layer_from_json(written)) == written, "another model after writing");
  });
  return 0;
}
