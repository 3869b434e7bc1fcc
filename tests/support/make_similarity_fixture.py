#!/usr/bin/env python3
"""Write tests/unit/similarity_fixture.h: what scikit-learn's t-SNE code (the library that EComp's
reference used) gives for activations that tests/unit/test_similarity.c computes from the same formulas.

    COPPICE_DATA=... python3 tests/support/make_similarity_fixture.py > tests/unit/similarity_fixture.h
    clang-format -i tests/unit/similarity_fixture.h

Needs numpy and scikit-learn (the committed file: 1.2.1); the MNIST rows need mnist/ in COPPICE_DATA.
"""
import gzip
import os

import numpy as np
import sklearn
from sklearn.manifold._t_sne import _joint_probabilities
from sklearn.metrics import pairwise_distances

EPS = np.finfo(np.double).eps


def mix(a, b, c):
    """Hash of three whole numbers, 32 bits; elementwise."""
    m = np.uint64(0xFFFFFFFF)
    a, b, c = (np.asarray(v, dtype=np.uint64) for v in (a, b, c))
    x = (a * np.uint64(0x9E3779B1) + b * np.uint64(0x85EBCA77) + c * np.uint64(0xC2B2AE3D)) & m
    x ^= x >> np.uint64(15)
    x = x * np.uint64(0x2C1B3C6D) & m
    x ^= x >> np.uint64(12)
    x = x * np.uint64(0x297A2D39) & m
    x ^= x >> np.uint64(15)
    return x.astype(np.int64)


def activations(n, width, noise, scale):
    """Ten classes with common centres, noise of its own; a third of the entries are 0 as after ReLU."""
    i, k = np.meshgrid(np.arange(n), np.arange(width), indexing="ij")
    v = mix(i % 10, k, 1) % 64 + mix(i, k, noise) % 32 - 40
    return np.maximum(v, 0) / 16 * scale


def joint(rows, perplexity=30.0):
    return _joint_probabilities(pairwise_distances(rows, metric="euclidean", squared=True), perplexity, 0)


def joint_double(rows, perplexity=30.0):
    """The same search with distances in double: the library's are rounded to float."""
    d = ((rows[:, None, :] - rows[None, :, :]) ** 2).sum(axis=2)
    n = len(d)
    p = np.zeros((n, n))
    for i in range(n):
        low, high, beta = -np.inf, np.inf, 1.0
        others = np.arange(n) != i
        for _ in range(100):
            e = np.exp(-d[i, others] * beta)
            total = e.sum() or 1e-8
            above = np.log(total) + beta * (d[i, others] * e).sum() / total - np.log(perplexity)
            p[i, others] = e / total
            if abs(above) <= 1e-5:
                break
            if above > 0:
                low = beta
                beta = beta * 2 if high == np.inf else (beta + high) / 2
            else:
                high = beta
                beta = beta / 2 if low == -np.inf else (beta + low) / 2
    p = p + p.T
    return np.maximum(p[np.triu_indices(n, 1)] / max(p.sum(), EPS), EPS)


def loss(p, q):
    return 2.0 * np.dot(p, np.log(np.maximum(p, EPS) / q))


def formula_images():
    """100 grey images 28x28: three round blobs that depend on the class and a little on the image."""
    y, x = np.meshgrid(np.arange(28), np.arange(28), indexing="ij")
    images = np.zeros((100, 784))
    for i in range(100):
        grey = np.zeros((28, 28), dtype=np.int64)
        for b in range(3):
            cx = 4 + mix(i % 10, b, 20) % 20 + mix(i, b, 21) % 5 - 2
            cy = 4 + mix(i % 10, b, 22) % 20 + mix(i, b, 23) % 5 - 2
            steep = 4 + mix(i, b, 24) % 8
            grey = np.maximum(grey, 255 - ((x - cx) ** 2 + (y - cy) ** 2) * steep)
        images[i] = np.maximum(grey, 0).reshape(784)
    return images / 255


def layer(outputs, inputs, seed):
    """Whole-number weights (to be divided by 2^23) and biases; every tenth unit is small and dead."""
    o, k = np.meshgrid(np.arange(outputs), np.arange(inputs), indexing="ij")
    unit = np.arange(outputs)
    gain = np.where(unit % 10 == 3, 50, 200 + mix(unit, 0, seed + 1) % 1000)
    weights = (mix(o, k, seed) % 2001 - 1000) * gain[:, None]
    bias = np.where(unit % 10 == 3, -100.0, (mix(unit, 0, seed + 2) % 2001 - 1000) / 2**15)
    return weights, bias


