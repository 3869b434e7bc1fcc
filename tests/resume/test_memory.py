#!/usr/bin/env python3
"""A limit on memory moves no result, is kept, is refused when it is too small, and what was taken is recorded."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

CONFIG = "configs/smoke/padawann.ini"
SANITIZED = "asan" in BUILD


def run(folder, ranks, *more, status=0, config=CONFIG):
    result = coppice("run", config, "--out", folder, *more, ranks=ranks)
    check_status(result, status)
    return result


def memory_of(folder):
    with open(f"{folder}/run.json", encoding="utf-8") as f:
        return json.load(f)["memory"]


def least(config, ranks, scratch):
    """The limit that the refusal of a tiny one asks for, as it writes it."""
    result = run(f"{scratch}/refused", ranks, "--memory", "1M", config=config, status=78)
    lines = [line for line in result.stderr.splitlines() if "--memory" in line]
    check(len(lines) == 1 and re.search(r"needs at least [0-9.]+ [KMG]iB .*samples.*: give --memory [0-9]+M or more", lines[0]),
          f"one line that says what is needed:\n{result.stderr}")
    check("training" not in result.stderr, f"refused after training began:\n{result.stderr}")
    check(not os.path.exists(f"{scratch}/refused/checkpoints/gen-000000.h5"), "something was searched")
    return int(re.search(r"--memory ([0-9]+)M", lines[0]).group(1))


@test
def limits_and_ranks_do_not_move_the_result(scratch):
    seen = {}
    for config in (CONFIG, "configs/smoke/similarity.ini", "configs/smoke/trained.ini"):
        name = os.path.basename(config)
        run(f"{scratch}/{name}-free", 2, config=config)
        seen.setdefault(name, set()).add(digest(f"{scratch}/{name}-free"))
        for ranks in (1, 2, 3):
            floor = least(config, ranks, f"{scratch}/{name}-{ranks}")
            for size in (f"{floor + 8}M", "1.5G"):
                folder = f"{scratch}/{name}-{ranks}-{size}"
                run(folder, ranks, "--memory", size, config=config)
                seen[name].add(digest(folder))
    check(all(len(d) == 1 for d in seen.values()), f"digests differ: {seen}")


@test
def a_limit_may_change_on_resume(scratch):
    run(f"{scratch}/a", 2)
    run(f"{scratch}/b", 2, "--memory", "1G", "--set", "stop.generations=1")
    with open(f"{scratch}/b/config.ini", encoding="utf-8") as f:
        check("memory = 1G" in f.read(), "the limit is not in the resolved configuration")
    generations = coppice("inspect", f"{scratch}/a", "--json").stdout
    last = json.loads(generations)["run"]["result"]["generation"]
    result = coppice("resume", f"{scratch}/b", "--memory", "1.5G", "--set", f"stop.generations={last}", ranks=3)
    check_status(result, 0)
    check(digest(f"{scratch}/a") == digest(f"{scratch}/b"), "another limit on resume moved the result")
    check(memory_of(f"{scratch}/b")["budget"] == 3 << 29, f"{memory_of(f'{scratch}/b')}")
    check_status(coppice("resume", f"{scratch}/b", "--memory", "1M", "--set", "stop.generations=99", ranks=2), 78)


@test
def peaks_stand_beside_the_estimate(scratch):
    for ranks in (0, 3):
        folder = f"{scratch}/r{ranks}"
        result = run(folder, ranks)
        check(re.search(r"^memory: .* MiB at most \(estimate ", result.stdout, re.M), result.stdout)
        memory = memory_of(folder)
        check(len(memory["peak"]) == max(ranks, 1) and all(p and p > 1 << 20 for p in memory["peak"]), f"{memory}")
        check(memory["budget"] is None and memory["samples"] > 0, f"{memory}")
        wanted = [memory["estimate_master"]] + [memory["estimate_worker"]] * (max(ranks, 1) - 1)
        check(SANITIZED or all(p <= w for p, w in zip(memory["peak"], wanted)), f"more than estimated: {memory}")
        text = coppice("inspect", folder).stdout
        check("memory of rank 0 at most" in text and ("of a worker" in text) == (ranks > 0), text)


@test
def samples_are_there_once_on_a_node(scratch):
    """Each rank's part of the samples is what the refusal names."""
    parts = {}
    for ranks in (2, 4):
        result = run(f"{scratch}/r{ranks}", ranks, "--memory", "1M", status=78)
        parts[ranks] = float(re.search(r"\(([0-9.]+) MiB of them samples\)", result.stderr).group(1))
    result = coppice("run", CONFIG, "--out", f"{scratch}/own", "--memory", "1M", ranks=4, env={"COPPICE_RANKS_PER_NODE": "1"})
    check_status(result, 78)
    parts["own"] = float(re.search(r"\(([0-9.]+) MiB of them samples\)", result.stderr).group(1))
    check(parts[4] < parts[2] < parts["own"], f"{parts}")


