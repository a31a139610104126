// safetensors files.
#include "splot/io/safetensors.h"

#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace splot;
  fuzz::accept_errors([&] {
    const TensorFile file = load_safetensors(std::span(data, size), "fuzz");
    std::size_t total = 8;
    for (const auto& [name, x] : file.tensors) total += fuzz::byte_count(x);
    fuzz::expect(total <= size, "more elements than the file holds");
  });
  return 0;
}
