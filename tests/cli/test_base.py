#!/usr/bin/env python3
"""Where the base network of a run comes from: a file that is trained once, read again, or refused."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

CONFIG = "configs/smoke/padawann.ini"
SHORT = ("--set", "stop.generations=1", "--set", "base.epochs=1")


@test
def a_named_file_is_trained_once_and_read_then(scratch):
    base = ("--set", f"base.file={scratch}/base.h5")
    first = coppice("run", CONFIG, "--out", f"{scratch}/a", *SHORT, *base)
    check_status(first, 0)
    check("training" in first.stderr, first.stderr)
    second = coppice("run", CONFIG, "--out", f"{scratch}/b", *SHORT, *base)
    check_status(second, 0)
    check("read from" in second.stderr and "training" not in second.stderr, second.stderr)
    check(digest(f"{scratch}/a") == digest(f"{scratch}/b"), "the file is not the network that was trained")


@test
def a_pruned_network_is_no_base_network(scratch):
    # elite = 0 and one value: the best of two generations has lost edges
    first = coppice("run", CONFIG, "--out", f"{scratch}/a", "--set", "pool.elite=0", "--set", "fitness.op=weighted",
                    "--set", "fitness.w_accuracy=0", "--set", "fitness.w_compression=1", *SHORT)
    check_status(first, 0)
    second = coppice("run", CONFIG, "--out", f"{scratch}/b", "--set", f"base.file={scratch}/a/best.h5", *SHORT)
    check_status(second, 78)
    check("holds a pruned network, " in second.stderr and "of 11012 edges" in second.stderr, second.stderr)


@test
def biases_are_set_to_zero_after_training(scratch):
    base = ("--set", f"base.file={scratch}/base.h5")
    check_status(coppice("run", CONFIG, "--out", f"{scratch}/a", *SHORT, *base), 0)
    zero = coppice("run", CONFIG, "--out", f"{scratch}/b", *SHORT, *base, "--set", "base.biases=zero")
    check_status(zero, 0)
    check("read from" in zero.stderr, "the file is of another training")
    seen = {}
    for run in "ab":
        result = coppice("evaluate", f"{scratch}/{run}", "--split", "evolve", "--json")
        check_status(result, 0)
        seen[run] = [[row["accuracy"] for row in task["values"]] for task in json.loads(result.stdout)["tasks"].values()]
    # a shared weight only rescales a network without biases
    check(all(len(set(rows)) == 1 for rows in seen["b"]), seen)
    check(any(len(set(rows)) > 1 for rows in seen["a"]), seen)
    check(digest(f"{scratch}/a") != digest(f"{scratch}/b"), "the same search")
    check_status(coppice("resume", f"{scratch}/b", "--set", "stop.generations=2"), 0)
    ranks = coppice("run", CONFIG, "--out", f"{scratch}/c", *SHORT, *base, "--set", "base.biases=zero",
                    "--set", "stop.generations=2", ranks=3)
    check_status(ranks, 0)
    check(digest(f"{scratch}/b") == digest(f"{scratch}/c"), "resumed, or on three ranks, it is another search")


if __name__ == "__main__":
    main()
