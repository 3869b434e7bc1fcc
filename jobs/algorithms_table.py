#!/usr/bin/env python3
"""One Markdown table of runs of sparse training, beside the published numbers.

    jobs/algorithms_table.py DIR... [--csv FILE]

DIR holds sweeps, CONFIG/ALGORITHM/seed-N, as jobs/algorithms.sh leaves them. A row is a configuration and an algorithm:
mean and sample standard deviation over the finished seeds of the test accuracy in percent, of the last epoch, of the
epoch that was best on held-back training samples (-: none were held back), and of the best epoch on the test samples,
which is chosen on them and is what the papers print. Edges are weights without biases, which is how the papers count
parameters; density is their share of all possible ones. --csv: one row a run.
"""
import argparse
import sys

import trainings
from trainings import printed, spread

# Mocanu et al. 2018, table 3; Pieterse and Mocanu 2019, table 2: the largest test accuracy of all epochs of one run
PUBLISHED = {
    "set-mnist": {"dense": 98.55, "fixprob": 97.68, "set": 98.74},
    "set-cifar-10": {"dense": 68.70, "fixprob": 62.19, "set": 74.84},
    "set-higgs": {"dense": 78.44, "fixprob": 76.69, "set": 78.47},
    "set-tutorial": {"dense": 84.00, "fixprob": 81.62, "set": 83.72},  # of the authors' files, means of five runs
    "set-cnn-cifar-10": {"dense": 87.48, "fixprob": 88.26, "set": 90.02},
}
COSET = ("set", "codaset", "copaset", "corset", "codacorset", "copacorset")
for name, numbers in (("isolet", (95.45, 96.54, 95.70, 95.13, 96.09, 95.96)),
                      ("madelon", (64.33, 70.67, 70.00, 70.67, 77.50, 72.50)),
                      ("epilepsy", (97.47, 97.74, 97.78, 97.61, 97.96, 97.65)),
                      ("cnae-9", (94.59, 95.05, 94.59, 95.50, 94.59, 95.95)),
                      ("fashion", (88.73, 87.97, 89.01, 88.32, 87.62, 88.05))):
    PUBLISHED["coset-" + name] = dict(zip(COSET, numbers))
ORDER = ("dense", "fixprob") + COSET + ("rigl", "custom")
COLUMNS = ("config algorithm seed epochs last chosen chosen_epoch peak peak_epoch edges density parameters "
           "edges_after_removal density_after_removal test_after_removal seconds digest").split()


def read(_, r):
    """The numbers of a run that has finished, or None."""
    if "test_last" not in r:  # a Boltzmann machine
        return None
    task = next(iter(r["tasks"].values()))
    held = r.get("held_back", 0)
    possible = r["edges"] / r["density"]
    return {"epochs": r["generation"], "last": r["test_last"], "chosen": task["best_test"]["accuracy"] if held else None,
            "chosen_epoch": r["chosen_epoch"] if held else None, "peak": r["test_peak"] if "test_peak" in r else r["best_ever"], "peak_epoch": r["peak_epoch"],
            "edges": r["edges"], "density": 100 * r["density"], "parameters": r.get("parameters"),
            "edges_after_removal": r["edges_after_removal"],
            "density_after_removal": 100 * r["edges_after_removal"] / possible,
            "test_after_removal": r["test_after_removal"], "seconds": r["seconds"], "digest": r["digest"][:16]}


def collect(roots):
    runs = [{"config": config, "algorithm": algorithm, "seed": seed, **numbers}
            for config, algorithm, seed, numbers in trainings.collect(roots, read)]
    place = {name: i for i, name in enumerate(ORDER)}
    return sorted(runs, key=lambda r: (r["config"], place.get(r["algorithm"], len(ORDER)), r["algorithm"], r["seed"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="+")
    parser.add_argument("--csv")
    args = parser.parse_args()
    runs = collect(args.folder)
    if not runs:
        sys.exit("no finished run of training in " + " ".join(args.folder))
    print("| data | algorithm | seeds | epochs | last epoch | chosen by validation | peak | published peak | edges | density % |"
          " edges after removal | density % | accuracy after removal |")
    print("|" + " --- |" * 13)
    for key in dict.fromkeys((r["config"], r["algorithm"]) for r in runs):
        rows = [r for r in runs if (r["config"], r["algorithm"]) == key]
        of = lambda name: [r[name] for r in rows]
        mean = lambda name: sum(of(name)) / len(rows)
        epochs = "/".join(str(e) for e in sorted(set(of("epochs"))))
        published = PUBLISHED.get(key[0], {}).get(key[1])
        print(f"| {key[0]} | {key[1]} | {len(rows)} | {epochs} | {spread(of('last'))} | {spread(of('chosen'))} |"
              f" {spread(of('peak'))} | {printed(published)} | {mean('edges'):,.0f} |"
              f" {mean('density'):.2f} | {mean('edges_after_removal'):,.0f} | {mean('density_after_removal'):.2f} |"
              f" {spread(of('test_after_removal'))} |")
    if args.csv:
        trainings.write_csv(args.csv, COLUMNS, runs)


if __name__ == "__main__":
    main()
