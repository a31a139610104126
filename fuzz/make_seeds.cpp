// make_seeds FOLDER: sound files to start from, in one folder for each target whose files are not text or
// golden.
#include <cstdio>
#include <filesystem>
#include <string>

#include "splot/core/file.h"
#include "splot/data/idx.h"
#include "splot/data/image.h"
#include "splot/io/checkpoint.h"

#include "tests/support/gzip_bytes.h"
#include "tests/support/jpeg_bytes.h"
#include "tests/support/tar_bytes.h"

namespace {

using namespace splot;

Image picture(Index width, Index height, Index channels) {
  Image out{.width = width, .height = height, .channels = channels, .pixels = {}};
  for (Index i = 0; i < width * height * channels; ++i)
    out.pixels.push_back(static_cast<std::uint8_t>(i * 7));
  return out;
}

void write_seeds(const std::string& folder) {
  for (const char* target : {"idx", "idx_gz", "checkpoint", "png", "jpeg", "tar", "cifar"}) {
    std::filesystem::create_directories(folder + "/" + target);
  }
  const Tensor arrays[] = {Tensor::from(std::vector<std::uint8_t>(24, 7), {2, 3, 4}), tensor({1, 2, 3}),
                           tensor({1.5f, 2.5f}), tensor({{1.0, 2.0}})};
  for (int i = 0; i < 4; ++i) {
    const std::string name = "/" + std::to_string(i);
    write_idx(folder + "/idx" + name, arrays[i]);
    const std::vector<std::uint8_t> plain = read_file(folder + "/idx" + name, 1000);
    write_file(folder + "/idx_gz" + name, test::gzip_bytes(plain));
  }
  save_checkpoint(folder + "/checkpoint/0", {{"w", arrays[2]}, {"step", scalar(std::int64_t{3})}},
                  {{"history", "[{\"epoch\":1}]"}, {"a\n", "\"b\""}});
  save_checkpoint(folder + "/checkpoint/1", {});
  write_png(folder + "/png/grey", picture(28, 28, 1));
  write_png(folder + "/png/colour", picture(5, 3, 3));
  const std::vector<std::uint8_t> archive = test::tar_file({{"a/", {}, '5'},
                                                            {"a/one", {1, 2, 3}},
                                                            {"L", test::bytes_of(std::string(150, 'n')), 'L'},
                                                            {"x", {4}},
                                                            {"p", test::bytes_of("13 path=long\n"), 'x'},
                                                            {"y", {5}}});
  write_file(folder + "/tar/plain", archive);
  write_file(folder + "/tar/packed", test::gzip_bytes(archive));
  write_file(folder + "/jpeg/colour", test::jpeg_file(picture(20, 9, 3), {.restart = 1, .orientation = 6}));
  write_file(folder + "/jpeg/grey",
             test::jpeg_file(picture(9, 9, 1), {.orientation = 1, .big_endian = true}));
  write_file(folder + "/jpeg/progressive", test::jpeg_file(picture(20, 9, 3), {.progressive = true}));
  write_file(folder + "/jpeg/inks", test::jpeg_file(picture(9, 9, 4), {.progressive = true, .adobe = false}));
}

// As fuzz/cifar.cpp takes them: archives, and names with the records of one batch.
void write_cifar_seeds(const std::string& folder) {
  std::vector<std::uint8_t> records;
  for (const std::uint8_t label : {0, 1}) {
    records.push_back(label);
    records.insert(records.end(), 3072, static_cast<std::uint8_t>(100 + label));
  }
  const std::vector<std::uint8_t> names = test::bytes_of("cat\ndog\n");
  const std::vector<std::uint8_t> archive = test::tar_file({{"c/", {}, '5'},
                                                            {"c/batches.meta.txt", names},
                                                            {"c/data_batch_1.bin", records},
                                                            {"c/test_batch.bin", records}});
  write_file(folder + "/plain", archive);
  write_file(folder + "/packed", test::gzip_bytes(archive));
  std::vector<std::uint8_t> batch = names;
  batch.push_back(0);
  batch.insert(batch.end(), records.begin(), records.end());
  write_file(folder + "/batch", batch);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fputs("usage: make_seeds FOLDER\n", stderr);
    return 2;
  }
  write_seeds(arguments[1]);
  write_cifar_seeds(std::string(arguments[1]) + "/cifar");
  return 0;
}
