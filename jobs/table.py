#!/usr/bin/env python3
"""One Markdown table of finished runs: a row each, then mean and sample standard deviation.

    jobs/table.py runs/NAME-seed*
"""
import json
import math
import os
import sys


def main(folders):
    rows = []
    for folder in folders:
        with open(os.path.join(folder, "run.json"), encoding="utf-8") as f:
            run = json.load(f)
        if run.get("status") != "finished":
            print(f"{folder}: {run.get('status')}, left out", file=sys.stderr)
            continue
        result = run["result"]
        row = {"fitness": result["best_ever"], "edges": result["edges"]}
        for name, task in result["tasks"].items():
            for key, label in (("best_evolve", "evolution"), ("best_test", "test")):
                if task.get(key):
                    row[f"{name} {label} %"] = task[key]["accuracy"]
        row["seconds"] = result["seconds"]
        rows.append((os.path.basename(folder.rstrip("/")), row))
    if not rows:
        sys.exit("no finished run")
    columns = list(rows[0][1])
    print("| run | " + " | ".join(columns) + " |")
    print("|" + " --- |" * (len(columns) + 1))
    show = lambda v: f"{v:,.0f}" if abs(v) >= 1000 else f"{v:.4g}" if abs(v) < 10 else f"{v:.2f}"
    for name, row in rows:
        print(f"| {name} | " + " | ".join(show(row[c]) for c in columns) + " |")
    if len(rows) > 1:
        means = {c: sum(r[c] for _, r in rows) / len(rows) for c in columns}
        sds = {c: math.sqrt(sum((r[c] - means[c]) ** 2 for _, r in rows) / (len(rows) - 1)) for c in columns}
        print("| mean | " + " | ".join(show(means[c]) for c in columns) + " |")
        print("| sd (n-1) | " + " | ".join(show(sds[c]) for c in columns) + " |")


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    main(sys.argv[1:])
