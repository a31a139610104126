# shellcheck shell=bash
# install the packages that are missing
#
#   ./dev deps                    what the library, the command and their tests need
#   ./dev deps build              groups: build, test, bench, fuzz, export, format, lint, tidy, docs; "all" is every one
#   ./dev deps --list bench       only print the names
#
# Says what it will install and asks before it uses sudo; --yes or CI=true skips the question.
# docs/dependencies.md says why each package is needed.

source scripts/dev/lib/packages.sh
list=false
groups=()
for word in "$@"; do
  case $word in
    --yes) assume_yes=true ;;
    --list) list=true ;;
    all) groups+=(build test bench fuzz export format lint tidy docs) ;;
    -*) usage_error "unknown option $word" ;;
    *) groups+=("$word") ;;
  esac
done
if [[ ${#groups[@]} -eq 0 ]]; then groups=(build test); fi
for group in "${groups[@]}"; do packages_of "$group" >/dev/null; done
if $list; then
  for group in "${groups[@]}"; do
    for entry in $(packages_of "$group"); do echo "${entry%%=*}"; done
  done
  exit 0
fi
need "${groups[@]}"
say "everything is installed for: ${groups[*]}"
