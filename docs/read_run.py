#!/usr/bin/env python3
"""Read the files of coppice with h5py and numpy alone; coppice need not be installed.

    python3 read_run.py FILE.h5                what is in a checkpoint or network file
    python3 read_run.py --csv FILE.h5 > x.csv  the history of a checkpoint, one line per individual

As a module: Checkpoint(path) and Network(path). Formats: docs/formats/.
"""
import json
import sys

import h5py
import numpy as np


def layers(group):
    """{name: (weight, bias)} of a stored network, in layer order; axes as in PyTorch."""
    names = sorted(group, key=lambda name: group[name]["weight"].attrs.get("first_edge", 0))
    return {n: (group[n]["weight"][:], group[n]["bias"][:] if "bias" in group[n] else None) for n in names}


def unpack(bits, edges):
    """Packed bits (..., bytes) as booleans (..., edges): True is a live edge."""
    return np.unpackbits(bits, axis=-1, bitorder="little")[..., :edges].astype(bool)


def split(flat, weights):
    """A flat array over all edges as {layer: array of the layer's shape}."""
    out, begin = {}, 0
    for name, (w, _) in weights.items():
        out[name] = flat[begin:begin + w.size].reshape(w.shape)
        begin += w.size
    return out


class Network:
    """A network file: base weights, mask of live edges, and how live edges get their weights."""

    def __init__(self, path):
        with h5py.File(path, "r") as f:
            if f.attrs["format"] != "coppice-network":
                raise ValueError(f"{path} is no network file of coppice")
            net = f["network"]
            self.spec = net.attrs["spec"]
            self.layers = layers(net)
            self.edges = sum(w.size for w, _ in self.layers.values())
            self.mask = unpack(f["mask"][:], self.edges) if "mask" in f else np.ones(self.edges, bool)
            self.weighting = net.attrs.get("weighting", "trained")
            self.values = f["values"][:] if "values" in f else np.ones(1)
            self.individual = int(net.attrs.get("individual", 0))
            self.config = f["config"].asstr()[()] if "config" in f else ""

    def weights(self, value=1.0):
        """{layer: weights that the network computes with}, at the shared value given."""
        masks = split(self.mask, self.layers)
        rule = {"trained": lambda w: w, "signed": lambda w: np.sign(w) * np.float32(value),
                "positive": lambda w: np.full_like(w, value)}[self.weighting]
        return {n: np.where(masks[n], rule(w), np.float32(0)) for n, (w, _) in self.layers.items()}


class Checkpoint:
    """A checkpoint: configuration, base network, history, live genomes.

    A run with [run] history = N drops rows of individuals: `window` is then a dictionary (generations: N,
    individuals: how many were ever born, elders: how many rows at the beginning are older than the others,
    chain: a hash over all dropped rows, begin and next: populations of two generations), else it is empty.
    """

    def __init__(self, path):
        with h5py.File(path, "r") as f:
            if f.attrs["format"] != "coppice-checkpoint":
                raise ValueError(f"{path} is no checkpoint of coppice")
            self.attributes = dict(f.attrs)
            self.config = f["config"].asstr()[()]
            self.provenance = json.loads(f["provenance"].asstr()[()] or "{}")
            self.tasks = list(f["tasks"].asstr()[:])
            self.measures = list(f["measures"].asstr()[:])
            self.spec = f["base"].attrs["spec"]
            self.base = layers(f["base"])
            self.individuals = {name: column[:] for name, column in f["individuals"].items()}
            self.generations = {name: column[:] for name, column in f["generations"].items()}
            self.window = {}
            if "window" in f:
                self.window = {name: ids[:] for name, ids in f["window"].items()}
                self.window.update(f["window"].attrs)
            self.born = int(self.window.get("individuals", len(self.individuals["id"])))
            self.genome_id = f["genomes/id"][:]
            self.genomes = unpack(f["genomes/bits"][:], f["genomes"].attrs["edges"])
            self.population = self.genome_id[:f["genomes"].attrs["population"]]

    def masks(self, individual):
        """{layer: live edges} of a live individual (or the best ever)."""
        row = int(np.flatnonzero(self.genome_id == individual)[0])
        return split(self.genomes[row], self.base)

    def row(self, individual):
        """Where an individual stands in the columns; -1: never born, or dropped."""
        ids = self.individuals["id"]
        k = int(np.searchsorted(ids, individual))
        return k if k < len(ids) and ids[k] == individual else -1

    def ancestors(self, individual):
        """All ids that the individual descends from, itself included, as far as rows are held."""
        seen, todo = set(), [int(individual)]
        while todo:
            i = todo.pop()
            row = self.row(i)
            if row < 0 or i in seen:  # -1 is the base network
                continue
            seen.add(i)
            todo += [int(self.individuals["parent1"][row]), int(self.individuals["parent2"][row])]
        return sorted(seen)


def describe(path, out=sys.stdout):
    with h5py.File(path, "r") as f:
        kind = f.attrs["format"]
    if kind == "coppice-network":
        n = Network(path)
        print(f"network {n.spec}", file=out)
        print(f"individual {n.individual}, weights {n.weighting}, values {n.values.tolist()}", file=out)
        for name, live in split(n.mask, n.layers).items():
            print(f"  {name:16} {str(live.shape):20} {live.sum():9} of {live.size:9} edges live", file=out)
        return
    c = Checkpoint(path)
    g = c.generations
    print(f"checkpoint of run {c.attributes['run_id']}, digest {c.attributes['digest']}", file=out)
    print(f"network {c.spec}", file=out)
    print(f"tasks {', '.join(c.tasks)}; {c.born} individuals, {len(c.population)} alive", file=out)
    if c.window:
        print(f"rows of {len(c.individuals['id'])} individuals are held", file=out)
    print("generation  best        median      density", file=out)
    for k in range(len(g["generation"])):
        print(f"{g['generation'][k]:10}  {g['best'][k]:<10.6g}  {g['median'][k]:<10.6g}  {g['density_mean'][k]:.4f}",
              file=out)


def write_csv(path, out=sys.stdout):
    c = Checkpoint(path)
    names = ["id"] + [n for n in c.individuals if n != "id"]
    print(",".join(names), file=out)
    for row in zip(*(c.individuals[n].tolist() for n in names)):
        print(",".join(repr(v) for v in row), file=out)


if __name__ == "__main__":
    words = [a for a in sys.argv[1:] if a != "--csv"]
    if len(words) != 1 or words[0].startswith("-"):
        sys.exit(__doc__)
    (write_csv if "--csv" in sys.argv else describe)(words[0])
