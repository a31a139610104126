// Checkpoints. What is accepted must have the right hash, so damage is never accepted.
#include "splot/io/checkpoint.h"

#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace splot;
  fuzz::accept_errors([&] {
    const TensorFile file = load_checkpoint(std::span(data, size), "fuzz");
    fuzz::expect(!file.metadata.contains(kCheckpointHash), "the hash is no part of the content");
  });
  return 0;
}
