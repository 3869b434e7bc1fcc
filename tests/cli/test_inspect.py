#!/usr/bin/python3
"""inspect and evaluate: one small run, looked at from all sides."""
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

COPPICE = os.path.join(os.environ.get("COPPICE_BUILD", "build"), "coppice")
CONFIG = """
[run]
name = inspected
seed = 5
[network]
input = 1x28x28
layers = conv2d(4,5) relu maxpool(2) flatten dense(24) relu dense(26)
[base]
task = digits
epochs = 1
[task.digits]
source = glyphs-digits
train_samples = 1200
evolve_samples = 300
test_samples = 400
[task.letters]
source = glyphs-letters
train_samples = 260
evolve_samples = 520
test_samples = 300
[population]
size = 8
[evaluate]
op = weight_agnostic
values = 0.5, 1, 2
[vary]
ops = prune.random
[prune.random]
amount = 0.05
[checkpoint]
every = 1
keep = 2
[stop]
generations = 4
"""
OTHER = """
[network]
input = 1x28x28
layers = dense(10)
[task.again]
source = glyphs-digits
train_samples = 1200
evolve_samples = 300
test_samples = 400
[task.blobs]
source = blobs
"""

scratch = tempfile.mkdtemp()
run = os.path.join(scratch, "run")
environment = dict(os.environ, COPPICE_CACHE=scratch, OMPI_MCA_hwloc_base_binding_policy="none")


def coppice(*words, status=0, error=""):
    p = subprocess.run([COPPICE, *words], capture_output=True, text=True, env=environment, cwd=scratch)
    assert p.returncode == status, f"{words}: status {p.returncode}, wanted {status}: {p.stderr}"
    assert error in p.stderr, f"{words}: no '{error}' in: {p.stderr}"
    return p.stdout


def keys(value, wanted):
    assert list(value) == wanted.split(), f"{list(value)}, wanted {wanted}"


def network_is_described(network):
    layers = {layer["name"]: layer for layer in network["layers"]}
    live = [layer for layer in network["layers"] if "edges" in layer]
    assert [layer["name"] for layer in live] == ["conv1", "dense1", "dense2"]
    assert layers["conv1"]["out"] == [4, 24, 24] and layers["dense1"]["weights"] == 576 * 24
    assert sum(layer["edges"] for layer in live) == network["edges"]
    assert sum(layer["macs"] for layer in live) == network["macs"]
    assert layers["conv1"]["macs"] == layers["conv1"]["edges"] * 576
    assert abs(network["density"] - network["edges"] / network["weights"]) < 1e-12
    assert network["macs_dense"] == 100 * 576 + 576 * 24 + 24 * 26


def a_run_is_inspected():
    out = json.loads(coppice("inspect", run, "--json"))
    keys(out, "kind path status run checkpoint best generations population config network ledger")
    assert (out["kind"], out["status"], out["path"]) == ("run", "finished", run)
    keys(out["checkpoint"], "file run_id complete digest science_hash elapsed generation evaluations "
         "individuals held population genomes tasks measures provenance")
    assert out["checkpoint"]["complete"] and out["checkpoint"]["generation"] == 4
    assert out["checkpoint"]["tasks"] == ["digits", "letters"]
    assert out["checkpoint"]["digest"] in coppice("verify", run)
    keys(out["generations"][0], "generation evaluations births best median mean worst best_id best_ever "
         "best_ever_id density_mean")
    assert [g["generation"] for g in out["generations"]] == [0, 1, 2, 3, 4]
    best = out["best"]
    keys(best, "id born crossed parents fitness accuracy measures")
    assert best["id"] == out["generations"][-1]["best_ever_id"] == out["network"]["id"]
    assert best["measures"]["edges"] == out["network"]["edges"] < out["network"]["weights"]
    assert best["accuracy"]["letters"] == best["measures"]["accuracy.letters"]
    assert len(out["population"]) == 8
    fitness = [one["fitness"] for one in out["population"]]
    assert fitness == sorted(fitness, reverse=True)
    table = [line.split() for line in coppice("inspect", run, "--population").splitlines()]
    assert table[0][:4] == ["place", "individual", "born", "fitness"] and len(table) == 9, table
    for place, (row, one) in enumerate(zip(table[1:], out["population"]), 1):
        seen = dict(zip(table[0], row))
        assert (int(seen["place"]), int(seen["individual"]), int(seen["born"])) == (place, one["id"], one["born"])
        assert float(seen["edges"]) == one["measures"]["edges"]
        assert abs(float(seen["accuracy.letters"]) - one["accuracy"]["letters"]) < 1e-5
    assert "no population is stored here" in coppice("inspect", os.path.join(run, "best.h5"), "--population")
    assert out["config"]["population"]["size"] == "8" and out["config"]["run"]["name"] == "inspected"
    assert out["network"]["weighting"] == "signed" and out["network"]["values"] == [0.5, 1, 2]
    network_is_described(out["network"])
    files = {entry["file"]: entry for entry in out["ledger"]}
    assert len(files) == len(out["ledger"])
    for entry in files.values():
        assert entry["present"] == os.path.exists(os.path.join(run, entry["file"]))
        assert entry["present"] or entry["dropped"], entry
    assert any(entry["dropped"] for entry in files.values())
    text = coppice("inspect", run)
    assert "status finished" in text and "dropped" in text and "MISSING" not in text
    assert f"best individual {best['id']}," in text


