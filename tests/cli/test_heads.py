#!/usr/bin/env python3
"""Tasks with outputs of their own: from training to every command that judges a network."""
import csv
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import check, check_status, coppice, digest, main, result_of, test  # noqa: E402

CONFIG = "configs/smoke/heads.ini"


def ask(*words):
    result = coppice(*words, "--json")
    check_status(result, 0)
    return json.loads(result.stdout)


@test
def tasks_are_judged_by_their_own_outputs(scratch):
    run = f"{scratch}/run"
    check_status(coppice("run", CONFIG, "--out", run, "-q"), 0)
    other = f"{scratch}/other"
    check_status(coppice("run", CONFIG, "--out", other, "-q", ranks=3), 0)
    check(digest(run) == digest(other), "the number of ranks matters")
    seen = ask("evaluate", run)["tasks"]
    for task, classes in (("digits", 10), ("letters", 5)):
        check(len(seen[task]["confusion"]) == classes and len(seen[task]["confusion"][0]) == classes, seen[task])
        check(seen[task]["loss"] > 0, seen[task])
    table = result_of(run)["tasks"]
    for task in seen:
        check(abs(table[task]["best_test"]["accuracy"] - seen[task]["accuracy"]) < 1e-9, f"{task}: {table} {seen[task]}")
    for evaluator in ("reference", "blas", "sparse"):
        again = ask("evaluate", run, "-e", evaluator)["tasks"]
        for task in seen:
            check(abs(again[task]["correct"] - seen[task]["correct"]) <= 3, f"{evaluator} {task}: {again[task]}")
    path = f"{scratch}/p.csv"
    check_status(coppice("evaluate", run, "--predictions", path), 0)
    with open(path, encoding="utf-8") as f:
        check(max(int(row["predicted"]) for row in csv.DictReader(f) if row["task"] == "letters") < 5, "outside the head")
    base = ask("prune", run, "-r", 1)["networks"][0]["tasks"]
    check(base["digits"]["trained"] > 50, f"the base network has not learnt: {base}")
    after = ask("transfer", run, "--task", "letters", "--epochs", 60)["tasks"]["letters"]
    check(after["after"] > after["before"] + 5 and after["after"] > 25, after)
    check_status(coppice("report", run), 0)
    pair = ask("compare", run, f"same={other}")["tasks"]["letters"]["pairs"][0]
    check(pair["same_class"] == seen["letters"]["samples"], pair)


@test
def heads_that_do_not_fit_are_refused(scratch):
    for status, message, *sets in (
        (78, "has its head at outputs 11 to 15, the network has 0 to 14", "task.letters.first_output=11"),
        (78, "first_output = 10: is used by head = own only", "task.letters.head=all"),
        (78, "head = both: not one of all, own", "task.letters.head=both"),
    ):
        result = coppice("run", CONFIG, "--out", f"{scratch}/run", "-q", *[f"--set={s}" for s in sets])
        check_status(result, status)
        check(message in result.stderr, result.stderr)


main()
