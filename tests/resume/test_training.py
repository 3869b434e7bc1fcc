#!/usr/bin/env python3
"""Runs that train: one digest from every kernel, whatever interrupted them; records, sweeps and refusals."""
import csv
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

CONFIG = "configs/smoke/training.ini"


def run(folder, *more, status=0, **kw):
    result = coppice("run", CONFIG, "--out", folder, *more, **kw)
    check_status(result, status)
    return result


@test
def every_kernel_ends_with_the_same_digest(scratch):
    # the cosine rules use BLAS as well; this one does not
    ways = {"fastest": {}, "plain": {"COPPICE_KERNEL": "plain"}}
    if os.uname().machine == "x86_64":
        ways["sse2"] = {"COPPICE_KERNEL": "sse2"}
    seen = {}
    for way, env in ways.items():
        run(f"{scratch}/{way}", env=env)
        seen[way] = digest(f"{scratch}/{way}")
    run(f"{scratch}/ranks", ranks=3)
    seen["3 ranks"] = digest(f"{scratch}/ranks")
    check(len(set(seen.values())) == 1, f"digests differ: {seen}")


@test
def interrupted_it_ends_as_if_nothing_had_happened(scratch):
    for algorithm in ("set", "codacorset", "copacorset", "rigl", "fixprob", "dense"):
        sets = ("--set", f"train.algorithm={algorithm}", "--set", "train.memory=forget")
        run(f"{scratch}/{algorithm}-straight", *sets)
        folder = f"{scratch}/{algorithm}-parts"
        run(folder, *sets, "--set", "train.epochs=3")
        check_status(coppice("resume", folder, "--set", "train.epochs=4"), 0)
        check_status(coppice("resume", folder, "--set", "train.epochs=6"), 0)
        check(digest(folder) == digest(f"{scratch}/{algorithm}-straight"), f"{algorithm} ended elsewhere")
        check(result_of(folder)["edges_after_removal"] == result_of(f"{scratch}/{algorithm}-straight")["edges_after_removal"],
              f"{algorithm}: another last removal")


@test
def ranks_share_batches_and_move_nothing(scratch):
    sets = ("--set", "train.parts=4", "--set", "train.epochs=4", "--set", "train.rotate=0")
    seen = {}
    for ranks in (0, 2, 3, 5):
        run(f"{scratch}/{ranks}", *sets, ranks=ranks)
        seen[ranks] = digest(f"{scratch}/{ranks}")
    run(f"{scratch}/nodes", *sets, ranks=3, env={"COPPICE_RANKS_PER_NODE": "2"})  # parts are sent, not shared
    seen["2 nodes"] = digest(f"{scratch}/nodes")
    run(f"{scratch}/parts", *sets, "--set", "train.epochs=2", ranks=2)
    check_status(coppice("resume", f"{scratch}/parts", "--set", "train.epochs=4", ranks=3), 0)
    seen["resumed"] = digest(f"{scratch}/parts")
    check(len(set(seen.values())) == 1, f"digests differ: {seen}")
    adam = (*sets, "--set", "train.optimiser=adam", "--set", "train.rate=0.001", "--set", "train.memory=keep")
    seen = {}
    for name, ranks, env in (("one", 0, {}), ("two", 2, {}), ("nodes", 3, {"COPPICE_RANKS_PER_NODE": "2"})):
        run(f"{scratch}/adam-{name}", *adam, ranks=ranks, env=env)
        seen[name] = digest(f"{scratch}/adam-{name}")
    check(len(set(seen.values())) == 1, f"digests with adam differ: {seen}")
    result = run(f"{scratch}/wild", *sets, "--set", "train.rate=1000", ranks=2, status=1)
    check("diverged" in result.stderr, result.stderr)
    result = run(f"{scratch}/wrong", "--set", "train.hidden=2.5", ranks=2, status=78)
    check("whole numbers" in result.stderr, result.stderr)


