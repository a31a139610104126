// What an example claims, checked: a claim that does not hold ends the program with status 1.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstdlib>

inline void expect(bool holds, const char* claim) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", claim);
  std::exit(1);
}

inline void expect_near(double value, double expected, double tolerance, const char* claim) {
  if (std::abs(value - expected) <= tolerance) return;
  std::fprintf(stderr, "does not hold: %s (%.12g, expected %.12g)\n", claim, value, expected);
  std::exit(1);
}
