#!/bin/sh
# The first thing to try: a search on built-in data, on all cores, in about a minute.
set -eu
. "$(dirname "$0")/launch.sh"
cd "$COPPICE_HOME"
coppice_launch run configs/quickstart.ini "$@"
