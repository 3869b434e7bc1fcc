#!/usr/bin/env python3
"""Degrees of a network that was trained as its live edges: distributions, a power-law fit, a map of the inputs.

    jobs/degrees.py RUN/checkpoints/epoch-*.h5 [--map 28x28 --png degrees.png] [--samples 200]

One line per checkpoint, layer and side (inputs: edges out of each; outputs: edges into each): mean, deviation, most,
and the discrete power law of Clauset, Shalizi and Newman (2009): exponent by maximum likelihood above the x_min of the
least Kolmogorov-Smirnov distance, and p, the share of samples drawn from the fit (the part below x_min from the data)
that fit worse. Small p rejects the power law; the paper of SET reports the opposite, from a statistic that it does not
define. --png: degrees of the first layer's inputs as a grey picture, white the most. Needs NumPy and h5py.
"""
import argparse
import struct
import sys
import zlib

import h5py
import numpy as np


def zeta(a, q):
    """Hurwitz's zeta function by Euler and Maclaurin's formula; a > 1."""
    q = np.asarray(q, float)
    end = q + 20
    return sum((q + k) ** -a for k in range(20)) + end ** (1 - a) / (a - 1) + end ** -a / 2 + a * end ** (-a - 1) / 12


def lowest(function, low, high):
    """Where a function with one minimum has it: golden section."""
    ratio = (5 ** 0.5 - 1) / 2
    for _ in range(40):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if function(left) < function(right) else (left, high)
    return (low + high) / 2


def fit(degrees):
    """x_min, exponent and distance of the best discrete power law; None where too few numbers differ."""
    best = None
    for x_min in np.unique(degrees[degrees > 0])[:-2]:
        tail = degrees[degrees >= x_min]
        if len(tail) < 25:
            break
        logs = np.log(tail).sum()
        exponent = lowest(lambda a: len(tail) * np.log(zeta(a, x_min)) + a * logs, 1.01, 12)
        values = np.arange(x_min, tail.max() + 1)
        model = 1 - zeta(exponent, values + 1) / zeta(exponent, x_min)
        data = np.searchsorted(np.sort(tail), values, side="right") / len(tail)
        distance = np.abs(model - data).max()
        if best is None or distance < best[2]:
            best = (int(x_min), exponent, distance)
    return best


def draw(degrees, law, rng):
    x_min, exponent, _ = law
    body = degrees[degrees < x_min]
    from_tail = rng.random(len(degrees)) < (degrees >= x_min).mean()
    out = rng.choice(body, len(degrees)) if len(body) else np.zeros(len(degrees), int)
    count = from_tail.sum()
    top = np.arange(x_min, x_min + 20000)
    below = 1 - zeta(exponent, top + 1) / zeta(exponent, x_min)
    out[from_tail] = x_min + np.searchsorted(below, rng.random(count))
    return out


def describe(degrees, samples, rng):
    text = f"mean {degrees.mean():8.2f}  sd {degrees.std():8.2f}  most {degrees.max():6d}"
    law = fit(degrees)
    if law is None:
        return text + "  too few different degrees for a power law"
    worse = [fit(draw(degrees, law, rng)) for _ in range(samples)]
    p = np.mean([w is not None and w[2] >= law[2] for w in worse]) if samples else float("nan")
    return text + f"  power law: x_min {law[0]:5d}  exponent {law[1]:6.3f}  KS {law[2]:.4f}  p {p:.3f}"


def write_png(path, degrees, height, width):
    grey = (255 * degrees / max(degrees.max(), 1)).astype(np.uint8).reshape(height, width)
    grey = grey.repeat(8, 0).repeat(8, 1)
    rows = b"".join(b"\0" + row.tobytes() for row in grey)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8 * width, 8 * height, 8, 0, 0, 0, 0)) +
                chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", nargs="+")
    parser.add_argument("--map", help="HEIGHTxWIDTH of the inputs")
    parser.add_argument("--png", help="picture of the last checkpoint's input degrees")
    parser.add_argument("--samples", type=int, default=200, help="drawn for p (200; 0: no p)")
    args = parser.parse_args()
    rng = np.random.default_rng(1)
    for path in args.checkpoint:
        with h5py.File(path, "r") as f:
            if f.attrs.get("format") not in ("coppice training", b"coppice training"):
                sys.exit(f"{path}: not a checkpoint of training")
            width = f["width"][:].astype(int)
            epoch = len(f["history"])
            for layer in range(1, len(width)):
                into = np.diff(f[f"layers/{layer}/begin"][:].astype(np.int64))
                out = np.bincount(f[f"layers/{layer}/input"][:], minlength=width[layer - 1])
                for side, degrees in (("inputs", out), ("outputs", into)):
                    print(f"epoch {epoch:5d}  layer {layer}  {side:7s}  {describe(degrees, args.samples, rng)}", flush=True)
                if layer == 1 and args.png:
                    if not args.map:
                        sys.exit("--png wants --map HEIGHTxWIDTH")
                    height, wide = map(int, args.map.split("x"))
                    if height * wide != width[0]:
                        sys.exit(f"--map {args.map}: there are {width[0]} inputs")
                    write_png(args.png, out, height, wide)


if __name__ == "__main__":
    main()
