// The two halves of reading and of writing a safetensors file, for those who look at the bytes in between.
#pragma once

#include <string>
#include <vector>

#include "splot/io/internal/safetensors_header.h"
#include "splot/io/internal/source.h"
#include "splot/io/safetensors.h"

namespace splot::safetensors {

struct Head {
  std::string json;  // as it stands in the file, padding included
  Header header;
};

/// Everything that can be checked without the data has been checked.
Head read_head(io::Source& in);
/// The rest of the file.
TensorFile read_body(io::Source& in, Header header);

struct Layout {
  std::string json;                                 // padded; its length goes in front of it
  std::vector<const TensorMap::value_type*> order;  // the tensors as their data follow
};

/// Throws ValueError for what cannot be stored; see save_safetensors().
Layout plan_file(const TensorMap& tensors, const Metadata& metadata);
void write_planned(const std::string& path, const Layout& layout);

}  // namespace splot::safetensors
