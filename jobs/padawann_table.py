#!/usr/bin/env python3
"""Markdown table of a sweep of configs/padawann beside the thesis: what each arm has, and what it changes.

    jobs/padawann_table.py SWEEP [COPPICE]

Published numbers are those of the convolutional network at the last generation on the evolution samples (mean of ten trials).
"""
import json
import os
import subprocess
import sys

# arm: (published fitness, MNIST %, letters %, share of edges left); the number of edges of the network is 1,199,648
PUBLISHED = {
    "as-published": (1.399, 93.59, 23.01, 600460),
    "three-tasks": (0.827, 91.47, 20.20, 628208),
    "letters-base": (1.188, 18.33, 90.27, 768888),
    "optimised-mapping": (1.348, 94.02, 20.79, 633362),
    "signs-discarded": (0.207, 20.00, 14.28, 1016164),
    "trained-weights": (1.344, 94.41, 20.25, 570838),
    "mnist-only": (53.7, 98.17, None, 996093),
    "small": (1.330, 93.55, 20.57, 658038),
    "ablation-no-elitism": (1.260, 93.69, 17.82, 720954),
    "ablation-no-culling": (1.333, 93.97, 20.31, 676044),
    "ablation-channels": (1.245, 95.84, 15.06, 855915),
    "ablation-tournament-2": (1.315, 93.92, 19.65, 676672),
    "ablation-tournament-6": (1.345, 93.35, 21.35, 656885),
}
SMALL = {"small", "ablation-crossover-edge", "ablation-crossover-layer", "ablation-crossover-uniform",
         "ablation-crossover-uniform-layers"} | {arm for arm in PUBLISHED if arm.startswith("ablation-")}
# fitness of another kind, or of other tasks: nothing to be subtracted
ALONE = {"mnist-only", "three-tasks", "three-tasks-masked", "heads", "similarity", "similarity-control", "complexity", "feed-forward"}


def compared(program, sweep, against):
    words = [program, "compare", sweep, "--against", against, "--json"]
    result = subprocess.run(words, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"padawann_table.py: {result.stderr.strip() or ' '.join(words)}")
    out = json.loads(result.stdout)
    arms = {}
    for measure, rows in out["measures"].items():
        for row in [rows["against"], *rows["groups"]]:
            arms.setdefault(row["group"], {})[measure] = row
    return arms


def mean(row, digits):
    if not row or row["mean"] is None:
        return ""
    spread = "" if row["sd"] is None else f" +- {row['sd']:,.{digits}f}"
    return f"{row['mean']:,.{digits}f}{spread}"


def main(sweep, program):
    large = compared(program, sweep, "as-published")
    small = compared(program, sweep, "small") if "small" in large else {}
    print("| arm | seeds | fitness | MNIST % | letters % | edges | against | published difference | measured difference "
          "(95 %) | Welch p | Mann-Whitney p |")
    print("| --- |" + " --- |" * 10)
    order = [arm for arm in large if arm not in SMALL] + [arm for arm in large if arm in SMALL]
    for arm in order:
        reference, row = ("small", small[arm]) if arm in SMALL and small else ("as-published", large[arm])
        fitness = row["fitness"]
        if not fitness["seeds"]:
            continue
        cells = [f"`{arm}`", str(fitness["seeds"]), mean(fitness, 4), mean(row.get("accuracy.mnist.evolution"), 2),
                 mean(row.get("accuracy.letters.evolution"), 2), mean(row["edges"], 0)]
        if arm in ALONE or arm == reference or fitness.get("difference") is None:
            cells += ["", "", "", "", ""]
        else:
            published = ""
            if arm in PUBLISHED and (reference == "small" or arm not in SMALL):
                published = f"{PUBLISHED[arm][0] - PUBLISHED[reference][0]:+.3f}"
            interval = "" if fitness["low"] is None else f" ({fitness['low']:+.4f} to {fitness['high']:+.4f})"
            p = [fitness[test]["p"] for test in ("welch", "mann_whitney")]
            cells += [reference, published, f"{fitness['difference']:+.4f}{interval}"]
            cells += ["" if v is None else "< 0.0001" if v < 0.0001 else f"{v:.4f}" for v in p]
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    main(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else os.path.join(here, "build", "coppice"))
