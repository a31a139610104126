# shellcheck shell=bash
# write the documents that are made from the code: docs/ops.md
#
#   ./dev docs

source scripts/dev/lib/packages.sh
for word in "$@"; do
  case $word in
    --yes) assume_yes=true ;;
    *) usage_error "unknown argument $word" ;;
  esac
done
need build test
configure dev
say "building"
build dev ops_tests
SPLOT_WRITE_DOCS=1 build/dev/bin/ops_tests --gtest_filter=OpTable.TheDocumentIsTheGeneratedOne --gtest_brief=1 >&2
say "docs/ops.md is up to date"
