#!/usr/bin/env python3
"""A result is a function of configuration, data and seed: not of ranks, cuts, kernels or interruptions."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

CONFIG = "configs/smoke/padawann.ini"


def run(folder, ranks, *more, status=0):
    result = coppice("run", CONFIG, "--out", folder, *more, ranks=ranks)
    check_status(result, status)
    return result


@test
def same_digest_on_any_number_of_ranks(scratch):
    seen = {}
    for ranks in (0, 1, 2, 3, 5, 7, 16):
        folder = f"{scratch}/r{ranks}"
        run(folder, ranks)
        seen[ranks] = digest(folder)
    check(len(set(seen.values())) == 1, f"digests differ: {seen}")


@test
def the_seed_matters_and_the_manner_does_not(scratch):
    run(f"{scratch}/a", 2)
    run(f"{scratch}/b", 2, "--set", "run.seed=2")
    run(f"{scratch}/c", 3, "--set", "parallel.block=1", "--set", "checkpoint.every=1", "--set", "checkpoint.keep=5")
    check(digest(f"{scratch}/a") != digest(f"{scratch}/b"), "two seeds gave one digest")
    check(digest(f"{scratch}/a") == digest(f"{scratch}/c"), "the size of a work unit moved the result")


@test
def nodes_with_their_own_copy_of_the_data_agree(scratch):
    run(f"{scratch}/a", 2)
    result = coppice("run", CONFIG, "--out", f"{scratch}/b", ranks=5, env={"COPPICE_RANKS_PER_NODE": "2"})
    check_status(result, 0)
    check("on 3 nodes" in result.stderr, result.stderr)
    check(digest(f"{scratch}/a") == digest(f"{scratch}/b"), "the number of nodes moved the result")


@test
def extending_a_finished_run_equals_the_longer_run(scratch):
    run(f"{scratch}/long", 2, "--set", "stop.generations=9")
    run(f"{scratch}/short", 3, "--set", "stop.generations=4")
    result = coppice("resume", f"{scratch}/short", "--set", "stop.generations=9", ranks=2)
    check_status(result, 0)
    check(digest(f"{scratch}/long") == digest(f"{scratch}/short"), "extended and straight runs differ")


@test
def resume_refuses_another_experiment(scratch):
    run(f"{scratch}/a", 2)
    result = coppice("resume", f"{scratch}/a", "--set", "select.size=2", ranks=3)
    check_status(result, 78)
    check("another experiment" in result.stderr and "size" in result.stderr, result.stderr)
    check(len([x for x in result.stderr.splitlines() if "another experiment" in x]) == 1, "said more than once")


@test
def a_time_limit_stops_with_75_and_resume_auto_goes_on(scratch):
    straight, cut = f"{scratch}/a", f"{scratch}/b"
    run(straight, 2, "--set", "stop.generations=40")
    more = ("--set", "stop.generations=40", "--resume", "auto")
    run(cut, 2, *more, "--time-limit", "0.3", status=75)
    tries = 0
    while coppice("run", CONFIG, "--out", cut, *more, "--time-limit", "2", ranks=3).returncode == 75:
        tries += 1
        check(tries < 50, "no progress between time limits")
    check(digest(straight) == digest(cut), "interrupted and straight runs differ")


if __name__ == "__main__":
    main()
