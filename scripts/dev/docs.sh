# shellcheck shell=bash
# write the documents that are made from the code: docs/ops.md, the reference of the C++ interface
#
#   ./dev docs          docs/ops.md
#   ./dev docs --api    build/api/html/index.html, by Doxygen; a warning is an error

source scripts/dev/lib/packages.sh
api=false
for word in "$@"; do
  case $word in
    --api) api=true ;;
    --yes) assume_yes=true ;;
    *) usage_error "unknown argument $word" ;;
  esac
done
if $api; then
  need docs
  mkdir -p build/api
  doxygen docs/api/Doxyfile >&2 || die "docs: the doc comments above need mending"
  say "build/api/html/index.html is up to date"
  exit 0
fi
need build test
configure dev
say "building"
build dev ops_tests
SPLOT_WRITE_DOCS=1 build/dev/bin/ops_tests --gtest_filter=OpTable.TheDocumentIsTheGeneratedOne --gtest_brief=1 >&2
say "docs/ops.md is up to date"
