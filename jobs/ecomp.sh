#!/bin/sh
#SBATCH --job-name=coppice-ecomp
#SBATCH --ntasks=71
#SBATCH --time=02:00:00
#SBATCH --signal=B:USR1@120
# The seven published scenarios of EComp with ten seeds each, and their table. Started again, it goes on.
#   jobs/ecomp.sh [SEEDS] [OUT] [options of 'coppice sweep'...]
# SEEDS is 1-10 if it is not given, OUT runs/ecomp. COPPICE_DATA names the folder with the datasets (docs/data.md).
# Each run leaves a checkpoint of 20 to 80 MB.
set -u
. "${COPPICE_HOME:-${SLURM_SUBMIT_DIR:-$(cd "$(dirname "$0")/.." && pwd)}}/jobs/launch.sh"
seeds=${1:-1-10} out=${2:-runs/ecomp}
[ $# -gt 2 ] && shift 2 || shift $#
cd "$COPPICE_HOME" || exit 1
# shellcheck disable=SC2046  # words
coppice_launch sweep configs/ecomp/[01][0-9][0-9].ini --seeds "$seeds" --out "$out" $(coppice_time_limit) "$@" || exit $?
python3 jobs/ecomp_table.py "$out" >"$out/ecomp.csv" || exit $?
python3 jobs/ecomp_table.py "$out" --curves >"$out/ecomp-curves.csv" || exit $?
python3 jobs/ecomp_table.py "$out" --order >"$out/ecomp-order.txt" || exit $?
cat "$out/ecomp-order.txt"
echo "tables: $out/ecomp.csv $out/ecomp-curves.csv $out/ecomp-order.txt"
