#include "splot/core/error.h"

#include <charconv>

namespace splot::message {
namespace {

template <typename T>
void append_number(std::string& out, T value) {
  char text[40];
  const auto result = std::to_chars(text, text + sizeof text, value);
  out.append(text, result.ptr);
}

}  // namespace

void append(std::string& out, double value) { append_number(out, value); }
void append(std::string& out, long long value) { append_number(out, value); }
void append(std::string& out, unsigned long long value) { append_number(out, value); }

}  // namespace splot::message