def a_checkpoint_is_inspected():
    newest = sorted(os.listdir(os.path.join(run, "checkpoints")))[-1]
    out = json.loads(coppice("inspect", os.path.join(run, "checkpoints", newest), "--json"))
    keys(out, "kind path checkpoint best generations population config network")
    whole = json.loads(coppice("inspect", run, "--json"))
    assert out["best"] == whole["best"] and out["generations"] == whole["generations"]
    other = next(one for one in out["population"] if one["id"] != out["best"]["id"])
    shown = json.loads(coppice("inspect", run, "--json", "--individual", str(other["id"])))
    assert shown["network"]["id"] == other["id"]
    assert shown["network"]["edges"] == other["measures"]["edges"]
    gone = next(i for i in range(out["checkpoint"]["individuals"])
                if i not in [one["id"] for one in out["population"]] + [out["best"]["id"]])
    coppice("inspect", run, "--individual", str(gone), status=64, error=f"individual {gone} is not alive")


def a_network_file_is_inspected():
    out = json.loads(coppice("inspect", os.path.join(run, "best.h5"), "--json"))
    keys(out, "kind path config network")
    whole = json.loads(coppice("inspect", run, "--json"))
    assert out["kind"] == "network" and out["network"]["edges"] == whole["network"]["edges"]
    network_is_described(out["network"])
    base = [name for name in os.listdir(scratch) if name.endswith(".h5")]
    assert base, os.listdir(scratch)
    out = json.loads(coppice("inspect", base[0], "--json"))
    assert out["network"]["weighting"] == "trained" and out["network"]["density"] == 1


def evaluation_repeats_what_evolution_saw():
    best = json.loads(coppice("inspect", run, "--json"))["best"]
    out = json.loads(coppice("evaluate", run, "--split", "evolve", "--json"))
    keys(out, "network individual weighting edges split choose evaluator tasks")
    keys(out["tasks"], "digits letters")
    for task, seen in out["tasks"].items():
        keys(seen, "value accuracy loss correct samples values vote classes confusion")
        assert seen["accuracy"] == best["measures"]["accuracy." + task]
        assert seen["value"] == best["measures"]["value." + task]
        assert abs(seen["loss"] - best["measures"]["loss." + task]) < 1e-9 * seen["loss"]
        assert [row["value"] for row in seen["values"]] == [0.5, 1, 2]
        assert seen["vote"]["accuracy"] == 100 * seen["vote"]["correct"] / seen["samples"]
        assert min(row["accuracy"] for row in seen["values"]) - 5 < seen["vote"]["accuracy"]
        assert seen["accuracy"] == max(row["accuracy"] for row in seen["values"])
    assert out["tasks"]["letters"]["classes"][:3] == ["a", "b", "c"]


def the_value_is_chosen_elsewhere():
    evolve = json.loads(coppice("evaluate", run, "--split", "evolve", "--json"))["tasks"]
    test = json.loads(coppice("evaluate", run, "--json"))["tasks"]
    fair = json.loads(coppice("evaluate", run, "--choose", "evolve", "--json"))
    assert (fair["split"], fair["choose"]) == ("test", "evolve")
    for task, seen in fair["tasks"].items():
        assert seen["value"] == evolve[task]["value"]
        assert seen["values"] == test[task]["values"] and seen["accuracy"] <= test[task]["accuracy"]
        assert seen["accuracy"] == next(r["accuracy"] for r in seen["values"] if r["value"] == seen["value"])
        other = json.loads(coppice("evaluate", run, "--split", "evolve", "--choose", "test", "--json"))["tasks"][task]
        assert other["value"] == test[task]["value"]
    text = coppice("evaluate", run, "--choose", "evolve")
    assert "shared value chosen on evolve samples" in text and " chosen\n" in text and "best\n" not in text
    coppice("evaluate", run, "--choose", "half", status=64, error="--choose half: wanted test, evolve or train")


