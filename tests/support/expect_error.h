// EXPECT_ERROR(type, expression, text): the expression throws exactly that type with exactly that text.
#pragma once

#include <string>
#include <typeinfo>

#include <gtest/gtest.h>

#include "splot/core/error.h"

namespace splot::test {

/// Success, or what happened instead.
template <typename E, typename Body>
testing::AssertionResult throws_exactly(const char* type, const std::string& text, Body&& body) {
  try {
    body();
  } catch (const E& error) {
    if (typeid(error) != typeid(E)) {
      return testing::AssertionFailure()
             << "expected " << type << ", got a class derived from it: " << error.what();
    }
    if (error.what() == text) return testing::AssertionSuccess();
    return testing::AssertionFailure()
           << type << " with another text\n  got:      " << error.what() << "\n  expected: " << text;
  } catch (const std::exception& error) {
    return testing::AssertionFailure()
           << "expected " << type << ", got " << typeid(error).name() << ": " << error.what();
  }
  return testing::AssertionFailure() << "expected " << type << ", nothing was thrown";
}

}  // namespace splot::test

#define EXPECT_ERROR(type, expression, text) \
  EXPECT_TRUE(::splot::test::throws_exactly<type>(#type, text, [&] { static_cast<void>(expression); }))
