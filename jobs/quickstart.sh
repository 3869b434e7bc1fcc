#!/bin/sh
# The first thing to try: a search on built-in data, on all cores, in about a minute.
set -u
. "$(dirname "$0")/launch.sh"
cd "$COPPICE_HOME" || exit 1
coppice_launch run configs/quickstart.ini "$@"
