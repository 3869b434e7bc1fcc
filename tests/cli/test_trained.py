#!/usr/bin/env python3
"""inspect, evaluate, compare and report know networks of [train], and say of them what the run said."""
import csv
import importlib.util
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import check, check_status, coppice, main, test  # noqa: E402

CONFIG = "configs/smoke/training.ini"


def trained(folder, *more):
    check_status(coppice("run", CONFIG, "--out", folder, "--quiet", *more), 0)
    with open(f"{folder}/run.json", encoding="utf-8") as f:
        return json.load(f)


def asked(*words):
    result = coppice(*words, "--json")
    check_status(result, 0)
    return json.loads(result.stdout)


@test
def inspect_shows_epochs_and_layers(scratch):
    run = trained(f"{scratch}/a", "--set=run.seed=4")
    seen = asked("inspect", f"{scratch}/a")
    check(seen["kind"] == "run" and seen["status"] == "finished", seen["kind"])
    check(seen["checkpoint"]["digest"] == run["result"]["digest"] and seen["checkpoint"]["epoch"] == 6, seen["checkpoint"])
    check([row["epoch"] for row in seen["epochs"]] == [1, 2, 3, 4, 5, 6], seen["epochs"])
    check(abs(seen["epochs"][-1]["test_accuracy"] - run["result"]["test_last"]) < 1e-9, seen["epochs"][-1])
    check(all(row["validation_accuracy"] is not None for row in seen["epochs"]), "validation")
    net = seen["network"]
    check(net["edges"] == run["result"]["edges"] == sum(layer["edges"] for layer in net["layers"]), net)
    check(net["weights"] == 60 * 60 + 60 * 40 + 40 * 2 and net["parameters"] == run["result"]["parameters"], net)
    check([layer["name"] for layer in net["layers"]] == ["hidden1", "hidden2", "output"], net["layers"])
    check([layer["rewired"] for layer in net["layers"]] == [True, True, False], net["layers"])
    with open(f"{scratch}/a/degrees.csv", encoding="utf-8") as f:
        degrees = [int(row["degree"]) for row in csv.DictReader(f)]
    check(net["layers"][0]["largest_input_degree"] == max(degrees), net["layers"][0])
    check(seen["config"]["run"]["seed"] == "4" and "train" in seen["config"], "config")
    text = coppice("inspect", f"{scratch}/a").stdout
    check("train.algorithm = set" in text and "population" not in text and "hidden2" in text, text)
    one = asked("inspect", f"{scratch}/a/checkpoints/epoch-000004.h5")
    check(one["kind"] == "checkpoint" and len(one["epochs"]) == 4 and "ledger" not in one, one["kind"])
    for words, message in (
        (("inspect", f"{scratch}/a", "--individual", "3"), "no individuals"),
        (("prune", f"{scratch}/a"), "networks of [network] alone"),
        (("transfer", f"{scratch}/a"), "networks of [network] alone"),
        (("evaluate", f"{scratch}/a", "--evaluator", "blas"), "by its live edges"),
    ):
        result = coppice(*words)
        check_status(result, 64)
        check(message in result.stderr and result.stderr.count("\n") == 1, result.stderr)


@test
def a_run_that_has_no_checkpoint_yet_is_described(scratch):
    trained(f"{scratch}/a", "--set=checkpoint.keep=9")
    for name in os.listdir(f"{scratch}/a/checkpoints"):
        os.remove(f"{scratch}/a/checkpoints/{name}")
    result = coppice("inspect", f"{scratch}/a")
    check_status(result, 0)
    check("no checkpoint" in result.stdout, result.stdout)
    result = coppice("evaluate", f"{scratch}/a")
    check_status(result, 1)
    check("holds no network yet" in result.stderr, result.stderr)
    result = coppice("report", f"{scratch}/a")
    check_status(result, 1)


