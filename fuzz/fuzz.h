// What the fuzz targets share. Each gives hostile bytes to one reader: it must answer or throw a
// splot::Error, and an answer must fit the bytes; anything else ends the program, which libFuzzer reports
// with the bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include "splot/core/error.h"
#include "splot/core/tensor.h"

namespace splot::fuzz {

using Bytes = std::span<const std::uint8_t>;

/// Ends the program unless the condition holds.
inline void expect(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "fuzz: %s\n", what);
  std::abort();
}

/// Runs the reader; a splot::Error is a proper answer.
template <typename Read>
void accept_errors(const Read& read) {
  try {
    read();
  } catch (const Error& error) {
    expect(std::string(error.what()).size() > 10, "an error without a message");
  }
}

inline std::size_t byte_count(const Tensor& x) {
  return static_cast<std::size_t>(x.numel()) * x.dtype().size();
}

/// The bytes as a file, in memory; returns its path. The next call replaces it.
std::string as_file(Bytes bytes);

}  // namespace splot::fuzz
