#!/usr/bin/env python3
"""coppice compare: networks against what their predictions say, groups against sums by hand."""
import csv
import json
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import check, check_status, coppice, main, test  # noqa: E402

CONFIG = "configs/smoke/padawann.ini"


def ask(*words):
    result = coppice("compare", *words, "--json")
    check_status(result, 0)
    return json.loads(result.stdout)


def predictions(network, scratch, *words):
    path = os.path.join(scratch, "predictions.csv")
    check_status(coppice("evaluate", network, "--choose", "evolve", "--predictions", path, *words), 0)
    with open(path, encoding="utf-8") as f:
        return [(row["task"], int(row["label"]), int(row["predicted"])) for row in csv.DictReader(f)]


def mcnemar(b, c):
    n, k = b + c, min(b, c)
    return min(1.0, 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2**n) if n else 1.0


@test
def networks_are_compared_sample_by_sample(scratch):
    runs = []
    for seed in (1, 2):
        runs.append(f"{scratch}/run{seed}")
        check_status(coppice("run", CONFIG, "--out", runs[-1], "-q", f"--set=run.seed={seed}",
                             "--set=prune.random.amount=0.2", "--set=pool.elite=0", "--set=stop.generations=2"), 0)
    out = ask(f"one={runs[0]}", f"two={runs[1]}/best.h5", f"again={runs[0]}")
    seen = [predictions(run, scratch) for run in runs]
    check(list(out["tasks"]) == ["digits", "letters"], out)
    for task, result in out["tasks"].items():
        a, b = ([(label, got) for t, label, got in rows if t == task] for rows in seen)
        check(result["samples"] == len(a) > 50, result)
        right = [sum(x == y for x, y in rows) for rows in (a, b)]
        check([n["correct"] for n in result["networks"]] == [*right, right[0]], result)
        check([n["network"] for n in result["networks"]] == ["one", "two", "again"], result)
        for row in result["networks"]:
            check(row["clopper_pearson"][0] < row["accuracy"] < row["clopper_pearson"][1], row)
            check(row["clopper_pearson"][1] - row["clopper_pearson"][0] > row["wilson"][1] - row["wilson"][0], row)
        first = sum(x == label and y != label for (label, x), (_, y) in zip(a, b))
        second = sum(x != label and y == label for (label, x), (_, y) in zip(a, b))
        pair = result["pairs"][0]
        check((pair["first_alone"], pair["second_alone"]) == (first, second), f"{pair}, {first} {second}")
        check(first + second > 0 and abs(pair["mcnemar_p"] - mcnemar(first, second)) < 1e-9, pair)
        check(pair["both_right"] + first == right[0] and pair["both_wrong"] + second == len(a) - right[0], pair)
        same = result["pairs"][1]
        check(same["networks"] == ["one", "again"] and same["mcnemar_p"] == 1 and same["same_class"] == len(a), same)
    text = coppice("compare", *runs, "--task", "digits", "--confusion", "--level", "0.9")
    check_status(text, 0)
    check("90 % interval" in text.stdout and "letters" not in text.stdout and "recall" in text.stdout, text.stdout)
    folder = f"{scratch}/a,b"  # a comma does not make a group of what is there
    os.rename(runs[1], folder)
    check(ask(runs[0], folder)["tasks"]["digits"]["pairs"][0]["first_alone"] >= 0, "a folder with a comma")
    os.rename(folder, runs[1])
    for status, message, *words in (
        (64, "is one network: give another", runs[0]),
        (64, "--level 1: wanted a number between 0 and 1", *runs, "--level", 1),
        (64, "--level nan: wanted", *runs, "--level", "nan"),
        (64, "--against: has no meaning between single networks", *runs, "--against", "x"),
        (64, "did you mean digits?", *runs, "--task", "digit"),
        (1, "no such file", runs[0], f"{scratch}/none.h5"),
    ):
        result = coppice("compare", *words)
        check_status(result, status)
        check(message in result.stderr, f"{words}: {result.stderr}")