@test
def evaluate_finds_what_the_run_found(scratch):
    for kernel in ("", "plain"):
        folder = f"{scratch}/a{kernel}"
        run = trained(folder)
        csv_file = f"{folder}/p.csv"
        result = coppice("evaluate", folder, "--json", "--predictions", csv_file, env={"COPPICE_KERNEL": kernel} if kernel else {})
        check_status(result, 0)
        found = json.loads(result.stdout)
        task = found["tasks"]["clusters"]
        check(abs(task["accuracy"] - run["result"]["test_last"]) < 1e-9 and task["samples"] == 200, task)
        check(task["vote"] is None and found["weighting"] == "trained", found)
        check(found["edges"] == run["result"]["edges"], found)
        with open(csv_file, encoding="utf-8") as f:
            rows = list(csv.DictReader(f))
        check(sum(r["label"] == r["predicted"] for r in rows) == task["correct"] and len(rows) == 200, len(rows))
        matrix = [[0, 0], [0, 0]]
        for r in rows:
            matrix[int(r["label"])][int(r["predicted"])] += 1
        check(matrix == task["confusion"], f"{matrix} {task['confusion']}")
    seen = asked("inspect", folder)
    check(abs(seen["epochs"][-1]["test_loss"] - task["loss"]) < 1e-6, task["loss"])
    learnt = asked("evaluate", folder, "--split", "train")["tasks"]["clusters"]
    check(learnt["samples"] == 600, learnt["samples"])
    small = f"{scratch}/small.ini"
    with open(small, "w", encoding="utf-8") as f:
        f.write("[task.other]\nsource = blobs\nfeatures = 7\n")
    result = coppice("evaluate", folder, "--config", small, "--task", "other")
    check_status(result, 78)
    check("samples of 7 numbers, the network takes 60" in result.stderr, result.stderr)


@test
def compare_takes_networks_and_groups(scratch):
    a, b = trained(f"{scratch}/a"), trained(f"{scratch}/b", "--set=train.algorithm=codacorset")
    found = asked("compare", f"{scratch}/a", f"{scratch}/b")["tasks"]["clusters"]
    check([abs(n["accuracy"] - r["result"]["test_last"]) < 1e-9 for n, r in zip(found["networks"], (a, b))] == [True, True], found)
    pair = found["pairs"][0]
    check(pair["both_right"] + pair["first_alone"] == found["networks"][0]["correct"], pair)
    check(pair["both_right"] + pair["first_alone"] + pair["second_alone"] + pair["both_wrong"] == 200, pair)
    folder = f"{scratch}/sweep"
    check_status(coppice("sweep", f"set={CONFIG}", "--seeds", "1-3", "--out", folder, "--no-figures"), 0)
    groups = asked("compare", f"{folder}/set", f"again={folder}/set", "--measure", "accuracy.clusters.test")
    check(groups["measures"]["accuracy.clusters.test"]["groups"][0]["difference"] == 0, groups)


def page_rules():
    """The rules that every page keeps, from the test of searches."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "test_report.py")
    with open(path, encoding="utf-8") as f:
        source = f.read()
    rules = importlib.util.module_from_spec(importlib.util.spec_from_loader("rules", None))
    rules.__file__ = path
    exec(compile(source[:source.rindex("\nmain()")].replace("@test\n", ""), path, "exec"), rules.__dict__)  # pylint: disable=exec-used
    return rules


@test
def a_training_becomes_a_page(scratch):
    rules = page_rules()
    run = f"{scratch}/run"
    found = trained(run, f"--set=run.name={rules.NAME}")["result"]
    check_status(coppice("report", run), 0)
    text, page = rules.a_page(f"{run}/report.html")
    check({"result", "accuracy", "curves", "confusion", "layers", "inputs", "degrees", "config"} <= page.ids, page.ids)
    check("lineage" not in page.ids and text.count("<svg") == 5, text.count("<svg"))
    rows = {row[1]: row for row in page.tables["accuracy"][1:]}
    check(rows["test"][3] == f"{found['test_last']:.2f}" and rows["train"][2] == "600", rows)
    with open(f"{run}/degrees.csv", encoding="utf-8") as f:
        degrees = sorted((int(r["degree"]) for r in csv.DictReader(f)), reverse=True)
    check([int(row[1]) for row in page.tables["degrees"][1:]] == degrees[:20], page.tables["degrees"])
    check(found["digest"] in page.text, "digest")
    check_status(coppice("report", f"{run}/checkpoints/epoch-000004.h5", "--no-data", "-o", f"{scratch}/p.html"), 0)
    text, page = rules.a_page(f"{scratch}/p.html")
    check("confusion" not in page.ids and "curves" in page.ids, page.ids)


@test
def images_have_a_map_of_their_pixels(scratch):
    with open(f"{scratch}/glyphs.ini", "w", encoding="utf-8") as f:
        f.write("[task.g]\nsource = glyphs-digits\ntrain_samples = 200\nevolve_samples = 20\ntest_samples = 50\n"
                "[train]\nhidden = 30\nepochs = 2\nepsilon = 3\n")
    check_status(coppice("run", f"{scratch}/glyphs.ini", "--out", f"{scratch}/run", "--quiet"), 0)
    check_status(coppice("report", f"{scratch}/run"), 0)
    text, _ = page_rules().a_page(f"{scratch}/run/report.html")
    check(text.count("row 27, column 27") == 1 and "Edges of each pixel" in text, "no map")


if __name__ == "__main__":
    main()
