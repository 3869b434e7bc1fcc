#!/usr/bin/env python3
"""Runs of [train] with layers in front: one digest whatever interrupted them and however many ranks, and every command
knows them."""
import glob
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

CONFIG = "configs/smoke/front.ini"


def run(folder, *more, status=0, **kw):
    result = coppice("run", CONFIG, "--out", folder, *more, **kw)
    check_status(result, status)
    return result


def asked(*words):
    result = coppice(*words, "--json")
    check_status(result, 0)
    return json.loads(result.stdout)


@test
def interrupted_it_ends_as_if_nothing_had_happened(scratch):
    for algorithm, optimiser in (("set", "sgd"), ("codacorset", "adam"), ("rigl", "sgd"), ("fixprob", "adam"), ("dense", "sgd")):
        sets = ("--set", f"train.algorithm={algorithm}", "--set", f"train.optimiser={optimiser}", "--set", "train.rate=0.01",
                "--set", f"train.memory={'forget' if optimiser == 'adam' else 'keep'}", "--set", "train.rotate=10")
        run(f"{scratch}/{algorithm}", *sets)
        folder = f"{scratch}/{algorithm}-parts"
        run(folder, *sets, "--set", "train.epochs=3")
        check_status(coppice("resume", folder, "--set", "train.epochs=4"), 0)
        check_status(coppice("resume", folder, "--set", "train.epochs=6"), 0)
        check(digest(folder) == digest(f"{scratch}/{algorithm}"), f"{algorithm} ended elsewhere")
    check(len({digest(f"{scratch}/{a}") for a in ("set", "rigl", "dense")}) == 3, "all the same")


@test
def ranks_share_batches_and_move_nothing(scratch):
    sets = ("--set", "train.parts=4", "--set", "train.epochs=4")
    seen = {}
    for ranks in (0, 2, 3):
        run(f"{scratch}/{ranks}", *sets, ranks=ranks)
        seen[ranks] = digest(f"{scratch}/{ranks}")
    run(f"{scratch}/nodes", *sets, ranks=3, env={"COPPICE_RANKS_PER_NODE": "2"})  # parts are sent, not shared
    seen["2 nodes"] = digest(f"{scratch}/nodes")
    run(f"{scratch}/parts", *sets, "--set", "train.epochs=2", ranks=2)
    check_status(coppice("resume", f"{scratch}/parts", "--set", "train.epochs=4", ranks=3), 0)
    seen["resumed"] = digest(f"{scratch}/parts")
    check(len(set(seen.values())) == 1, f"digests differ: {seen}")
    run(f"{scratch}/plain", *sets, env={"COPPICE_KERNEL": "plain"})  # the front is BLAS, the rest any kernel
    check(digest(f"{scratch}/plain") == seen[0], "another kernel ended elsewhere")
    run(f"{scratch}/whole", "--set", "train.epochs=4", ranks=3)
    run(f"{scratch}/alone", "--set", "train.epochs=4")
    check(digest(f"{scratch}/whole") == digest(f"{scratch}/alone"), "one part: ranks moved it")


@test
def a_killed_run_goes_on(scratch):
    sets = ("--set", "train.epochs=25", "--set", "checkpoint.every=1", "--set", "train.optimiser=adam", "--set",
            "train.rate=0.001")
    run(f"{scratch}/straight", *sets)
    folder = f"{scratch}/killed"
    start_and_kill(CONFIG, folder, (0.2, 0.5, 0.9), *sets)
    run(folder, *sets, "--resume", "auto")
    check(digest(folder) == digest(f"{scratch}/straight"), "a killed run ended elsewhere")


