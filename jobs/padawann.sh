#!/bin/sh
#SBATCH --job-name=coppice-padawann
#SBATCH --ntasks=17
#SBATCH --time=02:00:00
#SBATCH --signal=B:USR1@120
# The thesis' experiment: P = 20, 50 generations, MNIST and ten letters. Unchanged on a workstation
# (jobs/padawann.sh) and in a queue (sbatch jobs/padawann.sh); started again, it goes on where it was.
#   jobs/padawann.sh [CONFIG] [options of 'coppice run'...]
# COPPICE_DATA names the folder with the datasets (docs/data.md).
set -u
. "${COPPICE_HOME:-${SLURM_SUBMIT_DIR:-$(cd "$(dirname "$0")/.." && pwd)}}/jobs/launch.sh"
cd "$COPPICE_HOME" || exit 1
config=${1:-configs/padawann/default.ini}
[ $# -gt 0 ] && shift
# shellcheck disable=SC2046  # two words or none
coppice_launch run "$config" --resume auto $(coppice_time_limit) "$@"
