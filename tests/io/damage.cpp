#include "tests/io/damage.h"

#include <cmath>
#include <string>

#include "splot/core/file.h"

#include "tests/support/temp_folder.h"

namespace splot::test {

std::vector<std::uint8_t> sample_checkpoint(std::size_t bytes) {
  const TempFolder folder;
  const std::string path = folder.file("sample");
  const auto write = [&](Index weights) {
    TensorMap tensors = {{"step", scalar(std::int64_t{1234})},
                         {"mask", Tensor::from(std::vector<bool>{true, false, true, true}, {2, 2})},
                         {"best.loss", scalar(0.25)},
                         {"none", Tensor::empty({0, 3}, kFloat32)}};
    for (const char* name : {"model.0.weight", "momentum.0.weight"}) {
      std::vector<float> values(static_cast<std::size_t>(weights));
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i));
      tensors.emplace(name, Tensor::from(values, {weights}));
    }
    save_checkpoint(path, tensors,
                    {{"history", R"([{"epoch":1,"loss":0.5}])"},
                     {"a \"checkpoint_sha256", "quotes, \\ and \x1f"},
                     {"żółw", "\n"}});
    return read_file(path, 1 << 20);
  };
  const std::size_t head = write(0).size();
  return write(bytes < head ? 0 : static_cast<Index>((bytes - head + 7) / 8));
}

bool refuses_checkpoint(const std::vector<std::uint8_t>& bytes) {
  try {
    load_checkpoint(bytes, "damaged");
  } catch (const FormatError& error) {
    return std::string(error.what()).find("\"damaged\": ") != std::string::npos;
  }
  return false;
}

std::vector<std::size_t> flips_not_noticed(std::vector<std::uint8_t> bytes, std::size_t first,
                                           std::size_t stride) {
  std::vector<std::size_t> out;
  for (std::size_t bit = first; bit < 8 * bytes.size(); bit += stride) {
    const auto mask = static_cast<std::uint8_t>(1u << (bit % 8));
    bytes[bit / 8] ^= mask;
    if (!refuses_checkpoint(bytes)) out.push_back(bit);
    bytes[bit / 8] ^= mask;
  }
  return out;
}

}  // namespace splot::test
