#!/bin/sh
#SBATCH --job-name=coppice-algorithms
#SBATCH --ntasks=57
#SBATCH --time=08:00:00
#SBATCH --signal=B:USR1@120
# Every algorithm of sparse training on every configuration given, with several seeds, and one table beside the published
# numbers (algorithms_table.py). Unchanged on a workstation and in a queue; started again, it goes on.
#   jobs/algorithms.sh SEEDS OUT CONFIG... [options of 'coppice sweep'...]
#   jobs/algorithms.sh 1-5 runs/algorithms configs/coset/isolet.ini configs/set/mnist.ini
# ALGORITHMS names those wanted; without it the six of the CosineSET paper and edges as they were drawn.
# COPPICE_DATA names the folder with the datasets (docs/data.md).
set -u
. "${COPPICE_HOME:-${SLURM_SUBMIT_DIR:-$(cd "$(dirname "$0")/.." && pwd)}}/jobs/launch.sh"
[ $# -ge 3 ] || {
    echo "usage: jobs/algorithms.sh SEEDS OUT CONFIG... [options of 'coppice sweep']" >&2
    exit 64
}
seeds=$1 out=$2
shift 2
configs=
while [ $# -gt 0 ]; do
    case "$1" in
    -*) break ;;
    esac
    configs="$configs $1"
    shift
done
mkdir -p "$out" || exit 1
status=0
for config in $configs; do
    name=$(basename "$(dirname "$config")")-$(basename "$config" .ini)
    case "$config" in
    /*) ;;
    *) config=$PWD/$config ;;
    esac
    for algorithm in ${ALGORITHMS:-set codaset copaset corset codacorset copacorset fixprob}; do
        printf '[arm.%s]\nconfig = %s\nset = train.algorithm=%s\n\n' "$algorithm" "$config" "$algorithm"
    done >"$out/$name.ini"
    # shellcheck disable=SC2046  # two words or none
    coppice_launch sweep "$out/$name.ini" --seeds "$seeds" --out "$out/$name" $(coppice_time_limit) "$@" || status=$?
    [ "$status" = 75 ] && exit 75
done
python3 "$COPPICE_HOME/jobs/algorithms_table.py" "$out" --csv "$out/runs.csv" >"$out/table.md" || exit $?
echo "table: $out/table.md"
exit "$status"
