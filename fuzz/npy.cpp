// NumPy arrays.
#include "splot/io/npy.h"

#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace splot;
  fuzz::accept_errors([&] {
    const Tensor x = load_npy(std::span(data, size), "fuzz");
    fuzz::expect(fuzz::byte_count(x) <= size, "more elements than the file holds");
  });
  return 0;
}