@test
def a_killed_run_goes_on(scratch):
    sets = ("--set", "train.epochs=40", "--set", "checkpoint.every=1", "--set", "train.optimiser=adam", "--set",
            "train.rate=0.001")
    run(f"{scratch}/straight", *sets)
    folder = f"{scratch}/killed"
    start_and_kill(CONFIG, folder, (0.15, 0.3, 0.5), *sets)
    run(folder, *sets, "--resume", "auto")
    check(digest(folder) == digest(f"{scratch}/straight"), "a killed run ended elsewhere")
    with open(f"{folder}/metrics.jsonl", encoding="utf-8") as f:
        epochs = [json.loads(line)["generation"] for line in f]
    check(epochs == list(range(1, 41)), f"metrics.jsonl: {epochs}")


@test
def asked_to_stop_it_leaves_a_checkpoint(scratch):
    folder = f"{scratch}/a"
    p = subprocess.Popen([COPPICE, "run", CONFIG, "--out", folder, "--set", "train.epochs=1000000", "--quiet"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    while not os.path.exists(f"{folder}/metrics.jsonl") or os.path.getsize(f"{folder}/metrics.jsonl") < 300:
        check(p.poll() is None, "the run ended by itself")
        time.sleep(0.01)
    p.send_signal(signal.SIGTERM)
    _, said = p.communicate(timeout=60)
    check(p.returncode == 75 and f"coppice resume {folder}" in said, f"{p.returncode}: {said}")
    check(digest(folder), "verify")


@test
def damage_and_other_experiments_are_refused(scratch):
    folder = f"{scratch}/a"
    run(folder, "--set", "checkpoint.keep=9")
    result = coppice("resume", folder, "--set", "train.zeta=0.4")
    check_status(result, 78)
    check("another experiment" in result.stderr, result.stderr)
    result = run(folder, status=64)
    check("already holds a run" in result.stderr, result.stderr)
    with open(f"{folder}/checkpoints/epoch-000006.h5", "r+b") as f:
        f.seek(os.path.getsize(f.name) // 2)
        f.write(b"\xff" * 64)
    check(coppice("verify", folder).returncode == 1, "the damage was not seen")
    check_status(coppice("resume", folder), 0)  # from the one before
    check(digest(folder), "verify")
    for key, value, part in (("hidden", "2.5", "whole numbers"), ("add", "cosine-top", "algorithm = custom"),
                             ("batch", "10000", "take smaller batches"), ("task", "nothing", "no section [task.nothing]")):
        result = run(f"{scratch}/{key}", "--set", f"train.{key}={value}", status=78)
        check(part in result.stderr and result.stderr.count("\n") == 1, result.stderr)


@test
def a_sweep_of_algorithms_has_a_table(scratch):
    with open(f"{scratch}/fixprob.ini", "w", encoding="utf-8") as f:
        f.write(f"include = {ROOT}/{CONFIG}\n[train]\nalgorithm = fixprob\n")
    folder = f"{scratch}/sweep"
    result = coppice("sweep", f"set={ROOT}/{CONFIG}", f"{scratch}/fixprob.ini", "--seeds", "1-2", "--out", folder,
                     "--no-figures", ranks=3)
    check_status(result, 0)
    with open(f"{folder}/runs.csv", encoding="utf-8") as f:
        lines = f.read().splitlines()
    check(len(lines) == 5 and "accuracy.clusters.test" in lines[0], lines)
    check("4 of 4 runs are finished" in result.stdout, result.stdout)


@test
def every_algorithm_stands_in_one_table(scratch):
    job = subprocess.run(["jobs/algorithms.sh", "1-2", f"{scratch}/out", CONFIG, "--no-figures"], cwd=ROOT, text=True,
                         capture_output=True, check=False,
                         env={**os.environ, "ALGORITHMS": "set fixprob", "NP": "2", "COPPICE": COPPICE})
    check(job.returncode == 0, job.stderr)
    with open(f"{scratch}/out/table.md", encoding="utf-8") as f:
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in f.read().splitlines()]
    check([row[:4] for row in rows[2:]] == [["smoke-training", "fixprob", "2", "6"], ["smoke-training", "set", "2", "6"]], rows)
    check(all(len(row) == 13 for row in rows) and "±" in rows[2][4] and rows[2][7] == "-", rows)
    check(rows[2][8] == rows[2][10] and float(rows[3][11]) < float(rows[3][9]), rows)
    with open(f"{scratch}/out/runs.csv", encoding="utf-8") as f:
        lines = f.read().splitlines()
    check(len(lines) == 5 and lines[0].startswith("config,algorithm,seed"), lines)


@test
def boltzmann_machines_stand_in_one_table(scratch):
    with open(f"{scratch}/arms.ini", "w", encoding="utf-8") as f:
        for arm, more in (("set", ""), ("fixprob-wide", " train.algorithm=fixprob train.hidden=30")):
            f.write(f"[arm.{arm}]\nconfig = {ROOT}/configs/smoke/rbm.ini\nset = train.epochs=2 train.ais_thin=100{more}\n")
    result = coppice("sweep", f"{scratch}/arms.ini", "--seeds", "1-2", "--out", f"{scratch}/all/dna", "--no-figures", ranks=3)
    check_status(result, 0)
    job = subprocess.run([sys.executable, "jobs/rbm_table.py", f"{scratch}/all", "--csv", f"{scratch}/runs.csv"], cwd=ROOT,
                         text=True, capture_output=True, check=False)
    check(job.returncode == 0, job.stderr)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in job.stdout.splitlines()]
    check([row[:3] + row[4:6] + row[9:10] for row in rows[2:]] ==
          [["dna", "fixprob-wide", "30", "2", "2", "-86.90"], ["dna", "set", rows[3][2], "2", "2", "-82.51"]], rows)
    check(all(len(row) == 13 for row in rows) and rows[2][11] == rows[2][12] and rows[3][11] != rows[3][12], rows)
    with open(f"{scratch}/runs.csv", encoding="utf-8") as f:
        found = list(csv.DictReader(f))
    record = result_of(f"{scratch}/all/dna/set/seed-2")
    check(len(found) == 4 and float(found[3]["test"]) == round(record["test_log_probability"], 4) and found[3]["seed"] == "2", found)


@test
def what_it_found_is_written_down(scratch):
    folder = f"{scratch}/a"
    run(folder)
    found = result_of(folder)
    check(found["edges_after_removal"] < found["edges"] < 5000, found)
    check(1 <= found["chosen_epoch"] <= 6 and 1 <= found["peak_epoch"] <= 6, found)
    check(found["test_peak"] >= found["tasks"]["clusters"]["best_test"]["accuracy"], found)
    with open(f"{folder}/metrics.jsonl", encoding="utf-8") as f:
        epochs = [json.loads(line) for line in f]
    chosen = epochs[found["chosen_epoch"] - 1]
    check(chosen["validation_accuracy"] == max(e["validation_accuracy"] for e in epochs), epochs)
    check(abs(found["best_ever"] - 100 * chosen["validation_accuracy"]) < 1e-9, found)
    check(found["test_peak"] == 100 * max(e["test_accuracy"] for e in epochs), found)
    check_status(coppice("resume", folder, "--set", "train.feature_removal=yes"), 0)
    with open(f"{folder}/features.csv", encoding="utf-8") as f:
        curve = [list(map(float, line.split(","))) for line in f.read().splitlines()[1:]]
    check(len(curve) == 61 and curve[0][1] == curve[0][2] == found["test_last"] and curve[60][1] == curve[60][2], curve)
    with open(f"{folder}/degrees.csv", encoding="utf-8") as f:
        rows = [list(map(int, line.split(","))) for line in f.read().splitlines()[1:]]
    check([r[0] for r in rows] == list(range(60)) and all(0 <= r[2] <= r[1] <= 60 for r in rows), rows)


@test
def similarities_of_few_samples_say_how_far_off_they_are(scratch):
    def errors(folder, samples, *more, **kw):
        said = run(folder, "--set", "train.algorithm=codacorset", "--set", f"train.similarity_samples={samples}", *more, **kw).stderr
        with open(f"{folder}/metrics.jsonl", encoding="utf-8") as f:
            lines = [json.loads(line) for line in f]
        check(said.count("similarities +-") == sum("similarity_error" in line for line in lines), said)
        return [line["similarity_error"] for line in lines if "similarity_error" in line]

    few, more, all_of_them = errors(f"{scratch}/few", 64), errors(f"{scratch}/more", 256), errors(f"{scratch}/all", 0)
    check(len(few) == len(more) == 5 and not all_of_them, f"{few} {more} {all_of_them}")  # 6 epochs, rewired before each but the first
    check(0 < sum(more) < 0.75 * sum(few), f"{few} {more}")
    but_one = errors(f"{scratch}/but-one", 539)  # of 540 that are learnt from: as good as all
    check(0 < sum(but_one) < 0.1 * sum(more), f"{more} {but_one}")
    check(0 < result_of(f"{scratch}/few")["similarity_error"] < 1, "of the last removal")
    check("similarity_error" not in result_of(f"{scratch}/all"), "of all samples")
    errors(f"{scratch}/ranks", 64, ranks=2)
    errors(f"{scratch}/parts", 64, "--set", "train.epochs=3")
    check_status(coppice("resume", f"{scratch}/parts", "--set", "train.epochs=6"), 0)
    check(digest(f"{scratch}/few") == digest(f"{scratch}/ranks") == digest(f"{scratch}/parts"), "samples were drawn otherwise")
    check(digest(f"{scratch}/few") != digest(f"{scratch}/more"), "all the same")


@test
def boltzmann_machines_are_trained_too(scratch):
    config = "configs/smoke/rbm.ini"

    def machine(folder, *more, status=0, **kw):
        result = coppice("run", config, "--out", folder, *more, **kw)
        check_status(result, status)
        return result

    seen = {}
    for way, env, ranks in (("fastest", {}, 0), ("plain", {"COPPICE_KERNEL": "plain"}, 0), ("2 ranks", {}, 2)):
        machine(f"{scratch}/{way}", env=env, ranks=ranks)
        seen[way] = digest(f"{scratch}/{way}")
    machine(f"{scratch}/parts", "--set", "train.epochs=3")
    check_status(coppice("resume", f"{scratch}/parts", "--set", "train.epochs=5"), 0)
    seen["resumed"] = digest(f"{scratch}/parts")
    check(len(set(seen.values())) == 1, f"digests differ: {seen}")
    found = result_of(f"{scratch}/fastest")
    check(found["edges_after_removal"] < found["edges"] and found["test_log_probability"] < -50, found)
    again = result_of(f"{scratch}/parts")
    check(again["test_log_probability"] == found["test_log_probability"], f"{again} {found}")
    with open(f"{scratch}/fastest/metrics.jsonl", encoding="utf-8") as f:
        errors = [json.loads(line)["test_loss"] for line in f]
    check(errors[-1] < errors[0] < 1, errors)
    check("hidden" in coppice("explain", config).stdout, "explain")
    check("of a Boltzmann machine" in coppice("evaluate", f"{scratch}/fastest").stderr, "evaluate")
    check_status(coppice("inspect", f"{scratch}/fastest"), 0)
    check_status(coppice("report", f"{scratch}/fastest"), 0)
    with open(f"{scratch}/sweep.ini", "w", encoding="utf-8") as f:
        f.write(f"[arm.machine]\nconfig = {os.path.abspath(config)}\n")
    result = coppice("sweep", f"{scratch}/sweep.ini", "--seeds", "1", "--out", f"{scratch}/sweep")
    check_status(result, 0)
    check("confusion" not in result.stderr, result.stderr)  # it has no classes to confuse
    for key, value, part in (("algorithm", "codaset", "rewired by magnitude"), ("hidden", "3,3", "one hidden layer"),
                             ("activation", "relu", "not used by model = rbm"), ("parts", "2", "not used by")):
        check(part in machine(f"{scratch}/{key}", "--set", f"train.{key}={value}", status=78).stderr, key)
    result = machine(f"{scratch}/range", "--set", "task.digits.mean=0.5", status=78)
    check("takes values from 0 to 1" in result.stderr, result.stderr)
    result = run(f"{scratch}/cd", "--set", "train.cd=2", status=78)
    check("model = rbm only" in result.stderr, result.stderr)


if __name__ == "__main__":
    main()