def keep(weights, width):
    """Units with the largest L1 norms of incoming weights, in their old order."""
    norm = np.abs(weights).sum(axis=1)
    removed = np.sort(norm)[: len(norm) - width]
    assert norm[norm > removed.max()].size == width, "a tie at the threshold"
    return np.flatnonzero(norm > removed.max())


def hidden(x, l1, l2, keep1=None, keep2=None):
    (w1, b1), (w2, b2) = l1, l2
    if keep1 is not None:
        w1, b1, w2 = w1[keep1], b1[keep1], w2[:, keep1]
        w2, b2 = w2[keep2], b2[keep2]
    h1 = np.maximum(x @ (w1 / 2**23).T + b1, 0)
    return h1, np.maximum(h1 @ (w2 / 2**23).T + b2, 0)


def net_losses(x):
    l1, l2 = layer(256, 784, 30), layer(256, 256, 40)
    parents = hidden(x, l1, l2)
    dead = (np.zeros((100, 1)),) * 2
    for width in (231, 180, 128, 53, 0):
        child = hidden(x, l1, l2, keep(l1[0], width), keep(l2[0], width)) if width else dead
        yield width, [loss(f(p), f(h)) for f in (joint, joint_double) for p, h in zip(parents, child)]


def main():
    print("/* Made by tests/support/make_similarity_fixture.py with scikit-learn %s; do not edit. */"
          % sklearn.__version__)
    print("\n/* n, base width, scale, child width, scale, perplexity; p[0], p[last], KL(base || child) */")
    print("static const struct similarity_pair {")
    print("    size_t n, base_width;\n    double base_scale;\n    size_t child_width;\n    double child_scale;")
    print("    double perplexity, first, last, loss;\n} SIMILARITY_PAIRS[] = {")
    for n, bw, bs, cw, cs, perplexity in [
        (100, 256, 1, 256, 1, 30), (100, 256, 1, 231, 1, 30), (100, 256, 1, 128, 1, 30),
        (100, 256, 1, 53, 1, 30), (100, 256, 1, 17, 1, 30), (100, 256, 1, 3, 1, 30),
        (100, 256, 1, 1, 1, 30), (100, 1000, 1, 333, 1, 30), (100, 8, 1, 7, 1, 30),
        (100, 256, 1000, 128, 1, 30), (100, 256, 1, 128, 1000, 30), (100, 256, 0.001, 128, 1000, 30),
        (100, 256, 0.001, 128, 0.001, 30), (100, 256, 1, 9, 0, 30), (37, 64, 1, 40, 1, 30),
        (20, 64, 1, 40, 1, 30), (2, 5, 1, 3, 1, 30), (100, 256, 1, 128, 1, 5), (400, 64, 1, 16, 1, 30),
    ]:
        p, q = joint(activations(n, bw, 2, bs), perplexity), joint(activations(n, cw, 3, cs), perplexity)
        print("    {%d, %d, %r, %d, %r, %d, %.17g, %.17g, %.17g}," %
              (n, bw, float(bs), cw, float(cs), perplexity, p[0], p[-1], loss(p, q)))
    print("};\n\n/* width of both hidden layers of the child (0: a dead child); KL of layer 1 and 2 from the library,")
    print(" * and from its algorithm with distances in double */")
    print("struct similarity_net {\n    size_t width;\n    double loss[2], exact[2];\n};")
    images = {"FORMULA": formula_images()}
    with gzip.open(os.path.join(os.environ["COPPICE_DATA"], "mnist", "t10k-images-idx3-ubyte.gz")) as f:
        images["MNIST"] = np.frombuffer(f.read(16 + 78400)[16:], dtype=np.uint8).reshape(100, 784) / 255
    for name, x in images.items():
        print("static const struct similarity_net SIMILARITY_%s[] = {" % name)
        for width, numbers in net_losses(x):
            print("    {%d, {%.17g, %.17g}, {%.17g, %.17g}}," % (width, *numbers))
        print("};")


main()