@test
def every_command_knows_it(scratch):
    folder = f"{scratch}/a"
    run(folder)
    found = result_of(folder)
    seen = asked("inspect", folder)["network"]
    front = 6 * 9 + 6 + 8 * 6 * 9 + 8
    check(seen["front_parameters"] == front and seen["input"] == [1, 28, 28], seen)
    check(seen["parameters"] == found["parameters"] == found["edges"] + 60 + 40 + 10 + front, seen)
    said = coppice("inspect", folder).stdout
    check(f"{front} parameters of the layers in front" in said and "train.front = conv2d(6" in said, said)
    names = [layer["name"] for layer in seen["layers"]]
    check(names == ["conv1", "relu1", "dropout1", "conv2", "relu2", "maxpool1", "hidden1", "hidden2", "output"], names)
    check(seen["layers"][5]["out"] == [8, 7, 7] and seen["layers"][6]["in"] == [392, 1, 1], seen["layers"])
    check(seen["macs"] == 784 * (54 + 432) + seen["edges"], seen)
    told = asked("evaluate", folder)["tasks"]["digits"]
    check(abs(told["accuracy"] - found["test_last"]) < 1e-9, told)
    check_status(coppice("report", folder), 0)
    with open(f"{folder}/report.html", encoding="utf-8") as f:
        check("Edges of each pixel" not in f.read(), "inputs of the sparse layers are no pixels")
    check("conv2d(6,3,1,1)" in coppice("explain", CONFIG).stdout, "explain")
    said = coppice("check", CONFIG).stdout
    check("parameters" in said, said)
    with open(f"{folder}/degrees.csv", encoding="utf-8") as f:
        check(len(f.readlines()) == 393, "degrees.csv")
    check(found["edges_after_removal"] < found["edges"], found)


@test
def what_does_not_fit_is_refused(scratch):
    for number, (sets, part) in enumerate((
            ({"front": "maxpool(29)"}, "[train] front: layer 1 \"maxpool(29)\": a window of 29x29 does not fit"),
            ({"front": "conv(6,3)"}, "did you mean \"conv2d\""),
            ({"feature_removal": "yes"}, "where there is a front"),
            ({"model": "rbm", "hidden": "9"}, "not used by model = rbm"))):
        words = [w for key, value in sets.items() for w in ("--set", f"train.{key}={value}")]
        said = run(f"{scratch}/{number}", *words, status=78).stderr
        check(part in said and said.count("\n") == 1, said)
        said = coppice("check", CONFIG, *words)
        check_status(said, 78)
        said = coppice("check", "--no-data", CONFIG, *words)
        check_status(said, 0 if number == 0 else 78)  # a window that does not fit is seen with samples alone
    folder = f"{scratch}/a"
    run(folder)
    with open(f"{scratch}/other.ini", "w", encoding="utf-8") as f:
        f.write("[task.o]\nsource = blobs\nfeatures = 784\n")
    said = coppice("evaluate", folder, "--config", f"{scratch}/other.ini", "--task", "o")
    check_status(said, 78)
    check("the network takes 1x28x28" in said.stderr, said.stderr)
    said = coppice("resume", folder, "--set", "train.front=relu")
    check_status(said, 78)
    check("another experiment" in said.stderr, said.stderr)


@test
def a_file_that_its_configuration_contradicts_is_refused(scratch):
    try:
        import h5py
    except ImportError as error:
        raise Skip(f"{error}: install python3-h5py")
    folder = f"{scratch}/a"
    run(folder)
    file = glob.glob(f"{folder}/checkpoints/*.h5")[0]

    def nothing(f):
        f.attrs["anything"] = 1

    def another_front(f):
        text = f["front/layers"][()].decode().replace("relu", "tanh")
        del f["front/layers"]
        f["front/layers"] = text

    def an_edge_gone(f):  # of the last layer, where all live and stay
        layer = f["layers/3"]
        for name in ("input", "weight", "edge_memory"):
            values = layer[name][:-1]
            del layer[name]
            layer[name] = values
        layer["begin"][-1] -= 1

    for change, part in ((nothing, None), (another_front, "its front is"), (an_edge_gone, "some are gone")):
        name = f"{scratch}/{change.__name__}.h5"
        changed_and_sealed(file, name, change)
        said = coppice("inspect", name)
        if part is None:
            check_status(said, 0)
        else:
            check(said.returncode != 0 and part in said.stderr and said.stderr.count("\n") == 1, said.stderr)


if __name__ == "__main__":
    main()
