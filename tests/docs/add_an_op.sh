#!/usr/bin/env bash
# Follows docs/add_an_op.md to the letter in a copy of the tree: puts its code blocks where it says, builds, runs the tests
# of the new op and those that hold for all ops, prints its C text, and checks that nothing else had to change.
#
#   add_an_op.sh [FOLDER]      FOLDER keeps the copy and its build; a temporary one when left out
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
if [[ $# -gt 0 ]]; then
  mkdir -p "$1"
  work=$(cd "$1" && pwd)
else
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi
tree=$work/tree
document=docs/add_an_op.md

fail() {
  printf 'add_an_op: %s\n' "$*" >&2
  exit 1
}

rm -rf "$tree" "$work/blocks" "$work/before"
mkdir -p "$tree" "$work/blocks"
# Everything but what is built or belongs to version control.
(cd "$root" && find . -mindepth 1 -maxdepth 1 ! -name build ! -name runs ! -name '.git*' -print0 |
  xargs -0 tar cf -) | tar xf - -C "$tree"
cp -r "$tree" "$work/before"

# Each block becomes three files: N.file, N.after (the line it follows; absent for a new file) and N.text.
awk -v out="$work/blocks/" '
  match($0, /^\*\*New file `[^`]+`:\*\*$/) || match($0, /^\*\*In `[^`]+`, after the line `.+`:\*\*$/) {
    split($0, part, "`")
    name = out sprintf("%02d", ++n)
    print part[2] > (name ".file")
    if (part[3] != ":**") print part[4] > (name ".after")
    expected = 1
    next
  }
  /^```cpp$/ && expected { inside = 1; expected = 0; next }
  /^```$/ { inside = 0 }
  inside { print > (name ".text") }
' "$tree/$document"

count=0
for text in "$work"/blocks/*.text; do
  [[ -e $text ]] || fail "$document has no code blocks"
  name=${text%.text}
  file=$tree/$(<"$name.file")
  if [[ -e $name.after ]]; then
    line=$(<"$name.after")
    found=$(grep -cxF -e "$line" "$file") || fail "$file has no line \"$line\""
    [[ $found -eq 1 ]] || fail "$file has $found lines \"$line\""
    awk -v line="$line" -v text="$text" '
      { print }
      $0 == line { while ((getline more < text) > 0) print more }
    ' "$file" >"$file.new"
    mv "$file.new" "$file"
  else
    [[ ! -e $file ]] || fail "$file is there already: choose another op for $document"
    cp "$text" "$file"
  fi
  count=$((count + 1))
done
[[ $count -eq 4 ]] || fail "$document names $count places, not four"

if command -v ccache >/dev/null; then export CCACHE_BASEDIR=$tree CCACHE_NOHASHDIR=1; fi
build=$work/build
cmake -S "$tree" -B "$build" -DCMAKE_BUILD_TYPE="${SPLOT_TYPE:-RelWithDebInfo}" -DSPLOT_BUILD_EXAMPLES=OFF >/dev/null
cmake --build "$build" --parallel "${SPLOT_JOBS:-$(nproc)}" --target ops_tests splot_cli >"$work/build.log" 2>&1 ||
  { tail -n 50 "$work/build.log" >&2 && fail "the copy does not build"; }
if grep -q 'warning:' "$work/build.log"; then
  grep -A3 'warning:' "$work/build.log" >&2
  fail "the compiler warns"
fi

# As ./dev docs does it. Then the op's own cases, and what holds for every op.
SPLOT_WRITE_DOCS=1 "$build/bin/ops_tests" --gtest_filter=OpTable.TheDocumentIsTheGeneratedOne --gtest_brief=1
"$build/bin/ops_tests" --gtest_filter='*softcap*:*Softcap*:AllOps.*:OpTable.*' --gtest_brief=1 | tee "$work/tests.log"
passed=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) tests\?\.$/\1/p' "$work/tests.log")
[[ ${passed:-0} -ge 8 ]] || fail "only ${passed:-0} cases ran"

grep -q '^| `softcap` | 1 | cap: float | simd | yes | yes | | | yes | |$' "$tree/docs/ops.md" ||
  fail "docs/ops.md does not show a derivative of both orders and C text: $(grep softcap "$tree/docs/ops.md")"
c=$("$build/bin/splot" ops softcap --c --attrs cap=2)
[[ $c == 'float softcap(float x) { return (2.0f * tanhf((x / 2.0f))); }' ]] || fail "the C text is: $c"
grep -qF -e "$c" "$tree/$document" || fail "$document shows another C text than: $c"

changed=$(cd "$work" && { diff -rq before tree || true; } | sed -e 's/^Only in tree\/\?\(.*\): /\1\//' -e 's/^Files before\/\(.*\) and .*/\1/' | sort)
expected=$(printf '%s\n' docs/ops.md splot/ops/activations.h splot/ops/op_list.inc splot/ops/softcap.cpp tests/ops/softcap_test.cpp | sort)
[[ $changed == "$expected" ]] || fail "these files changed, instead of the four places and docs/ops.md: $changed"
echo "add_an_op: docs/add_an_op.md works as written"
