#!/usr/bin/env python3
"""A search with several objectives: the front is kept, on any number of ranks, interrupted or not."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

CONFIG = "configs/smoke/pareto.ini"


def run(folder, ranks, *more):
    result = coppice("run", CONFIG, "--out", folder, "-q", *more, ranks=ranks)
    check_status(result, 0)
    return result


def population(folder):
    result = coppice("inspect", folder, "--json")
    check_status(result, 0)
    return json.loads(result.stdout)


def objectives(one):
    m = one["measures"]
    return m["accuracy.digits"], m["accuracy.letters"], -m["edges"]


def beats(a, b):
    return all(x >= y for x, y in zip(a, b)) and a != b


@test
def ranks_and_interruptions_do_not_matter(scratch):
    run(f"{scratch}/a", 0)
    run(f"{scratch}/b", 3)
    run(f"{scratch}/c", 2, "--set=stop.generations=4")
    check_status(coppice("resume", f"{scratch}/c", "--set=stop.generations=10", ranks=3), 0)
    seen = [digest(f"{scratch}/{name}") for name in "abc"]
    check(len(set(seen)) == 1, f"digests differ: {seen}")


@test
def the_front_is_first_and_never_loses_ground(scratch):
    before = []
    for generations in (2, 5, 10):
        folder = f"{scratch}/{generations}"
        run(folder, 0, f"--set=stop.generations={generations}")
        out = population(folder)
        living = [objectives(one) for one in out["population"]]
        beaten = [any(beats(a, b) for a in living) for b in living]
        check(beaten == sorted(beaten), f"the front does not come first: {beaten}")
        front = [o for o, b in zip(living, beaten) if not b]
        check(len(set(front)) > 2, f"a front of one: {front}")
        check(not any(beats(a, b) for a in before for b in front), f"{before} beats {front}")
        before = front
        # the best is that of highest fitness, wherever it stands
        fitness = [one["fitness"] for one in out["population"]]
        check(out["best"]["fitness"] >= max(fitness), out["best"])
        last = out["generations"][-1]
        check((last["best"], last["worst"]) == (max(fitness), min(fitness)), last)
    smallest = min(out["population"], key=lambda one: one["measures"]["edges"])
    check(smallest["measures"]["edges"] < 0.7 * 11012, smallest)
    result = coppice("evaluate", folder, "--individual", smallest["id"], "--split", "evolve", "--json")
    check_status(result, 0)
    seen = json.loads(result.stdout)
    check(seen["edges"] == smallest["measures"]["edges"], seen["edges"])
    check(seen["tasks"]["digits"]["accuracy"] == smallest["accuracy"]["digits"], smallest)


if __name__ == "__main__":
    main()