@test
def each_network_answers_by_its_own_outputs(scratch):
    own, all_ten = f"{scratch}/own", f"{scratch}/all"
    check_status(coppice("run", "configs/smoke/heads.ini", "--out", own, "-q"), 0)
    check_status(coppice("run", CONFIG, "--out", all_ten, "-q"), 0)
    alone = predictions(own, scratch, "--task", "digits")
    right = sum(label == got for _, label, got in alone)
    for pair, place in (((all_ten, own), 1), ((own, all_ten), 0)):
        out = coppice("compare", *pair, "--task", "digits", "--json")
        check_status(out, 0)
        check(out.stderr == "", out.stderr)  # heads apart, the samples and their classes are the same
        networks = json.loads(out.stdout)["tasks"]["digits"]["networks"]
        check(networks[place]["correct"] == right > 20, f"{networks}, evaluate has {right} right")
        check([len(n["confusion"][0]) for n in networks] == [10, 10], networks)
    # ten letters there, five here: a word about it, and no number
    result = coppice("compare", all_ten, own, "--task", "letters")
    check_status(result, 78)
    check("own was made for another [task.letters] than all" in result.stderr and "different are: classes" in result.stderr
          and result.stdout == "", result.stderr)


def a_run(folder, fitness, status="finished", tasks=("t",), digest="", config=None):
    os.makedirs(folder)
    task = {"best_evolve": {"accuracy": 10 * fitness, "value": 1}, "best_test": {"accuracy": 5.0, "value": 1}}
    with open(f"{folder}/run.json", "w", encoding="utf-8") as f:
        json.dump({"status": status, "result": {"best_ever": fitness, "edges": 7, "seconds": 1, "digest": digest,
                                                "tasks": {t: task for t in tasks}}}, f)
    if config:
        with open(f"{folder}/config.ini", "w", encoding="utf-8") as f:
            f.write(config)


@test
def what_means_something_else_is_not_compared(scratch):
    network = "[network]\ninput = 4\nlayers = dense(2)\n"
    for name, tasks, config in (("two", "ab", network), ("same", "ab", network + "[fitness]\nop = padawann\n"),
                                ("three", "abc", network), ("other", "ab", network + "[fitness]\nop = weighted\n")):
        for seed in (1, 2, 3):
            a_run(f"{scratch}/{name}/seed-{seed}", seed + len(tasks) / 10, tasks=tasks, config=config)
    result = coppice("compare", *[f"{scratch}/{name}" for name in ("two", "same", "three", "other")], "--json")
    check_status(result, 0)
    check(result.stderr.count("is not compared") == 4, result.stderr)
    check("fitness of three and two is not compared: they have other tasks" in result.stderr, result.stderr)
    check("fitness of other and two is not compared: they have other [fitness] options" in result.stderr, result.stderr)
    measures = json.loads(result.stdout)["measures"]
    for measure, tested in (("fitness", ["same"]), ("accuracy.mean.evolution", ["same", "other"]),
                            ("accuracy.mean.test", []), ("accuracy.a.evolution", ["same", "three", "other"]),
                            ("edges", [])):
        rows = measures[measure]["groups"]
        check([r["group"] for r in rows if r["welch"]["p"] is not None] == tested, f"{measure}: {rows}")
        check([r["group"] for r in rows if r["mann_whitney"]["p"] is not None] == tested, f"{measure}: {rows}")
        check(all(r["mean"] > 0 for r in rows), rows)


@test
def a_run_counts_once(scratch):
    for seed in (1, 2, 3):
        a_run(f"{scratch}/a/seed-{seed}", float(seed), digest=f"{seed}")
    a_run(f"{scratch}/a/copy-of-2", 2.0, digest="2")
    a_run(f"{scratch}/b/seed-1", 5.0)
    a_run(f"{scratch}/b/seed-2", 6.0)  # no digest, as of old: only the folder tells
    result = coppice("compare", f"{scratch}/a", f"b={scratch}/b/seed-1,{scratch}/b/seed-2,{scratch}/b/seed-1", "--json")
    check_status(result, 0)
    fitness = json.loads(result.stdout)["measures"]["fitness"]
    check((fitness["against"]["seeds"], fitness["groups"][0]["seeds"]) == (3, 2), fitness)
    check(result.stderr.count("left out: ") == 2 and "it is the same run as" in result.stderr, result.stderr)


