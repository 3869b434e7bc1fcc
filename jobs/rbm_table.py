#!/usr/bin/env python3
"""One Markdown table of Boltzmann machines, beside the published numbers.

    jobs/rbm_table.py DIR... [--csv FILE]

DIR holds sweeps, DATA/MODEL/seed-N (configs/sweeps/rbm-*.ini). A row is a data set and a model: mean and sample standard
deviation over the finished seeds of the mean log-probability in nats of the samples learnt from and of the test samples,
and of the test samples after a last removal, with ln Z by annealed importance sampling; "error" is the largest standard
error of ln Z among these runs. Edges are weights without biases. A model is an algorithm, or one and a dash and more: the
published number is that of the algorithm. --csv: one row a run.
"""
import argparse
import os
import sys

import trainings
from trainings import printed, spread

# Mocanu et al. 2018, table 2: the best of nine settings and up to 5,000 epochs, chosen on the test samples, one run each
PUBLISHED = {
    "dna": {"dense": -85.97, "fixprob": -86.90, "set": -82.51},
    "adult": {"dense": -14.91, "fixprob": -14.79, "set": -13.85},
    "nips": {"dense": -274.60, "fixprob": -282.67, "set": -276.62},
}
ORDER = ("dense", "fixprob", "set")
COLUMNS = ("data model seed hidden cd epochs train test train_after_removal test_after_removal log_z log_z_error "
           "reconstruction_error edges edges_after_removal seconds digest").split()


def option(folder, name):
    """An option of [train] of a run, from its resolved configuration."""
    with open(os.path.join(folder, "config.ini"), encoding="utf-8") as f:
        section = f.read().split("[train]")[1].split("\n[")[0]
    for line in section.splitlines():
        key, _, value = line.partition("=")
        if key.strip() == name:
            return value.strip()
    sys.exit(f"{folder}/config.ini: no {name} in [train]")


def read(folder, r):
    """The numbers of a run that has finished, or None."""
    if "log_z" not in r:  # no Boltzmann machine
        return None
    return {"hidden": f"{float(option(folder, 'hidden')):g}", "cd": option(folder, "cd"), "epochs": r["generation"],
            "train": r["train_log_probability"], "test": r["test_log_probability"],
            "train_after_removal": r["train_log_probability_after_removal"],
            "test_after_removal": r["test_log_probability_after_removal"], "log_z": r["log_z"],
            "log_z_error": r["log_z_error"], "reconstruction_error": r["reconstruction_error"], "edges": r["edges"],
            "edges_after_removal": r["edges_after_removal"], "seconds": r["seconds"], "digest": r["digest"][:16]}


def collect(roots):
    runs = [{"data": config.removeprefix("set-").removeprefix("rbm-"), "model": model, "seed": seed, **numbers}
            for config, model, seed, numbers in trainings.collect(roots, read)]
    place = {name: i for i, name in enumerate(PUBLISHED)}
    order = {name: i for i, name in enumerate(ORDER)}
    return sorted(runs, key=lambda r: (place.get(r["data"], len(place)), r["data"], order.get(r["model"].split("-")[0], len(order)),
                                       r["model"], r["seed"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="+")
    parser.add_argument("--csv")
    args = parser.parse_args()
    runs = collect(args.folder)
    if not runs:
        sys.exit("no finished Boltzmann machine in " + " ".join(args.folder))
    print("| data | model | hidden | CD | epochs | seeds | train | test | error | published | test after removal | edges |"
          " after removal |")
    print("|" + " --- |" * 13)
    for key in dict.fromkeys((r["data"], r["model"]) for r in runs):
        rows = [r for r in runs if (r["data"], r["model"]) == key]
        of = lambda name: [r[name] for r in rows]
        kinds = lambda name: "/".join(dict.fromkeys(str(v) for v in of(name)))
        published = PUBLISHED.get(key[0], {}).get(key[1].split("-")[0])
        print(f"| {key[0]} | {key[1]} | {kinds('hidden')} | {kinds('cd')} | {kinds('epochs')} | {len(rows)} |"
              f" {spread(of('train'))} | {spread(of('test'))} | {max(of('log_z_error')):.2f} |"
              f" {printed(published)} | {spread(of('test_after_removal'))} |"
              f" {sum(of('edges')) / len(rows):,.0f} | {sum(of('edges_after_removal')) / len(rows):,.0f} |")
    if args.csv:
        trainings.write_csv(args.csv, COLUMNS, runs)


if __name__ == "__main__":
    main()
