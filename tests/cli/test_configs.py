#!/usr/bin/env python3
"""Every configuration that comes with coppice: it is sound, can be explained, differs from the others, and runs.

The arms of the thesis read MNIST and EMNIST files. Here they are given files of the same names and sizes with images
of noise around ten shapes, and a small network; everything else is as they say.
"""
import functools
import gzip
import json
import os
import random
import re
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import ROOT, check, check_status, coppice, main, test  # noqa: E402

TINY = "maxpool(2) conv2d(4,3) relu maxpool(4) dense(12) relu dense(10)"


def configurations(*folders):
    found = []
    for folder in folders:
        for name in sorted(os.listdir(os.path.join(ROOT, "configs", folder))):
            if name.endswith(".ini"):
                found.append(os.path.join("configs", folder, name))
    return found


@functools.lru_cache(maxsize=None)
def printed(path):
    result = coppice("check", "--no-data", path, "--print-config")
    check_status(result, 0)
    return result.stdout


@test
def arms_of_sweep_files_are_sound(scratch):
    for path in configurations("sweeps"):
        result = coppice("check", "--no-data", path)
        check_status(result, 0)
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            arms = re.findall(r"^\[arm\.(.*)\]", f.read(), re.M)
        check(len(arms) > 1, path)
        said = re.findall(r"^\[arm\.(.*)\] of .* is sound", result.stdout, re.M)
        check(said == arms, f"{path}: {arms}, but checked were {said}")


@test
def a_wrong_arm_is_named(scratch):
    path = os.path.join(scratch, "arms.ini")
    config = os.path.join(ROOT, "configs/smoke/padawann.ini")
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"[arm.good]\nconfig = {config}\n[arm.bad]\nconfig = {config}\nset = pool.elite=99\n")
    result = coppice("check", "--no-data", path)
    check_status(result, 78)
    check(f"{path}: [arm.bad]" in result.stderr and "elite" in result.stderr, result.stderr)


def write_images(folder, name, labels, seed):
    """IDX files of 28 x 28 images: a bright square whose place is the label's, and noise."""
    os.makedirs(folder, exist_ok=True)
    draw = random.Random(seed)
    noise = [draw.randbytes(784).translate(bytes(i // 4 for i in range(256))) for _ in range(64)]
    images = bytearray()
    for i, label in enumerate(labels):
        image = bytearray(noise[i % 64])
        row, column = 5 * (label % 5), 5 * (label // 5 % 5)
        for y in range(row, row + 7):
            image[28 * y + column:28 * y + column + 7] = b"\xf0" * 7
        images += image
    with gzip.open(os.path.join(folder, name + "-images-idx3-ubyte.gz"), "wb", 1) as f:
        f.write(struct.pack(">4i", 2051, len(labels), 28, 28) + images)
    with gzip.open(os.path.join(folder, name + "-labels-idx1-ubyte.gz"), "wb", 1) as f:
        f.write(struct.pack(">2i", 2049, len(labels)) + bytes(labels))


@test
def every_configuration_is_sound_and_can_be_explained(scratch):
    paths = configurations(".", "padawann", "smoke", "coset", "set")
    check(len(paths) > 25, f"only {len(paths)} configurations")
    for path in paths:
        check_status(coppice("check", "--no-data", path), 0)
        explained = coppice("explain", path)
        check_status(explained, 0)
        check("repeat" in explained.stdout or "for epoch" in explained.stdout, explained.stdout)


@test
def no_two_configurations_are_the_same_search(scratch):
    seen, names = {}, {}
    for path in configurations(".", "padawann", "smoke"):
        text = printed(path)
        name = re.search(r"^name = (.*)$", text, re.M).group(1)
        check(name not in names, f"{path} and {names.get(name)} have the same name")
        names[name] = path
        science = re.sub(r"^name = .*$", "", text, flags=re.M)
        check(science not in seen, f"{path} is the same search as {seen.get(science)}")
        seen[science] = path


@test
def arms_say_what_their_comments_say(scratch):
    def lines(name):
        return set(printed(f"configs/padawann/{name}.ini").splitlines())

    def change(name, of="as-published"):
        new, old = lines(name), lines(of)
        return {line for line in new - old if not line.startswith("name =")}

    check("size = 20" in lines("default") and "generations = 50" in lines("default"), "default")
    check(change("default", "as-published") == {"op = one_point"}, change("default", "as-published"))
    for name, of, wanted in (
        ("signs-discarded", "as-published", {"signs = discard"}),
        ("trained-weights", "as-published", {"op = trained_weights", "arithmetic = sparse"}),
        ("mnist-only", "as-published", {"tasks = mnist"}),
        ("letters-base", "as-published", {"task = letters"}),
        ("optimised-mapping", "as-published", {"classes = 1, 9, 3, 5, 8, 10, 4, 6, 2, 7"}),
        ("no-biases", "as-published", {"biases = zero", "values = 1"}),
        ("letters-upright", "as-published", {"orientation = transposed"}),
        ("optimised-mapping-upright", "optimised-mapping", {"orientation = transposed"}),
        ("small", "as-published", {"size = 10", "size = 4"}),
        ("ablation-no-elitism", "small", {"elite = 0", "op = generational"}),
        ("ablation-no-culling", "small", {"cull = 0"}),
        ("ablation-channels", "small", {"ops = prune.channels"}),
        ("ablation-tournament-2", "small", {"size = 2"}),
        ("ablation-tournament-6", "small", {"size = 6"}),
        ("ablation-crossover-edge", "small", {"op = one_point"}),
        ("ablation-crossover-layer", "small", {"op = one_point", "over = layers"}),
        ("ablation-crossover-uniform", "small", {"op = uniform"}),
        ("ablation-crossover-uniform-layers", "small", {"op = uniform", "over = layers"}),
    ):
        check(change(name, of) == wanted, f"{name} differs from {of} by {change(name, of)}")


@test
def every_arm_runs(scratch):
    data = os.path.join(scratch, "data")
    digits = [i % 10 for i in range(7000)]
    write_images(os.path.join(data, "mnist"), "train", digits, 1)
    write_images(os.path.join(data, "mnist"), "t10k", digits[:200], 2)
    letters = [label for label in range(1, 19) for _ in range(800)] + [19] * 400
    write_images(os.path.join(data, "emnist-letters"), "emnist-letters-test-first14800", letters, 3)
    for path in configurations("padawann"):
        name = os.path.basename(path)[:-4]
        out = os.path.join(scratch, name)
        layers = TINY.replace("dense(10)", "dense(29)") if name == "heads" else TINY
        result = coppice("run", path, "--data", data, "--out", out, "--quiet", f"--set=network.layers={layers}",
                         "--set=stop.generations=1", "--set=base.epochs=1", "--set=similarity.batches=2",
                         env={"COPPICE_CACHE": scratch})
        check_status(result, 0)
        with open(os.path.join(out, "run.json"), encoding="utf-8") as f:
            run = json.load(f)
        check(run["status"] == "finished" and run["result"]["generation"] == 1, f"{name}: {run}")
        check(set(run["result"]["tasks"]["mnist"]) >= {"base_test", "best_test"}, f"{name}: {run}")


if __name__ == "__main__":
    main()
