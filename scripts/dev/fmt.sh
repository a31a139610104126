# shellcheck shell=bash
# format the C++ sources with clang-format
#
#   ./dev fmt
#   ./dev fmt --check        change nothing, fail when a file is not formatted

source scripts/dev/lib/packages.sh
check=false
for word in "$@"; do
  case $word in
    --yes) assume_yes=true ;;
    --check) check=true ;;
    *) usage_error "unknown argument $word" ;;
  esac
done
need format
if $check; then
  cpp_files | xargs -r -n 20 -P "$(jobs_count)" clang-format --dry-run --Werror >&2 ||
    die "some files are not formatted; ./dev fmt does it."
  say "format: $(cpp_files | wc -l) files are formatted"
else
  cpp_files | xargs -r -n 20 -P "$(jobs_count)" clang-format -i
fi
