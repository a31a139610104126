#!/usr/bin/env bash
# The C++ lines of docs/from_pytorch.md are those of examples/from_pytorch.cpp, which runs as a test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# The program between its two marks, and the brace that the second one cuts off.
program=$(awk '/\/\/ \[docs\]/ { inside = !inside; next } inside' examples/from_pytorch.cpp; echo '}')
page=$(awk '/^```cpp/ && !seen { inside = 1; seen = 1; next } /^```/ { inside = 0 } inside' docs/from_pytorch.md)
if [[ $program != "$page" ]]; then
  printf '%s\n' "docs/from_pytorch.md: the C++ lines are not those of examples/from_pytorch.cpp:" "$page" \
    "the example has:" "$program" >&2
  exit 1
fi
