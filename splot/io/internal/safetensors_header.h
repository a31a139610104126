// The JSON header of a safetensors file, parsed strictly.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "splot/core/dtype.h"
#include "splot/core/shape.h"
#include "splot/io/safetensors.h"

namespace splot::safetensors {

inline constexpr std::uint64_t kMaxHeader = 100'000'000;

struct Entry {
  std::string name;
  DType dtype;
  Shape shape;
  std::uint64_t begin = 0;  // in the data, which follow the header
  std::uint64_t end = 0;
};

struct Header {
  std::vector<Entry> entries;  // in the order of their data
  Metadata metadata;
};

/// "F32", "BF16", ...
std::string_view type_name(DType dtype);

/// Checks everything that can be known without reading the data; `data_bytes` follow the header in the file.
Header parse_header(const std::string& path, std::string_view json, std::uint64_t data_bytes);

/// For messages: in quotes, control characters as \xNN, a long text shortened.
std::string shown(std::string_view text);

}  // namespace splot::safetensors
