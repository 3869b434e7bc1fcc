#!/usr/bin/env python3
"""Table of an EComp sweep, one row a run, as CSV on stdout: python3 jobs/ecomp_table.py DIR (needs h5py and numpy)."""
import csv
import glob
import json
import os
import sys

import h5py

COLUMNS = ("scenario seed accuracy_0 units_0 similarity_0 accuracy_1 similarity_1 accuracy_last units_last similarity_last "
           "best_test best_width base_test one_width_after digest").split()


def row(scenario, seed, folder, run):
    with h5py.File(sorted(glob.glob(os.path.join(folder, "checkpoints", "*.h5")))[-1]) as file:
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


def main():
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(COLUMNS)
    for scenario in sorted(os.listdir(sys.argv[1])):
        for folder in sorted(glob.glob(os.path.join(sys.argv[1], scenario, "seed-*")),
                             key=lambda path: int(path.rsplit("-", 1)[1])):
            with open(os.path.join(folder, "run.json"), encoding="utf-8") as file:
                run = json.load(file)
            if run["status"] == "finished":
                table.writerow(row(scenario, folder.rsplit("-", 1)[1], folder, run))


if __name__ == "__main__":
    main()