def predictions_confusion_and_accuracy_agree():
    out = json.loads(coppice("evaluate", run, "--task", "digits", "letters", "--predictions", "p.csv", "--json"))
    with open(os.path.join(scratch, "p.csv"), encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    keys(rows[0], "sample label predicted task")
    for task, seen in out["tasks"].items():
        mine = [row for row in rows if row["task"] == task]
        assert len(mine) == seen["samples"] == sum(map(sum, seen["confusion"]))
        assert [int(row["sample"]) for row in mine] == list(range(len(mine)))
        right = sum(row["label"] == row["predicted"] for row in mine)
        assert right == seen["correct"] == sum(seen["confusion"][k][k] for k in range(len(seen["confusion"])))
        assert abs(seen["accuracy"] - 100 * right / len(mine)) < 1e-12
        table = [[0] * 26 for _ in seen["confusion"]]
        for row in mine:
            table[int(row["label"])][int(row["predicted"])] += 1
        assert table == seen["confusion"]
    assert "rows are the true classes" in coppice("evaluate", run, "--task", "digits", "--confusion")


def evaluators_agree():
    newest = sorted(os.listdir(os.path.join(run, "checkpoints")))[-1]
    seen = {}
    for name in ("sign", "blas", "reference"):
        out = json.loads(coppice("evaluate", os.path.join(run, "checkpoints", newest), "-t", "digits",
                                 "--evaluator", name, "--json"))
        assert out["evaluator"] == name
        seen[name] = [row["accuracy"] for row in out["tasks"]["digits"]["values"]]
    for name in ("blas", "reference"):
        assert all(abs(a - b) <= 0.5 for a, b in zip(seen["sign"], seen[name])), seen


def base_networks_and_other_configurations_do():
    base = next(name for name in os.listdir(scratch) if name.endswith(".h5"))
    out = json.loads(coppice("evaluate", base, "--config", "other.ini", "--task", "again", "--json"))
    assert out["evaluator"] == "blas" and out["tasks"]["again"]["value"] is None
    assert out["tasks"]["again"]["accuracy"] > 15
    coppice("evaluate", base, "-c", "other.ini", "-t", "again", "-e", "sign", status=78, error="shared weights")
    coppice("evaluate", base, "-c", "other.ini", "-t", "blobs", status=78, error="[task.blobs] has samples of")


def what_cannot_be_done_is_said():
    coppice("evaluate", run, "--task", "digit", status=64, error="did you mean digits?")
    coppice("evaluate", run, "--task", "digits,digits", status=64, error="named twice")
    coppice("evaluate", run, "digits", status=64, error="--task")
    coppice("evaluate", run, "--split", "half", status=64, error="wanted test, evolve or train")
    coppice("evaluate", run, "--evaluator", "fast", status=64, error="wanted one of")
    coppice("evaluate", run, "-t", "digits", "--predictions", "nowhere/p.csv", status=1, error="nowhere")
    coppice("inspect", "nothing", status=1, error="no such file")
    coppice("inspect", scratch, status=1, error="not a run directory")
    coppice("inspect", "config.ini", status=1, error="config.ini: ")
    coppice("inspect", run, "--individual", "x", status=64, error="wanted the number")


def damage_is_passed_over_and_named():
    copy = os.path.join(scratch, "damaged")
    shutil.copytree(run, copy)
    newest = os.path.join(copy, "checkpoints", sorted(os.listdir(os.path.join(copy, "checkpoints")))[-1])
    with open(newest, "r+b") as f:
        f.seek(2000)
        f.write(b"\xff" * 8)
    out = json.loads(coppice("inspect", copy, "--json", error=os.path.basename(newest)))
    assert out["checkpoint"]["generation"] < 4
    with open(os.path.join(copy, "best.h5"), "r+b") as f:
        f.truncate(3000)
    coppice("evaluate", copy, "--task", "digits", status=1, error="best.h5")
    assert json.loads(coppice("inspect", copy, "--json"))["network"]["file"].startswith(copy + "/checkpoints/")
    os.remove(os.path.join(copy, "best.h5"))
    coppice("evaluate", copy, "--task", "digits")
    os.remove(os.path.join(copy, "run.json"))
    assert json.loads(coppice("inspect", copy, "--json"))["status"] is None


def main():
    tests = [a_run_is_inspected, a_checkpoint_is_inspected, a_network_file_is_inspected,
             evaluation_repeats_what_evolution_saw, the_value_is_chosen_elsewhere, predictions_confusion_and_accuracy_agree,
             evaluators_agree, base_networks_and_other_configurations_do, what_cannot_be_done_is_said,
             damage_is_passed_over_and_named]
    failed = 0
    for name, text in (("config.ini", CONFIG), ("other.ini", OTHER)):
        with open(os.path.join(scratch, name), "w", encoding="utf-8") as f:
            f.write(text)
    print(f"1..{len(tests)}")
    try:
        # under the leak checker: what the MPI library keeps is not looked at here
        options = environment.get("ASAN_OPTIONS", "")
        environment["ASAN_OPTIONS"] = options + ":detect_leaks=0"
        coppice("run", "config.ini", "--out", run)
        environment["ASAN_OPTIONS"] = options
        for number, test in enumerate(tests, 1):
            try:
                test()
                print(f"ok {number} - {test.__name__}", flush=True)
            except Exception:
                failed += 1
                print(f"not ok {number} - {test.__name__}", flush=True)
                print("".join("# " + line + "\n" for line in traceback.format_exc().splitlines()), end="")
    finally:
        shutil.rmtree(scratch)
    return failed != 0


sys.exit(main())
