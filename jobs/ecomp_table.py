#!/usr/bin/env python3
"""Tables of an EComp sweep on stdout (needs h5py and numpy).

    python3 jobs/ecomp_table.py DIR             one row a run, as CSV
    python3 jobs/ecomp_table.py DIR --curves    means over the runs of every third generation, as CSV
    python3 jobs/ecomp_table.py DIR --order     scenarios in the published and in the measured order (also of the
                                                table, FILE.csv --order)
"""
import csv
import glob
import itertools
import json
import os
import sys

import h5py

COLUMNS = ("scenario seed accuracy_0 units_0 similarity_0 accuracy_1 similarity_1 accuracy_last units_last similarity_last "
           "best_test best_width base_test one_width_after digest").split()


def checkpoint(folder):
    """The last one of a run."""
    files = sorted(glob.glob(os.path.join(folder, "checkpoints", "*.h5")))
    if not files:
        sys.exit(f"{folder}: its checkpoints are gone: run it again, or leave it out")
    return h5py.File(files[-1])


def row(scenario, seed, folder, run):
    with checkpoint(folder) as file:
        rows = {name: file["individuals"][name][:] for name in
                ("born", "accuracy.fashion", "units", "similarity", "units.hidden1")}
    born, last = rows["born"], rows["born"].max()
    mean = lambda name, generation: rows[name][born == generation].mean()
    task = run["result"]["tasks"]["fashion"]
    single = [g for g in range(last + 1) if len(set(rows["units.hidden1"][born == g])) == 1]
    numbers = [mean("accuracy.fashion", 0), mean("units", 0), mean("similarity", 0), mean("accuracy.fashion", 1),
               mean("similarity", 1), mean("accuracy.fashion", last), mean("units", last), mean("similarity", last),
               task["best_test"]["accuracy"]]
    return [scenario, seed, *(f"{x:.4f}" for x in numbers), int(rows["units.hidden1"][run["result"]["final_id"]]),
            f"{task['base_test']['accuracy']:.2f}", single[0] if single else "", run["result"]["digest"]]


# the seventy published logs: means over ten runs of the last population (docs/reproducing/ecomp.md)
PUBLISHED = {"001": (0.1412, 0.2222, 0.6051), "020": (0.7836, 0.8168, 0.1006), "021": (0.6413, 0.5918, 0.1303),
             "100": (0.8259, 0.8723, 0.1201), "101": (0.7338, 0.5859, 0.1843), "120": (0.8706, 0.8633, 0.0633),
             "121": (0.8509, 0.7492, 0.0834)}


def finished(root):
    """(scenario, seed, folder, run.json) of every finished run."""
    for scenario in sorted(os.listdir(root)):
        for folder in sorted(glob.glob(os.path.join(root, scenario, "seed-*")),
                             key=lambda path: int(path.rsplit("-", 1)[1])):
            with open(os.path.join(folder, "run.json"), encoding="utf-8") as file:
                run = json.load(file)
            if run["status"] == "finished":
                yield scenario, folder.rsplit("-", 1)[1], folder, run


def curves(root, table):
    """Population means of every third generation, means over the runs: the paper's figures 2 to 4."""
    sums = {}
    for scenario, _, folder, _ in finished(root):
        with checkpoint(folder) as file:
            rows = {name: file["individuals"][name][:] for name in ("born", "accuracy.fashion", "units", "similarity")}
        for g in range(0, rows["born"].max() + 1, 3):
            here = rows["born"] == g
            sums.setdefault((scenario, g), []).append(
                [rows["accuracy.fashion"][here].mean(), rows["units"][here].mean(), rows["similarity"][here].mean()])
    table.writerow(["scenario", "generation", "runs", "accuracy", "units", "similarity"])
    for (scenario, g), values in sorted(sums.items()):
        means = [sum(column) / len(values) for column in zip(*values)]
        table.writerow([scenario, g, len(values), *(f"{m:.4f}" for m in means)])


def ranks(values):
    """Places from 1, ties shared."""
    return [sum(w < v for w in values) + (1 + sum(w == v for w in values)) / 2 for v in values]


def lines(root):
    """Rows of the table, as mappings, of a sweep's folder or of the table itself."""
    if root.endswith(".csv"):
        with open(root, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    return [dict(zip(COLUMNS, row(*run))) for run in finished(root)]


def order(root, out):
    """The scenarios in the published and in the measured order of each quantity, and Spearman's coefficient with its
    exact one-sided probability over all orders."""
    found = {}
    for line in lines(root):
        found.setdefault(line["scenario"], []).append([float(line["accuracy_last"]) / 100, float(line["units_last"]),
                                               float(line["similarity_last"])])
    names = sorted(set(found) & set(PUBLISHED))
    for k, quantity in enumerate(("accuracy", "units kept", "similarity")):
        published = [PUBLISHED[n][k] for n in names]
        measured = [sum(v[k] for v in found[n]) / len(found[n]) for n in names]
        p, m = ranks(published), ranks(measured)
        apart = lambda other: sum((x - y) ** 2 for x, y in zip(p, other))
        n, seen = len(names), apart(m)
        rho = 1 - 6 * seen / (n * (n * n - 1)) if n > 1 else float("nan")
        every = list(itertools.permutations(range(1, n + 1)))
        chance = sum(apart(e) <= seen for e in every) / len(every)
        by = lambda values: " < ".join(name for _, name in sorted(zip(values, names)))
        print(f"{quantity}\n  published {by(published)}\n  measured  {by(measured)}\n"
              f"  Spearman {rho:.2f}, p = {chance:.4f}", file=out)


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--curves"], ["--order"]):
        sys.exit(__doc__)
    table = csv.writer(sys.stdout, lineterminator="\n")
    if len(sys.argv) == 3 and sys.argv[2] == "--curves":
        return curves(sys.argv[1], table)
    if len(sys.argv) == 3 and sys.argv[2] == "--order":
        return order(sys.argv[1], sys.stdout)
    table.writerow(COLUMNS)
    for run in finished(sys.argv[1]):
        table.writerow(row(*run))
    return None


if __name__ == "__main__":
    main()
