// Pieces of C: numbers, names, comments, places in arrays, and code with its indentation.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "splot/core/shape.h"
#include "splot/core/tensor.h"

namespace splot::compiler {

/// A float as C writes it, in as few digits as bring it back: "0.1f". The number has to be finite.
std::string c_float(float value);
/// The same of a double: "0.1".
std::string c_double(double value);
/// A part of a C name: letters, digits and underscores alone.
std::string c_name(std::string_view text);
/// What may stand in a comment: printable ASCII that does not end it.
std::string c_comment(std::string_view text);
/// A string literal; bytes that are no printable ASCII in octal.
std::string c_string(std::string_view text);
/// The elements between braces, several on a line; float32, int32 or uint8 and contiguous.
std::string c_elements(const Tensor& values, std::string_view indent);

/// One term of a place in an array: `index * stride`. An index that is no name stands in parentheses.
struct Term {
  std::string index;
  Index stride = 1;
};
/// "c * 784 + i * 28 + j"; terms of index "0" or stride 0 are left out.
std::string c_place(const std::vector<Term>& terms);

/// "i * 2 + k - 1": `scale` times one name, `step` times another, and a number.
std::string c_position(const std::string& a, Index scale, const std::string& b, Index step, Index shift);

/// Lines of C in blocks.
class Code {
 public:
  explicit Code(int depth = 1) : depth_(depth) {}

  void line(std::string_view text);
  /// "text {"; close() ends it.
  void open(std::string_view text);
  void close(int blocks = 1);
  /// for (int name = 0; name < count; ++name) {, and the name. One turn needs no loop: the answer is "0".
  std::string loop(const std::string& name, Index count);
  /// How many blocks are open.
  int depth() const { return depth_; }
  /// Closes all but so many.
  void close_to(int depth) { close(depth_ - depth); }

  const std::string& text() const { return text_; }

 private:
  std::string text_;
  int depth_;
};

/// In a loop: the window of which element k lies at this position; where there is none the rest of the loop
/// is left out. Its place, as an expression, stands on lines with variables called after `name`.
std::string met_window(Code& code, const std::string& name, const std::string& at, const std::string& k,
                       Index windows, Index stride, Index dilation, Index padding);

}  // namespace splot::compiler
