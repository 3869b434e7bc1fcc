#!/usr/bin/env python3
"""Workers, masters and launchers that die or freeze: the job goes on or ends with a line that says who; it never hangs."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

CONFIG = "configs/smoke/padawann.ini"
SETS = ("--set", "stop.generations=30", "--set", "checkpoint.every=2")
ENDLESS = ("--set", "stop.generations=100000", "--set", "checkpoint.every=1")
WHO = r"rank 2 on \S+ has (died|been silent for \d+ s) on unit \d+ "
straight = []


def wanted(scratch):
    if not straight:
        check_status(coppice("run", CONFIG, "--out", f"{scratch}/straight", "--quiet", *SETS), 0)
        straight.append(digest(f"{scratch}/straight"))
    return straight[0]


def launch(scratch, fault, *more, ranks=4, sets=SETS, **env):
    env.update(COPPICE_FAULT=fault, COPPICE_FAULT_ONCE=f"{scratch}/once")
    return coppice("launch", CONFIG, "-n", ranks, "--out", f"{scratch}/run", "--quiet", *sets, *more, env=env, timeout=120)


def same_end(scratch, result):
    check_status(result, 0)
    check(os.path.exists(f"{scratch}/once"), "nothing was done to the run")
    check(digest(f"{scratch}/run") == wanted(scratch), f"it ended elsewhere\n{result.stderr}")
    check(not os.path.exists(f"{scratch}/run/launch.status"), "launch leaves its file behind")


@test
def the_run_goes_on_without_a_worker_that_dies(scratch):
    result = launch(scratch, "kill@unit:40/2")
    same_end(scratch, result)
    check(len(re.findall(WHO, result.stderr)) == 1, result.stderr)
    check("launch:" not in result.stderr, "it was started again\n" + result.stderr)


@test
def the_run_goes_on_without_a_worker_that_is_silent(scratch):
    result = launch(scratch, "stop@unit:10/2", "--set", "parallel.patience=3")
    same_end(scratch, result)
    check("launch:" not in result.stderr, result.stderr)


@test
def another_worker_writes_when_the_writer_dies(scratch):
    result = launch(scratch, "kill@checkpoint.checked:1")
    same_end(scratch, result)
    check("has died" in result.stderr and "launch:" not in result.stderr, result.stderr)


@test
def a_death_on_another_node_shows_by_silence(scratch):
    result = launch(scratch, "kill@unit:10/2", "--set", "parallel.patience=3", COPPICE_RANKS_PER_NODE="1")
    same_end(scratch, result)
    check("has died" not in result.stderr and "launch:" not in result.stderr, result.stderr)


@test
def a_master_that_dies_is_started_again_from_the_last_checkpoint(scratch):
    result = launch(scratch, "kill@ledger.after:3/0")
    same_end(scratch, result)
    check("starting again from the last checkpoint" in result.stderr, result.stderr)


@test
def an_mpirun_that_stays_without_ranks_is_replaced(scratch):
    fake = f"{scratch}/mpirun"
    with open(fake, "w", encoding="utf-8") as f:
        f.write(f"""#!/bin/sh
[ -e {scratch}/once ] && exec mpirun "$@"
touch {scratch}/once
sleep 2
exec tail -f /dev/null
""")
    os.chmod(fake, 0o755)
    result = launch(scratch, "", MPIRUN=fake)
    same_end(scratch, result)
    check("starting again from the beginning" in result.stderr, result.stderr)


@test
def workers_elsewhere_do_not_wait_for_a_dead_master(scratch):
    result = launch(scratch, "kill@ledger.after:3/0", "--set", "parallel.patience=3", COPPICE_RANKS_PER_NODE="1")
    same_end(scratch, result)


@test
def a_death_while_all_wait_for_each_other_ends_the_job(scratch):
    for point in ("start/1", "share/2"):
        result = launch(scratch, "kill@" + point)
        same_end(scratch, result)
        check("launch:" in result.stderr, result.stderr)
        shutil.rmtree(f"{scratch}/run")
        os.unlink(f"{scratch}/once")


@test
def a_run_that_cannot_get_on_is_given_up(scratch):
    result = coppice("launch", CONFIG, "-n", 2, "--out", f"{scratch}/given-up", "--restarts", "1", "--quiet", *SETS,
                     env={"COPPICE_FAULT": "kill@ledger.before"})
    check_status(result, 1)
    check("again without progress" in result.stderr and result.stderr.count("COPPICE_FAULT") == 2, result.stderr)


@test
def what_is_refused_is_not_tried_again(scratch):
    result = coppice("launch", CONFIG, "-n", 2, "--out", f"{scratch}/run", "--set", "evaluate.op=none")
    check_status(result, 78)
    check(not os.path.exists(f"{scratch}/run") and result.stderr.count("error:") == 1, result.stderr)
    check_status(coppice("launch", CONFIG, "-n", "some"), 64)
    check_status(coppice("launch", CONFIG, "--mpirun", "/no/such", "--out", f"{scratch}/run"), 64)
    result = coppice("launch", CONFIG, ranks=2)
    check_status(result, 64)
    check("call it alone" in result.stderr, result.stderr)


@test
def under_plain_mpirun_a_silent_worker_ends_the_job_with_status_75(scratch):
    result = coppice("run", CONFIG, "--out", f"{scratch}/run", "--quiet", *ENDLESS, "--set", "parallel.patience=1",
                     ranks=4, env={"COPPICE_FAULT": "stop@unit:40/2"}, timeout=120)
    check_status(result, 75)
    lines = [line for line in result.stderr.splitlines() if re.search(WHO, line)]
    check(len(lines) == 1 and "coppice resume" in lines[0], result.stderr)
    digest(f"{scratch}/run")


if __name__ == "__main__":
    main()