@test
def sizes_that_are_none_are_refused_in_one_line(scratch):
    for size in ("12Q", "-1M", "", "1.5.2G", "512MB", "M", "0x10", "1e400"):
        for command in (("run", CONFIG, "--out", f"{scratch}/x"), ("check", CONFIG), ("sweep", CONFIG, "--seeds", "1", "--out", f"{scratch}/s")):
            result = coppice(*command, f"--memory={size}")
            check_status(result, 64)
            check(result.stderr.count("\n") == 1 and "powers of 1024" in result.stderr, result.stderr)
    result = coppice("check", CONFIG, "--set", "parallel.memory=12Q")
    check_status(result, 78)
    check("[parallel] memory = 12Q" in result.stderr and "powers of 1024" in result.stderr, result.stderr)


@test
def training_runs_refuse_a_limit(scratch):
    config = next(os.path.join("configs", d, f) for d in ("smoke", "set") if os.path.isdir(os.path.join(ROOT, "configs", d))
                  for f in sorted(os.listdir(os.path.join(ROOT, "configs", d)))
                  if "[train]" in open(os.path.join(ROOT, "configs", d, f), encoding="utf-8").read())
    for command in (("run", config, "--out", f"{scratch}/t"), ("check", config)):
        result = coppice(*command, "--memory", "1G")
        check_status(result, 78)
        check("[parallel] memory = 1G: a limit is for searches" in result.stderr, result.stderr)


@test
def a_checkpoint_that_is_too_large_is_not_taken_for_damaged(scratch):
    run(f"{scratch}/a", 0)
    before = digest(f"{scratch}/a")
    result = coppice("resume", f"{scratch}/a", "--memory", "1000", "--set", "stop.generations=9")
    check_status(result, 1)
    check(result.stderr.count("\n") == 1 and "asked for" in result.stderr and "the limit of 1000 B" in result.stderr, result.stderr)
    check(digest(f"{scratch}/a") == before, "the run has changed")
    check(not [f for f in os.listdir(f"{scratch}/a/checkpoints") if f.endswith(".damaged")], "a good checkpoint was set aside")


@test
def other_commands_keep_the_limit_too(scratch):
    run(f"{scratch}/a", 0)
    free, limited = (coppice("evaluate", f"{scratch}/a", *more) for more in ((), ("--memory", "1G")))
    check_status(limited, 0)
    check(free.stdout == limited.stdout, f"{free.stdout}\n{limited.stdout}")
    result = coppice("evaluate", f"{scratch}/a", "--memory", "1M")
    check_status(result, 64)
    check("at least" in result.stderr and result.stderr.count("\n") == 1, result.stderr)
    check_status(coppice("check", CONFIG, "--memory", "1M"), 78)
    check_status(coppice("check", CONFIG, "--memory", "2G"), 0)
    sweep = coppice("sweep", CONFIG, "--seeds", "1-2", "--memory", "1G", "--out", f"{scratch}/s", "--no-figures", ranks=3)
    check_status(sweep, 0)
    for seed in (1, 2):
        check(memory_of(f"{scratch}/s/padawann/seed-{seed}")["budget"] == 1 << 30, "the sweep's limit is not the run's")


if __name__ == "__main__":
    main()
