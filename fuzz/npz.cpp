// Zip files of NumPy arrays.
#include "splot/io/npz.h"

#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace splot;
  fuzz::accept_errors([&] {
    std::size_t total = 0;
    for (const auto& [name, x] : load_npz(std::span(data, size), "fuzz")) total += fuzz::byte_count(x);
    fuzz::expect(total <= 1032 * size, "more elements than the file can hold");
  });
  return 0;
}
