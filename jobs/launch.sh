# shellcheck shell=sh
# Sourced by the scripts in jobs/ and slurm/: start coppice under whatever launcher is there.
#   coppice_launch run CONFIG [options...]      on all cores here, or on the tasks that Slurm gave
# A run that may go on where it was (--resume auto) is given to 'coppice launch', which outlives workers that die and
# starts again after a crash; everything else goes to mpirun.
# Variables: COPPICE (program), NP (ranks), MPIRUN, COPPICE_LAUNCHER=mpirun|srun to do without 'coppice launch'.

# sbatch runs a copy of the script from its spool folder, so the checkout is looked for where it was
# submitted
COPPICE_HOME=${COPPICE_HOME:-${SLURM_SUBMIT_DIR:-$(cd "$(dirname "$0")/.." && pwd)}}
COPPICE=${COPPICE:-$COPPICE_HOME/build/coppice}
[ -x "$COPPICE" ] || COPPICE=$(command -v coppice) || {
    echo "coppice is not built: run 'make' in $COPPICE_HOME, or set COPPICE to the program" >&2
    exit 1
}

# one BLAS thread per rank: ranks are the parallelism
export OPENBLAS_NUM_THREADS=1
# Open MPI refuses root unless told twice; in a container root is the ordinary user
if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# seconds until Slurm ends the job, less a margin for the last checkpoint; nothing outside Slurm
coppice_time_limit() {
    [ -n "${SLURM_JOB_ID:-}" ] || return 0
    # the last task of an array has the array's own number as its job id, which lists every task
    coppice_job=$SLURM_JOB_ID
    [ -n "${SLURM_ARRAY_TASK_ID:-}" ] && coppice_job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
    squeue -h -j "$coppice_job" -o %L 2>/dev/null | awk -v margin="${COPPICE_MARGIN:-120}" '
        /^[0-9:-]+$/ { days = 0; text = $1
            if (split(text, d, "-") == 2) { days = d[1]; text = d[2] }
            n = split(text, part, ":"); s = 0
            for (i = 1; i <= n; i++) s = 60 * s + part[i]
            s += 86400 * days
            if (s > margin) { printf "--time-limit %d", s - margin; exit } }'
}

coppice_launch() {
    # rank 0 only directs and sleeps, so one rank more than cores keeps every core busy
    coppice_ranks=${NP:-${SLURM_NTASKS:-$(($(nproc) + 1))}}
    if [ -z "${SLURM_NTASKS:-}" ]; then
        export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
    fi
    case "${COPPICE_LAUNCHER:-}:$1: $* " in
    srun:*) set -- srun --mpi=pmix "$COPPICE" "$@" ;;
    :run:*" --resume auto "*)
        shift
        set -- "$COPPICE" launch -n "$coppice_ranks" "$@"
        ;;
    *) set -- "${MPIRUN:-mpirun}" --quiet -np "$coppice_ranks" "$COPPICE" "$@" ;;
    esac
    # in a session of its own, Ctrl-C does not reach mpirun, which would kill its ranks a second later
    command -v setsid >/dev/null && set -- setsid "$@"
    "$@" &
    coppice_pid=$! coppice_stop=USR1
    # Slurm's warning (--signal=B:USR1@...), Ctrl-C, TERM and a closed terminal reach this shell: pass them on as
    # the request to stop; who asks a second time does not want to wait
    trap 'kill -$coppice_stop $coppice_pid 2>/dev/null; coppice_stop=TERM' USR1 TERM INT HUP
    trap 'kill -USR2 $coppice_pid 2>/dev/null' USR2
    # wait returns at once when a trapped signal comes: wait until the launcher is really gone
    while :; do
        wait $coppice_pid
        coppice_status=$?
        kill -0 $coppice_pid 2>/dev/null || break
    done
    trap - USR1 USR2 TERM INT HUP
    return "$coppice_status"
}
