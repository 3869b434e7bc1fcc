#!/usr/bin/env python3
"""coppice bench: what it prints is whole, positive and documented; what it refuses it says why. Times are not judged."""
import csv
import io
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

BOUNDS = ("sgemm_macs_per_s", "copy_bytes_per_s", "dot_kernel", "dot_macs_per_s", "dot_memory_macs_per_s")
ALWAYS = ("benchmark", "kernel", "bound", "bound_name", "ratio")


def documented():
    with open(os.path.join(ROOT, "docs", "benchmarks.md"), encoding="utf-8") as f:
        return set(re.findall(r"`(\w+)`", f.read()))


def judge(result, *keys):
    """Every key is documented, those named are there, every rate and time is above 0."""
    rows = result.get("rows", [])
    for scope in (result, *rows):
        for key, value in scope.items():
            check(key in documented(), f"{key} is not in docs/benchmarks.md")
            check(value is not None, f"{key} has no value")
            if key.endswith(("_per_s", "seconds", "bound", "ratio")):
                check(value > 0, f"{key} is {value}")
    for key in (*ALWAYS, *keys):
        check(key in result or (rows and all(key in row for row in rows)), f"{key} is missing: {sorted(result)}")


def bench(*words, **kw):
    result = coppice("bench", *words, "--json", **kw)
    check_status(result, 0)
    return json.loads(result.stdout)


def refused(status, part, *words, **kw):
    result = coppice("bench", *words, **kw)
    check_status(result, status)
    check(part in result.stderr and result.stderr.count("\n") == 1 and not result.stdout, f"{part!r}: {result.stderr}")


@test
def eval_measures_one_network_and_blocks_of_relatives(scratch):
    small = ("eval", "--net", "padawann-ff", "--samples", 20, "--repeat", 2)
    one = bench(*small)
    judge(one, "samples_x_values_per_s", *BOUNDS)
    check((one["values"], one["samples"], one["individuals"], one["distance"]) == (3, 20, 1, 0), one)
    check(one["bound"] == one["dot_macs_per_s"], one)
    many = bench(*small, "--values", "1", "--individuals", 5, "--distance", 0.5, "--density", 0.2, "--images", "random")
    judge(many)
    check((many["values"], many["individuals"], many["images"]) == (1, 5, "random"), many)
    check(abs(many["seconds_per_individual"] * 5 - many["seconds"]) < 1e-9, many)
    # 5 individuals with 0.1 of 50,816 edges each, give or take the layers
    macs = many["live_macs_per_s"] * many["seconds"] / (20 * 5)
    check(4900 < macs < 5300, macs)
    floats = bench(*small, "--evaluator", "blas")
    check(floats["kernel"] == "blas" and floats["bound"] == floats["sgemm_macs_per_s"], floats)


@test
def the_convolutional_network_too(scratch):
    judge(bench("eval", "--net", "padawann-cnn", "--samples", 3, "--repeat", 1), "samples_x_values_per_s")


@test
def a_generation_is_bred_by_a_search_and_timed(scratch):
    small = ("generation", "--net", "padawann-ff", "--population", 10, "--generation", 2, "--samples", 40,
             "--fitness-samples", 20, "--repeat", 2)
    g = bench(*small, env={"COPPICE_CACHE": scratch})
    judge(g, "seconds", "wall_seconds", "evaluations_per_s", "samples_x_values_per_s", *BOUNDS)
    check((g["individuals"], g["population"], g["generation"], g["samples"]) == (7, 10, 2, 40), g)
    # two to three prunings of 2.5 % of all edges, some of them dead already
    check(0.9 < g["density"] < 0.98 and 0 < g["distance_edges"] <= 0.05 * 50816, g)
    check(abs(g["samples_x_values_per_s"] * g["seconds"] / (7 * 40 * 3) - 1) < 1e-9, g)
    again = bench(*small, "--kernel", "plain", "--values", "0.5,1,2", env={"COPPICE_CACHE": scratch})
    for key in ("density", "distance_edges", "accuracy_digits"):
        check(again[key] == g[key], f"{key} is {again[key]}, was {g[key]}")
    refused(64, "--population 7: wanted a whole number from 8", "generation", "--population", 7)
    refused(64, "bench generation: --density is not one of its options: net values", "generation", "--density", 1)
    refused(64, "bench eval: --population is not one of its options", "eval", "--population", 10)


@test
def a_kernel_is_taken_by_name(scratch):
    small = ("eval", "--net", "padawann-ff", "--samples", 5, "--repeat", 1)
    plain = bench(*small, "--kernel", "plain")
    check((plain["kernel"], plain["dot_kernel"]) == ("plain", "plain"), plain)
    check(bench(*small, env={"COPPICE_KERNEL": "plain"})["kernel"] == "plain", "COPPICE_KERNEL is not followed")


@test
def csv_and_text_hold_what_json_holds(scratch):
    small = ("eval", "--net", "padawann-ff", "--samples", 5, "--repeat", 1)
    keys = list(bench(*small))
    lines = list(csv.reader(io.StringIO(coppice("bench", *small, "--csv").stdout)))
    check(lines[0] == keys and len(lines) == 2 and len(lines[1]) == len(keys), lines)
    check(float(lines[1][keys.index("seconds")]) > 0, lines)
    text = coppice("bench", *small)
    check_status(text, 0)
    check([line.split()[0] for line in text.stdout.splitlines()] == keys, text.stdout)


@test
def what_is_wrong_is_named(scratch):
    refused(64, "there is no benchmark 'evil'; did you mean 'eval'?", "evil")
    refused(64, "there is no benchmark 'x'; there are eval, generation", "x")
    refused(64, "BENCHMARK is missing", )
    refused(64, "--density 2: wanted a number from 0 to 1", "eval", "--density", 2)
    refused(64, "--distance -1: wanted a number from 0 to 1", "eval", "--distance", -1)
    refused(64, "--samples 0: wanted a whole number from 1 to 1000000", "eval", "--samples", 0)
    refused(64, "--individuals x: wanted a whole number", "eval", "--individuals", "x")
    refused(64, "--values 2,1: wanted ascending numbers above 0", "eval", "--values", "2,1")
    refused(64, "--values 0: wanted ascending", "eval", "--values", "0")
    refused(64, "--values ,: wanted 1 to 16 numbers", "eval", "--values", ",")
    refused(64, "--net lenet: wanted padawann-cnn or padawann-ff", "eval", "--net", "lenet")
    refused(64, "--evaluator gpu: wanted one of ", "eval", "--evaluator", "gpu")
    refused(64, "--kernel mmx: this processor can use ", "eval", "--kernel", "mmx")
    refused(64, "--images cats: wanted glyphs or random", "eval", "--images", "cats")
    refused(64, "give one of --json and --csv", "eval", "--json", "--csv")
    refused(78, "COPPICE_KERNEL=mmx is not one of", "eval", "--net", "padawann-ff", "--samples", 1,
            env={"COPPICE_KERNEL": "mmx"})


if __name__ == "__main__":
    main()
