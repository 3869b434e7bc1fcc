#!/bin/sh
#SBATCH --job-name=coppice-sweep
#SBATCH --ntasks=17
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@120
# Configurations x seeds, as many runs at a time as there are cores, then tables and figures.
#   jobs/sweep.sh SEEDS OUT CONFIG... [options of 'coppice sweep'...]
#   jobs/sweep.sh 1-10 runs/main configs/padawann/default.ini configs/padawann/as-published.ini
# Unchanged on a workstation and in a queue (sbatch jobs/sweep.sh ...); started again, it goes on.
set -u
. "${COPPICE_HOME:-${SLURM_SUBMIT_DIR:-$(cd "$(dirname "$0")/.." && pwd)}}/jobs/launch.sh"
[ $# -ge 3 ] || {
    echo "usage: jobs/sweep.sh SEEDS OUT CONFIG... [options]" >&2
    exit 64
}
seeds=$1 out=$2
shift 2
# shellcheck disable=SC2046  # two words or none
coppice_launch sweep --seeds "$seeds" --out "$out" $(coppice_time_limit) "$@"
