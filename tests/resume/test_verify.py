#!/usr/bin/env python3
"""verify finds a flipped bit in any file of a run; resume passes over a damaged checkpoint."""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

CONFIG = "configs/smoke/padawann.ini"


def finished_run(folder, *more):
    check_status(coppice("run", CONFIG, "--out", folder, "--quiet", "--set", "checkpoint.every=2", *more), 0)


def flip(path, offset, bit):
    with open(path, "r+b") as f:
        f.seek(offset)
        byte = f.read(1)[0]
        f.seek(offset)
        f.write(bytes([byte ^ (1 << bit)]))


@test
def a_flipped_bit_in_any_file_is_found(scratch):
    folder = f"{scratch}/run"
    finished_run(folder)
    dice = random.Random(7)
    names = ["config.ini", "run.json", "metrics.jsonl", "ledger.jsonl", "best.h5"]
    names += ["checkpoints/" + n for n in os.listdir(f"{folder}/checkpoints")]
    check(len(names) >= 7, f"two checkpoints expected: {names}")
    for name in names:
        path = f"{folder}/{name}"
        size = os.path.getsize(path)
        places = [0, size - 2] + [dice.randrange(size) for _ in range(8)]
        for offset in places:
            bit = dice.randrange(8)
            flip(path, offset, bit)
            result = coppice("verify", folder)
            flip(path, offset, bit)
            check(result.returncode == 1, f"{name}, byte {offset}, bit {bit}: status {result.returncode}\n{result.stdout}{result.stderr}")
            check("digest" not in result.stdout, "a digest was printed for a damaged run")
            errors = [line for line in result.stderr.splitlines() if "error:" in line]
            check(len(errors) == 1, f"one line expected:\n{result.stderr}")
    digest(folder)


@test
def a_missing_or_cut_file_is_found(scratch):
    folder = f"{scratch}/run"
    finished_run(folder)
    for name in ["config.ini", "run.json", "metrics.jsonl", "ledger.jsonl", "best.h5"]:
        os.rename(f"{folder}/{name}", f"{scratch}/aside")
        check_status(coppice("verify", folder), 1)
        with open(f"{scratch}/aside", "rb") as whole, open(f"{folder}/{name}", "wb") as cut:
            cut.write(whole.read()[: os.path.getsize(f"{scratch}/aside") // 2])
        check_status(coppice("verify", folder), 1)
        os.replace(f"{scratch}/aside", f"{folder}/{name}")
    digest(folder)


@test
def resume_takes_the_newest_good_checkpoint(scratch):
    straight, folder = f"{scratch}/straight", f"{scratch}/run"
    finished_run(straight, "--set", "stop.generations=8")
    finished_run(folder, "--set", "stop.generations=5")
    newest = sorted(os.listdir(f"{folder}/checkpoints"))[-1]
    path = f"{folder}/checkpoints/{newest}"
    flip(path, os.path.getsize(path) // 2, 3)
    result = coppice("resume", folder, "--set", "stop.generations=8", ranks=2)
    check_status(result, 0)
    check("passed over" in result.stderr and newest in result.stderr, result.stderr)
    check(digest(folder) == digest(straight), "resumed from the older checkpoint it ended elsewhere")


@test
def without_any_good_checkpoint_resume_says_so(scratch):
    folder = f"{scratch}/run"
    finished_run(folder)
    for name in os.listdir(f"{folder}/checkpoints"):
        flip(f"{folder}/checkpoints/{name}", 1000, 0)
    result = coppice("resume", folder, "--set", "stop.generations=8", ranks=3)
    check_status(result, 1)
    check("damaged" in result.stderr, result.stderr)


if __name__ == "__main__":
    main()