@test
def groups_are_compared_over_seeds(scratch):
    a, b, c = [1.0, 2.0, 3.0, 5.0], [4.0, 6.0, 7.0, 9.0], [2.5, 2.75]
    for name, values in (("a", a), ("b", b), ("c", c)):
        for seed, value in enumerate(values, 1):
            a_run(f"{scratch}/{name}/seed-{seed}", value)
    a_run(f"{scratch}/b/seed-9", 99, status="stopped")
    folders = [f"{scratch}/a", f"{scratch}/b/", "third=" + ",".join(f"{scratch}/c/seed-{s}" for s in (1, 2))]
    out = ask(*folders)
    check(list(out["measures"]) == ["fitness", "accuracy.t.evolution", "accuracy.t.test", "edges"], list(out["measures"]))
    fitness = out["measures"]["fitness"]
    check(fitness["against"]["group"] == "a" and fitness["against"]["seeds"] == 4, fitness)
    row, third = fitness["groups"]
    mean = [sum(v) / len(v) for v in (a, b)]
    var = [sum((x - m) ** 2 for x in v) / (len(v) - 1) / len(v) for v, m in zip((a, b), mean)]
    check((row["group"], row["seeds"]) == ("b", 4), row)
    check(abs(row["difference"] - 3.75) < 1e-12 and abs(row["welch"]["t"] - 3.75 / math.sqrt(sum(var))) < 1e-9, row)
    # of 70 ways to draw ranks U = 15 of 16 or more is had by 2, and as many at the other end
    check(row["mann_whitney"]["u"] == 15 and abs(row["mann_whitney"]["p"] - 4 / 70) < 1e-12, row)
    check(row["mann_whitney"]["exact"] and row["low"] < 3.75 < row["high"], row)
    check(abs(row["welch"]["p_holm"] - 2 * row["welch"]["p"]) < 1e-12 and third["group"] == "third", row)
    check(third["seeds"] == 2 and third["welch"]["p_holm"] >= third["welch"]["p"], third)
    same = out["measures"]["edges"]["groups"][0]
    check(same["difference"] == 0 and same["welch"]["p"] is None and same["mann_whitney"]["p"] is None, same)
    other = ask(*folders, "--against", "b", "--measure", "fitness")
    check(list(other["measures"]) == ["fitness"] and other["against"] == "b", other)
    check(abs(other["measures"]["fitness"]["groups"][0]["difference"] + 3.75) < 1e-12, other)
    text = coppice("compare", *folders, "-m", "fitness")
    check_status(text, 0)
    check("+3.7500" in text.stdout and "left out" in text.stderr, text.stdout + text.stderr)
    for status, message, *words in (
        (64, "there is one group, a", folders[0]),
        (1, "/b/seed-1 holds no network yet", folders[0], f"{scratch}/b/seed-1"),
        (1, "/none: no such file or directory", folders[0], f"{scratch}/none"),
        (64, "two groups would be called a", folders[0], folders[0]),
        (64, "--against d: there is no such group", *folders, "--against", "d"),
        (64, "--measure speed: wanted one of fitness", *folders, "--measure", "speed"),
        (64, "--task: has no meaning between groups", *folders, "--task", "t"),
    ):
        result = coppice("compare", *words)
        check_status(result, status)
        check(message in result.stderr, f"{words}: {result.stderr}")


@test
def a_sweep_stands_for_its_arms(scratch):
    out = f"{scratch}/sweep"
    check_status(coppice("sweep", f"x={CONFIG}", f"y={CONFIG}", "--seeds", "1-3", "--out", out, "--no-figures", "-q",
                         "--set=stop.generations=1"), 0)
    row = ask(out)["measures"]["fitness"]["groups"][0]
    check(row["group"] == "y" and row["seeds"] == 3 and row["difference"] == 0, row)
    mixed = coppice("compare", out, f"{out}/x/seed-1")
    check_status(mixed, 64)
    check("are groups of runs and some, as" in mixed.stderr and "x/seed-1, are single networks" in mixed.stderr, mixed.stderr)
    named = ask(f"old={out}", f"{out}/x")
    mean = ask(out)["measures"]["accuracy.mean.test"]["against"]["mean"]
    parts = [ask(out)["measures"][f"accuracy.{task}.test"]["against"]["mean"] for task in ("digits", "letters")]
    check(abs(mean - sum(parts) / 2) < 1e-9, f"{mean}, {parts}")
    check([g["group"] for g in named["measures"]["fitness"]["groups"]] == ["old/y", "x"], named)


main()
