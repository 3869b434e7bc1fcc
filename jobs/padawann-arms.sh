#!/bin/sh
#SBATCH --job-name=coppice-padawann-arms
#SBATCH --ntasks=65
#SBATCH --time=08:00:00
#SBATCH --signal=B:USR1@120
# Every experiment of the PADAWANN thesis: all arms of configs/padawann with several seeds, tables, figures, and tests of
# every arm against its default. Unchanged on a workstation and in a queue; started again, it goes on.
#   jobs/padawann-arms.sh cnn          [SEEDS] [OUT] [options of 'coppice sweep'...]
#   jobs/padawann-arms.sh feed-forward [SEEDS] [OUT] ...
#   jobs/padawann-arms.sh small        [SEEDS] [OUT] ...
# cnn: as the thesis (some 120 core-hours, 50 of them for large.ini). feed-forward: the same arms with the network 784-64-10 (an
# hour of one core). small: seven arms of the CNN on 1,000 images a task and 20 generations (an hour of one core).
# SEEDS is 1-10 (small: 1-5) if it is not given, OUT runs/padawann-KIND. COPPICE_DATA names the folder with the datasets (docs/data.md).
set -u
. "${COPPICE_HOME:-${SLURM_SUBMIT_DIR:-$(cd "$(dirname "$0")/.." && pwd)}}/jobs/launch.sh"
kind=${1:-}
case "$kind" in
cnn | feed-forward | small) ;;
*)
    echo "usage: jobs/padawann-arms.sh cnn|feed-forward|small [SEEDS] [OUT] [options of 'coppice sweep']" >&2
    exit 64
    ;;
esac
seeds=${2:-} out=${3:-runs/padawann-$kind}
[ $# -gt 3 ] && shift 3 || shift $#
cd "$COPPICE_HOME" || exit 1

configs=$(ls configs/padawann/*.ini)
case "$kind" in
feed-forward)
    # feed-forward.ini is as-published.ini then, and heads.ini brings a network of its own
    configs=$(echo "$configs" | grep -v -e /feed-forward.ini -e /heads.ini)
    set -- --set "network.layers=relu dense(64) relu dense(10)" --set base.epochs=15 --set base.decay=0.8 "$@"
    ;;
small)
    configs=configs/sweeps/padawann-cnn-small.ini
    seeds=${seeds:-1-5}
    set -- --set task.mnist.evolve_per_class=100 --set task.letters.evolve_per_class=100 --set stop.generations=20 "$@"
    ;;
esac
# shellcheck disable=SC2046,SC2086  # words
coppice_launch sweep $configs --seeds "${seeds:-1-10}" --out "$out" $(coppice_time_limit) "$@" || exit $?

# the thesis' ablations have ten individuals and are compared with small.ini, which has them too
{
    "$COPPICE" compare "$out" --against as-published
    if [ -d "$out/small" ]; then
        "$COPPICE" compare "$out" --against small --measure fitness
    fi
} >"$out/compare.txt" || exit $?
echo "tests of every arm: $out/compare.txt"
