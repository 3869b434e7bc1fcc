"""What tables of finished trainings share: sweeps as jobs/algorithms.sh leaves them, CONFIG/ALGORITHM/seed-N."""
import csv
import json
import math
import os


def subfolders(path):
    return sorted(n for n in os.listdir(path) if os.path.isdir(os.path.join(path, n)))


def result(folder):
    """What a run of training came to, or None while it has not finished."""
    try:
        with open(os.path.join(folder, "run.json"), encoding="utf-8") as f:
            run = json.load(f)
    except FileNotFoundError:
        return None
    return run["result"] if run.get("status") == "finished" and run.get("kind") == "training" else None


def collect(roots, read):
    """(config, algorithm, seed, numbers) of every run of the sweeps in @roots of which read(folder, result) knows some."""
    for root in roots:
        for config in subfolders(root):
            for algorithm in subfolders(os.path.join(root, config)):
                for seed in subfolders(os.path.join(root, config, algorithm)):
                    folder = os.path.join(root, config, algorithm, seed)
                    found = result(folder) if seed.startswith("seed-") else None
                    numbers = read(folder, found) if found else None
                    if numbers:
                        yield config, algorithm, int(seed[5:]), numbers


def spread(values):
    """Mean and sample standard deviation of what there is."""
    values = [v for v in values if v is not None]
    if not values:
        return "-"
    mean = sum(values) / len(values)
    if len(values) == 1:
        return f"{mean:.2f}"
    return f"{mean:.2f} ± {math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1)):.2f}"


def printed(number):
    """A published number, or - where there is none."""
    return "-" if number is None else f"{number:.2f}"


def write_csv(path, columns, runs):
    show = lambda v: "" if v is None else f"{v:.4f}".rstrip("0").rstrip(".") if isinstance(v, float) else v
    with open(path, "w", newline="", encoding="utf-8") as f:
        table = csv.writer(f, lineterminator="\n")
        table.writerow(columns)
        table.writerows([show(r[c]) for c in columns] for r in runs)
