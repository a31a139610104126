# shellcheck shell=bash
# list the commands, or explain one
#
#   ./dev help
#   ./dev help test

if [[ $# -gt 0 ]]; then
  if [[ ! -f scripts/dev/$1.sh ]]; then usage_error "no command \"$1\", did you mean \"$(nearest_command "$1")\"?"; fi
  print_help "scripts/dev/$1.sh"
  exit 0
fi
cat <<'END'
usage: ./dev [--yes] COMMAND [OPTIONS]

Commands:
END
for name in $(commands); do
  printf '  %-9s %s\n' "$name" "$(print_help "scripts/dev/$name.sh" | head -n 1)"
done
cat <<'END'

  --yes          install missing packages without asking (CI=true does the same)
  SPLOT_DATA     folder of data sets; ../shared/data when that is there and the variable is not set
  SPLOT_JOBS     how many compilers and test programs run at the same time (number of processors)

./dev COMMAND --help says more. Begin with ./dev demo.
END
