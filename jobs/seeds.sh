#!/bin/sh
# The same configuration with several seeds, one after the other, and a table at the end.
#   jobs/seeds.sh CONFIG FIRST LAST [options of 'coppice run'...]
# Runs go to runs/NAME-seedS; those that are finished are not run again.
set -u
. "$(dirname "$0")/launch.sh"
[ $# -ge 3 ] || {
    echo "usage: jobs/seeds.sh CONFIG FIRST LAST [options]" >&2
    exit 64
}
config=$1 first=$2 last=$3
shift 3
name=$(basename "$(dirname "$config")")-$(basename "$config" .ini)
for seed in $(seq "$first" "$last"); do
    coppice_launch run "$config" --set run.seed="$seed" --set run.name="$name" --resume auto --quiet "$@" || exit $?
done
/usr/bin/env python3 "$COPPICE_HOME/jobs/table.py" runs/"$name"-seed*
