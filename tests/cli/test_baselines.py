#!/usr/bin/env python3
"""One-shot baselines of a run, checked against numpy on the files that they write."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import Skip, check, check_status, coppice, main, test  # noqa: E402

try:
    import h5py
    import numpy as np
except ImportError:
    h5py = None
CONFIG = "configs/smoke/padawann.ini"


def a_run(scratch):
    out = os.path.join(scratch, "run")
    check_status(coppice("run", CONFIG, "--out", out, "-q", "--set=pool.elite=0", "--set=prune.random.amount=0.1"), 0)
    return out


def ask(*words):
    result = coppice(*words, "--json")
    check_status(result, 0)
    return json.loads(result.stdout)


def network(path):
    with h5py.File(path) as f:
        edges = f["mask"].attrs["edges"]
        live = np.unpackbits(f["mask"][:], bitorder="little")[:edges].astype(bool)
        named = [(g["weight"].attrs["first_edge"], g["weight"][:].ravel()) for g in f["network"].values() if "weight" in g]
        weights = np.concatenate([w for _, w in sorted(named, key=lambda pair: pair[0])])
    return weights, live


@test
def networks_are_pruned_to_as_many_edges_as_the_champion(scratch):
    if not h5py:
        raise Skip("install python3-h5py and python3-numpy")
    run = a_run(scratch)
    out = ask("prune", run, "--repeats", 3, "--out", f"{scratch}/nets")
    weights, champion = network(f"{run}/best.h5")
    edges = int(champion.sum())
    check(edges < weights.size and out["edges"] == edges, f"{edges} edges, {out['edges']} said")
    names = [(one["network"], one["number"]) for one in out["networks"]]
    check(names == [("all edges", None), ("evolved", None), ("random", 1), ("random", 2), ("random", 3),
                    ("magnitude", None)], names)
    check([one["edges"] for one in out["networks"]] == [weights.size] + [edges] * 5, out["networks"])
    masks = {}
    for name in ("random-1", "random-2", "random-3", "magnitude"):
        same, masks[name] = network(f"{scratch}/nets/{name}.h5")
        check((same == weights).all() and masks[name].sum() == edges, name)
    cut = np.zeros(weights.size, bool)
    cut[np.argsort(np.abs(weights), kind="stable")[:weights.size - edges]] = True
    check((masks["magnitude"] == ~cut).all(), "not the smallest weights were cut")
    masks["evolved"] = champion
    for row in out["overlaps"]:
        a, b = row["networks"]
        a, b = (masks["random-1"] if a == "random" else masks[a]), (masks["random-2"] if (a, b) == ("random", "random")
                                                                    else masks["random-1"] if b == "random" else masks[b])
        check(row["both"] == int((~a & ~b).sum()) and row["cut"] == [int((~a).sum()), int((~b).sum())], row)
        n, k = weights.size, weights.size - edges
        check(abs(row["chance"] - k * k / n) < 1e-9 * n, row)
        check(abs(row["sd"] - k * edges / n / (n - 1) ** 0.5) < 1e-6, row)
    pairs = [tuple(row["networks"]) for row in out["overlaps"]]
    check(pairs == [("evolved", "random"), ("evolved", "magnitude"), ("random", "random"), ("random", "magnitude")], pairs)
    blind = next(row for row in out["overlaps"] if row["networks"] == ["random", "random"])
    check(abs(blind["both"] - blind["chance"]) < 5 * blind["sd"], blind)


@test
def scores_are_those_of_evaluate(scratch):
    run = a_run(scratch)
    out = ask("prune", run, "-r", 2, "--out", f"{scratch}/nets", "--split", "evolve")
    by_name = {(one["network"], one["number"]): one for one in out["networks"]}
    evolved = ask("evaluate", run, "--split", "evolve")["tasks"]
    for task, seen in evolved.items():
        mine = by_name["evolved", None]["tasks"][task]
        check((mine["shared"], mine["value"], mine["samples"]) == (seen["accuracy"], seen["value"], seen["samples"]),
              f"{mine}, evaluate says {seen}")
    for key, file in ((("magnitude", None), "magnitude"), (("random", 2), "random-2")):
        trained = ask("evaluate", f"{scratch}/nets/{file}.h5", "--split", "evolve", "-e", "sparse")["tasks"]
        for task, seen in trained.items():
            check(by_name[key]["tasks"][task]["trained"] == seen["accuracy"], f"{key}: {seen}")
    base = by_name["all edges", None]["tasks"]["digits"]["trained"]
    check(base > 40 and by_name["magnitude", None]["tasks"]["digits"]["trained"] > 0.7 * base, by_name)
    check(ask("prune", run, "-r", 2, "--split", "evolve") == out, "not the same again")
    other = ask("prune", run, "-r", 2, "--split", "evolve", "--seed", 2)
    check(other["networks"][2]["tasks"] != out["networks"][2]["tasks"], "another seed draws the same edges")
    check(other["networks"][-1] == out["networks"][-1], "magnitude depends on the seed")
    text = coppice("prune", run)
    check_status(text, 0)
    check("random (10)" in text.stdout and "+-" in text.stdout and "evolved, magnitude" in text.stdout, text.stdout)


@test
def a_base_network_is_pruned_to_a_density(scratch):
    base = f"{scratch}/base.h5"
    check_status(coppice("run", CONFIG, "--out", f"{scratch}/run", "-q", f"--set=base.file={base}",
                         "--set=stop.generations=0"), 0)
    out = ask("prune", base, "--density", 0.25, "--method", "magnitude", "--task", "digits")
    check([one["network"] for one in out["networks"]] == ["all edges", "magnitude"], out)
    check(out["edges"] == round(out["weights"] / 4) and out["overlaps"] == [], out)
    check(list(out["networks"][1]["tasks"]) == ["digits"], out)
    for status, message, *words in (
        (64, "say with --density what share of them is to stay", base),
        (64, "--density 1: wanted a number between 0 and 1", base, "--density", 1),
        (64, "--density nan: wanted", base, "--density", "nan"),
        (64, "of 11012 edges none would be cut", base, "--density", 0.999999),
        (64, "--method l2: wanted random or magnitude", base, "--method", "l2"),
        (64, "--repeats -1: wanted a whole number", base, "--repeats=-1"),
        (64, "--split half: wanted test, evolve or train", base, "--split", "half"),
        (64, "did you mean digits?", base, "--density", 0.5, "--task", "digit"),
        (1, "no such file", f"{scratch}/none.h5"),
    ):
        result = coppice("prune", *words)
        check_status(result, status)
        check(message in result.stderr and result.stdout == "", result.stderr)


@test
def weights_that_are_not_the_base_networks_are_no_baseline(scratch):
    evolved, run = f"{scratch}/evolved", a_run(scratch)
    check_status(coppice("run", "configs/smoke/ecomp.ini", "--out", evolved, "-q", "--set=stop.generations=2"), 0)
    check_status(coppice("transfer", run, "--out", f"{scratch}/nets", "--epochs", 1, "--task", "digits"), 0)
    for path in (evolved, f"{scratch}/nets/digits.h5"):
        result = coppice("prune", path, "--density", 0.5)
        check_status(result, 64)
        check("its base network is not known" in result.stderr and result.stdout == "", result.stderr)


if __name__ == "__main__":
    main()
