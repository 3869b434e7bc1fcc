#!/usr/bin/env python3
"""Retraining the last layer: what stays, what moves, and that the networks written are the ones scored."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import check, check_status, coppice, main, test  # noqa: E402

try:
    import h5py
    import numpy as np
except ImportError:
    h5py = None
CONFIG = "configs/smoke/padawann.ini"
LETTERS = ("--set=task.letters.train_samples=5200", "--set=task.letters.test_samples=1300")


def a_run(scratch, *sets):
    out = os.path.join(scratch, "run")
    check_status(coppice("run", CONFIG, "--out", out, "-q", "--set=pool.elite=0", "--set=prune.random.amount=0.05",
                         *LETTERS, *sets), 0)
    return out


def ask(*words):
    result = coppice(*words, "--json")
    check_status(result, 0)
    return json.loads(result.stdout)


def arrays(path):
    with h5py.File(path) as f:
        live = np.unpackbits(f["mask"][:], bitorder="little")[:f["mask"].attrs["edges"]].astype(bool)
        values = {}
        for name, layer in f["network"].items():
            if "weight" in layer:
                w, first = layer["weight"][:], layer["weight"].attrs["first_edge"]
                values[name] = (w, live[first:first + w.size].reshape(w.shape), layer["bias"][:])
        return values


@test
def the_last_layer_learns_and_nothing_else_moves(scratch):
    run = a_run(scratch)
    out = ask("transfer", run, "--out", f"{scratch}/nets", "--epochs", 8)
    check(not out["as_published"] and list(out["tasks"]) == ["digits", "letters"], out)
    for task, seen in out["tasks"].items():
        check(len(seen["epochs"]) == 8 and seen["after"] == seen["epochs"][seen["kept_epoch"] - 1], seen)
        check(0 < seen["validation"] < 100, seen)
        evolve = ask("evaluate", run, "--task", task, "--split", "evolve")["tasks"][task]
        check(seen["value"] == evolve["value"], f"{seen}: the value is not the best of the evolution samples")
        before = ask("evaluate", run, "--task", task)["tasks"][task]
        given = next(row for row in before["values"] if row["value"] == seen["value"])
        check(abs(seen["before"] - given["accuracy"]) <= 0.5, f"{seen}, evaluate says {given}")
        after = ask("evaluate", f"{scratch}/nets/{task}.h5", "--task", task)
        check(abs(after["tasks"][task]["accuracy"] - seen["after"]) <= 0.5, f"{seen}, evaluate says {after}")
        check(after["weighting"] == "trained" and after["edges"] == seen["edges"], after)
        if h5py:
            old, new = arrays(f"{run}/best.h5"), arrays(f"{scratch}/nets/{task}.h5")
            for layer in old:
                w, live, bias = old[layer]
                if layer == "dense2":
                    check((new[layer][1] >= live).all(), "the last layer lost edges")  # those of dead units do not grow
                    check(not np.array_equal(new[layer][2], bias), "the last layer did not learn")
                    continue
                check(np.array_equal(new[layer][0], np.where(live, np.sign(w) * seen["value"], 0)), f"{layer} moved")
                check(np.array_equal(new[layer][2], bias) and np.array_equal(new[layer][1], live), f"{layer} moved")
    letters = out["tasks"]["letters"]
    check(letters["train_samples"] == 2000 and letters["after"] > letters["before"] + 15, letters)
    check(ask("transfer", run, "--epochs", 8) == out, "not the same again")
    # each task begins with the network given, whatever came before
    check(ask("transfer", run, "--epochs", 8, "--task", "letters")["tasks"]["letters"] == letters, "order matters")


@test
def as_published_goes_on_from_task_to_task(scratch):
    run = a_run(scratch)
    out = ask("transfer", run, "--as-published")
    for task, seen in out["tasks"].items():
        check(len(seen["epochs"]) == 5 and seen["validation"] is None and seen["kept_epoch"] is None, seen)
        check(abs(seen["after"] - sum(seen["epochs"]) / 5) < 1e-9, seen)
        best = ask("evaluate", run, "--task", task)["tasks"][task]
        check(seen["value"] == best["value"], f"{seen}: the value is not the best of the test samples")
    digits = out["tasks"]["digits"]
    check(digits["epochs"][-1] > digits["before"] + 5, digits)
    alone = ask("transfer", run, "--as-published", "--task", "letters")["tasks"]["letters"]
    check(alone["before"] != out["tasks"]["letters"]["before"], "the last layer was begun anew")
    check(ask("transfer", run, "--as-published") == out, "not the same again")
    check(ask("transfer", run, "--as-published", "--seed", 2) != out, "the seed does nothing")
    # edges that were cut grow again, and keep the sign that training gave them
    still = ask("transfer", run, "--as-published", "--rate", 1e-30, "--task", "digits")["tasks"]["digits"]
    check(still["epochs"] == [still["before"]] * 5, still)


@test
def the_epoch_is_chosen_on_held_back_samples(scratch):
    run = a_run(scratch)
    for epochs in (5, 7, 9, 11):  # so large a rate jumps about: the last epoch is not always the best
        words = ("transfer", run, "--task", "digits", "--rate", 3, "--out", f"{scratch}/nets", "--epochs", epochs)
        kept = ask(*words)["tasks"]["digits"]
        if abs(kept["epochs"][-1] - kept["after"]) > 1:
            break
    check(kept["kept_epoch"] < epochs, f"{kept}: the last epoch is always the best")
    check(kept["after"] == kept["epochs"][kept["kept_epoch"] - 1], kept)
    again = ask("evaluate", f"{scratch}/nets/digits.h5", "--task", "digits")["tasks"]["digits"]
    check(abs(again["accuracy"] - kept["after"]) <= 0.5, f"{again} is not the network of that epoch, {kept}")
    last = ask(*words, "--validation", 0)["tasks"]["digits"]
    check(last["kept_epoch"] == epochs and last["after"] == last["epochs"][-1] and last["validation"] is None, last)


@test
def dropout_works_as_published_only(scratch):
    # the same weights, as the base network does not move; only the layers of dropout tell the two apart
    seen = []
    for name, dropout in (("with", "dropout(0.5)"), ("without", "dropout(0)")):
        run = f"{scratch}/{name}"
        check_status(coppice("run", CONFIG, "--out", run, "-q", "--set=stop.generations=0", "--set=base.rate=1e-30", *LETTERS,
                             f"--set=network.layers=conv2d(4,3) relu maxpool(2) dense(16) relu {dropout} dense(10)"), 0)
        seen.append([ask("transfer", run, "--task", "digits", "--epochs", 3, *way)["tasks"]["digits"]["epochs"]
                     for way in ((), ("--as-published",))])
    check(seen[0][0] == seen[1][0] and seen[0][1] != seen[1][1], f"with dropout {seen[0]}, without {seen[1]}")


@test
def trained_networks_transfer_too(scratch):
    base = f"{scratch}/base.h5"
    a_run(scratch, f"--set=base.file={base}", "--set=stop.generations=0")
    for words in ((), ("--as-published",)):
        out = ask("transfer", base, "--task", "letters", *words)
        letters = out["tasks"]["letters"]
        check(letters["value"] is None and letters["epochs"][-1] > letters["before"] + 10, letters)
    text = coppice("transfer", base, "--task", "letters", "--validation", 0, "--epochs", 2)
    check_status(text, 0)
    check("trained weights" in text.stdout and "letters" in text.stdout, text.stdout)
    check("`after` is the last epoch, as nothing is held back" in text.stdout, text.stdout)
    for status, message, *words in (
        (64, "--epochs 0: wanted a whole number", base, "--epochs", 0),
        (64, "--rate nan: wanted a number", base, "--rate", "nan"),
        (64, "--validation 1: wanted a number from 0 to 0.9", base, "--validation", 1),
        (64, "--as-published holds no samples back", base, "--validation", 0.1, "--as-published"),
        (64, "--seed x: wanted", base, "--seed", "x"),
        (64, "did you mean digits?", base, "--task", "digit"),
        (1, "no such file", f"{scratch}/none.h5"),
    ):
        result = coppice("transfer", *words)
        check_status(result, status)
        check(message in result.stderr and result.stdout == "", result.stderr)


if __name__ == "__main__":
    main()
