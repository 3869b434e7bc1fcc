#!/usr/bin/env python3
"""EComp's scenario 100 once more, written from the paper and its code's facts without looking at coppice: numpy, no
similarity (its weight is 0). Shows whether where the widths end is the algorithm's doing or a mistake of ours.

    python3 jobs/compare/ecomp_plain.py BASE.h5 [SEEDS]      COPPICE_DATA names the folder with fashion-mnist/

BASE.h5 is the base network of a run ([base] file). One line a seed: the widths that are left, then mean accuracy and
mean share of units kept after generations 0, 1, 3, 5, 10, 20, 50 and 100. Needs numpy and h5py.
"""
import gzip
import os
import sys

import h5py
import numpy as np

SHOWN = (0, 1, 3, 5, 10, 20, 50, 100)


def idx(name, skip):
    with gzip.open(os.path.join(os.environ["COPPICE_DATA"], "fashion-mnist", name)) as file:
        return np.frombuffer(file.read(), np.uint8)[skip:]


def right(net, x, y):
    h = np.maximum(x @ net[0].T + net[1], 0)
    h = np.maximum(h @ net[2].T + net[3], 0)
    return ((h @ net[4].T + net[5]).argmax(1) == y).mean()


def pruned(net, rate):
    gone = int(256 * rate + 1e-9)
    keep = lambda w: np.sort(np.argsort(np.abs(w.astype(np.float64)).sum(1), kind="stable")[gone:])
    a, b = keep(net[0]), keep(net[2])
    return [net[0][a], net[1][a], net[2][np.ix_(b, a)], net[3][b], net[4][:, b], net[5]]


def crossed(p, q, rng):
    """Each child is one parent with the other's leading blocks."""
    one, two = [w.copy() for w in q], [w.copy() for w in p]
    for k, most in enumerate((784, 784, 10)):
        c = int(rng.integers(1, min(len(p[1]), len(q[1]), most) + 1))
        for child, other in ((one, p), (two, q)):
            child[2 * k][:c, :c] = other[2 * k][:c, :c]
            child[2 * k + 1][:c] = other[2 * k + 1][:c]
    return one, two


def run(base, x, y, seed):
    rng = np.random.default_rng(seed)
    subset = rng.permutation(len(x))[:10000]
    batch, later = rng.permutation(subset)[:100], rng.permutation(subset)
    pop, shown = [pruned(base, 0.1 + 0.007 * i) for i in range(100)], []
    for g in range(101):
        if g:
            batch = later[100 * (g - 1):100 * g]
            share = np.exp(fitness)
            pick = rng.choice(100, 100, p=share / share.sum())
            pop = [child for i in range(0, 100, 2) for child in crossed(pop[pick[i]], pop[pick[i + 1]], rng)]
            for net in pop:
                if rng.random() < 0.01:
                    for k in (0, 2, 4):
                        net[k] = (net[k] * rng.uniform(0.9, 1.1, net[k].shape)).astype(np.float32)
        fitness = np.array([right(net, x[batch], y[batch]) for net in pop])
        if g in SHOWN:
            shown.append(f"{fitness.mean():.3f}/{np.mean([len(net[1]) for net in pop]) / 256:.3f}")
    return sorted({len(net[1]) for net in pop}), shown


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    x = idx("train-images-idx3-ubyte.gz", 16).reshape(-1, 784).astype(np.float32) / 255
    y = idx("train-labels-idx1-ubyte.gz", 8).astype(np.int64)
    with h5py.File(sys.argv[1]) as file:
        base = [file["network"][layer][part][:] for layer in ("hidden1", "hidden2", "output") for part in ("weight", "bias")]
    for seed in range(int(sys.argv[2]) if len(sys.argv) == 3 else 10):
        widths, shown = run(base, x, y, seed)
        print(seed, *widths, *shown, flush=True)


if __name__ == "__main__":
    main()
