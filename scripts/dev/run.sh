# shellcheck shell=bash
# build the command if needed and run it: ./dev run ARGS is splot ARGS
#
#   ./dev run train mnist -o runs/first
#   ./dev run --help
#
# Everything about packages and building goes to stderr; stdout and the exit status are the command's own.
# Paths are relative to the folder ./dev was called from.

source scripts/dev/lib/packages.sh
source scripts/dev/lib/command.sh
build_command
cd "$called_from" || exit
exec "$splot" "$@"
